"""The criteria: comparisons of one record's values, shared by search and queries."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zohosim.answers import Json

Test = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field` may lead through one lookup (`Account_Name.Account_Name`)."""

    field: str
    operator: str
    value: Any

    def holds(self, values: Json) -> bool:
        return OPERATORS[self.operator](comparable(reach(values, self.field)), self.value)


@dataclass(frozen=True, slots=True)
class Group:
    joint: str
    parts: tuple["Criterion", ...]

    def holds(self, values: Json) -> bool:
        combine = all if self.joint == "and" else any
        return combine(part.holds(values) for part in self.parts)


Criterion = Comparison | Group


def reach(values: Json, path: str) -> Any:
    """The value at a path; a lookup by itself compares by its id."""
    first, _, rest = path.partition(".")
    value = values.get(first)
    if isinstance(value, dict):
        return value.get(rest or "id")
    return value if not rest else None


def comparable(value: Any) -> Any:
    """Text without regard to case, instants as instants, numbers as they are."""
    if not isinstance(value, str):
        return value
    if len(value) >= 19 and value[10:11] == "T":
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value.lower()
    return value.lower()


def comparisons(criterion: Criterion | None) -> Iterable[Comparison]:
    if isinstance(criterion, Group):
        for part in criterion.parts:
            yield from comparisons(part)
    elif criterion is not None:
        yield criterion


def pinned(criterion: Criterion | None) -> Iterable[Comparison]:
    """Comparisons that every matching record must meet, so that an index may answer them."""
    if isinstance(criterion, Group) and criterion.joint == "and":
        for part in criterion.parts:
            yield from pinned(part)
    elif isinstance(criterion, Comparison) and criterion.operator in ("=", "in"):
        yield criterion


def _ordered(test: Test) -> Test:
    """Comparisons of order are false for null and for values of another type."""

    def safe(held: Any, wanted: Any) -> bool:
        if held is None or wanted is None:
            return False
        try:
            return test(held, wanted)
        except TypeError:
            return False

    return safe


def number(text: str) -> Any:
    """A number, whole when it is written so (ids have 18 digits); text that is none stays text."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def aligned(held: Any, wanted: Any) -> tuple[Any, Any]:
    """Both as numbers when one of them is; truth as the words true and false."""
    if isinstance(held, bool):
        return str(held).lower(), wanted
    if isinstance(held, int | float) and isinstance(wanted, str):
        return held, number(wanted)
    if isinstance(held, str) and isinstance(wanted, int | float):
        return number(held), wanted
    return held, wanted


def _equal(held: Any, wanted: Any) -> bool:
    left, right = aligned(held, wanted)
    return bool(left == right) and held is not None


def _compare(test: Test) -> Test:
    return _ordered(lambda held, wanted: test(*aligned(held, wanted)))


def _like(held: Any, pattern: Any) -> bool:
    """`%` stands for anything at either end, as COQL has it."""
    if not isinstance(held, str) or not isinstance(pattern, str):
        return False
    core = pattern.strip("%")
    if pattern.startswith("%") and pattern.endswith("%"):
        return core in held
    if pattern.startswith("%"):
        return held.endswith(core)
    return held.startswith(core) if pattern.endswith("%") else held == core


def _between(held: Any, bounds: Any) -> bool:
    low, high = bounds
    return bool(aligned(low, held)[0] <= held <= aligned(high, held)[0])


OPERATORS: dict[str, Test] = {
    "=": _equal,
    "!=": lambda held, wanted: not _equal(held, wanted),
    ">": _compare(operator.gt),
    ">=": _compare(operator.ge),
    "<": _compare(operator.lt),
    "<=": _compare(operator.le),
    "in": lambda held, wanted: any(_equal(held, one) for one in wanted),
    "not in": lambda held, wanted: not any(_equal(held, one) for one in wanted),
    "like": _like,
    "not like": lambda held, wanted: not _like(held, wanted),
    "between": _ordered(_between),
    "not between": lambda held, wanted: held is not None and not _ordered(_between)(held, wanted),
    "is null": lambda held, _: held is None,
    "is not null": lambda held, _: held is not None,
}
