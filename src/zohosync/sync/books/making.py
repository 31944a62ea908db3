"""Making a document in Books, step by step: claim, create, read back, compare, send.

Every step is remembered before the next begins, so that whoever resumes after a crash starts where it ended, and
nothing is made twice.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from zohosync.errors import NotReady, RecordInvalid, Refused, ZohosyncError
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Operation
from zohosync.store.documents import Module, StoredDocument, save_document
from zohosync.store.findings import report_finding
from zohosync.store.links import Link, find_link_owners
from zohosync.store.orders import ShopOrder
from zohosync.sync.books.claims import Claim
from zohosync.sync.books.compare import Comparison, compare
from zohosync.sync.books.desk import BooksDesk, Office
from zohosync.sync.books.holding import Judged
from zohosync.sync.books.invoice_draft import ROUND_OFF, DocumentDraft, line_payload
from zohosync.sync.books.parents import mend_parents
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.snapshot import snapshot_of
from zohosync.zoho.books import Books
from zohosync.zoho.books_records import Document, UniqueKey

DRAFT_STATUSES = frozenset({"draft", "approved"})
WAITING_STATUSES = frozenset({"pending_approval"})


class Differs(RecordInvalid):
    """Books made something else of a document than what was expected; it stays a draft."""

    code = "document_differs"


@dataclass(frozen=True)
class Kind:
    """What is particular to invoices, estimates and credit notes: Books' calls for each. ``word`` is for people."""

    module: Module
    entity: str
    word: str
    create: Callable[[Books, dict[str, Any], UniqueKey | None], Awaitable[Document]]
    find: Callable[[Books, str], Awaitable[tuple[Document, ...]]]
    read: Callable[[Books, str], Awaitable[Document | None]]
    update: Callable[[Books, str, dict[str, Any]], Awaitable[Document]]
    send: Callable[[Books, str], Awaitable[None]]


class Matter(Protocol):
    """What a document is made from. A case is one, and so is a look ahead, which sends nothing."""

    @property
    def desk(self) -> BooksDesk: ...

    @property
    def operation(self) -> Operation: ...

    @property
    def order(self) -> ShopOrder: ...

    @property
    def policies(self) -> Policies: ...

    @property
    def office(self) -> Office: ...


@dataclass(frozen=True)
class Case:
    """One record on its way to a document."""

    desk: BooksDesk
    batch: Batch
    operation: Operation
    order: ShopOrder
    policies: Policies
    office: Office
    books: Books
    judged: Judged


def reference_of(number: str, estranged: Collection[str]) -> str:
    """What the document is looked for by: the shop's number; after an administrator parted them, with a counter."""
    return number if not estranged else f"{number}/{len(estranged) + 1}"


def claim_of(case: Case, module: str, entity: str) -> Claim:
    """The claim of the case's record in a module of Books."""
    return Claim(case.desk, case.batch, case.operation, module, entity, case.operation.record_id)


def unique_key(case: Matter, reference: str) -> UniqueKey | None:
    """The value of the organisation's no-duplicates field, where it has one."""
    name = case.policies.unique_reference_field
    # A header carries it, and a header is ASCII.
    return UniqueKey(name, reference) if name and reference.isascii() else None


async def ensure_document(
    case: Case,
    kind: Kind,
    draft: DocumentDraft,
    payload: dict[str, Any],
    *,
    link: Link | None,
    estranged: Collection[str],
) -> StoredDocument:
    """The document, found or made, with link and row saved. One that may exist already is looked for first."""
    found = await find_begun(case, kind, link, estranged) if link is not None else None
    if found is None and link is not None and unique_key(case, draft.reference) is None:
        await _look_again(case, kind)
    document = found or await _create(case, kind, draft, payload)
    return await _remember(case, kind, draft, document)


async def _look_again(case: Case, kind: Kind) -> None:
    """Lists of Books may be behind: what was not found is looked for once more, a while later, before it is made."""
    if not await claim_of(case, kind.module, kind.entity).was_sought(case.desk.policy.look_again):
        raise NotReady(
            f"Nobody knows whether the {kind.word} was made; Books is asked again in a moment.",
            wait_for="parent",
            hint="It continues by itself.",
        )


async def find_begun(case: Case, kind: Kind, link: Link, estranged: Collection[str]) -> Document | None:
    """What an earlier attempt may have left. A link without a row is of a document that was known once."""
    if link.zoho_id is not None:
        known = await kind.read(case.books, link.zoho_id)
        if known is not None:
            return known
        async with case.desk.pool.connection() as connection:
            await claim_of(case, kind.module, kind.entity).forget(connection)
    reference = link.reference or reference_of(case.order.order_number, estranged)
    rows = [row for row in await kind.find(case.books, reference) if row.id not in estranged]
    async with case.desk.pool.connection() as connection:
        owners = await find_link_owners(
            connection, system="books", module=kind.module, zoho_ids=[row.id for row in rows]
        )
    mine = (kind.entity, case.operation.record_id)
    # Whatever its customer: the order may have become another one's since, and comparing tells.
    rows = [row for row in rows if owners.get(row.id, mine) == mine]
    if len(rows) > 1:
        numbers = ", ".join(row.number or row.id for row in rows)
        raise RecordInvalid(
            f"Books has several documents with the reference {reference}: {numbers}.",
            hint=f"Delete or void the wrong ones in Books, or link the right one: `zohosync link {kind.entity}"
            f" {case.order.order_number} {kind.module} <number> --reason <why>`.",
            code="document_ambiguous",
        )
    # Rows of a list do not tell all that a draft may have to be brought up to date in.
    return await kind.read(case.books, rows[0].id) if rows else None


async def _create(case: Case, kind: Kind, draft: DocumentDraft, payload: dict[str, Any]) -> Document:
    """Claim, then send. What Books refuses frees the claim; what is unknown leaves it, and is looked for next time."""
    claim = claim_of(case, kind.module, kind.entity)
    if not await claim.take(draft.reference):
        raise NotReady(f"Somebody is making this {kind.word} just now.", wait_for="parent", hint="It looks again soon.")
    try:
        return await kind.create(case.books, payload, unique_key(case, draft.reference))
    except Refused as refused:
        case.desk.forget_office()  # what was refused may rest on taxes or accounts that changed
        if refused.reason == "books_key_not_kept":  # told of a document that was made
            raise
        async with case.desk.pool.connection() as connection:
            await claim.forget(connection)
        await mend_parents(
            case.desk,
            case.batch,
            refused,
            customer_id=draft.customer_id,
            item_ids={line.item_id for line in draft.lines if line.item_id},
        )
        raise


async def _remember(case: Case, kind: Kind, draft: DocumentDraft, document: Document) -> StoredDocument:
    organisation = await case.desk.organisation_id()
    stored = stored_document(case, kind, draft, document, organisation)
    claim = claim_of(case, kind.module, kind.entity)
    async with case.desk.pool.connection() as connection, connection.transaction():
        if not await claim.keep(connection, document.id, {"reference": draft.reference, "number": document.number}):
            raise RecordInvalid(
                f"{kind.word.capitalize()} {document.number} of Books already belongs to another record of the shop.",
                hint="Look at both records; part them with `zohosync unlink`.",
                code="document_taken",
            )
        await save_document(connection, stored)
    case.batch.note_progress(case.operation)
    return stored


def stored_document(
    case: Matter, kind: Kind, draft: DocumentDraft, document: Document, organisation_id: str
) -> StoredDocument:
    """The row of a document that was just made or found."""
    assessed = draft.assessment
    return StoredDocument(
        entity=kind.entity,
        record_id=case.operation.record_id,
        module=kind.module,
        organisation_id=organisation_id,
        zoho_id=document.id,
        number=document.number,
        reference=draft.reference,
        step="created",
        status=document.status,
        document_date=draft.on,
        customer_id=document.customer_id or draft.customer_id,
        place_of_supply=document.place_of_supply or assessed.place_of_supply,
        supply_type=assessed.supply_type.value,
        gst_treatment=document.gst_treatment or assessed.gst_treatment,
        state_source=assessed.state_source,
        address_source=case.order.ship_to.source,
        shop_total=draft.total,
        books_total=document.total,
        taxable_value=assessed.totals.taxable_value,
        exempt_value=assessed.exempt_value + assessed.nil_value + assessed.zero_rated_value,
        cgst=assessed.totals.cgst,
        sgst=assessed.totals.sgst,
        igst=assessed.totals.igst,
        books_cgst=None,
        books_sgst=None,
        books_igst=None,
        round_off=draft.round_off,
        variance=document.total - draft.total,
        settled_amount=Decimal(0),
        source=snapshot_of(case.order),
        source_digest=case.order.digest,
        lines=draft.lines,
        books_modified_at=document.modified_at,
    )


def is_other(stored: StoredDocument, draft: DocumentDraft) -> bool:
    """Whether what should be sent now is no longer what the draft in Books was made of."""
    return (
        tuple(replace(line, line_item_id="") for line in stored.lines) != draft.lines
        or (stored.shop_total, stored.customer_id) != (draft.total, draft.customer_id)
        or (stored.place_of_supply, stored.gst_treatment)
        != (draft.assessment.place_of_supply, draft.assessment.gst_treatment)
    )


async def renew_draft(
    case: Case, kind: Kind, stored: StoredDocument, draft: DocumentDraft, payload: dict[str, Any]
) -> StoredDocument:
    """Bring a draft up to date that nobody has sent: the order was corrected, or a policy. Its lines are replaced."""
    document = await get_document(case, kind, stored)
    if document.status not in DRAFT_STATUSES:
        return stored  # reading it back tells what differs
    kept = {name: value for name, value in payload.items() if name != "invoice_number"}  # it has its number
    renewed = stored_document(
        case, kind, draft, await kind.update(case.books, stored.zoho_id, kept), stored.organisation_id
    )
    await keep(case, renewed)
    return renewed


async def read_back(
    case: Case, kind: Kind, stored: StoredDocument, draft: DocumentDraft
) -> tuple[StoredDocument, Document]:
    """Read what Books has and compare it; a difference of paise is rounded off, a larger one stops here, before it is
    sent."""
    document = await get_document(case, kind, stored)
    result = compare(draft, document, case.office.taxes, most_round_off=case.policies.round_off_tolerance)
    if result.roundable and not result.exact and document.status in DRAFT_STATUSES:
        document = await kind.update(case.books, stored.zoho_id, rounded(draft, document, result))
        result = compare(draft, document, case.office.taxes, most_round_off=case.policies.round_off_tolerance)
    compared = replace(
        stored,
        step="compared" if result.exact else stored.step,
        status=document.status,
        number=document.number,
        books_total=document.total,
        books_cgst=result.legs.cgst,
        books_sgst=result.legs.sgst,
        books_igst=result.legs.igst,
        variance=result.variance,
        round_off=document.adjustment + document.round_off,
        lines=result.lines,
        books_modified_at=document.modified_at,
    )
    await keep(case, compared)
    if not result.exact:
        compared = await _ask(case, kind, compared, result)
    return compared, document


def rounded(draft: DocumentDraft, document: Document, result: Comparison) -> dict[str, Any]:
    """The update that books a difference of paise as a round-off. Lines are kept by their ids; one left out would be
    deleted."""
    return draft.payload | {
        "line_items": [line_payload(line, number) for number, line in enumerate(result.lines, start=1)],
        "adjustment": document.adjustment - result.variance,
        "adjustment_description": ROUND_OFF,
    }


async def _ask(case: Case, kind: Kind, stored: StoredDocument, result: Comparison) -> StoredDocument:
    """A difference is a person's to judge: Differs, unless exactly this one was accepted."""
    only_total = not [said for said in result.differences if not said.startswith("Its total")]
    said = " ".join(result.differences) or f"Its total differs by {result.variance:.2f}."
    code = "total_mismatch" if only_total else "document_differs"
    message = f"Books made something else of {kind.word} {stored.number or stored.zoho_id}: {said}"
    detail = {"differences": list(result.differences), "variance": str(result.variance)}
    if await find(case, kind, code, message, detail):
        raise Differs(
            message,
            hint="It stays a draft in Books. Correct it there or in the shop, then press Sync now; or accept it.",
            code=code,
        )
    accepted = replace(stored, step="compared")
    await keep(case, accepted)
    return accepted


async def get_document(case: Case, kind: Kind, stored: StoredDocument) -> Document:
    """The document as Books has it; RecordInvalid, with a finding, when it is gone or void."""
    document = await kind.read(case.books, stored.zoho_id)
    if document is None:
        raise await _lost(case, kind, stored, "document_deleted", "was deleted in Books")
    if document.status == "void":
        raise await _lost(case, kind, stored, "document_voided", "was voided in Books")
    return document


async def _lost(case: Case, kind: Kind, stored: StoredDocument, code: str, what: str) -> ZohosyncError:
    message = f"{kind.word.capitalize()} {stored.number or stored.zoho_id} {what}."
    await find(case, kind, code, message, {"number": stored.number, "zoho_id": stored.zoho_id})
    return RecordInvalid(
        message,
        hint=f"Accept that, or have a new one made: `zohosync unlink {stored.entity} {case.order.order_number}"
        f" {kind.module} --reason <why>`, then press Sync now.",
        code=code,
    )


async def send(case: Case, kind: Kind, stored: StoredDocument, document: Document) -> StoredDocument:
    """Mark a draft as sent; one that is further along stays as it is. An approval is a person's."""
    if document.status in WAITING_STATUSES:
        raise RecordInvalid(
            f"{kind.word.capitalize()} {stored.number} waits for approval in Books.",
            hint="Approve it there, then press Sync now.",
            code="books_approval_pending",
        )
    if document.status in DRAFT_STATUSES:
        await _mark_sent(case, kind, stored)
    sent = replace(stored, step="sent", status="sent" if document.status in DRAFT_STATUSES else document.status)
    await keep(case, sent)
    return sent


async def _mark_sent(case: Case, kind: Kind, stored: StoredDocument) -> None:
    """A refusal here leaves a draft in Books that nobody asked for: approval, a locked period, a credit limit."""
    try:
        await kind.send(case.books, stored.zoho_id)
    except Refused as refused:
        message = f"{kind.word.capitalize()} {stored.number or stored.zoho_id} stays a draft: {refused.message}"
        await find(case, kind, "document_not_sent", message, {"said": refused.vendor_message, "number": stored.number})
        raise


async def keep(case: Case, stored: StoredDocument) -> None:
    """Remember how far a document came: progress, which gives later steps a fresh budget of tries."""
    case.batch.lease.check()
    async with case.desk.pool.connection() as connection, connection.transaction():
        await save_document(connection, stored)
    case.batch.note_progress(case.operation)


async def find(case: Case, kind: Kind, code: str, message: str, detail: dict[str, Any]) -> bool:
    """Open a finding about the record; False when a person accepted exactly this before."""
    async with case.desk.pool.connection() as connection, connection.transaction():
        opened = await report_finding(
            connection,
            code=code,
            entity=kind.entity,
            record_id=case.operation.record_id,
            module=kind.module,
            label=case.order.order_number,
            message=message,
            detail=detail,
        )
    return opened is not None
