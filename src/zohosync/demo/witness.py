"""What the story does at the storefront, and where it looks for what became of that."""

from typing import Any

from zohosim.faults import Fault
from zohosync.db.pool import fetch_one
from zohosync.demo.crm_window import Record, find_by_email, find_record, notes_of
from zohosync.demo.eventually import Unmet, eventually, expect
from zohosync.demo.stage import Stage
from zohosync.store.insights import Operation, list_record_operations


async def send_form(stage: Stage, path: str, form: dict[str, str]) -> str:
    """Fill in a form of the storefront; the path it leads to."""
    answer = await stage.visitor.post(path, data=form)
    if answer.status_code != 303:
        raise Unmet(f"the storefront answered {path} with HTTP {answer.status_code}")
    return str(answer.headers["location"])


async def register(stage: Stage, form: dict[str, str]) -> str:
    """Register; the new user's id."""
    return (await send_form(stage, "/register", form)).removeprefix("/users/")


async def written_back(stage: Stage, table: str, record_id: str, column: str = "zoho_crm_id") -> str:
    """The id of Zoho that zohosync wrote into the shop's own row, as soon as it is there."""

    async def look() -> str | None:
        async with stage.shop.acting("service_role") as connection:
            query = f"select {column} from {table} where id = %(id)s"  # noqa: S608 - names of the story's own
            row = await fetch_one(connection, query, {"id": record_id})
        return row[column] if row else None

    return await eventually(f"{table}.{column} written back", look, stage.patience)


async def newest_operation(stage: Stage, entity: str, record_id: str, *statuses: str) -> Operation:
    """The record's newest operation, as soon as it has one of the statuses."""

    async def look() -> Operation | None:
        async with stage.services.pool.connection() as connection:
            found = await list_record_operations(connection, entity, record_id, limit=1)
        return found[0] if found and found[0].status in statuses else None

    return await eventually(f"the {entity}'s operation is {' or '.join(statuses)}", look, stage.patience)


async def last_words(stage: Stage, entity: str, record_id: str) -> str:
    """How the record's newest operation stands, and why."""
    async with stage.services.pool.connection() as connection:
        found = await list_record_operations(connection, entity, record_id, limit=1)
    return f"{found[0].status}: {found[0].error_message}" if found else "nothing was tried"


async def field_becomes(stage: Stage, module: str, record_id: str, name: str, wanted: Any) -> Record:
    """The CRM record, as soon as one of its fields has the wanted value."""

    async def look() -> Record | None:
        record = find_record(stage.simulator, module, record_id)
        return record if record and record[name] == wanted else None

    return await eventually(f"{module}.{name} becomes {wanted!r}", look, stage.patience)


def only_one(stage: Stage, module: str, email: str) -> Record:
    """The one record with that address; two would be a duplicate."""
    found = find_by_email(stage.simulator, module, email)
    expect(f"the number of {module} with {email}", len(found), 1)
    return found[0]


def break_contact(stage: Stage, email: str, kind: str, **more: Any) -> Fault:
    """Let the local Zoho refuse calls about one Contact."""
    match = {"service": "crm", "module": "Contacts", "record": {"field": "Email", "equals": email}}
    return stage.simulator.order({"kind": kind, "match": match, **more})


async def only_note(stage: Stage, lead_id: str) -> Record:
    """The one Note of a Lead, as soon as it is there."""

    async def look() -> list[Record]:
        return notes_of(stage.simulator, lead_id)

    notes = await eventually(f"Lead {lead_id} has a Note", look, stage.patience)
    expect("the number of Notes", len(notes), 1)
    return notes[0]
