"""What would become of orders as invoices of Books: the push's drafts and requests, without sending anything."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid
from zohosync.queue.foresight import (
    Decision,
    Finding,
    Foreseen,
    PlannedCall,
    Preview,
    Section,
    Step,
    Verdict,
    as_if_asked,
)
from zohosync.store.documents import StoredDocument, find_documents
from zohosync.store.links import find_links
from zohosync.store.orders import ShopOrder, ShopVariant, read_orders
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.document_foresight import (
    STAND_IN,
    Planned,
    as_made,
    changed,
    judge_sale,
    later,
    linked,
    not_due,
    plan_document,
    read_goods,
    step_of,
    unchanged,
)
from zohosync.sync.books.invoice_decision import Turn, decide_invoice, was_paid
from zohosync.sync.books.invoice_draft import as_invoice
from zohosync.sync.books.invoices import (
    ENTITY,
    KIND,
    Known,
    assess_order,
    await_estimate,
    document_date,
    invoice_kind,
    read_known,
)
from zohosync.sync.books.making import stored_document, unique_key
from zohosync.sync.books.office_foresight import Outlook, Prospect, look_at_office
from zohosync.sync.books.payments import MODULE as PAYMENT_MODULE
from zohosync.sync.books.payments import draft_payment, payment_reference
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.sale import check_complete
from zohosync.sync.books.snapshot import find_changes, snapshot_of
from zohosync.sync.preview import planned, verdict_of
from zohosync.sync.rehearse import readable
from zohosync.zoho.books_requests import (
    INVOICES,
    PAYMENTS,
    create_request,
    email_request,
    list_request,
    status_request,
)

INVOICE_TO_COME = "(id of the invoice above)"


async def foresee_invoices(desk: BooksDesk) -> "InvoiceForesight":
    return InvoiceForesight(await look_at_office(desk))


@dataclass(frozen=True, slots=True)
class InvoiceForesight:
    """Orders as invoices with their payments."""

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
        """Every order as if it were due, old ones too, on the day it was paid or placed."""
        policies = await self.outlook.desk.policies(connection)
        async for record_ids in pages:
            orders, unreadable = await readable(connection, read_orders, record_ids)
            documents = await find_documents(connection, entity=ENTITY, module="invoices", record_ids=record_ids)
            goods = await read_goods(connection, list(orders.values()))
            for record_id in record_ids:
                if record_id in unreadable:
                    yield Foreseen(record_id, "", (unreadable[record_id],))
                elif record_id in orders:
                    order = orders[record_id]
                    found = self._judge(order, documents.get(record_id), policies, goods)
                    yield Foreseen(record_id, order.order_number, tuple(found))

    def _judge(
        self,
        order: ShopOrder,
        document: StoredDocument | None,
        policies: Policies,
        goods: Mapping[str, ShopVariant],
    ) -> list[Finding]:
        if document is not None and document.reached("sent"):
            return [linked(document, "invoice")]
        known = Known(order, document, None, frozenset(), None, False, True, order.placed_at, policies)
        prospect = self.prospect(order, policies)
        try:
            on = document_date(prospect, known)
        except RecordInvalid as error:
            return [Finding.of_error(Section.REFUSED, error)]
        return judge_sale(prospect, on, goods)[0]

    # --- one

    async def preview(self, connection: Connection, _: str, record_id: str) -> Preview:
        desk = self.outlook.desk
        known = await read_known(desk, connection, as_if_asked(KIND, ENTITY, record_id))
        if known is None:
            return Preview(Verdict.GONE)
        begun = known.link is not None and known.link.state != "linked"
        decision = decide_invoice(known.order, known.document, known.policies, asked=True, asked_now=True, begun=begun)
        if known.document is None:
            if decision.turn is Turn.SKIP:
                return not_due(known.order, decision.action)
        elif decision.turn is Turn.REPORT:
            changes = find_changes(known.document.source, snapshot_of(known.order))
            return changed(known.order, known.document, decision.action, changes)
        elif decision.turn is not Turn.GO_ON:
            return unchanged(known.order, known.document)
        return await self._making(connection, known)

    async def _making(self, connection: Connection, known: Known) -> Preview:
        prospect, stored, label = self.prospect(known.order, known.policies), known.document, known.order.order_number
        steps: list[Step] = []
        if stored is not None and stored.reached("sent"):
            steps.append(await _payment_step(connection, prospect, stored, stored))
            return Preview(verdict_of(None, steps), label, steps=tuple(steps))
        try:
            check_complete(known.order)
            on = document_date(prospect, known)
            assessment = assess_order(known.order, prospect, on)
            await_estimate(known)
            plan = await plan_document(connection, prospect, assessment, on, known.estranged, steps)
        except (RecordInvalid, NotReady) as error:
            return Preview(verdict_of(error, ()), label, error, steps=tuple(steps))
        steps.append(_invoice_step(prospect, known, plan))
        if was_paid(known.order) and plan.draft.total:
            made = stored or _stored(prospect, plan)
            steps.append(await _payment_step(connection, prospect, made, stored))
        return Preview(verdict_of(None, steps), label, None, plan.warnings, tuple(steps))


def _stored(prospect: Prospect, plan: Planned) -> StoredDocument:
    made = as_made(plan.draft, INVOICE_TO_COME)
    return stored_document(prospect, invoice_kind(prospect.policies), plan.draft, made, "")


def _invoice_step(prospect: Prospect, known: Known, plan: Planned) -> Step:
    policies, stored = known.policies, known.document
    zoho_id = stored.zoho_id if stored else STAND_IN
    calls: list[PlannedCall] = []
    if stored is None:
        payload = as_invoice(
            plan.draft, known.order, policies, estimate_id=known.estimate.zoho_id if known.estimate else None
        )
        request = create_request(
            INVOICES,
            payload,
            unique=unique_key(prospect, plan.draft.reference),
            own_number=policies.invoice_number == "order_number",
        )
        calls.append(planned(f"{'If it is not found: make' if known.link else 'Make'} the invoice, a draft", request))
    ready = email_request(INVOICES, zoho_id) if policies.mail_invoice else status_request(INVOICES, zoho_id, "sent")
    verb = "mail it to the customer" if policies.mail_invoice else "mark it as sent"
    calls.append(later(f"When it was read back and is as expected: {verb}", ready, INVOICE_TO_COME))
    look = None
    if known.link is not None:
        request = list_request(INVOICES, reference_number=plan.draft.reference)
        look = planned("Look for what an earlier attempt may have made", request)
    return step_of("invoices", stored, calls, look)


async def _payment_step(
    connection: Connection, prospect: Prospect, stored: StoredDocument, known: StoredDocument | None
) -> Step:
    """One that was begun is looked for first."""
    record_id = prospect.order.record_id
    due = stored.books_total if stored.books_total is not None else stored.shop_total
    request = create_request(
        PAYMENTS, draft_payment(prospect, stored, due), unique=unique_key(prospect, stored.reference)
    )
    pay = planned("Record the payment", request)
    begun = await find_links(
        connection, system="books", module=PAYMENT_MODULE, entity=ENTITY, record_ids=[record_id] if known else []
    )
    if not begun:
        return Step(PAYMENT_MODULE, Decision.CREATE, None, (pay,), ())
    look = list_request(PAYMENTS, reference_number=payment_reference(prospect), customer_id=stored.customer_id)
    calls = (planned("Look for what an earlier attempt may have recorded", look), pay)
    return Step(PAYMENT_MODULE, Decision.LOOK_FIRST, None, calls, ())
