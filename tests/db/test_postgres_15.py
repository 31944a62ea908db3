"""On Postgres 15: what documents are made of is captured, read, classified, held and taken away again."""

import itertools
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from capturing import SOURCES, captured, goods, missed
from conftest import WORKER_ROLE, Database, as_role
from shop_rows import insert, insert_line, insert_order, insert_user, insert_variant
from zohosync.db.install import install, uninstall
from zohosync.db.pool import Connection, connect, fetch_all
from zohosync.demo.embedded import Cluster, create_shop
from zohosync.store.holds import put_hold, release_holds
from zohosync.store.installation import go_live
from zohosync.store.orders import read_approvals, read_hold_digests, read_orders, read_variants
from zohosync.store.overrides import set_override
from zohosync.store.rates import TaxData, list_goods, set_tax_data
from zohosync.store.tidying import Retention, tidy, tidy_gone

pytestmark = pytest.mark.pg15
KIND = "books.invoice.push"
_numbers = itertools.count(1)


@pytest.fixture
async def database(cluster15: Cluster) -> AsyncIterator[Database]:
    """A storefront with zohosync on Postgres 15, live."""
    name = f"documents_{next(_numbers)}"
    create_shop(cluster15, name)
    shop = Database(cluster15, name)
    async with await connect(shop.owner_url) as connection:
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        await go_live(connection, SOURCES)
    yield shop
    cluster15.administer(f"drop database {name} with (force)")


async def test_orders_quotes_and_goods_are_captured(database: Database, owner: Connection) -> None:
    async with await as_role(database, "service_role") as shop:
        key = await insert_order(shop, payment_status="pending")
        await shop.execute("update orders set payment_status = 'paid'")
        await insert_line(shop, key, None)
        assert await captured(owner) == [("order", key)] * 2
        await shop.execute("update order_items set quantity = 3")
        await shop.execute("update orders set payment_status = 'refunded'")
        assert await captured(owner) == [("order", key), ("order", key), ("refund", key)]
        quote = await insert(shop, "b2b_quotes", status="approved")
        await insert(shop, "b2b_quote_items", quote_id=quote, quantity=1)
        assert await captured(owner) == [("approved_quote", quote)] * 2
        variant = await insert_variant(shop)
        await shop.execute("update products set name = 'Neem'")
    assert await goods(owner) == [variant, variant]


async def test_what_was_missed_is_found(database: Database, owner: Connection, worker: Connection) -> None:
    await owner.execute("alter table orders disable trigger user; alter table order_items disable trigger user")
    paid = await insert_order(owner, user_id=await insert_user(owner))
    await insert_line(owner, paid, await insert_variant(owner))
    await insert_order(owner, order_number="ORD-2", payment_status="pending")
    assert await missed(worker) == 1
    assert await missed(worker) == 0
    scanned = await fetch_all(worker, "select * from zohosync.shop_scan('order')")
    assert scanned == [{"record_id": paid, "digest": (await read_orders(worker, [paid]))[paid].digest}]


async def test_orders_quotes_and_variants_are_read(database: Database, owner: Connection, worker: Connection) -> None:
    user, variant = await insert_user(owner), await insert_variant(owner, hsn_code="3808", gst_rate=18)
    key = await insert_order(owner, user_id=user, shipping_address={"email": "a@example.com"})
    await insert(owner, "addresses", user_id=user, type="shipping", state="Kerala", is_default=True)
    line = await insert_line(owner, key, variant)
    quote = await insert(owner, "b2b_quotes", status="approved", linked_order_id=key, valid_until="infinity")
    order = (await read_orders(worker, [key]))[key]
    assert (order.quote_id, order.paid, order.ship_to.state, order.before_golive) == (quote, True, "Kerala", False)
    assert [(one.line_id, one.gst_rate, one.quantity) for one in order.lines] == [(line, Decimal(18), Decimal(2))]
    assert (await read_approvals(worker, [quote]))[quote].valid_until is None
    assert (await read_variants(worker, [variant]))[variant].hsn_code == "3808"


async def test_rates_are_imported_and_release_what_was_held(
    database: Database, owner: Connection, worker: Connection
) -> None:
    key = await insert_order(owner)
    await insert_line(owner, key, await insert_variant(owner))
    digest = (await read_hold_digests(worker, "order", [key]))[key]
    held = {"kind": KIND, "entity": "order", "record_id": key, "operation_id": 1, "codes": ["hsn_missing"]}
    await put_hold(worker, **held, digest=digest, policies="p")
    assert await release_holds(worker, policies="p") == 0
    tax = TaxData("3808", Decimal(18), "taxable")
    assert await set_tax_data(worker, [("NEEM-5L", tax), ("GONE", tax)]) == {"NEEM-5L"}
    assert [one.tax for one in await list_goods(worker)] == [tax]
    assert await release_holds(worker, policies="p") == 1


async def test_a_correction_releases_what_was_held(database: Database, owner: Connection, worker: Connection) -> None:
    key = await insert_order(owner)
    digest = (await read_hold_digests(worker, "order", [key]))[key]
    held = {"kind": KIND, "entity": "order", "record_id": key, "operation_id": 1, "codes": ["state_unknown"]}
    await put_hold(worker, **held, digest=digest, policies="p")
    await set_override(worker, entity="order", record_id=key, field="state", value="Kerala", reason="x", by="x")
    assert await release_holds(worker, policies="p") == 1


async def test_tidying_runs_and_uninstalling_leaves_nothing(database: Database, worker: Connection) -> None:
    await tidy(worker, Retention())
    assert await tidy_gone(worker, Retention()) == 0
    async with await connect(database.owner_url) as connection:
        await uninstall(connection, worker_role=WORKER_ROLE, columns=True)
        left = await fetch_all(
            connection,
            """select column_name as what from information_schema.columns
                where table_schema = 'public' and column_name ~ '^(zoho_|hsn_code|gst_rate|tax_category)'
               union all select tgname from pg_trigger where tgname ~ '^zohosync'
               union all select nspname from pg_namespace where nspname in ('zohosync', 'pgmq')""",
        )
    assert left == []
