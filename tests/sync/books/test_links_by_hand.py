"""Links a person makes and undoes, against a Zoho that has the invoice."""

from collections.abc import AsyncIterator

import pytest

from books.floor import Floor, Line, open_floor
from books.test_watch import in_books
from conftest import Database
from zohosync.db.pool import fetch_all
from zohosync.errors import SettingsRefused
from zohosync.sync.books.links_by_hand import Proposal, make_link, propose, undo_link


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database) as opened:
        yield opened


async def look(floor: Floor, order: str, term: str) -> Proposal:
    desk = floor.stage.services.books_desk
    async with floor.stage.services.pool.connection() as connection:
        return await propose(
            connection,
            desk.books_to_look(),
            await desk.office(),
            await desk.organisation_id(),
            entity="order",
            record_id=order,
            module="invoices",
            term=term,
        )


async def part(floor: Floor, order: str) -> None:
    async with floor.stage.services.pool.connection() as connection:
        await undo_link(
            connection, entity="order", record_id=order, module="invoices", reason="by mistake", by="admin@example.com"
        )


async def test_a_parted_invoice_is_linked_again_and_nothing_is_sent(floor: Floor) -> None:
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1", 2)], tax="45.00")
    await floor.pay(order)
    await floor.stage.run()
    made = await floor.only("invoices")
    with pytest.raises(SettingsRefused, match="linked to the invoice"):
        await look(floor, order, made["invoice_number"])
    await part(floor, order)
    assert await fetch_all(floor.stage.shop, "select 1 from zohosync.document") == []
    found = await look(floor, order, made["invoice_number"])
    assert (found.zoho_id, found.status) == (made["invoice_id"], "paid")
    assert [one.name for one in found.differences] == []
    before = await floor.books_calls()
    async with floor.stage.services.pool.connection() as connection:
        organisation = await floor.stage.services.books_desk.organisation_id()
        await make_link(connection, found, organisation_id=organisation, reason="it is", by="admin@example.com")
    assert await floor.books_calls() == before
    document = await floor.document()
    assert (document["step"], document["zoho_id"], str(document["books_total"])) == (
        "settled",
        made["invoice_id"],
        "945.00",
    )
    assert len(document["lines"]) == 1
    assert await fetch_all(floor.stage.shop, "select 1 from zohosync.estrangement") == []


async def test_after_parting_a_new_invoice_has_the_next_reference(floor: Floor) -> None:
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1", 2)], tax="45.00")
    await floor.pay(order)
    await floor.stage.run()
    await part(floor, order)
    await floor.stage.shop.execute(
        "select zohosync.enqueue(array['books.invoice.push'], array['sales'::zohosync.lane], array['order'],"
        " array[%s], 'manual')",
        (order,),
    )
    await floor.stage.run()
    references = sorted(row["reference_number"] for row in await floor.books("invoices"))
    assert references == ["ORD-00001", "ORD-00001/2"]


async def test_another_orders_invoice_is_refused_and_one_that_is_none_too(floor: Floor) -> None:
    await floor.variant("BF-1")
    first = await floor.order([Line("BF-1", 2)], tax="45.00")
    await floor.pay(first)
    await floor.stage.run()
    made = await floor.only("invoices")
    other = await floor.order([Line("BF-1", 1)], tax="22.50")
    with pytest.raises(SettingsRefused, match="already belongs to the record"):
        await look(floor, other, made["invoice_id"])
    with pytest.raises(SettingsRefused, match="Books has no invoice"):
        await look(floor, other, "INV-999999")
    await part(floor, first)
    found = await look(floor, other, made["invoice_number"])
    assert {"Total", "Reference"} <= {one.name for one in found.differences}


async def test_what_books_refused_and_somebody_made_by_hand_is_linked(floor: Floor) -> None:
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1", 2)], tax="45.00")
    await floor.pay(order)
    path = {"method": "POST", "path": "/books/v3/invoices"}
    await floor.stage.fault("hindered", reason="locked_period", match=path, count=1)
    await floor.stage.run()
    assert (await floor.operation())["status"] == "failed"
    customer, item = await floor.only("contacts"), await floor.only("items")
    line = {"item_id": item["item_id"], "quantity": 2, "rate": 450}
    body = {"customer_id": customer["contact_id"], "reference_number": "BY HAND", "line_items": [line]}
    await in_books(floor, "POST", "/invoices", body)
    made = await floor.only("invoices")
    assert (await look(floor, order, made["invoice_number"])).zoho_id == made["invoice_id"]


async def test_what_is_just_being_made_is_not_linked(floor: Floor) -> None:
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1", 2)], tax="45.00")
    await floor.pay(order)
    path = {"method": "POST", "path": "/books/v3/invoices"}
    await floor.stage.fault("http_500_after_commit", match=path, count=1)
    await floor.stage.run_once()
    made = await floor.only("invoices")
    with pytest.raises(SettingsRefused, match="may just be made"):
        await look(floor, order, made["invoice_id"])
    await floor.stage.shop.execute("update zohosync.link set claimed_until = now()")
    assert (await look(floor, order, made["invoice_id"])).zoho_id == made["invoice_id"]
