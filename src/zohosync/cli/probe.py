"""The command that asks a trial organisation what Zoho's documentation leaves open."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer

from zohosim.switches import SWITCHES
from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address
from zohosync.errors import SettingsRefused
from zohosync.probe.catalogue import NOT_PROBED, PLANNED, PROBES
from zohosync.probe.ground import Ground
from zohosync.probe.permission import check_permission
from zohosync.probe.probe import EFFECTS, Group, Probe
from zohosync.probe.run import Announce, Outcome, Result, run_probes
from zohosync.store.tokens import find_connection
from zohosync.wiring import Services, open_services
from zohosync.zoho.entities import Organisation
from zohosync.zoho.scopes import PROBE
from zohosync.zoho.spare import SpareLogin

EPILOG = (
    "For a trial organisation only. Connect it with a self client's code for the scopes"
    f" {','.join(PROBE)}, in a database that never went live."
)
DEFAULTS = {switch.name: switch.default for switch in SWITCHES}


def probe(
    run: Annotated[bool, typer.Option("--run", help="Ask Zoho. Without it, nothing is sent.")] = False,
    organisation: Annotated[
        str | None, typer.Option(metavar="ID", help="The trial organisation you mean; must be the connected one.")
    ] = None,
    in_use: Annotated[
        bool,
        typer.Option(
            "--in-use",
            help="It is a trial organisation that nobody depends on, though it looks used: do not refuse it.",
        ),
    ] = False,
    group: Annotated[
        list[Group] | None, typer.Option(help="Only probes of this group; may be repeated.", show_default=False)
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this probe; may be repeated.", show_default=False),
    ] = None,
    code: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE",
            help="A further code of the connected self client, to be used up; may be given twice.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Settle what Zoho's documentation leaves open, by small calls to a trial organisation; lists them by default."""
    chosen = choose(group or [], only or [])
    if not run:
        if as_json:
            screen.show_json(describe_catalogue(chosen))
        else:
            _tell_catalogue(chosen)
        return
    settings = load_settings()
    check_address(settings.require_database())
    found, outcome = asyncio.run(_run(settings, organisation, chosen, code or [], in_use=in_use))
    if as_json:
        screen.show_json(describe_outcome(found, outcome))
    else:
        _tell_outcome(found, outcome)
    if outcome.left_over:
        raise typer.Exit(1)


def choose(groups: Sequence[Group], names: Sequence[str]) -> tuple[Probe, ...]:
    """The probes of the groups, or those named; all when neither is given."""
    known = {one.name for one in PROBES}
    strange = [name for name in names if name not in known]
    if strange:
        raise SettingsRefused(
            f"There is no probe {', '.join(strange)}.", hint="`zohosync probe` lists them.", code="probe_unknown"
        )
    return tuple(one for one in PROBES if (not groups and not names) or one.group in groups or one.name in names)


async def _run(
    settings: Settings, confirmed: str | None, probes: Sequence[Probe], codes: Sequence[str], *, in_use: bool
) -> tuple[Organisation, Outcome]:
    async with open_services(settings) as services:
        with screen.progress("Looking at the organisation", total=len(probes)) as announce:
            return await probe_organisation(services, confirmed, probes, codes, announce, in_use=in_use)


async def probe_organisation(
    services: Services,
    confirmed: str | None,
    probes: Sequence[Probe],
    codes: Sequence[str],
    announce: Announce,
    *,
    in_use: bool = False,
) -> tuple[Organisation, Outcome]:
    """Ask the probes of the connected organisation, if it may be probed."""
    organisation = await check_permission(services, confirmed, probes, in_use=in_use)
    async with AsyncExitStack() as stack:
        spares: list[SpareLogin] = []
        stack.push_async_callback(_end_all, spares)
        for code in codes:
            spares.append(await _open_spare(services, code))
        ground = Ground(services.client, services.custodian, services.clock, token=secrets.token_hex(4), spares=spares)
        return organisation, await run_probes(ground, probes, announce)


async def _open_spare(services: Services, code: str) -> SpareLogin:
    async with services.pool.connection() as connection:
        login = await find_connection(connection)
    assert login is not None
    return await services.spares.open(login, code)


async def _end_all(spares: Sequence[SpareLogin]) -> None:
    """After a code that was refused, those before it must not stay."""
    for spare in spares:
        if not spare.revoked:
            await spare.revoke()


# --- what is told


def describe_catalogue(probes: Sequence[Probe]) -> dict[str, Any]:
    """The dry run, for machines."""
    return {
        "run": False,
        "groups": [{"name": group, "effect": EFFECTS[group]} for group in Group],
        "probes": [_describe(one) for one in probes],
        "not_in_this_release": [asdict(one) for one in PLANNED],
        "not_probed": [asdict(one) for one in NOT_PROBED],
        "scopes": list(PROBE),
    }


def _describe(one: Probe) -> dict[str, Any]:
    return {
        "name": one.name,
        "group": one.group,
        "question": one.question,
        "settles": one.settles or None,
        "informs": one.informs or None,
        "makes": one.makes,
        "calls": one.calls,
        "credits": one.credits,
        "source": one.source,
    }


def describe_outcome(organisation: Organisation, outcome: Outcome) -> dict[str, Any]:
    """The run, for machines; `zohosync sim --switches` takes it as it is."""
    return {
        "run": True,
        "organisation": {
            "id": organisation.id,
            "name": organisation.name,
            "edition": organisation.edition,
            "production": organisation.production,
        },
        "results": [_describe_result(result) for result in outcome.results],
        "switches": outcome.switches,
        "mark": outcome.mark,
        "left_over": list(outcome.left_over),
    }


def _describe_result(result: Result) -> dict[str, Any]:
    return {
        "name": result.probe.name,
        "question": result.probe.question,
        "settles": result.probe.settles or None,
        "settled": result.settled,
        "value": result.value,
        "zohosim": DEFAULTS.get(result.probe.settles),
        "differs": differs(result),
        "note": result.note,
        "reason": result.reason,
    }


def differs(result: Result) -> bool:
    """Whether Zoho is another way than zohosim by itself."""
    return result.settled and bool(result.probe.settles) and result.value != DEFAULTS[result.probe.settles]


def _tell_catalogue(probes: Sequence[Probe]) -> None:
    for group in Group:
        members = [one for one in probes if one.group is group]
        if members:
            screen.show_table(
                f"{group}: {EFFECTS[group]}",
                ("probe", "question", "makes and deletes", "calls", "credits"),
                [(one.name, one.question, one.makes, one.calls, one.credits) for one in members],
                whole=("probe", "calls", "credits"),
            )
    screen.show_table(
        "Not in this release: Zoho Books",
        ("probe", "question", "would make and delete"),
        [(one.name, one.question, one.makes) for one in PLANNED],
        whole=("probe",),
    )
    screen.show_table(
        "Not probed",
        ("question", "why not"),
        [(f"{one.question} {f'[{one.switch}]' if one.switch else ''}".strip(), one.reason) for one in NOT_PROBED],
    )
    informing = [one.name for one in PROBES if not one.settles]
    calls, cost = sum(one.calls for one in probes), sum(one.credits for one in probes)
    screen.show(f"A probe is named after the switch of zohosim it settles; {' and '.join(informing)} only inform.")
    screen.show(f"{len(probes)} probes, at most {calls} calls and {cost} credits. Nothing was sent.")
    screen.show(f"The login needs these scopes: {','.join(PROBE)}")
    screen.show("To ask a trial organisation: zohosync probe --run --organisation ID")


def _tell_outcome(organisation: Organisation, outcome: Outcome) -> None:
    screen.show(f"{organisation.name} ({organisation.id}):")
    for result in outcome.results:
        screen.show(_line(result))
    for left in outcome.left_over:
        screen.show(f"Could not be deleted: {left}")
    if outcome.left_over:
        screen.show(f"Everything made here is called {outcome.mark!r}: search Zoho for it and delete it there.")
    if outcome.switches:
        body = orjson.dumps(outcome.switches).decode()
        screen.show("To set a zohosim the same way, save this and start `zohosync sim --switches FILE`,")
        screen.show("or POST it to its /_sim/switches:")
        screen.show(body)


def _line(result: Result) -> str:
    name = result.probe.name
    if not result.settled:
        return f"{name}: not settled: {result.reason}"
    told = f"{name} = {_shown(result.value)}"
    if differs(result):
        told += f"   <- zohosim: {_shown(DEFAULTS[name])}"
    return f"{told}   ({result.note})" if result.note else told


def _shown(value: Any) -> str:
    return orjson.dumps(value).decode()
