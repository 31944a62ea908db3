"""Zoho CRM, version 8: one method per call.

https://www.zoho.com/crm/developer/docs/api/v8/
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from zohosync.errors import Refused
from zohosync.zoho import coql, scopes
from zohosync.zoho.client import Client, Context
from zohosync.zoho.entities import CurrentUser, Module, Note, Organisation, Record, Rows
from zohosync.zoho.fields import FieldCatalogue
from zohosync.zoho.protocol import Effect, Json, Request, ZohoId
from zohosync.zoho.requests import checked_id, listed, more_follow, only, read
from zohosync.zoho.results import RecordResult

LIGHT_RECORDS = 10
MOST_FIELDS = 5
MOST_PAGES = 50

Automation: TypeAlias = Literal["workflow", "approval", "blueprint", "pathfinder", "orchestration"]
"""Zoho's own automations. Sent always, because leaving ``trigger`` out runs all of them."""


class Crm:
    """The calls zohosync makes. Every one may raise any ZohoFailure; faults of single records are in the results."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def within(self, context: Context) -> "Crm":
        """The same calls for another priority and other hooks."""
        return Crm(self._client.within(context))

    # --- records

    async def upsert_records(
        self,
        module: str,
        records: Sequence[Mapping[str, Any]],
        *,
        duplicate_check_fields: Sequence[str] = (),
        trigger: Sequence[Automation] = (),
    ) -> tuple[RecordResult, ...]:
        """Insert or update 1 to 100 records, one result each, in order.

        ``duplicate_check_fields`` may hold the module's system field (Email) and unique fields; unique fields are
        always checked, the system field only when it is listed or nothing is. Two records with one key must not be in
        one call. https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
        """
        body: Json = {"data": listed(records), "trigger": list(trigger)}
        if duplicate_check_fields:
            body["duplicate_check_fields"] = list(duplicate_check_fields)
        needed = (scopes.of_module(module, "CREATE"), scopes.of_module(module, "UPDATE"))
        return await self._write("POST", f"/crm/v8/{coql.named(module)}/upsert", body, "creates", needed)

    async def update_records(
        self, module: str, records: Sequence[Mapping[str, Any]], *, trigger: Sequence[Automation] = ()
    ) -> tuple[RecordResult, ...]:
        """Update 1 to 100 records by the ``id`` in each; keys left out keep their value, None clears.

        A record deleted in Zoho is Refused with reason ``zoho_record_absent``.
        https://www.zoho.com/crm/developer/docs/api/v8/update-records.html
        """
        if not all(record.get("id") for record in records):
            raise ValueError("every record to update needs its id")
        body: Json = {"data": listed(records), "trigger": list(trigger)}
        needed = (scopes.of_module(module, "UPDATE"),)
        return await self._write("PUT", f"/crm/v8/{coql.named(module)}", body, "idempotent", needed)

    async def insert_records(
        self, module: str, records: Sequence[Mapping[str, Any]], *, trigger: Sequence[Automation] = ()
    ) -> tuple[RecordResult, ...]:
        """Insert 1 to 100 records. Not safe to repeat: only unique fields stop a second copy.

        https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
        """
        body: Json = {"data": listed(records), "trigger": list(trigger)}
        needed = (scopes.of_module(module, "CREATE"),)
        return await self._write("POST", f"/crm/v8/{coql.named(module)}", body, "creates", needed)

    async def find_record(self, module: str, record_id: ZohoId | str) -> Record | None:
        """One record with all its fields; None when there is none (Zoho says so with 204, 404 or 400).

        https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
        """
        request = read(f"/crm/v8/{coql.named(module)}/{checked_id(record_id)}", scopes.of_module(module, "READ"))
        try:
            rows = (await self._client.send(request)).rows()
        except Refused as error:
            if error.status == 404 or error.vendor_code == "INVALID_DATA":
                return None
            raise
        return Record.parse(rows[0]) if rows else None

    async def get_record(self, module: str, record_id: ZohoId | str) -> Record:
        """As ``find_record``; Refused with reason ``zoho_record_absent`` when there is none."""
        found = await self.find_record(module, record_id)
        if found is None:
            raise Refused(
                f"{module} has no record {record_id} in Zoho.",
                hint="It may have been deleted or merged there.",
                code="zoho_record_absent",
            )
        return found

    async def search_records(
        self,
        module: str,
        *,
        criteria: str = "",
        email: str = "",
        phone: str = "",
        word: str = "",
        converted: Literal["true", "false", "both"] = "false",
    ) -> tuple[Record, ...]:
        """All matches, up to Zoho's 2,000. The index lags behind writes: never decide from it whether to create.

        Needs a scope that is only OPTIONAL. https://www.zoho.com/crm/developer/docs/api/v8/search-records.html
        """
        asked = {"criteria": criteria, "email": email, "phone": phone, "word": word}
        params = {name: value for name, value in asked.items() if value} | {"per_page": "200"}
        if converted != "false":
            params["converted"] = converted
        request = replace(
            read(f"/crm/v8/{coql.named(module)}/search", scopes.of_module(module, "READ"), scopes.SEARCH_READ),
            params=params,
        )
        return tuple([Record.parse(row) async for row in self._rows(request, pages=10)])

    # --- queries

    async def query(self, statement: str, *, limit: int = 200, offset: int = 0) -> Rows:
        """One page of a COQL query without its LIMIT clause (1 to 2,000 rows); it reads the records, not an index.

        https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html
        """
        if not 1 <= limit <= coql.MOST_ROWS:
            raise ValueError(f"COQL gives 1 to {coql.MOST_ROWS} rows, not {limit}")
        request = Request(
            "POST",
            "/crm/v8/coql",
            json={"select_query": f"{statement} limit {offset}, {limit}"},
            cost=coql.cost(limit),
            heavy=True,
            scopes=(scopes.COQL_READ,),
        )
        reply = await self._client.send(request)
        return Rows(tuple(Record.parse(row) for row in reply.rows()), more=more_follow(reply))

    async def find_records_by(
        self, module: str, field: str, values: Iterable[str], fields: Sequence[str] = ()
    ) -> tuple[Record, ...]:
        """Every record whose field has one of the values, with the wanted fields and always the field itself.

        Zoho may compare without regard to case: compare exactly what comes back. Blank values are left out.
        """
        found: list[Record] = []
        for batch in coql.batches(values):
            statement, offset, more = coql.select_where_in(module, field, batch, fields), 0, True
            while more:
                rows = await self.query(statement, limit=200, offset=offset)
                found.extend(rows.records)
                offset, more = offset + len(rows.records), rows.more and bool(rows.records)
        return tuple(found)

    # --- notes

    async def list_notes(self, parent_module: str, parent_id: ZohoId | str) -> tuple[Note, ...]:
        """All notes of a record. https://www.zoho.com/crm/developer/docs/api/v8/get-notes.html"""
        request = replace(
            read(
                f"/crm/v8/{coql.named(parent_module)}/{checked_id(parent_id)}/Notes",
                scopes.of_module("Notes", "READ"),
                scopes.of_module(parent_module, "READ"),
            ),
            params={"fields": "id,Note_Title,Note_Content,Created_Time,Modified_Time", "per_page": "200"},
        )
        return tuple([Note.parse(row) async for row in self._rows(request, pages=MOST_PAGES)])

    async def insert_notes(
        self, parent_module: str, notes: Sequence[tuple[ZohoId | str, str, str]]
    ) -> tuple[RecordResult, ...]:
        """Add 1 to 100 notes: parent id, title, content. Not safe to repeat: look with ``list_notes`` first.

        https://www.zoho.com/crm/developer/docs/api/v8/create-notes.html
        """
        data = [
            {
                "Note_Title": title,
                "Note_Content": content,
                "Parent_Id": {"id": checked_id(parent), "module": {"api_name": coql.named(parent_module)}},
            }
            for parent, title, content in notes
        ]
        needed = (scopes.of_module("Notes", "CREATE"),)
        return await self._write("POST", "/crm/v8/Notes", {"data": listed(data)}, "creates", needed)

    async def update_notes(self, notes: Sequence[tuple[ZohoId | str, str, str]]) -> tuple[RecordResult, ...]:
        """Rewrite 1 to 100 notes: note id, title, content.

        https://www.zoho.com/crm/developer/docs/api/v8/update-notes.html
        """
        data = [
            {"id": checked_id(note), "Note_Title": title, "Note_Content": content} for note, title, content in notes
        ]
        needed = (scopes.of_module("Notes", "UPDATE"),)
        return await self._write("PUT", "/crm/v8/Notes", {"data": listed(data)}, "idempotent", needed)

    # --- settings

    async def fields(self, module: str) -> FieldCatalogue:
        """All fields of a module, in one call. https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html"""
        request = replace(
            read("/crm/v8/settings/fields", scopes.FIELDS_READ), params={"module": module}, results_key="fields"
        )
        return FieldCatalogue.parse(module, (await self._client.send(request)).rows("fields"))

    async def create_fields(self, module: str, fields: Sequence[Mapping[str, Any]]) -> tuple[RecordResult, ...]:
        """Create custom fields, with the admin's consent only. Zoho does not tell their API names: read them again.

        https://www.zoho.com/crm/developer/docs/api/v8/create-custom-field.html
        """
        results: list[RecordResult] = []
        for start in range(0, len(fields), MOST_FIELDS):
            batch = [dict(item) for item in fields[start : start + MOST_FIELDS]]
            request = Request(
                "POST",
                "/crm/v8/settings/fields",
                params={"module": module},
                json={"fields": batch},
                records=len(batch),
                results_key="fields",
                effect="creates",
                scopes=(scopes.FIELDS_CREATE,),
            )
            results.extend((await self._client.send(request)).results)
        return tuple(results)

    async def modules(self) -> tuple[Module, ...]:
        """The modules of this organisation. https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html"""
        request = replace(read("/crm/v8/settings/modules", scopes.MODULES_READ), results_key="modules")
        return tuple(Module.parse(row) for row in (await self._client.send(request)).rows("modules"))

    async def organisation(self) -> Organisation:
        """Whose CRM this is. https://www.zoho.com/crm/developer/docs/api/v8/get-org-data.html"""
        request = replace(read("/crm/v8/org", scopes.ORG_READ), results_key="org")
        return Organisation.parse(only(await self._client.send(request), "org"))

    async def current_user(self) -> CurrentUser:
        """Who connected. https://www.zoho.com/crm/developer/docs/api/v8/get-users.html"""
        request = replace(read("/crm/v8/users", scopes.USERS_READ), params={"type": "CurrentUser"}, results_key="users")
        return CurrentUser.parse(only(await self._client.send(request), "users"))

    # --- what they share

    async def _write(
        self, method: str, path: str, body: Json, effect: Effect, needed: tuple[str, ...]
    ) -> tuple[RecordResult, ...]:
        """One credit per ten records; more than ten count for Zoho's sub-concurrency.

        https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
        """
        count = len(body["data"])
        request = Request(
            method,
            path,
            json=body,
            cost=-(-count // 10),
            records=count,
            heavy=count > LIGHT_RECORDS,
            effect=effect,
            scopes=needed,
        )
        return (await self._client.send(request)).results

    async def _rows(self, request: Request, *, pages: int) -> AsyncIterator[Json]:
        for _ in range(pages):
            reply = await self._client.send(request)
            for row in reply.rows():
                yield row
            following = reply.next_page
            if following is None:
                return
            kept = {name: value for name, value in request.params.items() if name not in ("page", "page_token")}
            request = replace(request, params=kept | dict(following))
