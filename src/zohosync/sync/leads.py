"""crm.lead.push: contact forms and quote requests as CRM Leads, one for each e-mail, with one Note for each inquiry.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid, ZohoFailure, ZohosyncError, ZohoUnavailable
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Cause, Operation, Outcome, Report
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
from zohosync.store.shop import ShopInquiry, ShopQuote, read_inquiries, read_quotes
from zohosync.sync.contacts import NEW_RECORD_AUTOMATIONS
from zohosync.sync.decide import fingerprint_of
from zohosync.sync.desk import CrmDesk, write_back
from zohosync.sync.notes import NoteText, write_inquiry_note, write_quote_note
from zohosync.sync.person import Name, clean_email, clean_gstin, clean_phone, clean_text, join_name, split_name
from zohosync.zoho.crm import Crm
from zohosync.zoho.entities import Note

MODULE = "Leads"
ENTITY = "lead"
NOTES = "Notes"


@dataclass(slots=True)
class Draft:
    """One inquiry on the way to Zoho. ``note`` is None while a quote has no lines yet."""

    operation: Operation
    payload: dict[str, Any]
    note: NoteText | None
    digest: str
    written_id: str | None
    warnings: list[str] = field(default_factory=list)
    lead_id: str = ""
    note_id: str = ""
    action: str = "identical"

    @property
    def key(self) -> str:
        """The Lead's identity: its e-mail, which Zoho compares without regard to case."""
        return str(self.payload["Email"]).lower()


def translate_inquiry(inquiry: ShopInquiry, region: str) -> tuple[dict[str, Any], list[str]]:
    """The Lead's payload and what had to be left out; RecordInvalid when it cannot be one at all."""
    return _lead(split_name(inquiry.name), inquiry.email, inquiry.phone, inquiry.company, None, region)


def translate_quote(quote: ShopQuote, region: str) -> tuple[dict[str, Any], list[str]]:
    """As ``translate_inquiry``, from the customer who asked for the quote."""
    name = join_name(quote.first_name, quote.last_name)
    return _lead(name, quote.email, quote.phone, quote.company, quote.gstin, region)


def _lead(
    name: Name, email: str | None, phone: str | None, company: str | None, gstin: str | None, region: str
) -> tuple[dict[str, Any], list[str]]:
    number, bad_phone = clean_phone(phone, region)
    compact_gstin, bad_gstin = clean_gstin(gstin)
    payload = {
        "First_Name": clean_text(name.first),
        "Last_Name": clean_text(name.last) or "-",
        "Email": clean_email(email),
        "Phone": number,
        "Company": clean_text(company) or " ".join(part for part in (name.first, name.last) if part),
        "GSTIN": compact_gstin,
    }
    kept = {name: value for name, value in payload.items() if value is not None}
    return kept, [warning for warning in (bad_phone, bad_gstin) if warning]


async def push_leads(desk: CrmDesk, batch: Batch) -> None:
    """Bring a batch of inquiries to CRM: first the Leads, then their Notes, each step saved before the next."""
    drafts = await _check_fields(desk, batch, await _draft(desk, batch))
    drafts = await _push_leads(desk, batch, drafts)
    await _push_notes(desk, batch, drafts)


async def _draft(desk: CrmDesk, batch: Batch) -> list[Draft]:
    async with desk.pool.connection() as connection:
        inquiries = await read_inquiries(connection, _ids(batch, "inquiry"))
        quotes = await read_quotes(connection, _ids(batch, "quote"))
    drafts: list[Draft] = []
    ended: list[Report] = []
    for operation in batch.operations:
        record = (quotes if operation.entity == "quote" else inquiries).get(operation.record_id)
        if record is None:
            ended.append(Report(operation.operation_id, Outcome.SKIPPED, action="gone"))
            continue
        batch.note_record(operation, digest=record.digest, label=record.email)
        if not record.in_scope:
            ended.append(Report(operation.operation_id, Outcome.SKIPPED, action="out_of_scope", digest=record.digest))
            continue
        try:
            drafts.append(_translate(operation, record, desk.policy.phone_region))
        except RecordInvalid as error:
            ended.append(batch.judge(error, operation))
    await batch.finish(ended)
    return drafts


def _ids(batch: Batch, entity: str) -> list[str]:
    return [operation.record_id for operation in batch.operations if operation.entity == entity]


def _translate(operation: Operation, record: ShopInquiry | ShopQuote, region: str) -> Draft:
    if isinstance(record, ShopQuote):
        payload, warnings = translate_quote(record, region)
        note = write_quote_note(record) if record.lines else None
    else:
        payload, warnings = translate_inquiry(record, region)
        note = write_inquiry_note(record)
    warnings += note.warnings if note else ()
    return Draft(operation, payload, note, record.digest, record.zoho_crm_id, warnings)


async def _check_fields(desk: CrmDesk, batch: Batch, drafts: list[Draft]) -> list[Draft]:
    if not drafts:
        return drafts
    catalogue = await desk.catalogue(MODULE)
    kept: list[Draft] = []
    ended: list[Report] = []
    for draft in drafts:
        checked = catalogue.check(draft.payload)
        if checked.refusals:
            ended.append(_judged(batch, draft, checked.refusals[0]))
            continue
        draft.payload = checked.payload
        draft.warnings += [f"{warning.message} {warning.hint}".strip() for warning in checked.warnings]
        kept.append(draft)
    await batch.finish(ended)
    return kept


def _judged(batch: Batch, draft: Draft, error: ZohosyncError) -> Report:
    report = batch.judge(error, draft.operation)
    return replace(
        report,
        warnings=tuple(draft.warnings),
        zoho_module=MODULE if draft.lead_id else None,
        zoho_id=draft.lead_id or None,
        request={"module": MODULE, "record": draft.payload},
    )


async def _push_leads(desk: CrmDesk, batch: Batch, drafts: list[Draft]) -> list[Draft]:
    """One Lead for each e-mail of the batch; the latest inquiry of a person tells the Lead's values."""
    if not drafts:
        return drafts
    by_key: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_key.setdefault(draft.key, []).append(draft)
    async with desk.pool.connection() as connection:
        links = await find_links(connection, system="crm", module=MODULE, entity=ENTITY, record_ids=list(by_key))
    changed: dict[str, dict[str, Any]] = {}
    for key, group in by_key.items():
        link, payload = links.get(key), group[-1].payload
        if link is not None and link.zoho_id and link.fingerprint == fingerprint_of(payload):
            for draft in group:
                draft.lead_id = link.zoho_id
        else:
            changed[key] = payload
    fresh = {key for key in changed if key not in links or links[key].zoho_id is None}
    for key in fresh - await _claim_leads(desk, batch, {key: by_key[key] for key in fresh}):
        del changed[key]
        await batch.finish([_judged(batch, draft, _being_made(draft)) for draft in by_key[key]])
    await batch.finish(await _upsert(desk, batch, changed, by_key))
    return [draft for draft in drafts if draft.lead_id]


async def _claim_leads(desk: CrmDesk, batch: Batch, groups: dict[str, list[Draft]]) -> set[str]:
    """The e-mails whose Lead may be made now. Two inquiries of one person in two workers must not make two Leads."""
    if not groups:
        return set()
    organisation = await desk.organisation_id()
    async with desk.pool.connection() as connection:
        return await claim_creations(
            connection,
            system="crm",
            module=MODULE,
            entity=ENTITY,
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
        keys = [key for key in changed if _is_loud(desk, by_key[key]) is loud]
        if not keys:
            continue
        trigger = NEW_RECORD_AUTOMATIONS if loud else ()
        records = [changed[key] for key in keys]
        crm = desk.crm_for(batch)
        results = await crm.upsert_records(MODULE, records, duplicate_check_fields=("Email",), trigger=trigger)
        links: list[NewLink] = []
        for key, result in zip(keys, results, strict=True):
            if result.ok:
                links.append(NewLink(key, result.id, fingerprint_of(changed[key]), changed[key]))
                for draft in by_key[key]:
                    draft.lead_id, draft.action = result.id, result.action or "update"
                    batch.note_progress(draft.operation)
            else:
                assert result.error is not None
                refused += [_judged(batch, draft, result.error) for draft in by_key[key]]
        await _save(desk, links, refused=set(keys) - {link.record_id for link in links})
    return refused


def _is_loud(desk: CrmDesk, group: Sequence[Draft]) -> bool:
    return desk.policy.lead_automations and any(d.operation.cause in (Cause.CHANGE, Cause.MANUAL) for d in group)


async def _save(desk: CrmDesk, links: Sequence[NewLink], *, refused: set[str]) -> None:
    organisation = await desk.organisation_id()
    async with desk.pool.connection() as connection, connection.transaction():
        await save_links(
            connection, system="crm", module=MODULE, entity=ENTITY, organisation_id=organisation, links=links
        )
        await release_creations(connection, system="crm", module=MODULE, entity=ENTITY, record_ids=sorted(refused))


async def _push_notes(desk: CrmDesk, batch: Batch, drafts: list[Draft]) -> None:
    """One Note for each inquiry: rewritten by its id when it is known, looked for when an earlier attempt may have
    sent it, else added."""
    waiting = [draft for draft in drafts if draft.note is None]
    await _finish(desk, batch, [(draft, _lines_missing()) for draft in waiting])
    drafts = [draft for draft in drafts if draft.note is not None]
    for entity in ("inquiry", "quote"):
        mine = [draft for draft in drafts if draft.operation.entity == entity]
        if mine:
            await _push_notes_of(desk, batch, entity, mine)


def _lines_missing() -> NotReady:
    return NotReady("The quote has no lines yet; its Lead is in Zoho.", wait_for="lines", code="lines_missing")


async def _push_notes_of(desk: CrmDesk, batch: Batch, entity: str, drafts: list[Draft]) -> None:
    keys = [draft.operation.record_id for draft in drafts]
    async with desk.pool.connection() as connection:
        links = await find_links(connection, system="crm", module=NOTES, entity=entity, record_ids=keys)
    crm = desk.crm_for(batch)
    done = [draft for draft in drafts if _is_known(draft, links.get(draft.operation.record_id))]
    await _finish(desk, batch, [(draft, None) for draft in done])
    left = await _look(desk, batch, crm, [draft for draft in drafts if draft not in done], links)
    rewrite = [draft for draft in left if draft.note_id]
    if rewrite:
        notes = [(draft.note_id, *_title_and_content(draft)) for draft in rewrite]
        await _keep_notes(desk, batch, entity, rewrite, await crm.update_notes(notes))
    new = [draft for draft in left if not draft.note_id]
    if new:
        await _claim(desk, batch, entity, new)
        added = [(draft.lead_id, *_title_and_content(draft)) for draft in new]
        await _keep_notes(desk, batch, entity, new, await crm.insert_notes(MODULE, added))


def _is_known(draft: Draft, link: Link | None) -> bool:
    """Whether Zoho has exactly this Note."""
    return link is not None and bool(link.zoho_id) and link.fingerprint == fingerprint_of(_note_payload(draft))


async def _look(
    desk: CrmDesk, batch: Batch, crm: Crm, drafts: Sequence[Draft], links: Mapping[str, Link]
) -> list[Draft]:
    """Fill in the ids of Notes that exist. After doubt a Note is looked for by its title before it is sent again; an
    inquiry whose look fails ends here, the others go on."""
    found: dict[str, Sequence[Note] | ZohoFailure] = {}
    failed: list[tuple[Draft, ZohosyncError | None]] = []
    left: list[Draft] = []
    for draft in drafts:
        link = links.get(draft.operation.record_id)
        draft.note_id = (link.zoho_id or "") if link is not None else ""
        if link is not None and not draft.note_id:
            if draft.lead_id not in found:
                found[draft.lead_id] = await _list_notes(crm, draft.lead_id)
            notes = found[draft.lead_id]
            if isinstance(notes, ZohoFailure):
                failed.append((draft, notes))
                continue
            title, _ = _title_and_content(draft)
            draft.note_id = next((note.id for note in notes if note.title == title), "")
        left.append(draft)
    await _finish(desk, batch, failed)
    return left


async def _list_notes(crm: Crm, lead_id: str) -> Sequence[Note] | ZohoFailure:
    try:
        return await crm.list_notes(MODULE, lead_id)
    except ZohoFailure as error:
        return error


def _title_and_content(draft: Draft) -> tuple[str, str]:
    assert draft.note is not None
    return draft.note.title, draft.note.content


def _note_payload(draft: Draft) -> dict[str, Any]:
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
                Creation(draft.operation.record_id, _title_and_content(draft)[0], draft.operation.operation_id)
                for draft in drafts
            ],
            hold=batch.lease.duration,
        )


async def _keep_notes(
    desk: CrmDesk, batch: Batch, entity: str, drafts: Sequence[Draft], results: Sequence[Any]
) -> None:
    links: list[NewLink] = []
    ended: list[tuple[Draft, ZohosyncError | None]] = []
    lost_leads: list[str] = []
    lost_notes: list[str] = []
    for draft, result in zip(drafts, results, strict=True):
        if result.ok:
            payload = _note_payload(draft)
            links.append(NewLink(draft.operation.record_id, result.id, fingerprint_of(payload), payload))
            ended.append((draft, None))
        elif draft.note_id and result.error.reason == "zoho_record_absent":
            lost_notes.append(draft.operation.record_id)
            ended.append((draft, _vanished(f"Note {draft.note_id}")))
        elif not draft.note_id and _names_parent(result.error):
            lost_leads.append(draft.key)
            ended.append((draft, _vanished(f"Lead {draft.lead_id}")))
        else:
            ended.append((draft, result.error))

    organisation = await desk.organisation_id()

    async def save(connection: Connection, held: set[int]) -> None:
        mine = {draft.operation.record_id for draft in drafts if draft.operation.operation_id in held}
        await save_links(
            connection,
            system="crm",
            module=NOTES,
            entity=entity,
            organisation_id=organisation,
            links=[link for link in links if link.record_id in mine],
        )
        for module, of_entity, lost in ((MODULE, ENTITY, lost_leads), (NOTES, entity, lost_notes)):
            for record_id in lost:
                await forget_link(connection, system="crm", module=module, entity=of_entity, record_id=record_id)

    await _finish(desk, batch, ended, save)


def _names_parent(error: Any) -> bool:
    return "Parent_Id" in (getattr(error, "field", ""), str(getattr(error, "details", {}).get("json_path", "")))


def _vanished(what: str) -> ZohoUnavailable:
    return ZohoUnavailable(f"{what} is no longer in Zoho.", hint="A new one is made.", code="record_deleted")


async def _finish(
    desk: CrmDesk,  # noqa: ARG001 - every step of a stream takes the desk first
    batch: Batch,
    ended: Sequence[tuple[Draft, ZohosyncError | None]],
    save: Callable[[Connection, set[int]], Any] | None = None,
) -> None:
    """End inquiries. The Lead's id is written into the shop even while the Note still waits."""

    async def also(connection: Connection, held: set[int]) -> None:
        if save is not None:
            await save(connection, held)
        for entity in ("inquiry", "quote"):
            ids = {
                draft.operation.record_id: draft.lead_id
                for draft, _ in ended
                if draft.operation.entity == entity
                and draft.operation.operation_id in held
                and draft.lead_id
                and draft.written_id != draft.lead_id
            }
            await write_back(connection, entity=entity, system="crm", ids=ids)

    await batch.finish([_report(batch, draft, error) for draft, error in ended], also)


def _report(batch: Batch, draft: Draft, error: ZohosyncError | None) -> Report:
    if error is not None:
        return _judged(batch, draft, error)
    return Report(
        draft.operation.operation_id,
        Outcome.SUCCEEDED,
        warnings=tuple(draft.warnings),
        zoho_module=MODULE,
        zoho_id=draft.lead_id,
        action=draft.action,
        label=str(draft.payload["Email"]),
        digest=draft.digest,
        request={"module": MODULE, "record": draft.payload, "note": _note_payload(draft)},
        response={"id": draft.lead_id, "action": draft.action},
    )
