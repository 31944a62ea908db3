"""What would become of customers as contacts of Books: the push's drafts and requests, without sending anything."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from zohosync.db.pool import Connection
from zohosync.errors import RecordInvalid
from zohosync.gst.sale import Assessment
from zohosync.queue.foresight import Decision, Finding, Foreseen, PlannedCall, Preview, Section, Step, Verdict
from zohosync.store.links import Link, find_links
from zohosync.store.orders import ShopOrder
from zohosync.store.shop import ShopCustomer, read_customers
from zohosync.sync.books.claims import plain
from zohosync.sync.books.customer_drafts import (
    CustomerDraft,
    Party,
    draft_customer,
    draft_profile,
    find_changes,
    merge_persons,
    parties_of,
    settle_party,
)
from zohosync.sync.books.customers import MODULE
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.decide import fingerprint_of
from zohosync.sync.preview import compare, planned, verdict_of, warned
from zohosync.sync.rehearse import readable
from zohosync.zoho.books_requests import CONTACTS, create_request, get_request, list_request, update_request

CUSTOMER_TO_COME = "(id of the customer above)"


async def foresee_customers(desk: BooksDesk) -> "CustomerForesight":
    """Profiles need nothing of the organisation."""
    return CustomerForesight(desk.policy.phone_region)


@dataclass(frozen=True, slots=True)
class CustomerForesight:
    """Edited profiles of those who have a contact."""

    region: str
    shortcoming: str | None = None

    async def rehearse(
        self, connection: Connection, _: str, pages: AsyncIterator[Sequence[str]]
    ) -> AsyncIterator[Foreseen]:
        async for record_ids in pages:
            customers, unreadable = await readable(connection, read_customers, record_ids)
            for record_id in record_ids:
                if record_id in unreadable:
                    yield Foreseen(record_id, "", (unreadable[record_id],))
                elif record_id in customers:
                    preview = await self._foresee(connection, customers[record_id])
                    yield Foreseen(record_id, preview.label, tuple(_findings(preview)))

    async def preview(self, connection: Connection, _: str, record_id: str) -> Preview:
        customer = (await read_customers(connection, [record_id])).get(record_id)
        return Preview(Verdict.GONE) if customer is None else await self._foresee(connection, customer)

    async def _foresee(self, connection: Connection, customer: ShopCustomer) -> Preview:
        label = customer.email or ""
        party, link = await _find_linked(connection, parties_of(customer))
        if link is None or link.zoho_id is None:
            return Preview(Verdict.NOT_DUE, label, warnings=(NOT_IN_BOOKS,))
        try:
            payload, warnings = draft_profile(customer, party, link.payload or {}, self.region)
        except RecordInvalid as error:
            return Preview(Verdict.REFUSED, label, error)
        draft = CustomerDraft(party, plain(payload), customer.email, None, label, singular=False)
        step = contact_step(draft, link)
        return Preview(verdict_of(None, [step]), label, None, warned(warnings), (step,))


NOT_IN_BOOKS = Finding(
    Section.WARNED,
    "not_in_books",
    "Books has no contact of this customer yet.",
    "Nothing: the first document makes it.",
)


def _findings(preview: Preview) -> list[Finding]:
    found = [Finding.of_error(Section.REFUSED, preview.problem)] if preview.problem else []
    linked = [Finding(Section.LINKED, "linked", f"It is contact {step.zoho_id}.") for step in preview.steps]
    return [*found, *linked, *(one for one in preview.warnings if one is not NOT_IN_BOOKS)]


@dataclass(frozen=True, slots=True)
class Expected:
    """The contact a document needs: its id or what stands for it, and what is done to have it."""

    zoho_id: str
    step: Step
    warnings: tuple[Finding, ...]


async def foresee_needed_customer(
    connection: Connection, order: ShopOrder, assessment: Assessment, region: str
) -> Expected:
    """As a document makes it on its way; RecordInvalid when that cannot be."""
    draft = draft_customer(order, assessment, region)
    link = await _find(connection, draft.party) or await _inherited(connection, draft.party, order)
    party = settle_party(draft, order, link.payload if link else None)
    if party != draft.party:
        draft, link = replace(draft, party=party), await _find(connection, party)
    merged = merge_persons(draft.payload, draft.party, link.payload if link else None)
    draft = replace(draft, payload=plain(merged))
    known = (link.zoho_id if link else None) or CUSTOMER_TO_COME
    return Expected(known, contact_step(draft, link), warned(draft.warnings))


def contact_step(draft: CustomerDraft, link: Link | None) -> Step:
    """What is done with the contact."""
    if link is None or link.zoho_id is None:
        return _creation(draft, link)
    if link.fingerprint == fingerprint_of(draft.payload):
        return Step(MODULE, Decision.IDENTICAL, link.zoho_id, (), ())
    changes = find_changes(draft.payload, link.payload or {})
    calls = [planned("Update the customer", update_request(CONTACTS, link.zoho_id, changes))]
    if "contact_persons" in changes:
        look = get_request(CONTACTS, link.zoho_id)
        calls.insert(
            0, planned("Read its contact persons: their ids, and those Books has besides, are sent along", look)
        )
    return Step(MODULE, Decision.UPDATE, link.zoho_id, tuple(calls), compare(draft.payload, link))


def _creation(draft: CustomerDraft, link: Link | None) -> Step:
    looks = _looks(draft, link)
    purpose = f"{'If it is not found: create' if looks else 'Create'} the customer {draft.name!r}"
    create = planned(purpose, create_request(CONTACTS, draft.payload))
    decision = Decision.LOOK_FIRST if looks else Decision.CREATE
    return Step(MODULE, decision, None, (*looks, create), compare(draft.payload, None))


def _looks(draft: CustomerDraft, link: Link | None) -> tuple[PlannedCall, ...]:
    """After doubt by name; then by GSTIN, else by e-mail."""
    filters: list[tuple[str, dict[str, str]]] = []
    if link is not None and link.reference:
        filters.append(("Look for what an earlier attempt may have made", {"contact_name": link.reference}))
    if draft.gstin:
        filters.append(("Look for the GSTIN; a customer that is found is taken", {"search_text": draft.gstin}))
    elif draft.email:
        filters.append(("Look for the e-mail address; a customer that is found is taken", {"email": draft.email}))
    return tuple(
        planned(
            purpose, list_request(CONTACTS, **{name: value[:100] for name, value in by.items()}, filter_by="Status.All")
        )
        for purpose, by in filters
    )


async def _find(connection: Connection, party: Party) -> Link | None:
    found = await find_links(
        connection, system="books", module=MODULE, entity=party.entity, record_ids=[party.record_id]
    )
    return found.get(party.record_id)


async def _find_linked(connection: Connection, parties: Sequence[Party]) -> tuple[Party, Link | None]:
    for party in parties:
        link = await _find(connection, party)
        if link is not None:
            return party, link
    return parties[-1], None


async def _inherited(connection: Connection, party: Party, order: ShopOrder) -> Link | None:
    """The contact a firm had before it told its GSTIN: the push hands it over."""
    if party.entity != "firm" or order.user_id is None:
        return None
    link = await _find(connection, Party("buyer", order.user_id))
    if link is None or link.zoho_id is None or (link.payload or {}).get("gst_treatment") != "business_none":
        return None
    return link
