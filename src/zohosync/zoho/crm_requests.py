"""The requests of CRM, made without sending them: ``Crm`` sends them, a preview shows them.

https://www.zoho.com/crm/developer/docs/api/v8/
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from zohosync.zoho import coql, scopes
from zohosync.zoho.protocol import Effect, Json, Request
from zohosync.zoho.requests import checked_id, listed

LIGHT_RECORDS = 10
ROWS_OF_A_LOOK = 200

Automation: TypeAlias = Literal["workflow", "approval", "blueprint", "pathfinder", "orchestration"]
"""Zoho's own automations. Sent always, because leaving ``trigger`` out runs all of them."""

NoteText: TypeAlias = tuple[str, str, str]
"""The id of the parent, or of the Note itself, then title and content."""


def upsert_request(
    module: str,
    records: Sequence[Mapping[str, Any]],
    *,
    duplicate_check_fields: Sequence[str] = (),
    trigger: Sequence[Automation] = (),
) -> Request:
    """Insert or update 1 to 100 records.

    ``duplicate_check_fields`` may hold the module's system field (Email) and unique fields; unique fields are
    always checked, the system field only when it is listed or nothing is. Two records with one key must not be in
    one call. https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
    """
    body: Json = {"data": listed(records), "trigger": list(trigger)}
    if duplicate_check_fields:
        body["duplicate_check_fields"] = list(duplicate_check_fields)
    needed = (scopes.of_module(module, "CREATE"), scopes.of_module(module, "UPDATE"))
    return _write("POST", f"/crm/v8/{coql.named(module)}/upsert", body, "creates", needed)


def update_request(module: str, records: Sequence[Mapping[str, Any]], *, trigger: Sequence[Automation] = ()) -> Request:
    """Update 1 to 100 records by the ``id`` in each; keys left out keep their value, None clears.

    https://www.zoho.com/crm/developer/docs/api/v8/update-records.html
    """
    if not all(record.get("id") for record in records):
        raise ValueError("every record to update needs its id")
    body: Json = {"data": listed(records), "trigger": list(trigger)}
    return _write("PUT", f"/crm/v8/{coql.named(module)}", body, "idempotent", (scopes.of_module(module, "UPDATE"),))


def insert_request(module: str, records: Sequence[Mapping[str, Any]], *, trigger: Sequence[Automation] = ()) -> Request:
    """Insert 1 to 100 records. Not safe to repeat: only unique fields stop a second copy.

    https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
    """
    body: Json = {"data": listed(records), "trigger": list(trigger)}
    return _write("POST", f"/crm/v8/{coql.named(module)}", body, "creates", (scopes.of_module(module, "CREATE"),))


def insert_notes_request(parent_module: str, notes: Sequence[NoteText]) -> Request:
    """Add 1 to 100 notes, each to its parent. Not safe to repeat: look with ``list_notes`` first.

    https://www.zoho.com/crm/developer/docs/api/v8/create-notes.html
    """
    data = [
        {
            "Note_Title": title,
            "Note_Content": content,
            "Parent_Id": {"id": parent, "module": {"api_name": coql.named(parent_module)}},
        }
        for parent, title, content in notes
    ]
    return _write("POST", "/crm/v8/Notes", {"data": listed(data)}, "creates", (scopes.of_module("Notes", "CREATE"),))


def update_notes_request(notes: Sequence[NoteText]) -> Request:
    """Rewrite 1 to 100 notes by their own ids.

    https://www.zoho.com/crm/developer/docs/api/v8/update-notes.html
    """
    data = [{"id": note, "Note_Title": title, "Note_Content": content} for note, title, content in notes]
    return _write("PUT", "/crm/v8/Notes", {"data": listed(data)}, "idempotent", (scopes.of_module("Notes", "UPDATE"),))


def find_request(module: str, field: str, values: Sequence[str], fields: Sequence[str] = ()) -> Request:
    """The first page of the records whose field has one of 1 to 50 values.

    https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html
    """
    return query_request(coql.select_where_in(module, field, values, fields), limit=ROWS_OF_A_LOOK)


def query_request(statement: str, *, limit: int, offset: int = 0) -> Request:
    """One page, 1 to 2,000 rows, of a COQL query without its LIMIT clause."""
    if not 1 <= limit <= coql.MOST_ROWS:
        raise ValueError(f"COQL gives 1 to {coql.MOST_ROWS} rows, not {limit}")
    return Request(
        "POST",
        "/crm/v8/coql",
        json={"select_query": f"{statement} limit {offset}, {limit}"},
        cost=coql.cost(limit),
        heavy=True,
        scopes=(scopes.COQL_READ,),
    )


def list_notes_request(parent_module: str, parent_id: str) -> Request:
    """The first page of a record's notes. https://www.zoho.com/crm/developer/docs/api/v8/get-notes.html"""
    return Request(
        "GET",
        f"/crm/v8/{coql.named(parent_module)}/{checked_id(parent_id)}/Notes",
        params={"fields": "id,Note_Title,Note_Content,Created_Time,Modified_Time", "per_page": "200"},
        scopes=(scopes.of_module("Notes", "READ"), scopes.of_module(parent_module, "READ")),
    )


def _write(method: str, path: str, body: Json, effect: Effect, needed: tuple[str, ...]) -> Request:
    """One credit per ten records; more than ten count for Zoho's sub-concurrency.

    https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
    """
    count = len(body["data"])
    return Request(
        method,
        path,
        json=body,
        cost=-(-count // 10),
        records=count,
        heavy=count > LIGHT_RECORDS,
        effect=effect,
        scopes=needed,
    )
