"""books.invoice.push: every paid order one right invoice."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from books.floor import BENGALURU, Floor, Line, address, open_floor
from conftest import Database
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.store.installation import go_live


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database) as opened:
        yield opened


async def test_a_paid_order_within_the_state_is_invoiced_sent_and_paid(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.stage.run()
    user = await floor.stage.register()
    order = await floor.order([Line("BF-1", 2)], user=user, tax="45.00")
    await floor.pay(order)
    await floor.stage.run()
    invoice = await floor.only("invoices")
    assert (invoice["total"], invoice["status"], invoice["balance"]) == (945.0, "paid", 0.0)
    assert invoice["reference_number"] == "ORD-00001"
    assert invoice["place_of_supply"] == "TS"
    assert {tax["tax_name"].split(" ")[0]: tax["tax_amount"] for tax in invoice["taxes"]} == {
        "CGST2.5": 22.5,
        "SGST2.5": 22.5,
    }
    (line,) = invoice["line_items"]
    assert (line["sku"], line["hsn_or_sac"], line["quantity"], line["rate"]) == ("BF-1", "31059090", 2, 450.0)
    payment = await floor.only("customerpayments")
    assert (payment["amount"], payment["reference_number"]) == (945.0, "ORD-00001")
    row = await fetch_one(floor.stage.shop, "select zoho_books_id from orders")
    assert row == {"zoho_books_id": invoice["invoice_id"]}
    document = await floor.document()
    assert (document["step"], document["shop_total"], document["books_total"], document["variance"]) == (
        "settled",
        Decimal("945.00"),
        Decimal("945.00"),
        Decimal("0.00"),
    )
    assert (document["books_cgst"], document["books_sgst"], document["books_igst"]) == (
        Decimal("22.50"),
        Decimal("22.50"),
        Decimal("0.00"),
    )
    assert (await floor.operation())["status"] == "succeeded"


async def test_an_order_to_another_state_carries_igst(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.stage.run()
    order = await floor.order([Line("BF-1", 2)], tax="45.00", ship_to=address(BENGALURU))
    await floor.pay(order)
    await floor.stage.run()
    invoice = await floor.only("invoices")
    assert invoice["place_of_supply"] == "KA"
    assert [(tax["tax_name"], tax["tax_amount"]) for tax in invoice["taxes"]] == [("IGST5 (5%)", 45.0)]


async def test_a_returning_customer_with_known_goods_takes_four_calls(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.stage.run()
    user = await floor.stage.register()
    await floor.pay(await floor.order([Line("BF-1", 2)], user=user, tax="45.00"))
    await floor.stage.run()
    before = await floor.books_calls()
    await floor.pay(await floor.order([Line("BF-1", 1)], user=user, tax="22.50"))
    await floor.stage.run()
    calls = (await floor.books_calls())[len(before) :]
    assert [call.split("/")[0] for call in calls] == ["POST ", "GET ", "POST ", "POST "], calls


async def test_a_doubled_payment_webhook_makes_one_invoice_and_one_payment(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.stage.run()
    order = await floor.order([Line("BF-1")], tax="22.50")
    await floor.pay(order)
    await floor.pay(order)
    await floor.stage.run()
    await floor.pay(order)
    await floor.stage.run()
    assert len(await floor.books("invoices")) == 1
    assert len(await floor.books("customerpayments")) == 1


async def test_an_order_inserted_already_paid_waits_for_its_lines(floor: Floor) -> None:
    await floor.variant("BF-1")
    order = await floor.order([], payment_status="paid", total="472.50")
    await floor.set_order(order, subtotal=Decimal("450.00"), tax_amount=Decimal("22.50"))
    await floor.stage.run()
    assert (await floor.operation())["wait_reason"] == "lines"
    await floor.lines(order, [Line("BF-1")])
    await floor.stage.run()
    assert (await floor.only("invoices"))["total"] == 472.5


async def test_half_of_the_lines_are_not_invoiced(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.variant("BF-2")
    order = await floor.order([Line("BF-1")], payment_status="paid", total="945.00")
    await floor.set_order(order, subtotal=Decimal("900.00"), tax_amount=Decimal("45.00"))
    await floor.stage.run()
    assert await floor.books("invoices") == []
    await floor.lines(order, [Line("BF-2")])
    await floor.stage.run()
    assert (await floor.only("invoices"))["total"] == 945.0


async def test_a_missing_rate_holds_the_order_until_it_is_entered(floor: Floor) -> None:
    await floor.variant("BF-1", rate=None, hsn=None)
    await floor.stage.run()
    order = await floor.order([Line("BF-1")], tax="22.50")
    await floor.pay(order)
    await floor.stage.run()
    held = await floor.operation()
    assert (held["status"], held["error_code"]) == ("failed", "gst_rate_missing")
    assert "BF-1" in held["error_message"]
    assert held["error_hint"]
    assert await floor.books("invoices") == []
    await floor.stage.shop.execute("update product_variants set gst_rate = 5, hsn_code = '31059090'")
    await floor.leave_goods_to_orders()
    await floor.stage.shop.execute("select zohosync.release_holds((select policies from zohosync.hold limit 1))")
    await floor.stage.run()
    assert (await floor.only("invoices"))["total"] == 472.5
    assert await fetch_all(floor.stage.shop, "select 1 from zohosync.hold") == []


async def test_nothing_is_released_while_nothing_changed(floor: Floor) -> None:
    await floor.variant("BF-1", rate=None)
    await floor.pay(await floor.order([Line("BF-1")], tax="22.50"))
    await floor.stage.run()
    row = await fetch_one(
        floor.stage.shop, "select zohosync.release_holds((select policies from zohosync.hold limit 1)) as released"
    )
    assert row == {"released": 0}


async def test_a_policy_releases_what_it_held(floor: Floor) -> None:
    await floor.variant("BF-1", rate=None, hsn="31059090")
    await floor.pay(await floor.order([Line("BF-1")], tax="22.50"))
    await floor.stage.run()
    await floor.policy(default_gst_rate="5")
    await floor.stage.shop.execute("select zohosync.release_holds('another')")
    await floor.stage.run()
    assert (await floor.only("invoices"))["total"] == 472.5


async def test_an_order_refunded_before_it_was_invoiced_is_not_invoiced(floor: Floor) -> None:
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1")], tax="22.50")
    await floor.pay(order)
    await floor.set_order(order, payment_status="refunded")
    await floor.stage.run()
    assert await floor.books("invoices") == []
    assert (await floor.operation())["action"] == "refunded_before_invoice"


async def test_cash_on_delivery_is_invoiced_at_dispatch_and_paid_later(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.stage.run()
    order = await floor.order([Line("BF-1")], tax="22.50", method="cod")
    await floor.set_order(order, status="confirmed")
    await floor.stage.run()
    assert await floor.books("invoices") == []
    await floor.set_order(order, status="shipped")
    await floor.stage.run()
    assert (await floor.only("invoices"))["status"] == "sent"
    await floor.set_order(order, payment_status="paid", status="delivered")
    await floor.stage.run()
    assert (await floor.only("invoices"))["status"] == "paid"


async def test_an_order_changed_after_invoicing_becomes_a_finding_and_the_invoice_stays(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.stage.run()
    order = await floor.order([Line("BF-1")], tax="22.50")
    await floor.pay(order)
    await floor.stage.run()
    await floor.set_order(order, total_amount=Decimal("999.00"))
    await floor.stage.run()
    (finding,) = await fetch_all(floor.stage.shop, "select * from zohosync.finding")
    assert finding["code"] == "order_changed_after_invoicing"
    assert "999" in finding["message"]
    assert (await floor.only("invoices"))["total"] == 472.5


async def test_what_changes_no_document_changes_nothing(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.stage.run()
    order = await floor.order([Line("BF-1")], tax="22.50")
    await floor.pay(order)
    await floor.stage.run()
    calls = len(await floor.books_calls())
    await floor.set_order(order, status="shipped", notes="left at the gate")
    await floor.stage.run()
    assert (await floor.operation())["action"] in ("identical", "create")
    assert len(await floor.books_calls()) == calls


async def test_a_total_of_zero_is_invoiced_without_a_payment(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.stage.run()
    order = await floor.order([Line("BF-1", 1, "0.00")], tax="0")
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.only("invoices"))["total"] == 0.0
    assert await floor.books("customerpayments") == []
    assert (await floor.operation())["status"] == "succeeded"


async def test_another_currency_is_held(floor: Floor) -> None:
    await floor.variant("BF-1")
    await floor.pay(await floor.order([Line("BF-1")], tax="22.50", currency="USD"))
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "currency_unsupported"


async def test_a_paid_order_older_than_go_live_is_left_alone_until_somebody_asks(database: Database) -> None:
    async with open_floor(database, live=False) as floor:
        await floor.variant("BF-1")
        order = await floor.order([Line("BF-1")], tax="22.50", payment_status="paid")
        async with floor.stage.services.pool.connection() as connection:
            await go_live(connection, floor.stage.services.sources)
        await floor.set_order(order, total_amount=Decimal("472.50"), shipping_address="{}")
        await floor.stage.run()
        assert await floor.books("invoices") == []
