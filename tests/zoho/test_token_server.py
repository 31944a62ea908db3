"""What a person reads, and what becomes of waiting work, when the accounts server does not do what it should."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from conftest import Database
from stage import Stage, connect_services, open_stage
from zoho.conftest import HandClock, new_code, token_calls
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosync.db.pool import fetch_one
from zohosync.errors import LoginLost
from zohosync.store.budget import PostgresBudget
from zohosync.zoho.auth import Custodian
from zohosync.zoho.client import Client
from zohosync.zoho.crm import Crm


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database, retry_base=5) as opened:  # a retry comes when the test says so
        yield opened


@dataclass(frozen=True)
class Trouble:
    """A fault of the accounts server, what is read about it, and how the work stands meanwhile."""

    fault: dict[str, Any]
    code: str
    message: str
    status: str
    wait_reason: str | None
    state: str = "connected"


def answers(status: int, body: object) -> dict[str, Any]:
    return {"kind": "answer", "status": status, "body": body}


AWAY = ("zoho_unavailable", "Zoho's accounts server did not answer.", "retrying", None)
NO_TOKEN = ("zoho_unavailable", "Zoho's accounts server gave no token", "retrying", None)
DEAD = ("grant_dead", "The Zoho login is no longer valid", "waiting", "login", "needs_reauth")
CLIENT = ("client_refused", "Zoho does not accept the client (invalid_client", "waiting", "login", "needs_reauth")
THROTTLED = ("rate_limited", "Zoho issues no more access tokens for some minutes.", "waiting", "budget")
DENIED = {"error": "Access Denied", "error_description": "You have made too many requests continuously."}

PASSING = {
    "a page with 502": Trouble({"kind": "html_502"}, *NO_TOKEN),
    "a page with 200": Trouble({"kind": "html_200"}, *NO_TOKEN),
    "a page with 400": Trouble({"kind": "html_502", "status": 400}, *NO_TOKEN),
    "an unknown error with 200": Trouble(answers(200, {"error": "general_error"}), *NO_TOKEN),
    "a 200 with nothing in it": Trouble(answers(200, {}), *NO_TOKEN),
    "a 500": Trouble({"kind": "http_500_before_commit"}, *NO_TOKEN),
    "silence": Trouble({"kind": "timeout_before_commit"}, *AWAY),
    "silence after the token was made": Trouble({"kind": "timeout_after_commit"}, *AWAY),
    "a dropped connection": Trouble({"kind": "drop_connection_before_commit"}, *AWAY),
    "Access Denied with 400": Trouble(answers(400, DENIED), *THROTTLED),
    "Access Denied with 200": Trouble(answers(200, DENIED), *THROTTLED),
}
"""What passes: the login stays as it is, and the work goes on by itself."""

LASTING = {
    "invalid_code with 200": Trouble(answers(200, {"error": "invalid_code"}), *DEAD),
    "invalid_code with 400": Trouble(answers(400, {"error": "invalid_code"}), *DEAD),
    "invalid_client with 200": Trouble(answers(200, {"error": "invalid_client"}), *CLIENT),
    "invalid_client_secret with 200": Trouble(answers(200, {"error": "invalid_client_secret"}), *CLIENT),
    "a grant of another data centre": Trouble({"kind": "wrong_data_centre"}, *DEAD),
}
"""What does not pass until somebody connects again."""


async def meet(stage: Stage, trouble: Trouble) -> dict[str, Any]:
    """A customer registers while the token is dead and the accounts server is in this trouble; the operation then."""
    await stage.fault("evict_token")
    await stage.fault(**{**trouble.fault, "match": {"service": "accounts"}, "count": 100})
    await stage.register()
    await stage.run()
    operation = await stage.only_operation()
    assert operation["error_code"] == trouble.code
    assert operation["error_message"].startswith(trouble.message)
    assert (operation["status"], operation["wait_reason"]) == (trouble.status, trouble.wait_reason)
    stored = await fetch_one(stage.shop, "select state, error_code, error_message from zohosync.connection")
    assert stored is not None
    assert stored["state"] == trouble.state
    if trouble.state == "needs_reauth":
        assert stored["error_code"] == trouble.code
        assert stored["error_message"].startswith(trouble.message)
    return operation


@pytest.mark.parametrize("name", PASSING)
async def test_what_passes_is_waited_for_and_needs_nobody(stage: Stage, name: str) -> None:
    operation = await meet(stage, PASSING[name])
    assert "by itself" in operation["error_hint"]
    await stage.no_faults()
    await stage.shop.execute("delete from zohosync.token_refresh")  # the minutes that Zoho asks for are over
    await stage.due_now()
    await stage.run()
    assert (await stage.only_operation())["status"] == "succeeded"
    assert len(await stage.records("Contacts")) == 1


@pytest.mark.parametrize("name", LASTING)
async def test_what_lasts_waits_for_a_person_without_asking_again(stage: Stage, name: str) -> None:
    operation = await meet(stage, LASTING[name])
    assert operation["attempt"] == 0
    assert "zohosync connect" in operation["error_hint"]
    asked = token_calls(stage.sim)
    await stage.no_faults()
    for _ in range(3):
        await stage.due_now()
        await stage.run()
    assert (await stage.only_operation())["status"] == "waiting"
    assert token_calls(stage.sim) == asked
    await connect_services(stage.services, stage.zoho)
    await stage.run()
    assert (await stage.only_operation())["status"] == "succeeded"


async def test_a_throttled_login_costs_no_attempt_and_is_left_alone(stage: Stage) -> None:
    operation = await meet(stage, PASSING["Access Denied with 400"])
    assert operation["attempt"] == 0
    asked = token_calls(stage.sim)
    for number in range(5):
        await stage.register(f"late{number}@example.com")
        await stage.due_now()
        await stage.run()
    assert token_calls(stage.sim) == asked
    assert {(row["status"], row["wait_reason"]) for row in await stage.operations()} == {("waiting", "budget")}


async def test_a_code_of_another_data_centre_leaves_the_login_in_use_alone(stage: Stage) -> None:
    code = (await stage.zoho.post("/_sim/grant", json={"kind": "code", "data_centre": "us"})).json()["code"]
    with pytest.raises(LoginLost, match="its own data centre") as caught:
        await stage.services.connect_with_code(
            client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret, code=code
        )
    assert caught.value.reason == "code_refused"
    await stage.register()
    await stage.run()
    assert (await stage.only_operation())["status"] == "succeeded"


async def test_a_token_for_the_api_of_another_data_centre_is_refused_once_and_cured_by_the_next(
    connected: Custodian, sim: Simulator, http: httpx.AsyncClient, budget: PostgresBudget, clock: HandClock
) -> None:
    """The accounts server names an API host of Zoho where this login is not known."""
    crm = Crm(Client(http, connected, budget, clock))
    grant = next(iter(sim.grants.grants))
    foreign = {
        "access_token": sim.grants.refresh(grant, DEFAULT_CLIENT, "in").token,
        "api_domain": "https://www.zohoapis.com", "expires_in": 3600,
    }  # fmt: skip
    sim.order({"kind": "evict_token"})
    sim.order({**answers(200, foreign), "match": {"service": "accounts"}, "count": 1})
    with pytest.raises(LoginLost, match="data centre") as caught:
        await crm.organisation()
    assert caught.value.reason == "token_refused"
    assert "zohosync connect" in caught.value.hint
    assert (await crm.organisation()).id


async def test_a_code_that_was_used_before_is_told_apart_from_a_dead_login(
    connected: Custodian, sim: Simulator
) -> None:
    """The same `invalid_code` says two things: here it is the code that is at fault, and nothing else."""
    code = new_code(sim)
    wanted = {"client_id": DEFAULT_CLIENT.id, "client_secret": DEFAULT_CLIENT.secret, "code": code}
    await connected.exchange(**wanted, accounts_server="https://accounts.zoho.in")
    with pytest.raises(LoginLost) as caught:
        await connected.exchange(**wanted, accounts_server="https://accounts.zoho.in")
    assert (caught.value.reason, caught.value.vendor_code) == ("code_refused", "invalid_code")
    assert (await connected.access()).token
