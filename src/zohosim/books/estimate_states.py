"""The life of an estimate: sent, accepted or declined, mailed, turned into an invoice.

https://www.zoho.com/books/api/v3/estimates/#mark-an-estimate-as-sent
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import records, resources
from zohosim.books.answers import said
from zohosim.books.approvals import check_approved
from zohosim.books.documents import STATE
from zohosim.books.estimates import ESTIMATES, refresh
from zohosim.books.fields import missing
from zohosim.books.invoices import INVOICES
from zohosim.books.records import Row
from zohosim.books.refusals import unseen
from zohosim.books.resources import Visit
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

CONVERTED = ("customer_id", "reference_number", "place_of_supply", "gst_treatment", "gst_no", "discount",
             "discount_type", "is_discount_before_tax", "is_inclusive_tax", "shipping_charge",
             "shipping_charge_tax_id", "adjustment", "adjustment_description", "notes", "terms")  # fmt: skip
CONVERTED_LINE = ("item_id", "name", "description", "unit", "rate", "quantity", "discount", "tax_id",
                  "tax_exemption_id", "hsn_or_sac", "product_type")  # fmt: skip
"""What an invoice made of an estimate takes over."""


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
