"""The command that lets people into the console."""

import asyncio
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.config import Settings, load_settings
from zohosync.console.sign_in import INVITATION_PATH
from zohosync.db.address import reach
from zohosync.db.pool import Connection, fetch_one
from zohosync.errors import SettingsRefused
from zohosync.store.installation import read_installation
from zohosync.store.users import Role
from zohosync.store.users import invite as make_invitation


def invite(
    role: Annotated[str, typer.Option(help="What they may do: viewer, operator or admin.")] = "viewer",
    as_json: AsJson = False,
) -> None:
    """Make a one-time link that lets one person into the console; it is valid for an hour."""
    wanted = read_role(role)
    settings = load_settings()
    link = asyncio.run(_invite(settings, wanted))
    if as_json:
        screen.show_json({"role": wanted.label, "link": link})
    else:
        screen.show(link)


def read_role(name: str) -> Role:
    """The role of that name, or SettingsRefused with those there are."""
    try:
        return Role.named(name)
    except KeyError as error:
        known = ", ".join(role.label for role in Role)
        raise SettingsRefused(f"There is no role {name!r}.", hint=f"Choose one of {known}.") from error


async def _invite(settings: Settings, role: Role) -> str:
    async with reach(settings.require_database()) as connection:
        await read_installation(connection)
        return link_to(console_address(settings), await make_invitation(connection, role))


def console_address(settings: Settings) -> str:
    """Where people reach the console, as far as the settings tell."""
    return settings.console_url or f"http://{settings.console_host}:{settings.console_port}"


def link_to(address: str, token: str) -> str:
    """The page that spends an invitation."""
    return f"{address.rstrip('/')}{INVITATION_PATH}/{token}"


async def offer_first_admin(connection: Connection, address: str) -> None:
    """While nobody can sign in, tell whoever started the console how to become its first admin."""
    found = await fetch_one(connection, "select exists (select from zohosync.console_user) as anybody")
    if found and found["anybody"]:
        return
    token = await make_invitation(connection, Role.ADMIN)
    screen.show(f"Nobody can sign in yet. Become the first admin, within the hour: {link_to(address, token)}")
