"""Liveness: from the database's notification to every open page, and its end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from conftest import Database
from console.stage import STREAMS, Person, add_user
from zohosync.clock import SystemClock
from zohosync.config import Settings
from zohosync.console.app import Console
from zohosync.console.live import Broadcaster
from zohosync.console.server import ConsoleServer
from zohosync.db.listen import Listener
from zohosync.db.pool import Connection, Pool
from zohosync.store.users import Role, open_session

PATIENCE = 20


async def next_named(events: AsyncIterator[bytes], name: str) -> bytes:
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if f"event: {name}\n".encode() in event:
                return event
    raise AssertionError("the stream ended")


async def until_mode(broadcaster: Broadcaster, mode: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while broadcaster.mode != mode:
            await asyncio.sleep(0.01)


@pytest.fixture
async def broadcaster(database: Database) -> AsyncIterator[Broadcaster]:
    made = Broadcaster(Listener(database.worker_url, ["zohosync_live"]), SystemClock())
    running = asyncio.create_task(made.run())
    await until_mode(made, "live")
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_one_notification_reaches_every_open_page(broadcaster: Broadcaster, worker: Connection) -> None:
    pages = [broadcaster.events() for _ in range(3)]
    for page in pages:
        assert b"data: live" in await next_named(page, "mode")
    waiting = [asyncio.create_task(next_named(page, "changed")) for page in pages]
    await worker.execute("select pg_notify('zohosync_live', '')")
    assert await asyncio.gather(*waiting) == [b"event: changed\ndata: \n\n"] * 3


async def test_a_burst_is_told_once(broadcaster: Broadcaster, worker: Connection) -> None:
    page = broadcaster.events()
    await next_named(page, "mode")
    told = asyncio.create_task(next_named(page, "changed"))
    for _ in range(50):
        await worker.execute("select pg_notify('zohosync_live', '')")
    await told
    more = asyncio.create_task(anext(page))
    done, _ = await asyncio.wait([more], timeout=1)
    heard = len(done)
    more.cancel()
    assert heard <= 1, "fifty notifications make one event, or two when they straddle its end"


async def test_without_a_listener_pages_are_told_to_poll() -> None:
    page = Broadcaster(None, SystemClock()).events()
    assert b"data: polling" in await next_named(page, "mode")


async def test_behind_a_transaction_pooler_pages_are_told_to_poll() -> None:
    pooled = Listener("postgresql://nobody@pooler.example:6543/postgres", ["zohosync_live"])
    broadcaster = Broadcaster(pooled, SystemClock())
    running = asyncio.create_task(broadcaster.run())
    assert b"data: polling" in await next_named(broadcaster.events(), "mode")
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_silence_is_broken_by_a_heartbeat_and_polling_by_a_look(database: Database) -> None:
    moment = timedelta(milliseconds=5)
    listener = Listener(database.worker_url, ["zohosync_live"])
    listener.listening = True
    alive = Broadcaster(listener, SystemClock(), heartbeat=moment)
    assert await next_named(alive.events(), "beat") == b"event: beat\ndata: \n\n"
    polling = Broadcaster(None, SystemClock(), poll=moment)
    assert await next_named(polling.events(), "changed")


async def test_a_lost_listener_is_told_and_so_is_its_return(database: Database) -> None:
    moment = timedelta(milliseconds=5)
    broadcaster = Broadcaster(
        Listener(database.worker_url, ["zohosync_live"]), SystemClock(), heartbeat=moment, poll=moment
    )
    running = asyncio.create_task(broadcaster.run())
    await until_mode(broadcaster, "live")
    page = broadcaster.events()
    assert b"data: live" in await next_named(page, "mode")
    database.cluster.administer(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'zohosync-listen'"
    )
    assert b"data: polling" in await next_named(page, "mode")
    assert b"data: live" in await next_named(page, "mode")
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_closing_ends_every_stream(broadcaster: Broadcaster) -> None:
    page = broadcaster.events()
    await next_named(page, "mode")
    ending = asyncio.create_task(anext(page, None))
    await asyncio.sleep(0)
    broadcaster.close()
    async with asyncio.timeout(PATIENCE):
        assert await ending is None


async def test_a_stopping_server_ends_its_streams_at_once(database: Database, pool: Pool) -> None:
    listener = Listener(database.worker_url, ["zohosync_live"])
    console = Console(pool, Settings(_env_file=None, console_port=0), SystemClock(), listener, STREAMS)
    async with pool.connection() as connection:
        user = await add_user(connection, Role.VIEWER)
        token = await open_session(connection, user.user_id, timedelta(hours=1))
    server = ConsoleServer(console)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE):
        while not server.started:
            await asyncio.sleep(0.01)
    async with (
        httpx.AsyncClient(base_url=server.url, cookies={"zohosync_session": token}, trust_env=False) as browser,
        browser.stream("GET", "/live") as stream,
    ):
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        began = asyncio.get_running_loop().time()
        server.should_exit = True
        async with asyncio.timeout(PATIENCE):
            async for _ in lines:
                pass
    await serving
    assert asyncio.get_running_loop().time() - began < 3
    assert server.force_exit is False


async def test_asking_only_for_the_headers_of_the_stream_ends(viewer: Person) -> None:
    answer = await viewer.browser.head("/live")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
