"""Connections to Postgres, and what its refusals mean in our words."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import psycopg
from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from zohosync.errors import DatabaseFailure, DatabaseUnreachable, PrivilegeMissing, SchemaMismatch, ShopUnreadable

DatabaseError = psycopg.Error
"""What may be met beside our own errors; ``explain`` puts it in our words."""

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]

# Supabase's transaction-mode pooler listens here: no LISTEN, no prepared statements.
# https://supabase.com/docs/guides/database/connecting-to-postgres
TRANSACTION_POOLER_PORT = "6543"


def is_transaction_pooled(url: str) -> bool:
    """Whether the address is Supabase's transaction-mode pooler."""
    return str(conninfo_to_dict(url).get("port", "")) == TRANSACTION_POOLER_PORT


def _options(url: str, application: str) -> dict[str, Any]:
    return {
        "autocommit": True,
        "row_factory": dict_row,
        "application_name": application,
        "connect_timeout": 10,
        "prepare_threshold": None if is_transaction_pooled(url) else 5,
    }


async def _configure(connection: Connection) -> None:
    set_json_loads(orjson.loads, connection)
    set_json_dumps(orjson.dumps, connection)


@asynccontextmanager
async def open_pool(url: str, *, size: int, application: str = "zohosync") -> AsyncIterator[Pool]:
    """A pool of autocommit connections whose rows are dicts; DatabaseUnreachable when none can be made.

    Transactions are opened by callers with ``connection.transaction()``.
    """
    async with await connect(url, application=application):
        pass  # a pool hides why it cannot connect; a single connection says it
    pool: Pool = AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[DictRow],
        kwargs=_options(url, application),
        min_size=1,
        max_size=size,
        open=False,
        configure=_configure,
        timeout=30,
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


async def connect(url: str, *, application: str = "zohosync") -> Connection:
    """One autocommit connection; DatabaseUnreachable or DatabaseFailure in plain words when it cannot be had."""
    try:
        connection = await AsyncConnection.connect(url, **_options(url, application))
    except psycopg.Error as error:
        raise explain(error) from error
    await _configure(connection)
    return connection


def explain(error: Exception) -> DatabaseFailure | ShopUnreadable:
    """A Postgres error as one of ours: one sentence, with the remedy."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, errors.InvalidPassword) or "password authentication failed" in str(error):
        return DatabaseUnreachable(
            "The database refused the password.", hint="Check user and password in the connection string."
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return PrivilegeMissing(
            f"The database role lacks a right: {text}.",
            hint="Run `zohosync install` as the owner of the shop's tables.",
        )
    if isinstance(error, errors.InvalidSchemaName | errors.UndefinedTable | errors.UndefinedFunction):
        return SchemaMismatch(
            f"zohosync is not installed in this database, or only in part: {text}.", hint="Run `zohosync install`."
        )
    if isinstance(error, PoolTimeout | psycopg.OperationalError):
        return _unreachable(text)
    return DatabaseFailure(f"The database answered: {text}.", hint="Nothing was changed.")


def explain_shop(error: psycopg.Error) -> ShopUnreadable:
    """An error from one of the adapter's shop functions: the shop's tables are not as the adapter knows them."""
    text = str(error).strip().splitlines()[0]
    return ShopUnreadable(
        f"The shop's tables cannot be read as the adapter expects: {text}.",
        hint="After a change of the shop's schema, correct the adapter and run `zohosync install` again; work waits.",
    )


REMEDIES = (
    ("does not exist", "Check the database name and the user in the connection string."),
    ("could not translate host name", "Check the host name in the connection string."),
    ("failed to resolve host", "Check the host name in the connection string."),
    ("Name or service not known", "Check the host name in the connection string."),
    ("Connection refused", "Nothing listens there: check host and port, and that the database is running."),
    ("Network is unreachable", "Supabase's direct address is IPv6 only; use the session pooler's connection string."),
    ("too many", "The database has no free connection; lower ZOHOSYNC_POOL_SIZE or raise its limit."),
)


def _unreachable(text: str) -> DatabaseUnreachable:
    remedy = next((hint for sign, hint in REMEDIES if sign in text), "Check the connection string and the network.")
    return DatabaseUnreachable(f"The database cannot be reached: {text}.", hint=remedy)


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[None]:
    """A transaction that sees one moment and in which Postgres refuses every write."""
    async with connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        yield


async def fetch_pages(
    connection: Connection, query: str, parameters: dict[str, Any], *, size: int
) -> AsyncGenerator[list[DictRow], None]:
    """The rows of one statement, ``size`` at a time, within the caller's transaction."""
    async with connection.cursor(name="zohosync_pages") as cursor:
        await cursor.execute(query.encode(), parameters)
        while page := await cursor.fetchmany(size):
            yield page


async def fetch_all(connection: Connection, query: str, parameters: dict[str, Any] | None = None) -> list[DictRow]:
    """All rows of one statement."""
    cursor = await connection.execute(query.encode(), parameters)
    return await cursor.fetchall()


async def fetch_one(connection: Connection, query: str, parameters: dict[str, Any] | None = None) -> DictRow | None:
    """The first row of one statement, or None."""
    cursor = await connection.execute(query.encode(), parameters)
    return await cursor.fetchone()
