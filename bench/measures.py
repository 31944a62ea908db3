"""The measurements. Each returns lines of the table: what, seen, aim."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import psutil
from prometheus_client import CollectorRegistry

from bench import sales
from bench.figures import Line, Sizes
from bench.ground import Ground
from zohosync.clock import SystemClock
from zohosync.db.pool import Connection, connect, fetch_all, fetch_one, open_pool
from zohosync.metrics.tally import Tally
from zohosync.queue import lanes
from zohosync.queue.observer import Ended
from zohosync.queue.operation import Cause, Lane, Operation, Outcome, Report
from zohosync.store.measures import read_measures

Measure = Callable[[Ground, Sizes], Awaitable[list[Line]]]


async def latency(ground: Ground, sizes: Sizes) -> list[Line]:
    """From the shop's commit to the moment the request reaches Zoho, at 20 single writes a second."""
    await ground.clear()
    committed: dict[str, float] = {}
    async with ground.worker():
        begun = time.time()
        for number in range(sizes.writes):
            email = f"latency{number}@example.com"
            await ground.shop.execute(
                "insert into users (email, first_name, last_name) values (%s, 'Late', 'Ncy')", (email,)
            )
            committed[email] = time.time()
            await asyncio.sleep(max(0.0, begun + (number + 1) / 20 - time.time()))
        await ground.until_drained()
    calls = (await ground.zoho.get("/_sim/calls", params={"operation": "upsert", "limit": "100000"})).json()["calls"]
    arrived = {key: call["started_at"] for call in calls for key in call["keys"]}
    delays = sorted((arrived[email] - at) * 1000 for email, at in committed.items() if email in arrived)
    p50, p95 = statistics.median(delays), delays[int(len(delays) * 0.95) - 1]
    return [
        Line("commit to request, p50, at 20 writes/s", f"{p50:.1f} ms", "≤ 20 ms", p50 <= 20),
        Line("commit to request, p95", f"{p95:.1f} ms", "≤ 100 ms", p95 <= 100),
    ]


async def throughput(ground: Ground, sizes: Sizes) -> list[Line]:
    """Contacts a second while one worker drains a shop full of new customers, and the queue's own speed beside it."""
    await ground.clear()
    await _make_customers(ground, sizes.contacts)
    before = await _upserts(ground)
    started = time.perf_counter()
    async with ground.worker():
        await ground.until_drained()
        took = time.perf_counter() - started
        begun = await fetch_one(
            ground.shop, "select extract(epoch from max(finished_at) - min(started_at)) as s from zohosync.operation"
        )
    assert begun is not None
    seconds = float(begun["s"])
    calls = await _upserts(ground) - before
    per_thousand = calls * 1000 / sizes.contacts
    rate = sizes.contacts / seconds
    raw = await _raw_queue(ground, sizes.contacts)
    return [
        Line(f"contacts drained, {sizes.contacts:,}, one worker", f"{rate:,.0f}/s", "≥ 1,500/s", rate >= 1500),
        Line("the same, from starting the process to the last one", f"{took:.1f} s", ""),
        Line("pgmq alone, read and archive in batches of 100", f"{raw:,.0f}/s", ""),
        Line("contacts as a share of pgmq alone", f"{rate / raw:.2f}", ""),
        Line("API calls for 1,000 contacts", f"{per_thousand:.1f}", "10", per_thousand <= 10.5),
    ]


async def shop_writes(ground: Ground, sizes: Sizes) -> list[Line]:
    """What our triggers cost the shop: the same writes with them and without, turn by turn."""
    await ground.clear()
    async with await connect(ground.owner_url) as owner:
        single = {on: await _singles(owner, sizes.singles // 2, on) for on in (True, False)}
        again = {on: await _singles(owner, sizes.singles // 2, on) for on in (False, True)}
        added = (min(single[True], again[True]) - min(single[False], again[False])) * 1000
        first = {on: await _bulk_insert(owner, sizes.bulk, on) for on in (True, False)}
        repeated = {on: min([await _bulk_update(owner, on) for _ in range(3)]) for on in (True, False)}
    each_first = (first[True] - first[False]) / sizes.bulk * 1e6
    each_again = (repeated[True] - repeated[False]) / sizes.bulk * 1e6
    plain = min(single[False], again[False]) * 1000
    return [
        Line("single write without our triggers, median", f"{plain:.2f} ms", ""),
        Line("added by our triggers, single write", f"{added:.2f} ms", "≤ 1 ms", added <= 1),
        Line(
            f"added per row, {sizes.bulk:,} rows inserted at once", f"{each_first:.1f} µs", "≤ 50 µs", each_first <= 50
        ),
        Line(f"added per row, {sizes.bulk:,} rows updated again", f"{each_again:.1f} µs", "≤ 50 µs", each_again <= 50),
    ]


async def blocked_writes(ground: Ground, sizes: Sizes) -> list[Line]:
    """How much longer a shop's write takes while our queue's table is locked."""
    await ground.clear()
    waits = []
    async with await connect(ground.owner_url) as owner, await connect(ground.cluster.url(ground.database)) as admin:
        plain = await _singles(owner, 20, True)
        async with admin.transaction():
            await admin.execute("lock table pgmq.q_zohosync_changes in access exclusive mode")
            for number in range(10 if sizes.few >= 1000 else 2):
                waits.append(await _timed_insert(owner, f"blocked{number}@example.com"))
    added = (max(waits) - plain) * 1000
    return [Line("added to a write while our tables are locked, worst", f"{added:.0f} ms", "≤ 100 ms", added <= 100)]


async def claiming(ground: Ground, sizes: Sizes) -> list[Line]:
    """What a claim costs while few and while many operations wait for later."""
    costs = []
    for waiting in (sizes.few, sizes.many):
        await ground.clear()
        await _make_waiting(ground, waiting)
        await ground.shop.execute("vacuum analyze zohosync.operation")
        await ground.shop.execute("vacuum analyze pgmq.q_zohosync_people")
        costs.append(await _claim_cost(ground))
    ratio = costs[1] / costs[0]
    return [
        Line(f"claim of one, {sizes.few:,} operations waiting", f"{costs[0] * 1000:.2f} ms", ""),
        Line(f"claim of one, {sizes.many:,} operations waiting", f"{costs[1] * 1000:.2f} ms", ""),
        Line("ratio of the two", f"{ratio:.2f}", "≤ 2", ratio <= 2),
    ]


async def memory(ground: Ground, sizes: Sizes) -> list[Line]:
    """What a worker holds while it works through very many open operations."""
    await ground.clear()
    await ground.shop.execute(
        "insert into users (email, first_name, last_name)"
        " select 'm' || n || '@example.com', 'Memory', 'No ' || n from generate_series(1, %s) n",
        (sizes.many,),
    )
    worst = 0.0
    async with ground.worker() as process:
        await ground.until("select count(*) > 0 as done from zohosync.operation where finished_at is not null")
        watched = psutil.Process(process.pid)
        for _ in range(40 if sizes.many >= 100_000 else 3):
            worst = max(worst, watched.memory_info().rss / 1e6)
            await asyncio.sleep(0.25)
    return [Line(f"worker's memory, {sizes.many:,} operations open", f"{worst:.0f} MB", "≤ 150 MB", worst <= 150)]


async def scraping(ground: Ground, sizes: Sizes) -> list[Line]:
    """What a look for /metrics costs the database among very many operations, and a worker each time it counts one."""
    await ground.clear()
    await _make_ended(ground, sizes.many * 10)
    await _make_waiting(ground, sizes.few)
    await ground.shop.execute("vacuum analyze zohosync.operation")
    async with open_pool(ground.worker_url, size=2) as pool:
        looks = []
        for _ in range(20):
            started = time.perf_counter()
            await read_measures(pool)
            looks.append(time.perf_counter() - started)
    look, count = statistics.median(looks) * 1000, _counting_cost(sizes.singles * 10) * 1e6
    return [
        Line(f"look for /metrics, {sizes.many * 10:,} operations, median", f"{look:.1f} ms", "≤ 100 ms", look <= 100),
        Line("counting one attempt", f"{count:.0f} µs", ""),
    ]


MEASURES: tuple[Measure, ...] = (
    latency,
    throughput,
    shop_writes,
    blocked_writes,
    claiming,
    memory,
    scraping,
    *sales.MEASURES,
)


async def _make_ended(ground: Ground, count: int) -> None:
    """Operations of the past, one in a thousand failed."""
    await ground.shop.execute(
        """insert into zohosync.operation (kind, lane, entity, record_id, cause, status, queued, finished_at,
                                           error_code)
           select 'crm.contact.push', 'people', 'customer', 'p' || n, 'change',
                  case when mod(n, 1000) = 0 then 'failed' else 'succeeded' end::zohosync.operation_status,
                  false, now(), case when mod(n, 1000) = 0 then 'zoho_refused' end
             from generate_series(1, %s) n""",
        (count,),
    )


def _counting_cost(count: int) -> float:
    tally = Tally(CollectorRegistry(), SystemClock(), version="bench")
    operation = Operation(1, "crm.contact.push", Lane.PEOPLE, "customer", "1", Cause.CHANGE, 0, None, None)
    ended = Ended(operation, Report(1, Outcome.SUCCEEDED), timedelta(seconds=0.1), timedelta(seconds=1))
    started = time.perf_counter()
    for _ in range(count):
        tally.ended(ended)
    return (time.perf_counter() - started) / count


async def _make_customers(ground: Ground, count: int) -> None:
    await ground.shop.execute(
        "insert into users (email, first_name, last_name, phone)"
        " select 'c' || n || '@example.com', 'Customer', 'No ' || n, '98765' || lpad(n::text, 5, '0')"
        " from generate_series(1, %s) n",
        (count,),
    )


async def _upserts(ground: Ground) -> int:
    counters = (await ground.zoho.get("/_sim/dump")).json()["counters"]
    return sum(count for name, count in counters.items() if name.startswith("operation:crm.upsert"))


async def _raw_queue(ground: Ground, count: int) -> float:
    await ground.shop.execute("select pgmq.create('bench')")
    await ground.shop.execute(
        "select pgmq.send_batch('bench', array(select jsonb_build_object('n', n) from generate_series(1, %s) n))",
        (count,),
    )
    started = time.perf_counter()
    async with await connect(ground.cluster.url(ground.database)) as connection:
        while True:
            rows = await fetch_all(connection, "select msg_id from pgmq.read('bench', 30, 100)")
            if not rows:
                break
            ids = [row["msg_id"] for row in rows]
            await connection.execute("select pgmq.archive('bench', %s::bigint[])", (ids,))
    took = time.perf_counter() - started
    await ground.shop.execute("select pgmq.drop_queue('bench')")
    return count / took


async def _switch(owner: Connection, on: bool) -> None:
    await owner.execute(
        f"alter table users {'enable' if on else 'disable'} trigger zohosync_capture_insert;"
        f"alter table users {'enable' if on else 'disable'} trigger zohosync_capture_update".encode()
    )


async def _timed_insert(owner: Connection, email: str) -> float:
    started = time.perf_counter()
    await owner.execute("insert into users (email, first_name, last_name) values (%s, 'One', 'Row')", (email,))
    return time.perf_counter() - started


async def _singles(owner: Connection, count: int, on: bool) -> float:
    await _switch(owner, on)
    tag = uuid4().hex
    taken = [await _timed_insert(owner, f"{tag}-{number}@example.com") for number in range(count)]
    await _switch(owner, True)
    return statistics.median(taken)


async def _bulk_insert(owner: Connection, count: int, on: bool) -> float:
    await _switch(owner, on)
    tag = uuid4().hex
    started = time.perf_counter()
    await owner.execute(
        "insert into users (email, first_name, last_name)"
        " select %s || n || '@example.com', 'Bulk', 'Row' from generate_series(1, %s) n",
        (tag, count),
    )
    took = time.perf_counter() - started
    await _switch(owner, True)
    return took


async def _bulk_update(owner: Connection, on: bool) -> float:
    await _switch(owner, on)
    started = time.perf_counter()
    await owner.execute("update users set phone = coalesce(phone, '') || '1' where first_name = 'Bulk'")
    took = time.perf_counter() - started
    await _switch(owner, True)
    return took


async def _make_waiting(ground: Ground, count: int) -> None:
    """Operations that wait for a budget, as a used-up day leaves them."""
    await ground.shop.execute(
        """insert into zohosync.operation (kind, lane, entity, record_id, cause, status, wait_reason, waiting_since,
                                           next_attempt_at, queued)
           select 'crm.contact.push', 'people', 'customer', 'w' || n, 'change', 'waiting', 'budget', now(),
                  now() + interval '3 hours', false
             from generate_series(1, %s) n""",
        (count,),
    )


async def _claim_cost(ground: Ground) -> float:
    taken = []
    async with await connect(ground.worker_url) as connection:
        for number in range(60):
            await connection.execute(
                "select zohosync.enqueue(array['crm.contact.push'], array['people']::zohosync.lane[],"
                " array['customer'], array[%s], 'change')",
                (f"claimed{number}",),
            )
            started = time.perf_counter()
            claimed = await lanes.claim(
                connection, Lane.PEOPLE, claim_id=uuid4(), most=100, visibility=600, worker="bench"
            )
            taken.append(time.perf_counter() - started)
            assert len(claimed) == 1
    return statistics.median(taken)
