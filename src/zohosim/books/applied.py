"""Applied: the money on an invoice as the invoice's own paths tell and change it.

https://www.zoho.com/books/api/v3/invoices/#list-invoice-payments
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import records, resources, settlements
from zohosim.books.answers import said, told
from zohosim.books.credit_notes import available
from zohosim.books.documents import STATE
from zohosim.books.fields import body_of
from zohosim.books.invoices import INVOICES, refresh
from zohosim.books.payments import left
from zohosim.books.records import Row
from zohosim.books.refusals import unseen
from zohosim.books.resources import Visit
from zohosim.books.settlements import CREDIT, PAYMENT
from zohosim.books.totals import ZERO
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

SOURCES = (
    ("invoice_payments", PAYMENT, "customerpayments", left),
    ("apply_creditnotes", CREDIT, "creditnotes", available),
)
"""Key of the body, key of an application, table, and what of a row there is left to apply."""


def at_hand(sim: "Simulator", call: Call) -> tuple[Visit, Row]:
    seen = resources.visit(sim, call)
    return seen, resources.find_row(INVOICES, seen)


def list_payments(sim: "Simulator", call: Call) -> Answer:
    seen, invoice = at_hand(sim, call)
    mine = settlements.of(seen.ledger, "invoice_id", invoice["invoice_id"])
    payments = seen.ledger.tables["customerpayments"]
    return told(payments=[_payment(one, payments[one[PAYMENT]]) for one in mine if one.get(PAYMENT)])


def _payment(one: Row, payment: Row) -> Json:
    return {
        "payment_id": payment["payment_id"], "payment_number": payment["payment_number"],
        "invoice_id": one["invoice_id"], "invoice_payment_id": one["id"], "payment_mode": payment["payment_mode"],
        "description": payment["description"], "date": payment["date"], "amount": one["amount"],
        "reference_number": payment["reference_number"], "exchange_rate": payment["exchange_rate"],
        "tax_amount_withheld": ZERO, "online_transaction_id": "",
    }  # fmt: skip


def list_credits(sim: "Simulator", call: Call) -> Answer:
    seen, invoice = at_hand(sim, call)
    mine = settlements.of(seen.ledger, "invoice_id", invoice["invoice_id"])
    notes = seen.ledger.tables["creditnotes"]
    return told(credits=[_credit(one, notes[one[CREDIT]]) for one in mine if one.get(CREDIT)])


def _credit(one: Row, note: Row) -> Json:
    return {
        "creditnote_id": note["creditnote_id"], "creditnotes_invoice_id": one["id"],
        "creditnotes_number": note["creditnote_number"], "credited_date": one["date"],
        "amount_applied": one["amount"],
    }  # fmt: skip


def apply_credits(sim: "Simulator", call: Call) -> Answer:
    """Excess payments and credit notes of the customer, as many as the body names, all or none."""
    seen, invoice = at_hand(sim, call)
    body, total, parts = body_of(call), ZERO, []
    for key, id_key, table, left_of in SOURCES:
        for row_id, part in settlements.read_wanted(body.get(key) or [], id_key).items():
            row = records.get(sim, seen.organisation, table, row_id, "Credit")
            if part > left_of(row) or row["customer_id"] != invoice["customer_id"]:
                raise unseen("The amount applied is more than the balance of the credit.")
            parts.append((id_key, row, part))
            total += part
    if invoice[STATE] != "sent":
        raise unseen("Credits can be applied to an invoice that was sent.")
    settlements.check_balances(seen.ledger, {invoice["invoice_id"]: total}, invoice["customer_id"])
    for id_key, row, part in parts:
        settlements.apply(seen.ledger, id_key, row, {invoice["invoice_id"]: part})
    return done(seen, invoice, "Credits have been applied to the invoice(s).")


def done(seen: Visit, invoice: Row, message: str) -> Answer:
    refresh(seen, invoice)
    records.changed(seen.sim, seen.organisation, "invoices", "updated", invoice)
    return said(message)


def release_payment(sim: "Simulator", call: Call) -> Answer:
    """The payment stays, as excess."""
    return _release(sim, call, PAYMENT, "invoice_payment_id", "The payment has been deleted.")


def release_credit(sim: "Simulator", call: Call) -> Answer:
    return _release(
        sim, call, CREDIT, "creditnotes_invoice_id", "Credits applied to an invoice have been deleted."
    )  # fmt: skip


def _release(sim: "Simulator", call: Call, id_key: str, parameter: str, message: str) -> Answer:
    seen, invoice = at_hand(sim, call)
    one = seen.ledger.find(settlements.TABLE, call.path_params[parameter])
    if one is None or one["invoice_id"] != invoice["invoice_id"] or not one.get(id_key):
        raise records.no_such(sim, "Application")
    settlements.release(seen.ledger, [one])
    return done(seen, invoice, message)
