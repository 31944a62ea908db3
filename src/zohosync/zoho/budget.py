"""How much may be asked of Zoho, and when.

https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, TypeAlias

from zohosync.clock import Clock
from zohosync.errors import RateLimited

Priority: TypeAlias = Literal["sales", "people", "bulk"]
"""``sales`` may use the day's reserve; the others may not."""

Verdict: TypeAlias = Literal["answered", "limited", "failed", "unsent"]
"""How a call ended for the budget. ``unsent`` gives its credits back; ``answered`` ends the growth of pauses."""

FIRST_DELAY = timedelta(milliseconds=20)
LONGEST_DELAY = timedelta(milliseconds=500)


@dataclass(frozen=True)
class Demand:
    """One call's share: ``cost`` in credits, ``heavy`` when it counts for Zoho's sub-concurrency."""

    organisation_id: str
    product: str
    cost: int
    heavy: bool
    priority: Priority


@dataclass(frozen=True)
class Feedback:
    """What the answer taught. ``retry_after``, ``credits_left`` and ``ran_out`` (minute or day) are None when Zoho did
    not say."""

    verdict: Verdict
    retry_after: timedelta | None = None
    credits_left: int | None = None
    ran_out: str | None = None


class Budget(Protocol):
    """One bucket per organisation and product for all processes; ``store.budget.PostgresBudget`` is the real one."""

    async def take(self, *, organisation_id: str, product: str, cost: int, heavy: bool, priority: Priority) -> str:
        """A lease to be given back; RateLimited(scope minute, day or concurrency) when there is nothing to give."""
        ...

    async def give_back(
        self,
        lease: str,
        *,
        organisation_id: str,
        product: str,
        cost: int,
        verdict: Verdict,
        retry_after: timedelta | None,
        credits_left: int | None,
        ran_out: str | None = None,
    ) -> timedelta:
        """End the lease; answers how long everybody pauses now, zero when nobody does."""
        ...


class Unlimited:
    """A budget without limits: for one-off commands before an organisation is known, and for tests."""

    async def take(self, *, organisation_id: str, product: str, cost: int, heavy: bool, priority: Priority) -> str:
        return f"{organisation_id}/{product}/{priority}/{cost}/{heavy}"

    async def give_back(
        self,
        lease: str,  # noqa: ARG002
        *,
        organisation_id: str,  # noqa: ARG002
        product: str,  # noqa: ARG002
        cost: int,  # noqa: ARG002
        verdict: Verdict,
        retry_after: timedelta | None,
        credits_left: int | None,  # noqa: ARG002
        ran_out: str | None = None,  # noqa: ARG002
    ) -> timedelta:
        return (retry_after or timedelta(seconds=2)) if verdict == "limited" else timedelta(0)


async def take_patiently(budget: Budget, demand: Demand, clock: Clock, patience: timedelta) -> str:
    """A lease. A full house empties within a call's time, and a minute is told to the moment a place comes free: both
    are waited for, if that takes no longer than the patience; every other refusal surfaces at once."""
    delay, left = FIRST_DELAY, patience
    while True:
        try:
            return await _take(budget, demand)
        except RateLimited as error:
            rest = _rest(error, delay)
            if rest is None or rest > left:
                raise
        await clock.sleep(rest)
        left -= rest
        delay = min(delay * 2, LONGEST_DELAY)


def _rest(refused: RateLimited, delay: timedelta) -> timedelta | None:
    """How long to wait before asking again; None when it is not worth waiting here."""
    if refused.scope == "minute":
        return max(refused.retry_after, FIRST_DELAY)
    return delay if refused.scope == "concurrency" and refused.retry_after <= LONGEST_DELAY else None


async def _take(budget: Budget, demand: Demand) -> str:
    return await budget.take(
        organisation_id=demand.organisation_id,
        product=demand.product,
        cost=demand.cost,
        heavy=demand.heavy,
        priority=demand.priority,
    )


async def settle(budget: Budget, lease: str, demand: Demand, feedback: Feedback) -> timedelta:
    """Give the lease back with what the answer taught; how long everybody pauses now."""
    return await budget.give_back(
        lease,
        organisation_id=demand.organisation_id,
        product=demand.product,
        cost=demand.cost,
        verdict=feedback.verdict,
        retry_after=feedback.retry_after,
        credits_left=feedback.credits_left,
        ran_out=feedback.ran_out,
    )
