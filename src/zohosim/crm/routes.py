"""The routes of CRM v8: what each path is called, needs, costs and weighs.

Scopes: https://www.zoho.com/crm/developer/docs/api/v8/scopes.html; costs: api-limits.html
"""

from collections.abc import Callable

from starlette.routing import Route

from zohosim.calls import Call
from zohosim.crm import conversion, notes, organisation, queries, reads, search, settings, upsert, watches, writes
from zohosim.gate import Endpoint, Handler, Operation, light, one_credit
from zohosim.scopes import SEARCH_NEED, Need, module_need

Needs = Callable[[Call], tuple[Need, ...]]

PER_CREDIT = 10
LIGHT_RECORDS = 10


def on_module(*operations: str) -> Needs:
    return lambda call: (module_need(call.module, *operations),)


def on_module_and_search(call: Call) -> tuple[Need, ...]:
    return (module_need(call.module, "READ"), SEARCH_NEED)


def on(subject: str, *operations: str) -> Needs:
    need = (Need(f"ZohoCRM.{subject}", operations),)
    return lambda _: need


def on_query(call: Call) -> tuple[Need, ...]:
    """COQL needs its own scope and READ on the module it asks; a query that cannot be read needs only the first."""
    needs = (Need("ZohoCRM.coql", ("READ",)),)
    module = queries.asked_module(call)
    return (*needs, module_need(module, "READ")) if module else needs


def per_ten_records(call: Call) -> int:
    """One credit for every ten records, rounded up."""
    return max(1, -(-len(call.records) // PER_CREDIT))


def many_records(call: Call) -> bool:
    return len(call.records) > LIGHT_RECORDS


def sorted_or_viewed(call: Call) -> bool:
    return "cvid" in call.params or "sort_by" in call.params


def listing_cost(call: Call) -> int:
    return 3 if "cvid" in call.params else 1


def always(_call: Call) -> bool:
    return True


def read(name: str, path: str, handler: Handler, needs: Needs) -> Operation:
    return Operation("crm", name, "GET", f"/crm/v8{path}", handler, needs)


def write(name: str, method: str, path: str, handler: Handler, needs: Needs) -> Operation:
    return Operation("crm", name, method, f"/crm/v8{path}", handler, needs, per_ten_records, many_records)


CREATE, UPDATE, DELETE = ("CREATE", "WRITE"), ("UPDATE", "WRITE"), ("DELETE", "WRITE")

SETTINGS = (
    read("org", "/org", organisation.get_org, on("org", "READ")),
    read("users", "/users", organisation.get_users, on("users", "READ")),
    read("modules", "/settings/modules", organisation.get_modules, on("settings.modules", "READ")),
    read("module", "/settings/modules/{name}", organisation.get_module, on("settings.modules", "READ")),
    read("fields", "/settings/fields", settings.get_fields, on("settings.fields", "READ")),
    read("field", "/settings/fields/{field}", settings.get_field, on("settings.fields", "READ")),
    Operation("crm", "create_fields", "POST", "/crm/v8/settings/fields", settings.create_fields,
              on("settings.fields", "CREATE")),
    Operation("crm", "delete_field", "DELETE", "/crm/v8/settings/fields/{field}", settings.delete_field,
              on("settings.fields", "DELETE")),
)  # fmt: skip

WATCHES = (
    read("watches", "/actions/watch", watches.list_channels, on("notifications", "READ")),
    *(
        Operation("crm", "watch", method, "/crm/v8/actions/watch", handler, on("notifications", need))
        for method, handler, need in (
            ("POST", watches.open_channels, "CREATE"),
            ("PUT", watches.open_channels, "UPDATE"),
            ("DELETE", watches.close_channels, "DELETE"),
        )
    ),
)

RELATED_NOTES = "/{module}/{id}/Notes"
NOTES = (
    Operation("crm", "related_notes", "GET", f"/crm/v8{RELATED_NOTES}", notes.list_related_notes, on_module("READ"),
              module="Notes"),
    Operation("crm", "insert_related_notes", "POST", f"/crm/v8{RELATED_NOTES}", notes.insert_related_notes,
              on_module(*CREATE), per_ten_records, many_records, "Notes"),
)  # fmt: skip

RECORDS = (
    Operation("crm", "coql", "POST", "/crm/v8/coql", queries.run_query, on_query, queries.query_cost, always),
    write("upsert", "POST", "/{module}/upsert", upsert.upsert_records, on_module(*CREATE)),
    read("search", "/{module}/search", search.search_records, on_module_and_search),
    read("deleted", "/{module}/deleted", reads.list_deleted, on_module("READ")),
    read("count", "/{module}/actions/count", search.count_records, on_module_and_search),
    Operation("crm", "list", "GET", "/crm/v8/{module}", reads.list_records, on_module("READ"),
              listing_cost, sorted_or_viewed),
    write("insert", "POST", "/{module}", writes.insert_records, on_module(*CREATE)),
    write("update", "PUT", "/{module}", writes.update_records, on_module(*UPDATE)),
    Operation("crm", "delete", "DELETE", "/crm/v8/{module}", writes.delete_records, on_module(*DELETE)),
    read("get", "/{module}/{id}", reads.get_record, on_module("READ")),
    write("update_one", "PUT", "/{module}/{id}", writes.update_record, on_module(*UPDATE)),
    Operation("crm", "delete_one", "DELETE", "/crm/v8/{module}/{id}", writes.delete_record, on_module(*DELETE),
              one_credit, light),
)  # fmt: skip

CONVERSION = Operation(
    "crm", "convert", "POST", "/crm/v8/Leads/{id}/actions/convert", conversion.convert_lead, on_module("CREATE"),
    lambda _: conversion.CREDITS, always, "Leads",
)  # fmt: skip

OPERATIONS = (*SETTINGS, *WATCHES, *NOTES, CONVERSION, *RECORDS)


def routes() -> list[Route]:
    return [Route(op.path, Endpoint(op), methods=[op.method]) for op in OPERATIONS]
