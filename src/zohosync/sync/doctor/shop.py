"""The shop: whether it can be read, what GST lacks, how its orders reckon tax, and which number is its stock."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from zohosync.store.checkup import survey
from zohosync.store.checkup.survey import PaidOrder, StockSurvey
from zohosync.sync.doctor.finding import Chart, count, some
from zohosync.sync.doctor.patient import Patient

Basis: TypeAlias = Literal["exclusive", "inclusive", "as_charged", "contradictory"]

ORDERS = 50
MANY_LINES = 10_000
"""Below, reading a whole table takes a few milliseconds."""
ROUNDING = Decimal("1.00")
"""Shops round totals to whole rupees."""

RATE_STEP = Decimal("0.5")
MEANINGS: dict[Basis, str] = {
    "exclusive": "tax is added to the prices",
    "inclusive": "the prices contain the tax",
    "as_charged": "no tax is stated, so it is part of what was paid",
    "contradictory": "the amounts do not add up",
}


async def shop_reading(patient: Patient, chart: Chart) -> None:
    """Every reading function of the adapter, for no record in particular."""
    failed = await survey.list_unreadable(patient.database)
    for function, problem in failed:
        chart.wrong(
            f"The shop cannot be read through {function}: {problem}.",
            "After a change of the shop's schema, correct the adapter and run `zohosync install` again; work waits.",
            function=function,
        )
    if not failed:
        chart.ok("The shop's tables are as the adapter knows them.")


async def line_indexes(patient: Patient, chart: Chart) -> None:
    """Whether the lines and addresses of one order or quote are found without reading those of all."""
    missing = await survey.list_missing_indexes(patient.database)
    slow = [one for one in missing if one.row_count >= MANY_LINES]
    for one in slow:
        chart.remark(
            f"No index of public.{one.table_name} begins with {one.column_name}: to look up those of one"
            f" document all {one.row_count} rows are read.",
            f"As the owner of the shop's tables, outside a transaction: {one.statement}",
            table=one.table_name,
            rows=one.row_count,
        )
    if not slow:
        chart.ok(
            "Lines of orders and quotes, and addresses, are found by an index."
            if not missing
            else f"{some([f'public.{one.table_name} ({one.column_name})' for one in missing])} has no index; there are"
            " too few rows for that to matter."
        )


async def tax_data(patient: Patient, chart: Chart) -> None:
    """What invoices need of every kind of goods."""
    found = await survey.survey_tax(patient.database)
    figures: dict[str, Any] = {"variants": found.variants, "incomplete": found.incomplete}
    if not found.variants:
        chart.not_checked("The shop has no goods for sale yet.", **figures)
    elif found.incomplete:
        chart.remark(
            f"{found.incomplete} of {count(found.variants, 'SKU')} lack HSN code or GST rate ({some(found.examples)}).",
            "Fill in hsn_code, gst_rate and tax_category of public.product_variants; invoices will need them. A rate"
            " of 0 needs a category: exempt, nil or zero_rated_na.",
            **figures,
        )
    else:
        chart.ok(f"All {count(found.variants, 'SKU')} have HSN code and GST rate.", **figures)


async def price_basis(patient: Patient, chart: Chart) -> None:
    """How the most recent paid orders reckon tax."""
    orders = await survey.list_paid_orders(patient.database, ORDERS)
    if not orders:
        chart.not_checked("No order is paid yet, so the price basis cannot be seen.")
        return
    counts = Counter(judge_basis(order) for order in orders)
    told = ", ".join(f"{number} look {basis} ({MEANINGS[basis]})" for basis, number in counts.most_common())
    figures: dict[str, int] = {"orders": len(orders), **{str(basis): number for basis, number in counts.items()}}
    if counts["contradictory"]:
        wrong = [order.order_number or "?" for order in orders if judge_basis(order) == "contradictory"]
        chart.wrong(
            f"Of the {count(len(orders), 'most recent paid order')}, {told}: {some(wrong)}.",
            "Look at these orders: subtotal, discount, tax and shipping must come to the total.",
            **figures,
        )
    elif len(counts) > 1:
        chart.remark(
            f"The {count(len(orders), 'most recent paid order')} do not agree: {told}.",
            "Decide which basis holds, before invoices are made.",
            **figures,
        )
    else:
        (basis,) = counts
        chart.ok(f"All {count(len(orders), 'most recent paid order')} look {basis}: {MEANINGS[basis]}.", **figures)
    await _judge_rate(patient, chart, orders)


async def _judge_rate(patient: Patient, chart: Chart, orders: Sequence[PaidOrder]) -> None:
    """Whether one flat rate was charged for goods that have other rates."""
    charged = {rate for order in orders if (rate := effective_rate(order)) is not None}
    owed = set((await survey.survey_tax(patient.database)).rates)
    if len(charged) == 1 and owed and owed != charged:
        rates = some([f"{_percent(rate)} %" for rate in sorted(owed)])
        chart.remark(
            f"The orders charge a flat {_percent(charged.pop())} %, but the goods have {rates}.",
            "Have the shop charge each line's own rate, or let tax be taken out of what was paid (basis as_charged).",
        )


def judge_basis(order: PaidOrder) -> Basis:
    """From its amounts alone: total = subtotal − discount + tax + shipping when tax is added."""
    zero = Decimal(0)
    tax, lines = order.tax or zero, order.lines_total
    if order.subtotal is None or order.total is None:
        return "contradictory"
    net = order.subtotal - (order.discount or zero) + (order.shipping or zero)
    fits_lines = lines is None or _near(lines, order.subtotal)
    if tax > 0 and _near(order.total, net + tax):
        # The subtotal may be without tax although the lines are with it.
        return "exclusive" if fits_lines else "inclusive" if _near(lines, order.subtotal + tax) else "contradictory"
    if _near(order.total, net) and fits_lines:
        return "inclusive" if tax > 0 else "as_charged"
    return "contradictory"


def effective_rate(order: PaidOrder) -> Decimal | None:
    """Percent of what was taxed, to half a percent; None when no tax is stated."""
    taxed = (order.subtotal or Decimal(0)) - (order.discount or Decimal(0))
    if not order.tax or taxed <= 0:
        return None
    if judge_basis(order) == "inclusive" and order.total is not None:
        taxed -= order.tax
    return (order.tax * 100 / taxed / RATE_STEP).quantize(Decimal(1)) * RATE_STEP if taxed > 0 else None


def _percent(rate: Decimal) -> str:
    return f"{rate.normalize():f}"


def _near(one: Decimal | None, other: Decimal) -> bool:
    return one is not None and abs(one - other) <= ROUNDING


async def stock_source(patient: Patient, chart: Chart) -> None:
    """Which number the storefront sells from, as far as the database can tell."""
    found = await survey.survey_stock(patient.database)
    if not found.variants:
        chart.not_checked("The shop has no goods yet.")
        return
    verdict, evidence = judge_stock(found), _evidence(found)
    figures = {"source": verdict, "differing": found.differing, "with_batches": found.with_batches}
    if verdict is None:
        chart.remark(
            f"Which number the storefront shows as stock cannot be told: {evidence}",
            "Ask the shop's developers, before stock is synced.",
            **figures,
        )
    else:
        chart.ok(f"The storefront's stock looks like {verdict}: {evidence}", **figures)


def judge_stock(found: StockSurvey) -> str | None:
    """The number that code in the database works with; None when the evidence does not decide."""
    if found.with_batches == 0 and not found.lower_batches:
        return "product_variants.stock_quantity"
    if found.copying:
        return "the sum of live batches, copied to product_variants.stock_quantity"
    if found.lower_batches and not found.lower_quantity:
        return "the sum of live batches"
    if found.lower_quantity and not found.lower_batches:
        return "product_variants.stock_quantity"
    return None


def _evidence(found: StockSurvey) -> str:
    parts = [f"{found.with_batches} of {count(found.variants, 'variant')} have batches"]
    if found.with_batches:
        parts.append(
            f"the two numbers differ for {found.differing}"
            + (f" ({some(found.examples, 2)})" if found.examples else "")
        )
    if found.lower_batches:
        parts.append(f"{some(found.lower_batches)} lowers batches")
    if found.lower_quantity:
        parts.append(f"{some(found.lower_quantity)} lowers stock_quantity")
    if not found.lower_batches and not found.lower_quantity:
        parts.append("no function in the database lowers either")
    if found.copying:
        parts.append(f"trigger {some(found.copying)} copies one to the other")
    return "; ".join(parts) + ". Code outside the database cannot be seen from here."
