"""The page Prometheus reads: what this process counted, and one look at the database that several readers share."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from importlib.metadata import version
from typing import NamedTuple

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from zohosync.clock import Clock
from zohosync.errors import ZohosyncError
from zohosync.metrics.shared import families, gauge
from zohosync.metrics.tally import Tally
from zohosync.store.measures import Measures

log = structlog.get_logger()

FRESH = timedelta(seconds=5)
"""So long one look at the database serves every reader, however many there are."""

Look = Callable[[], Awaitable[Measures]]


class Answer(NamedTuple):
    """What a reader gets, whatever the server."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str]


class Metrics:
    """All metrics of one process. ``look`` reads the shared ones; ``limits`` are credits a day by product."""

    def __init__(self, look: Look, clock: Clock, *, limits: Mapping[str, int], fresh: timedelta = FRESH) -> None:
        self._look = look
        self._clock = clock
        self._fresh = fresh.total_seconds()
        self._registry = CollectorRegistry()
        self.tally = Tally(self._registry, clock, version=version("zohosync"))
        self._shared = _Shared(limits)
        self._registry.register(self._shared)
        self._looking = asyncio.Lock()
        self._looked_at: float | None = None

    async def page(self) -> bytes:
        """Every metric in Prometheus' text format. Without the database, what this process knows by itself."""
        async with self._looking:
            now = self._clock.monotonic()
            if self._looked_at is None or now - self._looked_at >= self._fresh:
                self._shared.measures = await self._measures()
                self._looked_at = self._clock.monotonic()
            self._shared.age = self._clock.monotonic() - self._looked_at
            return generate_latest(self._registry)

    async def answer(self, authorization: str | None, token: str | None) -> Answer:
        """The page for whoever shows the token; for everybody when ``token`` is None."""
        if token is not None and not hmac.compare_digest((authorization or "").encode(), f"Bearer {token}".encode()):
            return _refusal(401, "Show the token of ZOHOSYNC_METRICS_TOKEN as a bearer token.")
        return Answer(200, CONTENT_TYPE_LATEST, await self.page(), {})

    async def _measures(self) -> Measures | None:
        try:
            return await self._look()
        except ZohosyncError as error:
            log.warning("metrics.database", code=error.reason, problem=error.message)
            return None


def switched_off() -> Answer:
    """What a console without a token answers."""
    return _refusal(404, "Metrics are off. Set ZOHOSYNC_METRICS_TOKEN to switch them on.")


def _refusal(status: int, words: str) -> Answer:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Answer(status, "text/plain; charset=utf-8", f"{words}\n".encode(), headers)


class _Shared(Collector):
    """The last look at the database."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self.measures: Measures | None = None
        self.age = 0.0

    def describe(self) -> Iterator[Metric]:
        """Nothing: names of the shared metrics never meet those of the process."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        up = self.measures is not None
        yield gauge("zohosync_database_up", "1 when the last look at the database was answered, else 0.", up)
        yield gauge("zohosync_look_age_seconds", "Age of that look, in seconds; readers share it.", self.age)
        if self.measures is not None:
            yield from families(self.measures, self._limits)
