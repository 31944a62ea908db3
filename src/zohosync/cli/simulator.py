"""The command that runs the local Zoho by itself."""

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from zohosim.app import create_app
from zohosim.identifiers import FIRST_RECORD, IdSequence
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosync.cli import screen
from zohosync.cli.logging import configure_logging
from zohosync.cli.signals import stopping
from zohosync.demo.wanted_fields import seed_wanted_fields
from zohosync.errors import SettingsRefused
from zohosync.running import serve

SWITCHES_HINT = 'Give it the output of `zohosync probe --run --json`, or a file like {"mixed_status": 200}.'


def sim(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 picks a free one.")] = 8900,
    data_centre: Annotated[str, typer.Option(help="Home data centre of the simulated organisation.")] = "in",
    switches: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON of switch positions, or what `zohosync probe --run --json` printed."),
    ] = None,
    without_fields: Annotated[
        bool,
        typer.Option("--without-fields", help="Begin without the custom fields zohosync wants, as a new organisation."),
    ] = False,
) -> None:
    """Run zohosim, the local Zoho, until interrupted. It keeps everything in memory."""
    configure_logging("console")
    asyncio.run(_sim(port, data_centre, read_switches(switches) if switches else {}, fields=not without_fields))


def read_switches(file: Path) -> dict[str, Any]:
    """Positions by name; SettingsRefused when there are none to read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsRefused(f"{file} cannot be read as JSON.", hint=SWITCHES_HINT) from error
    positions = found.get("switches", found) if isinstance(found, dict) else None
    if not isinstance(positions, dict):
        raise SettingsRefused(f"{file} holds no switches.", hint=SWITCHES_HINT)
    return positions


def turn(simulator: Simulator, positions: dict[str, Any]) -> None:
    """Set the switches, now and after every reset."""
    try:
        simulator.switches.start_with(positions)
    except ValueError as error:
        raise SettingsRefused(f"A switch is wrong: {error}.", hint=SWITCHES_HINT) from error


async def _sim(port: int, data_centre: str, positions: dict[str, Any], *, fields: bool) -> None:
    # Ids that no earlier run has given out: a database may still hold links to those.
    simulator = Simulator(data_centre=data_centre, ids=IdSequence(FIRST_RECORD + int(time.time()) * 1_000))
    turn(simulator, positions)
    if fields:
        seed_wanted_fields(simulator)
    with stopping() as stop:
        async with serve(create_app(simulator), port=port) as address:
            screen.show_facts(
                {
                    "zohosim": f"{address}/",
                    "client id": DEFAULT_CLIENT.id,
                    "client secret": DEFAULT_CLIENT.secret,
                    "use it with": f"ZOHOSYNC_ZOHO=sim ZOHOSYNC_SIM_URL={address}",
                }
            )
            await stop.wait()
