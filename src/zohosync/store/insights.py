"""What may be known of the sync: the one read service behind console and CLI.

Every query stays fast at a million operations: lists are read by key from an index, counts stop at ``COUNT_LIMIT``.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import psycopg
from psycopg import sql

from zohosync.db.pool import Connection, Pool, explain, fetch_all

COUNT_LIMIT = 10_000
NEWEST = 2**63 - 1

State = Literal["all", "success", "pending", "failed"]
# Word for word the predicates of the indexes that serve them.
STATES: dict[State, sql.SQL] = {
    "success": sql.SQL("o.status in ('succeeded', 'skipped', 'superseded')"),
    "pending": sql.SQL("o.status in ('pending', 'running', 'retrying', 'waiting')"),
    "failed": sql.SQL("o.status = 'failed' and o.resolved_at is null"),
}


@dataclass(frozen=True)
class Filters:
    """Which operations to look at; ``failed`` means not cured since.

    ``search`` is an id, a record (of one of ``entities``), a Zoho id, an error code, the beginning of a label, or the
    number of a document in Books or a SKU on one.
    """

    state: State = "all"
    kind: str | None = None
    cause: str | None = None
    search: str | None = None
    entities: Sequence[str] = ()


@dataclass(frozen=True)
class Operation:
    """One row of the sync log. ``open_sibling`` is the open operation of the same record and kind, when this failed."""

    operation_id: int
    kind: str
    lane: str
    entity: str
    record_id: str
    label: str | None
    cause: str
    requested_by: str | None
    status: str
    attempt: int
    wait_reason: str | None
    next_attempt_at: datetime | None
    error_code: str | None
    error_message: str | None
    error_hint: str | None
    error_field: str | None
    warnings: list[Any]
    zoho_module: str | None
    zoho_id: str | None
    action: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    resolved_at: datetime | None
    open_sibling: int | None = None


@dataclass(frozen=True)
class Attempt:
    """One try of an operation. Request and response were redacted before they were stored; they are text here, so that
    18-digit ids and amounts stay as they were sent. ``vendor_message`` is Zoho's own sentence, where it gave one."""

    number: int
    worker: str
    started_at: datetime
    ended_at: datetime
    outcome: str
    error_code: str | None
    error_message: str | None
    error_hint: str | None
    http_status: int | None
    vendor_code: str | None
    vendor_message: str | None
    request: str | None
    response: str | None


@dataclass(frozen=True)
class Counts:
    """How many operations match, per state; more than COUNT_LIMIT means "at least COUNT_LIMIT + 1"."""

    all: int
    success: int
    pending: int
    failed: int


@dataclass(frozen=True)
class FailureGroup:
    """Open failures of one cause; message and hint are the newest one's."""

    error_code: str
    count: int
    newest_id: int
    message: str
    hint: str


@dataclass(frozen=True)
class LaneDepth:
    """Open operations of a lane, and since when the longest one waits for its turn."""

    lane: str
    open: int
    running: int
    waiting: int
    oldest_requested_at: datetime | None


@asynccontextmanager
async def reach(pool: Pool, patience: timedelta = timedelta(seconds=5)) -> AsyncIterator[Connection]:
    """A connection of the pool; what the database refuses, or its absence, comes out as one of our errors."""
    try:
        async with pool.connection(timeout=patience.total_seconds()) as connection:
            yield connection
    except psycopg.Error as error:
        raise explain(error) from error


NAMES = [field.name for field in fields(Operation) if field.name != "open_sibling"]
COLUMNS = sql.SQL(", ").join(sql.Identifier("o", name) for name in NAMES)
WITH_SIBLING = sql.SQL(
    """{columns}, case when o.status = 'failed' then (
         select n.operation_id from zohosync.operation n
          where n.kind = o.kind and n.entity = o.entity and n.record_id = o.record_id
            and n.status in ('pending', 'retrying', 'waiting')) end as open_sibling"""
).format(columns=COLUMNS)

NEWEST_FIRST = sql.SQL(
    "select {columns} from zohosync.operation o where {conditions} order by o.operation_id desc limit %(limit)s"
)
# Each meaning of the search has its index; `offset 0` keeps the planner from turning the lookups into one big scan.
BY_SEARCH = sql.SQL(
    """with found as materialized (
         select x.operation_id from zohosync.operation x where x.operation_id = %(number)s
         union (select x.operation_id from zohosync.operation x
                 where x.entity = any (%(entities)s::text[]) and x.record_id = %(search)s)
         union (select x.operation_id from zohosync.operation x where x.zoho_id = %(search)s)
         union (select x.operation_id from zohosync.operation x where x.error_code = %(search)s
                 order by x.operation_id desc limit 10000)
         union (select x.operation_id from zohosync.operation x
                 where lower(x.label) ~>=~ lower(%(search)s) and lower(x.label) ~<~ (lower(%(search)s) || chr(1114111))
                 order by x.operation_id desc limit 10000)
         union (select x.operation_id from (
                  select d.entity, d.record_id from zohosync.document d where d.number = %(search)s
                  union all
                  (select d.entity, d.record_id from zohosync.document d
                    where d.lines @> jsonb_build_array(jsonb_build_object('sku', %(search)s::text)) limit 1000)) d
                 cross join lateral (
                  select y.operation_id from zohosync.operation y
                   where y.entity = d.entity and y.record_id = d.record_id offset 0) x
                 order by x.operation_id desc limit 10000))
       select {columns} from found
        cross join lateral (
          select * from zohosync.operation x where x.operation_id = found.operation_id offset 0) o
        where {conditions} order by o.operation_id desc limit %(limit)s"""
)


def _compose(filters: Filters, columns: sql.Composable) -> sql.Composed:
    """Kind and cause stand in the text: a plan for any value could not use the index of one."""
    conditions: list[sql.Composable] = [sql.SQL("o.operation_id < %(before)s")]
    if filters.state in STATES:
        conditions.append(STATES[filters.state])
    if filters.kind:
        conditions.append(sql.SQL("o.kind = {}").format(_literal(filters.kind)))
    if filters.cause:
        conditions.append(sql.SQL("o.cause = {}").format(_literal(filters.cause)))
    form = BY_SEARCH if filters.search else NEWEST_FIRST
    return form.format(columns=columns, conditions=sql.SQL(" and ").join(conditions))


def _literal(text: str) -> sql.Literal:
    return sql.Literal(text.replace("%", "%%"))  # psycopg looks for placeholders in the finished text


def _parameters(filters: Filters, before: int, limit: int) -> dict[str, Any]:
    search = filters.search or ""
    digits = search.removeprefix("#")
    return {
        "search": search,
        "number": int(digits) if digits.isdecimal() and len(digits) < 19 else None,
        "entities": list(filters.entities),
        "before": before,
        "limit": limit,
    }


async def list_operations(
    connection: Connection, filters: Filters, *, before: int = NEWEST, limit: int = 50
) -> list[Operation]:
    """Up to ``limit`` operations older than ``before``, newest first."""
    return await _read(connection, _compose(filters, WITH_SIBLING), _parameters(filters, before, limit))


async def _read(connection: Connection, query: sql.Composed, parameters: dict[str, Any]) -> list[Operation]:
    cursor = await connection.execute(query, parameters)
    return [Operation(**row) for row in await cursor.fetchall()]


COUNT_EACH = sql.SQL(
    """select (select count(*) from ({everything}) c) as all, (select count(*) from ({success}) c) as success,
              (select count(*) from ({pending}) c) as pending, (select count(*) from ({failed}) c) as failed"""
)
COUNT_FOUND = sql.SQL(
    """select count(*) as all, count(*) filter (where {success}) as success,
              count(*) filter (where {pending}) as pending, count(*) filter (where {failed}) as failed
         from ({everything}) o"""
)


async def count_by_state(connection: Connection, filters: Filters | None = None) -> Counts:
    """The numbers on the tabs: every state, under the other filters. What a search finds is gathered only once."""
    base = filters or Filters()
    everything = _compose(replace(base, state="all"), sql.SQL("o.operation_id, o.status, o.resolved_at"))
    if base.search:
        query = COUNT_FOUND.format(everything=everything, **STATES)
    else:
        each = {state: _compose(replace(base, state=state), sql.SQL("o.operation_id")) for state in STATES}
        query = COUNT_EACH.format(everything=everything, **each)
    cursor = await connection.execute(query, _parameters(base, NEWEST, COUNT_LIMIT + 1))
    row = await cursor.fetchone()
    assert row is not None  # an aggregate always has a row
    return Counts(**row)


async def find_operation(connection: Connection, operation_id: int) -> Operation | None:
    """One operation, or None."""
    query = sql.SQL("select {columns} from zohosync.operation o where o.operation_id = %(operation_id)s")
    found = await _read(connection, query.format(columns=WITH_SIBLING), {"operation_id": operation_id})
    return found[0] if found else None


async def list_attempts(connection: Connection, operation_id: int, limit: int = 100) -> list[Attempt]:
    """The newest attempts of an operation, newest first."""
    rows = await fetch_all(
        connection,
        """select number, worker, started_at, ended_at, outcome, error_code, error_message, error_hint, http_status,
                  vendor_code, left(jsonb_pretty(request), 100000) as request,
                  left(jsonb_pretty(response), 100000) as response,
                  coalesce(response ->> 'message', response #>> '{data,0,message}', response #>> '{body,message}',
                           response #>> '{body,data,0,message}') as vendor_message
             from zohosync.attempt where operation_id = %(operation_id)s order by attempt_id desc limit %(limit)s""",
        {"operation_id": operation_id, "limit": limit},
    )
    return [Attempt(**row) for row in rows]


async def list_record_operations(
    connection: Connection, entity: str, record_id: str, limit: int = 20
) -> list[Operation]:
    """The newest operations of one shop record, of every kind."""
    query = sql.SQL(
        """select {columns} from zohosync.operation o
            where o.entity = %(entity)s and o.record_id = %(record_id)s
            order by o.operation_id desc limit %(limit)s"""
    )
    parameters = {"entity": entity, "record_id": record_id, "limit": limit}
    return await _read(connection, query.format(columns=COLUMNS), parameters)


async def group_failures(connection: Connection, limit: int = 20) -> list[FailureGroup]:
    """Failures not cured yet, by error code, most frequent first; only the newest COUNT_LIMIT are looked at."""
    rows = await fetch_all(
        connection,
        """select f.error_code, count(*) as count, max(f.operation_id) as newest_id,
                  (array_agg(coalesce(f.error_message, '') order by f.operation_id desc))[1] as message,
                  (array_agg(coalesce(f.error_hint, '') order by f.operation_id desc))[1] as hint
             from (select o.operation_id, o.error_code, o.error_message, o.error_hint
                     from zohosync.operation o where o.status = 'failed' and o.resolved_at is null
                    order by o.operation_id desc limit %(most)s) f
            group by f.error_code order by count desc, newest_id desc limit %(limit)s""",
        {"most": COUNT_LIMIT, "limit": limit},
    )
    return [FailureGroup(**row) for row in rows]


async def lane_depths(connection: Connection) -> list[LaneDepth]:
    """How deep each lane is, in right-of-way order; the oldest COUNT_LIMIT operations are looked at."""
    rows = await fetch_all(
        connection,
        """select lanes.lane, count(o.status) as open, count(*) filter (where o.status = 'running') as running,
                  count(*) filter (where o.status = 'waiting') as waiting,
                  min(o.requested_at) filter (where o.status <> 'running') as oldest_requested_at
             from unnest(enum_range(null::zohosync.lane)) as lanes(lane)
             left join (
               select p.lane, p.status, p.requested_at from zohosync.operation p
                where p.status in ('pending', 'running', 'retrying', 'waiting')
                order by p.operation_id limit %(most)s) o on o.lane = lanes.lane
            group by lanes.lane order by lanes.lane""",
        {"most": COUNT_LIMIT},
    )
    return [LaneDepth(**row) for row in rows]
