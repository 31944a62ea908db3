"""Estimates, which people in India see as quotes: made like invoices, sent, accepted or declined, turned into invoices.

https://www.zoho.com/books/api/v3/estimates/
"""

from datetime import date
from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import documents, records, resources
from zohosim.books.answers import said
from zohosim.books.approvals import check_approved
from zohosim.books.documents import STATE, Kind
from zohosim.books.fields import Field, asked_flag, day, entity_id, flag, invalid, missing
from zohosim.books.invoices import INVOICES
from zohosim.books.lists import Listing, everything, status_is
from zohosim.books.numbers import number_of
from zohosim.books.records import Row, shown
from zohosim.books.refusals import unseen
from zohosim.books.resources import Module, Visit
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

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
CONVERTED = ("customer_id", "reference_number", "place_of_supply", "gst_treatment", "gst_no", "discount",
             "discount_type", "is_discount_before_tax", "is_inclusive_tax", "shipping_charge",
             "shipping_charge_tax_id", "adjustment", "adjustment_description", "notes", "terms")  # fmt: skip
CONVERTED_LINE = ("item_id", "name", "description", "unit", "rate", "quantity", "discount", "tax_id",
                  "tax_exemption_id", "hsn_or_sac", "product_type")  # fmt: skip
"""What an invoice made of an estimate takes over."""


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


# Its life


def mark_sent(sim: "Simulator", call: Call) -> Answer:
    return _mark(sim, call, "sent", ("draft", "approved"), "Estimate status has been changed to Sent")


def accept(sim: "Simulator", call: Call) -> Answer:
    return _mark(sim, call, "accepted", ("sent",), "Estimate status has been changed to Accepted.")


def decline(sim: "Simulator", call: Call) -> Answer:
    return _mark(sim, call, "declined", ("sent",), "Estimate status has been changed to Declined.")


def _mark(sim: "Simulator", call: Call, state: str, of: tuple[str, ...], message: str) -> Answer:
    """From one of these statuses; the same status again is a switch for `sent`, refused for the others."""
    seen = resources.visit(sim, call)
    row = resources.find_row(ESTIMATES, seen)
    refresh(seen, row)
    if state == row["status"] == "sent" and sim.switches["books_sent_twice"] == "accept":
        return said(message)
    if row["status"] not in of:
        raise unseen(f"An estimate in status {row['status']} cannot be marked as {state}.")
    if state == "sent":
        check_approved(seen, "estimates", row)
    row[STATE] = state
    if state in ("accepted", "declined"):
        row[f"{state}_date"] = seen.ledger.today().isoformat()
    return done(seen, row, message)


def mail(sim: "Simulator", call: Call) -> Answer:
    """Mailing a draft also marks it as sent; no mail leaves the simulator."""
    seen = resources.visit(sim, call)
    row = resources.find_row(ESTIMATES, seen)
    if row[STATE] in ("draft", "approved"):
        check_approved(seen, "estimates", row)
        row[STATE] = "sent"
    seen.organisation.preferences.check_mail(seen.organisation.seed.plan, seen.ledger.today().isoformat())
    return done(seen, row, "Your estimate has been sent.")


def done(seen: Visit, row: Row, message: str) -> Answer:
    refresh(seen, row)
    records.changed(seen.sim, seen.organisation, "estimates", "updated", row)
    return said(message)


def convert(sim: "Simulator", call: Call) -> Answer:
    """`POST /invoices/fromestimates?estimate_ids=`: documented nowhere, does not tell the invoice it makes, and makes
    another one each time it is asked."""
    seen = resources.visit(sim, call)
    wanted = [part for part in call.params.get("estimate_ids", "").split(",") if part]
    if not wanted:
        raise missing("estimate_ids")
    rows = [records.get(sim, seen.organisation, "estimates", row_id, "Estimate") for row_id in wanted]
    barred = [row["estimate_id"] for row in rows if row[STATE] in ("draft", "pending_approval")]
    if barred:
        return refused_conversion(sim, barred)
    for row in rows:
        resources.add(INVOICES, seen, as_invoice(row))
    return Answer({"code": 0, "data": {}})


def refused_conversion(sim: "Simulator", barred: list[str]) -> Answer:
    """In the open, or hidden in an answer that says all is well."""
    message = "Some of the quotes cannot be converted to Invoices"
    if sim.switches["books_conversion_refusal"] == "nested":
        return Answer({"code": 0, "data": {"code": 1002, "ids": barred, "message": message}})
    return Answer({"code": 1002, "message": message}, 400)


def as_invoice(row: Row) -> Json:
    lines = [
        {key: line[key] for key in CONVERTED_LINE if line.get(key) not in (None, "")} for line in row["line_items"]
    ]
    head = {key: row[key] for key in CONVERTED if row[key] not in (None, "")}
    return {**head, "line_items": lines, "invoiced_estimate_id": row["estimate_id"]}
