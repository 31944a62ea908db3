"""What runs until it is told to stop: worker and clock, and web applications on ports."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import uvicorn

from zohosync.console.desk import Console, ZohoDesk
from zohosync.console.server import ConsoleServer
from zohosync.db.install import newest_version
from zohosync.db.listen import Listener
from zohosync.db.pool import DatabaseError
from zohosync.errors import ForeignCopy, SchemaMismatch, SettingsRefused, ZohosyncError
from zohosync.queue.lanes import is_drained
from zohosync.store import workers
from zohosync.store.installation import check_installation
from zohosync.wiring import Services

LIVE_CHANNELS = ("zohosync_live",)
FIRST_BEAT = timedelta(seconds=1)
BEAT = timedelta(seconds=10)
DRAIN_LOOK = timedelta(seconds=0.5)


async def work(services: Services, stop: asyncio.Event, limit: timedelta | None = None) -> None:
    """Run worker and clock until told to stop, then finish what runs.

    With ``limit``, until it is over or nothing is left that is due before its end. Ends with SchemaMismatch or
    ForeignCopy when the database becomes one this program must not work on.
    """
    hand, listener = services.worker()
    clockwork = services.clockwork()
    watches: list[Awaitable[None]] = [_stay_allowed(services)]
    if limit is not None:
        await clockwork.wind()  # so that a job that never ran counts as due
        watches.append(_until_drained(services, limit))
    beside = [asyncio.create_task(listener.run()), asyncio.create_task(_be_seen(services, listener))]
    try:
        await run_together(stop, [hand.run(stop), clockwork.run(stop)], limit, watches)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        with contextlib.suppress(DatabaseError):
            async with services.pool.connection() as connection:
                await workers.leave(connection, name=services.name)


async def _be_seen(services: Services, listener: Listener) -> None:
    """Keep this worker's row fresh, so that ``zohosync status`` can tell who works and who fell silent."""
    pause = FIRST_BEAT  # by then it has begun to listen, or cannot
    while True:
        with contextlib.suppress(DatabaseError):  # work goes on unseen while the database is away
            async with services.pool.connection() as connection:
                await workers.be_seen(
                    connection, name=services.name, listening=listener.listening, schema_version=newest_version()
                )
        await services.clock.sleep(pause)
        pause = BEAT


async def _stay_allowed(services: Services) -> None:
    """Raise what forbids this program to go on: the schema became another release's, the database became a copy or
    somebody else's, or zohosync was uninstalled. Whoever started the process starts the right one in its place."""
    while True:
        await services.clock.sleep(BEAT)
        try:
            async with services.pool.connection() as connection:
                await check_installation(connection, zoho=services.settings.zoho)
        except (SchemaMismatch, ForeignCopy, SettingsRefused):
            raise
        except (DatabaseError, ZohosyncError):
            continue  # the database is away: the worker tells that itself


async def _until_drained(services: Services, limit: timedelta) -> None:
    """Return when nothing is left to do that would be due before the limit."""
    begun = services.clock.monotonic()
    while True:
        await services.clock.sleep(DRAIN_LOOK)
        left = begun + limit.total_seconds() - services.clock.monotonic()
        with contextlib.suppress(DatabaseError):
            async with services.pool.connection() as connection:
                if await is_drained(connection, timedelta(seconds=left)):
                    return


async def run_together(
    stop: asyncio.Event,
    jobs: Sequence[Awaitable[None]],
    limit: timedelta | None = None,
    watches: Sequence[Awaitable[None]] = (),
) -> None:
    """Await all jobs. The first that ends, a stop or the limit stops all of them; an error is raised at the end.

    ``watches`` may end the jobs as well; they do not hear of a stop and are cancelled at the end.
    """
    tasks = [asyncio.ensure_future(job) for job in jobs]
    watching = [asyncio.ensure_future(watch) for watch in watches]
    told = asyncio.create_task(stop.wait())
    try:
        seconds = limit.total_seconds() if limit else None
        await asyncio.wait({told, *tasks, *watching}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        for task in (told, *watching):
            task.cancel()
        # All of them: what one has begun is finished even when another one failed.
        ended = await asyncio.gather(*tasks, *watching, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception):
            raise result


def console_of(services: Services) -> Console:
    """What the console is given: the parts the worker has, and a listener of its own."""
    listener = Listener(services.settings.require_database(), LIVE_CHANNELS)
    return Console(
        services.pool,
        services.settings,
        services.clock,
        listener,
        services.streams,
        metrics=services.metrics,
        zoho=ZohoDesk(services.connector, services.crm, services.books_desk),
    )


class _Unsignalled(uvicorn.Server):
    """Signals belong to the command, not to one of the servers it runs."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _AppServer(_Unsignalled):
    """Any ASGI application."""


class _ConsoleServer(_Unsignalled, ConsoleServer):
    """The console."""


def serve(app: Any, *, host: str = "127.0.0.1", port: int = 0) -> AbstractAsyncContextManager[str]:
    """A block in which ``app`` answers at the address yielded. Port 0 picks a free one."""
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
    return _running(_AppServer(config), host, port)


def serve_console(console: Console) -> AbstractAsyncContextManager[str]:
    """The same for the console, at the host and port of its settings."""
    settings = console.settings
    return _running(_ConsoleServer(console), settings.console_host, settings.console_port)


@asynccontextmanager
async def _running(server: uvicorn.Server, host: str, port: int) -> AsyncIterator[str]:
    with _listen(host, port) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            # The socket listens already: a client that is early waits in its backlog.
            yield _address(listening)
        finally:
            server.should_exit = True
            await serving


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsRefused(
            f"Port {port} of {host} cannot be opened: {error.strerror}.",
            hint="Choose another port.",
        ) from error


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
