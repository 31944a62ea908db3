"""What people do to documents in Books is noticed, told once, and never undone by us."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from books.floor import Floor, Line, open_floor
from books.test_exactly_one import come_to_rest
from conftest import Database
from zohosync.db.pool import fetch_all
from zohosync.store.operations import enqueue
from zohosync.sync.books.watch import watch_documents


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database) as opened:
        await opened.variant("BF-1")
        await opened.stage.run()
        await opened.pay(await opened.order([Line("BF-1", 2)], tax="45.00"))
        await opened.stage.run()
        yield opened


async def in_books(floor: Floor, method: str, path: str, body: Any = None) -> None:
    """The accountant does something in Books."""
    answer = await floor.stage.zoho.request(
        method,
        f"/books/v3{path}",
        params={"organization_id": "60031234567"},
        json=body,
        headers=await floor.stage.staff_login(),
    )
    assert answer.status_code < 300, answer.text


async def look(floor: Floor) -> int:
    desk = floor.stage.services.books_desk
    async with floor.stage.services.pool.connection() as connection:
        return await watch_documents(desk, connection)


async def findings(floor: Floor) -> list[dict[str, Any]]:
    return await fetch_all(floor.stage.shop, "select * from zohosync.finding order by finding_id")


async def test_nothing_is_asked_while_there_are_no_documents(database: Database) -> None:
    async with open_floor(database) as floor:
        calls = len(await floor.books_calls())
        assert await look(floor) == 0
        assert len(await floor.books_calls()) == calls


async def test_an_invoice_that_is_as_it_was_is_no_finding(floor: Floor) -> None:
    assert await look(floor) == 0
    assert await findings(floor) == []


async def test_a_voided_invoice_is_told_once(floor: Floor) -> None:
    invoice = await floor.only("invoices")
    await in_books(floor, "POST", f"/invoices/{invoice['invoice_id']}/status/void")
    assert await look(floor) == 1
    await look(floor)
    (finding,) = await findings(floor)
    assert finding["code"] == "document_voided"
    assert invoice["invoice_number"] in finding["message"]


async def test_an_edited_total_is_told_with_then_and_now(database: Database) -> None:
    async with open_floor(database) as floor:
        await floor.variant("BF-1")
        order = await floor.order([Line("BF-1", 2)], tax="45.00", method="cod")
        await floor.set_order(order, status="shipped")
        await floor.stage.run()
        invoice = await floor.only("invoices")
        (line,) = invoice["line_items"]
        change = {
            "line_items": [{**{k: line[k] for k in ("line_item_id", "item_id", "tax_id")}, "rate": 450, "quantity": 3}]
        }
        await in_books(floor, "PUT", f"/invoices/{invoice['invoice_id']}", change)
        assert await look(floor) == 1
        (finding,) = await findings(floor)
        assert finding["code"] == "document_edited"
        assert "945.00 → 1417.50" in finding["message"]


async def test_a_deleted_invoice_is_found_though_no_list_tells_it(floor: Floor) -> None:
    payment = await floor.only("customerpayments")
    invoice = await floor.only("invoices")
    await in_books(floor, "DELETE", f"/customerpayments/{payment['payment_id']}")
    await in_books(floor, "DELETE", f"/invoices/{invoice['invoice_id']}")
    await floor.stage.shop.execute("update zohosync.document set checked_at = now() - interval '2 days'")
    assert await look(floor) == 1
    (finding,) = await findings(floor)
    assert finding["code"] == "document_deleted"


async def test_sync_now_on_a_finished_order_looks_and_makes_no_second_document(floor: Floor) -> None:
    before = await floor.books_calls()
    await ask(floor)
    await floor.stage.run()
    assert (await floor.operation())["action"] == "identical"
    calls = (await floor.books_calls())[len(before) :]
    assert [call.split(" ")[0] for call in calls] == ["GET"]
    assert len(await floor.books("invoices")) == 1


async def test_sync_now_on_a_voided_invoice_says_so(floor: Floor) -> None:
    invoice = await floor.only("invoices")
    await in_books(floor, "POST", f"/invoices/{invoice['invoice_id']}/status/void")
    await ask(floor)
    await floor.stage.run()
    operation = await floor.operation()
    assert (operation["status"], operation["error_code"]) == ("failed", "document_voided")
    assert len(await floor.books("invoices")) == 1


async def ask(floor: Floor) -> None:
    orders = await fetch_all(floor.stage.shop, "select id::text from orders")
    await enqueue(
        floor.stage.shop,
        kind="books.invoice.push",
        lane="sales",
        entity="order",
        record_ids=[orders[0]["id"]],
        cause="manual",
    )


async def test_an_accepted_finding_is_not_opened_again(floor: Floor) -> None:
    invoice = await floor.only("invoices")
    await in_books(floor, "POST", f"/invoices/{invoice['invoice_id']}/status/void")
    await look(floor)
    await floor.stage.shop.execute(
        """update zohosync.finding
              set closed_at = now(), closed_by = 'admin', resolution = 'accept', reason = 'Returned.'"""
    )
    assert await look(floor) == 0
    assert len(await findings(floor)) == 1


async def test_an_approval_waits_for_a_person_and_then_goes_on(database: Database) -> None:
    async with open_floor(database) as floor:
        await floor.stage.zoho.post("/_sim/books/preferences", json={"approvals": ["invoices"]})
        await floor.variant("BF-1")
        await floor.stage.run()
        await floor.pay(await floor.order([Line("BF-1", 2)], tax="45.00"))
        await floor.stage.run()
        held = await floor.operation()
        assert held["status"] == "failed", held
        assert "pprov" in held["error_message"]
        (finding,) = await findings(floor)
        assert finding["code"] == "document_not_sent"
        invoice = await floor.only("invoices")
        for step in ("submit", "approve"):
            await in_books(floor, "POST", f"/invoices/{invoice['invoice_id']}/{step}")
        await ask(floor)
        await floor.stage.run()
        assert (await floor.only("invoices"))["status"] == "paid"
        assert [one["closed_by"] for one in await findings(floor)] == ["zohosync"]


async def test_a_locked_period_holds_the_order_in_zohos_own_words(database: Database) -> None:
    async with open_floor(database) as floor:
        await floor.stage.zoho.post("/_sim/books/preferences", json={"locked_until": "2099-12-31"})
        await floor.variant("BF-1")
        await floor.pay(await floor.order([Line("BF-1", 2)], tax="45.00"))
        await floor.stage.run()
        held = await floor.operation()
        assert (held["status"], held["error_code"]) == ("failed", "zoho_refused")
        assert held["error_hint"]
        assert await floor.books("invoices") == []


@pytest.mark.parametrize("what", ["contacts", "items"])
async def test_what_an_accountant_made_inactive_is_made_active_again(floor: Floor, what: str) -> None:
    row = (await floor.books(what))[0]
    await in_books(floor, "POST", f"/{what}/{row['contact_id' if what == 'contacts' else 'item_id']}/inactive")
    await floor.pay(await floor.order([Line("BF-1", 1)], tax="22.50"))
    for _ in range(4):
        await floor.stage.due_now()
        await floor.stage.run()
    assert (await floor.operation())["status"] == "succeeded", (await floor.operation())["error_message"]
    assert len(await floor.books("invoices")) == 2
    assert len(await floor.books(what)) == 1


async def edit_line(floor: Floor, **values: Any) -> None:
    invoice = await floor.only("invoices")
    (line,) = invoice["line_items"]
    kept = {name: line[name] for name in ("line_item_id", "item_id", "tax_id", "rate", "quantity")}
    await in_books(floor, "PUT", f"/invoices/{invoice['invoice_id']}", {"line_items": [{**kept, **values}]})


async def let_time_pass(floor: Floor) -> None:
    """Books tells whole seconds: what was seen last was seen earlier than what is done next."""
    await floor.stage.shop.execute("update zohosync.document set books_modified_at = '2026-01-01T00:00:00+0530'")


async def deliver_on_credit(floor: Floor) -> None:
    """A second order, invoiced and not paid."""
    await floor.set_order(await floor.order([Line("BF-1", 2)], tax="45.00", method="cod"), status="shipped")
    await come_to_rest(floor)


async def test_an_edit_that_keeps_the_total_is_told_with_then_and_now(database: Database) -> None:
    async with open_floor(database) as floor:
        await floor.variant("BF-1")
        await deliver_on_credit(floor)
        await let_time_pass(floor)
        await edit_line(floor, rate=900, quantity=1)
        assert await look(floor) == 1
        (finding,) = await findings(floor)
        assert finding["code"] == "document_edited"
        assert "line 1 (BF-1) quantity: 2 → 1; line 1 (BF-1) rate: 450 → 900" in finding["message"]
        await let_time_pass(floor)
        await edit_line(floor, rate=450, quantity=2)
        assert await look(floor) == 0
        assert [one["closed_by"] for one in await findings(floor)] == ["zohosync"]


async def test_an_edit_that_was_accepted_is_not_told_again(database: Database) -> None:
    async with open_floor(database) as floor:
        await floor.variant("BF-1")
        await deliver_on_credit(floor)
        await edit_line(floor, rate=400)
        assert await look(floor) == 1
        await floor.stage.shop.execute(
            """update zohosync.finding
                  set closed_at = now(), closed_by = 'admin', resolution = 'accept', reason = 'Agreed.'"""
        )
        await floor.stage.shop.execute("update zohosync.document set checked_at = now() - interval '2 days'")
        assert await look(floor) == 0
        assert len(await findings(floor)) == 1


async def test_a_changed_row_is_read_once(floor: Floor) -> None:
    def reads(calls: list[str]) -> int:
        return len([call for call in calls if "/invoices/" in call])

    await let_time_pass(floor)
    before = len(await floor.books_calls())
    assert await look(floor) == 0
    assert reads((await floor.books_calls())[before:]) == 1
    before = len(await floor.books_calls())
    await look(floor)
    assert reads((await floor.books_calls())[before:]) == 0


async def test_a_payment_deleted_in_books_is_told_and_well_again_when_it_is_back(floor: Floor) -> None:
    payment, invoice = await floor.only("customerpayments"), await floor.only("invoices")
    await in_books(floor, "DELETE", f"/customerpayments/{payment['payment_id']}")
    assert await look(floor) == 1
    (finding,) = await findings(floor)
    assert finding["code"] == "payment_gone"
    assert "945.00" in finding["message"]
    again = {
        "customer_id": invoice["customer_id"],
        "payment_mode": "cash",
        "amount": 945,
        "date": invoice["date"],
        "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 945}],
    }
    await in_books(floor, "POST", "/customerpayments", again)
    assert await look(floor) == 0
    assert [one["closed_by"] for one in await findings(floor)] == ["zohosync"]


async def test_sync_now_on_an_invoice_somebody_edited_says_what_was_edited(database: Database) -> None:
    async with open_floor(database) as floor:
        await floor.variant("BF-1")
        await floor.stage.run()
        order = await floor.order([Line("BF-1", 2)], tax="45.00", method="cod")
        await floor.set_order(order, status="shipped")
        await floor.stage.run()
        invoice = await floor.only("invoices")
        (line,) = invoice["line_items"]
        kept = {name: line[name] for name in ("line_item_id", "item_id", "tax_id")}
        await in_books(
            floor,
            "PUT",
            f"/invoices/{invoice['invoice_id']}",
            {"line_items": [{**kept, "rate": 900, "quantity": 1}]},
        )
        await ask(floor)
        await floor.stage.run()
        operation = await floor.operation()
        assert (operation["status"], operation["error_code"]) == ("failed", "document_edited")
        assert "quantity: 2 → 1" in operation["error_message"]
