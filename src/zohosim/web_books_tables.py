"""The tables of the web face of Books: which columns and buttons each has, and how values read there."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from zohosim.answers import Json
from zohosim.books.modules import MODULES

TITLES = {
    "contacts": "Customers", "items": "Items", "invoices": "Invoices", "estimates": "Quotes",
    "customerpayments": "Payments received", "creditnotes": "Credit notes",
    "inventoryadjustments": "Adjustments",
}  # fmt: skip
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "contacts": (("Name", "contact_name"), ("Company", "company_name"), ("Email", "email"), ("GSTIN", "gst_no"),
                 ("Treatment", "gst_treatment"), ("Status", "status")),
    "items": (("Name", "name"), ("SKU", "sku"), ("HSN/SAC", "hsn_or_sac"), ("Rate", "rate"),
              ("Stock on hand", "stock_on_hand"), ("Status", "status")),
    "invoices": (("Number", "invoice_number"), ("Date", "date"), ("Customer", "customer_name"),
                 ("Reference", "reference_number"), ("Total", "total"), ("Balance", "balance"), ("Status", "status")),
    "estimates": (("Number", "estimate_number"), ("Date", "date"), ("Customer", "customer_name"),
                  ("Expires", "expiry_date"), ("Total", "total"), ("Status", "status")),
    "customerpayments": (("Number", "payment_number"), ("Date", "date"), ("Customer", "customer_name"),
                         ("Mode", "payment_mode"), ("Reference", "reference_number"), ("Amount", "amount"),
                         ("Unused", "unused_amount")),
    "creditnotes": (("Number", "creditnote_number"), ("Date", "date"), ("Customer", "customer_name"),
                    ("Total", "total"), ("Balance", "balance"), ("Status", "status")),
    "inventoryadjustments": (("Reason", "reason"), ("Date", "date"), ("Reference", "reference_number"),
                             ("Status", "status")),
}  # fmt: skip
MONEY = {"total", "balance", "rate", "amount", "unused_amount"}
HEADINGS = {"invoices": "Tax Invoice", "estimates": "Quote", "creditnotes": "Credit Note"}
TREATMENTS = {
    "business_gst": "Registered business", "business_none": "Unregistered business", "consumer": "Consumer",
    "overseas": "Overseas", "business_sez": "SEZ", "business_registered_composition": "Composition scheme",
}  # fmt: skip
SPELT = {"id": "ID", "gst": "GST", "hsn": "HSN", "sac": "SAC", "sku": "SKU", "pan": "PAN", "url": "URL"}
ACTIONS: dict[str, dict[str, tuple[str, str, str]]] = {
    "invoices": {
        "sent": ("Mark as sent", "POST", "/invoices/{id}/status/sent"),
        "void": ("Void", "POST", "/invoices/{id}/status/void"),
        "draft": ("Convert to draft", "POST", "/invoices/{id}/status/draft"),
        "submit": ("Submit", "POST", "/invoices/{id}/submit"),
        "approve": ("Approve", "POST", "/invoices/{id}/approve"),
        "delete": ("Delete", "DELETE", "/invoices/{id}"),
    },
    "estimates": {
        "sent": ("Mark as sent", "POST", "/estimates/{id}/status/sent"),
        "accepted": ("Mark as accepted", "POST", "/estimates/{id}/status/accepted"),
        "declined": ("Mark as declined", "POST", "/estimates/{id}/status/declined"),
        "delete": ("Delete", "DELETE", "/estimates/{id}"),
    },
    "creditnotes": {
        "open": ("Open", "POST", "/creditnotes/{id}/status/open"),
        "void": ("Void", "POST", "/creditnotes/{id}/status/void"),
        "delete": ("Delete", "DELETE", "/creditnotes/{id}"),
    },
    "contacts": {
        "active": ("Mark as active", "POST", "/contacts/{id}/active"),
        "inactive": ("Mark as inactive", "POST", "/contacts/{id}/inactive"),
        "delete": ("Delete", "DELETE", "/contacts/{id}"),
    },
    "items": {
        "active": ("Mark as active", "POST", "/items/{id}/active"),
        "inactive": ("Mark as inactive", "POST", "/items/{id}/inactive"),
        "delete": ("Delete", "DELETE", "/items/{id}"),
    },
    "customerpayments": {"delete": ("Delete", "DELETE", "/customerpayments/{id}")},
    "inventoryadjustments": {"delete": ("Delete", "DELETE", "/inventoryadjustments/{id}")},
}
"""Buttons by table: what they say, and the call each makes."""
OFFERED = {
    ("invoices", "draft"): {"sent", "void", "submit", "delete"}, ("invoices", "void"): {"draft", "delete"},
    ("invoices", "pending_approval"): {"approve"}, ("invoices", "approved"): {"sent"},
    ("estimates", "draft"): {"sent", "delete"}, ("estimates", "sent"): {"accepted", "declined", "delete"},
    ("creditnotes", "draft"): {"open", "delete"},
    ("contacts", "active"): {"inactive", "delete"}, ("contacts", "inactive"): {"active", "delete"},
    ("items", "active"): {"inactive", "delete"}, ("items", "inactive"): {"active", "delete"},
}  # fmt: skip
"""Which of them make sense in a status; in others `void` and `delete`."""


def cards(table: str, details: Iterable[Json]) -> list[Json]:
    """Rows of a table: the cells of its columns."""
    id_key = MODULES[table].id_key
    return [
        {"id": one[id_key], "cells": [cell(key, one.get(key, "")) for _, key in COLUMNS[table]]} for one in details
    ]  # fmt: skip


def cell(key: str, value: Any) -> str:
    return money(value) if key in MONEY and value != "" else words(value)


def buttons(table: str, status: str) -> list[tuple[str, str]]:
    """Action and label of those that make sense now."""
    offered = OFFERED.get((table, status), {"void", "delete"})
    return [(name, label) for name, (label, _, _) in ACTIONS[table].items() if name in offered]


def plain(value: Any) -> bool:
    return value not in ("", None, [], {}) and not isinstance(value, dict | list)


def label(key: str) -> str:
    """`hsn_or_sac` as a person reads it."""
    spelt = [SPELT.get(word, word) for word in key.split("_")]
    return " ".join([spelt[0][:1].upper() + spelt[0][1:], *spelt[1:]])


def words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)


def money(value: Any) -> str:
    """`1,23,456.00`: two places, grouped as in India."""
    amount = Decimal(str(value or 0)).quantize(Decimal("0.01"))
    whole, _, paise = f"{abs(amount):f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
    return f"{'-' if amount < 0 else ''}{','.join([*pairs, tail])}.{paise}"
