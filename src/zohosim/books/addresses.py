"""The addresses of a contact: one for bills, one for parcels, and further ones.

https://www.zoho.com/books/api/v3/contacts/#add-additional-address
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import records
from zohosim.books.answers import said
from zohosim.books.fields import Field, blanks, body_of, invalid, read, text
from zohosim.books.records import Row
from zohosim.books.resources import Visit, visit
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

FIELDS = (
    Field("attention", text(100)),
    Field("address", text(500)),
    Field("street2", text(255)),
    Field("city", text(100)),
    Field("state", text(100)),
    Field("state_code", text(100)),
    Field("zip", text(50)),
    Field("country", text(100)),
    Field("country_code", text(100)),
    Field("phone", text(50)),
    Field("fax", text(50)),
)
USUAL = ("billing_address", "shipping_address")


def fill(seen: Visit, row: Row, body: Json) -> None:
    """The two usual addresses: what a body says replaces the old one as a whole, and keeps its id."""
    for key in USUAL:
        given = body.get(key, None if row[key] else {})
        if given is None:
            continue
        if not isinstance(given, dict):
            raise invalid(key)
        row[key] = {"address_id": row[key].get("address_id") or seen.ledger.new_id(), **read_address(given)}


def read_address(given: Json) -> Json:
    return {**blanks(FIELDS), **read(given, FIELDS)}


def texts(row: Row) -> Iterator[str]:
    """What a search for an address looks at."""
    return (str(row[key].get(part, "")) for key in USUAL for part in ("address", "street2", "city", "zip"))


def contact_of(seen: Visit) -> Row:
    return records.get(seen.sim, seen.organisation, "contacts", seen.call.path_params["id"], "Contact")


def all_of(row: Row) -> list[Json]:
    return [*(row[key] for key in USUAL), *row["_addresses"]]


def list_addresses(sim: "Simulator", call: Call) -> Answer:
    return said("success", addresses=all_of(contact_of(visit(sim, call))))


def add_address(sim: "Simulator", call: Call) -> Answer:
    seen = visit(sim, call)
    row, given = contact_of(seen), read_address(body_of(call))
    address = {"address_id": seen.ledger.new_id(), **given}
    row["_addresses"].append(address)
    records.changed(sim, seen.organisation, "contacts", "updated", row)
    return said("The address has been added", 201, address_info=address)


def update_address(sim: "Simulator", call: Call) -> Answer:
    seen = visit(sim, call)
    row = contact_of(seen)
    address = find(seen, row)
    address.update(read_address({**address, **body_of(call)}))
    records.changed(sim, seen.organisation, "contacts", "updated", row)
    return said("The address has been updated", address_info=address)


def delete_address(sim: "Simulator", call: Call) -> Answer:
    """Of the further ones; the usual two are only ever replaced."""
    seen = visit(sim, call)
    row = contact_of(seen)
    address = find(seen, row)
    if address not in row["_addresses"]:
        raise invalid("address_id")
    row["_addresses"].remove(address)
    records.changed(sim, seen.organisation, "contacts", "updated", row)
    return said("The address has been deleted.")


def find(seen: Visit, row: Row) -> Json:
    wanted = seen.call.path_params["address_id"]
    found = next((address for address in all_of(row) if address["address_id"] == wanted), None)
    if found is None:
        raise records.no_such(seen.sim, "Address")
    return found
