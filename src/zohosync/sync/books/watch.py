"""What people do to documents in Books: edited, voided or deleted ones become findings.

Books tells no one by itself, so they are looked for.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import ZohoFailure
from zohosync.store.documents import (
    Module,
    StoredDocument,
    find_documents_by_zoho_ids,
    list_unchecked,
    list_watched_modules,
    mark_checked,
    read_watermark,
    set_watermark,
)
from zohosync.store.findings import report_finding
from zohosync.sync.books.desk import BooksDesk
from zohosync.zoho.books import Books
from zohosync.zoho.books_records import Document

OVERLAP = timedelta(minutes=2)
"""Books may show a change late, and tells whole seconds."""
UNSEEN_AFTER = timedelta(days=1)
WATCHED_DAYS = 400
"""Documents of the last financial year can still be corrected in the returns."""
MOST_AT_ONCE = 200
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
    named = f"{WORDS[stored.module]} {row.number or stored.number or stored.zoho_id}"
    if row.status == "void":
        return Found("document_voided", f"{named} was voided in Books.", _identity(stored))
    if not stored.reached("sent"):
        return None  # still ours to finish; reading it back tells
    changes = [
        f"{what}: {then} → {now}"
        for what, then, now in (
            ("total", f"{stored.books_total or stored.shop_total:.2f}", f"{row.total:.2f}"),
            ("customer", stored.customer_id, row.customer_id or stored.customer_id),
            ("reference", stored.reference, row.reference),
            ("date", stored.document_date.isoformat(), row.date.isoformat() if row.date else ""),
        )
        if now and then != now
    ]
    if not changes:
        return None
    return Found("document_edited", f"{named} was edited in Books: {'; '.join(changes)}.", {"changes": changes})


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
    async with connection.transaction():
        for row in rows:
            stored = known.get(row.id)
            if stored is None:
                continue
            found += await _tell(connection, stored, judge_row(stored, row))
            await mark_checked(
                connection, module=module, zoho_id=row.id, status=row.status, modified_at=row.modified_at
            )
        await set_watermark(connection, module, now)
    return found


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
        if row is None:
            named = f"{WORDS[module]} {stored.number or stored.zoho_id}"
            verdict: Found | None = Found(
                "document_deleted",
                f"{named} was deleted in Books.",
                _identity(stored),
            )
        else:
            verdict = judge_row(stored, row)
        async with connection.transaction():
            found += await _tell(connection, stored, verdict)
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


async def _tell(connection: Connection, stored: StoredDocument, found: Found | None) -> int:
    if found is None:
        return 0
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
