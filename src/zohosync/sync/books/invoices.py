"""books.invoice.push: orders that are due as invoices of Books, each exactly once.

customer → items → invoice (draft) → read back and compare → sent → payment. Each step is remembered.

https://www.zoho.com/books/api/v3/invoices/
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from zohosync.db.pool import Connection
from zohosync.errors import LeaseLost, NotReady, RecordInvalid, ZohosyncError
from zohosync.gst.assess import assess
from zohosync.gst.dates import business_date
from zohosync.gst.invoice_number import check_number
from zohosync.gst.sale import Assessment, Problem
from zohosync.gst.sale import Held as HeldSale
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Cause, Operation, Outcome, Report
from zohosync.store.documents import StoredDocument, find_documents, find_estrangements
from zohosync.store.findings import close_findings, report_finding, was_accepted
from zohosync.store.links import Link, find_links
from zohosync.store.operations import find_first_seen, is_open, was_asked_for
from zohosync.store.orders import ShopOrder, read_orders
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.holding import Held, Judged, finish
from zohosync.sync.books.invoice_decision import COD, Decision, Turn, decide_invoice, was_paid
from zohosync.sync.books.invoice_draft import as_invoice
from zohosync.sync.books.making import (
    Case,
    Kind,
    Matter,
    claim_of,
    ensure_document,
    find,
    find_begun,
    get_document,
    is_other,
    read_back,
    renew_draft,
    send,
)
from zohosync.sync.books.order_draft import draft_order
from zohosync.sync.books.payments import settle_invoice
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.sale import (
    check_complete,
    find_contradictions,
    find_doubts,
    find_unmapped,
    read_sale,
    rules_of,
    without_echoes,
)
from zohosync.sync.books.snapshot import find_changes, snapshot_of
from zohosync.sync.books.watch import judge_document
from zohosync.sync.desk import write_back

KIND = "books.invoice.push"
ENTITY = "order"
QUOTE_KIND = "books.estimate.push"
QUOTE_ENTITY = "approved_quote"
GONE = "order_deleted_after_invoicing"
SENT_AFTER_ALL = ("document_differs", "document_not_sent", "total_mismatch")
AS_INVOICED = ("order_changed_after_invoicing", "cancelled_after_invoicing")


@dataclass(frozen=True)
class Known:
    """What we know of an order and its invoice before anything is done."""

    order: ShopOrder
    document: StoredDocument | None
    link: Link | None
    estranged: frozenset[str]
    estimate: StoredDocument | None
    estimate_open: bool
    asked: bool
    first_seen_at: datetime | None
    policies: Policies


def invoice_kind(policies: Policies) -> Kind:
    """Books' calls for invoices; by policy Books mails them, which marks them as sent."""
    own_number = policies.invoice_number == "order_number"
    return Kind(
        module="invoices",
        entity=ENTITY,
        word="invoice",
        create=lambda books, payload, unique: books.create_invoice(payload, unique=unique, own_number=own_number),
        find=lambda books, reference: books.find_invoices(reference),
        read=lambda books, zoho_id: books.invoice(zoho_id),
        update=lambda books, zoho_id, payload: books.update_invoice(zoho_id, payload),
        send=lambda books, zoho_id: (
            books.email_invoice(zoho_id) if policies.mail_invoice else books.mark_invoice_sent(zoho_id)
        ),
    )


async def push_invoices(desk: BooksDesk, batch: Batch) -> None:
    """Bring orders to Books, one after the other: a document takes several calls, each of its own."""
    for operation in batch.operations:
        await _push(desk, batch, operation)


async def _push(desk: BooksDesk, batch: Batch, operation: Operation) -> None:
    known = await _read(desk, operation)
    if known is None:
        await _end_gone(desk, batch, operation)
        return
    order, judged = known.order, Judged(known.order.hold_digest, known.policies.digest)
    batch.note_record(operation, digest=order.digest, label=order.order_number)
    try:
        await _bring(desk, batch, operation, known, judged)
    except LeaseLost:
        raise
    except ZohosyncError as error:
        await finish(batch, operation, batch.judge(error, operation), judged, error)


async def _end_gone(desk: BooksDesk, batch: Batch, operation: Operation) -> None:
    """The shop no longer has the order. What becomes of an invoice that stands is for a person to decide."""
    record_id = operation.record_id
    async with desk.pool.connection() as connection, connection.transaction():
        found = await find_documents(connection, entity=ENTITY, module="invoices", record_ids=[record_id])
        error = await _report_gone(connection, found[record_id]) if record_id in found else None
    if error is None:
        await finish(batch, operation, Report(operation.operation_id, Outcome.SKIPPED, action="gone"), None)
    else:
        await finish(batch, operation, batch.judge(error, operation), None, error)


async def _report_gone(connection: Connection, stored: StoredDocument) -> RecordInvalid | None:
    """None when a person accepted it before."""
    message = f"The shop has deleted {stored.reference}, and its invoice {stored.number or stored.zoho_id} stands."
    opened = await report_finding(
        connection,
        code=GONE,
        entity=ENTITY,
        record_id=stored.record_id,
        module="invoices",
        label=stored.reference,
        message=message,
        detail={"number": stored.number, "zoho_id": stored.zoho_id},
    )
    if opened is None:
        return None
    return RecordInvalid(
        message, hint="Decide what becomes of it under Findings: accept it, or let the invoice go.", code=GONE
    )


async def _bring(desk: BooksDesk, batch: Batch, operation: Operation, known: Known, judged: Judged) -> None:
    """Decide and act; a report that a person accepted before is no end: what else there is to do is done."""
    accepted: set[str] = set()
    document = known.document
    while True:
        decision = _decide(operation, known, accepted)
        if decision.turn is Turn.SKIP:
            break
        case = Case(
            desk, batch, operation, known.order, known.policies, await desk.office(), desk.books_for(batch), judged
        )
        document = await _take_turn(case, known, decision)
        if decision.turn is not Turn.REPORT:
            break
        accepted.add(decision.action)
    made = decision.turn in (Turn.MAKE, Turn.GO_ON) or (decision.turn is Turn.LOOK and document is not None)
    await _end(batch, operation, known, judged, document, "create" if made else decision.action, accepted)


def _decide(operation: Operation, known: Known, accepted: Collection[str]) -> Decision:
    return decide_invoice(
        known.order,
        known.document,
        known.policies,
        asked=known.asked,
        asked_now=operation.cause is Cause.MANUAL,
        begun=known.link is not None and known.link.state != "linked",
        accepted=accepted,
    )


async def _take_turn(case: Case, known: Known, decision: Decision) -> StoredDocument | None:
    kind = invoice_kind(case.policies)
    if decision.turn is Turn.LOOK and not await _was_begun(case, kind, known):
        return None
    if decision.turn in (Turn.MAKE, Turn.GO_ON, Turn.LOOK):
        document = await _make(case, kind, known)
        if decision.turn is Turn.GO_ON and decision.action:
            await _report_change(case, kind, document, decision)
        return document
    assert known.document is not None
    if decision.turn is Turn.REPORT:
        await _report_change(case, kind, known.document, decision)
    else:
        await _check(case, kind, known.document)
    return known.document


async def _check(case: Case, kind: Kind, stored: StoredDocument) -> None:
    """A person wants to know whether the invoice still is as it was: what somebody did to it in Books is told."""
    document = await get_document(case, kind, stored)
    async with case.desk.pool.connection() as connection:
        accepted = await was_accepted(
            connection, entity=ENTITY, record_id=case.operation.record_id, codes=("document_differs",)
        )
    for found in () if accepted else judge_document(stored, document):
        if await find(case, kind, found.code, found.message, found.detail):
            raise RecordInvalid(
                found.message,
                hint="Decide what becomes of it under Findings: accept it, or correct it in Books.",
                code=found.code,
            )


async def _was_begun(case: Case, kind: Kind, known: Known) -> bool:
    """Whether an attempt, of an order that should have no invoice any more, left one in Books; the attempt is forgotten
    otherwise."""
    assert known.link is not None
    if await find_begun(case, kind, known.link, known.estranged) is not None:
        return True
    async with case.desk.pool.connection() as connection:
        await claim_of(case, kind.module, kind.entity).forget(connection)
    return False


async def _make(case: Case, kind: Kind, known: Known) -> StoredDocument:
    """From wherever it stands to the end. What is already sent is only paid."""
    stored = known.document
    if stored is not None and stored.reached("sent"):
        return await settle_invoice(case, stored, await get_document(case, kind, stored))
    check_complete(case.order)
    on = document_date(case, known)
    assessment = assess_order(case.order, case, on, also=_order_problems(case.order, case.policies))
    await_estimate(known)
    case.batch.warn(case.operation, *find_doubts(case.order, assessment))
    draft = await draft_order(case, assessment, on, known.estranged)
    if stored is None:
        payload = as_invoice(
            draft, case.order, case.policies, estimate_id=known.estimate.zoho_id if known.estimate else None
        )
        stored = await ensure_document(case, kind, draft, payload, link=known.link, estranged=known.estranged)
    if is_other(stored, draft):  # an earlier attempt made it, of what the order was then
        stored = await renew_draft(case, kind, stored, draft, as_invoice(draft, case.order, case.policies))
    stored, document = await read_back(case, kind, stored, draft)
    stored = await send(case, kind, stored, document)
    return await settle_invoice(case, stored, document) if was_paid(case.order) else stored


def assess_order(order: ShopOrder, case: Matter, on: date, *, also: tuple[Problem, ...] = ()) -> Assessment:
    """The order's tax; Held with everything a person has to correct, ``also`` included."""
    unmapped = (*find_unmapped(order, case.operation.entity), *find_contradictions(order, case.policies), *also)
    result = assess(read_sale(order, case.policies, on), rules_of(case.office, case.policies))
    problems = (*unmapped, *(without_echoes(order, result.problems) if isinstance(result, HeldSale) else ()))
    if problems:
        raise Held(problems)
    assert isinstance(result, Assessment)
    return result


def _order_problems(order: ShopOrder, policies: Policies) -> tuple[Problem, ...]:
    """What only an order must have: what was charged, which a payment is booked for; and where its number is to be the
    invoice's, one the law allows."""
    number = check_number(order.order_number) if policies.invoice_number == "order_number" else None
    nothing = Problem(
        "charged_missing",
        "",
        f"The shop does not say what {order.order_number} costs in all.",
        "Fill in its total in the shop.",
    )
    return tuple(problem for problem in (number, nothing if order.total is None else None) if problem)


def document_date(case: Matter, known: Known) -> date:
    """The business day of the invoice: that of the payment or dispatch it follows, as far as the shop tells; else the
    day we first saw it due. What was begun keeps its day."""
    if known.document is not None:
        return known.document.document_date
    told = known.order.overrides.get("document_date")
    if told:
        return date.fromisoformat(told)
    day, today = _day_told(case, known), business_date(case.desk.clock.now(), case.office.zone)
    placed = business_date(case.order.placed_at, case.office.zone) if case.order.placed_at else day
    if day > today or day < placed:
        number = case.order.order_number
        raise RecordInvalid(
            f"{number} was placed on {placed:%-d %B %Y}, and the shop says it was paid or dispatched on"
            f" {day:%-d %B %Y}, which cannot be.",
            hint=f"Correct it in the shop, or say the day: `zohosync override set order {number} document_date"
            " <YYYY-MM-DD> --reason <why>`.",
            code="document_date_implausible",
            field="document_date",
        )
    return day


def _day_told(case: Matter, known: Known) -> date:
    """The day of what makes the order due."""
    order, zone = case.order, case.office.zone
    when = case.policies.cod_invoice_when if order.payment_method == COD else case.policies.invoice_when
    by_dispatch = when == "dispatch"
    instant = (order.dispatched_at if by_dispatch else None) or order.paid_at
    if instant is None and order.before_golive:
        instant = order.placed_at
    if instant is not None:
        return business_date(instant, zone)
    return business_date(known.first_seen_at or case.desk.clock.now(), zone)


def await_estimate(known: Known) -> None:
    """The invoice refers to the estimate of its quote: it lets it go first, as long as it is on its way."""
    if known.estimate is None and known.estimate_open:
        raise NotReady("The estimate of its quote is made first.", wait_for="parent", hint="It continues by itself.")


async def _report_change(case: Case, kind: Kind, stored: StoredDocument, decision: Decision) -> None:
    """The order is no longer what was invoiced. A sent document is never edited by us: a person decides, and may have
    accepted it before."""
    number = stored.number or stored.zoho_id
    if decision.action == "cancelled_after_invoicing":
        code, message = decision.action, f"{case.order.order_number} was cancelled after invoice {number} was made."
        changes: list[str] = []
    else:
        code = "order_changed_after_invoicing"
        changes = [str(change) for change in find_changes(stored.source, snapshot_of(case.order))]
        message = f"{case.order.order_number} was changed after invoice {number} was made: {'; '.join(changes)}."
    detail = {"changes": changes, "number": stored.number, "zoho_id": stored.zoho_id}
    if await find(case, kind, code, message, detail):
        raise RecordInvalid(
            message,
            hint="Decide what becomes of it under Findings: accept it, or credit the invoice and make a new one.",
            code=code,
        )


async def _end(
    batch: Batch,
    operation: Operation,
    known: Known,
    judged: Judged,
    document: StoredDocument | None,
    action: str,
    accepted: Collection[str],
) -> None:
    """End well: the id stands in the shop, and what is well again is closed."""
    order = known.order
    made = action == "create" and document is not None

    async def write(connection: Connection, _held: set[int]) -> None:
        if document is None:
            return
        if order.zoho_books_id != document.zoho_id:
            await write_back(connection, entity=ENTITY, system="books", ids={order.record_id: document.zoho_id})
        await close_findings(
            connection,
            entity=ENTITY,
            record_id=order.record_id,
            codes=[*(SENT_AFTER_ALL if document.reached("sent") else ()), *(() if accepted else AS_INVOICED)],
            by="zohosync",
            resolution="well_again",
        )

    report = Report(
        operation.operation_id,
        Outcome.SUCCEEDED if made else Outcome.SKIPPED,
        zoho_module="invoices",
        zoho_id=document.zoho_id if document else None,
        action=action,
        label=order.order_number,
        digest=order.digest,
        request=_told(document) if made and document else None,
    )
    await finish(batch, operation, report, judged, None, write)


def _told(document: StoredDocument) -> dict[str, object]:
    """What the log shows of a finished invoice."""
    return {
        "number": document.number,
        "date": document.document_date.isoformat(),
        "total": str(document.books_total),
        "place_of_supply": document.place_of_supply,
        "cgst": str(document.books_cgst),
        "sgst": str(document.books_sgst),
        "igst": str(document.books_igst),
        "step": document.step,
    }


async def _read(desk: BooksDesk, operation: Operation) -> Known | None:
    async with desk.pool.connection() as connection:
        return await read_known(desk, connection, operation)


async def read_known(desk: BooksDesk, connection: Connection, operation: Operation) -> Known | None:
    """What is known of the order of an operation; None when it is no longer in the shop."""
    record_id = operation.record_id
    orders = await read_orders(connection, [record_id])
    order = orders.get(record_id)
    if order is None:
        return None
    documents = await find_documents(connection, entity=ENTITY, module="invoices", record_ids=[record_id])
    links = await find_links(connection, system="books", module="invoices", entity=ENTITY, record_ids=[record_id])
    estranged = await find_estrangements(connection, entity=ENTITY, module="invoices", record_ids=[record_id])
    estimates, estimate_open = {}, False
    if order.quote_id:
        estimates = await find_documents(
            connection, entity=QUOTE_ENTITY, module="estimates", record_ids=[order.quote_id]
        )
        estimate_open = await is_open(connection, kind=QUOTE_KIND, entity=QUOTE_ENTITY, record_id=order.quote_id)
    seen_at = await find_first_seen(connection, kind=KIND, entity=ENTITY, record_id=record_id)
    asked = operation.cause is Cause.MANUAL or await was_asked_for(
        connection, kind=KIND, entity=ENTITY, record_id=record_id
    )
    policies = await desk.policies(connection)
    return Known(
        order=order,
        document=documents.get(record_id),
        link=links.get(record_id),
        estranged=frozenset(estranged.get(record_id, ())),
        estimate=estimates.get(order.quote_id or ""),
        estimate_open=estimate_open,
        asked=asked,
        first_seen_at=seen_at,
        policies=policies,
    )
