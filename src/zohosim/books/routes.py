"""The routes of Books v3, and of those of Zoho Inventory v1 that know the same records.

https://www.zoho.com/books/api/v3/introduction/
"""

from functools import partial

from starlette.routing import Route

from zohosim.books import (
    addresses,
    automation,
    currencies,
    item_views,
    items,
    organisations,
    persons,
    resources,
    taxes,
)
from zohosim.books.accounts import ACCOUNTS
from zohosim.books.adjustments import ADJUSTMENTS, APPROVALS
from zohosim.books.contacts import CONTACTS
from zohosim.books.document_routes import OF_DOCUMENTS
from zohosim.books.exemptions import EXEMPTIONS
from zohosim.books.items import ITEMS
from zohosim.books.locations import LOCATIONS
from zohosim.books.operations import USER, collection, in_inventory, marking, operation
from zohosim.books.persons import PERSONS
from zohosim.gate import Endpoint, Operation

SETTINGS: tuple[Operation, ...] = (
    operation("organisations", "GET", "/organizations", organisations.list_organisations, "settings.READ", USER),
    operation("organisation", "GET", "/organizations/{id}", organisations.get_organisation, "settings.READ"),
    operation("taxes", "GET", "/settings/taxes", taxes.list_taxes, "settings.READ"),
    operation("create_tax", "POST", "/settings/taxes", taxes.create_tax, "settings.CREATE"),
    operation("get_tax", "GET", "/settings/taxes/{id}", taxes.get_tax, "settings.READ"),
    operation("update_tax", "PUT", "/settings/taxes/{id}", taxes.update_tax, "settings.UPDATE"),
    operation("delete_tax", "DELETE", "/settings/taxes/{id}", taxes.delete_tax, "settings.DELETE"),
    operation("create_tax_group", "POST", "/settings/taxgroups", taxes.create_group, "settings.CREATE"),
    operation("get_tax_group", "GET", "/settings/taxgroups/{id}", taxes.get_group, "settings.READ"),
    *collection(EXEMPTIONS, "settings", path="/settings/taxexemptions"),
    operation("list_currencies", "GET", "/settings/currencies", currencies.list_currencies, "settings.READ"),
    operation("get_currency", "GET", "/settings/currencies/{id}", currencies.get_currency, "settings.READ"),
    *collection(LOCATIONS, "settings"),
    *marking(LOCATIONS, "settings"),
    *collection(ACCOUNTS, "accountants"),
    *marking(ACCOUNTS, "accountants"),
    operation("list_webhooks", "GET", "/settings/webhooks", automation.list_webhooks, "settings.READ"),
    operation("create_webhook", "POST", "/settings/webhooks", automation.create_webhook, "settings.CREATE"),
    operation("delete_webhook", "DELETE", "/settings/webhooks/{id}", automation.delete_webhook, "settings.DELETE"),
)

OF_CONTACTS: tuple[Operation, ...] = (
    *collection(PERSONS, "contacts", path="/contacts/contactpersons")[1:],
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

OF_ITEMS: tuple[Operation, ...] = (
    operation("list_items", "GET", "/items", partial(item_views.list_items, ITEMS), "settings.READ"),
    *collection(ITEMS, "settings", singular="item")[1:],
    *marking(ITEMS, "settings", items.check_active),
    operation("item_details", "GET", "/itemdetails", partial(item_views.details, ITEMS), "settings.READ"),
)

OF_ADJUSTMENTS: tuple[Operation, ...] = (
    *collection(ADJUSTMENTS, "inventoryadjustments"),
    *(
        operation(
            f"{name.replace('/', '_')}_inventory_adjustment", "POST", f"/inventoryadjustments/{{id}}/{name}", handler,
            "inventoryadjustments.UPDATE",
        )
        for name, handler in APPROVALS.items()
    ),
)  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (
    *SETTINGS,
    *OF_CONTACTS,
    *OF_ITEMS,
    *OF_ADJUSTMENTS,
    *OF_DOCUMENTS,
    *in_inventory(OF_CONTACTS, "contacts"),
    *in_inventory(OF_ITEMS, "items"),
    *in_inventory(OF_ADJUSTMENTS, "inventoryadjustments"),
    *in_inventory([one for one in OF_DOCUMENTS if one.path.startswith("/books/v3/invoices")], "invoices"),
)


def routes() -> list[Route]:
    return [Route(op.path, Endpoint(op), methods=[op.method]) for op in OPERATIONS]
