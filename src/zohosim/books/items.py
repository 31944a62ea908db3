"""Items: what is sold and bought. Names are unique among active items, a sku is unique wherever it is set.

Stock begins with the item and is changed by documents and adjustments, never by an update.
https://www.zoho.com/books/api/v3/items/
"""

from zohosim.answers import Json
from zohosim.books import accounts, item_taxes, item_views, stock
from zohosim.books.answers import BooksRefused
from zohosim.books.fields import (
    Field,
    amount,
    blanks,
    flag,
    invalid,
    missing,
    number,
    one_of,
    read,
    require,
    rows,
    text,
)
from zohosim.books.lists import Listing, everything, status_is
from zohosim.books.records import Row
from zohosim.books.resources import Module, Visit
from zohosim.books.stock import Cause, is_tracked

FIELDS = (
    Field("name", text(100)),
    Field("rate", number),
    Field("description", text(2000), "Description"),
    Field("unit", text(100)),
    Field("sku", text(100)),
    Field("product_type", one_of("goods", "service", "digital_service"), blank="goods"),
    Field("item_type", one_of("sales", "purchases", "sales_and_purchases", "inventory"), blank="sales"),
    Field("account_id", text(20)),
    Field("purchase_rate", amount),
    Field("purchase_description", text(2000)),
    Field("purchase_account_id", text(20)),
    Field("inventory_account_id", text(20)),
    Field("hsn_or_sac", text(10)),
    Field("is_taxable", flag, blank=True),
    Field("tax_exemption_id", text(20)),
    Field("reorder_level", number),
    Field("vendor_id", text(20)),
    Field("upc", text(20)),
    Field("ean", text(20)),
    Field("isbn", text(20)),
    Field("part_number", text(50)),
    Field("brand", text(100)),
    Field("manufacturer", text(100)),
)
COMMON: Json = {
    "status": "active", "source": "api", "item_tax_preferences": [], "tax_id": "", "tax_name": "", "tax_percentage": 0,
    "tax_type": "", "tax_exemption_code": "", "is_returnable": True, "track_serial_number": False,
    "track_batch_number": False, "has_attachment": False, "is_combo_product": False, "image_name": "",
    "image_type": "", "image_document_id": "", "show_in_storefront": False, "category_id": "", "category_name": "",
    "length": "", "width": "", "height": "", "weight": "", "weight_unit": "kg", "dimension_unit": "cm", "tags": [],
}  # fmt: skip
BOUGHT = ("purchases", "sales_and_purchases", "inventory")
HSN_LENGTHS = (4, 6, 8)
OPENING = "_opening"
"""Where a new row keeps its opening stock until it is stored: location to quantity and rate."""


def create(seen: Visit, body: Json) -> Row:
    require(body, "name", "rate")
    row: Row = {**blanks(FIELDS), **COMMON, "account_id": accounts.named(seen.ledger, "Sales")["account_id"]}
    row = filled(seen, row, body)
    row[OPENING] = opening_of(seen, row, body)
    return row


def update(seen: Visit, row: Row, body: Json) -> Row:
    """Stock is no field of an update: what a body says of it is ignored."""
    if seen.sim.switches["books_item_update_needs_name_and_rate"]:
        require(body, "name", "rate")
    changed = filled(seen, row, body)
    if is_tracked(row) != is_tracked(changed) and any(row.get(stock.ACCOUNTING, {}).values()):
        raise invalid("item_type")
    return changed


def filled(seen: Visit, row: Row, body: Json) -> Row:
    """The row with what the body says, checked as a whole."""
    row = {**row, **read(body, FIELDS)}
    row["name"] = row["name"].strip()
    if not row["name"] or row["rate"] == "":
        raise missing("rate" if row["name"] else "name")
    check_hsn(seen, row["hsn_or_sac"])
    check_accounts(seen, row)
    check_unique(seen, row)
    item_taxes.fill(seen, row, body)
    return row


def check_hsn(seen: Visit, code: str) -> None:
    right = code.isascii() and code.isdecimal() and len(code) in HSN_LENGTHS
    if code and seen.sim.switches["books_hsn_check"] and not right:
        raise invalid("hsn_or_sac")


def check_accounts(seen: Visit, row: Row) -> None:
    """What is bought needs an account for that, what is kept in stock one of the type stock."""
    if row["item_type"] in BOUGHT and not row["purchase_account_id"]:
        raise missing("purchase_account_id")
    if is_tracked(row) and not row["inventory_account_id"]:
        raise missing("inventory_account_id")
    accounts.check_account(seen.ledger, "account_id", row["account_id"])
    accounts.check_account(seen.ledger, "purchase_account_id", row["purchase_account_id"])
    accounts.check_account(seen.ledger, "inventory_account_id", row["inventory_account_id"], "stock")


def check_unique(seen: Visit, row: Row) -> None:
    switches = seen.sim.switches
    inactive_count = switches["books_inactive_items_hold_names"]
    for other in seen.ledger.rows("items"):
        if other["item_id"] == row.get("item_id"):
            continue
        counts = other["status"] == row["status"] == "active" or inactive_count
        if counts and not switches["books_duplicate_item_names"] and same(row["name"], other["name"]):
            raise taken(row["name"])
        if row["sku"] and same(row["sku"], other["sku"], ignore_case=switches["books_sku_ignores_case"]):
            raise taken(other["name"])


def same(one: str, other: str, *, ignore_case: bool = True) -> bool:
    return one.casefold() == other.casefold() if ignore_case else one == other


def taken(name: str) -> BooksRefused:
    """A name or a sku that another item has: one code for both."""
    return BooksRefused(400, 1001, f'Item "{name}" already exists.')


# Opening stock


def opening_of(seen: Visit, row: Row, body: Json) -> dict[str, Json]:
    """Opening stock by location: from the array, or from the top when the organisation has one place only."""
    places = rows("locations", body.get("locations") or [])
    if not places and "initial_stock" in body:
        places = [{**body, "location_id": seen.organisation.primary_location}]
    if not is_tracked(row):
        return {}
    return {location_id(seen, place): opening_stock(seen, place) for place in places if place.get("initial_stock")}


def location_id(seen: Visit, place: Json) -> str:
    wanted = str(place.get("location_id") or seen.organisation.primary_location)
    if seen.ledger.find("locations", wanted) is None:
        raise invalid("location_id")
    return wanted


def opening_stock(seen: Visit, place: Json) -> Json:
    quantity = amount("initial_stock", place["initial_stock"])
    rate = amount("initial_stock_rate", place.get("initial_stock_rate") or 0)
    if not rate and seen.sim.switches["books_opening_stock_needs_rate"]:
        raise missing("initial_stock_rate")
    return {"initial_stock": quantity, "initial_stock_rate": rate}


def stored(seen: Visit, row: Row, _before: Row | None) -> None:
    """The opening stock of a new item is its first movement."""
    for place, opening in row.pop(OPENING, {}).items():
        row.setdefault("_initial", {})[place] = opening
        stock.move(seen.organisation, row["item_id"], opening["initial_stock"], Cause("items", row["item_id"]), place)


# Status and end


def check_active(seen: Visit, row: Row) -> None:
    """An item becomes active again only when its name is free."""
    check_unique(seen, {**row, "status": "active"})


def delete(seen: Visit, row: Row) -> None:
    """Refused once a document or an adjustment names the item; code and text are assumed."""
    tables = ("invoices", "estimates", "creditnotes", "inventoryadjustments")
    used = (line for table in tables for one in seen.ledger.rows(table) for line in one["line_items"])
    if any(line.get("item_id") == row["item_id"] for line in used):
        raise BooksRefused(400, 2007, "This item cannot be deleted as it is part of a transaction.")


ITEMS = Module(
    name="items", node="item", entity="Item", id_key="item_id",
    listing=Listing(
        "items", "Items",
        ("name", "rate", "tax_name", "sku", "purchase_rate", "created_time", "last_modified_time", "stock_on_hand"),
        texts=("name", "description", "sku", "tax_name"), numbers=("rate", "purchase_rate"),
        ids=("tax_id", "tax_exemption_id", "account_id", "item_id", "vendor_id", "category_id"), flags=("is_taxable",),
        search=("name", "description", "sku"),
        filters={
            "Status.Active": status_is("active"), "Status.Inactive": status_is("inactive"), "Status.All": everything,
            "Status.Lowstock": item_views.is_low,
        },
        default_filter="Status.Active",
        elsewhere={"tax_id": item_views.tax_ids},
    ),
    create=create, update=update, stored=stored, delete=delete, detail=item_views.detail, row=item_views.listed,
    source=item_views.candidates, hash_in_rows=False,
    created="The item has been added.", saved="Item details have been saved.", removed="The item has been deleted.",
)  # fmt: skip
