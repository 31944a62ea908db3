"""The search: finds by criteria, e-mail, phone or word, through an index that may run behind.

https://www.zoho.com/crm/developer/docs/api/v8/search-records.html
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, Refused, nothing
from zohosim.calls import Call
from zohosim.crm.criteria import Comparison, Criterion, Group, comparable, comparisons, pinned
from zohosim.crm.reads import read_fields, read_page, seen, shown
from zohosim.crm.records import Module, Record

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

MOST_FOUND = 2_000
WAYS = ("criteria", "email", "phone", "word")
OPERATORS = {
    "equals": "=", "not_equal": "!=", "starts_with": "like", "contains": "like", "ends_with": "like", "in": "in",
    "greater_than": ">", "greater_equal": ">=", "less_than": "<", "less_equal": "<=", "between": "between",
}  # fmt: skip
PATTERNS = {"starts_with": "{}%", "ends_with": "%{}", "contains": "%{}%"}
TOKEN = re.compile(r"(?P<open>\()|(?P<close>\))|(?P<joint>and\b|or\b)|(?P<text>(?:\\.|[^()\\])+)", re.IGNORECASE)
MOST_IN = 100


def search_records(sim: "Simulator", call: Call) -> Answer:
    module = sim.crm.module(call.module)
    names = read_fields(call, required=False)
    found = [record for record in find(sim, call, module) if seen(call, record)]
    page = read_page(call)
    if page.start + page.size > MOST_FOUND:
        raise Refused(400, "LIMIT_REACHED", "the limit of search results is reached", {"limit": MOST_FOUND})
    found.sort(key=lambda record: int(record.id), reverse=True)
    part = found[page.start : page.start + page.size]
    if not part:
        return nothing()
    more = page.start + page.size < len(found)
    info = {"per_page": page.size, "count": len(part), "page": page.number, "more_records": more}
    return Answer({"data": shown(module, names, part), "info": info})


def count_records(sim: "Simulator", call: Call) -> Answer:
    """GET actions/count: of all records, or of those a search would find."""
    module = sim.crm.module(call.module)
    if not any(call.params.get(way) for way in WAYS):
        return Answer({"count": sum(not record.converted for record in module.records.values())})
    return Answer({"count": sum(seen(call, record) for record in find(sim, call, module))})


def find(sim: "Simulator", call: Call, module: Module) -> Iterator[Record]:
    """What the first given way finds; criteria come before e-mail, phone and word."""
    way = next((way for way in WAYS if call.params.get(way)), None)
    if way is None:
        raise Refused(400, "EXPECTED_PARAM_MISSING", "mandatory param missing", {"expected_params": list(WAYS)})
    wanted = call.params[way]
    if way == "criteria":
        return find_by_criteria(sim, module, wanted, sim.switches["search_criteria_limit"])
    if way == "word":
        return find_by_word(sim, module, wanted)
    return find_by_type(sim, module, way, wanted)


def as_indexed(sim: "Simulator", module: Module, record: Record) -> Json | None:
    """The values the index knows of a record: the present ones, or older ones while it runs behind."""
    if sim.clock.now() >= record.indexed_at:
        module.pending.discard(record.id)
        return record.values
    return record.before


def candidates(module: Module, ids: Iterable[str]) -> list[Record]:
    """Records an index names, and those whose last change it may not show yet."""
    wanted = dict.fromkeys([*ids, *module.pending])
    return [module.records[record_id] for record_id in wanted]


def find_by_type(sim: "Simulator", module: Module, data_type: str, wanted: str) -> Iterator[Record]:
    """Exact match over every field of one type."""
    names = [field.api_name for field in module.fields.values() if field.data_type == data_type]
    ids = [record_id for name in names for record_id in module.indexes[name].find(wanted)]
    for record in candidates(module, ids):
        values = as_indexed(sim, module, record)
        if values is not None and any(str(values.get(name) or "").lower() == wanted.lower() for name in names):
            yield record


def find_by_word(sim: "Simulator", module: Module, word: str) -> Iterator[Record]:
    if len(word) < 2:
        raise Refused(400, "INVALID_DATA", "minimum length is 2", {"param_name": "word", "minimum_length": 2})
    wanted = word.lower()
    for record in list(module.records.values()):
        values = as_indexed(sim, module, record)
        if values is not None and any(isinstance(v, str) and wanted in v.lower() for v in values.values()):
            yield record


def find_by_criteria(sim: "Simulator", module: Module, text: str, most: int) -> Iterator[Record]:
    criterion = read_criteria(text)
    found = list(comparisons(criterion))
    if len(found) > most:
        raise Refused(400, "LIMIT_EXCEEDED", "too many criteria", {"limit": most, "param_name": "criteria"})
    for comparison in found:
        if comparison.field not in module.fields:
            raise bad_query("the field is not available for search", comparison.field)
    for record in narrowed(module, criterion):
        values = as_indexed(sim, module, record)
        if values is not None and criterion.holds({**values, "id": record.id, "Created_Time": record.created_time,
                                                   "Modified_Time": record.modified_time}):  # fmt: skip
            yield record


def narrowed(module: Module, criterion: Criterion) -> list[Record]:
    """Only the records an index names, when the criteria pin an indexed field; else all."""
    for comparison in pinned(criterion):
        index = module.index_for(comparison.field)
        if index is not None:
            wanted = comparison.value if comparison.operator == "in" else [comparison.value]
            return candidates(module, [record_id for value in wanted for record_id in index.find(value)])
    return list(module.records.values())


# The language of criteria: ((Last_Name:equals:Boyle)and(Email:starts_with:p))


def bad_query(reason: str, where: str = "") -> Refused:
    return Refused(400, "INVALID_QUERY", "Invalid query formed", {"reason": reason, "api_name": where})


def read_criteria(text: str) -> Criterion:
    reader = CriteriaReader(text)
    criterion = reader.read_group()
    if reader.peek() is not None:
        raise bad_query("unexpected text after the criteria")
    return criterion


class CriteriaReader:
    """A recursive reader over parentheses, joints and `field:operator:value` texts."""

    def __init__(self, text: str) -> None:
        self.tokens = [(str(m.lastgroup), m.group()) for m in TOKEN.finditer(text.strip()) if m.group().strip()]
        self.place = 0

    def peek(self) -> tuple[str, str] | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self) -> tuple[str, str]:
        token = self.peek()
        if token is None:
            raise bad_query("the criteria end too early")
        self.place += 1
        return token

    def read_group(self) -> Criterion:
        parts = [self.read_part()]
        joint = ""
        while (token := self.peek()) is not None and token[0] == "joint":
            if joint and token[1].lower() != joint:
                raise bad_query("use parentheses between and / or")
            joint = self.take()[1].lower()
            parts.append(self.read_part())
        return parts[0] if len(parts) == 1 else Group(joint, tuple(parts))

    def read_part(self) -> Criterion:
        kind, text = self.take()
        if kind == "text":
            return read_comparison(text)
        if kind != "open":
            raise bad_query("a criterion is missing", text)
        inside = self.read_group()
        if self.take()[0] != "close":
            raise bad_query("a parenthesis is not closed")
        return inside


def read_comparison(text: str) -> Comparison:
    parts = text.split(":", 2)
    if len(parts) != 3 or parts[1] not in OPERATORS:
        raise bad_query("invalid operator or value", text)
    field, operator, value = parts
    return Comparison(field, OPERATORS[operator], read_operand(operator, value))


def read_operand(operator: str, text: str) -> Any:
    if operator in ("in", "between"):
        values = [comparable(unescape(part.strip())) for part in re.split(r"(?<!\\),", text)]
        if len(values) > MOST_IN or (operator == "between" and len(values) != 2):
            raise bad_query("wrong number of values", text)
        return values
    value = comparable(unescape(text))
    return PATTERNS[operator].format(value) if operator in PATTERNS else value


def unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
