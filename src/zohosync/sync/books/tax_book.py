"""Which of the organisation's own taxes goes on a line. Names are free text: rate, kind and side decide. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from zohosync.errors import RecordInvalid
from zohosync.gst.sale import SupplyType
from zohosync.zoho.books_entities import Tax

Leg: TypeAlias = Literal["cgst", "sgst", "igst", "cess", "other"]


@dataclass(frozen=True)
class TaxBook:
    """``groups`` are the CGST+SGST groups and ``igst`` the single taxes, by rate.

    ``legs`` say by tax id and by name what a component is."""

    groups: Mapping[Decimal, str]
    igst: Mapping[Decimal, str]
    legs: Mapping[str, Leg]
    percentages: Mapping[str, Decimal]

    def tax_id(self, rate: Decimal, supply: SupplyType) -> str:
        """The tax of a rate on one side; RecordInvalid when the organisation has none."""
        book, kind = (self.groups, "group CGST+SGST") if supply is SupplyType.INTRA else (self.igst, "IGST")
        found = book.get(rate.normalize())
        if found is None:
            raise RecordInvalid(
                f"Zoho Books has no tax of {rate:f} % for supplies "
                f"{'within the state' if supply is SupplyType.INTRA else 'between states'} ({kind}).",
                hint="Add it in Books under Settings › Taxes; the document goes through by itself after Sync now.",
                code="books_tax_absent",
                field="gst_rate",
            )
        return found

    def leg_of(self, name: str, tax_id: str = "") -> Leg:
        """What one of Books' tax lines is: by its id where told, else by its name as the organisation has it."""
        known = self.legs.get(tax_id) or self.legs.get(_plain(name))
        if known:
            return known
        upper = name.upper()
        for leg in ("cgst", "utgst", "sgst", "igst", "cess"):
            if leg.upper() in upper:
                return "sgst" if leg == "utgst" else leg  # type: ignore[return-value]
        return "other"


def read_tax_book(taxes: Iterable[Tax]) -> TaxBook:
    """From the organisation's list. Of several taxes for one rate the first one listed as default, else the first."""
    groups: dict[Decimal, str] = {}
    igst: dict[Decimal, str] = {}
    legs: dict[str, Leg] = {}
    percentages: dict[str, Decimal] = {}
    for tax in taxes:
        if str(tax.fields.get("status", "Active")).lower() not in ("active", ""):
            continue
        percentages[tax.id] = tax.percentage
        rate = tax.percentage.normalize()
        if tax.type == "tax_group" and tax.specification != "inter":
            groups.setdefault(rate, tax.id)
        elif tax.specific_type == "igst" or (tax.type == "tax" and tax.specification == "inter"):
            igst.setdefault(rate, tax.id)
        if tax.specific_type in ("cgst", "sgst", "igst", "cess"):
            leg: Leg = tax.specific_type  # type: ignore[assignment]
            legs[tax.id] = leg
            legs[_plain(tax.name)] = leg
    return TaxBook(groups, igst, legs, percentages)


def _plain(name: str) -> str:
    """Books writes ``CGST9 (9%)`` for the tax CGST9."""
    return name.split(" (")[0].strip().casefold()
