"""What would become of contact forms and quote requests: the push's drafts and requests, without sending anything."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid
from zohosync.queue.foresight import (
    Decision,
    Finding,
    Foreseen,
    PlannedCall,
    Preview,
    Section,
    Step,
    Verdict,
    as_if_asked,
)
from zohosync.store.links import Link, find_links
from zohosync.store.shop import ShopInquiry, ShopQuote, read_inquiries, read_quotes
from zohosync.sync.desk import CrmDesk, Policy
from zohosync.sync.inquiries import LEADS, Draft, draft_inquiry, fit_inquiry
from zohosync.sync.lead_notes import LEAD_ENTITY, NOTES, adding, is_known, lines_missing, note_payload, rewriting
from zohosync.sync.leads import decide_values, is_loud, upserting
from zohosync.sync.preview import compare, planned, verdict_of, warned
from zohosync.sync.rehearse import readable
from zohosync.sync.standard_fields import read_fields
from zohosync.zoho.crm_requests import list_notes_request
from zohosync.zoho.fields import FieldCatalogue

KIND = "crm.lead.push"
LEAD_TO_COME = "(id of the Lead above)"


async def foresee_leads(desk: CrmDesk) -> "LeadForesight":
    catalogues, shortcoming = await read_fields(desk, (LEADS,))
    return LeadForesight(catalogues[LEADS], desk.policy, shortcoming)


@dataclass(frozen=True, slots=True)
class LeadForesight:
    """Inquiries and quotes as Leads with Notes."""

    lead_fields: FieldCatalogue
    policy: Policy
    shortcoming: str | None

    async def rehearse(
        self, connection: Connection, entity: str, pages: AsyncIterator[Sequence[str]]
    ) -> AsyncIterator[Foreseen]:
        async for record_ids in pages:
            records, unreadable = await _read_each(connection, entity, record_ids)
            links = await find_links(connection, system="crm", module=NOTES, entity=entity, record_ids=record_ids)
            for record_id in record_ids:
                record = records.get(record_id)
                if record_id in unreadable:
                    yield Foreseen(record_id, "", (unreadable[record_id],))
                elif record is not None and record.in_scope:
                    yield Foreseen(record_id, record.email or "", tuple(self._judge(entity, record, links)))

    def _judge(self, entity: str, record: ShopInquiry | ShopQuote, links: Mapping[str, Link]) -> Iterator[Finding]:
        link = links.get(record.record_id)
        if link is not None and link.zoho_id:
            yield Finding(Section.LINKED, "linked", f"Its Note is {link.zoho_id}.")
        try:
            draft = self._draft(entity, record)
        except RecordInvalid as error:
            yield Finding.of_error(Section.REFUSED, error)
            return
        yield from warned(draft.warnings)
        if draft.note is None:
            yield Finding.of_error(Section.WAITING, lines_missing())

    def _draft(self, entity: str, record: ShopInquiry | ShopQuote) -> Draft:
        draft = draft_inquiry(as_if_asked(KIND, entity, record.record_id), record, self.policy.phone_region)
        fit_inquiry(draft, self.lead_fields)
        return draft

    async def preview(self, connection: Connection, entity: str, record_id: str) -> Preview:
        record = (await _read(connection, entity, [record_id])).get(record_id)
        if record is None:
            return Preview(Verdict.GONE)
        if not record.in_scope:
            return Preview(Verdict.OUT_OF_SCOPE, record.email or "")
        try:
            draft = self._draft(entity, record)
        except RecordInvalid as error:
            return Preview(Verdict.REFUSED, record.email or "", error)
        lead_links = await find_links(
            connection, system="crm", module=LEADS, entity=LEAD_ENTITY, record_ids=[draft.key]
        )
        note_links = await find_links(connection, system="crm", module=NOTES, entity=entity, record_ids=[record_id])
        values = await decide_values(
            connection, {draft.key: draft}, lead_links, region=self.policy.phone_region, catalogue=self.lead_fields
        )
        steps = [self._lead_step(draft, values[draft.key], lead_links.get(draft.key))]
        problem: NotReady | None = None
        if draft.note is None:
            problem = lines_missing()
        else:
            steps.append(_note_step(draft, note_links.get(record_id)))
        return Preview(verdict_of(problem, steps), record.email or "", problem, warned(draft.warnings), tuple(steps))

    def _lead_step(self, draft: Draft, values: dict[str, Any] | None, link: Link | None) -> Step:
        """Always an upsert by e-mail, of ``values`` if any; the draft learns the Lead's id where it is known."""
        draft.lead_id = (link.zoho_id if link else None) or LEAD_TO_COME
        known = link.zoho_id if link else None
        if values is None:
            return Step(LEADS, Decision.IDENTICAL, known, (), ())
        request = upserting([values], loud=is_loud([draft], automations=self.policy.lead_automations))
        decision, verb = (Decision.UPDATE, "Update") if known else (Decision.CREATE, "Create")
        return Step(LEADS, decision, known, (planned(f"{verb} the Lead", request),), compare(values, link))


def _note_step(draft: Draft, link: Link | None) -> Step:
    if is_known(draft, link):
        return Step(NOTES, Decision.IDENTICAL, link.zoho_id if link else None, (), ())
    differences = compare(note_payload(draft), link)
    if link is not None and link.zoho_id:
        draft.note_id = link.zoho_id
        call = planned("Rewrite the Note", rewriting([draft]))
        return Step(NOTES, Decision.UPDATE, link.zoho_id, (call,), differences)
    add = planned("Add the Note", adding([draft]))
    looks = _looks(draft, link)
    decision = Decision.LOOK_FIRST if looks else Decision.CREATE
    return Step(NOTES, decision, None, (*looks, add), differences)


def _looks(draft: Draft, link: Link | None) -> tuple[PlannedCall, ...]:
    """After doubt a Note is looked for by its title, where it was sent."""
    sent_to = (link.reference or draft.lead_id) if link is not None else LEAD_TO_COME
    if sent_to == LEAD_TO_COME:
        return ()
    return (planned("Look for the Note; one that is found is rewritten", list_notes_request(LEADS, sent_to)),)


async def _read(
    connection: Connection, entity: str, record_ids: Sequence[str]
) -> Mapping[str, ShopInquiry | ShopQuote]:
    if entity == "quote":
        return await read_quotes(connection, record_ids)
    return await read_inquiries(connection, record_ids)


async def _read_each(
    connection: Connection, entity: str, record_ids: Sequence[str]
) -> tuple[Mapping[str, ShopInquiry | ShopQuote], Mapping[str, Finding]]:
    if entity == "quote":
        return await readable(connection, read_quotes, record_ids)
    return await readable(connection, read_inquiries, record_ids)
