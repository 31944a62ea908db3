"""Rates of GST on goods, by date, and what a product must say of its tax."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from zohosync.gst.sale import ZERO, Problem, SaleLine, TaxCategory
from zohosync.gst.wording import shortened

HSN = re.compile(r"(?!00)[0-9]{4}([0-9]{2}([0-9]{2})?)?")
NEW_RATES_SINCE = date(2025, 9, 22)
"""Notification 9/2025-Integrated Tax (Rate): 12 and 28 % ended for the goods of this trade."""
ENDED = frozenset({Decimal(12), Decimal(28)})
WHERE = "Set it on the variant in the shop, by an import of rates, or by a default in the policies."
CORRECT = "Correct it on the variant in the shop, or by an import of rates."
MORE = "Correct it on the variant in the shop, or by an import of rates; or name it in the policy more_rates."


def rates_in_force(on: date, allowed: frozenset[Decimal]) -> frozenset[Decimal]:
    """The seller's own rates, and before the change of September 2025 those that ended with it."""
    return allowed if on >= NEW_RATES_SINCE else allowed | ENDED


def category_of(line: SaleLine) -> TaxCategory | None:
    """What the product says, else taxable where it has a rate above 0; a rate of 0 alone says nothing."""
    if line.category is not None:
        return line.category
    return TaxCategory.TAXABLE if line.rate is not None and line.rate.is_finite() and line.rate > 0 else None


def rate_of(line: SaleLine) -> Decimal:
    """The rate of a line without problems."""
    return line.rate if category_of(line) is TaxCategory.TAXABLE and line.rate is not None else ZERO


def show_rate(rate: Decimal) -> str:
    """12.00 is 12."""
    return shortened(f"{rate.normalize():f}" if rate.is_finite() else str(rate))


def find_rate_problems(line: SaleLine, on: date, allowed: frozenset[Decimal], zero_rated: bool) -> Iterator[Problem]:
    """What of the tax of one line is missing, contradictory or not in force."""
    sku = shortened(line.sku or line.key)
    yield from _of_rate(line, sku, on, allowed, zero_rated)
    hsn = (line.hsn or "").strip()
    if not hsn:
        yield Problem("hsn_missing", sku, f"Product {sku} has no HSN code.", WHERE)
    elif not HSN.fullmatch(hsn):
        yield Problem(
            "hsn_invalid", sku, f"HSN {shortened(hsn)!r} of product {sku} is not one of 4, 6 or 8 digits.", CORRECT
        )


def _of_rate(line: SaleLine, sku: str, on: date, allowed: frozenset[Decimal], zero_rated: bool) -> Iterator[Problem]:
    category = category_of(line)
    if category in (TaxCategory.EXEMPT, TaxCategory.NIL):
        if line.rate:
            yield _conflict(sku, f"is {category} but has a rate of {show_rate(line.rate)} %")
    elif category is TaxCategory.ZERO_RATED_NA:
        if not zero_rated:
            yield _conflict(sku, "is zero-rated, which only exports and supplies to SEZ can be")
    elif line.rate is None:
        yield Problem("gst_rate_missing", sku, f"Product {sku} has no GST rate.", WHERE)
    elif line.rate.is_finite() and line.rate == 0:
        yield _zero_rate(sku, category)
    elif not line.rate.is_finite() or line.rate not in rates_in_force(on, allowed):
        yield _not_in_force(sku, line.rate, on)


def _zero_rate(sku: str, category: TaxCategory | None) -> Problem:
    if category is not None:
        return _conflict(sku, "is taxable at 0 %, which says neither exempt nor nil-rated")
    message = f"Product {sku} has a rate of 0 and no tax category: is it exempt or nil-rated?"
    return Problem("tax_category_missing", sku, message, WHERE)


def _conflict(sku: str, what: str) -> Problem:
    return Problem("tax_category_conflict", sku, f"Product {sku} {what}.", CORRECT)


def _not_in_force(sku: str, rate: Decimal, on: date) -> Problem:
    shown = show_rate(rate)
    message = f"Product {sku} has a GST rate of {shown} %, which is not one of the rates in force on {on:%d %B %Y}."
    return Problem("rate_not_in_force", shown, message, MORE)
