"""Orders of the demo storefront: placed, paid, shipped, refunded, born from quotes; written as the platform does."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from zohosync.db.pool import fetch_all, fetch_one
from zohosync.demo.prices import charge
from zohosync.demo.shop import ApiRole, Line, Row, Shop, ShopRefused, find_address, insert, price


@dataclass(frozen=True)
class Address:
    """As checkout writes it into an order."""

    name: str
    email: str
    phone: str
    address_line1: str
    city: str
    state: str
    postal_code: str
    address_line2: str = ""
    country: str = "India"


@dataclass(frozen=True)
class Checkout:
    """A cart on its way to payment. Without a ``user_id`` it is a guest's."""

    lines: Sequence[Line]
    address: Address
    user_id: str = ""
    payment_method: str = "razorpay"

    @property
    def role(self) -> ApiRole:
        """A guest's order is written by the shop's server: row level security shows orders to their owners alone."""
        return "authenticated" if self.user_id else "service_role"


class Orders:
    """What checkout and the shop's administration do with its database."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def place(self, checkout: Checkout) -> str:
        """The order's id. The order first and its lines a moment later: PostgREST has no transaction for both."""
        if not (checkout.address.name and checkout.address.email):
            raise ShopRefused("Tell a name and an e-mail address.")
        order_id = await self._open(checkout)
        async with self._shop.acting(checkout.role, checkout.user_id) as connection:
            for line in await price(connection, checkout.lines):
                await connection.execute(ADD_LINE, {**line.as_row(), "order": order_id})
        return order_id

    async def _open(self, checkout: Checkout) -> str:
        written = json.dumps(asdict(checkout.address))
        async with self._shop.acting(checkout.role, checkout.user_id) as connection:
            if checkout.user_id and await find_address(connection, checkout.user_id) is None:
                await connection.execute(KEEP_ADDRESS, {**asdict(checkout.address), "user": checkout.user_id})
            amounts = charge(await price(connection, checkout.lines), checkout.address.state, shipped=True)
            row = {
                "user": checkout.user_id or None,
                "status": "confirmed" if checkout.payment_method == "cod" else "pending",
                "method": checkout.payment_method,
                **asdict(amounts),
                "total_amount": amounts.total_amount,
                "shipping_address": written,
                "billing_address": written,
            }
            return await insert(connection, PLACE, row)

    async def keep_address(self, user_id: str, address: Address) -> None:
        """A customer's address, for orders to come."""
        async with self._shop.acting("authenticated", user_id) as connection:
            await connection.execute(KEEP_ADDRESS, {**asdict(address), "user": user_id})

    async def confirm_payment(self, order_id: str) -> None:
        """The payment gateway's webhook. Gateways call it again when they are not sure that it arrived."""
        await self._set(order_id, PAID)

    async def ship(self, order_id: str) -> None:
        await self._set(order_id, SHIPPED)

    async def refund(self, order_id: str) -> None:
        """All of the money goes back, and the goods come back."""
        await self._set(order_id, REFUNDED)

    async def approve_quote(self, quote_id: str) -> str:
        """The id of the order it becomes: the order, its lines, and only then the quote that names it. The delivery
        address is a copy of the customer's own, or empty."""
        async with self._shop.acting("service_role") as connection:
            quote = await fetch_one(connection, SUBMITTED, {"id": _uuid(quote_id)})
            if quote is None:
                raise ShopRefused("There is no such quote to approve.")
            address = await find_address(connection, quote["user_id"])
            written = json.dumps(address or {}, default=str)
            order_id = await insert(connection, ORDER_QUOTE, {"quote": quote["id"], "address": written})
        async with self._shop.acting("service_role") as connection:
            await connection.execute(COPY_LINES, {"order": order_id, "quote": quote["id"]})
        async with self._shop.acting("service_role") as connection:
            await connection.execute(APPROVE, {"order": order_id, "quote": quote["id"]})
        return order_id

    async def classify(self, sku: str, *, hsn_code: str, gst_rate: str, tax_category: str) -> None:
        """What GST needs to know of a product; what is left empty is not known."""
        async with self._shop.acting("service_role") as connection:
            row = {"sku": sku, "hsn": hsn_code, "rate": gst_rate.rstrip("% "), "category": tax_category}
            cursor = await connection.execute(CLASSIFY, row)
        if cursor.rowcount != 1:
            raise ShopRefused(f"The shop does not sell {sku}.")

    async def list_orders(self) -> list[Row]:
        async with self._shop.acting("service_role") as connection:
            return await fetch_all(connection, LIST_ORDERS)

    async def list_goods(self) -> list[Row]:
        """Every variant with its HSN code, rate and tax category."""
        async with self._shop.acting("service_role") as connection:
            return await fetch_all(connection, LIST_GOODS)

    async def find_order(self, order_id: str) -> Row | None:
        """An order with its lines; None for what is no id, too."""
        try:
            wanted = UUID(order_id)
        except ValueError:
            return None
        async with self._shop.acting("service_role") as connection:
            order = await fetch_one(connection, FIND_ORDER, {"id": wanted})
            return order and {**order, "lines": await fetch_all(connection, LINES, {"id": wanted})}

    async def _set(self, order_id: str, statement: str) -> None:
        async with self._shop.acting("service_role") as connection:
            cursor = await connection.execute(statement.encode(), {"id": _uuid(order_id)})
        if cursor.rowcount != 1:
            raise ShopRefused("The order is not there, or not as far.")


def _uuid(text: str) -> Any:
    try:
        return UUID(text)
    except ValueError:
        raise ShopRefused("There is no such record.") from None


PLACE = """
insert into orders (order_number, user_id, status, payment_status, payment_method, subtotal, tax_amount,
                    shipping_amount, discount_amount, total_amount, shipping_address, billing_address)
values ('FP-' || lpad(nextval('order_numbers')::text, 5, '0'), %(user)s, %(status)s, 'pending', %(method)s,
        %(subtotal)s, %(tax_amount)s, %(shipping_amount)s, 0, %(total_amount)s, %(shipping_address)s,
        %(billing_address)s)
returning id
"""
ADD_LINE = """
insert into order_items (order_id, variant_id, quantity, unit_price, total_price)
values (%(order)s, %(variant)s, %(quantity)s, %(unit_price)s, %(total_price)s)
"""
KEEP_ADDRESS = """
insert into addresses (user_id, type, address_line1, address_line2, city, state, postal_code, country, is_default)
values (%(user)s, 'shipping', %(address_line1)s, %(address_line2)s, %(city)s, %(state)s, %(postal_code)s, %(country)s,
        true)
"""
PAID = """
update orders set payment_status = 'paid', status = case when status = 'pending' then 'confirmed' else status end
 where id = %(id)s and payment_status in ('pending', 'paid')
"""
SHIPPED = "update orders set status = 'shipped' where id = %(id)s and status in ('confirmed', 'processing')"
REFUNDED = """
update orders set payment_status = 'refunded', status = 'refunded' where id = %(id)s and payment_status = 'paid'
"""
SUBMITTED = """
select q.id, q.user_id from b2b_quotes q where q.id = %(id)s and q.status in ('submitted', 'under_review') for update
"""
ORDER_QUOTE = """
insert into orders (order_number, user_id, status, payment_status, payment_method, subtotal, tax_amount,
                    shipping_amount, discount_amount, total_amount, shipping_address, billing_address, notes)
select 'FP-' || lpad(nextval('order_numbers')::text, 5, '0'), q.user_id, 'pending', 'pending', 'bank_transfer',
       q.subtotal, q.tax_amount, 0, 0, q.total_amount, %(address)s::jsonb, %(address)s::jsonb, q.notes
  from b2b_quotes q where q.id = %(quote)s
returning id
"""
COPY_LINES = """
insert into order_items (order_id, variant_id, quantity, unit_price, total_price)
select %(order)s, i.variant_id, i.quantity, i.unit_price, i.total_price from b2b_quote_items i
 where i.quote_id = %(quote)s
"""
APPROVE = "update b2b_quotes set status = 'approved', linked_order_id = %(order)s where id = %(quote)s"
CLASSIFY = """
update product_variants
   set hsn_code = nullif(%(hsn)s, ''), gst_rate = nullif(%(rate)s, '')::numeric, tax_category = nullif(%(category)s, '')
 where sku = %(sku)s
"""
LIST_ORDERS = """
select o.id::text, o.order_number, o.status, o.payment_status, o.payment_method, o.total_amount,
       coalesce(u.company_name, u.first_name || ' ' || u.last_name, o.shipping_address ->> 'name') as buyer,
       o.user_id is null as guest, coalesce(nullif(o.shipping_address ->> 'state', ''), 'no address') as state,
       to_jsonb(o) ->> 'zoho_books_id' as zoho_books_id
  from orders o left join users u on u.id = o.user_id order by o.created_at desc, o.id limit 50
"""
FIND_ORDER = """
select o.*, o.id::text as order_id, to_jsonb(o) ->> 'zoho_books_id' as zoho_books_id, q.id::text as quote_id
  from orders o left join b2b_quotes q on q.linked_order_id = o.id where o.id = %(id)s
"""
LINES = """
select p.name, trim_scale(v.weight) || ' ' || v.weight_unit as size, v.sku, i.quantity, i.unit_price, i.total_price
  from order_items i join product_variants v on v.id = i.variant_id join products p on p.id = v.product_id
 where i.order_id = %(id)s order by v.sku
"""
LIST_GOODS = """
select p.name, v.sku, trim_scale(v.weight) || ' ' || v.weight_unit as size, to_jsonb(v) ->> 'hsn_code' as hsn_code,
       trim_scale((to_jsonb(v) ->> 'gst_rate')::numeric) as gst_rate, to_jsonb(v) ->> 'tax_category' as tax_category
  from product_variants v join products p on p.id = v.product_id order by p.segment, p.name, v.price
"""
