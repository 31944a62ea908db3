"""The command for the time after a restore."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.operations import actor
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address
from zohosync.errors import SettingsRefused, ZohosyncError
from zohosync.store import audit
from zohosync.store.workers import list_workers
from zohosync.sync.doctor.finding import count
from zohosync.sync.recover import Recovery, carry_out, plan_recovery
from zohosync.wiring import Services, open_services


def read_instant(text: str) -> datetime:
    """ISO 8601 with its offset from UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is not a time with its zone; write 2026-11-22T10:00:00+05:30")
    return instant


def recover(
    since: Annotated[
        datetime,
        typer.Option(
            parser=read_instant, metavar="TIME", help="The time the database was put back to.", show_default=False
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without, only what would be done is told.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Even while workers seem to be alive.")] = False,
    as_json: AsJson = False,
) -> None:
    """After a restore of the database: look for what Zoho got since, and make the shop's values win again."""
    plan, made = asyncio.run(_recover(load_settings(), since, yes, force))
    if as_json:
        screen.show_json(
            {
                "since": plan.since,
                "done": yes,
                "counts": plan.counts(),
                "operations": made,
                "notes_listed": plan.notes_listed,
                "findings": [asdict(finding) for finding in plan.findings],
            }
        )
    else:
        _tell(plan, made, yes)


async def _recover(settings: Settings, since: datetime, yes: bool, force: bool) -> tuple[Recovery, int]:
    check_address(settings.require_database())
    async with open_services(settings) as services:
        await _check(services, since, force)
        organisation_id = (await services.custodian.access()).organisation_id or ""
        with screen.progress("Asking Zoho what it got since"):
            async with services.pool.connection() as connection:
                plan = await plan_recovery(connection, services.crm, since, desk=services.books_desk)
        made = 0
        if yes:
            async with services.pool.connection() as connection, connection.transaction():
                made = await carry_out(connection, plan, services.streams, organisation_id=organisation_id)
                detail = {"since": since.isoformat(), "operations": made, **plan.counts()}
                await audit.record(connection, actor=actor(), action="database.recover", detail=detail)
    return plan, made


async def _check(services: Services, since: datetime, force: bool) -> None:
    _check_time(services.installation.live_since, since)
    async with services.pool.connection() as connection:
        alive = [worker.name for worker in await list_workers(connection) if worker.alive]
    if alive and not force:
        raise ZohosyncError(
            f"Workers are alive: {', '.join(alive)}.",
            hint="Stop them first. When they stopped with the old database, wait a minute or add --force.",
            code="workers_alive",
        )


def _check_time(live_since: datetime | None, since: datetime) -> None:
    if since > datetime.now(UTC):
        raise SettingsRefused(
            f"{_shown(since, since)} has not come yet.", hint="Name the time the database was put back to."
        )
    if live_since is None:
        raise SettingsRefused(
            "This installation has not gone live: it has synced nothing, so there is nothing to recover.",
            hint="When you are ready, `zohosync golive` starts it.",
        )
    if since < live_since:
        earliest = live_since.replace(microsecond=0) + timedelta(seconds=1)
        raise SettingsRefused(
            f"This installation is live since {_shown(live_since, since)}:"
            f" nothing was synced at {_shown(since, since)}.",
            hint=f"Name the time the database was put back to; the earliest is {_shown(earliest, since)}.",
        )


def _shown(instant: datetime, typed: datetime) -> str:
    """To the second, in the zone that was typed; it can be typed again as it is."""
    return instant.astimezone(typed.tzinfo).isoformat(timespec="seconds")


def _tell(plan: Recovery, made: int, done: bool) -> None:
    screen.show_facts(plan.counts())
    if not plan.notes_listed:
        screen.show(
            "Zoho does not list Notes by time: those in doubt are looked for at their Leads, others stay as they are."
        )
    if plan.findings:
        screen.show_table(
            "In Zoho with our key, and linked to nothing; nothing is deleted",
            ("module", "id in Zoho", "entity", "id in the shop", "why"),
            [(one.module, one.zoho_id, one.entity, one.record_id, one.why) for one in plan.findings],
        )
    if done:
        screen.show(f"{count(made, 'operation was', 'operations were')} made. Start the workers now.")
    else:
        screen.show("Nothing was changed; --yes does it.")
