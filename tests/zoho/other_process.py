"""What another worker does, in a process of its own: `python -m zoho.other_process <what> <database> <sim> <key>`.

It says `ready`, waits for a line, acts, and prints what came of it.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import httpx

from zohosync.clock import SystemClock
from zohosync.db.pool import Pool, open_pool
from zohosync.errors import ZohosyncError
from zohosync.store.budget import Allowance, PostgresBudget
from zohosync.store.tokens import PostgresTokens
from zohosync.zoho.auth import Custodian
from zohosync.zoho.books import Books
from zohosync.zoho.client import Client
from zohosync.zoho.crm import Crm
from zohosync.zoho.vault import Vault

TOGETHER = 10
"""Workers of one process: they share its login, its connections and the budget of all."""


@asynccontextmanager
async def signed_in(pool: Pool, sim_url: str, key: str) -> AsyncIterator[tuple[Custodian, Client]]:
    async with httpx.AsyncClient() as http:
        custodian = Custodian(PostgresTokens(pool), Vault([key]), http, SystemClock(), sim_url=sim_url)
        roomy = {"crm": Allowance(50_000, in_flight=100), "books": Allowance(1_000, in_flight=100)}
        yield custodian, Client(http, custodian, PostgresBudget(pool, roomy), SystemClock())


async def refresh(pool: Pool, sim_url: str, key: str) -> str:
    async with signed_in(pool, sim_url, key) as (custodian, _):
        await told("ready")
        access = await custodian.access()
    return f"generation {access.generation}"


async def work(pool: Pool, sim_url: str, key: str, *, warm: bool = False) -> str:
    """What came of the workers' calls, half of them to CRM, half to Books: `9 done, 1 grant_dead`.

    ``warm`` ones already hold the token of the moment when they are ready.
    """
    async with signed_in(pool, sim_url, key) as (_, client):
        crm, books = Crm(client), Books(client)
        if warm:
            await crm.organisation()
        await told("ready")
        calls = [call() for _ in range(TOGETHER // 2) for call in (crm.organisation, books.organisations)]
        ends = await asyncio.gather(*calls, return_exceptions=True)
    counted = Counter(named(end) for end in ends)
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))


def named(end: object) -> str:
    if isinstance(end, ZohosyncError):
        return end.reason
    return type(end).__name__ if isinstance(end, BaseException) else "done"


async def take(pool: Pool, sim_url: str, key: str) -> str:
    budget = PostgresBudget(pool, {"crm": Allowance(1000, in_flight=2)}, lease=timedelta(seconds=1))
    await told("ready")
    for _ in range(2):
        await budget.take(organisation_id="1", product="crm", cost=1, heavy=False, priority="people")
    return "taken"


async def told(what: str) -> None:
    """Say something, then wait until somebody says go."""
    print(what, flush=True)
    await asyncio.to_thread(sys.stdin.readline)


ACTS = {"refresh": refresh, "work": work, "work_on": partial(work, warm=True), "take": take}


async def main(what: str, database: str, sim_url: str, key: str) -> None:
    async with open_pool(database, size=2) as pool:
        await told(await ACTS[what](pool, sim_url, key))


asyncio.run(main(*sys.argv[1:]))
