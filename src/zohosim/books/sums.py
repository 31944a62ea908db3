"""Sums: the amounts of a document, as Totals computes them and its row tells them.

https://www.zoho.com/books/api/v3/invoices/
"""

from decimal import Decimal

from zohosim.answers import Json
from zohosim.books import lines, totals
from zohosim.books.fields import invalid
from zohosim.books.records import Row
from zohosim.books.resources import Visit
from zohosim.books.supplies import Supply
from zohosim.books.totals import HUNDRED, ZERO

UNTAXED_SHIPPING: Json = {
    "shipping_charge_tax_id": "", "shipping_charge_tax_name": "", "shipping_charge_tax_type": "",
    "shipping_charge_tax_percentage": "", "shipping_charge_tax": "",
}  # fmt: skip


def rounding(seen: Visit) -> totals.Rounding:
    switches = seen.sim.switches
    steps = {
        "nearest_whole": Decimal(1),
        "nearest_increment": Decimal(switches["books_rounding_increment_paise"]) / HUNDRED,
    }
    return totals.Rounding(
        switches["books_tax_rounding"],
        switches["books_group_rounding"],
        switches["books_inclusive_extraction"],
        steps.get(switches["books_transaction_rounding"], totals.CENT),
    )


def summed(seen: Visit, row: Row, rows: list[Row], supply: Supply) -> Row:
    """The lines with their amounts, and everything that adds up to the total."""
    item_level = row["discount_type"] == "item_level"
    shipping_tax = None
    if row["shipping_charge_tax_id"]:
        supply.tax_of({"tax_id": row["shipping_charge_tax_id"]}, None)
        shipping_tax = lines.tax_named(seen, row["shipping_charge_tax_id"])
    charges = tuple(lines.charge(seen, line, item_level) for line in rows)
    bill = totals.Bill(
        charges,
        row["is_inclusive_tax"],
        totals.NONE if item_level else lines.as_discount(seen, row["discount"]),
        row["is_discount_before_tax"],
        row["shipping_charge"],
        shipping_tax,
        row["adjustment"],
    )
    sums = totals.total(bill, rounding(seen))
    check_sums(bill, sums)
    told = [
        lines.with_amounts(seen, line, charge, part, bill.inclusive)
        for line, charge, part in zip(rows, charges, sums.lines, strict=True)
    ]
    return {"line_items": told, **amounts(seen, bill, sums, supply), **shipping(seen, row, sums.shipping)}


def check_sums(bill: totals.Bill, sums: totals.Totals) -> None:
    """No discount exceeds what it is taken from, and no document comes to less than nothing: both assumed."""
    charged = sum((line.amount for line in bill.lines), ZERO)
    if bill.discount.of(charged) > max(charged, ZERO) or any(line.rate >= 0 and line.amount < 0 for line in bill.lines):
        raise invalid("discount")
    if sums.total < ZERO:
        raise invalid("total")


def amounts(seen: Visit, bill: totals.Bill, sums: totals.Totals, supply: Supply) -> Row:
    switches = seen.sim.switches
    gross = sum((part.amount for part in sums.lines), ZERO)
    shown_gross = bill.inclusive and switches["books_inclusive_item_total"] == "gross"
    tax = sums.tax if switches["books_tax_total_with_shipping"] else sums.tax - sums.shipping.tax
    return {
        "sub_total": gross if shown_gross else sums.sub_total,
        "sub_total_inclusive_of_tax": gross if bill.inclusive else ZERO,
        "sub_total_exclusive_of_discount": sums.sub_total - sums.discount,
        "discount_total": sums.discount,
        "discount_amount": sums.discount,
        "discount_percent": bill.discount.percent,
        "discount_applied_on_amount": gross if bill.discount != totals.NONE else ZERO,
        "tax_total": tax,
        "taxes": [listed_tax(seen, tax) for tax in sums.taxes],
        "total_taxable_amount": sum((part.net for part in sums.lines if part.taxes), ZERO),
        "reverse_charge_tax_total": ZERO,
        "roundoff_value": sums.round_off,
        "transaction_rounding_type": switches["books_transaction_rounding"],
        "rounding_mode": "round_half_up",
        "bcy_rounding_mode": "round_half_up",
        "tax_rounding": switches["books_tax_rounding"],
        "tax_specification": supply.specification,
        "total": sums.total,
        "bcy_total": sums.total,
    }


def listed_tax(seen: Visit, tax: totals.TaxAmount) -> Json:
    """An entry of taxes[], which is seen with and without its id."""
    told = lines.tax_line(tax)
    return told if seen.sim.switches["books_taxes_with_id"] else {k: v for k, v in told.items() if k != "tax_id"}


def shipping(seen: Visit, row: Row, part: totals.Part) -> Row:
    """The keys of the shipping charge; without a tax they are blank, and all amounts alike."""
    found: Row = {
        **UNTAXED_SHIPPING,
        "shipping_charge_exclusive_of_tax": part.net,
        "shipping_charge_inclusive_of_tax": part.net + part.tax,
        "shipping_charge_taxes": [lines.tax_line(tax) for tax in part.taxes],
        "bcy_shipping_charge": part.net,
        "shipping_charge_tax_exemption_id": "",
        "shipping_charge_tax_exemption_code": "",
    }
    tax = next((t for t in seen.organisation.taxes if t["tax_id"] == row["shipping_charge_tax_id"]), None)
    if tax is None:
        return found
    return {
        **found,
        "shipping_charge_tax_id": tax["tax_id"], "shipping_charge_tax_name": tax["tax_name"],
        "shipping_charge_tax_type": tax["tax_type"], "shipping_charge_tax_percentage": tax["tax_percentage"],
        "shipping_charge_tax": part.tax,
    }  # fmt: skip
