"""The shop, through the adapter's functions: its contract in Python."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from zohosync.db.pool import Connection, explain_shop, fetch_all, fetch_pages

UNREADABLE = (
    psycopg.ProgrammingError,
    psycopg.errors.RaiseException,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.ProgramLimitExceeded,
)
"""What an adapter's function raises when the shop is not as it knows it, or has a value nobody could have meant."""


@dataclass(frozen=True, slots=True)
class ShopCustomer:
    """A registered user. ``in_scope`` is false for staff; ``digest`` covers the mapped columns."""

    record_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    role: str | None
    company: str | None
    gstin: str | None
    zoho_crm_id: str | None
    in_scope: bool
    digest: str


@dataclass(frozen=True, slots=True)
class ShopInquiry:
    """A contact form. ``in_scope`` is false for spam; ``asked_at`` is in Unix seconds."""

    record_id: str
    asked_at: float | None
    name: str | None
    email: str | None
    phone: str | None
    company: str | None
    subject: str | None
    message: str | None
    zoho_crm_id: str | None
    in_scope: bool
    digest: str


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One line of a quote; amounts in rupees. ``sku`` and ``name`` are None when the variant is gone."""

    sku: str | None
    name: str | None
    quantity: int | None
    unit_price: Decimal | None
    total_price: Decimal | None


@dataclass(frozen=True, slots=True)
class ShopQuote:
    """A B2B quote request with its lines; ``in_scope`` is false while it is a draft; ``asked_at`` in Unix seconds."""

    record_id: str
    asked_at: float | None
    email: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    company: str | None
    gstin: str | None
    valid_until: datetime | None
    subtotal: Decimal | None
    tax_amount: Decimal | None
    total_amount: Decimal | None
    notes: str | None
    lines: tuple[QuoteLine, ...]
    zoho_crm_id: str | None
    in_scope: bool
    digest: str


@dataclass(frozen=True, slots=True, order=True)
class Asked:
    """Which inquiry or quote, and when; of two the greater is the newer. ``asked_at`` is in Unix seconds."""

    asked_at: float
    entity: str
    record_id: str


PAGE = 500
"""Records read at once from what may be all of them."""

Row = TypeVar("Row", ShopCustomer, ShopInquiry)
Found = TypeVar("Found")


async def read_customers(connection: Connection, keys: Sequence[str]) -> dict[str, ShopCustomer]:
    """The customers as they are now, by id; ids that are gone are absent. ShopUnreadable when the shop changed."""
    rows = await read_shop(connection, "select * from zohosync.shop_customers(%(keys)s::text[])", {"keys": list(keys)})
    return {row["record_id"]: _shape(ShopCustomer, row) for row in rows}


async def read_inquiries(connection: Connection, keys: Sequence[str]) -> dict[str, ShopInquiry]:
    """The contact forms as they are now, by id."""
    rows = await read_shop(connection, "select * from zohosync.shop_inquiries(%(keys)s::text[])", {"keys": list(keys)})
    return {row["record_id"]: _shape(ShopInquiry, row) for row in rows}


async def read_quotes(connection: Connection, keys: Sequence[str]) -> dict[str, ShopQuote]:
    """The quotes as they are now, with their lines, by id."""
    rows = await read_shop(connection, "select * from zohosync.shop_quotes(%(keys)s::text[])", {"keys": list(keys)})
    return {row["record_id"]: ShopQuote(**{**row, "lines": tuple(map(_line, row["lines"]))}) for row in rows}


async def read_each(
    connection: Connection,
    read: Callable[[Connection, Sequence[str]], Awaitable[dict[str, Found]]],
    keys: Sequence[str],
) -> tuple[dict[str, Found], dict[str, str]]:
    """What ``read`` gives for the keys, and for those whose values no program can hold, what is wrong with them."""
    try:
        return await read(connection, keys), {}
    except psycopg.DataError as error:
        if len(keys) == 1:
            return {}, {keys[0]: str(error).strip().splitlines()[0]}
    records: dict[str, Found] = {}
    problems: dict[str, str] = {}
    for half in (keys[: len(keys) // 2], keys[len(keys) // 2 :]):
        found, wrong = await read_each(connection, read, half)
        records |= found
        problems |= wrong
    return records, problems


async def read_recent(connection: Connection, entity: str, most: int | None) -> AsyncIterator[list[str]]:
    """The ids of the newest records in scope, newest first, a page at a time; all of them when ``most`` is None.

    The caller's transaction must be open.
    """
    query = "select record_id from zohosync.shop_recent(%(entity)s, %(most)s::integer) as record_id"
    try:
        async with aclosing(fetch_pages(connection, query, {"entity": entity, "most": most}, size=PAGE)) as pages:
            async for page in pages:
                yield [row["record_id"] for row in page]
    except (psycopg.ProgrammingError, psycopg.errors.RaiseException) as error:
        raise explain_shop(error) from error


async def find_records(connection: Connection, entity: str, term: str) -> list[tuple[str, str]]:
    """Records a person names by id or e-mail: (record id, label), newest first, at most 20."""
    rows = await read_shop(
        connection,
        "select record_id, label from zohosync.shop_find(%(entity)s, %(term)s)",
        {"entity": entity, "term": term},
    )
    return [(row["record_id"], row["label"] or "") for row in rows]


async def find_newest_inquiries(connection: Connection, emails: Sequence[str]) -> dict[str, Asked]:
    """The newest inquiry or quote in scope of each person, by e-mail address in lower case."""
    rows = await read_shop(
        connection, "select * from zohosync.shop_newest_inquiries(%(emails)s::text[])", {"emails": list(emails)}
    )
    return {row["email"]: Asked(row["asked_at"], row["entity"], row["record_id"]) for row in rows}


async def set_zoho_ids(connection: Connection, *, entity: str, system: str, ids: dict[str, str]) -> set[str]:
    """Write ids of Zoho back, record id to Zoho id. Returns the records the shop holds locked just now, unwritten."""
    rows = await read_shop(
        connection,
        "select held from zohosync.shop_set_zoho_ids(%(entity)s, %(system)s, %(keys)s, %(ids)s) as held",
        {"entity": entity, "system": system, "keys": list(ids), "ids": list(ids.values())},
    )
    return {row["held"] for row in rows}


async def read_shop(connection: Connection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an adapter's function. ShopUnreadable when the shop changed; DataError of one record's values."""
    try:
        if connection.info.transaction_status == TransactionStatus.IDLE:
            return await fetch_all(connection, query, parameters)
        async with connection.transaction():  # a savepoint: the caller's transaction survives a refusal
            return await fetch_all(connection, query, parameters)
    except psycopg.DataError:
        raise  # of one record's values: whoever handles a batch looks for it
    except UNREADABLE as error:
        raise explain_shop(error) from error


def _shape(shape: type[Row], row: dict[str, Any]) -> Row:
    return shape(**{field.name: row[field.name] for field in fields(shape)})


def _line(line: dict[str, Any]) -> QuoteLine:
    return QuoteLine(
        line["sku"],
        line["name"],
        line["quantity"],
        read_amount(line["unit_price"]),
        read_amount(line["total_price"]),
    )


def read_amount(text: str | None) -> Decimal | None:
    """An amount that came as text in JSON."""
    return None if text is None else Decimal(text)
