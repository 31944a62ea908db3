"""Commands that put zohosync beside a shop's tables, and take it away."""

import asyncio
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address, place_of, reach, worker_address
from zohosync.db.install import Installed, compose_install
from zohosync.db.install import install as install_beside
from zohosync.db.install import uninstall as uninstall_from
from zohosync.store.installation import adopt_database as adopt
from zohosync.store.installation import is_known_place, read_installation

OwnerUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="The database, as the owner of the shop's tables; else ZOHOSYNC_OWNER_DATABASE_URL.",
        show_default=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


COLUMNS_LOST = ", the ids of Zoho in the shop's tables, and the HSN codes, GST rates and tax categories entered there"


def load_owner_settings(database_url: str | None) -> Settings:
    """The settings, with the owner's connection string from the command line when it is there."""
    return load_settings(owner_database_url=database_url) if database_url else load_settings()


def install(
    database_url: OwnerUrl = None,
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Print the installation as one SQL script, and connect to nothing.")
    ] = False,
    new_password: Annotated[
        bool, typer.Option("--new-password", help="Give the worker's role a new password.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Install beside the shop's tables, or upgrade. Nothing is captured until `zohosync golive`."""
    settings = load_owner_settings(database_url)
    if print_sql:
        typer.echo(compose_install(worker_role=settings.worker_role, adapter=settings.adapter), nl=False)
        return
    owner_url = settings.require_owner()
    check_address(owner_url)
    done = asyncio.run(_install(settings, owner_url, new_password))
    address = worker_address(owner_url, done.worker_role, done.worker_password) if done.worker_password else None
    if as_json:
        screen.show_json({"schema_version": done.schema_version, "worker_url": address, "findings": done.findings})
    else:
        _tell(done, address)


async def _install(settings: Settings, owner_url: str, new_password: bool) -> Installed:
    with screen.progress("Connecting"):
        async with reach(owner_url) as connection:
            return await install_beside(
                connection, worker_role=settings.worker_role, adapter=settings.adapter, new_password=new_password
            )


def _tell(done: Installed, address: str | None) -> None:
    screen.show(f"Installed: schema version {done.schema_version}, worker's role {done.worker_role}.")
    for finding in done.findings:
        screen.show(f"Found: {finding}")
    if address is None:
        screen.show("The worker's password is unchanged; --new-password makes another.")
        return
    screen.show("\nThe worker's connection string, shown this once; keep it as ZOHOSYNC_DATABASE_URL:")
    screen.show(address)
    screen.show("\nNext: zohosync key, connect, doctor, rehearse, golive, run.")


def uninstall(
    database_url: OwnerUrl = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="Also drop the columns that install added to the shop's tables.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Remove zohosync from the database: triggers, queues, log, settings and the worker's role."""
    settings = load_owner_settings(database_url)
    owner_url = settings.require_owner()
    if not yes:
        lost = "the sync log, the login to Zoho" + (COLUMNS_LOST if columns else "")
        typer.confirm(f"This deletes {lost}. Continue?", abort=True, err=True)
    asyncio.run(_uninstall(settings, owner_url, columns))
    screen.show("Uninstalled. The shop's own tables and rows are as they were.")


async def _uninstall(settings: Settings, owner_url: str, columns: bool) -> None:
    async with reach(owner_url) as connection:
        await uninstall_from(connection, worker_role=settings.worker_role, columns=columns)


def adopt_database(yes: Yes = False) -> None:
    """Declare this copy of the database to be the installation from now on."""
    settings = load_settings()
    if not yes:
        typer.confirm(
            "Only one database may write to a Zoho organisation. Is this the one, and any original stopped for good?",
            abort=True,
            err=True,
        )
    screen.show(asyncio.run(_adopt(settings.require_database())))


async def _adopt(url: str) -> str:
    async with reach(url) as connection:
        found = await read_installation(connection)
        place = place_of(url)
        if not found.is_copy and await is_known_place(connection, place):
            return "This database is the installation already; nothing was changed."
        await adopt(connection, place)
        return "Adopted. Workers may run on this database now; stop those of the original."
