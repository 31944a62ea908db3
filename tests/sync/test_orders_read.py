"""Orders, approved quotes and variants, as the adapter reads them."""

import json
from decimal import Decimal
from typing import Any

from zohosync.db.pool import Connection, fetch_one
from zohosync.store.orders import (
    ShopAddress,
    ShopOrder,
    read_approvals,
    read_orders,
    read_variants,
)

CHECKOUT = {
    "name": "Demo Customer",
    "email": "customer@example.com",
    "phone": "9876543210",
    "address_line1": "12 Market Road",
    "address_line2": "",
    "city": "Hubballi",
    "state": "Karnataka",
    "postal_code": "580020",
    "country": "India",
}
NOWHERE = ShopAddress(None, None, None, None, None, None, None, None, None, "none")


async def insert(owner: Connection, table: str, **values: Any) -> str:
    """One row from JSON, so that every column may be given; its id."""
    row = await fetch_one(
        owner,
        f"insert into public.{table} select (jsonb_populate_record(null::public.{table},"
        f" jsonb_build_object('id', gen_random_uuid(), 'created_at', now()) || %(values)s)).* returning id::text",
        {"values": json.dumps(values)},
    )
    assert row is not None
    return str(row["id"])


async def insert_user(owner: Connection, **values: Any) -> str:
    person = {"email": "customer@example.com", "first_name": "Demo", "last_name": "Customer", "role": "customer"}
    return await insert(owner, "users", **{**person, **values})


async def insert_variant(owner: Connection, **values: Any) -> str:
    product = await insert(owner, "products", name="Neem oil", status="active")
    goods = {"sku": "NEEM-5L", "weight": 5, "weight_unit": "l", "price": 500, "stock_quantity": 7}
    return await insert(owner, "product_variants", product_id=product, **{**goods, **values})


async def insert_order(owner: Connection, **values: Any) -> str:
    order = {
        "order_number": "ORD-1",
        "status": "confirmed",
        "payment_status": "paid",
        "payment_method": "razorpay",
        "currency": "INR",
        "subtotal": 1000,
        "tax_amount": 180,
        "shipping_amount": 0,
        "discount_amount": 0,
        "total_amount": 1180,
        "shipping_address": CHECKOUT,
        "billing_address": CHECKOUT,
    }
    return await insert(owner, "orders", **{**order, **values})


async def insert_line(owner: Connection, order: str, variant: str | None) -> str:
    line = {"quantity": 2, "unit_price": 500, "total_price": 1000}
    return await insert(owner, "order_items", order_id=order, variant_id=variant, **line)


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
