"""Sales that were reckoned by hand before the program saw them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from carts import CASH, FIRM, LADAKH_FIRM, TAMIL_FIRM, D, assessed, cart, held, line, rules

from zohosync.gst.sale import Buyer, ChargePolicy, PriceBasis, Rules, Sale, TaxCategory

EXEMPT, NIL = TaxCategory.EXEMPT, TaxCategory.NIL
APPORTION, HIGHEST = ChargePolicy.APPORTION, ChargePolicy.HIGHEST
INCLUSIVE, AS_CHARGED = PriceBasis.INCLUSIVE, PriceBasis.AS_CHARGED
SEZ_IN_KARNATAKA = Buyer(gstin=FIRM.gstin, special="sez")


@dataclass(frozen=True)
class Told:
    """``untaxed`` is exempt, nil-rated and zero-rated value together."""

    place: str
    taxable: str
    untaxed: str
    cgst: str
    sgst: str
    igst: str
    total: str


def case(name: str, sale: Sale, told: tuple[str, ...], by: Rules | None = None) -> Any:
    return pytest.param(sale, by or rules(), Told(*told), id=name)


BY_HAND = [
    # Territories: the second leg is UTGST where there is no legislature.
    case(
        "Ladakh within", cart(line(1, 1000, 18), to="Ladakh"), ("LA", "1000", "0", "90", "90", "0", "1180"), rules("LA")
    ),
    case("Daman within", cart(line(1, 100, 18), to="Daman"), ("DN", "100", "0", "9", "9", "0", "118"), rules("DN")),
    case(
        "Andaman within, inclusive",
        cart(line(1, 118, 18), to="Port Blair", price_basis=INCLUSIVE),
        ("AN", "100", "0", "9", "9", "0", "118"),
        rules("AN"),
    ),
    case(
        "Lakshadweep within, inclusive: 50 x 2.5/105 = 1.1905",
        cart(line(1, 50, 5), to="LD", pin="682555", price_basis=INCLUSIVE),
        ("LD", "47.62", "0", "1.19", "1.19", "0", "50"),
        rules("LD"),
    ),
    case(
        "Delhi within, by PIN only: 66.66 x 2.5 % = 1.6665",
        cart(line(2, "33.33", 5), to=None, pin="110001"),
        ("DL", "66.66", "0", "1.67", "1.67", "0", "70"),
        rules("DL"),
    ),
    case(
        "Puducherry within: 10.50 x 2.5 % = 0.2625",
        cart(line(1, "10.50", 5), to="Pondicherry", pin="605001"),
        ("PY", "10.50", "0", "0.26", "0.26", "0", "11.02"),
        rules("PY"),
    ),
    case(
        "Chandigarh to Punjab, whose PIN serves both",
        cart(line(1, 100, 5), to="Punjab", pin="160055"),
        ("PB", "100", "0", "0", "0", "5", "105"),
        rules("CH"),
    ),
    case(
        "Kerala within, whose PIN serves Lakshadweep too",
        cart(line(1, 100, 5), to="Kerala", pin="682001"),
        ("KL", "100", "0", "2.50", "2.50", "0", "105"),
        rules("KL"),
    ),
    # States as people write them.
    case("AP is Andhra Pradesh", cart(line(1, 250, 18), to="AP"), ("AD", "250", "0", "0", "0", "45", "295")),
    case("AD with its PIN", cart(line(1, 250, 18), to="AD", pin="520 001"), ("AD", "250", "0", "0", "0", "45", "295")),
    case(
        "Telangana by PIN only, inclusive",
        cart(line(1, 1180, 18), to="", pin="500001", price_basis=INCLUSIVE),
        ("TS", "1000", "0", "0", "0", "180", "1180"),
    ),
    case(
        "UT with a PIN of Dehradun",
        cart(line(1, 100, 5), to="UT", pin="248001"),
        ("UK", "100", "0", "0", "0", "5", "105"),
    ),
    case(
        "a misspelt name its PIN confirms",
        cart(line(1, 100, 5), to="Gujrath", pin="380001"),
        ("GJ", "100", "0", "0", "0", "5", "105"),
    ),
    # Paise.
    case(
        "inclusive between states: 100.03 x 5/105 = 4.7633",
        cart(line(7, "14.29", 5), to="KA", price_basis=INCLUSIVE),
        ("KA", "95.27", "0", "0", "0", "4.76", "100.03"),
    ),
    case(
        "a paisa holds no tax",
        cart(line(1, "0.01", 18), price_basis=INCLUSIVE),
        ("TN", "0.01", "0", "0", "0", "0", "0.01"),
    ),
    case(
        "six paise within: 0.06 x 9/118 = 0.0046",
        cart(line(1, "0.06", 18), price_basis=INCLUSIVE),
        ("TN", "0.06", "0", "0", "0", "0", "0.06"),
    ),
    case(
        "six paise between: 0.06 x 18/118 = 0.0092",
        cart(line(1, "0.06", 18), to="KA", price_basis=INCLUSIVE),
        ("KA", "0.05", "0", "0", "0", "0.01", "0.06"),
    ),
    case("half a paisa goes up, twice", cart(line(1, "0.20", 5)), ("TN", "0.20", "0", "0.01", "0.01", "0", "0.22")),
    case(
        "between states it is one whole paisa",
        cart(line(1, "0.20", 5), to="KA"),
        ("KA", "0.20", "0", "0", "0", "0.01", "0.21"),
    ),
    case("two and a half paise go up, not to even", cart(line(1, 1, 5)), ("TN", "1", "0", "0.03", "0.03", "0", "1.06")),
    case(
        "a quantity with decimals: 25.025 is 25.03, its tax 1.2515",
        cart(line("2.5", "10.01", 5), to="KA"),
        ("KA", "25.03", "0", "0", "0", "1.25", "26.28"),
    ),
    case(
        "a price with five decimals: 599.99995 is 600",
        cart(line(11, "54.54545", 18)),
        ("TN", "600", "0", "54", "54", "0", "708"),
    ),
    case(
        "a large order: 99899990.01 x 18 % = 17981998.2018",
        cart(line(999, "99999.99", 18), to="KA"),
        ("KA", "99899990.01", "0", "0", "0", "17981998.20", "117881988.21"),
    ),
    # Discounts.
    case(
        "three equal lines share 100: 33.34, 33.33, 33.33",
        cart(line(1, 100, 5), line(1, 100, 5), line(1, 100, 5), order_discount=100),
        ("TN", "200", "0", "5.01", "5.01", "0", "210.02"),
    ),
    case(
        "100 and 200 share 10: 3.33 and 6.67",
        cart(line(1, 100, 18), line(1, 200, 18), to="KA", order_discount=10),
        ("KA", "290", "0", "0", "0", "52.20", "342.20"),
    ),
    case(
        "inclusive, two rates, 23 off: 94.17 and 105.83",
        cart(line(1, 105, 5), line(1, 118, 18), to="KA", order_discount=23, price_basis=INCLUSIVE),
        ("KA", "179.38", "0", "0", "0", "20.62", "200"),
    ),
    case("everything off", cart(line(1, 500, 5), order_discount=500), ("TN", "0", "0", "0", "0", "0", "0")),
    case(
        "one line is free by its own discount",
        cart(line(1, 100, 5, 100), line(1, 50, 18), to="KA"),
        ("KA", "50", "0", "0", "0", "9", "59"),
    ),
    case("a gift at price 0", cart(line(1, 100, 5), line(1, 0, 18), to="KA"), ("KA", "100", "0", "0", "0", "5", "105")),
    # Charges.
    case(
        "COD fee at the goods' rate",
        cart(line(1, 100, 5), cod_fee=50),
        ("TN", "150", "0", "3.75", "3.75", "0", "157.50"),
    ),
    case(
        "a free line does not make rates mixed",
        cart(line(1, 100, 5, 100), line(1, 50, 18), to="KA", shipping=20),
        ("KA", "70", "0", "0", "0", "12.60", "82.60"),
    ),
    case(
        "highest rate for shipping and fee",
        cart(line(1, 100, 5), line(1, 100, 18), to="KA", shipping=10, cod_fee=20),
        ("KA", "230", "0", "0", "0", "28.40", "258.40"),
        rules(charge_policy=HIGHEST),
    ),
    case(
        "shipping of 10 over 100 and 200: 3.33 and 6.67, tax 0.17 and 1.20",
        cart(line(1, 100, 5), line(1, 200, 18), to="KA", shipping=10),
        ("KA", "310", "0", "0", "0", "42.37", "352.37"),
        rules(charge_policy=APPORTION),
    ),
    case(
        "shipping of exempt goods is exempt",
        cart(line(1, 100, "exempt"), shipping=40),
        ("TN", "0", "140", "0", "0", "0", "140"),
    ),
    case(
        "highest rate beside exempt goods",
        cart(line(1, 100, "exempt"), line(1, 100, 5), shipping=10),
        ("TN", "110", "100", "2.75", "2.75", "0", "215.50"),
        rules(charge_policy=HIGHEST),
    ),
    case("nil-rated", cart(line(2, 100, "nil"), to="KA"), ("KA", "0", "200", "0", "0", "0", "200")),
    # Special economic zones and exports.
    case(
        "SEZ under LUT, several rates and shipping: nothing is taxed, so nothing is mixed",
        cart(line(1, 500, 5), line(1, 500, 18), to="KA", shipping=100, buyer=SEZ_IN_KARNATAKA),
        ("KA", "0", "1100", "0", "0", "0", "1100"),
        rules(lut=True),
    ),
    case(
        "SEZ in the seller's own state with IGST, inclusive",
        cart(line(1, 1180, 18), buyer=Buyer(gstin=TAMIL_FIRM, special="sez"), price_basis=INCLUSIVE),
        ("TN", "1000", "0", "0", "0", "180", "1180"),
        rules(lut=False),
    ),
    case(
        "export without LUT",
        cart(line(1, 1000, 18), to="Texas", country="United States"),
        ("", "1000", "0", "0", "0", "180", "1180"),
        rules(lut=False),
    ),
    case(
        "Georgia is not Goa",
        cart(line(1, 1000, 18), to="GA", pin="30301", country="USA"),
        ("", "0", "1000", "0", "0", "0", "1000"),
        rules("GA", lut=True),
    ),
    # What was paid is the gross.
    case(
        "18 % was charged where 5 is due: 1180 x 2.5/105 = 28.0952",
        cart(line(1, 1000, 5), price_basis=AS_CHARGED, charged=1180),
        ("TN", "1123.80", "0", "28.10", "28.10", "0", "1180"),
    ),
    case(
        "two rates and shipping in 286: 114.40, 114.40, 28.60, 28.60",
        cart(line(1, 100, 5), line(1, 100, 18), to="KA", shipping=50, price_basis=AS_CHARGED, charged=286),
        ("KA", "257.38", "0", "0", "0", "28.62", "286"),
        rules(charge_policy=APPORTION),
    ),
    case(
        "a discount, then 18 %: 212.40 x 2.5/105 = 5.0571",
        cart(line(2, 100, 5), order_discount=20, price_basis=AS_CHARGED, charged="212.40"),
        ("TN", "202.28", "0", "5.06", "5.06", "0", "212.40"),
    ),
    case(
        "exempt goods that were charged with tax cost what was paid",
        cart(line(1, 100, "exempt"), price_basis=AS_CHARGED, charged=118),
        ("TN", "0", "118", "0", "0", "0", "118"),
    ),
    # Buyers.
    case(
        "billed to Karnataka, received by somebody else in Tamil Nadu",
        cart(line(1, 1000, 5), buyer=FIRM, third_party=True),
        ("KA", "1000", "0", "0", "0", "50", "1050"),
    ),
    case(
        "a firm of Karnataka receives at its own site in Tamil Nadu",
        cart(line(1, 1000, 5), buyer=FIRM, third_party=False),
        ("TN", "1000", "0", "25", "25", "0", "1050"),
    ),
    case(
        "a firm of Karnataka fetches at the counter",
        cart(line(1, 1000, 5), to=None, country=None, buyer=FIRM, counter=True),
        ("TN", "1000", "0", "25", "25", "0", "1050"),
    ),
    case(
        "a private customer at the counter whose address is on record",
        cart(line(1, 1000, 5), to="Karnataka", counter=True),
        ("KA", "1000", "0", "0", "0", "50", "1050"),
    ),
    case(
        "a GSTIN of Ladakh",
        cart(line(1, 1000, 5), to="Ladakh", pin="194101", buyer=Buyer(gstin=LADAKH_FIRM)),
        ("LA", "1000", "0", "0", "0", "50", "1050"),
    ),
    case(
        "12 % was a rate until September 2025",
        cart(line(1, 560, 12), to="KA", on=date(2025, 9, 21)),
        ("KA", "560", "0", "0", "0", "67.20", "627.20"),
    ),
]


@pytest.mark.parametrize(("sale", "by", "told"), BY_HAND)
def test_a_sale_comes_out_as_reckoned_by_hand(sale: Sale, by: Rules, told: Told) -> None:
    found = assessed(sale, by)
    untaxed = found.exempt_value + found.nil_value + found.zero_rated_value
    totals = found.totals
    assert (found.place_of_supply, totals.taxable_value, untaxed) == (told.place, D(told.taxable), D(told.untaxed))
    assert (totals.cgst, totals.sgst, totals.igst) == (D(told.cgst), D(told.sgst), D(told.igst))
    assert totals.total == D(told.total)


@pytest.mark.parametrize(
    ("seller", "leg"),
    [(s, "UTGST") for s in ("CH", "DN", "LD", "AN", "LA", "OT")]
    + [(s, "SGST") for s in ("DL", "PY", "JK", "TN", "GA")],
)
def test_the_second_leg_is_named_after_the_territory(seller: str, leg: str) -> None:
    assert assessed(cart(line(1, 100, 5), to=seller), rules(seller)).second_leg == leg


def test_between_states_there_is_no_second_leg() -> None:
    assert assessed(cart(line(1, 100, 5), to="KA")).second_leg == ""


@pytest.mark.parametrize(
    ("buyer", "by", "treatment"),
    [
        (CASH, rules(), "consumer"),
        (Buyer(is_business=True), rules(), "business_none"),
        (Buyer(is_b2b=True), rules(b2b_without_gstin="unregistered"), "business_none"),
        (Buyer(gstin="N/A", is_business=True), rules(), "business_none"),
        (Buyer(gstin=TAMIL_FIRM), rules(), "business_gst"),
        (Buyer(gstin=TAMIL_FIRM, special="sez"), rules(lut=True), "business_sez"),
    ],
)
def test_a_buyer_is_treated_as_what_it_is(buyer: Buyer, by: Rules, treatment: str) -> None:
    assert assessed(cart(line(1, 100, 5), buyer=buyer), by).gst_treatment == treatment


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ((line(1, 100, 5),), "tax_invoice"),
        ((line(1, 100, "exempt"),), "bill_of_supply"),
        ((line(1, 100, "nil"), line(1, 100, "exempt")), "bill_of_supply"),
        ((line(1, 100, "exempt"), line(1, 100, 5)), "invoice_cum_bill_of_supply"),
    ],
)
def test_the_document_is_what_its_lines_are(lines: tuple[Any, ...], kind: str) -> None:
    assert assessed(cart(*lines)).document_type == kind


def test_a_registered_buyer_of_both_kinds_gets_a_warning() -> None:
    both = (line(1, 100, "exempt"), line(1, 100, 5))
    registered = assessed(cart(*both, buyer=Buyer(gstin=TAMIL_FIRM)))
    assert [w.code for w in registered.warnings] == ["exempt_and_taxable_for_registered_buyer"]
    assert not assessed(cart(*both)).warnings


@pytest.mark.parametrize("lut", [True, False, None])
@pytest.mark.parametrize(("to", "igst"), [("TN", 0), ("KA", 18)])
def test_a_lut_frees_no_sale_within_india_of_its_tax(lut: bool | None, to: str, igst: int) -> None:
    totals = assessed(cart(line(1, 100, 18), to=to), rules(lut=lut)).totals
    assert (totals.igst, totals.cgst + totals.sgst) == (igst, 18 - igst)


def test_exports_carry_the_words_the_law_wants() -> None:
    export = cart(line(1, 100, 5), country="Kenya")
    assert "without payment" in assessed(export, rules(lut=True)).notes["endorsement"]
    assert "on payment" in assessed(export, rules(lut=False)).notes["endorsement"]
    assert not assessed(cart(line(1, 100, 5))).notes
    sez = cart(line(1, 100, 5), to="KA", buyer=SEZ_IN_KARNATAKA)
    assert "SEZ unit" in assessed(sez, rules(lut=True)).notes["endorsement"]


@pytest.mark.parametrize("charged", ["105.00", "105.01", "104.98", "105.02"])
def test_paise_of_rounding_are_a_round_off(charged: str) -> None:
    found = assessed(cart(line(1, 100, 5), charged=charged))
    assert found.round_off == D(charged) - D(105)
    assert found.totals.total == D(105)


def test_what_was_paid_leaves_no_round_off() -> None:
    found = assessed(cart(line(3, "33.33", 5), price_basis=AS_CHARGED, charged="117.99"))
    assert (found.round_off, found.totals.total) == (0, D("117.99"))


def test_shares_of_the_discount_are_told_per_line() -> None:
    found = assessed(cart(line(1, 100, 5), line(1, 100, 5), line(1, 100, 5), order_discount=100))
    assert [part.discount_share for part in found.lines] == [D("33.34"), D("33.33"), D("33.33")]


def test_parts_of_charges_name_their_charge_and_the_goods_they_go_with() -> None:
    sale = cart(line(1, 100, 5, hsn="3105"), line(1, 300, 18, hsn="380892"), shipping=10, cod_fee=4)
    found = assessed(sale, rules(charge_policy=APPORTION))
    assert [(part.key, part.rate, part.net, part.hsn) for part in found.charges] == [
        ("shipping", 5, D("2.50"), "3105"),
        ("shipping", 18, D("7.50"), "380892"),
        ("cod_fee", 5, D("1.00"), "3105"),
        ("cod_fee", 18, D("3.00"), "380892"),
    ]


@pytest.mark.parametrize("policy", [APPORTION, HIGHEST])
def test_shipping_of_gifts_alone_takes_the_highest_rate(policy: ChargePolicy) -> None:
    found = assessed(cart(line(1, 0, 5), line(1, 0, 18), shipping=100), rules(charge_policy=policy))
    assert [(part.rate, part.net) for part in found.charges] == [(18, 100)]


@pytest.mark.parametrize("rates", [(5, 18), (18, 5)])
def test_the_highest_rate_is_highest_in_any_order_of_lines(rates: tuple[int, int]) -> None:
    found = assessed(cart(*(line(1, 100, rate) for rate in rates), shipping=10), rules(charge_policy=HIGHEST))
    assert [part.rate for part in found.charges] == [18]
    found = assessed(cart(*(line(1, 100, rate) for rate in rates), shipping="10.01"), rules(charge_policy=APPORTION))
    assert [(part.rate, part.net) for part in found.charges] == [(5, D("5.01")), (18, D("5.00"))]


def test_exempt_and_nil_rated_goods_are_two_kinds_for_shipping() -> None:
    sale = cart(line(1, 100, "nil"), line(1, 100, "exempt"), shipping=10)
    found = assessed(sale, rules(charge_policy=APPORTION))
    assert [(part.category, part.net) for part in found.charges] == [(EXEMPT, 5), (NIL, 5)]
    assert (found.exempt_value, found.nil_value) == (105, 105)
    assert held(sale) == ["shipping_policy_unset_for_mixed_rates"]


def test_amounts_are_decimals_in_whole_paise() -> None:
    found = assessed(cart(line(3, "33.333", 5), shipping="1.5"))
    for part in (*found.lines, *found.charges):
        for amount in (part.gross, part.net, part.value, part.cgst, part.sgst, part.igst, part.total):
            assert isinstance(amount, Decimal)
            assert amount.as_tuple().exponent == -2
