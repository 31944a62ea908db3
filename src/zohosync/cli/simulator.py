"""The command that runs the local Zoho by itself."""

import asyncio
from typing import Annotated

import typer

from zohosim.app import create_app
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosync.cli import screen
from zohosync.cli.logging import configure_logging
from zohosync.cli.signals import stopping
from zohosync.demo.wanted_fields import seed_wanted_fields
from zohosync.running import serve


def sim(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 picks a free one.")] = 8900,
    data_centre: Annotated[str, typer.Option(help="Home data centre of the simulated organisation.")] = "in",
) -> None:
    """Run zohosim, the local Zoho, until interrupted. It keeps everything in memory."""
    configure_logging("console")
    asyncio.run(_sim(port, data_centre))


async def _sim(port: int, data_centre: str) -> None:
    simulator = Simulator(data_centre=data_centre)
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
