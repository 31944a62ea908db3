"""The locations of an organisation: branches and warehouses under one name. The first one is the primary.

https://www.zoho.com/books/api/v3/locations/
"""

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused
from zohosim.books.fields import Field, blanks, read, require, rows, text
from zohosim.books.lists import Listing
from zohosim.books.records import Row, shown
from zohosim.books.resources import Module, Visit
from zohosim.books.states import STATES

FIELDS = (
    Field("location_name", text(100)),
    Field("type", text(20)),
    Field("email", text(100)),
    Field("phone", text(50)),
    Field("tax_reg_no", text(15)),
    Field("parent_location_id", text(20)),
)
ADDRESS = ("attention", "street_address1", "street_address2", "city", "state", "state_code", "country", "postal_code")


def primary(location_id: str, name: str, address: Json, tax_reg_no: str) -> Row:
    """The location every organisation starts with."""
    return {
        **blanks(FIELDS), **COMMON, "location_id": location_id, "location_name": name, "is_primary_location": True,
        "address": address, "tax_reg_no": tax_reg_no,
    }  # fmt: skip


COMMON: Json = {
    "type": "general", "tax_settings_id": "", "is_primary_location": False,
    "autonumbergenerationgroup_id": "", "status": "active", "associated_series_ids": [],
}  # fmt: skip


def create(seen: Visit, body: Json) -> Row:
    """A further location. Its state and GSTIN decide what is within the state."""
    require(body, "location_name")
    return {**blanks(FIELDS), **COMMON, **read(body, FIELDS), "address": address_of(seen, body)}


def update(seen: Visit, row: Row, body: Json) -> Row:
    changed = {**row, **read(body, FIELDS)}
    return {**changed, "address": address_of(seen, body)} if "address" in body else changed


def address_of(seen: Visit, body: Json) -> Json:
    """The address given; without a state that of the organisation."""
    given = rows("address", [body.get("address") or {}])[0]
    state = str(given.get("state_code") or seen.organisation.seed.state_code)
    known = STATES.get(state)
    told: Json = {key: str(given.get(key, "")) for key in ADDRESS}
    return {**told, "state_code": state, "state": known.name if known else told["state"]}


def delete(_seen: Visit, row: Row) -> None:
    """The primary one stays; code and text are assumed."""
    if row["is_primary_location"]:
        raise BooksRefused(400, 1004, "The primary location cannot be deleted.")


def told(_seen: Visit, row: Row) -> Json:
    return {**shown(row), "is_location_active": row["status"] == "active"}


LOCATIONS = Module(
    name="locations", node="location", entity="Location", id_key="location_id",
    listing=Listing("locations", "Locations", ("location_name",)),
    create=create, update=update, delete=delete, detail=told, row=told,
    created="Location has been created", saved="Location has been updated",
    removed="Location has been deleted",
)  # fmt: skip
