"""Settings: the connection to Zoho, looked at, made and ended."""

from typing import Any

from starlette.responses import Response

from zohosync.config import ACCOUNTS_SERVERS
from zohosync.console.desk import ZohoDesk
from zohosync.console.gate import Visit
from zohosync.console.refusing import refusing
from zohosync.errors import SettingsRefused
from zohosync.store import audit
from zohosync.store.installation import read_installation
from zohosync.store.tokens import find_connection
from zohosync.sync.connecting import ASKED, Connected, Found
from zohosync.sync.field_setup import BOOKS_PURPOSE, BOOKS_STEPS, describe_steps, make_fields, survey_fields
from zohosync.zoho import scopes

CALLBACK_PATH = "/settings/zoho/callback"


async def settings_page(visit: Visit) -> Response:
    """How things stand; admins find the forms here."""
    async with visit.console.reach() as connection:
        login = await find_connection(connection)
        installation = await read_installation(connection)
    connected = login is not None and login.state == "connected"
    return visit.page(
        "settings.html",
        login=login,
        installation=installation,
        lacking=scopes.missing(login.scopes, ASKED) if login and connected and login.scopes else (),
        may_admin=visit.is_admin,
        redirect_uri=_redirect_uri(visit),
        centres=() if visit.console.settings.zoho == "sim" else tuple(ACCOUNTS_SERVERS),
        centre=visit.console.settings.data_centre,
        asked=",".join(ASKED),
    )


@refusing
async def ask_consent(visit: Visit) -> Response:
    """A page with the link to Zoho. A redirect would be stopped by our own policy on where forms may lead."""
    asked = await _zoho(visit).connector.ask(
        client_id=_given(visit, "client_id", "the client id"),
        client_secret=_given(visit, "client_secret", "the client secret"),
        accounts_server=_accounts_server(visit),
        redirect_uri=_redirect_uri(visit),
        requested_by=visit.user,
    )
    return visit.page("consent.html", address=asked.address, redirect_uri=_redirect_uri(visit))


@refusing
async def receive_consent(visit: Visit) -> Response:
    """Where Zoho sends the admin's browser back to."""
    found = await _zoho(visit).connector.receive(dict(visit.request.query_params), requested_by=visit.user)
    return await _choose_or_settle(visit, found)


@refusing
async def redeem_code(visit: Visit) -> Response:
    """The code of a self client, typed in."""
    found = await _zoho(visit).connector.redeem(
        client_id=_given(visit, "client_id", "the client id"),
        client_secret=_given(visit, "client_secret", "the client secret"),
        code=_given(visit, "code", "the code"),
        accounts_server=_accounts_server(visit),
    )
    return await _choose_or_settle(visit, found)


@refusing
async def choose_organisation(visit: Visit) -> Response:
    """The admin has said which Books organisation is meant."""
    connector = _zoho(visit).connector
    found = await connector.take_held(visit.form.get("held", ""), requested_by=visit.user)
    organisation_id = _given(visit, "organisation", "an organisation")
    return await _done(visit, await connector.settle(found, books_organisation_id=organisation_id))


@refusing
async def fields_page(visit: Visit) -> Response:
    """How the custom fields in Zoho stand, asked there just now."""
    survey = await survey_fields(_zoho(visit).crm)
    return _show_fields(visit, survey=survey, made=[])


@refusing
async def create_fields(visit: Visit) -> Response:
    """Make what is missing. The button is the consent."""
    crm = _zoho(visit).crm
    made = await make_fields(crm, (await survey_fields(crm)).missing)
    await _write_down(visit, "zoho.create_fields", {"made": sum(one.error is None for one in made)})
    return _show_fields(visit, survey=await survey_fields(crm), made=made)


async def disconnect_page(visit: Visit) -> Response:
    """Asks first: nothing is synced until somebody connects again."""
    return visit.page("disconnect.html")


@refusing
async def disconnect(visit: Visit) -> Response:
    """Forget the login and revoke it at Zoho."""
    revoked = await _zoho(visit).connector.disconnect()
    await _write_down(visit, "zoho.disconnect", {"revoked": revoked})
    return visit.go("/settings", "disconnected." if revoked else "not-revoked.")


async def _choose_or_settle(visit: Visit, found: Found) -> Response:
    connector = _zoho(visit).connector
    if await connector.needs_choice(found):
        held = await connector.hold(found, requested_by=visit.user)
        return visit.page("organisation.html", held=held, organisations=found.books)
    return await _done(visit, await connector.settle(found))


async def _done(visit: Visit, connected: Connected) -> Response:
    await _write_down(visit, "zoho.connect", {"organisation_id": connected.organisation.id})
    return visit.go("/settings", "connected.")  # the code in the address does not stay in the browser's history


def _show_fields(visit: Visit, **context: Any) -> Response:
    return visit.page(
        "fields.html", steps=describe_steps, books_steps=BOOKS_STEPS, books_purpose=BOOKS_PURPOSE, **context
    )


async def _write_down(visit: Visit, action: str, detail: dict[str, Any]) -> None:
    async with visit.console.reach() as connection:
        await audit.record(connection, actor=visit.user, action=action, detail=detail)


def _zoho(visit: Visit) -> ZohoDesk:
    if visit.console.zoho is None:
        raise SettingsRefused("This console was started without a way to Zoho.", hint="Use `zohosync connect`.")
    return visit.console.zoho


def _given(visit: Visit, name: str, what: str) -> str:
    value = visit.form.get(name, "").strip()
    if not value or len(value) > 500:
        raise SettingsRefused(f"The form came without {what}.", hint="Go back and fill it in.")
    return value


def _accounts_server(visit: Visit) -> str:
    settings = visit.console.settings
    chosen = visit.form.get("data_centre", "")
    return (
        settings.accounts_server if settings.zoho == "sim" else ACCOUNTS_SERVERS.get(chosen, settings.accounts_server)
    )


def _redirect_uri(visit: Visit) -> str:
    """What must be registered at Zoho: where people reach this console."""
    base = visit.console.settings.console_url or str(visit.request.base_url)
    return f"{base.rstrip('/')}{CALLBACK_PATH}"
