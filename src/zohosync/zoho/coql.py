"""COQL, Zoho's query language: text put together safely.

It reads the records themselves, not the search index, which lags behind every write.
https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

MOST_VALUES = 50
"""Values one IN may list. https://www.zoho.com/crm/developer/docs/api/v8/COQL-Limitations.html"""

MOST_ROWS = 2_000
MOST_OFFSET = 100_000
"""Rows one query reaches in all its pages."""
NAME = re.compile(r"[A-Za-z$][A-Za-z0-9_$]*(?:\.[A-Za-z$][A-Za-z0-9_$]*)?", re.ASCII)


def quoted(value: str) -> str:
    """A string literal. The quote is escaped by a backslash, and so is the backslash."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def named(name: str) -> str:
    """An API name as it is; ValueError for anything that is not one, so that no text can pose as a name."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not an API name")
    return name


def select_where_in(module: str, field: str, values: Sequence[str], fields: Iterable[str]) -> str:
    """Rows whose field has one of 1 to 50 values, in the order of their ids; LIMIT is added by the caller."""
    if not 1 <= len(values) <= MOST_VALUES:
        raise ValueError(f"IN takes 1 to {MOST_VALUES} values, not {len(values)}")
    columns = ", ".join(dict.fromkeys(named(name) for name in (*fields, field)))
    listed = ", ".join(quoted(value) for value in values)
    return f"select {columns} from {named(module)} where {named(field)} in ({listed}) order by id asc"  # noqa: S608 - names are checked, values are quoted, and this is Zoho's language


def select_modified_since(module: str, since: datetime, fields: Iterable[str]) -> str:
    """Rows that were written at or after a time, in the order of their ids; Zoho keeps whole seconds."""
    columns = ", ".join(dict.fromkeys(named(name) for name in (*fields, "Modified_Time")))
    from_second = since.astimezone(UTC).replace(microsecond=0).isoformat()
    return f"select {columns} from {named(module)} where Modified_Time >= {quoted(from_second)} order by id asc"  # noqa: S608 - as above


def select_filled(module: str, field: str) -> str:
    """Rows whose field has any value, in the order of their ids."""
    return f"select id from {named(module)} where {named(field)} is not null order by id asc"  # noqa: S608 - as above


def batches(values: Iterable[str]) -> Iterator[list[str]]:
    """Distinct values that are not blank, at most fifty at a time."""
    distinct = list(dict.fromkeys(value for value in values if value.strip()))
    for start in range(0, len(distinct), MOST_VALUES):
        yield distinct[start : start + MOST_VALUES]


def cost(limit: int) -> int:
    """Credits of one query. https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html"""
    return 1 if limit <= 200 else 2 if limit <= 1_000 else 3
