"""Every shape of order the shop writes: addresses, discounts, shipping, exempt goods, prices that contain the tax."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from books.floor import BENGALURU, CHENNAI, Floor, Line, address, open_floor
from conftest import Database
from zohosync.db.pool import fetch_all


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database) as opened:
        await opened.variant("BF-1")
        await opened.stage.run()
        yield opened


async def sold(floor: Floor, *lines: Line, **order: Any) -> dict[str, Any]:
    """The one invoice of one paid order."""
    await floor.pay(await floor.order(lines or (Line("BF-1"),), **order))
    await floor.stage.run()
    assert (await floor.operation())["status"] == "succeeded", (await floor.operation())["error_message"]
    return await floor.only("invoices")


async def save_address(floor: Floor, user: str, place: dict[str, str], *, kind: str, default: bool) -> None:
    await floor.stage.shop.execute(
        """insert into addresses (user_id, type, address_line1, city, state, postal_code, is_default)
           values (%(user)s, %(kind)s, '1 Example Road', %(city)s, %(state)s, %(postal_code)s, %(default)s)""",
        {"user": user, "kind": kind, "default": default, **place},
    )


async def test_a_copied_row_of_addresses_has_no_name_and_takes_the_customers(floor: Floor) -> None:
    user = await floor.stage.register()
    row = {"id": "7", "user_id": user, "type": "shipping", "address_line1": "1 Example Road", "country": "India"}
    invoice = await sold(floor, user=user, tax="22.50", ship_to={**row, **BENGALURU})
    assert (invoice["place_of_supply"], invoice["customer_name"]) == ("KA", "Demo Customer")


async def test_first_and_last_name_are_a_name(floor: Floor) -> None:
    given = {key: value for key, value in address(CHENNAI).items() if key != "name"}
    invoice = await sold(floor, tax="22.50", ship_to={**given, "first_name": "Demo", "last_name": "Guest"})
    assert (invoice["place_of_supply"], invoice["customer_name"]) == ("TN", "Demo Guest")


@pytest.mark.parametrize(
    ("kind", "default", "source"),
    [
        ("shipping", True, "default_shipping"),
        ("shipping", False, "newest_shipping"),
        ("billing", False, "billing"),
    ],
)
async def test_an_empty_address_falls_back_to_those_of_the_customer(
    floor: Floor, kind: str, default: bool, source: str
) -> None:
    user = await floor.stage.register()
    await save_address(floor, user, BENGALURU, kind=kind, default=default)
    invoice = await sold(floor, user=user, tax="22.50", ship_to={})
    assert invoice["place_of_supply"] == "KA"
    assert (await floor.document())["address_source"] == source


async def test_a_guest_without_an_address_is_held(floor: Floor) -> None:
    await floor.pay(await floor.order([Line("BF-1")], tax="22.50", ship_to={}))
    await floor.stage.run()
    assert (await floor.operation())["error_code"] in ("state_unresolved", "country_missing")
    assert await floor.books("invoices") == []


async def test_a_discount_is_taken_off_before_tax_and_shared_to_the_paisa(floor: Floor) -> None:
    await floor.variant("AQ-1", rate="18", hsn="38249900")
    await floor.stage.run()
    invoice = await sold(
        floor, Line("BF-1", 3, "333.33"), Line("AQ-1", 1, "100.01"), discount="100.00", tax="61.82", total="1061.82"
    )
    assert invoice["total"] == 1061.82


async def test_shipping_of_a_mixed_order_is_held_until_a_policy_says_how_it_is_taxed(floor: Floor) -> None:
    await floor.variant("AQ-1", rate="18", hsn="38249900")
    order = await floor.order([Line("BF-1", 1, "1000.00"), Line("AQ-1", 1, "1000.00")], shipping="100.00", tax="241.50")
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "shipping_policy_unset_for_mixed_rates"
    await floor.policy(shipping_tax="apportion")
    await floor.stage.shop.execute("select zohosync.release_holds('another')")
    await floor.stage.run()
    invoice = await floor.only("invoices")
    assert invoice["total"] == 2341.5
    assert [line["item_total"] for line in invoice["line_items"]] == [1000.0, 1000.0, 50.0, 50.0]


async def test_exempt_goods_carry_no_tax_and_need_no_rate(floor: Floor) -> None:
    office = await floor.stage.services.books_desk.office()
    await floor.policy(exemption_id=next(one.id for one in office.exemptions if one.type == "item"))
    await floor.policy(default_gst_rate="5")
    await floor.variant("SD-1", rate=None, category="exempt", hsn="120991")
    await floor.stage.run()
    invoice = await sold(floor, Line("SD-1", 4, "300.00"), tax="0")
    assert (invoice["total"], invoice["tax_total"], invoice["taxes"]) == (1200.0, 0.0, [])


async def test_prices_that_contain_the_tax_make_an_inclusive_invoice(floor: Floor) -> None:
    await floor.policy(price_basis="inclusive")
    invoice = await sold(floor, Line("BF-1", 1, "99.00"))
    assert (invoice["total"], invoice["is_inclusive_tax"]) == (99.0, True)
    document = await floor.document()
    assert (document["taxable_value"], document["cgst"], document["sgst"]) == (
        Decimal("94.28"),
        Decimal("2.36"),
        Decimal("2.36"),
    )


async def test_what_was_charged_is_the_gross_whatever_the_shop_called_tax(floor: Floor) -> None:
    """The old cart charged a flat 18 % on goods of 5 %: the customer paid 531, and 5 % of that is tax."""
    await floor.policy(price_basis="as_charged")
    invoice = await sold(floor, Line("BF-1", 1, "450.00"), tax="81.00")
    assert invoice["total"] == 531.0
    document = await floor.document()
    assert document["taxable_value"] + document["cgst"] + document["sgst"] == Decimal("531.00")
    assert document["cgst"] == document["sgst"] == Decimal("12.64")


async def test_a_tax_that_does_not_fit_the_rates_holds_the_order_and_says_what_was_reckoned(floor: Floor) -> None:
    await floor.pay(await floor.order([Line("BF-1", 1, "450.00")], tax="81.00"))
    await floor.stage.run()
    held = await floor.operation()
    assert held["error_code"] == "total_mismatch"
    assert "531" in held["error_message"]
    assert "472.5" in held["error_message"]


async def test_one_order_may_have_another_basis_by_a_persons_word(floor: Floor) -> None:
    order = await floor.order([Line("BF-1", 1, "450.00")], tax="81.00")
    await floor.stage.shop.execute(
        """insert into zohosync.override (entity, record_id, field, value, reason, set_by)
           values ('order', %s, 'price_basis', 'as_charged', 'The old cart.', 'admin@example.com')""",
        (order,),
    )
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.only("invoices"))["total"] == 531.0


async def test_free_goods_stay_on_the_invoice(floor: Floor) -> None:
    await floor.variant("GIFT", price="0.00")
    await floor.stage.run()
    invoice = await sold(floor, Line("BF-1", 1, "450.00"), Line("GIFT", 2, "0.00"), tax="22.50")
    assert sorted((line["sku"], line["quantity"], line["rate"]) for line in invoice["line_items"]) == [
        ("BF-1", 1, 450.0),
        ("GIFT", 2, 0.0),
    ]


async def test_a_firm_with_a_gstin_gets_it_on_its_invoice(floor: Floor) -> None:
    user = await floor.stage.register(
        role="b2b_client", company_name="Demo Farms", gst_number="29AAGCB7383J1Z4", email="firm@example.com"
    )
    invoice = await sold(floor, user=user, tax="22.50", ship_to=address(BENGALURU))
    assert (invoice["gst_treatment"], invoice["gst_no"], invoice["place_of_supply"]) == (
        "business_gst",
        "29AAGCB7383J1Z4",
        "KA",
    )


async def test_a_firm_without_a_gstin_is_held(floor: Floor) -> None:
    user = await floor.stage.register(role="b2b_client", company_name="Demo Farms", email="firm@example.com")
    await floor.pay(await floor.order([Line("BF-1")], user=user, tax="22.50"))
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "b2b_without_gstin"


async def test_a_line_whose_variant_has_no_sku_is_never_dropped(floor: Floor) -> None:
    order = await floor.order([Line("BF-1"), Line("BF-1")], tax="45.00")
    await floor.stage.shop.execute(
        "update order_items set variant_id = null where id = (select id from order_items limit 1)"
    )
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "sku_missing"
    (line,) = await fetch_all(floor.stage.shop, "select id::text from order_items where variant_id is null")
    await floor.stage.shop.execute(
        """insert into zohosync.override (entity, record_id, field, value, reason, set_by)
           values ('order', %s, %s, 'BF-1', 'The variant was deleted.', 'admin@example.com')""",
        (order, f"line_sku:{line['id']}"),
    )
    await floor.stage.shop.execute("select zohosync.release_holds((select policies from zohosync.hold limit 1))")
    await floor.stage.run()
    assert [row["sku"] for row in (await floor.only("invoices"))["line_items"]] == ["BF-1", "BF-1"]


async def test_the_order_number_may_be_the_invoice_number(floor: Floor) -> None:
    await floor.policy(invoice_number="order_number")
    invoice = await sold(floor, tax="22.50", number="WEB/26-27/000123")
    assert invoice["invoice_number"] == "WEB/26-27/000123"


async def test_an_order_number_that_is_no_invoice_number_holds_the_order(floor: Floor) -> None:
    await floor.policy(invoice_number="order_number")
    await floor.pay(await floor.order([Line("BF-1")], tax="22.50", number="ORDER#2026-000000123"))
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "invoice_number_invalid"


async def test_an_address_may_be_corrected_by_a_person(floor: Floor) -> None:
    order = await floor.order(
        [Line("BF-1")], tax="22.50", ship_to=address({"city": "Noida", "state": "Delhi NCR", "postal_code": ""})
    )
    await floor.pay(order)
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "state_unresolved"
    await floor.stage.shop.execute(
        """insert into zohosync.override (entity, record_id, field, value, reason, set_by)
           values ('order', %s, 'state', 'Uttar Pradesh', 'Asked the customer.', 'admin@example.com')""",
        (order,),
    )
    await floor.stage.shop.execute("select zohosync.release_holds((select policies from zohosync.hold limit 1))")
    await floor.stage.run()
    assert (await floor.only("invoices"))["place_of_supply"] == "UP"


async def test_odd_json_in_an_address_breaks_nothing(floor: Floor) -> None:
    odd: list[Any] = [[], "text", 7, {"state": {"name": "Telangana"}}, {"state": None}, {"state": ["Telangana"]}]
    for address_json in odd:
        order = await floor.order([Line("BF-1")], tax="22.50")
        await floor.set_order(order, shipping_address=Jsonb(address_json))
        await floor.pay(order)
    await floor.stage.run()
    rows = await fetch_all(
        floor.stage.shop,
        "select status::text, error_code from zohosync.operation where kind = 'books.invoice.push'",
    )
    assert {row["status"] for row in rows} == {"failed"}
    assert "unexpected_error" not in {row["error_code"] for row in rows}


async def test_a_line_without_a_sku_is_told_once(floor: Floor) -> None:
    order = await floor.order([Line("BF-1"), Line("BF-1")], tax="45.00")
    await floor.stage.shop.execute("update order_items set variant_id = null")
    await floor.stage.shop.execute("update orders set shipping_address = '{}', billing_address = '{}'")
    await floor.pay(order)
    await floor.stage.run()
    held = await floor.operation()
    assert held["error_code"] == "sku_missing"
    assert held["error_message"].startswith("3 things are to be corrected: A line of ")
    assert "The order has no delivery address" in held["error_message"]
    assert "zohosync override set order " in held["error_hint"]


async def test_a_rate_that_was_decided_on_is_invoiced(floor: Floor) -> None:
    await floor.stage.shop.execute("update product_variants set gst_rate = 12")
    await floor.pay(await floor.order([Line("BF-1")], tax="54.00"))
    await floor.stage.run()
    assert (await floor.operation())["error_code"] == "rate_not_in_force"
    await floor.policy(more_rates=["12"])
    await floor.stage.shop.execute("select zohosync.release_holds('another')")
    await floor.stage.run()
    assert (await floor.operation())["error_code"] != "rate_not_in_force"
