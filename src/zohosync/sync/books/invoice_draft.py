"""The invoice of an order as it is sent to Books, and what is expected to come back. Pure.

https://www.zoho.com/books/api/v3/invoices/#create-an-invoice
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from zohosync.gst.amounts import billable
from zohosync.gst.sale import Assessment, TaxCategory, TaxedLine
from zohosync.store.documents import DocumentLineSent
from zohosync.store.orders import ShopOrder
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.tax_book import TaxBook

ROUND_OFF = "Round off"
CHARGE_NAMES: Mapping[str, str] = {"shipping": "Shipping", "cod_fee": "Cash on delivery fee"}


@dataclass(frozen=True, slots=True)
class Goods:
    """The items of Books the lines are: by the shop's line id, and those of charges by charge and tax category."""

    by_line: Mapping[str, str]
    by_charge: Mapping[tuple[str, TaxCategory], str]


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """What is sent, and its lines as they are remembered. ``total`` is what Books must make of it."""

    payload: dict[str, Any]
    lines: tuple[DocumentLineSent, ...]
    reference: str
    on: date
    customer_id: str
    assessment: Assessment
    total: Decimal
    round_off: Decimal


def draft_document(
    order: ShopOrder,
    assessment: Assessment,
    policies: Policies,
    taxes: TaxBook,
    *,
    customer_id: str,
    goods: Goods,
    reference: str,
    on: date,
    record_key: str,
) -> DocumentDraft:
    """What invoices, estimates and credit notes have in common: customer, place, lines, round-off."""
    lines = tuple(draft_lines(order, assessment, taxes, goods))
    payload: dict[str, Any] = {
        "customer_id": customer_id,
        "date": on.isoformat(),
        "reference_number": reference,
        "gst_treatment": assessment.gst_treatment,
        "is_inclusive_tax": assessment.inclusive,
        "line_items": [line_payload(line, number) for number, line in enumerate(lines, start=1)],
    }
    if assessment.place_of_supply:  # outside India there is none
        payload["place_of_supply"] = assessment.place_of_supply
    if "endorsement" in assessment.notes:
        payload["notes"] = assessment.notes["endorsement"]
    if assessment.gstin:
        payload["gst_no"] = assessment.gstin
    if any(line.discount for line in lines):
        payload |= {"discount_type": "item_level", "is_discount_before_tax": True}
    if assessment.round_off:
        payload |= {"adjustment": assessment.round_off, "adjustment_description": ROUND_OFF}
    if policies.location_id:
        payload["location_id"] = policies.location_id
    if policies.unique_reference_field:
        payload["custom_fields"] = [{"api_name": policies.unique_reference_field, "value": record_key}]
    return DocumentDraft(
        payload=payload,
        lines=lines,
        reference=reference,
        on=on,
        customer_id=customer_id,
        assessment=assessment,
        total=assessment.totals.total + assessment.round_off,
        round_off=assessment.round_off,
    )


def as_invoice(
    draft: DocumentDraft, order: ShopOrder, policies: Policies, *, estimate_id: str | None = None
) -> dict[str, Any]:
    """The payload with what only invoices have. It is due on its day: it was paid, or is paid on delivery."""
    more: dict[str, Any] = {"due_date": draft.on.isoformat(), "payment_terms": 0}
    if policies.invoice_template_id:
        more["template_id"] = policies.invoice_template_id
    if policies.invoice_number == "order_number":
        more["invoice_number"] = order.order_number
    if estimate_id:
        more["invoiced_estimate_id"] = estimate_id
    return draft.payload | more


def draft_lines(order: ShopOrder, assessment: Assessment, taxes: TaxBook, goods: Goods) -> Iterator[DocumentLineSent]:
    """Goods first, in the order of the shop, then charges. Exempt goods are exempt items and carry no tax."""
    names = {line.line_id: line.name or line.sku or "" for line in order.lines}
    for line in assessment.lines:
        yield _sent(line, goods.by_line[line.key], names.get(line.key, ""), assessment, taxes)
    for charge in assessment.charges:
        item_id = goods.by_charge[charge.key, charge.category]
        yield _sent(charge, item_id, CHARGE_NAMES.get(charge.key, charge.key), assessment, taxes)


def line_payload(line: DocumentLineSent, number: int) -> dict[str, Any]:
    """One line as Books takes it. Its name is the item's."""
    payload: dict[str, Any] = {
        "item_id": line.item_id,
        "item_order": number,
        "quantity": line.quantity,
        "rate": line.rate,
        "hsn_or_sac": line.hsn,
    }
    if line.discount:
        payload["discount"] = line.discount
    if line.tax_id:
        payload["tax_id"] = line.tax_id
    if line.line_item_id:
        payload["line_item_id"] = line.line_item_id
    return payload


def _sent(line: TaxedLine, item_id: str, name: str, assessment: Assessment, taxes: TaxBook) -> DocumentLineSent:
    rate, discount = billable(line, assessment.inclusive)
    exempt = line.category is TaxCategory.EXEMPT
    return DocumentLineSent(
        key=line.key,
        sku=line.sku,
        item_id=item_id,
        name=name,
        hsn=line.hsn or "",
        quantity=line.quantity,
        rate=rate,
        discount=discount,
        tax_id="" if exempt else taxes.tax_id(line.rate, assessment.supply_type),
        gst_rate=line.rate,
        category=line.category.value,
        value=line.value,
        cgst=line.cgst,
        sgst=line.sgst,
        igst=line.igst,
        total=line.total,
    )
