"""Tax of lines, and the sums of a document.

Prices that contain the tax: tax first, by Rule 35 of the CGST Rules, so that the total is what was paid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from zohosync.gst.discounts import Priced
from zohosync.gst.money import rupees, rupees_up
from zohosync.gst.sale import ZERO, SupplyType, TaxCategory, TaxedLine, Totals

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Legs:
    """Tax of one value, and the value without it."""

    value: Decimal
    cgst: Decimal
    sgst: Decimal
    igst: Decimal

    @property
    def total(self) -> Decimal:
        return self.value + self.cgst + self.sgst + self.igst


def split(net: Decimal, rate: Decimal, supply: SupplyType, inclusive: bool) -> Legs:
    """Each leg is rounded on its own, half up; what is left of an inclusive amount is the value."""
    base = HUNDRED + rate if inclusive else HUNDRED
    zero = rupees(ZERO)
    if supply is SupplyType.INTER:
        igst = rupees(net * rate / base)
        return Legs(net - igst if inclusive else net, zero, zero, igst)
    leg = rupees(net * rate / (2 * base))
    return Legs(net - 2 * leg if inclusive else net, leg, leg, zero)


def tax(line: Priced, supply: SupplyType, inclusive: bool) -> TaxedLine:
    """The line with its tax."""
    legs = split(line.net, line.rate, supply, inclusive)
    return TaxedLine(
        line.key,
        line.sku,
        line.hsn,
        line.quantity,
        line.unit_price,
        line.gross,
        line.discount,
        line.discount_share,
        line.net,
        line.rate,
        line.category,
        legs.value,
        legs.cgst,
        legs.sgst,
        legs.igst,
        legs.total,
    )


def add_up(lines: Iterable[TaxedLine]) -> Totals:
    """The sums of lines as they are rounded."""
    listed = list(lines)
    return Totals(
        value_of(listed, TaxCategory.TAXABLE),
        _sum(line.cgst for line in listed),
        _sum(line.sgst for line in listed),
        _sum(line.igst for line in listed),
        _sum(line.total for line in listed),
    )


def value_of(lines: Iterable[TaxedLine], category: TaxCategory) -> Decimal:
    """The value of the lines of one category."""
    return _sum(line.value for line in lines if line.category is category)


def add_up_by_rate(lines: Sequence[TaxedLine], supply: SupplyType, inclusive: bool) -> Totals:
    """The sums as of a system that taxes once per rate, on the sum of the lines of that rate."""
    nets: dict[Decimal, Decimal] = {}
    for line in lines:
        if line.category is TaxCategory.TAXABLE:
            nets[line.rate] = nets.get(line.rate, ZERO) + line.net
    legs = [split(net, rate, supply, inclusive) for rate, net in nets.items()]
    untaxed = _sum(line.total for line in lines if line.category is not TaxCategory.TAXABLE)
    return Totals(
        _sum(leg.value for leg in legs),
        _sum(leg.cgst for leg in legs),
        _sum(leg.sgst for leg in legs),
        _sum(leg.igst for leg in legs),
        _sum(leg.total for leg in legs) + untaxed,
    )


def billable(line: TaxedLine, inclusive: bool) -> tuple[Decimal, Decimal]:
    """Price of one and discount of the line, in whole paise, as a document takes them: quantity times price, rounded to
    the paisa, less the discount is exactly what the line costs in a document of that basis.

    The shop's own price is kept where it can be; otherwise it goes up to a whole paisa and the discount takes it back.
    """
    wanted = line.total if inclusive else line.value
    price = rupees(line.unit_price)
    if line.net != wanted or rupees(price * line.quantity) < wanted:
        price = rupees_up(wanted / line.quantity)
    return price, rupees(price * line.quantity) - wanted


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return rupees(sum(amounts, ZERO))
