"""Every permission asked of Zoho, with what it is for; nothing else is asked.

https://www.zoho.com/crm/developer/docs/api/v8/scopes.html
"""

from collections.abc import Iterable

MODULES = ("contacts", "leads", "accounts", "notes")
OPERATIONS = ("CREATE", "UPDATE", "READ")

FIELDS_READ = "ZohoCRM.settings.fields.READ"
FIELDS_CREATE = "ZohoCRM.settings.fields.CREATE"
FIELDS_DELETE = "ZohoCRM.settings.fields.DELETE"
MODULES_READ = "ZohoCRM.settings.modules.READ"
COQL_READ = "ZohoCRM.coql.READ"
ORG_READ = "ZohoCRM.org.READ"
USERS_READ = "ZohoCRM.users.READ"
SEARCH_READ = "ZohoSearch.securesearch.READ"

REQUIRED: tuple[str, ...] = (
    *(f"ZohoCRM.modules.{module}.{operation}" for module in MODULES for operation in OPERATIONS),
    COQL_READ,
    FIELDS_READ,
    MODULES_READ,
    ORG_READ,
    USERS_READ,
)
OPTIONAL: tuple[str, ...] = (FIELDS_CREATE, SEARCH_READ)
"""Making the custom fields for the admin, and searching by words; everything else works without them."""

BOOKS_SETTINGS_READ = "ZohoBooks.settings.READ"

BOOKS_AREAS = ("contacts", "settings", "estimates", "invoices", "customerpayments", "creditnotes")
"""Items, taxes, places and currencies are ``settings``."""

ACCOUNTS_READ = "ZohoBooks.accountants.READ"

BOOKS_REQUIRED: tuple[str, ...] = (
    *(f"ZohoBooks.{area}.{operation}" for area in BOOKS_AREAS for operation in OPERATIONS),
    ACCOUNTS_READ,
)
"""Customers, items and documents of Zoho Books, its taxes and its accounts; nothing that deletes.

https://www.zoho.com/books/api/v3/oauth/#oauth-scopes
"""

PROBE_BOOKS: tuple[str, ...] = tuple(
    f"ZohoBooks.{area}.{operation}"
    for area in ("contacts", "settings", "invoices", "customerpayments")
    for operation in (*OPERATIONS, "DELETE")
)
"""What the questions about Books need, and deleting what they made."""

PROBE: tuple[str, ...] = (
    *REQUIRED,
    *OPTIONAL,
    *(f"ZohoCRM.modules.{module}.DELETE" for module in ("contacts", "leads", "accounts")),
    FIELDS_DELETE,
    *PROBE_BOOKS,
)
"""What `zohosync probe` needs in a trial organisation: working with it, and deleting what it made."""

ADJUSTMENTS = "ZohoBooks.inventoryadjustments"
"""What adjusting stock needs; not asked for, because nothing does it yet. Inventory documents its own scope for it, a
consent of Books takes this one."""


def of_module(module: str, operation: str) -> str:
    """The scope of one operation (CREATE, UPDATE, READ, DELETE) on a module."""
    return f"ZohoCRM.modules.{module.lower()}.{operation}"


def missing(granted: Iterable[str], needed: Iterable[str] = REQUIRED) -> tuple[str, ...]:
    """What is needed and not granted. Case does not matter; ALL, a parent's ALL, and a product's ``fullaccess.all``
    cover everything below them."""
    held = {scope.lower() for scope in granted}
    return tuple(scope for scope in needed if not _covered(scope.lower(), held))


def _covered(scope: str, held: set[str]) -> bool:
    *path, operation = scope.split(".")
    subjects = [".".join(path[:end]) for end in range(2, len(path) + 1)]
    writing = operation in {"create", "update", "delete"}
    wider = (
        {f"{path[0]}.fullaccess.all"}
        | {f"{subject}.all" for subject in subjects}
        | ({f"{'.'.join(path)}.write"} if writing else set())
    )
    return scope in held or not wider.isdisjoint(held)
