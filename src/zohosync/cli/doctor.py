"""The command that examines everything and says what to do."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.cli.bundle import write_bundle
from zohosync.cli.installation import AsJson
from zohosync.config import Settings, load_settings
from zohosync.sync.doctor.examine import CHECKS, examine, is_well
from zohosync.sync.doctor.finding import Finding, Level
from zohosync.wiring import meet_patient

WORDS = {Level.OK: "ok", Level.REMARK: "remark", Level.WRONG: "WRONG", Level.NOT_CHECKED: "not checked"}


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask Zoho anything.")] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE.zip",
            help="Also write a file for support: findings, versions, settings and counts, without secrets or people.",
            show_default=False,
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Examine database, capture, shop, Zoho and surroundings. Exit code 1 when something is wrong."""
    settings = load_settings()
    findings = asyncio.run(_examine(settings, offline=offline, bundle=bundle))
    if as_json:
        screen.show_json({"well": is_well(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        _tell(findings)
        if bundle is not None:
            screen.remark(f"Wrote {bundle}.")
    if not is_well(findings):
        raise typer.Exit(1)


async def _examine(settings: Settings, *, offline: bool, bundle: Path | None) -> list[Finding]:
    with screen.progress("Examining"):
        async with meet_patient(settings, offline=offline) as patient:
            findings = await examine(patient)
            if bundle is not None:
                await write_bundle(bundle, patient, findings)
            return findings


def _tell(findings: Sequence[Finding]) -> None:
    subjects = {check.name: check.subject for check in CHECKS}
    told = ""
    for finding in findings:
        if subjects[finding.check] != told:
            told = subjects[finding.check]
            screen.show(f"\n{told}")
        screen.show(f"  {WORDS[finding.level]:<11} {finding.check}: {finding.sentence}")
        if finding.remedy:
            screen.show(f"  {'':<11} → {finding.remedy}")
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    screen.show("\n" + ", ".join(f"{counts[level]} {WORDS[level].lower()}" for level in Level) + ".")
