"""Settings in the console: connecting, choosing, fields, disconnecting, and who may."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from conftest import Database
from console.conftest import Enter
from console.stage import Person, audited, text_of
from stage import Stage, open_stage
from zohosim.simulator import DEFAULT_CLIENT
from zohosync.clock import SystemClock
from zohosync.console.app import Console, create_app
from zohosync.console.desk import ZohoDesk
from zohosync.db.pool import fetch_one
from zohosync.store.users import Role

CLIENT = {"client_id": DEFAULT_CLIENT.id, "client_secret": DEFAULT_CLIENT.secret}


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database, connected=False, fields=False) as opened:
        opened.sim.switches.set({"consent_page": False})
        opened.sim.grants.clients[DEFAULT_CLIENT.id] = type(DEFAULT_CLIENT)(
            id=DEFAULT_CLIENT.id, secret=DEFAULT_CLIENT.secret,
            redirect_uris=("http://console.test/settings/zoho/callback",),
        )  # fmt: skip
        yield opened


@pytest.fixture
def console(stage: Stage) -> Console:
    services = stage.services
    return Console(services.pool, services.settings, SystemClock(), zoho=ZohoDesk(services.connector, services.crm))


@pytest.fixture
def app(console: Console) -> FastAPI:
    return create_app(console)


@pytest.fixture
async def admin(enter: Enter) -> Person:
    return await enter(Role.ADMIN)


async def consent(stage: Stage, admin: Person) -> httpx.Response:
    """The admin asks, goes to Zoho, accepts, and is sent back."""
    asked = await admin.post("/settings/zoho/ask", **CLIENT)
    address = re.search(r'href="(http://sim/oauth[^"]+)"', asked.text)
    assert address, text_of(asked)
    back = await stage.zoho.get(address[1].replace("&amp;", "&"))
    parts = urlsplit(back.headers["location"])
    assert (parts.netloc, parts.path) == ("console.test", "/settings/zoho/callback")
    answer = await admin.get(f"{parts.path}?{parts.query}")
    return await admin.get(answer.headers["location"]) if answer.status_code == 303 else answer


async def test_an_admin_connects_in_the_browser(stage: Stage, admin: Person) -> None:
    assert "Not connected" in text_of(await admin.get("/settings"))
    page = await consent(stage, admin)
    assert (page.status_code, "Connected" in text_of(page)) == (200, True)
    settings = text_of(await admin.get("/settings"))
    assert stage.sim.crm.organisation.company_name in settings
    assert "Connect again" in settings
    row = await fetch_one(stage.shop, "select state from zohosync.connection")
    assert row == {"state": "connected"}
    assert len(await audited(stage.shop, "zoho.connect")) == 1


async def test_the_page_says_which_address_to_register(admin: Person) -> None:
    assert "http://console.test/settings/zoho/callback" in text_of(await admin.get("/settings"))


async def test_the_secret_is_on_no_page(stage: Stage, admin: Person) -> None:
    asked = await admin.post("/settings/zoho/ask", **CLIENT)
    assert DEFAULT_CLIENT.secret not in asked.text
    await consent(stage, admin)
    assert DEFAULT_CLIENT.secret not in (await admin.get("/settings")).text


async def test_an_answer_meant_for_another_admin_is_refused(stage: Stage, admin: Person, enter: Enter) -> None:
    other = await enter(Role.ADMIN)
    asked = await admin.post("/settings/zoho/ask", **CLIENT)
    address = re.search(r'href="(http://sim/oauth[^"]+)"', asked.text)
    assert address
    back = urlsplit((await stage.zoho.get(address[1].replace("&amp;", "&"))).headers["location"])
    page = await other.get(f"{back.path}?{back.query}")
    assert (page.status_code, "belongs to no consent" in text_of(page)) == (422, True)
    assert await fetch_one(stage.shop, "select 1 as one from zohosync.connection") is None
    assert (await admin.get(f"{back.path}?{back.query}")).headers["location"] == "/settings"


async def test_a_refused_consent_is_told_in_plain_words(stage: Stage, admin: Person) -> None:
    asked = await admin.post("/settings/zoho/ask", **CLIENT)
    state = re.search(r"state=([\w-]+)", asked.text)
    assert state
    page = await admin.get(f"/settings/zoho/callback?error=access_denied&state={state[1]}")
    assert "The consent was not given at Zoho." in text_of(page)


async def test_the_code_of_a_self_client_connects_too(stage: Stage, admin: Person) -> None:
    grant = (await stage.zoho.post("/_sim/grant", json={"kind": "code"})).json()
    page = await admin.post("/settings/zoho/code", **CLIENT, code=grant["code"])
    assert page.headers["location"] == "/settings"
    again = await admin.post("/settings/zoho/code", **CLIENT, code=grant["code"])
    assert (again.status_code, "works once" in text_of(again)) == (422, True)


async def test_with_several_organisations_in_books_the_admin_chooses(stage: Stage, admin: Person) -> None:
    stage.sim.seed_books_organisation(name="Demo Second")
    page = await consent(stage, admin)
    assert "Which organisation" in text_of(page)
    assert await fetch_one(stage.shop, "select 1 as one from zohosync.connection") is None
    held = re.search(r'name="held" value="([^"]+)"', page.text)
    chosen = re.search(r'value="(\d+)" required> Demo Second', page.text)
    assert held
    assert chosen
    done = await admin.post("/settings/zoho/organisation", held=held[1], organisation=chosen[1])
    assert done.headers["location"] == "/settings"
    assert "Demo Second" in text_of(await admin.get("/settings"))
    row = await fetch_one(stage.shop, "select books_organisation_id from zohosync.installation")
    assert row == {"books_organisation_id": chosen[1]}
    late = await admin.post("/settings/zoho/organisation", held=held[1], organisation=chosen[1])
    assert late.status_code == 422


async def test_missing_fields_are_made_at_the_press_of_a_button(stage: Stage, admin: Person) -> None:
    await consent(stage, admin)
    before = text_of(await admin.get("/settings/zoho/fields"))
    assert "Storefront User Id" in before
    assert "by hand" in before
    after = text_of(await admin.post("/settings/zoho/fields"))
    assert "was made." in after
    assert "All fields zohosync wants are there." in after
    assert "Prevent Duplicate Values" in after


async def test_disconnecting_asks_first_and_says_what_became_of_it(stage: Stage, admin: Person) -> None:
    await consent(stage, admin)
    assert "Disconnect Zoho?" in text_of(await admin.get("/settings/zoho/disconnect"))
    answer = await admin.post("/settings/zoho/disconnect")
    assert answer.headers["location"] == "/settings"
    said = text_of(await admin.get("/settings"))
    assert "revoked at Zoho" in said
    assert "Not connected" in said
    assert stage.sim.grants.grants == {}


async def test_a_dead_login_is_told_with_what_to_do(stage: Stage, admin: Person) -> None:
    await consent(stage, admin)
    await stage.shop.execute("update zohosync.connection set state = 'needs_reauth', error_message = 'It was revoked.'")
    page = text_of(await admin.get("/settings"))
    assert "no longer accepts the login" in page
    assert "It was revoked." in page


async def test_others_see_the_connection_and_no_forms(stage: Stage, admin: Person, enter: Enter) -> None:
    await consent(stage, admin)
    page = await (await enter(Role.OPERATOR)).get("/settings")
    assert '<form method="post" action="/settings' not in page.text
    assert "Admins can change the connection." in text_of(page)
