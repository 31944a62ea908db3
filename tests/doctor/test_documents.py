"""What doctor says about documents of Zoho Books, well and unwell."""

from collections.abc import AsyncIterator

import pytest

from conftest import Database
from doctor.practice import levels, look, look_once
from doctor.test_zoho import set_login
from stage import Stage
from sync.books.floor import Floor, Line, open_floor
from zohosync.store.findings import report_finding
from zohosync.sync.doctor.finding import Level
from zohosync.zoho import scopes


@pytest.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with open_floor(database) as opened:
        yield opened


async def policies_of(stage: Stage) -> dict[str, Level]:
    return {finding.data.get("policy", ""): finding.level for finding in await look(stage, "document_policies")}


async def test_open_decisions_are_told_as_far_as_the_orders_need_them(floor: Floor) -> None:
    assert await policies_of(floor.stage) == {"": Level.OK}
    await floor.variant("BF-1")
    order = await floor.order([Line("BF-1")], tax="22.50", shipping="50.00", payment_status="paid")
    await floor.set_order(order, status="refunded", payment_status="refunded")
    await floor.order([Line("BF-1")], tax="22.50", shipping="50.00", payment_status="paid")
    await floor.stage.shop.execute("delete from zohosync.policy")
    assert await policies_of(floor.stage) == {
        "price_basis": Level.WRONG,
        "shipping_tax": Level.REMARK,
        "goods_returned": Level.REMARK,
        "deposit_accounts": Level.REMARK,
        "refund_account_id": Level.REMARK,
    }
    await floor.policy(price_basis="exclusive", shipping_tax="highest", goods_returned="no")
    await floor.policy(deposit_accounts={"razorpay": "460000000000361"})
    assert await policies_of(floor.stage) == {"": Level.OK}


async def test_an_undecided_price_basis_is_a_remark_while_nothing_is_captured(database: Database) -> None:
    async with open_floor(database, live=False) as floor:
        await floor.stage.shop.execute("delete from zohosync.policy")
        assert (await look_once(floor.stage, "document_policies")).level is Level.REMARK


async def test_where_books_is_not_used_nothing_is_to_be_decided(floor: Floor) -> None:
    await floor.stage.shop.execute("delete from zohosync.policy")
    await set_login(floor.stage, books_organisation_id=None)
    assert (await look_once(floor.stage, "document_policies")).level is Level.NOT_CHECKED


async def test_unclear_accounts_exemption_and_state_are_wrong(floor: Floor) -> None:
    assert (await look_once(floor.stage, "document_accounts")).level is Level.OK
    await floor.variant("SEED", rate="0", category="exempt")
    exempt = await look_once(floor.stage, "document_accounts")
    assert (exempt.level, "zohosync policy set exemption_id" in exempt.remedy) == (Level.WRONG, True)
    office = await floor.stage.services.books_desk.office()
    await floor.policy(exemption_id=next(one.id for one in office.exemptions if one.type == "item"))
    assert (await look_once(floor.stage, "document_accounts")).level is Level.OK
    nowhere = floor.stage.sim.seed_books_organisation(state_code="", country_code="US", gst=False)
    await set_login(floor.stage, books_organisation_id=nowhere.id)
    assert levels(await look(floor.stage, "document_accounts")) == {Level.WRONG}


async def test_without_permission_accounts_are_not_judged(floor: Floor) -> None:
    await set_login(floor.stage, scopes=[*scopes.REQUIRED, scopes.BOOKS_SETTINGS_READ])
    assert (await look_once(floor.stage, "document_accounts")).level is Level.NOT_CHECKED


async def test_missing_permissions_of_documents_are_wrong(floor: Floor) -> None:
    assert (await look_once(floor.stage, "books_permissions")).level is Level.OK
    await set_login(floor.stage, scopes=[*scopes.REQUIRED, scopes.BOOKS_SETTINGS_READ])
    finding = await look_once(floor.stage, "books_permissions")
    assert finding.level is Level.WRONG
    assert "ZohoBooks.invoices.CREATE" in finding.data["missing"]
    await set_login(floor.stage, books_organisation_id=None)
    assert (await look_once(floor.stage, "books_permissions")).level is Level.NOT_CHECKED


async def test_kinds_that_came_after_golive_are_named(floor: Floor) -> None:
    assert (await look_once(floor.stage, "document_baseline")).level is Level.OK
    await floor.stage.shop.execute("delete from zohosync.baseline where kind = 'books.invoice.push'")
    finding = await look_once(floor.stage, "document_baseline")
    assert (finding.level, finding.data["kinds"]) == (Level.WRONG, ["books.invoice.push"])
    assert "zohosync golive" in finding.remedy


async def test_before_golive_there_is_no_baseline_to_judge(database: Database) -> None:
    async with open_floor(database, live=False) as floor:
        assert (await look_once(floor.stage, "document_baseline")).level is Level.NOT_CHECKED


async def test_a_key_field_books_does_not_keep_is_wrong(floor: Floor) -> None:
    assert (await look_once(floor.stage, "document_key")).level is Level.OK
    await floor.policy(unique_reference_field="cf_shop_order")
    assert "cf_shop_order" in (await look_once(floor.stage, "document_key")).sentence
    await floor.variant("BF-1")
    await floor.pay(await floor.order([Line("BF-1")], tax="22.50"))
    await floor.stage.run()
    assert (await floor.operation())["status"] == "failed"
    await floor.stage.shop.execute(
        "update zohosync.operation set error_code = 'books_key_not_kept' where status = 'failed'"
    )
    finding = await look_once(floor.stage, "document_key")
    assert (finding.level, finding.data["refused"]) == (Level.WRONG, 1)


async def test_holds_are_counted_by_reason(floor: Floor) -> None:
    assert (await look_once(floor.stage, "document_holds")).level is Level.OK
    await floor.variant("BF-1", rate=None)
    await floor.pay(await floor.order([Line("BF-1")], tax="22.50"))
    await floor.stage.run()
    finding = await look_once(floor.stage, "document_holds")
    assert (finding.level, finding.data) == (Level.REMARK, {"gst_rate_missing": 1})


async def test_open_findings_are_counted_by_code(floor: Floor) -> None:
    assert (await look_once(floor.stage, "document_findings")).level is Level.OK
    async with floor.stage.services.pool.connection() as connection:
        await report_finding(
            connection,
            code="document_deleted",
            entity="order",
            record_id="1",
            module="invoices",
            label="ORD-1",
            message="Invoice 1 was deleted in Books.",
            detail={},
        )
    finding = await look_once(floor.stage, "document_findings")
    assert (finding.level, finding.data) == (Level.REMARK, {"document_deleted": 1})
