"""Exactly one estimate and one credit note: whatever goes wrong with any single request, and whoever dies at it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from books.floor import Floor, Line
from books.harness import FAULTS, Deadly
from books.test_credit_notes import bank, refund
from books.test_estimates import ask_for_quote
from books.test_exactly_one import come_to_rest, sales_floor, sell, work_until_death
from conftest import Database
from stage import until_idle
from zohosync.db.pool import fetch_all, fetch_one

MOST_REQUESTS = 14


@dataclass(frozen=True)
class Flow:
    """What becomes due in the shop, told by a number, and what is right in the end. ``prepare`` comes before anything
    goes wrong."""

    prepare: Callable[[Floor, int], Awaitable[str]]
    begin: Callable[[Floor, int, str], Awaitable[None]]
    is_right: Callable[[Floor, int, str], Awaitable[None]]


async def no_preparation(_floor: Floor, _number: int) -> str:
    return ""


async def approve(floor: Floor, number: int, _prepared: str) -> None:
    """A new client's quote of a new thing is approved."""
    await floor.variant(f"Q-{number}")
    await floor.leave_goods_to_orders()
    await ask_for_quote(floor, Line(f"Q-{number}", 10), email=f"q{number}@example.com", company=f"Farm {number}")


async def one_estimate(floor: Floor, number: int, _prepared: str) -> None:
    quote = await fetch_one(
        floor.stage.shop,
        """select q.id::text, q.zoho_books_id from b2b_quotes q join users u on u.id = q.user_id
            where u.email = %(email)s""",
        {"email": f"q{number}@example.com"},
    )
    assert quote
    (estimate,) = [row for row in await floor.books("estimates") if row["reference_number"] == quote["id"]]
    assert (estimate["status"], estimate["total"], estimate["estimate_id"]) == ("sent", 4725.0, quote["zoho_books_id"])
    assert len([row for row in await floor.books("contacts") if row["contact_name"] == f"Farm {number}"]) == 1
    assert len([row for row in await floor.books("items") if row["sku"] == f"Q-{number}"]) == 1


async def invoiced(floor: Floor, number: int) -> str:
    """An order that is invoiced and paid; its number."""
    if number == 1:
        await bank(floor)
        await floor.policy(goods_returned="yes")
    order_number = await sell(floor, number)
    await come_to_rest(floor)
    return order_number


async def give_back(floor: Floor, _number: int, order_number: str) -> None:
    row = await fetch_one(
        floor.stage.shop, "select id::text from orders where order_number = %(number)s", {"number": order_number}
    )
    assert row
    await refund(floor, row["id"])


async def one_credit_note(floor: Floor, number: int, order_number: str) -> None:
    (note,) = [row for row in await floor.books("creditnotes") if row["reference_number"] == order_number]
    assert (note["total"], note["balance"]) == (2125.0, 0.0)
    (paid,) = await floor.stage.services.books.credit_note_refunds(note["creditnote_id"])
    assert paid.amount == Decimal("2125.00")
    for sku in (f"BF-{number}", f"AQ-{number}"):
        (item,) = await floor.stage.services.books.find_items_by_sku(sku)
        read = await floor.stage.services.books.item(item.id)
        assert read is not None
        assert read.stock == 100
    (document,) = await fetch_all(
        floor.stage.shop,
        "select step from zohosync.document where reference = %(number)s and module = 'creditnotes'",
        {"number": order_number},
    )
    assert document["step"] == "settled"


FLOWS = {
    "estimate": Flow(no_preparation, approve, one_estimate),
    "credit note": Flow(invoiced, give_back, one_credit_note),
}
flows = pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
fields = pytest.mark.parametrize("unique", [False, True], ids=["without the unique field", "with the unique field"])


@flows
@fields
@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_request_fails_there_is_one(database: Database, fault: str, unique: bool, flow: Flow) -> None:
    async with sales_floor(database, unique=unique) as floor:
        await floor.policy(b2b_without_gstin="unregistered")
        struck, number = True, 0
        while struck:
            number += 1
            assert number <= MOST_REQUESTS
            prepared = await flow.prepare(floor, number)
            await floor.stage.fault(fault, match={"service": "books"}, after=number - 1, count=1)
            await flow.begin(floor, number, prepared)
            await until_idle(floor.stage.services)
            left = (await floor.stage.zoho.get("/_sim/faults")).json()["faults"]
            struck = not any(one["left"] for one in left)
            await floor.stage.no_faults()
            await come_to_rest(floor)
            await flow.is_right(floor, number, prepared)
        assert number > 5, "the flow takes more requests than were reached"


@flows
@fields
@pytest.mark.parametrize("after_commit", [False, True], ids=["before it leaves", "when the answer arrives"])
async def test_whoever_dies_at_any_request_there_is_one(
    database: Database, after_commit: bool, unique: bool, flow: Flow
) -> None:
    deadly: list[Deadly] = []

    def through(real: Any) -> Deadly:
        deadly.append(Deadly(real))
        return deadly[0]

    async with sales_floor(database, unique=unique, through=through) as floor:
        await floor.policy(b2b_without_gstin="unregistered")
        died, number = True, 0
        while died:
            number += 1
            assert number <= MOST_REQUESTS
            prepared = await flow.prepare(floor, number)
            await flow.begin(floor, number, prepared)
            deadly[0].die_at(number, after_commit=after_commit)
            died = await work_until_death(floor)
            deadly[0].die_at(0, after_commit=False)
            await floor.stage.shop.execute(
                """select pgmq.set_vt('zohosync_' || lane, message_id, 0) from zohosync.operation
                    where status = 'running'"""
            )
            await come_to_rest(floor)
            await flow.is_right(floor, number, prepared)
        assert number > 5
