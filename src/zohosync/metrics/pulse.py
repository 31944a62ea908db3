"""Whether a worker's loop goes round."""

import asyncio
from datetime import timedelta

from zohosync.clock import Clock
from zohosync.metrics.tally import Tally

POLLS = 6
SHORTEST = timedelta(seconds=60)
"""A turn may wait half a minute for a connection: that is no reason to restart anything."""


class Pulse:
    """Knows what hinders a worker's loop, from what its tally counts."""

    def __init__(
        self, tally: Tally, clock: Clock, stop: asyncio.Event, *, poll: timedelta, shortest: timedelta = SHORTEST
    ) -> None:
        self._tally = tally
        self._clock = clock
        self._stop = stop
        self._patience = max(poll * POLLS, shortest).total_seconds()
        self._began_at = clock.monotonic()

    def hindrance(self) -> str | None:
        """``stopping``, ``stalled`` when no turn ended for several polls, or None."""
        if self._stop.is_set():
            return "stopping"
        last = self._tally.turned_at if self._tally.turned_at is not None else self._began_at
        return "stalled" if self._clock.monotonic() - last > self._patience else None
