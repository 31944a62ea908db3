"""The settings: fields of a module, read and made through the API.

https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html, create-custom-field.html
"""

from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, RecordRefused, error, nothing
from zohosim.calls import Call
from zohosim.crm.batch import read_data
from zohosim.crm.fields import Field, api_name_of, describe
from zohosim.crm.reads import missing_param
from zohosim.crm.records import Module
from zohosim.limits import EDITIONS

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

MOST_UNIQUE = 2
RESERVED = frozenset({"id", "owner", "data", "fields", "module", "layout", "tag"})
UNIQUE_TYPES = ("text", "email", "phone", "integer", "bigint", "website")
LENGTHS: dict[str, tuple[int, int]] = {
    "text": (1, 255), "email": (1, 100), "phone": (1, 30), "integer": (1, 9), "bigint": (1, 18), "website": (1, 450),
    "textarea": (2_000, 50_000), "picklist": (1, 120), "multiselectpicklist": (1, 2_000), "boolean": (1, 5),
    "date": (1, 20), "datetime": (1, 40), "double": (1, 16), "currency": (1, 16), "percent": (1, 5),
}  # fmt: skip
TEXTAREA_LENGTHS = (2_000, 32_000, 50_000)


def settings_module(sim: "Simulator", call: Call) -> Module:
    if not call.params.get("module"):
        raise missing_param("module")
    return sim.crm.module(call.params["module"])


def told(sim: "Simulator", module: Module, field: Field) -> Json:
    mandatory = field.mandatory or field.api_name in sim.faults.mandatory(module.api_name)
    return describe(field, mandatory)


def get_fields(sim: "Simulator", call: Call) -> Answer:
    module = settings_module(sim, call)
    return Answer({"fields": [told(sim, module, field) for field in module.fields.values()]})


def get_field(sim: "Simulator", call: Call) -> Answer:
    module = settings_module(sim, call)
    field = find_field(module, call.path_params["field"])
    return Answer({"fields": [told(sim, module, field)]}) if field is not None else nothing()


def find_field(module: Module, wanted: str) -> Field | None:
    return next((field for field in module.fields.values() if wanted in (field.id, field.api_name)), None)


def delete_field(sim: "Simulator", call: Call) -> Answer:
    module = settings_module(sim, call)
    field = find_field(module, call.path_params["field"])
    if field is None or not field.custom:
        details = {"resource_path_index": 2}
        return Answer({"fields": [error("INVALID_DATA", "the field id given seems to be invalid", details)]}, 400)
    module.remove_field(field.api_name)
    done = {"code": "SUCCESS", "details": {"id": field.id}, "message": "field deleted", "status": "success"}
    return Answer({"fields": [done]})


# Making fields


def create_fields(sim: "Simulator", call: Call) -> Answer:
    """201 when all were made, 207 when some, 400 when none; the answer tells ids but no API names."""
    module = settings_module(sim, call)
    most = sim.switches["fields_per_call"]
    results = [create_one(sim, module, given, row) for row, given in enumerate(read_data(sim, call, "fields", most))]
    bad = sum(result["status"] == "error" for result in results)
    status = 201 if not bad else 400 if bad == len(results) else 207
    return Answer({"fields": results}, status)


def create_one(sim: "Simulator", module: Module, given: Any, row: int) -> Json:
    try:
        if not isinstance(given, dict):
            raise RecordRefused("INVALID_DATA", "invalid data", {"expected_data_type": "jsonobject"})
        field = module.add_field(read_field(sim, module, given, row))
    except RecordRefused as refusal:
        return refusal.result
    return {"code": "SUCCESS", "details": {"id": field.id}, "message": "field created", "status": "success"}


def place_of(name: str, row: int) -> Json:
    return {"api_name": name, "json_path": f"$.fields[{row}].{name}"}


def read_field(sim: "Simulator", module: Module, given: Json, row: int) -> Field:
    label = given.get("field_label")
    if not isinstance(label, str) or not label.strip():
        raise RecordRefused("MANDATORY_NOT_FOUND", "required field not found", place_of("field_label", row))
    if any(label.strip().lower() == known.label.lower() for known in module.fields.values()):
        raise RecordRefused("DUPLICATE_DATA", "duplicate data", place_of("field_label", row))
    if api_name_of(label).lower() in RESERVED:
        raise RecordRefused("RESERVED_KEYWORD_NOT_ALLOWED", "reserved keyword", place_of("field_label", row))
    if sum(known.custom for known in module.fields.values()) >= EDITIONS[sim.limits.edition].custom_fields:
        details = {"limit": EDITIONS[sim.limits.edition].custom_fields}
        raise RecordRefused("LIMIT_EXCEEDED", "custom field limit exceeded", details)
    data_type = read_type(given, row)
    return Field(
        api_name=free_name(module, api_name_of(label)),
        label=label.strip(),
        data_type=data_type,
        length=read_length(given, data_type, row),
        custom=True,
        choices=read_choices(given, data_type, row),
        tooltip=(given.get("tooltip") or {}).get("value"),
        decimal_place=given.get("decimal_place") or (2 if data_type in ("double", "currency") else None),
        **read_keys(sim, module, given, data_type, row),
    )


def free_name(module: Module, name: str) -> str:
    """A digit is appended when the name is taken: Name, Name1, Name2."""
    taken = {known.lower() for known in module.fields}
    if name.lower() not in taken:
        return name
    return next(f"{name}{number}" for number in range(1, 1_000) if f"{name}{number}".lower() not in taken)


def read_type(given: Json, row: int) -> str:
    data_type = given.get("data_type")
    if data_type is None:
        raise RecordRefused("MANDATORY_NOT_FOUND", "required field not found", place_of("data_type", row))
    if data_type not in LENGTHS:
        details = {**place_of("data_type", row), "supported_values": list(LENGTHS)}
        raise RecordRefused("INVALID_DATA", "invalid data", details)
    return str(data_type)


def read_length(given: Json, data_type: str, row: int) -> int:
    least, most = LENGTHS[data_type]
    length = given.get("length", 2_000 if data_type == "textarea" else most)
    if type(length) is not int or not least <= length <= most:
        raise RecordRefused("DEPENDENT_MISMATCH", "the length does not fit the data type", place_of("length", row))
    if data_type == "textarea" and length not in TEXTAREA_LENGTHS:
        raise RecordRefused("DEPENDENT_MISMATCH", "the length does not fit the data type", place_of("length", row))
    return length


def read_choices(given: Json, data_type: str, row: int) -> tuple[str, ...]:
    if data_type not in ("picklist", "multiselectpicklist"):
        return ()
    values = given.get("pick_list_values")
    if not isinstance(values, list) or not values:
        details = {"expected_fields": [place_of("pick_list_values", row)]}
        raise RecordRefused("EXPECTED_FIELD_MISSING", "expected field missing", details)
    choices = tuple(str(value.get("display_value")) for value in values if isinstance(value, dict))
    if len(set(choices)) < len(choices):
        raise RecordRefused("DUPLICATE_DATA", "duplicate data", place_of("pick_list_values", row))
    return choices


def read_keys(sim: "Simulator", module: Module, given: Json, data_type: str, row: int) -> Json:
    """`unique` and `external`: at most two such fields in a module, each only for some types."""
    unique, external = given.get("unique"), given.get("external")
    if not unique and not external:
        return {}
    if unique and external and not sim.switches["unique_and_external"]:
        raise RecordRefused("NOT_ALLOWED", "unique and external exclude each other", place_of("external", row))
    if (unique and data_type not in UNIQUE_TYPES) or (external and data_type != "text"):
        raise RecordRefused("NOT_ALLOWED", "the data type cannot be unique", place_of("data_type", row))
    if len(module.keyed) >= MOST_UNIQUE:
        raise RecordRefused(
            "LIMIT_EXCEEDED", "unique field limit exceeded", {"limit": MOST_UNIQUE, **place_of("unique", row)}
        )
    kind = external.get("type") if isinstance(external, dict) else None
    if external and kind not in ("org", "user"):
        raise RecordRefused("INVALID_DATA", "invalid data", place_of("external.type", row))
    strict = str((unique or {}).get("case_sensitive", "")).lower() == "true" if isinstance(unique, dict) else False
    return {"unique": bool(unique), "external": kind, "case_sensitive": strict}
