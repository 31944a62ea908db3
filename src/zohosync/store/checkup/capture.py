"""Capture and work as the database shows them: triggers, what waits, who works, what went wrong."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import psycopg
from psycopg import sql

from zohosync.db.install import CaptureTrigger
from zohosync.db.pool import Connection, fetch_all, fetch_one

Fate: TypeAlias = Literal["captured", "missed", "not permitted", "refused by the shop"]


@dataclass(frozen=True, slots=True)
class FoundTrigger:
    """``timing`` is the trigger's bit mask; ``may_send`` whether the function's owner may put a message into our queue.

    https://www.postgresql.org/docs/current/catalog-pg-trigger.html
    """

    name: str
    table: str
    enabled: bool
    timing: int
    function: str
    definer: bool
    configuration: tuple[str, ...]
    may_send: bool


@dataclass(frozen=True, slots=True)
class Fired:
    """What happened when a role wrote nothing to a table."""

    role: str
    table: str
    event: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class Capture:
    """``oldest_at`` is when the oldest change that nobody has read was captured."""

    capturing: bool
    live_since: datetime | None
    paused_at: datetime | None
    unread: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """``silent`` is for how many seconds it was not seen."""

    worker: str
    started_at: datetime
    seen_at: datetime
    silent: float
    listening: bool
    schema_version: int


@dataclass(frozen=True, slots=True)
class ClockJob:
    """``overdue`` is for how many seconds it should have run, negative before its time; None when it never ran."""

    job: str
    last_run_at: datetime | None
    overdue: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """``title`` and ``hint`` may name somebody; the other parts do not."""

    code: str
    severity: str
    title: str
    hint: str
    occurrences: int
    opened_at: datetime


async def list_triggers(connection: Connection) -> list[FoundTrigger]:
    """All triggers of the shop's tables that bear our name."""
    rows = await fetch_all(
        connection,
        """select t.tgname as name, c.relname as table, t.tgenabled in ('O', 'A') as enabled,
                  t.tgtype::integer as timing, n.nspname || '.' || p.proname as function, p.prosecdef as definer,
                  coalesce(p.proconfig, '{}') as configuration,
                  coalesce(has_schema_privilege(p.proowner, to_regnamespace('pgmq'), 'usage')
                    and has_function_privilege(p.proowner, to_regprocedure('pgmq.send_batch(text, jsonb[])'), 'execute')
                    and has_table_privilege(p.proowner, to_regclass('pgmq.q_zohosync_changes'), 'insert'),
                    false) as may_send
             from pg_trigger t
             join pg_class c on c.oid = t.tgrelid and c.relnamespace = 'public'::regnamespace
             join pg_proc p on p.oid = t.tgfoid join pg_namespace n on n.oid = p.pronamespace
            where not t.tgisinternal and t.tgname like 'zohosync\\_%%' order by 2, 1""",
        {},
    )
    return [FoundTrigger(**{**row, "configuration": tuple(row["configuration"])}) for row in rows]


async def list_present_roles(connection: Connection, roles: Sequence[str]) -> list[str]:
    rows = await fetch_all(
        connection, "select rolname as role from pg_roles where rolname = any (%(roles)s)", {"roles": list(roles)}
    )
    present = {row["role"] for row in rows}
    return [role for role in roles if role in present]


async def name_of_role(connection: Connection) -> str:
    """Who is connected, as SQL names the role."""
    row = await fetch_one(connection, "select quote_ident(current_user) as role")
    assert row is not None
    return str(row["role"])


async def may_become(connection: Connection, role: str) -> bool:
    """Whether the connected role may ``set role`` to it."""
    try:
        async with _undone(connection):
            await connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


async def fire(connection: Connection, role: str, trigger: CaptureTrigger) -> Fired:
    """Let the trigger run as ``role`` by a write of no rows, and undo it: nothing of the shop is changed or locked
    for longer than that statement."""
    fate: Fate = "captured"
    try:
        async with _undone(connection):
            column = await _writable_column(connection, role, trigger)
            if column is None:
                return Fired(role, trigger.table, trigger.event, "not permitted")
            await connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            await connection.execute(_write_of_nothing(trigger, column))
            if await _was_missed(connection):
                fate = "missed"
    except psycopg.errors.InsufficientPrivilege:
        fate = "not permitted"
    except psycopg.Error:
        fate = "refused by the shop"
    return Fired(role, trigger.table, trigger.event, fate)


async def try_to_send(connection: Connection) -> str | None:
    """Put a change into the queue and undo it; what stood in the way, None when nothing did."""
    try:
        async with _undone(connection):
            await connection.execute("select pgmq.send_batch('zohosync_changes', array['{}'::jsonb])")
    except psycopg.Error as error:
        return str(error).strip().splitlines()[0]
    return None


@asynccontextmanager
async def _undone(connection: Connection) -> AsyncIterator[None]:
    """A transaction that leaves nothing behind, and waits for no lock of the shop."""
    async with connection.transaction(force_rollback=True):
        await connection.execute("set local lock_timeout = '1s'")
        yield


async def _writable_column(connection: Connection, role: str, trigger: CaptureTrigger) -> str | None:
    row = await fetch_one(
        connection,
        """select a.attname as name from pg_attribute a
            where a.attrelid = to_regclass('public.' || quote_ident(%(table)s)) and a.attnum > 0
              and not a.attisdropped and a.attgenerated = ''
              and case when %(event)s = 'delete' then has_table_privilege(%(role)s, a.attrelid, 'delete')
                       else has_column_privilege(%(role)s, a.attrelid, a.attnum, %(event)s) end
            order by a.attnum limit 1""",
        {"table": trigger.table, "role": role, "event": trigger.event},
    )
    return None if row is None else row["name"]


def _write_of_nothing(trigger: CaptureTrigger, column: str) -> sql.Composed:
    names = {"table": sql.Identifier("public", trigger.table), "column": sql.Identifier(column)}
    if trigger.event == "insert":
        return sql.SQL("insert into {table} ({column}) select null where false").format(**names)
    if trigger.event == "delete":
        return sql.SQL("delete from {table} where false").format(**names)
    return sql.SQL("update {table} set {column} = default where false").format(**names)


async def _was_missed(connection: Connection) -> bool:
    row = await fetch_one(connection, "select current_setting('zohosync.capture_missed', true) as missed")
    return row is not None and row["missed"] == "yes"


async def read_capture(connection: Connection) -> Capture:
    row = await fetch_one(
        connection,
        """select i.capturing, i.live_since, i.paused_at, q.unread, q.oldest_at
             from zohosync.installation i,
                  (select count(*) as unread, min(enqueued_at) as oldest_at from pgmq.q_zohosync_changes) q""",
    )
    assert row is not None
    return Capture(**row)


async def list_worker_rows(connection: Connection) -> list[WorkerRow]:
    """Workers seen within a day, latest first."""
    rows = await fetch_all(
        connection,
        """select worker_id as worker, started_at, seen_at, listening, schema_version,
                  extract(epoch from clock_timestamp() - seen_at)::float8 as silent
             from zohosync.worker where seen_at > now() - interval '1 day' order by seen_at desc limit 50""",
    )
    return [WorkerRow(**row) for row in rows]


async def list_clock_jobs(connection: Connection) -> list[ClockJob]:
    rows = await fetch_all(
        connection,
        """select job, last_run_at, error, extract(epoch from clock_timestamp() - next_run_at)::float8 as overdue
             from zohosync.clock_job order by job""",
    )
    return [ClockJob(**row) for row in rows]


async def list_open_incidents(connection: Connection) -> list[OpenIncident]:
    rows = await fetch_all(
        connection,
        """select code, severity, title, hint, occurrences, opened_at from zohosync.incident
            where closed_at is null order by severity, opened_at""",
    )
    return [OpenIncident(**row) for row in rows]


async def count_by_code(connection: Connection) -> list[dict[str, Any]]:
    """Operations by kind, status and error code."""
    return await fetch_all(
        connection,
        """select kind, status::text, error_code, count(*) as operations from zohosync.operation
            group by 1, 2, 3 order by 4 desc, 1, 2 limit 200""",
    )
