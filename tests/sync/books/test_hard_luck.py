"""Hard luck: orders that change while in doubt, money that came once, parts that went back, lists that are behind."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from books.floor import BENGALURU, Floor, Line, address, open_floor
from books.test_exactly_one import come_to_rest
from books.test_watch import ask, findings, in_books, look
from conftest import Database
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.store.findings import list_findings
from zohosync.store.operations import enqueue
from zohosync.sync.books.resolving import decide

CREATION = {"method": "POST", "path": "/books/v3/invoices"}
LISTING = {"method": "GET", "path": "/books/v3/invoices"}


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database) as opened:
        await opened.variant("BF-1")
        await opened.stage.run()
        yield opened


async def paid(floor: Floor, **more: Any) -> str:
    order = await floor.order([Line("BF-1", 2)], tax="45.00", **more)
    await floor.pay(order)
    return order


async def delivered_unpaid(floor: Floor) -> str:
    order = await floor.order([Line("BF-1", 2)], tax="45.00", method="cod")
    await floor.set_order(order, status="shipped")
    await floor.stage.run()
    return order


async def resolve(floor: Floor, action: str, code: str) -> None:
    async with floor.stage.services.pool.connection() as connection:
        (one,) = [finding for finding in await list_findings(connection) if finding.code == code]
        await decide(
            connection,
            finding_id=one.finding_id,
            action=action,
            reason="Decided.",
            by="admin@example.com",
            is_admin=True,
        )


async def add_refund_columns(floor: Floor) -> None:
    await floor.stage.shop.execute("alter table orders add column refund_status text, add column refund_amount text")


async def only_invoice_is(floor: Floor, **expected: Any) -> None:
    invoice = await floor.only("invoices")
    assert {name: invoice[name] for name in expected} == expected


async def test_an_order_that_becomes_another_customers_while_in_doubt_keeps_its_one_invoice(floor: Floor) -> None:
    order = await paid(floor)
    await floor.stage.fault("http_500_after_commit", match=CREATION, count=1)
    await floor.stage.run_once()
    await floor.set_order(order, user_id=await floor.stage.register(email="other@example.com"))
    await come_to_rest(floor)
    await only_invoice_is(floor, status="paid", total=945.0)
    contacts = {row["contact_id"]: row["email"] for row in await floor.books("contacts")}
    assert contacts[(await floor.only("invoices"))["customer_id"]] == "other@example.com"


async def test_a_list_that_is_behind_makes_no_second_invoice(floor: Floor) -> None:
    await paid(floor)
    await floor.stage.fault("http_500_after_commit", match=CREATION, count=1)
    await floor.stage.run_once()
    empty = {"code": 0, "message": "success", "invoices": [], "page_context": {"page": 1, "has_more_page": False}}
    await floor.stage.fault("answer", match=LISTING, count=1, status=200, body=empty)
    await come_to_rest(floor)
    await only_invoice_is(floor, status="paid")


@pytest.mark.parametrize("amount", ["105.00", None])
async def test_a_part_that_went_back_leaves_the_order_to_be_invoiced_and_paid(floor: Floor, amount: str | None) -> None:
    await add_refund_columns(floor)
    order = await paid(floor)
    await floor.set_order(order, refund_status="partial", refund_amount=amount)
    await come_to_rest(floor)
    await only_invoice_is(floor, total=945.0)
    assert len(await floor.books("customerpayments")) == 1
    refund = await floor.operation("books.credit_note.push")
    if amount is None:
        assert (refund["status"], refund["error_code"]) == ("failed", "refund_amount_missing")
        assert await floor.books("creditnotes") == []
    else:
        assert (await floor.only("creditnotes"))["total"] == 105.0


async def test_a_payment_that_failed_is_made_up_for_though_a_part_went_back_meanwhile(floor: Floor) -> None:
    await add_refund_columns(floor)
    await floor.stage.fault(
        "hindered", reason="locked_period", match={"method": "POST", "path": "/books/v3/customerpayments"}, count=1
    )
    order = await paid(floor)
    await floor.stage.run()
    await floor.set_order(order, refund_status="partial", refund_amount="105.00")
    await come_to_rest(floor)
    assert len(await floor.books("customerpayments")) == 1


@pytest.mark.parametrize("how", ["void", "change"])
async def test_a_new_invoice_of_an_order_takes_the_money_that_came_once(floor: Floor, how: str) -> None:
    order = await paid(floor)
    await floor.stage.run()
    invoice = await floor.only("invoices")
    if how == "void":
        await in_books(floor, "POST", f"/invoices/{invoice['invoice_id']}/status/void")
        await look(floor)
        await resolve(floor, "replace", "document_voided")
    else:
        await floor.set_order(order, discount_amount="100.00", tax_amount="40.00", total_amount="840.00")
        await floor.stage.run()
        await resolve(floor, "replace", "order_changed_after_invoicing")
    await come_to_rest(floor)
    assert [row["amount"] for row in await floor.books("customerpayments")] == [945.0]
    operation = await floor.operation()
    if how == "void":
        assert operation["status"] == "succeeded", operation["error_message"]
    else:
        assert operation["error_code"] == "payment_on_other_invoice"


@pytest.mark.parametrize(("fault", "more"), [("hindered", {"reason": "locked_period"}), ("http_500_before_commit", {})])
async def test_an_order_cancelled_after_a_failed_attempt_is_not_invoiced(
    floor: Floor, fault: str, more: dict[str, str]
) -> None:
    await floor.stage.fault(fault, match=CREATION, count=1, **more)
    order = await paid(floor)
    await floor.stage.run_once()
    await floor.set_order(order, status="cancelled", payment_status="refunded")
    await come_to_rest(floor)
    assert await floor.books("invoices") == []
    assert await fetch_all(floor.stage.shop, "select 1 from zohosync.link where module = 'invoices'") == []


async def test_what_was_accepted_does_not_end_the_life_of_an_order(floor: Floor) -> None:
    order = await delivered_unpaid(floor)
    await floor.set_order(order, shipping_address=json.dumps(address(address_line1="2 Example Road")))
    await floor.stage.run()
    await resolve(floor, "accept", "order_changed_after_invoicing")
    await floor.set_order(order, payment_status="paid", status="delivered")
    await come_to_rest(floor)
    await only_invoice_is(floor, status="paid")
    assert (await floor.operation())["status"] == "succeeded"


async def test_a_cancellation_is_told_after_another_change_was_accepted(floor: Floor) -> None:
    order = await delivered_unpaid(floor)
    await floor.set_order(order, shipping_address=json.dumps(address(address_line1="2 Example Road")))
    await floor.stage.run()
    await resolve(floor, "accept", "order_changed_after_invoicing")
    await floor.set_order(order, status="cancelled")
    await come_to_rest(floor)
    assert [one["code"] for one in await findings(floor) if one["closed_at"] is None] == ["cancelled_after_invoicing"]


async def test_the_money_of_a_delivery_is_recorded_though_something_else_changed(floor: Floor) -> None:
    order = await delivered_unpaid(floor)
    await floor.set_order(
        order, payment_status="paid", shipping_address=json.dumps(address(address_line1="2 Example Road"))
    )
    await come_to_rest(floor)
    await only_invoice_is(floor, status="paid")
    assert (await floor.operation())["error_code"] == "order_changed_after_invoicing"


@pytest.mark.parametrize("change", ["sku", "gstin", "register"])
async def test_what_other_records_say_later_is_no_change_of_the_order(floor: Floor, change: str) -> None:
    user = await floor.stage.register()
    order = await floor.order([Line("BF-1", 2)], tax="45.00", user=None if change == "register" else user)
    await floor.pay(order)
    await floor.stage.run()
    if change == "sku":
        await floor.stage.shop.execute("update product_variants set sku = 'BF-1-NEW'")
    elif change == "gstin":
        await floor.stage.shop.execute("update users set gst_number = '36AAGCB7383J1Z9'")
    else:
        await floor.set_order(order, user_id=user)
    await floor.set_order(order, status="shipped")
    await come_to_rest(floor)
    assert await findings(floor) == []


async def test_a_cancelled_order_is_credited_when_a_person_asks(floor: Floor) -> None:
    await floor.policy(goods_returned="yes")
    order = await delivered_unpaid(floor)
    await floor.set_order(order, status="cancelled")
    await floor.stage.run()
    await resolve(floor, "credit", "cancelled_after_invoicing")
    await come_to_rest(floor)
    assert (await floor.only("creditnotes"))["total"] == 945.0
    await only_invoice_is(floor, balance=0.0)


async def test_a_draft_that_differs_follows_the_order_when_it_is_corrected(floor: Floor) -> None:
    await floor.stage.zoho.post("/_sim/books/preferences", json={"approvals": ["invoices"]})
    order = await paid(floor, ship_to=address(BENGALURU))
    await floor.stage.run()
    await floor.stage.zoho.post("/_sim/books/preferences", json={"approvals": []})
    await floor.set_order(order, shipping_address=json.dumps(address()))
    await come_to_rest(floor)
    await only_invoice_is(floor, status="paid", place_of_supply="TS", total=945.0)


@pytest.mark.parametrize("when", ["1970-01-01", "9000-01-01"])
async def test_an_implausible_day_is_asked_about(floor: Floor, when: str) -> None:
    await floor.stage.shop.execute("alter table orders add column paid_at timestamptz")
    order = await floor.order([Line("BF-1", 2)], tax="45.00", paid_at=when)
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "document_date_implausible"
    assert await floor.books("invoices") == []


async def test_an_order_that_was_shipped_on_account_is_dated_by_its_payment(floor: Floor) -> None:
    order = await floor.order([Line("BF-1", 2)], tax="45.00", method="bank_transfer")
    await floor.set_order(order, status="shipped")
    await floor.stage.run()
    await floor.stage.shop.execute("update zohosync.operation set created_at = created_at - interval '10 days'")
    await floor.stage.shop.execute("update orders set created_at = created_at - interval '20 days'")
    await floor.pay(order)
    await come_to_rest(floor)
    row = await fetch_one(
        floor.stage.shop,
        """select document_date = (clock_timestamp() at time zone 'Asia/Kolkata')::date as today
             from zohosync.document""",
    )
    assert row == {"today": True}


async def test_an_order_without_a_total_is_asked_about(floor: Floor) -> None:
    order = await floor.order([Line("BF-1", 2)], tax="45.00")
    await floor.set_order(order, total_amount=None)
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "charged_missing"


async def test_what_was_charged_must_still_add_up(floor: Floor) -> None:
    """A discount that was told and never taken would pass for tax."""
    await floor.policy(price_basis="as_charged")
    order = await floor.order([Line("BF-1", 2)], tax="162.00", discount="100.00", total="1062.00")
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "total_mismatch"


async def test_a_pin_that_contradicts_the_state_is_asked_about_even_if_a_person_wrote_it(floor: Floor) -> None:
    order = await floor.order(
        [Line("BF-1", 2)], tax="45.00", ship_to=address({"city": "Delhi", "state": "Karnataka", "postal_code": "11001"})
    )
    await floor.stage.shop.execute(
        """insert into zohosync.override (entity, record_id, field, value, reason, set_by)
           values ('order', %s, 'postal_code', '110001', 'A digit was missing.', 'admin@example.com')""",
        (order,),
    )
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "state_pin_conflict"


async def test_an_order_that_left_the_shop_is_held_no_longer(floor: Floor) -> None:
    await floor.variant("NEW", rate=None)
    await paid(floor)
    order = await floor.order([Line("NEW")], tax="22.50")
    await floor.pay(order)
    await floor.stage.run()
    await floor.stage.shop.execute("delete from order_items where order_id = %s", (order,))
    await floor.stage.shop.execute("delete from orders where id = %s", (order,))
    await floor.stage.shop.execute("select zohosync.release_holds('another')")
    await floor.stage.run()
    assert await fetch_all(floor.stage.shop, "select 1 from zohosync.hold where entity = 'order'") == []


async def test_a_held_order_that_fails_otherwise_is_not_tried_for_ever(floor: Floor) -> None:
    await floor.variant("NEW", rate=None)
    await floor.pay(await floor.order([Line("NEW")], tax="22.50"))
    await floor.stage.run()
    await floor.stage.shop.execute("update product_variants set gst_rate = 5")
    await floor.stage.fault("http_500_before_commit", match={"service": "books"}, count=500)
    digest = "(select policies from zohosync.hold limit 1)"
    await floor.stage.shop.execute(f"select zohosync.release_holds({digest})".encode())
    await come_to_rest(floor)
    assert (await floor.operation())["status"] == "failed"
    row = await fetch_one(floor.stage.shop, f"select zohosync.release_holds({digest}) as released")
    assert row == {"released": 0}


async def test_an_order_number_a_header_cannot_carry_is_still_invoiced_once(floor: Floor) -> None:
    await floor.stage.zoho.post(
        "/_sim/books/customfields",
        json={"module": "invoices", "label": "Storefront Reference", "unique": True},
    )
    await floor.policy(unique_reference_field="cf_storefront_reference")
    await paid(floor, number="ஆர்டர்-1")
    await come_to_rest(floor)
    operation = await floor.operation()
    assert operation["error_code"] != "unexpected_error"
    assert len(await floor.books("invoices")) <= 1


async def test_sync_now_again_after_all_that_changes_nothing(floor: Floor) -> None:
    await paid(floor)
    await floor.stage.run()
    await ask(floor)
    await floor.stage.run()
    await only_invoice_is(floor, status="paid", total=945.0)


@pytest.mark.parametrize("action", ["accept", "unlink"])
async def test_an_order_deleted_after_it_was_invoiced_is_told_until_a_person_decides(floor: Floor, action: str) -> None:
    order = await paid(floor)
    await floor.stage.run()
    await floor.stage.shop.execute("delete from orders where id = %s", (order,))
    await come_to_rest(floor)
    (found,) = await findings(floor)
    assert (found["code"], found["record_id"]) == ("order_deleted_after_invoicing", order)
    told = await floor.operation()
    assert (told["status"], told["error_code"]) == ("failed", "order_deleted_after_invoicing")
    assert (await floor.only("invoices"))["invoice_number"] in told["error_message"]
    await resolve(floor, action, "order_deleted_after_invoicing")
    await enqueue(
        floor.stage.shop,
        kind="books.invoice.push",
        lane="sales",
        entity="order",
        record_ids=[order],
        cause="manual",
    )
    await come_to_rest(floor)
    assert (await floor.operation())["status"] == "skipped"
    assert [one["resolution"] for one in await findings(floor)] == [action]
    await only_invoice_is(floor, status="paid")


async def test_an_order_deleted_without_an_invoice_is_nobodys_business(floor: Floor) -> None:
    order = await paid(floor)
    await floor.stage.shop.execute("delete from orders where id = %s", (order,))
    await come_to_rest(floor)
    assert await findings(floor) == []
    assert (await floor.operation())["status"] == "skipped"


async def test_the_lines_of_an_invoice_are_in_the_order_of_the_shop(floor: Floor) -> None:
    skus = [f"BF-{place}" for place in range(2, 8)]
    for sku in skus:
        await floor.variant(sku)
    order = await floor.order([Line(sku) for sku in skus], tax="135.00")
    await floor.pay(order)
    await come_to_rest(floor)
    lines = (await floor.only("invoices"))["line_items"]
    assert [line["sku"] for line in lines] == skus


async def test_tax_taken_for_exempt_goods_is_told_to_the_accountant(floor: Floor) -> None:
    office = await floor.stage.services.books_desk.office()
    await floor.policy(price_basis="as_charged", exemption_id=next(e.id for e in office.exemptions if e.type == "item"))
    await floor.variant("SEED", rate=None, category="exempt", hsn="120991")
    await floor.stage.run()
    await floor.pay(await floor.order([Line("SEED", 1, "745.00")], tax="134.10"))
    await floor.stage.run()
    operation = await floor.operation()
    assert operation["status"] == "succeeded"
    assert "₹134.10 as tax, and SEED bears none" in operation["warnings"][0]
