"""The credit note of a refunded order, from its invoice: the same rates, prices, place and lines. Pure.

https://www.zoho.com/books/api/v3/credit-notes/#create-a-credit-note
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, cast

from zohosync.errors import RecordInvalid
from zohosync.gst.amounts import billable, value_of
from zohosync.gst.credit import Credit, Invoiced, credit_all, credit_amount
from zohosync.gst.money import PAISA
from zohosync.gst.sale import Assessment, Held, Problem, StateSource, SupplyType, TaxCategory, TaxedLine
from zohosync.store.documents import DocumentLineSent, StoredDocument
from zohosync.store.orders import ShopOrder
from zohosync.sync.books.desk import Office
from zohosync.sync.books.holding import Held as HeldRecord
from zohosync.sync.books.invoice_draft import ROUND_OFF, DocumentDraft, line_payload
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.watch import find_line_changes
from zohosync.zoho.books_records import Document

YES = frozenset({"yes", "true", "1"})
ZERO = Decimal(0)


def decide_credit(order: ShopOrder, stored: StoredDocument, invoice: Document) -> Credit:
    """What is credited: all of the invoice, or the part of the money the shop says was given back; Held when that is
    more than was invoiced."""
    _check_unedited(order, stored, invoice)
    invoiced = read_invoiced(stored, invoice)
    amount = order.refunded_amount
    if amount is None and order.partly_refunded:
        raise RecordInvalid(
            f"The shop says that a part of {order.order_number} was refunded, and not how much.",
            hint="Fill in the amount in the shop; the credit note is made by itself then.",
            code="refund_amount_missing",
            field="refund_amount",
        )
    if amount is None or amount == invoice.total:
        return credit_all(invoiced)
    credit = credit_amount(invoiced, amount)
    if isinstance(credit, Held):
        raise HeldRecord(credit.problems)
    return credit


def _check_unedited(order: ShopOrder, stored: StoredDocument, invoice: Document) -> None:
    """A credit note is made of the lines that were sent. Held when the invoice has others by now, or had them from the
    start because a person accepted it: what is credited then is a person's to say."""
    expected = sum((line.total for line in stored.lines), ZERO) + stored.round_off
    changes = find_line_changes(stored.lines, invoice) if invoice.lines else ()
    if abs(invoice.total - expected) <= PAISA * 2 * max(len(stored.lines), 1) and not changes:
        return
    number = order.order_number
    raise HeldRecord(
        (
            Problem(
                "invoice_edited",
                invoice.number,
                f"Invoice {invoice.number} is of {invoice.total:.2f} in Books, and its lines are not those that were"
                f" sent ({expected:.2f}), so that nobody but a person can say what is credited.",
                "Make the credit note by hand in Books and link it:"
                f" `zohosync link refund {number} creditnotes <number> --reason <why>`.",
            ),
        )
    )


def read_invoiced(stored: StoredDocument, invoice: Document) -> Invoiced:
    """The invoice as it was made. Its prices as sent are those after the shop's order discount was shared out."""
    return Invoiced(
        lines=tuple(_taxed(line, inclusive=invoice.inclusive) for line in stored.lines),
        supply_type=_supply_type(stored),
        inclusive=invoice.inclusive,
        round_off=invoice.total - sum((line.total for line in stored.lines), ZERO),
    )


def goods_came_back(order: ShopOrder, credit: Credit, policies: Policies) -> bool:
    """Whether the goods go back into stock. Money alone never does; of all goods the shop, a person or the policy has
    to tell: guessing would make stock up, or lose it."""
    if not credit.of_goods:
        return False
    told = order.overrides.get("returned")
    if told is not None:
        return told.strip().lower() in YES
    if order.returned is not None:
        return order.returned
    if policies.goods_returned == "ask":
        raise RecordInvalid(
            f"Nobody says whether the goods of {order.order_number} came back.",
            hint=f"Say it: `zohosync override set order {order.order_number} returned yes --reason <why>`"
            " (or no); or decide for all: `zohosync policy set goods_returned yes`.",
            code="goods_returned_unknown",
            field="returned",
        )
    return policies.goods_returned == "yes"


def draft_credit(
    credit: Credit,
    stored: StoredDocument,
    invoice: Document,
    office: Office,
    policies: Policies,
    *,
    restock: bool,
    reference: str,
    on: date,
) -> DocumentDraft:
    """The credit note as a draft of Books: it counts only after it was read back and found right."""
    before = {(line.key, line.gst_rate, line.category): line for line in stored.lines}
    lines = tuple(
        _sent(line, before[line.key, line.rate, line.category.value], credit.inclusive, restock=restock)
        for line in credit.lines
    )
    payload: dict[str, Any] = {
        "customer_id": stored.customer_id,
        "date": on.isoformat(),
        "reference_number": reference,
        "is_draft": True,
        "place_of_supply": stored.place_of_supply,
        "gst_treatment": stored.gst_treatment,
        "is_inclusive_tax": credit.inclusive,
        "line_items": line_payloads(lines, stored, before, office, policies),
    }
    if invoice.gst_no:
        payload["gst_no"] = invoice.gst_no
    if any(line.discount for line in lines):
        payload |= {"discount_type": "item_level", "is_discount_before_tax": True}
    if credit.round_off:
        payload |= {"adjustment": credit.round_off, "adjustment_description": ROUND_OFF}
    if policies.location_id:
        payload["location_id"] = policies.location_id
    if policies.unique_reference_field:
        payload["custom_fields"] = [{"api_name": policies.unique_reference_field, "value": reference}]
    return DocumentDraft(
        payload=payload,
        lines=lines,
        reference=reference,
        on=on,
        customer_id=stored.customer_id,
        assessment=_assessment(credit, stored, invoice),
        total=credit.totals.total + credit.round_off,
        round_off=credit.round_off,
    )


def line_payloads(
    lines: Sequence[DocumentLineSent],
    stored: StoredDocument,
    before: dict[tuple[str, Decimal, str], DocumentLineSent],
    office: Office,
    policies: Policies,
) -> list[dict[str, Any]]:
    """Goods that came back name their item and the invoice's line; money alone names an account, so that no stock
    moves."""
    payloads: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        payload = line_payload(line, number)
        invoiced = before[line.key, line.gst_rate, line.category]
        if line.item_id:
            payload |= {"invoice_id": stored.zoho_id, "invoice_item_id": invoiced.line_item_id}
        else:
            del payload["item_id"]
            payload |= {"name": line.name, "account_id": office.account_id("income", policies.sales_account_id)}
            if line.category == TaxCategory.EXEMPT.value:
                payload["tax_exemption_id"] = office.exemption_id(policies.exemption_id)
        payloads.append(payload)
    return payloads


def _supply_type(stored: StoredDocument) -> SupplyType:
    """What carries no tax may have none told: then it makes no difference."""
    return SupplyType(stored.supply_type) if stored.supply_type else SupplyType.INTER


def _taxed(line: DocumentLineSent, *, inclusive: bool) -> TaxedLine:
    return TaxedLine(
        key=line.key,
        sku=line.sku,
        hsn=line.hsn or None,
        quantity=line.quantity,
        unit_price=line.rate,
        gross=line.rate * line.quantity,
        discount=line.discount,
        discount_share=ZERO,
        net=line.total if inclusive else line.value,
        rate=line.gst_rate,
        category=TaxCategory(line.category),
        value=line.value,
        cgst=line.cgst,
        sgst=line.sgst,
        igst=line.igst,
        total=line.total,
    )


def _sent(line: TaxedLine, invoiced: DocumentLineSent, inclusive: bool, *, restock: bool) -> DocumentLineSent:
    rate, discount = billable(line, inclusive)
    return replace(
        invoiced,
        item_id=invoiced.item_id if restock else "",
        name=invoiced.name or invoiced.sku,
        quantity=line.quantity,
        rate=rate,
        discount=discount,
        value=line.value,
        cgst=line.cgst,
        sgst=line.sgst,
        igst=line.igst,
        total=line.total,
        line_item_id="",
    )


def _assessment(credit: Credit, stored: StoredDocument, invoice: Document) -> Assessment:
    """What is expected of the credit note, in the terms of a sale."""
    supply = _supply_type(stored)
    return Assessment(
        place_of_supply=stored.place_of_supply or "",
        place_of_supply_gst_code="",
        state_source=cast("StateSource", stored.state_source or "name"),
        supply_type=supply,
        gst_treatment=stored.gst_treatment or "",
        gstin=invoice.gst_no or None,
        second_leg="SGST" if supply is SupplyType.INTRA else "",
        inclusive=credit.inclusive,
        lines=credit.lines,
        charges=(),
        totals=credit.totals,
        entity_level=credit.totals,
        zero_rated_value=value_of(credit.lines, TaxCategory.ZERO_RATED_NA),
        exempt_value=value_of(credit.lines, TaxCategory.EXEMPT),
        nil_value=value_of(credit.lines, TaxCategory.NIL),
        round_off=credit.round_off,
        document_type="tax_invoice",
    )
