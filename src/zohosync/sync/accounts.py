"""B2B companies as CRM Accounts: one for each GSTIN, else one for each customer; never merged by name alone.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordVanished, ZohoFailure, ZohosyncError
from zohosync.queue.batch import Batch
from zohosync.store.links import (
    Creation,
    Link,
    NewLink,
    claim_creations,
    find_links,
    forget_link,
    release_creations,
    save_links,
)
from zohosync.sync.decide import Known, Way, decide_way, fingerprint_of
from zohosync.sync.desk import CrmDesk
from zohosync.zoho.crm import Crm
from zohosync.zoho.fields import FieldCatalogue
from zohosync.zoho.results import RecordResult

MODULE = "Accounts"
ENTITY = "company"
KEY_FIELD = "Storefront_Account_Id"


@dataclass(frozen=True, slots=True)
class Company:
    """A firm as the shop knows it. ``key`` is its identity: ``gstin:…`` or ``user:…``; ``asked_by`` the operation that
    needs it."""

    key: str
    name: str
    gstin: str | None
    asked_by: int

    @classmethod
    def of_customer(cls, record_id: str, name: str, gstin: str | None, asked_by: int) -> "Company":
        return cls(f"gstin:{gstin}" if gstin else f"user:{record_id}", name, gstin, asked_by)


def translate_company(company: Company) -> dict[str, Any]:
    """The Account's payload."""
    return {"Account_Name": company.name, "GSTIN": company.gstin, KEY_FIELD: company.key}


async def ensure_accounts(desk: CrmDesk, batch: Batch, companies: Sequence[Company]) -> dict[str, str | ZohosyncError]:
    """Every company as an Account, made or brought up to date: key to Account id, or to what stood in the way.

    Links are saved as soon as Zoho has answered, so that a retry starts from what was reached.
    """
    unique = list({company.key: company for company in companies}.values())
    if not unique:
        return {}
    organisation = await desk.organisation_id()
    catalogue = await desk.catalogue(MODULE)
    async with desk.pool.connection() as connection:
        links = await find_links(
            connection, system="crm", module=MODULE, entity=ENTITY, record_ids=[company.key for company in unique]
        )
    outcome: dict[str, str | ZohosyncError] = {}
    waiting: dict[Way, list[tuple[Company, dict[str, Any]]]] = {way: [] for way in Way}
    for company in unique:
        checked = catalogue.check({k: v for k, v in translate_company(company).items() if v is not None})
        if checked.refusals:
            outcome[company.key] = checked.refusals[0]
            continue
        way = decide_way(_known(links.get(company.key)), fingerprint_of(checked.payload))
        waiting[way].append((company, checked.payload))
    for company, _ in waiting[Way.SKIP]:
        outcome[company.key] = str(links[company.key].zoho_id)
    crm = desk.crm_for(batch)
    for way in (Way.CREATE, Way.LOOK_FIRST):
        free = await _claim(desk, batch, organisation, waiting[way])
        outcome |= {company.key: _being_made(company) for company, _ in waiting[way] if company.key not in free}
        waiting[way] = [draft for draft in waiting[way] if draft[0].key in free]
    steps = [
        (waiting[Way.UPDATE], {company.key: str(links[company.key].zoho_id) for company, _ in waiting[Way.UPDATE]}),
        (waiting[Way.CREATE], {}),
        (waiting[Way.LOOK_FIRST], await _look(crm, catalogue, waiting[Way.LOOK_FIRST])),
    ]
    for drafts, ids in steps:
        outcome |= await _send(desk, crm, catalogue, organisation, drafts, ids)
    return outcome


def _known(link: Link | None) -> Known | None:
    return Known(link.zoho_id, link.fingerprint, link.payload, link.reference) if link else None


async def _claim(
    desk: CrmDesk, batch: Batch, organisation: str, drafts: Sequence[tuple[Company, dict[str, Any]]]
) -> set[str]:
    """The companies that may be made now: another worker may be making one of them for another customer."""
    if not drafts:
        return set()
    async with desk.pool.connection() as connection:
        return await claim_creations(
            connection,
            system="crm",
            module=MODULE,
            entity=ENTITY,
            organisation_id=organisation,
            creations=[Creation(company.key, company.name, company.asked_by) for company, _ in drafts],
            hold=batch.lease.duration,
        )


def _being_made(company: Company) -> NotReady:
    return NotReady(
        f"The Account {company.name!r} is just being made for another customer.",
        wait_for="parent",
        code="account_being_made",
    )


async def _look(
    crm: Crm, catalogue: FieldCatalogue, drafts: Sequence[tuple[Company, dict[str, Any]]]
) -> dict[str, str]:
    """Accounts an earlier attempt may have made, by key. Without our key field, only a firm with the same name and
    the same GSTIN counts as found."""
    if not drafts or KEY_FIELD in catalogue:
        return {}  # the upsert finds its own by the unique key
    found: dict[str, str] = {}
    rows = await crm.find_records_by(
        MODULE, "Account_Name", [company.name for company, _ in drafts], ("GSTIN",) if "GSTIN" in catalogue else ()
    )
    for company, _ in drafts:
        for row in rows:
            same_name = row.get("Account_Name") == company.name
            if same_name and company.gstin and row.get("GSTIN") == company.gstin:
                found[company.key] = row.id
    return found


async def _send(
    desk: CrmDesk,
    crm: Crm,
    catalogue: FieldCatalogue,
    organisation: str,
    drafts: Sequence[tuple[Company, dict[str, Any]]],
    ids: dict[str, str],
) -> dict[str, str | ZohosyncError]:
    outcome: dict[str, str | ZohosyncError] = {}
    known = [draft for draft in drafts if draft[0].key in ids]
    new = [draft for draft in drafts if draft[0].key not in ids]
    if known:
        records = [{**payload, "id": ids[company.key]} for company, payload in known]
        outcome |= await _keep(desk, organisation, known, crm.update_records(MODULE, records))
    if new:
        records = [payload for _, payload in new]
        # The name is never a key: two firms with one name stay two.
        if KEY_FIELD in catalogue:
            call = crm.upsert_records(MODULE, records, duplicate_check_fields=(KEY_FIELD,))
        else:
            call = crm.insert_records(MODULE, records)
        outcome |= await _keep(desk, organisation, new, call)
    return outcome


async def _keep(
    desk: CrmDesk,
    organisation: str,
    drafts: Sequence[tuple[Company, dict[str, Any]]],
    call: Awaitable[Sequence[RecordResult]],
) -> dict[str, str | ZohosyncError]:
    outcome: dict[str, str | ZohosyncError] = {}
    try:
        results = await call
    except ZohoFailure as error:  # of these companies only: customers without one go on
        return {company.key: error for company, _ in drafts}
    links: list[NewLink] = []
    vanished: list[Company] = []
    for (company, payload), result in zip(drafts, results, strict=True):
        if result.ok:
            outcome[company.key] = result.id
            links.append(NewLink(company.key, result.id, fingerprint_of(payload), payload))
        elif result.error is not None:
            outcome[company.key] = result.error
            if result.error.reason == "zoho_record_absent":
                vanished.append(company)
                outcome[company.key] = RecordVanished(
                    f"Account {company.name!r} is no longer in Zoho.", hint="A new one is made.", module=MODULE
                )
    async with desk.pool.connection() as connection, connection.transaction():
        await save_links(
            connection, system="crm", module=MODULE, entity=ENTITY, organisation_id=organisation, links=links
        )
        refused = [company.key for company, _ in drafts if isinstance(outcome[company.key], ZohosyncError)]
        await release_creations(connection, system="crm", module=MODULE, entity=ENTITY, record_ids=refused)
        for company in vanished:
            await forget_account(connection, company)
    return outcome


async def forget_account(connection: Connection, company: Company) -> None:
    """The Account was deleted in Zoho: the next push makes a new one."""
    await forget_link(connection, system="crm", module=MODULE, entity=ENTITY, record_id=company.key)
