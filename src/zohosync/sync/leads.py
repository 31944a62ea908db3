"""crm.lead.push: contact forms and quote requests as CRM Leads, one for each e-mail, with one Note for each inquiry.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, ZohoFailure
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Cause, Report
from zohosync.store.links import Creation, Link, NewLink, claim_creations, find_links, release_creations, save_links
from zohosync.sync.contact_drafts import NEW_RECORD_AUTOMATIONS
from zohosync.sync.decide import fingerprint_of
from zohosync.sync.desk import CrmDesk
from zohosync.sync.inquiries import LEADS, Draft, draft_inquiries, find_newer, judged, read_lead_values
from zohosync.sync.lead_notes import LEAD_ENTITY, push_notes
from zohosync.zoho.crm_requests import upsert_request
from zohosync.zoho.fields import FieldCatalogue
from zohosync.zoho.protocol import Request


async def push_leads(desk: CrmDesk, batch: Batch) -> None:
    """Bring a batch of inquiries to CRM: first the Leads, then their Notes, each step saved before the next."""
    drafts = await draft_inquiries(desk, batch)
    drafts = await _push_leads(desk, batch, drafts)
    await push_notes(desk, batch, drafts)


async def _push_leads(desk: CrmDesk, batch: Batch, drafts: list[Draft]) -> list[Draft]:
    """One Lead for each e-mail of the batch; the newest inquiry of a person tells the Lead's values."""
    if not drafts:
        return drafts
    by_key: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_key.setdefault(draft.key, []).append(draft)
    newest, catalogue = {key: group[-1] for key, group in by_key.items()}, await desk.catalogue(LEADS)
    async with desk.pool.connection() as connection:
        links = await find_links(connection, system="crm", module=LEADS, entity=LEAD_ENTITY, record_ids=list(by_key))
        values = await decide_values(connection, newest, links, region=desk.policy.phone_region, catalogue=catalogue)
    changed = {key: payload for key, payload in values.items() if payload is not None}
    for key, payload in changed.items():
        for draft in by_key[key]:
            draft.payload = payload  # so that the log tells what is sent
    for key in values.keys() - changed.keys():
        for draft in by_key[key]:
            draft.lead_id = links[key].zoho_id or ""
    fresh = {key for key in changed if key not in links or links[key].zoho_id is None}
    for key in fresh - await _claim_leads(desk, batch, {key: by_key[key] for key in fresh}):
        del changed[key]
        await batch.finish([judged(batch, draft, _being_made(draft)) for draft in by_key[key]])
    await batch.finish(await _upsert(desk, batch, changed, by_key))
    return [draft for draft in drafts if draft.lead_id]


async def decide_values(
    connection: Connection,
    newest: Mapping[str, Draft],
    links: Mapping[str, Link],
    *,
    region: str,
    catalogue: FieldCatalogue,
) -> dict[str, dict[str, Any] | None]:
    """What is to be sent of each Lead, None for nothing; ``newest`` is each person's newest inquiry of those at hand.

    An inquiry that is older than another of its person sees to its Note only. Where the Lead is still to be made, it is
    made with the values of the newest inquiry the shop has.
    """
    newer = await find_newer(connection, newest)
    unmade = {key: asked for key, asked in newer.items() if not _is_made(links.get(key))}
    told = await read_lead_values(connection, unmade, region=region, catalogue=catalogue) if unmade else {}
    values: dict[str, dict[str, Any] | None] = {}
    for key, draft in newest.items():
        settled = (key in newer and key not in unmade) or has_lead(draft.payload, links.get(key))
        values[key] = None if settled else told.get(key, draft.payload)
    return values


def _is_made(link: Link | None) -> bool:
    return link is not None and bool(link.zoho_id)


async def _claim_leads(desk: CrmDesk, batch: Batch, groups: dict[str, list[Draft]]) -> set[str]:
    """The e-mails whose Lead may be made now. Two inquiries of one person in two workers must not make two Leads."""
    if not groups:
        return set()
    organisation = await desk.organisation_id()
    async with desk.pool.connection() as connection:
        return await claim_creations(
            connection,
            system="crm",
            module=LEADS,
            entity=LEAD_ENTITY,
            organisation_id=organisation,
            creations=[Creation(key, key, group[-1].operation.operation_id) for key, group in groups.items()],
            hold=batch.lease.duration,
        )


def _being_made(draft: Draft) -> NotReady:
    return NotReady(
        f"The Lead {draft.payload['Email']} is just being made for another inquiry.",
        wait_for="parent",
        code="lead_being_made",
    )


async def _upsert(
    desk: CrmDesk, batch: Batch, changed: dict[str, dict[str, Any]], by_key: dict[str, list[Draft]]
) -> list[Report]:
    """Upsert by e-mail; reports of the inquiries whose Lead Zoho refused."""
    refused: list[Report] = []
    for loud in (True, False):
        keys = [key for key in changed if is_loud(by_key[key], automations=desk.policy.lead_automations) is loud]
        if not keys:
            continue
        request = upserting([changed[key] for key in keys], loud=loud)
        try:
            results = await desk.crm_for(batch).write(request)
        except ZohoFailure as error:  # of these Leads only: the others of the batch go on
            refused += [judged(batch, draft, error) for key in keys for draft in by_key[key]]
            continue
        links: list[NewLink] = []
        for key, result in zip(keys, results, strict=True):
            if result.ok:
                links.append(NewLink(key, result.id, fingerprint_of(changed[key]), changed[key]))
                for draft in by_key[key]:
                    draft.lead_id, draft.action = result.id, result.action or "update"
                    batch.note_progress(draft.operation)
            else:
                assert result.error is not None
                refused += [judged(batch, draft, result.error) for draft in by_key[key]]
        await _save(desk, links, refused=set(keys) - {link.record_id for link in links})
    return refused


def is_loud(group: Sequence[Draft], *, automations: bool) -> bool:
    """Whether Zoho's own automations run for the Lead of these inquiries."""
    return automations and any(draft.operation.cause in (Cause.CHANGE, Cause.MANUAL) for draft in group)


def upserting(payloads: Sequence[dict[str, Any]], *, loud: bool) -> Request:
    """The upsert of Leads by e-mail."""
    trigger = NEW_RECORD_AUTOMATIONS if loud else ()
    return upsert_request(LEADS, payloads, duplicate_check_fields=("Email",), trigger=trigger)


def has_lead(payload: dict[str, Any], link: Link | None) -> bool:
    """Whether Zoho has exactly this Lead."""
    return link is not None and bool(link.zoho_id) and link.fingerprint == fingerprint_of(payload)


async def _save(desk: CrmDesk, links: Sequence[NewLink], *, refused: set[str]) -> None:
    organisation = await desk.organisation_id()
    async with desk.pool.connection() as connection, connection.transaction():
        await save_links(
            connection, system="crm", module=LEADS, entity=LEAD_ENTITY, organisation_id=organisation, links=links
        )
        await release_creations(connection, system="crm", module=LEADS, entity=LEAD_ENTITY, record_ids=sorted(refused))
