"""One login for all processes, renewed as rarely as possible."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from zoho.conftest import HandClock, answering, connect, custodian_of, new_code, token_calls
from zohosim.simulator import Simulator
from zohosync.db.pool import Connection, Pool
from zohosync.errors import (
    GrantDead,
    LoginLost,
    NotConnected,
    RateLimited,
    ScopeMissing,
    ZohoFailure,
    ZohoUnavailable,
)
from zohosync.store.budget import PostgresBudget
from zohosync.store.tokens import PostgresTokens
from zohosync.zoho.auth import Custodian
from zohosync.zoho.client import Client
from zohosync.zoho.crm import Crm
from zohosync.zoho.vault import Vault

HOUR = timedelta(hours=1)


# --- renewing


async def test_a_living_token_costs_neither_sql_nor_a_call(connected: Custodian, sim: Simulator, pool: Pool) -> None:
    await connected.access()
    before = token_calls(sim)
    await pool.close()
    assert (await connected.access()).token
    assert token_calls(sim) == before


async def test_twenty_rejected_calls_refresh_once(
    crm: Crm, connected: Custodian, sim: Simulator, clock: HandClock
) -> None:
    await connected.access()
    sim.order({"kind": "evict_token"})
    before = token_calls(sim)
    await asyncio.gather(*(crm.organisation() for _ in range(20)))
    assert token_calls(sim) - before == 1


async def test_twenty_callers_of_an_expired_token_refresh_once(
    connected: Custodian, sim: Simulator, clock: HandClock
) -> None:
    clock.advance(HOUR)
    before = token_calls(sim)
    tokens = await asyncio.gather(*(connected.access() for _ in range(20)))
    assert len({access.token for access in tokens}) == 1
    assert token_calls(sim) - before == 1


async def test_ten_custodians_with_an_expired_token_refresh_once_between_them(
    connected: Custodian, sim: Simulator, clock: HandClock, pool: Pool, keys: list[str], http: httpx.AsyncClient
) -> None:
    clock.advance(HOUR)
    before = token_calls(sim)
    others = [custodian_of(pool, keys, http, clock) for _ in range(10)]
    tokens = await asyncio.gather(*(other.access() for other in others))
    assert len({access.token for access in tokens}) == 1
    assert token_calls(sim) - before == 1


async def test_a_custodian_whose_token_was_replaced_elsewhere_takes_the_newer_one(
    connected: Custodian, sim: Simulator, clock: HandClock, pool: Pool, keys: list[str], http: httpx.AsyncClient,
    budget: PostgresBudget,
) -> None:  # fmt: skip
    other = custodian_of(pool, keys, http, clock)
    await connected.access()
    await other.access()
    sim.order({"kind": "evict_token"})
    before = token_calls(sim)
    await Crm(Client(http, other, budget, clock)).organisation()
    await Crm(Client(http, connected, budget, clock)).organisation()
    assert token_calls(sim) - before == 1


async def test_a_token_is_renewed_shortly_before_its_end(
    connected: Custodian, sim: Simulator, clock: HandClock
) -> None:
    first = await connected.access()
    clock.advance(HOUR - timedelta(seconds=90))
    assert await connected.access() == first
    clock.advance(timedelta(seconds=60))
    assert (await connected.access()).generation == first.generation + 1


async def test_a_token_near_its_end_is_still_used_when_no_new_one_can_be_had(
    connected: Custodian, sim: Simulator, clock: HandClock
) -> None:
    first = await connected.access()
    sim.order({"kind": "html_502", "match": {"service": "accounts"}, "count": 1})
    clock.advance(HOUR - timedelta(seconds=30))
    before = token_calls(sim)
    for _ in range(5):
        assert (await connected.access()).token == first.token
    assert token_calls(sim) - before == 1
    clock.advance(timedelta(seconds=15))
    assert (await connected.access()).token != first.token


async def test_never_more_than_ten_refreshes_in_ten_minutes(
    crm: Crm, connected: Custodian, sim: Simulator, clock: HandClock
) -> None:
    before = token_calls(sim)
    for _ in range(10):
        clock.advance(timedelta(seconds=6))
        sim.order({"kind": "evict_token"})
        await crm.organisation()
    sim.order({"kind": "evict_token"})
    with pytest.raises(RateLimited) as caught:
        await crm.organisation()
    assert token_calls(sim) - before == 10
    assert caught.value.scope == "refresh"
    assert caught.value.retry_after == timedelta(minutes=10) - timedelta(seconds=54)
    clock.advance(caught.value.retry_after)
    await crm.organisation()
    sim.order({"kind": "evict_token"})
    with pytest.raises(RateLimited):
        await crm.organisation()
    assert token_calls(sim) - before == 11


async def test_failed_refreshes_count_too(connected: Custodian, sim: Simulator, clock: HandClock) -> None:
    clock.advance(HOUR)
    sim.order({"kind": "html_502", "match": {"service": "accounts"}, "count": 50})
    before = token_calls(sim)
    kinds = []
    for _ in range(15):
        with pytest.raises(ZohoFailure) as caught:
            await connected.access()
        kinds.append(type(caught.value))
    assert kinds == [ZohoUnavailable] * 10 + [RateLimited] * 5
    assert token_calls(sim) - before == 10


# --- the token endpoint's quirks


@pytest.mark.parametrize("status", [400, 200])
async def test_access_denied_is_a_limit_and_is_left_alone_by_everybody(
    connected: Custodian, sim: Simulator, clock: HandClock, status: int, pool: Pool, keys: list[str],
    http: httpx.AsyncClient,
) -> None:  # fmt: skip
    sim.switches.set({"throttle_status": status})
    sim.order({"kind": "http_429", "match": {"service": "accounts"}})
    clock.advance(HOUR)
    before = token_calls(sim)
    for custodian in (connected, connected, custodian_of(pool, keys, http, clock)):
        with pytest.raises(RateLimited) as caught:
            await custodian.access()
        assert caught.value.scope == "refresh"
        assert timedelta(minutes=4) < caught.value.retry_after <= timedelta(minutes=5)
    assert token_calls(sim) - before == 1
    clock.advance(timedelta(minutes=5))
    assert (await connected.access()).token


@pytest.mark.parametrize("kind", ["html_502", "html_200", "drop_connection_before_commit"])
async def test_a_token_server_in_trouble_is_tried_again(
    connected: Custodian, sim: Simulator, clock: HandClock, kind: str
) -> None:
    clock.advance(HOUR)
    sim.order({"kind": kind, "match": {"service": "accounts"}})
    with pytest.raises(ZohoUnavailable):
        await connected.access()
    assert (await connected.access()).token


async def test_a_slow_token_server_is_given_up(
    connected: Custodian, sim: Simulator, clock: HandClock, pool: Pool, keys: list[str], http: httpx.AsyncClient
) -> None:
    hasty = Custodian(PostgresTokens(pool), Vault(keys), http, clock, timeout=timedelta(milliseconds=50))
    clock.advance(HOUR)
    sim.order({"kind": "slow", "delay": 30, "match": {"service": "accounts"}})
    with pytest.raises(ZohoUnavailable, match="did not answer"):
        await hasty.access()
    assert (await connected.access()).token


async def test_what_a_refresh_leaves_out_stays_as_it_was(
    connected: Custodian, pool: Pool, keys: list[str], clock: HandClock
) -> None:
    first = await connected.access()
    stored = await PostgresTokens(pool).find_connection()
    clock.advance(HOUR)
    http, asked = answering(httpx.Response(200, json={"access_token": "1000.new", "expires_in": 3600}))
    newer = await custodian_of(pool, keys, http, clock).access()
    kept = await PostgresTokens(pool).find_connection()
    assert (newer.token, newer.api_domain) == ("1000.new", first.api_domain)
    assert stored
    assert kept
    assert kept.scopes == stored.scopes != []
    assert Vault(keys).open(kept.refresh_token) == Vault(keys).open(stored.refresh_token)
    assert asked[0].url.query == b""
    assert b"refresh_token=1000." in asked[0].content


@pytest.mark.parametrize(
    ("life", "seconds"),
    [({"expires_in": 3600}, 3600), ({"expires_in_sec": 3600, "expires_in": 3_600_000}, 3600),
     ({"expires_in": 3_600_000}, 3600), ({}, 3600), ({"expires_in": 600}, 600), ({"expires_in": "x"}, 3600)],
)  # fmt: skip
async def test_the_life_of_a_token_in_every_shape(
    connected: Custodian, pool: Pool, keys: list[str], clock: HandClock, life: dict[str, object], seconds: int
) -> None:
    clock.advance(HOUR)
    http, _ = answering(httpx.Response(200, json={"access_token": "1000.new", **life}))
    access = await custodian_of(pool, keys, http, clock).access()
    assert access.expires_at - clock.now() == timedelta(seconds=seconds)


async def test_a_foreign_api_host_in_an_answer_never_gets_a_token(
    connected: Custodian, pool: Pool, keys: list[str], clock: HandClock
) -> None:
    clock.advance(HOUR)
    answer = {"access_token": "1000.new", "api_domain": "https://www.zohoapis.in.evil.example"}
    http, _ = answering(httpx.Response(200, json=answer))
    assert (await custodian_of(pool, keys, http, clock).access()).api_domain == "https://www.zohoapis.in"


async def test_a_redirect_of_the_token_server_is_not_followed(
    connected: Custodian, pool: Pool, keys: list[str], clock: HandClock
) -> None:
    clock.advance(HOUR)
    http, asked = answering(httpx.Response(307, headers={"location": "https://evil.example/"}))
    with pytest.raises(ZohoUnavailable):
        await custodian_of(pool, keys, http, clock).access()
    assert [request.url.host for request in asked] == ["accounts.zoho.in"]


# --- a dead login


async def test_after_a_revoked_grant_nothing_is_called_until_somebody_connects(
    crm: Crm, connected: Custodian, sim: Simulator, pool: Pool, keys: list[str], http: httpx.AsyncClient,
    clock: HandClock,
) -> None:  # fmt: skip
    await crm.organisation()
    sim.order({"kind": "revoke_grant"})
    with pytest.raises(GrantDead):
        await crm.organisation()
    stored = await PostgresTokens(pool).find_connection()
    assert stored is not None
    assert (stored.state, stored.error_code, stored.access_token) == ("needs_reauth", "grant_dead", None)
    before = len(sim.calls.entries)
    for custodian in (connected, custodian_of(pool, keys, http, clock)):
        with pytest.raises(LoginLost):
            await custodian.access()
    with pytest.raises(LoginLost):
        await crm.organisation()
    assert len(sim.calls.entries) == before
    await connect(custodian_of(pool, keys, http, clock), new_code(sim))
    assert (await crm.organisation()).id


@pytest.mark.parametrize(
    ("answer", "reason", "state"),
    [("invalid_code", "grant_dead", "needs_reauth"), ("invalid_grant", "grant_dead", "needs_reauth"),
     ("access_denied", "grant_dead", "needs_reauth"), ("invalid_client", "client_refused", "needs_reauth"),
     ("invalid_client_secret", "client_refused", "needs_reauth"), ("general_error", "zoho_unavailable", "connected"),
     ("what_is_this", "zoho_unavailable", "connected")],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400, 401])
async def test_an_error_of_the_token_server_counts_whatever_its_status(
    connected: Custodian, pool: Pool, keys: list[str], clock: HandClock, status: int, answer: str, reason: str,
    state: str,
) -> None:  # fmt: skip
    clock.advance(HOUR)
    http, asked = answering(httpx.Response(status, json={"error": answer}))
    other = custodian_of(pool, keys, http, clock)
    for _ in range(2):
        with pytest.raises(ZohoFailure) as caught:
            await other.access()
        assert caught.value.reason == reason
    stored = await PostgresTokens(pool).find_connection()
    assert stored is not None
    assert stored.state == state
    assert len(asked) == (1 if state == "needs_reauth" else 2)


async def test_a_login_of_another_data_centre_is_lost_with_the_remedy(
    crm: Crm, connected: Custodian, sim: Simulator
) -> None:
    sim.order({"kind": "wrong_data_centre", "count": 2, "match": {"service": "crm"}})
    with pytest.raises(LoginLost, match="data centre") as caught:
        await crm.organisation()
    assert caught.value.reason == "token_refused"
    assert (await crm.organisation()).id


async def test_a_missing_scope_is_named_and_not_cured_by_refreshing(
    crm: Crm, connected: Custodian, sim: Simulator
) -> None:
    sim.order({"kind": "scope_removed", "scope": "ZohoCRM.org.READ"})
    before = token_calls(sim)
    with pytest.raises(ScopeMissing, match=r"ZohoCRM\.org\.READ"):
        await crm.organisation()
    assert token_calls(sim) == before


async def test_without_a_login_nothing_is_called(custodian: Custodian, sim: Simulator) -> None:
    with pytest.raises(NotConnected):
        await custodian.access()
    assert not sim.calls.entries


async def test_a_refresh_that_dies_halfway_frees_the_login(
    connected: Custodian, sim: Simulator, clock: HandClock
) -> None:
    clock.advance(HOUR)
    sim.order({"kind": "slow", "delay": 30, "match": {"service": "accounts"}})
    task = asyncio.create_task(connected.access())
    while not any(fault.hits for fault in sim.faults.faults):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await connected.access()).token


async def test_a_login_held_for_too_long_elsewhere_is_not_waited_for_endlessly(
    connected: Custodian, clock: HandClock, pool: Pool, keys: list[str], http: httpx.AsyncClient, worker: Connection
) -> None:
    clock.advance(HOUR)
    hasty = Custodian(PostgresTokens(pool, lock_timeout=timedelta(milliseconds=50)), Vault(keys), http, clock)
    async with worker.transaction():
        await worker.execute("select from zohosync.connection for update")
        with pytest.raises(ZohoUnavailable) as caught:
            await hasty.access()
    assert caught.value.reason == "login_busy"
    assert (await hasty.access()).token
