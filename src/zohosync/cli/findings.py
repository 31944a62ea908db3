"""Commands about findings: documents and records that no longer agree, until somebody decides."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.operations import actor
from zohosync.config import load_settings
from zohosync.db.address import reach
from zohosync.store.findings import Finding, list_findings
from zohosync.store.installation import read_installation
from zohosync.sync.books.finding_catalogue import Action, entry_of
from zohosync.sync.books.resolving import Decided, decide


def findings(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="The closed ones, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what somebody has to decide: where a document in Books and its record no longer agree."""
    if context.invoked_subcommand is not None:
        return
    found = asyncio.run(_read(everything))
    if as_json:
        screen.show_json([{**asdict(one), "actions": _actions(one)} for one in found])
    elif not found:
        screen.show("Nothing is to be decided.")
    for one in [] if as_json else found:
        _tell(one)


def _actions(found: Finding) -> list[str]:
    return [] if found.closed_at else [choice.action.value for choice in entry_of(found.code).choices]


def _tell(found: Finding) -> None:
    entry = entry_of(found.code)
    screen.show(f"#{found.finding_id} {found.label or found.record_id} ({found.entity}): {entry.title}")
    screen.show(f"    {found.message}")
    if found.closed_at:
        screen.show(f"    Closed by {found.closed_by}: {found.resolution}{f', {found.reason}' if found.reason else ''}")
        return
    for choice in entry.choices:
        how = (
            f"zohosync link {found.entity} {found.label or found.record_id} {found.module} <number>"
            if choice.action is Action.LINK
            else f"zohosync findings resolve {found.finding_id} {choice.action}"
        )
        screen.show(f"    · {choice.label}: {how}")


async def _read(everything: bool) -> list[Finding]:
    async with reach(load_settings().require_database()) as connection:
        await read_installation(connection)
        return await list_findings(connection, closed=everything)


def resolve(
    finding_id: Annotated[int, typer.Argument(min=1, help="Its number.", show_default=False)],
    action: Annotated[str, typer.Argument(help="One of those it offers.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Decide one finding: `findings resolve 7 accept --reason "agreed with the customer"`."""
    done = asyncio.run(_resolve(finding_id, action, reason))
    if as_json:
        screen.show_json({"finding": finding_id, "resolution": done.finding.resolution, "operations": done.operations})
        return
    queued = "".join(f" Queued as #{number}." for number in done.operations)
    screen.show(f"Finding #{finding_id} is closed: {action}.{queued}")


async def _resolve(finding_id: int, action: str, reason: str) -> Decided:
    async with reach(load_settings().require_database()) as connection:
        await read_installation(connection)
        return await decide(connection, finding_id=finding_id, action=action, reason=reason, by=actor(), is_admin=True)
