"""What runs until it is told to stop: worker and clock, and web applications on ports."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import uvicorn

from zohosync.console.desk import Console
from zohosync.console.server import ConsoleServer
from zohosync.db.install import newest_version
from zohosync.db.listen import Listener
from zohosync.db.pool import DatabaseError
from zohosync.errors import SettingsRefused
from zohosync.store import workers
from zohosync.wiring import Services

LIVE_CHANNELS = ("zohosync_live",)
FIRST_BEAT = timedelta(seconds=1)
BEAT = timedelta(seconds=10)


async def work(services: Services, stop: asyncio.Event, limit: timedelta | None = None) -> None:
    """Run worker and clock until told to stop or until ``limit`` is over, then finish what runs."""
    hand, listener = services.worker()
    beside = [asyncio.create_task(listener.run()), asyncio.create_task(_be_seen(services, listener))]
    try:
        await run_together(stop, [hand.run(stop), services.clockwork().run(stop)], limit)
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


async def run_together(stop: asyncio.Event, jobs: list[Awaitable[None]], limit: timedelta | None = None) -> None:
    """Await all jobs. The first that ends, a stop or the limit stops all of them; an error is raised at the end."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    told = asyncio.create_task(stop.wait())
    try:
        seconds = limit.total_seconds() if limit else None
        await asyncio.wait({told, *tasks}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        told.cancel()
        await asyncio.gather(*tasks)


def console_of(services: Services) -> Console:
    """What the console is given: the parts the worker has, and a listener of its own."""
    listener = Listener(services.settings.require_database(), LIVE_CHANNELS)
    return Console(services.pool, services.settings, services.clock, listener, services.streams)


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
            hint="Choose another port, or 0 for any free one.",
        ) from error


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
