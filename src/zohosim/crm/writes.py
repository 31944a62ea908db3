"""The writes: insert, update, upsert and delete, one result per record, in order.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, update-records.html, delete-records.html
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, RecordRefused, Refused, error
from zohosim.calls import Call
from zohosim.clock import read_iso
from zohosim.crm.external import external_target, resolve_lookups
from zohosim.crm.records import Module, Record
from zohosim.crm.values import BadValue
from zohosim.faults import SHAPE, Fault

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

MOST_RECORDS = 100
Treat = Callable[["Batch", Json, int], Json]


@dataclass(slots=True)
class Batch:
    """One write call: its module, what it carries, and the faults that may strike its records."""

    sim: "Simulator"
    call: Call
    module: Module
    records: list[Any]
    user: Json
    faults: list[Fault]
    mandatory: list[str]
    unmodified_since: float | None
    changes: dict[str, list[str]] = field(default_factory=lambda: {"insert": [], "update": [], "delete": []})
    """Ids written so far, by what was done to them."""

    def run(self, treat: Treat) -> list[Json]:
        return [self._one(treat, given, row) for row, given in enumerate(self.records)]

    def _one(self, treat: Treat, given: Any, row: int) -> Json:
        if not isinstance(given, dict):
            return error(
                "INVALID_DATA", "invalid data", {"expected_data_type": "jsonobject", "json_path": f"$.data[{row}]"}
            )
        try:
            if self.faults:
                refuse_by_fault(self.faults, given, row)
            return treat(self, given, row)
        except RecordRefused as refusal:
            return refusal.result


def open_batch(sim: "Simulator", call: Call, records: list[Any] | None = None) -> Batch:
    module = sim.crm.module(call.module)
    return Batch(
        sim=sim,
        call=call,
        module=module,
        records=read_data(sim, call) if records is None else records,
        user=sim.crm.organisation.user,
        faults=sim.faults.on_records(call),
        mandatory=[*module.mandatory, *sim.faults.mandatory(module.api_name)],
        unmodified_since=read_iso(call.headers.get("if-unmodified-since", "")),
    )


def read_body(sim: "Simulator", call: Call) -> Json:
    """The JSON object of the body, whatever its Content-Type; Refused otherwise."""
    if not call.readable:
        raise Refused(
            400, sim.switches["unparsable_body_code"], "either the request body or parameters is in wrong format"
        )
    if not isinstance(call.payload, dict):
        raise Refused(400, "INVALID_DATA", "body", {"expected_data_type": "jsonobject"})
    return call.payload


def read_data(sim: "Simulator", call: Call, name: str = "data", most: int = MOST_RECORDS) -> list[Any]:
    """The array under `name`: present, not empty, not too long."""
    body = read_body(sim, call)
    place = {"api_name": name, "json_path": f"$.{name}"}
    if name not in body:
        raise Refused(400, "MANDATORY_NOT_FOUND", "required field not found", place)
    data = body[name]
    if not isinstance(data, list) or not data:
        raise Refused(400, "INVALID_DATA", "invalid data", {"expected_data_type": "jsonarray", **place})
    if len(data) > most:
        raise Refused(400, "INVALID_DATA", "invalid data", {"maximum_length": most, **place})
    return data


def refuse_by_fault(faults: list[Fault], given: Json, row: int) -> None:
    for fault in faults:
        if fault.match.record is not None and not fault.match.record.meets(given):
            continue
        if fault.left != 0 and fault.strikes():
            raise ordered_refusal(fault, row)


def ordered_refusal(fault: Fault, row: int) -> RecordRefused:
    options = fault.options
    if fault.kind == "record_locked":
        place = {"api_name": "id", "action": "update", "json_path": f"$.data[{row}]"}
        return RecordRefused("RECORD_LOCKED", "cannot perform this operation as the record is locked", place)
    if fault.kind == "not_approved":
        return RecordRefused(
            "NOT_APPROVED", "Cannot update record that is not approved yet", {"resource_path_index": row}
        )
    details = dict(options.get("details") or {})
    if "api_name" in details:
        details.setdefault("json_path", f"$.data[{row}].{details['api_name']}")
    return RecordRefused(options.get("code", "INVALID_DATA"), options.get("message", "invalid data"), details)


# Reading one record


def read_values(batch: Batch, given: Json, row: int) -> Json:
    """The record's values as stored. Unknown keys are ignored, as Zoho does; wrong values refuse the record."""
    module, switches = batch.module, batch.sim.switches
    values: Json = {}
    wrong: list[Json] = []
    for name, value in resolve_lookups(batch.sim, batch.call, module, given).items():
        reader = module.readers.get(name)
        if reader is None:
            if name in module.fields and name != "id" and switches["read_only_fields"] == "reject":
                wrong.append(bad_value(name, row, BadValue({})))
            continue
        if value is None or (value == "" and name in module.clearable and switches["empty_string_clears"]):
            values[name] = None
            continue
        try:
            values[name] = reader(value)
        except BadValue as bad:
            wrong.append(bad_value(name, row, bad))
    if wrong:
        raise refusal_of(wrong, all_of_them=switches["report_all_errors"])
    return values


def bad_value(name: str, row: int, bad: BadValue) -> Json:
    path = f"$.data[{row}].{name}" + (f".{bad.inside}" if bad.inside else "")
    return error("INVALID_DATA", "invalid data", {**bad.details, "api_name": name, "json_path": path})


def refusal_of(errors: list[Json], *, all_of_them: bool) -> RecordRefused:
    """The first error by itself, or all of them wrapped."""
    first = errors[0]
    if len(errors) > 1 and all_of_them:
        return RecordRefused("MULTIPLE_OR_MULTI_ERRORS", "Multiple errors in the request", {"errors": errors})
    return RecordRefused(first["code"], first["message"], first["details"])


def require(batch: Batch, values: Json, row: int, record: Record | None, given: Json) -> None:
    """Mandatory fields: there on an insert, not cleared on an update; layout ones only when Layout is sent."""
    names = list(batch.mandatory)
    if given.get("Layout"):
        names += [f.api_name for f in batch.module.fields.values() if f.layout_mandatory]
    for name in names:
        if (name in values or record is None) and values.get(name) is None:
            details = {"api_name": name, "json_path": f"$.data[{row}].{name}"}
            extra = {"id": record.id} if record is not None else {}
            raise RecordRefused("MANDATORY_NOT_FOUND", "required field not found", {**details, **extra})


# Clashes


def clashes(module: Module, values: Json, record: Record | None) -> list[tuple[str, Record]]:
    """Unique fields of the payload whose value another record already has."""
    found = []
    for name in module.keyed:
        value = values.get(name)
        if value is None:
            continue
        for holder in module.holders(name, value):
            if record is None or holder.id != record.id:
                found.append((name, holder))
                break
    return found


def refuse_clashes(batch: Batch, values: Json, row: int, record: Record | None) -> None:
    found = clashes(batch.module, values, record) if batch.module.keyed else []
    if found:
        raise refusal_of([duplicate(batch, name, holder, row) for name, holder in found], all_of_them=True)


def duplicate(batch: Batch, name: str, holder: Record, row: int) -> Json:
    module = batch.module
    details = {
        "api_name": name,
        "json_path": f"$.data[{row}].{name}",
        "duplicate_record": {
            "id": holder.id,
            "module": {"api_name": module.api_name, "id": module.blueprint.id},
            "Owner": batch.sim.crm.organisation.owner_with_zuid(holder.owner),
        },
        "more_records": False,
    }
    return error("DUPLICATE_DATA", "duplicate data", details)


# Storing


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
    if len(ids) > MOST_RECORDS:
        raise Refused(400, "LIMIT_EXCEEDED", "too many ids", {"limit": MOST_RECORDS, "param_name": "ids"})
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


def told(batch: Batch, results: list[Json], success: int) -> Answer:
    """All accepted: `success`; some: 207; none: 400 (412 when every record had moved on)."""
    bad = sum(result["status"] == "error" for result in results)
    batch.sim.wrote(batch.module, batch.call, batch.changes)
    touched = [record_id for ids in batch.changes.values() for record_id in ids]
    return Answer({"data": results}, status_of(batch, results, bad, success), touched=touched)


def status_of(batch: Batch, results: list[Json], bad: int, success: int) -> int:
    if not bad:
        return success
    if bad < len(results):
        return 200 if batch.sim.faults.take(batch.call, SHAPE) else int(batch.sim.switches["mixed_status"])
    return 412 if all(result["code"] == "ALREADY_MODIFIED" for result in results) else 400
