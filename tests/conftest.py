"""Real Postgres for every test that wants one: one embedded server a test process, one database a test."""

import asyncio
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from zohosync.db.install import install
from zohosync.db.pool import Connection, Pool, connect, open_pool
from zohosync.demo.embedded import Cluster, create_shop, embedded_cluster

REQUIRED = set(filter(None, os.environ.get("ZOHOSYNC_REQUIRE", "").split(",")))
WORKER_ROLE = "zohosync_worker"


def need(group: str, present: bool, reason: str) -> None:
    """Skip the test when its group is absent here, or fail where the group is required."""
    if present:
        return
    if group in REQUIRED:
        pytest.fail(f"{group} is required here, but {reason}")
    pytest.skip(f"{group} not run: {reason}")


@dataclass(frozen=True)
class Database:
    """One test's database, by the role that connects."""

    cluster: Cluster
    name: str

    @property
    def owner_url(self) -> str:
        return self.cluster.url(self.name, user="shop_owner")

    @property
    def worker_url(self) -> str:
        return self.cluster.url(self.name, user=WORKER_ROLE)

    @property
    def admin_url(self) -> str:
        return self.cluster.url(self.name)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The embedded Postgres 18 of this test process."""
    folder = Path(tempfile.mkdtemp(prefix="zohosync-test-"))
    try:
        with embedded_cluster(folder / "pg", durable=False) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster15() -> Iterator[Cluster]:
    """A Postgres 15 from Debian's binaries; the group ``pg15`` is not run where they are absent."""
    binaries = Path("/usr/lib/postgresql/15/bin")
    need("pg15", (binaries / "initdb").exists(), "Debian's postgresql 15 is not installed")
    folder = Path(tempfile.mkdtemp(prefix="zohosync-pg15-"))
    as_root = os.geteuid() == 0
    user = "postgres" if as_root else None
    if as_root:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    options = f"-c listen_addresses= -k {folder} -c fsync=off"
    run = {"check": True, "user": user, "stdout": subprocess.DEVNULL, "cwd": folder}
    subprocess.run([binaries / "initdb", "-A", "trust", "-U", "postgres", "-E", "utf8", "-D", data], **run)  # type: ignore[call-overload]
    subprocess.run([binaries / "pg_ctl", "-w", "-D", data, "-o", options, "-l", folder / "log", "start"], **run)  # type: ignore[call-overload]
    try:
        yield Cluster(str(folder), 5432, "postgres")
    finally:
        subprocess.run([binaries / "pg_ctl", "-w", "-D", data, "-m", "immediate", "stop"], **run)  # type: ignore[call-overload]
        shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count(1)


@pytest.fixture
def bare_shop(cluster: Cluster) -> Iterator[Database]:
    """A storefront without zohosync."""
    name = f"bare_{next(_numbers)}"
    create_shop(cluster, name)
    yield Database(cluster, name)
    cluster.administer(f"drop database {name} with (force)")


async def _install(url: str) -> None:
    connection = await connect(url)
    async with connection:
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """A database with storefront and zohosync, to copy from."""
    create_shop(cluster, "template_shop")
    asyncio.run(_install(cluster.url("template_shop", user="shop_owner")))
    return "template_shop"


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    """A storefront with zohosync installed, not live."""
    name = f"shop_{next(_numbers)}"
    cluster.administer(
        f"create database {name} template {template} owner shop_owner",
    )
    cluster.administer(
        "update zohosync.installation set database_identity ="
        " (select c.system_identifier || '/' || d.oid from pg_control_system() c, pg_database d"
        "   where d.datname = current_database())",
        database=name,
    )
    yield Database(cluster, name)
    cluster.administer(f"drop database {name} with (force)")


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    """The worker's connections to ``database``."""
    async with open_pool(database.worker_url, size=6) as opened:
        yield opened


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[Connection]:
    """One connection as the worker's role."""
    async with await connect(database.worker_url) as connection:
        yield connection


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Connection]:
    """One connection as the owner of the shop's tables."""
    async with await connect(database.owner_url) as connection:
        yield connection


async def as_role(database: Database, role: str, user_id: str = "") -> Connection:
    """A connection that acts as PostgREST does for ``role``: set role, with the signed-in user's id in the claims."""
    connection = await AsyncConnection.connect(database.admin_url, autocommit=True, row_factory=dict_row)
    await connection.execute("select set_config('request.jwt.claim.sub', %s, false)", (user_id,))
    await connection.execute(f"set role {role}".encode())
    return connection
