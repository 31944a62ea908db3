"""The writes: insert, update, upsert and delete, one result per record, in order.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, update-records.html, delete-records.html
"""

from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, RecordRefused, Refused
from zohosim.calls import Call
from zohosim.crm.batch import Batch, open_batch, told
from zohosim.crm.checks import read_values, refuse_clashes, require
from zohosim.crm.external import external_target
from zohosim.crm.records import Record

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

MOST_IDS = 100


def add(batch: Batch, values: Json, given: Json) -> Record:
    record = batch.module.insert(values, batch.user)
    record.approved = given.get("$approved") is not False
    batch.changes["insert"].append(record.id)
    return record


def change(batch: Batch, record: Record, values: Json, row: int) -> None:
    """Refuse what the record's state forbids, then store."""
    if record.locked:
        place = {"api_name": "id", "action": "update", "json_path": f"$.data[{row}].id"}
        raise RecordRefused("RECORD_LOCKED", "cannot perform this operation as the record is locked", place)
    if not record.approved:
        raise RecordRefused(
            "NOT_APPROVED", "Cannot update record that is not approved yet", {"resource_path_index": row}
        )
    refuse_late(batch, record)
    batch.module.update(record, values, batch.user)
    batch.changes["update"].append(record.id)


def refuse_late(batch: Batch, record: Record) -> None:
    since = batch.unmodified_since
    if since is not None and int(record.modified_at) > int(since):
        raise RecordRefused(
            "ALREADY_MODIFIED",
            "record updated time has already passed if-unmodified-since time",
            times_of(record),
        )


def times_of(record: Record) -> Json:
    return {
        "Modified_Time": record.modified_time,
        "Modified_By": record.modified_by,
        "Created_Time": record.created_time,
        "id": record.id,
        "Created_By": record.created_by,
    }


def accepted(record: Record, message: str, **more: Any) -> Json:
    state = "approved" if record.approved else "approval_process_pending"
    details = {**times_of(record), "$approval_state": state}
    return {"code": "SUCCESS", **more, "details": details, "message": message, "status": "success"}


# The calls


def insert_records(sim: "Simulator", call: Call) -> Answer:
    batch = open_batch(sim, call)
    return told(batch, batch.run(insert_one), 201)


def insert_one(batch: Batch, given: Json, row: int) -> Json:
    """A plain insert compares unique fields only: a second record with the same e-mail is fine."""
    values = read_values(batch, given, row)
    require(batch, values, row, None, given)
    refuse_clashes(batch, values, row, None)
    return accepted(add(batch, values, given), "record added")


def update_records(sim: "Simulator", call: Call) -> Answer:
    batch = open_batch(sim, call)
    return told(batch, batch.run(update_one), 200)


def update_record(sim: "Simulator", call: Call) -> Answer:
    """PUT /{Module}/{id}: the body carries one record; the path (or X-EXTERNAL) says which."""
    batch = open_batch(sim, call)
    batch.records = batch.records[:1]
    record_id = external_target(call, batch.module)
    return told(batch, batch.run(lambda b, given, row: update_one(b, {**given, "id": record_id}, row)), 200)


def update_one(batch: Batch, given: Json, row: int) -> Json:
    if given.get("id") in (None, ""):
        details = {"api_name": "id", "json_path": f"$.data[{row}].id"}
        raise RecordRefused("MANDATORY_NOT_FOUND", "required field not found", details)
    record = batch.module.records.get(str(given["id"]))
    if record is not None and record.converted and batch.sim.switches["converted_lead_code"] != "INVALID_DATA":
        code = batch.sim.switches["converted_lead_code"]
        raise RecordRefused(code, "the id given is already converted", {"resource_path_index": 1})
    if record is None or record.converted:
        details = {"api_name": "id", "json_path": f"$.data[{row}].id"}
        raise RecordRefused("INVALID_DATA", "the id given seems to be invalid", details)
    values = read_values(batch, given, row)
    require(batch, values, row, record, {})
    refuse_clashes(batch, values, row, record)
    change(batch, record, values, row)
    return accepted(record, "record updated")


def delete_records(sim: "Simulator", call: Call) -> Answer:
    ids = [part for part in call.params.get("ids", "").split(",") if part]
    if not ids:
        raise Refused(
            400, "REQUIRED_PARAM_MISSING", "One of the expected parameters is missing.", {"param_name": "ids"}
        )
    if len(ids) > MOST_IDS:
        raise Refused(400, "LIMIT_EXCEEDED", "too many ids", {"limit": MOST_IDS, "param_name": "ids"})
    batch = open_batch(sim, call, [{"id": record_id} for record_id in ids])
    return told(batch, batch.run(delete_one), 200)


def delete_record(sim: "Simulator", call: Call) -> Answer:
    batch = open_batch(sim, call, [])
    batch.records = [{"id": external_target(call, batch.module)}]
    return told(batch, batch.run(delete_one), 200)


def delete_one(batch: Batch, given: Json, _row: int) -> Json:
    record = batch.module.records.get(given["id"])
    if record is None:
        raise RecordRefused("INVALID_DATA", "the id given seems to be invalid", {"id": given["id"]})
    if record.locked:
        raise RecordRefused("RECORD_LOCKED", "cannot perform this operation as the record is locked", {"id": record.id})
    delete_notes(batch, record)
    batch.module.delete(record, batch.user)
    batch.changes["delete"].append(record.id)
    return {"code": "SUCCESS", "details": {"id": record.id}, "message": "record deleted", "status": "success"}


def delete_notes(batch: Batch, record: Record) -> None:
    """A record takes its notes with it."""
    notes = batch.sim.crm.modules["Notes"]
    for note in notes.holders("Parent_Id", {"id": record.id}):
        notes.delete(note, batch.user)
