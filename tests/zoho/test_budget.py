"""One bucket for everybody."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import Database
from zoho.conftest import HandClock
from zohosync.db.pool import Connection, Pool, open_pool
from zohosync.errors import RateLimited
from zohosync.store.budget import Allowance, PostgresBudget
from zohosync.zoho.budget import Demand, Feedback, Unlimited, Verdict, settle, take_patiently

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEMAND = Demand("1", "crm", 1, heavy=False, priority="people")


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


def bucket(pool: Pool, clock: HandClock | None, **policy: Any) -> PostgresBudget:
    kept = {name: policy.pop(name) for name in ("minute", "lease") if name in policy}
    allowance = Allowance(**{"daily_credits": 1000, "in_flight": 5, **policy})
    return PostgresBudget(pool, {"crm": allowance, "books": allowance}, clock=clock, **kept)


async def take(budget: PostgresBudget, cost: int = 1, **more: Any) -> str:
    asked = {"organisation_id": "1", "product": "crm", "heavy": False, "priority": "people", **more}
    return await budget.take(cost=cost, **asked)


async def give(
    budget: PostgresBudget, lease: str, verdict: Verdict = "answered", retry_after: timedelta | None = None,
    credits_left: int | None = None, cost: int = 1, product: str = "crm",
) -> timedelta:  # fmt: skip
    demand = Demand("1", product, cost, heavy=False, priority="people")
    return await settle(budget, lease, demand, Feedback(verdict, retry_after, credits_left))


async def refusal(budget: PostgresBudget, cost: int = 1, **more: Any) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        await take(budget, cost, **more)
    return caught.value


# --- in flight


async def test_two_pools_never_have_more_in_flight_than_allowed(database: Database) -> None:
    flying: Counter[str] = Counter()
    refusals: set[str] = set()
    most = 0

    async def work(budget: PostgresBudget, seed: int) -> int:
        nonlocal most
        dice, got = random.Random(seed), 0
        for _ in range(15):
            try:
                lease = await take(budget)
            except RateLimited as error:
                refusals.add(error.scope)
                await asyncio.sleep(dice.uniform(0, 0.01))
                continue
            flying["now"] += 1
            most, got = max(most, flying["now"]), got + 1
            await asyncio.sleep(dice.uniform(0, 0.01))
            flying["now"] -= 1
            await give(budget, lease)
        return got

    async with open_pool(database.worker_url, size=4) as one, open_pool(database.worker_url, size=4) as two:
        workers = [work(bucket(pool, None, in_flight=3), n) for n in range(6) for pool in (one, two)]
        got = sum(await asyncio.gather(*workers))
        usage = await bucket(one, None).find_usage("1", "crm")
    assert most == 3
    assert refusals == {"concurrency"}
    assert got > 30
    assert (usage.in_flight, usage.spent, usage.calls_today) == (0, got, got)


async def test_leases_of_a_dead_process_end_by_themselves(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, in_flight=2, lease=timedelta(seconds=90))
    await take(budget)
    await take(budget)
    assert (await refusal(budget)).scope == "concurrency"
    clock.advance(timedelta(seconds=90))
    assert await take(budget)


async def test_heavy_calls_have_a_limit_of_their_own(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, in_flight=12)
    for _ in range(10):
        await take(budget, heavy=True)
    assert (await refusal(budget, heavy=True)).scope == "concurrency"
    assert await take(budget)


async def test_organisations_and_products_have_buckets_of_their_own(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, in_flight=1)
    await take(budget)
    assert await take(budget, organisation_id="2")
    assert await take(budget, product="books")


async def test_each_product_has_an_allowance_of_its_own(pool: Pool, clock: HandClock) -> None:
    allowances = {"crm": Allowance(1000, in_flight=3), "books": Allowance(2, in_flight=1, per_minute=90)}
    budget = PostgresBudget(pool, allowances, clock=clock)
    lease = await take(budget, product="books")
    assert (await refusal(budget, product="books")).scope == "concurrency"
    for _ in range(3):
        await take(budget)
    books = Demand("1", "books", 1, heavy=False, priority="people")
    await settle(budget, lease, books, Feedback("answered"))
    await settle(budget, await take(budget, product="books"), books, Feedback("answered"))
    assert (await refusal(budget, product="books")).scope == "day"
    usages = [await budget.find_usage("1", product) for product in ("crm", "books")]
    assert [(usage.spent, usage.limit) for usage in usages] == [(3, 1000), (2, 2)]


async def test_a_full_house_is_waited_for_with_growing_delays(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, in_flight=1, lease=timedelta(seconds=3))
    await take(budget)
    assert await take_patiently(budget, DEMAND, clock, timedelta(seconds=10))
    assert clock.slept == sorted(clock.slept)
    assert timedelta(seconds=3) <= sum(clock.slept, timedelta()) < timedelta(seconds=4)


async def test_a_house_that_stays_full_surfaces_in_the_end(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, in_flight=1, lease=timedelta(hours=1))
    await take(budget)
    with pytest.raises(RateLimited) as caught:
        await take_patiently(budget, DEMAND, clock, timedelta(seconds=2))
    assert caught.value.scope == "concurrency"
    assert sum(clock.slept, timedelta()) <= timedelta(seconds=2)


async def test_other_refusals_are_not_waited_for(pool: Pool, clock: HandClock) -> None:
    with pytest.raises(RateLimited):
        await take_patiently(bucket(pool, clock, daily_credits=0), DEMAND, clock, timedelta(seconds=10))
    assert clock.slept == []


async def test_delays_grow_and_never_exceed_the_patience(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, in_flight=1, lease=timedelta(hours=1))
    await take(budget)
    with pytest.raises(RateLimited):
        await take_patiently(budget, DEMAND, clock, timedelta(seconds=10))
    assert clock.slept[0] == timedelta(milliseconds=20)
    assert max(clock.slept) == timedelta(milliseconds=500)
    assert sum(clock.slept, timedelta()) <= timedelta(seconds=10)


# --- the day


async def test_the_days_credits_end_and_the_reserve_is_for_sales(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, daily_credits=100, sales_reserve=20)
    await give(budget, await take(budget, 80))
    refused = await refusal(budget)
    assert (refused.scope, refused.retry_after) == ("day", timedelta(hours=1))
    await give(budget, await take(budget, 20, priority="sales"))
    assert (await refusal(budget, priority="sales")).scope == "day"


async def test_yesterdays_credits_fall_due_bit_by_bit(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, daily_credits=100)
    await give(budget, await take(budget, 100))
    clock.advance(timedelta(hours=12))
    assert (await budget.find_usage("1", "crm")).spent == 100
    assert (await refusal(budget)).scope == "day"
    clock.advance(timedelta(hours=12))
    await give(budget, await take(budget, 50))
    assert (await refusal(budget, 1)).scope == "day"
    clock.advance(timedelta(hours=36))
    await take(budget, 80)


async def test_a_call_that_never_left_costs_nothing(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock)
    await give(budget, await take(budget, 10), "unsent", cost=10)
    usage = await budget.find_usage("1", "crm")
    assert (usage.spent, usage.calls_today) == (0, 0)


async def test_what_zoho_says_is_left_counts_because_others_spend_too(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, daily_credits=1000)
    await give(budget, await take(budget), credits_left=300)
    assert (await budget.find_usage("1", "crm")).spent == 700
    await give(budget, await take(budget), credits_left=900)
    assert (await budget.find_usage("1", "crm")).spent == 701


# --- the day of Books

EVENING = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
"""Half an hour before midnight of India."""


async def test_the_day_of_books_ends_at_midnight_of_india_as_a_whole(pool: Pool) -> None:
    clock = HandClock(EVENING)
    budget = bucket(pool, clock, daily_credits=100)
    await give(budget, await take(budget, 100, product="books"), product="books")
    refused = await refusal(budget, product="books")
    assert (refused.scope, refused.retry_after) == ("day", timedelta(minutes=30))
    clock.advance(refused.retry_after)
    await give(budget, await take(budget, 100, product="books"), product="books")
    usage = await budget.find_usage("1", "books")
    assert (usage.spent, usage.calls_today) == (100, 1)


async def test_the_day_of_books_goes_on_after_midnight_of_utc(pool: Pool) -> None:
    clock = HandClock(EVENING + timedelta(hours=5))
    budget = bucket(pool, clock, daily_credits=100)
    await give(budget, await take(budget, 100, product="books"), product="books")
    clock.advance(timedelta(hours=2))
    assert (await refusal(budget, product="books")).scope == "day"


@pytest.mark.parametrize("late_by", [timedelta(seconds=20), timedelta(minutes=30)])
async def test_what_was_left_before_midnight_says_nothing_of_the_new_day(pool: Pool, late_by: timedelta) -> None:
    clock = HandClock(EVENING + timedelta(minutes=30) - timedelta(seconds=10))
    budget = bucket(pool, clock)
    late = await take(budget, product="books")
    clock.advance(late_by)
    await give(budget, await take(budget, product="books"), product="books", credits_left=999)
    await give(budget, late, product="books", credits_left=2)
    assert (await budget.find_usage("1", "books")).spent == 1


# --- the minute


async def test_the_minute_is_a_sliding_one_and_can_be_scaled(pool: Pool, clock: HandClock) -> None:
    second = timedelta(seconds=1)
    budget = bucket(pool, clock, per_minute=9, minute=3 * second)
    sent: list[datetime] = []
    refusals: set[str] = set()
    for _ in range(200):
        try:
            await give(budget, await take(budget))
        except RateLimited as error:
            refusals.add(error.scope)
            clock.advance(error.retry_after)
        else:
            sent.append(clock.now())
            clock.advance(second / 50)
    densest = max(sum(start <= at < start + 3 * second for at in sent) for start in sent)
    assert refusals == {"minute"}
    assert densest == 9
    assert len(sent) > 0.95 * 9 * (sent[-1] - sent[0]) / (3 * second)


@pytest.mark.parametrize("window", ["sliding", "fixed"])
async def test_slow_calls_use_nearly_the_whole_rate_and_never_overrun_the_minute(
    pool: Pool, clock: HandClock, window: str
) -> None:
    """Zoho counts a call when it arrives, at any moment between its start and its end."""
    dice, minute, rate = random.Random(window), timedelta(minutes=1), 20
    budget = bucket(pool, clock, per_minute=rate, in_flight=5)
    arrived: list[datetime] = []
    flying: list[tuple[datetime, str]] = []
    began = clock.now()
    while clock.now() < began + 10 * minute:
        try:
            lease = await take(budget)
        except RateLimited as error:
            ends, _ = min(flying, default=(clock.now() + error.retry_after, ""))
            clock.instant = min(ends, clock.now() + error.retry_after)
        else:
            took = timedelta(seconds=dice.uniform(0.05, 2))
            arrived.append(clock.now() + took * dice.random())
            flying.append((clock.now() + took, lease))
        for ended in sorted(call for call in flying if call[0] <= clock.now()):
            flying.remove(ended)
            await give(budget, ended[1])
    arrived.sort()
    if window == "sliding":
        most = max(sum(at <= other < at + minute for other in arrived) for at in arrived)
    else:
        most = max(Counter((at - began) // minute for at in arrived).values())
    assert most <= rate
    assert len(arrived) >= 0.95 * rate * 10


async def test_an_order_passes_a_bulk_job_that_fills_the_minute(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, per_minute=20, minute_reserve=4)
    for _ in range(16):
        await give(budget, await take(budget, priority="bulk"))
    assert (await refusal(budget, priority="bulk")).scope == "minute"
    assert (await refusal(budget)).scope == "minute"
    for _ in range(4):
        await give(budget, await take(budget, priority="sales"))
    assert (await refusal(budget, priority="sales")).scope == "minute"


async def test_an_order_finds_a_place_among_the_calls_at_once_of_a_bulk_job(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, in_flight=5, flight_reserve=1)
    for _ in range(4):
        await take(budget, priority="bulk")
    assert (await refusal(budget, priority="bulk")).scope == "concurrency"
    assert await take(budget, priority="sales")


async def test_a_reserve_leaves_the_others_one_call_at_least(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, in_flight=1, flight_reserve=1, per_minute=1, minute_reserve=1)
    assert await take(budget, priority="bulk")


async def test_a_place_in_the_minute_is_waited_for_to_the_moment_it_comes_free(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, per_minute=1, minute=timedelta(seconds=6))
    await give(budget, await take(budget))
    clock.advance(timedelta(seconds=2))
    assert await take_patiently(budget, DEMAND, clock, timedelta(seconds=10))
    assert clock.slept == [timedelta(seconds=4)]


async def test_a_minute_that_takes_longer_than_the_patience_surfaces_at_once(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, per_minute=1)
    await give(budget, await take(budget))
    with pytest.raises(RateLimited) as caught:
        await take_patiently(budget, DEMAND, clock, timedelta(seconds=10))
    assert (caught.value.scope, caught.value.retry_after, clock.slept) == ("minute", timedelta(minutes=1), [])


async def test_a_call_that_never_left_takes_no_place_in_the_minute(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock, per_minute=1)
    await give(budget, await take(budget), "unsent")
    assert await take(budget)


async def test_without_a_limit_per_minute_there_is_none(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock)
    for _ in range(200):
        await give(budget, await take(budget))


# --- pauses


async def test_a_429_pauses_everybody_and_each_further_one_doubles_the_pause(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock)
    pauses = []
    for _ in range(5):
        pause = await give(budget, await take(budget), "limited")
        refused = await refusal(budget)
        assert (refused.scope, refused.retry_after) == ("concurrency", pause)
        pauses.append(pause / timedelta(seconds=1))
        clock.advance(pause)
    assert pauses == [2, 4, 8, 16, 32]


async def test_one_wave_of_429s_counts_once(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock)
    leases = [await take(budget) for _ in range(5)]
    assert {await give(budget, lease, "limited") for lease in leases} == {timedelta(seconds=2)}


async def test_an_answer_after_the_pause_ends_its_growth(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock)
    clock.advance(await give(budget, await take(budget), "limited"))
    assert await give(budget, await take(budget)) == timedelta(0)
    assert await give(budget, await take(budget), "limited") == timedelta(seconds=2)


async def test_what_zoho_says_about_waiting_is_kept(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock)
    lease = await take(budget)
    assert await give(budget, lease, "limited", timedelta(seconds=77)) == timedelta(seconds=77)


async def test_429s_that_go_on_for_ten_minutes_are_the_days_credits(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock)
    scopes = []
    for _ in range(11):
        pause = await give(budget, await take(budget), "limited")
        scopes.append((await refusal(budget)).scope)
        clock.advance(pause)
    assert scopes[0] == "concurrency"
    assert scopes[-1] == "day"
    assert pause == timedelta(minutes=5)


async def test_a_budget_out_of_reach_does_not_lose_zohos_answer(pool: Pool, clock: HandClock) -> None:
    budget = bucket(pool, clock)
    lease = await take(budget)
    await pool.close()
    assert await give(budget, lease) == timedelta(0)
    assert await give(budget, lease, "limited") == timedelta(seconds=2)


async def test_taking_and_giving_are_one_statement_each(pool: Pool, worker: Connection, database: Database) -> None:
    async with open_pool(database.worker_url, size=1, application="counted") as counted:
        statements: list[str] = []
        async with counted.connection() as connection:
            execute = connection.execute

            async def listening(query: Any, *rest: Any, **more: Any) -> Any:
                if query:  # the pool looks whether the connection lives by an empty one
                    statements.append(str(query))
                return await execute(query, *rest, **more)

            connection.execute = listening  # type: ignore[method-assign]
        budget = bucket(counted, None)
        await give(budget, await take(budget))
    assert len(statements) == 2


async def test_the_unlimited_budget_refuses_nothing() -> None:
    free = Unlimited()
    leases = [await take_patiently(free, DEMAND, HandClock(), timedelta(0)) for _ in range(100)]
    assert await settle(free, leases[0], DEMAND, Feedback("answered")) == timedelta(0)
    assert await settle(free, leases[0], DEMAND, Feedback("limited")) == timedelta(seconds=2)
