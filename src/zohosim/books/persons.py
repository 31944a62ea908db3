"""Contact persons: the people of a contact, one of them primary. Their own resource, and an array of the contact.

https://www.zoho.com/books/api/v3/contact-persons/
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import records, resources
from zohosim.books.answers import said
from zohosim.books.fields import Field, blanks, flag, invalid, read, require, rows, text
from zohosim.books.lists import Listing, chosen, page
from zohosim.books.records import Ledger, Row
from zohosim.books.resources import Module, Visit, visit
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

TABLE = "contact_persons"
FIELDS = (
    Field("salutation", text(25)),
    Field("first_name", text(100)),
    Field("last_name", text(100)),
    Field("email", text(100)),
    Field("phone", text(50)),
    Field("mobile", text(50)),
    Field("designation", text(100)),
    Field("department", text(50)),
    Field("skype", text(50)),
    Field("is_primary_contact", flag, blank=False),
    Field("enable_portal", flag, blank=False),
)
PROJECTED = ("first_name", "last_name", "email", "phone", "mobile")
"""What of the primary person stands at the top of the contact."""

IDS = "_person_ids"
FRESH = "_persons"
"""Where a contact's row keeps the array of a body until it is stored."""


def of(ledger: Ledger, contact: Row) -> list[Row]:
    """The people of a contact, in the order of their making."""
    return [ledger.tables[TABLE][person_id] for person_id in contact.get(IDS, ())]


def fill(seen: Visit, row: Row, body: Json) -> None:
    """Read the array of a body; without one, or with what stands at the top, as the switch says."""
    if "contact_persons" in body:
        row[FRESH] = [read_person(seen, row, given) for given in rows("contact_persons", body["contact_persons"])]
    elif seen.sim.switches["books_top_level_person"] and any(key in body for key in PROJECTED):
        known = next((p for p in of(seen.ledger, row) if p["is_primary_contact"]), {})
        given = {key: body[key] for key in PROJECTED if key in body}
        row[FRESH] = [{**blanks(FIELDS), **records.shown(known), **read(given, FIELDS), "is_primary_contact": True}]


def read_person(seen: Visit, row: Row, given: Json) -> Row:
    """One of the array: a new person, or one of the contact's, named by its id."""
    known: Row = {}
    if given.get("contact_person_id"):
        found = seen.ledger.find(TABLE, str(given["contact_person_id"]))
        if found is None or found["contact_id"] != row.get("contact_id"):
            raise invalid("contact_person_id")
        known = found
    return {**blanks(FIELDS), **known, **read(given, FIELDS)}


def store(seen: Visit, row: Row, _before: Row | None) -> None:
    """The people of a contact that is now stored. Whether those left out go is a switch."""
    fresh = row.pop(FRESH, None)
    if fresh is not None:
        kept = {person["contact_person_id"] for person in fresh if "contact_person_id" in person}
        if seen.sim.switches["books_omitted_persons"] == "removed":
            for person in of(seen.ledger, row):
                if person["contact_person_id"] not in kept:
                    drop(seen, row, person)
        for person in fresh:
            put(seen, row, person)
        named = [person for person in fresh if person["is_primary_contact"]]
        settle(seen, row, named[-1]["contact_person_id"] if named else "")
    row.update(projected(seen, row))


def put(seen: Visit, contact: Row, person: Row) -> None:
    person.setdefault("contact_person_id", seen.ledger.new_id())
    person["contact_id"] = contact["contact_id"]
    records.touch(seen.ledger, person)
    seen.ledger.tables[TABLE][person["contact_person_id"]] = person
    if person["contact_person_id"] not in contact.setdefault(IDS, []):
        contact[IDS].append(person["contact_person_id"])


def drop(seen: Visit, contact: Row, person: Row) -> None:
    contact[IDS].remove(person["contact_person_id"])
    del seen.ledger.tables[TABLE][person["contact_person_id"]]


def settle(seen: Visit, contact: Row, wanted: str) -> None:
    """Exactly one person is primary: the wanted one, else who was, else the first."""
    own = of(seen.ledger, contact)
    chosen_id = wanted or next((p["contact_person_id"] for p in own if p["is_primary_contact"]), "")
    chosen_id = chosen_id or (own[0]["contact_person_id"] if own else "")
    for person in own:
        person["is_primary_contact"] = person["contact_person_id"] == chosen_id


def projected(seen: Visit, contact: Row) -> Json:
    primary = next((p for p in of(seen.ledger, contact) if p["is_primary_contact"]), {})
    return {key: primary.get(key, "") for key in PROJECTED}


def forget(seen: Visit, contact: Row) -> None:
    for person in of(seen.ledger, contact):
        drop(seen, contact, person)


# As a resource of their own


def create(seen: Visit, body: Json) -> Row:
    require(body, "contact_id", "first_name")
    contact = records.get(seen.sim, seen.organisation, "contacts", str(body["contact_id"]), "Contact")
    return {**blanks(FIELDS), **read(body, FIELDS), "contact_id": contact["contact_id"]}


def update(_seen: Visit, row: Row, body: Json) -> Row:
    return {**row, **read(body, FIELDS)}


def stored(seen: Visit, row: Row, _before: Row | None) -> None:
    contact = seen.ledger.tables["contacts"][row["contact_id"]]
    put(seen, contact, row)
    project(seen, contact, row["contact_person_id"] if row["is_primary_contact"] else "")


def project(seen: Visit, contact: Row, wanted: str = "") -> None:
    """Bring the contact in step with its people."""
    settle(seen, contact, wanted)
    contact.update(projected(seen, contact))
    records.touch(seen.ledger, contact)


def delete(seen: Visit, row: Row) -> None:
    contact = seen.ledger.tables["contacts"][row["contact_id"]]
    contact[IDS].remove(row["contact_person_id"])
    project(seen, contact)


def make_primary(sim: "Simulator", call: Call) -> Answer:
    seen = visit(sim, call)
    person = resources.find_row(PERSONS, seen)
    project(seen, seen.ledger.tables["contacts"][person["contact_id"]], person["contact_person_id"])
    return said("This contact person has been marked as your primary contact person.")


def list_persons(sim: "Simulator", call: Call) -> Answer:
    """`GET /contacts/{id}/contactpersons`."""
    seen = visit(sim, call)
    contact = records.get(sim, seen.organisation, "contacts", call.path_params["contact_id"], "Contact")
    own = of(seen.ledger, contact)
    return page(call, PERSONS.listing, chosen(call, PERSONS.listing, own), records.shown)


PERSONS = Module(
    name=TABLE, node="contact_person", entity="Contact person", id_key="contact_person_id",
    listing=Listing(TABLE, "Contact Persons", ("created_time", "first_name", "last_name", "email")),
    create=create, update=update, stored=stored, delete=delete,
    created="The contact person has been created.", saved="The contact person details has been saved.",
    removed="The contact person has been deleted.",
)  # fmt: skip
