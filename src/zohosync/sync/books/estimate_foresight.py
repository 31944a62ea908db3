"""What would become of approved quotes as estimates of Books: the push's drafts and requests, without sending."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid
from zohosync.queue.foresight import Finding, Foreseen, PlannedCall, Preview, Section, Step, Verdict, as_if_asked
from zohosync.store.documents import StoredDocument, find_documents
from zohosync.store.orders import ShopApproval, ShopOrder, ShopVariant, read_approvals
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.document_foresight import (
    STAND_IN,
    Planned,
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
from zohosync.sync.books.estimates import (
    ENTITY,
    KIND,
    Known,
    Turn,
    as_estimate,
    decide_estimate,
    document_date,
    find_expiry,
    find_quote_changes,
    read_known,
)
from zohosync.sync.books.invoices import assess_order
from zohosync.sync.books.making import unique_key
from zohosync.sync.books.office_foresight import Outlook, Prospect, look_at_office
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.sale import check_complete
from zohosync.sync.preview import planned, verdict_of
from zohosync.sync.rehearse import readable
from zohosync.zoho.books_requests import ESTIMATES, create_request, list_request, status_request

ESTIMATE_TO_COME = "(id of the estimate above)"


async def foresee_estimates(desk: BooksDesk) -> "EstimateForesight":
    return EstimateForesight(await look_at_office(desk))


@dataclass(frozen=True, slots=True)
class EstimateForesight:
    """Approved quotes as estimates."""

    outlook: Outlook

    @property
    def shortcoming(self) -> str | None:
        return self.outlook.shortcoming

    def prospect(self, order: ShopOrder, policies: Policies) -> Prospect:
        operation = as_if_asked(KIND, ENTITY, order.record_id)
        return Prospect(self.outlook.desk, operation, order, policies, self.outlook.office)

    async def rehearse(
        self, connection: Connection, _: str, pages: AsyncIterator[Sequence[str]]
    ) -> AsyncIterator[Foreseen]:
        policies = await self.outlook.desk.policies(connection)
        async for record_ids in pages:
            quotes, unreadable = await readable(connection, read_approvals, record_ids)
            documents = await find_documents(connection, entity=ENTITY, module="estimates", record_ids=record_ids)
            goods = await read_goods(connection, [quote.order for quote in quotes.values()])
            for record_id in record_ids:
                if record_id in unreadable:
                    yield Foreseen(record_id, "", (unreadable[record_id],))
                elif record_id in quotes:
                    found = self._judge(quotes[record_id], documents.get(record_id), policies, goods)
                    yield Foreseen(record_id, quotes[record_id].order.order_number, tuple(found))

    def _judge(
        self,
        quote: ShopApproval,
        document: StoredDocument | None,
        policies: Policies,
        goods: Mapping[str, ShopVariant],
    ) -> list[Finding]:
        if document is not None and document.reached("sent"):
            return [linked(document, "estimate")]
        prospect = self.prospect(quote.order, policies)
        known = Known(quote, document, None, frozenset(), True, quote.order.placed_at, policies)
        return judge_sale(prospect, document_date(prospect, known), goods)[0]

    async def preview(self, connection: Connection, _: str, record_id: str) -> Preview:
        known = await read_known(self.outlook.desk, connection, as_if_asked(KIND, ENTITY, record_id))
        if known is None:
            return Preview(Verdict.GONE)
        order, document = known.quote.order, known.document
        begun = known.link is not None and known.link.state != "linked"
        decision = decide_estimate(known.quote, document, asked=True, asked_now=True, begun=begun)
        if decision.turn is Turn.SKIP:
            return not_due(order, decision.action)
        if document is not None and decision.turn is Turn.REPORT:
            return changed(order, document, decision.action, find_quote_changes(document, order))
        if document is not None and decision.turn is Turn.CHECK:
            return unchanged(order, document)
        return await self._making(connection, known)

    async def _making(self, connection: Connection, known: Known) -> Preview:
        order = known.quote.order
        prospect = self.prospect(order, known.policies)
        steps: list[Step] = []
        try:
            check_complete(order)
            on = known.document.document_date if known.document else document_date(prospect, known)
            assessment = assess_order(order, prospect, on)
            plan = await plan_document(connection, prospect, assessment, on, known.estranged, steps)
        except (RecordInvalid, NotReady) as error:
            return Preview(verdict_of(error, ()), order.order_number, error, steps=tuple(steps))
        step, expired = _estimate_step(prospect, known, plan)
        warnings = plan.warnings
        if expired:
            warnings += (Finding(Section.WARNED, "expired_before_approval", expired),)
        steps.append(step)
        return Preview(verdict_of(None, steps), order.order_number, None, warnings, tuple(steps))


def _estimate_step(prospect: Prospect, known: Known, plan: Planned) -> tuple[Step, str]:
    stored, calls, warning = known.document, list[PlannedCall](), ""
    if stored is None:
        last, warning = find_expiry(prospect, known, plan.draft.on)
        request = create_request(
            ESTIMATES, as_estimate(plan.draft, last), unique=unique_key(prospect, plan.draft.reference)
        )
        calls.append(planned(f"{'If it is not found: make' if known.link else 'Make'} the estimate, a draft", request))
    sent = status_request(ESTIMATES, stored.zoho_id if stored else STAND_IN, "sent")
    calls.append(later("When it was read back and is as expected: mark it as sent", sent, ESTIMATE_TO_COME))
    look = None
    if known.link is not None:
        asked = list_request(ESTIMATES, reference_number=plan.draft.reference)
        look = planned("Look for what an earlier attempt may have made", asked)
    return step_of("estimates", stored, calls, look), warning
