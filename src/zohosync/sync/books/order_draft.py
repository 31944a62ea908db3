"""The draft of an order or quote, with the customer and items it needs made in Books."""

from collections.abc import Collection
from datetime import date

from zohosync.gst.sale import Assessment
from zohosync.sync.books.customers import ensure_customer
from zohosync.sync.books.invoice_draft import DocumentDraft, Goods, draft_document
from zohosync.sync.books.items import ensure_charge_item, ensure_items
from zohosync.sync.books.making import Case, reference_of


async def draft_order(case: Case, assessment: Assessment, on: date, estranged: Collection[str]) -> DocumentDraft:
    """What is sent for it. Raises any ZohosyncError; what was made on the way is kept."""
    customer_id = await ensure_customer(case.desk, case.batch, case.operation, case.order, assessment)
    by_variant = await ensure_items(case.desk, case.batch, case.operation, case.order)
    by_charge = {
        (charge.key, charge.category): await ensure_charge_item(
            case.desk, case.batch, case.operation, charge.key, charge.category
        )
        for charge in assessment.charges
    }
    by_line = {line.line_id: by_variant[line.variant_id or line.line_id] for line in case.order.lines}
    reference = reference_of(case.order.order_number, estranged)
    return draft_document(
        case.order,
        assessment,
        case.policies,
        case.office.taxes,
        customer_id=customer_id,
        goods=Goods(by_line, by_charge),
        reference=reference,
        on=on,
        record_key=reference,
    )
