"""What invoices, estimates and credit notes have in common: made at most once, found, changed, listed."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from zohosync.errors import OutcomeUnknown, Refused
from zohosync.zoho.books_calls import BooksCalls
from zohosync.zoho.books_parse_documents import parse_document
from zohosync.zoho.books_records import Document, UniqueKey
from zohosync.zoho.books_requests import Collection, list_request, update_request
from zohosync.zoho.books_values import custom_values, moment, text
from zohosync.zoho.protocol import Json, Request


class BooksDocuments(BooksCalls):
    """Each method takes the collection the document belongs to."""

    async def _create(self, collection: Collection, request: Request, unique: UniqueKey | None) -> Json:
        """The record as Books has stored it; with a key, verified to be the one that was sent."""
        made = await self._one(request, collection.noun)
        if unique is not None:
            await self._verify(collection, request, made, unique)
        return made

    async def _verify(self, collection: Collection, request: Request, made: Json, unique: UniqueKey) -> None:
        """Books ignores what it does not know, a key, too: read back whether it was stored and whose record it is."""
        known = custom_values(made)
        if unique.api_name not in known:
            read = await self._find(collection, text(made, collection.id_name))
            known = custom_values(read or {})
        sent = (request.json or {}).get("reference_number")
        if sent is not None and text(made, "reference_number") != sent:
            raise OutcomeUnknown(
                "Zoho Books answered with another record than the one that was sent.",
                hint="It is looked for in Zoho before it is sent again.",
                code="books_answer_differs",
            )
        if known.get(unique.api_name) != unique.value:
            raise Refused(
                f"Zoho Books did not keep {unique.value} in its field {unique.api_name}.",
                hint="Make this custom field there, and let it hold no duplicates; or take it out of the settings.",
                code="books_key_not_kept",
                field=unique.api_name,
            )

    async def _document(self, collection: Collection, document_id: str) -> Document | None:
        found = await self._find(collection, document_id)
        return None if found is None else parse_document(found, collection.noun)

    async def _update(self, collection: Collection, document_id: str, payload: Mapping[str, Any]) -> Document:
        request = update_request(collection, document_id, payload)
        return parse_document(await self._one(request, collection.noun), collection.noun)

    async def _listed(self, collection: Collection, **filters: str) -> AsyncIterator[Document]:
        request = list_request(collection, **filters)
        async for row in self._rows(request, collection.plural, collection.id_name):
            yield parse_document(row, collection.noun)

    async def _found(self, collection: Collection, reference: str) -> tuple[Document, ...]:
        """The rows with exactly this reference."""
        rows = self._listed(collection, reference_number=reference)
        return tuple([row async for row in rows if row.reference == reference])

    async def _changed(self, collection: Collection, since: datetime, sort_column: str) -> AsyncIterator[Document]:
        """The rows changed at this instant or later, newest first: those that move while they are read come twice
        rather than never.

        A row without a time is told, too. Sorted by the time of change, an older one ends it.
        """
        asked = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        rows = self._listed(collection, last_modified_time=asked, sort_column=sort_column, sort_order="D")
        async for row in rows:
            changed = moment(row.modified_at)
            # Books tells whole seconds.
            if changed is None or changed >= since.replace(microsecond=0):
                yield row
            elif sort_column == "last_modified_time":
                return
