"""How items look: in full, in a list, and a hundred at a time.

https://www.zoho.com/books/api/v3/items/
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import accounts, records, resources, stock
from zohosim.books.answers import BooksRefused, told
from zohosim.books.fields import invalid, missing
from zohosim.books.records import Row
from zohosim.books.resources import Module, Visit, visit
from zohosim.books.stock import ACCOUNTING, PHYSICAL, is_tracked, on_hand
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

MOST_IDS = 100
NO_OPENING: Json = {"initial_stock": stock.ZERO, "initial_stock_rate": stock.ZERO}
DETAIL_ONLY = ("inventory_account_id", "vendor_id")
"""Keys that lists leave out."""
STOCK = ("stock_on_hand", "available_stock", "actual_available_stock")


def detail(seen: Visit, row: Row) -> Json:
    """In full: with the stock of each location."""
    places = [place(row, location) for location in seen.ledger.rows("locations")] if is_tracked(row) else []
    return {
        **common(seen, row), "inventory_account_name": accounts.account_name(seen.ledger, row["inventory_account_id"]),
        "locations": places, "preferred_vendors": [], "price_brackets": [], "sales_channels": [], "documents": [],
    }  # fmt: skip


def listed(seen: Visit, row: Row) -> Json:
    return {key: value for key, value in common(seen, row).items() if key not in DETAIL_ONLY}


def common(seen: Visit, row: Row) -> Json:
    kind = row["item_type"]
    counted = dict(zip(STOCK, counts(row), strict=True)) if is_tracked(row) else {}
    return {
        **records.shown(row), **counted, "item_name": row["name"],
        "account_name": accounts.account_name(seen.ledger, row["account_id"]),
        "purchase_account_name": accounts.account_name(seen.ledger, row["purchase_account_id"]),
        "can_be_sold": kind != "purchases", "can_be_purchased": kind != "sales", "track_inventory": is_tracked(row),
    }  # fmt: skip


def counts(row: Row) -> tuple[Decimal, Decimal, Decimal]:
    return on_hand(row), on_hand(row), on_hand(row, kind=PHYSICAL)


def place(row: Row, location: Row) -> Json:
    """The stock at one location. Nothing is ever committed, as there are no sales orders here."""
    held, actual = (row.get(kind, {}).get(location["location_id"], stock.ZERO) for kind in (ACCOUNTING, PHYSICAL))
    return {
        "location_id": location["location_id"], "location_name": location["location_name"],
        "status": location["status"], "is_primary": location["is_primary_location"],
        "location_stock_on_hand": held, "location_available_stock": held, "location_actual_available_stock": actual,
        "location_available_for_sale_stock": held, "location_actual_available_for_sale_stock": actual,
        "location_committed_stock": stock.ZERO, "location_actual_committed_stock": stock.ZERO,
        "location_asset_value": held * (row["purchase_rate"] or stock.ZERO),
        **row.get("_initial", {}).get(location["location_id"], NO_OPENING),
    }  # fmt: skip


def is_low(row: Row) -> bool:
    return is_tracked(row) and row["reorder_level"] != "" and on_hand(row) <= row["reorder_level"]


def tax_ids(row: Row) -> list[str]:
    return [row["tax_id"], *(one["tax_id"] for one in row["item_tax_preferences"])]


def candidates(seen: Visit) -> Iterable[Row]:
    """All items; with their stock when the list is sorted by it."""
    rows = seen.ledger.rows("items")
    if seen.call.params.get("sort_column") != "stock_on_hand":
        return rows
    return [{**row, "stock_on_hand": on_hand(row)} if is_tracked(row) else row for row in rows]


def list_items(module: Module, sim: "Simulator", call: Call) -> Answer:
    """Below the root of Books `sku` may be one of the parameters nobody knows."""
    ignored = call.path.startswith("/books/") and sim.switches["books_sku_filter"] == "ignored"
    if ignored:
        call.params = {name: value for name, value in call.params.items() if not name.startswith("sku")}
    return resources.list_rows(module, sim, call)


def details(module: Module, sim: "Simulator", call: Call) -> Answer:
    """Up to a hundred items in full. One id that is not there fails them all."""
    seen = visit(sim, call)
    asked = [part.strip() for part in call.params.get("item_ids", "").split(",") if part.strip()]
    if not asked:
        raise missing("item_ids")
    if len(asked) > MOST_IDS:
        raise invalid("item_ids")
    found = [seen.ledger.find("items", one) for one in dict.fromkeys(asked)]
    rows = [row for row in found if row is not None]
    if len(rows) < len(found):
        raise BooksRefused(404, 1002, "Resource does not exist.")
    return told(items=[resources.shown(module, seen, row) for row in rows])
