"""A whole zohosync in one process: the shop's database, a simulated Zoho, the services between them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.fernet import Fernet

from conftest import Database
from zohosim.app import create_app
from zohosim.simulator import Simulator
from zohosync.clock import Clock
from zohosync.config import load_settings
from zohosync.db.pool import Connection, connect, fetch_all, fetch_one
from zohosync.queue import lanes
from zohosync.store.installation import go_live
from zohosync.wiring import Services, open_services

KEY = Fernet.generate_key().decode()
SCALED: dict[str, Any] = {
    "zoho": "sim",
    "sim_url": "http://sim",
    "encryption_keys": KEY,
    "retry_base": 0.05,
    "retry_factor": 2,
    "visibility_timeout": 3,
    "poll_interval": 0.2,
    "call_timeout": 1,
    "look_again": 0.01,
}


@dataclass
class Stage:
    """What a test of a stream works with."""

    database: Database
    sim: Simulator
    zoho: httpx.AsyncClient
    services: Services
    shop: Connection

    async def run(self, turns: int = 1) -> None:
        """Take in what changed and work until nothing is due, as one worker would."""
        for _ in range(turns):
            await until_idle(self.services)

    async def run_once(self) -> None:
        """Take in and claim once; what fails now is not tried again."""
        worker, _ = self.services.worker()
        await worker.turn()
        await worker.settle()

    async def take_in(self) -> None:
        """Make operations of what changed, and leave them."""
        async with self.services.pool.connection() as connection:
            await lanes.take_in(connection, self.services.streams)

    async def operations(self) -> list[dict[str, Any]]:
        return await fetch_all(self.shop, "select * from zohosync.operation order by operation_id")

    async def only_operation(self) -> dict[str, Any]:
        (operation,) = await self.operations()
        return operation

    async def due_now(self) -> None:
        """Let every waiting and retrying operation be due, as if its time had come."""
        await self.shop.execute(
            "update zohosync.operation set next_attempt_at = now() where status in ('waiting', 'retrying')"
        )
        await self.shop.execute(
            """select pgmq.set_vt('zohosync_' || lane, message_id, 0) from zohosync.operation
                where status in ('waiting', 'retrying') and queued"""
        )
        await self.shop.execute("select zohosync.resend_due()")

    async def fault(self, kind: str, **more: Any) -> None:
        answer = await self.zoho.post("/_sim/faults", json={"kind": kind, **more})
        assert answer.status_code == 200, answer.text

    async def no_faults(self) -> None:
        await self.zoho.delete("/_sim/faults")

    async def records(self, module: str) -> list[dict[str, Any]]:
        return list((await self.zoho.get("/_sim/dump")).json()["records"].get(module, []))

    async def calls(self, **match: str) -> list[dict[str, Any]]:
        answer = await self.zoho.get("/_sim/calls", params={"limit": "5000", **match})
        return list(answer.json()["calls"])

    async def delete_in_zoho(self, module: str, record_id: str) -> None:
        """Somebody deletes the record in Zoho."""
        deleted = await self.zoho.delete(f"/crm/v8/{module}/{record_id}", headers=await self.staff_login())
        assert deleted.status_code == 200, deleted.text

    async def staff_login(self) -> dict[str, str]:
        """The headers of somebody else who works in this Zoho."""
        grant = (await self.zoho.post("/_sim/grant", json={"kind": "refresh_token"})).json()
        form = {name: grant[name] for name in ("refresh_token", "client_id", "client_secret")}
        answer = await self.zoho.post("/oauth/v2/token", data={"grant_type": "refresh_token", **form})
        return {"Authorization": f"Zoho-oauthtoken {answer.json()['access_token']}"}

    async def register(self, email: str = "customer@example.com", **values: Any) -> str:
        """A customer registers, through the role the shop's auth hook uses; the user's id."""
        row = {"email": email, "first_name": "Demo", "last_name": "Customer", **values}
        columns, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        user = await fetch_one(self.shop, f"insert into users ({columns}) values ({marks}) returning id::text", row)
        assert user is not None
        return str(user["id"])

    async def ask(self, email: str = "visitor@example.com", **values: Any) -> str:
        """Somebody sends the contact form; the submission's id."""
        row = {"name": "Demo Visitor", "email": email, "subject": "Dosage", "message": "How much per acre?", **values}
        columns, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        sent = await fetch_one(
            self.shop, f"insert into contact_submissions ({columns}) values ({marks}) returning id::text", row
        )
        assert sent is not None
        return str(sent["id"])


async def until_idle(services: Services) -> None:
    """One worker's turns, without its waits, until nothing is due."""
    worker, _ = services.worker()
    while await worker.turn():
        await worker.settle()
    await worker.settle()


@asynccontextmanager
async def open_stage(
    database: Database,
    *,
    fields: bool = True,
    live: bool = True,
    connected: bool = True,
    known: Simulator | None = None,
    clock: Clock | None = None,
    through: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """``known`` is a Zoho of an earlier stage, with all it holds; ``through`` stands between zohosync and it."""
    sim = known or Simulator()
    if fields and known is None:
        seed_fields(sim)
    app = create_app(sim)
    transport = httpx.ASGITransport(app=app)
    chosen = load_settings(None, database_url=database.worker_url, **{**SCALED, **settings})
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://sim") as zoho,
        open_services(chosen, transport=through(transport) if through else transport, clock=clock) as services,
        await connect(database.admin_url) as shop,
    ):
        if connected:
            await connect_services(services, zoho)
        if live and connected:
            async with services.pool.connection() as connection:
                await go_live(connection, services.sources)
        yield Stage(database, sim, zoho, services, shop)


def seed_fields(sim: Simulator) -> None:
    sim.seed_field("Contacts", "Storefront User Id", length=64, unique=True)
    sim.seed_field("Accounts", "Storefront Account Id", length=64, unique=True)
    for module in ("Contacts", "Leads", "Accounts"):
        sim.seed_field(module, "GSTIN", length=15)


async def connect_services(services: Services, zoho: httpx.AsyncClient) -> None:
    grant = (await zoho.post("/_sim/grant", json={"kind": "code"})).json()
    await services.connect_with_code(
        client_id=grant["client_id"], client_secret=grant["client_secret"], code=grant["code"]
    )


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Return when the condition holds; fail when it does not within the time."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
