"""Lines of documents: what a body says of them, what they take from their items, and how they are told.

https://www.zoho.com/books/api/v3/invoices/#create-an-invoice
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from zohosim.answers import Json
from zohosim.books import supplies, totals
from zohosim.books.fields import Field, amount, entity_id, invalid, missing, number, read, text, whole
from zohosim.books.preferences import hindered
from zohosim.books.records import Row
from zohosim.books.resources import Visit
from zohosim.books.supplies import Supply
from zohosim.books.totals import HUNDRED, ZERO, Discount, Part

ONE = Decimal(1)


def discount(label: str, given: Any) -> Any:
    """As it is echoed: a bare number, or text that ends in %."""
    if isinstance(given, str) and given.strip().endswith("%"):
        percent = amount(label, given.strip().removesuffix("%"))
        if percent > HUNDRED:
            raise invalid(label)
        return given.strip()
    return amount(label, given)


def as_discount(seen: Visit, given: Any) -> Discount:
    """What a discount means. A bare number is an amount; up to 100 it is percent when the switch says so."""
    if isinstance(given, str):
        return Discount(percent=Decimal(given.removesuffix("%"))) if given else Discount()
    if seen.sim.switches["books_bare_discount"] == "percent" and given <= HUNDRED:
        return Discount(percent=given)
    return Discount(given)


FIELDS = (
    Field("line_item_id", entity_id),
    Field("item_id", entity_id),
    Field("name", text(100)),
    Field("description", text(2000), "Description"),
    Field("unit", text(100)),
    Field("rate", number),
    Field("quantity", amount),
    Field("discount", discount, blank=ZERO),
    Field("tax_id", entity_id),
    Field("tax_exemption_id", entity_id),
    Field("tax_exemption_code", text(100)),
    Field("hsn_or_sac", text(100)),
    Field("product_type", text(100)),
    Field("item_order", whole, blank=0),
    Field("location_id", entity_id),
    Field("account_id", entity_id),
    Field("header_name", text(100)),
    Field("salesorder_item_id", entity_id),
    Field("invoice_id", entity_id),
    Field("invoice_item_id", entity_id),
)
OWN = {"name": "name", "description": "description", "unit": "unit", "rate": "rate", "hsn_or_sac": "hsn_or_sac",
       "product_type": "product_type", "sku": "sku", "item_type": "item_type", "tax_exemption_id": "tax_exemption_id",
       "tax_exemption_code": "tax_exemption_code", "account_id": "account_id"}  # fmt: skip
"""What a line takes from its item unless it says otherwise."""


def read_lines(seen: Visit, given: Any, supply: Supply, kept: list[Row]) -> list[Row]:
    """The rows of a body's lines. One that names a line of `kept` starts from that; those not named are gone."""
    if not isinstance(given, list) or not given or not all(isinstance(line, dict) for line in given):
        raise missing("line_items") if given in (None, "", []) else invalid("line_items")
    by_id = {line["line_item_id"]: line for line in kept}
    return [_read_line(seen, line, supply, by_id, place) for place, line in enumerate(given, start=1)]


def _read_line(seen: Visit, given: Json, supply: Supply, kept: dict[str, Row], place: int) -> Row:
    said = read(given, FIELDS)
    old = kept.get(said.get("line_item_id", ""))
    if said.get("line_item_id") and old is None:
        raise invalid("line_item_id")
    row: Row = {"item_order": place, "quantity": ONE, "discount": ZERO, **_start(seen, said, old), **said}
    if not row["name"] or row["rate"] == "":
        raise missing("name" if not row["name"] else "rate")
    if seen.sim.switches["books_rate_rounding"]:
        row["rate"] = totals.rounded(row["rate"])
    row["line_item_id"] = old["line_item_id"] if old else seen.ledger.new_id()
    item = seen.ledger.find("items", row["item_id"]) if row.get("item_id") else None
    return {**row, **_taxed(supply, row, item)}


def _start(seen: Visit, said: Json, old: Row | None) -> Row:
    """What a line is before its body speaks: the old line, the item, or nothing."""
    if old is not None and said.get("item_id", old.get("item_id", "")) == old.get("item_id", ""):
        return dict(old)
    blank = {**dict.fromkeys(OWN, ""), "item_id": "", "tax_id": "", "product_type": "goods"}
    if not said.get("item_id"):
        return blank
    item = active_item(seen, said["item_id"])
    return {**blank, **{key: item[source] for key, source in OWN.items() if item.get(source) not in (None, "")}}


def active_item(seen: Visit, item_id: str) -> Row:
    """The item of a line; refused when it is inactive, or gone."""
    item = seen.ledger.find("items", item_id)
    if item is None or item.get("status") == "inactive":
        raise hindered("inactive_item", name=item["name"] if item else item_id)
    return item


def _taxed(supply: Supply, row: Row, item: Row | None) -> Row:
    tax = supply.tax_of(row, item)
    if tax is None:
        return {"tax_id": "", "tax_name": "", "tax_type": "tax", "tax_percentage": 0}
    return {
        "tax_id": tax["tax_id"], "tax_name": tax["tax_name"], "tax_type": tax["tax_type"],
        "tax_percentage": tax["tax_percentage"], "tax_exemption_id": "", "tax_exemption_code": "",
    }  # fmt: skip


def charge(seen: Visit, row: Row, item_level: bool) -> totals.Line:
    """The line as the sum sees it; its discount counts only where discounts are of lines."""
    tax = tax_named(seen, row["tax_id"])
    own = as_discount(seen, row["discount"]) if item_level else totals.NONE
    return totals.Line(row["rate"], row["quantity"], tax, own)


def tax_named(seen: Visit, tax_id: str) -> totals.Tax | None:
    if not tax_id:
        return None
    return supplies.as_tax(seen.organisation, supplies.tax_row(seen.organisation, tax_id))


def with_amounts(seen: Visit, row: Row, line: totals.Line, part: Part, inclusive: bool) -> Row:
    """The line with everything that was computed."""
    gross = seen.sim.switches["books_inclusive_item_total"] == "gross" and inclusive
    own = replace(line, discount=totals.NONE).amount - line.amount
    return {
        **row,
        "bcy_rate": row["rate"], "sales_rate": row["rate"], "discount_amount": own,
        "discounts": [{"discount_amount": own}] if own else [], "line_item_type": row["product_type"],
        "item_total": part.amount if gross else part.before_discount,
        "item_total_inclusive_of_tax": part.amount if inclusive else part.net + part.tax,
        "line_item_taxes": [tax_line(tax) for tax in part.taxes],
        "tags": [], "item_custom_fields": [], "custom_field_hash": {},
    }  # fmt: skip


def tax_line(tax: totals.TaxAmount) -> Json:
    """An entry of taxes[] or line_item_taxes[]."""
    return {"tax_id": tax.component.tax_id, "tax_name": tax.component.name, "tax_amount": tax.amount}
