"""Estimates of Books, which its Indian edition calls quotes.

https://www.zoho.com/books/api/v3/estimates/
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from zohosync.zoho.books_documents import BooksDocuments
from zohosync.zoho.books_parse_documents import parse_document
from zohosync.zoho.books_records import Document, UniqueKey
from zohosync.zoho.books_requests import ESTIMATES, create_request, status_request


class BooksEstimates(BooksDocuments):
    """They move neither stock nor ledger."""

    async def create_estimate(
        self,
        payload: Mapping[str, Any],
        *,
        unique: UniqueKey | None = None,
        own_number: bool = False,
        send: bool = False,
    ) -> Document:
        """As ``create_invoice``."""
        request = create_request(ESTIMATES, payload, unique=unique, own_number=own_number, send=send)
        return parse_document(await self._create(ESTIMATES, request, unique), ESTIMATES.noun)

    async def estimate(self, estimate_id: str) -> Document | None:
        """One estimate with its lines; None when Books does not have it."""
        return await self._document(ESTIMATES, estimate_id)

    async def find_estimates(self, reference: str) -> tuple[Document, ...]:
        """The rows with exactly this reference."""
        return await self._found(ESTIMATES, reference)

    async def update_estimate(self, estimate_id: str, payload: Mapping[str, Any]) -> Document:
        """Change it. Lines that are not sent are deleted; those to keep need their ``line_item_id``."""
        return await self._update(ESTIMATES, estimate_id, payload)

    async def mark_estimate_sent(self, estimate_id: str) -> None:
        """Nothing is mailed."""
        await self.send(status_request(ESTIMATES, estimate_id, "sent"))

    async def mark_estimate_accepted(self, estimate_id: str) -> None:
        """Only a sent one can be."""
        await self.send(status_request(ESTIMATES, estimate_id, "accepted"))

    async def changed_estimates(self, since: datetime) -> AsyncIterator[Document]:
        """The rows changed at this instant or later. Books sorts estimates by no time of change."""
        async for row in self._changed(ESTIMATES, since, "created_time"):
            yield row
