"""What would become of variants as items of Books: the push's drafts and requests, without sending anything."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from zohosync.db.pool import Connection
from zohosync.errors import RecordInvalid
from zohosync.gst.sale import TaxCategory
from zohosync.queue.foresight import Decision, Finding, Foreseen, Preview, Section, Step, Verdict
from zohosync.store.links import Link, find_links
from zohosync.store.orders import OrderLine, ShopOrder, ShopVariant, read_variants
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.invoice_draft import Goods
from zohosync.sync.books.item_drafts import ItemDraft, charge_key, draft_charge, find_changes, has_other_tax
from zohosync.sync.books.items import CHARGE_ENTITY, ENTITY, MODULE, UNCLASSIFIED, draft_variant
from zohosync.sync.books.office_foresight import Outlook, Prospect, look_at_office
from zohosync.sync.books.policies import Policies
from zohosync.sync.decide import fingerprint_of
from zohosync.sync.preview import compare, planned, verdict_of, warned
from zohosync.sync.rehearse import readable
from zohosync.zoho.books_requests import ITEMS, create_request, list_request, update_request
from zohosync.zoho.protocol import Request


def item_to_come(sku: str) -> str:
    """What stands for the id of an item that is not made yet."""
    return f"(id of the item {sku} above)"


async def foresee_items(desk: BooksDesk) -> "ItemForesight":
    return ItemForesight(await look_at_office(desk))


@dataclass(frozen=True, slots=True)
class ItemForesight:
    """Variants as items."""

    outlook: Outlook

    @property
    def shortcoming(self) -> str | None:
        return self.outlook.shortcoming

    async def rehearse(
        self, connection: Connection, _: str, pages: AsyncIterator[Sequence[str]]
    ) -> AsyncIterator[Foreseen]:
        policies = await self.outlook.desk.policies(connection)
        taken: dict[str, str] = {}
        async for record_ids in pages:
            variants, unreadable = await readable(connection, read_variants, record_ids)
            links = await _links(connection, ENTITY, record_ids)
            for record_id in record_ids:
                variant = variants.get(record_id)
                if record_id in unreadable:
                    yield Foreseen(record_id, "", (unreadable[record_id],))
                elif variant is not None and (variant.active or record_id in links):
                    found = self._judge(variant, links.get(record_id), policies, taken)
                    yield Foreseen(record_id, variant.sku or variant.product_name or "", tuple(found))

    def _judge(
        self, variant: ShopVariant, link: Link | None, policies: Policies, taken: dict[str, str]
    ) -> Iterator[Finding]:
        if link is not None and link.zoho_id:
            yield Finding(Section.LINKED, "linked", f"It is item {link.zoho_id}.")
        try:
            draft = draft_variant(variant, policies, self.outlook.office)
        except RecordInvalid as error:
            later = link is None and error.reason in UNCLASSIFIED
            yield replace(Finding.of_error(Section.WAITING if later else Section.REFUSED, error), field="")
            return
        yield from warned(draft.warnings)
        first = taken.setdefault(draft.sku.casefold(), variant.record_id)
        if first != variant.record_id:
            yield Finding(Section.REFUSED, "sku_shared", f"Variant {first} has the SKU {draft.sku}, too.")

    async def preview(self, connection: Connection, _: str, record_id: str) -> Preview:
        variant = (await read_variants(connection, [record_id])).get(record_id)
        if variant is None:
            return Preview(Verdict.GONE)
        link = (await _links(connection, ENTITY, [record_id])).get(record_id)
        label = variant.sku or ""
        if link is None and not variant.active:
            return Preview(Verdict.OUT_OF_SCOPE, label)
        try:
            draft = draft_variant(variant, await self.outlook.desk.policies(connection), self.outlook.office)
        except RecordInvalid as error:
            return Preview(Verdict.REFUSED, label, error)
        step = item_step(draft, link, thorough=True)
        return Preview(verdict_of(None, [step]), label, None, warned(draft.warnings), (step,))


async def foresee_needed(
    connection: Connection, prospect: Prospect, charges: Sequence[tuple[str, TaxCategory]], steps: list[Step]
) -> Goods:
    """The items a document needs, by their ids or what stands for them: those of its lines, then those of its charges.

    ``steps`` grows by what is done to have them; RecordInvalid where one cannot be made."""
    by_line = await _foresee_lines(connection, prospect, steps)
    keys = [charge_key(*charge) for charge in charges]
    links = await _links(connection, CHARGE_ENTITY, keys)
    by_charge: dict[tuple[str, TaxCategory], str] = {}
    for charge, key in zip(charges, keys, strict=True):
        link = links.get(key)
        if link is not None and link.zoho_id is not None:
            by_charge[charge] = link.zoho_id
            continue
        draft = draft_charge(*charge, prospect.policies, prospect.office)
        if item_to_come(draft.sku) not in by_charge.values():
            steps.append(item_step(draft, link, thorough=False))
        by_charge[charge] = item_to_come(draft.sku)
    return Goods(by_line, by_charge)


async def _foresee_lines(connection: Connection, prospect: Prospect, steps: list[Step]) -> dict[str, str]:
    variants = await read_variants(connection, variant_ids([prospect.order]))
    links = await _links(connection, ENTITY, list(variants))
    by_line: dict[str, str] = {}
    by_variant: dict[str, str] = {}
    for line in prospect.order.lines:
        variant = variants.get(line.variant_id or "")
        if variant is None:
            by_line[line.line_id] = f"(id of the item {line.sku} in Books)"
            steps.append(_looking(line))
            continue
        if variant.record_id not in by_variant:
            draft = draft_variant(variant, prospect.policies, prospect.office)
            link = links.get(variant.record_id)
            steps.append(item_step(draft, link, thorough=False))
            by_variant[variant.record_id] = (link.zoho_id if link else None) or item_to_come(draft.sku)
        by_line[line.line_id] = by_variant[variant.record_id]
    return by_line


def judge_goods(order: ShopOrder, variants: Mapping[str, ShopVariant], prospect: Prospect) -> Iterator[Finding]:
    """What would keep the items of an order's lines from being made."""
    for line in order.lines:
        variant = variants.get(line.variant_id or "")
        if variant is None:
            name = line.name or line.sku or "A line"
            yield Finding(
                Section.WARNED, "item_absent", f"{name} is not in the shop any more; Books must have its SKU."
            )
            continue
        try:
            draft_variant(variant, prospect.policies, prospect.office)
        except RecordInvalid as error:
            yield Finding.of_error(Section.REFUSED, error)


def variant_ids(orders: Sequence[ShopOrder]) -> list[str]:
    """The variants of the orders' lines, each once."""
    return list(dict.fromkeys(line.variant_id for order in orders for line in order.lines if line.variant_id))


def item_step(draft: ItemDraft, link: Link | None, *, thorough: bool) -> Step:
    """``thorough``: every change goes to Books; else only one that documents rest on."""
    if link is None or link.zoho_id is None:
        create = create_request(ITEMS, {**draft.payload, **draft.opening, "name": draft.name})
        calls = (
            planned(f"Look for the SKU {draft.sku}; an item that is found is taken", _by_sku(draft.sku)),
            planned(f"If it is not found: create the item {draft.name!r}", create),
        )
        return Step(MODULE, Decision.LOOK_FIRST, None, calls, compare(draft.payload, None))
    agreed = link.payload or {}
    changed = link.fingerprint != fingerprint_of(draft.payload)
    if not changed or not (thorough or has_other_tax(draft.payload, agreed)):
        return Step(MODULE, Decision.IDENTICAL, link.zoho_id, (), ())
    request = update_request(ITEMS, link.zoho_id, {**find_changes(draft.payload, agreed), "name": draft.name})
    call = planned(f"Update the item {draft.sku}", request)
    return Step(MODULE, Decision.UPDATE, link.zoho_id, (call,), compare(draft.payload, link))


def _looking(line: OrderLine) -> Step:
    call = planned("Look for the goods, which the shop no longer has, by their SKU", _by_sku(line.sku or ""))
    return Step(MODULE, Decision.LOOK_FIRST, None, (call,), ())


def _by_sku(sku: str) -> Request:
    return list_request(ITEMS, filter_by="Status.All", sku=sku.strip())


async def _links(connection: Connection, entity: str, keys: Sequence[str]) -> dict[str, Link]:
    if not keys:
        return {}
    return await find_links(connection, system="books", module=MODULE, entity=entity, record_ids=list(keys))
