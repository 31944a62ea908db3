"""One Note for each inquiry, beside the Lead it belongs to.

https://www.zoho.com/crm/developer/docs/api/v8/create-notes.html
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordVanished, ZohoFailure, ZohosyncError
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Outcome, Report
from zohosync.store.links import Creation, Link, NewLink, claim_creations, find_links, forget_link, save_links
from zohosync.sync.decide import fingerprint_of
from zohosync.sync.desk import CrmDesk, write_back
from zohosync.sync.inquiries import LEADS, Draft, judged
from zohosync.zoho.crm import Crm
from zohosync.zoho.crm_requests import insert_notes_request, update_notes_request
from zohosync.zoho.entities import Note
from zohosync.zoho.protocol import Request
from zohosync.zoho.results import RecordResult

LEAD_ENTITY = "lead"
NOTES = "Notes"


async def push_notes(desk: CrmDesk, batch: Batch, drafts: list[Draft]) -> None:
    """One Note for each inquiry: rewritten by its id when it is known, looked for when an earlier attempt may have
    sent it, else added."""
    waiting = [draft for draft in drafts if draft.note is None]
    await _finish(batch, [(draft, lines_missing()) for draft in waiting])
    drafts = [draft for draft in drafts if draft.note is not None]
    for entity in ("inquiry", "quote"):
        mine = [draft for draft in drafts if draft.operation.entity == entity]
        if mine:
            await _push_notes_of(desk, batch, entity, mine)


def lines_missing() -> NotReady:
    return NotReady("The quote has no lines yet; its Lead is in Zoho.", wait_for="lines", code="lines_missing")


async def _push_notes_of(desk: CrmDesk, batch: Batch, entity: str, drafts: list[Draft]) -> None:
    keys = [draft.operation.record_id for draft in drafts]
    async with desk.pool.connection() as connection:
        links = await find_links(connection, system="crm", module=NOTES, entity=entity, record_ids=keys)
    crm = desk.crm_for(batch)
    done = [draft for draft in drafts if is_known(draft, links.get(draft.operation.record_id))]
    await _finish(batch, [(draft, None) for draft in done])
    left = await _look(batch, crm, [draft for draft in drafts if draft not in done], links)
    rewrite = [draft for draft in left if draft.note_id]
    if rewrite:
        await _keep_notes(desk, batch, entity, rewrite, crm.write(rewriting(rewrite)))
    new = [draft for draft in left if not draft.note_id]
    if new:
        await _claim(desk, batch, entity, new)
        await _keep_notes(desk, batch, entity, new, crm.write(adding(new)))


def adding(drafts: Sequence[Draft]) -> Request:
    """Their Notes, each added to its Lead."""
    return insert_notes_request(LEADS, [(draft.lead_id, *_title_and_content(draft)) for draft in drafts])


def rewriting(drafts: Sequence[Draft]) -> Request:
    """Their Notes, by their ids."""
    return update_notes_request([(draft.note_id, *_title_and_content(draft)) for draft in drafts])


def is_known(draft: Draft, link: Link | None) -> bool:
    """Whether Zoho has exactly this Note."""
    return link is not None and bool(link.zoho_id) and link.fingerprint == fingerprint_of(note_payload(draft))


async def _look(batch: Batch, crm: Crm, drafts: Sequence[Draft], links: Mapping[str, Link]) -> list[Draft]:
    """Fill in the ids of Notes that exist. After doubt a Note is looked for by its title before it is sent again; an
    inquiry whose look fails ends here, the others go on."""
    found: dict[str, Sequence[Note] | ZohoFailure] = {}
    failed: list[tuple[Draft, ZohosyncError | None]] = []
    left: list[Draft] = []
    for draft in drafts:
        link = links.get(draft.operation.record_id)
        draft.note_id = (link.zoho_id or "") if link is not None else ""
        if link is not None and not draft.note_id:
            # Where it was sent: the person's e-mail, and so the Lead, may have changed since.
            sent_to = link.reference or draft.lead_id
            if sent_to not in found:
                found[sent_to] = await _list_notes(crm, sent_to)
            notes = found[sent_to]
            if isinstance(notes, ZohoFailure):
                failed.append((draft, notes))
                continue
            title, _ = _title_and_content(draft)
            draft.note_id = next((note.id for note in notes if note.title == title), "")
            if draft.note_id:
                draft.lead_id = sent_to
        left.append(draft)
    await _finish(batch, failed)
    return left


async def _list_notes(crm: Crm, lead_id: str) -> Sequence[Note] | ZohoFailure:
    """None of a Lead that is gone: a Note that cannot be found there is better added once more than never."""
    try:
        return await crm.list_notes(LEADS, lead_id)
    except ZohoFailure as error:
        return () if _names_lost(error) else error


def _title_and_content(draft: Draft) -> tuple[str, str]:
    assert draft.note is not None
    return draft.note.title, draft.note.content


def note_payload(draft: Draft) -> dict[str, Any]:
    """What is compared with what Zoho accepted last."""
    title, content = _title_and_content(draft)
    return {"Note_Title": title, "Note_Content": content}


async def _claim(desk: CrmDesk, batch: Batch, entity: str, drafts: Sequence[Draft]) -> None:
    organisation = await desk.organisation_id()
    async with desk.pool.connection() as connection:
        await claim_creations(
            connection,
            system="crm",
            module=NOTES,
            entity=entity,
            organisation_id=organisation,
            creations=[
                Creation(draft.operation.record_id, draft.lead_id, draft.operation.operation_id) for draft in drafts
            ],
            hold=batch.lease.duration,
        )


async def _keep_notes(
    desk: CrmDesk, batch: Batch, entity: str, drafts: Sequence[Draft], call: Awaitable[Sequence[RecordResult]]
) -> None:
    """End the inquiries of one call, each by its own result. Links to what is no longer in Zoho are dropped."""
    try:
        results = await call
    except ZohoFailure as error:  # of this call only: the others of the batch go on
        await _finish(batch, [(draft, error) for draft in drafts])
        return
    organisation = await desk.organisation_id()
    ended = [(draft, _error_of(draft, result)) for draft, result in zip(drafts, results, strict=True)]
    payloads = {draft.operation.record_id: note_payload(draft) for draft in drafts}

    async def save(connection: Connection, held: set[int]) -> None:
        links = [
            NewLink(draft.operation.record_id, result.id, fingerprint_of(payload), payload)
            for draft, result in zip(drafts, results, strict=True)
            if result.ok and draft.operation.operation_id in held
            for payload in (payloads[draft.operation.record_id],)
        ]
        await save_links(
            connection, system="crm", module=NOTES, entity=entity, organisation_id=organisation, links=links
        )
        for draft, error in ended:
            if isinstance(error, RecordVanished):
                of_lead = error.module == LEADS
                await forget_link(
                    connection,
                    system="crm",
                    module=error.module,
                    entity=LEAD_ENTITY if of_lead else entity,
                    record_id=draft.key if of_lead else draft.operation.record_id,
                )

    await _finish(batch, ended, save)


def _error_of(draft: Draft, result: RecordResult) -> ZohosyncError | None:
    if result.error is None:
        return None
    if draft.note_id and result.error.reason == "zoho_record_absent":
        return RecordVanished(f"Note {draft.note_id} is no longer in Zoho.", hint="A new one is made.", module=NOTES)
    if not draft.note_id and (_names_parent(result.error) or _names_lost(result.error)):
        told = f"Lead {draft.lead_id} was converted or is no longer in Zoho."
        return RecordVanished(told, hint="A new one is made.", module=LEADS)
    return result.error


def _names_lost(error: ZohoFailure) -> bool:
    """Whether Zoho refused a record that was deleted or converted.

    https://www.zoho.com/crm/developer/docs/api/v8/convert-lead.html
    """
    return error.reason == "zoho_record_absent" or error.vendor_code == "ID_ALREADY_CONVERTED"


def _names_parent(error: Any) -> bool:
    return "Parent_Id" in (getattr(error, "field", ""), str(getattr(error, "details", {}).get("json_path", "")))


async def _finish(
    batch: Batch,
    ended: Sequence[tuple[Draft, ZohosyncError | None]],
    save: Callable[[Connection, set[int]], Awaitable[None]] | None = None,
) -> None:
    """End inquiries. The Lead's id is written into the shop even while the Note still waits."""

    async def also(connection: Connection, held: set[int]) -> None:
        if save is not None:
            await save(connection, held)
        for entity in ("inquiry", "quote"):
            ids = {
                draft.operation.record_id: draft.lead_id
                for draft, error in ended
                if draft.operation.entity == entity
                and draft.operation.operation_id in held
                and draft.lead_id
                and not (isinstance(error, RecordVanished) and error.module == LEADS)
                and draft.written_id != draft.lead_id
            }
            await write_back(connection, entity=entity, system="crm", ids=ids)

    await batch.finish([_report(batch, draft, error) for draft, error in ended], also)


def _report(batch: Batch, draft: Draft, error: ZohosyncError | None) -> Report:
    if error is not None:
        return judged(batch, draft, error)
    return Report(
        draft.operation.operation_id,
        Outcome.SUCCEEDED,
        warnings=tuple(map(str, draft.warnings)),
        zoho_module=LEADS,
        zoho_id=draft.lead_id,
        action=draft.action,
        label=str(draft.payload["Email"]),
        digest=draft.digest,
        request={"module": LEADS, "record": draft.payload, "note": note_payload(draft)},
        response={"id": draft.lead_id, "action": draft.action},
    )
