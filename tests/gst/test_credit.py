"""What a credit note takes back."""

from decimal import Decimal
from typing import Any

import pytest
from carts import D, assessed, cart, line, rules
from hypothesis import given
from hypothesis import strategies as st

from zohosync.gst.credit import Credit, Invoiced, credit_all, credit_amount, credit_quantities
from zohosync.gst.sale import Assessment, ChargePolicy, Held, PriceBasis

INCLUSIVE = PriceBasis.INCLUSIVE


def invoiced(found: Assessment) -> Invoiced:
    return Invoiced((*found.lines, *found.charges), found.supply_type, found.inclusive, found.round_off)


C07 = invoiced(
    assessed(cart(line(2, 1050, 5, 210, key="a"), line(1, 1180, 18, 118, key="b"), to="Kerala", price_basis=INCLUSIVE))
)


def credited(found: Credit | Held) -> Credit:
    assert isinstance(found, Credit), found
    return found


def refused(found: Credit | Held) -> list[str]:
    assert isinstance(found, Held), found
    return [problem.name for problem in found.problems]


def test_one_of_two_units_takes_back_half_at_its_discounted_price() -> None:
    found = credited(credit_quantities(C07, {"a": D(1)}))
    (part,) = found.lines
    assert (part.gross, part.discount, part.net) == (D(1050), D(105), D(945))
    assert (part.value, part.igst, part.total) == (D(900), D(45), D(945))
    assert found.totals.total == D(945)
    assert (found.inclusive, found.of_goods) == (True, True)


def test_the_whole_is_the_invoice_as_it_was() -> None:
    found = credit_all(C07)
    assert found.lines == C07.lines
    assert found.totals.total == D(2952)
    assert credit_amount(C07, D(2952)) == found
    assert credited(credit_quantities(C07, {"a": D(2), "b": D(1)})).lines == C07.lines


def test_the_round_off_goes_back_with_the_whole() -> None:
    whole = invoiced(assessed(cart(line(1, 100, 5), charged="105.01")))
    assert credit_all(whole).round_off == D("0.01")
    assert credited(credit_amount(whole, D("105.01"))).round_off == D("0.01")
    without = credited(credit_amount(whole, D(105)))
    assert (without.round_off, without.lines) == (0, whole.lines)
    assert refused(credit_amount(whole, D("105.02"))) == ["credit_exceeds_invoice:0.02"]


def test_money_without_goods_is_shared_over_the_lines() -> None:
    found = credited(credit_amount(C07, D("295.20")))
    # A tenth of 1890 and of 1062; 189 x 5/105 = 9, 106.20 x 18/118 = 16.20.
    assert [(part.key, part.total, part.igst) for part in found.lines] == [
        ("a", D("189.00"), D("9.00")),
        ("b", D("106.20"), D("16.20")),
    ]
    assert (found.inclusive, found.of_goods) == (True, False)


def test_money_back_on_prices_without_tax_is_exact_too() -> None:
    made = invoiced(assessed(cart(line(3, "33.33", 5))))
    found = credited(credit_amount(made, D("10.00")))
    # 10 x 2.5/105 = 0.2381
    assert (found.totals.cgst, found.totals.taxable_value, found.totals.total) == (D("0.24"), D("9.52"), D("10.00"))
    assert found.inclusive


@pytest.mark.parametrize(("amount", "beyond"), [("2952.01", "0.01"), ("5000", "2048.00")])
def test_no_more_money_goes_back_than_was_invoiced(amount: str, beyond: str) -> None:
    assert refused(credit_amount(C07, D(amount))) == [f"credit_exceeds_invoice:{beyond}"]


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1.001"])
def test_what_is_no_amount_is_not_credited(amount: str) -> None:
    assert refused(credit_amount(C07, D(amount))) == ["amount_invalid"]


@pytest.mark.parametrize("quantity", ["3", "-1", "NaN", "2.5"])
def test_no_more_goods_come_back_than_were_sold(quantity: str) -> None:
    assert refused(credit_quantities(C07, {"a": D(quantity)})) == ["credit_exceeds_invoice:SKU"]


def test_goods_that_were_never_sold_do_not_come_back() -> None:
    assert refused(credit_quantities(C07, {"z": D(1)})) == ["credit_exceeds_invoice:z"]


def test_earlier_credits_count() -> None:
    first = credited(credit_quantities(C07, {"a": D(1)}))
    assert refused(credit_quantities(C07, {"a": D(2)}, [first])) == ["credit_exceeds_invoice:SKU"]
    second = credited(credit_quantities(C07, {"a": D(1)}, [first]))
    assert first.totals.total + second.totals.total == D(1890)
    assert refused(credit_amount(C07, D("1062.01"), [first, second])) == ["credit_exceeds_invoice:0.01"]
    rest = credited(credit_amount(C07, D(1062), [first, second]))
    assert [(part.key, part.total) for part in rest.lines] == [("b", D(1062))]


def test_money_that_went_back_leaves_less_for_the_goods() -> None:
    allowance = credited(credit_amount(C07, D(1000)))
    rest = credited(credit_quantities(C07, {"a": D(2), "b": D(1)}, [allowance]))
    assert rest.totals.total == D(1952)


def test_shipping_goes_back_when_it_is_named_in_all_its_parts() -> None:
    by = rules(charge_policy=ChargePolicy.APPORTION)
    made = invoiced(assessed(cart(line(1, 100, 5, key="a"), line(1, 100, 18, key="b"), to="KA", shipping=20), by))
    goods = credited(credit_quantities(made, {"a": D(1)}))
    assert goods.totals.total == D(105)
    both = credited(credit_quantities(made, {"a": D(1), "shipping": D(1)}))
    assert [(part.key, part.total) for part in both.lines] == [
        ("a", D("105.00")),
        ("shipping", D("10.50")),
        ("shipping", D("11.80")),
    ]


amounts = st.decimals("0.01", "5000", places=2)


@given(
    price=amounts,
    quantity=st.integers(1, 9),
    rate=st.sampled_from([5, 18]),
    to=st.sampled_from(["TN", "KA"]),
    basis=st.sampled_from([PriceBasis.EXCLUSIVE, PriceBasis.INCLUSIVE]),
    data=st.data(),
)
def test_piece_by_piece_no_more_comes_back_than_was_invoiced(
    price: Decimal, quantity: int, rate: int, to: str, basis: PriceBasis, data: Any
) -> None:
    off = data.draw(st.decimals("0", price, places=2))
    made = invoiced(assessed(cart(line(quantity, price, rate, off), to=to, price_basis=basis)))
    earlier: list[Credit] = []
    left = quantity
    while left:
        back = data.draw(st.integers(1, left))
        earlier.append(credited(credit_quantities(made, {"1": D(back)}, earlier)))
        left -= back
    for part in (part for credit in earlier for part in credit.lines):
        assert part.value + part.cgst + part.sgst + part.igst == part.total
        assert part.gross - part.discount - part.discount_share == part.net
    total = sum(credit.totals.total for credit in earlier)
    whole = made.lines[0].total
    assert total == whole if basis is PriceBasis.INCLUSIVE else whole - D("0.02") * quantity <= total <= whole


@given(st.lists(st.tuples(amounts, st.sampled_from([5, 18])), min_size=1, max_size=4), amounts)
def test_money_back_is_exactly_that_money(lines: list[tuple[Decimal, int]], amount: Decimal) -> None:
    made = invoiced(assessed(cart(*[line(1, price, rate, key=str(n)) for n, (price, rate) in enumerate(lines)])))
    found = credit_amount(made, amount)
    whole = sum(part.total for part in made.lines)
    if amount > whole:
        assert isinstance(found, Held)
    else:
        assert credited(found).totals.total == amount
        most = {part.key: part.total for part in made.lines}
        assert all(part.total <= most[part.key] for part in credited(found).lines)
