"""crm.contact.push: customers of the shop as CRM Contacts.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid, RecordVanished, ZohoFailure, ZohosyncError
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Cause, Operation, Outcome, Report
from zohosync.store.links import (
    Creation,
    Link,
    NewLink,
    claim_creations,
    distrust_link,
    find_email_owners,
    find_links,
    find_owners,
    forget_link,
    save_links,
)
from zohosync.store.operations import enqueue
from zohosync.store.shop import ShopCustomer, read_customers
from zohosync.sync.accounts import MODULE as ACCOUNTS
from zohosync.sync.accounts import Company, ensure_accounts, forget_account
from zohosync.sync.decide import Known, Way, decide_way, fingerprint_of, merge_clearings
from zohosync.sync.desk import CrmDesk, Sent, succeeded, write_back
from zohosync.sync.person import clean_email, clean_gstin, clean_phone, clean_text, join_name
from zohosync.zoho.crm import Automation, Crm
from zohosync.zoho.results import RecordResult

MODULE = "Contacts"
ENTITY = "customer"
KEY_FIELD = "Storefront_User_Id"
NEW_RECORD_AUTOMATIONS: tuple[Automation, ...] = ("workflow", "approval", "blueprint", "pathfinder", "orchestration")


@dataclass(frozen=True, slots=True)
class Draft:
    """One customer on the way to Zoho."""

    operation: Operation
    customer: ShopCustomer
    payload: dict[str, Any]
    company: Company | None
    warnings: list[str] = field(default_factory=list)
    zoho_id: str | None = None

    @property
    def email(self) -> str:
        return str(self.payload["Email"])


def translate_contact(customer: ShopCustomer, region: str) -> tuple[dict[str, Any], list[str]]:
    """The Contact's payload and what had to be left out; RecordInvalid when it cannot be one at all."""
    name = join_name(customer.first_name, customer.last_name)
    phone, bad_phone = clean_phone(customer.phone, region)
    gstin, bad_gstin = clean_gstin(customer.gstin)
    payload = {
        "First_Name": clean_text(name.first),
        "Last_Name": clean_text(name.last) or "-",
        "Email": clean_email(customer.email),
        "Phone": phone,
        "GSTIN": gstin,
        KEY_FIELD: customer.record_id,
    }
    return payload, [warning for warning in (bad_phone, bad_gstin) if warning]


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
        ways[decide_way(_known(links.get(draft.customer.record_id)), fingerprint_of(draft.payload))].append(draft)
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
            payload, warnings = translate_contact(customer, desk.policy.phone_region)
        except RecordInvalid as error:
            ended.append(batch.judge(error, operation))
            continue
        drafts.append(Draft(operation, customer, payload, _company_of(operation, customer, payload), warnings))
    await batch.finish(ended)
    return drafts


def _company_of(operation: Operation, customer: ShopCustomer, payload: dict[str, Any]) -> Company | None:
    name = clean_text(customer.company)
    if customer.role != "b2b_client" or name is None:
        return None
    return Company.of_customer(customer.record_id, name, payload["GSTIN"], operation.operation_id)


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
            draft.payload["Account_Name"] = {"id": account} if account else None
            kept.append(draft)
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
        link = links.get(draft.customer.record_id)
        checked = catalogue.check(merge_clearings(draft.payload, link.payload if link else None))
        if checked.refusals:
            ended.append(batch.judge(checked.refusals[0], draft.operation))
            continue
        warnings = draft.warnings + [f"{warning.message} {warning.hint}".strip() for warning in checked.warnings]
        kept.append(replace(draft, payload=checked.payload, warnings=warnings))
    await batch.finish(ended)
    return kept


def _known(link: Link | None) -> Known | None:
    return Known(link.zoho_id, link.fingerprint, link.payload, link.reference) if link else None


def _identical(draft: Draft, link: Link) -> Report:
    return Report(
        draft.operation.operation_id,
        Outcome.SKIPPED,
        warnings=tuple(draft.warnings),
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
    """Look before creating where somebody may have created already: an earlier attempt of ours, or the integration
    whose id stands in the shop. Returns (found in Zoho, to be created)."""
    catalogue = await desk.catalogue(MODULE) if create or doubtful else None
    claimed = {draft.customer.record_id: draft for draft in create if draft.customer.zoho_crm_id}
    crm = desk.crm_for(batch)
    found: dict[str, str] = {}
    if claimed:
        ids = [str(draft.customer.zoho_crm_id) for draft in claimed.values()]
        for row in await crm.find_records_by(MODULE, "id", [one for one in ids if one.isdecimal()], ("Email",)):
            for record_id, draft in claimed.items():
                if row.id == draft.customer.zoho_crm_id and _same(row.get("Email"), draft.email):
                    found[record_id] = row.id
    if doubtful and catalogue is not None and KEY_FIELD not in catalogue:
        sent = {draft.customer.record_id: links[draft.customer.record_id].reference or "" for draft in doubtful}
        for row in await crm.find_records_by(MODULE, "Email", sent.values(), ("Email",)):
            for record_id, reference in sent.items():
                if _same(row.get("Email"), reference):
                    found.setdefault(record_id, row.id)
    found = await _unowned(desk, found)
    everybody = create + doubtful
    adopted = [replace(d, zoho_id=found[d.customer.record_id]) for d in everybody if d.customer.record_id in found]
    return adopted, [draft for draft in everybody if draft.customer.record_id not in found]


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


def _same(theirs: object, ours: str) -> bool:
    return isinstance(theirs, str) and theirs.lower() == ours.lower()


async def _update(desk: CrmDesk, batch: Batch, crm: Crm, drafts: Sequence[Draft]) -> None:
    """Automations of Zoho stay silent: they are for records that are new there."""
    if drafts:
        records = [{**draft.payload, "id": draft.zoho_id} for draft in drafts]
        await _end(desk, batch, drafts, crm.update_records(MODULE, records))


async def _create(desk: CrmDesk, batch: Batch, crm: Crm, drafts: Sequence[Draft]) -> None:
    """Upsert by e-mail and our own key. A person's e-mail belongs to one customer: a second one is told so."""
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
    loud = [draft for draft in drafts if _is_loud(desk, draft)]
    quiet = [draft for draft in drafts if not _is_loud(desk, draft)]
    for group, trigger in ((loud, NEW_RECORD_AUTOMATIONS), (quiet, ())):
        if group:
            records = [draft.payload for draft in group]
            call = crm.upsert_records(MODULE, records, duplicate_check_fields=("Email",), trigger=trigger)
            await _end(desk, batch, group, call)


def _is_loud(desk: CrmDesk, draft: Draft) -> bool:
    return desk.policy.contact_automations and draft.operation.cause in (Cause.CHANGE, Cause.MANUAL)


async def _sort_out_shared_emails(
    desk: CrmDesk, drafts: Sequence[Draft]
) -> tuple[list[Draft], list[tuple[Draft, ZohosyncError]]]:
    """Who may become the Contact of an e-mail. An owner who is gone from the shop gives it up; one who has another
    e-mail by now is waited for until Zoho knows that."""
    if not drafts:
        return [], []
    async with desk.pool.connection() as connection:
        owners = await find_email_owners(connection, [draft.email for draft in drafts])
        present = await read_customers(connection, list(owners.values()))
        for email, owner in list(owners.items()):
            if owner not in present or not present[owner].in_scope:
                await forget_link(connection, system="crm", module=MODULE, entity=ENTITY, record_id=owner)
                del owners[email]
    mine: list[Draft] = []
    others: list[tuple[Draft, ZohosyncError]] = []
    for draft in drafts:
        owner = owners.setdefault(draft.email.lower(), draft.customer.record_id)
        if owner == draft.customer.record_id:
            mine.append(draft)
        elif owner in present and not _same(present[owner].email, draft.email):
            others.append((draft, _email_given_up(draft, owner)))
        else:
            others.append((draft, _email_taken(draft, owner)))
    return mine, others


def _email_given_up(draft: Draft, owner: str) -> NotReady:
    return NotReady(
        f"The Contact with the e-mail {draft.email} is customer {owner}, whose new e-mail Zoho does not have yet.",
        wait_for="parent",
        code="email_still_given",
    )


def _email_taken(draft: Draft, owner: str) -> RecordInvalid:
    return RecordInvalid(
        f"Customer {owner} of the shop already is the Contact with the e-mail {draft.email}.",
        hint="Merge the two customers in the shop, or give one another e-mail; they are never merged by themselves.",
        code="email_shared",
        field="Email",
    )


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
        return _email_taken(draft, owner)
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
            warnings=draft.warnings,
            label=draft.customer.email,
        )
    return replace(
        batch.judge(error, draft.operation),
        request={"module": MODULE, "record": draft.payload},
        warnings=tuple(draft.warnings),
    )
