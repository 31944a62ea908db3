"""The only sender: what leaves, what comes back, and what becomes of it."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from zoho.conftest import ORGANISATION, HandClock, crm_calls
from zohosim.simulator import Simulator
from zohosync.errors import (
    LeaseLost,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ZohoFailure,
    ZohoUnavailable,
)
from zohosync.store.budget import PostgresBudget, Usage
from zohosync.zoho.auth import Custodian
from zohosync.zoho.client import Client, Context
from zohosync.zoho.crm import Crm
from zohosync.zoho.exchange import HIDDEN, Exchange, redact
from zohosync.zoho.protocol import Request

ORG = Request("GET", "/crm/v8/org")
PERSON = {"Last_Name": "Boyle", "Email": "p.boyle@example.com"}


async def usage(budget: PostgresBudget) -> Usage:
    return await budget.find_usage(ORGANISATION, "crm")


def failing(error: Exception, connected: Custodian, budget: PostgresBudget, clock: HandClock) -> Client:
    """A client whose connection fails in this way."""

    def handle(_: httpx.Request) -> httpx.Response:
        raise error

    return Client(httpx.AsyncClient(transport=httpx.MockTransport(handle)), connected, budget, clock)


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), httpx.ProxyError("x")]
)
async def test_what_never_left_is_simply_undone_and_costs_nothing(
    error: Exception, connected: Custodian, budget: PostgresBudget, clock: HandClock
) -> None:
    crm = Crm(failing(error, connected, budget, clock))
    with pytest.raises(ZohoUnavailable, match="cannot be reached"):
        await crm.insert_records("Contacts", [PERSON])
    assert (await usage(budget)).spent == 0


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout("x"), httpx.ReadError("x"), httpx.WriteError("x"), httpx.WriteTimeout("x"),
     httpx.RemoteProtocolError("x"), httpx.CloseError("x"), httpx.DecodingError("x")],
)  # fmt: skip
async def test_what_broke_off_leaves_a_write_in_doubt_and_a_read_undone(
    error: Exception, connected: Custodian, budget: PostgresBudget, clock: HandClock
) -> None:
    crm = Crm(failing(error, connected, budget, clock))
    with pytest.raises(OutcomeUnknown):
        await crm.insert_records("Contacts", [PERSON])
    with pytest.raises(OutcomeUnknown):
        await crm.update_records("Contacts", [{"id": "1"}])
    with pytest.raises(ZohoUnavailable):
        await crm.organisation()
    assert ((await usage(budget)).spent, (await usage(budget)).in_flight) == (3, 0)


@pytest.mark.parametrize("kind", ["drop_connection", "timeout", "http_500"])
async def test_a_write_that_was_cut_off_is_in_doubt_whether_it_happened_or_not(
    crm: Crm, sim: Simulator, kind: str
) -> None:
    for moment in ("before_commit", "after_commit"):
        sim.order({"kind": f"{kind}_{moment}"})
        with pytest.raises(OutcomeUnknown):
            await crm.insert_records("Contacts", [PERSON])
    assert len(await crm.find_records_by("Contacts", "Email", [PERSON["Email"]])) == 1


@pytest.mark.parametrize(
    ("kind", "write", "read"),
    [("html_502", OutcomeUnknown, ZohoUnavailable), ("html_200", OutcomeUnknown, ZohoUnavailable),
     ("http_429", RateLimited, RateLimited)],
)  # fmt: skip
async def test_pages_and_limits_in_place_of_an_answer(
    crm: Crm, sim: Simulator, clock: HandClock, kind: str, write: type[ZohoFailure], read: type[ZohoFailure]
) -> None:
    sim.order({"kind": kind})
    with pytest.raises(write):
        await crm.insert_records("Contacts", [PERSON])
    clock.advance(timedelta(minutes=1))
    sim.order({"kind": kind})
    with pytest.raises(read):
        await crm.organisation()


async def test_an_answer_that_never_comes_is_given_up(
    http: httpx.AsyncClient, connected: Custodian, budget: PostgresBudget, clock: HandClock, sim: Simulator
) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    silent = httpx.AsyncClient(transport=httpx.MockTransport(never))
    client = Client(silent, connected, budget, clock, timeout=timedelta(seconds=-4.9))
    with pytest.raises(OutcomeUnknown):
        await Crm(client).insert_records("Contacts", [PERSON])
    assert (await usage(budget)).in_flight == 0


async def test_after_a_429_everybody_rests_and_nothing_is_sent(
    crm: Crm, sim: Simulator, budget: PostgresBudget
) -> None:
    sim.order({"kind": "http_429", "count": 2})
    with pytest.raises(RateLimited) as first:
        await crm.organisation()
    rest = (await usage(budget)).paused_until
    assert rest is not None
    assert timedelta(seconds=1) < first.value.retry_after <= timedelta(seconds=2)
    before = crm_calls(sim)
    with pytest.raises(RateLimited):
        await crm.organisation()
    assert crm_calls(sim) == before


async def test_zohos_own_limit_of_calls_in_flight_is_never_met(
    crm: Crm, sim: Simulator, connected: Custodian, http: httpx.AsyncClient, budget: PostgresBudget
) -> None:
    sim.limits.edition = "free"
    sim.latency.least, sim.latency.most = 0.0, 0.01
    await asyncio.gather(*(crm.organisation() for _ in range(30)))
    assert {entry.status for entry in sim.calls.entries if entry.service == "crm"} == {200}


async def test_credits_left_are_learnt_from_the_answer(crm: Crm, sim: Simulator, budget: PostgresBudget) -> None:
    sim.limits.credits = 100
    sim.limits.used = 70
    await crm.organisation()
    assert (await usage(budget)).spent == 50_000 - 29


@pytest.mark.parametrize(("count", "cost", "heavy"), [(1, 1, False), (10, 1, False), (11, 2, True), (100, 10, True)])
async def test_the_credits_counted_are_those_zoho_counts(
    crm: Crm, sim: Simulator, budget: PostgresBudget, count: int, cost: int, heavy: bool
) -> None:
    people = [{"Last_Name": f"Person {n}", "Email": f"p{n}@example.com"} for n in range(count)]
    await crm.upsert_records("Contacts", people, duplicate_check_fields=["Email"])
    assert (await usage(budget)).spent == cost == sim.limits.used


async def test_a_worker_whose_lease_ran_out_sends_nothing(
    client: Client, sim: Simulator, budget: PostgresBudget
) -> None:
    async def refuse() -> None:
        raise LeaseLost("Another worker has it.")

    with pytest.raises(LeaseLost):
        await client.within(Context(before_send=refuse)).send(ORG)
    assert crm_calls(sim) == 0
    assert ((await usage(budget)).spent, (await usage(budget)).in_flight) == (0, 0)


async def test_the_lease_is_looked_at_before_the_second_attempt_too(client: Client, sim: Simulator) -> None:
    looks: list[int] = []

    async def look() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise LeaseLost("Another worker has it.")

    await client.send(ORG)
    sim.order({"kind": "evict_token"})
    with pytest.raises(LeaseLost):
        await client.within(Context(before_send=look)).send(ORG)


async def test_every_attempt_is_told_without_secrets(client: Client, sim: Simulator, connected: Custodian) -> None:
    told: list[Exchange] = []
    crm = Crm(client.within(Context(on_exchange=told.append)))
    sim.order({"kind": "evict_token"})
    await crm.insert_records("Contacts", [PERSON])
    sim.order({"kind": "html_502"})
    with pytest.raises(OutcomeUnknown):
        await crm.insert_records("Contacts", [PERSON])
    with pytest.raises(Refused):
        await crm.insert_records("Nonsense", [PERSON])
    assert [(exchange.status, exchange.error) for exchange in told] == [
        (401, "token_rejected"), (201, ""), (502, "outcome_unknown"), (400, "zoho_unknown_module"),
    ]  # fmt: skip
    assert told[1].shown_request()["body"]["data"] == [PERSON]
    assert told[1].shown_response()["body"]["data"][0]["status"] == "success"
    assert "<html>" in told[2].shown_response()["body"]
    shown = repr(told) + str([e.shown_request() | e.shown_response() for e in told])
    assert (await connected.access()).token not in shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [({"access_token": "x"}, {"access_token": HIDDEN}),
     ({"a": [{"Client_Secret": "x", "b": 1}]}, {"a": [{"Client_Secret": HIDDEN, "b": 1}]}),
     ({"next_page_token": None}, {"next_page_token": None}), ("x" * 3000, "x" * 2000 + "…"), (None, None)],
)  # fmt: skip
def test_redaction(value: Any, shown: Any) -> None:
    assert redact(value) == shown


async def test_credentials_go_in_zohos_own_scheme_and_to_the_stored_host_only(
    connected: Custodian, budget: PostgresBudget, clock: HandClock
) -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"location": "https://evil.example/"})

    client = Client(httpx.AsyncClient(transport=httpx.MockTransport(handle)), connected, budget, clock)
    with pytest.raises(ZohoUnavailable):
        await client.send(ORG)
    assert [str(request.url) for request in asked] == ["https://www.zohoapis.in/crm/v8/org"]
    assert asked[0].headers["authorization"] == f"Zoho-oauthtoken {(await connected.access()).token}"
