"""A trial organisation in process: connected, not live, with a clock that moves when somebody sleeps."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from conftest import Database
from stage import SCALED, connect_services
from zohosim.app import create_app
from zohosim.simulator import Simulator
from zohosync.cli.probe import probe_organisation
from zohosync.config import load_settings
from zohosync.db.pool import Pool
from zohosync.probe.catalogue import PROBES
from zohosync.probe.probe import Probe
from zohosync.probe.run import Announce, Outcome, Result
from zohosync.wiring import Services, open_services

ORDINARY = {"Last_Name": "Somebody", "Email": "somebody@example.com"}
LOOK, BOOKS_LOOK = 6, 3
"""Calls before the first probe: the organisation, the fields of two modules, the records of three; and for Books the
records of three kinds."""

OF_BOOKS = ("contacts", "items", "invoices", "customerpayments")


@dataclass
class HandClock:
    """Time that moves when somebody sleeps; the pauses of the budget in the database pass with it."""

    instant: datetime = field(default_factory=lambda: datetime.now(UTC))
    pool: Pool | None = None

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    async def sleep(self, duration: timedelta) -> None:
        self.instant += duration
        if self.pool is not None:
            async with self.pool.connection() as connection:
                await connection.execute("update zohosync.budget_pause set until_at = until_at - %s", (duration,))


@dataclass
class Trial:
    """What a test of probes works with."""

    database: Database
    sim: Simulator
    zoho: httpx.AsyncClient
    services: Services
    organisation: str = ""

    async def codes(self, count: int) -> list[str]:
        """Further codes of the self client."""
        made = [await self.zoho.post("/_sim/grant", json={"kind": "code"}) for _ in range(count)]
        return [answer.json()["code"] for answer in made]

    async def run(
        self,
        *names: str,
        codes: int = 2,
        confirmed: str = "",
        announce: Announce = lambda _: None,
        in_use: bool = False,
    ) -> Outcome:
        """Run the named probes, or all."""
        chosen = [probe for probe in PROBES if not names or probe.name in names]
        _, outcome = await probe_organisation(
            self.services,
            confirmed or self.organisation,
            chosen,
            await self.codes(codes),
            announce,
            in_use=in_use,
        )
        return outcome

    async def settle(self, name: str) -> Result:
        (result,) = (await self.run(name)).results
        return result

    def calls(self, service: str = "crm") -> int:
        return sum(entry.service == service for entry in self.sim.calls.entries)

    def left(self) -> dict[str, Any]:
        """What the organisation holds that is not its own."""
        records = {name: list(module.records.values()) for name, module in self.sim.crm.modules.items()}
        custom = [f.label for f in self.sim.crm.modules["Leads"].fields.values() if f.custom and "probe" in f.label]
        (books,) = self.sim.books.organisations.values()
        made = {f"books {name}": books.ledger.rows(name) for name in OF_BOOKS}
        held = {name: rows for name, rows in (records | made).items() if rows}
        return held | ({"fields": custom} if custom else {})


@pytest.fixture
async def trial(database: Database) -> AsyncIterator[Trial]:
    clock, sim = HandClock(), Simulator()
    sim.clock.real = clock.monotonic
    transport = httpx.ASGITransport(app=create_app(sim))
    settings = load_settings(
        None, database_url=database.worker_url, **SCALED, sim_minute=0.05, books_daily_calls=100_000
    )
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://sim") as zoho,
        open_services(settings, transport=transport, clock=clock) as services,
    ):
        clock.pool = services.pool
        await connect_services(services, zoho)
        # Nobody waits for a minute: its clock moves only when somebody sleeps.
        await zoho.post("/_sim/books/limits", json={"calls": 100_000, "per_minute": 100_000})
        found = Trial(database, sim, zoho, services)
        found.organisation = (await services.crm.organisation()).id
        yield found


def probe_called(name: str) -> Probe:
    (found,) = [probe for probe in PROBES if probe.name == name]
    return found
