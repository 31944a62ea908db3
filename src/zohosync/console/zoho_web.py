"""Where a record of Zoho Books is to be seen in a browser. Pure."""

from collections.abc import Mapping

from zohosync.config import ACCOUNTS_SERVERS

PLACES: Mapping[str, str] = {
    "invoices": "invoices",
    "estimates": "quotes",
    "creditnotes": "creditnotes",
    "contacts": "contacts",
    "items": "inventory/items",
}


def books_address(accounts_server: str, organisation_id: str, module: str, zoho_id: str) -> str:
    """The page of a record, in the organisation's data centre; in a simulator, its own web face."""
    if accounts_server in ACCOUNTS_SERVERS.values():
        books = accounts_server.replace("//accounts.", "//books.", 1)
        return f"{books}/app/{organisation_id}#/{PLACES[module]}/{zoho_id}"
    return f"{accounts_server.rstrip('/')}/organisations/{organisation_id}/{module}/{zoho_id}"
