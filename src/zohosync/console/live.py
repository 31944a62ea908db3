"""Liveness: one listener for the process, fanned out to every open page by server-sent events.

An event says only "changed"; the page then fetches the partial it was built from, with its own rights.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from zohosync.clock import Clock
from zohosync.db.listen import Listener

DEBOUNCE = timedelta(milliseconds=250)
POLL = timedelta(seconds=5)
HEARTBEAT = timedelta(seconds=15)
RETRY_MILLISECONDS = 2000


class Broadcaster:
    """Tells every subscriber when something changed, at most once per DEBOUNCE."""

    def __init__(
        self,
        listener: Listener | None,
        clock: Clock,
        *,
        heartbeat: timedelta = HEARTBEAT,
        poll: timedelta = POLL,
    ) -> None:
        self._listener = listener
        self._clock = clock
        self._heartbeat = heartbeat
        self._poll = poll
        self._subscribers: set[asyncio.Event] = set()
        self._closing = asyncio.Event()

    @property
    def mode(self) -> str:
        """``live`` when the database tells us of changes, ``polling`` when pages must look by themselves."""
        return "live" if self._listener is not None and self._listener.listening else "polling"

    async def run(self) -> None:
        """Pass notifications on until cancelled."""
        if self._listener is None:
            return
        listening = asyncio.create_task(self._listener.run())
        try:
            while True:
                await self._listener.woken.wait()
                await self._clock.sleep(DEBOUNCE)
                self._listener.woken.clear()
                for subscriber in self._subscribers:
                    subscriber.set()
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    def close(self) -> None:
        """End every stream now: a server that stops waits for its responses to end."""
        self._closing.set()
        for subscriber in self._subscribers:
            subscriber.set()

    async def events(self) -> AsyncIterator[bytes]:
        """The wire format of one page's stream: a mode, then a change each time, and a heartbeat in silence."""
        changed = asyncio.Event()
        self._subscribers.add(changed)
        try:
            mode = self.mode
            yield f"retry: {RETRY_MILLISECONDS}\n\n".encode() + _event("mode", mode)
            while not self._closing.is_set():
                quiet = self._heartbeat if mode == "live" else self._poll
                woken = await self._wait(changed, quiet)
                if self._closing.is_set():
                    break
                if mode != self.mode:
                    mode = self.mode
                    yield _event("mode", mode)
                yield _event("changed", "") if woken or mode == "polling" else _event("beat", "")
        finally:
            self._subscribers.discard(changed)

    async def _wait(self, changed: asyncio.Event, longest: timedelta) -> bool:
        try:
            await asyncio.wait_for(changed.wait(), longest.total_seconds())
        except TimeoutError:
            return False
        changed.clear()
        return True


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()
