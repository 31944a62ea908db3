"""A sale in; what can be invoiced out, or every reason why a person must look first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from zohosync.gst.amounts import add_up, add_up_by_rate, tax, value_of
from zohosync.gst.charges import COD_FEE, SHIPPING, needs_policy, spread_charges
from zohosync.gst.discounts import Priced, price_lines, scale
from zohosync.gst.money import PAISA, rupees, share
from zohosync.gst.preflight import (
    find_discount_problems,
    find_document_problems,
    find_line_problems,
    is_zero_rated,
)
from zohosync.gst.sale import (
    ZERO,
    Assessment,
    Held,
    PriceBasis,
    Problem,
    Rules,
    Sale,
    TaxCategory,
    TaxedLine,
)
from zohosync.gst.supply import Supply, decide_supply

DocumentType: TypeAlias = Literal["tax_invoice", "bill_of_supply", "invoice_cum_bill_of_supply"]

HIGHEST_RATE = Decimal(40)
"""Of all goods: nobody can have been charged more tax than this."""
ENDORSEMENT = "endorsement"
UNDER_LUT = "Supply meant for {} under letter of undertaking without payment of integrated tax"
WITH_IGST = "Supply meant for {} on payment of integrated tax"


@dataclass(frozen=True, slots=True)
class _Cart:
    goods: tuple[Priced, ...]
    charges: tuple[Priced, ...]


def assess(sale: Sale, rules: Rules) -> Assessment | Held:
    """What is to be invoiced of a sale and with which tax; Held has all that stands in the way."""
    problems = [*find_document_problems(sale)]
    supply = decide_supply(sale, rules)
    if isinstance(supply, tuple):
        problems += supply
    of_lines = [*find_line_problems(sale, rules)]
    problems += of_lines
    if sale.lines and not of_lines and not _has_amount_problem(problems):
        problems += _cart_problems(sale, rules)
    if problems or isinstance(supply, tuple):
        return Held(_distinct(problems))
    return _reckon(sale, rules, supply)


def _has_amount_problem(problems: Iterable[Problem]) -> bool:
    return any(problem.code in ("amount_negative", "amount_invalid") for problem in problems)


def _without_tax(sale: Sale, rules: Rules) -> bool:
    return is_zero_rated(sale) and rules.lut is True


def _cart_problems(sale: Sale, rules: Rules) -> list[Problem]:
    problems = [*find_discount_problems(sale)]
    if problems or not (sale.shipping or sale.cod_fee) or rules.charge_policy is not None:
        return problems
    goods = price_lines(sale.lines, sale.order_discount, _without_tax(sale, rules))
    return [_policy_unset()] if needs_policy(goods) else []


def _reckon(sale: Sale, rules: Rules, supply: Supply) -> Assessment | Held:
    inclusive = sale.price_basis is not PriceBasis.EXCLUSIVE
    cart = _fill(sale, rules)
    if isinstance(cart, Problem):
        return Held((cart,))
    lines = tuple(tax(line, supply.type, inclusive) for line in cart.goods)
    charges = tuple(tax(line, supply.type, inclusive) for line in cart.charges)
    every = (*lines, *charges)
    totals = add_up(every)
    round_off = rupees(sale.charged - totals.total) if sale.charged is not None else rupees(ZERO)
    if abs(round_off) > tolerance(len(every), rules):
        return Held((_mismatch(round_off, totals.total, sale.charged or ZERO),))
    return Assessment(
        place_of_supply=supply.place,
        place_of_supply_gst_code=supply.digits,
        state_source=supply.source,
        supply_type=supply.type,
        gst_treatment=supply.treatment,
        gstin=supply.gstin,
        second_leg=supply.second_leg,
        inclusive=inclusive,
        lines=lines,
        charges=charges,
        totals=totals,
        entity_level=add_up_by_rate(every, supply.type, inclusive),
        zero_rated_value=value_of(every, TaxCategory.ZERO_RATED_NA),
        exempt_value=value_of(every, TaxCategory.EXEMPT),
        nil_value=value_of(every, TaxCategory.NIL),
        round_off=round_off,
        document_type=_document_type(every),
        warnings=_warnings(every, supply),
        notes=_notes(supply, rules),
    )


def tolerance(lines: int, rules: Rules) -> Decimal:
    """The largest difference that rounding alone can make: a paisa for each leg of each line."""
    return min(2 * lines * PAISA, rules.most_round_off)


def _fill(sale: Sale, rules: Rules) -> _Cart | Problem:
    goods = price_lines(sale.lines, sale.order_discount, _without_tax(sale, rules))
    charges = {SHIPPING: rupees(sale.shipping), COD_FEE: rupees(sale.cod_fee)}
    if sale.price_basis is PriceBasis.AS_CHARGED:
        charged = rupees(sale.charged or ZERO)
        asked = [*(line.net for line in goods), *charges.values()]
        if problem := _unlikely(charged, sum(asked, ZERO), len(asked), rules):
            return problem
        paid = share(charged, asked)
        goods = tuple(scale(line, net) for line, net in zip(goods, paid, strict=False))
        charges = dict(zip(charges, paid[len(goods) :], strict=True))
    return _Cart(goods, tuple(spread_charges(goods, charges, rules.charge_policy)))


def _unlikely(charged: Decimal, asked: Decimal, parts: int, rules: Rules) -> Problem | None:
    """What was paid cannot be the goods and their tax: less than the goods, or more than with the highest rate."""
    slack = tolerance(parts, rules)
    most = rupees(asked * (100 + HIGHEST_RATE) / 100)
    if charged < asked - slack:
        return _mismatch(charged - asked, asked, charged)
    return _mismatch(charged - most, most, charged) if charged > most + slack else None


def _document_type(lines: Sequence[TaxedLine]) -> DocumentType:
    """Goods without tax get a bill of supply (Rule 49); both kinds together one document of both (Rule 46A). Exports
    and supplies to SEZ get a tax invoice, with tax or without."""
    untaxed = [line.category in (TaxCategory.EXEMPT, TaxCategory.NIL) for line in lines]
    if all(untaxed):
        return "bill_of_supply"
    return "invoice_cum_bill_of_supply" if any(untaxed) else "tax_invoice"


def _warnings(lines: Sequence[TaxedLine], supply: Supply) -> tuple[Problem, ...]:
    if supply.gstin is None or _document_type(lines) != "invoice_cum_bill_of_supply":
        return ()
    return (
        Problem(
            "exempt_and_taxable_for_registered_buyer",
            "",
            "A registered buyer gets exempt and taxable goods in one document, which Rule 46A allows for others only.",
            "Ask the accountant whether two documents are wanted; the amounts are right either way.",
        ),
    )


def _notes(supply: Supply, rules: Rules) -> dict[str, str]:
    """What Rule 46 wants printed on invoices of exports and supplies to SEZ."""
    if not supply.zero_rated:
        return {}
    what = "SEZ unit or SEZ developer for authorised operations" if supply.place else "export"
    return {ENDORSEMENT: (UNDER_LUT if rules.lut else WITH_IGST).format(what)}


def _distinct(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Two lines of one product have one problem."""
    return tuple({problem.name: problem for problem in reversed(list(problems))}.values())[::-1]


def _policy_unset() -> Problem:
    return Problem(
        "shipping_policy_unset_for_mixed_rates",
        "",
        "The goods have several rates, and nobody said how shipping and the COD fee are taxed then.",
        "Set the policy shipping_tax to apportion or highest.",
    )


def _mismatch(difference: Decimal, reckoned: Decimal, charged: Decimal) -> Problem:
    return Problem(
        "total_mismatch",
        f"{rupees(difference):f}",
        f"The order asks for ₹{charged:f}, but its lines and their tax make ₹{reckoned:f}.",
        "Compare the order's prices, rates and discounts in the shop. If what was paid is right and only the shop's tax"
        " is not, say so for this order: override price_basis as_charged; for all orders it is a policy.",
    )
