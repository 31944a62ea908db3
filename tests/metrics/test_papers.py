"""Every metric and event of the log is documented, and dashboard and alerts ask only for metrics there are."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from metrics.reading import Page
from zohosync.clock import SystemClock
from zohosync.metrics.exposition import Metrics
from zohosync.queue.observer import Ended
from zohosync.queue.operation import Cause, Lane, Operation, Outcome, Report
from zohosync.store import measures
from zohosync.store.measures import Measures
from zohosync.zoho.exchange import Exchange
from zohosync.zoho.protocol import Request

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
HOW_TO = ROOT / "docs" / "how-to" / "watch-it-with-prometheus.md"
NAME = re.compile(r"\b((?:zohosync|process)_[a-z_]+)\b")
FULL = Measures(
    schema_version=8,
    capturing=True,
    live_since=datetime(2026, 1, 1, tzinfo=UTC),
    changes=1,
    changes_oldest=1.0,
    workers=1,
    login=measures.LoginMeasure("connected", 1.0, 1.0, 1.0, 1),
    lanes=[measures.LaneMeasure("sales", "pending", 1, 1.0)],
    failures=[measures.FailureMeasure("crm.contact.push", "zoho_refused", 1)],
    incidents={"critical": 1},
    jobs=[measures.JobMeasure("tidy", 1.0, True)],
    budgets=[measures.BudgetMeasure("crm", 1.0, 1, 1.0)],
)


@pytest.fixture
async def page() -> Page:
    """A page with a sample of everything."""

    async def look() -> Measures:
        return FULL

    metrics = Metrics(look, SystemClock(), limits={"crm": 50_000})
    operation = Operation(
        1, "crm.contact.push", Lane.PEOPLE, "customer", "1", Cause.CHANGE, 0, None, None, datetime.now(UTC), deaths=1
    )
    second = measures.PATIENCE
    metrics.tally.turned()
    metrics.tally.claimed([operation])
    metrics.tally.ended(Ended(operation, Report(1, Outcome.SUCCEEDED, error_code="x"), second, second))
    metrics.tally.watch(Exchange(Request("GET", "/"), 200, b"", second))
    return Page((await metrics.page()).decode())


def documented() -> dict[str, tuple[str, set[str]]]:
    """Type and labels by metric, as the page of the papers says."""
    text = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(zohosync_\w+)` \| (\w+) \| ([^|]*)\|", text, re.M)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_every_metric_is_documented_with_its_type_and_labels_and_no_other(page: Page) -> None:
    kinds = {name: kind for name, kind in page.kinds.items() if name.startswith("zohosync_")}
    there = {}
    for name, kind in kinds.items():
        sample = f"{name}_count" if kind == "histogram" else name
        there[name] = (kind, page.samples[sample])
    assert there == documented()


def test_names_follow_the_conventions_of_prometheus(page: Page) -> None:
    for name, kind in page.kinds.items():
        assert (kind == "counter") == name.endswith("_total")
        assert re.fullmatch(r"[a-z_]+", name)
    helps = dict(re.findall(r"^# HELP (zohosync_\w+) (.+)$", page.text, re.M))
    for name, text in helps.items():
        assert text.endswith("."), name
        if name.endswith("_timestamp_seconds"):
            assert "Unix time" in text
        elif name.endswith("_seconds"):
            assert "second" in text.lower(), name


def test_what_the_process_itself_tells_is_documented(page: Page) -> None:
    text = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    names = [name for name in page.kinds if name.startswith("process_")]
    assert len(names) >= 5
    assert [name for name in names if f"`{name}`" not in text] == []


def expressions(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]
            yield variable["query"]["query"]


def unknown(expression: str, page: Page) -> set[str]:
    """Names in an expression that no sample has."""
    return set(NAME.findall(re.sub(r'"[^"]*"', "", expression))) - set(page.samples)


@pytest.fixture
def dashboard() -> dict[str, Any]:
    return dict(json.loads((ROOT / "deploy" / "grafana" / "zohosync.json").read_text(encoding="utf-8")))


def test_the_dashboard_asks_only_for_metrics_there_are(dashboard: dict[str, Any], page: Page) -> None:
    found = list(expressions(dashboard))
    assert len(found) > 30
    assert {expression: unknown(expression, page) for expression in found if unknown(expression, page)} == {}
    for expression in found:
        assert expression.count("(") == expression.count(")")
        assert expression.count("{") == expression.count("}")


def test_the_dashboard_can_be_imported_anywhere(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    assert dashboard["id"] is None
    assert [row["title"] for row in dashboard["panels"] if row["type"] == "row"] == [
        "Health at a glance",
        "Queue",
        "Outcomes and latency",
        "Zoho calls and budget",
        "Login",
    ]
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
            assert all(source["uid"] == "${datasource}" for source in sources)


def test_panels_of_the_dashboard_do_not_overlap(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_labels_asked_for_are_labels_there_are(dashboard: dict[str, Any], page: Page) -> None:
    labels = set().union(*page.samples.values()) | {"job", "instance", "le"}
    rules = [rule["expr"] for rule in alerts()]
    for expression in [*expressions(dashboard), *rules]:
        for by in re.findall(r"by \(([\w, ]+)\)", expression):
            assert set(by.split(", ")) <= labels, expression
        for within in re.findall(r"\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)(?:=~|!=|!~|=)", within)) <= labels, expression


def alerts() -> list[dict[str, Any]]:
    text = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def test_alerts_ask_only_for_metrics_there_are(page: Page) -> None:
    rules = alerts()
    names = [rule["alert"] for rule in rules]
    assert len(names) == len(set(names)) > 10
    for rule in rules:
        assert NAME.findall(rule["expr"]), rule
        assert unknown(rule["expr"], page) == set(), rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


def test_every_alert_is_told_and_no_other() -> None:
    told = re.findall(r"^\| `(\w+)` \| (\w+) \|", HOW_TO.read_text(encoding="utf-8"), re.M)
    assert told == [(rule["alert"], rule["labels"]["severity"]) for rule in alerts()]


def events() -> set[str]:
    """Every event name in the source."""
    call = re.compile(r"\blog(?:ger)?\.(?:debug|info|warning|error|exception|critical)\)?\(\s*(f?\"[^\"]*\")")
    ternary = re.compile(r"else log\.\w+\)\(\s*(\"[^\"]*\")")
    found: set[str] = set()
    for path in (ROOT / "src" / "zohosync").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= {name.strip('"') for pattern in (call, ternary) for name in pattern.findall(text)}
    return found


def test_every_event_of_the_log_is_documented_and_no_other() -> None:
    text = (REFERENCE / "logs.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w.]+)` \| (?:info|warning|error)", text, re.M)) == events()


def test_events_are_names_and_not_sentences() -> None:
    assert [name for name in events() if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", name)] == []


def test_every_reason_of_being_unready_is_documented() -> None:
    text = (REFERENCE / "health.md").read_text(encoding="utf-8")
    reasons = ("database_unreachable", "schema_mismatch", "foreign_copy", "privilege_missing", "database_failure",
               "settings_refused", "stalled", "stopping")  # fmt: skip
    assert re.findall(r"^\| `(\w+)` \|", text, re.M) == list(reasons)
