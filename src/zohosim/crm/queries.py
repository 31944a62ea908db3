"""The queries: runs COQL over a module's present records.

https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html
"""

from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, Refused, nothing
from zohosim.calls import Call
from zohosim.crm.batch import read_body
from zohosim.crm.coql import DEFAULT_ROWS, Query, read_query
from zohosim.crm.criteria import Criterion, comparable, comparisons, pinned, reach
from zohosim.crm.records import Module, Record, system_values

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

Row = tuple[Record, Json]


def run_query(sim: "Simulator", call: Call) -> Answer:
    text = read_body(sim, call).get("select_query")
    if not isinstance(text, str):
        raise Refused(400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "select_query"})
    query = read_query(text)
    module = query_module(sim, query)
    check_columns(sim, module, query)
    rows = [row for row in source(module, query.where) if query.where.holds(row[1])]
    if query.counts:
        return Answer({"data": [{"COUNT(id)": len(rows)}], "info": {"count": 1, "more_records": False}})
    return told(module, query, ordered(rows, query))


def query_module(sim: "Simulator", query: Query) -> Module:
    try:
        return sim.crm.module(query.module)
    except Refused:
        raise Refused(400, "INVALID_QUERY", "module name given seems to be invalid", {"module": query.module}) from None


def check_columns(sim: "Simulator", module: Module, query: Query) -> None:
    asked = [c.field for c in comparisons(query.where)]
    for name in (*query.fields, *asked, *(name for name, _ in query.orders)):
        if not known_column(sim, module, name):
            raise Refused(400, "INVALID_QUERY", "column given seems to be invalid", {"column_name": name})
    for name in asked:
        if "." not in name and module.fields[name].data_type == "textarea":
            details = {"column_name": name, "data_type": "textarea"}
            raise Refused(400, "INVALID_QUERY", "data type not supported", details)


def known_column(sim: "Simulator", module: Module, path: str) -> bool:
    first, _, rest = path.partition(".")
    field = module.fields.get(first)
    if field is None or not rest:
        return field is not None
    if field.lookup is None:
        return first in ("Owner", "Created_By", "Modified_By", "Parent_Id") and rest in ("id", "name", "email")
    return rest in sim.crm.modules[field.lookup].fields


def source(module: Module, where: Criterion) -> list[Row]:
    """The records an index names when it can, else all; each with its comparable values."""
    for comparison in pinned(where):
        wanted = comparison.value if comparison.operator == "in" else [comparison.value]
        if comparison.field == "id":
            known = (module.records.get(str(value)) for value in wanted)
            return [(record, values_of(module, record)) for record in known if record is not None]
        if module.index_for(comparison.field) is not None:
            records = [r for value in wanted for r in module.holders(comparison.field, value)]
            return [(record, values_of(module, record)) for record in {r.id: r for r in records}.values()]
    return [(record, values_of(module, record)) for record in module.records.values()]


def values_of(module: Module, record: Record) -> Json:
    """Values to compare: lookups opened up to the linked record's own values."""
    values = {**record.values, **system_values(record)}
    for name, target in module.lookups:
        held = values.get(name)
        if held and target is not None and held in module.crm.modules[target].records:
            values[name] = {**module.crm.modules[target].records[held].values, "id": held}
    if module.blueprint.name == "Full_Name":
        values["Full_Name"] = module.name_of(record)
    return values


def ordered(rows: list[Row], query: Query) -> list[Row]:
    """By the given columns, else newest id first; nulls come first, as small values."""
    if not query.orders:
        return sorted(rows, key=lambda row: int(row[0].id), reverse=True)
    for name, descending in reversed(query.orders):
        rows = sorted(rows, key=lambda row: sort_value(reach(row[1], name)), reverse=descending)
    return rows


def sort_value(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, "")
    return (1, value) if isinstance(value, int | float) else (2, str(comparable(value)))


def told(module: Module, query: Query, rows: list[Row]) -> Answer:
    part = rows[query.offset : query.offset + query.limit]
    if not part:
        return nothing()
    data = [{**{name: column(module, row, name) for name in query.fields}, "id": row[0].id} for row in part]
    more = query.offset + len(part) < len(rows)
    return Answer({"data": data, "info": {"count": len(data), "more_records": more}})


def column(module: Module, row: Row, name: str) -> Any:
    """A lookup by itself is told as {name, id}; a path through it as the linked record's value."""
    record, values = row
    lookup = next((target for field, target in module.lookups if field == name), None)
    return module.crm.link(lookup, record.values.get(name)) if lookup else reach_told(values, name)


def reach_told(values: Json, name: str) -> Any:
    value = values.get(name)
    return value if isinstance(value, dict) else reach(values, name)


def query_cost(call: Call) -> int:
    """1, 2 or 3 credits for up to 200, 1,000 or 2,000 rows asked for."""
    rows = asked_rows(call)
    if rows <= DEFAULT_ROWS:
        return 1
    return 2 if rows <= 1_000 else 3


def asked_rows(call: Call) -> int:
    try:
        return read_query(call.payload["select_query"]).limit
    except (Refused, KeyError, TypeError, AttributeError):
        return DEFAULT_ROWS


def asked_module(call: Call) -> str:
    """The module of a readable query, else empty."""
    try:
        return read_query(call.payload["select_query"]).module
    except (Refused, KeyError, TypeError, AttributeError):
        return ""
