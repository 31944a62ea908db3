"""What would become of refunds as credit notes of Books: the push's drafts and requests, without sending anything."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid
from zohosync.gst.gstin import judge_gstin
from zohosync.queue.foresight import (
    Finding,
    Foreseen,
    PlannedCall,
    Preview,
    Section,
    Verdict,
    as_if_asked,
)
from zohosync.store.documents import StoredDocument, find_documents
from zohosync.store.orders import ShopOrder, ShopVariant, read_orders
from zohosync.sync.books.credit_draft import decide_credit, draft_credit, goods_came_back
from zohosync.sync.books.credit_notes import (
    ENTITY,
    INVOICE_ENTITY,
    KIND,
    Known,
    Turn,
    decide_refund,
    document_date,
    draft_refund,
    read_known,
    refund_account,
)
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.document_foresight import (
    STAND_IN,
    as_made,
    changed,
    judge_sale,
    later,
    linked,
    merge,
    not_due,
    read_goods,
    step_of,
    unchanged,
)
from zohosync.sync.books.invoice_draft import DocumentDraft
from zohosync.sync.books.invoice_foresight import INVOICE_TO_COME
from zohosync.sync.books.invoices import Known as KnownOrder
from zohosync.sync.books.invoices import document_date as invoice_date
from zohosync.sync.books.invoices import invoice_kind
from zohosync.sync.books.making import reference_of, stored_document, unique_key
from zohosync.sync.books.office_foresight import Outlook, Prospect, look_at_office
from zohosync.sync.books.policies import Policies
from zohosync.sync.preview import planned, verdict_of
from zohosync.sync.rehearse import readable
from zohosync.zoho.books_records import Applied, Document
from zohosync.zoho.books_requests import (
    CREDIT_NOTES,
    apply_request,
    create_request,
    list_request,
    refund_request,
    status_request,
)

CREDIT_TO_COME = "(id of the credit note above)"
ZERO = Decimal(0)
OPEN_CREDIT = Finding(
    Section.WARNED,
    "refund_account_unset",
    "The credit would stay open, because nobody said which account refunds are paid from.",
    "Choose it: `zohosync policy set refund_account_id <account id>`.",
)


async def foresee_credit_notes(desk: BooksDesk) -> "CreditForesight":
    return CreditForesight(await look_at_office(desk))


@dataclass(frozen=True, slots=True)
class CreditForesight:
    """Refunded orders as credit notes of their invoices."""

    outlook: Outlook

    @property
    def shortcoming(self) -> str | None:
        return self.outlook.shortcoming

    def prospect(self, order: ShopOrder, policies: Policies) -> Prospect:
        operation = as_if_asked(KIND, ENTITY, order.record_id)
        return Prospect(self.outlook.desk, operation, order, policies, self.outlook.office)

    # --- many

    async def rehearse(
        self, connection: Connection, _: str, pages: AsyncIterator[Sequence[str]]
    ) -> AsyncIterator[Foreseen]:
        """Every refund as if its order had been invoiced."""
        policies = await self.outlook.desk.policies(connection)
        async for ids in pages:
            orders, unreadable = await readable(connection, read_orders, ids)
            credited = await find_documents(connection, entity=ENTITY, module="creditnotes", record_ids=ids)
            invoiced = await find_documents(connection, entity=INVOICE_ENTITY, module="invoices", record_ids=ids)
            goods = await read_goods(connection, list(orders.values()))
            for record_id in ids:
                order = orders.get(record_id)
                if record_id in unreadable:
                    yield Foreseen(record_id, "", (unreadable[record_id],))
                elif record_id in credited:
                    yield Foreseen(
                        record_id, credited[record_id].reference, (linked(credited[record_id], "credit note"),)
                    )
                elif order is not None:
                    found = self._judge(order, invoiced.get(record_id), policies, goods)
                    yield Foreseen(record_id, order.order_number, tuple(found))

    def _judge(
        self,
        order: ShopOrder,
        invoiced: StoredDocument | None,
        policies: Policies,
        goods: Mapping[str, ShopVariant],
    ) -> list[Finding]:
        prospect, found = self.prospect(order, policies), list[Finding]()
        if invoiced is None:
            known = KnownOrder(order, None, None, frozenset(), None, False, True, order.placed_at, policies)
            found, draft = judge_sale(prospect, invoice_date(prospect, known), goods)
            if draft is None:
                return found
            made = as_made(draft, INVOICE_TO_COME)
            invoiced = stored_document(prospect, invoice_kind(policies), draft, made, "")
        try:
            _draft(prospect, invoiced, invoice_of(invoiced, order), (), order)
        except RecordInvalid as error:
            found = [*found, Finding.of_error(Section.REFUSED, error)]
        if refund_account(prospect) is None:
            found = [*found, OPEN_CREDIT]
        return merge(found)

    # --- one

    async def preview(self, connection: Connection, _: str, record_id: str) -> Preview:
        known = await read_known(self.outlook.desk, connection, as_if_asked(KIND, ENTITY, record_id))
        if known is None:
            return Preview(Verdict.GONE)
        order, document = known.order, known.document
        decision = decide_refund(
            order, known.invoice, document, invoice_open=known.invoice_open, asked_now=True, asked=True
        )
        if decision.turn is Turn.SKIP:
            return not_due(order, decision.action)
        if document is not None and decision.turn is Turn.REPORT:
            return changed(order, document, decision.action, ())
        if document is not None and decision.turn is Turn.CHECK:
            return unchanged(order, document)
        if decision.turn is Turn.WAIT or known.invoice is None:
            error = NotReady("Its invoice is made first.", wait_for="parent", hint="It continues by itself.")
            return Preview(Verdict.WAITS, order.order_number, error)
        return self._making(known, known.invoice)

    def _making(self, known: Known, invoiced: StoredDocument) -> Preview:
        prospect, order = self.prospect(known.order, known.policies), known.order
        invoice = invoice_of(invoiced, order)
        try:
            draft = _draft(prospect, invoiced, invoice, tuple(known.estranged), order, known)
        except RecordInvalid as error:
            return Preview(Verdict.REFUSED, order.order_number, error)
        stored = known.document or replace(
            stored_document(prospect, invoice_kind(known.policies), draft, as_made(draft, CREDIT_TO_COME), ""),
            zoho_id=STAND_IN,
        )
        calls = [*_issuing(prospect, known, invoiced, draft), *_settling(prospect, stored, invoice, draft.total)]
        look = None
        if known.link is not None:
            asked = list_request(CREDIT_NOTES, reference_number=draft.reference)
            look = planned("Look for what an earlier attempt may have made", asked)
        step = step_of("creditnotes", known.document, calls, look)
        warnings = () if refund_account(prospect) else (OPEN_CREDIT,)
        return Preview(verdict_of(None, [step]), order.order_number, None, warnings, (step,))


def invoice_of(stored: StoredDocument, order: ShopOrder) -> Document:
    """The invoice as we know it from when it was read back: Books is not asked again for it."""
    total = stored.books_total if stored.books_total is not None else stored.shop_total
    registered = (stored.gst_treatment or "").startswith(("business_gst", "business_sez", "business_registered"))
    return Document(
        id=stored.zoho_id,
        number=stored.number or "",
        reference=stored.reference,
        status=stored.status or "",
        customer_id=stored.customer_id,
        date=stored.document_date,
        total=total,
        sub_total=ZERO,
        tax_total=ZERO,
        balance=total - stored.settled_amount,
        adjustment=ZERO,
        round_off=stored.round_off,
        place_of_supply=stored.place_of_supply or "",
        gst_treatment=stored.gst_treatment or "",
        gst_no=(judge_gstin(order.gstin).number or "") if registered else "",
        inclusive=_is_inclusive(stored),
        tax_rounding="",
        lines=(),
        taxes=(),
        modified_at="",
        custom={},
    )


def _is_inclusive(stored: StoredDocument) -> bool:
    """Whether what was sent for its lines contains the tax."""
    sent = sum((line.rate * line.quantity - line.discount for line in stored.lines), ZERO)
    value, total = sum((line.value for line in stored.lines), ZERO), sum((line.total for line in stored.lines), ZERO)
    return abs(sent - total) < abs(sent - value)


def _draft(
    prospect: Prospect,
    invoiced: StoredDocument,
    invoice: Document,
    estranged: Sequence[str],
    order: ShopOrder,
    known: Known | None = None,
) -> DocumentDraft:
    credit = decide_credit(order, invoiced, invoice)
    if known is None:
        on = invoiced.document_date
    else:
        on = known.document.document_date if known.document else document_date(prospect, known, invoiced)
    return draft_credit(
        credit,
        invoiced,
        invoice,
        prospect.office,
        prospect.policies,
        restock=goods_came_back(order, credit, prospect.policies),
        reference=reference_of(order.order_number, estranged),
        on=on,
    )


def _issuing(prospect: Prospect, known: Known, invoiced: StoredDocument, draft: DocumentDraft) -> list[PlannedCall]:
    calls: list[PlannedCall] = []
    if known.document is None:
        request = create_request(
            CREDIT_NOTES,
            draft.payload,
            unique=unique_key(prospect, draft.reference),
            params={"invoice_id": invoiced.zoho_id},
        )
        calls.append(
            planned(f"{'If it is not found: make' if known.link else 'Make'} the credit note, a draft", request)
        )
    if known.document is None or not known.document.reached("sent"):
        opened = status_request(CREDIT_NOTES, known.document.zoho_id if known.document else STAND_IN, "open")
        calls.append(later("When it was read back and is as expected: open it", opened, CREDIT_TO_COME))
    return calls


def _settling(prospect: Prospect, stored: StoredDocument, invoice: Document, total: Decimal) -> list[PlannedCall]:
    """By the balances as we know them: the push reads them again."""
    calls: list[PlannedCall] = []
    applied = min(total, invoice.balance)
    if applied > 0:
        request = apply_request(stored.zoho_id, [Applied(invoice.id, applied)])
        calls.append(later("Use it for what the invoice still asks for", request, CREDIT_TO_COME))
    account, left = refund_account(prospect), total - max(applied, ZERO)
    if left > 0 and account is not None:
        request = refund_request(CREDIT_NOTES, stored.zoho_id, draft_refund(prospect, stored, left, account))
        calls.append(later("Record the money that went back", request, CREDIT_TO_COME))
    return calls
