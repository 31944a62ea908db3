"""Documents: what invoices, estimates and credit notes have in common, from their head to their total.

https://www.zoho.com/books/api/v3/invoices/
"""

from dataclasses import dataclass
from decimal import Decimal

from zohosim.answers import Json
from zohosim.books import lines, totals
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
from zohosim.books.totals import HUNDRED, ZERO

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
UNTAXED_SHIPPING: Json = {
    "shipping_charge_tax_id": "", "shipping_charge_tax_name": "", "shipping_charge_tax_type": "",
    "shipping_charge_tax_percentage": "", "shipping_charge_tax": "",
}  # fmt: skip


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
    contact = customer(seen, said.get("customer_id") or (old or {}).get("customer_id", ""))
    row: Row = {**{field.key: field.blank for field in kind.all_fields}, **(old or opening(seen, contact)), **said}
    row |= surroundings(seen, row, contact)
    supply = supply_of(seen, row)
    kept = old["line_items"] if old else []
    given = body.get("line_items", [{"line_item_id": line["line_item_id"]} for line in kept])
    return {**row, **summed(seen, row, lines.read_lines(seen, given, supply, kept), supply)}


def customer(seen: Visit, contact_id: str) -> Row:
    """The active contact a document is for."""
    found = seen.ledger.find("contacts", contact_id)
    if found is None:
        raise invalid("customer_id")
    if found.get("status") == "inactive":
        raise hindered("inactive_contact", name=found["contact_name"])
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


def surroundings(seen: Visit, row: Row, contact: Row) -> Row:
    """What is looked up for a document: its customer's name and addresses, currency, place of supply."""
    seed, overseas = seen.organisation.seed, row["gst_treatment"] == "overseas"
    place = row["place_of_supply"] or ("" if overseas or not seed.gst else seed.state_code)
    return {
        "customer_name": contact["contact_name"],
        "email": contact.get("email", ""),
        "contact_category": row["gst_treatment"],
        "tax_treatment": row["gst_treatment"],
        "place_of_supply": place,
        "currency_id": str(seen.organisation.prefix + 64),
        "currency_code": seed.currency_code,
        "currency_symbol": "₹" if seed.country_code == "IN" else seed.currency_code,
        "price_precision": 2,
        "billing_address": address(contact, row["billing_address_id"], "billing_address"),
        "shipping_address": address(contact, row["shipping_address_id"], "shipping_address"),
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


def rounding(seen: Visit) -> totals.Rounding:
    switches = seen.sim.switches
    steps = {
        "nearest_whole": Decimal(1),
        "nearest_increment": Decimal(switches["books_rounding_increment_paise"]) / HUNDRED,
    }
    return totals.Rounding(
        switches["books_tax_rounding"],
        switches["books_group_rounding"],
        switches["books_inclusive_extraction"],
        steps.get(switches["books_transaction_rounding"], totals.CENT),
    )


def summed(seen: Visit, row: Row, rows: list[Row], supply: Supply) -> Row:
    """The lines with their amounts, and everything that adds up to the total."""
    item_level = row["discount_type"] == "item_level"
    shipping_tax = None
    if row["shipping_charge_tax_id"]:
        supply.tax_of({"tax_id": row["shipping_charge_tax_id"]}, None)
        shipping_tax = lines.tax_named(seen, row["shipping_charge_tax_id"])
    charges = tuple(lines.charge(seen, line, item_level) for line in rows)
    bill = totals.Bill(
        charges,
        row["is_inclusive_tax"],
        totals.NONE if item_level else lines.as_discount(seen, row["discount"]),
        row["is_discount_before_tax"],
        row["shipping_charge"],
        shipping_tax,
        row["adjustment"],
    )
    sums = totals.total(bill, rounding(seen))
    check_sums(bill, sums)
    told = [
        lines.with_amounts(seen, line, charge, part, bill.inclusive)
        for line, charge, part in zip(rows, charges, sums.lines, strict=True)
    ]
    return {"line_items": told, **amounts(seen, bill, sums, supply), **shipping(seen, row, sums.shipping)}


def check_sums(bill: totals.Bill, sums: totals.Totals) -> None:
    """No discount exceeds what it is taken from, and no document comes to less than nothing: both assumed."""
    charged = sum((line.amount for line in bill.lines), ZERO)
    if bill.discount.of(charged) > max(charged, ZERO) or any(line.rate >= 0 and line.amount < 0 for line in bill.lines):
        raise invalid("discount")
    if sums.total < ZERO:
        raise invalid("total")


def amounts(seen: Visit, bill: totals.Bill, sums: totals.Totals, supply: Supply) -> Row:
    switches = seen.sim.switches
    gross = sum((part.amount for part in sums.lines), ZERO)
    shown_gross = bill.inclusive and switches["books_inclusive_item_total"] == "gross"
    tax = sums.tax if switches["books_tax_total_with_shipping"] else sums.tax - sums.shipping.tax
    return {
        "sub_total": gross if shown_gross else sums.sub_total,
        "sub_total_inclusive_of_tax": gross if bill.inclusive else ZERO,
        "sub_total_exclusive_of_discount": sums.sub_total - sums.discount,
        "discount_total": sums.discount,
        "discount_amount": sums.discount,
        "discount_percent": bill.discount.percent,
        "discount_applied_on_amount": gross if bill.discount != totals.NONE else ZERO,
        "tax_total": tax,
        "taxes": [listed_tax(seen, tax) for tax in sums.taxes],
        "total_taxable_amount": sum((part.net for part in sums.lines if part.taxes), ZERO),
        "reverse_charge_tax_total": ZERO,
        "roundoff_value": sums.round_off,
        "transaction_rounding_type": switches["books_transaction_rounding"],
        "rounding_mode": "round_half_up",
        "bcy_rounding_mode": "round_half_up",
        "tax_rounding": switches["books_tax_rounding"],
        "tax_specification": supply.specification,
        "total": sums.total,
        "bcy_total": sums.total,
    }


def listed_tax(seen: Visit, tax: totals.TaxAmount) -> Json:
    """An entry of taxes[], which is seen with and without its id."""
    told = lines.tax_line(tax)
    return told if seen.sim.switches["books_taxes_with_id"] else {k: v for k, v in told.items() if k != "tax_id"}


def shipping(seen: Visit, row: Row, part: totals.Part) -> Row:
    """The keys of the shipping charge; without a tax they are blank, and all amounts alike."""
    found: Row = {
        **UNTAXED_SHIPPING,
        "shipping_charge_exclusive_of_tax": part.net,
        "shipping_charge_inclusive_of_tax": part.net + part.tax,
        "shipping_charge_taxes": [lines.tax_line(tax) for tax in part.taxes],
        "bcy_shipping_charge": part.net,
        "shipping_charge_tax_exemption_id": "",
        "shipping_charge_tax_exemption_code": "",
    }
    tax = next((t for t in seen.organisation.taxes if t["tax_id"] == row["shipping_charge_tax_id"]), None)
    if tax is None:
        return found
    return {
        **found,
        "shipping_charge_tax_id": tax["tax_id"], "shipping_charge_tax_name": tax["tax_name"],
        "shipping_charge_tax_type": tax["tax_type"], "shipping_charge_tax_percentage": tax["tax_percentage"],
        "shipping_charge_tax": part.tax,
    }  # fmt: skip
