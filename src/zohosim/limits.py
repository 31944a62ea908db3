"""The limits of an organisation: credits in a rolling day, calls in flight.

https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
"""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zohosim.answers import Refused
from zohosim.clock import Clock

MINUTES_PER_DAY = 24 * 60
HEAVY_CALLS = 10


@dataclass(frozen=True, slots=True)
class Edition:
    """Credits per rolling day are `base + per_user * users`, never above `cap` (None: no cap)."""

    base: int
    per_user: int
    cap: int | None
    concurrency: int
    custom_fields: int


EDITIONS: dict[str, Edition] = {
    "free": Edition(5_000, 0, 5_000, 5, 10),
    "standard": Edition(50_000, 250, 100_000, 10, 10),
    "professional": Edition(50_000, 500, 3_000_000, 15, 155),
    "enterprise": Edition(50_000, 1_000, 5_000_000, 20, 300),
    "ultimate": Edition(50_000, 2_000, None, 25, 500),
}


class Limits:
    """Counts what the organisation has used; `credits` overrides the edition's daily allowance."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.reset()

    def reset(self) -> None:
        self.enabled = True
        self.edition = "enterprise"
        self.users = 10
        self.credits: int | None = None
        self.used = 0
        self._spent: deque[tuple[float, int]] = deque()
        self._flying: Counter[str] = Counter()
        self._heavy: Counter[str] = Counter()

    @property
    def allowance(self) -> int:
        if self.credits is not None:
            return self.credits
        edition = EDITIONS[self.edition]
        total = edition.base + edition.per_user * self.users
        return total if edition.cap is None else min(total, edition.cap)

    def forget_old(self) -> None:
        horizon = self.clock.now() - self.clock.minutes(MINUTES_PER_DAY)
        while self._spent and self._spent[0][0] <= horizon:
            self.used -= self._spent.popleft()[1]

    @contextmanager
    def flight(self, client_id: str, heavy: bool) -> Iterator[None]:
        """Hold one slot for the length of a call; Refused (429) when none is free."""
        if self.enabled:
            self._refuse_crowding(client_id, heavy)
        self._flying[client_id] += 1
        self._heavy[client_id] += heavy
        try:
            yield
        finally:
            self._flying[client_id] -= 1
            self._heavy[client_id] -= heavy

    def _refuse_crowding(self, client_id: str, heavy: bool) -> None:
        most = EDITIONS[self.edition].concurrency
        if self._flying[client_id] >= most:
            raise too_many("Too many requests: the concurrency limit of the application is exceeded")
        if heavy and self._heavy[client_id] >= HEAVY_CALLS:
            raise too_many("Too many requests: the sub-concurrency limit is exceeded")

    def check(self, cost: int) -> None:
        self.forget_old()
        if self.enabled and self.used + cost > self.allowance:
            raise too_many("Too many requests: the API credits of the last 24 hours are exhausted")

    def spend(self, cost: int) -> None:
        self._spent.append((self.clock.now(), cost))
        self.used += cost

    def headers(self) -> dict[str, str]:
        """`X-API-CREDITS-REMAINING` appears only once half of the day's credits are gone."""
        if not self.enabled or self.used * 2 < self.allowance:
            return {}
        return {"X-API-CREDITS-REMAINING": str(max(self.allowance - self.used, 0))}


def too_many(message: str) -> Refused:
    """429 without Retry-After, as Zoho sends it."""
    return Refused(429, "TOO_MANY_REQUESTS", message)
