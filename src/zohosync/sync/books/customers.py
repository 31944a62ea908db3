"""books.customer.push: who buys in the shop, as a contact of Books; and the contact a document needs.

https://www.zoho.com/books/api/v3/contacts/
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import LeaseLost, NotReady, RecordInvalid, RecordVanished, Refused, ZohosyncError
from zohosync.gst.sale import Assessment
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Operation, Outcome, Report
from zohosync.store.documents import find_estrangements
from zohosync.store.links import Link, find_link_owners, move_link
from zohosync.store.orders import ShopOrder
from zohosync.store.shop import ShopCustomer, read_customers
from zohosync.sync.books.claims import Claim, plain
from zohosync.sync.books.customer_drafts import (
    CustomerDraft,
    Party,
    agrees,
    draft_customer,
    draft_profile,
    find_changes,
    find_gaps,
    is_at_home,
    is_named,
    merge_persons,
    parties_of,
    pick,
    replace_persons,
    settle_party,
)
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.decide import fingerprint_of
from zohosync.sync.desk import write_back
from zohosync.zoho.books import Books
from zohosync.zoho.books_records import Contact

MODULE = "contacts"


async def ensure_customer(
    desk: BooksDesk, batch: Batch, operation: Operation, order: ShopOrder, assessment: Assessment
) -> str:
    """The contact of Books an order's document belongs to, made or brought up to date; its id.

    No call for a customer whose data have not changed; one for one that has; for a new one a look by GSTIN or e-mail
    and the creation. Raises any ZohosyncError; what was reached is kept.
    """
    draft = draft_customer(order, assessment, desk.policy.phone_region)
    batch.warn(operation, *map(str, draft.warnings))
    claim = _claim(desk, batch, operation, draft.party)
    async with desk.pool.connection() as connection:
        link = await claim.find(connection) or await _inherit(connection, claim, order)
        party = settle_party(draft, order, link.payload if link else None)
        if party != draft.party:
            draft, claim = replace(draft, party=party), _claim(desk, batch, operation, party)
            link = await claim.find(connection)
    draft = replace(draft, payload=plain(merge_persons(draft.payload, draft.party, link.payload if link else None)))
    if link is None or link.zoho_id is None:
        zoho_id = await _make(claim, draft, link)
    else:
        zoho_id = link.zoho_id
        if link.fingerprint != fingerprint_of(draft.payload):
            await _update(claim, zoho_id, draft, draft.payload, link.payload or {})
    await _tell_shop(desk, order.user_id, zoho_id)
    return zoho_id


async def push_customers(desk: BooksDesk, batch: Batch) -> None:
    """Bring edited profiles to the contacts Books has already; others wait for their first document."""
    async with desk.pool.connection() as connection:
        customers = await read_customers(connection, [operation.record_id for operation in batch.operations])
    for operation in batch.operations:
        customer = customers.get(operation.record_id)
        try:
            report = await _push(desk, batch, operation, customer)
        except LeaseLost:
            raise
        except ZohosyncError as error:
            report = batch.judge(error, operation)
        await batch.finish([report])


async def _push(desk: BooksDesk, batch: Batch, operation: Operation, customer: ShopCustomer | None) -> Report:
    if customer is None:
        return Report(operation.operation_id, Outcome.SKIPPED, action="gone")
    batch.note_record(operation, digest=customer.digest, label=customer.email)
    party, link = await _find_linked(desk, batch, operation, customer)
    if link is None or link.zoho_id is None:
        return Report(operation.operation_id, Outcome.SKIPPED, action="not_in_books", digest=customer.digest)
    agreed = link.payload or {}
    payload, warnings = draft_profile(customer, party, agreed, desk.policy.phone_region)
    payload = plain(payload)
    batch.warn(operation, *map(str, warnings))
    done = Report(
        operation.operation_id,
        Outcome.SUCCEEDED,
        zoho_module=MODULE,
        zoho_id=link.zoho_id,
        action="update",
        label=customer.email,
        digest=customer.digest,
        request={"module": MODULE, "record": payload},
    )
    if link.fingerprint == fingerprint_of(payload):
        return replace(done, outcome=Outcome.SKIPPED, action="identical", request=None)
    draft = CustomerDraft(party, payload, customer.email, None, customer.email or customer.record_id, singular=False)
    await _update(_claim(desk, batch, operation, party), link.zoho_id, draft, payload, agreed)
    return done


async def _find_linked(
    desk: BooksDesk, batch: Batch, operation: Operation, customer: ShopCustomer
) -> tuple[Party, Link | None]:
    """The user's firm where Books has it, else the user."""
    parties = parties_of(customer)
    async with desk.pool.connection() as connection:
        for party in parties:
            link = await _claim(desk, batch, operation, party).find(connection)
            if link is not None:
                return party, link
    return parties[-1], None


def _claim(desk: BooksDesk, batch: Batch, operation: Operation, party: Party) -> Claim:
    return Claim(desk, batch, operation, MODULE, party.entity, party.record_id)


async def _inherit(connection: Connection, claim: Claim, order: ShopOrder) -> Link | None:
    """A firm that ordered without a GSTIN before, and tells it now, stays the same contact."""
    if claim.entity != "firm" or order.user_id is None:
        return None
    before = replace(claim, entity="buyer", record_id=order.user_id)
    link = await before.find(connection)
    if link is None or link.zoho_id is None or (link.payload or {}).get("gst_treatment") != "business_none":
        return None
    moved = await move_link(
        connection,
        system="books",
        module=MODULE,
        zoho_id=link.zoho_id,
        entity=claim.entity,
        record_id=claim.record_id,
    )
    return await claim.find(connection) if moved else None


async def _update(
    claim: Claim, zoho_id: str, draft: CustomerDraft, payload: Mapping[str, Any], agreed: Mapping[str, Any]
) -> None:
    books = claim.desk.books_for(claim.batch)
    changes = find_changes(payload, agreed)
    if "contact_persons" in changes:
        contact = await books.contact(zoho_id)
        if contact is None:
            await _vanished(claim)
            return
        before = agreed.get("contact_persons") or []
        changes["contact_persons"] = replace_persons(contact, changes["contact_persons"], before)
    await _send_update(claim, books, zoho_id, draft, changes)
    async with claim.desk.pool.connection() as connection:
        await claim.keep(connection, zoho_id, payload)


async def _send_update(
    claim: Claim, books: Books, zoho_id: str, draft: CustomerDraft, changes: Mapping[str, Any]
) -> None:
    """A new name that another contact has gets a suffix, as a new customer's does."""
    for name in draft.names():
        named = {**changes, "contact_name": name} if "contact_name" in changes else changes
        try:
            await books.update_contact(zoho_id, named)
            return
        except Refused as error:
            if error.reason == "zoho_record_absent":
                await _vanished(claim)
            if error.reason != "books_name_taken" or "contact_name" not in changes:
                raise
    raise _no_name(draft)


async def _vanished(claim: Claim) -> None:
    async with claim.desk.pool.connection() as connection:
        await claim.forget(connection)
    raise RecordVanished(
        f"The contact of {claim.record_id} is no longer in Zoho Books.", hint="A new one is made.", module=MODULE
    )


async def _make(claim: Claim, draft: CustomerDraft, link: Link | None) -> str:
    """Look, then create under the first name that is free. What is created is claimed by its name beforehand."""
    doubtful = link.reference if link else None
    if not await claim.take(doubtful or draft.name):
        raise NotReady(
            f"The customer {draft.name!r} is just being made for another document.",
            wait_for="parent",
            code="customer_being_made",
        )
    books = claim.desk.books_for(claim.batch)
    found = await _look(claim, books, draft, doubtful)
    if found is not None:
        return await _adopt(claim, books, draft, found)
    for name in draft.names():
        await claim.take(name)
        try:
            contact = await books.create_contact({**draft.payload, "contact_name": name})
        except Refused as error:
            if error.reason != "books_name_taken":
                await claim.release()
                raise
            found = await _choose(claim, books, draft, await books.find_contacts_by_name(name))
            if found is not None:
                return await _adopt(claim, books, draft, found)
        else:
            return await _keep(claim, draft, contact)
    raise _no_name(draft)


async def _look(claim: Claim, books: Books, draft: CustomerDraft, doubtful: str | None) -> Contact | None:
    """What may be this customer already: what an earlier attempt may have made, else who has its GSTIN or e-mail."""
    if doubtful:
        found = await _choose(claim, books, draft, await books.find_contacts_by_name(doubtful))
        if found is not None:
            return found
    if draft.gstin:
        return await _choose(claim, books, draft, await books.find_contacts_by_gst_no(draft.gstin))
    if draft.email:
        return await _choose(claim, books, draft, await books.find_contacts_by_email(draft.email))
    return None


async def _choose(claim: Claim, books: Books, draft: CustomerDraft, rows: Sequence[Contact]) -> Contact | None:
    """Which of these rows is the customer. Each is read by itself: rows may not tell the GSTIN."""
    async with claim.desk.pool.connection() as connection:
        estranged = await find_estrangements(
            connection, entity=claim.entity, module=MODULE, record_ids=[claim.record_id]
        )
        ids = [row.id for row in rows]
        owners = await find_link_owners(connection, system="books", module=MODULE, zoho_ids=ids)
    free: list[Contact] = []
    for row in rows:
        if row.id in estranged.get(claim.record_id, set()):
            continue
        contact = await books.contact(row.id)
        if contact is not None and agrees(draft, contact) and _may_have(draft, owners.get(row.id), contact):
            free.append(contact)
    return pick(draft, free)


def _may_have(draft: CustomerDraft, owner: tuple[str, str] | None, contact: Contact) -> bool:
    """A contact without an owner, or its own. People of one e-mail address and one name are one, registered or not; but
    a guest shares a contact only as it is, because anybody can type anybody's address."""
    party = draft.party
    if owner is None or owner == (party.entity, party.record_id):
        return True
    if draft.email is None or not is_named(draft, contact.name):
        return False
    if party.entity == "guest":
        return is_at_home(draft, contact)
    return party.entity == "buyer" and owner == ("guest", draft.email.lower())


async def _adopt(claim: Claim, books: Books, draft: CustomerDraft, contact: Contact) -> str:
    """Take a contact that is there already. What it lacks is filled in; what somebody wrote there stays."""
    if not contact.active:
        await books.activate_contact(contact.id)
    gaps = find_gaps(draft.payload, contact)
    if gaps:
        await books.update_contact(contact.id, gaps)
    return await _keep(claim, draft, contact)


async def _keep(claim: Claim, draft: CustomerDraft, contact: Contact) -> str:
    """Link it. A guest whose contact is a registered customer's shares it; a guest who registers brings it along."""
    async with claim.desk.pool.connection() as connection, connection.transaction():
        if not await claim.keep(connection, contact.id, draft.payload):
            await claim.forget(connection)
            owners = await find_link_owners(connection, system="books", module=MODULE, zoho_ids=[contact.id])
            if not _may_have(draft, owners.get(contact.id), contact):
                raise NotReady(
                    f"The contact {contact.name!r} was just linked to another customer.",
                    wait_for="parent",
                    code="customer_being_made",
                )
            if claim.entity == "buyer":
                await move_link(
                    connection,
                    system="books",
                    module=MODULE,
                    zoho_id=contact.id,
                    entity=claim.entity,
                    record_id=claim.record_id,
                )
    claim.batch.note_progress(claim.operation)
    return contact.id


async def _tell_shop(desk: BooksDesk, user_id: str | None, zoho_id: str) -> None:
    """The id goes into the shop as soon as it is known; several users may have one firm's."""
    if user_id is None:
        return
    async with desk.pool.connection() as connection, connection.transaction():
        await write_back(connection, entity="buyer", system="books", ids={user_id: zoho_id})


def _no_name(draft: CustomerDraft) -> RecordInvalid:
    return RecordInvalid(
        f"Zoho Books has too many customers called {draft.name!r}.",
        hint="Rename some of them in Books, or correct the name in the shop.",
        code="customer_name_taken",
        field="name",
    )
