"""A new login, and the end of one."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from zoho.conftest import ACCOUNTS, HandClock, answering, connect, custodian_of, new_code
from zohosim.data_centres import BY_NAME
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosync.db.pool import Pool
from zohosync.errors import LoginLost, NotConnected
from zohosync.store.tokens import PostgresTokens
from zohosync.zoho import scopes
from zohosync.zoho.auth import Custodian
from zohosync.zoho.crm import Crm
from zohosync.zoho.oauth import consent_address
from zohosync.zoho.vault import Vault


async def test_connecting_stores_what_the_callback_and_the_answer_said(
    connected: Custodian, pool: Pool, keys: list[str]
) -> None:
    stored = await PostgresTokens(pool).find_connection()
    assert stored is not None
    assert (stored.state, stored.data_centre, stored.accounts_server, stored.api_domain) == (
        "connected", "in", ACCOUNTS, "https://www.zohoapis.in",
    )  # fmt: skip
    assert (stored.organisation_name, stored.client_id) == ("Demo", DEFAULT_CLIENT.id)
    assert "ZohoCRM.coql.READ" in stored.scopes
    assert Vault(keys).open(stored.client_secret) == DEFAULT_CLIENT.secret


async def test_connecting_again_takes_over_from_the_earlier_login(
    crm: Crm, connected: Custodian, sim: Simulator, pool: Pool, keys: list[str], http: httpx.AsyncClient,
    clock: HandClock,
) -> None:  # fmt: skip
    first = await connected.access()
    await connect(custodian_of(pool, keys, http, clock), new_code(sim))
    sim.order({"kind": "evict_token"})
    await crm.organisation()
    assert (await connected.access()).generation > first.generation + 1


async def test_a_code_without_a_refresh_token_is_refused_with_the_remedy(custodian: Custodian, sim: Simulator) -> None:
    with pytest.raises(LoginLost, match="access_type=offline") as caught:
        await connect(custodian, new_code(sim, lasting=False))
    assert caught.value.reason == "refresh_token_missing"


async def test_a_used_or_wrong_code_is_refused_with_the_remedy(custodian: Custodian, sim: Simulator) -> None:
    code = new_code(sim)
    await connect(custodian, code)
    for attempt in (code, "1000.wrong"):
        with pytest.raises(LoginLost, match="works once") as caught:
            await connect(custodian, attempt)
        assert caught.value.reason == "code_refused"
    assert (await custodian.access()).token


async def test_a_code_of_another_data_centre_is_refused(custodian: Custodian, sim: Simulator) -> None:
    with pytest.raises(LoginLost) as caught:
        await custodian.connect_with_code(
            client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret, code=new_code(sim),
            accounts_server=f"https://{BY_NAME['us'].accounts}",
        )  # fmt: skip
    assert caught.value.reason == "code_refused"


@pytest.mark.parametrize(
    "server",
    ["https://accounts.zoho.in.evil.example", "http://accounts.zoho.in", "https://evil.example", "http://127.0.0.1:1"],
)
async def test_the_client_secret_goes_to_no_other_server(
    pool: Pool, keys: list[str], clock: HandClock, server: str
) -> None:
    http, asked = answering(httpx.Response(200, json={}))
    with pytest.raises(LoginLost) as caught:
        await custodian_of(pool, keys, http, clock).connect_with_code(
            client_id="1000.A", client_secret="s", code="c", accounts_server=server
        )
    assert caught.value.reason == "unknown_accounts_server"
    assert asked == []


async def test_in_simulator_mode_only_the_simulator_is_spoken_to(pool: Pool, keys: list[str], clock: HandClock) -> None:
    http, asked = answering(
        httpx.Response(200, json={"access_token": "a", "refresh_token": "r", "api_domain": "http://127.0.0.1:8900"})
    )
    custodian = Custodian(PostgresTokens(pool), Vault(keys), http, clock, sim_url="http://127.0.0.1:8900")
    with pytest.raises(LoginLost):
        await custodian.connect_with_code(client_id="i", client_secret="s", code="c", accounts_server=ACCOUNTS)
    row = await custodian.connect_with_code(
        client_id="i", client_secret="s", code="c", accounts_server="http://127.0.0.1:8900"
    )
    assert (row.data_centre, row.api_domain) == ("sim", "http://127.0.0.1:8900")
    assert {request.url.host for request in asked} == {"127.0.0.1"}


async def test_disconnecting_revokes_at_zoho_and_forgets_here(
    connected: Custodian, crm: Crm, sim: Simulator, pool: Pool
) -> None:
    await connected.disconnect()
    assert sim.grants.grants == {}
    stored = await PostgresTokens(pool).find_connection()
    assert stored is not None
    assert (stored.state, stored.refresh_token, stored.client_secret) == ("disconnected", b"", b"")
    before = len(sim.calls.entries)
    with pytest.raises(NotConnected):
        await crm.organisation()
    assert len(sim.calls.entries) == before


async def test_disconnecting_forgets_the_login_even_when_zoho_is_away(
    connected: Custodian, pool: Pool, keys: list[str], clock: HandClock
) -> None:
    http, asked = answering(httpx.ConnectError("away"))
    away = custodian_of(pool, keys, http, clock)
    for _ in range(2):
        await away.disconnect()
    assert len(asked) == 1
    with pytest.raises(NotConnected):
        await away.access()


async def test_disconnecting_without_a_login_does_nothing(custodian: Custodian, sim: Simulator) -> None:
    await custodian.disconnect()
    assert not sim.calls.entries


async def test_an_older_answer_without_an_api_host_means_the_data_centres_own(
    pool: Pool, keys: list[str], clock: HandClock
) -> None:
    http, _ = answering(httpx.Response(200, json={"access_token": "a", "refresh_token": "r", "expires_in": 3600}))
    row = await custodian_of(pool, keys, http, clock).connect_with_code(
        client_id="i", client_secret="s", code="c", accounts_server="https://accounts.zoho.eu/"
    )
    assert (row.data_centre, row.api_domain, list(row.scopes)) == ("eu", "https://www.zohoapis.eu", [])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("invalid_redirect_uri", "redirect_refused"), ("invalid_scope", "login_lost"),
     ("invalid_client", "client_refused"),
     ("access_denied", "code_refused")],
)  # fmt: skip
async def test_what_was_wrong_with_connecting_is_said(
    pool: Pool, keys: list[str], clock: HandClock, answer: str, reason: str
) -> None:
    http, _ = answering(httpx.Response(200, json={"error": answer}))
    with pytest.raises(LoginLost) as caught:
        await connect(custodian_of(pool, keys, http, clock), "c")
    assert caught.value.reason == reason
    assert caught.value.hint


async def test_a_foreign_api_host_is_refused_when_connecting(pool: Pool, keys: list[str], clock: HandClock) -> None:
    answer = {"access_token": "a", "refresh_token": "r", "api_domain": "https://evil.example"}
    http, _ = answering(httpx.Response(200, json=answer))
    with pytest.raises(LoginLost) as caught:
        await connect(custodian_of(pool, keys, http, clock), "c")
    assert caught.value.reason == "unknown_api_domain"
    with pytest.raises(NotConnected):
        await custodian_of(pool, keys, http, clock).access()


async def test_a_consent_in_the_browser_leads_to_a_login(
    custodian: Custodian, sim: Simulator, http: httpx.AsyncClient
) -> None:
    sim.switches.set({"consent_page": False})
    back = "http://127.0.0.1:8800/connect/callback"
    address = consent_address(
        ACCOUNTS, client_id=DEFAULT_CLIENT.id, redirect_uri=back, scopes=scopes.REQUIRED, state="s1"
    )
    answer = await http.get(address)
    told = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert told["state"] == "s1"
    row = await custodian.connect_with_code(
        client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret, code=told["code"],
        accounts_server=told["accounts-server"], redirect_uri=back,
    )  # fmt: skip
    assert scopes.missing(row.scopes) == ()


def test_only_the_consents_own_scopes_are_asked() -> None:
    address = consent_address(ACCOUNTS, client_id="i", redirect_uri="r", scopes=("a", "b"), state="s")
    query = dict(parse_qsl(urlsplit(address).query))
    assert (query["scope"], query["access_type"], query["prompt"]) == ("a,b", "offline", "consent")


async def test_another_process_hears_of_a_disconnection_that_zoho_did_not_confirm(
    connected: Custodian, pool: Pool, keys: list[str], clock: HandClock
) -> None:
    assert await connected.access()
    http, _ = answering(httpx.ConnectError("away"))
    await custodian_of(pool, keys, http, clock).disconnect()
    assert await connected.access()
    clock.advance(timedelta(minutes=1))
    with pytest.raises(NotConnected):
        await connected.access()
