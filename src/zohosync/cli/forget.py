"""The command for a person who asks to be forgotten."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.operations import RecordUnknown, actor
from zohosync.config import Settings, load_settings
from zohosync.db.address import reach
from zohosync.db.pool import Connection
from zohosync.errors import SettingsRefused
from zohosync.store import audit, forgetting
from zohosync.store.forgetting import Person, ShopRecord, ZohoRecord
from zohosync.store.installation import read_installation
from zohosync.store.tokens import find_connection
from zohosync.sync.doctor.finding import count
from zohosync.zoho.pages import record_page


@dataclass(frozen=True)
class Forgotten:
    """What there was, what remains, and where. ``leftovers``: tables of ours that still hold an address."""

    person: Person
    traces: dict[str, int]
    zoho: list[tuple[ZohoRecord, str]]
    leftovers: dict[str, int]
    done: bool


def forget(
    entity: Annotated[str, typer.Argument(help="customer, inquiry, quote or order.", show_default=False)],
    term: Annotated[str, typer.Argument(metavar="ID|E-MAIL", help="Which one; it may be gone.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without, only what would go is told.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what zohosync keeps of a person; shop and Zoho keep theirs, and are named."""
    if entity not in forgetting.ENTITIES:
        raise SettingsRefused(
            f"There is no entity {entity!r}.", hint=f"Choose one of {', '.join(forgetting.ENTITIES)}."
        )
    found = asyncio.run(_forget(load_settings(), entity, term, yes))
    if as_json:
        screen.show_json(_as_json(found))
    else:
        _tell(found)


async def _forget(settings: Settings, entity: str, term: str, yes: bool) -> Forgotten:
    async with reach(settings.require_database()) as connection:
        await read_installation(connection)
        async with connection.transaction():
            person = await forgetting.find_person(connection, entity, term)
            kept = person.records or person.others or await forgetting.find_leftovers(connection, person)
            if not kept:
                raise RecordUnknown(
                    f"zohosync keeps nothing of {entity} {term!r}.", hint="Name it by its id or its e-mail address."
                )
            traces = await forgetting.count_traces(connection, person)
            zoho = await _pages(connection, person)
            if yes:
                await forgetting.forget_person(connection, person)
                await _write_down(connection, entity, person, traces)
            leftovers = await forgetting.find_leftovers(connection, person) if yes else {}
    return Forgotten(person, traces, zoho, leftovers, yes)


async def _pages(connection: Connection, person: Person) -> list[tuple[ZohoRecord, str]]:
    login = await find_connection(connection)
    centre = login.data_centre if login else ""
    return [
        # A Note has no page of its own: it is shown with its Lead. The modules of Books are written small.
        (one, "" if one.module == "Notes" or one.module.islower() else record_page(centre, one.module, one.zoho_id))
        for one in await forgetting.list_zoho_records(connection, person)
    ]


async def _write_down(connection: Connection, entity: str, person: Person, traces: dict[str, int]) -> None:
    """That it was done, without saying of whom: the ids lead nowhere once the shop has deleted its records."""
    records = [one.record_id for one in sorted(person.records) if one.entity == entity]
    await audit.record(
        connection,
        actor=actor(),
        action="person.forget",
        entity=entity,
        record_id=records[0] if records else None,
        detail={"records": len(person.records), **traces},
    )


def _tell(found: Forgotten) -> None:
    counts = ", ".join(count(rows, name.removesuffix("s")) for name, rows in found.traces.items())
    screen.show(f"{count(len(found.person.records), 'record')} of this person: {counts}.")
    for email in sorted(found.person.shared):
        screen.show(f"Left alone: {email}, which is another customer's by now.")
    for one in sorted(found.person.others):
        screen.show(f"Left alone: {one.entity} {one.record_id}, which had an address of theirs and has another by now.")
    if found.done:
        screen.show("What zohosync kept of them is removed. Ids and counts stay in the log.")
        for table, rows in found.leftovers.items():
            screen.show(f"Still in {table}: {count(rows, 'row holds', 'rows hold')} an address of theirs.")
    else:
        screen.show("Nothing was changed; --yes removes it.")
    _tell_the_rest(found)


def _tell_the_rest(found: Forgotten) -> None:
    """What is not ours to delete."""
    if found.person.present:
        screen.show("\nStill in the shop; delete it there, or it is synced again when it changes:")
        for one in sorted(found.person.present):
            screen.show(f"  {one.entity} {one.record_id}")
    if found.zoho:
        screen.show("\nIn Zoho, as far as zohosync knows; delete it there, and from the recycle bin:")
        for record, page in found.zoho:
            screen.show(f"  {record.module} {record.zoho_id}  {page}".rstrip())


def _as_json(found: Forgotten) -> dict[str, Any]:
    def shown(records: frozenset[ShopRecord]) -> list[dict[str, str]]:
        return [{"entity": one.entity, "record_id": one.record_id} for one in sorted(records)]

    return {
        "done": found.done,
        "records": shown(found.person.records),
        "removed": found.traces,
        "left_alone": sorted(found.person.shared),
        "left_alone_records": shown(found.person.others),
        "still_in_the_shop": shown(found.person.present),
        "still_in_zoho": [{"module": one.module, "id": one.zoho_id, "page": page} for one, page in found.zoho],
        "leftovers": found.leftovers,
    }
