"""The budget of calls to Zoho in Postgres: one bucket for all processes on all machines.

https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
https://www.zoho.com/books/api/v3/introduction/#api-call-limit
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from zohosync.clock import Clock
from zohosync.db.pool import Pool, explain, fetch_one
from zohosync.errors import RateLimited

log = structlog.get_logger()

HEAVY_IN_FLIGHT = 10
"""CRM's sub-concurrency is the same for all editions; Books has none."""

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)

MESSAGES = {
    "day": "The day's API calls for Zoho are used up, or kept for sales.",
    "minute": "As many calls as Zoho allows per minute were made.",
    "concurrency": "Zoho has as many of our calls under way as it allows, or asked us to slow down.",
}


@dataclass(frozen=True)
class Usage:
    """What a page or a command may show. ``spent`` is of the last 24 hours, in credits, or of Books' day, in calls;
    ``paused_until`` is None when nothing pauses."""

    spent: int
    limit: int
    calls_today: int
    in_flight: int
    paused_until: datetime | None
    pause_reason: str


@dataclass(frozen=True)
class Allowance:
    """What may be asked of one product. ``daily_credits`` are CRM's credits, or plain calls of Books;
    ``sales_reserve`` of them are for priority sales alone; ``per_minute`` is None where Zoho has no such limit.
    ``minute_reserve`` of the minute and ``flight_reserve`` of the calls at once are for sales alone, too, so that an
    order of now passes a bulk job of thousands."""

    daily_credits: int
    in_flight: int
    sales_reserve: int = 0
    per_minute: int | None = None
    minute_reserve: int = 0
    flight_reserve: int = 0

    def for_priority(self, priority: str) -> "Allowance":
        """What is left to a priority; always at least one call at once and per minute."""
        if priority == "sales":
            return self
        return replace(
            self,
            daily_credits=self.daily_credits - self.sales_reserve,
            in_flight=max(1, self.in_flight - self.flight_reserve),
            per_minute=None if self.per_minute is None else max(1, self.per_minute - self.minute_reserve),
        )


class PostgresBudget:
    """The bucket. Its allowances, by product, must be the same in all processes."""

    def __init__(
        self,
        pool: Pool,
        allowances: Mapping[str, Allowance],
        *,
        minute: timedelta = timedelta(minutes=1),
        lease: timedelta = timedelta(seconds=90),
        clock: Clock | None = None,
    ) -> None:
        """``minute`` is shorter against a simulator that scales time; ``lease`` must outlast any call. ``clock`` None
        means the database's clock, which all machines share."""
        self._pool = pool
        self._allowances = allowances
        self._minute = minute
        self._lease = lease
        self._clock = clock

    async def take(self, *, organisation_id: str, product: str, cost: int, heavy: bool, priority: str) -> str:
        """A lease, in one round trip; RateLimited with its scope and when to ask again."""
        allowance = self._allowances[product].for_priority(priority)
        row = await self._fetch(
            "select lease, refused_by, retry_after from zohosync.budget_take("
            " %(organisation)s, %(product)s, %(cost)s::integer, %(heavy)s, %(day_limit)s::bigint,"
            " %(in_flight)s::integer, %(heavy_in_flight)s::integer, %(per_minute)s::integer, %(minute)s::interval,"
            " %(lease)s::interval, %(now)s::timestamptz)",
            {
                "organisation": organisation_id,
                "product": product,
                "cost": cost,
                "heavy": heavy,
                "day_limit": allowance.daily_credits,
                "in_flight": allowance.in_flight,
                "heavy_in_flight": HEAVY_IN_FLIGHT,
                "per_minute": allowance.per_minute,
                "minute": self._minute,
                "lease": self._lease,
                "now": self._now(),
            },
        )
        if row["lease"] is None:
            raise RateLimited(
                MESSAGES.get(row["refused_by"], "Zoho asks us to slow down."),
                hint="It continues by itself.",
                retry_after=row["retry_after"],
                scope=row["refused_by"],
            )
        return str(row["lease"])

    async def give_back(
        self,
        lease: str,
        *,
        organisation_id: str,
        product: str,
        cost: int,
        verdict: str,
        retry_after: timedelta | None,
        credits_left: int | None,
        ran_out: str | None = None,
    ) -> timedelta:
        """End the lease, in one round trip; how long everybody pauses now. ``ran_out`` is what Zoho said ran out,
        minute or day, and costs a second trip.

        A database that cannot be reached is logged only: Zoho's answer matters more, and the lease ends by itself.
        """
        try:
            row = await self._fetch(
                "select zohosync.budget_give_back(%(lease)s::uuid, %(organisation)s, %(product)s, %(cost)s::integer,"
                " %(verdict)s, %(retry_after)s::interval, %(credits_left)s::bigint, %(day_limit)s::bigint,"
                " %(first_pause)s::interval, %(longest_pause)s::interval, %(now)s::timestamptz) as pause",
                {
                    "lease": lease,
                    "organisation": organisation_id,
                    "product": product,
                    "cost": cost,
                    "verdict": verdict,
                    "retry_after": retry_after,
                    "credits_left": credits_left,
                    "day_limit": self._allowances[product].daily_credits,
                    "first_pause": FIRST_PAUSE,
                    "longest_pause": LONGEST_PAUSE,
                    "now": self._now(),
                },
            )
            if ran_out is not None:
                await self._name_pause(organisation_id, product, ran_out)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("budget.not_given_back", problem=str(explain(error)))
            return retry_after or FIRST_PAUSE if verdict == "limited" else timedelta(0)
        pause: timedelta = row["pause"]
        return pause

    async def _name_pause(self, organisation_id: str, product: str, reason: str) -> None:
        """So that everybody who is refused meanwhile reads what ran out; CRM does not tell, and it is guessed from how
        long it lasts."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update zohosync.budget_pause set reason = %(reason)s"
                " where organisation_id = %(organisation)s and product = %(product)s",
                {"reason": reason, "organisation": organisation_id, "product": product},
            )

    async def find_usage(self, organisation_id: str, product: str) -> Usage:
        """What is used and left."""
        row = await self._fetch(
            "with moment as (select coalesce(%(now)s::timestamptz, clock_timestamp()) as instant)"
            " select ceil(zohosync.budget_spent(%(organisation)s, %(product)s, instant)) as spent,"
            "  (select coalesce(sum(d.calls), 0) from zohosync.budget_day d where d.organisation_id = %(organisation)s"
            "     and d.product = %(product)s and d.day = zohosync.budget_today(%(product)s, instant)) as calls,"
            "  (select count(*) from zohosync.budget_lease l where l.organisation_id = %(organisation)s"
            "     and l.product = %(product)s and l.expires_at > instant) as in_flight,"
            "  p.until_at, p.reason"
            " from moment left join zohosync.budget_pause p on p.organisation_id = %(organisation)s"
            "  and p.product = %(product)s and p.until_at > instant",
            {"organisation": organisation_id, "product": product, "now": self._now()},
        )
        return Usage(
            spent=int(row["spent"]),
            limit=self._allowances[product].daily_credits,
            calls_today=int(row["calls"]),
            in_flight=row["in_flight"],
            paused_until=row["until_at"],
            pause_reason=row["reason"] or "",
        )

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()

    async def _fetch(self, query: str, parameters: dict[str, Any]) -> dict[str, Any]:
        async with self._pool.connection() as connection:
            row = await fetch_one(connection, query, parameters)
        assert row is not None
        return row
