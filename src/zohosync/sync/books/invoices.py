"""books.invoice.push: orders that are due as invoices of Books, each exactly once.

customer → items → invoice (draft) → read back and compare → sent → payment. Each step is remembered.

https://www.zoho.com/books/api/v3/invoices/
"""

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
from zohosync.store.findings import close_findings
from zohosync.store.links import Link, find_links
from zohosync.store.operations import find_first_seen, is_open, was_asked_for
from zohosync.store.orders import ShopOrder, read_orders
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.holding import Held, Judged, finish
from zohosync.sync.books.invoice_decision import Decision, Turn, decide_invoice
from zohosync.sync.books.invoice_draft import as_invoice
from zohosync.sync.books.making import (
    Case,
    Kind,
    Matter,
    ensure_document,
    find,
    get_document,
    read_back,
    send,
)
from zohosync.sync.books.order_draft import draft_order
from zohosync.sync.books.payments import settle_invoice
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.sale import check_complete, find_unmapped, read_sale, rules_of
from zohosync.sync.books.snapshot import find_changes, snapshot_of
from zohosync.sync.desk import write_back

KIND = "books.invoice.push"
ENTITY = "order"
QUOTE_KIND = "books.estimate.push"
QUOTE_ENTITY = "approved_quote"
WELL_AGAIN = (
    "document_differs",
    "document_not_sent",
    "total_mismatch",
    "order_changed_after_invoicing",
    "cancelled_after_invoicing",
)


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
        await batch.finish([Report(operation.operation_id, Outcome.SKIPPED, action="gone")])
        return
    order, judged = known.order, Judged(known.order.hold_digest, known.policies.digest)
    batch.note_record(operation, digest=order.digest, label=order.order_number)
    try:
        decision = decide_invoice(
            order,
            known.document,
            known.policies,
            asked=known.asked,
            asked_now=operation.cause is Cause.MANUAL,
            begun=known.link is not None and known.link.state != "linked",
        )
        if decision.turn is Turn.SKIP:
            await _end(batch, operation, known, judged, known.document, decision.action)
            return
        case = Case(desk, batch, operation, order, known.policies, await desk.office(), desk.books_for(batch), judged)
        document = await _take_turn(case, known, decision)
        await _end(batch, operation, known, judged, document, decision.action or "create")
    except LeaseLost:
        raise
    except ZohosyncError as error:
        await finish(batch, operation, batch.judge(error, operation), judged, error)


async def _take_turn(case: Case, known: Known, decision: Decision) -> StoredDocument:
    kind = invoice_kind(case.policies)
    if decision.turn is Turn.REPORT:
        assert known.document is not None
        await _report_change(case, kind, known.document, decision)
        return known.document
    if decision.turn is Turn.CHECK:
        assert known.document is not None
        await get_document(case, kind, known.document)
        return known.document
    return await _make(case, kind, known)


async def _make(case: Case, kind: Kind, known: Known) -> StoredDocument:
    """From wherever it stands to the end. What is already sent is only paid."""
    stored = known.document
    if stored is not None and stored.reached("sent"):
        return await settle_invoice(case, stored, await get_document(case, kind, stored))
    check_complete(case.order)
    on = document_date(case, known)
    assessment = assess_order(case.order, case, on, also=_number_problems(case.order, case.policies))
    await_estimate(known)
    draft = await draft_order(case, assessment, on, known.estranged)
    if stored is None:
        payload = as_invoice(
            draft, case.order, case.policies, estimate_id=known.estimate.zoho_id if known.estimate else None
        )
        stored = await ensure_document(case, kind, draft, payload, link=known.link, estranged=known.estranged)
    stored, document = await read_back(case, kind, stored, draft)
    stored = await send(case, kind, stored, document)
    return await settle_invoice(case, stored, document) if case.order.paid else stored


def assess_order(order: ShopOrder, case: Matter, on: date, *, also: tuple[Problem, ...] = ()) -> Assessment:
    """The order's tax; Held with everything a person has to correct, ``also`` included."""
    unmapped = (*find_unmapped(order), *also)
    result = assess(read_sale(order, case.policies, on), rules_of(case.office, case.policies))
    problems = (*unmapped, *(result.problems if isinstance(result, HeldSale) else ()))
    if problems:
        raise Held(problems)
    assert isinstance(result, Assessment)
    return result


def _number_problems(order: ShopOrder, policies: Policies) -> tuple[Problem, ...]:
    """Where the order's number is to be the invoice's, the law must allow it."""
    problem = check_number(order.order_number) if policies.invoice_number == "order_number" else None
    return (problem,) if problem else ()


def document_date(case: Matter, known: Known) -> date:
    """The business day of the invoice: that of the payment or dispatch it follows, as far as the shop tells; else the
    day we first saw it due. What was begun keeps its day."""
    if known.document is not None:
        return known.document.document_date
    told = known.order.overrides.get("document_date")
    if told:
        return date.fromisoformat(told)
    order, zone = case.order, case.office.zone
    by_dispatch = order.payment_method == "cod" or case.policies.invoice_when == "dispatch"
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
) -> None:
    """End well: the id stands in the shop, and what was wrong is closed."""
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
            codes=WELL_AGAIN,
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
