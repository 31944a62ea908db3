"""rates: HSN codes and GST rates out of the shop as a sheet, and back."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Command, Shop
from zohosync.errors import SettingsRefused
from zohosync.store.rates import Goods, TaxData
from zohosync.sync.rates import IN_FORCE, SheetRow, Verdict, plan_rates, write_sheet

NOTHING = TaxData(None, None, None)
SEED = "00123"
GOODS = [
    Goods("NEEM-5L", "Neem oil 5 l", TaxData("3808", Decimal(18), "taxable")),
    Goods("SEED", "Seeds", NOTHING),
    Goods(SEED, "Old seeds", TaxData("1209", Decimal(0), "exempt")),
]


def judge(cells: str, head: str = "sku,hsn_code,gst_rate,tax_category", **more: Any) -> SheetRow:
    plan = plan_rates(f"{head}\n{cells}\n".encode(), GOODS, rates=more.get("rates", IN_FORCE))
    (row,) = plan.rows
    return row


@pytest.mark.parametrize(
    ("cells", "verdict", "after"),
    [
        ("SEED,1209,0,exempt", Verdict.NEW, TaxData("1209", Decimal(0), "exempt")),
        ("seed , 12099190 ,,Zero rated NA", Verdict.NEW, TaxData("12099190", None, "zero_rated_na")),
        ("NEEM-5L,3808.91.99,5 %,", Verdict.CHANGED, TaxData("38089199", Decimal(5), "taxable")),
        ("NEEM-5L,3808 9199,,", Verdict.CHANGED, TaxData("38089199", Decimal(18), "taxable")),
        ("NEEM-5L,3808,18.0,Taxable", Verdict.SAME, TaxData("3808", Decimal(18), "taxable")),
        ("NEEM-5L,,,", Verdict.SAME, TaxData("3808", Decimal(18), "taxable")),
    ],
)
def test_a_row_is_told_as_new_changed_or_the_same(cells: str, verdict: Verdict, after: TaxData) -> None:
    row = judge(cells)
    assert (row.verdict, row.after, row.reason) == (verdict, after, "")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("GONE,3808,18,taxable", "no SKU GONE"),
        (",3808,18,taxable", "no SKU"),
        ("123,1209,,", "00123: Excel takes away leading zeros"),
        ("SEED,102,5,taxable", "perhaps it is 0102"),
        ("SEED,38,5,taxable", "not 4, 6 or 8 digits"),
        ("SEED,3.8E+07,5,taxable", "not 4, 6 or 8 digits"),
        ("SEED,3808,12,taxable", "zohosync policy set more_rates 12"),
        ("SEED,3808,0.18,taxable", "perhaps 18 is meant"),
        ("SEED,3808,lots,taxable", "not a rate in percent"),
        ("SEED,3808,-5,taxable", "not a rate in percent"),
        ("SEED,3808,5,free", "not a tax category"),
        ("SEED,3808,5,exempt", "have no rate of 5"),
        ("SEED,3808,0,", "needs a category"),
        ("SEED,3808,0,taxable", "needs a category"),
        ("SEED,3808,,taxable", "need a rate"),
        ("NEEM-5L,,,exempt", "have no rate of 18"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_reason(cells: str, reason: str) -> None:
    row = judge(cells)
    assert row.verdict is Verdict.REFUSED
    assert reason in row.reason
    assert row.after is None


def test_another_rate_is_taken_when_it_is_allowed() -> None:
    assert judge("SEED,2402,40,taxable", rates=IN_FORCE | {Decimal(40)}).verdict is Verdict.NEW


def test_a_sku_that_is_there_twice_is_refused_the_second_time() -> None:
    plan = plan_rates(b"sku,gst_rate\nSEED,5\nseed,18\n", GOODS, rates=IN_FORCE)
    assert [row.verdict for row in plan.rows] == [Verdict.NEW, Verdict.REFUSED]
    assert "line 2 already" in plan.rows[1].reason
    assert plan.writes == [("SEED", TaxData(None, Decimal(5), None))]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_spreadsheets_write_is_read(separator: str, encoding: str) -> None:
    rows = [["SKU", "Name", "HSN Code", "GST rate"], ["SEED", "Graines triées", "1209", "5%"], ["", "", "", ""]]
    text = "\r\n".join(separator.join(row) for row in rows)
    (row,) = plan_rates(text.encode(encoding), GOODS, rates=IN_FORCE).rows
    assert (row.line, row.after) == (2, TaxData("1209", Decimal(5), None))


@pytest.mark.parametrize("text", ["", "name,gst_rate\nx,5", "sku,name\nSEED,x", "sku,gst_rate,gst_rate\nSEED,5,18"])
def test_a_file_that_is_no_sheet_is_refused_whole(text: str) -> None:
    with pytest.raises(SettingsRefused, match="first line") as refusal:
        plan_rates(text.encode(), GOODS, rates=IN_FORCE)
    assert "rates export" in refusal.value.hint


def test_a_sheet_that_was_written_changes_nothing() -> None:
    plan = plan_rates(write_sheet(GOODS).encode(), GOODS, rates=IN_FORCE)
    assert [row.verdict for row in plan.rows] == [Verdict.SAME] * 3


def test_a_name_a_spreadsheet_would_calculate_is_text() -> None:
    assert ",'=1+1," in write_sheet([Goods("X", "=1+1", NOTHING)])


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "'", "'=", "''"])
def test_no_cell_is_calculated_and_each_is_read_back_as_it_was(begin: str) -> None:
    """A SKU or a code of the shop's own may be anything."""
    goods = [Goods(f"{begin}SUM(A1)", f"{begin}1", TaxData(f"{begin}38", Decimal(-5), f"{begin}taxable"))]
    sheet = write_sheet(goods)
    cells = next(csv.reader(io.StringIO(sheet.partition("\n")[2], newline="")))
    assert all(cell.startswith("'") for cell in cells)
    (row,) = plan_rates(sheet.encode(), goods, rates=IN_FORCE).rows
    assert row.sku == goods[0].sku
    assert "no SKU" not in row.reason
    (kept,) = plan_rates(write_sheet([replace(goods[0], tax=NOTHING)]).encode(), goods, rates=IN_FORCE).rows
    assert kept.verdict is Verdict.SAME


@pytest.fixture
def stocked(installed: Shop) -> Shop:
    installed.execute(
        "insert into products (name, status) values ('Neem oil', 'active')",
        "insert into product_variants (product_id, sku) select id, s"
        " from products, unnest(array['NEEM', 'SEED', 'DRAFT']) s",
        "update product_variants set hsn_code = '3808', gst_rate = 18 where sku = 'NEEM'",
    )
    return installed


def test_an_export_holds_every_sku(command: Command, stocked: Shop, tmp_path: Path) -> None:
    shown = command("rates", "export", **stocked.env)
    assert shown.stdout.splitlines()[0] == "sku,name,hsn_code,gst_rate,tax_category"
    assert "NEEM,Neem oil,3808,18," in shown.stdout
    command("rates", "export", str(tmp_path / "rates.csv"), **stocked.env)
    assert (tmp_path / "rates.csv").read_text(encoding="utf-8-sig") == shown.stdout


def test_an_import_writes_only_when_asked_and_only_what_is_right(
    command: Command, stocked: Shop, tmp_path: Path
) -> None:
    sheet = tmp_path / "rates.csv"
    sheet.write_text("sku,hsn_code,gst_rate,tax_category\nNEEM,38089199,18,taxable\nSEED,1209,0,exempt\nDRAFT,12,,\n")
    looked = command("rates", "import", str(sheet), **stocked.env)
    assert looked.exit_code == 1
    assert "1 new, 1 changed, 0 same, 1 refused" in looked.stdout
    query = "select sku, hsn_code, gst_rate, tax_category from product_variants order by sku"
    assert [row["hsn_code"] for row in stocked.fetch(query)] == [None, "3808", None]
    done = json.loads(command("rates", "import", str(sheet), "--apply", "--json", **stocked.env).stdout)
    assert [row["verdict"] for row in done["rows"]] == ["changed", "new", "refused"]
    assert [tuple(row.values()) for row in stocked.fetch(query)] == [
        ("DRAFT", None, None, None),
        ("NEEM", "38089199", Decimal(18), "taxable"),
        ("SEED", "1209", Decimal(0), "exempt"),
    ]
    [audited] = stocked.fetch("select detail from zohosync.audit where action = 'rates.import'")
    assert audited["detail"]["changes"]["NEEM"]["before"] == {"hsn_code": "3808", "gst_rate": "18"}


def test_a_file_that_is_not_there_is_refused(command: Command, stocked: Shop) -> None:
    result = command("rates", "import", "nowhere.csv", **stocked.env)
    assert (result.exit_code, "cannot be read" in result.stderr) == (2, True)


def test_a_rate_that_was_decided_on_is_imported(command: Command, stocked: Shop, tmp_path: Path) -> None:
    sheet = tmp_path / "rates.csv"
    sheet.write_text("sku,hsn_code,gst_rate,tax_category\nSEED,2402,40,taxable\n")
    assert "policy set more_rates 40" in command("rates", "import", str(sheet), "--json", **stocked.env).stdout
    assert command("policy", "set", "more_rates", "40", **stocked.env).exit_code == 0
    assert "1 new, 0 changed, 0 same, 0 refused" in command("rates", "import", str(sheet), **stocked.env).stdout


def test_what_the_shop_would_cut_short_is_not_written_at_all(command: Command, stocked: Shop, tmp_path: Path) -> None:
    stocked.execute("alter table product_variants alter column hsn_code type varchar(6)")
    sheet = tmp_path / "rates.csv"
    sheet.write_text("sku,hsn_code,gst_rate,tax_category\nDRAFT,1209,0,exempt\nSEED,38089199,18,taxable\n")
    result = command("rates", "import", str(sheet), "--apply", **stocked.env)
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "The shop keeps hsn_code 38089199 of SKU SEED as 380891, so nothing was written." in said
    query = "select hsn_code from product_variants where sku <> 'NEEM' and hsn_code is not null"
    assert stocked.fetch(query) == []
    assert stocked.fetch("select 1 from zohosync.audit where action = 'rates.import'") == []
