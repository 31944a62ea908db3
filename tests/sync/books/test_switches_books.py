"""Whatever Books does where its documentation is silent, the same documents arrive, or an order says why it waits."""

from decimal import Decimal
from typing import Any

import pytest

from books.floor import BENGALURU, Floor, Line, address, open_floor
from books.test_credit_notes import bank
from books.test_estimates import ask_for_quote
from books.test_exactly_one import define_unique_fields
from conftest import Database
from switch_positions import positions_of
from zohosim.switches import SWITCHES
from zohosync.db.pool import fetch_all, fetch_one

GSTIN = "36AAPFU0939F1ZW"
NOTHING = Decimal(0)
PAISE = Decimal("0.02")
"""How far the tax of a document may be from the law's: what a rounding of another kind makes of its lines."""

EXPECTED: dict[str, tuple[str, tuple[str, str, str]]] = {
    "ODD": ("1061.82", ("30.91", "30.91", "0")),
    "AFAR": ("2341.50", ("0", "0", "241.50")),
    "PLAIN": ("945.00", ("22.50", "22.50", "0")),
    "QUOTED": ("4725.00", ("112.50", "112.50", "0")),
    "INCLUSIVE": ("99.00", ("2.36", "2.36", "0")),
    "UNIQUE": ("472.50", ("11.25", "11.25", "0")),
    "SCARCE": ("945.00", ("22.50", "22.50", "0")),
    "TAKEN": ("472.50", ("11.25", "11.25", "0")),
}
"""Each order with the total that was charged and its CGST, SGST and IGST."""

TAKEN = {"TAKEN": "books_number_taken"}
"""The order whose number an invoice of the accountant's has; it waits in every position."""

HELD: dict[tuple[str, Any], dict[str, str]] = {
    ("books_transaction_rounding", "nearest_whole"): dict.fromkeys(("ODD", "AFAR", "UNIQUE"), "total_mismatch"),
    ("books_transaction_rounding", "nearest_increment"): {"ODD": "total_mismatch"},
    ("books_bare_discount", "percent"): {"ODD": "document_differs"},
    ("books_invoices_may_oversell", False): {"SCARCE": "books_stock_short"},
    ("books_duplicate_number_code", 4091): {"TAKEN": "zoho_refused"},
}
"""Orders that wait for a person in a position, and why; in all others every order is invoiced."""

OF_NO_DOCUMENT = frozenset({"books_minute_window", "books_refused_calls_count", "books_payment_webhook_node"})
"""What no document can meet: how calls are counted, and what webhooks look like."""

POSITIONS = [
    (switch.name, position)
    for switch in SWITCHES
    if switch.name.startswith("books_") and switch.name not in OF_NO_DOCUMENT
    for position in positions_of(switch)
    if position != switch.default
]


async def sell(floor: Floor, number: str, *lines: Line, **order: Any) -> str:
    """A paid order, worked through."""
    order_id = await floor.order(lines, number=number, **order)
    await floor.pay(order_id)
    await come_to_rest(floor)
    return order_id


async def come_to_rest(floor: Floor) -> None:
    """Until nothing is due, whatever waits or is tried again."""
    for _ in range(3):
        await floor.stage.run()
        await floor.stage.due_now()
    await floor.stage.run()


async def staff(floor: Floor, method: str, path: str, **more: Any) -> dict[str, Any]:
    """Somebody at work in Books."""
    organisation = await floor.stage.services.books_desk.organisation_id()
    answer = await floor.stage.zoho.request(
        method,
        f"/books/v3/{path}",
        params={"organization_id": organisation},
        headers=await floor.stage.staff_login(),
        **more,
    )
    assert answer.is_success, answer.text
    return dict(answer.json())


async def play(floor: Floor) -> None:
    """What a shop and its accountant do in a week."""
    await floor.stage.zoho.post("/_sim/books/limits", json={"calls": 100_000})
    await bank(floor)
    await floor.policy(goods_returned="yes", shipping_tax="apportion")
    await namesake(floor)
    await floor.variant("BF-1")
    await floor.variant("AQ-1", rate="18", hsn="38249900")
    user = await floor.stage.register()
    await sell(floor, "ODD", Line("BF-1", 3, "333.33"), Line("AQ-1", 1, "100.01"), user=user, discount="100.00",
               tax="61.82", total="1061.82")  # fmt: skip
    await sell(floor, "AFAR", Line("BF-1", 1, "1000.00"), Line("AQ-1", 1, "1000.00"), shipping="100.00",
               tax="241.50", ship_to=address(BENGALURU, email="guest@example.com"))  # fmt: skip
    await staff_at_work(floor)
    plain = await sell_to_a_customer_who_changed(floor, user)
    await sell_from_a_quote(floor)
    await floor.set_order(plain, payment_status="refunded", status="refunded")
    await floor.policy(price_basis="inclusive")
    await sell(floor, "INCLUSIVE", Line("BF-1", 1, "99.00"), user=user)
    await floor.policy(price_basis="exclusive")
    await floor.variant("SC-1", stock=1)
    await sell(floor, "SCARCE", Line("SC-1", 2), user=user, tax="45.00")
    await sell_under_a_number_that_is_taken(floor, user)
    await define_unique_fields(floor)
    await sell(floor, "UNIQUE", Line("BF-1", 1), user=user, tax="22.50")


async def namesake(floor: Floor) -> None:
    """An inactive item of the accountant's has the name of goods the shop is about to have."""
    made = await staff(floor, "POST", "items", json={"name": "Goods BF-1", "rate": 1, "sku": "OLD-1"})
    await staff(floor, "POST", f"items/{made['item']['item_id']}/inactive")


async def staff_at_work(floor: Floor) -> None:
    """The accountant switches the customer off, and deletes an item that was never sold."""
    (contact,) = [row for row in await floor.books("contacts") if row["email"] == "customer@example.com"]
    await staff(floor, "POST", f"contacts/{contact['contact_id']}/inactive")
    await floor.variant("BF-2")
    await floor.stage.run()
    (item,) = [row for row in await floor.books("items") if row["sku"] == "BF-2"]
    await staff(floor, "DELETE", f"items/{item['item_id']}")
    floor.stage.sim.clock.advance(3_700)  # the access token ends


async def sell_to_a_customer_who_changed(floor: Floor, user: str) -> str:
    await floor.stage.shop.execute(
        "update users set phone = '+919876543211', last_name = 'Renamed' where id = %s", (user,)
    )
    return await sell(floor, "PLAIN", Line("BF-1"), Line("BF-2"), user=user, tax="45.00")


async def sell_under_a_number_that_is_taken(floor: Floor, user: str) -> None:
    (contact,) = [row for row in await floor.books("contacts") if row["email"] == "guest@example.com"]
    (item,) = [row for row in await floor.books("items") if row["sku"] == "AQ-1"]
    tax_id = (await floor.stage.services.books_desk.office()).taxes.igst[Decimal(18)]
    by_hand = {
        "customer_id": contact["contact_id"],
        "invoice_number": "TAKEN",
        "line_items": [{"item_id": item["item_id"], "rate": 1, "quantity": 1, "tax_id": tax_id}],
    }
    await floor.stage.services.books.create_invoice(by_hand, own_number=True)
    await floor.policy(invoice_number="order_number")
    await sell(floor, "TAKEN", Line("BF-1"), user=user, tax="22.50")
    await floor.policy(invoice_number="zoho")


async def sell_from_a_quote(floor: Floor) -> None:
    quote = await ask_for_quote(floor, Line("BF-1", 10), email="company@example.com", status="submitted")
    row = await fetch_one(floor.stage.shop, "select user_id::text from b2b_quotes")
    assert row
    await floor.stage.shop.execute("update users set gst_number = %s where id = %s", (GSTIN, row["user_id"]))
    await floor.stage.shop.execute("update b2b_quotes set status = 'approved'")
    order = await floor.order([Line("BF-1", 10)], number="QUOTED", user=row["user_id"], tax="225.00")
    await floor.stage.shop.execute("update b2b_quotes set linked_order_id = %s where id = %s", (order, quote))
    await floor.pay(order)
    await come_to_rest(floor)


async def judge(floor: Floor, held: dict[str, str]) -> None:
    """Every order one right invoice, or a reason and no more than a draft."""
    told = await fetch_all(
        floor.stage.shop,
        """select distinct on (p.order_number) p.order_number, o.status::text as ended, o.error_code, o.error_message,
                  o.error_hint, d.books_total, d.books_cgst, d.books_sgst, d.books_igst, d.round_off
             from orders p join zohosync.operation o on o.record_id = p.id::text and o.kind = 'books.invoice.push'
             left join zohosync.document d on d.record_id = p.id::text and d.module = 'invoices'
            order by p.order_number, o.status = 'succeeded' desc, o.operation_id desc""",
    )
    waiting = {row["order_number"]: row["error_code"] for row in told if row["ended"] != "succeeded"}
    assert waiting == held, [row["error_message"] for row in told if row["order_number"] in waiting]
    invoices = await floor.books("invoices")
    assert {row["order_number"] for row in told} == set(EXPECTED)
    for row in told:
        made = [one for one in invoices if one["reference_number"] == row["order_number"]]
        if row["order_number"] in held:
            assert row["ended"] == "failed"
            assert row["error_hint"]
            assert [one["status"] for one in made] in ([], ["draft"])
            continue
        total, legs = EXPECTED[row["order_number"]]
        assert [(Decimal(str(one["total"])), one["status"]) for one in made] == [(Decimal(total), "paid")], row
        assert row["books_total"] == Decimal(total)
        seen = (row["books_cgst"], row["books_sgst"], row["books_igst"])
        assert all(abs(mine - Decimal(theirs)) <= PAISE for mine, theirs in zip(seen, legs, strict=True)), row


async def judge_the_rest(floor: Floor, held: dict[str, str]) -> None:
    """One estimate, one credit note paid back, one payment for each invoice, nobody and nothing twice."""
    (estimate,) = await floor.books("estimates")
    assert estimate["total"] == 4725.0
    assert estimate["status"] in ("sent", "invoiced")
    (note,) = await floor.books("creditnotes")
    assert (note["total"], note["balance"]) == (945.0, 0.0)
    paid = {row["reference_number"]: row["amount"] for row in await floor.books("customerpayments")}
    assert paid == {number: float(total) for number, (total, _) in EXPECTED.items() if number not in held}
    people = [(row["email"], row["gst_no"] or "") for row in await floor.books("contacts")]
    assert sorted(people) == [("company@example.com", GSTIN), ("customer@example.com", ""), ("guest@example.com", "")]
    skus = [row["sku"] for row in await floor.books("items")]
    assert sorted(skus) == sorted({*skus})
    assert {"AQ-1", "BF-1", "BF-2", "SC-1", "OLD-1"} <= set(skus)


@pytest.mark.parametrize(("name", "position"), [("the default", None), *POSITIONS])
async def test_the_same_documents_arrive_in_every_position(database: Database, name: str, position: Any) -> None:
    async with open_floor(database, sim_minute=0.05, books_daily_calls=100_000) as floor:
        if position is not None:
            floor.stage.sim.switches.set({name: position})
        await play(floor)
        held = TAKEN | HELD.get((name, position), {})
        await judge(floor, held)
        await judge_the_rest(floor, held)
