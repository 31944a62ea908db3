"""The checks of one record: its values, what it must have, what it must not share with another.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
"""

from typing import Any

from zohosim.answers import Json, RecordRefused, error
from zohosim.crm.batch import Batch
from zohosim.crm.external import resolve_lookups
from zohosim.crm.records import Module, Record
from zohosim.crm.values import BadValue


def read_values(batch: Batch, given: Json, row: int) -> Json:
    """The record's values as stored. Unknown keys are ignored unless switched; wrong values refuse the record."""
    module, switches = batch.module, batch.sim.switches
    values: Json = {}
    wrong: list[Json] = []
    for name, value in resolve_lookups(batch.sim, batch.call, module, given).items():
        reader = module.readers.get(name)
        if reader is None:
            if unwanted(batch, name, given):
                wrong.append(bad_value(name, row, BadValue({})))
            continue
        if value is None or (value == "" and name in module.clearable and switches["empty_string_clears"]):
            values[name] = None
            continue
        try:
            values[name] = as_stored(batch, reader(value))
        except BadValue as bad:
            wrong.append(bad_value(name, row, bad))
    if wrong:
        raise refusal_of(wrong, all_of_them=switches["report_all_errors"])
    return values


def unwanted(batch: Batch, name: str, given: Json) -> bool:
    """Whether a key that cannot be written refuses the record: a read-only field, or no field at all."""
    switches = batch.sim.switches
    if name == "id" or name.startswith("$"):
        return False
    if name in batch.module.fields:
        return bool(switches["read_only_fields"] == "reject")
    switch = "unknown_keys_with_layout" if given.get("Layout") else "unknown_keys"
    return bool(switches[switch] == "reject")


def as_stored(batch: Batch, value: Any) -> Any:
    """Texts as the switches want them: trimmed, and with or without letters of four bytes."""
    if not isinstance(value, str):
        return value
    switches = batch.sim.switches
    text = value.strip() if switches["trim_strings"] else value
    if switches["emoji"] != "store" and any(letter > "\uffff" for letter in text):
        if switches["emoji"] == "reject":
            raise BadValue({})
        text = "".join(letter for letter in text if letter <= "\uffff")
    return text or None


def bad_value(name: str, row: int, bad: BadValue) -> Json:
    path = f"$.data[{row}].{name}" + (f".{bad.inside}" if bad.inside else "")
    return error("INVALID_DATA", "invalid data", {**bad.details, "api_name": name, "json_path": path})


def refusal_of(errors: list[Json], *, all_of_them: bool) -> RecordRefused:
    """The first error by itself, or all of them wrapped."""
    first = errors[0]
    if len(errors) > 1 and all_of_them:
        return RecordRefused("MULTIPLE_OR_MULTI_ERRORS", "Multiple errors in the request", {"errors": errors})
    return RecordRefused(first["code"], first["message"], first["details"])


def require(
    batch: Batch, values: Json, row: int, record: Record | None, given: Json, *, complete: bool = False
) -> None:
    """Mandatory fields: there on an insert, not cleared on an update (`complete`: there, too); layout ones only when
    Layout is sent."""
    names = list(batch.mandatory)
    if given.get("Layout"):
        names += [f.api_name for f in batch.module.fields.values() if f.layout_mandatory]
    for name in names:
        if (name in values or record is None or complete) and values.get(name) is None:
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
