"""Whether the connected organisation may be probed: on purpose only, and never one that serves a live shop."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime

from zohosync.errors import NotConnected, ScopeMissing, SettingsRefused
from zohosync.probe.probe import Group, Probe, needed_scopes
from zohosync.store.tokens import StoredConnection, find_connection
from zohosync.sync import accounts, contact_drafts
from zohosync.wiring import Services
from zohosync.zoho import coql, scopes
from zohosync.zoho.books import Books
from zohosync.zoho.books_requests import CONTACTS, INVOICES, ITEMS, list_request
from zohosync.zoho.crm import Crm
from zohosync.zoho.entities import Organisation

FEW = 50
"""Leads, Contacts and Accounts that a trial organisation may hold all together; Zoho puts some samples there."""

MODULES = ("Leads", "Contacts", "Accounts")
KEY_FIELDS = {contact_drafts.MODULE: contact_drafts.KEY_FIELD, accounts.MODULE: accounts.KEY_FIELD}
BEFORE_ZOHO = datetime(1990, 1, 1, tzinfo=UTC)


async def check_permission(
    services: Services, confirmed: str | None, probes: Sequence[Probe], *, in_use: bool = False
) -> Organisation:
    """The organisation that is about to be probed. Raises SettingsRefused, NotConnected or ScopeMissing before anything
    is written. ``in_use``: a person vouches that it is a trial organisation, whatever it holds."""
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
    if not in_use:
        await _check_unused(services.crm, organisation)
        if any(probe.group is Group.BOOKS for probe in probes):
            await _check_books_unused(services.books)
    return organisation


def _check_organisation(organisation: Organisation, login: StoredConnection, confirmed: str | None) -> None:
    """The one the database is tied to, the one Zoho tells now and the one a person named must be the same. People name
    it by its id in CRM, or by the one in Zoho's web addresses."""
    meant = bool(confirmed) and confirmed in (organisation.id, organisation.zgid)
    if not meant or login.organisation_id != organisation.id:
        said = "No organisation was confirmed" if confirmed is None else f"--organisation says {confirmed}"
        raise SettingsRefused(
            f"{said}, but the connected one is {organisation.name} ({organisation.id}).",
            hint=f"If it is a trial organisation, say so: --organisation {organisation.id}",
            code="probe_organisation_unconfirmed",
        )


async def _check_unused(crm: Crm, organisation: Organisation) -> None:
    """Another database may serve a shop with the same organisation: what it holds tells."""
    signs = [sign async for sign in _signs_of_use(crm)]
    if signs:
        raise SettingsRefused(
            f"{organisation.name} ({organisation.id}) looks as if a business used it: {'; '.join(signs)}.",
            hint="Probes make and delete records, so connect a trial or sandbox organisation. If this is one all the"
            " same, and nobody depends on it, add --in-use.",
            code="probe_organisation_in_use",
        )


async def _check_books_unused(books: Books) -> None:
    """Books is an organisation of its own, which may be another one than CRM's."""
    held: dict[str, int] = {}
    for collection in (CONTACTS, ITEMS, INVOICES):
        reply = await books.send(list_request(collection, per_page=str(FEW + 1)))
        held[collection.plural] = len(reply.rows(collection.plural))
    if sum(held.values()) > FEW:
        told = ", ".join(f"{'more than ' * (count > FEW)}{min(count, FEW)} {name}" for name, count in held.items())
        raise SettingsRefused(
            f"The connected organisation of Zoho Books looks as if a business used it: it holds {told}.",
            hint="Connect a trial organisation of Books, or leave the group books out. If this is one all the same, and"
            " nobody depends on it, add --in-use.",
            code="probe_organisation_in_use",
        )


async def _signs_of_use(crm: Crm) -> AsyncIterator[str]:
    for module, key in KEY_FIELDS.items():
        if key in await crm.fields(module) and (await crm.query(coql.select_filled(module, key), limit=1)).records:
            yield f"{module} carry the key of a shop's record ({key})"
    held = {module: await _count(crm, module) for module in MODULES}
    if sum(held.values()) > FEW:
        told = (f"{'more than ' * (count > FEW)}{min(count, FEW)} {module}" for module, count in held.items())
        yield f"it holds {', '.join(told)}"


async def _count(crm: Crm, module: str) -> int:
    """How many records there are, as far as it matters."""
    statement = coql.select_modified_since(module, BEFORE_ZOHO, ("id",))
    return len((await crm.query(statement, limit=FEW + 1)).records)


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
