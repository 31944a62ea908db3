"""Real processes around one database: zohosim, and commands of zohosync."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.fernet import Fernet

from conftest import Database
from stage import connect_services
from zohosync.config import load_settings
from zohosync.db.pool import Connection, connect, fetch_all
from zohosync.store.installation import go_live
from zohosync.wiring import open_services

QUICK = {
    "RETRY_BASE": "0.2",
    "RETRY_FACTOR": "2",
    "VISIBILITY_TIMEOUT": "3",
    "POLL_INTERVAL": "0.5",
    "CALL_TIMEOUT": "1",
    "SCAN_INTERVAL": "2",
}


@dataclass
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str


@dataclass
class House:
    """A database, a zohosim with a port, and the settings of whoever runs zohosync on them."""

    database: Database
    zoho: httpx.AsyncClient
    shop: Connection
    key: str = field(default_factory=lambda: Fernet.generate_key().decode())
    running: list[Process] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        settings = {
            "DATABASE_URL": self.database.worker_url,
            "OWNER_DATABASE_URL": self.database.owner_url,
            "ZOHO": "sim",
            "SIM_URL": str(self.zoho.base_url),
            "ENCRYPTION_KEYS": self.key,
            "CONSOLE_PORT": "0",
            **QUICK,
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("ZOHOSYNC_")}
        return others | {f"ZOHOSYNC_{name}": value for name, value in settings.items()}

    async def start(self, *arguments: str, **env: str) -> Process:
        """A subcommand that runs on."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "zohosync", *arguments),
            env=self.env | {f"ZOHOSYNC_{name.upper()}": value for name, value in env.items()},
            stdout=PIPE,
            stderr=PIPE,
        )
        self.running.append(process)
        return process

    async def started(self, *arguments: str, **env: str) -> Process:
        """A worker that has begun to work."""
        process = await self.start(*arguments, **env)
        assert process.stderr is not None
        async with asyncio.timeout(60):
            async for line in process.stderr:
                if b"worker.started" in line:
                    return process
        raise AssertionError(f"{arguments} ended before it began")

    async def run(self, *arguments: str, **env: str) -> Ended:
        """A subcommand to its end."""
        return await ended(await self.start(*arguments, **env))

    async def fetch(self, query: str) -> list[dict[str, Any]]:
        return await fetch_all(self.shop, query)

    async def wait_for(self, query: str, seconds: float = 60) -> None:
        """Until the query finds a row."""
        async with asyncio.timeout(seconds):
            while not await fetch_all(self.shop, query):
                await asyncio.sleep(0.05)

    async def records(self, module: str) -> list[dict[str, Any]]:
        return list((await self.zoho.get("/_sim/dump")).json()["records"].get(module, []))

    async def fault(self, kind: str, **more: Any) -> None:
        answer = await self.zoho.post("/_sim/faults", json={"kind": kind, **more})
        assert answer.status_code == 200, answer.text

    async def connect(self) -> None:
        """Custom fields, a login, go-live."""
        for module, label, unique in WANTED:
            field_of = {"module": module, "label": label, "length": 64, "unique": unique}
            await self.zoho.post("/_sim/fields", json=field_of)
        settings = load_settings(
            None,
            database_url=self.database.worker_url,
            zoho="sim",
            sim_url=str(self.zoho.base_url),
            encryption_keys=self.key,
        )
        async with open_services(settings) as services:
            await connect_services(services, self.zoho)
            async with services.pool.connection() as connection:
                await go_live(connection, services.sources)


WANTED = (
    ("Contacts", "Storefront User Id", True),
    ("Accounts", "Storefront Account Id", True),
    ("Contacts", "GSTIN", False),
    ("Leads", "GSTIN", False),
    ("Accounts", "GSTIN", False),
)


async def ended(process: Process, seconds: float = 90) -> Ended:
    """The end of a process, waited for."""
    output, errors = await asyncio.wait_for(process.communicate(), seconds)
    assert process.returncode is not None
    return Ended(process.returncode, output.decode(), errors.decode())


@asynccontextmanager
async def simulator() -> AsyncIterator[httpx.AsyncClient]:
    """A zohosim of its own process, on a free port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zohosync", "sim", "--port", "0"), stdout=PIPE, stderr=DEVNULL
    )
    assert process.stdout is not None
    try:
        address = re.search(rb"http://[\d.:]+", await asyncio.wait_for(process.stdout.readline(), 60))
        assert address
        async with httpx.AsyncClient(base_url=address[0].decode(), timeout=30, trust_env=False) as http:
            yield http
    finally:
        process.terminate()
        await process.communicate()


@asynccontextmanager
async def open_house(database: Database, zoho: httpx.AsyncClient, *, live: bool = True) -> AsyncIterator[House]:
    """Processes that are still there at the end are killed."""
    async with await connect(database.admin_url) as shop:
        house = House(database, zoho, shop)
        if live:
            await house.connect()
        try:
            yield house
        finally:
            for process in house.running:
                if process.returncode is None:
                    process.kill()
                    await process.communicate()
