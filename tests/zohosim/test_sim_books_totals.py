"""Totals: every step of the sum, by table, and what holds for any document in every position of the switches."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zohosim.books.totals import (
    CENT,
    Bill,
    Component,
    Discount,
    Line,
    Rounding,
    Tax,
    allocate,
    rounded,
    total,
)

D = Decimal


def gst(rate: str) -> Tax:
    half = D(rate) / 2
    return Tax(f"g{rate}", tuple(Component(f"{leg}{rate}", f"{leg}{half:g}", half) for leg in ("CGST", "SGST")))


def igst(rate: str) -> Tax:
    return Tax(f"i{rate}", (Component(f"IGST{rate}", f"IGST{rate}", D(rate)),))


def line(rate: str, tax: Tax | None = None, quantity: str = "1", **more: Discount) -> Line:
    return Line(D(rate), D(quantity), tax, **more)


@pytest.mark.parametrize(
    ("lines", "net", "legs", "due"),
    [
        ([line("450", gst("5"), "2")], "900", ["22.50", "22.50"], "945.00"),
        ([line("450", igst("5"), "2")], "900", ["45.00"], "945.00"),
        ([line("525.50", igst("5"), "10"), line("1299", igst("18"), "3")], "9152", ["262.75", "701.46"], "10116.21"),
        ([line("1999", gst("5"))], "1999", ["49.98", "49.98"], "2098.96"),
        ([line("10.10", gst("5"))] * 3, "30.30", ["0.75", "0.75"], "31.80"),
        ([line("300", None, "4")], "1200", [], "1200.00"),
        ([line("205", igst("0"))], "205", ["0.00"], "205.00"),
        ([line("1.00", igst("7.5"))], "1.00", ["0.08"], "1.08"),
        ([line("10.05", gst("18"))], "10.05", ["0.90", "0.90"], "11.85"),
    ],
)
def test_tax_is_added_to_every_line_half_up(lines: list[Line], net: str, legs: list[str], due: str):
    got = total(Bill(tuple(lines)), Rounding())
    assert (got.sub_total, [str(tax.amount) for tax in got.taxes], str(got.total)) == (D(net), legs, due)


@pytest.mark.parametrize(
    ("lines", "net", "legs"),
    [
        ([line("99", gst("5"))], "94.28", ["2.36", "2.36"]),
        ([line("100", gst("18"))], "84.74", ["7.63", "7.63"]),
        ([line("99", gst("5"), "50")], "4714.28", ["117.86", "117.86"]),
        (
            [line("1050", igst("5"), "2", discount=Discount(D("210"))),
             line("1180", igst("18"), discount=Discount(D("118")))],
            "2700.00", ["90.00", "162.00"],
        ),
    ],
)  # fmt: skip
def test_tax_in_a_price_is_extracted_so_that_the_total_is_what_was_charged(
    lines: list[Line], net: str, legs: list[str]
):
    bill = Bill(tuple(lines), inclusive=True)
    got = total(bill, Rounding())
    assert (got.sub_total, [str(tax.amount) for tax in got.taxes]) == (D(net), legs)
    assert got.total == sum(line.amount for line in lines)


def test_extracting_the_net_first_may_cost_a_paisa():
    bill = Bill((line("99", gst("5")),), inclusive=True)
    assert total(bill, Rounding(extraction="net_first")).total == D("99.01")


def test_tax_by_document_is_rounded_once_for_each_tax():
    bill = Bill((line("10.10", gst("5")),) * 3)
    got = total(bill, Rounding(tax="entity_level"))
    assert [tax.amount for tax in got.taxes] == [D("0.76"), D("0.76")]
    assert got.total == D("31.82")
    assert [leg.amount for leg in got.lines[0].taxes] == [D("0.25"), D("0.25")]


def test_a_group_may_be_rounded_before_it_is_halved():
    bill = Bill((line("10.05", gst("18")),))
    assert [tax.amount for tax in total(bill, Rounding(group="group")).taxes] == [D("0.91"), D("0.91")]


def test_a_discount_of_the_whole_is_shared_out_before_tax_to_the_last_paisa():
    bill = Bill((line("100", gst("18")), line("100", gst("5")), line("100")), discount=Discount(D("100")))
    got = total(bill, Rounding())
    assert [part.discount for part in got.lines] == [D("33.34"), D("33.33"), D("33.33")]
    assert (got.sub_total, got.discount) == (D("300"), D("100"))
    assert got.total == D("200") + D("6.00") * 2 + D("1.67") * 2


def test_a_discount_after_tax_leaves_the_tax_alone():
    bill = Bill((line("100", igst("18")),), discount=Discount(percent=D("10")), discount_before_tax=False)
    got = total(bill, Rounding())
    assert (got.tax, got.discount, got.total) == (D("18"), D("10"), D("108"))


def test_shipping_is_taxed_only_when_it_names_a_tax():
    lines = (line("205", igst("18")),)
    bare = total(Bill(lines, shipping=D("800")), Rounding())
    assert (bare.tax, bare.total) == (D("36.90"), D("1041.90"))
    taxed = total(Bill(lines, shipping=D("800"), shipping_tax=igst("18")), Rounding())
    assert ([tax.amount for tax in taxed.taxes], taxed.total) == ([D("180.90")], D("1185.90"))


def test_an_adjustment_comes_after_tax():
    got = total(Bill((line("10.05", gst("18")),), adjustment=D("-0.85")), Rounding())
    assert (got.tax, got.total) == (D("1.80"), D("11.00"))


@pytest.mark.parametrize(
    ("step", "due", "off"), [("0.01", "1296.32", "0"), ("1", "1296.00", "-0.32"), ("0.05", "1296.30", "-0.02")]
)
def test_the_total_is_rounded_as_the_organisation_likes(step: str, due: str, off: str):
    got = total(Bill((line("176.37", igst("5"), "7"),)), Rounding(step=D(step)))
    assert (str(got.total), got.round_off) == (due, D(off))


# --- what holds for any document

POSITIONS = [
    Rounding(tax, group, extraction, step)
    for tax, group, extraction, step in product(
        ("item_level", "entity_level"), ("component", "group"), ("tax_first", "net_first"), (CENT, D(1), D("0.05"))
    )
]
MONEY = st.decimals(D("0.01"), D(100_000), places=2)
TAXES = st.sampled_from([None, gst("5"), gst("18"), gst("40"), gst("0")])
LINES = st.builds(
    Line, MONEY, st.decimals(D("0.1"), D(500), places=1), TAXES,
    st.one_of(st.just(Discount()), st.builds(Discount, percent=st.integers(0, 100).map(D))),
)  # fmt: skip
BILLS = st.builds(
    Bill,
    st.lists(LINES, min_size=1, max_size=6).map(tuple),
    st.booleans(),
    st.builds(Discount, percent=st.decimals(0, 100, places=2)),
    st.booleans(),
    MONEY,
    TAXES,
    st.decimals(D(-50), D(50), places=2),
)


@given(BILLS, st.sampled_from(POSITIONS))
def test_the_total_is_the_sum_of_its_parts_in_every_position(bill: Bill, rounding: Rounding):
    got = total(bill, rounding)
    parts = got.sub_total - got.discount + got.tax + got.shipping.net + bill.adjustment + got.round_off
    assert got.total == parts
    assert abs(got.round_off) <= rounding.step / 2
    assert got.total == rounded(got.total, rounding.step)


@given(BILLS, st.sampled_from(POSITIONS))
def test_cgst_equals_sgst_in_every_position(bill: Bill, rounding: Rounding):
    got = total(bill, rounding)
    by_rate: dict[Decimal, list[Decimal]] = {}
    for tax in got.taxes:
        by_rate.setdefault(tax.component.percentage, []).append(tax.amount)
    assert all(len(legs) == 2 and legs[0] == legs[1] for legs in by_rate.values())


@given(BILLS)
def test_an_inclusive_document_comes_to_what_its_lines_charge(bill: Bill):
    inclusive = Bill(bill.lines, True, bill.discount, True, bill.shipping, bill.shipping_tax)
    charged = sum((line.amount for line in bill.lines), D(0))
    due = charged - bill.discount.of(charged) + bill.shipping
    assert total(inclusive, Rounding()).total == due
    assert total(inclusive, Rounding(tax="entity_level")).total == due


@given(MONEY, st.lists(MONEY, min_size=1, max_size=30))
def test_shares_add_up_and_none_is_a_paisa_off(whole: Decimal, weights: list[Decimal]):
    shares = allocate(whole, weights)
    assert sum(shares) == whole
    ideal = [whole * weight / sum(weights) for weight in weights]
    assert all(abs(share - exact) <= CENT for share, exact in zip(shares, ideal, strict=True))
