"""The routes of Books v3, and of those of Zoho Inventory v1 that know the same records.

https://www.zoho.com/books/api/v3/introduction/
"""

from functools import partial

from starlette.routing import Route

from zohosim.books import addresses, automation, organisations, persons, resources, taxes
from zohosim.books.contacts import CONTACTS
from zohosim.books.document_routes import OF_DOCUMENTS
from zohosim.books.locations import LOCATIONS
from zohosim.books.operations import USER, collection, in_inventory, marking, operation
from zohosim.books.persons import PERSONS
from zohosim.gate import Endpoint, Operation

SETTINGS: tuple[Operation, ...] = (
    operation("organisations", "GET", "/organizations", organisations.list_organisations, "settings.READ", USER),
    operation("organisation", "GET", "/organizations/{id}", organisations.get_organisation, "settings.READ"),
    operation("taxes", "GET", "/settings/taxes", taxes.list_taxes, "settings.READ"),
    *collection(LOCATIONS, "settings"),
    operation("list_webhooks", "GET", "/settings/webhooks", automation.list_webhooks, "settings.READ"),
    operation("create_webhook", "POST", "/settings/webhooks", automation.create_webhook, "settings.CREATE"),
    operation("delete_webhook", "DELETE", "/settings/webhooks/{id}", automation.delete_webhook, "settings.DELETE"),
)

OF_CONTACTS: tuple[Operation, ...] = (
    *collection(PERSONS, "contacts", path="/contacts/contactpersons"),
    operation(
        "primary_contact_person", "POST", "/contacts/contactpersons/{id}/primary", persons.make_primary,
        "contacts.CREATE",
    ),
    operation(
        "list_contact_persons", "GET", "/contacts/{contact_id}/contactpersons", persons.list_persons, "contacts.READ"
    ),
    operation(
        "get_contact_person", "GET", "/contacts/{contact_id}/contactpersons/{id}",
        partial(resources.get_row, PERSONS), "contacts.READ",
    ),
    *collection(CONTACTS, "contacts"),
    *marking(CONTACTS, "contacts"),
    operation("list_addresses", "GET", "/contacts/{id}/address", addresses.list_addresses, "contacts.READ"),
    operation("add_address", "POST", "/contacts/{id}/address", addresses.add_address, "contacts.CREATE"),
    operation(
        "update_address", "PUT", "/contacts/{id}/address/{address_id}", addresses.update_address, "contacts.UPDATE"
    ),
    operation(
        "delete_address", "DELETE", "/contacts/{id}/address/{address_id}", addresses.delete_address, "contacts.DELETE"
    ),
)  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (*SETTINGS, *OF_CONTACTS, *OF_DOCUMENTS, *in_inventory(OF_CONTACTS, "contacts"))


def routes() -> list[Route]:
    return [Route(op.path, Endpoint(op), methods=[op.method]) for op in OPERATIONS]
