"""After a restore Zoho is newer than our memory: what to doubt, what to adopt, what to send again, what to report.

Nothing is ever deleted. Why it is done so: docs/decisions/0015-recover-after-a-restore.md.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from zohosync.db.pool import Connection
from zohosync.errors import NotConnected, Refused
from zohosync.queue.operation import Stream
from zohosync.store.links import find_links
from zohosync.store.operations import enqueue
from zohosync.store.recovery import (
    Adoption,
    Doubt,
    LinkKey,
    adopt,
    count_creating,
    distrust,
    doubt_creating,
    doubt_documents,
    drop_replaced_documents,
    find_linked,
    find_members,
    find_present,
    find_zoho_ids,
    list_customers,
    list_unsure,
    put_in_doubt,
)
from zohosync.store.shop import ShopCustomer, find_newest_inquiries, read_customers, read_inquiries, read_quotes
from zohosync.sync import accounts, contact_drafts
from zohosync.sync.accounts import Company
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.recovering import plan_books
from zohosync.sync.inquiries import LEADS
from zohosync.sync.lead_notes import LEAD_ENTITY, NOTES
from zohosync.sync.person import clean_gstin, clean_text
from zohosync.zoho.crm import Crm
from zohosync.zoho.entities import Record

CONTACTS, ACCOUNTS = contact_drafts.MODULE, accounts.MODULE
KEY_FIELDS = {CONTACTS: contact_drafts.KEY_FIELD, ACCOUNTS: accounts.KEY_FIELD}
# The titles of sync/notes.py, which carry the record's id so that a Note can be found again.
TITLE = re.compile(r"(Inquiry|Quote request) (\S+)")
TITLED = {"Inquiry": "inquiry", "Quote request": "quote"}
PAGE = 500
GONE = "not in the shop any more"
COPY = "another one is linked"
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """A record of Zoho with our key that stays without a link; ``why`` is GONE or COPY. A person decides."""

    module: str
    zoho_id: str
    entity: str
    record_id: str
    why: str


@dataclass
class Recovery:
    """What is to be done. ``dirty``: records of the shop to be sent again, by entity; ``notes_listed``: Zoho told which
    Notes changed, else each is looked for at its Lead; ``books_organisation_id`` is None when Books is not in use."""

    since: datetime
    creating: int = 0
    doubts: list[Doubt] = field(default_factory=list)
    adoptions: list[Adoption] = field(default_factory=list)
    distrusted: list[LinkKey] = field(default_factory=list)
    dirty: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    findings: list[Finding] = field(default_factory=list)
    notes_listed: bool = True
    books_organisation_id: str | None = None

    def counts(self) -> dict[str, int]:
        """For people and for the audit trail."""
        return {
            "in doubt": self.creating + len(self.doubts),
            "adopted": len(self.adoptions),
            "changed in Zoho": len(self.distrusted),
            "to be sent again": sum(len(ids) for ids in self.dirty.values()),
            "findings": len(self.findings),
        }


async def plan_recovery(
    connection: Connection, crm: Crm, since: datetime, *, desk: BooksDesk | None = None
) -> Recovery:
    """Compare what Zoho wrote since then with what this database remembers; reads only."""
    plan = Recovery(since, creating=await count_creating(connection))
    await _plan_contacts(connection, crm, plan)
    await _plan_accounts(connection, crm, plan)
    await _plan_leads(connection, crm, plan)
    await _plan_notes(connection, crm, plan)
    await _plan_doubts(connection, plan)
    if desk is not None:
        await _plan_books(connection, desk, plan)
    return plan


async def _plan_books(connection: Connection, desk: BooksDesk, plan: Recovery) -> None:
    try:
        found = await plan_books(connection, desk, plan.since, await list_unsure(connection))
    except NotConnected as error:
        if error.reason == "books_not_chosen":
            return  # nothing was ever sent there
        raise
    plan.books_organisation_id = found.organisation_id
    plan.doubts += found.doubts
    plan.adoptions += found.adoptions
    plan.distrusted += found.distrusted
    for entity, ids in found.dirty.items():
        plan.dirty[entity] |= ids
    for why, documents in ((COPY, found.copies), (GONE, found.gone)):
        plan.findings += [Finding(key.module, zoho_id, key.entity, key.record_id, why) for key, zoho_id in documents]


async def _sort(connection: Connection, plan: Recovery, module: str, changed: Sequence[Record]) -> list[Record]:
    """Distrust the links of changed records; those without a link are returned."""
    known = await find_linked(connection, module, [record.id for record in changed])
    plan.distrusted += known.values()
    return [record for record in changed if record.id not in known]


async def _changed(crm: Crm, plan: Recovery, module: str, *fields: str) -> Sequence[Record]:
    catalogue = await crm.fields(module)
    return await crm.list_modified(module, plan.since, [name for name in fields if name in catalogue])


def _made_at(record: Record) -> datetime | None:
    try:
        return datetime.fromisoformat(record.text("Created_Time"))
    except ValueError:
        return None


def _is_new(record: Record, plan: Recovery) -> bool:
    """Whether Zoho has had it only since then."""
    made_at = _made_at(record)
    return made_at is not None and made_at >= plan.since.replace(microsecond=0)


async def _adopt(
    connection: Connection, crm: Crm, plan: Recovery, module: str, found: Sequence[tuple[LinkKey, Record]]
) -> set[str]:
    """Adopt records of a module by the keys they carry; the ids of those in the shop.

    Of several with one key the oldest is adopted, and none while the one that is linked still is in Zoho. The others
    are findings.
    """
    by_key: defaultdict[LinkKey, list[Record]] = defaultdict(list)
    for key, record in found:
        by_key[key].append(record)
    linked = await find_zoho_ids(connection, by_key)
    kept = {record.id for record in await crm.find_records_by(module, "id", linked.values())}
    adopted: set[str] = set()
    for key, records in by_key.items():
        records.sort(key=lambda record: (_made_at(record) or LAST, record.id))
        if linked.get(key) not in kept:
            plan.adoptions.append(Adoption(key, records.pop(0).id, replaces=linked.get(key)))
            adopted.add(key.record_id)
        plan.findings += [Finding(module, record.id, key.entity, key.record_id, COPY) for record in records]
    return adopted


async def _plan_contacts(connection: Connection, crm: Crm, plan: Recovery) -> None:
    changed = await _changed(crm, plan, CONTACTS, KEY_FIELDS[CONTACTS], "Created_Time")
    unknown = await _sort(connection, plan, CONTACTS, changed)
    plan.dirty["customer"] |= {key.record_id for key in plan.distrusted if key.module == CONTACTS}
    keyed = [(key, record) for record in unknown if (key := record.text(KEY_FIELDS[CONTACTS]))]
    there = await _customers(connection, {record_id for record_id, _ in keyed})
    ours = [(LinkKey(CONTACTS, contact_drafts.ENTITY, key), record) for key, record in keyed if key in there]
    plan.dirty["customer"] |= await _adopt(connection, crm, plan, CONTACTS, ours)
    _report_gone(plan, CONTACTS, "customer", [one for one in keyed if one[0] not in there])


async def _plan_accounts(connection: Connection, crm: Crm, plan: Recovery) -> None:
    changed = await _changed(crm, plan, ACCOUNTS, KEY_FIELDS[ACCOUNTS], "Created_Time")
    unknown = await _sort(connection, plan, ACCOUNTS, changed)
    known_ids = {record.id for record in changed} - {record.id for record in unknown}
    plan.dirty["customer"] |= await find_members(connection, sorted(known_ids))
    keyed = [(key, record) for record in unknown if (key := record.text(KEY_FIELDS[ACCOUNTS]))]
    members = await _members(connection, {key for key, _ in keyed})
    ours = [(LinkKey(ACCOUNTS, accounts.ENTITY, key), record) for key, record in keyed if key in members]
    for key in await _adopt(connection, crm, plan, ACCOUNTS, ours):
        plan.dirty["customer"] |= members[key]
    _report_gone(plan, ACCOUNTS, accounts.ENTITY, [one for one in keyed if one[0] not in members])


def _report_gone(plan: Recovery, module: str, entity: str, keyed: Iterable[tuple[str, Record]]) -> None:
    plan.findings += [
        Finding(module, record.id, entity, record_id, GONE) for record_id, record in keyed if _is_new(record, plan)
    ]


async def _members(connection: Connection, keys: set[str]) -> dict[str, set[str]]:
    """Customers of the shop by the company they belong to, for these companies. Reads all customers, once, when there
    is a company to look for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    if keys:
        for customer in (await _customers(connection, await list_customers(connection))).values():
            company = _company_of(customer)
            if company is not None and company.key in keys:
                found[company.key].add(customer.record_id)
    return dict(found)


def _company_of(customer: ShopCustomer) -> Company | None:
    name = clean_text(customer.company)
    if customer.role != "b2b_client" or name is None:
        return None
    return Company.of_customer(customer.record_id, name, clean_gstin(customer.gstin)[0], 0)


async def _customers(connection: Connection, ids: Iterable[str]) -> dict[str, ShopCustomer]:
    found: dict[str, ShopCustomer] = {}
    for page in _pages(ids):
        found |= await read_customers(connection, page)
    return found


def _pages(ids: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), PAGE):
        yield ordered[start : start + PAGE]


async def _plan_leads(connection: Connection, crm: Crm, plan: Recovery) -> None:
    """A Lead has no key of ours: one without a link is found by its e-mail when its inquiry is sent."""
    await _sort(connection, plan, LEADS, await crm.list_modified(LEADS, plan.since, ["Email"]))
    emails = [key.record_id for key in plan.distrusted if key.module == LEADS]
    newest = (await find_newest_inquiries(connection, emails)).values()
    for entity in TITLED.values():
        ids = [asked.record_id for asked in newest if asked.entity == entity]
        # One that was never synced is not synced by this either: it may be older than go-live.
        plan.dirty[entity] |= set(
            await find_links(connection, system="crm", module=NOTES, entity=entity, record_ids=ids)
        )


async def _plan_notes(connection: Connection, crm: Crm, plan: Recovery) -> None:
    try:
        changed = await crm.list_modified(NOTES, plan.since, ["Note_Title", "Created_Time"])
    except Refused as error:
        if error.reason == "too_many_changes":
            raise
        plan.notes_listed = False  # the documentation does not say that Notes may be queried
        return
    before = len(plan.distrusted)
    unknown = await _sort(connection, plan, NOTES, changed)
    for key in plan.distrusted[before:]:
        plan.dirty[key.entity].add(key.record_id)
    titled = [(note, named) for note in unknown if (named := _named(note)) is not None]
    there = await _inquiries(connection, [named for _, named in titled])
    for entity in TITLED.values():
        mine = [(named[1], note) for note, named in titled if named[0] == entity]
        ours = [(LinkKey(NOTES, entity, key), note) for key, note in mine if (entity, key) in there]
        plan.dirty[entity] |= await _adopt(connection, crm, plan, NOTES, ours)
        _report_gone(plan, NOTES, entity, [one for one in mine if (entity, one[0]) not in there])


def _named(note: Record) -> tuple[str, str] | None:
    match = TITLE.fullmatch(note.text("Note_Title"))
    return (TITLED[match[1]], match[2]) if match else None


async def _inquiries(connection: Connection, records: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Those the shop has, with their e-mail addresses."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for entity, record_id in records:
        wanted[entity].add(record_id)
    found: dict[tuple[str, str], str] = {}
    for page in _pages(wanted["inquiry"]):
        found |= {
            ("inquiry", one.record_id): one.email or "" for one in (await read_inquiries(connection, page)).values()
        }
    for page in _pages(wanted["quote"]):
        found |= {("quote", one.record_id): one.email or "" for one in (await read_quotes(connection, page)).values()}
    return found


async def _plan_doubts(connection: Connection, plan: Recovery) -> None:
    """Put in doubt what has no link and may have been sent since: its next attempt looks first."""
    unsure = await list_unsure(connection)
    doubts: dict[LinkKey, str | None] = {}
    customers = await _customers(connection, [record_id for entity, record_id in unsure if entity == "customer"])
    for customer in customers.values():
        doubts[LinkKey(CONTACTS, contact_drafts.ENTITY, customer.record_id)] = customer.email
        company = _company_of(customer)
        if company is not None:
            doubts[LinkKey(ACCOUNTS, accounts.ENTITY, company.key)] = company.name
    inquiries = await _inquiries(connection, [one for one in unsure if one[0] in ("inquiry", "quote")])
    for (entity, record_id), email in inquiries.items():
        doubts[LinkKey(NOTES, entity, record_id)] = None  # looked for at the Lead of its e-mail
        if email:
            doubts[LinkKey(LEADS, LEAD_ENTITY, email.lower())] = email
    sure = await find_present(connection, doubts) | {adoption.key for adoption in plan.adoptions}
    plan.doubts = [Doubt(key, reference) for key, reference in sorted(doubts.items()) if key not in sure]


async def carry_out(connection: Connection, plan: Recovery, streams: Sequence[Stream], *, organisation_id: str) -> int:
    """Write the plan down, in the caller's transaction; how many operations were made."""
    await doubt_creating(connection)
    adopted: set[LinkKey] = set()
    for system, organisation in (("crm", organisation_id), ("books", plan.books_organisation_id)):
        if organisation is None:
            continue
        doubts = [doubt for doubt in plan.doubts if doubt.key.system == system]
        await put_in_doubt(connection, doubts, organisation_id=organisation)
        adoptions = [adoption for adoption in plan.adoptions if adoption.key.system == system]
        adopted |= await adopt(connection, adoptions, organisation_id=organisation)
    plan.adoptions = [adoption for adoption in plan.adoptions if adoption.key in adopted]
    await drop_replaced_documents(connection, plan.adoptions)
    await doubt_documents(connection)
    await distrust(connection, plan.distrusted)
    made = 0
    for stream in streams:
        for entity in stream.entities:
            for page in _pages(plan.dirty[entity]):
                made += len(
                    await enqueue(
                        connection,
                        kind=stream.kind,
                        lane=stream.lane.value,
                        entity=entity,
                        record_ids=page,
                        cause="reconcile",
                    )
                )
    return made
