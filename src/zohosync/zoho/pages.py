"""Where people see a record in Zoho's own pages."""

from zohosync.config import ACCOUNTS_SERVERS


def record_page(data_centre: str, module: str, zoho_id: str) -> str:
    """The page of a CRM record; empty for a data centre that is not Zoho's, such as a simulator's.

    Zoho sends whoever is signed in on to the organisation's own address of it.
    """
    server = ACCOUNTS_SERVERS.get(data_centre, "")
    if not server:
        return ""
    return f"{server.replace('//accounts.', '//crm.')}/crm/tab/{module}/{zoho_id}"
