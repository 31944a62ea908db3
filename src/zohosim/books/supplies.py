"""Supplies: which taxes the lines of a document may carry, and which one a line gets that names none.

The caller chooses the tax of a line; Books only refuses the wrong side (3032), it never swaps it.
"""

from dataclasses import dataclass
from decimal import Decimal

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused
from zohosim.books.fields import invalid
from zohosim.books.organisations import Organisation
from zohosim.books.totals import Component, Tax

TREATMENTS = (
    "business_gst", "business_none", "overseas", "consumer", "business_sez", "business_registered_composition",
    "deemed_export", "tax_deductor", "sez_developer",
)  # fmt: skip
"""The first four are documented, the others were seen."""
ALWAYS_INTER = ("overseas", "business_sez", "sez_developer")
"""Treatments of buyers whom nothing is supplied to within a state."""

NEEDS_IGST = "IGST has to be applied as this is an interstate transaction"
TAKES_NO_IGST = "IGST cannot be applied as this is an intrastate transaction"


@dataclass(frozen=True, slots=True)
class Supply:
    """From where to where a document supplies. `default_taxes`: lines without a tax get the one of their item."""

    organisation: Organisation
    place: str
    treatment: str
    home: str
    default_taxes: bool = True
    reverse_charge: bool = False

    @property
    def specification(self) -> str:
        """`intra` or `inter`; empty where there is no GST."""
        if not self.organisation.seed.gst:
            return ""
        return "intra" if self.place == self.home and self.treatment not in ALWAYS_INTER else "inter"

    def tax_of(self, line: Json, item: Json | None) -> Json | None:
        """The tax of a line, checked; None for a line that is exempt, or where there are no taxes."""
        if line.get("tax_id"):
            tax = tax_row(self.organisation, str(line["tax_id"]))
            self.check_side(tax)
            return tax
        if self.is_exempt(line, item):
            return None
        preferred = self.preferred(item)
        if preferred is None:
            raise BooksRefused(400, 110802, "Specify either a Tax or Tax Exemption or Reverse Charge")
        return preferred

    def is_exempt(self, line: Json, item: Json | None) -> bool:
        if not self.organisation.seed.gst or self.reverse_charge:
            return True
        named = line.get("tax_exemption_id") or line.get("tax_exemption_code")
        return bool(named) or (item is not None and item.get("is_taxable") is False)

    def preferred(self, item: Json | None) -> Json | None:
        preferences = item.get("item_tax_preferences") or [] if item and self.default_taxes else []
        for preference in preferences:
            if preference.get("tax_specification") == self.specification:
                return tax_row(self.organisation, str(preference["tax_id"]))
        return None

    def check_side(self, tax: Json) -> None:
        side = tax["tax_specification"]
        if side and self.specification and side != self.specification:
            raise BooksRefused(400, 3032, TAKES_NO_IGST if side == "inter" else NEEDS_IGST)


def tax_row(organisation: Organisation, tax_id: str) -> Json:
    for tax in organisation.taxes:
        if tax["tax_id"] == tax_id:
            return tax
    raise invalid("tax_id")


def tax_type(tax: Json) -> int:
    """As lines tell it: 0 of a single tax, 2 of a group."""
    return 2 if tax["tax_type"] == "tax_group" else 0


def as_tax(organisation: Organisation, tax: Json) -> Tax:
    """A tax with what it consists of."""
    return Tax(tax["tax_id"], tuple(_component(part) for part in members(organisation, tax)))


def members(organisation: Organisation, tax: Json) -> list[Json]:
    """The taxes of a group; of any other tax itself."""
    if tax["tax_type"] != "tax_group":
        return [tax]
    half = Decimal(str(tax["tax_percentage"])) / 2
    return [
        part
        for kind in ("cgst", "sgst")
        for part in organisation.taxes
        if part["tax_specific_type"] == kind and Decimal(str(part["tax_percentage"])) == half
    ]


def _component(tax: Json) -> Component:
    percentage = Decimal(str(tax["tax_percentage"]))
    return Component(tax["tax_id"], f"{tax['tax_name']} ({percentage:f}%)", percentage)
