"""An order of the shop as GST sees it. Pure."""

from datetime import date
from decimal import Decimal

from zohosync.errors import NotReady, RecordInvalid
from zohosync.gst.sale import Assessment, Buyer, Place, PriceBasis, Problem, Rules, Sale, SaleLine, TaxCategory
from zohosync.gst.wording import shortened
from zohosync.store.orders import OrderLine, ShopAddress, ShopOrder
from zohosync.sync.books.desk import Office
from zohosync.sync.books.policies import Policies

ZERO = Decimal(0)
CENT = Decimal("0.01")
ECHOES = frozenset({"gst_rate_missing", "tax_category_missing", "hsn_missing"})
YES = frozenset({"yes", "true", "1"})


def check_complete(order: ShopOrder) -> None:
    """NotReady while lines are missing: they arrive in a transaction of their own, one or all of them.

    The shop's subtotal tells when all are there.
    """
    if not order.lines:
        raise NotReady(
            f"{order.order_number} has no lines yet.", wait_for="lines", hint="It continues when they arrive."
        )
    if order.subtotal is None or any(_line_total(line) is None for line in order.lines):
        return
    there = sum((_line_total(line) or ZERO for line in order.lines), ZERO)
    if abs(there - order.subtotal) > CENT * len(order.lines):
        raise NotReady(
            f"The lines of {order.order_number} add up to {there:.2f}, its subtotal is {order.subtotal:.2f}.",
            wait_for="lines",
            hint="It continues when the missing lines arrive, or when lines and subtotal agree.",
        )


def find_unmapped(order: ShopOrder, entity: str = "order") -> tuple[Problem, ...]:
    """Lines that are no goods Books could know: no line is ever dropped. ``entity``: ``approved_quote`` when the order
    is one in that form."""
    number = shortened(order.order_number)
    record = f"approved_quote {order.record_id}" if entity == "approved_quote" else f"order {number}"
    return tuple(
        Problem(
            "sku_missing",
            shortened(line.name) or line.line_id,
            f"A line of {number} has no SKU: {shortened(line.name) or 'its variant is gone from the shop'}.",
            f"Give the variant a SKU, or name one for this line: `zohosync override set {record}"
            f" line_sku:{line.line_id} <SKU> --reason <why>`.",
        )
        for line in order.lines
        if not (line.sku or "").strip()
    )


def without_echoes(order: ShopOrder, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Without what lines have no rate or HSN code for, because they have no SKU: that is told already."""
    unmapped = {line.line_id for line in order.lines if not (line.sku or "").strip()}
    return tuple(problem for problem in problems if problem.code not in ECHOES or problem.subject not in unmapped)


def find_contradictions(order: ShopOrder, policies: Policies) -> tuple[Problem, ...]:
    """Where what was charged is believed whatever the shop called tax, its parts must at least add up to it: else a
    discount that was forgotten, or a line that is missing, would pass for tax."""
    if _basis(order, policies) is not PriceBasis.AS_CHARGED or order.total is None:
        return ()
    goods = sum((_line_total(line) or ZERO for line in order.lines), ZERO)
    parts = goods - (order.discount or ZERO) + (order.shipping or ZERO) + (order.cod_fee or ZERO)
    told = parts + (order.tax or ZERO)
    if min(abs(parts - order.total), abs(told - order.total)) <= CENT * (len(order.lines) + 1):
        return ()
    return (
        Problem(
            "total_mismatch",
            f"{order.total - told:.2f}",
            f"{order.order_number} asks for ₹{order.total:.2f}, but its lines, discount, tax and shipping make"
            f" ₹{told:.2f}.",
            "Correct the order in the shop.",
        ),
    )


def find_doubts(order: ShopOrder, assessment: Assessment) -> tuple[str, ...]:
    """What an accountant has to know of an order that goes through: tax the shop took for goods that bear none."""
    free = (TaxCategory.EXEMPT, TaxCategory.NIL)
    bare = sorted({line.sku for line in assessment.lines if line.category in free})
    if not bare or not order.tax or assessment.totals.cgst + assessment.totals.igst or not assessment.inclusive:
        return ()
    return (
        f"The shop took ₹{order.tax:.2f} as tax, and {', '.join(bare)} bears none: what was collected as tax is to be"
        " given back, or paid to the government.",
    )


def read_sale(order: ShopOrder, policies: Policies, on: date) -> Sale:
    """The sale of one order; RecordInvalid when the shop's numbers contradict each other."""
    return Sale(
        lines=tuple(_line(order, line, policies) for line in order.lines),
        buyer=Buyer(
            gstin=order.gstin,
            is_business=bool((order.company or "").strip()) or order.role == "b2b_client",
            is_b2b=order.role == "b2b_client",
            special="sez" if _yes(order.overrides.get("sez")) else "",
        ),
        ship_to=_place(order.ship_to, by_person="state" in order.overrides),
        bill_to=_place(order.bill_to) if order.bill_to.source != "none" else None,
        on=on,
        price_basis=_basis(order, policies),
        order_discount=order.discount or ZERO,
        shipping=order.shipping or ZERO,
        cod_fee=order.cod_fee or ZERO,
        charged=order.total,
        currency=(order.currency or "INR").strip().upper(),
        third_party=_yes(order.overrides.get("third_party")),
    )


def rules_of(office: Office, policies: Policies) -> Rules:
    """What the organisation decided, as GST asks for it."""
    return Rules(
        seller_state=office.organisation.state_code,
        charge_policy=policies.shipping_tax,
        lut=policies.lut,
        b2b_without_gstin=policies.b2b_without_gstin,
        most_round_off=policies.round_off_tolerance,
        rates=policies.rates,
    )


def _line(order: ShopOrder, line: OrderLine, policies: Policies) -> SaleLine:
    rate = line.gst_rate
    if rate is None and (line.tax_category or "taxable").strip().lower() == TaxCategory.TAXABLE:
        rate = policies.default_gst_rate  # what is exempt needs none
    return SaleLine(
        key=line.line_id,
        sku=(line.sku or "").strip(),
        quantity=line.quantity if line.quantity is not None else ZERO,
        unit_price=line.unit_price if line.unit_price is not None else _unit_price(line),
        discount=_line_discount(order, line),
        hsn=(line.hsn_code or "").strip() or policies.default_hsn,
        rate=rate,
        category=_category(line, rate, policies),
    )


def _category(line: OrderLine, rate: Decimal | None, policies: Policies) -> TaxCategory | None:
    """What the shop says; else the policy; else a rate above zero speaks for itself, and none is left open."""
    told = (line.tax_category or "").strip().lower()
    if told:
        try:
            return TaxCategory(told)
        except ValueError:
            raise RecordInvalid(
                f"{shortened(line.sku)} has the tax category {shortened(line.tax_category)!r}, which is none.",
                hint="Write taxable, exempt, nil or zero_rated_na in the shop, or import it: `zohosync rates import`.",
                code="tax_category_unknown",
                field="tax_category",
            ) from None
    if policies.default_tax_category is not None:
        return policies.default_tax_category
    return TaxCategory.TAXABLE if rate else None


def _line_total(line: OrderLine) -> Decimal | None:
    if line.total_price is not None:
        return line.total_price
    if line.quantity is None or line.unit_price is None:
        return None
    return line.quantity * line.unit_price


def _unit_price(line: OrderLine) -> Decimal:
    """Of a line that tells only its total; GST refuses what is no price."""
    if line.total_price is None or not line.quantity:
        return Decimal("NaN")
    return line.total_price / line.quantity


def _line_discount(order: ShopOrder, line: OrderLine) -> Decimal:
    """A line that costs less than quantity times price was discounted; one that costs more contradicts itself."""
    if line.total_price is None or line.unit_price is None or line.quantity is None:
        return ZERO
    discount = line.quantity * line.unit_price - line.total_price
    if discount < 0:
        raise RecordInvalid(
            f"A line of {order.order_number} costs {line.total_price:.2f}, but {line.quantity:f} x"
            f" {line.unit_price:.2f} are less.",
            hint="Correct the line in the shop.",
            code="line_total_mismatch",
            field=line.sku or line.line_id,
        )
    return discount


def _basis(order: ShopOrder, policies: Policies) -> PriceBasis | None:
    told = order.overrides.get("price_basis")
    return PriceBasis(told) if told in set(PriceBasis) else policies.price_basis


def _place(address: ShopAddress, *, by_person: bool = False) -> Place:
    return Place(address.state, address.postal_code, address.country, by_person)


def _yes(told: str | None) -> bool | None:
    return None if told is None else told.strip().lower() in YES
