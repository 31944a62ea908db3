"""Commands that say which document of Books a record of the shop is, or is not."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.operations import actor, find_one
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address, reach
from zohosync.errors import SettingsRefused
from zohosync.store.installation import read_installation
from zohosync.sync.books.links_by_hand import MODULES, WORDS, Proposal, check_module, make_link, propose, undo_link
from zohosync.wiring import open_services

Entity = Annotated[str, typer.Argument(help="order, approved_quote, refund, variant or buyer.", show_default=False)]
Term = Annotated[
    str, typer.Argument(metavar="NUMBER|ID", help="Which one: id, number, SKU or e-mail.", show_default=False)
]
ModuleName = Annotated[
    str,
    typer.Argument(metavar="MODULE", help="invoices, estimates, creditnotes, items or contacts.", show_default=False),
]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit trail.", show_default=False)]


def link(
    entity: Entity,
    term: Term,
    module: ModuleName,
    zoho: Annotated[str, typer.Argument(metavar="ZOHO-ID|NUMBER", help="Which document of Books.", show_default=False)],
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, even when they differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that a record is a document of Books that was made by hand. Nothing is made, sent or paid."""
    check_module(entity, module)
    found, linked = asyncio.run(_link(load_settings(), entity, term, module, zoho, reason, sure=yes, quiet=as_json))
    if as_json:
        screen.show_json({**_shown(found), "linked": linked})
    elif linked:
        screen.show(f"{found.label} is {WORDS[module]} {found.number or found.zoho_id} from now on. {found.then}")


def _shown(found: Proposal) -> dict[str, Any]:
    return {
        "entity": found.entity,
        "record_id": found.record_id,
        "module": found.module,
        "zoho_id": found.zoho_id,
        "number": found.number,
        "status": found.status,
        "differences": [asdict(one) for one in found.differences],
    }


async def _link(
    settings: Settings, entity: str, term: str, module: str, zoho: str, reason: str, *, sure: bool, quiet: bool
) -> tuple[Proposal, bool]:
    check_address(settings.require_database())
    async with open_services(settings) as services:
        office = await services.books_desk.office()
        organisation_id = await services.books_desk.organisation_id()
        async with services.pool.connection() as connection:
            record_id = await find_one(connection, entity, term)
            found = await propose(
                connection,
                services.books_desk.books_to_look(),
                office,
                organisation_id,
                entity=entity,
                record_id=record_id,
                module=module,
                term=zoho,
            )
        if not sure:
            if quiet:
                raise SettingsRefused("--json does not ask.", hint="Add --yes when you are sure.")
            _ask(found)
        async with services.pool.connection() as connection:
            await make_link(connection, found, organisation_id=organisation_id, reason=reason, by=actor())
    return found, True


def _ask(found: Proposal) -> None:
    screen.show_table(
        f"{found.label} and {WORDS[found.module]} {found.number or found.zoho_id} ({found.status})",
        ("", "shop", "Zoho Books", ""),
        [(one.name, one.shop, one.books, "differs" if one.differs else "") for one in found.compared],
    )
    screen.remark(found.then)
    screen.confirm("They differ. Link them all the same?" if found.differences else "Link them?")


def unlink(
    entity: Entity,
    term: Term,
    module: ModuleName,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that a record is not the document it is linked to. The document stays in Books and is never adopted again."""
    check_module(entity, module)
    if not yes:
        if as_json:
            raise SettingsRefused("--json does not ask.", hint="Add --yes when you are sure.")
        screen.confirm(f"Part {entity} {term} from its {WORDS[module]}? The document stays in Books as it is.")
    record_id, zoho_id = asyncio.run(_unlink(load_settings(), entity, term, module, reason))
    if as_json:
        screen.show_json({"entity": entity, "record_id": record_id, "module": module, "zoho_id": zoho_id})
    else:
        screen.show(
            f"{term} is no longer the {WORDS[module]} {zoho_id}, which stays in Books: void it there if need be."
        )
        screen.show(_next(entity, term, module))


def _next(entity: str, term: str, module: str) -> str:
    if MODULES[entity] in ("items", "contacts"):
        return f"`zohosync sync {entity} {term}` looks for another {WORDS[module]}, or makes one."
    return f"`zohosync sync {entity} {term}` makes a new one, with the next reference: {term}/2 after the first time."


async def _unlink(settings: Settings, entity: str, term: str, module: str, reason: str) -> tuple[str, str]:
    async with reach(settings.require_database()) as connection:
        await read_installation(connection)
        record_id = await find_one(connection, entity, term)
        zoho_id = await undo_link(
            connection, entity=entity, record_id=record_id, module=module, reason=reason, by=actor()
        )
    return record_id, zoho_id
