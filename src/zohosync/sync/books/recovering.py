"""What Books got after the time a database was put back to: which documents to adopt, which to look for first.

A document carries the shop's own number as its reference; customers and items are looked for by e-mail, GSTIN or SKU
whenever they are needed, so that they need no adoption. Why: docs/decisions/0015-recover-after-a-restore.md.
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from zohosync.db.pool import Connection
from zohosync.store.documents import Module, find_estrangements
from zohosync.store.operations import was_asked_for
from zohosync.store.orders import read_approvals, read_orders
from zohosync.store.recovery import Adoption, Doubt, LinkKey, find_linked, find_present, find_zoho_ids
from zohosync.store.shop import find_records
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.invoice_decision import Turn, decide_invoice
from zohosync.sync.books.links_by_hand import KINDS
from zohosync.zoho.books import Books
from zohosync.zoho.books_records import Document
from zohosync.zoho.books_values import moment

SYSTEM = "books"
DOCUMENTS: Mapping[Module, str] = {"invoices": "order", "estimates": "approved_quote", "creditnotes": "refund"}
COUNTED = re.compile(r"/\d+$")
"""What is behind the number where an administrator had parted a record and its document before."""

LAST = datetime.max.replace(tzinfo=UTC)


@dataclass
class BooksRecovery:
    """``copies`` and ``gone``: documents that stay without a link, with the key they would have."""

    organisation_id: str
    doubts: list[Doubt] = field(default_factory=list)
    adoptions: list[Adoption] = field(default_factory=list)
    distrusted: list[LinkKey] = field(default_factory=list)
    dirty: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    copies: list[tuple[LinkKey, str]] = field(default_factory=list)
    gone: list[tuple[LinkKey, str]] = field(default_factory=list)


async def plan_books(
    connection: Connection, desk: BooksDesk, since: datetime, unsure: Iterable[tuple[str, str]]
) -> BooksRecovery:
    """Compare what Books got since then with what this database remembers; reads only."""
    plan, books = BooksRecovery(await desk.organisation_id()), desk.books_to_look()
    for module, entity in DOCUMENTS.items():
        await _plan_documents(connection, books, plan, module, entity, since)
    await _plan_parents(connection, books, plan, since)
    await _plan_doubts(connection, desk, plan, unsure)
    return plan


async def _plan_documents(
    connection: Connection, books: Books, plan: BooksRecovery, module: Module, entity: str, since: datetime
) -> None:
    rows = {row.id: row async for row in _changed(books, module)(since)}
    known = await find_linked(connection, module, list(rows), system=SYSTEM)
    for key in known.values():
        plan.dirty[key.entity].add(key.record_id)
    by_key: defaultdict[LinkKey, list[Document]] = defaultdict(list)
    for row in rows.values():
        if row.id in known or not row.reference or row.status == "void":
            continue
        key = LinkKey(module, entity, await _find_record(connection, entity, row.reference) or "", SYSTEM)
        if key.record_id:
            by_key[key].append(row)
        elif _made_at(row) >= since.replace(microsecond=0):
            plan.gone.append((LinkKey(module, entity, row.reference, SYSTEM), row.id))
    await _adopt(connection, books, plan, by_key)


async def _find_record(connection: Connection, entity: str, reference: str) -> str | None:
    """The record of the shop a reference names: by its number, or by its id where it has none."""
    for named in dict.fromkeys((reference, COUNTED.sub("", reference))):
        for record_id, label in await find_records(connection, entity, named):
            if named.casefold() in (record_id.casefold(), label.casefold()):
                return record_id
    return None


async def _adopt(
    connection: Connection, books: Books, plan: BooksRecovery, by_key: Mapping[LinkKey, list[Document]]
) -> None:
    """Of several documents of one record the oldest; none while the one that is linked still counts in Books."""
    linked = await find_zoho_ids(connection, by_key)
    for key, documents in by_key.items():
        parted = await find_estrangements(connection, entity=key.entity, module=key.module, record_ids=[key.record_id])
        free = [one for one in documents if one.id not in parted.get(key.record_id, set())]
        free.sort(key=lambda one: (_made_at(one), one.id))
        if free and not await _counts(books, key, linked.get(key)):
            plan.adoptions.append(Adoption(key, free.pop(0).id, replaces=linked.get(key)))
            plan.dirty[key.entity].add(key.record_id)
        plan.copies += [(key, one.id) for one in free]


async def _counts(books: Books, key: LinkKey, zoho_id: str | None) -> bool:
    if zoho_id is None:
        return False
    reading = {"invoices": books.invoice, "estimates": books.estimate, "creditnotes": books.credit_note}
    document = await reading[key.module](zoho_id)
    return document is not None and document.status != "void"


async def _plan_parents(connection: Connection, books: Books, plan: BooksRecovery, since: datetime) -> None:
    """Customers and items that changed may have values the shop lost: those of the shop are sent again."""
    contacts = [row.id async for row in books.changed_contacts(since)]
    items = [row.id async for row in books.changed_items(since)]
    for module, ids in (("contacts", contacts), ("items", items)):
        known = await find_linked(connection, module, ids, system=SYSTEM)
        plan.distrusted += known.values()
        for key in known.values():
            if key.entity in KINDS:  # firms, guests and charges are brought up to date by their next document
                plan.dirty[key.entity].add(key.record_id)


async def _plan_doubts(
    connection: Connection, desk: BooksDesk, plan: BooksRecovery, unsure: Iterable[tuple[str, str]]
) -> None:
    """What is due and may have been sent since is looked for before it is made.

    What is not due is left alone: a link in doubt would have it made.
    """
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for entity, record_id in sorted(unsure):
        ids[entity].append(record_id)
    doubts = [
        *await _doubt_orders(connection, desk, ids["order"]),
        *await _doubt_quotes(connection, ids["approved_quote"]),
        *await _doubt_refunds(connection, ids["refund"]),
    ]
    adopted = {adoption.key for adoption in plan.adoptions}
    sure = await find_present(connection, [doubt.key for doubt in doubts]) | adopted
    plan.doubts = [doubt for doubt in doubts if doubt.key not in sure]


async def _doubt_orders(connection: Connection, desk: BooksDesk, ids: Sequence[str]) -> list[Doubt]:
    policies, found = await desk.policies(connection), list[Doubt]()
    for record_id, order in (await read_orders(connection, ids)).items():
        asked = await was_asked_for(connection, kind=KINDS["order"], entity="order", record_id=record_id)
        decision = decide_invoice(order, None, policies, asked=asked, asked_now=False, begun=False)
        if decision.turn is Turn.MAKE:
            found.append(Doubt(LinkKey("invoices", "order", record_id, SYSTEM), order.order_number))
    return found


async def _doubt_quotes(connection: Connection, ids: Sequence[str]) -> list[Doubt]:
    quotes = await read_approvals(connection, ids)
    return [
        Doubt(LinkKey("estimates", "approved_quote", record_id, SYSTEM), quote.order.order_number)
        for record_id, quote in quotes.items()
        if quote.approved and not quote.order.before_golive
    ]


async def _doubt_refunds(connection: Connection, ids: Sequence[str]) -> list[Doubt]:
    orders = await read_orders(connection, ids)
    return [
        Doubt(LinkKey("creditnotes", "refund", record_id, SYSTEM), order.order_number)
        for record_id, order in orders.items()
        if order.refunded
    ]


def _made_at(document: Document) -> datetime:
    return moment(str(document.fields.get("created_time") or "")) or LAST


def _changed(books: Books, module: Module) -> Callable[[datetime], AsyncIterator[Document]]:
    return {
        "invoices": books.changed_invoices,
        "estimates": books.changed_estimates,
        "creditnotes": books.changed_credit_notes,
    }[module]
