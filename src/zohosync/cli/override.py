"""Commands by which an administrator corrects what the shop cannot: one field of one record."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.operations import actor, find_one
from zohosync.config import load_settings
from zohosync.db.address import reach
from zohosync.db.pool import Connection
from zohosync.errors import SettingsRefused
from zohosync.store.installation import read_installation
from zohosync.store.overrides import Override, list_overrides
from zohosync.sync.books.corrections import correct, withdraw
from zohosync.sync.books.overrides import ENTITIES

Entity = Annotated[str, typer.Argument(help="order or approved_quote.", show_default=False)]
Term = Annotated[str, typer.Argument(metavar="NUMBER|ID", help="Which one, by its number or id.", show_default=False)]
Field = Annotated[
    str,
    typer.Argument(
        help="state, postal_code, country, gstin, name, company, price_basis, document_date, third_party, returned, or"
        " line_sku:<line id>.",
        show_default=False,
    ),
]


def list_all(
    entity: Annotated[str | None, typer.Argument(help="order or approved_quote; all when left out.")] = None,
    term: Annotated[str | None, typer.Argument(metavar="NUMBER|ID", help="Only those of one record.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what was corrected, newest first."""
    found = asyncio.run(_list(entity, term))
    if as_json:
        screen.show_json([asdict(one) for one in found])
    elif not found:
        screen.show("Nothing is overridden.")
    else:
        screen.show_table(
            "Overrides",
            ("record", "field", "value", "reason", "by"),
            [(f"{one.entity} {one.record_id}", one.field, one.value, one.reason, one.set_by) for one in found],
        )


async def _list(entity: str | None, term: str | None) -> list[Override]:
    async with _open(entity) as connection:
        record_id = await find_one(connection, entity, term) if entity and term else None
        return await list_overrides(connection, entity=entity, record_id=record_id)


def set_one(
    entity: Entity,
    term: Term,
    field: Field,
    value: Annotated[str, typer.Argument(help="What it is.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Correct one field of one record: `override set order ORD-1 state Telangana --reason "asked the customer"`."""
    record_id, kept = asyncio.run(_set(entity, term, field, value, reason))
    if as_json:
        screen.show_json({"entity": entity, "record_id": record_id, "field": field, "value": kept})
    else:
        screen.show(f"{field} of the {entity} {term} is {kept} from now on. If it was held, it is tried again now.")


async def _set(entity: str, term: str, field: str, value: str, reason: str) -> tuple[str, str]:
    async with _open(entity) as connection:
        record_id = await find_one(connection, entity, term)
        return record_id, await correct(
            connection,
            entity=entity,
            record_id=record_id,
            field=field,
            value=value,
            reason=reason,
            by=actor(),
            now=datetime.now(UTC),
        )


def clear_one(entity: Entity, term: Term, field: Field, as_json: AsJson = False) -> None:
    """Believe the shop again about one field of one record."""
    record_id = asyncio.run(_clear(entity, term, field))
    if as_json:
        screen.show_json({"entity": entity, "record_id": record_id, "field": field, "value": None})
    else:
        screen.show(f"{field} of the {entity} {term} is what the shop says again.")


async def _clear(entity: str, term: str, field: str) -> str:
    async with _open(entity) as connection:
        record_id = await find_one(connection, entity, term)
        await withdraw(connection, entity=entity, record_id=record_id, field=field, by=actor())
        return record_id


@asynccontextmanager
async def _open(entity: str | None) -> AsyncIterator[Connection]:
    if entity is not None and entity not in ENTITIES:
        raise SettingsRefused(f"Nothing of a {entity} can be overridden.", hint=f"Choose {' or '.join(ENTITIES)}.")
    async with reach(load_settings().require_database()) as connection:
        await read_installation(connection)
        yield connection
