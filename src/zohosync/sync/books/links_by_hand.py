"""Links made and undone by a person: "this order is that invoice", and "it is not".

Neither makes, sends or pays anything in Books.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from zohosync.db.pool import Connection
from zohosync.errors import SettingsRefused
from zohosync.store import audit, write_backs
from zohosync.store.documents import (
    DocumentLineSent,
    Module,
    Step,
    StoredDocument,
    add_estrangement,
    drop_document,
    drop_estrangement,
    save_document,
)
from zohosync.store.holds import drop_hold
from zohosync.store.links import NewLink, find_links, find_owners, forget_link, is_being_made, save_links
from zohosync.store.orders import ShopOrder, read_variants
from zohosync.sync.books.compare import Legs, read_legs
from zohosync.sync.books.corrections import check_reason, read_sale_record
from zohosync.sync.books.desk import Office
from zohosync.sync.books.snapshot import snapshot_of
from zohosync.sync.books.tax_book import TaxBook
from zohosync.zoho.books import Books
from zohosync.zoho.books_records import Contact, Document, DocumentLine, Item

ZERO = Decimal(0)
MODULES: Mapping[str, str] = {
    "order": "invoices",
    "approved_quote": "estimates",
    "refund": "creditnotes",
    "variant": "items",
    "buyer": "contacts",
}
"""What each record of the shop is in Books."""

KINDS: Mapping[str, str] = {
    "order": "books.invoice.push",
    "approved_quote": "books.estimate.push",
    "refund": "books.credit_note.push",
    "variant": "books.item.push",
    "buyer": "books.customer.push",
}
WORDS: Mapping[str, str] = {
    "invoices": "invoice",
    "estimates": "estimate",
    "creditnotes": "credit note",
    "items": "item",
    "contacts": "customer",
}
STEPS: Mapping[str, Step] = {
    "draft": "created",
    "pending_approval": "created",
    "approved": "created",
    "paid": "settled",
    "closed": "settled",
}
"""How far a document is by its status; any other one was sent."""

REFUNDS = "creditnote_refunds"
UNUSABLE = frozenset({"void", "inactive"})
SHORTEST_ID = 10


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that both sides tell."""

    name: str
    shop: str
    books: str

    @property
    def differs(self) -> bool:
        return bool(self.shop and self.books) and self.shop.casefold() != self.books.casefold()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A link that may be made. ``compared`` is for a person to judge; ``then`` says what happens afterwards."""

    entity: str
    record_id: str
    label: str
    module: str
    zoho_id: str
    number: str
    status: str
    compared: tuple[Compared, ...]
    then: str
    document: StoredDocument | None

    @property
    def differences(self) -> tuple[Compared, ...]:
        return tuple(one for one in self.compared if one.differs)


async def propose(
    connection: Connection,
    books: Books,
    office: Office,
    organisation_id: str,
    *,
    entity: str,
    record_id: str,
    module: str,
    term: str,
) -> Proposal:
    """Look at both sides; SettingsRefused when the link is impossible. ``term`` is an id of Books, or a number, SKU or
    name there. Nothing is written."""
    check_module(entity, module)
    await _check_free(connection, entity, record_id, module)
    found = await _find(books, module, term.strip())
    if found is None:
        raise _refusal(f"Books has no {WORDS[module]} {term!r}.", "Name it by its id or its number, as Books shows it.")
    owners = await find_owners(connection, system="books", module=module, zoho_ids=[found.id])
    if found.id in owners:
        raise _refusal(
            f"This {WORDS[module]} already belongs to the record {owners[found.id]} of the shop.",
            "Unlink it there first, if that is wrong.",
        )
    if isinstance(found, Document):
        if found.status in UNUSABLE:
            raise _refusal(f"This {WORDS[module]} is {found.status} in Books.", "Link one that counts.")
        order = await read_sale_record(connection, entity, record_id)
        return _of_document(order, entity, module, found, office, organisation_id)
    return await _of_record(connection, entity, record_id, module, found)


async def make_link(connection: Connection, proposal: Proposal, *, organisation_id: str, reason: str, by: str) -> None:
    """Keep the link, and the document as Books tells it now."""
    why = check_reason(reason)
    link = NewLink(proposal.record_id, proposal.zoho_id, "", {"number": proposal.number, "linked_by": by})
    entity, record_id, module = proposal.entity, proposal.record_id, proposal.module
    async with connection.transaction():
        taken = await save_links(
            connection, system="books", module=module, entity=entity, organisation_id=organisation_id, links=[link]
        )
        if taken:
            raise _refusal("Another record of the shop was linked to it just now.", "Look at both records.")
        await drop_estrangement(connection, entity=entity, module=module, record_id=record_id, zoho_id=proposal.zoho_id)
        if proposal.document is not None:
            await save_document(connection, proposal.document)
        await drop_hold(connection, kind=KINDS[entity], entity=entity, record_id=record_id)
        ids = {record_id: proposal.zoho_id}
        owed = await write_backs.write(connection, entity=entity, system="books", ids=ids)
        await write_backs.postpone(connection, entity=entity, system="books", ids=owed)
        await audit.record(
            connection,
            actor=by,
            action="link.make",
            entity=entity,
            record_id=record_id,
            reason=why,
            detail={
                "module": module,
                "zoho_id": proposal.zoho_id,
                "number": proposal.number,
                "differences": [f"{one.name}: {one.shop} / {one.books}" for one in proposal.differences],
            },
        )


async def undo_link(connection: Connection, *, entity: str, record_id: str, module: str, reason: str, by: str) -> str:
    """Part a record from its document, for good; the id in Books, where the document stays."""
    check_module(entity, module)
    why = check_reason(reason)
    async with connection.transaction():
        links = await find_links(connection, system="books", module=module, entity=entity, record_ids=[record_id])
        link = links.get(record_id)
        if link is None or link.zoho_id is None:
            raise _refusal(
                f"This {entity} is linked to no {WORDS[module]} of Books.", "Its page tells what it is linked to."
            )
        await add_estrangement(
            connection,
            entity=entity,
            module=module,
            record_id=record_id,
            zoho_id=link.zoho_id,
            reason=why,
            by=by,
        )
        await forget_link(connection, system="books", module=module, entity=entity, record_id=record_id)
        if entity == "order":
            # A payment in doubt was of that invoice.
            await forget_link(connection, system="books", module="customerpayments", entity=entity, record_id=record_id)
        if entity == "refund":
            await _part_from_refund(connection, record_id, reason=why, by=by)
        if module in ("invoices", "estimates", "creditnotes"):
            await drop_document(connection, entity=entity, module=module, record_id=record_id)  # type: ignore[arg-type]
        await audit.record(
            connection,
            actor=by,
            action="link.undo",
            entity=entity,
            record_id=record_id,
            reason=why,
            detail={"module": module, "zoho_id": link.zoho_id},
        )
    return link.zoho_id


async def _part_from_refund(connection: Connection, record_id: str, *, reason: str, by: str) -> None:
    """The money that went back was of that credit note. That it went back, or may have, is not forgotten: whoever
    makes another credit note asks before it goes back again."""
    links = await find_links(connection, system="books", module=REFUNDS, entity="refund", record_ids=[record_id])
    link = links.get(record_id)
    if link is None:
        return
    await add_estrangement(
        connection,
        entity="refund",
        module=REFUNDS,
        record_id=record_id,
        zoho_id=link.zoho_id or link.reference or "unknown",
        reason=reason,
        by=by,
    )
    await forget_link(connection, system="books", module=REFUNDS, entity="refund", record_id=record_id)


def check_module(entity: str, module: str) -> None:
    """SettingsRefused when records of this entity are never in that module."""
    if MODULES.get(entity) != module:
        known = ", ".join(f"{one} with {other}" for one, other in MODULES.items())
        raise _refusal(f"No {entity} is linked with {module}.", f"Linked are: {known}.")


async def _check_free(connection: Connection, entity: str, record_id: str, module: str) -> None:
    links = await find_links(connection, system="books", module=module, entity=entity, record_ids=[record_id])
    link = links.get(record_id)
    if link is not None and link.zoho_id is not None:
        raise _refusal(f"This {entity} is linked to the {WORDS[module]} {link.zoho_id} already.", "Unlink it first.")
    if link is not None and await is_being_made(
        connection, system="books", module=module, entity=entity, record_id=record_id
    ):
        raise _refusal(
            f"A {WORDS[module]} may just be made for this {entity}.", "Wait until its operation has ended; then look."
        )


async def _find(books: Books, module: str, term: str) -> Document | Item | Contact | None:
    """By id where the term can be one, else by number, SKU or name; SettingsRefused when it names several."""
    if term.isascii() and term.isdecimal() and len(term) >= SHORTEST_ID:
        found = await _read(books, module, term)
        if found is not None:
            return found
    rows: tuple[Document | Item | Contact, ...]
    match module:
        case "invoices":
            rows = await books.find_invoices_by_number(term) or await books.find_invoices(term)
        case "estimates":
            rows = await books.find_estimates(term)
        case "creditnotes":
            rows = await books.find_credit_notes(term)
        case "items":
            rows = await books.find_items_by_sku(term)
        case _:
            rows = await books.find_contacts_by_name(term) or await books.find_contacts_by_email(term)
    if len(rows) > 1:
        ids = ", ".join(row.id for row in rows)
        raise _refusal(f"{term!r} names {len(rows)} records of Books.", f"Choose one id: {ids}.")
    return await _read(books, module, rows[0].id) if rows else None


async def _read(books: Books, module: str, zoho_id: str) -> Document | Item | Contact | None:
    match module:
        case "invoices":
            return await books.invoice(zoho_id)
        case "estimates":
            return await books.estimate(zoho_id)
        case "creditnotes":
            return await books.credit_note(zoho_id)
        case "items":
            return await books.item(zoho_id)
        case _:
            return await books.contact(zoho_id)


def _of_document(
    order: ShopOrder, entity: str, module: str, document: Document, office: Office, organisation_id: str
) -> Proposal:
    customer = str(document.fields.get("customer_name") or "")
    who = order.company or " ".join(filter(None, (order.first_name, order.last_name)))
    total = order.refunded_amount if entity == "refund" and order.refunded_amount is not None else order.total
    return Proposal(
        entity=entity,
        record_id=order.record_id,
        label=order.order_number,
        module=module,
        zoho_id=document.id,
        number=document.number,
        status=document.status,
        compared=(
            Compared("Customer", who, customer),
            Compared("Total", "" if total is None else f"{total:.2f}", f"{document.total:.2f}"),
            Compared("GSTIN", order.gstin or "", document.gst_no),
            Compared("Reference", order.order_number, document.reference),
            Compared("Lines", str(len(order.lines)), str(len(document.lines))),
        ),
        then=_then(module, document),
        document=_stored(order, entity, module, document, office, organisation_id),
    )


def _then(module: str, document: Document) -> str:
    step = STEPS.get(document.status, "sent")
    if step == "created":
        return "It is a draft in Books. Nothing is sent now; the next sync of the record compares and sends it."
    if step == "sent" and module == "invoices":
        return "It was sent. The next sync of a paid order records its payment, unless Books has it."
    return "Nothing more is done with it."


async def _of_record(
    connection: Connection, entity: str, record_id: str, module: str, found: Item | Contact
) -> Proposal:
    if isinstance(found, Item):
        variant = (await read_variants(connection, [record_id])).get(record_id)
        compared: tuple[Compared, ...] = (
            Compared("SKU", (variant.sku if variant else None) or "", found.sku),
            Compared("HSN", (variant.hsn_code if variant else None) or "", found.hsn),
        )
        label, number = (variant.sku if variant else None) or record_id, found.sku
    else:
        compared = (Compared("Name", "", found.name), Compared("E-mail", "", found.email))
        label, number = record_id, found.name
    then = "The next change of the record in the shop is brought to it."
    status = "active" if found.active else "inactive"
    return Proposal(entity, record_id, label, module, found.id, number, status, compared, then, None)


def _stored(
    order: ShopOrder, entity: str, module: str, document: Document, office: Office, organisation_id: str
) -> StoredDocument:
    """The document as Books tells it; nothing of it was sent by us."""
    taxes = office.taxes
    legs = read_legs(document, taxes)
    total = order.total if order.total is not None else document.total
    known: Module = module  # type: ignore[assignment]
    step = STEPS.get(document.status, "sent")
    return StoredDocument(
        entity=entity,
        record_id=order.record_id,
        module=known,
        organisation_id=organisation_id,
        zoho_id=document.id,
        number=document.number,
        reference=document.reference,
        step=step,
        status=document.status,
        document_date=document.date or (order.placed_at.date() if order.placed_at else _no_date(document)),
        customer_id=document.customer_id,
        place_of_supply=document.place_of_supply or None,
        supply_type=_supply_type(document, legs, office.organisation.state_code),
        gst_treatment=document.gst_treatment or None,
        state_source="person",
        address_source=order.ship_to.source,
        shop_total=total,
        books_total=document.total,
        taxable_value=None,
        exempt_value=None,
        cgst=None,
        sgst=None,
        igst=None,
        books_cgst=legs.cgst,
        books_sgst=legs.sgst,
        books_igst=legs.igst,
        round_off=document.adjustment + document.round_off,
        variance=document.total - total,
        settled_amount=document.total if step == "settled" else ZERO,
        source=snapshot_of(order),
        source_digest=order.digest,
        lines=tuple(_line(order, line, number, taxes) for number, line in enumerate(document.lines, start=1)),
        books_modified_at=document.modified_at,
    )


def _supply_type(document: Document, legs: Legs, seller_state: str) -> str:
    """By its tax; what carries none, by where it was supplied to. No place is outside India, or unknown."""
    if legs.igst:
        return "inter"
    if legs.cgst or legs.sgst:
        return "intra"
    return "intra" if document.place_of_supply == seller_state else "inter"


def _line(order: ShopOrder, line: DocumentLine, number: int, taxes: TaxBook) -> DocumentLineSent:
    """A line as Books has it, under the shop's line of the same SKU where there is one."""
    sku = str(line.fields.get("sku") or "")
    same = [one for one in order.lines if sku and (one.sku or "").casefold() == sku.casefold()]
    tax = {"cgst": ZERO, "sgst": ZERO, "igst": ZERO}
    for name, amount in line.taxes.items():
        leg = taxes.leg_of(name)
        if leg in tax:
            tax[leg] += amount
    return DocumentLineSent(
        key=same[0].line_id if len(same) == 1 else f"books:{number}",
        sku=sku,
        item_id=line.item_id,
        name=line.name,
        hsn=line.hsn,
        quantity=line.quantity,
        rate=line.rate,
        discount=line.discount,
        tax_id=line.tax_id,
        gst_rate=line.tax_percentage,
        category="taxable" if line.tax_percentage else "exempt",
        value=line.total,
        total=line.total + sum(tax.values(), ZERO),
        line_item_id=line.id,
        **tax,
    )


def _no_date(document: Document) -> date:
    raise _refusal(f"Books tells no date of {document.number}.", "Open it in Books and save it again.")


def _refusal(message: str, hint: str) -> SettingsRefused:
    return SettingsRefused(message, hint=hint, code="link_refused")
