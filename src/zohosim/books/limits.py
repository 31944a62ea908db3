"""The limits of Books: calls per day, per minute and at once for each organisation; floods of each user.

https://www.zoho.com/books/api/v3/introduction/#api-call-limit
"""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zohosim.books.answers import BooksRefused, flooded, too_many
from zohosim.clock import Clock
from zohosim.limits import MINUTES_PER_DAY, Limits
from zohosim.switches import Switches

INDIA = 5.5 * 3600
FLOOD_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls of a day, and at once."""

    calls: int
    concurrency: int


PLANS: dict[str, Plan] = {
    "free": Plan(1_000, 5),
    "standard": Plan(2_000, 10),
    "professional": Plan(5_000, 10),
    "premium": Plan(10_000, 10),
    "elite": Plan(10_000, 10),
    "ultimate": Plan(10_000, 10),
}


class Minute:
    """The calls of the present minute: of the last sixty seconds, or since the clock's last full minute.

    Nobody outside Zoho knows which of the two windows it counts by, so it is the switch `books_minute_window`.
    """

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self.clock = clock
        self.switches = switches
        self.busiest = 0
        self._calls: deque[float] = deque()

    def count(self) -> int:
        while self._calls and self._over(self._calls[0]):
            self._calls.popleft()
        return len(self._calls)

    def _over(self, instant: float) -> bool:
        now, minute = self.clock.now(), self.clock.minutes(1)
        if self.switches["books_minute_window"] == "fixed":
            return instant // minute < now // minute
        return instant <= now - minute

    def add(self) -> None:
        self._calls.append(self.clock.now())
        self.busiest = max(self.busiest, self.count())

    def note_refused(self) -> None:
        """A call that was refused lengthens the block only when the switch says so."""
        if self.switches["books_refused_calls_count"]:
            self._calls.append(self.clock.now())


class Tally:
    """What a bench reads afterwards: the most calls at once, and how many were refused by each limit."""

    def __init__(self) -> None:
        self.most_at_once = 0
        self.refused: Counter[int] = Counter()

    def refuse(self, code: int, *, most: int = 0, headers: dict[str, str] | None = None) -> BooksRefused:
        self.refused[code] += 1
        return too_many(code, most=most, headers=headers)


class BooksLimits:
    """What one organisation has used. `calls` overrides the plan's daily number; `general` switches all limits off.

    The day ends at midnight of India and starts anew as a whole: it does not roll.
    """

    def __init__(self, clock: Clock, general: Limits, switches: Switches, plan: str) -> None:
        self.clock = clock
        self.general = general
        self.plan = plan
        self.calls: int | None = None
        self.per_minute = 100
        self.used = 0
        self._day = self._today()
        self.minute = Minute(clock, switches)
        self.tally = Tally()
        self._flying = 0

    def forget_peaks(self) -> None:
        """Begin a new measurement; the calls of the present minute still count."""
        self.minute.busiest = self.minute.count()
        self.tally = Tally()

    @property
    def allowance(self) -> int:
        return PLANS[self.plan].calls if self.calls is None else self.calls

    def _today(self) -> int:
        return int((self.clock.now() + INDIA) // self.clock.minutes(MINUTES_PER_DAY))

    def _turn_page(self) -> None:
        if self._day != self._today():
            self._day, self.used = self._today(), 0

    def seconds_left(self) -> int:
        """Until the day's calls start anew."""
        day = self.clock.minutes(MINUTES_PER_DAY)
        return int(day - (self.clock.now() + INDIA) % day)

    @contextmanager
    def flight(self, _client_id: str, _heavy: bool) -> Iterator[None]:
        if self.general.enabled and self._flying >= PLANS[self.plan].concurrency:
            raise self.tally.refuse(1070, headers=self.headers())
        self._flying += 1
        self.tally.most_at_once = max(self.tally.most_at_once, self._flying)
        try:
            yield
        finally:
            self._flying -= 1

    def check(self, cost: int) -> None:
        """The minute is counted here, the day once the call was made; what is refused counts for neither."""
        self._turn_page()
        if self.general.enabled and self.used + cost > self.allowance:
            raise self.tally.refuse(45, most=self.allowance, headers=self.headers())
        if self.general.enabled and self.minute.count() >= self.per_minute:
            self.minute.note_refused()
            raise self.tally.refuse(44, headers=self.headers())
        self.minute.add()

    def spend(self, cost: int) -> None:
        self.used += cost

    def headers(self) -> dict[str, str]:
        """The day's quota; there is no header for the minute."""
        if not self.general.enabled:
            return {}
        left = max(self.allowance - self.used, 0)
        names = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")
        return dict(zip(names, map(str, (self.allowance, left, self.seconds_left())), strict=True))


class FloodGuard:
    """Blocks a user for an hour who calls far too often what belongs to no organisation."""

    def __init__(self, clock: Clock, general: Limits, switches: Switches) -> None:
        self.clock = clock
        self.general = general
        self.per_minute = 800
        self.minute = Minute(clock, switches)
        self._until = 0.0

    @contextmanager
    def flight(self, _client_id: str, _heavy: bool) -> Iterator[None]:
        yield

    def check(self, _cost: int) -> None:
        now, rest = self.clock.now(), self.clock.minutes(FLOOD_MINUTES)
        if self.general.enabled and now < self._until:
            raise flooded(self._until - now)
        if self.general.enabled and self.minute.count() >= self.per_minute:
            self._until = now + rest
            raise flooded(rest)
        self.minute.add()

    def spend(self, cost: int) -> None:
        """Nothing: these calls belong to no organisation's day."""

    def headers(self) -> dict[str, str]:
        return {}
