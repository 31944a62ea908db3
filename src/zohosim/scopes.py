"""The scopes: what a route needs and whether a token's scopes cover it.

https://www.zoho.com/crm/developer/docs/api/v8/scopes.html
"""

from dataclasses import dataclass
from functools import lru_cache

FULL_ACCESS = frozenset({"ZohoBooks", "ZohoInventory"})
"""Products with one scope for everything. https://www.zoho.com/books/api/v3/oauth/"""

SEARCH = "ZohoSearch.securesearch.READ"


@dataclass(frozen=True, slots=True)
class Need:
    """One alternative family: any operation of `operations` on `subject`, or on its parent, or ALL."""

    subject: str
    operations: tuple[str, ...]


@lru_cache(maxsize=4096)
def covers(scopes: tuple[str, ...], needs: tuple[Need, ...], *, ignore_case: bool = True) -> bool:
    """Whether every need is met by at least one scope; case matters only when it is not ignored."""
    held = {_folded(scope, ignore_case) for scope in scopes}
    return all(not {_folded(name, ignore_case) for name in alternatives(need)}.isdisjoint(held) for need in needs)


def _folded(scope: str, ignore_case: bool) -> str:
    return scope.lower() if ignore_case else scope


def alternatives(need: Need) -> list[str]:
    """Every scope that satisfies the need, as documented: of the subject itself or of any of its parents."""
    parts = need.subject.split(".")
    subjects = [".".join(parts[: end + 1]) for end in range(1, len(parts))] or [need.subject]
    named = [f"{subject}.{operation}" for subject in subjects for operation in (*need.operations, "ALL")]
    return [*named, f"{parts[0]}.fullaccess.all"] if parts[0] in FULL_ACCESS else named


def module_need(module: str, *operations: str) -> Need:
    """Modules are written small in scopes: `ZohoCRM.modules.contacts.READ`."""
    return Need(f"ZohoCRM.modules.{module.lower()}", operations)


SEARCH_NEED = Need("ZohoSearch.securesearch", ("READ",))
