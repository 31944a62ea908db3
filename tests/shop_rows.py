"""Rows of a shop for tests: users, goods, orders and their lines."""

import json
from typing import Any

from zohosync.db.pool import Connection, fetch_one

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
