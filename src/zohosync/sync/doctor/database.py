"""The database: how it is reached, what it allows, and how it grows."""

import re
from urllib.parse import urlsplit

from zohosync.db.address import place_of
from zohosync.db.install import newest_version
from zohosync.db.pgmq import QUEUES, packaged_version
from zohosync.db.pool import is_transaction_pooled
from zohosync.store.checkup import rights, server
from zohosync.store.installation import list_known_places
from zohosync.sync.doctor.finding import Chart, count, some
from zohosync.sync.doctor.patient import Patient

OLDEST_POSTGRES = 150_000
OLDEST_PGMQ = (1, 4)
PGMQ_FUNCTIONS = ("send", "send_batch", "read", "set_vt", "delete", "archive")
BESIDES_THE_POOL = 2
"""Connections a process holds for LISTEN, beside its pool."""

DIRECT_HOST = re.compile(r"db\.[a-z0-9]+\.supabase\.co")
POOLER_DOMAIN = ".pooler.supabase.com"
MUCH = 2 * 1024**3
DEAD_SHARE, DEAD_ROWS = 0.2, 10_000
REINSTALL = "Run `zohosync install` as the owner of the shop's tables."


async def connection_mode(patient: Patient, chart: Chart) -> None:
    """Judged by the address: a pooler does not say what it is."""
    url = patient.settings.require_database()
    host = urlsplit(url).hostname or ""
    if is_transaction_pooled(url):
        chart.remark(
            "The database is reached through a transaction-mode pooler (port 6543): nobody can listen there, so workers"
            " look for work every few seconds and console pages are up to 5 s late.",
            "Use the session pooler (port 5432 of the same host), or the direct address.",
            mode="transaction pooler",
        )
    elif host.endswith(POOLER_DOMAIN):
        chart.ok("The database is reached through Supabase's session pooler.", mode="session pooler")
    elif DIRECT_HOST.fullmatch(host):
        chart.ok(
            "The database is reached directly. Supabase's direct address is IPv6 only: a machine without IPv6 needs the"
            " session pooler.",
            mode="direct",
        )
    else:
        chart.ok("The database is reached directly.", mode="direct")


async def connections(patient: Patient, chart: Chart) -> None:
    """Whether one more process finds room."""
    found = await server.read_server(patient.database)
    free = found.most_connections - found.used_connections
    needed = patient.settings.pool_size + BESIDES_THE_POOL
    figures = {"used": found.used_connections, "most": found.most_connections, "needed": needed}
    told = f"{found.used_connections} of {found.most_connections} connections are in use"
    if free <= 0:
        chart.wrong(
            f"No connection is free: {told}.", "Close idle programs, or raise the limit of the database.", **figures
        )
    elif free < needed:
        chart.remark(
            f"{told}; one more process may need {needed}.",
            "Lower ZOHOSYNC_POOL_SIZE, or use the session pooler.",
            **figures,
        )
    else:
        chart.ok(f"{told}.", **figures)


async def worker_role(patient: Patient, chart: Chart) -> None:
    """That the connection string is the worker's, which can touch nothing of the shop."""
    found, wanted = await server.read_server(patient.database), patient.settings.worker_role
    if found.role == wanted:
        chart.ok(f"The connection is the one of role {wanted}.", role=found.role)
    elif found.superuser:
        chart.wrong(
            f"ZOHOSYNC_DATABASE_URL connects as the superuser {found.role}, who may do anything to the shop.",
            f"Use the connection string of {wanted}; `zohosync install --new-password` prints it.",
            role=found.role,
        )
    else:
        chart.remark(
            f"ZOHOSYNC_DATABASE_URL connects as {found.role}, not as {wanted}.",
            f"Use the connection string of {wanted}, which can touch nothing of the shop.",
            role=found.role,
        )


async def postgres_version(patient: Patient, chart: Chart) -> None:
    judge_version(chart, await server.read_server(patient.database))


def judge_version(chart: Chart, found: server.Server) -> None:
    if found.version < OLDEST_POSTGRES:
        chart.wrong(f"Postgres {found.version_name} is too old.", "Upgrade to 15 or newer.", version=found.version_name)
    else:
        chart.ok(f"Postgres {found.version_name}.", version=found.version_name)


async def schema_version(patient: Patient, chart: Chart) -> None:
    """An older schema is refused before any check: there the queries of this program find nothing to read."""
    found, ours = patient.installation.schema_version, newest_version()
    if found > ours:
        chart.wrong(
            f"The database has schema version {found}, this program knows {ours}: workers of it refuse to start.",
            "Start the newer release of zohosync.",
            database=found,
            program=ours,
        )
    else:
        chart.ok(f"The schema has version {found}, as this program needs it.", database=found, program=ours)


async def copy_guard(patient: Patient, chart: Chart) -> None:
    if patient.installation.is_copy:
        chart.wrong(
            "This database is a copy of the one zohosync was installed in; workers refuse it, because both would write"
            " to the same Zoho.",
            "If it replaces the original, run `zohosync adopt-database`; else leave it.",
        )
        return
    place = place_of(patient.settings.require_database())
    known = await list_known_places(patient.database)
    if known and place not in known:
        chart.wrong(
            f"This database is reached at {place}, and was reached at {some(known)} before: it may be a copy of the"
            " server's files. Workers refuse it.",
            "If it is the same database, or replaces the original, run `zohosync adopt-database`; else leave it.",
            place=place,
            known=known,
        )
    else:
        chart.ok("This database is the one zohosync was installed in, not a copy.")


async def grants(patient: Patient, chart: Chart) -> None:
    """What the worker needs, object by object."""
    missing = await rights.list_missing_grants(patient.database, PGMQ_FUNCTIONS)
    if missing:
        chart.wrong(
            f"The worker's role lacks {count(len(missing), 'right')}: {some(missing)}.", REINSTALL, missing=missing
        )
    else:
        chart.ok("The worker's role has every right it needs.")


async def exposure(patient: Patient, chart: Chart) -> None:
    """That nobody else can see our tables, whatever is granted by mistake."""
    exposed = await rights.list_exposures(patient.database)
    unguarded = await rights.list_unguarded_tables(patient.database)
    if exposed:
        chart.wrong(
            f"Others can reach what is ours: {some(exposed)}.",
            "Revoke these rights, and keep zohosync and pgmq out of the schemas your API exposes.",
            exposures=exposed,
        )
    if unguarded:
        chart.wrong(
            f"Row level security is off, or keeps the worker out, on {some(unguarded)}.", REINSTALL, tables=unguarded
        )
    if not exposed and not unguarded:
        chart.ok(
            "anon, authenticated and PUBLIC have no rights on our objects, and row level security guards each table."
        )


async def pgmq(patient: Patient, chart: Chart) -> None:
    judge_pgmq(chart, await server.read_pgmq(patient.database))


def judge_pgmq(chart: Chart, found: server.Pgmq | None) -> None:
    if found is None:
        chart.wrong("There is no pgmq in this database.", REINSTALL)
        return
    lacking = sorted(set(PGMQ_FUNCTIONS) - found.functions)
    queues = sorted({f"zohosync_{queue}" for queue in QUEUES} - found.queues)
    if found.extension_version is not None:
        origin = f"the server's extension, version {found.extension_version}"
    elif found.ours:
        origin = f"SQL that zohosync brought (this program ships version {packaged_version()})"
    else:
        origin = "SQL that somebody else installed"
    if found.extension_version is not None and _number(found.extension_version) < OLDEST_PGMQ:
        chart.wrong(f"pgmq is {origin}, which is too old.", "Upgrade it: alter extension pgmq update;", origin=origin)
    elif lacking:
        chart.wrong(f"pgmq is {origin} and lacks {some(lacking)}.", "Upgrade pgmq to 1.4 or newer.", lacking=lacking)
    elif queues:
        chart.wrong(f"The queues {some(queues)} are not there.", REINSTALL, queues=queues)
    else:
        chart.ok(f"pgmq is {origin}; its functions and our {len(QUEUES)} queues are there.", origin=origin)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))[:2]


async def disk_growth(patient: Patient, chart: Chart) -> None:
    """What we take now, and what the log will take when retention deletes as much as comes in."""
    sizes = await server.list_table_sizes(patient.database)
    pace = await server.read_pace(patient.database)
    total, largest = sum(size.bytes for size in sizes), sizes[0]
    log = sum(size.bytes for size in sizes if size.table in ("zohosync.operation", "zohosync.attempt"))
    per_day = pace.operations / pace.days
    # A young log tells little about the size of a row: empty pages and indexes weigh more than it does.
    each = log / pace.kept if pace.kept >= 1_000 else 4_096.0
    kept_days = patient.settings.keep_successes.total_seconds() / 86_400
    forecast = round(total - log + each * per_day * kept_days) if pace.operations else total
    archives = sum(size.bytes for size in sizes if ".a_zohosync_" in size.table)
    told = (
        f"zohosync takes {_bytes(total)} (most of it {largest.table}: {_bytes(largest.bytes)};"
        f" archives of queues {_bytes(archives)}). {per_day:.0f} operations a day come to"
        f" {_bytes(round(each * per_day))} a day; kept for {kept_days:.0f} days, that settles at about"
        f" {_bytes(forecast)}."
    )
    figures = {
        "bytes": total,
        "largest": largest.table,
        "operations_a_day": round(per_day, 1),
        "bytes_a_day": round(each * per_day),
        "forecast_bytes": forecast,
        "archive_bytes": archives,
    }
    if max(total, forecast) > MUCH:
        chart.remark(told, "Lower ZOHOSYNC_KEEP_SUCCESSES if that is too much for this database.", **figures)
    else:
        chart.ok(told, **figures)


async def vacuum(patient: Patient, chart: Chart) -> None:
    """Queues change all the time; without autovacuum they only grow."""
    sizes = await server.list_table_sizes(patient.database)
    off = [size.table for size in sizes if not size.vacuumed]
    bloated = [
        s.table for s in sizes if s.dead_rows > DEAD_ROWS and s.dead_rows > DEAD_SHARE * (s.live_rows + s.dead_rows)
    ]
    everywhere = not (await server.read_server(patient.database)).autovacuum
    if everywhere or off:
        where = "for the whole server" if everywhere else f"for {some(off)}"
        chart.remark(f"Autovacuum is off {where}; queues and log will only grow.", "Switch it on.", tables=off)
    if bloated:
        chart.remark(
            f"More than a fifth of the rows are dead in {some(bloated)}.",
            "Look for transactions that stay open for hours in pg_stat_activity; then run: vacuum.",
            tables=bloated,
        )
    if not everywhere and not off and not bloated:
        chart.ok("Autovacuum keeps up with our tables.")


def _bytes(number: int) -> str:
    for unit, size in (("GB", 1024**3), ("MB", 1024**2), ("kB", 1024)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"
