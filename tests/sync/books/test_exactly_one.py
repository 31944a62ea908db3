"""Exactly one document: whatever goes wrong with any single request, and whoever dies at it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from books.floor import BENGALURU, Floor, Line, address, open_floor
from books.harness import FAULTS, Deadly, Killed
from conftest import Database
from stage import until_idle
from zohosync.db.pool import fetch_all

UNIQUE = "cf_storefront_reference"
MODULES = ("invoices", "estimates", "creditnotes", "customerpayments")
MOST_REQUESTS = 14


@asynccontextmanager
async def sales_floor(database: Database, *, unique: bool, through: Any = None) -> AsyncIterator[Floor]:
    async with open_floor(
        database, through=through, retry_limit=20, sim_minute=0.05, books_daily_calls=100_000
    ) as floor:
        await floor.stage.zoho.post("/_sim/limits", json={"enabled": False})
        if unique:
            await define_unique_fields(floor)
        yield floor


async def define_unique_fields(floor: Floor) -> None:
    for module in MODULES:
        answer = await floor.stage.zoho.post(
            "/_sim/books/customfields",
            json={"module": module, "label": "Storefront Reference", "api_name": UNIQUE, "unique": True},
        )
        assert answer.status_code == 200, answer.text
    await floor.policy(unique_reference_field=UNIQUE)


async def sell(floor: Floor, number: int) -> str:
    """A new customer buys two new things, one of them twice, with shipping; the number of the order."""
    await floor.variant(f"BF-{number}", rate="5")
    await floor.variant(f"AQ-{number}", rate="18", hsn="38249900")
    await floor.leave_goods_to_orders()
    user = await floor.stage.register(email=f"c{number}@example.com", last_name=f"Customer {number}")
    order_number = f"N-{number:05}"
    order = await floor.order(
        [Line(f"BF-{number}", 2, "450.00"), Line(f"AQ-{number}", 1, "1000.00")],
        user=user,
        tax="225.00",
        number=order_number,
        ship_to=address(BENGALURU),
    )
    await floor.pay(order)
    return order_number


async def come_to_rest(floor: Floor) -> None:
    """Until nothing is due, whatever waits or is tried again."""
    for _ in range(12):
        await floor.stage.due_now()
        await until_idle(floor.stage.services)
        open_ = await fetch_all(
            floor.stage.shop,
            "select 1 from zohosync.operation where status in ('pending', 'running', 'retrying', 'waiting')",
        )
        if not open_:
            return
    raise AssertionError(
        await fetch_all(
            floor.stage.shop,
            """select kind, status, error_code, error_message, wait_reason from zohosync.operation
                where status in ('pending', 'running', 'retrying', 'waiting')""",
        )
    )


async def is_right(floor: Floor, order_number: str, number: int) -> None:
    """One customer, one item per SKU, one invoice, one payment, totals right."""
    invoices = [row for row in await floor.books("invoices") if row["reference_number"] == order_number]
    assert [row["total"] for row in invoices] == [2125.0], order_number
    assert invoices[0]["status"] == "paid"
    payments = [row for row in await floor.books("customerpayments") if row["reference_number"] == order_number]
    assert [row["amount"] for row in payments] == [2125.0]
    skus = [row["sku"] for row in await floor.books("items") if row["sku"].endswith(f"-{number}")]
    assert sorted(skus) == [f"AQ-{number}", f"BF-{number}"]
    people = [row for row in await floor.books("contacts") if row["email"] == f"c{number}@example.com"]
    assert len(people) == 1
    (document,) = await fetch_all(
        floor.stage.shop, "select * from zohosync.document where reference = %(number)s", {"number": order_number}
    )
    assert (document["step"], document["variance"], document["igst"], document["books_igst"]) == (
        "settled",
        Decimal(0),
        Decimal("225.00"),
        Decimal("225.00"),
    )


@pytest.mark.parametrize("unique", [False, True], ids=["without the unique field", "with the unique field"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_request_fails_there_is_one_invoice(database: Database, fault: str, unique: bool) -> None:
    async with sales_floor(database, unique=unique) as floor:
        struck = True
        number = 0
        while struck:
            number += 1
            assert number <= MOST_REQUESTS
            await floor.stage.fault(fault, match={"service": "books"}, after=number - 1, count=1)
            order_number = await sell(floor, number)
            await until_idle(floor.stage.services)
            left = (await floor.stage.zoho.get("/_sim/faults")).json()["faults"]
            struck = not any(one["left"] for one in left)
            await floor.stage.no_faults()
            await come_to_rest(floor)
            await is_right(floor, order_number, number)
        assert number > 8, "the flow takes more requests than were reached"


@pytest.mark.parametrize("unique", [False, True], ids=["without the unique field", "with the unique field"])
@pytest.mark.parametrize("after_commit", [False, True], ids=["before it leaves", "when the answer arrives"])
async def test_whoever_dies_at_any_request_there_is_one_invoice(
    database: Database, after_commit: bool, unique: bool
) -> None:
    deadly: list[Deadly] = []

    def through(real: Any) -> Deadly:
        deadly.append(Deadly(real))
        return deadly[0]

    async with sales_floor(database, unique=unique, through=through) as floor:
        died = True
        number = 0
        while died:
            number += 1
            assert number <= MOST_REQUESTS
            order_number = await sell(floor, number)
            deadly[0].die_at(number, after_commit=after_commit)
            died = await work_until_death(floor)
            deadly[0].die_at(0, after_commit=False)
            await floor.stage.shop.execute(
                """select pgmq.set_vt('zohosync_' || lane, message_id, 0) from zohosync.operation
                    where status = 'running'"""
            )
            await come_to_rest(floor)
            await is_right(floor, order_number, number)
        assert number > 8


async def work_until_death(floor: Floor) -> bool:
    """A worker's turns; whether it died."""
    worker, _ = floor.stage.services.worker()
    try:
        while await worker.turn():
            await settled(worker)
        await settled(worker)
    except Killed:
        return True
    return False


async def settled(worker: Any) -> None:
    running = set(worker._running)
    await worker.settle()
    for task in running:
        error = task.exception()
        if isinstance(error, Killed):
            raise error


Play = Callable[[Floor], Awaitable[None]]
