"""Commands that put zohosync beside a shop's tables, and take it away."""

import asyncio
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address, place_of, reach, worker_address
from zohosync.db.install import Installed, Uninstalled, compose_install
from zohosync.db.install import install as install_beside
from zohosync.db.install import uninstall as uninstall_from
from zohosync.store.installation import adopt_database as adopt
from zohosync.store.installation import is_known_place, read_installation
from zohosync.sync.doctor.finding import count

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
        screen.show_json(
            {
                "schema_version": done.schema_version,
                "worker_role": done.worker_role,
                "worker_url": address,
                "shared_with": done.sharing,
                "findings": done.findings,
            }
        )
    else:
        _tell(done, address, worker_address(owner_url, done.worker_role, "PASSWORD"))


async def _install(settings: Settings, owner_url: str, new_password: bool) -> Installed:
    with screen.progress("Connecting"):
        async with reach(owner_url) as connection:
            return await install_beside(
                connection, worker_role=settings.worker_role, adapter=settings.adapter, new_password=new_password
            )


def _tell(done: Installed, address: str | None, pattern: str) -> None:
    """``pattern`` is the address with the password left out."""
    screen.show(f"Installed: schema version {done.schema_version}, worker's role {done.worker_role}.")
    for finding in done.findings:
        screen.show(f"Found: {finding}")
    if address is None:
        _tell_unchanged(done, pattern)
        return
    screen.show("\nThe worker's connection string, shown this once; keep it as ZOHOSYNC_DATABASE_URL:")
    screen.show(address)
    if done.sharing:
        screen.show(f"\nThe password is new for {', '.join(done.sharing)} as well: tell it to the workers there.")
    screen.show("\nNext: zohosync key, connect, policy, doctor, rehearse, golive, run.")


def _tell_unchanged(done: Installed, pattern: str) -> None:
    others = f": here also {', '.join(done.sharing)}" if done.sharing else ""
    screen.show("\nThe worker's connection string, with the password left out:")
    screen.show(pattern)
    screen.show(
        f"\nThe role {done.worker_role} was there before, and its password is unchanged. All databases of this server"
        f" that use this role share it{others}.\n--new-password makes another, for all of them."
        " ZOHOSYNC_WORKER_ROLE names another role, for an installation that is to have one of its own."
    )


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
        screen.confirm(f"This deletes {lost}. Continue?")
    _tell_gone(asyncio.run(_uninstall(settings, owner_url, columns)), settings.worker_role)


async def _uninstall(settings: Settings, owner_url: str, columns: bool) -> Uninstalled:
    async with reach(owner_url) as connection:
        return await uninstall_from(connection, worker_role=settings.worker_role, columns=columns)


def _tell_gone(gone: Uninstalled, role: str) -> None:
    if gone.found:
        screen.show("Uninstalled. The shop's own tables and rows are as they were.")
    elif gone.columns:
        screen.show(f"zohosync was not installed in this database; {count(gone.columns, 'column')} of it went.")
    else:
        screen.show("zohosync is not installed in this database: there was nothing to remove.")
    if gone.role_stays:
        why = f"it has rights in {', '.join(gone.sharing)}" if gone.sharing else "Postgres did not let us drop it"
        screen.remark(f"The role {role} stays: {why}. When nobody needs it any more: drop role {role}")


def adopt_database(yes: Yes = False) -> None:
    """Declare this copy of the database to be the installation from now on."""
    settings = load_settings()
    if not yes:
        screen.confirm(
            "Only one database may write to a Zoho organisation. Is this the one, and any original stopped for good?"
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
