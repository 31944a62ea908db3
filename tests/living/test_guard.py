"""A worker that runs while its database changes under it: a newer schema, another identity, no zohosync any more."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from conftest import Database
from living.processes import House, ended, open_house, simulator
from stage import open_stage
from zohosync.clock import SystemClock
from zohosync.errors import ForeignCopy, SchemaMismatch, SettingsRefused, ZohosyncError
from zohosync.running import work

CUSTOMER = "insert into users (email, first_name, last_name) values ('customer@example.com', 'Demo', 'Customer')"
NEWER = "insert into zohosync.schema_migration (version, name) values (9999, 'of tomorrow')"


class HastyClock(SystemClock):
    """Beats a hundred times as fast."""

    async def sleep(self, duration: timedelta) -> None:
        await super().sleep(duration / 100)


@pytest.mark.process
async def test_a_worker_that_sees_a_newer_schema_finishes_what_runs_and_ends_with_5(database: Database) -> None:
    async with simulator() as zoho, open_house(database, zoho) as house:
        worker = await house.started("worker", call_timeout="15", visibility_timeout="60")
        await zoho.post("/_sim/latency", json={"seconds": 5})
        await house.shop.execute(CUSTOMER)
        await house.wait_for("select from zohosync.operation where status = 'running'")
        await house.shop.execute(NEWER)
        end = await ended(worker)
        assert end.code == 5, end.errors
        assert "schema version 9999" in end.errors
        assert "Start the newer release of zohosync." in end.errors
        assert "Traceback" not in end.errors
        # The first one: the catch-up scan may have asked for another look while the write-back was on its way.
        first = await house.fetch("select status::text from zohosync.operation order by operation_id limit 1")
        assert first == [{"status": "succeeded"}]
        await is_quiet_now(house, zoho)


async def is_quiet_now(house: House, zoho: httpx.AsyncClient) -> None:
    """The row of the worker is gone, and a new one is refused before it claims anything."""
    assert not await house.fetch("select from zohosync.worker")
    await house.shop.execute(CUSTOMER.replace("customer@", "second@"))
    assert (await house.run("worker", "--for", "5s")).code == 5
    assert len(await house.fetch("select from pgmq.q_zohosync_changes")) == 1


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        (NEWER, SchemaMismatch),
        ("delete from zohosync.installation", SchemaMismatch),
        ("drop schema zohosync cascade", SchemaMismatch),
        ("update zohosync.installation set database_identity = 'elsewhere/1'", ForeignCopy),
        ("update zohosync.installation set zoho = 'live'", SettingsRefused),
    ],
)
async def test_whatever_forbids_a_start_ends_a_run(
    database: Database, event: str, refusal: type[ZohosyncError]
) -> None:
    async with open_stage(database, clock=HastyClock()) as stage:
        working = asyncio.create_task(work(stage.services, asyncio.Event()))
        await asyncio.sleep(0.2)
        assert not working.done()
        await stage.shop.execute(event.encode())
        with pytest.raises(refusal) as refused:
            await asyncio.wait_for(working, 30)
        assert refused.value.hint


async def test_a_database_that_is_away_ends_nothing(database: Database) -> None:
    async with open_stage(database, clock=HastyClock()) as stage:
        stop = asyncio.Event()
        working = asyncio.create_task(work(stage.services, stop))
        database.cluster.administer(f"alter database {database.name} allow_connections false")
        database.cluster.administer(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database.name}'"
        )
        await asyncio.sleep(0.5)
        database.cluster.administer(f"alter database {database.name} allow_connections true")
        await asyncio.sleep(0.5)
        assert not working.done()
        stop.set()
        await asyncio.wait_for(working, 60)
