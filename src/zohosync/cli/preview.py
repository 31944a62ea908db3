"""The command that shows what would be sent for one record."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.operations import find_one, streams_of
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address
from zohosync.errors import ZohosyncError
from zohosync.queue.foresight import Decision, PlannedCall, Step, Verdict
from zohosync.sync.preview import StreamPreview, preview_record
from zohosync.wiring import open_services
from zohosync.zoho.canonical import canonical_json

VERDICTS: Mapping[Verdict, str] = {
    Verdict.SENT: "would be sent",
    Verdict.IDENTICAL: "would be skipped: Zoho has accepted exactly this before",
    Verdict.OUT_OF_SCOPE: "would be skipped: it is out of scope",
    Verdict.NOT_DUE: "would be skipped: there is nothing to make of it now",
    Verdict.GONE: "would be skipped: it is no longer in the shop",
    Verdict.REFUSED: "would be refused",
    Verdict.WAITS: "would wait",
}
DECISIONS: Mapping[Decision, str] = {
    Decision.CREATE: "create",
    Decision.UPDATE: "update {id}",
    Decision.LOOK_FIRST: "look first",
    Decision.IDENTICAL: "nothing to do: {id} is as it should be",
}


def preview(
    entity: Annotated[
        str,
        typer.Argument(
            help="customer, inquiry, quote, order, approved_quote, refund, variant or buyer.", show_default=False
        ),
    ],
    term: Annotated[str, typer.Argument(metavar="ID|NUMBER|E-MAIL", help="Which one.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show what would be sent to Zoho for one record, byte for byte. Nothing is sent, nothing claimed."""
    record_id, found = asyncio.run(_preview(load_settings(), entity, term))
    if as_json:
        screen.show_json({"entity": entity, "record_id": record_id, "streams": [_shown(one) for one in found]})
        return
    for one in found:
        _tell(one, f"{entity} {one.preview.label or record_id}")
    screen.show("Nothing was sent.")


async def _preview(settings: Settings, entity: str, term: str) -> tuple[str, list[StreamPreview]]:
    check_address(settings.require_database())
    async with open_services(settings) as services:
        streams_of(services, entity)
        async with services.pool.connection() as connection:
            record_id = await find_one(connection, entity, term)
        return record_id, await preview_record(services.pool, services.streams, entity, record_id)


def _shown(one: StreamPreview) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "verdict": one.preview.verdict,
        "problem": _problem(one.preview.problem),
        "warnings": [asdict(warning) for warning in one.preview.warnings],
        "steps": [_shown_step(step) for step in one.preview.steps],
        "shortcoming": one.shortcoming,
    }


def _problem(error: ZohosyncError | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {
        "code": error.reason,
        "message": error.message,
        "hint": error.hint,
        "field": getattr(error, "field", ""),
        "wait_for": getattr(error, "wait_for", ""),
    }


def _shown_step(step: Step) -> dict[str, Any]:
    return {
        "module": step.module,
        "decision": step.decision,
        "zoho_id": step.zoho_id,
        "differences": [asdict(difference) for difference in step.differences],
        "calls": [asdict(call) | {"content": _body(call)} for call in step.calls],
    }


def _body(call: PlannedCall) -> str | None:
    return None if call.content is None else call.content.decode()


def _tell(one: StreamPreview, name: str) -> None:
    screen.show(f"{one.kind}: the {name} {VERDICTS[one.preview.verdict]}.")
    if one.preview.problem is not None:
        screen.show(f"  {one.preview.problem}")
    for warning in one.preview.warnings:
        screen.show(f"  Warning: {warning.message} {warning.hint}".rstrip())
    for step in one.preview.steps:
        _tell_step(step)
    if one.shortcoming:
        screen.show(f"  {one.shortcoming}")


def _tell_step(step: Step) -> None:
    screen.show(f"  {step.module}: {DECISIONS[step.decision].format(id=step.zoho_id)}")
    for difference in step.differences if step.decision is Decision.UPDATE else ():
        last, now = (canonical_json(value).decode() for value in (difference.last, difference.now))
        screen.show(f"    {difference.field}: {last} → {now}")
    for call in step.calls:
        query = f"?{urlencode(call.params)}" if call.params else ""
        screen.show(f"    {call.purpose}:")
        screen.show(f"      {call.method} {call.path}{query}")
        for name, value in call.headers.items():
            screen.show(f"      {name}: {value}")
        if call.content is not None:
            screen.show(f"      {call.content.decode()}")
