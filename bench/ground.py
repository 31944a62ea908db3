"""Where figures are taken: a durable embedded Postgres, zohosim and workers in processes of their own."""

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from zohosync.config import Settings, load_settings
from zohosync.db.install import install
from zohosync.db.pool import Connection, connect, fetch_one
from zohosync.demo.embedded import Cluster, create_shop, embedded_cluster
from zohosync.store.installation import go_live
from zohosync.wiring import open_services

WORKER_ROLE = "zohosync_worker"
FIELDS = (
    ("Contacts", "Storefront User Id", True),
    ("Accounts", "Storefront Account Id", True),
    ("Contacts", "GSTIN", False),
    ("Leads", "GSTIN", False),
    ("Accounts", "GSTIN", False),
)


@dataclass
class Ground:
    """One shop with zohosync installed and live, connected to a zohosim without limits."""

    cluster: Cluster
    database: str
    zoho_url: str
    zoho: httpx.AsyncClient
    key: str
    shop: Connection

    @property
    def owner_url(self) -> str:
        return self.cluster.url(self.database, user="shop_owner")

    @property
    def worker_url(self) -> str:
        return self.cluster.url(self.database, user=WORKER_ROLE)

    @property
    def settings(self) -> Settings:
        return load_settings(
            None, database_url=self.worker_url, zoho="sim", sim_url=self.zoho_url, encryption_keys=self.key
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ZOHOSYNC_DATABASE_URL": self.worker_url,
            "ZOHOSYNC_ZOHO": "sim",
            "ZOHOSYNC_SIM_URL": self.zoho_url,
            "ZOHOSYNC_ENCRYPTION_KEYS": self.key,
            "ZOHOSYNC_CRM_DAILY_CREDITS": "100000000",
            "ZOHOSYNC_BOOKS_DAILY_CALLS": "100000000",
        }

    @asynccontextmanager
    async def worker(self, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A worker as people start it, running and listening; ``settings`` by their names in the environment."""
        command = (sys.executable, "-m", "zohosync", "worker")
        quiet = asyncio.subprocess.DEVNULL
        environment = {**self.environment, **settings}
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=quiet, stderr=quiet)
        try:
            await self._until_listening(process)
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await self.shop.execute("delete from zohosync.worker")

    async def _until_listening(self, process: asyncio.subprocess.Process) -> None:
        listening = asyncio.create_task(
            self.until("select exists (select from zohosync.worker where listening) as done")
        )
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({listening, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            listening.cancel()
            raise RuntimeError("the worker ended before it listened: start `zohosync worker` by hand to see why")
        ended.cancel()
        await listening

    async def until(self, question: str, seconds: float = 300) -> None:
        """Return when the query's ``done`` is true."""
        async with asyncio.timeout(seconds):
            while not (await fetch_one(self.shop, question) or {"done": False})["done"]:
                await asyncio.sleep(0.02)

    async def until_drained(self) -> None:
        """Nothing captured waits, no operation is open."""
        await self.until(
            "select not exists (select from pgmq.q_zohosync_changes)"
            " and not exists (select from zohosync.operation where finished_at is null) as done"
        )

    async def clear(self) -> None:
        """Forget all operations, messages and shop records."""
        await self.shop.execute(
            "truncate users, contact_submissions, b2b_quotes, orders, products cascade;"
            "truncate zohosync.operation, zohosync.attempt, zohosync.link, zohosync.observation, zohosync.write_back,"
            " zohosync.document, zohosync.hold, zohosync.finding restart identity cascade;"
            "truncate pgmq.q_zohosync_changes, pgmq.q_zohosync_sales, pgmq.q_zohosync_stock, pgmq.q_zohosync_people,"
            " pgmq.q_zohosync_bulk"
        )
        await self.zoho.post("/_sim/limits", json={"enabled": False})


@asynccontextmanager
async def prepared() -> AsyncIterator[Ground]:
    """The ground, from nothing; taken down at the end."""
    folder = Path(tempfile.mkdtemp(prefix="zohosync-bench-"))
    try:
        with embedded_cluster(folder / "pg") as cluster:
            create_shop(cluster, "shop")
            async with await connect(cluster.url("shop", user="shop_owner")) as owner:
                await install(owner, worker_role=WORKER_ROLE, adapter="kn")
            async with (
                _simulator() as url,
                httpx.AsyncClient(base_url=url, timeout=60) as zoho,
                await connect(cluster.url("shop")) as shop,
            ):
                ground = Ground(cluster, "shop", url, zoho, Fernet.generate_key().decode(), shop)
                await _connect(ground)
                yield ground
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _connect(ground: Ground) -> None:
    await ground.zoho.post("/_sim/limits", json={"enabled": False})
    for module, label, unique in FIELDS:
        field = {"module": module, "label": label, "length": 64, "unique": unique}
        (await ground.zoho.post("/_sim/fields", json=field)).raise_for_status()
    async with open_services(ground.settings) as services:
        grant = (await ground.zoho.post("/_sim/grant", json={"kind": "code"})).json()
        await services.connect_with_code(
            client_id=grant["client_id"], client_secret=grant["client_secret"], code=grant["code"]
        )
        async with services.pool.connection() as connection:
            await go_live(connection, services.sources)


@asynccontextmanager
async def _simulator() -> AsyncIterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    command = (sys.executable, "-m", "zohosim", "--port", str(port))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as http, asyncio.timeout(30):
            while not await _answers(http, url):
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/_sim/clock")).is_success
    except httpx.TransportError:
        return False
