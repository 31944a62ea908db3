"""The life of a credit note: open, void, draft again, mailed, applied to invoices.

https://www.zoho.com/books/api/v3/credit-notes/#credit-to-an-invoice
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer
from zohosim.books import movements, records, resources, settlements
from zohosim.books.answers import said, told
from zohosim.books.approvals import check_approved
from zohosim.books.credit_notes import (
    CREDIT_NOTES,
    available,
    cause,
    effect,
    invoices_credited,
    refresh,
)
from zohosim.books.documents import STATE
from zohosim.books.fields import body_of, missing
from zohosim.books.records import Row
from zohosim.books.refusals import unseen
from zohosim.books.resources import Visit
from zohosim.books.settlements import CREDIT
from zohosim.books.totals import ZERO
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator


def at_hand(sim: "Simulator", call: Call) -> tuple[Visit, Row]:
    seen = resources.visit(sim, call)
    return seen, resources.find_row(CREDIT_NOTES, seen)


def enter(seen: Visit, row: Row, state: str, message: str) -> Answer:
    """Bring a credit note into a state, with what that does to the stock."""
    before = effect(row)
    after = effect({**row, STATE: state})
    movements.check(seen, before, after)
    row[STATE] = state
    movements.book(seen, before, after, cause(row))
    return done(seen, row, message)


def done(seen: Visit, row: Row, message: str) -> Answer:
    refresh(row)
    records.changed(seen.sim, seen.organisation, "creditnotes", "updated", row)
    return said(message)


def mark_open(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    message = "Status of the credit note has been changed to open."
    if row[STATE] == "open":
        return said(message)
    if row[STATE] == "void":
        raise unseen("A void credit note becomes a draft first.")
    check_approved(seen, "creditnotes", row)
    return enter(seen, row, "open", message)


def mark_void(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    if row[STATE] == "void" or settlements.used(seen.ledger, CREDIT, row["creditnote_id"]):
        raise unseen("A credit note that is void, applied or refunded cannot be marked as void.")
    return enter(seen, row, "void", "The credit note has been marked as void.")


def mark_draft(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    if row[STATE] != "void":
        raise unseen("Only a void credit note can be converted to draft.")
    return enter(seen, row, "draft", "The credit note has been marked as Draft.")


def mail(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    seen.organisation.preferences.check_mail(seen.organisation.seed.plan, seen.ledger.today().isoformat())
    return done(seen, row, "Your credit note has been sent.")


def apply(sim: "Simulator", call: Call) -> Answer:
    """To one or more invoices of the same customer, all or none."""
    seen, row = at_hand(sim, call)
    given = body_of(call).get("invoices")
    if not given:
        raise missing("invoices")
    wanted = settlements.read_wanted(given)
    settlements.check_balances(seen.ledger, wanted, row["customer_id"])
    if any(seen.ledger.tables["invoices"][invoice_id][STATE] != "sent" for invoice_id in wanted):
        raise unseen("Credits can be applied to an invoice that was sent.")
    if sum(wanted.values(), ZERO) > available(row):
        raise unseen("The amount applied is more than the balance of the credit note.")
    settlements.apply(seen.ledger, CREDIT, row, wanted)
    return done(seen, row, "Credits have been applied to the invoice(s).")


def list_applied(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    return told(invoices_credited=invoices_credited(seen, row))


def release(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    one = seen.ledger.find(settlements.TABLE, call.path_params["application_id"])
    if one is None or one.get(CREDIT) != row["creditnote_id"]:
        raise records.no_such(sim, "Application")
    settlements.release(seen.ledger, [one])
    return done(seen, row, "Credits applied to an invoice have been deleted.")
