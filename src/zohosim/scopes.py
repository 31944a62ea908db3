"""The scopes: what a route needs and whether a token's scopes cover it.

https://www.zoho.com/crm/developer/docs/api/v8/scopes.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

SEARCH = "ZohoSearch.securesearch.READ"


@dataclass(frozen=True, slots=True)
class Need:
    """One alternative family: any operation of `operations` on `subject`, or on its parent, or ALL."""

    subject: str
    operations: tuple[str, ...]


@lru_cache(maxsize=4096)
def covers(scopes: tuple[str, ...], needs: tuple[Need, ...]) -> bool:
    """Whether every need is met by at least one scope; letters' case does not matter."""
    held = {scope.lower() for scope in scopes}
    return all(_met(held, need) for need in needs)


def _met(held: Iterable[str], need: Need) -> bool:
    return not set(alternatives(need)).isdisjoint(held)


def alternatives(need: Need) -> list[str]:
    """Every scope that satisfies the need, lower-cased: the subject itself or any of its parents."""
    parts = need.subject.lower().split(".")
    subjects = [".".join(parts[: end + 1]) for end in range(1, len(parts))] or [need.subject.lower()]
    operations = [operation.lower() for operation in (*need.operations, "ALL")]
    return [f"{subject}.{operation}" for subject in subjects for operation in operations]


def module_need(module: str, *operations: str) -> Need:
    return Need(f"ZohoCRM.modules.{module}", operations)


SEARCH_NEED = Need("ZohoSearch.securesearch", ("READ",))
