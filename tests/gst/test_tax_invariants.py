"""What is true of every sale that is not held."""

import ast
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from carts import D, assessed, cart, line, rules
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zohosync.gst import assess as room
from zohosync.gst.amounts import billable
from zohosync.gst.assess import assess
from zohosync.gst.money import rupees, share
from zohosync.gst.sale import Assessment, ChargePolicy, Held, PriceBasis, Sale, SaleLine, SupplyType

PAISA = D("0.01")
prices = st.one_of(
    st.decimals("0", "3000", places=2), st.decimals("0.01", "2", places=2), st.decimals("1", "99", places=4)
)
quantities = st.one_of(st.integers(1, 120).map(Decimal), st.decimals("0.1", "20", places=3))


@st.composite
def lines(draw: Any, key: int = 0) -> SaleLine:
    price, quantity = draw(prices), draw(quantities)
    most = rupees(price * quantity)
    discount = draw(st.one_of(st.just(D(0)), st.decimals("0", most, places=2)))
    rate = draw(st.sampled_from([5, 18, "exempt", "nil"]))
    return line(quantity, price, rate, min(discount, most), sku=f"S{draw(st.integers(0, 9))}")


@st.composite
def sales(draw: Any, basis: PriceBasis | None = None, to: str | None = None) -> Sale:
    goods = [
        replace(found, key=str(number)) for number, found in enumerate(draw(st.lists(lines(), min_size=1, max_size=5)))
    ]
    cost = sum((rupees(g.quantity * g.unit_price) - g.discount for g in goods), D(0))
    off = draw(st.one_of(st.just(D(0)), st.decimals("0", cost, places=2)))
    chosen = basis or draw(st.sampled_from(list(PriceBasis)))
    shipping = draw(st.sampled_from(["0", "50", "99.99", "0.01"]))
    fee = draw(st.sampled_from(["0", "35.50"]))
    asked = cost - off + D(shipping) + D(fee)
    charged = rupees(asked * draw(st.sampled_from([D(1), D("1.05"), D("1.18"), D("1.0837")])))
    more = {"charged": charged} if chosen is PriceBasis.AS_CHARGED else {}
    to = to or draw(st.sampled_from(["TN", "KA"]))
    return cart(*goods, to=to, price_basis=chosen, order_discount=off, shipping=shipping, cod_fee=fee, **more)


policies = st.sampled_from(list(ChargePolicy))


def every(found: Assessment) -> tuple[Any, ...]:
    return (*found.lines, *found.charges)


@settings(max_examples=150)
@given(sales(), policies)
def test_sums_are_sums_and_legs_are_equal(sale: Sale, policy: ChargePolicy) -> None:
    found = assessed(sale, rules(charge_policy=policy))
    for part in every(found):
        assert part.cgst == part.sgst
        assert part.value + part.cgst + part.sgst + part.igst == part.total
        assert part.gross - part.discount - part.discount_share == part.net
        assert min(part.value, part.cgst, part.igst, part.total, part.discount, part.discount_share, part.net) >= 0
        assert part.net == (part.total if found.inclusive else part.value)
        assert not (part.igst and part.cgst)
    totals = found.totals
    assert totals.total == sum(part.total for part in every(found))
    assert totals.cgst == totals.sgst == sum(part.cgst for part in every(found))
    assert totals.igst == sum(part.igst for part in every(found))
    untaxed = found.exempt_value + found.nil_value + found.zero_rated_value
    assert totals.taxable_value + untaxed + totals.cgst + totals.sgst + totals.igst == totals.total
    assert (totals.igst == 0) if found.supply_type is SupplyType.INTRA else (totals.cgst == 0)
    assert (
        sum(part.discount_share for part in found.lines) <= sale.order_discount
        or sale.price_basis is PriceBasis.AS_CHARGED
    )


@settings(max_examples=150)
@given(sales(PriceBasis.INCLUSIVE), policies)
def test_prices_with_tax_are_paid_to_the_paisa(sale: Sale, policy: ChargePolicy) -> None:
    found = assessed(sale, rules(charge_policy=policy))
    cost = sum((rupees(g.quantity * g.unit_price) - g.discount for g in sale.lines), D(0))  # type: ignore[operator]
    assert found.totals.total == cost - sale.order_discount + sale.shipping + sale.cod_fee
    assert sum(part.discount_share for part in found.lines) == sale.order_discount
    assert found.entity_level.total == found.totals.total


@settings(max_examples=150)
@given(sales(PriceBasis.AS_CHARGED), policies)
def test_what_was_charged_is_the_total(sale: Sale, policy: ChargePolicy) -> None:
    found = assess(sale, rules(charge_policy=policy))
    assume(isinstance(found, Assessment))
    assert isinstance(found, Assessment)
    assert found.totals.total == sale.charged
    assert found.round_off == 0


@settings(max_examples=150)
@given(sales(PriceBasis.EXCLUSIVE), policies)
def test_prices_without_tax_are_the_value(sale: Sale, policy: ChargePolicy) -> None:
    found = assessed(sale, rules(charge_policy=policy))
    cost = sum((rupees(g.quantity * g.unit_price) - g.discount for g in sale.lines), D(0))  # type: ignore[operator]
    assert sum(part.value for part in every(found)) == cost - sale.order_discount + sale.shipping + sale.cod_fee


@settings(max_examples=150)
@given(sales(to="TN"), policies)
def test_within_and_between_states_differ_by_a_paisa_a_line(sale: Sale, policy: ChargePolicy) -> None:
    by = rules(charge_policy=policy)
    within, between = assessed(sale, by), assessed(replace(sale, ship_to=replace(sale.ship_to, state="KA")), by)
    for one, other in zip(every(within), every(between), strict=True):
        assert abs(one.total - other.total) <= PAISA
        assert one.net == other.net


@settings(max_examples=150)
@given(sales(), policies, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_only_remainders(sale: Sale, policy: ChargePolicy, random: Any) -> None:
    by = rules(charge_policy=policy)
    mixed = list(sale.lines)
    random.shuffle(mixed)
    one, other = assessed(sale, by), assessed(replace(sale, lines=tuple(mixed)), by)
    others = {part.key: part for part in other.lines}
    # What was charged is shared a second time, over shares that may differ already.
    remainder = 3 * PAISA if sale.price_basis is PriceBasis.AS_CHARGED else PAISA
    for part in one.lines:
        assert abs(part.net - others[part.key].net) <= remainder
        assert abs(part.total - others[part.key].total) <= remainder + 2 * PAISA
    if one.inclusive:
        assert one.totals.total == other.totals.total
    assert abs(one.totals.total - other.totals.total) <= 2 * PAISA * len(every(one))


@settings(max_examples=150)
@given(sales(), policies, st.booleans())
def test_what_is_billed_is_exactly_the_line(sale: Sale, policy: ChargePolicy, inclusive: bool) -> None:
    for part in every(assessed(sale, rules(charge_policy=policy))):
        price, discount = billable(part, inclusive)
        assert price == rupees(price)
        assert discount == rupees(discount)
        assert discount >= 0
        assert rupees(part.quantity * price) - discount == (part.total if inclusive else part.value)


@given(sales(PriceBasis.EXCLUSIVE))
def test_the_shops_own_price_is_billed_where_it_can_be(sale: Sale) -> None:
    found = assessed(sale, rules(charge_policy=ChargePolicy.HIGHEST))
    for part in found.lines:
        if part.unit_price == rupees(part.unit_price):
            assert billable(part, inclusive=False) == (part.unit_price, part.discount + part.discount_share)


def test_a_price_with_tax_becomes_one_without_in_a_document_without() -> None:
    (part,) = assessed(cart(line(2, 118, 18), price_basis=PriceBasis.INCLUSIVE)).lines
    assert billable(part, inclusive=True) == (118, 0)
    assert billable(part, inclusive=False) == (100, 0)


def test_a_price_of_many_decimals_goes_up_to_a_paisa() -> None:
    (part,) = assessed(cart(line(11, "54.54545", 18))).lines
    assert billable(part, inclusive=False) == (D("54.55"), D("0.05"))
    (third,) = assessed(cart(line(3, D(100) / 3, 18))).lines
    assert billable(third, inclusive=False) == (D("33.34"), D("0.02"))


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**7), min_size=1, max_size=12))
def test_shares_sum_exactly_and_stay_below_their_weights(paise: int, parts: list[int]) -> None:
    weights = [D(part) / 100 for part in parts]
    shares = share(D(paise) / 100, weights)
    whole = sum(parts)
    if not whole:
        assert not any(shares)
        return
    assert sum(shares) == D(paise) / 100
    for got, part in zip(shares, parts, strict=True):
        assert abs(got * 100 - D(paise * part) / whole) < 1
        if paise <= whole:
            assert got * 100 <= part


@settings(max_examples=200)
@given(sales(), policies)
def test_reckoned_once_per_rate_the_total_is_near(sale: Sale, policy: ChargePolicy) -> None:
    found = assessed(sale, rules(charge_policy=policy))
    assert abs(found.entity_level.total - found.totals.total) <= 2 * PAISA * len(every(found))
    assert found.entity_level.cgst == found.entity_level.sgst


def test_what_is_not_paid_exactly_is_held_or_within_the_round_off() -> None:
    for paise in range(-10, 11):
        sale = cart(line(1, 100, 5), line(1, 100, 18, key="2"), charged=D(223) + D(paise) / 100)
        found = assess(sale, rules())
        assert isinstance(found, Assessment if abs(paise) <= 4 else Held)


def test_nowhere_in_the_room_is_a_float() -> None:
    """Likeness of words is the one number that is not money."""
    found = []
    for path in sorted(Path(room.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                found.append((path.name, node.value))
            if isinstance(node, ast.Name) and node.id in ("float", "round"):
                found.append((path.name, node.lineno))
    assert [entry for entry in found if entry[0] != "states.py"] == []
