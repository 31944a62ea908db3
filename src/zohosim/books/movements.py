"""Movements: what documents do to the stock of items. A sent invoice takes, an open credit note brings back.

Only lines of an item whose stock is tracked count. https://www.zoho.com/us/inventory/kb/items/item-decrease.html
"""

from collections.abc import Mapping
from decimal import Decimal

from zohosim.books import stock
from zohosim.books.records import Row
from zohosim.books.resources import Visit
from zohosim.books.stock import Cause, Wanted
from zohosim.books.totals import ZERO

Effect = Mapping[tuple[str, str], Decimal]
"""Quantity by item and location."""

NOTHING: Effect = {}


def of_lines(row: Row, sign: int) -> Effect:
    """What the lines of a document do while it counts; `sign` is -1 for what leaves."""
    found: dict[tuple[str, str], Decimal] = {}
    for line in row["line_items"]:
        if line["item_id"]:
            key = (line["item_id"], line.get("location_id") or row["location_id"])
            found[key] = found.get(key, ZERO) + sign * line["quantity"]
    return found


def difference(before: Effect, after: Effect) -> dict[tuple[str, str], Decimal]:
    keys = dict.fromkeys([*before, *after])
    found = {key: after.get(key, ZERO) - before.get(key, ZERO) for key in keys}
    return {key: delta for key, delta in found.items() if delta}


def check(seen: Visit, before: Effect, after: Effect) -> None:
    """Refuse what would leave less than nothing, where an organisation does not allow that."""
    wanted = [Wanted(item_id, delta, place) for (item_id, place), delta in difference(before, after).items()]
    may_be_negative = seen.sim.switches["books_invoices_may_oversell"]
    stock.check(seen.organisation, wanted, may_be_negative=may_be_negative)


def book(seen: Visit, before: Effect, after: Effect, cause: Cause) -> None:
    for (item_id, place), delta in difference(before, after).items():
        stock.move(seen.organisation, item_id, delta, cause, place)
