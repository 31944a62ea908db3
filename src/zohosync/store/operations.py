"""Making records dirty, and what people may do with an operation."""

from collections.abc import Sequence
from datetime import datetime

from zohosync.db.pool import Connection, fetch_all, fetch_one


async def enqueue(
    connection: Connection,
    *,
    kind: str,
    lane: str,
    entity: str,
    record_ids: Sequence[str],
    cause: str,
    requested_by: str | None = None,
) -> list[int]:
    """One open operation for each record, due at once and with a fresh budget; the ids of those operations.

    A record that has an open operation keeps it. ``cause`` is a value of the database's ``operation_cause``.
    """
    rows = await fetch_all(
        connection,
        """select zohosync.enqueue(array_fill(%(kind)s::text, array[%(count)s]),
                                   array_fill(%(lane)s::zohosync.lane, array[%(count)s]),
                                   array_fill(%(entity)s::text, array[%(count)s]),
                                   %(records)s::text[], %(cause)s::zohosync.operation_cause, %(by)s) as operation_id""",
        {
            "kind": kind,
            "lane": lane,
            "entity": entity,
            "count": len(record_ids),
            "records": list(record_ids),
            "cause": cause,
            "by": requested_by,
        },
    )
    return [row["operation_id"] for row in rows]


async def cancel(connection: Connection, operation_id: int) -> bool:
    """End an open operation that is not running; whether there was one."""
    row = await fetch_one(connection, "select zohosync.cancel(%(id)s) as ended", {"id": operation_id})
    return bool(row and row["ended"])


async def wake(connection: Connection, reason: str) -> int:
    """Make everything that waits for ``reason`` (a ``wait_reason``) due now; how many operations."""
    row = await fetch_one(
        connection, "select zohosync.wake(%(reason)s::zohosync.wait_reason) as woken", {"reason": reason}
    )
    return int(row["woken"]) if row else 0


async def count_by_status(connection: Connection) -> dict[str, int]:
    """How many operations have each status, counted up to 10,001; failures that were cured since do not count."""
    rows = await fetch_all(
        connection,
        """select wanted.status::text as status, (
                    select count(*) from (
                      select from zohosync.operation o where o.status = wanted.status
                         and (o.status <> 'failed' or o.resolved_at is null) limit 10001) counted) as count
             from unnest(enum_range(null::zohosync.operation_status)) as wanted(status)""",
    )
    return {row["status"]: row["count"] for row in rows}


async def find_first_seen(connection: Connection, *, kind: str, entity: str, record_id: str) -> datetime | None:
    """When the record was first found to need this kind of work, as far as the log reaches; looks at what was not due
    do not count."""
    row = await fetch_one(
        connection,
        """select min(created_at) as seen_at from zohosync.operation
            where kind = %(kind)s and entity = %(entity)s and record_id = %(record)s
              and coalesce(action, '') not in ('not_due', 'before_golive', 'not_approved')""",
        {"kind": kind, "entity": entity, "record": record_id},
    )
    return row["seen_at"] if row else None


async def is_open(connection: Connection, *, kind: str, entity: str, record_id: str) -> bool:
    """Whether such an operation waits, runs or will be tried again."""
    row = await fetch_one(
        connection,
        """select exists (select from zohosync.operation
                           where kind = %(kind)s and entity = %(entity)s and record_id = %(record)s
                             and status in ('pending', 'running', 'retrying', 'waiting')) as open""",
        {"kind": kind, "entity": entity, "record": record_id},
    )
    return bool(row and row["open"])


async def was_asked_for(connection: Connection, *, kind: str, entity: str, record_id: str) -> bool:
    """Whether a person ever asked for it: then go-live no longer keeps it back."""
    row = await fetch_one(
        connection,
        """select exists (select from zohosync.operation
                           where kind = %(kind)s and entity = %(entity)s and record_id = %(record)s
                             and cause = 'manual') as asked""",
        {"kind": kind, "entity": entity, "record": record_id},
    )
    return bool(row and row["asked"])
