"""LISTEN on a connection of its own, with polling as the truth behind it."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta

import psycopg
import structlog

from zohosync.db.pool import connect, is_transaction_pooled
from zohosync.errors import ZohosyncError

log = structlog.get_logger()


class Listener:
    """Sets ``woken`` when one of the channels is notified; reconnects by itself.

    ``listening`` tells whether notifications can arrive: behind a transaction-mode pooler they cannot, and while
    reconnecting they do not. Whoever waits must therefore also look by itself from time to time.
    """

    def __init__(self, url: str, channels: Sequence[str]) -> None:
        self._url = url
        self._channels = channels
        self.woken = asyncio.Event()
        self.listening = False

    async def run(self) -> None:
        """Listen until cancelled."""
        if is_transaction_pooled(self._url):
            log.warning("listen.unavailable", reason="transaction-mode pooler: falling back to polling")
            return
        pause = 0.5
        while True:
            try:
                await self._listen()
            except (psycopg.Error, ZohosyncError) as error:
                log.warning("listen.lost", problem=str(error).strip())
            self.listening = False
            await asyncio.sleep(pause)
            pause = min(pause * 2, 15)

    async def _listen(self) -> None:
        async with await connect(self._url, application="zohosync-listen") as connection:
            for channel in self._channels:
                await connection.execute(f'listen "{channel}"'.encode())
            self.listening = True
            self.woken.set()  # what was notified while nobody listened
            async for _ in connection.notifies():
                self.woken.set()

    async def wait(self, longest: timedelta) -> None:
        """Return when woken or after ``longest``, whichever is first; the next wait starts afresh."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.woken.wait(), longest.total_seconds())
        self.woken.clear()
