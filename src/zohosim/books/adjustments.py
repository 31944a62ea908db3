"""Inventory adjustments: stock corrected by hand. All lines or none; deleting one takes its lines back.

Books' own files do not have them; programs call them below its root all day.
https://www.zoho.com/inventory/api/v1/inventoryadjustments/
"""

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import accounts, records, resources, stock
from zohosim.books.answers import BooksRefused, said
from zohosim.books.fields import Field, blanks, day, invalid, missing, number, one_of, read, require, rows, text
from zohosim.books.lists import Listing
from zohosim.books.records import Row
from zohosim.books.resources import Module, Visit, visit
from zohosim.books.stock import Cause, Wanted
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

FIELDS = (
    Field("date", day, "date"),
    Field("reason", text(49)),
    Field("adjustment_type", one_of("quantity", "value")),
    Field("description", text(2000)),
    Field("reference_number", text(100)),
    Field("location_id", text(20)),
)
LINE = (
    Field("description", text(2000)),
    Field("unit", text(100)),
    Field("location_id", text(20)),
    Field("adjustment_account_id", text(20)),
)
ADJUSTED = "adjusted"
"""Only in this status the lines have moved stock."""

STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "submit": (("draft", "rejected"), "pending_approval"),
    "approve": (("pending_approval",), "approved"),
    "approve/final": (("pending_approval", "approved"), ADJUSTED),
    "reject": (("pending_approval", "approved"), "rejected"),
}
"""The calls of the approval workflow: from which statuses, to which one. Only the final approval moves stock."""


def create(seen: Visit, body: Json) -> Row:
    require(body, "date", "reason", "adjustment_type", "line_items")
    approval = seen.organisation.preferences.needs_approval("inventoryadjustments")
    row: Row = {
        **blanks(FIELDS), "reason_id": "", "is_inventory_valuation_pending": False, "created_by_id": seen.call.user_id,
        "created_by_name": "Integration User", "status": "draft" if approval else ADJUSTED,
    }  # fmt: skip
    row = filled(seen, row, body)
    check_stock(seen, [], effect(row))
    return row


def update(seen: Visit, row: Row, body: Json) -> Row:
    before = effect(row)
    changed = filled(seen, row, {"line_items": row["line_items"], **body})
    check_stock(seen, before, effect(changed))
    return changed


def filled(seen: Visit, row: Row, body: Json) -> Row:
    old_date = row["date"]
    row = {**row, **read(body, FIELDS)}
    seen.organisation.preferences.check_open([row["date"], old_date])
    row["location_id"] = place_of(seen, row["location_id"])
    row["reason_id"] = reason_id(seen, row["reason"])
    row["location_name"] = seen.ledger.tables["locations"][row["location_id"]]["location_name"]
    row["line_items"] = [line(seen, row, given) for given in rows("line_items", body["line_items"])]
    row["total"] = sum((one["item_total"] for one in row["line_items"]), stock.ZERO)
    return row


def place_of(seen: Visit, location_id: str) -> str:
    wanted = location_id or seen.organisation.primary_location
    if seen.ledger.find("locations", wanted) is None:
        raise invalid("location_id")
    return wanted


def reason_id(seen: Visit, reason: str) -> str:
    """Reasons nobody used before are made on the fly."""
    known = seen.ledger.tables["reasons"]
    found = next((row for row in known.values() if row["reason"] == reason), None)
    if found is None:
        found = {"reason_id": seen.ledger.new_id(), "reason": reason}
        known[found["reason_id"]] = found
    return str(found["reason_id"])


def line(seen: Visit, row: Row, given: Json) -> Row:
    """One line, checked: an item whose stock is tracked, and a signed quantity or value."""
    item = seen.ledger.find("items", str(given.get("item_id", "")))
    if item is None or not stock.is_tracked(item):
        raise invalid("item_id")
    told = {**blanks(LINE), **read(given, LINE)}
    location = place_of(seen, told["location_id"] or row["location_id"])
    account = told["adjustment_account_id"] or accounts.named(seen.ledger, "Cost of Goods Sold")["account_id"]
    accounts.check_account(seen.ledger, "adjustment_account_id", account)
    key = "quantity_adjusted" if row["adjustment_type"] == "quantity" else "value_adjusted"
    if given.get(key) in (None, ""):
        raise missing(key)
    moved = number(key, given[key])
    rate: Decimal = item["purchase_rate"] or stock.ZERO
    return {
        **told, "line_item_id": str(given.get("line_item_id") or seen.ledger.new_id()), "item_id": item["item_id"],
        "name": item["name"], "unit": told["unit"] or item["unit"], "is_combo_product": False,
        key: moved, "item_total": abs(moved * rate if key == "quantity_adjusted" else moved),
        "adjustment_account_id": account,
        "adjustment_account_name": accounts.account_name(seen.ledger, account), "location_id": location,
        "location_name": seen.ledger.tables["locations"][location]["location_name"],
        "serial_numbers": [], "batches": [], "storages": [],
    }  # fmt: skip


# What it does to the stock


def effect(row: Row) -> list[Wanted]:
    """What the row has moved, or will once it counts."""
    if row["status"] != ADJUSTED or row["adjustment_type"] != "quantity":
        return []
    return [Wanted(one["item_id"], one["quantity_adjusted"], one["location_id"]) for one in row["line_items"]]


def check_stock(seen: Visit, before: list[Wanted], after: list[Wanted]) -> None:
    may = seen.sim.switches["books_adjustments_may_oversell"]
    stock.check(seen.organisation, [*after, *reverse(before)], may_be_negative=may)


def reverse(wanted: list[Wanted]) -> list[Wanted]:
    return [Wanted(one.item_id, -one.delta, one.location_id) for one in wanted]


def stored(seen: Visit, row: Row, before: Row | None) -> None:
    book(seen, row, [*(reverse(effect(before)) if before else []), *effect(row)])


def book(seen: Visit, row: Row, wanted: list[Wanted]) -> None:
    cause = Cause("inventoryadjustments", row["inventory_adjustment_id"], row["date"])
    for one in wanted:
        stock.move(seen.organisation, one.item_id, one.delta, cause, one.location_id)


def delete(seen: Visit, row: Row) -> None:
    """The lines are taken back, if that leaves enough."""
    seen.organisation.preferences.check_open([row["date"]])
    check_stock(seen, effect(row), [])
    book(seen, row, reverse(effect(row)))


def listed(_seen: Visit, row: Row) -> Json:
    """Rows of the list have no lines."""
    return {key: value for key, value in records.shown(row).items() if key != "line_items"}


# Approval


def step(name: str, sim: "Simulator", call: Call) -> Answer:
    """One step of the approval workflow; refused where the organisation has none, code and text are assumed."""
    seen = visit(sim, call)
    row = resources.find_row(ADJUSTMENTS, seen)
    starts, end = STEPS[name]
    if not seen.organisation.preferences.needs_approval("inventoryadjustments") or row["status"] not in starts:
        raise BooksRefused(400, 1006, f"The adjustment cannot go from {row['status']} to {end}.")
    after = {**row, "status": end}
    check_stock(seen, [], effect(after))
    row["status"] = end
    book(seen, row, effect(row))
    records.changed(sim, seen.organisation, "inventoryadjustments", "updated", row)
    return said(f"The inventory adjustment is now {end.replace('_', ' ')}.")


ADJUSTMENTS = Module(
    name="inventoryadjustments", node="inventory_adjustment", entity="Inventory Adjustment",
    id_key="inventory_adjustment_id",
    listing=Listing(
        "inventory_adjustments", "Inventory Adjustments",
        ("date", "created_time", "last_modified_time", "reason", "reference_number"), sort_order="D",
    ),
    create=create, update=update, delete=delete, stored=stored, row=listed,
    created="Inventory Adjustment has been added", saved="Inventory Adjustment has been updated",
    removed="Inventory Adjustment(s) has been deleted",
)  # fmt: skip

APPROVALS = {name: partial(step, name) for name in STEPS}
"""The handler of each step, by the end of its path."""
