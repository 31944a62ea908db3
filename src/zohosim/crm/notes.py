"""The notes of a record: written and listed under their parent's path. By themselves they are records like others.

https://www.zoho.com/crm/developer/docs/api/v8/create-notes.html, get-notes.html
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json, Refused, nothing
from zohosim.calls import Call
from zohosim.crm.batch import open_batch, told
from zohosim.crm.external import external_target
from zohosim.crm.reads import paged, read_fields, sorted_records
from zohosim.crm.store import PARENTS
from zohosim.crm.writes import insert_one

if TYPE_CHECKING:
    from zohosim.simulator import Simulator


def insert_related_notes(sim: "Simulator", call: Call) -> Answer:
    """POST /{Module}/{id}/Notes: the path names the parent."""
    parent = parent_of_path(sim, call)
    batch = open_batch(sim, call)
    return told(batch, batch.run(lambda b, given, row: insert_one(b, {**given, "Parent_Id": parent}, row)), 201)


def parent_of_path(sim: "Simulator", call: Call) -> Json:
    module = sim.crm.module(call.path_params["module"])
    record_id = external_target(call, module)
    if module.api_name not in PARENTS or record_id not in module.records:
        raise Refused(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    return {"module": {"api_name": module.api_name, "id": module.blueprint.id}, "id": record_id}


def list_related_notes(sim: "Simulator", call: Call) -> Answer:
    """GET /{Module}/{id}/Notes, newest first; 204 when there are none."""
    parent = parent_of_path(sim, call)
    notes = sim.crm.modules["Notes"]
    names = read_fields(call, required=sim.switches["notes_need_fields"])
    found = sorted_records(call, notes.holders("Parent_Id", parent))
    return paged(sim, call, notes, names, found) if found else nothing()
