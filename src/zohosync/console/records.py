"""The page of one record of the shop: both sides of it, what was done, and what a person may say about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.responses import Response

from zohosync.console.gate import Visit
from zohosync.console.refusing import refusing
from zohosync.console.zoho_web import books_address
from zohosync.db.pool import Connection
from zohosync.errors import SettingsRefused, ShopUnreadable
from zohosync.store import audit, operations
from zohosync.store.documents import Module, StoredDocument, find_documents
from zohosync.store.findings import Finding, list_findings
from zohosync.store.insights import Operation, list_record_operations
from zohosync.store.links import Link, find_links
from zohosync.store.orders import ShopApproval, ShopOrder, ShopVariant, read_approvals, read_orders, read_variants
from zohosync.store.overrides import Override, list_overrides
from zohosync.store.shop import ShopCustomer, read_customers, read_each
from zohosync.store.tokens import StoredConnection, find_connection
from zohosync.sync.books.corrections import correct, subject_of, withdraw
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.finding_catalogue import describe_detail, entry_of
from zohosync.sync.books.links_by_hand import MODULES, WORDS, Proposal, make_link, propose, undo_link
from zohosync.sync.books.overrides import ENTITIES, Field, field_at_fault, list_fields

RELATED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "order": (("order", "invoices"), ("refund", "creditnotes")),
    "refund": (("refund", "creditnotes"), ("order", "invoices")),
    "approved_quote": (("approved_quote", "estimates"),),
    "variant": (("variant", "items"),),
    "buyer": (("buyer", "contacts"),),
}
"""Whose counterparts in Books a page shows: an invoice and its credit note are seen together."""

TITLES: Mapping[str, str] = {
    "order": "Order",
    "approved_quote": "Approved quote",
    "refund": "Refund",
    "variant": "Variant",
    "buyer": "Customer",
}
ADDRESS_SOURCES: Mapping[str, str] = {
    "order": "written on the order",
    "default_shipping": "the customer's default shipping address",
    "newest_shipping": "the customer's newest shipping address",
    "billing": "the customer's billing address",
    "none": "none is known",
}


@dataclass(frozen=True)
class Counterpart:
    """What the record is in Books: the link, the document where there is one, and its page there."""

    entity: str
    module: str
    word: str
    link: Link | None
    document: StoredDocument | None
    address: str | None


@dataclass(frozen=True)
class RecordView:
    """Everything the page shows. Of ``order``, ``variant`` and ``customer`` at most one is there."""

    entity: str
    record_id: str
    title: str
    label: str
    trouble: str
    order: ShopOrder | None
    valid_until: Any
    variant: ShopVariant | None
    customer: ShopCustomer | None
    counterparts: tuple[Counterpart, ...]
    operations: tuple[Operation, ...]
    overrides: tuple[Override, ...]
    findings: tuple[Finding, ...]
    fields: tuple[Field, ...]

    @property
    def path(self) -> str:
        return path_of(self.entity, self.record_id)

    @property
    def linked(self) -> tuple[Counterpart, ...]:
        """What can be let go from this page."""
        return tuple(one for one in self.counterparts if one.link and one.link.zoho_id and one.entity == self.entity)

    @property
    def module(self) -> str:
        return MODULES[self.entity]


def path_of(entity: str, record_id: str) -> str:
    """The address of a record's page."""
    return f"/records/{entity}/{record_id}"


async def record_page(visit: Visit) -> Response:
    """The whole page, or with ``partial=body`` only its live region."""
    async with visit.console.reach() as connection:
        view = await read_view(connection, visit)
    partial = visit.request.query_params.get("partial") == "body"
    wanted = visit.request.query_params.get("field", "")
    return visit.page(
        "partials/record.html" if partial else "record.html",
        view=view,
        wanted=next((field.name for field in view.fields if field.name.startswith(wanted)), "") if wanted else "",
        entry_of=entry_of,
        describe_detail=describe_detail,
        sources=ADDRESS_SOURCES,
        works=works_of(visit, view.entity),
        may_admin=visit.is_admin,
        may_link=view.entity in MODULES and visit.is_admin,
        press=uuid4,
        here=view.path,
    )


@refusing
async def sync_record(visit: Visit) -> Response:
    """Make the record dirty for every kind it feeds; never a second document."""
    entity, record_id = _named(visit)
    works = works_of(visit, entity)
    if not works:
        raise SettingsRefused(f"Nothing syncs a {entity}.", hint="Its stream may come with a later release.")
    made: list[int] = []
    async with visit.console.reach() as connection, connection.transaction():
        for kind, lane in works:
            made += await operations.enqueue(
                connection,
                kind=kind,
                lane=lane,
                entity=entity,
                record_ids=[record_id],
                cause="manual",
                requested_by=visit.user,
            )
        await audit.record(
            connection,
            actor=visit.user,
            action="operation.sync_now",
            entity=entity,
            record_id=record_id,
            detail={"operations": made},
            operation_id=made[0],
        )
    return visit.go(path_of(entity, record_id), f"sync.{made[0]}")


@refusing
async def override(visit: Visit) -> Response:
    """Correct one field of the record."""
    entity, record_id = _named(visit)
    async with visit.console.reach() as connection:
        await correct(
            connection,
            entity=entity,
            record_id=record_id,
            field=visit.form.get("field", ""),
            value=visit.form.get("value", ""),
            reason=visit.form.get("reason", ""),
            by=visit.user,
            now=visit.console.clock.now(),
        )
    return visit.go(path_of(entity, record_id), "overridden.")


@refusing
async def clear_override(visit: Visit) -> Response:
    """Believe the shop again about one field."""
    entity, record_id = _named(visit)
    async with visit.console.reach() as connection:
        field = visit.form.get("field", "")
        await withdraw(connection, entity=entity, record_id=record_id, field=field, by=visit.user)
    return visit.go(path_of(entity, record_id), "cleared.")


@refusing
async def link(visit: Visit) -> Response:
    """First shows both sides; with ``sure``, links them."""
    entity, record_id = _named(visit)
    desk = _books(visit)
    office, organisation_id = await desk.office(), await desk.organisation_id()
    async with visit.console.reach() as connection:
        found = await propose(
            connection,
            desk.books_to_look(),
            office,
            organisation_id,
            entity=entity,
            record_id=record_id,
            module=MODULES[entity],
            term=visit.form.get("term", "").strip() or "nothing",
        )
        if visit.form.get("sure") != found.zoho_id:
            return _ask(visit, found)
        await make_link(
            connection, found, organisation_id=organisation_id, reason=visit.form.get("reason", ""), by=visit.user
        )
    return visit.go(path_of(entity, record_id), "linked.")


def _ask(visit: Visit, found: Proposal) -> Response:
    return visit.page(
        "link.html",
        found=found,
        word=WORDS[found.module],
        back=path_of(found.entity, found.record_id),
        reason=visit.form.get("reason", ""),
    )


async def unlink_page(visit: Visit) -> Response:
    """Asks first, and says what becomes of the document."""
    entity, record_id = _named(visit)
    return visit.page(
        "unlink.html", entity=entity, word=WORDS[MODULES[entity]], back=path_of(entity, record_id), record_id=record_id
    )


@refusing
async def unlink(visit: Visit) -> Response:
    """Part the record from its document."""
    entity, record_id = _named(visit)
    async with visit.console.reach() as connection:
        await undo_link(
            connection,
            entity=entity,
            record_id=record_id,
            module=MODULES[entity],
            reason=visit.form.get("reason", ""),
            by=visit.user,
        )
    return visit.go(path_of(entity, record_id), "unlinked.")


def works_of(visit: Visit, entity: str) -> list[tuple[str, str]]:
    """Kind and lane of every stream the entity feeds."""
    return [(stream.kind, stream.lane) for stream in visit.console.streams if entity in stream.entities]


def correction_of(operation: Operation) -> str | None:
    """Where a held record is corrected, with the field at fault; None when it has no such page."""
    if operation.entity not in MODULES:
        return None
    field = field_at_fault(operation.error_code) if operation.entity in (*ENTITIES, "refund") else ""
    # A refund is an order's, and is corrected there.
    base = path_of("order" if field and operation.entity == "refund" else operation.entity, operation.record_id)
    return f"{base}?field={field}#correct" if field else base


async def read_view(connection: Connection, visit: Visit) -> RecordView:
    """Both sides of the record as they are now."""
    entity, record_id = _named(visit)
    order, approval, variant, customer, trouble = await _read_shop(connection, entity, record_id)
    login = await find_connection(connection)
    counterparts = [await _read_counterpart(connection, login, *pair, record_id) for pair in RELATED[entity]]
    found = await list_record_operations(connection, entity, record_id)
    for other in {pair[0] for pair in RELATED[entity]} - {entity}:
        found += await list_record_operations(connection, other, record_id)
    subject = await subject_of(connection, order, visit.console.clock.now()) if order else None
    findings = [f for f in await list_findings(connection, record_id=record_id) if f.entity in _entities(entity)]
    return RecordView(
        entity=entity,
        record_id=record_id,
        title=TITLES[entity],
        label=_label(record_id, order, variant, customer),
        trouble=trouble,
        order=order,
        valid_until=approval.valid_until if approval else None,
        variant=variant,
        customer=customer,
        counterparts=tuple(counterparts),
        operations=tuple(sorted(found, key=lambda one: -one.operation_id)),
        overrides=tuple(await list_overrides(connection, entity=entity, record_id=record_id)),
        findings=tuple(findings),
        fields=list_fields(subject) if subject and entity in ENTITIES else (),
    )


Sides = tuple[ShopOrder | None, ShopApproval | None, ShopVariant | None, ShopCustomer | None, str]


async def _read_shop(connection: Connection, entity: str, record_id: str) -> Sides:
    """What the shop has of it, and what is wrong when its values cannot be read."""
    approvals: Mapping[str, ShopApproval] = {}
    trouble: Mapping[str, str] = {}
    orders: Mapping[str, ShopOrder] = {}
    variants: Mapping[str, ShopVariant] = {}
    customers: Mapping[str, ShopCustomer] = {}
    try:
        match entity:
            case "approved_quote":
                approvals, trouble = await read_each(connection, read_approvals, [record_id])
            case "variant":
                variants, trouble = await read_each(connection, read_variants, [record_id])
            case "buyer":
                customers, trouble = await read_each(connection, read_customers, [record_id])
            case _:
                orders, trouble = await read_each(connection, read_orders, [record_id])
    except ShopUnreadable as error:
        trouble = {record_id: error.message}
    approval = approvals.get(record_id)
    order = approval.order if approval else orders.get(record_id)
    return order, approval, variants.get(record_id), customers.get(record_id), trouble.get(record_id, "")


async def _read_counterpart(
    connection: Connection, login: StoredConnection | None, entity: str, module: str, record_id: str
) -> Counterpart:
    links = await find_links(connection, system="books", module=module, entity=entity, record_ids=[record_id])
    found: StoredDocument | None = None
    if module in ("invoices", "estimates", "creditnotes"):
        known: Module = module  # type: ignore[assignment]
        found = (await find_documents(connection, entity=entity, module=known, record_ids=[record_id])).get(record_id)
    mine = links.get(record_id)
    zoho_id = mine.zoho_id if mine else None
    organisation = found.organisation_id if found else login.books_organisation_id if login else None
    address = (
        books_address(login.accounts_server, organisation, module, zoho_id)
        if login and organisation and zoho_id
        else None
    )
    return Counterpart(entity, module, WORDS[module], mine, found, address)


def _label(record_id: str, order: ShopOrder | None, variant: ShopVariant | None, customer: ShopCustomer | None) -> str:
    told = order.order_number if order else variant.sku if variant else customer.email if customer else None
    return told or record_id


def _entities(entity: str) -> Sequence[str]:
    return [pair[0] for pair in RELATED[entity]]


def _named(visit: Visit) -> tuple[str, str]:
    entity, record_id = visit.request.path_params["entity"], visit.request.path_params["record_id"]
    if entity not in MODULES or len(record_id) > 200:
        raise HTTPException(404, "There is no such record. Its address may be mistyped.")
    return entity, record_id


def _books(visit: Visit) -> BooksDesk:
    zoho = visit.console.zoho
    if zoho is None or zoho.books is None:
        raise SettingsRefused("This console was started without a way to Zoho.", hint="Use `zohosync link`.")
    return zoho.books
