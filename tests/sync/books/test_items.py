"""Variants of the shop as items of Books."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from books.harness import FAULTS
from conftest import Database
from errands import Errand
from shopping import Goods, place_order, stock_goods
from stage import Stage, open_stage
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.errors import NotReady, OutcomeUnknown, RecordInvalid, RecordVanished, ZohosyncError
from zohosync.gst.sale import TaxCategory
from zohosync.store.policies import set_policy


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database, live=False) as opened:
        yield opened


def items(stage: Stage) -> list[dict[str, Any]]:
    (organisation,) = stage.sim.books.organisations.values()
    return [dict(row) for row in organisation.ledger.rows("items")]


async def errand(stage: Stage, *goods: Goods, number: str = "KN-1001") -> Errand:
    placed = await place_order(stage.shop, *goods, number=number)
    return Errand.of(stage, placed.order_id)


async def item_calls(stage: Stage) -> list[str]:
    return [
        f"{call['method']} {call['path'].rpartition('/v3')[2]}"
        for call in await stage.calls(service="books")
        if call["path"].startswith("/books/v3/items")
    ]


async def make_by_hand(stage: Stage, **values: Any) -> str:
    """Somebody adds an item in Books that fits the shop's, apart from what is given."""
    office = await stage.services.books_desk.office()
    sides = [("intra", office.taxes.groups), ("inter", office.taxes.igst)]
    made = await stage.services.books.create_item(
        {
            "name": "By hand",
            "rate": 100,
            "sku": "BIO-1",
            "item_type": "inventory",
            "product_type": "goods",
            "is_taxable": True,
            "hsn_or_sac": "31051000",
            "account_id": office.account_id("income", None),
            "purchase_account_id": office.account_id("cost_of_goods_sold", None),
            "inventory_account_id": office.account_id("stock", None),
            "item_tax_preferences": [
                {"tax_id": next(tax for rate, tax in book.items() if rate == 5), "tax_specification": side}
                for side, book in sides
            ],
            **values,
        }
    )
    return made.id


async def decide(stage: Stage, **policies: Any) -> None:
    async with stage.services.pool.connection() as connection:
        for name, value in policies.items():
            await set_policy(connection, name=name, value=value, by="test")


async def choose_exemption(stage: Stage) -> str:
    """Books comes with several reasons not to tax; an administrator names the one of exempt goods."""
    office = await stage.services.books_desk.office()
    chosen = next(exemption.id for exemption in office.exemptions if exemption.type == "item")
    await decide(stage, exemption_id=chosen)
    return chosen


async def push(stage: Stage, goods: Goods) -> dict[str, Any]:
    await stage.shop.execute(
        """select zohosync.enqueue(array['books.item.push'], array['bulk'::zohosync.lane], array['variant'],
                                   array[%s], 'manual')""",
        (goods.variant_id,),
    )
    await stage.run()
    row = await fetch_one(stage.shop, "select * from zohosync.operation where entity = 'variant' order by 1 desc")
    assert row is not None
    return dict(row)


async def test_a_variant_becomes_an_inventory_item_with_its_taxes_accounts_and_stock(stage: Stage) -> None:
    goods = await stock_goods(stage.shop, weight=5, weight_unit="l", stock=40)
    found = await (await errand(stage, goods)).items()
    (item,) = items(stage)
    assert found == {goods.variant_id: item["item_id"]}
    assert (item["name"], item["sku"], item["rate"]) == ("Bio Demo 5 l", "BIO-1", 450)
    assert (item["item_type"], item["product_type"], item["hsn_or_sac"]) == ("inventory", "goods", "31051000")
    read = await stage.services.books.item(item["item_id"])
    assert read is not None
    assert read.stock == 40
    taxes = (await stage.services.books_desk.office()).taxes
    assert {side: taxes.percentages[tax] for side, tax in read.tax_ids.items()} == {"intra": 5, "inter": 5}
    row = await fetch_one(stage.shop, "select zoho_books_id from product_variants")
    assert row == {"zoho_books_id": item["item_id"]}


async def test_a_new_item_costs_a_look_and_a_creation_and_a_known_one_nothing(stage: Stage) -> None:
    goods = await stock_goods(stage.shop)
    await (await errand(stage, goods)).items()
    assert await item_calls(stage) == ["GET /items", "POST /items"]
    before = len(await stage.calls())
    await (await errand(stage, goods, number="KN-1002")).items()
    assert len(await stage.calls()) == before


async def test_exempt_goods_are_exempt_items_and_nil_rated_ones_have_a_tax_of_zero(stage: Stage) -> None:
    reason = await choose_exemption(stage)
    seeds = await stock_goods(stage.shop, "SEED", name="Seeds", rate="0", category="exempt")
    salt = await stock_goods(stage.shop, "SALT", name="Salt", rate="0", category="nil")
    await (await errand(stage, seeds, salt)).items()

    office = await stage.services.books_desk.office()
    by_sku = {item["sku"]: item for item in items(stage)}
    exempt, nil = by_sku["SEED"], by_sku["SALT"]
    assert (exempt["is_taxable"], exempt["tax_exemption_id"]) == (False, reason)
    read = await stage.services.books.item(nil["item_id"])
    assert read is not None
    assert read.taxable
    assert [office.taxes.percentages[tax] for tax in read.tax_ids.values()] == [0, 0]


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ({"hsn": None}, "hsn_missing"),
        ({"rate": None}, "gst_rate_missing"),
        ({"rate": "0", "category": None}, "tax_category_missing"),
        ({"category": "duty free"}, "tax_category_unknown"),
    ],
)
async def test_goods_without_tax_data_are_held_and_nothing_is_guessed(
    stage: Stage, missing: dict[str, Any], code: str
) -> None:
    goods = await stock_goods(stage.shop, **missing)
    with pytest.raises(RecordInvalid) as held:
        await (await errand(stage, goods)).items()
    assert held.value.reason == code
    assert items(stage) == []


async def test_defaults_an_administrator_set_fill_what_is_missing(stage: Stage) -> None:
    await decide(stage, default_hsn="3105", default_gst_rate="18")
    goods = await stock_goods(stage.shop, hsn=None, rate=None, category=None)
    await (await errand(stage, goods)).items()
    (item,) = items(stage)
    assert item["hsn_or_sac"] == "3105"


async def test_an_item_of_the_same_sku_is_adopted_with_its_stock_and_name(stage: Stage) -> None:
    by_hand = await make_by_hand(stage, sku="bio-1", initial_stock=7, initial_stock_rate=10)
    goods = await stock_goods(stage.shop)
    found = await (await errand(stage, goods)).items()
    assert found == {goods.variant_id: by_hand}
    (item,) = items(stage)
    assert item["name"] == "By hand"
    read = await stage.services.books.item(by_hand)
    assert read is not None
    assert read.stock == 7


async def test_an_inactive_item_of_the_same_sku_is_made_active(stage: Stage) -> None:
    by_hand = await make_by_hand(stage)
    (organisation,) = stage.sim.books.organisations.values()
    organisation.ledger.tables["items"][by_hand]["status"] = "inactive"
    goods = await stock_goods(stage.shop)
    assert list((await (await errand(stage, goods)).items()).values()) == [by_hand]
    assert items(stage)[0]["status"] == "active"


async def test_an_item_with_other_tax_data_is_held_until_somebody_corrects_it(stage: Stage) -> None:
    await make_by_hand(stage, hsn_or_sac="12099100")
    goods = await stock_goods(stage.shop)
    going = await errand(stage, goods)
    with pytest.raises(RecordInvalid) as held:
        await going.items()
    assert held.value.reason == "books_item_rate_differs"
    assert "HSN" in held.value.message
    await stage.shop.execute("update product_variants set hsn_code = '12099100'")
    assert len(await going.items()) == 1


async def test_an_hsn_code_of_fewer_digits_is_no_contradiction(stage: Stage) -> None:
    await make_by_hand(stage, hsn_or_sac="3105")
    goods = await stock_goods(stage.shop)
    assert len(await (await errand(stage, goods)).items()) == 1


async def test_an_item_without_inventory_is_held_unless_the_policy_says_otherwise(stage: Stage) -> None:
    by_hand = await make_by_hand(stage, item_type="sales")
    goods = await stock_goods(stage.shop)
    going = await errand(stage, goods)
    with pytest.raises(RecordInvalid) as held:
        await going.items()
    assert held.value.reason == "books_item_not_inventory"
    await decide(stage, item_type="sales")
    assert await going.items() == {goods.variant_id: by_hand}


async def test_a_composite_item_is_held(stage: Stage) -> None:
    by_hand = await make_by_hand(stage)
    (organisation,) = stage.sim.books.organisations.values()
    organisation.ledger.tables["items"][by_hand]["is_combo_product"] = True
    with pytest.raises(RecordInvalid) as held:
        await (await errand(stage, await stock_goods(stage.shop))).items()
    assert held.value.reason == "books_item_composite"


async def test_several_items_of_one_sku_are_held(stage: Stage) -> None:
    await make_by_hand(stage)
    second = await make_by_hand(stage, name="Second", sku="OTHER")
    (organisation,) = stage.sim.books.organisations.values()
    organisation.ledger.tables["items"][second]["sku"] = "bio-1"
    with pytest.raises(RecordInvalid) as held:
        await (await errand(stage, await stock_goods(stage.shop))).items()
    assert held.value.reason == "books_sku_duplicate"


async def test_a_name_that_is_taken_gets_the_sku_behind_it(stage: Stage) -> None:
    await make_by_hand(stage, name="Bio Demo", sku="ELSE")
    goods = await stock_goods(stage.shop)
    await (await errand(stage, goods)).items()
    assert [item["name"] for item in items(stage)] == ["Bio Demo", "Bio Demo (BIO-1)"]


async def test_a_long_name_is_cut_for_all_to_see(stage: Stage) -> None:
    going = await errand(stage, await stock_goods(stage.shop, name="N" * 120))
    await going.items()
    assert len(items(stage)[0]["name"]) == 100
    assert any("longer than 100" in said for said in going.warnings)


async def test_two_variants_whose_skus_differ_by_case_alone_never_share_an_item(stage: Stage) -> None:
    one = await stock_goods(stage.shop, "BIO-1")
    other = await stock_goods(stage.shop, "bio-1", name="Another")
    await (await errand(stage, one)).items()
    with pytest.raises(RecordInvalid) as held:
        await (await errand(stage, other, number="KN-1002")).items()
    assert held.value.reason == "sku_shared"


async def test_two_orders_of_one_new_item_at_once_make_one_item(stage: Stage) -> None:
    goods = await stock_goods(stage.shop)
    errands = [await errand(stage, goods, number=f"KN-{number}") for number in range(4)]

    async def go(one: Errand) -> str:
        while True:
            try:
                return (await one.items())[goods.variant_id]
            except NotReady:
                await asyncio.sleep(0)

    assert len(set(await asyncio.gather(*map(go, errands)))) == 1
    assert len(items(stage)) == 1
    assert (await item_calls(stage)).count("POST /items") == 1  # claimed, and not left to Books to refuse


async def test_a_creation_whose_outcome_is_unknown_is_looked_for(stage: Stage) -> None:
    going = await errand(stage, await stock_goods(stage.shop))
    await stage.fault("drop_connection_after_commit", match={"method": "POST", "path": "/books/v3/items"})
    with pytest.raises(OutcomeUnknown):
        await going.items()
    await going.items()
    assert len(items(stage)) == 1


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("nth", range(1, 6))
async def test_whatever_request_fails_there_is_one_item_for_each_sku(stage: Stage, kind: str, nth: int) -> None:
    goods = [await stock_goods(stage.shop, sku, name=sku) for sku in ("ONE", "TWO")]
    going = await errand(stage, *goods)
    await stage.services.books_desk.office()
    await stage.fault(kind, match={"service": "books"}, after=nth - 1)
    for _ in range(3):
        try:
            await going.items()
            await going.charge("shipping")
            break
        except ZohosyncError:
            continue
    assert sorted(item["sku"] for item in items(stage)) == ["CHARGE-SHIPPING", "ONE", "TWO"]


async def test_charges_have_one_item_each_for_taxed_and_exempt_goods(stage: Stage) -> None:
    await choose_exemption(stage)
    going = await errand(stage)
    shipping = await going.charge("shipping")
    assert await going.charge("shipping", TaxCategory.NIL) == shipping
    exempt = await going.charge("shipping", TaxCategory.EXEMPT)
    fee = await going.charge("cod_fee")
    assert len({shipping, exempt, fee}) == 3
    before = len(await stage.calls())
    assert await going.charge("shipping") == shipping
    assert len(await stage.calls()) == before


async def test_an_edit_of_the_shop_reaches_the_item_and_what_books_alone_knows_stays(stage: Stage) -> None:
    goods = await stock_goods(stage.shop)
    found = (await (await errand(stage, goods)).items())[goods.variant_id]
    await stage.services.books.update_item(found, {"name": "Bio Demo", "rate": 450, "unit": "pcs"})
    await stage.shop.execute("update product_variants set price = 475.50, gst_rate = 18")
    operation = await push(stage, goods)
    assert (operation["status"], operation["action"]) == ("succeeded", "update")
    read = await stage.services.books.item(found)
    assert read is not None
    assert (str(read.rate), read.unit) == ("475.5", "pcs")
    taxes = (await stage.services.books_desk.office()).taxes
    assert [taxes.percentages[tax] for tax in read.tax_ids.values()] == [18, 18]
    assert (await push(stage, goods))["action"] == "identical"


async def test_a_document_brings_a_changed_rate_to_the_item_first_but_leaves_a_price_to_the_items_stream(
    stage: Stage,
) -> None:
    await choose_exemption(stage)
    goods = await stock_goods(stage.shop)
    await (await errand(stage, goods)).items()
    await stage.shop.execute("update product_variants set price = 500")
    before = len(await stage.calls())
    await (await errand(stage, goods, number="KN-1002")).items()
    assert len(await stage.calls()) == before
    await stage.shop.execute("update product_variants set tax_category = 'exempt', gst_rate = 0")
    await (await errand(stage, goods, number="KN-1003")).items()
    assert items(stage)[0]["is_taxable"] is False


async def test_an_item_deleted_in_books_is_made_anew(stage: Stage) -> None:
    goods = await stock_goods(stage.shop)
    gone = (await (await errand(stage, goods)).items())[goods.variant_id]
    (organisation,) = stage.sim.books.organisations.values()
    del organisation.ledger.tables["items"][gone]
    await stage.shop.execute("update product_variants set gst_rate = 18")
    with pytest.raises(RecordVanished):
        await (await errand(stage, goods, number="KN-1002")).items()
    assert (await (await errand(stage, goods, number="KN-1003")).items())[goods.variant_id] != gone


async def test_goods_that_are_not_sold_are_not_made(stage: Stage) -> None:
    goods = await stock_goods(stage.shop)
    await stage.shop.execute("update products set status = 'draft'")
    assert (await push(stage, goods))["action"] == "out_of_scope"
    assert items(stage) == []


async def test_a_held_item_goes_through_when_its_data_or_the_policies_change(stage: Stage) -> None:
    goods = await stock_goods(stage.shop, hsn=None)
    operation = await push(stage, goods)
    assert (operation["status"], operation["error_code"]) == ("failed", "hsn_missing")
    holds = await fetch_all(stage.shop, "select codes from zohosync.hold")
    assert holds == [{"codes": ["hsn_missing"]}]
    await decide(stage, default_hsn="3105")
    async with stage.services.pool.connection() as connection:
        policies = await stage.services.books_desk.policies(connection)
        await connection.execute("select zohosync.release_holds(%s)", (policies.digest,))
    await stage.run()
    assert len(items(stage)) == 1
    assert await fetch_all(stage.shop, "select codes from zohosync.hold") == []
