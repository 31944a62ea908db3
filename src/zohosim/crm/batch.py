"""The batch: one write call, its body, the faults that may strike its records, and its answer.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, status-codes.html
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, RecordRefused, Refused, error
from zohosim.calls import Call
from zohosim.clock import read_iso
from zohosim.crm.records import Module
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
    refusal: RecordRefused | None = None
    """What every record is refused with, when the request itself was wrong."""

    def run(self, treat: Treat) -> list[Json]:
        return [self._one(treat, given, row) for row, given in enumerate(self.records)]

    def _one(self, treat: Treat, given: Any, row: int) -> Json:
        if not isinstance(given, dict):
            return error(
                "INVALID_DATA", "invalid data", {"expected_data_type": "jsonobject", "json_path": f"$.data[{row}]"}
            )
        try:
            if self.refusal is not None:
                raise self.refusal
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
        code = sim.switches["oversized_batch_code"] if name == "data" else "INVALID_DATA"
        raise Refused(400, code, "invalid data", {"maximum_length": most, **place})
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
