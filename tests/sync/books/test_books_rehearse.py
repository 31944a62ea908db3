"""A rehearsal of past orders tells what would be held before anything is sent, and touches nothing."""

from collections.abc import AsyncIterator

import pytest

from books.floor import BENGALURU, Floor, Line, address, open_floor
from books.test_estimates import ask_for_quote
from conftest import Database
from sync.test_rehearse import API_ACCOUNTS, contents, counts, found, run
from zohosync.db.pool import fetch_all
from zohosync.queue.foresight import Section
from zohosync.store.installation import go_live


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    """A shop with a past, connected and not live yet."""
    async with open_floor(database, live=False) as opened:
        yield opened


async def trade(floor: Floor) -> None:
    """Past orders: good ones, and one of each kind that would be held."""
    await floor.variant("BF-1")
    await floor.variant("NO-RATE", rate=None)
    user = await floor.stage.register()
    for sort, values in (
        ("fine", {"user": user}),
        ("fine elsewhere", {"ship_to": address(BENGALURU)}),
        ("bad phone", {"ship_to": address(phone="call me")}),
        ("nowhere", {"ship_to": address({"city": "", "state": "Nowhere", "postal_code": ""})}),
        ("dear", {"total": "999.99"}),
    ):
        order = await floor.order([Line("BF-1", 2)], tax="45.00", number=f"ORD {sort}", **values)
        await floor.pay(order)
    await floor.pay(await floor.order([Line("NO-RATE", 2), Line("NO-RATE")], tax="67.50", number="ORD rateless"))
    await floor.order([], payment_status="paid", total="472.50", number="ORD empty")
    await floor.order([Line("BF-1")], tax="22.50", number="ORD unpaid")


async def test_past_orders_are_judged_as_if_they_were_due(floor: Floor) -> None:
    await trade(floor)
    report = await run(floor.stage)
    assert counts(report, "order") == (7, 2, 1, 1, 3)
    causes = found(report, "order")
    assert {code: (group.section, group.count) for code, group in causes.items()} == {
        "state_unresolved": (Section.REFUSED, 1),
        "total_mismatch": (Section.REFUSED, 1),
        "gst_rate_missing": (Section.REFUSED, 1),
        "not_ready": (Section.WAITING, 1),
        "phone_invalid": (Section.WARNED, 1),
    }
    assert causes["gst_rate_missing"].message == "Goods have no GST rate."
    assert causes["gst_rate_missing"].examples[0].label == "ORD rateless"
    assert "NO-RATE" in causes["gst_rate_missing"].examples[0].detail
    assert counts(report, "variant") == (2, 0, 1, 1, 0)
    assert set(found(report, "variant")) == {"gst_rate_missing", "cost_unknown"}
    assert report.shortcomings == []


async def test_orders_older_than_golive_are_judged_all_the_same(floor: Floor) -> None:
    await trade(floor)
    async with floor.stage.services.pool.connection() as connection:
        await go_live(connection, floor.stage.services.sources)
    assert counts(await run(floor.stage), "order") == (7, 2, 1, 1, 3)


async def test_nothing_is_written_and_books_is_asked_for_the_office_alone(floor: Floor) -> None:
    await trade(floor)
    before, asked = await contents(floor.stage), len(await floor.stage.calls(service="books"))
    await run(floor.stage)
    after = await contents(floor.stage)
    assert {name for name in before if before[name] != after[name]} <= API_ACCOUNTS
    calls = (await floor.stage.calls(service="books"))[asked:]
    assert {call["method"] for call in calls} == {"GET"}
    assert len(calls) == 4


async def test_open_policies_hold_every_order_and_are_told_once_with_their_remedy(floor: Floor) -> None:
    await trade(floor)
    await floor.stage.shop.execute("delete from zohosync.policy")
    group = found(await run(floor.stage), "order")["price_basis_unknown"]
    assert group.count == 6
    assert "zohosync policy set price_basis" in group.remedy


async def test_a_rate_books_has_no_tax_for_is_told(floor: Floor) -> None:
    await floor.variant("ODD", rate="18")
    taxes = (await floor.stage.services.books_desk.office()).taxes
    for kind in (taxes.groups, taxes.igst):
        assert isinstance(kind, dict)
        kind.clear()
    await floor.pay(await floor.order([Line("ODD")], tax="81.00"))
    assert found(await run(floor.stage), "order")["books_tax_absent"].section is Section.REFUSED


async def test_a_dead_books_still_leaves_gst_to_be_judged(floor: Floor) -> None:
    await trade(floor)
    await floor.stage.fault("http_500_before_commit", match={"service": "books"}, count=50)
    report = await run(floor.stage)
    assert counts(report, "order") == (7, 2, 1, 1, 3)
    assert "Zoho Books was not asked" in report.shortcomings[0]


async def test_quotes_and_refunds_are_judged_as_if_they_were_made(floor: Floor) -> None:
    await floor.variant("BF-1")
    await ask_for_quote(floor, Line("BF-1", 2))
    order = await floor.order([Line("BF-1", 2)], tax="45.00")
    await floor.pay(order)
    await floor.set_order(order, payment_status="refunded", status="refunded")
    report = await run(floor.stage)
    assert found(report, "approved_quote")["b2b_without_gstin"].section is Section.REFUSED
    assert found(report, "refund")["goods_returned_unknown"].section is Section.REFUSED
    await floor.policy(goods_returned="no", b2b_without_gstin="unregistered")
    report = await run(floor.stage)
    assert counts(report, "approved_quote") == (1, 1, 0, 0, 0)
    assert set(found(report, "refund")) == {"refund_account_unset"}


async def test_a_rehearsal_of_orders_foretells_what_becomes_of_them(database: Database) -> None:
    """The proof: the same orders are rehearsed and then really pushed."""
    async with open_floor(database) as floor:
        await trade(floor)
        foretold = {
            example.label: group.code
            for group in (await run(floor.stage)).groups
            if group.entity == "order" and group.section is Section.REFUSED
            for example in group.examples
        }
        await floor.stage.run()
        failed = await fetch_all(
            floor.stage.shop,
            "select label, error_code from zohosync.operation where kind = 'books.invoice.push' and status = 'failed'",
        )
        assert {row["label"]: row["error_code"] for row in failed} == foretold
        report = await run(floor.stage)
        assert found(report, "order")["linked"].count == 3
        assert found(report, "variant")["linked"].count == 1
        assert counts(report, "buyer")[0] == 1


async def test_exempt_goods_without_a_clear_exemption_hold_their_orders(floor: Floor) -> None:
    await floor.variant("SEED", rate="0", category="exempt", hsn="12099190")
    await floor.pay(await floor.order([Line("SEED")]))
    assert found(await run(floor.stage), "order")["books_exemption_unclear"].section is Section.REFUSED


async def test_goods_the_shop_no_longer_has_are_a_warning(floor: Floor) -> None:
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1")], tax="22.50")
    await floor.pay(order)
    await floor.stage.shop.execute("update order_items set variant_id = null")
    causes = found(await run(floor.stage), "order")
    assert (causes["sku_missing"].section, causes["item_absent"].section) == (Section.REFUSED, Section.WARNED)
