"""The upsert: which record a payload means, by the documented order of fields.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json, Refused
from zohosim.calls import Call
from zohosim.crm.batch import Batch, open_batch, read_body, told
from zohosim.crm.checks import read_values, refuse_clashes, require
from zohosim.crm.records import Module, Record
from zohosim.crm.writes import accepted, add, change

if TYPE_CHECKING:
    from zohosim.simulator import Simulator


def upsert_records(sim: "Simulator", call: Call) -> Answer:
    batch = open_batch(sim, call)
    order = check_order(batch.module, asked_fields(sim, call))
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


def check_order(module: Module, asked: list[str] | None) -> list[str]:
    """Fields to compare, in order.

    User-made unique fields are always compared, the asked ones first; the system field only when it is
    asked for or nothing is.
    """
    if asked is None:
        return [name for name in (module.key, *module.keyed) if name]
    for place, name in enumerate(asked):
        if name != module.key and name not in module.keyed:
            details = {"api_name": name, "json_path": f"$.duplicate_check_fields[{place}]"}
            raise Refused(400, "INVALID_DATA", "the given field is not a duplicate check field", details)
    system = [module.key] if module.key in asked else []
    return list(dict.fromkeys([*system, *asked, *module.keyed]))


def upsert_one(batch: Batch, given: Json, row: int, order: list[str]) -> Json:
    """Update the first match in order, or insert; a later unique field held by another record refuses."""
    values = read_values(batch, given, row)
    record, matched = find_match(batch, values, order)
    require(batch, values, row, record, given if record is None else {})
    refuse_clashes(batch, values, row, record)
    if record is None:
        return accepted(add(batch, values, given), "record added", duplicate_field=None, action="insert")
    change(batch, record, values, row)
    return accepted(record, "record updated", duplicate_field=matched, action="update")


def find_match(batch: Batch, values: Json, order: list[str]) -> tuple[Record | None, str | None]:
    """Converted leads have left the active records and are not matched."""
    for name in order:
        value = values.get(name)
        if value is None:
            continue
        holders = [holder for holder in batch.module.holders(name, value) if not holder.converted]
        if holders:
            return choose(batch, holders), name
    return None, None


def choose(batch: Batch, holders: list[Record]) -> Record:
    return holders[-1] if batch.sim.switches["duplicate_choice"] == "newest" else holders[0]
