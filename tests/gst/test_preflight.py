"""What stands in the way of a document: all of it at once, each with what to correct and where."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from carts import FIRM, KARNATAKA_FIRM, TAMIL_FIRM, D, assessed, cart, held, line, rules
from hypothesis import given
from hypothesis import strategies as st

from zohosync.gst.assess import assess
from zohosync.gst.sale import Assessment, Buyer, Held, Place, PriceBasis, Rules, Sale, SaleLine, TaxCategory

AS_CHARGED = PriceBasis.AS_CHARGED
MIXED = (line(1, 100, 5), line(1, 100, 18))
GOOD = line(1, 100, 5)
WRONG_HSN = ("310", "31059", "3105909", "310590901", "3105.90", "0010", "३१०५")

CASES = [
    # The sale as a whole.
    (cart(GOOD, currency="USD"), ["currency_unsupported:USD"]),
    (cart(), ["no_lines"]),
    (cart(GOOD, price_basis=None), ["price_basis_unknown"]),
    (cart(GOOD, price_basis=AS_CHARGED), ["charged_missing"]),
    (cart(GOOD, order_discount="100.01"), ["discount_exceeds_order"]),
    (cart(GOOD, order_discount=-1), ["amount_negative"]),
    (cart(GOOD, shipping=-1), ["amount_negative"]),
    (cart(GOOD, cod_fee="NaN"), ["amount_invalid"]),
    (cart(GOOD, shipping="Infinity"), ["amount_invalid"]),
    (cart(GOOD, charged="-5"), ["amount_negative"]),
    (cart(GOOD, charged="1E+30"), ["amount_invalid"]),
    (cart(GOOD, shipping="10.005"), ["amount_invalid"]),
    (cart(*MIXED, shipping=10), ["shipping_policy_unset_for_mixed_rates"]),
    (cart(GOOD, line(1, 100, "exempt"), cod_fee=10), ["shipping_policy_unset_for_mixed_rates"]),
    # Totals.
    (cart(GOOD, charged="105.03"), ["total_mismatch:0.03"]),
    (cart(GOOD, charged="104.97"), ["total_mismatch:-0.03"]),
    (cart(GOOD, charged=118), ["total_mismatch:13.00"]),
    (cart(GOOD, price_basis=AS_CHARGED, charged="99.90"), ["total_mismatch:-0.10"]),
    (cart(GOOD, price_basis=AS_CHARGED, charged=150), ["total_mismatch:10.00"]),
    (cart(line(1, 0, 5), price_basis=AS_CHARGED, charged=10), ["total_mismatch:10.00"]),
    # Lines.
    (cart(line(0, 100, 5)), ["quantity_invalid:SKU"]),
    (cart(line(-1, 100, 5)), ["quantity_invalid:SKU"]),
    (cart(line("NaN", 100, 5)), ["quantity_invalid:SKU"]),
    (cart(line("Infinity", 100, 5)), ["quantity_invalid:SKU"]),
    (cart(line("0.0000001", 100, 5)), ["quantity_invalid:SKU"]),
    (cart(line(None, 100, 5)), ["quantity_invalid:SKU"]),
    (cart(line(1, None, 5)), ["price_missing:SKU"]),
    (cart(line(1, "NaN", 5)), ["price_missing:SKU"]),
    (cart(line(1, "Infinity", 5)), ["amount_invalid:SKU"]),
    (cart(line(1, "-Infinity", 5)), ["amount_invalid:SKU"]),
    (cart(line(1, -1, 5)), ["amount_negative:SKU"]),
    (cart(line("1E+9", "1E+9", 5)), ["amount_invalid:SKU"]),
    (cart(line(1, 100, 5, "100.01")), ["discount_exceeds_line:SKU"]),
    (cart(line(1, 100, 5, -1)), ["amount_negative:SKU"]),
    (cart(line(1, 100, 5, "0.001")), ["amount_invalid:SKU"]),
    (cart(line(1, 100, 5, hsn=None)), ["hsn_missing:SKU"]),
    (cart(line(1, 100, 5, hsn="  ")), ["hsn_missing:SKU"]),
    *[(cart(line(1, 100, 5, hsn=hsn)), ["hsn_invalid:SKU"]) for hsn in WRONG_HSN],
    (cart(line(1, 100, None)), ["gst_rate_missing:SKU"]),
    (cart(line(1, 100, None, category=TaxCategory.TAXABLE)), ["gst_rate_missing:SKU"]),
    (cart(line(1, 100, 0, category=None)), ["tax_category_missing:SKU"]),
    (cart(line(1, 100, 0)), ["tax_category_conflict:SKU"]),
    (cart(line(1, 100, 5, category=TaxCategory.EXEMPT)), ["tax_category_conflict:SKU"]),
    (cart(line(1, 100, 5, category=TaxCategory.NIL)), ["tax_category_conflict:SKU"]),
    (cart(line(1, 100, 5, category=TaxCategory.ZERO_RATED_NA)), ["tax_category_conflict:SKU"]),
    (cart(line(1, 100, 12)), ["rate_not_in_force:12"]),
    (cart(line(1, 100, "28.00")), ["rate_not_in_force:28"]),
    (cart(line(1, 100, "5.5")), ["rate_not_in_force:5.5"]),
    (cart(line(1, 100, -5)), ["rate_not_in_force:-5"]),
    (cart(line(1, 100, "NaN")), ["rate_not_in_force:NaN"]),
    (cart(line(1, 100, 12), on=date(2025, 9, 22)), ["rate_not_in_force:12"]),
    (cart(line(1, 100, 40), on=date(2025, 1, 1)), ["rate_not_in_force:40"]),
    (cart(line(1, 100, 5, sku="", key="line 7", hsn=None)), ["hsn_missing:line 7"]),
    # Where it goes.
    (cart(GOOD, country=None), ["country_missing"]),
    (cart(GOOD, country="Indai"), ["country_unknown:Indai"]),
    (cart(GOOD, to=None), ["state_unresolved"]),
    (cart(GOOD, to="Delhi NCR"), ["state_unresolved"]),
    (cart(GOOD, pin="110001"), ["state_pin_conflict"]),
    (cart(GOOD, to="Kenya", counter=True), ["state_unresolved"]),
    # Who buys.
    (cart(GOOD, buyer=Buyer(gstin=TAMIL_FIRM[:-1] + "A")), ["gstin_checksum"]),
    (cart(GOOD, buyer=Buyer(gstin="12345")), ["gstin_format"]),
    (cart(GOOD, buyer=Buyer(gstin="0717USA12345UNF")), ["gstin_special_type"]),
    (cart(GOOD, buyer=Buyer(is_b2b=True)), ["b2b_without_gstin"]),
    (cart(GOOD, buyer=Buyer(is_b2b=True, gstin="NA")), ["b2b_without_gstin"]),
    (cart(GOOD, buyer=FIRM), ["gstin_state_differs_from_ship_to"]),
    (cart(GOOD, buyer=Buyer(gstin=TAMIL_FIRM, special="sez")), ["sez_or_export_without_lut_setting"]),
    (cart(GOOD, buyer=Buyer(special="overseas")), ["overseas_within_india"]),
    (cart(GOOD, country="Kenya"), ["sez_or_export_without_lut_setting"]),
]  # fmt: skip


@pytest.mark.parametrize(("sale", "names"), CASES, ids=[f"{n}-{names[0]}" for n, (_, names) in enumerate(CASES)])
def test_a_sale_that_cannot_be_told_is_held(sale: Sale, names: list[str]) -> None:
    assert held(sale) == names


@pytest.mark.parametrize(
    ("sale", "by", "names"),
    [
        (cart(GOOD), rules("AP"), ["seller_state_unknown"]),
        (cart(GOOD), rules(""), ["seller_state_unknown"]),
        (cart(GOOD, buyer=Buyer(special="sez")), rules(lut=True), ["b2b_without_gstin"]),
        (
            cart(GOOD, buyer=Buyer(special="sez")),
            rules(lut=True, b2b_without_gstin="unregistered"),
            ["b2b_without_gstin"],
        ),
        (cart(GOOD, country="Kenya", buyer=FIRM), rules(lut=True), ["gstin_state_differs_from_ship_to"]),
        (cart(line(1, 100, 18)), rules(rates=frozenset({D(5)})), ["rate_not_in_force:18"]),
        (cart(GOOD, charged="105.02"), rules(most_round_off=D("0.01")), ["total_mismatch:0.02"]),
        (cart(*[GOOD] * 60, charged="6301.10"), rules(), ["total_mismatch:1.10"]),
    ],
)
def test_the_rules_of_the_organisation_hold_a_sale(sale: Sale, by: Rules, names: list[str]) -> None:
    assert held(sale, by) == names


def test_a_b2b_client_abroad_needs_no_gstin() -> None:
    assert assessed(cart(GOOD, country="Kenya", buyer=Buyer(is_b2b=True)), rules(lut=True)).gst_treatment == "overseas"


def test_a_rate_above_zero_speaks_for_itself() -> None:
    assert assessed(cart(line(1, 100, 5, category=None))).lines[0].category is TaxCategory.TAXABLE


def test_exempt_goods_need_no_rate() -> None:
    assert assessed(cart(replace(line(1, 100, "exempt"), rate=None))).exempt_value == 100


def test_zero_rated_goods_are_for_exports() -> None:
    only = line(1, 100, None, category=TaxCategory.ZERO_RATED_NA)
    assert assessed(cart(only, country="Kenya"), rules(lut=True)).zero_rated_value == 100


def test_everything_is_told_at_once_the_document_first() -> None:
    sale = cart(
        line(0, 100, 12, hsn=None),
        line(1, "NaN", None, key="2", sku="B"),
        currency="USD",
        price_basis=None,
        country=None,
        shipping=-1,
        buyer=Buyer(is_b2b=True),
    )
    assert held(sale) == [
        "currency_unsupported:USD",
        "price_basis_unknown",
        "amount_negative",
        "b2b_without_gstin",
        "country_missing",
        "quantity_invalid:SKU",
        "rate_not_in_force:12",
        "hsn_missing:SKU",
        "price_missing:B",
        "gst_rate_missing:B",
    ]


def test_two_lines_of_one_product_have_one_problem() -> None:
    assert held(cart(line(1, 100, None), line(2, 100, None, key="2"))) == ["gst_rate_missing:SKU"]


def test_a_person_who_named_the_state_need_not_name_the_country() -> None:
    sale = cart(GOOD, ship_to=Place("Karnataka", "600001", None, by_person=True))
    found = assessed(sale)
    assert (found.place_of_supply, found.state_source) == ("KA", "person")


@pytest.mark.parametrize(("sale", "names"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_every_problem_is_one_sentence_and_says_what_to_correct(sale: Sale, names: list[str]) -> None:
    found = assess(sale, rules())
    assert isinstance(found, Held)
    for problem in found.problems:
        assert problem.message[0].isupper() or problem.message[0] in "'\"" or problem.subject
        assert problem.message.endswith((".", "?"))
        assert problem.hint.endswith(".")
        assert "\n" not in problem.message


odd = st.sampled_from(
    [
        None,
        *map(
            Decimal,
            (
                "0",
                "-0",
                "1",
                "-1",
                "0.001",
                "NaN",
                "sNaN",
                "-NaN",
                "Infinity",
                "-Infinity",
                "1E+40",
                "1E-40",
                "5",
                "100.55",
            ),
        ),
    ]
)
"""What a shop should not contain."""


def odd_amount() -> st.SearchStrategy[Decimal]:
    return odd.filter(lambda amount: amount is not None)


@given(
    lines=st.lists(
        st.builds(
            SaleLine,
            key=st.just("1"),
            sku=st.text(max_size=3),
            quantity=odd,
            unit_price=odd,
            discount=odd_amount(),
            hsn=st.sampled_from([None, "", "3105", "x"]),
            rate=odd,
            category=st.sampled_from([None, *TaxCategory]),
        ),
        max_size=3,
    ),
    order_discount=odd_amount(),
    shipping=odd_amount(),
    charged=odd,
    basis=st.sampled_from([None, *PriceBasis]),
    text=st.text(max_size=4),
    country=st.sampled_from([None, "", "India", "Kenya", "?"]),
    gstin=st.sampled_from([None, "", KARNATAKA_FIRM, "?"]),
)  # fmt: skip
def test_whatever_a_shop_contains_is_assessed_or_held(
    lines: list[SaleLine],
    order_discount: Decimal,
    shipping: Decimal,
    charged: Any,
    basis: Any,
    text: str,
    country: Any,
    gstin: Any,
) -> None:
    sale = cart(
        *lines,
        to=text,
        country=country,
        order_discount=order_discount,
        shipping=shipping,
        price_basis=basis,
        buyer=Buyer(gstin=gstin),
    )
    found = assess(
        Sale(**{name: getattr(sale, name) for name in sale.__slots__} | {"charged": charged}), rules(lut=True)
    )
    assert isinstance(found, Assessment) or found.problems


@pytest.mark.parametrize(
    ("goods", "code"),
    [
        (line(1, 100, 5, hsn="31"), "hsn_invalid"),
        (line(1, 100, 12), "rate_not_in_force"),
        (line(1, 100, 5, category=TaxCategory.EXEMPT), "tax_category_conflict"),
    ],
)
def test_what_is_wrong_is_not_mended_by_a_default(goods: SaleLine, code: str) -> None:
    found = assess(cart(goods), rules())
    assert isinstance(found, Held)
    (problem,) = found.problems
    assert problem.code == code
    assert "default" not in problem.hint


def test_a_rate_that_is_decided_on_is_in_force() -> None:
    assert assessed(cart(line(1, 100, 40)), rules(rates=frozenset({D(40)}))).totals.total == D(140)
