"""One operation's life: coalescing, retries, waits, deaths, ends."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from backstage import KIND, consistent, drain, enqueue, make_worker, messages, operations, succeed

from conftest import Database
from zohosync.db.pool import Connection, Pool, fetch_one
from zohosync.errors import (
    GrantDead,
    NotReady,
    OutcomeUnknown,
    RateLimited,
    RecordInvalid,
    ShopUnreadable,
    ZohoUnavailable,
)
from zohosync.queue import lanes
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Lane, Outcome, Report, RetryPolicy

QUICK = RetryPolicy(base=timedelta(0))


async def make_due(connection: Connection) -> None:
    await connection.execute("update zohosync.operation set next_attempt_at = now() where finished_at is null")
    await connection.execute(
        "select pgmq.set_vt('zohosync_people', message_id, 0) from zohosync.operation where message_id is not null"
    )
    await connection.execute("select zohosync.resend_due()")


async def test_many_changes_of_one_record_are_one_operation(worker: Connection) -> None:
    for _ in range(5):
        await enqueue(worker, "r")
    assert len(await operations(worker)) == 1
    assert await messages(worker) == 1


async def test_a_change_while_running_makes_one_operation_behind_it(
    worker: Connection, pool: Pool, database: Database
) -> None:
    seen: list[int] = []

    async def handler(batch: Batch) -> None:
        if not seen:
            await enqueue(worker, "r")
            await enqueue(worker, "r")
        seen.append(len(batch.open))
        await succeed(batch)

    await enqueue(worker, "r")
    await drain(make_worker(pool, database.worker_url, handler))
    assert seen == [1, 1]
    assert [row["status"] for row in await operations(worker)] == ["succeeded", "succeeded"]
    assert await messages(worker) == 0


async def test_a_failure_with_a_newer_operation_behind_it_is_superseded(
    worker: Connection, pool: Pool, database: Database
) -> None:
    calls = 0

    async def handler(batch: Batch) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await enqueue(worker, "r")
            raise ZohoUnavailable("down")
        await succeed(batch)

    await enqueue(worker, "r")
    await drain(make_worker(pool, database.worker_url, handler))
    assert [row["status"] for row in await operations(worker)] == ["superseded", "succeeded"]
    assert await messages(worker) == 0


async def test_one_try_and_five_retries_then_failed(worker: Connection, pool: Pool, database: Database) -> None:
    tries = 0

    async def handler(batch: Batch) -> None:
        nonlocal tries
        tries += 1
        raise ZohoUnavailable("Zoho is down.")

    await enqueue(worker, "r")
    here = make_worker(pool, database.worker_url, handler, policy=QUICK)
    for _ in range(8):
        await drain(here)
        await make_due(worker)
    assert tries == 6
    (operation,) = await operations(worker)
    assert (operation["status"], operation["attempt"], operation["error_code"]) == ("failed", 6, "zoho_unavailable")
    assert await messages(worker) == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotReady("no lines", wait_for="lines"), "lines"),
        (RateLimited("slow down", retry_after=timedelta(seconds=5)), "budget"),
        (GrantDead("login gone"), "login"),
        (ShopUnreadable("columns changed"), "shop"),
    ],
)
async def test_waiting_costs_no_attempt(
    worker: Connection, pool: Pool, database: Database, error: Exception, reason: str
) -> None:
    async def handler(batch: Batch) -> None:
        raise error

    await enqueue(worker, "r")
    here = make_worker(pool, database.worker_url, handler)
    for _ in range(10):
        await drain(here)
        await make_due(worker)
    (operation,) = await operations(worker)
    assert (operation["status"], operation["wait_reason"], operation["attempt"]) == ("waiting", reason, 0)
    await consistent(worker)


async def test_waiting_ends_with_its_reason(worker: Connection, pool: Pool, database: Database) -> None:
    async def handler(batch: Batch) -> None:
        raise NotReady("no lines", wait_for="lines")

    await enqueue(worker, "r")
    here = make_worker(pool, database.worker_url, handler)
    await drain(here)
    await worker.execute("update zohosync.operation set waiting_since = now() - interval '31 minutes'")
    await make_due(worker)
    await drain(here)
    (operation,) = await operations(worker)
    assert (operation["status"], operation["error_code"]) == ("failed", "lines_never_came")
    assert "30 minutes" in operation["error_message"]


async def test_long_waits_leave_the_hot_queue_and_come_back(worker: Connection, pool: Pool, database: Database) -> None:
    fail = True

    async def handler(batch: Batch) -> None:
        if fail:
            raise RateLimited("the day is used up", retry_after=timedelta(hours=3))
        await succeed(batch)

    await enqueue(worker, "a", "b")
    here = make_worker(pool, database.worker_url, handler)
    await drain(here)
    assert await messages(worker) == 0
    assert {row["queued"] for row in await operations(worker)} == {False}
    fail = False
    await worker.execute("update zohosync.operation set next_attempt_at = now()")
    assert await lanes.resend_due(worker) == 2
    await drain(here)
    assert {row["status"] for row in await operations(worker)} == {"succeeded"}


async def test_a_change_ends_a_long_wait_at_once(worker: Connection, pool: Pool, database: Database) -> None:
    async def handler(batch: Batch) -> None:
        raise RateLimited("the day is used up", retry_after=timedelta(hours=3))

    await enqueue(worker, "r")
    await drain(make_worker(pool, database.worker_url, handler))
    await enqueue(worker, "r")
    await drain(make_worker(pool, database.worker_url, succeed))
    (operation,) = await operations(worker)
    assert operation["status"] == "succeeded"
    assert await messages(worker) == 0


async def test_a_change_gives_a_retrying_operation_a_fresh_budget_at_once(
    worker: Connection, pool: Pool, database: Database
) -> None:
    async def handler(batch: Batch) -> None:
        raise OutcomeUnknown("silence")

    await enqueue(worker, "r")
    await drain(make_worker(pool, database.worker_url, handler))
    (before,) = await operations(worker)
    assert (before["status"], before["attempt"]) == ("retrying", 1)
    await enqueue(worker, "r")
    (after,) = await operations(worker)
    assert (after["status"], after["attempt"]) == ("pending", 0)
    await drain(make_worker(pool, database.worker_url, succeed))
    assert (await operations(worker))[0]["status"] == "succeeded"


async def test_a_refusal_fails_at_once(worker: Connection, pool: Pool, database: Database) -> None:
    async def handler(batch: Batch) -> None:
        raise RecordInvalid("No e-mail.", hint="Add one.", code="email_missing", field="Email")

    await enqueue(worker, "r")
    await drain(make_worker(pool, database.worker_url, handler))
    (operation,) = await operations(worker)
    assert (operation["status"], operation["error_code"], operation["error_field"]) == (
        "failed",
        "email_missing",
        "Email",
    )


async def test_one_record_nobody_foresaw_does_not_hold_up_its_batch(
    worker: Connection, pool: Pool, database: Database
) -> None:
    async def handler(batch: Batch) -> None:
        if any(operation.record_id == "bad" for operation in batch.open):
            raise KeyError("surprise")
        await succeed(batch)

    await enqueue(worker, *[f"r{n}" for n in range(20)], "bad")
    await drain(make_worker(pool, database.worker_url, handler))
    by_record = {row["record_id"]: row for row in await operations(worker)}
    assert by_record.pop("bad")["error_code"] == "unexpected_error"
    assert {row["status"] for row in by_record.values()} == {"succeeded"}


async def die(pool: Pool, *, most: int = 100) -> list[str]:
    """Claim and vanish, as a worker killed in the middle does; the records it had."""
    async with pool.connection() as connection:
        claimed = await lanes.claim(connection, Lane.PEOPLE, claim_id=uuid4(), most=most, visibility=1, worker="doomed")
        await connection.execute(
            """select pgmq.set_vt('zohosync_people', message_id, 0) from zohosync.operation
                where status = 'running'"""
        )
    return sorted(operation.record_id for operation in claimed)


async def test_a_dead_workers_operations_are_taken_over(worker: Connection, pool: Pool, database: Database) -> None:
    await enqueue(worker, "a", "b", "c")
    assert await die(pool) == ["a", "b", "c"]
    await drain(make_worker(pool, database.worker_url, succeed))
    rows = await operations(worker)
    assert {row["status"] for row in rows} == {"succeeded"}
    assert {row["attempt"] for row in rows} == {1}
    died = await fetch_one(worker, "select count(*) as n from zohosync.attempt where outcome = 'died'")
    assert died == {"n": 3}


async def test_after_two_deaths_records_run_alone_and_the_third_lonely_death_is_poison(
    worker: Connection, pool: Pool, database: Database
) -> None:
    await enqueue(worker, "a", "b", "c")
    assert await die(pool) == ["a", "b", "c"]
    assert await die(pool) == ["a", "b", "c"]
    for _ in range(3):
        assert await die(pool) == ["a"]
    await drain(make_worker(pool, database.worker_url, succeed))
    by_record = {row["record_id"]: row for row in await operations(worker)}
    assert (by_record["a"]["status"], by_record["a"]["error_code"]) == ("failed", "poison")
    assert by_record["b"]["status"] == by_record["c"]["status"] == "succeeded"
    incident = await fetch_one(worker, "select code, subject from zohosync.incident where closed_at is null")
    assert incident == {"code": "poison", "subject": KIND}
    assert await messages(worker) == 0


async def test_deaths_are_counted_once_each(worker: Connection, pool: Pool) -> None:
    """Also for the records that only stood behind the one that was tried alone."""
    await enqueue(worker, *[f"r{n}" for n in range(10)])
    for _ in range(2):
        assert len(await die(pool)) == 10
    assert len(await die(pool)) == 1
    assert {row["deaths"] for row in await operations(worker)} == {2}
    assert sorted({row["status"] for row in await operations(worker)}) == ["pending", "running"]


async def test_a_worker_whose_claim_was_taken_over_changes_nothing(worker: Connection, pool: Pool) -> None:
    (operation_id,) = await enqueue(worker, "r")
    late, quick = uuid4(), uuid4()
    async with pool.connection() as connection:
        await lanes.claim(connection, Lane.PEOPLE, claim_id=late, most=1, visibility=1, worker="late")
        await connection.execute("select pgmq.set_vt('zohosync_people', message_id, 0) from zohosync.operation")
        await lanes.claim(connection, Lane.PEOPLE, claim_id=quick, most=1, visibility=60, worker="quick")
        failed = [Report(operation_id, Outcome.FAILED, error_code="late")]
        assert await lanes.finish(connection, late, "late", failed, longest_hidden=60) == set()
        done = [Report(operation_id, Outcome.SUCCEEDED)]
        assert await lanes.finish(connection, quick, "quick", done, longest_hidden=60) == {operation_id}
    assert (await operations(worker))[0]["status"] == "succeeded"


async def test_a_long_batch_keeps_its_claim(worker: Connection, pool: Pool, database: Database) -> None:
    started = asyncio.Event()
    done = asyncio.Event()
    runs = 0

    async def handler(batch: Batch) -> None:
        nonlocal runs
        runs += 1
        started.set()
        await done.wait()
        await succeed(batch)

    await enqueue(worker, "r")
    stop = asyncio.Event()
    first = make_worker(pool, database.worker_url, handler, visibility=timedelta(seconds=1))
    second = make_worker(pool, database.worker_url, handler, visibility=timedelta(seconds=1), name="other")
    tasks = [asyncio.create_task(one.run(stop)) for one in (first, second)]
    await started.wait()
    loop = asyncio.get_running_loop()
    loop.call_later(2.5, done.set)
    await done.wait()
    stop.set()
    await asyncio.gather(*tasks)
    assert runs == 1
    assert (await operations(worker))[0]["status"] == "succeeded"


async def test_a_stop_gives_back_what_it_cannot_finish(worker: Connection, pool: Pool, database: Database) -> None:
    started = asyncio.Event()

    async def never(batch: Batch) -> None:
        started.set()
        await asyncio.Event().wait()

    await enqueue(worker, "a", "b")
    stop = asyncio.Event()
    stopping = make_worker(pool, database.worker_url, never, grace=timedelta(seconds=0.1))
    task = asyncio.create_task(stopping.run(stop))
    await started.wait()
    stop.set()
    await task
    rows = await operations(worker)
    assert {(row["status"], row["attempt"]) for row in rows} == {("pending", 0)}
    await consistent(worker)
    await drain(make_worker(pool, database.worker_url, succeed))
    assert {row["status"] for row in await operations(worker)} == {"succeeded"}


async def test_a_cancelled_operation_does_not_run(worker: Connection, pool: Pool, database: Database) -> None:
    (operation_id,) = await enqueue(worker, "r")
    ended = await fetch_one(worker, "select zohosync.cancel(%(id)s) as ended", {"id": operation_id})
    assert ended == {"ended": True}

    async def handler(batch: Batch) -> None:
        raise AssertionError("it ran")

    await drain(make_worker(pool, database.worker_url, handler))
    assert (await operations(worker))[0]["status"] == "cancelled"
    assert await messages(worker) == 0


async def test_a_message_of_an_unknown_entity_is_kept(worker: Connection, pool: Pool, database: Database) -> None:
    await worker.execute("""select pgmq.send('zohosync_changes', '{"entity": "rocket", "keys": ["1"]}')""")
    await drain(make_worker(pool, database.worker_url, succeed))
    assert await messages(worker, "changes") == 0
    kept = await fetch_one(worker, "select message ->> 'entity' as entity from pgmq.a_zohosync_changes")
    assert kept == {"entity": "rocket"}
