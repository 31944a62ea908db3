"""The installation's own row: identity, go-live, capture."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg

from zohosync.db.install import IDENTITY, newest_version
from zohosync.db.pool import Connection, explain, fetch_all, fetch_one
from zohosync.errors import ForeignCopy, SchemaMismatch, SettingsRefused


@dataclass(frozen=True, slots=True)
class Installation:
    """What this database is. ``is_copy``: it was restored or cloned from the one zohosync was installed in."""

    installation_id: str
    schema_version: int
    is_copy: bool
    zoho: str | None
    organisation_id: str | None
    books_organisation_id: str | None
    capturing: bool
    live_since: datetime | None


@dataclass(frozen=True, slots=True)
class GoneLive:
    """``already``: it was live before. ``baseline``: how many older records will never be synced by themselves."""

    live_since: datetime
    already: bool
    baseline: int


async def read_installation(connection: Connection) -> Installation:
    """The installation; SchemaMismatch when there is none, or one of an older release."""
    try:
        await _check_age(connection)
        row = await fetch_one(
            connection,
            f"""select installation_id::text, database_identity <> {IDENTITY} as is_copy, zoho, organisation_id,
                       books_organisation_id, capturing, live_since,
                       (select max(version) from zohosync.schema_migration) as schema_version
                  from zohosync.installation""",  # noqa: S608 - a constant of ours
        )
    except psycopg.Error as error:
        raise explain(error) from error
    if row is None:
        raise SchemaMismatch("The installation in this database is not complete.", hint="Run `zohosync install`.")
    return Installation(**row)


async def _check_age(connection: Connection) -> None:
    """First of all: an older schema lacks what the queries of this program name."""
    row = await fetch_one(connection, "select max(version) as version from zohosync.schema_migration")
    version, ours = (row["version"] if row else None) or 0, newest_version()
    if version < ours:
        raise SchemaMismatch(
            f"The database has schema version {version}, this program needs {ours}.",
            hint="Run `zohosync install` to upgrade it; open work survives.",
        )


async def check_installation(connection: Connection, *, zoho: str, place: str | None = None) -> Installation:
    """Refuse a database this program must not work on: another schema version, a copy, or the other kind of Zoho.

    ``place`` is where it was reached, as ``place_of`` tells it; None does not ask.
    """
    found = await read_installation(connection)
    ours = newest_version()
    if found.schema_version > ours:
        raise SchemaMismatch(
            f"The database has schema version {found.schema_version}, this program knows {ours}.",
            hint="Start the newer release of zohosync.",
        )
    if found.is_copy:
        raise ForeignCopy(
            "This database is a copy of the one zohosync was installed in; both would write to the same Zoho.",
            hint="If it replaces the original, run `zohosync adopt-database`.",
        )
    if place is not None:
        await _check_place(connection, place)
    if found.zoho is not None and found.zoho != zoho:
        raise SettingsRefused(
            f"This database was connected to Zoho {found.zoho!r}, but ZOHOSYNC_ZOHO is {zoho!r}.",
            hint="Ids of a simulator must never meet ids of a real Zoho: use a separate database.",
        )
    return found


async def _check_place(connection: Connection, place: str) -> None:
    """A copy of a server's files has the same identity: only its address tells. The first one is taken on trust."""
    rows = await fetch_all(
        connection,
        """with first as (
             insert into zohosync.known_address (address)
             select %(place)s where not exists (select from zohosync.known_address)
             on conflict do nothing returning address
           )
           select address from first union select address from zohosync.known_address""",
        {"place": place},
    )
    known = sorted(row["address"] for row in rows)
    if place not in known:
        raise ForeignCopy(
            f"This database is reached at {place}, and was reached at {', '.join(known)} before:"
            " it may be a copy, and both would write to the same Zoho.",
            hint="If it is the same database, or replaces the original, run `zohosync adopt-database`.",
            code="unknown_address",
        )


async def pin_organisation(
    connection: Connection, *, organisation_id: str, zoho: str, books_organisation_id: str | None = None
) -> None:
    """Tie the database to one organisation of CRM and one of Books, for good; SettingsRefused when it is tied to
    others. No Books organisation leaves that part as it is."""
    row = await fetch_one(
        connection,
        """update zohosync.installation
              set organisation_id = %(organisation)s, zoho = %(zoho)s,
                  books_organisation_id = coalesce(%(books)s, books_organisation_id)
            where coalesce(organisation_id, %(organisation)s) = %(organisation)s and coalesce(zoho, %(zoho)s) = %(zoho)s
              and (%(books)s::text is null or coalesce(books_organisation_id, %(books)s) = %(books)s)
        returning organisation_id""",
        {"organisation": organisation_id, "zoho": zoho, "books": books_organisation_id},
    )
    if row is None:
        found = await read_installation(connection)
        if found.organisation_id == organisation_id and found.zoho == zoho:
            ours, theirs = f"Books organisation {found.books_organisation_id}", str(books_organisation_id)
        else:
            ours = f"Zoho organisation {found.organisation_id} ({found.zoho})"
            theirs = f"{organisation_id} ({zoho})"
        raise SettingsRefused(
            f"This database is tied to {ours}, not to {theirs}.",
            hint="Connect with a user of that organisation, or use a separate database.",
            code="other_organisation",
        )


async def go_live(connection: Connection, sources: Iterable[tuple[str, str]]) -> GoneLive:
    """Start capture. What the shop holds now counts as old and is never synced by itself.

    ``sources`` are the (kind, entity) pairs of all streams. A transaction that is open now and commits later is new:
    its record is not in the baseline, and the scan finds it.
    """
    async with connection.transaction():
        before = await fetch_one(connection, "select live_since, capturing from zohosync.installation for update")
        if before is None:
            raise SchemaMismatch("The installation in this database is not complete.", hint="Run `zohosync install`.")
        row = await fetch_one(
            connection,
            "update zohosync.installation set capturing = true, live_since = coalesce(live_since, now())"
            " returning live_since",
        )
        assert row is not None
        taken = 0
        for kind, entity in sources:  # also what a later release brought: its past is old, too
            counted = await fetch_one(
                connection,
                "select zohosync.take_baseline(%(kind)s, %(entity)s) as taken",
                {"kind": kind, "entity": entity},
            )
            taken += int(counted["taken"]) if counted else 0
        return GoneLive(row["live_since"], before["live_since"] is not None, taken)


async def pause(connection: Connection) -> None:
    """Stop capture; what changes meanwhile is found by the scan after ``go_live`` starts it again."""
    await connection.execute(
        "update zohosync.installation set capturing = false,"
        "  paused_at = case when capturing then now() else paused_at end"
    )


async def list_known_places(connection: Connection) -> list[str]:
    """Where the database was reached so far, as ``place_of`` tells it."""
    rows = await fetch_all(connection, "select address from zohosync.known_address order by since, address")
    return [row["address"] for row in rows]


async def is_known_place(connection: Connection, place: str) -> bool:
    """Whether the database was reached there before."""
    row = await fetch_one(
        connection, "select 1 as known from zohosync.known_address where address = %(place)s", {"place": place}
    )
    return row is not None


async def adopt_database(connection: Connection, place: str | None = None) -> None:
    """Declare this database, as it is reached now, to be the installation from now on. The workers it remembers may be
    those of an original; whoever lives comes back by itself."""
    async with connection.transaction():
        await connection.execute(f"update zohosync.installation set database_identity = {IDENTITY}".encode())  # noqa: S608
        await connection.execute("delete from zohosync.worker")
        await connection.execute(
            "insert into zohosync.known_address (address) select %(place)s where %(place)s::text is not null"
            " on conflict do nothing",
            {"place": place},
        )
