"""Orders, approved quotes and variants, as the adapter reads them."""

from decimal import Decimal

from shop_rows import insert, insert_line, insert_order, insert_user, insert_variant
from zohosync.db.pool import Connection
from zohosync.store.orders import (
    ShopAddress,
    ShopOrder,
    read_approvals,
    read_orders,
    read_variants,
)

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
