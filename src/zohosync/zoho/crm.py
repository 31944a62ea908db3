"""Zoho CRM, version 8: one method per call.

https://www.zoho.com/crm/developer/docs/api/v8/
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from zohosync.errors import Refused
from zohosync.zoho import coql, scopes
from zohosync.zoho.client import Client, Context
from zohosync.zoho.crm_requests import (
    ROWS_OF_A_LOOK,
    Automation,
    NoteText,
    insert_notes_request,
    insert_request,
    list_notes_request,
    query_request,
    update_notes_request,
    update_request,
    upsert_request,
)
from zohosync.zoho.entities import CurrentUser, Module, Note, Organisation, Record, Rows
from zohosync.zoho.fields import FieldCatalogue
from zohosync.zoho.protocol import Json, Request, ZohoId
from zohosync.zoho.requests import checked_id, more_follow, only, read
from zohosync.zoho.results import RecordResult

MOST_FIELDS = 5
MOST_PAGES = 50


class Crm:
    """The calls zohosync makes. Every one may raise any ZohoFailure; faults of single records are in the results."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def within(self, context: Context) -> "Crm":
        """The same calls for another priority and other hooks."""
        return Crm(self._client.within(context))

    # --- records

    async def write(self, request: Request) -> tuple[RecordResult, ...]:
        """Send a write of ``crm_requests``: one result for each of its records, in order."""
        return (await self._client.send(request)).results

    async def upsert_records(
        self,
        module: str,
        records: Sequence[Mapping[str, Any]],
        *,
        duplicate_check_fields: Sequence[str] = (),
        trigger: Sequence[Automation] = (),
    ) -> tuple[RecordResult, ...]:
        """Insert or update 1 to 100 records; see ``upsert_request`` for the keys."""
        request = upsert_request(module, records, duplicate_check_fields=duplicate_check_fields, trigger=trigger)
        return await self.write(request)

    async def update_records(
        self, module: str, records: Sequence[Mapping[str, Any]], *, trigger: Sequence[Automation] = ()
    ) -> tuple[RecordResult, ...]:
        """Update 1 to 100 records. One that was deleted in Zoho is Refused with reason ``zoho_record_absent``."""
        return await self.write(update_request(module, records, trigger=trigger))

    async def insert_records(
        self, module: str, records: Sequence[Mapping[str, Any]], *, trigger: Sequence[Automation] = ()
    ) -> tuple[RecordResult, ...]:
        """Insert 1 to 100 records. Not safe to repeat."""
        return await self.write(insert_request(module, records, trigger=trigger))

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

    async def query(self, statement: str, *, limit: int = ROWS_OF_A_LOOK, offset: int = 0) -> Rows:
        """One page of a COQL query without its LIMIT clause (1 to 2,000 rows); it reads the records, not an index.

        https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html
        """
        reply = await self._client.send(query_request(statement, limit=limit, offset=offset))
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
                rows = await self.query(statement, limit=ROWS_OF_A_LOOK, offset=offset)
                found.extend(rows.records)
                offset, more = offset + len(rows.records), rows.more and bool(rows.records)
        return tuple(found)

    async def list_modified(self, module: str, since: datetime, fields: Sequence[str] = ()) -> tuple[Record, ...]:
        """Every record written at or after ``since``, by whomever; Refused when they are more than a query reaches."""
        statement, found, more = coql.select_modified_since(module, since, fields), list[Record](), True
        while more:
            if len(found) + coql.MOST_ROWS > coql.MOST_OFFSET:
                raise Refused(
                    f"More than {len(found)} records of {module} were changed in Zoho since then.",
                    hint="Choose a later time.",
                    code="too_many_changes",
                )
            rows = await self.query(statement, limit=coql.MOST_ROWS, offset=len(found))
            found.extend(rows.records)
            more = rows.more and bool(rows.records)
        return tuple(found)

    # --- notes

    async def list_notes(self, parent_module: str, parent_id: ZohoId | str) -> tuple[Note, ...]:
        """All notes of a record. https://www.zoho.com/crm/developer/docs/api/v8/get-notes.html"""
        request = list_notes_request(parent_module, parent_id)
        return tuple([Note.parse(row) async for row in self._rows(request, pages=MOST_PAGES)])

    async def insert_notes(self, parent_module: str, notes: Sequence[NoteText]) -> tuple[RecordResult, ...]:
        """Add 1 to 100 notes: parent id, title, content. Not safe to repeat: look with ``list_notes`` first."""
        return await self.write(insert_notes_request(parent_module, notes))

    async def update_notes(self, notes: Sequence[NoteText]) -> tuple[RecordResult, ...]:
        """Rewrite 1 to 100 notes: note id, title, content."""
        return await self.write(update_notes_request(notes))

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

    async def server_time(self) -> datetime | None:
        """Zoho's clock, to the second, as every answer tells it; None when this one does not."""
        reply = await self._client.send(replace(read("/crm/v8/org", scopes.ORG_READ), results_key="org"))
        try:
            return parsedate_to_datetime(reply.headers.get("date", ""))
        except ValueError:
            return None

    async def current_user(self) -> CurrentUser:
        """Who connected. https://www.zoho.com/crm/developer/docs/api/v8/get-users.html"""
        request = replace(read("/crm/v8/users", scopes.USERS_READ), params={"type": "CurrentUser"}, results_key="users")
        return CurrentUser.parse(only(await self._client.send(request), "users"))

    # --- what they share

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
