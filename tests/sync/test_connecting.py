"""Connecting Zoho: what is asked, what comes back, what is refused, and what becomes of the login in use."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from conftest import Database
from stage import Stage, open_stage
from zohosim.app import create_app
from zohosim.crm.organisation import ORG_ID
from zohosim.grants import Client
from zohosim.simulator import DEFAULT_CLIENT
from zohosync.config import load_settings
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.errors import LoginLost, RateLimited, ScopeMissing, SettingsRefused, ZohoUnavailable
from zohosync.store.tidying import Retention, tidy
from zohosync.sync.connecting import ASKED, Asked, Connector, Found, choose_books, read_answer
from zohosync.sync.field_setup import describe_steps, make_fields, survey_fields
from zohosync.sync.wanted_fields import WANTED_FIELDS
from zohosync.wiring import open_services
from zohosync.zoho.books_entities import BooksOrganisation

BACK = "http://127.0.0.1:8801/callback"
ADMIN = "admin@example.com"


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database, connected=False, fields=False) as opened:
        opened.sim.switches.set({"consent_page": False})
        yield opened


async def ask(stage: Stage, client: Client = DEFAULT_CLIENT, *, by: str = ADMIN) -> Asked:
    return await stage.services.connector.ask(
        client_id=client.id,
        client_secret=client.secret,
        accounts_server="http://sim",
        redirect_uri=BACK,
        requested_by=by,
    )


async def consent(stage: Stage, asked: Asked) -> dict[str, str]:
    """What the admin's browser brings back."""
    answer = await stage.zoho.get(asked.address)
    assert answer.headers["location"].startswith(BACK)
    return read_answer(answer.headers["location"])


async def connect(stage: Stage, **choice: str) -> None:
    found = await stage.services.connector.receive(await consent(stage, await ask(stage)), requested_by=ADMIN)
    await stage.services.connector.settle(found, **choice)


async def code(stage: Stage, scopes: tuple[str, ...] = ASKED) -> str:
    sim = stage.sim
    return sim.grants.issue_code(DEFAULT_CLIENT, sim.user_id, scopes, sim.data_centre, None, True).value


async def redeem(stage: Stage, scopes: tuple[str, ...] = ASKED) -> None:
    connector = stage.services.connector
    found = await connector.redeem(
        client_id=DEFAULT_CLIENT.id,
        client_secret=DEFAULT_CLIENT.secret,
        code=await code(stage, scopes),
        accounts_server="http://sim",
    )
    await connector.settle(found)


async def test_a_consent_asks_for_what_is_needed_and_no_more(stage: Stage) -> None:
    query = dict(parse_qsl(urlsplit((await ask(stage)).address).query))
    assert (query["prompt"], query["access_type"], query["redirect_uri"]) == ("consent", "offline", BACK)
    assert query["scope"].split(",") == list(ASKED)
    assert len(query["state"]) >= 32


async def test_a_consent_in_the_browser_becomes_the_login_in_use(stage: Stage) -> None:
    await stage.register()
    await connect(stage)
    row = await fetch_one(stage.shop, "select * from zohosync.connection")
    assert row is not None
    organisation = stage.sim.crm.organisation
    assert (row["state"], row["organisation_id"], row["connected_by"]) == (
        "connected", ORG_ID, organisation.user["email"],
    )  # fmt: skip
    assert row["books_organisation_id"]
    pinned = await fetch_one(
        stage.shop, "select zoho, organisation_id, books_organisation_id from zohosync.installation"
    )
    assert pinned == {
        "zoho": "sim",
        "organisation_id": row["organisation_id"],
        "books_organisation_id": row["books_organisation_id"],
    }
    assert (await stage.services.custodian.access()).books_organisation_id == row["books_organisation_id"]


async def test_nothing_secret_is_readable_while_a_consent_is_out(stage: Stage) -> None:
    asked = await ask(stage)
    rows = await fetch_all(stage.shop, "select c::text as row from zohosync.consent c")
    assert len(rows) == 1
    assert DEFAULT_CLIENT.secret not in rows[0]["row"]
    assert asked.state not in rows[0]["row"]
    assert DEFAULT_CLIENT.secret not in repr(asked)


async def test_an_answer_counts_once(stage: Stage) -> None:
    answer = await consent(stage, await ask(stage))
    await stage.services.connector.receive(answer, requested_by=ADMIN)
    with pytest.raises(LoginLost) as caught:
        await stage.services.connector.receive(answer, requested_by=ADMIN)
    assert caught.value.reason == "consent_unknown"


@pytest.mark.parametrize("forged", [{"state": "guessed"}, {"state": ""}])
async def test_an_answer_nobody_asked_for_is_refused_and_spends_nothing(stage: Stage, forged: dict[str, str]) -> None:
    answer = await consent(stage, await ask(stage))
    before = len(stage.sim.calls.entries)
    with pytest.raises(LoginLost) as caught:
        await stage.services.connector.receive(answer | forged, requested_by=ADMIN)
    assert caught.value.reason == "consent_unknown"
    assert len(stage.sim.calls.entries) == before
    assert (await stage.services.connector.receive(answer, requested_by=ADMIN)).login


async def test_an_answer_brought_by_somebody_else_is_refused(stage: Stage) -> None:
    answer = await consent(stage, await ask(stage))
    with pytest.raises(LoginLost) as caught:
        await stage.services.connector.receive(answer, requested_by="other@example.com")
    assert caught.value.reason == "consent_unknown"


async def test_an_answer_after_ten_minutes_is_refused(stage: Stage) -> None:
    answer = await consent(stage, await ask(stage))
    await stage.shop.execute("update zohosync.consent set expires_at = now()")
    with pytest.raises(LoginLost) as caught:
        await stage.services.connector.receive(answer, requested_by=ADMIN)
    assert caught.value.reason == "consent_unknown"


@pytest.mark.parametrize(("error", "said"), [("access_denied", "was not given"), ("invalid_scope", "invalid_scope")])
async def test_a_consent_that_was_not_given_is_said_so(stage: Stage, error: str, said: str) -> None:
    asked = await ask(stage)
    with pytest.raises(LoginLost, match=said) as caught:
        await stage.services.connector.receive({"state": asked.state, "error": error}, requested_by=ADMIN)
    assert (caught.value.reason, bool(caught.value.hint)) == ("consent_refused", True)


@pytest.mark.parametrize(
    "server", ["https://accounts.zoho.evil.example", "https://evil.example/", "file:///etc/passwd"]
)
async def test_the_client_secret_goes_to_no_server_an_answer_names(stage: Stage, server: str) -> None:
    answer = await consent(stage, await ask(stage))
    with pytest.raises(LoginLost) as caught:
        await stage.services.connector.receive(answer | {"accounts-server": server}, requested_by=ADMIN)
    assert caught.value.reason == "unknown_accounts_server"


async def test_a_login_that_lacks_permissions_is_refused_and_gives_its_place_back(stage: Stage) -> None:
    with pytest.raises(ScopeMissing, match="coql") as caught:
        await redeem(stage, tuple(scope for scope in ASKED if "coql" not in scope))
    assert caught.value.reason == "scopes_missing"
    assert "ZohoCRM.coql.READ" in caught.value.hint
    assert stage.sim.grants.grants == {}
    assert await fetch_one(stage.shop, "select 1 as one from zohosync.connection") is None


async def test_without_permission_for_books_crm_is_connected_and_that_is_said(stage: Stage) -> None:
    connector = stage.services.connector
    found = await connector.redeem(
        client_id=DEFAULT_CLIENT.id,
        client_secret=DEFAULT_CLIENT.secret,
        code=await code(stage, tuple(scope for scope in ASKED if "Books" not in scope)),
        accounts_server="http://sim",
    )
    connected = await connector.settle(found)
    assert connected.books is None
    assert any("ZohoBooks.settings.READ" in remark for remark in connected.remarks)


async def test_a_login_of_another_organisation_never_replaces_the_one_in_use(stage: Stage) -> None:
    await redeem(stage)
    before = await fetch_one(stage.shop, "select refresh_token, generation from zohosync.connection")
    await stage.shop.execute("update zohosync.installation set organisation_id = '1'")
    with pytest.raises(SettingsRefused, match="tied to Zoho organisation 1") as caught:
        await redeem(stage)
    assert caught.value.reason == "other_organisation"
    assert await fetch_one(stage.shop, "select refresh_token, generation from zohosync.connection") == before
    assert len(stage.sim.grants.grants) == 1
    assert await stage.services.crm.organisation()


async def test_a_database_stays_with_its_organisation_in_books(stage: Stage) -> None:
    await redeem(stage)
    await stage.shop.execute("update zohosync.installation set books_organisation_id = '1'")
    with pytest.raises(SettingsRefused, match="tied to Books organisation 1"):
        await redeem(stage)
    assert len(stage.sim.grants.grants) == 1


async def test_connecting_again_gives_the_earlier_logins_place_back(stage: Stage) -> None:
    for _ in range(3):
        await connect(stage)
    assert len(stage.sim.grants.grants) == 1
    assert await stage.services.crm.organisation()


async def test_a_zoho_that_is_away_leaves_no_half_a_login(stage: Stage) -> None:
    await stage.fault("http_500_before_commit", match={"operation": "org"})
    with pytest.raises(ZohoUnavailable):
        await redeem(stage)
    assert await fetch_one(stage.shop, "select 1 as one from zohosync.connection") is None
    assert stage.sim.grants.grants == {}


async def test_work_that_waits_for_the_login_goes_on_after_connecting(stage: Stage) -> None:
    await redeem(stage)
    async with stage.services.pool.connection() as connection:
        await connection.execute("update zohosync.installation set capturing = true, live_since = now()")
    await stage.services.connector.disconnect()
    await stage.register()
    await stage.run()
    assert (await stage.only_operation())["wait_reason"] == "login"
    await connect(stage)
    await stage.run()
    assert (await stage.only_operation())["status"] == "succeeded"


# --- the organisation in Books


def books(*ids: str) -> list[BooksOrganisation]:
    return [BooksOrganisation.parse({"organization_id": one, "name": f"Demo {one}"}) for one in ids]


@pytest.mark.parametrize(
    ("found", "wanted", "pinned", "chosen"),
    [((), None, None, None), (("1",), None, None, "1"), (("1", "2"), "2", None, "2"), (("1", "2"), None, "2", "2"),
     (("1", "2"), "2", "2", "2")],
)  # fmt: skip
def test_the_organisation_in_books_is_the_only_one_or_the_chosen_one(
    found: tuple[str, ...], wanted: str | None, pinned: str | None, chosen: str | None
) -> None:
    organisation = choose_books(books(*found), wanted, pinned)
    assert (organisation.id if organisation else None) == chosen


@pytest.mark.parametrize(
    ("found", "wanted", "pinned", "reason", "said"),
    [(("1", "2"), None, None, "organisation_choice", "1 (Demo 1), 2 (Demo 2)"),
     (("1",), "3", None, "organisation_unknown", "1 (Demo 1)"), ((), "3", None, "organisation_unknown", "none"),
     (("1",), None, "2", "other_organisation", "separate database"), ((), None, "2", "other_organisation", "user of")],
)  # fmt: skip
def test_a_choice_that_cannot_be_is_refused_with_the_choices(
    found: tuple[str, ...], wanted: str | None, pinned: str | None, reason: str, said: str
) -> None:
    with pytest.raises(SettingsRefused) as caught:
        choose_books(books(*found), wanted, pinned)
    assert caught.value.reason == reason
    assert said in caught.value.hint


async def test_a_login_waits_sealed_while_a_person_chooses(stage: Stage) -> None:
    connector = stage.services.connector
    found = await connector.receive(await consent(stage, await ask(stage)), requested_by=ADMIN)
    state = await connector.hold(found, requested_by=ADMIN)
    rows = await fetch_all(stage.shop, "select c::text as row from zohosync.consent c")
    assert found.login.refresh_token not in rows[0]["row"]
    again = await connector.take_held(state, requested_by=ADMIN)
    assert again.login == found.login
    with pytest.raises(LoginLost):
        await connector.take_held(state, requested_by=ADMIN)


# --- data centres


async def test_zohos_answer_decides_the_data_centre(database: Database) -> None:
    settings = load_settings(None, database_url=database.worker_url, zoho="live", data_centre="us", encryption_keys="")
    assert settings.accounts_server == "https://accounts.zoho.com"
    async with open_stage(database, connected=False, zoho="live", data_centre="us") as stage:
        stage.sim.switches.set({"consent_page": False})
        asked = await stage.services.connector.ask(
            client_id=DEFAULT_CLIENT.id,
            client_secret=DEFAULT_CLIENT.secret,
            accounts_server="https://accounts.zoho.in",
            redirect_uri=BACK,
            requested_by=ADMIN,
        )
        answer = read_answer((await stage.zoho.get(asked.address)).headers["location"])
        assert answer["accounts-server"] == "https://accounts.zoho.in"
        connected = await stage.services.connector.settle(
            await stage.services.connector.receive(answer, requested_by=ADMIN)
        )
        assert connected.data_centre == "in"
        assert (await stage.services.custodian.access()).api_domain == "https://www.zohoapis.in"


# --- the custom fields


async def test_missing_fields_are_made_with_consent_and_then_found(stage: Stage) -> None:
    await redeem(stage)
    crm = stage.services.crm
    assert (await survey_fields(crm)).missing == WANTED_FIELDS
    made = await make_fields(crm, WANTED_FIELDS)
    assert [one.error for one in made] == [None] * len(WANTED_FIELDS)
    assert (await survey_fields(crm)).complete


async def test_fields_that_are_there_are_not_made_again(stage: Stage) -> None:
    await redeem(stage)
    await make_fields(stage.services.crm, WANTED_FIELDS)
    made = await make_fields(stage.services.crm, WANTED_FIELDS[:1])
    assert made[0].error is not None
    assert (await survey_fields(stage.services.crm)).complete


async def test_a_field_that_allows_duplicates_or_is_too_short_is_named(stage: Stage) -> None:
    await redeem(stage)
    stage.sim.seed_field("Contacts", "Storefront User Id", length=20)
    survey = await survey_fields(stage.services.crm)
    sentences = [flaw.sentence for flaw in survey.flawed]
    assert sentences == [
        "Storefront User Id of Contacts allows duplicate values.",
        "Storefront User Id of Contacts holds 20 characters; 64 are needed.",
    ]
    assert all("Modules and Fields" in flaw.remedy for flaw in survey.flawed)


async def test_without_the_permission_fields_are_left_to_a_person(stage: Stage) -> None:
    await redeem(stage, tuple(scope for scope in ASKED if scope != "ZohoCRM.settings.fields.CREATE"))
    made = await make_fields(stage.services.crm, WANTED_FIELDS)
    assert all(isinstance(one.error, ScopeMissing) for one in made)


def test_the_steps_by_hand_name_every_click() -> None:
    steps = " ".join(describe_steps(WANTED_FIELDS[0]))
    for word in (
        "Setup",
        "Modules and Fields",
        "Contacts",
        "Storefront User Id",
        "64",
        "duplicate",
        "Storefront_User_Id",
    ):
        assert word in steps


def test_a_pasted_address_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsRefused) as caught:
        read_answer("http://127.0.0.1:8801/callback")
    assert caught.value.reason == "callback_unreadable"
    assert read_answer(" http://x/callback?state=a&code=b&location=in& ") == {
        "state": "a",
        "code": "b",
        "location": "in",
    }


# --- several at once


@asynccontextmanager
async def other_processes(stage: Stage, count: int) -> AsyncIterator[list[Connector]]:
    """As many consoles beside the first one: nothing shared but database and Zoho."""
    async with AsyncExitStack() as stack:
        yield [
            (
                await stack.enter_async_context(
                    open_services(stage.services.settings, transport=httpx.ASGITransport(app=create_app(stage.sim)))
                )
            ).connector
            for _ in range(count)
        ]


async def found_by(stage: Stage, connector: Connector) -> Found:
    return await connector.redeem(
        client_id=DEFAULT_CLIENT.id,
        client_secret=DEFAULT_CLIENT.secret,
        code=await code(stage),
        accounts_server="http://sim",
    )


async def test_of_several_connections_at_once_one_is_used_and_the_others_are_revoked(stage: Stage) -> None:
    async with other_processes(stage, 4) as connectors:
        for _ in range(6):
            await stage.shop.execute("delete from zohosync.connection")
            stage.sim.grants.grants.clear()
            found = [await found_by(stage, connector) for connector in connectors]
            await asyncio.gather(*(c.settle(one) for c, one in zip(connectors, found, strict=True)))
            assert len(stage.sim.grants.grants) == 1
            assert await stage.services.crm.organisation()


async def test_disconnecting_while_somebody_connects_leaves_no_login_alive_that_nobody_uses(stage: Stage) -> None:
    async with other_processes(stage, 2) as (one, other):
        for _ in range(12):
            await one.settle(await found_by(stage, one))
            found = await found_by(stage, other)
            await asyncio.gather(other.settle(found), one.disconnect())
            row = await fetch_one(stage.shop, "select state from zohosync.connection")
            assert row is not None
            assert len(stage.sim.grants.grants) == (row["state"] == "connected")


async def test_a_login_nobody_chose_an_organisation_for_gives_its_place_back(stage: Stage) -> None:
    connector = stage.services.connector
    found = await connector.receive(await consent(stage, await ask(stage)), requested_by=ADMIN)
    await connector.hold(found, requested_by=ADMIN)
    await connector.give_up_abandoned()
    assert len(stage.sim.grants.grants) == 1
    await stage.shop.execute("update zohosync.consent set expires_at = now()")
    async with stage.services.pool.connection() as connection:
        await tidy(connection, keep=Retention(timedelta(days=90), timedelta(days=30)))
    await connector.give_up_abandoned()
    assert stage.sim.grants.grants == {}
    assert await fetch_all(stage.shop, "select from zohosync.consent") == []


async def test_a_code_that_could_not_be_exchanged_is_not_said_to_be_tried_again(stage: Stage) -> None:
    await stage.fault("http_429", count=1, match={"service": "accounts"})
    with pytest.raises(RateLimited) as caught:
        await redeem(stage)
    assert "start again" in caught.value.hint
    assert "by itself" not in caught.value.hint
