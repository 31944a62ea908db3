"""Whether the connected organisation may be probed: on purpose only, and never one that serves a live shop."""

from collections.abc import Iterable, Sequence

from zohosync.errors import NotConnected, ScopeMissing, SettingsRefused
from zohosync.probe.probe import Probe, needed_scopes
from zohosync.store.tokens import StoredConnection, find_connection
from zohosync.wiring import Services
from zohosync.zoho import scopes
from zohosync.zoho.entities import Organisation


async def check_permission(services: Services, confirmed: str | None, probes: Iterable[Probe]) -> Organisation:
    """The organisation that is about to be probed. Raises SettingsRefused, NotConnected or ScopeMissing before anything
    is written."""
    if services.installation.live_since is not None:
        raise SettingsRefused(
            "This database has gone live: its organisation is in use, and probes make and delete records.",
            hint="Install zohosync in a database of its own, connect a trial organisation there, and probe that.",
            code="probe_live_database",
        )
    async with services.pool.connection() as connection:
        login = await find_connection(connection)
    if login is None or login.state != "connected":
        raise NotConnected("Zoho is not connected.", hint="Connect the trial organisation with `zohosync connect`.")
    _check_scopes(login, probes)
    organisation = await services.crm.organisation()
    _check_organisation(organisation, login, confirmed)
    return organisation


def _check_organisation(organisation: Organisation, login: StoredConnection, confirmed: str | None) -> None:
    """Both the id that the database is tied to and the one Zoho tells now must be the one a person named."""
    known = {organisation.id, login.organisation_id}
    if confirmed is None or known != {confirmed}:
        said = "No organisation was confirmed" if confirmed is None else f"--organisation says {confirmed}"
        raise SettingsRefused(
            f"{said}, but the connected one is {organisation.name} ({organisation.id}).",
            hint=f"If it is a trial organisation, say so: --organisation {organisation.id}",
            code="probe_organisation_unconfirmed",
        )


def _check_scopes(login: StoredConnection, probes: Iterable[Probe]) -> None:
    """A login whose scopes Zoho never told is tried as it is."""
    lacking = scopes.missing(login.scopes, needed_scopes(probes)) if login.scopes else ()
    if lacking:
        raise ScopeMissing(
            f"The login lacks permissions that probes need, to delete what they make among others:"
            f" {', '.join(lacking)}.",
            hint=code_with(scopes.PROBE),
        )


def code_with(wanted: Sequence[str]) -> str:
    """How to make a self client's code with these scopes."""
    return (
        "In Zoho's API console open the self client, let it generate a code for the scopes"
        f" {','.join(wanted)} and connect again with `zohosync connect`."
    )
