"""Invoices of Books.

https://www.zoho.com/books/api/v3/invoices/
"""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import Any

from zohosync.zoho.books_documents import BooksDocuments
from zohosync.zoho.books_parse_documents import parse_document
from zohosync.zoho.books_records import Document, UniqueKey
from zohosync.zoho.books_requests import (
    INVOICES,
    action_request,
    create_request,
    delete_request,
    email_request,
    status_request,
)


class BooksInvoices(BooksDocuments):
    """A draft moves neither stock nor ledger; a sent invoice does both."""

    async def create_invoice(
        self,
        payload: Mapping[str, Any],
        *,
        unique: UniqueKey | None = None,
        own_number: bool = False,
        send: bool = False,
    ) -> Document:
        """A draft, or a sent and mailed one. With a key, OutcomeUnknown when the answer is of another record, and
        Refused with reason ``books_key_not_kept`` when the organisation has no such field."""
        request = create_request(INVOICES, payload, unique=unique, own_number=own_number, send=send)
        return parse_document(await self._create(INVOICES, request, unique), INVOICES.noun)

    async def invoice(self, invoice_id: str) -> Document | None:
        """One invoice with its lines; None when Books does not have it."""
        return await self._document(INVOICES, invoice_id)

    async def find_invoices(self, reference: str) -> tuple[Document, ...]:
        """The rows with exactly this reference, void ones too."""
        return await self._found(INVOICES, reference)

    async def find_invoices_by_number(self, number: str) -> tuple[Document, ...]:
        """The rows with exactly this number."""
        rows = self._listed(INVOICES, invoice_number=number)
        return tuple([row async for row in rows if row.number == number])

    async def update_invoice(self, invoice_id: str, payload: Mapping[str, Any]) -> Document:
        """Change it. Lines that are not sent are deleted; those to keep need their ``line_item_id``."""
        return await self._update(INVOICES, invoice_id, payload)

    async def mark_invoice_sent(self, invoice_id: str) -> None:
        """Nothing is mailed."""
        await self.send(status_request(INVOICES, invoice_id, "sent"))

    async def submit_invoice(self, invoice_id: str) -> None:
        """Ask for approval, where the organisation wants it."""
        await self.send(action_request(INVOICES, invoice_id, "submit"))

    async def approve_invoice(self, invoice_id: str) -> None:
        """Approve it, where the organisation wants it and the connected user may."""
        await self.send(action_request(INVOICES, invoice_id, "approve"))

    async def void_invoice(self, invoice_id: str) -> None:
        """Payments and credits come off it and become the customer's credit."""
        await self.send(status_request(INVOICES, invoice_id, "void"))

    async def delete_invoice(self, invoice_id: str) -> None:
        """Refused while payments or credits are applied."""
        await self.send(delete_request(INVOICES, invoice_id))

    async def email_invoice(self, invoice_id: str) -> None:
        """Mail it in Books' own words; Books allows few mails a day on small plans."""
        await self.send(email_request(INVOICES, invoice_id))

    async def changed_invoices(self, since: datetime) -> AsyncIterator[Document]:
        """The rows changed at this instant or later, newest first."""
        async for row in self._changed(INVOICES, since, "last_modified_time"):
            yield row

    async def invoices_between(self, first: date, last: date) -> AsyncIterator[Document]:
        """The rows dated from the first to the last day, both included, void ones too."""
        rows = self._listed(
            INVOICES,
            date_start=first.isoformat(),
            date_end=last.isoformat(),
            sort_column="created_time",
            sort_order="A",
        )
        async for row in rows:
            if row.date is not None and first <= row.date <= last:
                yield row
