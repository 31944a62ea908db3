"""Contacts: customers and vendors, with the people and addresses that belong to them.

The display name is unique in the organisation, inactive contacts included. What stands at the top as first name, last
name, e-mail and phone is the primary contact person's. https://www.zoho.com/books/api/v3/contacts/
"""

from collections.abc import Iterable
from decimal import Decimal

from zohosim.answers import Json
from zohosim.books import addresses, customfields, persons
from zohosim.books.answers import BooksRefused
from zohosim.books.fields import (
    Field,
    amount,
    blanks,
    entity_id,
    flag,
    invalid,
    missing,
    one_of,
    read,
    require,
    text,
    whole,
)  # fmt: skip
from zohosim.books.lists import Listing, Test, everything, status_is
from zohosim.books.records import Row, shown
from zohosim.books.registration import check_registration
from zohosim.books.resources import Module, Visit
from zohosim.books.states import STATES

DOCUMENTED = ("business_gst", "business_none", "overseas", "consumer")
SEEN = (
    "business_sez", "business_registered_composition", "deemed_export", "tax_deductor", "sez_developer",
)  # fmt: skip
TREATMENTS = (*DOCUMENTED, *SEEN)
"""Documented ones, and those that programs which work send; a switch refuses the latter."""

FIELDS = (
    Field("contact_name", text(200)),
    Field("company_name", text(200)),
    Field("contact_type", one_of("customer", "vendor"), blank="customer"),
    Field("customer_sub_type", one_of("individual", "business"), blank="business"),
    Field("contact_number", text(200)),
    Field("payment_terms", whole, blank=0),
    Field("payment_terms_label", text(100)),
    Field("currency_id", entity_id),
    Field("notes", text(5000)),
    Field("website", text(200)),
    Field("credit_limit", amount),
    Field("language_code", text(10)),
    Field("pricebook_id", entity_id),
    Field("owner_id", entity_id),
    Field("is_portal_enabled", flag, blank=False),
    Field("is_taxable", flag, blank=True),
    Field("tax_id", entity_id),
    Field("tax_exemption_id", entity_id),
    Field("tax_exemption_code", text(100)),
    Field("is_tds_registered", flag, blank=False),
    Field("legal_name", text(200)),
    Field("trader_name", text(200)),
    Field("pan_no", text(10)),
)
GST = (
    Field("gst_no", text(15), "GSTIN"),
    Field("gst_treatment", one_of(*TREATMENTS)),
    Field("place_of_contact", one_of(*STATES)),
)
ZERO = Decimal(0)
FOLDED = "_folded_name"
USED_BY = ("invoices", "estimates", "creditnotes", "customerpayments")

LIST_KEYS = (
    "contact_id", "contact_name", "customer_name", "vendor_name", "company_name", "contact_type",
    "contact_type_formatted", "status", "customer_sub_type", "source", "is_linked_with_zohocrm", "payment_terms",
    "payment_terms_label", "payment_terms_id", "currency_id", "currency_code", "outstanding_receivable_amount",
    "outstanding_receivable_amount_bcy", "outstanding_payable_amount", "outstanding_payable_amount_bcy",
    "unused_credits_receivable_amount", "unused_credits_receivable_amount_bcy", "first_name", "last_name", "email",
    "phone", "mobile", "portal_status", "created_time", "last_modified_time", "tags", "ach_supported",
    "has_attachment", "pan_no", "website",
)  # fmt: skip


def create(seen: Visit, body: Json) -> Row:
    require(body, "contact_name")
    row: Row = {
        **blanks((*FIELDS, *(GST if seen.gst else ()))), **COMMON,
        "currency_id": str(seen.organisation.prefix + 64), "currency_code": seen.organisation.seed.currency_code,
        "billing_address": {}, "shipping_address": {}, "_addresses": [],
    }  # fmt: skip
    return filled(seen, row, body)


COMMON: Json = {
    "status": "active", "source": "api", "is_linked_with_zohocrm": False, "payment_terms_id": "",
    "portal_status": "disabled", "ach_supported": False, "has_attachment": False, "tags": [],
}  # fmt: skip


def update(seen: Visit, row: Row, body: Json) -> Row:
    if "contact_name" in body:
        require(body, "contact_name")
    return filled(seen, row, body)


def filled(seen: Visit, row: Row, body: Json) -> Row:
    """The row with what the body says, checked as a whole."""
    said = {**read(body, FIELDS), **read_gst(seen, body)}
    row = {**row, **said}
    row["contact_name"] = row["contact_name"].strip()
    if not row["contact_name"]:
        raise missing("contact_name")
    check_name(seen, row)
    check_registration(seen, row, said)
    addresses.fill(seen, row, body)
    persons.fill(seen, row, body)
    return row


def read_gst(seen: Visit, body: Json) -> Json:
    """The keys of GST; an organisation without GST does not know them."""
    if not seen.gst:
        for field in GST:
            if field.key in body:
                raise BooksRefused(400, 8, f"Invalid Element {field.key}")
    said = read(body, GST)
    if said.get("gst_treatment") in SEEN and not seen.sim.switches["books_more_gst_treatments"]:
        raise invalid("gst_treatment")
    return said


def check_name(seen: Visit, row: Row) -> None:
    """Two contacts must differ in more than case and blanks around the name."""
    row[FOLDED] = row["contact_name"].casefold()
    for other in seen.ledger.rows("contacts"):
        if other[FOLDED] == row[FOLDED] and other["contact_id"] != row.get("contact_id"):
            said = f'The {row["contact_type"]} "{row["contact_name"]}" already exists. Please specify a different name.'
            raise BooksRefused(400, 3062, said)


def delete(seen: Visit, row: Row) -> None:
    """Refused once there are transactions; code and text are assumed."""
    if any(one.get("customer_id") == row["contact_id"] for table in USED_BY for one in seen.ledger.rows(table)):
        raise BooksRefused(400, 3063, "This contact cannot be deleted as it has transactions. Mark it as inactive.")
    persons.forget(seen, row)


# Shapes


def detail(seen: Visit, row: Row) -> Json:
    own = persons.of(seen.ledger, row)
    gst: Json = {"tax_treatment": row["gst_treatment"]} if seen.gst else {}
    return {
        **shown(row), **names(row), **projection(seen, row), **gst, **owed(seen, row["contact_id"]),
        "contact_persons": [shown(person) for person in own],
        "primary_contact_id": next((p["contact_person_id"] for p in own if p["is_primary_contact"]), ""),
        "addresses": [dict(address) for address in row["_addresses"]],
    }  # fmt: skip


def listed(seen: Visit, row: Row) -> Json:
    """As a list tells it: no addresses, and whether there is GST is not settled."""
    whole_row = {**row, **names(row), **owed(seen, row["contact_id"])}
    told = {key: whole_row.get(key, "") for key in LIST_KEYS}
    told["custom_fields"] = customfields.array(seen.ledger.definitions.of("contacts"), row)
    if seen.gst and seen.sim.switches["books_contact_rows_have_gst"]:
        told |= {field.key: row[field.key] for field in GST}
    return told


def names(row: Row) -> Json:
    customer = row["contact_type"] == "customer"
    return {
        "customer_name": row["contact_name"] if customer else "",
        "vendor_name": "" if customer else row["contact_name"],
        "contact_type_formatted": row["contact_type"].capitalize(),
    }


def projection(_seen: Visit, row: Row) -> Json:
    return {key: row.get(key, "") for key in persons.PROJECTED}


def owed(seen: Visit, contact_id: str) -> Json:
    """What a contact owes and has in credit, from its documents; added up once for each call."""
    sums = seen.cache.get("owed")
    if sums is None:
        sums = seen.cache["owed"] = amounts_owed(seen)
    receivable, unused = sums.get(contact_id, (ZERO, ZERO))
    return {
        "outstanding_receivable_amount": receivable, "outstanding_receivable_amount_bcy": receivable,
        "outstanding_payable_amount": ZERO, "outstanding_payable_amount_bcy": ZERO,
        "unused_credits_receivable_amount": unused, "unused_credits_receivable_amount_bcy": unused,
    }  # fmt: skip


def amounts_owed(seen: Visit) -> dict[str, list[Decimal]]:
    sums: dict[str, list[Decimal]] = {}
    for table, place, key in (("invoices", 0, "balance"), ("customerpayments", 1, "unused_amount"),
                              ("creditnotes", 1, "balance")):  # fmt: skip
        for row in seen.ledger.rows(table):
            if row.get("status") not in ("draft", "void"):
                sums.setdefault(row["customer_id"], [ZERO, ZERO])[place] += row.get(key) or ZERO
    return sums


# The list


def candidates(seen: Visit) -> Iterable[Row]:
    """All contacts; with what they owe when the list filters or sorts by that."""
    asked = (seen.call.params.get("filter_by", ""), seen.call.params.get("sort_column", ""))
    rows = seen.ledger.rows("contacts")
    if not any(word in BY_DEBT for word in asked):
        return rows
    late = overdue(seen)
    return [{**row, **owed(seen, row["contact_id"]), "_overdue": row["contact_id"] in late} for row in rows]


BY_DEBT = (
    "Status.CreditLimitExceed", "Invoice.OverDue", "Invoice.Unpaid", "outstanding_receivable_amount",
)  # fmt: skip


def overdue(seen: Visit) -> set[str]:
    """Who has an invoice that is past its day."""
    today = seen.ledger.today().isoformat()
    return {
        str(one["customer_id"]) for one in seen.ledger.rows("invoices")
        if one.get("status") not in ("draft", "void", "paid") and (one.get("due_date") or today) < today
    }  # fmt: skip


def over_limit(row: Row) -> bool:
    return row["credit_limit"] != "" and bool(row["outstanding_receivable_amount"] > row["credit_limit"])


def nobody(_row: Row) -> bool:
    return False


FILTERS: dict[str, Test] = {
    "Status.All": everything,
    "Status.Active": status_is("active"),
    "Status.Inactive": status_is("inactive"),
    "Status.Duplicate": nobody,
    "Status.PortalEnabled": lambda row: row["is_portal_enabled"],
    "Status.PortalDisabled": lambda row: not row["is_portal_enabled"],
    "Status.CreditLimitExceed": over_limit,
    "Status.Crm": lambda row: row["is_linked_with_zohocrm"],
    "Invoice.OverDue": lambda row: row["_overdue"],
    "Invoice.Unpaid": lambda row: row["outstanding_receivable_amount"] > 0,
}

CONTACTS = Module(
    name="contacts", node="contact", entity="Contact", id_key="contact_id",
    listing=Listing(
        "contacts", "Contacts",
        ("contact_name", "first_name", "last_name", "email", "outstanding_receivable_amount", "created_time",
         "last_modified_time"),
        texts=("contact_name", "company_name", "first_name", "last_name", "address", "email", "phone"),
        ids=("zcrm_contact_id", "zcrm_account_id", "zcrm_vendor_id"),
        choices={"contact_type": ("customer", "vendor")},
        search=("contact_name", "notes", "gst_no"),
        filters=FILTERS,
        elsewhere={"address": addresses.texts},
    ),
    create=create, update=update, delete=delete, detail=detail, row=listed, source=candidates, stored=persons.store,
    created="The contact has been created", saved="Contact has been updated successfully",
    removed="The contact has been deleted.",
)  # fmt: skip
