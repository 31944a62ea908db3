"""Rupees and paise: rounding, and sharing without losing a paisa."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

PAISA = Decimal("0.01")
MOST = Decimal("1000000000000")
"""No amount of a shop is larger, in rupees; what is, is a mistake."""


def rupees(amount: Decimal) -> Decimal:
    """To the paisa, half up: the law's rounding, not Python's."""
    return amount.quantize(PAISA, rounding=ROUND_HALF_UP)


def rupees_up(amount: Decimal) -> Decimal:
    return amount.quantize(PAISA, rounding=ROUND_CEILING)


def is_usable(amount: Decimal | None) -> bool:
    """A finite number a shop can mean."""
    return amount is not None and amount.is_finite() and abs(amount) < MOST


def is_whole_paise(amount: Decimal) -> bool:
    return amount == rupees(amount)


def share(amount: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """An amount in proportion to weights, both in whole paise; the shares sum to it exactly.

    Every share is rounded down, then the paise left go to the largest remainders, of equal ones to the earlier. No
    share of an amount up to the sum of weights is larger than its weight. Weights of zero throughout share nothing.
    """
    paise = int(amount * 100)
    parts = [int(weight * 100) for weight in weights]
    whole = sum(parts)
    if not paise or not whole:
        return tuple(Decimal(0).quantize(PAISA) for _ in parts)
    shares = [paise * part // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(paise * parts[i] % whole), i))
    for position in by_remainder[: paise - sum(shares)]:
        shares[position] += 1
    return tuple((Decimal(part) / 100).quantize(PAISA) for part in shares)
