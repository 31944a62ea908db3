"""A worker with a handler of the test's own, and what goes in and comes out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from zohosync.clock import SystemClock
from zohosync.db.listen import Listener
from zohosync.db.pool import Connection, Pool, fetch_all, fetch_one
from zohosync.queue.batch import Batch
from zohosync.queue.observer import Observer
from zohosync.queue.operation import Lane, Outcome, Report, RetryPolicy, Stream
from zohosync.queue.worker import CHANNELS, Worker, WorkerOptions

KIND = "crm.contact.push"
Handler = Callable[[Batch], Awaitable[None]]


async def succeed(batch: Batch) -> None:
    """Every operation succeeds."""
    await batch.finish([Report(operation.operation_id, Outcome.SUCCEEDED) for operation in batch.open])


def stream(handler: Handler, batch_size: int = 100) -> Stream:
    return Stream(KIND, Lane.PEOPLE, ("customer",), handler, batch_size)


def make_worker(
    pool: Pool,
    url: str,
    handler: Handler,
    *,
    name: str = "test",
    policy: RetryPolicy | None = None,
    batch_size: int = 100,
    observer: Observer | None = None,
    **options: Any,
) -> Worker:
    return Worker(
        pool,
        [stream(handler, batch_size)],
        listener=Listener(url, CHANNELS),
        clock=SystemClock(),
        name=name,
        policy=policy,
        options=WorkerOptions(**options),
        observer=observer,
    )


async def drain(worker: Worker) -> None:
    """Turns until nothing is due."""
    while await worker.turn():
        await worker.settle()
    await worker.settle()


async def enqueue(connection: Connection, *records: str, cause: str = "manual") -> list[int]:
    rows = await fetch_all(
        connection,
        """select zohosync.enqueue(array_fill(%(kind)s::text, array[%(n)s]),
                                   array_fill('people'::zohosync.lane, array[%(n)s]),
                                   array_fill('customer'::text, array[%(n)s]), %(records)s,
                                   %(cause)s::zohosync.operation_cause) as id""",
        {"kind": KIND, "n": len(records), "records": list(records), "cause": cause},
    )
    return [row["id"] for row in rows]


async def operations(connection: Connection) -> list[dict[str, Any]]:
    return await fetch_all(connection, "select * from zohosync.operation order by operation_id")


async def messages(connection: Connection, lane: str = "people") -> int:
    row = await fetch_one(connection, f"select count(*) as n from pgmq.q_zohosync_{lane}")
    assert row is not None
    return int(row["n"])


async def consistent(connection: Connection) -> None:
    """Message and row never disagree: each queued operation has exactly one message, each message one operation."""
    row = await fetch_one(
        connection,
        """with m as (
             select 'people'::text as lane, (message ->> 'operation')::bigint as operation_id
               from pgmq.q_zohosync_people)
           select (select count(*) from zohosync.operation o where o.queued
                    and (select count(*) from m where m.operation_id = o.operation_id) <> 1) as wrong_rows,
                  (select count(*) from m where not exists
                    (select from zohosync.operation o where o.operation_id = m.operation_id and o.queued)) as strays""",
    )
    assert row == {"wrong_rows": 0, "strays": 0}


async def gather(*tasks: Awaitable[Any]) -> None:
    await asyncio.gather(*tasks)
