"""The reads: one record, a listing with its pages, the deleted feed, the count.

https://www.zoho.com/crm/developer/docs/api/v8/get-records.html, get-deleted-records.html
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, Refused, error, nothing
from zohosim.calls import Call
from zohosim.clock import iso, read_iso
from zohosim.crm.external import external_target
from zohosim.crm.records import Deleted, Module, Record
from zohosim.crm.store import PageToken

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

MOST_PER_PAGE = 200
MOST_BY_PAGE_NUMBER = 2_000
MOST_BY_TOKEN = 100_000
MOST_FIELDS = 50
TOKEN_SECONDS = 24 * 3600
RECYCLED_SECONDS = 60 * 24 * 3600
REMEMBERED_SECONDS = RECYCLED_SECONDS + 120 * 24 * 3600
SORTS = ("id", "Created_Time", "Modified_Time")


def missing_param(name: str) -> Refused:
    return Refused(400, "REQUIRED_PARAM_MISSING", "One of the expected parameters is missing.", {"param_name": name})


def bad_param(name: str, expected: str) -> Refused:
    details = {"param_name": name, "expected_data_type": expected}
    return Refused(400, "INVALID_DATA", "invalid data", details)


def whole_number(call: Call, name: str, default: int) -> int:
    text = call.params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise bad_param(name, "integer")
    return int(text)


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    size: int

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size


def read_page(call: Call) -> Page:
    size = whole_number(call, "per_page", MOST_PER_PAGE)
    if size > MOST_PER_PAGE:
        raise Refused(
            400, "LIMIT_EXCEEDED", "per_page is too large", {"limit": MOST_PER_PAGE, "param_name": "per_page"}
        )
    return Page(whole_number(call, "page", 1), size)


def read_fields(call: Call, *, required: bool) -> list[str]:
    names = [name.strip() for name in call.params.get("fields", "").split(",") if name.strip()]
    if not names and required:
        raise missing_param("fields")
    if len(names) > MOST_FIELDS:
        raise Refused(400, "LIMIT_EXCEEDED", "too many fields", {"limit": MOST_FIELDS, "param_name": "fields"})
    return names


def shown(module: Module, names: list[str], records: Iterable[Record]) -> list[Json]:
    view = module.project(names) if names else module.view
    return [view(record) for record in records]


# One record


def get_record(sim: "Simulator", call: Call) -> Answer:
    module = sim.crm.module(call.module)
    record_id = external_target(call, module)
    if not record_id.isdigit():
        raise Refused(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    record = module.records.get(record_id)
    if record is None:
        return unknown_id(sim)
    if unchanged(call, record.modified_at):
        return nothing(304)
    return Answer({"data": shown(module, read_fields(call, required=False), [record])})


def unknown_id(sim: "Simulator") -> Answer:
    status = sim.switches["unknown_id_status"]
    if status == 204:
        return nothing()
    return Answer(error("INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1}), status)


def modified_since(call: Call) -> float | None:
    return read_iso(call.headers.get("if-modified-since", ""))


def unchanged(call: Call, modified_at: float) -> bool:
    since = modified_since(call)
    return since is not None and int(modified_at) < int(since)


# A listing


def list_records(sim: "Simulator", call: Call) -> Answer:
    module = sim.crm.module(call.module)
    required = module.api_name != "Notes" or sim.switches["notes_need_fields"]
    names = read_fields(call, required=required)
    read_page(call)
    records = sorted_records(call, wanted_records(call, module))
    if not records:
        return nothing(304 if modified_since(call) is not None and module.records else 204)
    return paged(sim, call, module, names, records)


def wanted_records(call: Call, module: Module) -> list[Record]:
    records: Iterable[Record] = module.records.values()
    if call.params.get("ids"):
        known = (module.records.get(part) for part in call.params["ids"].split(","))
        records = [record for record in known if record is not None]
    since = modified_since(call)
    return [
        record for record in records if seen(call, record) and (since is None or int(record.modified_at) >= int(since))
    ]


def seen(call: Call, record: Record) -> bool:
    """Converted leads only when asked for; `approved=false` turns to those still waiting."""
    converted = call.params.get("converted", "false")
    if converted != "both" and record.converted != (converted == "true"):
        return False
    approved = call.params.get("approved", "both")
    return approved == "both" or record.approved == (approved == "true")


def sorted_records(call: Call, records: list[Record]) -> list[Record]:
    sort_by = call.params.get("sort_by", "id")
    if sort_by not in SORTS:
        raise bad_param("sort_by", "string")
    if "sort_by" in call.params and "cvid" in call.params:
        raise ambiguous("sort_by", "cvid")
    return sorted(records, key=sort_key(sort_by), reverse=call.params.get("sort_order", "desc") == "desc")


def sort_key(sort_by: str) -> Any:
    if sort_by == "id":
        return lambda record: int(record.id)
    if sort_by == "Created_Time":
        return lambda record: (int(record.created_at), int(record.id))
    return lambda record: (int(record.modified_at), int(record.id))


def ambiguous(*names: str) -> Refused:
    details = {"ambiguity_due_to": [{"param_name": name} for name in names]}
    return Refused(400, "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", details)


def paged(sim: "Simulator", call: Call, module: Module, names: list[str], records: Sequence[Record]) -> Answer:
    """Pages by number reach 2,000 records; beyond that a page token leads on, up to 100,000."""
    if "page_token" in call.params and "page" in call.params:
        raise ambiguous("page", "page_token")
    page = read_page(call)
    start = token_start(sim, call, records) if "page_token" in call.params else numbered_start(page)
    part = records[start : start + page.size]
    if not part:
        return nothing()
    end = start + len(part)
    more = end < len(records)
    following = next_token(sim, call, end, part[-1]) if more else None
    info: Json = {
        "per_page": page.size,
        "count": len(part),
        "page": start // page.size + 1,
        "sort_by": call.params.get("sort_by", "id"),
        "sort_order": call.params.get("sort_order", "desc"),
        "next_page_token": following,
        "previous_page_token": None,
        "page_token_expiry": iso(sim.clock.now() + TOKEN_SECONDS) if following else None,
        "more_records": more,
    }
    return Answer({"data": shown(module, names, part), "info": info})


def numbered_start(page: Page) -> int:
    if page.start + page.size > MOST_BY_PAGE_NUMBER:
        details = {"page": page.number, "per_page": page.size, "limit": MOST_BY_PAGE_NUMBER}
        raise Refused(
            400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "page_token is required to get more than 2000 records", details
        )
    return page.start


def binding(call: Call) -> str:
    """What a page token is bound to: the path and every parameter but the page itself."""
    params = sorted((name, value) for name, value in call.params.items() if name not in ("page", "page_token"))
    return repr((call.path, params, call.headers.get("if-modified-since")))


def next_token(sim: "Simulator", call: Call, offset: int, last: Record) -> str:
    token = secrets.token_hex(32)
    key = sort_key(call.params.get("sort_by", "id"))(last)
    expires_at = sim.clock.now() + TOKEN_SECONDS
    sim.crm.page_tokens[token] = PageToken(binding(call), call.user_id, offset, (key,), expires_at)
    return token


def token_start(sim: "Simulator", call: Call, records: Sequence[Record]) -> int:
    """Where the token's page begins now: after its last record, however many came or went since."""
    token = sim.crm.page_tokens.get(call.params["page_token"])
    place = {"param_name": "page_token"}
    if token is None:
        raise Refused(400, "INVALID_DATA", "the page token given seems to be invalid", place)
    if token.expires_at <= sim.clock.now():
        raise Refused(400, "EXPIRED_VALUE", "the page token has expired", place)
    if token.bound_to != binding(call) or token.user_id != call.user_id:
        raise Refused(400, "TOKEN_BOUND_DATA_MISMATCH", "the page token belongs to other parameters", place)
    if token.offset >= MOST_BY_TOKEN:
        raise Refused(400, "PAGINATION_LIMIT_EXCEEDED", "use bulk read for more records", {"limit": MOST_BY_TOKEN})
    return start_after(token, call, records)


def start_after(token: PageToken, call: Call, records: Sequence[Record]) -> int:
    assert token.after is not None
    key, last = sort_key(call.params.get("sort_by", "id")), token.after[0]
    descending = call.params.get("sort_order", "desc") == "desc"
    for place, record in enumerate(records):
        if key(record) < last if descending else key(record) > last:
            return place
    return len(records)


# Deleted records


def list_deleted(sim: "Simulator", call: Call) -> Answer:
    module = sim.crm.module(call.module)
    kind = call.params.get("type", "all")
    if kind not in ("all", "recycle", "permanent"):
        raise Refused(
            400, "PATTERN_NOT_MATCHED", "Please check whether the input values are correct", {"api_name": "type"}
        )
    page = read_page(call)
    now, since = sim.clock.now(), modified_since(call) or 0.0
    gone = [
        item
        for item in reversed(module.deleted)
        if kind in ("all", kind_of(item, now))
        and int(item.deleted_at) >= int(since)
        and now < item.deleted_at + REMEMBERED_SECONDS
    ]
    part = gone[page.start : page.start + page.size]
    if not part:
        return nothing()
    info = {
        "per_page": page.size,
        "count": len(part),
        "page": page.number,
        "more_records": page.start + page.size < len(gone),
    }
    return Answer({"data": [show_deleted(item, now) for item in part], "info": info})


def kind_of(item: Deleted, now: float) -> str:
    """In the recycle bin for 60 days, then gone for good; told for another 120."""
    return "permanent" if now >= item.deleted_at + RECYCLED_SECONDS else "recycle"


def show_deleted(item: Deleted, now: float) -> Json:
    return {
        "deleted_by": item.deleted_by,
        "id": item.id,
        "display_name": item.display_name,
        "type": kind_of(item, now),
        "created_by": item.created_by,
        "deleted_time": iso(item.deleted_at),
    }
