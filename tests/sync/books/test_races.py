"""Several workers, a clock that runs, and people who correct things meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from books.floor import Floor, Line, open_floor
from conftest import Database
from stage import SCALED, eventually, until_idle
from zohosim.app import create_app
from zohosync.clock import SystemClock
from zohosync.config import load_settings
from zohosync.db.pool import fetch_all
from zohosync.running import work
from zohosync.wiring import Services, open_services


class HastyClock(SystemClock):
    """Waits a fiftieth as long: what is looked at every ten seconds is looked at five times a second."""

    async def sleep(self, duration: timedelta) -> None:
        await super().sleep(duration / 50)


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database, sim_minute=0.05, clock=HastyClock()) as opened:
        await opened.stage.zoho.post("/_sim/limits", json={"enabled": False})
        await opened.variant("BF-1")
        await opened.variant("BF-2")
        yield opened


async def test_two_workers_make_one_invoice_of_each_order_and_one_of_everything_it_needs(floor: Floor) -> None:
    """The goods and the customer are new to both, and the payment webhook comes twice."""
    settings = load_settings(None, database_url=floor.stage.database.worker_url, **SCALED, sim_minute=0.05)
    transport = httpx.ASGITransport(app=create_app(floor.stage.sim))
    async with open_services(settings, transport=transport, name="the other") as other:
        for number in range(12):
            order = await floor.order([Line("BF-1"), Line("BF-2")], tax="45.00", number=f"R-{number}")
            await floor.pay(order)
            await floor.pay(order)
        await asyncio.gather(until_rest(floor, floor.stage.services), until_rest(floor, other))
    assert sorted(row["reference_number"] for row in await floor.books("invoices")) == sorted(
        f"R-{number}" for number in range(12)
    )
    assert {row["total"] for row in await floor.books("invoices")} == {945.0}
    assert len(await floor.books("customerpayments")) == 12
    assert sorted(row["sku"] for row in await floor.books("items")) == ["BF-1", "BF-2"]
    assert len(await floor.books("contacts")) == 1


async def until_rest(floor: Floor, services: Services) -> None:
    """Turns of one worker until no invoice is open, whoever makes it."""
    for _ in range(200):
        await until_idle(services)
        await floor.stage.shop.execute("select zohosync.resend_due()")
        left = await fetch_all(
            floor.stage.shop,
            """select 1 from zohosync.operation where status in ('pending', 'running', 'retrying', 'waiting')
                  and kind = 'books.invoice.push'""",
        )
        if not left:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("orders are still open")


@pytest.mark.parametrize("way", ["shop", "override", "policy"])
async def test_a_held_order_goes_through_by_itself_once_it_is_corrected(floor: Floor, way: str) -> None:
    await floor.variant("NEW-1", rate=None if way != "override" else "5")
    place = {"city": "Noida", "state": "Delhi NCR", "postal_code": "", "country": "India", "name": "Demo Customer"}
    order = await floor.order([Line("NEW-1")], tax="22.50", ship_to=place if way == "override" else None)
    stop = asyncio.Event()
    working = asyncio.create_task(work(floor.stage.services, stop))
    try:
        await floor.pay(order)
        await eventually(lambda: has(floor, "select 1 from zohosync.hold where entity = 'order'"))
        if way == "shop":
            await floor.stage.shop.execute("update product_variants set gst_rate = 5 where sku = 'NEW-1'")
        elif way == "policy":
            await floor.policy(default_gst_rate="5")
        else:
            await floor.stage.shop.execute(
                """insert into zohosync.override (entity, record_id, field, value, reason, set_by)
                   values ('order', %s, 'state', 'Uttar Pradesh', 'Asked.', 'admin@example.com')""",
                (order,),
            )
        await eventually(lambda: has(floor, "select 1 from zohosync.document where step = 'settled'"))
    finally:
        stop.set()
        await working
    assert not await has(floor, "select 1 from zohosync.hold where entity = 'order'")


async def has(floor: Floor, query: str) -> bool:
    return bool(await fetch_all(floor.stage.shop, query))
