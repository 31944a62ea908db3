"""A look into the simulated Books, beside everything zohosync says about it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from zohosim.books.modules import detail_of
from zohosim.books.organisations import Organisation
from zohosim.simulator import Simulator

Record = dict[str, Any]


def organisation_of(simulator: Simulator) -> Organisation:
    """The one the demo's shop keeps its books in."""
    return next(iter(simulator.books.organisations.values()))


def list_records(simulator: Simulator, table: str) -> list[Record]:
    """All records of one kind as Books shows them, oldest first."""
    organisation = organisation_of(simulator)
    return [detail_of(simulator, organisation, table, row) for row in organisation.ledger.rows(table)]


def find_by_reference(simulator: Simulator, table: str, reference: str) -> list[Record]:
    """The documents that name an order or a quote."""
    return [record for record in list_records(simulator, table) if record["reference_number"] == reference]


def find_record(simulator: Simulator, table: str, key: str, value: str) -> Record | None:
    """The first record with that value."""
    return next((record for record in list_records(simulator, table) if record.get(key) == value), None)


def describe_lines(document: Mapping[str, Any]) -> str:
    """Every line with quantity, item, HSN code, price and rate, in the order of the items."""
    return "; ".join(_describe(line) for line in sorted(document["line_items"], key=_item))


def describe_taxes(document: Mapping[str, Any]) -> str:
    """The tax split, as the foot of the document shows it."""
    taxes = sorted(document["taxes"], key=lambda tax: str(tax["tax_name"]))
    told = [f"{tax['tax_name'].split(' ')[0]} {money(tax['tax_amount'])}" for tax in taxes]
    return " + ".join(told) or "no tax"


def money(amount: Any) -> str:
    """Rupees and paise."""
    return f"{Decimal(str(amount)):,.2f}"


def _describe(line: Mapping[str, Any]) -> str:
    rate = f"{Decimal(str(line['tax_percentage'])).normalize():f} %" if line.get("tax_percentage") else "exempt"
    return f"{line['quantity']:g} × {_item(line)} (HSN {line.get('hsn_or_sac')}) at ₹{money(line['rate'])}, {rate}"


def _item(line: Mapping[str, Any]) -> str:
    return str(line.get("sku") or line.get("name"))
