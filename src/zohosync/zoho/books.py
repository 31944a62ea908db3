"""Zoho Books, version 3: one method per call.

https://www.zoho.com/books/api/v3/
"""

from collections.abc import AsyncIterator
from dataclasses import replace

from zohosync.errors import LoginLost, Refused
from zohosync.zoho import books_protocol, scopes
from zohosync.zoho.books_entities import BooksOrganisation, Tax
from zohosync.zoho.client import Client, Context
from zohosync.zoho.protocol import Json, Request
from zohosync.zoho.requests import checked_id

ROOT = "/books/v3"
MOST_PAGES = 50
MOST_ROWS = 200


class Books:
    """The calls zohosync makes to Books, for one organisation. Every one may raise any ZohoFailure."""

    def __init__(self, client: Client, organisation_id: str | None = None) -> None:
        """``organisation_id`` None means the one the login in use is tied to; without one, NotConnected."""
        self._client = client
        self._organisation_id = None if organisation_id is None else checked_id(organisation_id)

    def within(self, context: Context) -> "Books":
        """The same calls for another priority and other hooks."""
        return Books(self._client.within(context), self._organisation_id)

    # --- organisations

    async def organisations(self) -> tuple[BooksOrganisation, ...]:
        """Every organisation the connected user belongs to; none when the user has no Books at all.

        https://www.zoho.com/books/api/v3/organizations/#list-organizations
        """
        request = replace(self._read("/organizations", scopes.BOOKS_SETTINGS_READ), params={}, of_user=True)
        rows = (await self._client.send(request)).rows("organizations")
        return tuple(BooksOrganisation.parse(row) for row in rows)

    async def find_organisation(self, organisation_id: str) -> BooksOrganisation | None:
        """One organisation in detail; None when it does not exist or the user does not belong to it.

        https://www.zoho.com/books/api/v3/organizations/#get-organization
        """
        path = f"/organizations/{checked_id(organisation_id)}"
        request = replace(self._read(path, scopes.BOOKS_SETTINGS_READ), params={"organization_id": organisation_id})
        try:
            found = (await self._client.send(request)).body.get("organization")
        except (Refused, LoginLost) as error:
            if error.reason in ("zoho_record_absent", "books_organisation_foreign"):
                return None
            raise
        return BooksOrganisation.parse(found) if isinstance(found, dict) else None

    # --- settings

    async def taxes(self) -> tuple[Tax, ...]:
        """All rates and groups of the organisation, from all pages.

        https://www.zoho.com/books/api/v3/taxes/#list-taxes
        """
        request = self._read("/settings/taxes", scopes.BOOKS_SETTINGS_READ)
        return tuple([Tax.parse(row) async for row in self._rows(request, "taxes", "tax_id")])

    # --- what they share

    def _read(self, path: str, *needed: str) -> Request:
        params = {} if self._organisation_id is None else {"organization_id": self._organisation_id}
        return Request("GET", f"{ROOT}{path}", params=params, product="books", scopes=needed)

    async def _rows(self, request: Request, key: str, id_name: str) -> AsyncIterator[Json]:
        """The rows of all pages, each once: pages shift while somebody adds or deletes."""
        seen: set[str] = set()
        asked = replace(request, params={**request.params, "per_page": str(MOST_ROWS)})
        for _ in range(MOST_PAGES):
            reply = await self._client.send(asked)
            for row in reply.rows(key):
                identity = str(row.get(id_name))
                if identity not in seen:
                    seen.add(identity)
                    yield row
            following = books_protocol.next_page(reply)
            if following is None:
                return
            asked = replace(asked, params={**asked.params, **following})
