"""The shop as a whole, through the adapter's functions for doctor. Nobody is named in what they answer."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from zohosync.db.pool import Connection, explain_shop, fetch_all

# Every reading function of the contract, asked for nothing: its tables and columns are looked up all the same.
READINGS = (
    ("shop_customers", "select count(*) as n from zohosync.shop_customers('{}')"),
    ("shop_inquiries", "select count(*) as n from zohosync.shop_inquiries('{}')"),
    ("shop_quotes", "select count(*) as n from zohosync.shop_quotes('{}')"),
    ("shop_newest_inquiries", "select count(*) as n from zohosync.shop_newest_inquiries('{}')"),
    ("shop_scan", "select count(*) as n from (select from zohosync.shop_scan('customer') limit 1) s"),
    ("shop_scan", "select count(*) as n from (select from zohosync.shop_scan('inquiry') limit 1) s"),
    ("shop_scan", "select count(*) as n from (select from zohosync.shop_scan('quote') limit 1) s"),
    ("shop_orders", "select count(*) as n from zohosync.shop_orders('{}')"),
    ("shop_approved_quotes", "select count(*) as n from zohosync.shop_approved_quotes('{}')"),
    ("shop_variants", "select count(*) as n from zohosync.shop_variants('{}')"),
    ("shop_scan", "select count(*) as n from (select from zohosync.shop_scan('order') limit 1) s"),
    ("shop_scan", "select count(*) as n from (select from zohosync.shop_scan('variant') limit 1) s"),
)


@dataclass(frozen=True, slots=True)
class TaxSurvey:
    """``incomplete`` variants lack HSN code or rate; ``rates`` are in percent, those of taxable goods."""

    variants: int
    incomplete: int
    examples: tuple[str, ...]
    rates: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """Amounts of one order; ``lines_total`` is None when it has no lines."""

    order_number: str | None
    currency: str | None
    subtotal: Decimal | None
    discount: Decimal | None
    tax: Decimal | None
    shipping: Decimal | None
    total: Decimal | None
    lines_total: Decimal | None


@dataclass(frozen=True, slots=True)
class StockSurvey:
    """``differing`` variants have batches whose live sum is not their stock_quantity. The last three name code in the
    database that lowers one of the numbers, or copies one to the other."""

    variants: int
    with_batches: int
    differing: int
    examples: tuple[str, ...]
    lower_batches: tuple[str, ...]
    lower_quantity: tuple[str, ...]
    copying: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingIndex:
    """A column that lines are looked up by; ``row_count`` is what Postgres estimates."""

    table_name: str
    column_name: str
    row_count: int
    statement: str


async def list_unreadable(connection: Connection) -> list[tuple[str, str]]:
    """Functions of the contract that cannot read the shop: (function, why)."""
    failed: dict[str, str] = {}
    for function, query in READINGS:
        try:
            await fetch_all(connection, query)
        except psycopg.Error as error:
            failed.setdefault(function, str(error).strip().splitlines()[0])
    return list(failed.items())


async def survey_tax(connection: Connection) -> TaxSurvey:
    """ShopUnreadable when the shop changed, or the adapter has no such function."""
    row = (await _read(connection, "select * from zohosync.shop_tax_survey()"))[0]
    rates = tuple(sorted(map(Decimal, row["rates"])))
    return TaxSurvey(row["variants"], row["incomplete"], tuple(row["examples"]), rates)


async def list_paid_orders(connection: Connection, most: int = 50) -> list[PaidOrder]:
    """The newest first. ShopUnreadable as above."""
    rows = await _read(connection, "select * from zohosync.shop_paid_orders(%(most)s)", most=most)
    return [PaidOrder(**row) for row in rows]


async def survey_stock(connection: Connection) -> StockSurvey:
    """ShopUnreadable as above."""
    row = (await _read(connection, "select * from zohosync.shop_stock_survey()"))[0]
    numbers = (row["variants"], row["with_batches"], row["differing"])
    names = (tuple(row[name]) for name in ("examples", "lower_batches", "lower_quantity", "copying"))
    return StockSurvey(*numbers, *names)


async def list_missing_indexes(connection: Connection) -> list[MissingIndex]:
    """The largest table first. ShopUnreadable as above."""
    rows = await _read(connection, "select * from zohosync.shop_missing_indexes()")
    return [MissingIndex(**row) for row in rows]


async def _read(connection: Connection, query: str, **parameters: object) -> list[dict[str, Any]]:
    try:
        return await fetch_all(connection, query, parameters or None)
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.errors.RaiseException) as error:
        raise explain_shop(error) from error
