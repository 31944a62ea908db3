"""What people do to documents in Books: edited, voided or deleted ones become findings.

Books tells no one by itself, so they are looked for.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import ZohoFailure
from zohosync.store.documents import (
    DocumentLineSent,
    Module,
    StoredDocument,
    find_documents_by_zoho_ids,
    list_unchecked,
    list_watched_modules,
    mark_checked,
    read_watermark,
    set_watermark,
)
from zohosync.store.findings import close_findings, report_finding, was_accepted
from zohosync.store.links import find_link_owners
from zohosync.sync.books.desk import BooksDesk
from zohosync.zoho.books import Books
from zohosync.zoho.books_records import Document

OVERLAP = timedelta(minutes=2)
"""Books may show a change late, and tells whole seconds."""
UNSEEN_AFTER = timedelta(days=1)
WATCHED_DAYS = 400
"""Documents of the last financial year can still be corrected in the returns."""
MOST_AT_ONCE = 200
REGISTERED = ("business_gst", "business_sez", "business_registered")
MENDABLE = ("document_edited", "payment_gone")
"""What a later look may find well again."""
WORDS: Mapping[Module, str] = {"invoices": "Invoice", "estimates": "Estimate", "creditnotes": "Credit note"}


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong with one document."""

    code: str
    message: str
    detail: dict[str, Any]


def _identity(stored: StoredDocument) -> dict[str, Any]:
    """As whoever reads the document back tells it: what a person accepted there is accepted here."""
    return {"number": stored.number, "zoho_id": stored.zoho_id}


def judge_row(stored: StoredDocument, row: Document) -> Found | None:
    """One row of Books against what we know of the document. Pure.

    Statuses that only follow the money or the calendar are no finding; paying and ageing are what invoices are for.
    """
    if row.status == "void":
        return Found("document_voided", f"{_named(stored, row)} was voided in Books.", _identity(stored))
    if not stored.reached("sent"):
        return None  # still ours to finish; reading it back tells
    changes = _head_changes(stored, row)
    return _edited(stored, row, changes) if changes else _payment_gone(stored, row)


def judge_document(stored: StoredDocument, document: Document, gstin: str | None = None) -> tuple[Found, ...]:
    """One document of Books, read by itself, against what we know of it: as its row, and what only the document tells.
    Pure. ``gstin`` is the firm's whose contact it is made out to; None where nobody knows it."""
    found = judge_row(stored, document)
    if found is not None and found.code == "document_voided":
        return (found,)
    if not stored.reached("sent"):
        return ()
    changes = [*_head_changes(stored, document), *_party_changes(stored, document, gstin), *_lines(stored, document)]
    edited = [_edited(stored, document, changes)] if changes else []
    gone = _payment_gone(stored, document)
    return (*edited, *([gone] if gone else []))


def find_line_changes(lines: Sequence[DocumentLineSent], document: Document) -> tuple[str, ...]:
    """What Books' lines say differently from those that were sent, then and now. Pure."""
    if len(lines) != len(document.lines):
        return (f"lines: {len(lines)} → {len(document.lines)}",)
    return tuple(
        f"line {number} ({mine.sku or mine.name}) {what}: {then or 'nothing'} → {now or 'nothing'}"
        for number, (mine, theirs) in enumerate(zip(lines, document.lines, strict=True), start=1)
        for what, then, now in (
            ("item", mine.item_id, theirs.item_id),
            ("quantity", _plain(mine.quantity), _plain(theirs.quantity)),
            ("rate", _plain(mine.rate), _plain(theirs.rate)),
            ("HSN", mine.hsn, theirs.hsn or mine.hsn),
            ("tax", mine.tax_id, theirs.tax_id or mine.tax_id if mine.tax_id else ""),
        )
        if then != now
    )


def _head_changes(stored: StoredDocument, row: Document) -> list[str]:
    return [
        f"{what}: {then} → {now}"
        for what, then, now in (
            ("total", f"{stored.books_total or stored.shop_total:.2f}", f"{row.total:.2f}"),
            ("customer", stored.customer_id, row.customer_id or stored.customer_id),
            ("reference", stored.reference, row.reference),
            ("date", stored.document_date.isoformat(), row.date.isoformat() if row.date else ""),
        )
        if now and then != now
    ]


def _party_changes(stored: StoredDocument, document: Document, gstin: str | None) -> list[str]:
    """Where it is supplied to, and to whom, as tax sees it."""
    registered = (stored.gst_treatment or "").startswith(REGISTERED)
    expected = (gstin or document.gst_no) if registered else ""
    told = [
        ("place of supply", stored.place_of_supply, document.place_of_supply),
        ("GST treatment", stored.gst_treatment, document.gst_treatment),
    ]
    changes = [f"{what}: {then} → {now}" for what, then, now in told if then and now and then != now]
    if stored.gst_treatment and expected.upper() != document.gst_no.strip().upper():
        changes.append(f"GSTIN: {expected or 'nothing'} → {document.gst_no or 'nothing'}")
    return changes


def _lines(stored: StoredDocument, document: Document) -> tuple[str, ...]:
    return find_line_changes(stored.lines, document) if stored.lines and document.lines else ()


def _edited(stored: StoredDocument, row: Document, changes: list[str]) -> Found:
    message = f"{_named(stored, row)} was edited in Books: {'; '.join(changes)}."
    return Found("document_edited", message, {"changes": changes})


def _payment_gone(stored: StoredDocument, row: Document) -> Found | None:
    """An invoice that was paid asks for money again."""
    if stored.module != "invoices" or not stored.reached("settled") or row.balance <= 0:
        return None
    return Found(
        "payment_gone",
        f"{_named(stored, row)} was paid, and {row.balance:.2f} of it are asked for again: somebody deleted or changed"
        " its payment in Books.",
        {"number": stored.number, "balance": f"{row.balance:.2f}"},
    )


def _named(stored: StoredDocument, row: Document) -> str:
    return f"{WORDS[stored.module]} {row.number or stored.number or stored.zoho_id}"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}" if amount else "0"


async def watch_documents(desk: BooksDesk, connection: Connection) -> int:
    """Look at what changed in Books since the last look, and once a day at what nobody has seen since; how many
    findings. Nothing is asked while there are no documents."""
    modules = await list_watched_modules(connection)
    books = desk.books_to_look()
    found = 0
    for module in modules:
        try:
            found += await _sweep(connection, desk, books, module)
            found += await _look_for_deleted(connection, desk, books, module)
        except ZohoFailure:
            continue  # the connection tells its own troubles; the next look begins where this one did
    return found


async def _sweep(connection: Connection, desk: BooksDesk, books: Books, module: Module) -> int:
    now = desk.clock.now()
    since = await read_watermark(connection, module) or now - UNSEEN_AFTER
    found = 0
    rows: list[Document] = []
    async for row in _changed(books, module)(since - OVERLAP):
        rows.append(row)
    known = await find_documents_by_zoho_ids(connection, module=module, zoho_ids=[row.id for row in rows])
    for row in rows:
        stored = known.get(row.id)
        if stored is None:
            continue
        found += await _look_at(connection, books, stored, row)
    await set_watermark(connection, module, now)
    return found


async def _look_at(connection: Connection, books: Books, stored: StoredDocument, row: Document) -> int:
    """Judge a row; what changed since it was last seen is read by itself, once: a row tells no lines. It is marked at
    once, so that a sweep that is cut short goes on where it ended."""
    verdicts = await _judge(connection, books, stored, row)
    async with connection.transaction():
        opened = [await _tell(connection, stored, verdict) for verdict in verdicts]
        well = [code for code in MENDABLE if code not in {verdict.code for verdict in verdicts}]
        await close_findings(
            connection,
            entity=stored.entity,
            record_id=stored.record_id,
            codes=well,
            by="zohosync",
            resolution="well_again",
        )
        await mark_checked(
            connection, module=stored.module, zoho_id=row.id, status=row.status, modified_at=row.modified_at
        )
    return sum(opened)


async def _judge(connection: Connection, books: Books, stored: StoredDocument, row: Document) -> tuple[Found, ...]:
    found = judge_row(stored, row)
    same = found is None and row.modified_at == stored.books_modified_at
    if same or not stored.reached("sent") or (found is not None and found.code == "document_voided"):
        return (found,) if found else ()
    document = row if row.lines else await _read(books, stored.module, stored.zoho_id)
    if document is None:
        return (_deleted(stored),)
    accepted = await was_accepted(
        connection, entity=stored.entity, record_id=stored.record_id, codes=("document_differs",)
    )
    if accepted:  # its lines are known not to be what was sent
        return (found,) if found else ()
    owners = await find_link_owners(connection, system="books", module="contacts", zoho_ids=[document.customer_id])
    entity, record_id = owners.get(document.customer_id, ("", ""))
    return judge_document(stored, document, record_id if entity == "firm" else None)


def _deleted(stored: StoredDocument) -> Found:
    named = f"{WORDS[stored.module]} {stored.number or stored.zoho_id}"
    return Found("document_deleted", f"{named} was deleted in Books.", _identity(stored))


async def _look_for_deleted(connection: Connection, desk: BooksDesk, books: Books, module: Module) -> int:
    """A deleted document appears in no list of changes: what was not seen for a day is read by itself."""
    now = desk.clock.now()
    unseen = await list_unchecked(
        connection,
        module=module,
        before=now - UNSEEN_AFTER,
        since=(now - timedelta(days=WATCHED_DAYS)).date(),
        most=MOST_AT_ONCE,
    )
    if not unseen:
        return 0
    there = await _there(books, module, unseen)
    found = 0
    for stored in unseen:
        row = there.get(stored.zoho_id) or await _read(books, module, stored.zoho_id)
        if row is not None:
            found += await _look_at(connection, books, stored, row)
            continue
        async with connection.transaction():
            found += await _tell(connection, stored, _deleted(stored))
            await mark_checked(connection, module=module, zoho_id=stored.zoho_id)
    return found


async def _there(books: Books, module: Module, unseen: list[StoredDocument]) -> dict[str, Document]:
    """The documents Books lists for the days in question: 200 a call, instead of one."""
    if module != "invoices" or len(unseen) < 3:
        return {}
    first, last = min(d.document_date for d in unseen), max(d.document_date for d in unseen)
    return {row.id: row async for row in _between(books, first, last)}


def _between(books: Books, first: date, last: date) -> AsyncIterator[Document]:
    return books.invoices_between(first, last)


def _changed(books: Books, module: Module) -> Callable[[datetime], AsyncIterator[Document]]:
    return {
        "invoices": books.changed_invoices,
        "estimates": books.changed_estimates,
        "creditnotes": books.changed_credit_notes,
    }[module]


async def _read(books: Books, module: Module, zoho_id: str) -> Document | None:
    reading = {"invoices": books.invoice, "estimates": books.estimate, "creditnotes": books.credit_note}
    return await reading[module](zoho_id)


async def _tell(connection: Connection, stored: StoredDocument, found: Found) -> int:
    opened = await report_finding(
        connection,
        code=found.code,
        entity=stored.entity,
        record_id=stored.record_id,
        module=stored.module,
        label=stored.reference,
        message=found.message,
        detail=found.detail,
    )
    return 1 if opened is not None else 0
