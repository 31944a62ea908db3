"""Capture of what documents are made of: orders, their lines, quotes that were approved, goods, buyers."""

import asyncio

import pytest

from capturing import SOURCES, captured, goods, missed
from conftest import Database, as_role
from shop_rows import insert, insert_line, insert_order, insert_user, insert_variant
from zohosync.db.pool import Connection, connect, fetch_all, fetch_one
from zohosync.store.installation import go_live
from zohosync.store.orders import read_approvals, read_orders

DOCUMENT = """
insert into zohosync.document (entity, record_id, module, organisation_id, zoho_id, reference, document_date,
                               customer_id, shop_total, source, source_digest, lines)
values ('order', %(order)s, 'invoices', '1', '900', 'ORD-1', '2026-04-01', '77', 1180, '{}', 'd', '[]')"""


@pytest.fixture
async def live(database: Database, worker: Connection) -> Database:
    await go_live(worker, SOURCES)
    return database


async def test_an_order_is_captured_when_it_is_paid_and_not_before(live: Database, owner: Connection) -> None:
    key = await insert_order(owner, payment_status="pending")
    await insert_line(owner, key, None)
    await owner.execute("update orders set notes = 'please ring', status = 'processing'")
    assert await captured(owner) == []
    await owner.execute("update orders set payment_status = 'paid'")
    assert await captured(owner) == [("order", key)]


@pytest.mark.parametrize("role", ["authenticated", "service_role", "shop_owner"])
async def test_every_role_of_the_shop_is_captured(live: Database, owner: Connection, role: str) -> None:
    user = await insert_user(owner)
    key = await insert_order(owner, payment_status="pending", user_id=user)
    async with await as_role(live, role, user) as shop:
        await shop.execute("update orders set payment_status = 'paid'")
        await insert_line(shop, key, None)
    assert [found for found in await captured(owner) if found[0] == "order"] == [("order", key), ("order", key)]


async def test_an_order_inserted_already_paid_is_captured_and_its_later_lines_again(
    live: Database, owner: Connection
) -> None:
    key = await insert_order(owner)
    assert await captured(owner) == [("order", key)]
    await insert_line(owner, key, None)
    assert await captured(owner) == [("order", key)]
    await owner.execute("update order_items set quantity = 3")
    assert await captured(owner) == [("order", key)]
    await owner.execute("update order_items set quantity = 3, created_at = now()")
    assert await captured(owner) == []
    await owner.execute("delete from order_items")
    assert await captured(owner) == [("order", key)]


async def test_a_payment_told_twice_is_one_change(live: Database, owner: Connection) -> None:
    key = await insert_order(owner, payment_status="pending")
    await owner.execute("update orders set payment_status = 'paid'")
    await owner.execute("update orders set payment_status = 'paid', updated_at = now()")
    assert await captured(owner) == [("order", key)]


async def test_two_payments_at_once_are_one_open_operation(live: Database, owner: Connection) -> None:
    """The gateway tells a payment to two processes; both write, and neither waits for more than the row."""
    await owner.execute("alter table orders add column paid_at timestamptz")
    keys = [await insert_order(owner, order_number=f"ORD-{n}", payment_status="pending") for n in range(20)]

    async def pay(hour: int) -> None:
        async with await as_role(live, "service_role") as shop:
            await shop.execute("set statement_timeout = '5s'")
            for key in keys:
                await shop.execute(
                    "update orders set payment_status = 'paid', paid_at = make_timestamptz(2026, 4, 1, %s, 0, 0)"
                    " where id = %s::uuid",
                    (hour, key),
                )

    await asyncio.gather(pay(9), pay(10), pay(11))
    entities, kinds = [entity for _, entity in SOURCES], [kind for kind, _ in SOURCES]
    await owner.execute(
        "select zohosync.intake(1000, %s, %s, array_fill('sales'::zohosync.lane, array[5]))", (entities, kinds)
    )
    rows = await fetch_all(owner, "select record_id from zohosync.operation where kind = 'books.invoice.push'")
    assert sorted(row["record_id"] for row in rows) == sorted(keys)


async def test_what_no_document_is_made_of_does_not_count(live: Database, owner: Connection) -> None:
    await insert_order(owner)
    await captured(owner)
    await owner.execute("update orders set notes = 'x', updated_at = now(), zoho_books_id = '1', zoho_crm_id = '2'")
    await owner.execute("update orders set status = 'processing'")
    assert await captured(owner) == []


@pytest.mark.parametrize(
    "change",
    [
        "total_amount = 1",
        "discount_amount = 1",
        "shipping_amount = 1",
        "currency = 'USD'",
        "payment_method = 'cod'",
        "status = 'shipped'",
        "shipping_address = '{}'",
        "payment_status = 'failed'",
    ],
)
async def test_a_change_after_payment_is_captured(live: Database, owner: Connection, change: str) -> None:
    key = await insert_order(owner)
    await captured(owner)
    await owner.execute(f"update orders set {change}".encode())
    assert await captured(owner) == [("order", key)]


@pytest.mark.parametrize("change", ["payment_status = 'refunded'", "status = 'refunded'", "status = 'cancelled'"])
async def test_a_refund_and_a_paid_order_that_is_cancelled_are_captured_as_refunds(
    live: Database, owner: Connection, change: str
) -> None:
    key = await insert_order(owner)
    await captured(owner)
    await owner.execute(f"update orders set {change}".encode())
    assert await captured(owner) == [("order", key), ("refund", key)]


async def test_an_order_that_was_never_paid_is_cancelled_without_us(live: Database, owner: Connection) -> None:
    await insert_order(owner, payment_status="pending")
    await owner.execute("update orders set status = 'cancelled'")
    assert await captured(owner) == []
    assert await missed(owner) == 0


async def test_a_dispatched_order_on_delivery_is_captured(live: Database, owner: Connection) -> None:
    key = await insert_order(owner, payment_status="pending", payment_method="cod")
    await owner.execute("update orders set status = 'shipped'")
    assert await captured(owner) == [("order", key)]


async def test_an_order_sent_on_account_before_go_live_is_invoiced_when_it_is_paid(
    database: Database, owner: Connection, worker: Connection
) -> None:
    key = await insert_order(owner, payment_status="pending", status="shipped", payment_method="bank_transfer")
    old = await insert_order(owner, order_number="ORD-2", status="shipped")
    await go_live(worker, SOURCES)
    await owner.execute("update orders set payment_status = 'paid'")
    assert await captured(owner) == [("order", key)]
    orders = await read_orders(worker, [key, old])
    assert (orders[key].before_golive, orders[old].before_golive) == (False, True)


async def test_a_thousand_old_paid_orders_are_left_alone(
    database: Database, owner: Connection, worker: Connection
) -> None:
    await owner.execute(
        """insert into orders (order_number, payment_status, total_amount, shipping_address, billing_address)
           select n, 'paid', 100, '{}', '{}' from generate_series(1, 1000) n"""
    )
    gone = await go_live(worker, SOURCES)
    assert gone.baseline == 1000
    assert await missed(owner) == 0
    await owner.execute("update orders set updated_at = now()")
    assert (await captured(owner), await missed(owner)) == ([], 0)


async def test_a_kind_that_is_new_to_a_live_shop_takes_its_records_for_old_until_its_baseline(
    database: Database, owner: Connection, worker: Connection
) -> None:
    key = await insert_order(owner)
    quote = await insert(owner, "b2b_quotes", status="approved")
    assert not (await read_orders(worker, [key]))[key].before_golive
    await go_live(worker, [("crm.contact.push", "customer")])
    assert (await read_orders(worker, [key]))[key].before_golive
    assert (await read_approvals(worker, [quote]))[quote].order.before_golive


async def test_an_approved_quote_is_captured_with_its_lines(live: Database, owner: Connection) -> None:
    quote = await insert(owner, "b2b_quotes", status="under_review", total_amount=100)
    assert await captured(owner) == []
    await owner.execute("update b2b_quotes set status = 'approved'")
    assert await captured(owner) == [("approved_quote", quote)]
    await insert(owner, "b2b_quote_items", quote_id=quote, quantity=1, unit_price=100, total_price=100)
    await owner.execute("update b2b_quote_items set quantity = 2")
    await owner.execute("delete from b2b_quote_items")
    assert await captured(owner) == [("approved_quote", quote)] * 3
    await owner.execute("update b2b_quotes set notes = 'x'")
    assert await captured(owner) == []
    await owner.execute("update b2b_quotes set status = 'expired'")
    assert await captured(owner) == [("approved_quote", quote)]


async def test_goods_are_captured_by_what_an_item_is_made_of_and_not_by_stock(
    live: Database, owner: Connection
) -> None:
    key = await insert_variant(owner)
    assert await goods(owner) == [key]
    await owner.execute("update product_variants set stock_quantity = 3, zoho_books_id = '1'")
    await owner.execute("update products set segment = 'x', zoho_books_id = '1'")
    assert await goods(owner) == []
    for change in ("price = 2", "sku = 'NEW'", "hsn_code = '3808'", "gst_rate = 18", "tax_category = 'taxable'"):
        await owner.execute(f"update product_variants set {change}".encode())
        assert await goods(owner) == [key], change
    await owner.execute("update products set name = 'Neem'")
    assert await goods(owner) == [key]


async def test_goods_of_a_draft_are_captured_when_it_is_published(live: Database, owner: Connection) -> None:
    product = await insert(owner, "products", name="Soon", status="draft")
    key = await insert(owner, "product_variants", product_id=product, sku="SOON")
    assert await goods(owner) == []
    await owner.execute("update products set status = 'active'")
    assert await goods(owner) == [key]


async def test_a_profile_is_captured_for_books_once_books_has_the_customer(live: Database, owner: Connection) -> None:
    user = await insert_user(owner)
    await captured(owner)
    await owner.execute("update users set gst_number = '29ABCDE1234F1Z5'")
    assert await captured(owner) == [("customer", user)]
    await owner.execute(
        "insert into zohosync.link (system, module, entity, record_id, state, zoho_id, organisation_id)"
        " values ('books', 'contacts', 'buyer', %s, 'linked', '1', '1')",
        (user,),
    )
    await owner.execute("update users set company_name = 'Demo Firm'")
    assert await captured(owner) == [("customer", user), ("buyer", user)]
    assert await missed(owner, "books.customer.push", "buyer") == 1


async def test_an_order_that_is_deleted_is_captured_when_it_has_a_document(live: Database, owner: Connection) -> None:
    key = await insert_order(owner)
    await insert_order(owner, order_number="ORD-2")
    await owner.execute(DOCUMENT, {"order": key})
    await captured(owner)
    async with await as_role(live, "service_role") as shop:
        await shop.execute("delete from orders")
    assert await captured(owner) == [("order", key)]


async def test_a_deleted_order_goes_whatever_is_wrong_with_us(live: Database, owner: Connection) -> None:
    await insert_order(owner)
    await owner.execute("drop table zohosync.document cascade")
    async with await as_role(live, "service_role") as shop:
        await shop.execute("delete from orders")
    assert await fetch_all(owner, "select 1 from orders") == []


async def test_a_profile_is_captured_for_books_once_books_has_the_firm(live: Database, owner: Connection) -> None:
    """Whatever the case its GSTIN is typed in."""
    user = await insert_user(owner, gst_number="27aapfu0939f1zv")
    await insert_user(owner, email="other@example.com", gst_number="36AAGCB7383J1Z9")
    await owner.execute(
        "insert into zohosync.link (system, module, entity, record_id, state, zoho_id, organisation_id)"
        " values ('books', 'contacts', 'firm', '27AAPFU0939F1ZV', 'linked', '1', '1')"
    )
    await captured(owner)
    await owner.execute("update users set first_name = 'Changed'")
    assert [one for one in await captured(owner) if one[0] == "buyer"] == [("buyer", user)]
    await owner.execute("delete from zohosync.observation")
    rows = await fetch_all(owner, "select * from zohosync.shop_scan('buyer')")
    assert [row["record_id"] for row in rows] == [user]
    assert rows == await fetch_all(owner, "select * from zohosync.shop_digests('buyer', %s::text[])", ([user],))
    recent = await fetch_all(owner, "select zohosync.shop_recent('buyer', 9) as id")
    assert recent == [{"id": user}]


async def test_a_bulk_edit_of_orders_is_a_few_messages(live: Database, owner: Connection) -> None:
    await owner.execute(
        """insert into orders (order_number, total_amount, shipping_address, billing_address)
           select n, 100, '{}', '{}' from generate_series(1, 1200) n"""
    )
    await owner.execute("update orders set payment_status = 'paid'")
    row = await fetch_one(owner, "select count(*) as n from pgmq.q_zohosync_changes")
    assert row == {"n": 3}
    assert len(await captured(owner)) == 1200


MANY = 10_000
BULK = {
    "contact_submissions": (
        "insert into contact_submissions (name, email) select 'Demo', n from generate_series(1, %(many)s) n",
        "message = coalesce(message, '') || 'x'",
    ),
    "b2b_quotes": (
        "insert into b2b_quotes (status, total_amount) select 'submitted', n from generate_series(1, %(many)s) n",
        "total_amount = total_amount + 1",
    ),
    "product_variants": (
        """with p as (insert into products (name) values ('Neem') returning id)
           insert into product_variants (product_id, sku) select p.id, n from p, generate_series(1, %(many)s) n""",
        "price = coalesce(price, 0) + 1",
    ),
    "orders": (
        """insert into orders (order_number, payment_status, total_amount, shipping_address, billing_address)
           select n, 'paid', n, '{}', '{}' from generate_series(1, %(many)s) n""",
        "total_amount = total_amount + 1",
    ),
}


@pytest.mark.parametrize("table", BULK)
async def test_a_bulk_edit_is_quick_after_single_ones(live: Database, owner: Connection, table: str) -> None:
    """Plans are kept for the session: made for one row, a nested loop over 10,000 takes half a minute."""
    fill, change = BULK[table]
    await owner.execute(fill.encode(), {"many": MANY})
    await owner.execute("set statement_timeout = '9s'")
    for _ in range(12):
        await owner.execute(f"update {table} set {change} where id = (select id from {table} limit 1)".encode())
    await owner.execute("delete from pgmq.q_zohosync_changes")
    await owner.execute(f"update {table} set {change}".encode())
    row = await fetch_one(owner, "select sum(jsonb_array_length(message -> 'keys')) as n from pgmq.q_zohosync_changes")
    assert row == {"n": MANY}


async def test_no_capture_joins_old_and_new_rows_by_nested_loops(owner: Connection) -> None:
    rows = await fetch_all(
        owner,
        """select proname::text as name from pg_proc
            where pronamespace = 'zohosync'::regnamespace and prorettype = 'trigger'::regtype
              and prosrc like '%%old_rows%%' and not 'enable_nestloop=off' = any (proconfig)""",
        {},
    )
    assert rows == []


BREAKAGES = {
    "queue table locked": ("begin; lock table pgmq.q_zohosync_changes in access exclusive mode", "rollback"),
    "installation locked": ("begin; lock table zohosync.installation in access exclusive mode", "rollback"),
    "documents locked": ("begin; lock table zohosync.document in access exclusive mode", "rollback"),
    "queue table missing": (
        "alter table pgmq.q_zohosync_changes rename to gone",
        "alter table pgmq.gone rename to q_zohosync_changes",
    ),
    "our schema renamed": ("alter schema zohosync rename to gone", "alter schema gone rename to zohosync"),
    "a function of ours missing": (
        "alter function zohosync.order_due(jsonb) rename to gone",
        "alter function zohosync.gone(jsonb) rename to order_due",
    ),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_the_shops_sale_succeeds_whatever_is_wrong_with_us_and_the_scan_finds_it(
    live: Database, owner: Connection, breakage: str
) -> None:
    broken, mended = BREAKAGES[breakage]
    async with await connect(live.admin_url) as admin:
        await admin.execute(broken.encode())
        async with await as_role(live, "service_role") as shop:
            await shop.execute("set statement_timeout = '2s'")
            async with shop.transaction():
                key = await insert_order(shop, payment_status="pending")
                line = await insert_line(shop, key, None)
                for _ in range(20):
                    await shop.execute("update order_items set quantity = quantity + 1 where id = %s::uuid", (line,))
                await shop.execute("update orders set payment_status = 'paid'")
            await shop.execute("insert into products (name) values ('Neem oil')")
            await shop.execute("insert into product_variants (product_id, sku) select id, 'NEEM' from products")
            await shop.execute("update product_variants set price = 3")
            await shop.execute("update products set name = 'Neem'")
        await admin.execute(mended.encode())
    await captured(owner)
    assert await missed(owner) == 1
    assert await missed(owner, "books.item.push", "variant") == 1
