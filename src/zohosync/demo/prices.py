"""What the demo storefront charges for a cart or a quote. Pure, and the shop's own: it shares no code with zohosync.

Prices are before tax. The tax of each line is rounded half up to the paisa: within the seller's state CGST and SGST,
each on half the rate, to another state IGST. Shipping is part of the same sale and carries the highest rate in the cart
(the policy `shipping_tax` of the demo says so, too). So the total paid is the total of the invoice, to the paisa.
A product nobody classified yet is charged the flat rate the old cart charged for everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

SELLER_STATE = "Telangana"
FLAT_RATE = Decimal(18)
SHIPPING = Decimal("60.00")
FREE_FROM = Decimal("1500.00")
PAISA = Decimal("0.01")
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class PricedLine:
    """A line with what it costs: ``unit_price`` in rupees before tax, ``rate`` in percent."""

    variant: UUID
    sku: str
    quantity: int
    unit_price: Decimal
    rate: Decimal

    @property
    def total_price(self) -> Decimal:
        return self.unit_price * self.quantity

    def as_row(self) -> dict[str, Any]:
        """The columns of ``order_items`` and ``b2b_quote_items``."""
        return {
            "variant": self.variant,
            "quantity": self.quantity,
            "unit_price": self.unit_price,
            "total_price": self.total_price,
        }


@dataclass(frozen=True)
class Amounts:
    """What is charged, in rupees; the names are the shop's columns."""

    subtotal: Decimal
    tax_amount: Decimal
    shipping_amount: Decimal

    @property
    def total_amount(self) -> Decimal:
        return self.subtotal + self.tax_amount + self.shipping_amount


def rate_of(gst_rate: Decimal | None, tax_category: str | None) -> Decimal:
    """What a product is taxed at, in percent."""
    if tax_category and tax_category != "taxable":
        return Decimal(0)
    return FLAT_RATE if gst_rate is None else gst_rate


def charge(lines: Sequence[PricedLine], state: str, *, shipped: bool) -> Amounts:
    """What goods to a state cost; ``shipped`` adds shipping to small orders."""
    subtotal = sum((line.total_price for line in lines), ZERO)
    shipping = SHIPPING if shipped and subtotal < FREE_FROM else ZERO
    within = state.strip().casefold() == SELLER_STATE.casefold()
    tax = sum((_tax(line.total_price, line.rate, within) for line in lines), ZERO)
    highest = max((line.rate for line in lines), default=Decimal(0))
    return Amounts(subtotal, tax + _tax(shipping, highest, within), shipping)


def _tax(value: Decimal, rate: Decimal, within: bool) -> Decimal:
    if within:
        return 2 * (value * rate / 200).quantize(PAISA, rounding=ROUND_HALF_UP)
    return (value * rate / 100).quantize(PAISA, rounding=ROUND_HALF_UP)
