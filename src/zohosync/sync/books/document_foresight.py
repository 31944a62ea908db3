"""What invoices, estimates and credit notes have in common before they are made: the push's drafts, with stand-ins for
ids that nobody knows yet."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid
from zohosync.gst.sale import Assessment, Problem, TaxCategory
from zohosync.queue.foresight import Decision, Finding, PlannedCall, Preview, Section, Step, Verdict
from zohosync.store.documents import Module, StoredDocument
from zohosync.store.orders import ShopOrder, ShopVariant, read_variants
from zohosync.sync.books.customer_drafts import draft_customer
from zohosync.sync.books.customer_foresight import CUSTOMER_TO_COME, foresee_needed_customer
from zohosync.sync.books.holding import Held
from zohosync.sync.books.invoice_draft import DocumentDraft, Goods, draft_document
from zohosync.sync.books.invoices import assess_order
from zohosync.sync.books.item_drafts import draft_charge
from zohosync.sync.books.item_foresight import foresee_needed, judge_goods, variant_ids
from zohosync.sync.books.making import reference_of
from zohosync.sync.books.office_foresight import Prospect
from zohosync.sync.books.sale import check_complete
from zohosync.sync.preview import planned, warned
from zohosync.zoho.books_records import Document
from zohosync.zoho.protocol import Request

ZERO = Decimal(0)
STAND_IN = "999999999999999999"
"""In the place of an id that is not known yet, where a path takes digits only."""

REASONS: Mapping[str, str] = {
    "not_due": "It is neither paid nor, with cash on delivery, dispatched.",
    "refunded_before_invoice": "It was refunded before an invoice was made, so none is made.",
    "cancelled_before_invoice": "It was cancelled before an invoice was made, so none is made.",
    "not_approved": "The quote is not approved.",
    "not_refunded": "The order is not refunded.",
    "never_invoiced": "It was never invoiced, so there is nothing to credit.",
}
"""Why nothing is made, by the action in the log."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A document as it would be made."""

    draft: DocumentDraft
    warnings: tuple[Finding, ...]


async def plan_document(
    connection: Connection,
    prospect: Prospect,
    assessment: Assessment,
    on: date,
    estranged: Collection[str],
    steps: list[Step],
) -> Planned:
    """In the order of the push; RecordInvalid where it would stop. ``steps`` grows by what is done before."""
    order = prospect.order
    customer = await foresee_needed_customer(connection, order, assessment, prospect.desk.policy.phone_region)
    steps.append(customer.step)
    goods = await foresee_needed(connection, prospect, charges_of(assessment), steps)
    draft = _draft(prospect, assessment, on, customer.zoho_id, goods, estranged)
    return Planned(draft, (*customer.warnings, *_warnings(assessment.warnings)))


def charges_of(assessment: Assessment) -> list[tuple[str, TaxCategory]]:
    """Which items of charges a document needs, each once."""
    return list(dict.fromkeys((charge.key, charge.category) for charge in assessment.charges))


def _draft(
    prospect: Prospect, assessment: Assessment, on: date, customer_id: str, goods: Goods, estranged: Collection[str]
) -> DocumentDraft:
    reference = reference_of(prospect.order.order_number, estranged)
    return draft_document(
        prospect.order,
        assessment,
        prospect.policies,
        prospect.office.taxes,
        customer_id=customer_id,
        goods=goods,
        reference=reference,
        on=on,
        record_key=reference,
    )


def judge_sale(
    prospect: Prospect, on: date, variants: Mapping[str, ShopVariant]
) -> tuple[list[Finding], DocumentDraft | None]:
    """Everything that would keep a document of this sale from being made, and the document if nothing does."""
    try:
        check_complete(prospect.order)
    except NotReady as error:
        return [Finding.of_error(Section.WAITING, error)], None
    found: list[Finding] = []
    assessment: Assessment | None = None
    try:
        assessment = assess_order(prospect.order, prospect, on)
    except Held as held:
        found += [Finding(Section.REFUSED, p.code, p.message, p.hint) for p in held.problems]
    except RecordInvalid as error:
        found.append(Finding.of_error(Section.REFUSED, error))
    found += judge_goods(prospect.order, variants, prospect)
    draft: DocumentDraft | None = None
    if assessment is not None:
        found += _warnings(assessment.warnings)
        draft = _try_draft(prospect, assessment, on, found)
    return merge(found), draft


def _try_draft(prospect: Prospect, assessment: Assessment, on: date, found: list[Finding]) -> DocumentDraft | None:
    by_line = {line.line_id: f"(id of the item {line.sku})" for line in prospect.order.lines}
    try:
        customer = draft_customer(prospect.order, assessment, prospect.desk.policy.phone_region)
        found += warned(customer.warnings)
        charges = charges_of(assessment)
        for charge in charges:
            draft_charge(*charge, prospect.policies, prospect.office)
        by_charge = {charge: f"(id of the item of {charge[0]})" for charge in charges}
        return _draft(prospect, assessment, on, CUSTOMER_TO_COME, Goods(by_line, by_charge), ())
    except RecordInvalid as error:
        found.append(Finding.of_error(Section.REFUSED, error))
        return None


def merge(found: Iterable[Finding]) -> list[Finding]:
    """One finding for each reason of a record: several of its lines may have the same."""
    merged: dict[tuple[Section, str], Finding] = {}
    for finding in found:
        key = (finding.section, finding.code)
        known = merged.get(key)
        if known is None:
            merged[key] = finding if finding.section is Section.WARNED else replace(finding, field="")
        elif finding.message not in known.message:
            merged[key] = replace(known, message=f"{known.message} {finding.message}")
    return list(merged.values())


def _warnings(problems: Iterable[Problem]) -> tuple[Finding, ...]:
    return tuple(Finding(Section.WARNED, problem.code, problem.message, problem.hint) for problem in problems)


async def read_goods(connection: Connection, orders: Sequence[ShopOrder]) -> dict[str, ShopVariant]:
    """The variants of a page of orders."""
    return await read_variants(connection, variant_ids(orders))


def linked(document: StoredDocument, word: str) -> Finding:
    """It has a document already."""
    return Finding(Section.LINKED, "linked", f"It is {word} {document.number or document.zoho_id}.")


def not_due(order: ShopOrder, action: str) -> Preview:
    """Nothing is made, and why."""
    reason = Finding(Section.WARNED, action, REASONS.get(action, action.replace("_", " ").capitalize() + "."))
    return Preview(Verdict.NOT_DUE, order.order_number, warnings=(reason,))


def unchanged(order: ShopOrder, document: StoredDocument) -> Preview:
    """It is made, and as it was made."""
    step = Step(document.module, Decision.IDENTICAL, document.zoho_id, (), ())
    return Preview(Verdict.IDENTICAL, order.order_number, steps=(step,))


def changed(order: ShopOrder, document: StoredDocument, action: str, changes: Iterable[object]) -> Preview:
    """It is made, and the shop says something else now: a person decides."""
    said = "; ".join(map(str, changes)) or action.replace("_", " ")
    problem = RecordInvalid(
        f"{order.order_number} is no longer what {document.number or document.zoho_id} says: {said}.",
        hint="Nothing is sent; decide what becomes of it under Findings.",
        code=action,
    )
    return Preview(Verdict.REFUSED, order.order_number, problem)


def later(purpose: str, request: Request, placeholder: str) -> PlannedCall:
    """A request about a record that is only just being made: its id stands for itself."""
    call = planned(purpose, request)
    return replace(call, path=call.path.replace(STAND_IN, placeholder))


def as_made(draft: DocumentDraft, zoho_id: str) -> Document:
    """The document Books would make of a draft, as far as what follows depends on it."""
    assessed = draft.assessment
    return Document(
        id=zoho_id,
        number="",
        reference=draft.reference,
        status="draft",
        customer_id=draft.customer_id,
        date=draft.on,
        total=draft.total,
        sub_total=assessed.totals.taxable_value,
        tax_total=assessed.totals.cgst + assessed.totals.sgst + assessed.totals.igst,
        balance=draft.total,
        adjustment=draft.round_off,
        round_off=ZERO,
        place_of_supply=assessed.place_of_supply,
        gst_treatment=assessed.gst_treatment,
        gst_no=assessed.gstin or "",
        inclusive=assessed.inclusive,
        tax_rounding="",
        lines=(),
        taxes=(),
        modified_at="",
        custom={},
    )


def step_of(
    module: Module, stored: StoredDocument | None, calls: Sequence[PlannedCall], look: PlannedCall | None
) -> Step:
    """How the document itself is written: made, looked for first after doubt, or brought to its end."""
    if stored is not None:
        return Step(module, Decision.UPDATE, stored.zoho_id, tuple(calls), ())
    if look is not None:
        return Step(module, Decision.LOOK_FIRST, None, (look, *calls), ())
    return Step(module, Decision.CREATE, None, tuple(calls), ())
