"""What all calls of Books share: the organisation they are for, the one record of an answer, the rows of all pages."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Self

from zohosync.errors import Refused, ZohoUnavailable
from zohosync.zoho import books_protocol
from zohosync.zoho.books_requests import Collection, get_request
from zohosync.zoho.client import Client, Context
from zohosync.zoho.protocol import Json, Reply, Request, outcome_unknown
from zohosync.zoho.requests import checked_id

MOST_ROWS = 200
OTHER_NAMES: Mapping[str, str] = MappingProxyType({"customerpayments": "customer_payments"})
"""What the documentation calls a list that was seen under another name."""


class BooksCalls:
    """The calls of one organisation. Every one may raise any ZohoFailure."""

    def __init__(self, client: Client, organisation_id: str | None = None) -> None:
        """``organisation_id`` None means the one the login in use is tied to; without one, NotConnected."""
        self._client = client
        self._organisation_id = None if organisation_id is None else checked_id(organisation_id)

    def within(self, context: Context) -> Self:
        """The same calls for another priority and other hooks."""
        return type(self)(self._client.within(context), self._organisation_id)

    async def send(self, request: Request) -> Reply:
        """Send a request of ``books_requests`` for this organisation."""
        return await self._client.send(self._addressed(request))

    def _addressed(self, request: Request) -> Request:
        if self._organisation_id is None or request.of_user:
            return request
        return replace(request, params={**request.params, "organization_id": self._organisation_id})

    async def _one(self, request: Request, noun: str) -> Json:
        """The record an answer holds. An answer to a write without it leaves open whether it was carried out."""
        found = (await self.send(request)).body.get(noun)
        if isinstance(found, dict):
            return found
        if request.writes:
            raise outcome_unknown(request)
        raise Refused(f"Zoho Books answered without {noun}.", hint="Check the role of the connected user in Books.")

    async def _find(self, collection: Collection, record_id: str) -> Json | None:
        """One record in detail; None when Books does not have it."""
        try:
            return await self._one(get_request(collection, record_id), collection.noun)
        except Refused as error:
            if error.reason == "zoho_record_absent":
                return None
            raise

    async def _rows(self, request: Request, key: str, id_name: str, *, may_lack: bool = False) -> AsyncIterator[Json]:
        """The rows of all pages, each once: pages shift while somebody adds or deletes.

        ``may_lack``: an answer without the list says that there is none, as where a feature is off.
        """
        seen: set[str] = set()
        async for page in self._pages(request, key, may_lack=may_lack):
            fresh = [row for row in page if str(row.get(id_name)) not in seen]
            if page and not fresh:
                return  # The page asked for was ignored; it would go on for ever.
            for row in fresh:
                if str(row.get(id_name)) not in seen:
                    seen.add(str(row.get(id_name)))
                    yield row

    async def _pages(self, request: Request, key: str, *, may_lack: bool = False) -> AsyncIterator[list[Json]]:
        following: Mapping[str, str] | None = {"per_page": str(MOST_ROWS)}
        asked = request
        while following is not None:
            asked = replace(asked, params={**asked.params, **following})
            reply = await self.send(asked)
            named = OTHER_NAMES.get(key, key) if key not in reply.body else key
            if named not in reply.body and not may_lack:
                # No proof that there is nothing: whoever looks before it makes something would make it twice.
                raise ZohoUnavailable(f"Zoho Books answered without {key}.", hint="It is tried again by itself.")
            yield reply.rows(named)
            following = books_protocol.next_page(reply)
