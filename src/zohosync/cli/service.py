"""Commands that run until they are told to stop: worker and clock, console, or all of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Annotated

import structlog
import typer

from zohosync.cli import screen
from zohosync.cli.logging import configure_logging
from zohosync.cli.people import offer_first_admin
from zohosync.cli.signals import stopping
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address
from zohosync.metrics.endpoint import create_endpoint
from zohosync.metrics.pulse import Pulse
from zohosync.running import console_of, serve, serve_console, work
from zohosync.wiring import Services, open_services

log = structlog.get_logger()


def read_duration(text: str) -> timedelta:
    """``55s``, ``10m``, ``2h``, or seconds."""
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], text[-1:]) if text[-1:] in units else (text, "s")
    try:
        seconds = float(number) * units[unit]
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 10**7:
        raise typer.BadParameter(f"{text!r} is not a duration; write 55s, 10m or 2h")
    return timedelta(seconds=seconds)


For = Annotated[
    timedelta | None,
    typer.Option(
        "--for",
        parser=read_duration,
        metavar="DURATION",
        help="Work for so long (55s, 10m), finish what runs, and exit with 0: for cron.",
        show_default=False,
    ),
]


def run(limit: For = None) -> None:
    """Run worker, clock and console; with --for worker and clock only."""
    _start(working=True, console=limit is None, limit=limit)


def worker(limit: For = None) -> None:
    """Run a worker and the clock, without the console. Any number may run, on any number of machines."""
    _start(working=True, console=False, limit=limit, endpoint=True)


def web() -> None:
    """Run the console alone."""
    _start(working=False, console=True, limit=None)


def _start(*, working: bool, console: bool, limit: timedelta | None, endpoint: bool = False) -> None:
    settings = load_settings()
    configure_logging(settings.log_format)
    check_address(settings.require_database())
    asyncio.run(_serve(settings, working=working, console=console, limit=limit, endpoint=endpoint))


async def _serve(settings: Settings, *, working: bool, console: bool, limit: timedelta | None, endpoint: bool) -> None:
    with stopping() as stop:
        async with AsyncExitStack() as stack:
            services = await stack.enter_async_context(open_services(settings))
            if console:
                await stack.enter_async_context(_console(services))
            if endpoint and settings.metrics_port is not None:
                await stack.enter_async_context(_endpoint(services, stop, settings.metrics_port))
            if working:
                structlog.contextvars.bind_contextvars(worker=services.name)  # for every line from here on
                log.info("worker.started", live_since=str(services.installation.live_since))
                await work(services, stop, limit)
            else:
                await stop.wait()
            log.info("stopping")


@asynccontextmanager
async def _endpoint(services: Services, stop: asyncio.Event, port: int) -> AsyncIterator[None]:
    """What machines ask a worker; it answers until the worker has wound down."""
    settings = services.settings
    pulse = Pulse(services.metrics.tally, services.clock, stop, poll=settings.poll_interval)
    app = create_endpoint(services.pool, settings, services.metrics, pulse)
    async with serve(app, host=settings.metrics_host, port=port) as address:
        log.info("endpoint.started", at=address)
        yield


@asynccontextmanager
async def _console(services: Services) -> AsyncIterator[None]:
    async with serve_console(console_of(services)) as address:
        public = services.settings.console_url or address
        screen.show(f"Console: {public.rstrip('/')}/")
        async with services.pool.connection() as connection:
            await offer_first_admin(connection, public)
        yield
