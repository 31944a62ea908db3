"""The upsert: which record a payload means, by the documented order of fields.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json, RecordRefused, Refused
from zohosim.calls import Call
from zohosim.crm.batch import Batch, open_batch, read_body, told
from zohosim.crm.checks import duplicate, read_values, refuse_clashes, require
from zohosim.crm.records import Module, Record
from zohosim.crm.writes import accepted, add, change

if TYPE_CHECKING:
    from zohosim.simulator import Simulator


def upsert_records(sim: "Simulator", call: Call) -> Answer:
    batch = open_batch(sim, call)
    asked = known_fields(batch, asked_fields(sim, call))
    order = check_order(batch.module, asked)
    results = batch.run(lambda b, given, row: upsert_one(b, given, row, order))
    inserted = any(result.get("action") == "insert" for result in results)
    return told(batch, results, sim.switches["upsert_insert_status"] if inserted else 200)


def asked_fields(sim: "Simulator", call: Call) -> list[str] | None:
    """`duplicate_check_fields` of the body; an empty array counts as absent."""
    asked = read_body(sim, call).get("duplicate_check_fields")
    if asked is None:
        return None
    if not isinstance(asked, list):
        place = {"api_name": "duplicate_check_fields", "json_path": "$.duplicate_check_fields"}
        raise Refused(400, "INVALID_DATA", "invalid data", {"expected_data_type": "jsonarray", **place})
    return [str(name) for name in asked] or None


def known_fields(batch: Batch, asked: list[str] | None) -> list[str] | None:
    """The asked fields that may be asked; one that may not refuses the request, each record, or nothing."""
    allowed = {batch.module.key, *batch.module.keyed}
    for place, name in enumerate(asked or []):
        if name in allowed or batch.sim.switches["bad_duplicate_check_field"] == "ignore":
            continue
        details = {"api_name": name, "json_path": f"$.duplicate_check_fields[{place}]"}
        message = "the given field is not a duplicate check field"
        if batch.sim.switches["bad_duplicate_check_field"] == "refuse_request":
            raise Refused(400, "INVALID_DATA", message, details)
        batch.refusal = RecordRefused("INVALID_DATA", message, details)
    return [name for name in asked or [] if name in allowed] or None


def check_order(module: Module, asked: list[str] | None) -> list[str]:
    """Fields to compare, in order.

    User-made unique fields are always compared, the asked ones first; the system field only when it is
    asked for or nothing is.
    """
    if asked is None:
        return [name for name in (module.key, *module.keyed) if name]
    system = [module.key] if module.key in asked else []
    return list(dict.fromkeys([*system, *asked, *module.keyed]))


def upsert_one(batch: Batch, given: Json, row: int, order: list[str]) -> Json:
    """Update the first match in order, or insert; a later unique field held by another record refuses."""
    values = read_values(batch, given, row)
    record, matched = find_match(batch, values, order)
    complete = bool(batch.sim.switches["upsert_update_needs_mandatory"])
    require(batch, values, row, record, given if record is None else {}, complete=complete)
    refuse_clashes(batch, values, row, record)
    if record is not None and matched is not None:
        refuse_repetition(batch, record, matched, row)
    if record is None:
        return accepted(add(batch, values, given), "record added", duplicate_field=None, action="insert")
    change(batch, record, values, row)
    return accepted(record, "record updated", duplicate_field=matched, action="update")


def refuse_repetition(batch: Batch, record: Record, matched: str, row: int) -> None:
    """A record this very call has written already, when the switch says that it is met only once."""
    written = record.id in batch.changes["insert"] or record.id in batch.changes["update"]
    if written and batch.sim.switches["same_key_in_batch"] == "refuse_second":
        told = duplicate(batch, matched, record, row)
        raise RecordRefused(told["code"], told["message"], told["details"])


def find_match(batch: Batch, values: Json, order: list[str]) -> tuple[Record | None, str | None]:
    """Converted leads have left the active records and are not matched."""
    for name in order:
        value = values.get(name)
        if value is None:
            continue
        holders = [holder for holder in batch.module.holders(name, value) if not holder.converted]
        if name == "Email" and not batch.sim.switches["email_ignores_case"]:
            holders = [holder for holder in holders if holder.values.get(name) == value]
        if holders:
            return choose(batch, holders), name
    return None, None


def choose(batch: Batch, holders: list[Record]) -> Record:
    return holders[-1] if batch.sim.switches["duplicate_choice"] == "newest" else holders[0]
