"""What of a sale is missing or impossible, all of it at once, before anything is reckoned."""

from collections.abc import Iterator
from decimal import Decimal

from zohosync.gst.countries import tell_country
from zohosync.gst.discounts import gross_of
from zohosync.gst.money import is_usable, is_whole_paise
from zohosync.gst.rates import find_rate_problems
from zohosync.gst.sale import ZERO, PriceBasis, Problem, Rules, Sale, SaleLine
from zohosync.gst.wording import shortened

MOST_DECIMALS = -6
IN_SHOP = "Correct it in the shop; the document goes through by itself then."


def is_zero_rated(sale: Sale) -> bool:
    """An export or a supply to SEZ, as far as the buyer and the country say."""
    return sale.buyer.special == "sez" or (tell_country(sale.ship_to.country) == "abroad" and not sale.counter)


def find_document_problems(sale: Sale) -> Iterator[Problem]:
    """Of the sale as a whole."""
    if sale.currency.strip().upper() != "INR":
        yield _currency(sale.currency)
    if not sale.lines:
        yield Problem("no_lines", "", "The order has no lines.", IN_SHOP)
    if sale.price_basis is None:
        yield _basis_unknown()
    for name, amount in (
        ("discount of the order", sale.order_discount),
        ("shipping", sale.shipping),
        ("fee for cash on delivery", sale.cod_fee),
        ("total", ZERO if sale.charged is None else sale.charged),
    ):
        yield from _of_amount(name, "", amount)
    if sale.price_basis is PriceBasis.AS_CHARGED and sale.charged is None:
        yield _charged_missing()


def find_line_problems(sale: Sale, rules: Rules) -> Iterator[Problem]:
    """Of the lines, each by itself; and a discount of more than they cost."""
    zero_rated = is_zero_rated(sale)
    for line in sale.lines:
        yield from _of_line(line)
        yield from find_rate_problems(line, sale.on, rules.rates, zero_rated)


def find_discount_problems(sale: Sale) -> Iterator[Problem]:
    """Of the order's discount, where every line is usable."""
    cost = sum((gross_of(line) - line.discount for line in sale.lines), ZERO)
    if sale.order_discount > cost:
        yield Problem(
            "discount_exceeds_order",
            "",
            f"The order's discount of ₹{sale.order_discount:f} is more than its goods cost (₹{cost:f}).",
            IN_SHOP,
        )


def _of_line(line: SaleLine) -> Iterator[Problem]:
    sku = shortened(line.sku or line.key)
    usable = True
    if not is_usable(line.quantity) or line.quantity is None or line.quantity <= 0 or _is_fine(line.quantity):
        usable = False
        message = f"The quantity of {sku} is {_shown(line.quantity)}; it must be more than 0, with at most 6 decimals."
        yield Problem("quantity_invalid", sku, message, IN_SHOP)
    if line.unit_price is None or line.unit_price.is_nan():
        usable = False
        yield Problem("price_missing", sku, f"{sku} has no price.", IN_SHOP)
    elif line.unit_price.is_finite() and line.unit_price < 0:
        usable = False
        yield _negative(f"price of {sku}", sku, line.unit_price)
    elif not is_usable(line.unit_price):
        usable = False
        yield _invalid(f"price of {sku}", sku, line.unit_price)
    problems = list(_of_amount(f"discount of {sku}", sku, line.discount))
    yield from problems
    if usable and not problems:
        yield from _of_cost(line, sku)


def _of_cost(line: SaleLine, sku: str) -> Iterator[Problem]:
    """Price times quantity, and the discount beside it."""
    assert line.quantity is not None
    assert line.unit_price is not None
    if not is_usable(line.quantity * line.unit_price):
        yield _invalid(f"cost of {sku}", sku, line.quantity * line.unit_price)
    elif line.discount > (cost := gross_of(line)):
        message = f"The discount of {sku}, ₹{line.discount:f}, is more than it costs (₹{cost:f})."
        yield Problem("discount_exceeds_line", sku, message, IN_SHOP)


def _of_amount(name: str, subject: str, amount: Decimal) -> Iterator[Problem]:
    if not is_usable(amount):
        yield _invalid(name, subject, amount)
    elif amount < 0:
        yield _negative(name, subject, amount)
    elif not is_whole_paise(amount):
        yield _invalid(name, subject, amount)


def _is_fine(number: Decimal) -> bool:
    """More decimals than a quantity can have. A price may have any: some are a total through a quantity."""
    exponent = number.normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent < MOST_DECIMALS


def _shown(number: Decimal | None) -> str:
    return "missing" if number is None else shortened(str(number))


def _negative(name: str, subject: str, amount: Decimal) -> Problem:
    return Problem("amount_negative", subject, f"The {name} is {shortened(f'{amount:f}')}, less than nothing.", IN_SHOP)


def _invalid(name: str, subject: str, amount: Decimal) -> Problem:
    return Problem(
        "amount_invalid", subject, f"The {name} is {_shown(amount)}, which is no amount of rupees and paise.", IN_SHOP
    )


def _currency(currency: str) -> Problem:
    return Problem(
        "currency_unsupported",
        shortened(currency),
        f"The order is in {shortened(currency) or 'no currency'}; only INR is synced.",
        "Make the document by hand in Zoho Books and link it.",
    )


def _basis_unknown() -> Problem:
    return Problem(
        "price_basis_unknown",
        "",
        "Nobody said whether the shop's prices contain GST.",
        "Set the policy price_basis to exclusive, inclusive or as_charged, or the override price_basis of this order.",
    )


def _charged_missing() -> Problem:
    return Problem(
        "charged_missing",
        "",
        "The tax is to be extracted from what was paid, and the order has no total.",
        "Correct the total in the shop, or set the override price_basis of this order.",
    )
