"""Inquiries on the way to CRM: contact forms and quote requests, read from the shop and put into a Lead's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from zohosync.db.pool import Connection
from zohosync.errors import RecordInvalid, ZohosyncError
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Operation, Outcome, Report
from zohosync.store.shop import (
    Asked,
    ShopInquiry,
    ShopQuote,
    find_newest_inquiries,
    read_each,
    read_inquiries,
    read_quotes,
)
from zohosync.sync.desk import CrmDesk
from zohosync.sync.notes import NoteText, write_inquiry_note, write_quote_note
from zohosync.sync.person import Name, clean_email, clean_gstin, clean_phone, clean_text, join_name, split_name
from zohosync.zoho.fields import FieldCatalogue, Warned

LEADS = "Leads"


@dataclass(slots=True)
class Draft:
    """One inquiry on the way to Zoho. ``note`` is None while a quote has no lines yet."""

    operation: Operation
    payload: dict[str, Any]
    note: NoteText | None
    digest: str
    asked_at: float
    written_id: str | None
    warnings: list[Warned] = field(default_factory=list)
    lead_id: str = ""
    note_id: str = ""
    action: str = "identical"

    @property
    def key(self) -> str:
        """The Lead's identity: its e-mail, which Zoho compares without regard to case."""
        return str(self.payload["Email"]).lower()

    @property
    def asked(self) -> Asked:
        """Its place among the inquiries of its person."""
        return Asked(self.asked_at, self.operation.entity, self.operation.record_id)


def translate_inquiry(inquiry: ShopInquiry, region: str) -> tuple[dict[str, Any], list[Warned]]:
    """The Lead's payload and what had to be left out; RecordInvalid when it cannot be one at all."""
    return _lead(split_name(inquiry.name), inquiry.email, inquiry.phone, inquiry.company, None, region)


def translate_quote(quote: ShopQuote, region: str) -> tuple[dict[str, Any], list[Warned]]:
    """As ``translate_inquiry``, from the customer who asked for the quote."""
    name = join_name(quote.first_name, quote.last_name)
    return _lead(name, quote.email, quote.phone, quote.company, quote.gstin, region)


def _lead(
    name: Name, email: str | None, phone: str | None, company: str | None, gstin: str | None, region: str
) -> tuple[dict[str, Any], list[Warned]]:
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


async def draft_inquiries(desk: CrmDesk, batch: Batch) -> list[Draft]:
    """Every inquiry of the batch that can go to Zoho; the others end here, each with its reason."""
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
            ended.append(Report(operation.operation_id, Outcome.SKIPPED, action="out_of_scope"))
            continue
        try:
            drafts.append(draft_inquiry(operation, record, desk.policy.phone_region))
        except RecordInvalid as error:
            ended.append(batch.judge(error, operation))
    await batch.finish(ended)
    drafts.sort(key=lambda draft: draft.asked)  # the newest inquiry tells the Lead's values
    return await _check_fields(desk, batch, drafts)


def _ids(batch: Batch, entity: str) -> list[str]:
    return [operation.record_id for operation in batch.operations if operation.entity == entity]


def draft_inquiry(operation: Operation, record: ShopInquiry | ShopQuote, region: str) -> Draft:
    """The inquiry in Zoho's words; RecordInvalid when that cannot be. Pure."""
    if isinstance(record, ShopQuote):
        payload, warnings = translate_quote(record, region)
        note = write_quote_note(record) if record.lines else None
    else:
        payload, warnings = translate_inquiry(record, region)
        note = write_inquiry_note(record)
    warnings += note.warnings if note else ()
    return Draft(operation, payload, note, record.digest, record.asked_at or 0.0, record.zoho_crm_id, warnings)


def fit_inquiry(draft: Draft, catalogue: FieldCatalogue) -> None:
    """Leave out what Zoho's fields do not allow, with a warning; RecordInvalid when it cannot be sent at all."""
    checked = catalogue.check(draft.payload)
    if checked.refusals:
        raise checked.refusals[0]
    draft.payload = checked.payload
    draft.warnings += checked.warnings


async def _check_fields(desk: CrmDesk, batch: Batch, drafts: list[Draft]) -> list[Draft]:
    if not drafts:
        return drafts
    catalogue = await desk.catalogue(LEADS)
    kept: list[Draft] = []
    ended: list[Report] = []
    for draft in drafts:
        try:
            fit_inquiry(draft, catalogue)
        except RecordInvalid as error:
            ended.append(judged(batch, draft, error))
        else:
            kept.append(draft)
    await batch.finish(ended)
    return kept


async def find_newer(connection: Connection, newest: Mapping[str, Draft]) -> dict[str, Asked]:
    """Where the shop has a newer inquiry of the same person than this one, by e-mail: that one tells the Lead's values,
    whenever this one is sent."""
    found = await find_newest_inquiries(connection, list(newest))
    return {key: asked for key, asked in found.items() if asked > newest[key].asked}


async def read_lead_values(
    connection: Connection, wanted: Mapping[str, Asked], *, region: str, catalogue: FieldCatalogue
) -> dict[str, dict[str, Any]]:
    """The Leads' payloads these inquiries tell, by e-mail; absent where one cannot be a Lead."""
    ids = {
        entity: [one.record_id for one in wanted.values() if one.entity == entity] for entity in ("inquiry", "quote")
    }
    inquiries, _ = await read_each(connection, read_inquiries, ids["inquiry"])
    quotes, _ = await read_each(connection, read_quotes, ids["quote"])
    values: dict[str, dict[str, Any]] = {}
    for key, asked in wanted.items():
        try:
            if asked.entity == "quote":
                payload, _ = translate_quote(quotes[asked.record_id], region)
            else:
                payload, _ = translate_inquiry(inquiries[asked.record_id], region)
        except (KeyError, RecordInvalid):
            continue
        checked = catalogue.check(payload)
        if not checked.refusals:
            values[key] = checked.payload
    return values


def judged(batch: Batch, draft: Draft, error: ZohosyncError) -> Report:
    """What an error means for one inquiry, with what was sent and reached."""
    report = batch.judge(error, draft.operation)
    return replace(
        report,
        warnings=tuple(map(str, draft.warnings)),
        zoho_module=LEADS if draft.lead_id else None,
        zoho_id=draft.lead_id or None,
        request={"module": LEADS, "record": draft.payload},
    )
