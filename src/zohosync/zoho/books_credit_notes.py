"""Credit notes of Books.

https://www.zoho.com/books/api/v3/credit-notes/
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from zohosync.zoho.books_documents import BooksDocuments
from zohosync.zoho.books_parse_documents import parse_document, parse_refund
from zohosync.zoho.books_records import Applied, Document, Refund, UniqueKey
from zohosync.zoho.books_requests import (
    CREDIT_NOTES,
    apply_request,
    create_request,
    get_request,
    refund_request,
    status_request,
)
from zohosync.zoho.requests import checked_id


class BooksCreditNotes(BooksDocuments):
    """An open one restocks the items on its lines."""

    async def create_credit_note(
        self,
        payload: Mapping[str, Any],
        *,
        invoice_id: str | None,
        unique: UniqueKey | None = None,
        own_number: bool = False,
    ) -> Document:
        """As ``create_invoice``; ``invoice_id`` is the invoice that is credited, which GST asks for. ``is_draft`` in
        the payload makes a draft, otherwise it is open."""
        credited = {} if invoice_id is None else {"invoice_id": checked_id(invoice_id)}
        request = create_request(CREDIT_NOTES, payload, unique=unique, own_number=own_number, params=credited)
        return parse_document(await self._create(CREDIT_NOTES, request, unique), CREDIT_NOTES.noun)

    async def credit_note(self, credit_note_id: str) -> Document | None:
        """One credit note with its lines; None when Books does not have it."""
        return await self._document(CREDIT_NOTES, credit_note_id)

    async def find_credit_notes(self, reference: str) -> tuple[Document, ...]:
        """The rows with exactly this reference."""
        return await self._found(CREDIT_NOTES, reference)

    async def update_credit_note(self, credit_note_id: str, payload: Mapping[str, Any]) -> Document:
        """Change it. Lines that are not sent are deleted; those to keep need their ``line_item_id``."""
        return await self._update(CREDIT_NOTES, credit_note_id, payload)

    async def mark_credit_note_open(self, credit_note_id: str) -> None:
        """From a draft or a void one."""
        await self.send(status_request(CREDIT_NOTES, credit_note_id, "open"))

    async def void_credit_note(self, credit_note_id: str) -> None:
        """Refused once it is applied or refunded."""
        await self.send(status_request(CREDIT_NOTES, credit_note_id, "void"))

    async def apply_credit_note(self, credit_note_id: str, applied: Sequence[Applied]) -> None:
        """Use it for invoices. Not safe to repeat: look at its balance first."""
        await self.send(apply_request(credit_note_id, applied))

    async def refund_credit_note(self, credit_note_id: str, payload: Mapping[str, Any]) -> Refund:
        """Pay back what is left of it. Not safe to repeat: look at ``credit_note_refunds`` first."""
        return parse_refund(await self._one(refund_request(CREDIT_NOTES, credit_note_id, payload), "creditnote_refund"))

    async def credit_note_refunds(self, credit_note_id: str) -> tuple[Refund, ...]:
        """What was paid back of it; none when Books does not have it."""
        request = get_request(CREDIT_NOTES, credit_note_id, "/refunds")
        rows = self._rows(request, "creditnote_refunds", "creditnote_refund_id")
        return tuple([parse_refund(row) async for row in rows])

    async def changed_credit_notes(self, since: datetime) -> AsyncIterator[Document]:
        """The rows changed at this instant or later. Books sorts credit notes by no time of change."""
        async for row in self._changed(CREDIT_NOTES, since, "created_time"):
            yield row
