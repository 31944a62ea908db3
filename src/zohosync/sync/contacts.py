"""crm.contact.push: customers of the shop as CRM Contacts.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

from zohosync.db.pool import Connection
from zohosync.errors import RecordInvalid, RecordVanished, ZohoFailure, ZohosyncError
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Outcome, Report
from zohosync.store.links import (
    Creation,
    Link,
    NewLink,
    claim_creations,
    distrust_link,
    find_links,
    find_owners,
    forget_link,
    save_links,
)
from zohosync.store.operations import enqueue
from zohosync.store.shop import ShopCustomer, read_customers
from zohosync.sync.accounts import MODULE as ACCOUNTS
from zohosync.sync.accounts import ensure_accounts, forget_account
from zohosync.sync.contact_drafts import (
    ENTITY,
    MODULE,
    Draft,
    creating,
    decide_contact,
    decide_look,
    draft_contact,
    fit_contact,
    is_loud,
    updating,
    with_account,
)
from zohosync.sync.decide import Way, fingerprint_of
from zohosync.sync.desk import CrmDesk, Sent, succeeded, write_back
from zohosync.sync.email_owners import email_taken, read_email_owners, same_email
from zohosync.zoho.crm import Crm
from zohosync.zoho.results import RecordResult


async def push_contacts(desk: CrmDesk, batch: Batch) -> None:
    """Bring a batch of customers to CRM: known ids by update, others by upsert, in as few calls as Zoho allows."""
    async with desk.pool.connection() as connection:
        keys = [operation.record_id for operation in batch.operations]
        customers = await read_customers(connection, keys)
        links = await find_links(connection, system="crm", module=MODULE, entity=ENTITY, record_ids=keys)
    drafts = await _draft(desk, batch, customers)
    drafts = await _attach_accounts(desk, batch, drafts)
    drafts = await _check_fields(desk, batch, drafts, links)
    ways: dict[Way, list[Draft]] = {way: [] for way in Way}
    for draft in drafts:
        ways[decide_contact(draft, links.get(draft.customer.record_id))].append(draft)
    await _skip(batch, ways[Way.SKIP], links)
    update = [replace(d, zoho_id=links[d.customer.record_id].zoho_id) for d in ways[Way.UPDATE]]
    adopted, create = await _adopt(desk, batch, ways[Way.CREATE], ways[Way.LOOK_FIRST], links)
    crm = desk.crm_for(batch)
    await _update(desk, batch, crm, update + adopted)
    await _create(desk, batch, crm, create)


async def _draft(desk: CrmDesk, batch: Batch, customers: dict[str, ShopCustomer]) -> list[Draft]:
    drafts: list[Draft] = []
    ended: list[Report] = []
    for operation in batch.operations:
        customer = customers.get(operation.record_id)
        if customer is None:
            ended.append(Report(operation.operation_id, Outcome.SKIPPED, action="gone"))
            continue
        batch.note_record(operation, digest=customer.digest, label=customer.email)
        if not customer.in_scope:
            ended.append(Report(operation.operation_id, Outcome.SKIPPED, action="out_of_scope"))
            continue
        try:
            drafts.append(draft_contact(operation, customer, desk.policy.phone_region))
        except RecordInvalid as error:
            ended.append(batch.judge(error, operation))
    await batch.finish(ended)
    return drafts


async def _attach_accounts(desk: CrmDesk, batch: Batch, drafts: list[Draft]) -> list[Draft]:
    """Link B2B customers to their Account; those whose Account Zoho refused end here, the others go on."""
    accounts = await ensure_accounts(desk, batch, [draft.company for draft in drafts if draft.company])
    kept: list[Draft] = []
    ended: list[Report] = []
    for draft in drafts:
        account = accounts.get(draft.company.key) if draft.company else None
        if isinstance(account, ZohosyncError):
            ended.append(batch.judge(account, draft.operation))
        else:
            kept.append(with_account(draft, account.zoho_id, account.warnings) if account else with_account(draft))
    await batch.finish(ended)
    return kept


async def _check_fields(desk: CrmDesk, batch: Batch, drafts: list[Draft], links: dict[str, Link]) -> list[Draft]:
    """Leave out what Zoho's fields do not allow, with a warning; a record that cannot be sent at all ends here."""
    if not drafts:
        return drafts
    catalogue = await desk.catalogue(MODULE)
    kept: list[Draft] = []
    ended: list[Report] = []
    for draft in drafts:
        try:
            kept.append(fit_contact(draft, catalogue, links.get(draft.customer.record_id)))
        except RecordInvalid as error:
            ended.append(batch.judge(error, draft.operation))
    await batch.finish(ended)
    return kept


def _identical(draft: Draft, link: Link) -> Report:
    return Report(
        draft.operation.operation_id,
        Outcome.SKIPPED,
        warnings=tuple(map(str, draft.warnings)),
        zoho_module=MODULE,
        zoho_id=link.zoho_id,
        action="identical",
        label=draft.customer.email,
        digest=draft.customer.digest,
    )


async def _skip(batch: Batch, drafts: list[Draft], links: dict[str, Link]) -> None:
    """Zoho needs nothing; an id that is missing in the shop is written again."""

    async def write(connection: Connection, held: set[int]) -> None:
        ids = {
            draft.customer.record_id: str(links[draft.customer.record_id].zoho_id)
            for draft in drafts
            if draft.operation.operation_id in held
            and draft.customer.zoho_crm_id != links[draft.customer.record_id].zoho_id
        }
        await write_back(connection, entity=ENTITY, system="crm", ids=ids)

    await batch.finish([_identical(draft, links[draft.customer.record_id]) for draft in drafts], write)


async def _adopt(
    desk: CrmDesk, batch: Batch, create: list[Draft], doubtful: list[Draft], links: dict[str, Link]
) -> tuple[list[Draft], list[Draft]]:
    """Look before creating where somebody may have created already. Returns (found in Zoho, to be created)."""
    everybody = create + doubtful
    if not everybody:
        return [], []
    catalogue = await desk.catalogue(MODULE)
    sought: dict[str, list[tuple[Draft, str]]] = {"id": [], "Email": []}
    for way, drafts in ((Way.CREATE, create), (Way.LOOK_FIRST, doubtful)):
        for draft in drafts:
            look = decide_look(draft, way, links.get(draft.customer.record_id), catalogue)
            if look is not None:
                sought[look.field].append((draft, look.value))
    found = await _unowned(desk, await _look(desk.crm_for(batch), sought))
    adopted = [replace(d, zoho_id=found[d.customer.record_id]) for d in everybody if d.customer.record_id in found]
    return adopted, [draft for draft in everybody if draft.customer.record_id not in found]


async def _look(crm: Crm, sought: dict[str, list[tuple[Draft, str]]]) -> dict[str, str]:
    """What stands in Zoho: record id to Contact id. An id counts only when the Contact has the customer's e-mail."""
    found: dict[str, str] = {}
    for row in await crm.find_records_by(MODULE, "id", [value for _, value in sought["id"]], ("Email",)):
        for draft, value in sought["id"]:
            if row.id == value and same_email(row.get("Email"), draft.email):
                found[draft.customer.record_id] = row.id
    for row in await crm.find_records_by(MODULE, "Email", [value for _, value in sought["Email"]]):
        for draft, value in sought["Email"]:
            if same_email(row.get("Email"), value):
                found.setdefault(draft.customer.record_id, row.id)
    return found


async def _unowned(desk: CrmDesk, found: dict[str, str]) -> dict[str, str]:
    """What may be adopted: Contacts no other customer is linked to, and each by one customer only."""
    if not found:
        return {}
    async with desk.pool.connection() as connection:
        owners = await find_owners(connection, system="crm", module=MODULE, zoho_ids=list(found.values()))
    free: dict[str, str] = {}
    for record_id, zoho_id in found.items():
        if owners.setdefault(zoho_id, record_id) == record_id:
            free[record_id] = zoho_id
    return free


async def _update(desk: CrmDesk, batch: Batch, crm: Crm, drafts: Sequence[Draft]) -> None:
    if drafts:
        await _end(desk, batch, drafts, crm.write(updating(drafts)))


async def _create(desk: CrmDesk, batch: Batch, crm: Crm, drafts: Sequence[Draft]) -> None:
    """Claim before sending. A person's e-mail belongs to one customer: a second one is told so."""
    drafts, shared = await _sort_out_shared_emails(desk, drafts)
    await batch.finish([batch.judge(e, d.operation) for d, e in shared])
    if not drafts:
        return
    organisation = await desk.organisation_id()
    async with desk.pool.connection() as connection:
        await claim_creations(
            connection,
            system="crm",
            module=MODULE,
            entity=ENTITY,
            organisation_id=organisation,
            creations=[Creation(d.customer.record_id, d.email, d.operation.operation_id) for d in drafts],
            hold=batch.lease.duration,
        )
    for loud in (True, False):
        group = [draft for draft in drafts if is_loud(draft, automations=desk.policy.contact_automations) is loud]
        if group:
            await _end(desk, batch, group, crm.write(creating(group, loud=loud)))


async def _sort_out_shared_emails(
    desk: CrmDesk, drafts: Sequence[Draft]
) -> tuple[list[Draft], list[tuple[Draft, ZohosyncError]]]:
    """Who may become the Contact of an e-mail, and who may not."""
    if not drafts:
        return [], []
    async with desk.pool.connection() as connection:
        owners = await read_email_owners(connection, drafts)
        for record_id in owners.gone:
            await forget_link(connection, system="crm", module=MODULE, entity=ENTITY, record_id=record_id)
    judged = [(draft, owners.claim(draft)) for draft in drafts]
    return [d for d, error in judged if error is None], [(d, error) for d, error in judged if error is not None]


async def _owners(desk: CrmDesk, results: Sequence[RecordResult]) -> dict[str, str]:
    """Whose the Contacts are by now that Zoho wrote to: Zoho id to record id."""
    written = [result.id for result in results if result.ok]
    if not written:
        return {}
    async with desk.pool.connection() as connection:
        return await find_owners(connection, system="crm", module=MODULE, zoho_ids=written)


async def _end(desk: CrmDesk, batch: Batch, drafts: Sequence[Draft], call: Awaitable[Sequence[RecordResult]]) -> None:
    """End the operations of one call, each by its own result, with link and id written in the same transaction."""
    try:
        results = await call
    except ZohoFailure as error:  # of this call only: the others of the batch go on
        await batch.finish([batch.judge(error, draft.operation) for draft in drafts])
        return
    organisation = await desk.organisation_id()
    owners = await _owners(desk, results)
    errors = [_error_of(draft, result, owners) for draft, result in zip(drafts, results, strict=True)]
    ended = list(zip(drafts, results, errors, strict=True))

    async def save(connection: Connection, held: set[int]) -> None:
        mine = [(d, r) for d, r, error in ended if error is None and d.operation.operation_id in held]
        links = [NewLink(d.customer.record_id, r.id, fingerprint_of(d.payload), d.payload) for d, r in mine]
        await save_links(
            connection, system="crm", module=MODULE, entity=ENTITY, organisation_id=organisation, links=links
        )
        for draft, result, error in ended:
            if isinstance(error, RecordVanished) or (error is not None and result.ok):
                await _repair(connection, draft, owners.get(result.id), error)
        ids = {d.customer.record_id: r.id for d, r in mine if d.customer.zoho_crm_id != r.id}
        await write_back(connection, entity=ENTITY, system="crm", ids=ids)

    await batch.finish([_report(batch, draft, result, error) for draft, result, error in ended], save)


async def _repair(connection: Connection, draft: Draft, owner: str | None, error: ZohosyncError) -> None:
    """Put right what a write has shown to be wrong: a link to what is gone in Zoho, or a Contact of another customer
    that Zoho took for ours, which then gets its owner's values back."""
    if isinstance(error, RecordVanished) and error.module == ACCOUNTS:
        if draft.company:
            await forget_account(connection, draft.company)
        return
    record_id = draft.customer.record_id
    await forget_link(connection, system="crm", module=MODULE, entity=ENTITY, record_id=record_id)
    if owner is not None and not isinstance(error, RecordVanished):
        await distrust_link(connection, system="crm", module=MODULE, entity=ENTITY, record_id=owner)
        await enqueue(
            connection,
            kind=draft.operation.kind,
            lane=draft.operation.lane,
            entity=ENTITY,
            record_ids=[owner],
            cause="dependency",
        )


def _error_of(draft: Draft, result: RecordResult, owners: dict[str, str]) -> ZohosyncError | None:
    owner = owners.get(result.id, draft.customer.record_id)
    if owner != draft.customer.record_id:
        return email_taken(draft, owner)
    if draft.zoho_id and result.error is not None and result.error.reason == "zoho_record_absent":
        return RecordVanished(
            f"Contact {draft.zoho_id} is no longer in Zoho.", hint="A new one is made.", module=MODULE
        )
    if result.error is not None and result.error.reason == "zoho_unknown_reference" and draft.company is not None:
        return RecordVanished(
            f"Account {draft.company.name!r} is no longer in Zoho.", hint="A new one is made.", module=ACCOUNTS
        )
    return result.error


def _report(batch: Batch, draft: Draft, result: RecordResult, error: ZohosyncError | None) -> Report:
    if error is None:
        sent = Sent(draft.operation, result.id, result.action or "update", draft.payload)
        return succeeded(
            sent,
            module=MODULE,
            digest=draft.customer.digest,
            warnings=tuple(map(str, draft.warnings)),
            label=draft.customer.email,
        )
    return replace(
        batch.judge(error, draft.operation),
        request={"module": MODULE, "record": draft.payload},
        warnings=tuple(map(str, draft.warnings)),
    )
