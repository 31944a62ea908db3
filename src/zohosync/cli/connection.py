"""Commands that connect Zoho and end the connection."""

import asyncio
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from zohosync.cli import screen
from zohosync.cli.callback import await_answer, callback_address
from zohosync.cli.installation import AsJson, Yes
from zohosync.cli.operations import actor
from zohosync.config import ACCOUNTS_SERVERS, Settings, load_settings
from zohosync.db.address import check_address
from zohosync.errors import SettingsRefused, ZohosyncError
from zohosync.store import audit
from zohosync.store.tokens import find_connection
from zohosync.sync.connecting import ASKED, Connected, Connector, Found, read_answer
from zohosync.sync.field_setup import (
    BOOKS_PURPOSE,
    BOOKS_STEPS,
    FieldSurvey,
    Making,
    describe_steps,
    make_fields,
    survey_fields,
)
from zohosync.wiring import Services, open_services

PASTE = "Paste the address it ended at"
EPILOG = (
    "In the browser: make a Server-based Application at https://api-console.zoho.in (or your data centre's) with the"
    " redirect address http://127.0.0.1:8801/callback. Without a browser on this machine: --no-browser. With a Self"
    " Client: let it generate a code for the scopes that `zohosync connect --scopes` prints, and give it as --code"
    " within minutes."
)


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for."""

    client_id: str
    client_secret: str
    code: str | None
    accounts_server: str
    organisation: str | None
    port: int
    browser: bool
    create_fields: bool | None
    say: screen.Announce


def _show_scopes(wanted: bool) -> None:
    """One line, to be copied."""
    if wanted:
        screen.show(",".join(ASKED))
        raise typer.Exit


def connect(
    client_id: Annotated[
        str,
        typer.Option(
            prompt=True, envvar="ZOHOSYNC_CLIENT_ID", help="Of the client at Zoho; asked for.", show_default=False
        ),
    ],
    client_secret: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            envvar="ZOHOSYNC_CLIENT_SECRET",
            help="Of the client at Zoho; asked for when left out.",
            show_default=False,
        ),
    ],
    code: Annotated[
        str | None, typer.Option(help="The code of a self client, instead of a consent in the browser.")
    ] = None,
    data_centre: Annotated[
        str | None, typer.Option(help="Where to begin; else ZOHOSYNC_DATA_CENTRE. Zoho's answer decides.")
    ] = None,
    organisation: Annotated[
        str | None, typer.Option(metavar="ID", help="The organisation in Zoho Books, when there are several.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the redirect address.")] = 8801,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Consent on another machine, and paste the address it ends at.")
    ] = False,
    create_fields: Annotated[
        bool | None,
        typer.Option(
            "--create-fields/--no-create-fields",
            help="Make the custom fields that are missing in Zoho CRM; asked for when left out.",
            show_default=False,
        ),
    ] = None,
    scopes: Annotated[  # noqa: ARG001 - done before anything else is asked
        bool,
        typer.Option(
            "--scopes",
            is_eager=True,
            callback=_show_scopes,
            help="Print the scopes a self client's code needs, and exit.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Connect Zoho, tie this database to its organisations, and see to the custom fields."""
    settings = load_settings()
    check_address(settings.require_database())
    wanted = Wanted(
        client_id.strip(),
        client_secret.strip(),
        code,
        _accounts_server(settings, data_centre),
        organisation,
        port,
        not no_browser,
        create_fields,
        screen.remark if as_json else screen.show,
    )
    told = asyncio.run(_connect(settings, wanted))
    if as_json:
        screen.show_json(told)


def disconnect(yes: Yes = False) -> None:
    """Forget the login and revoke it at Zoho. Work waits until somebody connects again."""
    settings = load_settings()
    check_address(settings.require_database())
    if not yes:
        screen.confirm("Nothing is synced until somebody connects again. Disconnect?")
    revoked = asyncio.run(_disconnect(settings))
    if revoked is None:
        screen.show("Zoho was not connected; nothing was changed.")
        return
    screen.show("Disconnected; changes of the shop are captured and wait.")
    if not revoked:
        screen.show("Zoho did not confirm that the login is revoked: remove it in your Zoho account's connected apps.")


def _accounts_server(settings: Settings, data_centre: str | None) -> str:
    if data_centre is None or settings.zoho == "sim":
        return settings.accounts_server
    if data_centre not in ACCOUNTS_SERVERS:
        raise SettingsRefused(
            f"There is no data centre {data_centre!r}.", hint=f"Choose one of {', '.join(ACCOUNTS_SERVERS)}."
        )
    return ACCOUNTS_SERVERS[data_centre]


async def _connect(settings: Settings, wanted: Wanted) -> dict[str, Any]:
    async with open_services(settings) as services:
        found = await _find_login(services.connector, wanted)
        organisation = wanted.organisation
        if organisation is None and await services.connector.needs_choice(found):
            organisation = await _choose(services.connector, found)
        connected = await services.connector.settle(found, books_organisation_id=organisation)
        await _write_down(services, "zoho.connect", {"organisation_id": connected.organisation.id})
        _tell_connected(connected, wanted.say)
        fields = await _see_to_fields(services, wanted)
    return _as_told(connected, fields)


async def _find_login(connector: Connector, wanted: Wanted) -> Found:
    if wanted.code is not None:
        return await connector.redeem(
            client_id=wanted.client_id,
            client_secret=wanted.client_secret,
            code=wanted.code,
            accounts_server=wanted.accounts_server,
        )
    asker, back = actor(), callback_address(wanted.port)

    async def ask() -> str:
        asked = await connector.ask(
            client_id=wanted.client_id,
            client_secret=wanted.client_secret,
            accounts_server=wanted.accounts_server,
            redirect_uri=back,
            requested_by=asker,
        )
        screen.remark(f"Open this address in a browser, sign in to Zoho and accept:\n\n{asked.address}\n")
        if wanted.browser:
            screen.remark(f"Waiting up to ten minutes for the browser to come back to {back} …")
            screen.remark(
                f"If Zoho shows an error page instead, press Ctrl-C: its client must have {back} as redirect."
            )
        return asked.address

    if wanted.browser:
        return await await_answer(wanted.port, lambda answer: connector.receive(answer, requested_by=asker), ask)
    await ask()
    screen.remark("The browser then shows a page that cannot be loaded. That is as it should be.")
    return await connector.receive(await _paste(), requested_by=asker)


async def _paste() -> dict[str, str]:
    """What a person copied from the browser; a slip may be mended, twice."""
    for _ in range(2):
        try:
            return read_answer(await asyncio.to_thread(typer.prompt, PASTE, err=True))
        except SettingsRefused as error:
            screen.report(error)
    return read_answer(await asyncio.to_thread(typer.prompt, PASTE, err=True))


async def _choose(connector: Connector, found: Found) -> str | None:
    """Which of several Books organisations a person at the terminal means; None where nobody sits there."""
    if not sys.stdin.isatty():
        return None
    try:
        return _ask_for_choice(found)
    except (typer.Abort, KeyboardInterrupt):
        await connector.give_up(found)
        raise


def _ask_for_choice(found: Found) -> str:
    screen.show_table(
        "Organisations in Zoho Books",
        ("id", "name", "plan", "country"),
        [(one.id, one.name, one.plan, one.country) for one in found.books or ()],
    )
    return str(typer.prompt("Id of the organisation this shop belongs to", err=True)).strip()


async def _see_to_fields(services: Services, wanted: Wanted) -> tuple[FieldSurvey, list[Making]] | None:
    """Look at the custom fields and make the missing ones, if somebody wants that. A connection stands without them."""
    try:
        survey = await survey_fields(services.crm)
        made: list[Making] = []
        if survey.missing and _may_create(survey, wanted):
            made = await make_fields(services.crm, survey.missing)
            survey = await survey_fields(services.crm)
            await _write_down(services, "zoho.create_fields", {"made": sum(one.error is None for one in made)})
    except ZohosyncError as error:
        screen.remark(f"The custom fields could not be looked at: {error}")
        return None
    _tell_fields(survey, made, wanted.say)
    return survey, made


def _may_create(survey: FieldSurvey, wanted: Wanted) -> bool:
    if wanted.create_fields is not None:
        return wanted.create_fields
    wanted.say("\nThese custom fields are missing in Zoho CRM:")
    for missing in survey.missing:
        wanted.say(f"  {missing.module}: {missing.label}, for {missing.purpose}")
    return sys.stdin.isatty() and typer.confirm("Make them now?", default=True, err=True)


def _tell_connected(connected: Connected, say: screen.Announce) -> None:
    books = f"{connected.books.name} ({connected.books.id})" if connected.books else "none"
    say(f"Connected to {connected.organisation.name} ({connected.organisation.id}) as {connected.user.email}.")
    say(f"Data centre {connected.data_centre}. Books organisation: {books}.")
    for remark in connected.remarks:
        say(f"Note: {remark}")
    if connected.lacking:
        say(f"Note: the login can do without, but with less: {', '.join(connected.lacking)}.")


def _tell_fields(survey: FieldSurvey, made: list[Making], say: screen.Announce) -> None:
    for one in made:
        said = "made" if one.error is None else f"not made: {one.error.message}"
        say(f"  {one.wanted.module}: {one.wanted.label} {said}")
    for wanted in survey.missing:
        say(f"\nTo make {wanted.label} of {wanted.module} by hand ({wanted.purpose}):")
        for number, step in enumerate(describe_steps(wanted), 1):
            say(f"  {number}. {step}")
    for flaw in survey.flawed:
        say(f"\n{flaw.sentence} {flaw.remedy}")
    if survey.complete:
        say("All custom fields are there.")
    say(f"\nOnly a person can do this, for the documents of Zoho Books. {BOOKS_PURPOSE}")
    for number, step in enumerate(BOOKS_STEPS, 1):
        say(f"  {number}. {step}")


def _as_told(connected: Connected, fields: tuple[FieldSurvey, list[Making]] | None) -> dict[str, Any]:
    survey, made = fields if fields else (None, [])
    return {
        "organisation_id": connected.organisation.id,
        "organisation": connected.organisation.name,
        "books_organisation_id": connected.books.id if connected.books else None,
        "books_organisation": connected.books.name if connected.books else None,
        "connected_by": connected.user.email,
        "data_centre": connected.data_centre,
        "remarks": list(connected.remarks),
        "missing_scopes": list(connected.lacking),
        "fields_made": [f"{one.wanted.module}.{one.wanted.api_name}" for one in made if one.error is None],
        "fields_missing": [f"{one.module}.{one.api_name}" for one in survey.missing] if survey else None,
        "only_by_hand": {"purpose": BOOKS_PURPOSE, "steps": list(BOOKS_STEPS)},
    }


async def _disconnect(settings: Settings) -> bool | None:
    """Whether Zoho confirmed it; None when there was no login."""
    async with open_services(settings) as services:
        async with services.pool.connection() as connection:
            login = await find_connection(connection)
        if login is None or login.state == "disconnected":
            return None
        revoked = await services.connector.disconnect()
        await _write_down(services, "zoho.disconnect", {"revoked": revoked})
        return revoked


async def _write_down(services: Services, action: str, detail: dict[str, Any]) -> None:
    async with services.pool.connection() as connection:
        await audit.record(connection, actor=actor(), action=action, detail=detail)
