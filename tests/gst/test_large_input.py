"""A guest types what a guest likes: text of any size is judged at once, and told in few words."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from carts import cart, line, rules

from zohosync.gst import countries, state_table
from zohosync.gst.assess import assess
from zohosync.gst.countries import tell_country
from zohosync.gst.credit import Invoiced, credit_amount
from zohosync.gst.gstin import Worth, judge_gstin
from zohosync.gst.invoice_number import caution_number, check_number
from zohosync.gst.rates import find_rate_problems
from zohosync.gst.sale import Buyer, Held, Place, Problem, Sale, SupplyType
from zohosync.gst.states import name_of, resolve_state, suggest
from zohosync.gst.wording import LONGEST_QUOTED, LONGEST_READ, plain, shortened, visible

MEGABYTE = 1024 * 1024
LONG = [
    "t" * MEGABYTE,
    "tamil nadu " * (MEGABYTE // 11),
    "Kerala" + "\u200b" * MEGABYTE + "x",
    "a\u0301\u0323" * (MEGABYTE // 3),
    "\ufdfa" * MEGABYTE,
    " \t-" * (MEGABYTE // 3),
    "GST NO " * (MEGABYTE // 7),
    "0" * MEGABYTE,
]
LONGEST_MESSAGE = 1500
"""Of a sentence with its quotations, each character of them escaped."""


@pytest.mark.parametrize("text", LONG)
def test_text_of_any_size_is_judged_at_once(text: str) -> None:
    state = resolve_state(text, text, "India")
    assert isinstance(state, Problem)
    assert state.code == "state_unresolved"
    country = resolve_state("Kerala", "682001", text)
    assert isinstance(country, Problem)
    assert country.code in ("country_unknown", "country_missing")
    assert isinstance(resolve_state(text, "500001", text, by_person=True), Problem)
    assert tell_country(text) in ("unknown", "missing")
    number = judge_gstin(text)
    assert (number.worth, number.problem is None) == (Worth.MISTYPED, False)
    found = check_number(text)
    for problem in (state, country, number.problem, found, caution_number(text)):
        assert problem is None or len(problem.message) + len(problem.subject) <= LONGEST_MESSAGE


def test_words_are_compared_with_names_only_where_they_are_no_longer_than_names() -> None:
    assert suggest("telangna") == "TS"
    assert suggest("telangna" + "a" * LONGEST_QUOTED) is None
    assert isinstance(resolve_state("andhra prades " * 5, "500001", "India"), Problem)


def test_every_name_and_code_is_short_enough_to_be_known() -> None:
    names = [state.name for state in state_table.STATES] + [*countries.FOREIGN]
    names += [alias for state in state_table.STATES for alias in state.aliases.split(", ")]
    assert max(map(len, names)) <= LONGEST_QUOTED
    assert name_of("DN") == "Dadra and Nagar Haveli and Daman and Diu"
    assert resolve_state("Union Territory of Dadra and Nagar Haveli and Daman and Diu, India", "396230").code == "DN"


def test_a_gstin_with_much_behind_it_is_no_gstin() -> None:
    verdict = judge_gstin("29AAGCB7383J1Z4" + "-" * LONGEST_READ + "X")
    assert verdict.worth is Worth.MISTYPED
    assert judge_gstin("GSTIN: 29AAGCB7383J1Z4" + " " * MEGABYTE).worth is Worth.VALID


def test_a_long_sale_is_held_in_few_words() -> None:
    text = "=" * MEGABYTE
    digits = Decimal("9" * 100_000)
    of = line(1, 100, 5, sku=text, hsn=text)
    sale = cart(of, replace(of, key="2", rate=digits), to=text, pin=text, country=text)
    sales: list[Sale] = [
        replace(sale, currency=text, buyer=Buyer(gstin=text)),
        replace(sale, ship_to=Place("KA", text, "India")),
        replace(sale, lines=(replace(of, quantity=-digits, unit_price=-digits, discount=digits),)),
        replace(sale, shipping=-digits, order_discount=Decimal("1E+100000"), charged=digits),
    ]
    for one in sales:
        found = assess(one, rules(text))
        assert isinstance(found, Held)
        assert all(len(problem.message) + len(problem.name) <= LONGEST_MESSAGE for problem in found.problems)


def test_a_credit_of_any_size_is_held_in_few_words() -> None:
    found = credit_amount(Invoiced((), SupplyType.INTRA, inclusive=True), Decimal("9" * 100_000))
    assert isinstance(found, Held)
    assert len(found.problems[0].message) <= LONGEST_MESSAGE


def test_what_is_quoted_is_cut_with_a_sign_that_it_was() -> None:
    assert shortened(" Kerala ") == "Kerala"
    assert shortened("x" * LONGEST_QUOTED) == "x" * LONGEST_QUOTED
    assert shortened("x" * MEGABYTE) == "x" * (LONGEST_QUOTED - 1) + "…"
    assert shortened("one\nline\ttwo") == "one line two"
    (problem,) = find_rate_problems(line(1, 1, 5, hsn="y" * MEGABYTE), date(2026, 2, 10), rules().rates, False)
    assert "y…" in problem.message


def test_what_is_too_long_to_read_is_never_taken_for_less_than_it_is() -> None:
    assert len(plain("k" * MEGABYTE)) > LONGEST_READ
    assert len(visible("k" + "\u200b" * MEGABYTE)) > LONGEST_READ
