"""books.estimate.push: approved quotes as estimates of Books, each exactly once.

customer → items → estimate (draft) → read back and compare → sent. The invoice of the quote's order refers to it.

https://www.zoho.com/books/api/v3/estimates/
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import LeaseLost, RecordInvalid, ZohosyncError
from zohosync.gst.dates import business_date
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Cause, Operation, Outcome, Report
from zohosync.store.documents import StoredDocument, find_documents, find_estrangements
from zohosync.store.findings import close_findings
from zohosync.store.links import Link, find_links
from zohosync.store.operations import find_first_seen, wake, was_asked_for
from zohosync.store.orders import ShopApproval, ShopOrder, read_approvals
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.holding import Judged, finish
from zohosync.sync.books.invoice_draft import DocumentDraft
from zohosync.sync.books.invoices import assess_order
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
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.sale import check_complete
from zohosync.sync.books.snapshot import Change, find_changes, snapshot_of
from zohosync.sync.desk import write_back

KIND = "books.estimate.push"
ENTITY = "approved_quote"
WELL_AGAIN = ("document_differs", "total_mismatch", "quote_changed_after_estimate", "approval_withdrawn")

BORROWED = frozenset({"ship_to", "bill_to"})

ESTIMATES = Kind(
    module="estimates",
    entity=ENTITY,
    word="estimate",
    create=lambda books, payload, unique: books.create_estimate(payload, unique=unique),
    find=lambda books, reference: books.find_estimates(reference),
    read=lambda books, zoho_id: books.estimate(zoho_id),
    update=lambda books, zoho_id, payload: books.update_estimate(zoho_id, payload),
    send=lambda books, zoho_id: books.mark_estimate_sent(zoho_id),
)


class Turn(Enum):
    """What comes next."""

    SKIP = "skip"  # nothing is to be done; the action says why
    MAKE = "make"  # there is no estimate yet, or it is not finished
    REPORT = "report"  # it is sent, and the quote is no longer what it says
    CHECK = "check"  # it is sent; a person wants to know whether it is still there


@dataclass(frozen=True, slots=True)
class Decision:
    """``action`` is a stable word for the log."""

    turn: Turn
    action: str = ""


@dataclass(frozen=True)
class Known:
    """What we know of a quote and its estimate before anything is done."""

    quote: ShopApproval
    document: StoredDocument | None
    link: Link | None
    estranged: frozenset[str]
    asked: bool
    first_seen_at: datetime | None
    policies: Policies


def decide_estimate(
    quote: ShopApproval, document: StoredDocument | None, *, asked: bool, asked_now: bool, begun: bool
) -> Decision:
    """Pure. ``asked``: a person pressed *Sync now* for it once, ``asked_now``: just now; ``begun``: a creation was
    claimed, so that an estimate may exist in Books."""
    if document is not None and document.reached("sent"):
        if find_quote_changes(document, quote.order):
            return Decision(Turn.REPORT, "quote_changed_after_estimate")
        if not quote.approved:
            return Decision(Turn.REPORT, "approval_withdrawn")
        return Decision(Turn.CHECK if asked_now else Turn.SKIP, "identical")
    if not quote.approved:
        return Decision(Turn.SKIP, "not_approved")
    if quote.order.before_golive and not (asked or begun or document):
        return Decision(Turn.SKIP, "before_golive")
    return Decision(Turn.MAKE)


def find_quote_changes(document: StoredDocument, quote: ShopOrder) -> tuple[Change, ...]:
    """What the quote says differently since its estimate was made. A quote has no addresses of its own: they are its
    customer's, and its order's once there is one."""
    changes = find_changes(document.source, snapshot_of(quote))
    return tuple(change for change in changes if change.field not in BORROWED)


async def push_estimates(desk: BooksDesk, batch: Batch) -> None:
    """Bring approved quotes to Books, one after the other."""
    for operation in batch.operations:
        await _push(desk, batch, operation)


async def _push(desk: BooksDesk, batch: Batch, operation: Operation) -> None:
    known = await _read(desk, operation)
    if known is None:
        await finish(batch, operation, Report(operation.operation_id, Outcome.SKIPPED, action="gone"), None)
        return
    order, judged = known.quote.order, Judged(known.quote.order.hold_digest, known.policies.digest)
    batch.note_record(operation, digest=order.digest, label=order.order_number)
    try:
        decision = decide_estimate(
            known.quote,
            known.document,
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
    if decision.turn is Turn.MAKE:
        return await _make(case, known)
    assert known.document is not None
    if decision.turn is Turn.REPORT:
        await _report_change(case, known.document, decision.action)
    else:
        await get_document(case, ESTIMATES, known.document)
    return known.document


async def _make(case: Case, known: Known) -> StoredDocument:
    """From wherever it stands to the end."""
    stored = known.document
    check_complete(case.order)
    on = stored.document_date if stored else document_date(case, known)
    assessment = assess_order(case.order, case, on)
    draft = await draft_order(case, assessment, on, known.estranged)
    if stored is None:
        stored = await ensure_document(
            case,
            ESTIMATES,
            draft,
            as_estimate(draft, _expiry(case, known, on)),
            link=known.link,
            estranged=known.estranged,
        )
    stored, document = await read_back(case, ESTIMATES, stored, draft)
    return await send(case, ESTIMATES, stored, document)


def as_estimate(draft: DocumentDraft, expires_on: date | None) -> dict[str, Any]:
    """The payload with what only estimates have."""
    return draft.payload | ({"expiry_date": expires_on.isoformat()} if expires_on else {})


def document_date(case: Matter, known: Known) -> date:
    """The business day we first saw it approved: the shop keeps no other."""
    told = case.order.overrides.get("document_date")
    if told:
        return date.fromisoformat(told)
    return business_date(known.first_seen_at or case.desk.clock.now(), case.office.zone)


def _expiry(case: Case, known: Known, on: date) -> date | None:
    last, warning = find_expiry(case, known, on)
    case.batch.warn(case.operation, *([warning] if warning else []))
    return last


def find_expiry(case: Matter, known: Known, on: date) -> tuple[date | None, str]:
    """The quote's last day; one before the estimate's own day is left out with a warning, because Books takes none."""
    if known.quote.valid_until is None:
        return None, ""
    last = business_date(known.quote.valid_until, case.office.zone)
    if last >= on:
        return last, ""
    return None, (
        f"The quote was valid until {last.isoformat()}, before it was approved, so the estimate has no expiry date."
        " Correct it in the shop."
    )


async def _report_change(case: Case, stored: StoredDocument, code: str) -> None:
    """The customer has the estimate: it is never edited by us. A person decides, and may have accepted it before."""
    number = stored.number or stored.zoho_id
    changes = [str(change) for change in find_quote_changes(stored, case.order)]
    if code == "approval_withdrawn":
        message = f"Quote {case.order.order_number} is no longer approved; estimate {number} was sent."
    else:
        message = f"Quote {case.order.order_number} was changed after estimate {number} was sent: {'; '.join(changes)}."
    detail = {"changes": changes, "number": stored.number, "zoho_id": stored.zoho_id}
    if await find(case, ESTIMATES, code, message, detail):
        raise RecordInvalid(
            message,
            hint="Decide what becomes of it under Findings: accept it, or decline the estimate in Books and have a new"
            " one made.",
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
    """End well: the id stands in the shop, and the invoice that waits for the estimate goes on."""
    order = known.quote.order
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
        if made:
            await wake(connection, "parent")

    report = Report(
        operation.operation_id,
        Outcome.SUCCEEDED if made else Outcome.SKIPPED,
        zoho_module=ESTIMATES.module if document else None,
        zoho_id=document.zoho_id if document else None,
        action=action,
        label=order.order_number,
        digest=order.digest,
        request=_told(document) if made and document else None,
    )
    await finish(batch, operation, report, judged, None, write)


def _told(document: StoredDocument) -> dict[str, object]:
    """What the log shows of a finished estimate."""
    return {
        "number": document.number,
        "date": document.document_date.isoformat(),
        "total": str(document.books_total),
        "place_of_supply": document.place_of_supply,
        "step": document.step,
    }


async def _read(desk: BooksDesk, operation: Operation) -> Known | None:
    async with desk.pool.connection() as connection:
        return await read_known(desk, connection, operation)


async def read_known(desk: BooksDesk, connection: Connection, operation: Operation) -> Known | None:
    """What is known of the quote of an operation; None when it is no longer in the shop."""
    record_id = operation.record_id
    quotes = await read_approvals(connection, [record_id])
    if record_id not in quotes:
        return None
    documents = await find_documents(connection, entity=ENTITY, module="estimates", record_ids=[record_id])
    links = await find_links(connection, system="books", module="estimates", entity=ENTITY, record_ids=[record_id])
    estranged = await find_estrangements(connection, entity=ENTITY, module="estimates", record_ids=[record_id])
    seen_at = await find_first_seen(connection, kind=KIND, entity=ENTITY, record_id=record_id)
    asked = operation.cause is Cause.MANUAL or await was_asked_for(
        connection, kind=KIND, entity=ENTITY, record_id=record_id
    )
    policies = await desk.policies(connection)
    return Known(
        quote=quotes[record_id],
        document=documents.get(record_id),
        link=links.get(record_id),
        estranged=frozenset(estranged.get(record_id, ())),
        asked=asked,
        first_seen_at=seen_at,
        policies=policies,
    )
