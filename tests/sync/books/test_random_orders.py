"""A thousand orders as nobody thought them up: an invoice of exactly what was charged, or a reason for none."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from books.floor import BENGALURU, CHENNAI, HYDERABAD, Floor, Line, address, open_floor
from conftest import Database
from stage import until_idle
from zohosync.db.pool import fetch_all

PAISA = Decimal("0.01")
EXAMPLES, ORDERS = 50, 20
GOODS: dict[str, tuple[str, str | None, str]] = {
    "R-5A": ("5", None, "31059090"),
    "R-5B": ("5", "taxable", "3101"),
    "R-18A": ("18", None, "380893"),
    "R-18B": ("18", "taxable", "38249900"),
    "EX-1": ("0", "exempt", "120991"),
    "EX-2": ("0", "exempt", "23099090"),
    "NIL-1": ("0", "nil", "3101"),
    "BAD-12": ("12", "taxable", "84248200"),
    "BAD-NONE": ("0", None, "31059090"),
}
SWITCHES = {
    "books_tax_rounding": ("item_level", "entity_level"),
    "books_group_rounding": ("component", "group"),
    "books_inclusive_extraction": ("tax_first", "net_first"),
}


@dataclass(frozen=True)
class Spec:
    """One order. ``wrong`` is added to what the shop should have charged."""

    lines: tuple[Line, ...]
    place: int
    shipping: Decimal
    discount: Decimal
    wrong: Decimal


def rupees(least: int, most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(least, most).map(lambda paise: Decimal(paise) / 100)


sound = st.sampled_from([sku for sku in GOODS if not sku.startswith("BAD")])
rare = st.integers(0, 29).flatmap(lambda n: st.sampled_from(sorted(GOODS)) if n == 0 else sound)
line = st.builds(
    lambda sku, quantity, price: Line(sku, quantity, str(price)), rare, st.integers(1, 40), rupees(0, 250_000)
)
spec = st.builds(
    Spec,
    lines=st.lists(line, min_size=1, max_size=6).map(tuple),
    place=st.integers(0, 2),
    shipping=st.one_of(st.just(Decimal(0)), rupees(1, 30_000)),
    discount=st.one_of(st.just(Decimal(0)), rupees(1, 20_000)),
    wrong=st.integers(0, 19).flatmap(lambda n: rupees(-500, 500) if n == 0 else st.just(Decimal(0))),
)


def charged(order: Spec, basis: str) -> tuple[Decimal, Decimal]:
    """Tax and total as a shop computes them that knows the rates: per line, with the whole rate. An independent, rough
    reckoning: paise may differ from what the law's rounding gives."""
    subtotal = sum((Decimal(item.price) * item.quantity for item in order.lines), Decimal(0))
    discount = min(order.discount, subtotal)
    if basis != "exclusive":
        return Decimal(0), subtotal - discount + order.shipping + order.wrong
    tax = Decimal(0)
    charge_base = subtotal - discount
    for item in order.lines:
        gross = Decimal(item.price) * item.quantity
        share = discount * gross / subtotal if subtotal else Decimal(0)
        carried = order.shipping * (gross - share) / charge_base if charge_base else Decimal(0)
        rate = Decimal(GOODS[item.sku][0])
        tax += ((gross - share + carried) * rate / 100).quantize(PAISA, ROUND_HALF_UP)
    return tax, subtotal - discount + tax + order.shipping + order.wrong


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database, sim_minute=0.05, books_daily_calls=100_000) as opened:
        await opened.stage.zoho.post("/_sim/limits", json={"enabled": False})
        office = await opened.stage.services.books_desk.office()
        exemption = next(one for one in office.exemptions if one.type == "item")
        await opened.policy(exemption_id=exemption.id)
        for sku, (rate, category, hsn) in GOODS.items():
            await opened.variant(sku, rate=rate, category=category, hsn=hsn)
        await until_idle(opened.stage.services)
        yield opened
        rows = await fetch_all(
            opened.stage.shop,
            """select count(*) filter (where status = 'succeeded') as made, count(*) as orders from zohosync.operation
                where kind = 'books.invoice.push'""",
        )
        made, orders = rows[0]["made"], rows[0]["orders"]
        assert orders >= EXAMPLES * ORDERS
        assert made > orders / 2, "most of the orders were held: nothing was proved"


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # an example is a day of a shop: shrinking one takes hours
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    orders=st.lists(spec, min_size=ORDERS, max_size=ORDERS),
    basis=st.sampled_from(["exclusive", "inclusive", "as_charged"]),
    shipping_tax=st.sampled_from(["apportion", "highest"]),
    positions=st.fixed_dictionaries({name: st.sampled_from(values) for name, values in SWITCHES.items()}),
)
async def test_every_invoice_is_exactly_what_was_charged_or_the_order_says_why_not(
    floor: Floor, orders: list[Spec], basis: str, shipping_tax: str, positions: dict[str, Any]
) -> None:
    await floor.stage.zoho.post("/_sim/switches", json=positions)
    await floor.policy(price_basis=basis, shipping_tax=shipping_tax)
    first = floor.numbers + 1
    for order in orders:
        tax, total = charged(order, basis)
        subtotal = sum((Decimal(item.price) * item.quantity for item in order.lines), Decimal(0))
        order_id = await floor.order(
            order.lines,
            tax=str(tax),
            shipping=str(order.shipping),
            discount=str(min(order.discount, subtotal)),
            total=str(max(total, Decimal(0))),
            ship_to=address((HYDERABAD, BENGALURU, CHENNAI)[order.place]),
        )
        await floor.pay(order_id)
    await until_idle(floor.stage.services)
    await judge(floor, first, orders)


async def judge(floor: Floor, first: int, orders: list[Spec]) -> None:
    numbers = [f"ORD-{number:05}" for number in range(first, first + len(orders))]
    told = await fetch_all(
        floor.stage.shop,
        """select p.order_number, p.total_amount, o.status::text as ended, o.error_code, o.error_hint, d.*
             from orders p
             join zohosync.operation o on o.record_id = p.id::text and o.kind = 'books.invoice.push'
             left join zohosync.document d on d.record_id = p.id::text and d.module = 'invoices'
            where p.order_number = any (%(numbers)s)""",
        {"numbers": numbers},
    )
    invoices: dict[str, list[dict[str, Any]]] = {}
    for row in await floor.books("invoices"):
        invoices.setdefault(row["reference_number"], []).append(row)
    assert len(told) == len(orders)
    for row in told:
        made = invoices.get(row["order_number"], [])
        if row["ended"] == "succeeded":
            (invoice,) = made
            assert Decimal(str(invoice["total"])) == row["total_amount"] == row["books_total"]
            assert row["variance"] == 0
            assert abs(row["round_off"]) <= 1
            assert row["books_cgst"] == row["books_sgst"]
            assert not (row["books_igst"] and row["books_cgst"])
            legs = row["books_cgst"] + row["books_sgst"] + row["books_igst"]
            values = row["taxable_value"] + row["exempt_value"]
            lines = len(invoice["line_items"])
            assert abs(values + legs + row["round_off"] - row["total_amount"]) <= PAISA * 2 * lines
        else:
            assert (row["ended"], bool(row["error_code"]), bool(row["error_hint"])) == ("failed", True, True), row
            assert [one["status"] for one in made] in ([], ["draft"]), row
