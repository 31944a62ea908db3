"""What every stream of Books needs at hand: client, organisation with taxes and accounts, policies."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from zohosync.clock import Clock
from zohosync.db.pool import Connection, Pool
from zohosync.errors import NotConnected, RecordInvalid
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Lane
from zohosync.store.policies import read_policies
from zohosync.sync.books.policies import Policies, parse_policies
from zohosync.sync.books.tax_book import TaxBook, read_tax_book
from zohosync.sync.desk import Policy
from zohosync.zoho.auth import Custodian
from zohosync.zoho.books import Books
from zohosync.zoho.books_entities import BooksOrganisation
from zohosync.zoho.books_records import Account, TaxExemption
from zohosync.zoho.budget import Priority
from zohosync.zoho.client import Context

# An accountant changes taxes and accounts rarely, and a refusal tells.
OFFICE_LIFETIME = timedelta(minutes=10)
ACCOUNT_NAMES: Mapping[str, str] = {
    "income": "Sales",
    "cost_of_goods_sold": "Cost of Goods Sold",
    "stock": "Inventory Asset",
}
"""Which account Books itself gives new items, where there are several of a type."""


@dataclass(frozen=True)
class Office:
    """The organisation as documents need it."""

    organisation: BooksOrganisation
    taxes: TaxBook
    accounts: tuple[Account, ...]
    exemptions: tuple[TaxExemption, ...]

    @property
    def zone(self) -> ZoneInfo:
        """Whose midnight ends a business day."""
        try:
            return ZoneInfo(self.organisation.time_zone or "Asia/Kolkata")
        except (KeyError, ValueError):
            return ZoneInfo("Asia/Kolkata")

    def account_id(self, kind: str, chosen: str | None) -> str:
        """The account of a type (income, cost_of_goods_sold, stock): the chosen one, else Books' own default of that
        type. RecordInvalid when it cannot be told which."""
        mine = [account for account in self.accounts if account.type == kind and account.active]
        if chosen is not None:
            return chosen
        named = [account for account in mine if account.name == ACCOUNT_NAMES.get(kind)] or mine
        if len(named) != 1:
            raise RecordInvalid(
                f"Zoho Books has {'no account' if not named else 'several accounts'} of type {kind}.",
                hint=f"Choose one: `zohosync policy set {POLICY_OF[kind]} <account id>`.",
                code="books_account_unclear",
            )
        return named[0].id

    def exemption_id(self, chosen: str | None) -> str:
        """The exemption of exempt items; RecordInvalid when there is none, or several and none chosen."""
        mine = [exemption for exemption in self.exemptions if exemption.type == "item"]
        if chosen is not None:
            return chosen
        if len(mine) != 1:
            raise RecordInvalid(
                f"Zoho Books has {'no tax exemption' if not mine else 'several tax exemptions'} for items.",
                hint="Add one in Books, or choose one: `zohosync policy set exemption_id <id>`.",
                code="books_exemption_unclear",
            )
        return mine[0].id


POLICY_OF: Mapping[str, str] = {
    "income": "sales_account_id",
    "cost_of_goods_sold": "purchase_account_id",
    "stock": "inventory_account_id",
}


class BooksDesk:
    """Books and its organisation, for one process."""

    def __init__(self, pool: Pool, books: Books, custodian: Custodian, clock: Clock, policy: Policy) -> None:
        self.pool = pool
        self.clock = clock
        self.policy = policy
        self._books = books
        self._custodian = custodian
        self._office: tuple[float, str, Office] | None = None
        self._loading = asyncio.Lock()

    def books_for(self, batch: Batch) -> Books:
        """Books for one batch, with the right of way of its lane: what follows edits leaves the reserve to sales.

        Nothing is sent unless the batch stays ours until the answer must be there. Else another worker could look for
        what we are just creating, not find it, and create it too.
        """

        async def check_lease() -> None:
            batch.lease.check(self.policy.call_timeout)

        sales = all(operation.lane is Lane.SALES for operation in batch.operations)
        priority: Priority = "sales" if sales else "bulk"
        return self._books.within(Context(priority=priority, before_send=check_lease))

    def books_to_look(self) -> Books:
        """Books for readers without a batch: rehearsals, previews, sweeps."""
        return self._books.within(Context(priority="bulk"))

    async def organisation_id(self) -> str:
        """Whose documents these are; NotConnected when none is chosen."""
        access = await self._custodian.access()
        if access.books_organisation_id is None:
            raise NotConnected(
                "No organisation of Zoho Books is chosen.",
                hint="Run `zohosync connect` and choose one.",
                code="books_not_chosen",
            )
        return access.books_organisation_id

    async def office(self) -> Office:
        """Taxes, accounts and exemptions, at most ten minutes old."""
        organisation_id = await self.organisation_id()
        async with self._loading:
            now = self.clock.monotonic()
            kept = self._office
            if kept is None or kept[1] != organisation_id or now - kept[0] > OFFICE_LIFETIME.total_seconds():
                kept = (now, organisation_id, await self._open_office(organisation_id))
                self._office = kept
            return kept[2]

    async def _open_office(self, organisation_id: str) -> Office:
        books = self._books.within(Context(priority="sales"))
        organisation = await books.find_organisation(organisation_id)
        if organisation is None:
            raise NotConnected(
                "The chosen organisation of Zoho Books is not there, or the connected user does not belong to it.",
                hint="Run `zohosync connect` and choose one.",
                code="books_organisation_foreign",
            )
        return Office(
            organisation,
            read_tax_book(await books.taxes()),
            await books.accounts(),
            await books.tax_exemptions(),
        )

    def forget_office(self) -> None:
        """Books refused what its lists seemed to allow: look at them again."""
        self._office = None

    async def policies(self, connection: Connection) -> Policies:
        """The policies as they are now."""
        return parse_policies(await read_policies(connection))
