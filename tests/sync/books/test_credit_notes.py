"""books.credit_note.push: every refund of an invoiced order one credit note."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from books.floor import BENGALURU, Floor, Line, address, open_floor
from books.test_exactly_one import come_to_rest
from books.test_links_by_hand import look, part
from books.test_watch import in_books
from conftest import Database
from zohosync.db.pool import fetch_all
from zohosync.sync.books.links_by_hand import make_link, undo_link
from zohosync.sync.books.resolving import decide

KIND = "books.credit_note.push"


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database) as opened:
        yield opened


async def sell(floor: Floor, *lines: Line, rate: str = "5", **more: str) -> str:
    """An order that was invoiced and paid; its id."""
    for line in lines:
        await floor.variant(line.sku, rate=rate)
    subtotal = sum((Decimal(line.price) * line.quantity for line in lines), Decimal(0))
    tax = (subtotal * Decimal(rate) / 100).quantize(Decimal("0.01"))
    order = await floor.order(lines, tax=str(tax), **more)
    await floor.pay(order)
    await come_to_rest(floor)
    assert (await floor.only("invoices"))["status"] == "paid"
    return order


async def refund(floor: Floor, order: str, **more: str) -> None:
    """The shop gives the money back."""
    for column in more:
        kind = "timestamptz" if column.endswith("_at") else "text"
        await floor.stage.shop.execute(f"alter table orders add column if not exists {column} {kind}".encode())
    await floor.set_order(order, payment_status="refunded", status="refunded", **more)


async def bank(floor: Floor) -> str:
    """An account refunds are paid from, chosen by an administrator."""
    office = await floor.stage.services.books_desk.office()
    account = next(account for account in office.accounts if account.type in ("cash", "bank"))
    await floor.policy(refund_account_id=account.id)
    return account.id


async def stock_of(floor: Floor, sku: str) -> Decimal | None:
    (item,) = await floor.stage.services.books.find_items_by_sku(sku)
    read = await floor.stage.services.books.item(item.id)
    return read.stock if read else None


async def test_a_refund_of_all_is_credited_paid_back_and_the_goods_are_in_stock_again(floor: Floor) -> None:
    account = await bank(floor)
    await floor.policy(goods_returned="yes")
    order = await sell(floor, Line("BF-1", 2))
    assert await stock_of(floor, "BF-1") == 98
    await refund(floor, order)
    await come_to_rest(floor)
    note, invoice = await floor.only("creditnotes"), await floor.only("invoices")
    assert (note["total"], note["balance"], note["place_of_supply"]) == (945.0, 0.0, "TS")
    assert note["reference_number"] == invoice["reference_number"]
    (line,) = note["line_items"]
    assert (line["quantity"], line["rate"], line["hsn_or_sac"]) == (2, 450.0, "31059090")
    (paid,) = await floor.stage.services.books.credit_note_refunds(note["creditnote_id"])
    assert (paid.amount, paid.account_id) == (Decimal("945.00"), account)
    assert await stock_of(floor, "BF-1") == 100
    document = await floor.document("creditnotes")
    assert (document["step"], document["settled_amount"]) == ("settled", Decimal("945.00"))
    assert (await floor.operation(KIND))["status"] == "succeeded"


async def test_a_credit_note_keeps_the_rate_of_the_invoice_and_its_place(floor: Floor) -> None:
    await bank(floor)
    await floor.policy(goods_returned="yes")
    order = await sell(floor, Line("BF-1", 2), ship_to=address(BENGALURU))
    await floor.stage.shop.execute("update product_variants set gst_rate = 18")
    await refund(floor, order)
    await come_to_rest(floor)
    note = await floor.only("creditnotes")
    assert (note["total"], note["place_of_supply"]) == (945.0, "KA")
    assert {tax["tax_name"].split(" ")[0]: tax["tax_amount"] for tax in note["taxes"]} == {"IGST5": 45.0}


async def test_goods_that_did_not_come_back_stay_out_of_stock(floor: Floor) -> None:
    await bank(floor)
    await floor.policy(goods_returned="no")
    order = await sell(floor, Line("BF-1", 2))
    await refund(floor, order)
    await come_to_rest(floor)
    note = await floor.only("creditnotes")
    assert note["total"] == 945.0
    assert not note["line_items"][0].get("item_id")
    assert await stock_of(floor, "BF-1") == 98


async def test_nobody_guesses_whether_goods_came_back(floor: Floor) -> None:
    await bank(floor)
    order = await sell(floor, Line("BF-1"))
    await refund(floor, order)
    await come_to_rest(floor)
    operation = await floor.operation(KIND)
    assert (operation["status"], operation["error_code"]) == ("failed", "goods_returned_unknown")
    assert await floor.books("creditnotes") == []
    await floor.policy(goods_returned="yes")
    async with floor.stage.services.pool.connection() as connection:
        policies = await floor.stage.services.books_desk.policies(connection)
        await connection.execute("select zohosync.release_holds(%s)", (policies.digest,))
    await come_to_rest(floor)
    assert (await floor.only("creditnotes"))["total"] == 472.5


async def test_a_part_of_the_money_is_credited_without_goods(floor: Floor) -> None:
    await bank(floor)
    order = await sell(floor, Line("BF-1", 2))
    await refund(floor, order, refund_amount="105.00")
    await come_to_rest(floor)
    note = await floor.only("creditnotes")
    assert (note["total"], note["balance"]) == (105.0, 0.0)
    assert sum(tax["tax_amount"] for tax in note["taxes"]) == 5.0
    assert await stock_of(floor, "BF-1") == 98


async def test_more_than_was_invoiced_is_held(floor: Floor) -> None:
    await bank(floor)
    order = await sell(floor, Line("BF-1"))
    await refund(floor, order, refund_amount="5000.00")
    await come_to_rest(floor)
    assert (await floor.operation(KIND))["error_code"] == "credit_exceeds_invoice"
    assert await floor.books("creditnotes") == []


async def test_without_an_account_the_credit_stays_open_and_says_so(floor: Floor) -> None:
    await floor.policy(goods_returned="no")
    order = await sell(floor, Line("BF-1"))
    await refund(floor, order)
    await come_to_rest(floor)
    assert (await floor.only("creditnotes"))["balance"] == 472.5
    operation = await floor.operation(KIND)
    assert operation["status"] == "succeeded"
    assert "which account" in operation["warnings"][0]
    await bank(floor)
    await ask(floor, order)
    assert (await floor.only("creditnotes"))["balance"] == 0.0
    assert (await floor.document("creditnotes"))["step"] == "settled"


async def ask(floor: Floor, order: str) -> None:
    """Somebody presses Sync now."""
    await floor.stage.shop.execute(
        """select zohosync.enqueue(array['books.credit_note.push'], array['sales'::zohosync.lane], array['refund'],
                                   array[%s], 'manual')""",
        (order,),
    )
    await come_to_rest(floor)


async def test_what_was_never_invoiced_is_never_credited(floor: Floor) -> None:
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1")], tax="22.50")
    await refund(floor, order)
    await come_to_rest(floor)
    await ask(floor, order)
    assert (await floor.operation(KIND))["action"] == "never_invoiced"
    assert await floor.books("creditnotes") == []


async def test_a_void_invoice_is_not_credited(floor: Floor) -> None:
    await bank(floor)
    order = await sell(floor, Line("BF-1"))
    invoice = await floor.only("invoices")
    payment = await floor.only("customerpayments")
    await floor.stage.services.books.delete_payment(payment["payment_id"])
    await floor.stage.services.books.void_invoice(invoice["invoice_id"])
    await refund(floor, order)
    await come_to_rest(floor)
    assert (await floor.operation(KIND))["action"] == "invoice_void"
    assert await floor.books("creditnotes") == []


async def test_the_credit_of_an_unpaid_invoice_pays_it_and_nothing_is_paid_back(floor: Floor) -> None:
    await bank(floor)
    await floor.policy(goods_returned="yes")
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1", 2)], tax="45.00", method="cod")
    await floor.set_order(order, status="shipped")
    await come_to_rest(floor)
    assert (await floor.only("invoices"))["balance"] == 945.0
    await refund(floor, order)
    await come_to_rest(floor)
    assert (await floor.only("invoices"))["balance"] == 0.0
    note = await floor.only("creditnotes")
    assert note["balance"] == 0.0
    assert await floor.stage.services.books.credit_note_refunds(note["creditnote_id"]) == ()


async def test_a_refund_that_changes_afterwards_becomes_a_finding(floor: Floor) -> None:
    await bank(floor)
    order = await sell(floor, Line("BF-1", 2))
    await refund(floor, order, refund_amount="105.00")
    await come_to_rest(floor)
    await floor.set_order(order, refund_amount="210.00")
    await come_to_rest(floor)
    findings = await fetch_all(floor.stage.shop, "select code, message from zohosync.finding")
    assert [finding["code"] for finding in findings] == ["refund_changed_after_credit"]
    assert len(await floor.books("creditnotes")) == 1


async def test_a_refund_told_twice_is_one_credit_note(floor: Floor) -> None:
    await bank(floor)
    await floor.policy(goods_returned="yes")
    order = await sell(floor, Line("BF-1"))
    await refund(floor, order)
    await refund(floor, order)
    await come_to_rest(floor)
    await ask(floor, order)
    assert len(await floor.books("creditnotes")) == 1
    assert (await floor.operation(KIND))["action"] == "identical"


async def edit_line(floor: Floor, rate: int, quantity: int, **more: str) -> None:
    """The accountant changes the only line of the only invoice."""
    invoice = await floor.only("invoices")
    (line,) = invoice["line_items"]
    kept = {name: line[name] for name in ("line_item_id", "item_id", "tax_id")}
    change = {"line_items": [{**kept, "rate": rate, "quantity": quantity, **more}]}
    await in_books(floor, "PUT", f"/invoices/{invoice['invoice_id']}", change)


async def deliver_on_credit(floor: Floor) -> str:
    """An order that was invoiced and is not paid yet; its id."""
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1", 2)], tax="45.00", method="cod")
    await floor.set_order(order, status="shipped")
    await come_to_rest(floor)
    return order


@pytest.mark.parametrize(("rate", "quantity"), [(400, 2), (900, 1)])
async def test_an_invoice_that_was_edited_in_books_is_credited_by_a_person(
    floor: Floor, rate: int, quantity: int
) -> None:
    await bank(floor)
    await floor.policy(goods_returned="yes")
    order = await deliver_on_credit(floor)
    await edit_line(floor, rate, quantity)
    await refund(floor, order)
    await come_to_rest(floor)
    operation = await floor.operation(KIND)
    assert (operation["status"], operation["error_code"]) == ("failed", "invoice_edited")
    assert "zohosync link refund ORD-00001 creditnotes" in operation["error_hint"]
    assert await floor.books("creditnotes") == []


async def part_from_credit_note(floor: Floor, order: str) -> None:
    async with floor.stage.services.pool.connection() as connection:
        await undo_link(
            connection,
            entity="refund",
            record_id=order,
            module="creditnotes",
            reason="the wrong one",
            by="admin@example.com",
        )


async def test_money_that_went_back_once_goes_back_again_only_when_a_person_says_so(floor: Floor) -> None:
    await bank(floor)
    await floor.policy(goods_returned="yes")
    order = await sell(floor, Line("BF-1", 2))
    await refund(floor, order)
    await come_to_rest(floor)
    await part_from_credit_note(floor, order)
    await ask(floor, order)
    operation = await floor.operation(KIND)
    assert (operation["status"], operation["error_code"]) == ("failed", "refund_already_paid")
    assert sorted(note["balance"] for note in await floor.books("creditnotes")) == [0.0, 945.0]
    (finding,) = await fetch_all(floor.stage.shop, "select finding_id, code from zohosync.finding")
    assert finding["code"] == "refund_already_paid"
    async with floor.stage.services.pool.connection() as connection:
        await decide(
            connection,
            finding_id=finding["finding_id"],
            action="send",
            reason="the first one bounced",
            by="admin@example.com",
            is_admin=True,
        )
    await come_to_rest(floor)
    assert (await floor.operation(KIND))["status"] == "succeeded"
    assert [note["balance"] for note in await floor.books("creditnotes")] == [0.0, 0.0]


async def test_the_exempt_invoice_a_person_linked_is_credited(floor: Floor) -> None:
    await bank(floor)
    await floor.policy(goods_returned="no")
    office = await floor.stage.services.books_desk.office()
    await floor.policy(exemption_id=next(one.id for one in office.exemptions if one.type == "item"))
    await floor.variant("E-1", rate=None, category="exempt", hsn="12099190")
    order = await floor.order([Line("E-1", 2)])
    await floor.pay(order)
    await come_to_rest(floor)
    await link_again(floor, order)
    assert (await floor.document())["supply_type"] == "intra"
    await refund(floor, order)
    await come_to_rest(floor)
    assert (await floor.only("creditnotes"))["total"] == 900.0


async def test_the_inclusive_invoice_a_person_linked_is_credited(floor: Floor) -> None:
    await bank(floor)
    await floor.policy(goods_returned="no", price_basis="inclusive")
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1", 2)], discount="45", shipping="60", total="915")
    await floor.pay(order)
    await come_to_rest(floor)
    await link_again(floor, order)
    await refund(floor, order)
    await come_to_rest(floor)
    assert (await floor.operation(KIND))["status"] == "succeeded", (await floor.operation(KIND))["error_message"]
    assert (await floor.only("creditnotes"))["total"] == 915.0


async def link_again(floor: Floor, order: str) -> None:
    """A person parts the order from its invoice, and links the same one."""
    await part(floor, order)
    found = await look(floor, order, (await floor.only("invoices"))["invoice_number"])
    organisation = await floor.stage.services.books_desk.organisation_id()
    async with floor.stage.services.pool.connection() as connection:
        await make_link(connection, found, organisation_id=organisation, reason="it is", by="admin@example.com")
