"""Totals: what a document of Books comes to, line by line and as a whole. Pure, Decimal throughout, half-up.

The order of the steps is told by the texts of the fields: https://www.zoho.com/books/api/v3/invoices/#create-an-invoice
What they leave open is in Rounding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Literal

ZERO = Decimal(0)
HUNDRED = Decimal(100)
CENT = Decimal("0.01")


def rounded(amount: Decimal, step: Decimal = CENT) -> Decimal:
    """To the nearest step, half away from zero."""
    return ((amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step).quantize(CENT)


@dataclass(frozen=True, slots=True)
class Component:
    """One tax as it appears in taxes[]: CGST9 with 9 percent."""

    tax_id: str
    name: str
    percentage: Decimal


@dataclass(frozen=True, slots=True)
class Tax:
    """What a line names: a single tax, or a group of two."""

    tax_id: str
    components: tuple[Component, ...]

    @property
    def percentage(self) -> Decimal:
        return sum((part.percentage for part in self.components), ZERO)


@dataclass(frozen=True, slots=True)
class Discount:
    """An amount, or percent of what it is taken from."""

    amount: Decimal = ZERO
    percent: Decimal = ZERO

    def of(self, value: Decimal) -> Decimal:
        return rounded(self.amount + value * self.percent / HUNDRED)


NONE = Discount()


@dataclass(frozen=True, slots=True)
class Line:
    rate: Decimal
    quantity: Decimal = Decimal(1)
    tax: Tax | None = None
    discount: Discount = NONE

    @property
    def amount(self) -> Decimal:
        """After the line's own discount, in the basis of the document."""
        gross = rounded(self.rate * self.quantity)
        return gross - self.discount.of(gross)


@dataclass(frozen=True, slots=True)
class Bill:
    """All that a total rests on; ``discount`` is of the whole, ``inclusive``: lines and shipping contain their tax."""

    lines: tuple[Line, ...]
    inclusive: bool = False
    discount: Discount = NONE
    discount_before_tax: bool = True
    shipping: Decimal = ZERO
    shipping_tax: Tax | None = None
    adjustment: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Rounding:
    """Where and how is rounded: what the documentation does not say, or lets an organisation choose."""

    tax: Literal["item_level", "entity_level"] = "item_level"
    group: Literal["component", "group"] = "component"
    extraction: Literal["tax_first", "net_first"] = "tax_first"
    step: Decimal = CENT
    """What the total is rounded to: 1 for whole rupees."""


@dataclass(frozen=True, slots=True)
class TaxAmount:
    component: Component
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """A line or the shipping: ``amount`` as charged, ``discount`` its share of the document's, both in the basis of the
    document; ``net`` is what is taxed, ``net_discount`` the share without its tax."""

    amount: Decimal
    discount: Decimal
    net: Decimal
    net_discount: Decimal
    taxes: tuple[TaxAmount, ...]

    @property
    def tax(self) -> Decimal:
        return sum((tax.amount for tax in self.taxes), ZERO)

    @property
    def before_discount(self) -> Decimal:
        """Without tax and before its share of the document's discount: item_total."""
        return self.net + self.net_discount


@dataclass(frozen=True, slots=True)
class Totals:
    """``discount`` is without tax when it came before tax; total = sub_total - discount + taxes + shipping.net
    + adjustment + round_off, always."""

    lines: tuple[Part, ...]
    shipping: Part
    taxes: tuple[TaxAmount, ...]
    sub_total: Decimal
    discount: Decimal
    round_off: Decimal
    total: Decimal

    @property
    def tax(self) -> Decimal:
        return sum((tax.amount for tax in self.taxes), ZERO)


def total(bill: Bill, rounding: Rounding) -> Totals:
    amounts = [line.amount for line in bill.lines]
    whole = bill.discount.of(sum(amounts, ZERO))
    shares = allocate(whole if bill.discount_before_tax else ZERO, amounts)
    charges = [(amount - share, line.tax) for amount, share, line in zip(amounts, shares, bill.lines, strict=True)]
    charges.append((rounded(bill.shipping), bill.shipping_tax))
    nets, taxes = tax_together(charges, bill.inclusive, rounding)
    parts = [
        _part(charge, share, net, bill.inclusive, rounding)
        for charge, share, net in zip(charges, [*shares, ZERO], nets, strict=True)
    ]
    *lines, shipping = parts
    sub_total = sum((line.before_discount for line in lines), ZERO)
    discount = sum((line.net_discount for line in lines), ZERO) if bill.discount_before_tax else whole
    tax = sum((amount.amount for amount in taxes), ZERO)
    exact = sub_total - discount + tax + shipping.net + rounded(bill.adjustment)
    due = rounded(exact, rounding.step)
    return Totals(tuple(lines), shipping, taxes, sub_total, discount, due - exact, due)


def _part(
    charge: tuple[Decimal, Tax | None], share: Decimal, net: Decimal, inclusive: bool, rounding: Rounding
) -> Part:
    amount, tax = charge
    contained = share * HUNDRED / (HUNDRED + tax.percentage) if inclusive and tax else share
    return Part(amount + share, share, net, rounded(contained), tax_one(amount, tax, inclusive, rounding)[1])


def tax_together(
    charges: Sequence[tuple[Decimal, Tax | None]], inclusive: bool, rounding: Rounding
) -> tuple[list[Decimal], tuple[TaxAmount, ...]]:
    """The net of every charge, and the taxes of all: each charge by itself, or all of one tax in a sum."""
    nets = [ZERO] * len(charges)
    taxes: list[TaxAmount] = []
    for places in _baskets(charges, rounding):
        amounts, tax = [charges[place][0] for place in places], charges[places[0]][1]
        net, found = tax_one(sum(amounts, ZERO), tax, inclusive, rounding)
        for place, own in zip(places, allocate(net, amounts), strict=True):
            nets[place] = own
        taxes += found
    return nets, summed(taxes)


def _baskets(charges: Sequence[tuple[Decimal, Tax | None]], rounding: Rounding) -> list[list[int]]:
    """Places of the charges whose tax is rounded in one."""
    places = range(len(charges))
    if rounding.tax == "item_level":
        return [[place] for place in places]

    def name(place: int) -> str:
        tax = charges[place][1]
        return tax.tax_id if tax else ""

    return [list(basket) for _, basket in groupby(sorted(places, key=name), key=name)]


def tax_one(
    amount: Decimal, tax: Tax | None, inclusive: bool, rounding: Rounding
) -> tuple[Decimal, tuple[TaxAmount, ...]]:
    """What of an amount is net, and the tax on it or in it."""
    if tax is None:
        return amount, ()
    if inclusive and rounding.extraction == "tax_first":
        taxes = _legs(amount, tax, HUNDRED + tax.percentage, rounding)
        return amount - sum((leg.amount for leg in taxes), ZERO), taxes
    net = rounded(amount * HUNDRED / (HUNDRED + tax.percentage)) if inclusive else amount
    return net, _legs(net, tax, HUNDRED, rounding)


def _legs(value: Decimal, tax: Tax, of: Decimal, rounding: Rounding) -> tuple[TaxAmount, ...]:
    """The tax of every component. The legs of a group are alike, so half of an odd paisa is rounded up twice."""
    if rounding.group == "component" or tax.percentage == ZERO:
        return tuple(TaxAmount(leg, rounded(value * leg.percentage / of)) for leg in tax.components)
    whole = rounded(value * tax.percentage / of)
    return tuple(TaxAmount(leg, rounded(whole * leg.percentage / tax.percentage)) for leg in tax.components)


def summed(taxes: Iterable[TaxAmount]) -> tuple[TaxAmount, ...]:
    """One entry for each component, in the order of their first appearance."""
    sums: dict[Component, Decimal] = {}
    for tax in taxes:
        sums[tax.component] = sums.get(tax.component, ZERO) + tax.amount
    return tuple(TaxAmount(component, amount) for component, amount in sums.items())


def allocate(whole: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The whole in shares by weight, in cents that add up: what is left goes to the largest remainders, in order."""
    weight = sum(weights, ZERO)
    if weight == ZERO:
        return [whole if place == 0 else ZERO for place in range(len(weights))]
    exact = [whole * own / weight for own in weights]
    shares = [share.quantize(CENT, ROUND_FLOOR) for share in exact]
    missing = int((whole - sum(shares, ZERO)) / CENT)
    by_remainder = sorted(range(len(weights)), key=lambda place: shares[place] - exact[place])
    for place in by_remainder[:missing]:
        shares[place] += CENT
    return shares
