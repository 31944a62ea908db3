"""The courier of Books: carries webhooks out, never, once, twice, late or in the wrong order.

An address on loopback really gets them over HTTP; all of them lie in the outbox, too. At most one try is made, as
without a retry policy. https://www.zoho.com/books/help/settings/automation/
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from zohosim.answers import Json
from zohosim.clock import Clock

MODES = ("none", "once", "duplicated", "out_of_order", "delayed")
PATIENCE = 5.0
"""Seconds a receiver has to answer."""
SLACK = 0.01
"""Seconds by which the loop looks later than a delay, since its clock is not the one deliveries are due by."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to somebody outside. `entity`, `event` and `id` are for the outbox alone: Zoho does not tell them."""

    url: str
    method: str
    headers: dict[str, str]
    content: bytes
    entity: str
    event: str
    id: str
    rule: str

    def entry(self) -> Json:
        """As the outbox shows it. `status` is the receiver's, or None: not sent over HTTP, or no answer."""
        return {
            "notify_url": self.url, "method": self.method, "headers": self.headers, "body": self.content.decode(),
            "entity": self.entity, "event": self.event, "id": self.id, "rule": self.rule, "status": None,
        }  # fmt: skip


def on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Courier:
    """`delay` counts in `delayed` mode, in seconds of the simulated clock. Out of order swaps each two."""

    def __init__(self, clock: Clock, outbox: deque[Json]) -> None:
        self.clock = clock
        self.outbox = outbox
        self.mode = "once"
        self.delay = 0.0
        self._held: Delivery | None = None
        self._waiting: deque[tuple[float, Delivery]] = deque()
        self._queue: deque[tuple[Delivery, Json]] = deque()
        self._walk: asyncio.Task[None] | None = None

    @property
    def underway(self) -> int:
        """Handed in, and not sent yet."""
        return len(self._waiting) + len(self._queue) + (self._held is not None)

    def set(self, mode: str, delay: float = 0.0) -> None:
        """ValueError for a mode that does not exist."""
        if mode not in MODES:
            raise ValueError(f"delivery must be one of {', '.join(MODES)}")
        self.mode, self.delay = mode, delay

    def take(self, delivery: Delivery) -> None:
        """Carry one out as the mode says."""
        if self.mode == "delayed":
            self._wait(delivery)
        elif self.mode == "out_of_order" and self._held is None:
            self._held = delivery
        elif self.mode != "none":
            self._send(delivery, copies=2 if self.mode == "duplicated" else 1)
            self._release()

    def pump(self, *, everything: bool = False) -> None:
        """Send what is due, or all there is."""
        now = self.clock.now()
        while self._waiting and (everything or self._waiting[0][0] <= now):
            self._send(self._waiting.popleft()[1])
        if everything:
            self._release()

    async def settled(self) -> None:
        """Once everything that was sent over HTTP has been answered, or not."""
        if self._walk is not None:
            await self._walk

    def _wait(self, delivery: Delivery) -> None:
        self._waiting.append((self.clock.now() + self.delay, delivery))
        loop = running_loop()
        if loop is not None:
            loop.call_later(self.delay + SLACK, self.pump)

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._send(held)

    def _send(self, delivery: Delivery, copies: int = 1) -> None:
        loop = running_loop() if on_loopback(delivery.url) else None
        for _ in range(copies):
            entry = delivery.entry()
            self.outbox.append(entry)
            if loop is not None:
                self._queue.append((delivery, entry))
        if loop is not None and (self._walk is None or self._walk.done()):
            self._walk = loop.create_task(self._deliver())

    async def _deliver(self) -> None:
        """One after the other, so that only the mode decides their order."""
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            while self._queue:
                delivery, entry = self._queue.popleft()
                entry["status"] = await knock(http, delivery)


async def knock(http: httpx.AsyncClient, delivery: Delivery) -> int | None:
    """The receiver's status, or None when nobody is there."""
    try:
        answer = await http.request(
            delivery.method, delivery.url, content=delivery.content, headers=delivery.headers
        )  # fmt: skip
    except httpx.HTTPError:
        return None
    return answer.status_code


def running_loop() -> asyncio.AbstractEventLoop | None:
    """None when the simulator is used without a server: then nothing is sent, and the outbox tells all."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
