"""Authorisation, scopes, credits and concurrency: what stands before every call."""

import asyncio

import pytest

from zohosim.simulator import DEFAULT_CLIENT

PERSON = {"Last_Name": "Example"}


def narrow(zoho, *scopes: str) -> None:
    """Log the caller in again with only these scopes."""
    grant = zoho.sim.open_grant(scopes=scopes)
    access = zoho.sim.grants.refresh(grant.token, DEFAULT_CLIENT, "in")
    zoho.http.headers["Authorization"] = f"Zoho-oauthtoken {access.token}"


# Authorisation


@pytest.mark.parametrize("header", ["", "Basic abc", "Zoho-oauthtoken", "Zoho-oauthtoken  "])
async def test_a_missing_token_is_an_authentication_failure(zoho, header):
    answer = await zoho.http.get("/crm/v8/org", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "AUTHENTICATION_FAILURE",
        "details": {},
        "message": "Authentication failed",
        "status": "error",
    }


async def test_an_unknown_token_is_invalid(zoho):
    answer = await zoho.http.get("/crm/v8/org", headers={"Authorization": "Zoho-oauthtoken 1000.x.y"})
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "INVALID_TOKEN",
        "details": {},
        "message": "invalid oauth token",
        "status": "error",
    }


async def test_the_bearer_scheme_counts_only_when_switched(zoho):
    bearer = {"Authorization": zoho.http.headers["Authorization"].replace("Zoho-oauthtoken", "Bearer")}
    assert (await zoho.http.get("/crm/v8/org", headers=bearer)).status_code == 401
    await zoho.turn(bearer_scheme=True)
    assert (await zoho.http.get("/crm/v8/org", headers=bearer)).status_code == 200


async def test_errors_of_a_whole_request_may_come_wrapped_in_data(zoho):
    await zoho.turn(whole_request_errors="data")
    answer = await zoho.http.get("/crm/v8/org", headers={"Authorization": "Zoho-oauthtoken x"})
    assert answer.json()["data"][0]["code"] == "INVALID_TOKEN"


@pytest.mark.parametrize(
    ("method", "path", "scopes", "allowed"),
    [
        ("GET", "/Contacts?fields=id", ["ZohoCRM.modules.contacts.READ"], True),
        ("GET", "/Contacts?fields=id", ["ZohoCRM.modules.ALL"], True),
        ("GET", "/Contacts?fields=id", ["zohocrm.modules.all"], True),
        ("GET", "/Contacts?fields=id", ["ZohoCRM.modules.leads.READ"], False),
        ("GET", "/Contacts?fields=id", ["ZohoCRM.modules.contacts.CREATE"], False),
        ("POST", "/Contacts/upsert", ["ZohoCRM.modules.contacts.CREATE"], True),
        ("POST", "/Contacts/upsert", ["ZohoCRM.modules.contacts.WRITE"], True),
        ("POST", "/Contacts/upsert", ["ZohoCRM.modules.contacts.UPDATE"], False),
        ("PUT", "/Contacts", ["ZohoCRM.modules.contacts.UPDATE"], True),
        ("PUT", "/Contacts", ["ZohoCRM.modules.contacts.CREATE"], False),
        ("DELETE", "/Contacts?ids=1", ["ZohoCRM.modules.contacts.DELETE"], True),
        ("DELETE", "/Contacts?ids=1", ["ZohoCRM.modules.contacts.READ"], False),
        ("GET", "/Contacts/search?word=xx", ["ZohoCRM.modules.ALL"], False),
        ("GET", "/Contacts/search?word=xx", ["ZohoCRM.modules.ALL", "ZohoSearch.securesearch.READ"], True),
        ("GET", "/Contacts/actions/count", ["ZohoCRM.modules.ALL"], False),
        ("POST", "/coql", ["ZohoCRM.modules.ALL"], False),
        ("POST", "/coql", ["ZohoCRM.coql.READ"], False),
        ("POST", "/coql", ["ZohoCRM.coql.READ", "ZohoCRM.modules.contacts.READ"], True),
        ("GET", "/settings/fields?module=Contacts", ["ZohoCRM.settings.fields.READ"], True),
        ("GET", "/settings/fields?module=Contacts", ["ZohoCRM.settings.ALL"], True),
        ("POST", "/settings/fields?module=Contacts", ["ZohoCRM.settings.fields.READ"], False),
        ("GET", "/settings/modules", ["ZohoCRM.settings.fields.ALL"], False),
        ("GET", "/settings/modules", ["ZohoCRM.settings.modules.READ"], True),
        ("GET", "/org", ["ZohoCRM.org.READ"], True),
        ("GET", "/org", ["ZohoCRM.users.READ"], False),
        ("GET", "/users", ["ZohoCRM.users.ALL"], True),
        ("POST", "/Notes", ["ZohoCRM.modules.contacts.ALL"], False),
        ("POST", "/Notes", ["ZohoCRM.modules.notes.CREATE"], True),
        ("POST", "/Contacts/1/Notes", ["ZohoCRM.modules.notes.ALL"], True),
        ("GET", "/actions/watch", ["ZohoCRM.modules.ALL"], False),
    ],
)
async def test_every_route_asks_for_its_scope(zoho, method, path, scopes, allowed):
    narrow(zoho, *scopes)
    query = {"select_query": "select id from Contacts where id > 0"}
    answer = await zoho.crm(method, path, json=query if path == "/coql" else {"data": [PERSON]})
    assert (answer.status_code != 401) is allowed
    if not allowed:
        assert answer.json()["code"] == "OAUTH_SCOPE_MISMATCH"
        assert answer.json()["message"] == "invalid oauth scope to access this URL"


# Credits


async def used(zoho) -> int:
    return (await zoho.http.get("/_sim/limits")).json()["used"]


@pytest.mark.parametrize(
    ("method", "path", "body", "cost"),
    [
        ("GET", "/org", None, 1),
        ("POST", "/Contacts", {"data": [PERSON]}, 1),
        ("POST", "/Contacts", {"data": [PERSON] * 10}, 1),
        ("POST", "/Contacts/upsert", {"data": [PERSON] * 11}, 2),
        ("POST", "/Contacts/upsert", {"data": [PERSON] * 100}, 10),
        ("GET", "/Contacts?fields=id&cvid=1", None, 3),
        ("POST", "/coql", {"select_query": "select id from Contacts where id > 0"}, 1),
        ("POST", "/coql", {"select_query": "select id from Contacts where id > 0 limit 201"}, 2),
        ("POST", "/coql", {"select_query": "select id from Contacts where id > 0 limit 2000"}, 3),
    ],
)
async def test_calls_cost_what_the_table_says(zoho, method, path, body, cost):
    await zoho.crm(method, path, json=body)
    assert await used(zoho) == cost


async def test_refused_tokens_cost_nothing_and_failed_calls_cost_by_switch(zoho):
    await zoho.http.get("/crm/v8/org", headers={"Authorization": "Zoho-oauthtoken x"})
    assert await used(zoho) == 0
    await zoho.crm("GET", "/Contacts")
    assert await used(zoho) == 1
    await zoho.turn(charge_failed_calls=False)
    await zoho.crm("GET", "/Contacts")
    assert await used(zoho) == 1


async def test_credits_run_out_and_come_back_a_day_later(zoho):
    await zoho.http.post("/_sim/limits", json={"credits": 2})
    assert [(await zoho.crm("GET", "/org")).status_code for _ in range(3)] == [200, 200, 429]
    refused = await zoho.crm("GET", "/org")
    assert refused.json()["code"] == "TOO_MANY_REQUESTS"
    assert "retry-after" not in refused.headers
    zoho.sim.clock.advance(24 * 3600)
    narrow(zoho, "ZohoCRM.org.READ")
    assert (await zoho.crm("GET", "/org")).status_code == 200


async def test_the_day_of_credits_follows_the_length_of_a_minute(zoho):
    await zoho.http.post("/_sim/clock", json={"scale": 1440})
    await zoho.http.post("/_sim/limits", json={"credits": 1})
    await zoho.crm("GET", "/org")
    assert (await zoho.crm("GET", "/org")).status_code == 429
    zoho.sim.clock.advance(61)
    assert (await zoho.crm("GET", "/org")).status_code == 200


async def test_remaining_credits_are_told_only_after_half_are_gone(zoho):
    await zoho.http.post("/_sim/limits", json={"credits": 4})
    answers = [await zoho.crm("GET", "/org") for _ in range(3)]
    assert [answer.headers.get("X-API-CREDITS-REMAINING") for answer in answers] == [None, "2", "1"]


@pytest.mark.parametrize(
    ("edition", "users", "allowance", "concurrency"),
    [
        ("free", 3, 5_000, 5),
        ("standard", 10, 52_500, 10),
        ("standard", 1_000, 100_000, 10),
        ("professional", 10, 55_000, 15),
        ("enterprise", 10, 60_000, 20),
        ("ultimate", 10, 70_000, 25),
    ],
)
async def test_editions_differ_in_credits_and_concurrency(zoho, edition, users, allowance, concurrency):
    told = (await zoho.http.post("/_sim/limits", json={"edition": edition, "users": users})).json()
    assert (told["allowance"], told["concurrency"]) == (allowance, concurrency)


# Concurrency


async def at_once(zoho, count: int, *arguments, **more) -> list[int]:
    answers = await asyncio.gather(*(zoho.crm(*arguments, **more) for _ in range(count)))
    return sorted(answer.status_code for answer in answers)


async def test_the_edition_limits_calls_in_flight(zoho):
    await zoho.http.post("/_sim/latency", json={"seconds": 0.02})
    assert await at_once(zoho, 22, "GET", "/org") == [200] * 20 + [429] * 2
    assert await at_once(zoho, 20, "GET", "/org") == [200] * 20


async def test_writes_of_more_than_ten_records_have_ten_slots_of_their_own(zoho):
    await zoho.http.post("/_sim/latency", json={"seconds": 0.02})
    heavy = {"data": [PERSON] * 11}
    assert await at_once(zoho, 12, "POST", "/Contacts", json=heavy) == [201] * 10 + [429] * 2
    light = {"data": [PERSON] * 10}
    assert await at_once(zoho, 12, "POST", "/Contacts", json=light) == [201] * 12


async def test_queries_and_sorted_lists_are_heavy_too(zoho):
    await zoho.insert("Contacts", PERSON)
    await zoho.http.post("/_sim/latency", json={"seconds": 0.02})
    query = {"select_query": "select id from Contacts where id > 0"}
    assert await at_once(zoho, 11, "POST", "/coql", json=query) == [200] * 10 + [429]
    path = "/Contacts?fields=id&sort_by=id"
    assert await at_once(zoho, 11, "GET", path) == [200] * 10 + [429]


async def test_each_client_has_slots_of_its_own(zoho):
    await zoho.http.post("/_sim/limits", json={"edition": "free"})
    await zoho.http.post("/_sim/latency", json={"seconds": 0.02})
    await zoho.http.post("/_sim/clients", json={"id": "1000.OTHER", "secret": "x"})
    grant = zoho.sim.open_grant("1000.OTHER")
    access = zoho.sim.grants.refresh(grant.token, zoho.sim.grants.clients["1000.OTHER"], "in")
    other = {"Authorization": f"Zoho-oauthtoken {access.token}"}
    mine, theirs = await asyncio.gather(at_once(zoho, 5, "GET", "/org"), at_once(zoho, 5, "GET", "/org", headers=other))
    assert mine + theirs == [200] * 10


async def test_without_limits_nothing_is_refused(zoho):
    await zoho.http.post("/_sim/limits", json={"enabled": False, "credits": 0})
    await zoho.http.post("/_sim/latency", json={"seconds": 0.01})
    assert await at_once(zoho, 40, "GET", "/org") == [200] * 40
