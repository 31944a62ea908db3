"""Answers heard as they come, requests no stream sends, and logins that may be used up."""

from datetime import timedelta

import httpx
import pytest

from zoho.conftest import ACCOUNTS, DEFAULT_CLIENT, new_code, token_calls
from zohosim.simulator import Simulator
from zohosync.errors import OutcomeUnknown, RateLimited, TokenRejected, ZohoUnavailable
from zohosync.zoho.auth import Custodian
from zohosync.zoho.client import Client
from zohosync.zoho.protocol import Request
from zohosync.zoho.raw import Once, RawRequest, hear
from zohosync.zoho.spare import SpareLogin

ME = Request("GET", "/crm/v8/users", params={"type": "CurrentUser"})
WRITE = Request("POST", "/crm/v8/Leads", json={"data": [{"City": "x"}]}, records=1, effect="creates")


async def spare_of(custodian: Custodian, http: httpx.AsyncClient, sim: Simulator) -> SpareLogin:
    login = await custodian.exchange(
        client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret, code=new_code(sim), accounts_server=ACCOUNTS
    )
    return SpareLogin(http, login, timedelta(seconds=5), [login.access_token])


async def test_a_refusal_is_heard_like_any_answer(client: Client) -> None:
    assert (await hear(client, ME)).status == 200
    heard = await hear(client, WRITE)
    assert heard.status == 400
    assert b"MANDATORY_NOT_FOUND" in heard.body
    heard = await hear(client, Request("GET", "/crm/v8/Leads"))
    assert b"REQUIRED_PARAM_MISSING" in heard.body


@pytest.mark.parametrize(
    ("kind", "request_", "error"),
    [
        ("http_500_before_commit", ME, ZohoUnavailable),
        ("html_502", ME, ZohoUnavailable),
        ("timeout_before_commit", WRITE, OutcomeUnknown),
        ("http_500_after_commit", WRITE, OutcomeUnknown),
        ("http_429", ME, RateLimited),
    ],
)
async def test_trouble_is_no_answer(
    client: Client, sim: Simulator, kind: str, request_: Request, error: type[Exception]
) -> None:
    sim.order({"kind": kind})
    with pytest.raises(error):
        await hear(client, request_)


def test_a_raw_request_has_any_body_and_any_scheme() -> None:
    raw = RawRequest("POST", "/crm/v8/coql", body=b"{", scheme="Bearer")
    assert raw.content() == b"{"
    assert raw.headers("secret")["Authorization"] == "Bearer secret"
    plain = RawRequest("POST", "/crm/v8/coql", json={"a": 1})
    assert plain.content() == Request("POST", "/crm/v8/coql", json={"a": 1}).content()
    assert plain.headers("secret")["Authorization"] == "Zoho-oauthtoken secret"


async def test_a_login_used_once_fetches_no_second_token(client: Client, connected: Custodian, sim: Simulator) -> None:
    sim.order({"kind": "evict_token"})
    before = token_calls(sim)
    heard = await hear(client.signed_in_by(Once(connected)), ME)
    assert (heard.status, token_calls(sim)) == (401, before)
    assert (await hear(client, ME)).status == 200
    assert token_calls(sim) == before + 1


async def test_a_spare_login_lives_beside_the_connected_one_and_ends(
    client: Client, connected: Custodian, http: httpx.AsyncClient, sim: Simulator
) -> None:
    spare = await spare_of(connected, http, sim)
    await spare.renew()
    assert len(set(spare.tokens)) == 2
    for token in spare.tokens:
        assert (await hear(client.signed_in_by(spare.signed_in(token)), ME)).status == 200
    assert await spare.revoke()
    assert (await hear(client.signed_in_by(spare.signed_in(spare.tokens[0])), ME)).status == 401
    assert not await spare.revoke(), "it is gone already"
    assert (await hear(client, ME)).status == 200


async def test_one_access_token_too_many_tells_zohos_status(
    connected: Custodian, http: httpx.AsyncClient, sim: Simulator
) -> None:
    sim.switches.set({"throttle_status": 200})
    spare = await spare_of(connected, http, sim)
    for _ in range(10):
        await spare.renew()
    with pytest.raises(RateLimited) as caught:
        await spare.renew()
    assert caught.value.status == 200


async def test_a_spare_login_keeps_its_secrets_out_of_sight(
    connected: Custodian, http: httpx.AsyncClient, sim: Simulator
) -> None:
    spare = await spare_of(connected, http, sim)
    assert not any(
        secret in repr(spare) for secret in [*spare.tokens, spare.login.refresh_token, DEFAULT_CLIENT.secret]
    )


async def test_once_ends_after_its_token_was_rejected(connected: Custodian) -> None:
    logins = Once(connected).logins()
    await anext(logins)
    with pytest.raises(StopAsyncIteration):
        await logins.asend(TokenRejected("no", hint="", code="x"))
