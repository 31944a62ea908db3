"""Several real processes, one login and one budget."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn

from conftest import Database
from zoho.conftest import new_code, token_calls
from zohosim.app import create_app
from zohosim.simulator import DEFAULT_CLIENT, DEFAULT_SCOPES, Simulator
from zohosync.clock import SystemClock
from zohosync.db.pool import Connection, Pool
from zohosync.store.budget import Allowance, PostgresBudget
from zohosync.store.tokens import PostgresTokens
from zohosync.zoho.auth import Custodian
from zohosync.zoho.budget import Demand, take_patiently
from zohosync.zoho.vault import Vault

pytestmark = pytest.mark.process
TESTS = Path(__file__).parent.parent


@asynccontextmanager
async def served(simulator: Simulator) -> AsyncIterator[str]:
    """The simulator on a real port."""
    server = uvicorn.Server(uvicorn.Config(create_app(simulator), port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def other_process(
    what: str, database: Database, sim_url: str, key: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "zoho.other_process", what, database.worker_url, sim_url, key,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=TESTS,
    )  # fmt: skip
    try:
        assert await heard(process) == "ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def heard(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


def go(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")


async def test_two_processes_with_an_expired_token_refresh_once(
    database: Database, pool: Pool, worker: Connection, keys: list[str]
) -> None:
    simulator = Simulator()
    async with served(simulator) as url, httpx.AsyncClient() as http:
        mine = Custodian(PostgresTokens(pool), Vault(keys), http, SystemClock(), sim_url=url)
        await mine.connect_with_code(
            client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret, code=new_code(simulator),
            accounts_server=url,
        )  # fmt: skip
        await worker.execute("update zohosync.connection set expires_at = now() - interval '1 minute'")
        simulator.order({"kind": "slow", "delay": 0.5, "match": {"service": "accounts"}})
        before = token_calls(simulator)
        async with (
            other_process("refresh", database, url, keys[0]) as first,
            other_process("refresh", database, url, keys[0]) as second,
        ):
            go(first)
            go(second)
            answers = [await heard(first), await heard(second)]
        assert answers == ["generation 2", "generation 2"]
        assert token_calls(simulator) - before == 1


@pytest.mark.parametrize(
    ("trouble", "ends"),
    [("expired", "10 done"), ("evicted", "10 done"), ("revoked", "10 grant_dead"), ("throttled", "10 rate_limited")],
)
async def test_fifty_workers_of_five_processes_ask_for_a_new_token_once(
    database: Database, pool: Pool, worker: Connection, keys: list[str], trouble: str, ends: str
) -> None:
    simulator = Simulator()
    simulator.limits.enabled = False  # so that all fifty are on their way at the same moment
    async with served(simulator) as url, httpx.AsyncClient() as http:
        mine = Custodian(PostgresTokens(pool), Vault(keys), http, SystemClock(), sim_url=url)
        await mine.connect_with_code(
            client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret,
            code=new_code(simulator, scopes=DEFAULT_SCOPES), accounts_server=url,
        )  # fmt: skip
        what = "work" if trouble == "expired" else "work_on"
        async with AsyncExitStack() as stack:
            starting = (stack.enter_async_context(other_process(what, database, url, keys[0])) for _ in range(5))
            others = await asyncio.gather(*starting)
            if trouble == "expired":
                await worker.execute("update zohosync.connection set expires_at = now() - interval '1 minute'")
            stumble(simulator, trouble)
            before, asked = token_calls(simulator), len(simulator.calls.entries)
            for other in others:
                go(other)
            answers = await asyncio.gather(*(heard(other) for other in others))
        assert answers == [ends] * 5
        assert token_calls(simulator) - before == 1
        rejected = [entry for entry in list(simulator.calls.entries)[asked:] if entry.status == 401]
        assert len(rejected) == (0 if trouble == "expired" else 50)


def stumble(simulator: Simulator, trouble: str) -> None:
    """End the token, and make the accounts server answer slowly, so that all come to wait for it."""
    simulator.order({"kind": "slow", "delay": 0.5, "match": {"service": "accounts"}})
    simulator.order({"kind": "revoke_grant" if trouble == "revoked" else "evict_token"})
    if trouble == "throttled":
        simulator.order({"kind": "http_429", "match": {"service": "accounts"}})


async def test_the_leases_of_a_killed_process_end_by_themselves(
    database: Database, pool: Pool, keys: list[str]
) -> None:
    budget = PostgresBudget(pool, {"crm": Allowance(1000, in_flight=2)}, lease=timedelta(seconds=1))
    async with other_process("take", database, "http://127.0.0.1:1", keys[0]) as other:
        go(other)
        assert await heard(other) == "taken"
        assert (await budget.find_usage("1", "crm")).in_flight == 2
        other.kill()
        await other.wait()
    demand = Demand("1", "crm", 1, heavy=False, priority="people")
    assert await take_patiently(budget, demand, SystemClock(), timedelta(seconds=5))
