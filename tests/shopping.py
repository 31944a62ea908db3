"""What customers do in the shop: goods, orders and quotes, through the tables the shop itself writes to."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zohosync.db.pool import Connection, fetch_one

HOME = {
    "name": "Demo Customer",
    "email": "customer@example.com",
    "phone": "98765 43210",
    "address_line1": "1 Demo Street",
    "city": "Hyderabad",
    "state": "Telangana",
    "postal_code": "500001",
    "country": "India",
}


@dataclass(frozen=True)
class Goods:
    """A variant of the shop."""

    variant_id: str
    product_id: str
    sku: str
    price: Decimal


@dataclass(frozen=True)
class Placed:
    """An order of the shop."""

    order_id: str
    number: str


async def stock_goods(
    shop: Connection,
    sku: str = "BIO-1",
    *,
    name: str = "Bio Demo",
    price: str = "450.00",
    hsn: str | None = "31051000",
    rate: str | None = "5",
    category: str | None = "taxable",
    stock: int = 100,
    **more: Any,
) -> Goods:
    """A product with one variant, and its tax data."""
    product = await _insert(shop, "products", name=name, slug=f"{name}-{sku}".lower().replace(" ", "-"))
    values = {"sku": sku, "price": Decimal(price), "stock_quantity": stock, "cost_price": Decimal("200.00"), **more}
    tax = {"hsn_code": hsn, "gst_rate": rate and Decimal(rate), "tax_category": category}
    variant = await _insert(shop, "product_variants", product_id=product, **values, **tax)
    return Goods(variant, product, sku, Decimal(price))


async def place_order(
    shop: Connection,
    *goods: Goods,
    number: str = "KN-1001",
    user: str | None = None,
    address: dict[str, Any] | None = None,
    quantity: int = 2,
    tax_rate: str = "0.05",
    paid: bool = True,
    **more: Any,
) -> Placed:
    """An order and its lines, paid unless said otherwise. Prices exclude tax, one rate for all."""
    written = json.dumps(HOME if address is None else address)
    subtotal = sum((one.price * quantity for one in goods), Decimal(0))
    tax = (subtotal * Decimal(tax_rate)).quantize(Decimal("0.01"))
    values = {
        "order_number": number,
        "user_id": user,
        "status": "confirmed",
        "payment_method": "razorpay",
        "subtotal": subtotal,
        "tax_amount": tax,
        "shipping_amount": Decimal(0),
        "discount_amount": Decimal(0),
        "total_amount": subtotal + tax,
        "shipping_address": written,
        "billing_address": written,
        **more,
    }
    order = await _insert(shop, "orders", **values)
    for one in goods:
        await _insert(
            shop,
            "order_items",
            order_id=order,
            variant_id=one.variant_id,
            quantity=quantity,
            unit_price=one.price,
            total_price=one.price * quantity,
        )
    if paid:
        await shop.execute("update orders set payment_status = 'paid' where id = %s", (order,))
    return Placed(order, number)


async def _insert(shop: Connection, table: str, **values: Any) -> str:
    columns, marks = ", ".join(values), ", ".join(f"%({name})s" for name in values)
    row = await fetch_one(shop, f"insert into {table} ({columns}) values ({marks}) returning id::text", values)
    assert row is not None
    return str(row["id"])
