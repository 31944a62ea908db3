"""Orders, lines and goods that many change at once while workers run: the last state of each is what was pushed."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from backstage import drain, operations

from capturing import missed
from conftest import Database
from zohosync.clock import SystemClock
from zohosync.db.listen import Listener
from zohosync.db.pool import Connection, Pool, connect, fetch_all
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Lane, Outcome, Report, Stream
from zohosync.queue.worker import CHANNELS, Worker, WorkerOptions
from zohosync.store.installation import go_live
from zohosync.store.orders import read_orders, read_variants

INVOICES, ITEMS = "books.invoice.push", "books.item.push"
LINES, GOODS, WRITERS, TURNS = 4, 3, 5, 40

ONE_ORDER = (
    "update orders set payment_status = 'paid' where id = %(order)s",
    "update orders set payment_status = 'paid', total_amount = %(n)s where id = %(order)s",
    "update orders set status = %(status)s where id = %(order)s",
    "update orders set notes = 'n' || %(n)s where id = %(order)s",
    "update orders set shipping_address = jsonb_build_object('city', %(n)s::text) where id = %(order)s",
    "update order_items set quantity = %(n)s where order_id = %(order)s",
    "delete from order_items where order_id = %(order)s and quantity %% 3 = %(n)s %% 3",
    "insert into order_items (order_id, variant_id, quantity, unit_price) values (%(order)s, %(variant)s, %(n)s, 1)",
)
# Locked in one order, as a shop does that does not want deadlocks of its own.
SEVERAL = (
    "update order_items set order_id = %(order)s, quantity = %(n)s where order_id = %(other)s",
    "update orders set total_amount = %(n)s where id in (%(order)s, %(other)s)",
    "update orders set payment_status = 'paid', discount_amount = %(n)s where id in (%(order)s, %(other)s)",
)
GOODS_ONLY = (
    "update product_variants set price = %(n)s where id = %(variant)s",
    "update product_variants set stock_quantity = %(n)s, sku = 'S-' || id || '-' || %(n)s where id = %(variant)s",
    "update products p set name = %(n)s from product_variants v where p.id = v.product_id and v.id = %(variant)s",
)


async def fill(owner: Connection, number: int) -> tuple[list[str], list[str]]:
    """Goods, and orders that nobody has paid yet with their lines."""
    variants = await fetch_all(
        owner,
        """with p as (insert into products (name) select 'P' || n from generate_series(1, %(n)s) n returning id)
           insert into product_variants (product_id, sku, price) select id, id, 1 from p returning id::text""",
        {"n": GOODS},
    )
    orders = await fetch_all(
        owner,
        """insert into orders (order_number, total_amount, shipping_address, billing_address)
           select 'R-' || n, n, '{}', '{}' from generate_series(1, %(n)s) n returning id::text""",
        {"n": number},
    )
    await owner.execute(
        """insert into order_items (order_id, variant_id, quantity, unit_price)
           select o.id, (select id from product_variants limit 1), n, 1 from orders o, generate_series(1, %s) n""",
        (LINES,),
    )
    return [row["id"] for row in orders], [row["id"] for row in variants]


async def write(database: Database, chance: random.Random, orders: list[str], goods: list[str], number: int) -> None:
    async with await connect(database.owner_url) as shop:
        for turn in range(TURNS):
            order, other = chance.sample(orders, 2)
            values = {"order": order, "other": other, "variant": chance.choice(goods), "n": number * 1000 + turn,
                      "status": chance.choice(["confirmed", "shipped", "delivered", "cancelled"])}  # fmt: skip
            statements, locked = chance.choice(
                [(ONE_ORDER, [order])] * 6 + [(SEVERAL, [order, other])] * 3 + [(GOODS_ONLY, [])] * 2
            )
            async with shop.transaction(force_rollback=chance.random() < 0.1):
                await shop.execute("select from orders where id = any (%s::uuid[]) order by id for update", (locked,))
                for _ in range(chance.randint(1, 3) if locked else 1):
                    await shop.execute(chance.choice(statements).encode(), values)
                    await asyncio.sleep(chance.random() * 0.002)  # the shop's transaction takes its time


class Books:
    """What was pushed of each record, last; ``chance`` lets some attempts fail."""

    def __init__(self, pool: Pool, chance: random.Random) -> None:
        self.pool, self.chance = pool, chance
        self.pushed: dict[tuple[str, str], Any] = {}

    async def push(self, batch: Batch) -> None:
        entity = batch.open[0].entity
        async with self.pool.connection() as connection:
            now = await read_state(connection, entity, [operation.record_id for operation in batch.open])
        await asyncio.sleep(self.chance.random() * 0.004)  # the call to Zoho
        self.pushed.update({(entity, key): state for key, (state, _) in now.items()})
        fails = self.chance.random() < 0.3
        await batch.finish(
            [
                Report(one.operation_id, Outcome.RETRYING, delay=0.0, error_code="x", error_message="x")
                if fails
                else Report(one.operation_id, Outcome.SUCCEEDED, digest=now[one.record_id][1])
                for one in batch.open
            ]
        )

    def worker(self, database: Database, name: str) -> Worker:
        return Worker(
            self.pool,
            [
                Stream(INVOICES, Lane.SALES, ("order",), self.push),
                Stream(ITEMS, Lane.BULK, ("variant",), self.push),
            ],
            listener=Listener(database.worker_url, CHANNELS),
            clock=SystemClock(),
            name=name,
            policy=None,
            options=WorkerOptions(poll=timedelta(seconds=0.02)),
            observer=None,
        )


async def read_state(connection: Connection, entity: str, keys: list[str]) -> dict[str, tuple[Any, str]]:
    """All that is pushed of each record, and its digest."""
    if entity == "order":
        orders = await read_orders(connection, keys)
        return {key: (dict(order.source), order.digest) for key, order in orders.items()}
    variants = await read_variants(connection, keys)
    return {key: ((one.price, one.sku, one.product_name), one.digest) for key, one in variants.items()}


@pytest.mark.parametrize(("seed", "number"), [(1, 3), (2, 3), (3, 12), (4, 30), (5, 60)])
async def test_the_last_state_of_every_paid_order_and_of_all_goods_is_what_was_pushed(
    database: Database, pool: Pool, owner: Connection, worker: Connection, seed: int, number: int
) -> None:
    """Lines change in transactions of their own and move between orders; some transactions are rolled back. Of few
    orders many changes meet while one is pushed; of many, each is often the last. The scan is asked at the end only,
    and finds nothing."""
    orders, goods = await fill(owner, number)
    await go_live(worker, [(INVOICES, "order"), (ITEMS, "variant")])
    books, stop = Books(pool, random.Random(seed)), asyncio.Event()
    workers = [asyncio.create_task(books.worker(database, f"w{n}").run(stop)) for n in range(2)]
    await asyncio.gather(*(write(database, random.Random(f"{seed}/{n}"), orders, goods, n) for n in range(WRITERS)))
    last = books.worker(database, "last")
    await drain(last)
    stop.set()
    await asyncio.gather(*workers)
    await owner.execute("select pgmq.set_vt('zohosync_' || lane, message_id, 0) from zohosync.operation where queued")
    await drain(last)

    paid = [row["id"] for row in await fetch_all(owner, "select id::text from orders where payment_status = 'paid'")]
    assert len(paid) > 2
    # Goods that nobody happened to change are not pushed; that none was missed is what the scan says below.
    changed = [key for entity, key in books.pushed if entity == "variant"]
    for entity, keys in (("order", paid), ("variant", changed)):
        committed = await read_state(worker, entity, keys)
        pushed = {key: books.pushed.get((entity, key)) for key in keys}
        assert pushed == {key: state for key, (state, _) in committed.items()}, f"seed {seed}"
    assert all(row["finished_at"] for row in await operations(owner))
    assert (await missed(worker, INVOICES, "order"), await missed(worker, ITEMS, "variant")) == (0, 0)
