"""What doctor says about the shop: its tables, its tax data, its prices, its stock."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from conftest import Database
from doctor.practice import levels, look, look_once
from stage import Stage, open_stage
from zohosync.db.pool import fetch_one
from zohosync.store.checkup.survey import PaidOrder
from zohosync.sync.doctor.finding import Level
from zohosync.sync.doctor.shop import effective_rate, judge_basis


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database, connected=False) as opened:
        yield opened


async def add_variant(stage: Stage, sku: str, **values: Any) -> str:
    product = await fetch_one(
        stage.shop, "insert into products (name, slug) values (%(sku)s, %(sku)s) returning id", {"sku": sku}
    )
    assert product is not None
    row = {"product_id": product["id"], "sku": sku, **values}
    names, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    added = await fetch_one(
        stage.shop, f"insert into product_variants ({names}) values ({marks}) returning id::text", row
    )
    assert added is not None
    return str(added["id"])


async def pay(stage: Stage, number: str, variant: str, **amounts: Any) -> None:
    row = {"order_number": number, "payment_status": "paid", "shipping_address": "{}", "billing_address": "{}"}
    lines = amounts.pop("lines")
    names = ", ".join([*row, *amounts])
    marks = ", ".join(f"%({name})s" for name in [*row, *amounts])
    order = await fetch_one(
        stage.shop, f"insert into orders ({names}) values ({marks}) returning id", {**row, **amounts}
    )
    assert order is not None
    await stage.shop.execute(
        "insert into order_items (order_id, variant_id, quantity, unit_price, total_price) values (%s, %s, 1, %s, %s)",
        (order["id"], variant, lines, lines),
    )


async def test_a_shop_that_changed_is_named_by_the_function_that_cannot_read_it(stage: Stage) -> None:
    assert (await look_once(stage, "shop_reading", offline=True)).level is Level.OK
    await stage.shop.execute("alter table users rename column company_name to firm")
    findings = await look(stage, "shop_reading", offline=True)
    assert levels(findings) == {Level.WRONG}
    assert [finding.data["function"] for finding in findings] == ["shop_customers", "shop_quotes"]


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        ("tax_data", "alter table products rename column status to state"),
        ("line_indexes", "alter schema public rename to elsewhere"),
        ("price_basis", "alter table orders rename column total_amount to grand_total"),
        ("stock_source", "alter table product_batches drop column remaining_quantity"),
    ],
)
async def test_a_survey_that_cannot_read_the_shop_says_so(stage: Stage, check: str, statement: str) -> None:
    await stage.shop.execute(statement.encode())
    finding = await look_once(stage, check, offline=True)
    assert (finding.level, finding.data["code"]) == (Level.WRONG, "shop_unreadable")


async def test_lines_without_an_index_are_told_with_the_statement_that_adds_it(stage: Stage) -> None:
    assert (await look_once(stage, "line_indexes", offline=True)).level is Level.OK
    await stage.shop.execute("insert into order_items (quantity) select 1 from generate_series(1, 12000)")
    await stage.shop.execute("analyze order_items")
    finding = await look_once(stage, "line_indexes", offline=True)
    assert (finding.level, finding.data) == (Level.REMARK, {"table": "order_items", "rows": 12000})
    assert finding.remedy.endswith("create index concurrently on public.order_items (order_id);")
    await stage.shop.execute("create index on order_items (quantity, order_id)")
    await stage.shop.execute("create index on order_items (order_id) where quantity > 1")
    assert (await look_once(stage, "line_indexes", offline=True)).level is Level.REMARK
    await stage.shop.execute(finding.remedy.partition(": ")[2].encode())
    assert (await look_once(stage, "line_indexes", offline=True)).level is Level.OK


async def test_goods_without_tax_data_are_counted(stage: Stage) -> None:
    assert (await look_once(stage, "tax_data", offline=True)).level is Level.NOT_CHECKED
    await add_variant(stage, "SKU-1", hsn_code="310100", gst_rate=5)
    await add_variant(stage, "SKU-2", hsn_code="310100", gst_rate=0, tax_category="exempt")
    assert (await look_once(stage, "tax_data", offline=True)).level is Level.OK
    await add_variant(stage, "SKU-3", hsn_code="310100", gst_rate=0)
    await add_variant(stage, "SKU-4", gst_rate=18)
    finding = await look_once(stage, "tax_data", offline=True)
    assert (finding.level, finding.data) == (Level.REMARK, {"variants": 4, "incomplete": 2})
    assert "SKU-3, SKU-4" in finding.sentence


async def test_an_existing_rate_column_of_another_type_is_used_as_it_is(stage: Stage) -> None:
    await stage.shop.execute("alter table product_variants alter column gst_rate type text using gst_rate::text")
    await add_variant(stage, "SKU-1", hsn_code="310100", gst_rate="18 %")
    assert (await look_once(stage, "tax_data", offline=True)).level is Level.OK
    await add_variant(stage, "SKU-2", hsn_code="310100", gst_rate="eighteen")
    assert (await look_once(stage, "tax_data", offline=True)).data["incomplete"] == 1


def amounts(text: str) -> PaidOrder:
    """Subtotal, discount, tax, shipping, total, lines; a dash is nothing."""
    return PaidOrder("1", "INR", *(None if part == "-" else Decimal(part) for part in text.split()))


@pytest.mark.parametrize(
    ("text", "basis", "rate"),
    [
        ("1000 0 180 50 1230 1000", "exclusive", "18"),
        ("1000 100 162 0 1062 1000", "exclusive", "18"),
        ("1000 - 180 - 1180 -", "exclusive", "18"),
        ("1000 0 152.54 50 1050 1000", "inclusive", "18"),
        ("847.46 - 152.54 - 1000 1000", "inclusive", None),
        ("1000 0 0 50 1050 1000", "as_charged", None),
        ("1000 - - - 1000.40 1000", "as_charged", None),
        ("1000 - 180 - 1300 1000", "contradictory", None),
        ("1000 - 180 - 1180 700", "contradictory", None),
        ("- - - - 1000 1000", "contradictory", None),
    ],
)
def test_the_basis_of_an_order_shows_in_its_amounts(text: str, basis: str, rate: str | None) -> None:
    order = amounts(text)
    assert judge_basis(order) == basis
    if rate is not None:
        assert effective_rate(order) == Decimal(rate)


async def test_the_price_basis_is_told_with_counts(stage: Stage) -> None:
    assert (await look_once(stage, "price_basis", offline=True)).level is Level.NOT_CHECKED
    variant = await add_variant(stage, "SKU-1", hsn_code="310100", gst_rate=18)
    for number in ("KN-1", "KN-2"):
        await pay(stage, number, variant, subtotal=1000, tax_amount=180, total_amount=1180, lines=1000)
    finding = await look_once(stage, "price_basis", offline=True)
    assert (finding.level, finding.data) == (Level.OK, {"orders": 2, "exclusive": 2})
    await pay(stage, "KN-3", variant, subtotal=1000, tax_amount=0, total_amount=1000, lines=1000)
    mixed = await look_once(stage, "price_basis", offline=True)
    assert (mixed.level, mixed.data) == (Level.REMARK, {"orders": 3, "exclusive": 2, "as_charged": 1})
    await pay(stage, "KN-4", variant, subtotal=1000, tax_amount=180, total_amount=2000, lines=1000)
    worst = await look_once(stage, "price_basis", offline=True)
    assert worst.level is Level.WRONG
    assert "KN-4" in worst.sentence


async def test_a_flat_rate_for_goods_of_other_rates_is_remarked(stage: Stage) -> None:
    variant = await add_variant(stage, "SKU-1", hsn_code="310100", gst_rate=5)
    await pay(stage, "KN-1", variant, subtotal=1000, tax_amount=180, total_amount=1180, lines=1000)
    findings = await look(stage, "price_basis", offline=True)
    assert [finding.level for finding in findings] == [Level.OK, Level.REMARK]
    assert "flat 18 %" in findings[1].sentence


LOWER_BATCHES = """create function confirm_order_and_deduct_inventory(wanted uuid, n integer) returns void
  language plpgsql as
  $$ begin update product_batches set remaining_quantity = remaining_quantity - n where variant_id = wanted; end $$"""
LOWER_QUANTITY = """create function take(wanted uuid, n integer) returns void language sql as
  $$ -- take some
     update public.product_variants set stock_quantity = greatest(0, stock_quantity - n) where id = wanted $$"""
COPY = """create function copy_stock() returns trigger language plpgsql as $$ begin
  update product_variants set stock_quantity = (select sum(remaining_quantity) from product_batches b
    where b.variant_id = new.variant_id) where id = new.variant_id; return null; end $$;
  create trigger copy_stock after update on product_batches for each row execute function copy_stock()"""


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([LOWER_BATCHES], "the sum of live batches"),
        ([LOWER_QUANTITY], "product_variants.stock_quantity"),
        ([LOWER_BATCHES, LOWER_QUANTITY], None),
        ([LOWER_BATCHES, COPY], "the sum of live batches, copied to product_variants.stock_quantity"),
        ([], None),
    ],
)
async def test_the_stock_number_is_judged_by_evidence(stage: Stage, statements: list[str], verdict: str | None) -> None:
    variant = await add_variant(stage, "SKU-1", stock_quantity=10)
    await stage.shop.execute(
        "insert into product_batches (variant_id, remaining_quantity, expiry_date)"
        " values (%s, 7, null), (%s, 5, '2020-01-01')",
        (variant, variant),
    )
    for statement in statements:
        await stage.shop.execute(statement.encode())
    finding = await look_once(stage, "stock_source", offline=True)
    assert finding.data == {"source": verdict, "differing": 1, "with_batches": 1}
    assert finding.level is (Level.OK if verdict else Level.REMARK)
    assert "SKU-1: 10 and 7 in batches" in finding.sentence


async def test_a_shop_without_batches_sells_its_quantity(stage: Stage) -> None:
    assert levels(await look(stage, "stock_source", offline=True)) == {Level.NOT_CHECKED}
    await add_variant(stage, "SKU-1", stock_quantity=10)
    finding = await look_once(stage, "stock_source", offline=True)
    assert finding.data["source"] == "product_variants.stock_quantity"
