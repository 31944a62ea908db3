"""The accounts server answers as Zoho's does, oddities included."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from zohosim.app import create_app
from zohosim.grants import Client
from zohosim.simulator import DEFAULT_CLIENT, Simulator

CALLBACK = "http://127.0.0.1:8000/callback"
WEB = Client(id="1000.WEB", secret="s3cret", redirect_uris=(CALLBACK,))
ASKED = {
    "response_type": "code",
    "client_id": WEB.id,
    "scope": "ZohoCRM.modules.ALL,ZohoCRM.org.READ",
    "redirect_uri": CALLBACK,
    "access_type": "offline",
    "prompt": "consent",
    "state": "opaque value",
}


@pytest.fixture(autouse=True)
def web_client(sim: Simulator) -> None:
    sim.add_client(WEB)


def as_client(client: Client, **form: str) -> dict[str, str]:
    return {"client_id": client.id, "client_secret": client.secret, **form}


async def token(http: httpx.AsyncClient, face: str = "", **form: str) -> httpx.Response:
    return await http.post(f"{face}/oauth/v2/token", data=as_client(DEFAULT_CLIENT, **form))


async def refresh(http: httpx.AsyncClient, refresh_token: str, **form: str) -> httpx.Response:
    return await token(http, grant_type="refresh_token", refresh_token=refresh_token, **form)


async def self_code(http: httpx.AsyncClient, **more: Any) -> str:
    answer = await http.post("/_sim/grant", json={"kind": "code", **more})
    return str(answer.json()["code"])


async def consent(sim: Simulator, http: httpx.AsyncClient, **changes: str) -> dict[str, str]:
    """Parameters of the callback after an immediate consent."""
    sim.switches.set({"consent_page": False})
    answer = await http.get("/oauth/v2/auth", params={**ASKED, **changes})
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def exchange(http: httpx.AsyncClient, code: str, face: str = "", **form: str) -> httpx.Response:
    form = {"redirect_uri": CALLBACK, **form}
    return await http.post(
        f"{face}/oauth/v2/token", data=as_client(WEB, grant_type="authorization_code", code=code, **form)
    )


async def probe(http: httpx.AsyncClient, access_token: str, face: str = "") -> httpx.Response:
    return await http.get(f"{face}/crm/v8/org", headers={"Authorization": f"Zoho-oauthtoken {access_token}"})


# Consent


async def test_the_callback_carries_code_state_location_and_accounts_server(sim, http):
    answer = await consent(sim, http)
    assert answer["state"] == "opaque value"
    assert answer["location"] == "in"
    assert answer["accounts-server"] == "http://sim"
    assert answer["code"].startswith("1000.")


async def test_the_callback_address_ends_in_an_ampersand_unless_switched_off(sim, http):
    sim.switches.set({"consent_page": False})
    assert (await http.get("/oauth/v2/auth", params=ASKED)).headers["location"].endswith("&")
    sim.switches.set({"callback_trailing_ampersand": False})
    assert not (await http.get("/oauth/v2/auth", params=ASKED)).headers["location"].endswith("&")


async def test_the_consent_page_names_the_application_and_its_scopes_and_accepts(http):
    shown = await http.get("/oauth/v2/auth", params=ASKED)
    assert shown.status_code == 200
    assert "ZohoCRM.modules.ALL" in shown.text
    assert "KN Biosciences" in shown.text
    assert "<script" not in shown.text
    assert f"form-action 'self' {CALLBACK.removesuffix('/callback')}" in shown.headers["content-security-policy"]
    accepted = await http.post("/oauth/v2/auth/decision", data={**ASKED, "decision": "accept"})
    assert "code=1000." in accepted.headers["location"]


async def test_a_refused_consent_comes_back_as_access_denied_with_the_state(http):
    answer = await http.post("/oauth/v2/auth/decision", data={**ASKED, "decision": "reject"})
    assert answer.headers["location"].startswith(f"{CALLBACK}?error=access_denied&state=opaque+value")


async def test_an_unregistered_redirect_address_shows_an_error_page_and_never_redirects(http):
    answer = await http.get("/oauth/v2/auth", params={**ASKED, "redirect_uri": "https://evil.example/cb"})
    assert answer.status_code == 400
    assert "Invalid Redirect Uri" in answer.text
    posted = await http.post(
        "/oauth/v2/auth/decision", data={**ASKED, "redirect_uri": "https://evil.example/cb", "decision": "accept"}
    )
    assert posted.status_code == 400


async def test_an_unknown_client_or_an_empty_scope_shows_an_error_page(http):
    assert "Invalid Client" in (await http.get("/oauth/v2/auth", params={**ASKED, "client_id": "1000.X"})).text
    assert "Invalid Scope" in (await http.get("/oauth/v2/auth", params={**ASKED, "scope": " "})).text


async def test_a_client_without_registered_addresses_takes_any_loopback_address(sim, http):
    answer = await consent(sim, http, client_id=DEFAULT_CLIENT.id, redirect_uri="http://localhost:9/back")
    assert answer["code"]
    refused = await http.get(
        "/oauth/v2/auth",
        params={**ASKED, "client_id": DEFAULT_CLIENT.id, "redirect_uri": "https://shop.example.com/back"},
    )
    assert refused.status_code == 400


async def test_starting_at_another_data_centre_ends_with_a_code_of_the_users_own(sim, http):
    sim.switches.set({"consent_page": False})
    answer = await http.get("/dc/us/oauth/v2/auth", params=ASKED)
    params = parse_qs(urlsplit(answer.headers["location"]).query)
    assert params["location"] == ["in"]
    assert params["accounts-server"] == ["http://sim"]
    code = params["code"][0]
    assert (await exchange(http, code, "/dc/us")).json() == {"error": "invalid_code"}
    assert "access_token" in (await exchange(http, code)).json()


async def test_no_refresh_token_without_offline_access(sim, http):
    code = (await consent(sim, http, access_type="online"))["code"]
    assert "refresh_token" not in (await exchange(http, code)).json()


async def test_a_second_consent_gives_a_refresh_token_only_when_the_prompt_asks_for_it(sim, http):
    first = (await exchange(http, (await consent(sim, http, prompt=""))["code"])).json()
    second = (await exchange(http, (await consent(sim, http, prompt=""))["code"])).json()
    third = (await exchange(http, (await consent(sim, http, prompt="consent"))["code"])).json()
    assert "refresh_token" in first
    assert "refresh_token" not in second
    assert "refresh_token" in third


async def test_a_user_who_consented_before_is_not_shown_the_page_again_without_the_prompt(http, sim):
    sim.open_grant(WEB.id)
    assert (await http.get("/oauth/v2/auth", params={**ASKED, "prompt": ""})).status_code == 302
    assert (await http.get("/oauth/v2/auth", params=ASKED)).status_code == 200


# Exchange


async def test_the_exchange_answers_with_tokens_scope_and_the_address_it_was_asked_at(sim, http):
    answer = (await exchange(http, (await consent(sim, http))["code"])).json()
    assert answer["api_domain"] == "http://sim"
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    assert answer["scope"] == "ZohoCRM.modules.ALL ZohoCRM.org.READ"
    assert answer["refresh_token"].count(".") == 2


async def test_a_code_works_once(http):
    code = await self_code(http)
    assert "access_token" in (await token(http, grant_type="authorization_code", code=code)).json()
    again = await token(http, grant_type="authorization_code", code=code)
    assert (again.status_code, again.json()) == (200, {"error": "invalid_code"})


async def test_a_code_dies_after_two_minutes(sim, http):
    early, late = await self_code(http), await self_code(http)
    sim.clock.advance(119)
    assert "access_token" in (await token(http, grant_type="authorization_code", code=early)).json()
    sim.clock.advance(1)
    assert (await token(http, grant_type="authorization_code", code=late)).json() == {"error": "invalid_code"}


async def test_the_life_of_a_code_is_a_switch(sim, http):
    sim.switches.set({"code_lifetime_seconds": 60})
    code = await self_code(http)
    sim.clock.advance(61)
    assert (await token(http, grant_type="authorization_code", code=code)).json() == {"error": "invalid_code"}


async def test_a_self_client_code_needs_no_redirect_address(http):
    code = await self_code(http, scopes="ZohoCRM.modules.ALL,ZohoCRM.org.READ")
    assert "refresh_token" in (await token(http, grant_type="authorization_code", code=code)).json()


async def test_a_code_exchanged_with_another_redirect_address_is_refused(sim, http):
    code = (await consent(sim, http))["code"]
    answer = await exchange(http, code, redirect_uri="http://127.0.0.1:8000/other")
    assert (answer.status_code, answer.json()) == (200, {"error": "invalid_redirect_uri"})


async def test_parameters_are_taken_from_the_query_string_too(http):
    code = await self_code(http)
    params = as_client(DEFAULT_CLIENT, grant_type="authorization_code", code=code)
    assert "access_token" in (await http.post("/oauth/v2/token", params=params)).json()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "1000.NOBODY"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client_secret"),
        ({"refresh_token": "1000.unknown.token"}, "invalid_code"),
        ({"grant_type": "password"}, "general_error"),
    ],
)
async def test_credential_errors_come_as_http_200(sim, http, changes, code):
    form = {"grant_type": "refresh_token", "refresh_token": sim.open_grant().token, **changes}
    answer = await token(http, **form)
    assert (answer.status_code, answer.json()) == (200, {"error": code})


# Refresh


async def test_a_refresh_gives_a_new_access_token_and_no_refresh_token(sim, http):
    grant = sim.open_grant()
    first, second = (await refresh(http, grant.token)).json(), (await refresh(http, grant.token)).json()
    assert set(first) == {"access_token", "api_domain", "token_type", "expires_in"}
    assert first["access_token"] != second["access_token"]
    assert (await probe(http, first["access_token"])).status_code == 200


async def test_an_eleventh_token_within_ten_minutes_is_denied_until_they_have_passed(sim, http):
    grant = sim.open_grant()
    for _ in range(10):
        assert "access_token" in (await refresh(http, grant.token)).json()
    sim.clock.advance(9 * 60)
    denied = await refresh(http, grant.token)
    assert denied.status_code == 400
    assert denied.json()["error"] == "Access Denied"
    assert "too many requests" in denied.json()["error_description"]
    sim.clock.advance(60)
    assert "access_token" in (await refresh(http, grant.token)).json()


async def test_the_throttle_counts_each_refresh_token_by_itself(sim, http):
    busy, calm = sim.open_grant(), sim.open_grant()
    for _ in range(11):
        await refresh(http, busy.token)
    assert "access_token" in (await refresh(http, calm.token)).json()


async def test_the_throttle_may_answer_200_and_its_minutes_may_be_short(sim, http):
    sim.switches.set({"throttle_status": 200})
    sim.clock.minute_seconds = 3
    grant = sim.open_grant()
    for _ in range(10):
        await refresh(http, grant.token)
    denied = await refresh(http, grant.token)
    assert (denied.status_code, denied.json()["error"]) == (200, "Access Denied")
    sim.clock.advance(30)
    assert "access_token" in (await refresh(http, grant.token)).json()


async def test_the_eleventh_live_access_token_evicts_the_oldest(sim, http):
    grant = sim.open_grant()
    tokens = [(await refresh(http, grant.token)).json()["access_token"] for _ in range(10)]
    sim.clock.advance(600)
    newest = (await refresh(http, grant.token)).json()["access_token"]
    assert (await probe(http, tokens[0])).json()["code"] == "INVALID_TOKEN"
    assert (await probe(http, tokens[1])).status_code == 200
    assert (await probe(http, newest)).status_code == 200


async def test_thirty_live_access_tokens_are_a_switch(sim, http):
    sim.switches.set({"live_access_tokens": 30})
    grant = sim.open_grant()
    first = (await refresh(http, grant.token)).json()["access_token"]
    for _ in range(2):
        sim.clock.advance(600)
        for _ in range(10):
            await refresh(http, grant.token)
    assert (await probe(http, first)).status_code == 200


async def test_an_access_token_lives_an_hour(sim, http):
    access = (await refresh(http, sim.open_grant().token)).json()["access_token"]
    sim.clock.advance(3599)
    assert (await probe(http, access)).status_code == 200
    sim.clock.advance(1)
    assert (await probe(http, access)).json()["code"] == "INVALID_TOKEN"


async def test_the_twenty_first_refresh_token_of_a_user_and_client_deletes_the_oldest(sim, http):
    other = sim.open_grant(WEB.id)
    grants = [sim.open_grant() for _ in range(21)]
    assert (await refresh(http, grants[0].token)).json() == {"error": "invalid_code"}
    assert "access_token" in (await refresh(http, grants[1].token)).json()
    assert other.token in sim.grants.grants


async def test_a_revoked_refresh_token_and_its_access_tokens_are_dead(sim, http):
    grant = sim.open_grant()
    access = (await refresh(http, grant.token)).json()["access_token"]
    answer = await http.post("/oauth/v2/token/revoke", data={"token": grant.token})
    assert answer.json() == {"status": "success"}
    assert (await refresh(http, grant.token)).json() == {"error": "invalid_code"}
    assert (await probe(http, access)).status_code == 401
    assert (await http.post("/oauth/v2/token/revoke", data={"token": grant.token})).json() == {"error": "invalid_code"}


# Data centres


async def test_tokens_of_one_data_centre_are_unknown_to_another(sim, http):
    abroad = sim.open_grant(data_centre="us")
    assert (await refresh(http, abroad.token)).json() == {"error": "invalid_code"}
    answer = (await token(http, "/dc/us", grant_type="refresh_token", refresh_token=abroad.token)).json()
    assert answer["api_domain"] == "http://sim/dc/us"
    assert (await probe(http, answer["access_token"], "/dc/us")).status_code == 200
    assert (await probe(http, answer["access_token"])).json()["code"] == "INVALID_TOKEN"


async def test_zohos_own_host_names_choose_the_data_centre_in_process(sim, http):
    abroad = sim.open_grant(data_centre="eu")
    answer = await token(http, "https://accounts.zoho.eu", grant_type="refresh_token", refresh_token=abroad.token)
    assert answer.json()["api_domain"] == "https://www.zohoapis.eu"
    access = answer.json()["access_token"]
    assert (await probe(http, access, "https://www.zohoapis.eu")).status_code == 200
    assert (await probe(http, access, "https://www.zohoapis.com")).status_code == 401


async def test_a_client_not_enabled_in_a_data_centre_is_unknown_there(sim, http):
    sim.add_client(Client(id="1000.HOME", secret="x", data_centres=("in",)))
    grant = sim.open_grant("1000.HOME")
    form = {"client_id": "1000.HOME", "client_secret": "x", "grant_type": "refresh_token", "refresh_token": grant.token}
    assert (await http.post("/dc/us/oauth/v2/token", data=form)).json() == {"error": "invalid_client"}
    assert "access_token" in (await http.post("/oauth/v2/token", data=form)).json()


async def test_server_info_maps_every_location_to_its_accounts_server(http):
    places = (await http.get("/oauth/serverinfo")).json()["locations"]
    assert places["in"] == "http://sim"
    assert places["us"] == "http://sim/dc/us"
    real = (await http.get("https://accounts.zoho.in/oauth/serverinfo")).json()["locations"]
    assert real["ca"] == "https://accounts.zohocloud.ca"


async def test_the_api_domain_can_be_overridden():
    sim = Simulator(api_base="https://zoho.example.test")
    transport = httpx.ASGITransport(app=create_app(sim))
    async with httpx.AsyncClient(transport=transport, base_url="http://sim") as http:
        answer = (await refresh(http, sim.open_grant().token)).json()
    assert answer["api_domain"] == "https://zoho.example.test"
