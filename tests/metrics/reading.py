"""What stands on a page of metrics."""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Page:
    """A page, as Prometheus reads it."""

    text: str

    @property
    def kinds(self) -> dict[str, str]:
        """Type by metric; Prometheus' own words."""
        return {
            family.name + ("_total" if family.type == "counter" else ""): family.type
            for family in text_string_to_metric_families(self.text)
            if not family.name.endswith("_created")
        }

    @property
    def samples(self) -> dict[str, set[str]]:
        """Names of labels by name of sample."""
        found: dict[str, set[str]] = {}
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
        return found

    def labels(self) -> set[str]:
        """Every value of every label."""
        families = text_string_to_metric_families(self.text)
        return {value for family in families for sample in family.samples for value in sample.labels.values()}

    def value(self, name: str, **labels: str) -> float | None:
        """The sample with these labels and no other, or None."""
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return None
