"""books.estimate.push: every approved quote one estimate."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from books.floor import BENGALURU, Floor, Line, address, open_floor
from books.test_exactly_one import come_to_rest
from conftest import Database
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.store.operations import enqueue

KIND = "books.estimate.push"


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database) as opened:
        yield opened


async def ask_for_quote(
    floor: Floor,
    *lines: Line,
    status: str = "approved",
    email: str = "customer@example.com",
    company: str = "Demo Farms",
    **more: Any,
) -> str:
    """A B2B client's quote with its lines, and an address to deliver to; its id."""
    user = await floor.stage.register(email, company_name=company, role="b2b_client")
    await floor.stage.shop.execute(
        """insert into addresses (user_id, type, address_line1, city, state, postal_code, is_default)
           values (%s, 'shipping', '1 Example Road', 'Hyderabad', 'Telangana', '500001', true)""",
        (user,),
    )
    subtotal = sum((Decimal(line.price) * line.quantity for line in lines), Decimal(0))
    tax = (subtotal * Decimal("0.05")).quantize(Decimal("0.01"))
    row = {"user_id": user, "subtotal": subtotal, "tax_amount": tax, "total_amount": subtotal + tax, **more}
    columns, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    quote = await fetch_one(
        floor.stage.shop, f"insert into b2b_quotes ({columns}) values ({marks}) returning id::text", row
    )
    assert quote
    for line in lines:
        await floor.stage.shop.execute(
            """insert into b2b_quote_items (quote_id, variant_id, quantity, unit_price, total_price)
               select %(quote)s, v.id, %(quantity)s, %(price)s, %(price)s * %(quantity)s
                 from product_variants v where v.sku = %(sku)s""",
            {"quote": quote["id"], "quantity": line.quantity, "price": Decimal(line.price), "sku": line.sku},
        )
    await floor.stage.shop.execute("update b2b_quotes set status = %s where id = %s", (status, quote["id"]))
    return str(quote["id"])


async def test_an_approved_quote_becomes_a_sent_estimate_that_expires_when_the_quote_does(floor: Floor) -> None:
    await floor.policy(b2b_without_gstin="unregistered")
    await floor.variant("BF-1")
    quote = await ask_for_quote(floor, Line("BF-1", 10), valid_until="2099-12-31T20:00:00+05:30")
    await come_to_rest(floor)
    estimate = await floor.only("estimates")
    assert (estimate["status"], estimate["total"], estimate["expiry_date"]) == ("sent", 4725.0, "2099-12-31")
    assert estimate["reference_number"] == quote
    (line,) = estimate["line_items"]
    assert (line["sku"], line["hsn_or_sac"], line["quantity"], line["rate"]) == ("BF-1", "31059090", 10, 450.0)
    row = await fetch_one(floor.stage.shop, "select zoho_books_id from b2b_quotes")
    assert row == {"zoho_books_id": estimate["estimate_id"]}
    document = await floor.document("estimates")
    assert (document["step"], document["books_total"]) == ("sent", Decimal("4725.00"))
    operation = await floor.operation(KIND)
    assert (operation["status"], operation["action"], operation["zoho_id"]) == (
        "succeeded",
        "create",
        estimate["estimate_id"],
    )


async def test_a_quote_that_is_not_approved_makes_no_estimate(floor: Floor) -> None:
    await floor.variant("BF-1")
    await ask_for_quote(floor, Line("BF-1"), status="submitted")
    await come_to_rest(floor)
    assert await floor.books("estimates") == []


async def test_a_quote_whose_goods_have_no_rate_is_held_and_goes_through_when_it_is_entered(floor: Floor) -> None:
    await floor.policy(b2b_without_gstin="unregistered")
    await floor.variant("BF-1", rate=None)
    await ask_for_quote(floor, Line("BF-1"))
    await come_to_rest(floor)
    operation = await floor.operation(KIND)
    assert (operation["status"], operation["error_code"]) == ("failed", "gst_rate_missing")
    await floor.stage.shop.execute("update product_variants set gst_rate = 5, tax_category = 'taxable'")
    async with floor.stage.services.pool.connection() as connection:
        policies = await floor.stage.services.books_desk.policies(connection)
        await connection.execute("select zohosync.release_holds(%s)", (policies.digest,))
    await come_to_rest(floor)
    assert (await floor.only("estimates"))["status"] == "sent"


async def test_a_quote_changed_after_its_estimate_becomes_a_finding_and_the_estimate_stays(floor: Floor) -> None:
    await floor.policy(b2b_without_gstin="unregistered")
    await floor.variant("BF-1")
    await ask_for_quote(floor, Line("BF-1", 10))
    await come_to_rest(floor)
    await floor.stage.shop.execute("update b2b_quotes set total_amount = 5000")
    await come_to_rest(floor)
    (finding,) = await fetch_all(floor.stage.shop, "select * from zohosync.finding")
    assert (finding["code"], finding["entity"]) == ("quote_changed_after_estimate", "approved_quote")
    assert "4725 → 5000" in finding["message"]
    assert (await floor.only("estimates"))["total"] == 4725.0
    await floor.stage.shop.execute("update b2b_quotes set total_amount = 4725")
    await come_to_rest(floor)
    (finding,) = await fetch_all(floor.stage.shop, "select * from zohosync.finding")
    assert finding["closed_by"] == "zohosync"


async def test_an_approval_that_is_withdrawn_becomes_a_finding(floor: Floor) -> None:
    await floor.policy(b2b_without_gstin="unregistered")
    await floor.variant("BF-1")
    await ask_for_quote(floor, Line("BF-1"))
    await come_to_rest(floor)
    await floor.stage.shop.execute("update b2b_quotes set status = 'rejected'")
    await come_to_rest(floor)
    (finding,) = await fetch_all(floor.stage.shop, "select * from zohosync.finding")
    assert finding["code"] == "approval_withdrawn"


async def test_the_invoice_of_the_quotes_order_refers_to_the_estimate(floor: Floor) -> None:
    await floor.policy(b2b_without_gstin="unregistered")
    await floor.variant("BF-1")
    quote = await ask_for_quote(floor, Line("BF-1", 10))
    row = await fetch_one(floor.stage.shop, "select user_id::text from b2b_quotes")
    assert row
    order = await floor.order([Line("BF-1", 10)], user=row["user_id"], tax="225.00")
    await floor.stage.shop.execute("update b2b_quotes set linked_order_id = %s where id = %s", (order, quote))
    await floor.pay(order)
    await come_to_rest(floor)
    estimate, invoice = await floor.only("estimates"), await floor.only("invoices")
    assert invoice["customer_id"] == estimate["customer_id"]
    assert estimate["invoice_ids"] == [invoice["invoice_id"]]


async def test_a_quote_that_was_valid_until_before_it_was_approved_has_no_expiry_and_a_warning(floor: Floor) -> None:
    await floor.policy(b2b_without_gstin="unregistered")
    await floor.variant("BF-1")
    await ask_for_quote(floor, Line("BF-1"), valid_until="2020-01-01T00:00:00+05:30")
    await come_to_rest(floor)
    assert not (await floor.only("estimates")).get("expiry_date")
    assert "no expiry date" in (await floor.operation(KIND))["warnings"][0]


async def test_the_address_of_a_quotes_order_is_no_change_of_the_quote(floor: Floor) -> None:
    await floor.policy(b2b_without_gstin="unregistered")
    await floor.variant("BF-1")
    quote = await ask_for_quote(floor, Line("BF-1", 10))
    await come_to_rest(floor)
    row = await fetch_one(floor.stage.shop, "select user_id::text from b2b_quotes")
    assert row
    elsewhere = address(BENGALURU, name="Warehouse")
    order = await floor.order([Line("BF-1", 10)], user=row["user_id"], tax="225.00", ship_to=elsewhere)
    await floor.stage.shop.execute("update b2b_quotes set linked_order_id = %s where id = %s", (order, quote))
    await enqueue(
        floor.stage.shop, kind=KIND, lane="sales", entity="approved_quote", record_ids=[quote], cause="manual"
    )
    await come_to_rest(floor)
    assert (await floor.operation(KIND))["action"] == "identical"
    assert await fetch_all(floor.stage.shop, "select * from zohosync.finding") == []


async def test_a_line_of_a_quote_without_a_sku_says_how_to_name_one(floor: Floor) -> None:
    await floor.policy(b2b_without_gstin="unregistered")
    await floor.variant("BF-1")
    quote = await ask_for_quote(floor, Line("BF-1", 10), status="submitted")
    await floor.stage.shop.execute("update b2b_quote_items set variant_id = null")
    await floor.stage.shop.execute("update b2b_quotes set status = 'approved' where id = %s", (quote,))
    await come_to_rest(floor)
    held = await floor.operation(KIND)
    assert held["error_code"] == "sku_missing"
    assert f"`zohosync override set approved_quote {quote} line_sku:" in held["error_hint"]
