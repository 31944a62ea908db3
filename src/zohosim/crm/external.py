"""External fields: records and lookups addressed by the caller's own identifiers (X-EXTERNAL).

https://www.zoho.com/crm/developer/docs/api/v8/record-operations-external-id.html
"""

from typing import TYPE_CHECKING

from zohosim.answers import Json, Refused
from zohosim.calls import Call
from zohosim.crm.records import Module

if TYPE_CHECKING:
    from zohosim.simulator import Simulator


def external_target(call: Call, module: Module) -> str:
    """The record id a path means: the segment itself, or the record whose external field holds it.

    Header `X-EXTERNAL: Contacts.Shop_Id` makes the path segment a value of that field.
    """
    segment = call.path_params["id"]
    parts = call.headers.get("x-external", "").split(".")
    if len(parts) != 2 or parts[0] != module.api_name:
        return segment
    field = module.fields.get(parts[1])
    if field is None or field.external is None:
        raise Refused(400, "INVALID_DATA", "the external field given seems to be invalid", {"api_name": parts[1]})
    holders = module.holders(field.api_name, segment)
    if not holders:
        raise Refused(400, "INVALID_DATA", "the id given seems to be invalid", {"api_name": field.api_name})
    return holders[0].id


def resolve_lookups(sim: "Simulator", call: Call, module: Module, given: Json) -> Json:
    """Replace lookups given by external value with ids, per `X-EXTERNAL: Contacts.Account_Name.Shop_Id`.

    The header wins when both id and external value are given. An unknown value becomes an id that
    does not exist, so that the lookup itself is refused.
    """
    header = call.headers.get("x-external")
    if not header:
        return given
    for path in header.split(","):
        parts = path.strip().split(".")
        if len(parts) == 3 and parts[0] == module.api_name and isinstance(given.get(parts[1]), dict):
            given = {**given, parts[1]: {"id": _linked_id(sim, module, parts[1], parts[2], given[parts[1]])}}
    return given


def _linked_id(sim: "Simulator", module: Module, lookup: str, name: str, value: Json) -> str:
    field = module.fields.get(lookup)
    if field is None or field.lookup is None or name not in value:
        return str(value.get("id", ""))
    target = sim.crm.modules[field.lookup]
    if name not in target.indexes:
        return ""
    holders = target.holders(name, value[name])
    return holders[0].id if holders else ""
