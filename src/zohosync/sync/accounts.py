"""B2B companies as CRM Accounts: one for each GSTIN, else one for each customer; never merged by name alone.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid, RecordVanished, ZohoFailure, ZohosyncError
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
from zohosync.sync.decide import Way, decide_way, fingerprint_of, known_of
from zohosync.sync.desk import CrmDesk
from zohosync.zoho.crm import Crm
from zohosync.zoho.crm_requests import insert_request, update_request, upsert_request
from zohosync.zoho.entities import Record
from zohosync.zoho.fields import FieldCatalogue, Warned
from zohosync.zoho.protocol import Request
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


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one company: what Zoho's fields allow of it, how it goes there, and to which known id."""

    company: Company
    payload: dict[str, Any]
    way: Way
    zoho_id: str | None
    warnings: tuple[Warned, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """A company that is in Zoho."""

    zoho_id: str
    warnings: tuple[Warned, ...]


def plan_account(company: Company, catalogue: FieldCatalogue, link: Link | None) -> Plan:
    """Pure; RecordInvalid when Zoho's fields do not allow the company at all."""
    checked = catalogue.check({name: value for name, value in translate_company(company).items() if value is not None})
    if checked.refusals:
        raise checked.refusals[0]
    way = decide_way(known_of(link), fingerprint_of(checked.payload))
    return Plan(company, checked.payload, way, link.zoho_id if link else None, checked.warnings)


def updating(plans: Sequence[Plan]) -> Request:
    """The update of Accounts whose ids are known."""
    return update_request(MODULE, [{**plan.payload, "id": plan.zoho_id} for plan in plans])


def creating(plans: Sequence[Plan], catalogue: FieldCatalogue) -> Request:
    """The creation of Accounts. The name is never a key: two firms with one name stay two."""
    records = [plan.payload for plan in plans]
    if KEY_FIELD in catalogue:
        return upsert_request(MODULE, records, duplicate_check_fields=(KEY_FIELD,))
    return insert_request(MODULE, records)


def must_look(plan: Plan, catalogue: FieldCatalogue) -> bool:
    """Whether an earlier attempt may have made it; where Zoho has our unique field, the upsert finds it by itself."""
    return plan.way is Way.LOOK_FIRST and KEY_FIELD not in catalogue


def looking(plans: Sequence[Plan], catalogue: FieldCatalogue) -> tuple[list[str], tuple[str, ...]]:
    """The names to look for, and the fields to compare."""
    return [plan.company.name for plan in plans], ("GSTIN",) if "GSTIN" in catalogue else ()


async def ensure_accounts(
    desk: CrmDesk, batch: Batch, companies: Sequence[Company]
) -> dict[str, Account | ZohosyncError]:
    """Every company as an Account, made or brought up to date: key to Account, or to what stood in the way.

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
    warnings: dict[str, tuple[Warned, ...]] = {}
    plans: dict[Way, list[Plan]] = {way: [] for way in Way}
    for company in unique:
        try:
            plan = plan_account(company, catalogue, links.get(company.key))
        except RecordInvalid as error:
            outcome[company.key] = error
        else:
            plans[plan.way].append(plan)
            warnings[company.key] = plan.warnings
    outcome |= {plan.company.key: str(plan.zoho_id) for plan in plans[Way.SKIP]}
    crm = desk.crm_for(batch)
    for way in (Way.CREATE, Way.LOOK_FIRST):
        free = await _claim(desk, batch, organisation, plans[way])
        outcome |= {plan.company.key: _being_made(plan.company) for plan in plans[way] if plan.company.key not in free}
        plans[way] = [plan for plan in plans[way] if plan.company.key in free]
    plans[Way.LOOK_FIRST] = await _look(crm, catalogue, plans[Way.LOOK_FIRST])
    for way in (Way.UPDATE, Way.CREATE, Way.LOOK_FIRST):
        outcome |= await _send(desk, crm, catalogue, organisation, plans[way])
    return {k: Account(told, warnings[k]) if isinstance(told, str) else told for k, told in outcome.items()}


async def _claim(desk: CrmDesk, batch: Batch, organisation: str, plans: Sequence[Plan]) -> set[str]:
    """The companies that may be made now: another worker may be making one of them for another customer."""
    if not plans:
        return set()
    async with desk.pool.connection() as connection:
        return await claim_creations(
            connection,
            system="crm",
            module=MODULE,
            entity=ENTITY,
            organisation_id=organisation,
            creations=[Creation(p.company.key, p.company.name, p.company.asked_by) for p in plans],
            hold=batch.lease.duration,
        )


def _being_made(company: Company) -> NotReady:
    return NotReady(
        f"The Account {company.name!r} is just being made for another customer.",
        wait_for="parent",
        code="account_being_made",
    )


async def _look(crm: Crm, catalogue: FieldCatalogue, plans: Sequence[Plan]) -> list[Plan]:
    """The plans, with the ids of Accounts an earlier attempt has made. Without our key field, only a firm with the same
    name and the same GSTIN counts as found."""
    sought = [plan for plan in plans if must_look(plan, catalogue)]
    if not sought:
        return list(plans)
    names, fields = looking(sought, catalogue)
    rows = await crm.find_records_by(MODULE, "Account_Name", names, fields)
    return [replace(plan, zoho_id=_found(plan.company, rows)) for plan in plans]


def _found(company: Company, rows: Sequence[Record]) -> str | None:
    for row in rows:
        same_name = row.get("Account_Name") == company.name
        if same_name and company.gstin and row.get("GSTIN") == company.gstin:
            return row.id
    return None


async def _send(
    desk: CrmDesk, crm: Crm, catalogue: FieldCatalogue, organisation: str, plans: Sequence[Plan]
) -> dict[str, str | ZohosyncError]:
    outcome: dict[str, str | ZohosyncError] = {}
    known = [plan for plan in plans if plan.zoho_id]
    new = [plan for plan in plans if not plan.zoho_id]
    if known:
        outcome |= await _keep(desk, organisation, known, crm.write(updating(known)))
    if new:
        outcome |= await _keep(desk, organisation, new, crm.write(creating(new, catalogue)))
    return outcome


async def _keep(
    desk: CrmDesk, organisation: str, plans: Sequence[Plan], call: Awaitable[Sequence[RecordResult]]
) -> dict[str, str | ZohosyncError]:
    outcome: dict[str, str | ZohosyncError] = {}
    try:
        results = await call
    except ZohoFailure as error:  # of these companies only: customers without one go on
        return {plan.company.key: error for plan in plans}
    links: list[NewLink] = []
    vanished: list[Company] = []
    for plan, result in zip(plans, results, strict=True):
        company, payload = plan.company, plan.payload
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
        refused = [plan.company.key for plan in plans if isinstance(outcome[plan.company.key], ZohosyncError)]
        await release_creations(connection, system="crm", module=MODULE, entity=ENTITY, record_ids=refused)
        for company in vanished:
            await forget_account(connection, company)
    return outcome


async def forget_account(connection: Connection, company: Company) -> None:
    """The Account was deleted in Zoho: the next push makes a new one."""
    await forget_link(connection, system="crm", module=MODULE, entity=ENTITY, record_id=company.key)
