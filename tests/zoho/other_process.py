"""What another worker does, in a process of its own: `python -m zoho.other_process <what> <database> <sim> <key>`.

It says `ready`, waits for a line, acts, and prints what came of it.
"""

import asyncio
import sys
from datetime import timedelta

import httpx

from zohosync.clock import SystemClock
from zohosync.db.pool import Pool, open_pool
from zohosync.store.budget import Allowance, PostgresBudget
from zohosync.store.tokens import PostgresTokens
from zohosync.zoho.auth import Custodian
from zohosync.zoho.vault import Vault


async def refresh(pool: Pool, sim_url: str, key: str) -> str:
    async with httpx.AsyncClient() as http:
        custodian = Custodian(PostgresTokens(pool), Vault([key]), http, SystemClock(), sim_url=sim_url)
        access = await custodian.access()
    return f"generation {access.generation}"


async def take(pool: Pool, sim_url: str, key: str) -> str:
    budget = PostgresBudget(pool, {"crm": Allowance(1000, in_flight=2)}, lease=timedelta(seconds=1))
    for _ in range(2):
        await budget.take(organisation_id="1", product="crm", cost=1, heavy=False, priority="people")
    return "taken"


async def main(what: str, database: str, sim_url: str, key: str) -> None:
    async with open_pool(database, size=2) as pool:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(await {"refresh": refresh, "take": take}[what](pool, sim_url, key), flush=True)
        await asyncio.to_thread(sys.stdin.readline)


asyncio.run(main(*sys.argv[1:]))
