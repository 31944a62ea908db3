"""Shipping and the fee for cash on delivery: parts of the supply of the goods, so taxed as they are.

Central Goods and Services Tax Act, sections 8 and 15(2)(c). For goods of several rates the law names no split.
"""

from collections.abc import Sequence
from decimal import Decimal

from zohosync.gst.discounts import Priced
from zohosync.gst.money import share
from zohosync.gst.sale import ZERO, ChargePolicy, TaxCategory

SHIPPING = "shipping"
COD_FEE = "cod_fee"
ONE = Decimal(1)
RANK = {TaxCategory.TAXABLE: 3, TaxCategory.ZERO_RATED_NA: 2, TaxCategory.NIL: 1, TaxCategory.EXEMPT: 0}


def needs_policy(goods: Sequence[Priced]) -> bool:
    """Whether it must be decided how a charge is taxed: the goods are not all taxed alike. Free goods do not count
    beside others."""
    return len(_groups(goods)) > 1


def spread_charges(goods: Sequence[Priced], charges: dict[str, Decimal], policy: ChargePolicy | None) -> list[Priced]:
    """The charges as lines of the goods' rates, the lowest rate first; parts of nothing are left out."""
    groups = _groups(goods)
    return [part for name, amount in charges.items() if amount for part in _spread(name, amount, groups, policy)]


def _groups(goods: Sequence[Priced]) -> list[list[Priced]]:
    """Goods that are taxed alike, in an order that does not depend on that of the lines."""
    counted = [line for line in goods if line.net > 0] or list(goods)
    found: dict[tuple[Decimal, int], list[Priced]] = {}
    for line in counted:
        found.setdefault((line.rate, RANK[line.category]), []).append(line)
    return [found[key] for key in sorted(found)]


def _spread(name: str, amount: Decimal, groups: list[list[Priced]], policy: ChargePolicy | None) -> list[Priced]:
    weights = [sum((line.net for line in group), ZERO) for group in groups]
    if policy is ChargePolicy.APPORTION and any(weights):
        parts = share(amount, weights)
    else:
        parts = (*[ZERO] * (len(groups) - 1), amount)
    return [_part(name, part, group) for part, group in zip(parts, groups, strict=True) if part]


def _part(name: str, amount: Decimal, group: list[Priced]) -> Priced:
    """A part of a charge; its HSN is that of the goods of most value it goes with."""
    principal = max(group, key=lambda line: (line.net, line.hsn or ""))
    return Priced(name, "", principal.hsn, ONE, amount, amount, ZERO, ZERO, amount, principal.rate, principal.category)
