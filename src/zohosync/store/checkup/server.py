"""The server itself: its version, its connections, its clock, and how much room our tables take."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zohosync.db.pool import Connection, fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class Server:
    """``version`` is as server_version_num. The connections are those of the server, or of the role or the
    database where these have a limit of their own that is closer; those reserved for superusers are left out."""

    version: int
    version_name: str
    role: str
    superuser: bool
    used_connections: int
    most_connections: int
    autovacuum: bool


@dataclass(frozen=True, slots=True)
class Pgmq:
    """``extension_version`` is None when pgmq is plain SQL; ``ours`` when zohosync brought that SQL."""

    extension_version: str | None
    ours: bool
    functions: frozenset[str]
    queues: frozenset[str]


@dataclass(frozen=True, slots=True)
class TableSize:
    """One of our tables or queues, with indexes and long values. ``vacuumed`` is False where it was switched off."""

    table: str
    bytes: int
    live_rows: int
    dead_rows: int
    vacuumed: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """Operations created within ``days`` (at most seven, less when the first is younger), and how many are kept."""

    operations: int
    days: float
    kept: int


async def read_server(connection: Connection) -> Server:
    row = await fetch_one(
        connection,
        """with role as (
             select oid, rolsuper, rolconnlimit from pg_roles where rolname = current_user
           ), here as (
             select oid, datconnlimit from pg_database where datname = current_database()
           ), limits (used, most) as (
             select (select count(*) from pg_stat_activity a where a.datid is not null),
                    current_setting('max_connections')::integer
                      - current_setting('superuser_reserved_connections')::integer
                      - coalesce(current_setting('reserved_connections', true)::integer, 0)
             union all
             select (select count(*) from pg_stat_activity a where a.usesysid = role.oid), rolconnlimit
               from role where rolconnlimit >= 0
             union all
             select (select count(*) from pg_stat_activity a where a.datid = here.oid), datconnlimit
               from here where datconnlimit >= 0
           )
           select current_setting('server_version_num')::integer as version,
                  current_setting('server_version') as version_name, current_user::text as role,
                  role.rolsuper as superuser, limits.used as used_connections, limits.most as most_connections,
                  current_setting('autovacuum') = 'on' as autovacuum
             from role, limits order by limits.most - limits.used limit 1""",
    )
    assert row is not None
    return Server(**row)


async def read_time(connection: Connection) -> datetime:
    """The database's clock."""
    row = await fetch_one(connection, "select clock_timestamp() as now")
    assert row is not None
    now: datetime = row["now"]
    return now


async def read_pgmq(connection: Connection) -> Pgmq | None:
    """None when there is no pgmq at all."""
    row = await fetch_one(
        connection,
        """select (select extversion from pg_extension where extname = 'pgmq') as extension_version,
                  coalesce(obj_description(n.oid, 'pg_namespace') like 'Installed by zohosync%%', false) as ours,
                  coalesce((select array_agg(distinct p.proname::text) from pg_proc p where p.pronamespace = n.oid),
                           '{}') as functions,
                  coalesce((select array_agg(substr(c.relname::text, 3)) from pg_class c
                             where c.relnamespace = n.oid and c.relkind in ('r', 'p') and c.relname like 'q\\_%%'),
                           '{}') as queues
             from pg_namespace n where n.nspname = 'pgmq'""",
        {},
    )
    if row is None:
        return None
    return Pgmq(row["extension_version"], row["ours"], frozenset(row["functions"]), frozenset(row["queues"]))


async def list_table_sizes(connection: Connection) -> list[TableSize]:
    """Our tables, our queues and their archives, the largest first."""
    rows = await fetch_all(
        connection,
        """select c.oid::regclass::text as table, pg_total_relation_size(c.oid) as bytes,
                  coalesce(s.n_live_tup, 0) as live_rows, coalesce(s.n_dead_tup, 0) as dead_rows,
                  not coalesce('autovacuum_enabled=false' = any (c.reloptions), false) as vacuumed
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             left join pg_stat_all_tables s on s.relid = c.oid
            where c.relkind = 'r'
              and (n.nspname = 'zohosync' or n.nspname = 'pgmq' and c.relname ~ '^[qa]_zohosync_')
            order by 2 desc, 1""",
    )
    return [TableSize(**row) for row in rows]


async def read_pace(connection: Connection) -> Pace:
    row = await fetch_one(
        connection,
        """select count(*) filter (where created_at > now() - interval '7 days') as operations, count(*) as kept,
                  greatest(least(extract(epoch from now() - min(created_at)) / 86400, 7), 0.1)::float8 as days
             from zohosync.operation""",
    )
    assert row is not None
    return Pace(row["operations"], row["days"] if row["days"] is not None else 7.0, row["kept"])


async def read_server_settings(connection: Connection) -> dict[str, Any]:
    """Settings of Postgres that decide how we work; none of them is secret."""
    rows = await fetch_all(
        connection,
        """select s.name, current_setting(s.name) as setting from pg_settings s
            where s.name = any (array['server_version', 'max_connections', 'superuser_reserved_connections',
                  'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'autovacuum',
                  'autovacuum_vacuum_scale_factor', 'shared_buffers', 'work_mem', 'wal_level', 'synchronous_commit',
                  'TimeZone', 'default_transaction_isolation', 'default_transaction_read_only',
                  'max_locks_per_transaction', 'track_counts', 'row_security', 'server_encoding'])
            order by 1""",
    )
    return {row["name"]: row["setting"] for row in rows}


async def list_migrations(connection: Connection) -> list[dict[str, Any]]:
    """What was applied, in order."""
    return await fetch_all(
        connection, "select version, name as migration, applied_at from zohosync.schema_migration order by version"
    )
