"""The stock of items: how many are at each location, and every movement of them.

Two counts are kept. Accounting stock is moved by documents and adjustments; physical stock by adjustments alone, and by
documents when the switch says so. https://www.zoho.com/us/inventory/kb/items/stock-tracking-mode.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from zohosim.answers import Json
from zohosim.books import records
from zohosim.books.answers import BooksRefused
from zohosim.books.organisations import Organisation
from zohosim.books.records import Row

ZERO = Decimal(0)
ACCOUNTING, PHYSICAL = "_stock", "_actual_stock"
"""Keys of an item's row: id of a location to quantity."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why stock moves: the module and id of the document, its day, and whether it is a document or an adjustment."""

    module: str
    id: str
    day: str = ""

    @property
    def physical(self) -> bool:
        return self.module in ("items", "inventoryadjustments")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A movement somebody asks for. Without a location it is at the primary one."""

    item_id: str
    delta: Decimal
    location_id: str = ""


def is_tracked(item: Row | None) -> bool:
    return item is not None and item.get("item_type") == "inventory"


def location_of(organisation: Organisation, location_id: str) -> str:
    return location_id or organisation.primary_location


def on_hand(item: Row, location_id: str = "", kind: str = ACCOUNTING) -> Decimal:
    """At one location, or at all of them."""
    held: dict[str, Decimal] = item.get(kind, {})
    return held.get(location_id, ZERO) if location_id else sum(held.values(), ZERO)


def check(organisation: Organisation, wanted: Iterable[Wanted], *, may_be_negative: bool) -> None:
    """Refuse all of it, naming the first item that would go below nothing at its location."""
    sums: dict[tuple[str, str], Decimal] = {}
    for one in wanted:
        place = (one.item_id, location_of(organisation, one.location_id))
        sums[place] = sums.get(place, ZERO) + one.delta
    for (item_id, location_id), delta in sums.items():
        item = organisation.ledger.find("items", item_id)
        if item is None or not is_tracked(item) or may_be_negative:
            continue
        if delta < 0 and on_hand(item, location_id) + delta < 0:
            raise insufficient(item)


def insufficient(item: Row) -> BooksRefused:
    said = f"There is insufficient stock in the location for the item {item['name']}. Please check and try again."
    return BooksRefused(400, 9205, said)


def move(organisation: Organisation, item_id: str, delta: Decimal, cause: Cause, location_id: str = "") -> None:
    """Move stock of a tracked item; of any other, and of an item that is gone, nothing happens."""
    item = organisation.ledger.find("items", item_id)
    if item is None or not is_tracked(item) or not delta:
        return
    location = location_of(organisation, location_id)
    switches = organisation.ledger.switches
    for kind in (ACCOUNTING, PHYSICAL):
        if kind == ACCOUNTING or cause.physical or switches["books_documents_move_actual_stock"]:
            held = item.setdefault(kind, {})
            held[location] = held.get(location, ZERO) + delta
    note(organisation, item_id, delta, cause, location)
    if switches["books_stock_touches_item"]:
        records.touch(organisation.ledger, item)


def note(organisation: Organisation, item_id: str, delta: Decimal, cause: Cause, location: str) -> None:
    """Keep the movement, for whoever wants to know how a count came about."""
    row: Json = {
        "movement_id": organisation.ledger.new_id(), "item_id": item_id, "location_id": location, "delta": delta,
        "module": cause.module, "entity_id": cause.id, "date": cause.day or organisation.ledger.today().isoformat(),
        "time": organisation.ledger.now_text(),
    }  # fmt: skip
    organisation.ledger.tables["stockmovements"][row["movement_id"]] = row
