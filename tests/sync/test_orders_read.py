"""Orders, approved quotes and variants, as the adapter reads them."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from conftest import Database
from shop_rows import CHECKOUT, insert, insert_line, insert_order, insert_user, insert_variant
from zohosync.db.pool import Connection, connect, fetch_all, fetch_one
from zohosync.errors import ShopUnreadable
from zohosync.store.orders import (
    ShopAddress,
    ShopOrder,
    read_approvals,
    read_hold_digests,
    read_orders,
    read_variants,
)
from zohosync.store.shop import find_records, set_zoho_ids

NOWHERE = ShopAddress(None, None, None, None, None, None, None, None, None, "none")


async def read(connection: Connection, order: str) -> ShopOrder:
    return (await read_orders(connection, [order]))[order]


async def test_an_order_is_read_with_its_lines_and_what_the_variants_say(owner: Connection, worker: Connection) -> None:
    user = await insert_user(owner, company_name="Demo Firm", gst_number="29ABCDE1234F1Z5")
    variant = await insert_variant(owner, hsn_code="3808", gst_rate=18)
    key = await insert_order(owner, user_id=user)
    line = await insert_line(owner, key, variant)
    order = await read(worker, key)
    assert (order.order_number, order.user_id, order.total, order.currency) == ("ORD-1", user, Decimal(1180), "INR")
    assert (order.paid, order.dispatched, order.cancelled, order.refunded) == (True, False, False, False)
    assert (order.email, order.company, order.gstin) == ("customer@example.com", "Demo Firm", "29ABCDE1234F1Z5")
    assert order.ship_to == ShopAddress(
        "Demo Customer", "customer@example.com", "9876543210", "12 Market Road", None, "Hubballi", "Karnataka",
        "580020", "India", "order",
    )  # fmt: skip
    (only,) = order.lines
    assert (only.line_id, only.variant_id, only.sku, only.name) == (line, variant, "NEEM-5L", "Neem oil 5 l")
    assert (only.quantity, only.unit_price, only.total_price) == (2, 500, 1000)
    assert (only.hsn_code, only.gst_rate, only.tax_category) == ("3808", 18, None)
    assert (order.paid_at, order.cod_fee, order.payment_reference, order.returned) == (None, None, None, None)
    assert order.source["total"] == "1180"


async def test_an_approved_quote_is_read_as_an_order(owner: Connection, worker: Connection) -> None:
    user = await insert_user(owner)
    variant = await insert_variant(owner)
    quote = await insert(owner, "b2b_quotes", user_id=user, status="approved", subtotal=1000, total_amount=1180)
    line = {"quantity": 2, "unit_price": 500, "total_price": 1000}
    await insert(owner, "b2b_quote_items", quote_id=quote, variant_id=variant, **line)
    approval = (await read_approvals(worker, [quote]))[quote]
    assert approval.approved
    assert approval.order.total == Decimal(1180)
    assert [line.sku for line in approval.order.lines] == ["NEEM-5L"]
    assert approval.order.ship_to == NOWHERE


async def test_a_variant_is_read_as_an_item(owner: Connection, worker: Connection) -> None:
    key = await insert_variant(owner, gst_rate=5, hsn_code=" 3101 ", track_inventory=True)
    variant = (await read_variants(worker, [key]))[key]
    assert (variant.sku, variant.product_name, variant.packing) == ("NEEM-5L", "Neem oil", "5 l")
    assert (variant.hsn_code, variant.gst_rate, variant.stock) == ("3101", 5, 7)
    assert (variant.active, variant.only_variant) == (True, True)


async def override(owner: Connection, order: str, **fields: str) -> None:
    for name, value in fields.items():
        await owner.execute(
            "insert into zohosync.override (entity, record_id, field, value, reason, set_by)"
            " values ('order', %s, %s, %s, 'x', 'y')",
            (order, name, value),
        )


SHAPES = {
    "checkout": {"name": "Demo Customer", "email": "customer@example.com", "phone": "98"},
    "a row of addresses": {"id": "x", "user_id": "y", "type": "shipping", "is_default": True},
    "two names": {"first_name": "Demo", "last_name": "Customer"},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("as_text", [False, True])
async def test_an_address_is_read_in_each_of_its_shapes(
    owner: Connection, worker: Connection, shape: str, as_text: bool
) -> None:
    place = {
        "address_line1": " 1 Road ",
        "city": "Hubballi",
        "state": "Karnataka",
        "postal_code": 580020,
        "country": "",
    }
    written = {**SHAPES[shape], **place}
    key = await insert_order(owner, shipping_address=json.dumps(written) if as_text else written)
    address = (await read(worker, key)).ship_to
    assert (address.line1, address.city, address.state) == ("1 Road", "Hubballi", "Karnataka")
    assert (address.postal_code, address.country, address.source) == ("580020", None, "order")
    assert address.name == (None if shape == "a row of addresses" else "Demo Customer")


@pytest.mark.parametrize("odd", [{}, None, [], "", "Hubballi", 7, {"state": ["x"]}, {"country": "India"}, "{broken"])
async def test_what_is_no_address_names_no_place_and_breaks_nothing(
    owner: Connection, worker: Connection, odd: object
) -> None:
    await owner.execute("alter table orders alter shipping_address drop not null")
    key = await insert_order(owner, shipping_address=odd, billing_address={})
    order = await read(worker, key)
    assert order.ship_to.source in ("none", "order")
    assert order.ship_to.city is None
    assert order.bill_to.source in ("none", "order")


async def test_an_order_without_an_address_falls_back_to_those_the_customer_keeps(
    owner: Connection, worker: Connection
) -> None:
    user = await insert_user(owner)
    key = await insert_order(owner, user_id=user, shipping_address={}, billing_address={"name": "Firm"})
    assert (await read(worker, key)).ship_to == NOWHERE

    async def keep(city: str, kind: str, **more: object) -> tuple[str | None, str, str | None, str]:
        await insert(owner, "addresses", user_id=user, type=kind, city=city, **more)
        order = await read(worker, key)
        return order.ship_to.city, order.ship_to.source, order.bill_to.city, order.bill_to.source

    old = {"created_at": "2020-01-01T00:00:00Z"}
    assert await keep("Pune", "billing") == ("Pune", "billing", "Pune", "billing")
    assert await keep("Hubballi", "shipping", **old) == ("Hubballi", "newest_shipping", "Pune", "billing")
    assert await keep("Mysuru", "shipping") == ("Mysuru", "newest_shipping", "Pune", "billing")
    assert await keep("Belagavi", "shipping", is_default=True, **old) == (
        "Belagavi", "default_shipping", "Pune", "billing",
    )  # fmt: skip
    assert (await read(worker, key)).bill_to.name == "Firm"


async def test_a_guest_without_an_address_has_none(owner: Connection, worker: Connection) -> None:
    key = await insert_order(
        owner, shipping_address={}, billing_address={"email": "guest@example.com", "name": "A B C"}
    )
    order = await read(worker, key)
    assert (order.ship_to, order.bill_to.source, order.email) == (NOWHERE, "none", "guest@example.com")
    assert (order.first_name, order.last_name) == ("A B", "C")


async def test_the_sales_own_address_is_billed_before_one_the_customer_keeps_for_deliveries(
    owner: Connection, worker: Connection
) -> None:
    user = await insert_user(owner)
    await insert(owner, "addresses", user_id=user, type="shipping", city="Delhi", is_default=True)
    key = await insert_order(owner, user_id=user, billing_address={})
    order = await read(worker, key)
    assert (order.bill_to.city, order.bill_to.source) == ("Hubballi", "order")


OPTIONAL = {
    "paid_at": "2026-04-01T10:00:00+05:30",
    "shipped_at": "2026-04-02T10:00:00",
    "refunded_at": "2026-04-03",
    "razorpay_payment_id": "pay_1",
    "transaction_id": "txn_1",
    "refund_status": "processed",
    "refund_amount": "100.50",
    "cod_charges": "40",
    "returned": "true",
}


@pytest.mark.parametrize("session", ["UTC", "Asia/Kolkata", "America/New_York"])
async def test_columns_not_every_shop_has_are_read_where_they_are(
    owner: Connection, worker: Connection, session: str
) -> None:
    for name in OPTIONAL:
        await owner.execute(f"alter table orders add column {name} text".encode())
    key = await insert_order(owner, **OPTIONAL)
    digest = (await read(worker, key)).digest
    await worker.execute(f"set timezone = '{session}'".encode())
    order = await read(worker, key)
    assert order.digest == digest
    assert (order.paid_at, order.dispatched_at) == (
        datetime(2026, 4, 1, 4, 30, tzinfo=UTC), datetime(2026, 4, 2, 10, tzinfo=UTC),
    )  # fmt: skip
    assert (order.refunded_at, order.refunded_amount) == (datetime(2026, 4, 3, tzinfo=UTC), Decimal("100.5"))
    assert (order.payment_reference, order.cod_fee, order.returned, order.refunded) == ("pay_1", 40, True, True)


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
async def test_times_of_real_types_do_not_depend_on_the_session(
    owner: Connection, worker: Connection, kind: str
) -> None:
    await owner.execute(f"alter table orders add column paid_at {kind}".encode())
    key = await insert_order(owner, paid_at="2026-04-01T10:00:00")
    seen = set()
    for session in ("UTC", "Asia/Kolkata"):
        await worker.execute(f"set timezone = '{session}'".encode())
        order = await read(worker, key)
        scanned = await fetch_all(worker, "select digest from zohosync.shop_scan('order')")
        seen.add((order.digest, order.paid_at, scanned[0]["digest"]))
        assert order.digest == scanned[0]["digest"]
    assert len(seen) == 1


@pytest.mark.parametrize(
    "odd", ["", "soon", "infinity", "2026-02-31", "99999-01-01", "NaN", "1e400", "-", "0001-01-01 BC"]
)
async def test_values_nobody_can_read_are_none_and_break_no_batch(
    owner: Connection, worker: Connection, odd: str
) -> None:
    for name in OPTIONAL:
        await owner.execute(f"alter table orders add column {name} text".encode())
    key = await insert_order(owner, **dict.fromkeys(OPTIONAL, odd))
    other = await insert_order(owner, order_number="ORD-2", created_at="infinity")
    orders = await read_orders(worker, [key, other])
    order = orders[key]
    assert (order.paid_at, order.dispatched_at, order.refunded_at) == (None, None, None)
    assert (order.refunded_amount, order.cod_fee, order.returned, order.refunded) == (None, None, None, False)
    assert orders[other].placed_at is None


async def test_what_people_corrected_is_applied(owner: Connection, worker: Connection) -> None:
    user = await insert_user(owner, gst_number="wrong")
    variant = await insert_variant(owner)
    other = await insert_variant(owner, sku="OTHER", hsn_code="3101", gst_rate=5)
    key = await insert_order(owner, user_id=user)
    line = await insert_line(owner, key, variant)
    before = await read(worker, key)
    await override(
        owner, key, state="Kerala", postal_code="682001", gstin="29ABCDE1234F1Z5", name="Demo A Firm",
        company="Demo Firm", price_basis="inclusive",
    )  # fmt: skip
    await owner.execute(
        "insert into zohosync.override (entity, record_id, field, value, reason, set_by)"
        " values ('order', %s, %s, ' other ', 'x', 'y')",
        (key, f"line_sku:{line}"),
    )
    order = await read(worker, key)
    assert (order.ship_to.state, order.ship_to.postal_code) == ("Kerala", "682001")
    assert (order.bill_to.state, order.bill_to.name) == ("Karnataka", "Demo A Firm")
    assert (order.gstin, order.company) == ("29ABCDE1234F1Z5", "Demo Firm")
    assert (order.first_name, order.last_name) == ("Demo A", "Firm")
    assert order.overrides["price_basis"] == "inclusive"
    assert (order.lines[0].variant_id, order.lines[0].hsn_code, order.lines[0].gst_rate) == (other, "3101", 5)
    assert order.digest == before.digest
    assert order.hold_digest != before.hold_digest


async def test_a_line_whose_variant_is_gone_stays_and_can_be_named_by_a_person(
    owner: Connection, worker: Connection
) -> None:
    key = await insert_order(owner)
    line = await insert_line(owner, key, None)
    assert (await read(worker, key)).lines[0].sku is None
    await owner.execute(
        "insert into zohosync.override (entity, record_id, field, value, reason, set_by)"
        " values ('order', %s, %s, 'NOWHERE', 'x', 'y')",
        (key, f"line_sku:{line}"),
    )
    (only,) = (await read(worker, key)).lines
    assert (only.sku, only.variant_id, only.total_price) == ("NOWHERE", None, 1000)


async def test_the_quote_of_an_order_is_named_whatever_its_state_and_shares_its_address(
    owner: Connection, worker: Connection
) -> None:
    key = await insert_order(owner, payment_status="pending")
    quote = await insert(owner, "b2b_quotes", status="under_review", linked_order_id=key)
    assert (await read(worker, key)).quote_id == quote
    approval = (await read_approvals(worker, [quote]))[quote]
    assert (approval.approved, approval.order.ship_to.city, approval.order.ship_to.source) == (
        False, "Hubballi", "order",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "held", "seen"),
    [
        ("update orders set notes = 'x', status = 'processing', zoho_books_id = '9'", False, False),
        ("update product_variants set stock_quantity = 1, zoho_books_id = '9'", False, False),
        ("update orders set total_amount = 1", True, True),
        ("update order_items set quantity = 3", True, True),
        ("update product_variants set hsn_code = '3808'", True, False),
        ("update product_variants set gst_rate = 5", True, False),
        ("update users set gst_number = '29ABCDE1234F1Z5'", True, False),
        ("update users set role = 'b2b_client'", True, False),
    ],
)
async def test_a_hold_is_judged_by_more_than_the_order(
    owner: Connection, worker: Connection, change: str, held: bool, seen: bool
) -> None:
    user = await insert_user(owner)
    key = await insert_order(owner, user_id=user)
    await insert_line(owner, key, await insert_variant(owner))
    before = await read(worker, key)
    await owner.execute(change.encode())
    after = await read(worker, key)
    assert (before.hold_digest != after.hold_digest, before.digest != after.digest) == (held, seen)
    assert await read_hold_digests(worker, "order", [key]) == {key: after.hold_digest}
    assert await read_hold_digests(worker, "refund", [key]) == {key: after.hold_digest}


@pytest.mark.parametrize("table", ["order", "refund", "approved_quote", "variant"])
async def test_the_scan_and_the_readers_tell_one_digest(owner: Connection, worker: Connection, table: str) -> None:
    variant = await insert_variant(owner)
    for status in ("paid", "refunded"):
        key = await insert_order(owner, order_number=status, payment_status=status)
        for _ in range(3):
            await insert_line(owner, key, variant)
    quote = await insert(owner, "b2b_quotes", status="approved", linked_order_id=key)
    await insert(owner, "b2b_quote_items", quote_id=quote, variant_id=variant, quantity=1)
    scanned = await fetch_all(worker, "select record_id, digest from zohosync.shop_scan(%s)", (table,))  # type: ignore[arg-type]
    keys = [row["record_id"] for row in scanned]
    assert len(keys) == 1
    told = await fetch_all(worker, "select record_id, digest from zohosync.shop_digests(%s, %s)", (table, keys))  # type: ignore[arg-type]
    assert told == scanned


FREE_TEXT = ("order_number", "payment_method", "currency", "razorpay_payment_id", "payment_id", "transaction_id")
OTHER_VALUES = {
    "status": ["shipped", "cancelled", "refunded"],
    "payment_status": ["pending", "refunded"],
    "refund_status": ["processed", "none"],
    "user_id": [None],
    "shipping_address": [{}, {**CHECKOUT, "city": "Mysuru"}, {**CHECKOUT, "city": 'x"}{"y'}],
    "billing_address": [{}, {**CHECKOUT, "state": "Kerala"}],
    "created_at": ["2026-04-01T10:00:00+05:30", "2026-04-01T10:00:00.000001+05:30", None],
    **{name: ["2026-04-01T10:00:00", None] for name in ("paid_at", "shipped_at", "refunded_at")},
    **{name: ["other", "(a,b)", 'quo"te', None] for name in FREE_TEXT},
    **{
        name: [7, "7.01", 0, None]
        for name in ("subtotal", "tax_amount", "shipping_amount", "discount_amount", "total_amount")
    },
    **{name: ["7", "0", None] for name in ("cod_charges", "cod_fee", "refund_amount")},
    "returned": ["true", "no", None],
}
ALIKE = {"notes": "x", "updated_at": "2026-04-01", "zoho_crm_id": "1", "zoho_books_id": "2", "status": "processing"}


async def test_whatever_changes_the_source_of_an_order_changes_its_digest(
    owner: Connection, worker: Connection
) -> None:
    """Two pieces of SQL read the same columns: one for documents, one quick enough for every order of every scan."""
    await owner.execute("alter table orders drop constraint orders_payment_method_check")
    for address in ("shipping_address", "billing_address"):
        await owner.execute(f"alter table orders alter column {address} drop not null".encode())
    for name in OTHER_VALUES:
        await owner.execute(f"alter table orders add column if not exists {name} text".encode())
    key = await insert_order(owner, user_id=await insert_user(owner))
    line = await insert_line(owner, key, await insert_variant(owner))
    first = await read(worker, key)
    changes = [("orders", key, name, value) for name, values in OTHER_VALUES.items() for value in values]
    lines = {"quantity": [3, None], "unit_price": [3, "500.01"], "total_price": [3, None], "variant_id": [None]}
    changes += [("order_items", line, name, value) for name, values in lines.items() for value in values]
    seen = {first.digest: first.source}
    for table, record, name, value in changes:
        async with owner.transaction(force_rollback=True):
            changed, scanned = await alter_and_read(owner, table, record, name, value)
            assert scanned == changed.digest, (name, value)
            assert (changed.source == first.source) == (changed.digest == first.digest), (name, value)
            assert seen.setdefault(changed.digest, changed.source) == changed.source, (name, value)
    assert len(seen) > 60
    for name, value in ALIKE.items():
        async with owner.transaction(force_rollback=True):
            assert (await alter_and_read(owner, "orders", key, name, value))[0].digest == first.digest, name


async def alter_and_read(
    owner: Connection, table: str, record: str, name: str, value: object
) -> tuple[ShopOrder, str | None]:
    """The only order after one column of it changed, and its digest as the scan tells it."""
    row = json.dumps({name: value})
    await owner.execute(
        f"update {table} t set {name} = (jsonb_populate_record(t, %s)).{name} where id = %s::uuid".encode(),
        (row, record),
    )
    await owner.execute(
        """insert into zohosync.document (entity, record_id, module, organisation_id, zoho_id, reference, document_date,
                                          customer_id, shop_total, source, source_digest, lines)
           select 'order', id::text, 'invoices', '1', '1', '1', current_date, '1', 0, '{}', '', '[]' from orders"""
    )
    (order,) = (
        await read_orders(owner, [r["id"] for r in await fetch_all(owner, "select id::text from orders")])
    ).values()
    scanned = await fetch_all(owner, "select digest from zohosync.shop_scan('order')")
    return order, scanned[0]["digest"] if scanned else None


async def test_records_are_found_by_what_people_call_them(owner: Connection, worker: Connection) -> None:
    user = await insert_user(owner)
    variant = await insert_variant(owner)
    mine = await insert_order(owner, user_id=user)
    guests = await insert_order(
        owner, order_number="ORD-2", billing_address={}, shipping_address={"email": "G@example.com"}
    )
    assert await find_records(worker, "order", "ord-1") == [(mine, "ORD-1")]
    assert await find_records(worker, "order", "customer@example.com") == [(mine, "ORD-1")]
    assert await find_records(worker, "refund", "g@example.com") == [(guests, "ORD-2")]
    assert await find_records(worker, "order", guests) == [(guests, "ORD-2")]
    assert await find_records(worker, "variant", "neem-5l") == [(variant, "NEEM-5L")]
    assert await find_records(worker, "buyer", "CUSTOMER@example.com") == [(user, "customer@example.com")]


async def test_ids_of_books_are_written_back_and_to_the_product_of_an_only_variant(
    owner: Connection, worker: Connection
) -> None:
    key = await insert_order(owner)
    variant = await insert_variant(owner)
    assert (await read_variants(worker, [variant]))[variant].only_variant
    for entity, record in (("order", key), ("variant", variant), ("refund", key)):
        assert await set_zoho_ids(worker, entity=entity, system="books", ids={record: "77"}) == set()
    assert (await read(worker, key)).zoho_books_id == "77"
    assert (await read_variants(worker, [variant]))[variant].zoho_books_id == "77"
    assert await fetch_one(owner, "select zoho_books_id as id from products") == {"id": "77"}
    await owner.execute("insert into product_variants (product_id, sku) select id, 'SECOND' from products")
    await set_zoho_ids(worker, entity="variant", system="books", ids={variant: "77"})
    assert await fetch_one(owner, "select zoho_books_id as id from products") == {"id": None}


async def test_a_product_the_shop_holds_locked_is_written_later(
    database: Database, owner: Connection, worker: Connection
) -> None:
    variant = await insert_variant(owner)
    async with await connect(database.owner_url) as shop, shop.transaction():
        await shop.execute("select from products for update")
        assert await set_zoho_ids(worker, entity="variant", system="books", ids={variant: "77"}) == {variant}
    assert await set_zoho_ids(worker, entity="variant", system="books", ids={variant: "77"}) == set()


async def test_a_column_that_is_gone_is_told_and_not_taken_for_empty(owner: Connection, worker: Connection) -> None:
    key = await insert_order(owner)
    await owner.execute("alter table orders rename column discount_amount to reduction")
    with pytest.raises(ShopUnreadable, match="discount_amount"):
        await read(worker, key)
