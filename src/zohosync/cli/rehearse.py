"""The command that looks at past records before go-live."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.masking import mask_event, mask_text
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address
from zohosync.queue.foresight import Section
from zohosync.sync.rehearse import NEWEST, Example, Group, Rehearsal
from zohosync.sync.rehearse import rehearse as rehearse_streams
from zohosync.wiring import open_services

TITLES: Mapping[Section, str] = {
    Section.REFUSED: "Would be refused",
    Section.SHARED_EMAIL: "Would be refused: one e-mail address, several customers",
    Section.WAITING: "Would wait",
    Section.WARNED: "Would be sent, with something left out or changed",
    Section.LINKED: "Fine: already in Zoho",
    Section.NAMESAKE: "Fine: names that several have",
}


def rehearse(
    customers: Annotated[int, typer.Option(min=0, help="The newest customers; 0 leaves them out.")] = NEWEST,
    inquiries: Annotated[int, typer.Option(min=0, help="The newest contact forms.")] = NEWEST,
    quotes: Annotated[int, typer.Option(min=0, help="The newest quote requests.")] = NEWEST,
    orders: Annotated[int, typer.Option(min=0, help="The newest paid orders, as if they were due.")] = NEWEST,
    approved_quotes: Annotated[int, typer.Option(min=0, help="The newest approved quotes.")] = NEWEST,
    refunds: Annotated[int, typer.Option(min=0, help="The newest refunded orders.")] = NEWEST,
    variants: Annotated[int, typer.Option(min=0, help="The newest goods.")] = NEWEST,
    buyers: Annotated[int, typer.Option(min=0, help="The newest customers Books has a contact of.")] = NEWEST,
    everything: Annotated[bool, typer.Option("--all", help="Every record there is, instead of the newest.")] = False,
    masked: Annotated[bool, typer.Option("--mask", help="Without personal data, to be passed on.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 when any record is not fine.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at past records as if they were synced: what would be held, and why. Nothing is sent, nothing written."""
    most = {
        "customer": customers,
        "inquiry": inquiries,
        "quote": quotes,
        "order": orders,
        "approved_quote": approved_quotes,
        "refund": refunds,
        "variant": variants,
        "buyer": buyers,
    }
    report = asyncio.run(_rehearse(load_settings(), dict.fromkeys(most) if everything else most))
    if masked:
        _mask(report)
    if as_json:
        screen.show_json(_shown(report))
    else:
        _tell(report)
    if strict and not report.all_fine:
        raise typer.Exit(1)


async def _rehearse(settings: Settings, most: Mapping[str, int | None]) -> Rehearsal:
    check_address(settings.require_database())
    with screen.progress("Looking at past records"):
        async with open_services(settings) as services:
            return await rehearse_streams(services.pool, services.streams, most)


def _mask(report: Rehearsal) -> None:
    """What was found in a record quotes its values, so only the record's id and its masked label stay."""
    for group in report.groups:
        group.examples = [
            Example(one.record_id, mask_event({"label": one.label})["label"], "") for one in group.examples
        ]
        group.message = mask_text(group.message)


def _shown(report: Rehearsal) -> dict[str, Any]:
    return {
        "shortcomings": report.shortcomings,
        "streams": [asdict(line) for line in report.lines],
        "findings": [asdict(group) for group in report.groups],
    }


def _tell(report: Rehearsal) -> None:
    for section, title in TITLES.items():
        groups = [group for group in report.groups if group.section is section]
        if groups:
            screen.show(title.upper())
            for group in groups:
                _tell_group(group)
            screen.show("")
    for line in report.lines:
        screen.show(
            f"{line.kind}, {line.entity}: {line.looked_at} looked at, {line.fine} fine, {line.warned} with warnings,"
            f" {line.waiting} would wait, {line.refused} refused."
        )
    for shortcoming in report.shortcomings:
        screen.show(shortcoming)
    screen.show("Nothing was sent to Zoho, and nothing was written to the shop.")


def _tell_group(group: Group) -> None:
    where = f"{group.code}, {group.zoho_field}" if group.zoho_field else group.code
    screen.show(f"  {group.count} × {group.message} [{where}; {group.entity}]")
    if group.remedy:
        screen.show(f"      {group.remedy}")
    for example in group.examples:
        screen.show("      · " + " · ".join(filter(None, (example.record_id, example.label, example.detail))))
