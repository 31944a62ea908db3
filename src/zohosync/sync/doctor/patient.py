"""Whom doctor examines: one installation, with as much of its surroundings as could be reached."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from zohosync.clock import Clock
from zohosync.config import Settings
from zohosync.db.pool import Connection
from zohosync.errors import ZohosyncError
from zohosync.store.budget import PostgresBudget
from zohosync.store.installation import Installation
from zohosync.sync.wanted_fields import WANTED_FIELDS
from zohosync.zoho.auth import Custodian
from zohosync.zoho.books import Books
from zohosync.zoho.books_entities import BooksOrganisation, Tax
from zohosync.zoho.books_records import Account, TaxExemption
from zohosync.zoho.crm import Crm
from zohosync.zoho.entities import Organisation
from zohosync.zoho.fields import FieldCatalogue
from zohosync.zoho.login import Access

Answer = TypeVar("Answer")
MODULES = tuple(dict.fromkeys(wanted.module for wanted in WANTED_FIELDS))


class Absent(ZohosyncError):
    """Something to be examined is not there; the message says why, and that is no fault of its own."""

    code = "not_checked"


class Zoho:
    """What is asked of Zoho during one examination, each once: a second question gets the first answer, or the same
    refusal."""

    def __init__(self, custodian: Custodian, crm: Crm, books: Books, budget: PostgresBudget) -> None:
        self.budget = budget
        self._custodian = custodian
        self._crm = crm
        self._books = books
        self._asked: dict[str, asyncio.Task[Any]] = {}

    async def access(self) -> Access:
        return await self._once("access", self._custodian.access)

    async def organisation(self) -> Organisation:
        return await self._once("organisation", self._crm.organisation)

    async def time(self) -> datetime | None:
        """Zoho's clock to the second; None when it does not tell."""
        return await self._once("time", self._crm.server_time)

    async def catalogues(self) -> dict[str, FieldCatalogue]:
        """The fields of every module we write to."""

        async def read() -> dict[str, FieldCatalogue]:
            return {module: await self._crm.fields(module) for module in MODULES}

        return await self._once("catalogues", read)

    async def books_organisations(self) -> tuple[BooksOrganisation, ...]:
        return await self._once("books_organisations", self._books.organisations)

    async def taxes(self) -> tuple[Tax, ...]:
        return await self._once("taxes", self._books.taxes)

    async def books_accounts(self) -> tuple[Account, ...]:
        return await self._once("books_accounts", self._books.accounts)

    async def books_exemptions(self) -> tuple[TaxExemption, ...]:
        return await self._once("books_exemptions", self._books.tax_exemptions)

    async def _once(self, name: str, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        if name not in self._asked:
            self._asked[name] = asyncio.create_task(ask())
        return cast(Answer, await asyncio.shield(self._asked[name]))

    async def leave(self) -> None:
        """Stop what is still being asked."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)


@dataclass(frozen=True)
class Patient:
    """``owner`` is a connection as the owner of the shop's tables, None without its connection string; ``zoho`` is None
    when it is not to be asked or cannot be, and ``no_zoho`` says why."""

    settings: Settings
    clock: Clock
    database: Connection
    installation: Installation
    owner: Connection | None = None
    zoho: Zoho | None = None
    no_zoho: str = "Zoho was not asked."
    no_owner: str = "ZOHOSYNC_OWNER_DATABASE_URL is not set"

    def require_zoho(self) -> Zoho:
        """Absent when there is none."""
        if self.zoho is None:
            raise Absent(self.no_zoho)
        return self.zoho
