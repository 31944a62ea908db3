"""Estimates, which people in India see as quotes: made like invoices; what was sent expires.

https://www.zoho.com/books/api/v3/estimates/
"""

from datetime import date
from typing import TYPE_CHECKING

from zohosim.answers import Json
from zohosim.books import documents
from zohosim.books.approvals import check_approved
from zohosim.books.documents import STATE, Kind
from zohosim.books.fields import Field, asked_flag, day, entity_id, flag, invalid
from zohosim.books.lists import Listing, everything, status_is
from zohosim.books.numbers import number_of
from zohosim.books.records import Row, shown
from zohosim.books.resources import Module, Visit

if TYPE_CHECKING:
    pass

KIND = Kind(
    "estimates",
    "Estimate",
    "EST",
    "estimate_number",
    (
        Field("expiry_date", day, "Expiry Date"),
        Field("accept_retainer", flag, blank=False),
        Field("project_id", entity_id),
    ),
    "Estimate Date",
)


def create(seen: Visit, body: Json) -> Row:
    row = documents.drafted(seen, KIND, body)
    check_expiry(row)
    row |= {STATE: "draft", "invoice_ids": [], "accepted_date": "", "declined_date": ""}
    if asked_flag(seen.call, "send"):
        check_approved(seen, "estimates", row)
        seen.organisation.preferences.check_mail(seen.organisation.seed.plan, seen.ledger.today().isoformat())
        row[STATE] = "sent"
    row["estimate_number"] = number_of(seen, KIND, body, row, None)
    return row


def check_expiry(row: Row) -> None:
    if row["expiry_date"] and row["expiry_date"] < row["date"]:
        raise invalid("Expiry Date")


def update(seen: Visit, row: Row, body: Json) -> Row:
    after = documents.drafted(seen, KIND, body, row)
    check_expiry(after)
    after["estimate_number"] = number_of(seen, KIND, body, after, row)
    return after


def stored(seen: Visit, row: Row, _before: Row | None) -> None:
    refresh(seen, row)


def refresh(seen: Visit, row: Row) -> None:
    row["status"] = status_of(row, seen.ledger.today())


def status_of(row: Row, today: date) -> str:
    """One that was sent expires the day after its last."""
    gone = row["expiry_date"] and row["expiry_date"] < today.isoformat()
    return "expired" if gone and row[STATE] == "sent" else str(row[STATE])


def detail(seen: Visit, row: Row) -> Json:
    refresh(seen, row)
    return {**shown(row), "contact_persons": [], "estimate_url": f"https://books.example.com/{row['estimate_number']}"}


IN_LIST = (
    "estimate_id", "customer_name", "customer_id", "status", "estimate_number", "reference_number", "date",
    "currency_id", "currency_code", "total", "created_time", "last_modified_time", "accepted_date", "declined_date",
    "expiry_date", "has_attachment", "is_viewed_by_client", "location_id", "branch_id",
)  # fmt: skip


def in_list(_seen: Visit, row: Row) -> Json:
    return {key: row[key] for key in IN_LIST}


def of_today(seen: Visit) -> list[Row]:
    rows = list(seen.ledger.rows("estimates"))
    for row in rows:
        refresh(seen, row)
    return rows


ESTIMATES = Module(
    "estimates", "estimate", "Estimate", "estimate_id",
    Listing(
        key="estimates", report_name="Estimates",
        sort_columns=("created_time", "customer_name", "estimate_number", "date", "total", "last_modified_time"),
        sort_order="D",
        texts=("estimate_number", "reference_number", "customer_name", "item_name", "item_description"),
        numbers=("total",), days=("date", "expiry_date"), ids=("customer_id", "item_id"),
        choices={"status": ("draft", "sent", "invoiced", "accepted", "declined", "expired", "pending_approval",
                            "approved")},
        search=("estimate_number", "reference_number", "customer_name"),
        filters={
            "Status.All": everything,
            **{f"Status.{name.capitalize()}": status_is(name)
               for name in ("draft", "sent", "invoiced", "accepted", "declined", "expired")},
        },
        elsewhere={
            "item_id": lambda row: (line["item_id"] for line in row["line_items"]),
            "item_name": lambda row: (line["name"] for line in row["line_items"]),
            "item_description": lambda row: (line["description"] for line in row["line_items"]),
        },
    ),
    create, update,
    created="The estimate has been created", saved="The estimate has been updated.",
    removed="The estimate has been deleted.", detail=detail, row=in_list, stored=stored, source=of_today,
    hash_in_detail=True,
)  # fmt: skip
