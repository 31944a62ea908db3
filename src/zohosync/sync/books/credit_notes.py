"""books.credit_note.push: refunded orders as credit notes of their invoices, each exactly once.

credit note (draft) → read back and compare → open → applied to what the invoice still asks for → the rest paid back.

https://www.zoho.com/books/api/v3/credit-notes/
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import LeaseLost, NotReady, RecordInvalid, Refused, ZohosyncError
from zohosync.gst.dates import business_date
from zohosync.gst.money import rupees
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Cause, Operation, Outcome, Report
from zohosync.store.documents import StoredDocument, find_documents, find_estrangements
from zohosync.store.findings import close_findings
from zohosync.store.links import Link, find_links
from zohosync.store.operations import find_first_seen, is_open, was_asked_for
from zohosync.store.orders import ShopOrder, read_hold_digests, read_orders
from zohosync.sync.books.claims import Claim
from zohosync.sync.books.credit_draft import decide_credit, draft_credit, goods_came_back
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.holding import Judged, finish
from zohosync.sync.books.making import (
    Case,
    Kind,
    Matter,
    claim_of,
    ensure_document,
    find,
    get_document,
    keep,
    read_back,
    reference_of,
    send,
)
from zohosync.sync.books.policies import Policies
from zohosync.zoho.books_records import Applied, Document

KIND = "books.credit_note.push"
ENTITY = "refund"
INVOICE_KIND = "books.invoice.push"
INVOICE_ENTITY = "order"
REFUNDS = "creditnote_refunds"
WELL_AGAIN = ("document_differs", "total_mismatch", "refund_changed_after_credit", "refund_already_paid")


class Turn(Enum):
    """What comes next."""

    SKIP = "skip"  # nothing is to be done; the action says why
    WAIT = "wait"  # the invoice is on its way
    MAKE = "make"  # there is no credit note yet, or it is not finished
    REPORT = "report"  # it is finished, and the refund is no longer what it says
    CHECK = "check"  # it is finished; a person wants to know whether it is still there


@dataclass(frozen=True, slots=True)
class Decision:
    """``action`` is a stable word for the log."""

    turn: Turn
    action: str = ""


@dataclass(frozen=True)
class Known:
    """What we know of a refund before anything is done."""

    order: ShopOrder
    invoice: StoredDocument | None
    invoice_open: bool
    asked: bool
    document: StoredDocument | None
    link: Link | None
    estranged: frozenset[str]
    first_seen_at: datetime | None
    policies: Policies
    judged: Judged


def credit_note_kind(invoice_id: str) -> Kind:
    """Books' calls for credit notes of one invoice; to be sent is to be open."""
    return Kind(
        module="creditnotes",
        entity=ENTITY,
        word="credit note",
        create=lambda books, payload, unique: books.create_credit_note(payload, invoice_id=invoice_id, unique=unique),
        find=lambda books, reference: books.find_credit_notes(reference),
        read=lambda books, zoho_id: books.credit_note(zoho_id),
        update=lambda books, zoho_id, payload: books.update_credit_note(zoho_id, payload),
        send=lambda books, zoho_id: books.mark_credit_note_open(zoho_id),
    )


def decide_refund(
    order: ShopOrder,
    invoice: StoredDocument | None,
    document: StoredDocument | None,
    *,
    invoice_open: bool,
    asked_now: bool,
    asked: bool = False,
) -> Decision:
    """Pure. What was never invoiced is never credited; what is about to be invoiced is waited for.

    ``asked``: a person wants a credit note, as for an order that was cancelled after it was invoiced.
    """
    if document is not None and document.reached("sent") and not _as_credited(order, document):
        return Decision(Turn.REPORT, "refund_changed_after_credit")
    if document is not None and document.reached("settled"):
        return Decision(Turn.CHECK if asked_now else Turn.SKIP, "identical")
    if not order.refunded and not (order.cancelled and asked):
        return Decision(Turn.SKIP, "not_refunded")
    if invoice is None:
        return Decision(Turn.WAIT) if invoice_open else Decision(Turn.SKIP, "never_invoiced")
    if invoice_open and not invoice.reached("settled"):
        return Decision(Turn.WAIT)
    return Decision(Turn.MAKE)


async def push_credit_notes(desk: BooksDesk, batch: Batch) -> None:
    """Bring refunds to Books, one after the other."""
    for operation in batch.operations:
        await _push(desk, batch, operation)


async def _push(desk: BooksDesk, batch: Batch, operation: Operation) -> None:
    known = await _read(desk, operation)
    if known is None:
        await finish(batch, operation, Report(operation.operation_id, Outcome.SKIPPED, action="gone"), None)
        return
    order, judged = known.order, known.judged
    batch.note_record(operation, digest=order.digest, label=order.order_number)
    try:
        decision = decide_refund(
            order,
            known.invoice,
            known.document,
            invoice_open=known.invoice_open,
            asked_now=operation.cause is Cause.MANUAL,
            asked=known.asked,
        )
        if decision.turn is Turn.SKIP:
            await _end(batch, operation, known, known.document, decision.action)
            return
        if decision.turn is Turn.WAIT:
            raise NotReady("Its invoice is made first.", wait_for="parent", hint="It continues by itself.")
        case = Case(desk, batch, operation, order, known.policies, await desk.office(), desk.books_for(batch), judged)
        await _take_turn(case, known, decision)
    except LeaseLost:
        raise
    except ZohosyncError as error:
        await finish(batch, operation, batch.judge(error, operation), judged, error)


async def _take_turn(case: Case, known: Known, decision: Decision) -> None:
    assert known.invoice is not None
    kind = credit_note_kind(known.invoice.zoho_id)
    if decision.turn is Turn.MAKE:
        document = await _make(case, kind, known, known.invoice)
        await _end(case.batch, case.operation, known, document, "create" if document else "invoice_void")
        return
    assert known.document is not None
    if decision.turn is Turn.REPORT:
        await _report_change(case, kind, known.document)
    else:
        await get_document(case, kind, known.document)
    await _end(case.batch, case.operation, known, known.document, decision.action)


async def _make(case: Case, kind: Kind, known: Known, invoiced: StoredDocument) -> StoredDocument | None:
    """From wherever it stands to the end; None when the invoice is void or gone, and there is nothing to credit."""
    invoice = await case.books.invoice(invoiced.zoho_id)
    if invoice is None or invoice.status == "void":
        return None
    if not invoiced.reached("sent") or invoice.status == "draft":
        raise RecordInvalid(
            f"Invoice {invoiced.number} of the refunded {case.order.order_number} was never sent.",
            hint="Delete the draft in Books instead of crediting it, then press Sync now.",
            code="invoice_not_sent",
        )
    stored = known.document
    if stored is None or not stored.reached("sent"):
        stored = await _issue(case, kind, known, invoiced, invoice)
    return await _settle(case, kind, stored, invoice)


async def _issue(case: Case, kind: Kind, known: Known, invoiced: StoredDocument, invoice: Document) -> StoredDocument:
    """The credit note, made and compared as a draft, then open."""
    stored = known.document
    credit = decide_credit(case.order, invoiced, invoice)
    draft = draft_credit(
        credit,
        invoiced,
        invoice,
        case.office,
        case.policies,
        restock=goods_came_back(case.order, credit, case.policies),
        reference=reference_of(case.order.order_number, known.estranged),
        on=stored.document_date if stored else document_date(case, known, invoiced),
    )
    if stored is None:
        stored = await ensure_document(case, kind, draft, draft.payload, link=known.link, estranged=known.estranged)
    stored = replace(stored, source={**stored.source, "refunded_amount": _told_amount(case.order)})
    stored, document = await read_back(case, kind, stored, draft)
    return await send(case, kind, stored, document)


def document_date(case: Matter, known: Known, invoiced: StoredDocument) -> date:
    """The business day of the refund as far as the shop tells, else that we first saw it; never before the invoice."""
    instant = case.order.refunded_at or known.first_seen_at or case.desk.clock.now()
    return max(business_date(instant, case.office.zone), invoiced.document_date)


async def _settle(case: Case, kind: Kind, stored: StoredDocument, invoice: Document) -> StoredDocument:
    """Use the credit for what the invoice still asks for, and pay back the rest.

    Both follow from balances that are read just before, so that nothing is used twice after a crash.
    """
    document = await get_document(case, kind, stored)
    applied = min(document.balance, invoice.balance)
    if applied > 0:
        await case.books.apply_credit_note(document.id, [Applied(invoice.id, applied)])
        case.batch.note_progress(case.operation)
    left = document.balance - max(applied, Decimal(0))
    if left > 0 and not case.order.refunded:  # cancelled: nobody says that money went back
        case.batch.warn(case.operation, f"₹{left:.2f} stay with the customer as credit, until the order is refunded.")
        return stored
    if left > 0 and not await _pay_back(case, kind, stored, left):
        return stored
    settled = replace(stored, step="settled", status="closed", settled_amount=document.total)
    await keep(case, settled)
    return settled


async def _pay_back(case: Case, kind: Kind, stored: StoredDocument, amount: Decimal) -> bool:
    """Record the money that went back to the customer; False when nobody said from which account."""
    account = refund_account(case)
    if account is None:
        case.batch.warn(
            case.operation,
            f"₹{amount:.2f} of the credit stay open, because nobody said which account refunds are paid from."
            " Choose it: `zohosync policy set refund_account_id <account id>`, then press Sync now.",
        )
        return False
    claim = claim_of(case, REFUNDS, ENTITY)
    await _check_first_time(case, kind, claim, stored, amount)
    if not await claim.take(stored.reference):
        raise NotReady("Somebody is recording this refund just now.", wait_for="parent", hint="It looks again soon.")
    try:
        refund = await case.books.refund_credit_note(stored.zoho_id, draft_refund(case, stored, amount, account))
    except Refused:
        await claim.release()
        raise
    async with case.desk.pool.connection() as connection:
        await claim.keep(connection, refund.id, {"reference": refund.reference})
    case.batch.note_progress(case.operation)
    return True


async def _check_first_time(case: Case, kind: Kind, claim: Claim, stored: StoredDocument, amount: Decimal) -> None:
    """Money that went back once, for this credit note or one that was let go, goes back again only when a person says
    so."""
    async with case.desk.pool.connection() as connection:
        link = await claim.find(connection)
        parted = await find_estrangements(connection, entity=ENTITY, module=REFUNDS, record_ids=[claim.record_id])
    recorded = link.zoho_id if link else None
    before = sorted({*parted.get(claim.record_id, ()), *([recorded] if recorded else ())})
    if not before:
        return
    message = (
        f"Money went back for {case.order.order_number} before, and ₹{amount:.2f} of credit note {stored.number} are"
        " open: it may go back twice."
    )
    detail = {"number": stored.number, "amount": f"{amount:.2f}", "refunds": before}
    if await find(case, kind, "refund_already_paid", message, detail):
        raise RecordInvalid(
            message,
            hint="Look at both in Books. Use the credit there and press Sync now, or have the refund recorded once more"
            " under Findings.",
            code="refund_already_paid",
        )
    if recorded:
        async with case.desk.pool.connection() as connection:
            await claim.forget(connection)


def draft_refund(case: Matter, stored: StoredDocument, amount: Decimal, account: str) -> dict[str, Any]:
    """The money paid back as it is sent."""
    return {
        "date": stored.document_date.isoformat(),
        "refund_mode": case.policies.mode_of(case.order.payment_method),
        "amount": rupees(amount),
        "from_account_id": account,
        "reference_number": stored.reference,
        "description": f"Order {case.order.order_number}",
    }


def refund_account(case: Matter) -> str | None:
    """Which account refunds are paid from; None when nobody said."""
    return case.policies.refund_account_id or case.policies.deposit_accounts.get(case.order.payment_method or "")


async def _report_change(case: Case, kind: Kind, stored: StoredDocument) -> None:
    """A person decides; a second part of a refund is a document of its own, made by hand."""
    then, now = stored.source.get("refunded_amount") or "all of it", _told_amount(case.order) or "all of it"
    said = f"{then} was credited, now it is {now}" if case.order.refunded else "the order is no longer refunded"
    message = f"The refund of {case.order.order_number} changed after credit note {stored.number} was made: {said}."
    detail = {"then": then, "now": now, "refunded": case.order.refunded, "number": stored.number}
    if await find(case, kind, "refund_changed_after_credit", message, detail):
        raise RecordInvalid(
            message,
            hint="Decide what becomes of it under Findings: accept it, or correct the credit note in Books.",
            code="refund_changed_after_credit",
        )


def _as_credited(order: ShopOrder, document: StoredDocument) -> bool:
    if order.cancelled and not order.refunded:  # a person asked for it; the money may follow
        return not document.source.get("refunded_amount")
    return order.refunded and document.source.get("refunded_amount", "") == _told_amount(order)


def _told_amount(order: ShopOrder) -> str:
    return "" if order.refunded_amount is None else f"{order.refunded_amount.normalize():f}"


async def _end(batch: Batch, operation: Operation, known: Known, document: StoredDocument | None, action: str) -> None:
    """End well, and close what was wrong."""
    order = known.order
    made = action == "create" and document is not None

    async def write(connection: Connection, _held: set[int]) -> None:
        await close_findings(
            connection,
            entity=ENTITY,
            record_id=order.record_id,
            codes=WELL_AGAIN,
            by="zohosync",
            resolution="well_again",
        )

    report = Report(
        operation.operation_id,
        Outcome.SUCCEEDED if made else Outcome.SKIPPED,
        zoho_module="creditnotes" if document else None,
        zoho_id=document.zoho_id if document else None,
        action=action,
        label=order.order_number,
        digest=order.digest,
        request=_told(document) if made and document else None,
    )
    await finish(batch, operation, report, known.judged, None, write)


def _told(document: StoredDocument) -> dict[str, object]:
    """What the log shows of a finished credit note."""
    return {
        "number": document.number,
        "date": document.document_date.isoformat(),
        "total": str(document.books_total),
        "settled": str(document.settled_amount),
        "step": document.step,
    }


async def _read(desk: BooksDesk, operation: Operation) -> Known | None:
    async with desk.pool.connection() as connection:
        return await read_known(desk, connection, operation)


async def read_known(desk: BooksDesk, connection: Connection, operation: Operation) -> Known | None:
    """What is known of the refund of an operation; None when its order is no longer in the shop."""
    record_id = operation.record_id
    orders = await read_orders(connection, [record_id])
    if record_id not in orders:
        return None
    invoices = await find_documents(connection, entity=INVOICE_ENTITY, module="invoices", record_ids=[record_id])
    documents = await find_documents(connection, entity=ENTITY, module="creditnotes", record_ids=[record_id])
    links = await find_links(connection, system="books", module="creditnotes", entity=ENTITY, record_ids=[record_id])
    estranged = await find_estrangements(connection, entity=ENTITY, module="creditnotes", record_ids=[record_id])
    digests = await read_hold_digests(connection, ENTITY, [record_id])
    invoice_open = await is_open(connection, kind=INVOICE_KIND, entity=INVOICE_ENTITY, record_id=record_id)
    seen_at = await find_first_seen(connection, kind=KIND, entity=ENTITY, record_id=record_id)
    asked = operation.cause is Cause.MANUAL or await was_asked_for(
        connection, kind=KIND, entity=ENTITY, record_id=record_id
    )
    policies = await desk.policies(connection)
    return Known(
        order=orders[record_id],
        invoice=invoices.get(record_id),
        invoice_open=invoice_open,
        asked=asked,
        document=documents.get(record_id),
        link=links.get(record_id),
        estranged=frozenset(estranged.get(record_id, ())),
        first_seen_at=seen_at,
        policies=policies,
        judged=Judged(digests.get(record_id, ""), policies.digest),
    )
