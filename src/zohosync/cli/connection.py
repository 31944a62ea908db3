"""The command that connects Zoho."""

import asyncio
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address
from zohosync.errors import SettingsRefused
from zohosync.store.tokens import find_connection
from zohosync.wiring import open_services
from zohosync.zoho.entities import Organisation
from zohosync.zoho.scopes import OPTIONAL, REQUIRED, missing

EPILOG = (
    "Make a self client at https://api-console.zoho.in (or your data centre's), and let it generate a code for the"
    f" scopes {','.join(REQUIRED + OPTIONAL)}. The code is good for minutes and for one use."
)


def connect(
    client_id: Annotated[str, typer.Option(prompt=True, help="Of the self client.", show_default=False)],
    client_secret: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            envvar="ZOHOSYNC_CLIENT_SECRET",
            help="Of the self client; asked for when left out.",
            show_default=False,
        ),
    ],
    code: Annotated[str, typer.Option(prompt=True, help="The code it generated.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Connect Zoho by the code of a self client, and tie this database to its organisation."""
    settings = load_settings()
    check_address(settings.require_database())
    organisation, lacking = asyncio.run(_connect(settings, client_id, client_secret, code))
    if as_json:
        screen.show_json(
            {"organisation_id": organisation.id, "organisation": organisation.name, "missing_scopes": lacking}
        )
        return
    screen.show(f"Connected to {organisation.name} ({organisation.id}).")
    if lacking:
        screen.show(f"The login lacks permissions: {', '.join(lacking)}. Generate a code with them and connect again.")


async def _connect(
    settings: Settings, client_id: str, client_secret: str, code: str
) -> tuple[Organisation, tuple[str, ...]]:
    async with open_services(settings) as services:
        with screen.progress("Asking Zoho"):
            try:
                organisation = await services.connect_with_code(
                    client_id=client_id, client_secret=client_secret, code=code
                )
            except SettingsRefused:
                await services.custodian.disconnect()  # a login of another organisation must not stay
                raise
        async with services.pool.connection() as connection:
            row = await find_connection(connection)
    return organisation, missing(row.scopes) if row and row.scopes else ()
