"""What an order costs and how long it takes: calls to Books counted by zohosim, Books' limits scaled in time."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from bench.figures import Line, Sizes
from bench.ground import Ground
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.store.policies import set_policy

ADDRESS = {
    "name": "Demo Customer",
    "phone": "9876543210",
    "address_line1": "1 Example Road",
    "city": "Hyderabad",
    "state": "Telangana",
    "postal_code": "500001",
    "country": "India",
}
COPIED = {key: value for key, value in ADDRESS.items() if key not in ("name", "phone")} | {
    "type": "shipping",
    "is_default": True,
}
"""The shop copies a row of addresses into the order it makes of a quote."""

WINDOWS = ("fixed", "sliding")
NOBODYS_MINUTE = 0.01
"""Seconds: while calls are counted, or things prepared, no minute stops anything."""

EVERY_MINUTE = 60.0


@dataclass(frozen=True)
class Call:
    """One call of Books: ``what`` without ids, ``at`` by the machine's clock."""

    what: str
    at: float


async def calls_per_order(ground: Ground, sizes: Sizes) -> list[Line]:  # noqa: ARG001 - the same in a smoke run
    """Calls to Books for one paid order, by what is new in it."""
    await _open_shop(ground)
    async with _prepared_worker(ground):
        await _goods(ground, "K", 1)
        await _order(ground, "K-1", email="known@example.com")
        returning = await _counted(ground, _order(ground, "K-1", email="known@example.com"))
        guest = await _counted(ground, _order(ground, "K-1", email="guest@example.com", guest=True))
        fresh = await _counted(ground, _order_of_new_goods(ground))
        await _quote(ground)
        quoted = await _counted(ground, _order(ground, "K-1", email="company@example.com", from_quote=True))
        await _order(ground, "K-1", email="known@example.com", shipping=100)
        shipped = await _counted(ground, _order(ground, "K-1", email="known@example.com", shipping=100))
    usual = Counter(returning)
    return [
        Line(f"calls for a paid order, returning customer: {_named(returning)}", str(len(returning)), "4",
             len(returning) == 4),
        Line(f"the same, new guest: {_named(_extra(guest, usual))}", str(len(guest)), ""),
        Line(f"the same, new goods: {_named(_extra(fresh, usual))}", str(len(fresh)), ""),
        Line(f"the same, from a quote: {_named(_extra(quoted, usual))}", str(len(quoted)), "≤ 5", len(quoted) <= 5),
        Line(f"the same, with shipping: {_named(_extra(shipped, usual))}", str(len(shipped)), ""),
    ]  # fmt: skip


async def bursts(ground: Ground, sizes: Sizes) -> list[Line]:
    """Very many orders paid at once, under Books' limit of a minute, whichever way it counts."""
    lines: list[Line] = []
    for window in WINDOWS:
        lines += await _burst(ground, sizes, window)
    return lines


async def _burst(ground: Ground, sizes: Sizes, window: str) -> list[Line]:
    await _open_shop(ground)
    customers = min(20, sizes.orders)
    async with _prepared_worker(ground):
        await _goods(ground, "K", 1)
        for number in range(customers):
            await _place(ground, "K-1", email=f"c{number}@example.com")
        await ground.until_drained()
    await _limit(ground, window, sizes.burst_minute)
    begun = await _instant(ground)
    async with ground.worker(ZOHOSYNC_SIM_MINUTE=str(sizes.burst_minute)):
        for number in range(sizes.orders):
            await _place(ground, "K-1", email=f"c{number % customers}@example.com")
        await ground.until_drained()
    calls = await _calls(ground, begun)
    used, allowed = _middle_rate(calls, sizes.burst_minute), float(ground.settings.books_per_minute)
    peaks = (await ground.zoho.post("/_sim/books/limits", json={})).json()
    wrong = await _count(ground, "select count(*) from zohosync.operation where status <> 'succeeded'"
                                 " and kind = 'books.invoice.push'")  # fmt: skip
    refused = sum(peaks["refused"].values())
    share = used / allowed
    return [
        Line(f"{sizes.orders} paid orders, {window} minute: calls in the busy middle, of {allowed:.0f} a minute",
             f"{share:.1%}", "≥ 95 %", share >= 0.95),
        Line("most calls in one minute as Zoho counts them", f"{peaks['busiest_minute']}", "≤ 100",
             peaks["busiest_minute"] <= 100),
        Line("calls refused with 429, orders not invoiced", f"{refused}, {wrong}", "0, 0", not refused and not wrong),
    ]  # fmt: skip


async def fresh_orders(ground: Ground, sizes: Sizes) -> list[Line]:
    """An order of a returning customer, placed while a bulk job uses up every minute of Books."""
    await _open_shop(ground)
    async with _prepared_worker(ground):
        await _goods(ground, "K", 1)
        for number in range(sizes.fresh):
            await _place(ground, "K-1", email=f"c{number}@example.com")
        await ground.until_drained()
    await _limit(ground, "sliding", sizes.bulk_minute)
    async with ground.worker(ZOHOSYNC_SIM_MINUTE=str(sizes.bulk_minute)):
        await _goods(ground, "B", sizes.variants)
        took = [await _fresh(ground, number, sizes) for number in range(sizes.fresh)]
        left = await _count(ground, "select count(*) from zohosync.operation where finished_at is null")
    scale = EVERY_MINUTE / sizes.bulk_minute
    worst = max(took)
    peaks = (await ground.zoho.post("/_sim/books/limits", json={})).json()
    return [
        Line(f"fresh order amid {sizes.variants:,} items in bulk, worst of {sizes.fresh}, scaled to minutes of 60 s",
             f"{worst * scale:.1f} s", "≤ 5 s", worst * scale <= 5 and left > 0),
        Line(f"the same, as it was, in minutes of {sizes.bulk_minute:g} s", f"{worst:.2f} s", ""),
        Line("items still waiting then, calls refused with 429", f"{left:,}, {sum(peaks['refused'].values())}", ""),
    ]  # fmt: skip


async def _fresh(ground: Ground, number: int, sizes: Sizes) -> float:
    """Once the bulk job has used up its share of a minute, an order is paid; seconds until it is invoiced."""
    await ground.until("select exists (select from zohosync.operation where kind = 'books.item.push'"
                       " and (status = 'waiting' or finished_at is not null)) as done")  # fmt: skip
    # Each at another part of the minute.
    await asyncio.sleep(sizes.bulk_minute * (0.5 + 0.3 * number))
    order = await _place(ground, "K-1", email=f"c{number}@example.com")
    paid = time.perf_counter()
    await ground.until(
        f"select exists (select from zohosync.document where record_id = '{order}' and step = 'settled') as done"
    )
    return time.perf_counter() - paid


MEASURES = (calls_per_order, bursts, fresh_orders)


# --- the shop


async def _open_shop(ground: Ground) -> None:
    """Nothing sold yet, prices before tax."""
    await ground.clear()
    await ground.shop.execute("truncate zohosync.budget_lease")
    for name, value in (("price_basis", "exclusive"), ("shipping_tax", "apportion")):
        await set_policy(ground.shop, name=name, value=value, by="bench")


@asynccontextmanager
async def _prepared_worker(ground: Ground) -> AsyncIterator[None]:
    """A worker while there are no limits, which has read what it keeps of Books."""
    async with ground.worker(ZOHOSYNC_SIM_MINUTE=str(NOBODYS_MINUTE)):
        yield


async def _goods(ground: Ground, prefix: str, count: int) -> None:
    """So many variants, classified, in one statement."""
    await ground.shop.execute(
        """with p as (insert into products (name, slug)
                      select 'Goods ' || %(prefix)s::text || n, %(prefix)s::text || '-' || n || '-' || gen_random_uuid()
                        from generate_series(1, %(count)s) n returning id, name)
           insert into product_variants (product_id, sku, price, stock_quantity, hsn_code, gst_rate)
           select id, %(prefix)s::text || '-' || substr(name, 7 + length(%(prefix)s::text)), 450, 100000, '31059090', 5
             from p""",
        {"prefix": prefix, "count": count},
    )


async def _place(
    ground: Ground, sku: str, *, email: str, guest: bool = False, shipping: int = 0, from_quote: bool = False
) -> str:
    """Checkout and payment of one piece; the order's id."""
    row = await fetch_one(
        ground.shop,
        """with who as (insert into users (email, first_name, last_name)
                        select %(email)s::text, 'Demo', 'Customer ' || split_part(%(email)s::text, '@', 1)
                         where not %(guest)s::boolean
                           and not exists (select from users where email = %(email)s::text) returning id),
                buyer as (select id from who union all select id from users where email = %(email)s::text limit 1),
                placed as (insert into orders (order_number, user_id, status, payment_status, payment_method, subtotal,
                                               tax_amount, shipping_amount, discount_amount, total_amount,
                                               shipping_address, billing_address)
                           select 'N-' || substr(gen_random_uuid()::text, 1, 12), (select id from buyer), 'confirmed',
                                  'paid', 'razorpay', 450, 0.05 * (450 + %(shipping)s::integer),
                                  %(shipping)s::integer, 0, 1.05 * (450 + %(shipping)s::integer), %(address)s, '{}'
                           returning id),
                quoted as (update b2b_quotes set linked_order_id = placed.id from placed where %(quote)s::boolean)
           insert into order_items (order_id, variant_id, quantity, unit_price, total_price)
           select placed.id, v.id, 1, 450, 450 from placed, product_variants v where v.sku = %(sku)s
           returning order_id::text""",
        {
            "email": email,
            "guest": guest,
            "shipping": shipping,
            "sku": sku,
            "quote": from_quote,
            "address": Jsonb(COPIED if from_quote else {**ADDRESS, "email": email}),
        },
    )
    assert row
    return str(row["order_id"])


async def _order(ground: Ground, sku: str, **order: Any) -> None:
    """An order, and everything that comes of it."""
    await _place(ground, sku, **order)
    await ground.until_drained()


async def _order_of_new_goods(ground: Ground) -> None:
    async with ground.shop.transaction():
        await _goods(ground, "NEW", 1)
        await _place(ground, "NEW-1", email="known@example.com")
    await ground.until_drained()


async def _quote(ground: Ground) -> None:
    """A B2B client's approved quote, and its estimate."""
    await ground.shop.execute(
        """with u as (insert into users (email, first_name, last_name, role, company_name, gst_number)
                      values ('company@example.com', 'Demo', 'Client', 'b2b_client', 'Demo Farms', '36AAPFU0939F1ZW')
                      returning id),
                a as (insert into addresses (user_id, type, address_line1, city, state, postal_code, is_default)
                      select id, 'shipping', '1 Example Road', 'Hyderabad', 'Telangana', '500001', true from u),
                q as (insert into b2b_quotes (user_id, status, subtotal, tax_amount, total_amount)
                      select id, 'submitted', 450, 22.50, 472.50 from u returning id)
           insert into b2b_quote_items (quote_id, variant_id, quantity, unit_price, total_price)
           select q.id, v.id, 1, 450, 450 from q, product_variants v where v.sku = 'K-1'"""
    )
    await ground.shop.execute("update b2b_quotes set status = 'approved'")
    await ground.until_drained()


# --- what zohosim counted


async def _limit(ground: Ground, window: str, minute: float) -> None:
    """Books' limits as they are, but for the day's; the minute is shorter."""
    await ground.zoho.post("/_sim/switches", json={"books_minute_window": window})
    await ground.zoho.post("/_sim/clock", json={"minute_seconds": minute})
    await asyncio.sleep(minute)  # what was called to prepare is in nobody's minute any more
    await ground.zoho.post("/_sim/limits", json={"enabled": True, "credits": 100_000_000})
    await ground.zoho.post("/_sim/books/limits", json={"calls": 100_000_000, "forget_peaks": True})


async def _instant(ground: Ground) -> float:
    """After every call so far."""
    calls = await _calls(ground, 0.0)
    return max((call.at for call in calls), default=0.0)


async def _calls(ground: Ground, after: float) -> list[Call]:
    asked = {"service": "books", "limit": "1000000"}
    told = (await ground.zoho.get("/_sim/calls", params=asked)).json()["calls"]
    calls = (Call(_plain(call["method"], call["path"]), call["started_at"]) for call in told)
    return sorted((call for call in calls if call.at > after), key=lambda call: call.at)


async def _counted(ground: Ground, doing: Any) -> list[str]:
    """The calls something takes, in their order."""
    begun = await _instant(ground)
    await doing
    return [call.what for call in await _calls(ground, begun)]


def _middle_rate(calls: Sequence[Call], minute: float) -> float:
    """Calls a minute between the first and the last quarter: without getting under way and without the end."""
    first, last = calls[0].at, calls[-1].at
    begin, end = first + (last - first) / 4, last - (last - first) / 4
    return sum(begin <= call.at < end for call in calls) / (end - begin) * minute


async def _count(ground: Ground, question: str) -> int:
    (row,) = await fetch_all(ground.shop, question)
    return int(row["count"])


def _plain(method: str, path: str) -> str:
    """POST invoices/{id}/status/sent, without ids."""
    return f"{method} {re.sub(r'/[0-9]{6,}', '', path.partition('/v3/')[2])}"


def _extra(calls: Sequence[str], usual: Counter[str]) -> list[str]:
    """The calls beyond the usual ones."""
    return list((Counter(calls) - usual).elements())


def _named(calls: Sequence[str]) -> str:
    return ", ".join(calls) or "nothing more"
