"""What an organisation of Books has set up: itself, taxes, exemptions, accounts, places and currencies."""

from dataclasses import replace

from zohosync.errors import LoginLost, Refused
from zohosync.zoho import scopes
from zohosync.zoho.books_calls import BooksCalls
from zohosync.zoho.books_entities import BooksOrganisation, Tax
from zohosync.zoho.books_parse_records import parse_account, parse_currency, parse_exemption, parse_location
from zohosync.zoho.books_records import Account, Currency, Location, TaxExemption
from zohosync.zoho.books_requests import (
    ACCOUNTS,
    CURRENCIES,
    EXEMPTIONS,
    LOCATIONS,
    ROOT,
    TAXES,
    Collection,
    list_request,
)
from zohosync.zoho.protocol import Json, Request
from zohosync.zoho.requests import checked_id


class BooksSettings(BooksCalls):
    """Lists are read from all pages."""

    async def organisations(self) -> tuple[BooksOrganisation, ...]:
        """Every organisation the connected user belongs to; none when the user has no Books at all.

        https://www.zoho.com/books/api/v3/organizations/#list-organizations
        """
        request = replace(_organisation_request(""), of_user=True)
        rows = (await self.send(request)).rows("organizations")
        return tuple(BooksOrganisation.parse(row) for row in rows)

    async def find_organisation(self, organisation_id: str) -> BooksOrganisation | None:
        """One organisation in detail; None when it does not exist or the user does not belong to it.

        https://www.zoho.com/books/api/v3/organizations/#get-organization
        """
        request = _organisation_request(f"/{checked_id(organisation_id)}")
        try:
            # Asked for itself, whichever organisation the other calls are for.
            asked = replace(request, params={"organization_id": organisation_id})
            found = (await self._client.send(asked)).body.get("organization")
        except (Refused, LoginLost) as error:
            if error.reason in ("zoho_record_absent", "books_organisation_foreign"):
                return None
            raise
        return BooksOrganisation.parse(found) if isinstance(found, dict) else None

    async def taxes(self) -> tuple[Tax, ...]:
        """All rates and groups of the organisation. https://www.zoho.com/books/api/v3/taxes/#list-taxes"""
        return tuple(Tax.parse(row) for row in await self._all(TAXES))

    async def tax_exemptions(self) -> tuple[TaxExemption, ...]:
        """The reasons not to tax. https://www.zoho.com/books/api/v3/taxes/#list-tax-exemptions-us-edition-only"""
        return tuple(parse_exemption(row) for row in await self._all(EXEMPTIONS))

    async def accounts(self) -> tuple[Account, ...]:
        """The chart of accounts, closed ones too.

        https://www.zoho.com/books/api/v3/chart-of-accounts/#list-chart-of-accounts
        """
        return tuple(parse_account(row) for row in await self._all(ACCOUNTS, filter_by="AccountType.All"))

    async def locations(self) -> tuple[Location, ...]:
        """The places of business; none when the feature is off, which Books may say by an error.

        https://www.zoho.com/books/api/v3/locations/#list-all-locations
        """
        try:
            return tuple(parse_location(row) for row in await self._all(LOCATIONS))
        except Refused:
            return ()

    async def currencies(self) -> tuple[Currency, ...]:
        """The currencies in use. https://www.zoho.com/books/api/v3/currency/#list-currencies"""
        return tuple(parse_currency(row) for row in await self._all(CURRENCIES))

    async def _all(self, collection: Collection, **filters: str) -> list[Json]:
        request = list_request(collection, **filters)
        rows = self._rows(request, collection.plural, collection.id_name, may_lack=True)
        return [row async for row in rows]


def _organisation_request(tail: str) -> Request:
    return Request("GET", f"{ROOT}/organizations{tail}", product="books", scopes=(scopes.BOOKS_SETTINGS_READ,))
