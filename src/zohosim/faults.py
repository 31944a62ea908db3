"""The faults a test can order: what, for which calls or records, how often."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from zohosim.answers import Json
from zohosim.books.preferences import REASONS
from zohosim.calls import Call

STATE = "state"
AUTHORITY = "authority"
BEFORE = "before"
AFTER = "after"
HINDRANCE = "hindrance"
RECORD = "record"
RULE = "rule"
SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Kind:
    """`stage` says when it acts; `standing` faults last until cleared unless given a count."""

    stage: str
    standing: bool
    meaning: str
    options: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    "http_429": Kind(
        BEFORE,
        False,
        "429 TOO_MANY_REQUESTS; on the token endpoint: its Access Denied throttle; of Books: `code` 43, 44, 45 or 1070",
        ("code",),
    ),
    "http_500_before_commit": Kind(BEFORE, False, "500 INTERNAL_ERROR, nothing written"),
    "timeout_before_commit": Kind(
        BEFORE, False, "nothing written; silence for `delay` seconds, then the connection drops", ("delay",)
    ),
    "drop_connection_before_commit": Kind(BEFORE, False, "nothing written; the connection drops at once", ("delay",)),
    "html_502": Kind(
        BEFORE, False, "502 with a gateway's HTML page; `after_commit: true` writes first", ("after_commit", "status")
    ),
    "html_200": Kind(BEFORE, False, "200 with an HTML page; `after_commit: true` writes first", ("after_commit",)),
    "answer": Kind(
        BEFORE,
        False,
        "your own `status` and JSON `body`; `after_commit: true` writes first",
        ("status", "body", "after_commit"),
    ),
    "slow": Kind(BEFORE, False, "`delay` seconds of waiting, then the true answer", ("delay",)),
    "http_500_after_commit": Kind(AFTER, False, "written, then 500 INTERNAL_ERROR"),
    "timeout_after_commit": Kind(
        AFTER, False, "written; silence for `delay` seconds, then the connection drops", ("delay",)
    ),
    "drop_connection_after_commit": Kind(AFTER, False, "written; the connection drops without a byte", ("delay",)),
    "evict_token": Kind(STATE, False, "all live access tokens become invalid"),
    "revoke_grant": Kind(STATE, False, "all refresh tokens and their access tokens are revoked"),
    "scope_removed": Kind(
        AUTHORITY, True, "`scope` (or every scope) no longer counts: OAUTH_SCOPE_MISMATCH", ("scope",)
    ),
    "wrong_data_centre": Kind(AUTHORITY, False, "tokens and codes are treated as another data centre's"),
    "record_error": Kind(
        RECORD, True, "matching records are refused with `code`, `message`, `details`", ("code", "message", "details")
    ),
    "record_locked": Kind(RECORD, True, "matching records are refused with RECORD_LOCKED"),
    "not_approved": Kind(RECORD, True, "matching records are refused with NOT_APPROVED"),
    "new_mandatory_field": Kind(RULE, True, "`field` of `match.module` becomes mandatory", ("field",)),
    "hindered": Kind(
        HINDRANCE,
        False,
        "a write of Books is refused for `reason`, which an administrator could have caused",
        ("reason",),
    ),
    "200_instead_of_207": Kind(SHAPE, True, "a partly refused write answers 200"),
}


BOOKS_LIMIT_CODES = (43, 44, 45, 1070)
COMMON_OPTIONS = ("kind", "match", "count", "probability", "seed", "after")


@dataclass(frozen=True, slots=True)
class RecordMatch:
    """A record whose `field` equals a value (text without regard to case) or matches a regex."""

    field: str
    equals: Any = None
    regex: re.Pattern[str] | None = None

    def meets(self, record: object) -> bool:
        value = record.get(self.field) if isinstance(record, Mapping) else None
        if self.regex is not None:
            return isinstance(value, str) and self.regex.search(value) is not None
        if isinstance(value, str) and isinstance(self.equals, str):
            return value.lower() == self.equals.lower()
        return bool(value == self.equals) and value is not None


@dataclass(frozen=True, slots=True)
class Match:
    """Which calls a fault concerns; an empty one means every product call (not the token endpoint)."""

    method: str = ""
    path: str = ""
    service: str = ""
    module: str = ""
    operation: str = ""
    record: RecordMatch | None = None

    def meets(self, call: Call) -> bool:
        if not (self.service or self.path) and call.service == "accounts":
            return False
        return (
            _equal(self.method, call.method)
            and _equal(self.service, call.service)
            and _equal(self.module, call.module)
            and _equal(self.operation, call.operation)
            and (not self.path or fnmatchcase(call.path, self.path))
        )

    def concerns(self, call: Call) -> bool:
        """As `meets`, and at least one record of the body fits when a record is asked for."""
        if not self.meets(call):
            return False
        return self.record is None or any(self.record.meets(record) for record in call.records)

    @property
    def empty(self) -> bool:
        return self == Match()


def _equal(wanted: str, actual: str) -> bool:
    return not wanted or wanted.lower() == actual.lower()


@dataclass(slots=True)
class Fault:
    """One ordered fault; `left` is None when it lasts until cleared."""

    id: str
    kind: str
    match: Match
    left: int | None
    probability: float
    skip: int
    options: Json
    chance: random.Random
    hits: int = 0
    given: Json = field(default_factory=dict)

    def strikes(self) -> bool:
        """Whether it acts on the matching call or record at hand; counts it when it does."""
        if self.left == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.probability < 1.0 and self.chance.random() >= self.probability:
            return False
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return True

    @property
    def delay(self) -> float:
        return float(self.options.get("delay", 0.0))

    def shown(self) -> Json:
        return {"id": self.id, "kind": self.kind, "left": self.left, "hits": self.hits, "given": self.given}


class FaultBox:
    """All ordered faults, in the order they were given."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._number = 0

    def add(self, given: Json) -> Fault:
        """Order one fault from its JSON form; ValueError says what is wrong with it."""
        check_order(given)
        self._number += 1
        kind = given["kind"]
        fault = Fault(
            id=f"fault-{self._number}",
            kind=kind,
            match=read_match(given.get("match") or {}),
            left=given.get("count", None if KINDS[kind].standing else 1),
            probability=float(given.get("probability", 1.0)),
            skip=int(given.get("after", 0)),
            options=given,
            chance=random.Random(given.get("seed", 0)),  # noqa: S311 - a repeatable dice, not a secret
            given=given,
        )
        self.faults.append(fault)
        return fault

    def clear(self, fault_id: str = "") -> None:
        self.faults = [fault for fault in self.faults if fault_id and fault.id != fault_id]

    def standing(self, stage: str) -> list[Fault]:
        return [fault for fault in self.faults if KINDS[fault.kind].stage == stage and fault.left != 0]

    def take(self, call: Call, *stages: str) -> list[Fault]:
        """The faults of these stages that strike this call."""
        if not self.faults:
            return []
        return [
            fault
            for fault in self.faults
            if KINDS[fault.kind].stage in stages and fault.left != 0 and fault.match.concerns(call) and fault.strikes()
        ]

    def on_records(self, call: Call) -> list[Fault]:
        """Record faults that may strike records of this call; each record is then asked by itself."""
        return [fault for fault in self.standing(RECORD) if fault.match.meets(call)]

    def mandatory(self, module: str) -> list[str]:
        """Fields of this module that an administrator has just made mandatory."""
        return [
            str(fault.options.get("field"))
            for fault in self.standing(RULE)
            if not fault.match.module or fault.match.module.lower() == module.lower()
        ]


def check_order(given: Any) -> None:
    """ValueError when the JSON form of a fault makes no sense; nothing is silently ignored."""
    kind = KINDS.get(str(given.get("kind"))) if isinstance(given, dict) else None
    if kind is None:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    unknown = set(given) - {*COMMON_OPTIONS, *kind.options}
    if unknown:
        raise ValueError(f"{given['kind']} does not know {', '.join(sorted(unknown))}")
    count = given.get("count")
    if count is not None and (type(count) is not int or count < 1):
        raise ValueError("count must be a positive whole number, or null to last until cleared")
    if given["kind"] == "http_429" and given.get("code", 44) not in BOOKS_LIMIT_CODES:
        raise ValueError(f"code must be one of {', '.join(map(str, BOOKS_LIMIT_CODES))}")
    if given["kind"] == "hindered" and given.get("reason") not in REASONS:
        raise ValueError(f"reason must be one of {', '.join(REASONS)}")
    if given["kind"] == "new_mandatory_field" and not given.get("field"):
        raise ValueError("new_mandatory_field needs `field`")
    read_match(given.get("match") or {})


def read_match(given: Json) -> Match:
    unknown = set(given) - {"method", "path", "service", "module", "operation", "record"}
    if unknown:
        raise ValueError(f"match does not know {', '.join(sorted(unknown))}")
    record = given.get("record")
    names = ("method", "path", "service", "module", "operation")
    return Match(
        **{name: str(given.get(name, "")) for name in names}, record=read_record_match(record) if record else None
    )


def read_record_match(given: Json) -> RecordMatch:
    if not isinstance(given.get("field"), str) or ("equals" not in given and "regex" not in given):
        raise ValueError("match.record needs `field` and `equals` or `regex`")
    try:
        pattern = re.compile(given["regex"]) if given.get("regex") else None
    except re.error as wrong:
        raise ValueError(f"match.record.regex: {wrong}") from None
    return RecordMatch(given["field"], given.get("equals"), pattern)
