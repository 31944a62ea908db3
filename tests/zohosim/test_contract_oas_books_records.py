"""Every operation of Books against Zoho's own OpenAPI files of Books and Inventory: requests and answers.

The files lie beside the repository, not in it. Whatever the wire does differently is listed in DEVIATIONS with its
reason, and a line that is no longer needed fails.
"""

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from books_conversation import BOOKS, INVENTORY, Conversation, Exchange, shape
from contract import broken, pointer
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from conftest import log_in
from zohosim.books.routes import OPERATIONS

pytestmark = pytest.mark.oas

SHARED = Path(__file__).parents[2].parent / "shared" / "oas"
ROOTS = {"books": BOOKS, "inventory": INVENTORY}
METHODS = ("get", "post", "put", "delete")

DEVIATIONS: dict[str, str] = {
    "* request customfield_id type": "the body is an array, as the text of the call says, not one object",
    "* request body required(amount_applied)": "a key of invoices[], which the generator of the files put at the top",
    "* request body required(invoice_id)": "a key of invoices[], which the generator of the files put at the top",
    "* /books/v3/estimates* request body required(custom_fields)": "the text of the call asks for none",
    "* /books/v3/creditnotes* request body required(creditnote_number)": "drawn from the series when it is left out",
    "* /books/v3/contacts/{}/address/{} request body required(address_id)": "the path names it",
    "* /books/v3/locations* request body required(country)": "a key of address, which the generator put at the top",
    "* /books/v3/locations* request body required(tax_settings_id)": "an organisation has one registration unless told",
    "POST /books/v3/invoices/{}/credits request body required(invoice_payments)": "credits alone can be applied, too",
    "POST /books/v3/items request purchase_rate type": "numbers are taken, as live clients send them",
    "* 20? *.tax_percentage type": "a number on live organisations, not text",
    "* 20? *.shipping_charge type": "amounts are numbers on live organisations, not text",
    "* 20? invoice*.total type": "amounts are numbers on live organisations, not text",
    "* 20? invoice*.balance type": "amounts are numbers on live organisations, not text",
    "* 20? creditnote.taxes.tax_amount type": "amounts are numbers on live organisations, not text",
    "* 20? contact.credit_limit type": "blank is empty text, as numbers without a value are on live organisations",
    "* 20? item.locations.location_* type": "quantities are numbers on live organisations, not text",
    "* 20? organization*.fiscal_year_start_month type": "a name like april on live organisations",
    "GET /books/v3/chartofaccounts 200 chartofaccounts.depth type": "a number, which the file has as text",
    "GET /books/v3/chartofaccounts 200 chartofaccounts.is_child_present type": "a flag, which the file has as text",
    "GET /books/v3/creditnotes 200 creditnotes type": "an array, which the file has as one object",
    "GET /books/v3/estimates 200 page_context type": "an object on live organisations, not an array",
    "GET /books/v3/invoices 200 page_context type": "an object on live organisations, not an array",
    "GET /books/v3/invoices/{}/payments 200 payments.payment_number type": "text, as in every other answer",
    "PUT /books/v3/invoices 200 invoice.custom_fields.customfield_id type": "ids are text on live organisations",
    "* /books/v3/settings/taxes* 20? tax type": "an object with its keys, which the file has as text",
    "* /books/v3/contacts/contactpersons* 20? contact_person type": "one object; the file has an array",
    "POST /books/v3/chartofaccounts/{}/*active 200 status": "the file declares 201, though nothing is created",
    "POST /books/v3/contacts/{}/address 201 status": "creations were seen with 201; the file declares 200 for this one",
    "POST /books/v3/settings/taxexemptions 201 status": "creations were seen with 201; the file declares 200 here",
}
"""`METHOD path status place rule` (shell pattern; `request` in the place of the status) -> why the wire differs."""

NOT_IN_THE_FILES: dict[str, str] = {
    "* /inventory/v1/contacts*": "Inventory knows the contacts of Books; its file of them is not at hand",
    "* /inventory/v1/item*": "Inventory knows the items of Books; its file of them is not at hand",
    "* /inventory/v1/invoice*": "Inventory knows the invoices of Books; its file of them is not at hand",
    "* /books/v3/inventoryadjustments*": "works below the root of Books on live organisations, undocumented",
    "GET /books/v3/locations/{}": "what PUT changes can be read",
    "GET /books/v3/contacts/contactpersons/{}": "what PUT changes can be read",
    "* /books/v3/settings/webhooks*": "a page of its own, without a file at hand: books/api/v3/webhooks",
    "POST /books/v3/invoices/fromestimates": "undocumented, and seen on live organisations",
    "PUT /books/v3/creditnote/{}/customfields": "as of every other document, by likeness",
}
"""`METHOD path` (shell pattern) of operations that no file describes -> why they are there."""

OTHER_EDITIONS = {
    "tax_factor", "country", "purchase_tax_expense_account_id", "tds_payable_account_id", "tax_authority_id",
    "tax_authority_name", "tax_regime", "vat_treatment", "vat_reg_no", "cfdi_usage", "cfdi_reference_type",
    "purchase_tax_rule_id", "sales_tax_rule_id", "sat_item_key_code", "unitkey_code", "company_id_label",
    "company_id_value", "tax_id_label", "tax_id_value", "ach_payment_initiated",
}  # fmt: skip
"""Keys that an organisation of India does not tell."""
LEFT_OUT = {
    "attachment_name", "associated_users", "auto_number_generation_id", "can_send_in_mail", "client_viewed_time",
    "communication_preference", "contact_persons_associated", "creditnote_number", "currency_symbol",
    "current_balance", "custom_fields", "default_templates", "documents", "due_days", "facebook", "has_transaction",
    "ignore_auto_number_generation", "is_added_in_portal", "is_all_users_selected", "is_emailed",
    "is_single_invoice_payment", "last_reminder_sent_date", "location_name", "opening_balances", "org_address",
    "payment_form", "payment_number", "payment_reminder_enabled", "project", "reminders_sent", "remit_to_address",
    "response_option", "salesperson_id", "schedule_time", "tax_name", "tax_percentage", "twitter",
    "zi_migration_status",
}  # fmt: skip
"""Keys that are left out in at least one answer: of reminders, portals, users, templates and printing, or told
elsewhere. `custom_fields` are flattened in lists on live organisations."""


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    """The files by their address."""
    if not SHARED.is_dir():
        reason = "Zoho's OpenAPI files are not beside the repository"
        if "oas" in os.environ.get("ZOHOSYNC_REQUIRE", ""):
            pytest.fail(f"oas is required here, but {reason}")
        pytest.skip(f"oas not run: {reason}")
    found = {f"{folder}/{path.stem}": path for folder in ROOTS for path in sorted((SHARED / folder).glob("*.yml"))}
    return {f"https://oas/{name}": yaml.safe_load(path.read_text()) for name, path in found.items()}


@pytest.fixture(scope="module")
def registry(files: dict[str, Any]) -> Registry[Any]:
    return Registry().with_resources(
        [(address, Resource(content, DRAFT202012)) for address, content in files.items()]
    )  # fmt: skip


@pytest.fixture(scope="module")
def described(files: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """Method and shape of a path to the file and the path as it is spelt there."""
    return {
        (method.upper(), ROOTS[address.split("/")[3]] + shape(template)): (address, template)
        for address, content in files.items()
        for template, methods in content["paths"].items()
        for method in methods
        if method in METHODS
    }


@pytest.fixture
async def exchanges(zoho: Any) -> list[Exchange]:
    """Every operation, once and without a refusal."""
    log_in(zoho.sim, zoho.http, "ZohoBooks.fullaccess.all", "ZohoInventory.fullaccess.all")
    zoho.sim.limits.enabled = False
    return await Conversation(zoho).hold()


def deviations(files: dict[str, Any], registry: Registry[Any], where: tuple[str, str], exchange: Exchange) -> set[str]:
    """Everything in which this request and its answer differ from the file."""
    address, template = where
    described = files[address]["paths"][template][exchange.method.lower()]
    base = ("paths", template, exchange.method.lower())
    found = set()
    if exchange.request is not None and "requestBody" in described:
        place = pointer(*base, "requestBody", "content", "application/json", "schema")
        lines = broken(registry, f"{address}#{place}", exchange.request)
        found |= {f"{exchange.method} {exchange.path} request {line}" for line in lines}
    status = str(exchange.answer.status_code)
    if status not in described["responses"]:
        found.add(f"{exchange.name} status")
        status = next(iter(described["responses"]))
    if described["responses"][status].get("content"):
        place = pointer(*base, "responses", status, "content", "application/json", "schema")
        found |= {f"{exchange.name} {line}" for line in broken(registry, f"{address}#{place}", exchange.answer.json())}
    return found


def all_deviations(files: Any, registry: Any, described: Any, exchanges: list[Exchange]) -> set[str]:
    known = [(one, described.get((one.method, one.path))) for one in exchanges]
    return {line for one, where in known if where for line in deviations(files, registry, where, one)}


async def test_every_request_and_answer_agrees_with_the_files_but_for_the_listed_deviations(
    files, registry, described, exchanges
):
    lines = all_deviations(files, registry, described, exchanges)
    unlisted = [line for line in lines if not any(fnmatchcase(line, pattern) for pattern in DEVIATIONS)]
    assert not unlisted, "\n".join(sorted(unlisted))


async def test_every_listed_deviation_is_needed(files, registry, described, exchanges):
    lines = all_deviations(files, registry, described, exchanges)
    assert [pattern for pattern in DEVIATIONS if not any(fnmatchcase(line, pattern) for line in lines)] == []


async def test_every_operation_that_the_files_describe_was_called(described, exchanges):
    there = {(one.method, shape(one.path)) for one in OPERATIONS} & set(described)
    said = {(one.method, one.path) for one in exchanges}
    assert sorted(there - said) == []


def test_every_operation_that_no_file_describes_has_a_reason(described):
    beyond = {f"{one.method} {shape(one.path)}" for one in OPERATIONS if (one.method, shape(one.path)) not in described}
    unlisted = [line for line in beyond if not any(fnmatchcase(line, pattern) for pattern in NOT_IN_THE_FILES)]
    assert sorted(unlisted) == []
    assert [p for p in NOT_IN_THE_FILES if not any(fnmatchcase(line, p) for line in beyond)] == []


def resolved(content: Any, schema: Any) -> Any:
    """The schema that is meant, of the elements when it is one of an array."""
    while "$ref" in schema:
        found = content
        for step in schema["$ref"].split("/")[1:]:
            found = found[step]
        schema = found
    return resolved(content, schema["items"]) if schema.get("type") == "array" else schema


def untold(content: Any, schema: Any, body: dict[str, Any]) -> set[str]:
    """Keys of the records in an answer that the file knows and the answer has not."""
    found: set[str] = set()
    for node, inner in resolved(content, schema).get("properties", {}).items():
        told = body.get(node)
        told = told[0] if isinstance(told, list) and told else told
        if isinstance(told, dict):
            found |= set(resolved(content, inner).get("properties", {})) - set(told)
    return found


async def test_every_key_the_files_know_of_a_record_is_told_but_for_the_listed(files, described, exchanges):
    """The files ask for no key at all, so that anything would pass without this."""
    missing: set[str] = set()
    for one in exchanges:
        where = described.get((one.method, one.path))
        if where is not None and one.method == "GET":
            content = files[where[0]]
            answers = content["paths"][where[1]]["get"]["responses"]
            schema = answers["200"]["content"]["application/json"]["schema"]
            missing |= untold(content, schema, one.answer.json())
    assert sorted(missing - OTHER_EDITIONS - LEFT_OUT) == []
    assert sorted((OTHER_EDITIONS | LEFT_OUT) - missing) == []
