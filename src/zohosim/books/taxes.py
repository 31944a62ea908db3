"""The taxes of an Indian organisation with GST: what Books makes when GST is switched on.

A group (GST18) holds two components of half its rate (CGST9, SGST9) and is for supplies within the state; IGST18 is
for supplies between states. https://www.zoho.com/books/api/v3/taxes/
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books.answers import listed
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

RATES = (0, 5, 12, 18, 28, 40)
"""40 came with the reform of September 2025; 12 and 28 stay for older documents."""


def standard_taxes(prefix: int) -> list[Json]:
    """Components, groups and IGST of every rate; ids are `prefix` plus the place in the list."""
    return [
        {"tax_id": str(prefix + 3 * number), **values, **COMMON} for number, values in enumerate(_standard(), start=1)
    ]


COMMON: Json = {
    "tax_authority_id": "", "tax_authority_name": "", "tax_account_id": "", "purchase_tax_account_id": "",
    "output_tax_account_name": "", "purchase_tax_account_name": "", "is_value_added": True, "is_default_tax": False,
    "is_editable": True, "country_code": "", "status": "Active",
}  # fmt: skip


def _standard() -> Iterator[Json]:
    for rate in RATES:
        half = rate / 2
        for kind in ("cgst", "sgst"):
            yield _tax(f"{kind.upper()}{half:g}", half, "tax", "intra", kind)
        yield _tax(f"GST{rate}", rate, "tax_group", "intra", "")
        yield _tax(f"IGST{rate}", rate, "tax", "inter", "igst")


def _tax(name: str, rate: float, kind: str, specification: str, specific: str) -> Json:
    return {
        "tax_name": name, "tax_percentage": int(rate) if rate == int(rate) else rate, "tax_type": kind,
        "tax_specification": specification, "tax_specific_type": specific,
    }  # fmt: skip


def list_taxes(sim: "Simulator", call: Call) -> Answer:
    taxes = sim.books.organisation_of(call).taxes
    return listed(call, "taxes", taxes, "Taxes", "tax_name")
