"""What each line costs after its own discount and its share of the order's."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from zohosync.gst.money import rupees, rupees_up, share
from zohosync.gst.rates import category_of, rate_of
from zohosync.gst.sale import ZERO, SaleLine, TaxCategory


@dataclass(frozen=True, slots=True)
class Priced:
    """A line, or a part of a charge, before tax: ``net`` = ``gross`` - ``discount`` - ``discount_share``."""

    key: str
    sku: str
    hsn: str | None
    quantity: Decimal
    unit_price: Decimal
    gross: Decimal
    discount: Decimal
    discount_share: Decimal
    net: Decimal
    rate: Decimal
    category: TaxCategory


def gross_of(line: SaleLine) -> Decimal:
    """Quantity times price, to the paisa."""
    return rupees((line.quantity or ZERO) * (line.unit_price or ZERO))


def price_lines(lines: Sequence[SaleLine], order_discount: Decimal, without_tax: bool = False) -> tuple[Priced, ...]:
    """Lines that passed preflight, the order's discount shared in proportion to what each costs.

    ``without_tax``: all of them are zero-rated and no tax is paid, whatever their rate."""
    nets = [rupees(gross_of(line) - line.discount) for line in lines]
    shares = share(order_discount, nets)
    return tuple(_price(line, part, without_tax) for line, part in zip(lines, shares, strict=True))


def scale(line: Priced, net: Decimal) -> Priced:
    """The line so that it costs ``net``: its discounts keep their proportion, its price goes up to a whole paisa, and
    the discount takes up what that is too much."""
    if net == line.net:
        return line
    factor = net / line.net if line.net else ZERO
    shared = rupees(line.discount_share * factor)
    before = net + shared + rupees(line.discount * factor)
    price = rupees_up(before / line.quantity)
    gross = rupees(price * line.quantity)
    return Priced(
        line.key,
        line.sku,
        line.hsn,
        line.quantity,
        price,
        gross,
        gross - shared - net,
        shared,
        net,
        line.rate,
        line.category,
    )


def _price(line: SaleLine, shared: Decimal, without_tax: bool) -> Priced:
    gross = gross_of(line)
    category = TaxCategory.ZERO_RATED_NA if without_tax else category_of(line)
    assert line.quantity is not None
    assert line.unit_price is not None
    assert category is not None
    return Priced(
        line.key,
        line.sku,
        (line.hsn or "").strip() or None,
        line.quantity,
        line.unit_price,
        gross,
        rupees(line.discount),
        shared,
        rupees(gross - line.discount - shared),
        ZERO if without_tax else rate_of(line),
        category,
    )
