"""books.item.push: variants of the shop as items of Books, one for each SKU; and the items a document needs.

https://www.zoho.com/books/api/v3/items/
"""

from dataclasses import dataclass, replace

from zohosync.errors import LeaseLost, NotReady, RecordGone, RecordInvalid, RecordVanished, Refused, ZohosyncError
from zohosync.gst.sale import TaxCategory
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Cause, Operation, Outcome, Report
from zohosync.store.links import Link, find_links
from zohosync.store.orders import OrderLine, ShopOrder, ShopVariant, read_hold_digests, read_variants
from zohosync.sync.books.claims import Claim, plain
from zohosync.sync.books.desk import BooksDesk, Office
from zohosync.sync.books.holding import Judged, finish
from zohosync.sync.books.item_drafts import (
    ItemDraft,
    charge_key,
    check_tax,
    draft_charge,
    draft_item,
    find_changes,
    find_gaps,
    find_match,
    has_other_tax,
)
from zohosync.sync.books.policies import Policies
from zohosync.sync.decide import fingerprint_of
from zohosync.sync.desk import write_back
from zohosync.zoho.books import Books
from zohosync.zoho.books_records import Item

MODULE = "items"
ENTITY = "variant"
CHARGE_ENTITY = "charge"
UNCLASSIFIED = frozenset({"hsn_missing", "gst_rate_missing", "tax_category_missing"})


@dataclass(frozen=True, slots=True)
class Made:
    """An item that is in Books, and how it came there."""

    zoho_id: str
    action: str


async def ensure_items(desk: BooksDesk, batch: Batch, operation: Operation, order: ShopOrder) -> dict[str, str]:
    """The items of an order's lines: variant id, or line id where the shop has no variant, to item id.

    No call for items that are linked and whose tax data have not changed; one for one whose have; two for a new one: a
    look by SKU, and the creation. Raises any ZohosyncError; what was reached is kept.
    """
    keys = list(dict.fromkeys(line.variant_id for line in order.lines if line.variant_id))
    async with desk.pool.connection() as connection:
        links = await find_links(connection, system="books", module=MODULE, entity=ENTITY, record_ids=keys)
        variants = await read_variants(connection, keys)
        policies = await desk.policies(connection)
    office = await desk.office()
    found: dict[str, str] = {}
    for line in order.lines:
        if line.variant_id is None or line.variant_id not in variants:
            found[line.variant_id or line.line_id] = await _find_by_sku(desk, batch, line)
        elif line.variant_id not in found:
            variant = variants[line.variant_id]
            draft = draft_variant(variant, policies, office)
            made = await _ensure(desk, batch, operation, ENTITY, draft, links.get(variant.record_id), thorough=False)
            await _tell_shop(desk, variant, made.zoho_id)
            found[line.variant_id] = made.zoho_id
    return found


async def ensure_charge_item(
    desk: BooksDesk, batch: Batch, operation: Operation, charge: str, category: TaxCategory
) -> str:
    """The item that stands for shipping or the fee for cash on delivery; no call once it is linked."""
    key = charge_key(charge, category)
    async with desk.pool.connection() as connection:
        links = await find_links(connection, system="books", module=MODULE, entity=CHARGE_ENTITY, record_ids=[key])
        policies = await desk.policies(connection)
    link = links.get(key)
    if link is not None and link.zoho_id is not None:
        return link.zoho_id
    draft = draft_charge(charge, category, policies, await desk.office())
    made = await _ensure(desk, batch, operation, CHARGE_ENTITY, draft, link, thorough=False)
    return made.zoho_id


async def push_items(desk: BooksDesk, batch: Batch) -> None:
    """Bring new and edited variants to Books, one after the other: Books takes one item a call."""
    async with desk.pool.connection() as connection:
        keys = [operation.record_id for operation in batch.operations]
        variants = await read_variants(connection, keys)
        links = await find_links(connection, system="books", module=MODULE, entity=ENTITY, record_ids=keys)
        digests = await read_hold_digests(connection, ENTITY, keys)
        policies = await desk.policies(connection)
    for operation in batch.operations:
        key = operation.record_id
        judged = Judged(digests.get(key, ""), policies.digest)
        try:
            report = await _push(desk, batch, operation, variants.get(key), links.get(key), policies)
        except LeaseLost:
            raise
        except ZohosyncError as error:
            await finish(batch, operation, batch.judge(error, operation), judged, error)
        else:
            await finish(batch, operation, report, judged, None)


async def _push(
    desk: BooksDesk,
    batch: Batch,
    operation: Operation,
    variant: ShopVariant | None,
    link: Link | None,
    policies: Policies,
) -> Report:
    if variant is None:
        raise RecordGone("The variant is no longer in the shop.")
    batch.note_record(operation, digest=variant.digest, label=variant.sku)
    if link is None and not variant.active:
        return Report(operation.operation_id, Outcome.SKIPPED, action="out_of_scope", digest=variant.digest)
    office = await desk.office()
    try:
        draft = draft_variant(variant, policies, office)
    except RecordInvalid as error:
        if link is not None or operation.cause is Cause.MANUAL or error.reason not in UNCLASSIFIED:
            raise
        # Goods come into the shop before somebody classifies them. The first order of them tells what is missing.
        return Report(operation.operation_id, Outcome.SKIPPED, action="unclassified", digest=variant.digest)
    made = await _ensure(desk, batch, operation, ENTITY, draft, link, thorough=True)
    await _tell_shop(desk, variant, made.zoho_id)
    same = made.action == "identical"
    return Report(
        operation.operation_id,
        Outcome.SKIPPED if same else Outcome.SUCCEEDED,
        zoho_module=MODULE,
        zoho_id=made.zoho_id,
        action=made.action,
        label=variant.sku,
        digest=variant.digest,
        request=None if same else {"module": MODULE, "record": draft.payload},
    )


def draft_variant(variant: ShopVariant, policies: Policies, office: Office) -> ItemDraft:
    """Amounts as JSON has them, to be compared with what was agreed."""
    draft = draft_item(variant, policies, office)
    return replace(draft, payload=plain(draft.payload), opening=plain(draft.opening))


async def _ensure(
    desk: BooksDesk,
    batch: Batch,
    operation: Operation,
    entity: str,
    draft: ItemDraft,
    link: Link | None,
    *,
    thorough: bool,
) -> Made:
    """``thorough``: every change goes to Books; else only one that documents rest on."""
    claim = Claim(desk, batch, operation, MODULE, entity, draft.record_id)
    if link is None or link.zoho_id is None:
        return await _make(claim, draft)
    agreed = link.payload or {}
    changed = link.fingerprint != fingerprint_of(draft.payload)
    if changed and (thorough or has_other_tax(draft.payload, agreed)):
        await _update(claim, draft, link.zoho_id, agreed)
        return Made(link.zoho_id, "update")
    return Made(link.zoho_id, "identical")


async def _update(claim: Claim, draft: ItemDraft, zoho_id: str, agreed: dict[str, object]) -> None:
    """The item follows the shop. A new name that another item has gets the SKU behind it."""
    books = claim.desk.books_for(claim.batch)
    changes = find_changes(draft.payload, agreed)
    for name in draft.names():
        try:
            await books.update_item(zoho_id, {**changes, "name": name})
            break
        except Refused as error:
            if error.reason == "zoho_record_absent":
                await _vanished(claim, draft)
            if error.reason != "books_item_taken":
                raise
    else:
        raise _taken(draft)
    async with claim.desk.pool.connection() as connection:
        await claim.keep(connection, zoho_id, draft.payload)


async def _vanished(claim: Claim, draft: ItemDraft) -> None:
    async with claim.desk.pool.connection() as connection:
        await claim.forget(connection)
    raise RecordVanished(f"Item {draft.sku} is no longer in Zoho Books.", hint="A new one is made.", module=MODULE)


async def _make(claim: Claim, draft: ItemDraft) -> Made:
    """Look for the SKU, then create it. It is claimed beforehand: two documents may need one new item at once."""
    if not await claim.take(draft.sku):
        raise NotReady(
            f"Item {draft.sku} is just being made for another document.", wait_for="parent", code="item_being_made"
        )
    claim.batch.warn(claim.operation, *map(str, draft.warnings))
    books = claim.desk.books_for(claim.batch)
    try:
        found = find_match(draft, await books.find_items_by_sku(draft.sku))
        if found is not None:
            return await _adopt(claim, books, draft, found)
        for name in draft.names():
            try:
                item = await books.create_item({**draft.payload, **draft.opening, "name": name})
            except Refused as error:
                if error.reason != "books_item_taken":
                    raise
                # The same code is said of a taken name and of a taken SKU.
                found = find_match(draft, await books.find_items_by_sku(draft.sku))
                if found is not None:
                    return await _adopt(claim, books, draft, found)
            else:
                return await _keep(claim, draft, item.id, "insert")
        raise _taken(draft)
    except (Refused, RecordInvalid):
        await claim.release()
        raise


async def _adopt(claim: Claim, books: Books, draft: ItemDraft, item: Item) -> Made:
    """Take an item that is there already: its stock and what somebody wrote there stay, gaps are filled."""
    check_tax(draft, item)
    if not item.active:
        await books.activate_item(item.id)
    gaps = find_gaps(draft, item)
    if gaps:
        await books.update_item(item.id, gaps)
    return await _keep(claim, draft, item.id, "adopt")


async def _keep(claim: Claim, draft: ItemDraft, zoho_id: str, action: str) -> Made:
    async with claim.desk.pool.connection() as connection:
        kept = await claim.keep(connection, zoho_id, draft.payload)
    if not kept:
        raise RecordInvalid(
            f"Two variants of the shop have the SKU {draft.sku}, apart from its case or spaces.",
            hint="Give one of them another SKU in the shop.",
            code="sku_shared",
            field=draft.sku,
        )
    claim.batch.note_progress(claim.operation)
    return Made(zoho_id, action)


async def _find_by_sku(desk: BooksDesk, batch: Batch, line: OrderLine) -> str:
    """A line of goods the shop no longer has, as its SKU tells: Books must have the item, nothing is made for it."""
    sku = (line.sku or "").strip()
    rows = await desk.books_for(batch).find_items_by_sku(sku) if sku else ()
    active = [row for row in rows if row.active]
    if len(active) == 1:
        return active[0].id
    raise RecordInvalid(
        f"{line.name or 'A line'} is not in the shop any more, and Zoho Books has"
        f" {'several active items' if active else 'no active item'} with its SKU {sku or '(none)'}.",
        hint="Name the right SKU for this line by an override.",
        code="item_absent",
        field=sku or line.line_id,
    )


async def _tell_shop(desk: BooksDesk, variant: ShopVariant, zoho_id: str) -> None:
    if variant.zoho_books_id != zoho_id:
        async with desk.pool.connection() as connection, connection.transaction():
            await write_back(connection, entity=ENTITY, system="books", ids={variant.record_id: zoho_id})


def _taken(draft: ItemDraft) -> RecordInvalid:
    return RecordInvalid(
        f"Zoho Books has another item called {draft.name!r}.",
        hint="Rename that item in Books, or the product in the shop.",
        code="books_item_taken",
        field=draft.sku,
    )
