"""What would become of customers: the drafts and requests of the push, made without claiming or sending anything."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid, ZohosyncError
from zohosync.queue.foresight import (
    Decision,
    Finding,
    Foreseen,
    Preview,
    Section,
    Step,
    Verdict,
    as_if_asked,
)
from zohosync.store.links import Link, find_links
from zohosync.store.shop import ShopCustomer, read_customers
from zohosync.sync import accounts
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
from zohosync.sync.decide import Way
from zohosync.sync.desk import CrmDesk, Policy
from zohosync.sync.email_owners import EmailOwners, read_email_owners
from zohosync.sync.preview import compare, planned, verdict_of, warned
from zohosync.sync.rehearse import readable
from zohosync.sync.standard_fields import read_fields
from zohosync.zoho.crm_requests import find_request
from zohosync.zoho.fields import FieldCatalogue
from zohosync.zoho.protocol import Request

KIND = "crm.contact.push"
ACCOUNT_TO_COME = "(id of the Account above)"
NEW = frozenset({Way.CREATE, Way.LOOK_FIRST})


async def foresee_contacts(desk: CrmDesk) -> "ContactForesight":
    catalogues, shortcoming = await read_fields(desk, (MODULE, accounts.MODULE))
    return ContactForesight(catalogues[MODULE], catalogues[accounts.MODULE], desk.policy, shortcoming)


@dataclass(slots=True)
class _Seen:
    """What the records before have taken: e-mails and names, each with the first record that has it."""

    emails: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    firms: dict[str, accounts.Company] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactForesight:
    """Customers as Contacts, and their companies as Accounts."""

    contact_fields: FieldCatalogue
    account_fields: FieldCatalogue
    policy: Policy
    shortcoming: str | None

    # --- many

    async def rehearse(
        self, connection: Connection, _: str, pages: AsyncIterator[Sequence[str]]
    ) -> AsyncIterator[Foreseen]:
        seen = _Seen()
        async for record_ids in pages:
            customers, unreadable = await readable(connection, read_customers, record_ids)
            links = await _links(connection, MODULE, ENTITY, record_ids)
            drafts, refused = self._draft_all([one for one in customers.values() if one.in_scope])
            owners = await _owners(connection, drafts, seen)
            firms = [draft.company.key for draft in drafts.values() if draft.company]
            account_links = await _links(connection, accounts.MODULE, accounts.ENTITY, firms)
            for record_id in record_ids:
                customer = customers.get(record_id)
                if record_id in unreadable:
                    yield Foreseen(record_id, "", (unreadable[record_id],))
                elif record_id in refused and customer:
                    yield Foreseen(record_id, customer.email or "", (refused[record_id],))
                elif record_id in drafts:
                    draft, link = drafts[record_id], links.get(record_id)
                    found = [*self._judge(draft, link, account_links, owners), *_namesakes(draft, seen)]
                    yield Foreseen(record_id, draft.email, tuple(found))

    def _draft_all(self, customers: Sequence[ShopCustomer]) -> tuple[dict[str, Draft], dict[str, Finding]]:
        drafts: dict[str, Draft] = {}
        refused: dict[str, Finding] = {}
        for customer in customers:
            try:
                drafts[customer.record_id] = self._draft(customer)
            except RecordInvalid as error:
                refused[customer.record_id] = Finding.of_error(Section.REFUSED, error)
        return drafts, refused

    def _draft(self, customer: ShopCustomer) -> Draft:
        return draft_contact(as_if_asked(KIND, ENTITY, customer.record_id), customer, self.policy.phone_region)

    def _judge(
        self, draft: Draft, link: Link | None, account_links: dict[str, Link], owners: EmailOwners
    ) -> Iterator[Finding]:
        if link is not None and link.zoho_id:
            yield Finding(Section.LINKED, "linked", f"It is Contact {link.zoho_id}.")
        elif draft.customer.zoho_crm_id:
            yield Finding(Section.LINKED, "old_id", f"The shop says that it is record {draft.customer.zoho_crm_id}.")
        try:
            draft = fit_contact(self._attach(draft, account_links)[0], self.contact_fields, link)
        except RecordInvalid as error:
            yield Finding.of_error(Section.REFUSED, error)
            return
        yield from warned(draft.warnings)
        if decide_contact(draft, link) in NEW:
            problem = owners.claim(draft)
            if isinstance(problem, NotReady):
                yield Finding.of_error(Section.WAITING, problem)
            elif problem is not None:
                owner = owners.owners[draft.email.lower()]
                yield Finding(
                    Section.SHARED_EMAIL, problem.reason, f"Customer {owner} has this e-mail too.", problem.hint
                )

    def _attach(self, draft: Draft, links: dict[str, Link]) -> tuple[Draft, accounts.Plan | None]:
        """With its Account, or with a placeholder for one that is still to be made."""
        if draft.company is None:
            return with_account(draft), None
        plan = accounts.plan_account(draft.company, self.account_fields, links.get(draft.company.key))
        return with_account(draft, plan.zoho_id or ACCOUNT_TO_COME, plan.warnings), plan

    # --- one

    async def preview(self, connection: Connection, _: str, record_id: str) -> Preview:
        customer = (await read_customers(connection, [record_id])).get(record_id)
        if customer is None:
            return Preview(Verdict.GONE)
        if not customer.in_scope:
            return Preview(Verdict.OUT_OF_SCOPE, customer.email or "")
        steps: list[Step] = []
        try:
            draft = self._draft(customer)
            firms = [draft.company.key] if draft.company else []
            account_links = await _links(connection, accounts.MODULE, accounts.ENTITY, firms)
            draft, plan = self._attach(draft, account_links)
            if plan is not None:
                steps.append(self._account_step(plan, account_links.get(plan.company.key)))
            link = (await _links(connection, MODULE, ENTITY, [record_id])).get(record_id)
            draft = fit_contact(draft, self.contact_fields, link)
        except RecordInvalid as error:
            return Preview(Verdict.REFUSED, customer.email or "", error, steps=tuple(steps))
        way = decide_contact(draft, link)
        problem = await self._email_problem(connection, draft, way)
        if problem is None:
            steps.append(self._contact_step(draft, way, link))
        return Preview(verdict_of(problem, steps), draft.email, problem, warned(draft.warnings), tuple(steps))

    async def _email_problem(self, connection: Connection, draft: Draft, way: Way) -> ZohosyncError | None:
        return (await read_email_owners(connection, [draft])).claim(draft) if way in NEW else None

    def _account_step(self, plan: accounts.Plan, link: Link | None) -> Step:
        name = f"Account {plan.company.name!r}"
        if plan.way is Way.SKIP:
            return Step(accounts.MODULE, Decision.IDENTICAL, plan.zoho_id, (), ())
        differences = compare(plan.payload, link)
        if plan.way is Way.UPDATE:
            call = planned(f"Update {name}", accounts.updating([plan]))
            return Step(accounts.MODULE, Decision.UPDATE, plan.zoho_id, (call,), differences)
        create = planned(f"Create {name}", accounts.creating([plan], self.account_fields))
        if not accounts.must_look(plan, self.account_fields):
            return Step(accounts.MODULE, Decision.CREATE, None, (create,), differences)
        names, fields = accounts.looking([plan], self.account_fields)
        look = planned(
            f"Look for {name}, which an earlier attempt may have made",
            find_request(accounts.MODULE, "Account_Name", names, fields),
        )
        otherwise = replace(create, purpose=f"If it is not found: create {name}")
        return Step(accounts.MODULE, Decision.LOOK_FIRST, None, (look, otherwise), differences)

    def _contact_step(self, draft: Draft, way: Way, link: Link | None) -> Step:
        if way is Way.SKIP:
            return Step(MODULE, Decision.IDENTICAL, link.zoho_id if link else None, (), ())
        differences = compare(draft.payload, link)
        if way is Way.UPDATE and link is not None:
            request = updating([replace(draft, zoho_id=link.zoho_id)])
            call = planned("Update the Contact", request)
            return Step(MODULE, Decision.UPDATE, link.zoho_id, (call,), differences)
        request = creating([draft], loud=is_loud(draft, automations=self.policy.contact_automations))
        look = decide_look(draft, way, link, self.contact_fields)
        if look is None:
            return Step(MODULE, Decision.CREATE, None, (planned("Create the Contact", request),), differences)
        calls = (
            planned("Look for the Contact; one that is found is updated", _finding(look.field, look.value)),
            planned("If it is not found: create the Contact", request),
        )
        return Step(MODULE, Decision.LOOK_FIRST, None, calls, differences)


def _finding(field_name: str, value: str) -> Request:
    return find_request(MODULE, field_name, [value], ("Email",))


async def _links(connection: Connection, module: str, entity: str, keys: Sequence[str]) -> dict[str, Link]:
    if not keys:
        return {}
    return await find_links(connection, system="crm", module=module, entity=entity, record_ids=keys)


async def _owners(connection: Connection, drafts: dict[str, Draft], seen: _Seen) -> EmailOwners:
    """Whose the e-mails are, those of earlier pages included."""
    found = await read_email_owners(connection, list(drafts.values()))
    seen.emails.update(found.owners)
    return replace(found, owners=seen.emails)


def _namesakes(draft: Draft, seen: _Seen) -> Iterator[Finding]:
    """One name is no reason to merge; people ask."""
    name = f"{draft.payload['First_Name'] or ''} {draft.payload['Last_Name']}".strip().lower()
    first = seen.names.setdefault(name, draft.customer.record_id)
    if first != draft.customer.record_id and name != "-":
        yield Finding(Section.NAMESAKE, "namesake", f"Customer {first} has this name too.")
    if draft.company is not None:
        other = seen.firms.setdefault(draft.company.name.lower(), draft.company)
        if other.key != draft.company.key:
            yield Finding(Section.NAMESAKE, "company_namesake", f"{other.key} has this name too.")
