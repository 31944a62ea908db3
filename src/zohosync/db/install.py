"""What zohosync puts beside a shop's tables: composed as one SQL text, run or printed."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql

from zohosync.db.pgmq import drop_pgmq_sql, install_pgmq_sql
from zohosync.db.pool import Connection, explain, fetch_all, fetch_one
from zohosync.errors import DatabaseFailure, PrivilegeMissing, SettingsRefused

MAPPED_TABLES = ("users", "orders", "products", "product_variants", "b2b_quotes", "contact_submissions")
LINE_TABLES = ("b2b_quote_items", "order_items")
CAPTURED_TABLES = (*MAPPED_TABLES, *LINE_TABLES)
MAPPING_COLUMNS = ("zoho_crm_id", "zoho_books_id")
TAX_COLUMNS = ("hsn_code", "gst_rate", "tax_category")
"""What an adapter adds to the variants, so that somebody can say what GST asks of the goods."""
# Types an existing mapping column may have: anything that holds an id of up to 19 digits unharmed.
ACCEPTED_TYPES = re.compile(r"^(text|bigint|numeric|character varying(\(([2-9]\d|\d{3,})\))?)$")
# Two numbers that nobody else is likely to lock: "zoho", "sync".
INSTALL_LOCK = """select pg_advisory_xact_lock(2053141615, 1937334883);
-- Behind somebody's open transaction we give up rather than keep the shop waiting behind us.
select set_config('lock_timeout', '2s', true);
"""
LOCK_TRIES = 5

_ROOM = files("zohosync.db")


@dataclass(frozen=True)
class Migration:
    """One numbered file of db/migrations."""

    version: int
    name: str
    text: str


@dataclass(frozen=True)
class Installed:
    """What ``install`` did and found. ``worker_password`` is set only when the role was made, or asked for anew;
    ``sharing`` are the other databases of this server that use the role."""

    schema_version: int
    worker_role: str
    worker_password: str | None
    findings: list[str] = field(default_factory=list)
    sharing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Uninstalled:
    """What ``uninstall`` did. ``found`` is False when there was no schema of ours; ``columns`` counts those it dropped;
    ``role_stays`` when Postgres refused to drop the role, ``sharing`` are the databases that may be why."""

    found: bool
    columns: int
    role_stays: bool
    sharing: list[str]


def load_migrations() -> list[Migration]:
    """All migrations of this release, in order."""
    found = [
        Migration(int(entry.name[:4]), entry.name.removesuffix(".sql"), entry.read_text())
        for entry in (_ROOM / "migrations").iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found, key=lambda migration: migration.version)


@cache
def newest_version() -> int:
    """The schema version this program was written for. It is read once: an upgrade of the package under a running
    program must not make that program believe that it is the new one."""
    return load_migrations()[-1].version


def load_adapter(name: str) -> str:
    """The SQL of a shop adapter: a name of one that we ship, or a path."""
    shipped = _ROOM / "adapters" / f"{name}.sql"
    if shipped.is_file():
        return shipped.read_text()
    if Path(name).is_file():
        return Path(name).read_text(encoding="utf-8")
    raise SettingsRefused(
        f"There is no adapter {name!r}.", hint="Set ZOHOSYNC_ADAPTER to kn, or to the path of your file."
    )


@dataclass(frozen=True)
class CaptureTrigger:
    """One trigger that an adapter puts on a table of the shop; ``event`` is insert, update or delete."""

    name: str
    event: str
    table: str
    function: str


TRIGGER = re.compile(
    r"create or replace trigger (\w+)\s+after (insert|update|delete) on public\.(\w+)"
    r"[^;]*?execute function zohosync\.(\w+)\(\)"
)


def list_capture_triggers(adapter: str) -> list[CaptureTrigger]:
    """The triggers that the adapter's SQL creates."""
    return [CaptureTrigger(*found) for found in TRIGGER.findall(load_adapter(adapter))]


def compose_install(*, worker_role: str, adapter: str) -> str:
    """The whole installation as one SQL script, the same for every server; safe to run again."""
    steps = [
        INSTALL_LOCK,
        install_pgmq_sql(),
        "create schema if not exists zohosync;\n"
        "comment on schema zohosync is 'zohosync: keeps this shop and Zoho in step. Never expose it to an API.';\n"
        "create table if not exists zohosync.schema_migration (\n"
        "  version integer primary key, name text not null, applied_at timestamptz not null default now());\n",
        *(_once(migration) for migration in load_migrations()),
        load_adapter(adapter),
        _remember_installation(adapter),
        _create_role(worker_role),
        (_ROOM / "grants.sql").read_text().replace("{worker_role}", worker_role),
    ]
    return "\n".join(step.strip() + "\n" for step in steps)


def _once(migration: Migration) -> str:
    return f"""
do $once$ begin
  if not exists (select from zohosync.schema_migration where version = {migration.version}) then
    execute $migration${migration.text}$migration$;
    insert into zohosync.schema_migration (version, name) values ({migration.version}, '{migration.name}');
  end if;
end $once$;
"""


def _remember_installation(adapter: str) -> str:
    name = Path(adapter).stem.replace("'", "")
    return f"""
insert into zohosync.installation (database_identity, adapter) values ({IDENTITY}, '{name}')
on conflict (singleton) do update set adapter = excluded.adapter;
"""


IDENTITY = (
    "(select c.system_identifier::text || '/' || d.oid::text"
    " from pg_control_system() c, pg_database d where d.datname = current_database())"
)


def _create_role(role: str) -> str:
    return f"""
do $role$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = '{role}') then
    create role {role} login;  -- without a password nobody can sign in; install sets one
  end if;
exception when insufficient_privilege then
  raise exception 'zohosync: this role may not create roles; have an administrator run: create role {role} login'
    using errcode = 'insufficient_privilege';
end $role$;
"""


async def install(connection: Connection, *, worker_role: str, adapter: str, new_password: bool = False) -> Installed:
    """Install or upgrade, in one transaction under an advisory lock; refuses with the remedy and changes nothing.

    A shop transaction that holds one of the tables is waited for five times two seconds, and the shop is let through
    in between.
    """
    await _check_owner(connection)
    await _check_columns(connection)
    for last in (number == LOCK_TRIES for number in range(1, LOCK_TRIES + 1)):
        try:
            return await _install_once(connection, worker_role, adapter, new_password)
        except psycopg.errors.LockNotAvailable as error:
            if last:
                raise _tables_busy() from error
        except psycopg.Error as error:
            raise explain(error) from error
    raise _tables_busy()


async def _install_once(connection: Connection, worker_role: str, adapter: str, new_password: bool) -> Installed:
    async with connection.transaction():
        findings = await find_older_integration(connection)
        role_is_new = not await _has_role(connection, worker_role)
        await connection.execute(compose_install(worker_role=worker_role, adapter=adapter).encode())
        password = secrets.token_urlsafe(24) if role_is_new or new_password else None
        if password:
            await _set_password(connection, worker_role, password)
    sharing = await _list_databases_of(connection, worker_role)
    return Installed(newest_version(), worker_role, password, findings, sharing)


async def _list_databases_of(connection: Connection, role: str) -> list[str]:
    """The other databases of this server in which the role has rights.

    https://www.postgresql.org/docs/current/catalog-pg-shdepend.html
    """
    rows = await fetch_all(
        connection,
        """select distinct d.datname as name
             from pg_shdepend s join pg_roles r on r.oid = s.refobjid join pg_database d on d.oid = s.dbid
            where s.refclassid = 'pg_authid'::regclass and r.rolname = %(role)s and d.datname <> current_database()
            order by 1""",
        {"role": role},
    )
    return [row["name"] for row in rows]


def _tables_busy() -> DatabaseFailure:
    return DatabaseFailure(
        "The shop's tables are in use by an open transaction, so nothing was changed.",
        hint="Try again at a quieter moment; pg_stat_activity shows who holds them.",
        code="tables_busy",
    )


async def _set_password(connection: Connection, role: str, password: str) -> None:
    """Sends only the SCRAM verifier: the password itself reaches neither the server's log nor its statistics."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    await connection.execute(
        sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(verifier))
    )


async def _check_owner(connection: Connection) -> None:
    rows = await fetch_all(
        connection,
        """select t.name, c.oid is not null as present,
                  c.oid is not null and pg_has_role(current_user, c.relowner, 'usage') as owned
             from unnest(%(tables)s::text[]) as t(name)
             left join pg_class c on c.relname = t.name and c.relnamespace = 'public'::regnamespace
                                 and c.relkind in ('r', 'p')""",
        {"tables": [*MAPPED_TABLES, *LINE_TABLES]},
    )
    missing = [row["name"] for row in rows if not row["present"]]
    if missing:
        raise DatabaseFailure(
            f"The shop's tables are not in this database: {', '.join(missing)} not found in schema public.",
            hint="Check the database name, or set ZOHOSYNC_ADAPTER to the adapter of your shop.",
        )
    foreign = [row["name"] for row in rows if not row["owned"]]
    if foreign:
        raise PrivilegeMissing(
            f"This role does not own {', '.join(foreign)}.",
            hint="Connect as the owner of the shop's tables (on Supabase: postgres).",
        )
    may = await fetch_one(connection, "select has_database_privilege(current_database(), 'create') as may")
    if not (may and may["may"]):
        raise PrivilegeMissing(
            "This role may not create schemas in this database.",
            hint="Have an administrator run: grant create on database … to this role.",
        )


async def _check_columns(connection: Connection) -> None:
    for row in await _mapping_columns(connection):
        if not ACCEPTED_TYPES.match(row["type"]):
            raise DatabaseFailure(
                f"Column public.{row['table_name']}.{row['name']} has the type {row['type']},"
                " which cannot hold an id of Zoho.",
                hint="Make it text, or drop it if nothing uses it.",
            )


async def _mapping_columns(connection: Connection) -> list[dict[str, str]]:
    return await _columns(connection, MAPPED_TABLES, MAPPING_COLUMNS)


async def _columns(connection: Connection, tables: Iterable[str], names: Iterable[str]) -> list[dict[str, str]]:
    return await fetch_all(
        connection,
        """select c.relname as table_name, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
                  coalesce(col_description(c.oid, a.attnum), '') as comment
             from pg_attribute a join pg_class c on c.oid = a.attrelid
            where c.relnamespace = 'public'::regnamespace and c.relname = any (%(tables)s)
              and a.attname = any (%(columns)s) and not a.attisdropped""",
        {"tables": list(tables), "columns": list(names)},
    )


async def find_older_integration(connection: Connection) -> list[str]:
    """Sentences about what an earlier Zoho integration left in this database; nothing of it is touched."""
    tables = await fetch_all(
        connection,
        """select c.relname as name from pg_class c
            where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname ~ '^zoho_'""",
    )
    findings = [f"Table public.{row['name']} is of an older Zoho integration; it is left alone." for row in tables]
    for row in await _mapping_columns(connection):
        if not row["comment"].startswith("zohosync:"):
            findings.append(
                f"Column public.{row['table_name']}.{row['name']} ({row['type']}) existed already;"
                " its ids are taken over only after Zoho confirms them."
            )
    return findings + await find_older_triggers(connection)


async def find_older_triggers(connection: Connection) -> list[str]:
    """Of these, the ones that do harm: what writes to Zoho beside us."""
    triggers = await fetch_all(
        connection,
        """select t.tgname as name, t.tgrelid::regclass::text as table_name from pg_trigger t
            where not t.tgisinternal and t.tgenabled <> 'D' and t.tgname ~ 'zoho' and t.tgname !~ '^zohosync_'""",
    )
    return [
        f"Trigger {row['name']} on {row['table_name']} is of an older Zoho integration;"
        " disable it, or both will write to Zoho."
        for row in triggers
    ]


def compose_uninstall(*, worker_role: str) -> str:
    """SQL that takes away triggers, queues, our schema and the worker's rights; the shop's data stays."""
    triggers = "\n".join(
        f"drop trigger if exists zohosync_capture_{event} on public.{table};"
        for table in CAPTURED_TABLES
        for event in ("insert", "update", "delete")
    )
    return f"""{INSTALL_LOCK}{triggers}
{drop_pgmq_sql()}
drop schema if exists zohosync cascade;
do $role$ begin
  if to_regnamespace('pgmq') is not null
     and exists (select from pg_catalog.pg_roles where rolname = '{worker_role}') then
    revoke all on schema pgmq from {worker_role};
  end if;
exception when insufficient_privilege then
  null;  -- then the role cannot be dropped either
end $role$;
do $role$ begin
  drop role if exists {worker_role};
exception when insufficient_privilege or dependent_objects_still_exist then
  raise notice 'zohosync: role {worker_role} could not be dropped; drop it by hand';
end $role$;
"""


async def uninstall(connection: Connection, *, worker_role: str, columns: bool = False) -> Uninstalled:
    """Remove zohosync; with ``columns`` also the columns that install added (never ones it found)."""
    try:
        async with connection.transaction():
            found = await fetch_one(connection, "select 1 from pg_namespace where nspname = 'zohosync'")
            await connection.execute(compose_uninstall(worker_role=worker_role).encode())
            dropped = await _drop_columns(connection) if columns else 0
            stays = await _has_role(connection, worker_role)
            sharing = await _list_databases_of(connection, worker_role)
            return Uninstalled(found is not None, dropped, stays, sharing)
    except psycopg.errors.LockNotAvailable as error:
        raise _tables_busy() from error
    except psycopg.Error as error:
        raise explain(error) from error


async def _has_role(connection: Connection, role: str) -> bool:
    row = await fetch_one(connection, "select 1 from pg_roles where rolname = %(role)s", {"role": role})
    return row is not None


async def _drop_columns(connection: Connection) -> int:
    tax = await _columns(connection, ("product_variants",), TAX_COLUMNS)
    ours = [row for row in await _mapping_columns(connection) + tax if row["comment"].startswith("zohosync:")]
    for row in ours:
        await connection.execute(
            sql.SQL("alter table public.{} drop column {}").format(
                sql.Identifier(row["table_name"]), sql.Identifier(row["name"])
            )
        )
    return len(ours)
