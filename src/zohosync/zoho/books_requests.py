"""The requests of Books, made without sending them: ``Books`` sends them, a preview shows them.

None names the organisation: the one that sends it does. https://www.zoho.com/books/api/v3/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zohosync.zoho import scopes
from zohosync.zoho.books_records import Applied, UniqueKey
from zohosync.zoho.protocol import Effect, Json, Request
from zohosync.zoho.requests import checked_id

ROOT = "/books/v3"
MOST_ITEMS = 100
"""Not documented for itemdetails; a hundred ids make an address of 2 kB."""


@dataclass(frozen=True)
class Collection:
    """Where records of one kind are. ``noun`` is the key of one record and begins its id's name, ``plural`` is the key
    of a list; ``area`` is what its scopes are called."""

    path: str
    noun: str
    plural: str
    area: str

    @property
    def id_name(self) -> str:
        return f"{self.noun}_id"

    def scope(self, operation: str) -> str:
        """The permission of CREATE, READ, UPDATE or DELETE."""
        return f"{self.area}.{operation}"


CONTACTS: Final = Collection("/contacts", "contact", "contacts", "ZohoBooks.contacts")
ITEMS: Final = Collection("/items", "item", "items", "ZohoBooks.settings")
INVOICES: Final = Collection("/invoices", "invoice", "invoices", "ZohoBooks.invoices")
ESTIMATES: Final = Collection("/estimates", "estimate", "estimates", "ZohoBooks.estimates")
CREDIT_NOTES: Final = Collection("/creditnotes", "creditnote", "creditnotes", "ZohoBooks.creditnotes")
PAYMENTS: Final = Collection("/customerpayments", "payment", "customerpayments", "ZohoBooks.customerpayments")
ADJUSTMENTS: Final = Collection(
    "/inventoryadjustments", "inventory_adjustment", "inventory_adjustments", scopes.ADJUSTMENTS
)
"""Books serves what Inventory documents. https://www.zoho.com/inventory/api/v1/inventoryadjustments/"""

TAXES: Final = Collection("/settings/taxes", "tax", "taxes", "ZohoBooks.settings")
EXEMPTIONS: Final = Collection("/settings/taxexemptions", "tax_exemption", "tax_exemptions", "ZohoBooks.settings")
CURRENCIES: Final = Collection("/settings/currencies", "currency", "currencies", "ZohoBooks.settings")
LOCATIONS: Final = Collection("/locations", "location", "locations", "ZohoBooks.settings")
ACCOUNTS: Final = Collection("/chartofaccounts", "account", "chartofaccounts", "ZohoBooks.accountants")


def list_request(collection: Collection, **filters: str) -> Request:
    """The first page of a list. Books ignores filters it does not know: what comes back has to be checked."""
    return Request(
        "GET", f"{ROOT}{collection.path}", params=filters, product="books", scopes=(collection.scope("READ"),)
    )


def get_request(collection: Collection, record_id: str, tail: str = "") -> Request:
    """One record, or what hangs on it (``tail`` /refunds)."""
    return Request("GET", _path(collection, record_id, tail), product="books", scopes=(collection.scope("READ"),))


def item_details_request(ids: Sequence[str]) -> Request:
    """1 to 100 items in detail. One dead id makes Books refuse them all.

    https://www.zoho.com/books/api/v3/items/#bulk-fetch-item-details
    """
    if not 1 <= len(ids) <= MOST_ITEMS:
        raise ValueError(f"one call takes 1 to {MOST_ITEMS} items, not {len(ids)}")
    asked = ",".join(checked_id(item) for item in ids)
    return Request(
        "GET", f"{ROOT}/itemdetails", params={"item_ids": asked}, product="books", scopes=(ITEMS.scope("READ"),)
    )


def create_request(
    collection: Collection,
    payload: Mapping[str, Any],
    *,
    unique: UniqueKey | None = None,
    own_number: bool = False,
    send: bool = False,
    params: Mapping[str, str] | None = None,
) -> Request:
    """A new record; with ``unique``, the one that has this key already is updated instead.

    ``own_number`` makes Books take the number in the payload, ``send`` makes it mail the document. Not safe to repeat:
    a repetition finds no clash in most modules, and with a key it would overwrite what people changed meanwhile.

    https://www.zoho.com/books/api/v3/invoices/#create-an-invoice
    """
    asked = dict(params or {})
    if own_number:
        asked["ignore_auto_number_generation"] = "true"
    if send:
        asked["send"] = "true"
    path, body = f"{ROOT}{collection.path}", dict(payload)
    if unique is None:
        return _write("POST", path, body, "creates", (collection.scope("CREATE"),), asked)
    body["custom_fields"] = _with_key(body.get("custom_fields", ()), unique)
    needed = (collection.scope("CREATE"), collection.scope("UPDATE"))
    headers = {
        "X-Unique-Identifier-Key": _header(unique.api_name),
        "X-Unique-Identifier-Value": _header(unique.value),
        "X-Upsert": "true",
    }
    return _write("PUT", path, body, "creates", needed, asked, headers)


def update_request(collection: Collection, record_id: str, payload: Mapping[str, Any]) -> Request:
    """Change one record. Fields left out keep their value, but a list of lines replaces all lines."""
    needed = (collection.scope("UPDATE"),)
    return _write("PUT", _path(collection, record_id), dict(payload), "idempotent", needed)


def delete_request(collection: Collection, record_id: str) -> Request:
    """Delete one record; Books refuses it while anything depends on it."""
    return _write("DELETE", _path(collection, record_id), None, "idempotent", (collection.scope("DELETE"),))


def status_request(collection: Collection, record_id: str, status: str) -> Request:
    """Mark a document as sent, void, open, accepted …

    Documented with CREATE alone; UPDATE was seen to be asked for, too.
    https://www.zoho.com/books/api/v3/invoices/#mark-an-invoice-as-sent
    """
    needed = (collection.scope("CREATE"), collection.scope("UPDATE"))
    return _write("POST", _path(collection, record_id, f"/status/{status}"), None, "idempotent", needed)


def action_request(collection: Collection, record_id: str, action: str) -> Request:
    """Do ``action`` with a record: active, submit, approve."""
    needed = (collection.scope("CREATE"), collection.scope("UPDATE"))
    return _write("POST", _path(collection, record_id, f"/{action}"), None, "idempotent", needed)


def email_request(collection: Collection, record_id: str) -> Request:
    """Mail a document to its contact in Books' own words. Not safe to repeat: each call is a mail.

    https://www.zoho.com/books/api/v3/invoices/#email-an-invoice
    """
    return _write("POST", _path(collection, record_id, "/email"), {}, "creates", (collection.scope("CREATE"),))


def apply_request(credit_note_id: str, applied: Sequence[Applied]) -> Request:
    """Use a credit note for invoices. Not safe to repeat: it would be applied twice as long as there is credit.

    https://www.zoho.com/books/api/v3/credit-notes/#apply-credits-to-invoices
    """
    invoices = [{"invoice_id": checked_id(one.invoice_id), "amount_applied": one.amount} for one in applied]
    path = _path(CREDIT_NOTES, credit_note_id, "/invoices")
    # Documented with the scope of invoices in one place and of credit notes in another.
    needed = (CREDIT_NOTES.scope("CREATE"), INVOICES.scope("UPDATE"))
    return _write("POST", path, {"invoices": invoices}, "creates", needed)


def refund_request(collection: Collection, record_id: str, payload: Mapping[str, Any]) -> Request:
    """Pay back what a credit note or a payment still holds. Not safe to repeat.

    https://www.zoho.com/books/api/v3/credit-notes/#refund-credit-note
    """
    path = _path(collection, record_id, "/refunds")
    return _write("POST", path, dict(payload), "creates", (collection.scope("CREATE"),))


def _header(value: str) -> str:
    """Letters a header can carry, so that no value can become another header; ValueError for others."""
    if not (value and value.isascii() and value.isprintable()):
        raise ValueError(f"{value!r} cannot be a unique key")
    return value


def _path(collection: Collection, record_id: str, tail: str = "") -> str:
    return f"{ROOT}{collection.path}/{checked_id(record_id)}{tail}"


def _with_key(given: Sequence[Mapping[str, Any]], unique: UniqueKey) -> list[Json]:
    """In the body, too: whether the header alone stores the value is not documented."""
    others = [dict(entry) for entry in given if entry.get("api_name") != unique.api_name]
    return [*others, {"api_name": unique.api_name, "value": unique.value}]


def _write(
    method: str,
    path: str,
    body: Json | None,
    effect: Effect,
    needed: tuple[str, ...],
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    return Request(
        method,
        path,
        params=params or {},
        json=body,
        product="books",
        effect=effect,
        scopes=needed,
        own_headers=headers or {},
    )
