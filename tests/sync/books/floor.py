"""The shop's side of a sale, written as the shop writes it; and Books as a test looks at it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb

from conftest import Database
from stage import Stage, open_stage
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.store.policies import set_policy

CHENNAI = {"city": "Chennai", "state": "Tamil Nadu", "postal_code": "600001"}
BENGALURU = {"city": "Bengaluru", "state": "Karnataka", "postal_code": "560001"}
HYDERABAD = {"city": "Hyderabad", "state": "Telangana", "postal_code": "500001"}
SELLER_STATE = "TS"


@dataclass(frozen=True)
class Line:
    """``price`` is per unit, before tax or with it, as the shop has it."""

    sku: str
    quantity: int = 1
    price: str = "450.00"


def address(place: Mapping[str, str] = HYDERABAD, **more: str) -> dict[str, str]:
    """An address as checkout writes it."""
    return {
        "name": "Demo Customer",
        "email": "customer@example.com",
        "phone": "9876543210",
        "address_line1": "1 Example Road",
        "country": "India",
        **place,
        **more,
    }


@dataclass(repr=False)
class Floor:
    """A shop with goods on the shelf, and its Books."""

    stage: Stage
    numbers: int = 0

    async def variant(
        self,
        sku: str,
        *,
        rate: str | None = "5",
        hsn: str | None = "31059090",
        category: str | None = None,
        price: str = "450.00",
        stock: int = 100,
        name: str | None = None,
    ) -> str:
        """Goods to be sold; the variant's id."""
        product = await fetch_one(
            self.stage.shop,
            "insert into products (name, slug) values (%(name)s, %(slug)s) returning id::text",
            {"name": name or f"Goods {sku}", "slug": sku.lower()},
        )
        assert product
        row = await fetch_one(
            self.stage.shop,
            """insert into product_variants (product_id, sku, price, stock_quantity, hsn_code, gst_rate, tax_category)
               values (%(product)s::uuid, %(sku)s, %(price)s, %(stock)s, %(hsn)s, %(rate)s, %(category)s)
               returning id::text""",
            {
                "product": product["id"],
                "sku": sku,
                "price": Decimal(price),
                "stock": stock,
                "hsn": hsn,
                "rate": None if rate is None else Decimal(rate),
                "category": category,
            },
        )
        assert row
        return str(row["id"])

    async def leave_goods_to_orders(self) -> None:
        """New goods are not pushed by themselves: who makes them is then the order, whatever runs beside it."""
        await self.stage.take_in()
        await self.stage.shop.execute(
            "select zohosync.cancel(operation_id) from zohosync.operation where kind = 'books.item.push'"
        )

    async def order(
        self,
        lines: Sequence[Line],
        *,
        user: str | None = None,
        shipping: str = "0",
        discount: str = "0",
        tax: str | None = None,
        total: str | None = None,
        ship_to: Mapping[str, Any] | None = None,
        bill_to: Mapping[str, Any] | None = None,
        payment_status: str = "pending",
        method: str = "razorpay",
        number: str | None = None,
        basis_inclusive: bool = False,
        **more: Any,
    ) -> str:
        """Checkout: the order first, its lines a moment later, in transactions of their own. The order's id."""
        self.numbers += 1
        subtotal = sum((Decimal(line.price) * line.quantity for line in lines), Decimal(0))
        charged = Decimal(tax) if tax is not None else Decimal(0)
        full = subtotal - Decimal(discount) + charged + Decimal(shipping)
        row = {
            "order_number": number or f"ORD-{self.numbers:05}",
            "user_id": user,
            "status": "pending",
            "payment_status": payment_status,
            "payment_method": method,
            "subtotal": subtotal,
            "tax_amount": charged,
            "shipping_amount": Decimal(shipping),
            "discount_amount": Decimal(discount),
            "total_amount": Decimal(total) if total is not None else full,
            "shipping_address": Jsonb(dict(address() if ship_to is None else ship_to)),
            "billing_address": Jsonb(dict(bill_to or {})),
            **more,
        }
        columns, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        order = await fetch_one(
            self.stage.shop, f"insert into orders ({columns}) values ({marks}) returning id::text", row
        )
        assert order
        await self.lines(order["id"], lines)
        return str(order["id"])

    async def lines(self, order_id: str, lines: Sequence[Line]) -> None:
        for line in lines:
            await self.stage.shop.execute(
                """insert into order_items (order_id, variant_id, quantity, unit_price, total_price)
                   select %(order)s, v.id, %(quantity)s, %(price)s, %(price)s * %(quantity)s
                     from product_variants v where v.sku = %(sku)s""",
                {
                    "order": order_id,
                    "quantity": line.quantity,
                    "price": Decimal(line.price),
                    "sku": line.sku,
                },
            )

    async def pay(self, order_id: str) -> None:
        """The payment webhook."""
        await self.stage.shop.execute(
            "update orders set payment_status = 'paid', status = 'confirmed' where id = %s", (order_id,)
        )

    async def set_order(self, order_id: str, **values: Any) -> None:
        changes = ", ".join(f"{name} = %({name})s" for name in values)
        await self.stage.shop.execute(
            f"update orders set {changes} where id = %(id)s".encode(), {**values, "id": order_id}
        )

    async def policy(self, **values: Any) -> None:
        async with self.stage.services.pool.connection() as connection:
            for name, value in values.items():
                await set_policy(connection, name=name, value=value, by="admin@example.com")

    # --- Books

    async def books(self, table: str) -> list[dict[str, Any]]:
        """All records of one kind, as the simulated Books holds them."""
        dump = (await self.stage.zoho.get("/_sim/dump")).json()["books"]
        (organisation,) = dump["records"].values()
        return list(organisation.get(table, []))

    async def only(self, table: str) -> dict[str, Any]:
        (row,) = await self.books(table)
        return row

    async def books_calls(self) -> list[str]:
        """Method and path of every call to Books so far."""
        return [f"{call['method']} {call['path']}" for call in await self.stage.calls(service="books")]

    async def operation(self, kind: str = "books.invoice.push") -> dict[str, Any]:
        """The newest of a kind."""
        rows = await fetch_all(
            self.stage.shop,
            "select * from zohosync.operation where kind = %(kind)s order by operation_id desc limit 1",
            {"kind": kind},
        )
        return dict(rows[0])

    async def document(self, module: str = "invoices") -> dict[str, Any]:
        (row,) = await fetch_all(
            self.stage.shop, "select * from zohosync.document where module = %(module)s", {"module": module}
        )
        return dict(row)


@asynccontextmanager
async def open_floor(database: Database, **settings: Any) -> AsyncIterator[Floor]:
    """A shop that is live, whose prices are before tax."""
    async with open_stage(database, **settings) as stage:
        floor = Floor(stage)
        await floor.policy(price_basis="exclusive")
        yield floor
