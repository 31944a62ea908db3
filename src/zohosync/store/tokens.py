"""The login at Zoho in Postgres. Secrets come and go sealed; nothing here can open them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg import errors

from zohosync.db.pool import Connection, Pool, fetch_all, fetch_one
from zohosync.errors import ZohoUnavailable

KEEP_REFRESHES = timedelta(days=1)


@dataclass(frozen=True)
class StoredConnection:
    """The row of zohosync.connection."""

    state: str
    data_centre: str
    accounts_server: str
    api_domain: str
    organisation_id: str | None
    organisation_name: str | None
    books_organisation_id: str | None
    books_organisation_name: str | None
    connected_by: str | None
    edition: str | None
    books_plan: str | None
    client_id: str
    client_secret: bytes = field(repr=False)
    refresh_token: bytes = field(repr=False)
    access_token: bytes | None = field(repr=False)
    expires_at: datetime | None
    generation: int
    scopes: Sequence[str]
    error_code: str | None
    error_message: str | None
    connected_at: datetime


async def find_connection(connection: Connection, *, lock: bool = False) -> StoredConnection | None:
    """The login, whatever its state; with ``lock``, held against everybody else until the transaction ends."""
    query = LOCKED if lock else PLAIN
    row = await fetch_one(connection, query)
    return None if row is None else StoredConnection(**row)


PLAIN = """
select state, data_centre, accounts_server, api_domain, organisation_id, organisation_name, books_organisation_id,
       books_organisation_name, connected_by, edition, books_plan, client_id, client_secret, refresh_token,
       access_token, expires_at, generation, scopes, error_code, error_message, connected_at
  from zohosync.connection where connection_id = 'zoho'"""
LOCKED = PLAIN + " for update"


class Held:
    """The locked row, and what its holder may write. The transaction is the holder's."""

    def __init__(self, connection: Connection, row: StoredConnection | None) -> None:
        self._connection = connection
        self._row = row

    @property
    def row(self) -> StoredConnection | None:
        return self._row

    async def list_refreshes(self, since: datetime) -> list[datetime]:
        """When access tokens were fetched since then, this login's only: connecting anew starts a new count."""
        rows = await fetch_all(
            self._connection,
            "select refreshed_at from zohosync.token_refresh where connection_id = 'zoho' and refreshed_at > %(since)s",
            {"since": since},
        )
        return [row["refreshed_at"] for row in rows]

    async def note_refreshes(self, at: datetime, count: int = 1) -> None:
        """Count some, and forget those nobody asks about any more."""
        await self._connection.execute(
            "with old as (delete from zohosync.token_refresh where refreshed_at < %(old)s)"
            " insert into zohosync.token_refresh (connection_id, refreshed_at)"
            " select 'zoho', %(at)s from generate_series(1, %(count)s)",
            {"at": at, "count": count, "old": at - KEEP_REFRESHES},
        )

    async def save_access_token(
        self,
        *,
        access_token: bytes,
        expires_at: datetime,
        api_domain: str,
        scopes: Sequence[str],
        client_secret: bytes,
        refresh_token: bytes,
    ) -> StoredConnection:
        """The next generation."""
        row = await fetch_one(
            self._connection,
            "update zohosync.connection set access_token = %(access_token)s, expires_at = %(expires_at)s,"
            "  api_domain = %(api_domain)s, scopes = %(scopes)s, client_secret = %(client_secret)s,"
            "  refresh_token = %(refresh_token)s, generation = generation + 1, updated_at = now()"
            " where connection_id = 'zoho' returning generation",
            {
                "access_token": access_token,
                "expires_at": expires_at,
                "api_domain": api_domain,
                "scopes": list(scopes),
                "client_secret": client_secret,
                "refresh_token": refresh_token,
            },
        )
        assert row is not None
        return await _present(self._connection)

    async def mark_needs_reauth(self, *, error_code: str, error_message: str) -> None:
        """The login is dead until somebody connects again; the reason is kept for whoever looks."""
        await self._connection.execute(
            "update zohosync.connection set state = 'needs_reauth', access_token = null, expires_at = null,"
            "  error_code = %(code)s, error_message = %(message)s, updated_at = now()"
            " where connection_id = 'zoho'",
            {"code": error_code, "message": error_message},
        )


class PostgresTokens:
    """The token store of the custodian. ``lock_timeout`` is how long another process may take to renew the login."""

    def __init__(self, pool: Pool, *, lock_timeout: timedelta = timedelta(seconds=30)) -> None:
        self._pool = pool
        self._lock_timeout = lock_timeout

    async def find_connection(self) -> StoredConnection | None:
        async with self._pool.connection() as connection:
            return await find_connection(connection)

    @asynccontextmanager
    async def hold_connection(self) -> AsyncIterator[Held]:
        """The locked row in a transaction that ends with the block; ZohoUnavailable when others hold it too long."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "select set_config('lock_timeout', %(wait)s, true)",
                {"wait": f"{round(self._lock_timeout / timedelta(milliseconds=1))}ms"},
            )
            try:
                row = await find_connection(connection, lock=True)
            except errors.LockNotAvailable as error:
                raise ZohoUnavailable(
                    "Another process has been renewing the Zoho login for too long.",
                    hint="It is tried again by itself.",
                    code="login_busy",
                ) from error
            yield Held(connection, row)

    async def save_connection(
        self,
        *,
        data_centre: str,
        accounts_server: str,
        api_domain: str,
        client_id: str,
        client_secret: bytes,
        refresh_token: bytes,
        access_token: bytes,
        expires_at: datetime,
        scopes: Sequence[str],
    ) -> tuple[StoredConnection | None, StoredConnection]:
        """A new login in place of any earlier one: what was replaced, and what is there now. The organisation's name is
        kept until the new one is known, and the generation goes on, so that tokens of the earlier login count as
        older."""
        async with self._alone() as connection:
            before = await find_connection(connection, lock=True)
            await connection.execute(
                "insert into zohosync.connection as c (state, data_centre, accounts_server, api_domain, client_id,"
                "  client_secret, refresh_token, access_token, expires_at, scopes, generation)"
                " values ('connected', %(data_centre)s, %(accounts_server)s, %(api_domain)s, %(client_id)s,"
                "  %(client_secret)s, %(refresh_token)s, %(access_token)s, %(expires_at)s, %(scopes)s, 1)"
                " on conflict (connection_id) do update set state = 'connected', data_centre = excluded.data_centre,"
                "  accounts_server = excluded.accounts_server, api_domain = excluded.api_domain,"
                "  client_id = excluded.client_id, client_secret = excluded.client_secret,"
                "  refresh_token = excluded.refresh_token, access_token = excluded.access_token,"
                "  expires_at = excluded.expires_at, scopes = excluded.scopes, generation = c.generation + 1,"
                "  error_code = null, error_message = null, connected_at = now(), updated_at = now()",
                {
                    "data_centre": data_centre,
                    "accounts_server": accounts_server,
                    "api_domain": api_domain,
                    "client_id": client_id,
                    "client_secret": client_secret,
                    "refresh_token": refresh_token,
                    "access_token": access_token,
                    "expires_at": expires_at,
                    "scopes": list(scopes),
                },
            )
            # Zoho counts per refresh token, and this is another one.
            await connection.execute("delete from zohosync.token_refresh where connection_id = 'zoho'")
            return before, await _present(connection)

    async def save_organisation(self, *, organisation_id: str, organisation_name: str) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                "update zohosync.connection set organisation_id = %(id)s, organisation_name = %(name)s,"
                "  updated_at = now() where connection_id = 'zoho'",
                {"id": organisation_id, "name": organisation_name},
            )

    async def mark_disconnected(self) -> StoredConnection | None:
        """The login is over on purpose; its secrets are overwritten. What there was, None when there was no login."""
        async with self._alone() as connection:
            before = await find_connection(connection, lock=True)
            if before is None or before.state == "disconnected":
                return None
            await connection.execute(
                "update zohosync.connection set state = 'disconnected', access_token = null, expires_at = null,"
                "  refresh_token = '', client_secret = '', updated_at = now() where connection_id = 'zoho'"
            )
            return before

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[Connection]:
        """A transaction beside which nobody else replaces or ends the login, also while there is no row to lock."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtextextended('zohosync.connection', 0))")
            yield connection


async def describe_connection(
    connection: Connection,
    *,
    organisation_id: str,
    organisation_name: str,
    edition: str,
    connected_by: str,
    books_organisation_id: str | None,
    books_organisation_name: str | None,
    books_plan: str | None,
) -> None:
    """Write down whose login it is; of Books only what is told."""
    await connection.execute(
        "update zohosync.connection set organisation_id = %(id)s, organisation_name = %(name)s, edition = %(edition)s,"
        "  connected_by = %(user)s, books_organisation_id = coalesce(%(books_id)s, books_organisation_id),"
        "  books_organisation_name = coalesce(%(books_name)s, books_organisation_name),"
        "  books_plan = coalesce(%(books_plan)s, books_plan), updated_at = now() where connection_id = 'zoho'",
        {
            "id": organisation_id,
            "name": organisation_name,
            "edition": edition,
            "user": connected_by,
            "books_id": books_organisation_id,
            "books_name": books_organisation_name,
            "books_plan": books_plan,
        },
    )


async def _present(connection: Connection) -> StoredConnection:
    row = await find_connection(connection)
    assert row is not None
    return row
