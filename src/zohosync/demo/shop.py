"""The demo storefront's own data access: every write goes through an API role under row level security, as it does
when the shop talks through PostgREST."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from uuid import UUID

import psycopg
from psycopg import errors

from zohosync.db.pool import Connection, Pool, fetch_all, fetch_one
from zohosync.demo.prices import PricedLine, charge, rate_of

ApiRole: TypeAlias = Literal["anon", "authenticated", "service_role"]
Row: TypeAlias = dict[str, Any]

REFUSALS = (psycopg.DataError, psycopg.IntegrityError, errors.InsufficientPrivilege, errors.UndefinedColumn)


class ShopRefused(Exception):
    """The shop cannot store this; the message is for the visitor."""


@dataclass(frozen=True)
class Profile:
    """What a visitor tells about themselves. ``company_name`` makes them a business customer."""

    email: str
    first_name: str
    last_name: str
    phone: str = ""
    company_name: str = ""
    gst_number: str = ""

    def as_row(self) -> Row:
        """The columns of ``users``; what was left empty is null there."""
        return {
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "phone": self.phone or None,
            "role": "b2b_client" if self.company_name else "customer",
            "company_name": self.company_name or None,
            "gst_number": self.gst_number or None,
        }


@dataclass(frozen=True)
class Line:
    """So many of a variant."""

    sku: str
    quantity: int


class Shop:
    """What the storefront's pages do with its database. The pool signs in as ``authenticator``, as PostgREST does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def acting(self, role: ApiRole, user_id: str = "") -> AsyncIterator[Connection]:
        """One transaction as PostgREST opens it for a request; what the database refuses is ShopRefused.

        https://docs.postgrest.org/en/stable/references/transactions.html
        """
        try:
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(
                    "select set_config('role', %(role)s, true), set_config('request.jwt.claim.sub', %(user)s, true)",
                    {"role": role, "user": user_id},
                )
                yield connection
        except REFUSALS as error:
            raise ShopRefused(_tell(error)) from error

    async def register(self, profile: Profile) -> str:
        """The new user's id. The hook of Supabase Auth writes it, with the service's rights."""
        async with self.acting("service_role") as connection:
            return await insert(connection, REGISTER, profile.as_row())

    async def edit_profile(self, user_id: str, profile: Profile) -> None:
        """The signed-in user changes their own row; row level security hides every other."""
        async with self.acting("authenticated", user_id) as connection:
            cursor = await connection.execute(EDIT_PROFILE, {**profile.as_row(), "id": user_id})
        if cursor.rowcount != 1:
            raise ShopRefused("This profile is not yours.")

    async def send_inquiry(self, inquiry: Mapping[str, str]) -> str:
        """The contact form: name, email, phone, subject, message. Anybody may send it."""
        async with self.acting("anon") as connection:
            return await insert(connection, SEND_INQUIRY, {**inquiry, "phone": inquiry.get("phone") or None})

    async def open_quote(self, user_id: str, lines: Sequence[Line], notes: str = "") -> str:
        """The quote without its lines: they follow in a transaction of their own, because PostgREST has no other."""
        async with self.acting("authenticated", user_id) as connection:
            address = await find_address(connection, user_id) or {}
            amounts = charge(await price(connection, lines), address.get("state") or "", shipped=False)
            row = {
                "user": user_id,
                "notes": notes or None,
                "subtotal": amounts.subtotal,
                "tax_amount": amounts.tax_amount,
                "total_amount": amounts.total_amount,
            }
            return await insert(connection, OPEN_QUOTE, row)

    async def add_lines(self, user_id: str, quote_id: str, lines: Sequence[Line]) -> None:
        """The lines of a quote that exists."""
        async with self.acting("authenticated", user_id) as connection:
            for line in await price(connection, lines):
                await connection.execute(ADD_LINE, {**line.as_row(), "quote": quote_id})

    async def request_quote(self, user_id: str, lines: Sequence[Line], notes: str = "") -> str:
        """What the quote page does when it is sent; the quote's id."""
        quote_id = await self.open_quote(user_id, lines, notes)
        await self.add_lines(user_id, quote_id, lines)
        return quote_id

    async def list_products(self) -> list[Row]:
        return await self._read(LIST_PRODUCTS)

    async def list_users(self) -> list[Row]:
        return await self._read(LIST_USERS)

    async def list_inquiries(self) -> list[Row]:
        return await self._read(LIST_INQUIRIES)

    async def list_quotes(self) -> list[Row]:
        return await self._read(LIST_QUOTES)

    async def find_user(self, user_id: str) -> Row | None:
        """A user by id; None for what is no id, too."""
        try:
            wanted = UUID(user_id)
        except ValueError:
            return None
        async with self.acting("service_role") as connection:
            return await fetch_one(connection, "select * from users where id = %(id)s", {"id": wanted})

    async def find_address_of(self, user_id: str) -> Row | None:
        """Where a customer has goods delivered."""
        async with self.acting("authenticated", user_id) as connection:
            return await find_address(connection, user_id)

    async def _read(self, query: str) -> list[Row]:
        async with self.acting("service_role") as connection:
            return await fetch_all(connection, query)


def _tell(error: psycopg.Error) -> str:
    """What a visitor may know of a refusal."""
    if isinstance(error, errors.UniqueViolation):
        return "This e-mail address is registered already."
    if isinstance(error, errors.InsufficientPrivilege):
        return "This is not yours to change."
    return f"The shop cannot store this: {str(error).splitlines()[0]}."


async def insert(connection: Connection, statement: str, row: Mapping[str, Any]) -> str:
    found = await fetch_one(connection, statement, dict(row))
    assert found is not None
    return str(found["id"])


async def price(connection: Connection, lines: Sequence[Line]) -> list[PricedLine]:
    """The lines with what they cost; a SKU the shop does not have is refused."""
    variants = {row["sku"]: row for row in await fetch_all(connection, PRICES)}
    unknown = [line.sku for line in lines if line.sku not in variants]
    if unknown or not lines:
        raise ShopRefused(
            f"The shop does not sell {', '.join(unknown)}." if unknown else "Choose at least one product."
        )
    return [_priced(line, variants[line.sku]) for line in lines]


def _priced(line: Line, variant: Row) -> PricedLine:
    rate = rate_of(variant["gst_rate"], variant["tax_category"])
    return PricedLine(variant["id"], line.sku, line.quantity, variant["price"], rate)


async def find_address(connection: Connection, user_id: str) -> Row | None:
    """Where a customer has goods delivered; None when no address is kept."""
    return await fetch_one(connection, FIND_ADDRESS, {"user": user_id})


REGISTER = """
insert into users (email, first_name, last_name, phone, role, company_name, gst_number)
values (%(email)s, %(first_name)s, %(last_name)s, %(phone)s, %(role)s, %(company_name)s, %(gst_number)s) returning id
"""
EDIT_PROFILE = """
update users set email = %(email)s, first_name = %(first_name)s, last_name = %(last_name)s, phone = %(phone)s,
       role = %(role)s, company_name = %(company_name)s, gst_number = %(gst_number)s where id = %(id)s
"""
SEND_INQUIRY = """
insert into contact_submissions (name, email, phone, subject, message)
values (%(name)s, %(email)s, %(phone)s, %(subject)s, %(message)s) returning id
"""
OPEN_QUOTE = """
insert into b2b_quotes (user_id, status, valid_until, subtotal, tax_amount, total_amount, notes)
values (%(user)s, 'submitted', now() + interval '14 days', %(subtotal)s, %(tax_amount)s, %(total_amount)s, %(notes)s)
returning id
"""
ADD_LINE = """
insert into b2b_quote_items (quote_id, variant_id, quantity, unit_price, total_price)
values (%(quote)s, %(variant)s, %(quantity)s, %(unit_price)s, %(total_price)s)
"""
# What zohosync adds to the table is read through the row as JSON, so that the shop also works without it.
PRICES = """
select v.id, v.sku, v.price, (to_jsonb(v) ->> 'gst_rate')::numeric as gst_rate,
       to_jsonb(v) ->> 'tax_category' as tax_category
  from product_variants v
"""
FIND_ADDRESS = """
select a.* from addresses a where a.user_id = %(user)s and a.type = 'shipping'
 order by a.is_default desc nulls last, a.created_at desc, a.id limit 1
"""
LIST_PRODUCTS = """
select p.name, p.description, p.segment, v.sku, v.price, v.packing_type, v.stock_quantity,
       trim_scale(v.weight) || ' ' || v.weight_unit as size
  from product_variants v join products p on p.id = v.product_id order by p.segment, p.name, v.price
"""
LIST_USERS = """
select u.id::text, u.first_name || ' ' || u.last_name as name, u.email, u.phone, u.role, u.company_name, u.gst_number,
       to_jsonb(u) ->> 'zoho_crm_id' as zoho_crm_id, to_jsonb(u) ->> 'zoho_books_id' as zoho_books_id
  from users u order by u.created_at desc, u.email limit 50
"""
LIST_INQUIRIES = """
select s.id::text, s.name, s.email, s.subject, to_jsonb(s) ->> 'zoho_crm_id' as zoho_crm_id
  from contact_submissions s order by s.created_at desc, s.id limit 50
"""
LIST_QUOTES = """
select q.id::text, u.company_name, u.email, q.status, q.total_amount, q.valid_until,
       to_jsonb(q) ->> 'zoho_crm_id' as zoho_crm_id, to_jsonb(q) ->> 'zoho_books_id' as zoho_books_id,
       (select count(*) from b2b_quote_items i where i.quote_id = q.id) as line_count
  from b2b_quotes q left join users u on u.id = q.user_id order by q.created_at desc, q.id limit 50
"""
