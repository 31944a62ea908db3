"""Documents: what invoices, estimates and credit notes have in common, from their head to their lines.

https://www.zoho.com/books/api/v3/invoices/
"""

from dataclasses import dataclass
from decimal import Decimal

from zohosim.answers import Json
from zohosim.books import lines, sums
from zohosim.books.addresses import all_of
from zohosim.books.answers import BooksRefused
from zohosim.books.fields import (
    Field,
    amount,
    day,
    entity_id,
    flag,
    invalid,
    number,
    one_of,
    read,
    require,
    text,
)
from zohosim.books.preferences import hindered
from zohosim.books.records import Row
from zohosim.books.resources import Visit
from zohosim.books.states import STATES
from zohosim.books.supplies import TREATMENTS, Supply
from zohosim.books.totals import ZERO

STATE = "_state"
"""What was done with a document: draft, pending_approval, approved, sent, open, void … What its status says follows of
that, of the money applied to it, and of the day."""

HEAD = (
    Field("customer_id", entity_id),
    Field("reference_number", text(100)),
    Field("place_of_supply", one_of(*STATES)),
    Field("gst_treatment", one_of(*TREATMENTS)),
    Field("gst_no", text(15)),
    Field("is_reverse_charge_applied", flag, blank=False),
    Field("template_id", entity_id),
    Field("discount", lines.discount, blank=ZERO),
    Field("discount_type", one_of("entity_level", "item_level"), blank="entity_level"),
    Field("is_discount_before_tax", flag, blank=True),
    Field("is_inclusive_tax", flag, blank=False),
    Field("exchange_rate", amount, blank=Decimal(1)),
    Field("shipping_charge", amount, blank=ZERO),
    Field("shipping_charge_tax_id", entity_id),
    Field("shipping_charge_sac_code", text(100)),
    Field("adjustment", number, blank=ZERO),
    Field("adjustment_description", text(100)),
    Field("billing_address_id", entity_id),
    Field("shipping_address_id", entity_id),
    Field("salesperson_name", text(200)),
    Field("notes", text(5000)),
    Field("terms", text(10000)),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What sets one sort of document apart. ``series`` is what its own numbers start with."""

    module: str
    entity: str
    series: str
    number_key: str
    fields: tuple[Field, ...]
    date_label: str

    @property
    def all_fields(self) -> tuple[Field, ...]:
        return (
            *HEAD,
            Field("location_id", entity_id),
            Field("date", day, self.date_label),
            Field(self.number_key, text(100)),
            *self.fields,
        )


def drafted(seen: Visit, kind: Kind, body: Json, old: Row | None = None) -> Row:
    """The row a body makes of nothing, or of the old row; its number is not yet drawn."""
    if old is None:
        require(body, "customer_id", "line_items")
    said = read(body, kind.all_fields)
    if said.get("gst_treatment") and not seen.organisation.seed.gst:
        raise BooksRefused(400, 8, "Invalid Element gst_treatment")
    contact = customer_of(seen, said, old)
    row: Row = {**{field.key: field.blank for field in kind.all_fields}, **(old or opening(seen, contact)), **said}
    row |= {**surroundings(seen, row), **of_customer(row, contact, said, old)}
    supply = supply_of(seen, row)
    kept = old["line_items"] if old else []
    given = body.get("line_items", [{"line_item_id": line["line_item_id"]} for line in kept])
    return {**row, **sums.summed(seen, row, lines.read_lines(seen, given, supply, kept), supply)}


def customer(seen: Visit, contact_id: str) -> Row:
    """The active contact a document is for."""
    found = seen.ledger.find("contacts", contact_id)
    if found is None:
        raise invalid("customer_id")
    if found.get("status") == "inactive":
        raise hindered("inactive_contact", name=found["contact_name"])
    return found


def customer_of(seen: Visit, said: Row, old: Row | None) -> Row:
    """The customer a body names; the one a document has already may be inactive by now."""
    if old is not None and said.get("customer_id", old["customer_id"]) == old["customer_id"]:
        return seen.ledger.tables["contacts"][old["customer_id"]]
    return customer(seen, said["customer_id"])


def of_customer(row: Row, contact: Row, said: Row, old: Row | None) -> Row:
    """The customer's name and addresses. A document keeps the addresses it was made with, unless told otherwise."""
    found: Row = {"customer_name": contact["contact_name"], "email": contact.get("email", "")}
    for usual in ("billing_address", "shipping_address"):
        kept = old is not None and old["customer_id"] == row["customer_id"] and f"{usual}_id" not in said
        found[usual] = old[usual] if old and kept else address(contact, row[f"{usual}_id"], usual)
    return found


def opening(seen: Visit, contact: Row) -> Row:
    """What a new document takes from its customer unless it says otherwise."""
    return {
        "date": seen.ledger.today().isoformat(),
        "location_id": seen.organisation.primary_location,
        "gst_treatment": contact.get("gst_treatment", ""),
        "gst_no": contact.get("gst_no", ""),
        "place_of_supply": contact.get("place_of_contact") or "",
        "discount_type": "entity_level",
        "is_discount_before_tax": True,
        "exchange_rate": Decimal(1),
    }


def surroundings(seen: Visit, row: Row) -> Row:
    """What is looked up for a document: its place of supply, location and currency."""
    seed, overseas = seen.organisation.seed, row["gst_treatment"] == "overseas"
    place = row["place_of_supply"] or ("" if overseas or not seed.gst else seed.state_code)
    return {
        "contact_category": row["gst_treatment"],
        "tax_treatment": row["gst_treatment"],
        "place_of_supply": place,
        "currency_id": str(seen.organisation.prefix + 64),
        "currency_code": seed.currency_code,
        "currency_symbol": "₹" if seed.country_code == "IN" else seed.currency_code,
        "price_precision": 2,
        "branch_id": row["location_id"],
        "location_name": location(seen, row["location_id"])["location_name"],
        "is_pre_gst": False,
        "template_name": "Standard Template",
        "has_attachment": False,
        "is_viewed_by_client": False,
    }


def address(contact: Row, address_id: str, usual: str) -> Json:
    """The customer's address with that id, else the usual one."""
    if not address_id:
        return dict(contact[usual])
    for one in all_of(contact):
        if one.get("address_id") == address_id:
            return dict(one)
    raise invalid(f"{usual}_id")


def supply_of(seen: Visit, row: Row) -> Supply:
    return Supply(
        seen.organisation,
        row["place_of_supply"],
        row["gst_treatment"],
        home_state(seen, row["location_id"]),
        seen.sim.switches["books_item_default_tax"],
        row["is_reverse_charge_applied"],
    )


def location(seen: Visit, location_id: str) -> Row:
    found = seen.ledger.find("locations", location_id)
    if found is None:
        raise invalid("location_id")
    return found


def home_state(seen: Visit, location_id: str) -> str:
    """The state of the location a document is made at, else of the organisation."""
    address = location(seen, location_id)["address"]
    return address.get("state_code") or seen.organisation.seed.state_code
