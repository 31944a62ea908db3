"""The lanes: pgmq queues whose messages stand for operations. Each step is one statement, atomic in the database."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import orjson

from zohosync.db.pool import Connection, fetch_all, fetch_one
from zohosync.queue.operation import Cause, Lane, Operation, Report, Stream


async def take_in(connection: Connection, streams: Iterable[Stream], most: int = 100) -> int:
    """Turn captured changes into operations; how many change messages were taken."""
    feeds = [(entity, stream.kind, stream.lane.value) for stream in streams for entity in stream.entities]
    row = await fetch_one(
        connection,
        """select zohosync.intake(%(most)s, %(entities)s::text[], %(kinds)s::text[],
                                  %(lanes)s::zohosync.lane[]) as taken""",
        {
            "most": most,
            "entities": [feed[0] for feed in feeds],
            "kinds": [feed[1] for feed in feeds],
            "lanes": [feed[2] for feed in feeds],
        },
    )
    return int(row["taken"]) if row else 0


async def claim(
    connection: Connection, lane: Lane, *, claim_id: UUID, most: int, visibility: int, worker: str
) -> list[Operation]:
    """Take up to ``most`` operations of a lane and hide their messages for ``visibility`` seconds."""
    rows = await fetch_all(
        connection,
        """select operation_id, kind, entity, record_id, cause, attempt, waiting_since, label,
                  requested_at, deaths
             from zohosync.claim(%(lane)s::zohosync.lane, %(most)s, %(visibility)s, %(claim)s, %(worker)s)""",
        {"lane": lane.value, "most": most, "visibility": visibility, "claim": claim_id, "worker": worker},
    )
    return [
        Operation(
            row["operation_id"],
            row["kind"],
            lane,
            row["entity"],
            row["record_id"],
            Cause(row["cause"]),
            row["attempt"],
            row["waiting_since"],
            row["label"],
            row["requested_at"],
            row["deaths"],
        )
        for row in rows
    ]


async def extend(connection: Connection, claim_id: UUID, visibility: int) -> int:
    """Push the claim's visibility forward; how many operations it still holds."""
    row = await fetch_one(
        connection,
        "select zohosync.extend_claim(%(claim)s, %(visibility)s) as held",
        {"claim": claim_id, "visibility": visibility},
    )
    return int(row["held"]) if row else 0


async def finish(
    connection: Connection, claim_id: UUID, worker: str, reports: Sequence[Report], *, longest_hidden: float
) -> set[int]:
    """End attempts; the ids of those the claim still held. The caller owns the transaction."""
    rows = await fetch_all(
        connection,
        "select zohosync.finish(%(claim)s, %(worker)s, %(reports)s::jsonb, %(hidden)s) as operation_id",
        {
            "claim": claim_id,
            "worker": worker,
            "reports": _written(reports),
            "hidden": longest_hidden,
        },
    )
    return {row["operation_id"] for row in rows}


def _written(reports: Sequence[Report]) -> str:
    """Reports as JSON that Postgres takes: vendors' words may hold what it cannot store, such as a NUL."""
    cleaned = [_clean(report.as_json()) for report in reports]
    return orjson.dumps(cleaned, default=str).decode()


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {str(name): _clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


async def resend_due(connection: Connection) -> int:
    """Send messages for operations whose long wait is over; how many."""
    row = await fetch_one(connection, "select zohosync.resend_due() as sent")
    return int(row["sent"]) if row else 0


async def catch_up(connection: Connection, stream: Stream, entity: str) -> int:
    """Enqueue records no trigger told us about; how many."""
    row = await fetch_one(
        connection,
        "select zohosync.catch_up(%(kind)s, %(lane)s::zohosync.lane, %(entity)s) as found",
        {"kind": stream.kind, "lane": stream.lane.value, "entity": entity},
    )
    return int(row["found"]) if row else 0


async def is_drained(connection: Connection, ahead: timedelta) -> bool:
    """Whether nothing is due now or within ``ahead``: no change to take in, no operation, no periodic job."""
    row = await fetch_one(
        connection,
        """select not exists (select from pgmq.q_zohosync_changes)
              and not exists (select from pgmq.q_zohosync_clock where vt <= clock_timestamp())
              and not exists (select from zohosync.operation
                               where status in ('pending', 'running', 'retrying', 'waiting')
                                 and coalesce(next_attempt_at, clock_timestamp()) <= clock_timestamp() + %(ahead)s)
                  as drained""",
        {"ahead": ahead},
    )
    return bool(row and row["drained"])
