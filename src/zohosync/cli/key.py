"""The command that makes keys and puts them to use."""

import asyncio
from typing import Annotated

import typer
from cryptography.fernet import Fernet

from zohosync.cli import screen
from zohosync.cli.operations import actor
from zohosync.config import Settings, load_settings
from zohosync.db.address import reach
from zohosync.store import audit
from zohosync.store.installation import read_installation
from zohosync.store.secrets import rewrite_secrets
from zohosync.zoho.vault import Vault


def key(
    reseal: Annotated[
        bool,
        typer.Option(
            "--reseal", help="Seal every stored secret again under the newest key, so that the others can go."
        ),
    ] = False,
) -> None:
    """Make a new key for ZOHOSYNC_ENCRYPTION_KEYS. Put it before the old ones to change keys."""
    if not reseal:
        screen.show(Fernet.generate_key().decode())
        return
    count = asyncio.run(_reseal(load_settings()))
    screen.show(f"{count} secrets are sealed under the newest key; the older keys can go.")


async def _reseal(settings: Settings) -> int:
    """How many secrets were sealed again; none at all when one of them cannot be opened."""
    vault = Vault(settings.require_keys())
    async with reach(settings.require_database()) as connection:
        await read_installation(connection)
        async with connection.transaction():
            count = await rewrite_secrets(connection, vault.reseal)
            await audit.record(connection, actor=actor(), action="key.reseal", detail={"secrets": count})
    return count
