"""Simulated time: real time plus an offset, with minutes that can be shortened for quota windows."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

INDIA = timezone(timedelta(hours=5, minutes=30))


class Clock:
    """Tells the simulated instant as Unix seconds; `real` is the source of real Unix seconds.

    `minute_seconds` is how long one minute of a *quota window* lasts (60 unless a test or a bench
    shortens it). Lifetimes of tokens and codes are not scaled: `expires_in` stays what it says.
    """

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self.real = real
        self.offset = 0.0
        self.minute_seconds = 60.0
        self._stamped: tuple[int, str] = (-1, "")

    def now(self) -> float:
        return self.real() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def set(self, instant: float) -> None:
        self.offset = instant - self.real()

    def minutes(self, count: float) -> float:
        """Seconds that `count` minutes of a quota window last."""
        return count * self.minute_seconds

    def stamp(self) -> str:
        """Now, as Zoho writes it; kept for the current second because every record carries four of them."""
        second = int(self.now())
        if second != self._stamped[0]:
            self._stamped = (second, iso(second))
        return self._stamped[1]


def iso(instant: float) -> str:
    """Unix seconds as `2026-11-22T10:00:00+05:30`, the time zone of the simulated organisation."""
    return datetime.fromtimestamp(int(instant), INDIA).isoformat()


def read_iso(text: str) -> float | None:
    """Unix seconds of an ISO 8601 instant with any offset (none means UTC), or None if it is not one."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
