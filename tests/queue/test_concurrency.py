"""What must hold while many write and many work: real transactions, real processes."""

import asyncio
import multiprocessing
import os
import random
import signal
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
from backstage import consistent, drain, enqueue, make_worker, messages, operations, succeed

from conftest import Database, as_role
from zohosync.db.pool import Connection, Pool, connect, fetch_all, fetch_one, open_pool
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Outcome, Report

spawn = multiprocessing.get_context("spawn")


async def go_live(connection: Connection) -> None:
    await connection.execute("update zohosync.installation set capturing = true, live_since = now()")


@pytest.mark.parametrize("seed", range(6))
async def test_a_change_that_commits_while_its_operation_is_open_or_running_is_always_pushed(
    database: Database, pool: Pool, owner: Connection, seed: int
) -> None:
    """Writers change a few records over and over; a worker pushes what it reads. At rest, the last value pushed of
    every record is the last value committed."""
    await go_live(owner)
    chance = random.Random(seed)
    pushed: dict[str, str] = {}
    records = [
        row["id"]
        for row in await fetch_all(
            owner,
            "insert into users (email, first_name, last_name) select 'u' || n || '@example.com', '0', 'x'"
            " from generate_series(1, 4) n returning id::text",
        )
    ]

    async def push(batch: Batch) -> None:
        async with pool.connection() as connection:
            rows = await fetch_all(
                connection,
                "select record_id, first_name from zohosync.shop_customers(%(keys)s)",
                {"keys": [operation.record_id for operation in batch.open]},
            )
        await asyncio.sleep(chance.random() * 0.004)  # the call to Zoho
        pushed.update({row["record_id"]: row["first_name"] for row in rows})
        if chance.random() < 0.3:
            reports = [
                Report(one.operation_id, Outcome.RETRYING, delay=0.0, error_code="x", error_message="x")
                for one in batch.open
            ]
            await batch.finish(reports)
        else:
            await succeed(batch)

    async def write(number: int) -> None:
        rng = random.Random(f"{seed}/{number}")
        async with await connect(database.owner_url) as connection:
            for turn in range(40):
                async with connection.transaction():
                    await connection.execute(
                        "update users set first_name = %s where id = %s",
                        (f"{number}.{turn}", rng.choice(records)),
                    )
                    await asyncio.sleep(rng.random() * 0.003)  # the shop's transaction takes its time

    stop = asyncio.Event()
    workers = [
        asyncio.create_task(
            make_worker(pool, database.worker_url, push, name=f"w{n}", poll=timedelta(seconds=0.02)).run(stop)
        )
        for n in range(2)
    ]
    await asyncio.gather(*(write(number) for number in range(5)))
    await drain(make_worker(pool, database.worker_url, push))
    stop.set()
    await asyncio.gather(*workers)
    await owner.execute("select pgmq.set_vt('zohosync_people', message_id, 0) from zohosync.operation where queued")
    await drain(make_worker(pool, database.worker_url, push))

    committed = {
        row["id"]: row["first_name"] for row in await fetch_all(owner, "select id::text, first_name from users")
    }
    assert pushed == committed, f"seed {seed}"
    assert all(row["finished_at"] for row in await operations(owner))
    assert await messages(owner) == 0
    await consistent(owner)


async def test_shop_transactions_never_wait_for_each_other_because_of_us(database: Database, owner: Connection) -> None:
    """Two transactions that touch the same records in opposite order, and neither waits or deadlocks."""
    await go_live(owner)
    one = await connect(database.owner_url)
    two = await connect(database.owner_url)
    async with one, two, one.transaction(), two.transaction():
        await two.execute("set local lock_timeout = '200ms'")
        await one.execute("insert into users (email, first_name, last_name) values ('a@example.com', 'A', 'A')")
        await two.execute("insert into users (email, first_name, last_name) values ('b@example.com', 'B', 'B')")
        await one.execute("insert into contact_submissions (name, email) values ('A', 'a@example.com')")
        await two.execute("insert into contact_submissions (name, email) values ('B', 'b@example.com')")
    row = await fetch_one(owner, "select count(*) as n from pgmq.q_zohosync_changes")
    assert row == {"n": 4}


def run_recording_worker(url: str, name: str, visibility: float, log: Any) -> None:
    """A worker in a process of its own that tells when it starts and ends each record."""

    async def main() -> None:
        async with open_pool(url, size=4) as pool:

            async def handler(batch: Batch) -> None:
                for operation in batch.open:
                    log.put((name, "start", operation.record_id))
                await asyncio.sleep(0.002)
                for operation in batch.open:
                    log.put((name, "end", operation.record_id))
                await succeed(batch)

            worker = make_worker(
                pool,
                url,
                handler,
                name=name,
                batch_size=7,
                batch_limit=20,
                visibility=timedelta(seconds=visibility),
                poll=timedelta(seconds=0.02),
            )
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            log.put((name, "ready", ""))
            await worker.run(stop)

    asyncio.run(main())


def start_worker(database: Database, name: str, log: Any, visibility: float = 30) -> BaseProcess:
    process = spawn.Process(target=run_recording_worker, args=(database.worker_url, name, visibility, log), daemon=True)
    process.start()
    return process


async def all_ended(connection: Connection) -> bool:
    row = await fetch_one(
        connection,
        """select (select count(*) from zohosync.operation where finished_at is null)
                + (select count(*) from pgmq.q_zohosync_changes) as open""",
    )
    return row == {"open": 0}


@pytest.mark.process
async def test_two_workers_in_two_processes_never_run_one_record_at_once(
    database: Database, owner: Connection, worker: Connection
) -> None:
    log: Any = spawn.Queue()
    processes = [start_worker(database, name, log) for name in ("one", "two")]
    try:
        for _ in processes:
            await asyncio.to_thread(log.get, True, 30)
        for _ in range(30):
            await enqueue(worker, *[f"r{n}" for n in range(40)])
            await asyncio.sleep(0.01)
        async with asyncio.timeout(60):
            while not await all_ended(owner):
                await asyncio.sleep(0.05)
    finally:
        for process in processes:
            process.terminate()
            process.join(20)
    assert [process.exitcode for process in processes] == [0, 0]
    events = []
    while not log.empty():
        events.append(log.get())
    running: dict[str, str] = {}
    ran_by: set[str] = set()
    # The queue keeps the order of one process; an overlap would show as a start before the other's end in the database.
    for name, what, record in events:
        ran_by.add(name)
        if what == "start":
            running[f"{name}/{record}"] = name
        else:
            running.pop(f"{name}/{record}")
    assert running == {}
    overlaps = await fetch_all(
        owner,
        """select a.operation_id from zohosync.attempt a join zohosync.operation o using (operation_id)
             join zohosync.operation p on p.record_id = o.record_id and p.operation_id > o.operation_id
             join zohosync.attempt b on b.operation_id = p.operation_id
            where a.started_at < b.ended_at and b.started_at < a.ended_at""",
    )
    assert overlaps == []
    assert ran_by == {"one", "two"}
    await consistent(owner)


@pytest.mark.process
async def test_a_killed_workers_records_are_finished_by_another(
    database: Database, owner: Connection, worker: Connection
) -> None:
    log: Any = spawn.Queue()
    first = start_worker(database, "first", log, visibility=1)
    await asyncio.to_thread(log.get, True, 30)
    await enqueue(worker, *[f"r{n}" for n in range(300)])
    await asyncio.to_thread(log.get, True, 30)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    first.join(10)
    second = start_worker(database, "second", log, visibility=1)
    try:
        async with asyncio.timeout(60):
            while not await all_ended(owner):
                await asyncio.sleep(0.05)
    finally:
        second.terminate()
        second.join(20)
    assert {row["status"] for row in await operations(owner)} == {"succeeded"}
    await consistent(owner)


async def test_writers_of_every_role_are_captured_under_load(database: Database, owner: Connection) -> None:
    await go_live(owner)

    async def submit(number: int) -> None:
        async with await as_role(database, "anon") as shop:
            await shop.execute(
                "insert into contact_submissions (name, email) values ('N', %s)", (f"n{number}@example.com",)
            )

    await asyncio.gather(*(submit(number) for number in range(20)))
    row = await fetch_one(
        owner,
        "select count(distinct k) as n from pgmq.q_zohosync_changes, jsonb_array_elements_text(message->'keys') k",
    )
    assert row == {"n": 20}


async def test_workers_and_intake_never_deadlock_over_messages(database: Database, owner: Connection) -> None:
    """Many records at once, open and running: everybody wants the messages of everybody."""
    await go_live(owner)
    rows = await fetch_all(
        owner,
        "insert into users (email, first_name, last_name) select 'd' || n || '@example.com', '0', 'x'"
        " from generate_series(1, 30) n returning id::text",
    )
    records, chance, stop = [row["id"] for row in rows], random.Random(1), asyncio.Event()

    async def push(batch: Batch) -> None:
        await asyncio.sleep(chance.random() * 0.01)  # the call to Zoho
        await batch.finish(
            [
                Report(one.operation_id, Outcome.RETRYING, delay=0.0, error_code="x", error_message="x")
                if chance.random() < 0.4
                else Report(one.operation_id, Outcome.SUCCEEDED)
                for one in batch.open
            ]
        )

    async def write(number: int) -> None:
        rng = random.Random(number)
        async with await connect(database.owner_url) as connection:
            for turn in range(250):
                async with connection.transaction():
                    for record in sorted(rng.sample(records, rng.randint(1, 12))):
                        await connection.execute(
                            "update users set first_name = %s where id = %s", (f"{number}.{turn}", record)
                        )

    async with open_pool(database.worker_url, size=12) as wide:
        workers = [
            asyncio.create_task(
                make_worker(wide, database.worker_url, push, name=f"w{n}", poll=timedelta(seconds=0.02)).run(stop)
            )
            for n in range(4)
        ]
        await asyncio.gather(*(write(number) for number in range(4)))
        stop.set()
        await asyncio.gather(*workers)
    counted = await fetch_one(owner, "select deadlocks from pg_stat_database where datname = current_database()")
    assert counted == {"deadlocks": 0}
