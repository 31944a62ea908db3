"""What a credit note takes back of an invoice: its own rates, its own prices after discount, its own place of supply.

Central Goods and Services Tax Act, section 34; never more than was invoiced.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from zohosync.gst.amounts import add_up, split
from zohosync.gst.money import PAISA, is_usable, is_whole_paise, rupees, share
from zohosync.gst.sale import ZERO, Held, Problem, SupplyType, TaxedLine, Totals
from zohosync.gst.wording import shortened

ONE = Decimal(1)
IN_SHOP = "Compare the refund in the shop with the invoice; what is beyond the invoice needs a document made by hand."


@dataclass(frozen=True, slots=True)
class Credit:
    """Lines of a credit note. ``inclusive``: their prices contain the tax, which may differ from the invoice's.

    ``of_goods``: its quantities are goods; otherwise every line is one allowance in money."""

    lines: tuple[TaxedLine, ...]
    totals: Totals
    inclusive: bool
    of_goods: bool
    round_off: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Invoiced:
    """The invoice as it was made: lines and parts of charges, as the assessment had them."""

    lines: tuple[TaxedLine, ...]
    supply_type: SupplyType
    inclusive: bool
    round_off: Decimal = ZERO


def credit_all(invoiced: Invoiced) -> Credit:
    """The whole invoice, as it was."""
    return Credit(invoiced.lines, add_up(invoiced.lines), invoiced.inclusive, True, invoiced.round_off)


def credit_quantities(
    invoiced: Invoiced, quantities: Mapping[str, Decimal], earlier: Sequence[Credit] = ()
) -> Credit | Held:
    """Goods that came back, by the key of their line; a charge that is refunded too is named with quantity 1.

    The last goods of a line take what earlier credits left of it, so that all parts together make the line.
    """
    problems = _excess(invoiced, quantities, earlier)
    if problems:
        return Held(tuple(problems))
    wanted = [line for line in invoiced.lines if quantities.get(line.key)]
    lines = tuple(_portion(invoiced, line, quantities[line.key], earlier) for line in wanted)
    return Credit(lines, add_up(lines), invoiced.inclusive, of_goods=True)


def credit_amount(invoiced: Invoiced, amount: Decimal, earlier: Sequence[Credit] = ()) -> Credit | Held:
    """Money given back without goods: shared over the lines in proportion to what is left of them, tax extracted from
    each share. The whole of an invoice is the invoice as it was."""
    if not is_usable(amount) or amount <= 0 or not is_whole_paise(amount):
        return Held((_not_an_amount(amount),))
    left = [line.total - _credited(line, earlier) for line in invoiced.lines]
    whole = sum(left, ZERO)
    if not earlier and amount in (whole, whole + invoiced.round_off):
        everything = credit_all(invoiced)
        return everything if amount != whole else replace(everything, round_off=ZERO)
    if amount > whole:
        return Held((_too_much(f"₹{amount:f}", f"₹{whole:f}", f"{amount - whole:f}"),))
    shares = share(amount, left)
    parts = zip(invoiced.lines, shares, strict=True)
    lines = tuple(_allowance(line, part, invoiced.supply_type) for line, part in parts if part)
    return Credit(lines, add_up(lines), inclusive=True, of_goods=False)


def _portion(invoiced: Invoiced, line: TaxedLine, quantity: Decimal, earlier: Sequence[Credit]) -> TaxedLine:
    """A part of a line, reckoned as the invoice was."""
    if quantity == line.quantity and not _same(line, earlier):
        return line
    net = rupees(line.net * quantity / line.quantity)
    left = line.net - _credited_net(line, earlier, invoiced.inclusive)
    if quantity + _returned(line, earlier) == line.quantity or net > left:
        net = max(left, ZERO)
    most = line.total - _credited(line, earlier)
    legs = split(net, line.rate, invoiced.supply_type, invoiced.inclusive)
    while legs.total > most:  # Two halves can be rounded up where their whole was rounded once.
        net -= PAISA
        legs = split(net, line.rate, invoiced.supply_type, invoiced.inclusive)
    gross = rupees(line.unit_price * quantity)
    shared = rupees(line.discount_share * quantity / line.quantity)
    return replace(
        line,
        quantity=quantity,
        gross=gross,
        discount=gross - shared - net,
        discount_share=shared,
        net=net,
        value=legs.value,
        cgst=legs.cgst,
        sgst=legs.sgst,
        igst=legs.igst,
        total=legs.total,
    )


def _allowance(line: TaxedLine, amount: Decimal, supply: SupplyType) -> TaxedLine:
    legs = split(amount, line.rate, supply, inclusive=True)
    zero = rupees(ZERO)
    return replace(
        line,
        quantity=ONE,
        unit_price=amount,
        gross=amount,
        discount=zero,
        discount_share=zero,
        net=amount,
        value=legs.value,
        cgst=legs.cgst,
        sgst=legs.sgst,
        igst=legs.igst,
        total=legs.total,
    )


def _same(line: TaxedLine, earlier: Iterable[Credit]) -> list[tuple[Credit, TaxedLine]]:
    """What earlier credits took of a line; the parts of one charge differ by rate and category."""
    of = (line.key, line.rate, line.category)
    return [(credit, part) for credit in earlier for part in credit.lines if (part.key, part.rate, part.category) == of]


def _credited(line: TaxedLine, earlier: Iterable[Credit]) -> Decimal:
    return sum((part.total for _, part in _same(line, earlier)), ZERO)


def _credited_net(line: TaxedLine, earlier: Iterable[Credit], inclusive: bool) -> Decimal:
    return sum((part.total if inclusive else part.value for _, part in _same(line, earlier)), ZERO)


def _returned(line: TaxedLine, earlier: Iterable[Credit]) -> Decimal:
    return sum((part.quantity for credit, part in _same(line, earlier) if credit.of_goods), ZERO)


def _excess(invoiced: Invoiced, quantities: Mapping[str, Decimal], earlier: Sequence[Credit]) -> list[Problem]:
    problems = []
    for key, quantity in quantities.items():
        lines = [line for line in invoiced.lines if line.key == key]
        left = min((line.quantity - _returned(line, earlier) for line in lines), default=ZERO)
        if not quantity.is_finite() or quantity < 0 or quantity > left:
            sku = lines[0].sku or key if lines else key
            problems.append(_too_much(f"{shortened(str(quantity))} of {shortened(sku)}", f"{left}", shortened(sku)))
    return problems


def _too_much(asked: str, left: str, subject: str) -> Problem:
    message = f"{asked} is to be credited, but {left} is left of the invoice."
    return Problem("credit_exceeds_invoice", subject, message, IN_SHOP)


def _not_an_amount(amount: Decimal) -> Problem:
    message = f"{shortened(str(amount))} is to be credited, which is no amount of rupees and paise."
    return Problem("amount_invalid", "", message, IN_SHOP)
