"""The life of an invoice: sent, void, draft again, mailed, written off.

https://www.zoho.com/books/api/v3/invoices/#mark-an-invoice-as-sent
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer
from zohosim.books import movements, records, resources, settlements
from zohosim.books.answers import said
from zohosim.books.documents import STATE
from zohosim.books.invoices import INVOICES, cause, check_sending, effect, refresh
from zohosim.books.records import Row
from zohosim.books.refusals import unseen
from zohosim.books.resources import Visit
from zohosim.books.settlements import balance_of
from zohosim.books.totals import ZERO
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator


def at_hand(sim: "Simulator", call: Call) -> tuple[Visit, Row]:
    """The invoice of the path."""
    seen = resources.visit(sim, call)
    row = resources.find_row(INVOICES, seen)
    refresh(seen, row)
    return seen, row


def enter(seen: Visit, row: Row, state: str, message: str) -> Answer:
    """Bring an invoice into a state, with all that follows of it."""
    before = effect(row)
    row[STATE] = state
    movements.book(seen, before, effect(row), cause(row))
    return done(seen, row, message)


def done(seen: Visit, row: Row, message: str) -> Answer:
    refresh(seen, row)
    records.changed(seen.sim, seen.organisation, "invoices", "updated", row)
    answer = said(message)
    answer.touched.append(row["invoice_id"])
    return answer


def mark_sent(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    message = "Invoice status has been changed to Sent."
    if row[STATE] == "sent":
        if sim.switches["books_sent_twice"] == "refuse":
            raise unseen("The invoice has been sent already.")
        return said(message)
    check_open(row)
    check_sending(seen, row, mailed=False)
    return enter(seen, row, "sent", message)


def mail(sim: "Simulator", call: Call) -> Answer:
    """Mailing a draft also marks it as sent; no mail leaves the simulator."""
    seen, row = at_hand(sim, call)
    check_open(row)
    if row[STATE] != "sent":
        check_sending(seen, row, mailed=True)
    else:
        seen.organisation.preferences.check_mail(seen.organisation.seed.plan, seen.ledger.today().isoformat())
    return enter(seen, row, "sent", "Your invoice has been sent.")


def check_open(row: Row) -> None:
    if row[STATE] == "void":
        raise unseen("The invoice is void.")


def mark_void(sim: "Simulator", call: Call) -> Answer:
    """What is applied to it becomes the customer's credit again."""
    seen, row = at_hand(sim, call)
    check_open(row)
    if row[STATE] != "sent" and sim.switches["books_void_draft"] == "refuse":
        raise unseen("Only an invoice that was sent can be marked as void.")
    settlements.release(seen.ledger, settlements.of(seen.ledger, "invoice_id", row["invoice_id"]))
    row["write_off_amount"] = ZERO
    settlements.settle(seen.ledger, row["invoice_id"])
    return enter(seen, row, "void", "Invoice status has been changed to Void.")


def mark_draft(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    if row[STATE] != "void":
        raise unseen("Only a void invoice can be converted to draft.")
    return enter(seen, row, "draft", "Status of invoice changed from void to draft")


def write_off(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    if row[STATE] != "sent" or row["balance"] <= ZERO:
        raise unseen("Only the balance of a sent invoice can be written off.")
    row["write_off_amount"] = row["balance"]
    row["balance"] = balance_of(row)
    return done(seen, row, "Invoice has been written off.")


def cancel_write_off(sim: "Simulator", call: Call) -> Answer:
    seen, row = at_hand(sim, call)
    row["write_off_amount"] = ZERO
    row["balance"] = balance_of(row)
    return done(seen, row, "The write off done for this invoice has been cancelled.")
