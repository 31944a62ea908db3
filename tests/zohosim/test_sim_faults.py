"""Faults: each kind does what it says, to whom it says, as often as it says."""

import asyncio
import time

import httpx
import pytest

from zohosim.simulator import DEFAULT_CLIENT

PERSON = {"Last_Name": "Example", "Email": "a@example.com"}


def written(zoho) -> int:
    return len(zoho.sim.crm.modules["Contacts"].records)


async def refreshed(zoho, grant_token: str):
    form = {
        "grant_type": "refresh_token",
        "refresh_token": grant_token,
        "client_id": DEFAULT_CLIENT.id,
        "client_secret": DEFAULT_CLIENT.secret,
    }
    return await zoho.http.post("/oauth/v2/token", data=form)


# Kinds that answer in the place of Zoho


@pytest.mark.parametrize(
    ("fault", "status", "commits"),
    [
        ({"kind": "http_429"}, 429, False),
        ({"kind": "http_500_before_commit"}, 500, False),
        ({"kind": "http_500_after_commit"}, 500, True),
        ({"kind": "html_502"}, 502, False),
        ({"kind": "html_502", "after_commit": True, "status": 503}, 503, True),
        ({"kind": "html_200"}, 200, False),
        ({"kind": "html_200", "after_commit": True}, 200, True),
        ({"kind": "answer", "status": 403, "body": {"code": "NO_PERMISSION"}}, 403, False),
        ({"kind": "answer", "status": 200, "body": {"data": []}, "after_commit": True}, 200, True),
    ],
)
async def test_a_fault_answers_and_commits_or_not(zoho, fault, status, commits):
    await zoho.order(**fault)
    answer = await zoho.upsert("Contacts", PERSON)
    assert answer.status_code == status
    assert (written(zoho) == 1) is commits
    assert ("html" in answer.headers["content-type"]) is fault["kind"].startswith("html")
    assert (await zoho.upsert("Contacts", PERSON)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "error", "commits"),
    [
        ("timeout_before_commit", httpx.ReadTimeout, False),
        ("timeout_after_commit", httpx.ReadTimeout, True),
        ("drop_connection_before_commit", httpx.RemoteProtocolError, False),
        ("drop_connection_after_commit", httpx.RemoteProtocolError, True),
    ],
)
async def test_a_lost_answer_raises_what_httpx_would_and_commits_or_not(zoho, kind, error, commits):
    await zoho.order(kind=kind)
    with pytest.raises(error):
        await zoho.upsert("Contacts", PERSON)
    assert (written(zoho) == 1) is commits
    (entry,) = (await zoho.http.get("/_sim/calls")).json()["calls"]
    assert entry["status"] is None
    assert entry["faults"] == [kind]
    assert len(entry["ids"]) == commits


async def test_a_timeout_holds_the_answer_for_its_delay(zoho):
    await zoho.order(kind="timeout_after_commit", delay=0.05)
    began = time.perf_counter()
    call = asyncio.ensure_future(zoho.upsert("Contacts", PERSON))
    await asyncio.sleep(0.01)
    assert written(zoho) == 1
    with pytest.raises(httpx.ReadTimeout):
        await call
    assert time.perf_counter() - began >= 0.05


async def test_a_slow_answer_is_true_but_late(zoho):
    await zoho.order(kind="slow", delay=0.03)
    began = time.perf_counter()
    assert (await zoho.crm("GET", "/org")).status_code == 200
    assert time.perf_counter() - began >= 0.03


async def test_slow_and_another_fault_work_together(zoho):
    await zoho.order(kind="slow", delay=0.01)
    await zoho.order(kind="http_500_after_commit")
    assert (await zoho.upsert("Contacts", PERSON)).status_code == 500
    assert written(zoho) == 1


# Kinds that change who may do what


async def test_evicted_tokens_are_dead_at_once_and_a_refresh_helps(zoho):
    grant = zoho.sim.open_grant()
    order = await zoho.order(kind="evict_token")
    assert (order["left"], order["hits"]) == (0, 1)
    assert (await zoho.crm("GET", "/org")).json()["code"] == "INVALID_TOKEN"
    token = (await refreshed(zoho, grant.token)).json()["access_token"]
    zoho.http.headers["Authorization"] = f"Zoho-oauthtoken {token}"
    assert (await zoho.crm("GET", "/org")).status_code == 200


async def test_eviction_can_wait_for_a_later_call(zoho):
    await zoho.order(kind="evict_token", after=2)
    assert [(await zoho.crm("GET", "/org")).status_code for _ in range(3)] == [200, 200, 401]


async def test_a_revoked_grant_cannot_be_refreshed(zoho):
    grant = zoho.sim.open_grant()
    await zoho.order(kind="revoke_grant")
    assert (await zoho.crm("GET", "/org")).json()["code"] == "INVALID_TOKEN"
    assert (await refreshed(zoho, grant.token)).json() == {"error": "invalid_code"}


async def test_a_removed_scope_is_missed_only_where_it_was_needed_until_cleared(zoho):
    await zoho.order(kind="scope_removed", scope="ZohoCRM.org.READ")
    for _ in range(2):
        assert (await zoho.crm("GET", "/org")).json()["code"] == "OAUTH_SCOPE_MISMATCH"
    assert (await zoho.crm("GET", "/users")).status_code == 200
    await zoho.http.delete("/_sim/faults")
    assert (await zoho.crm("GET", "/org")).status_code == 200


async def test_all_scopes_may_be_removed_for_some_calls(zoho):
    await zoho.order(kind="scope_removed", match={"module": "Contacts"})
    assert (await zoho.upsert("Contacts", PERSON)).json()["code"] == "OAUTH_SCOPE_MISMATCH"
    assert (await zoho.upsert("Leads", PERSON)).status_code == 200


async def test_a_wrong_data_centre_makes_tokens_and_grants_unknown(zoho):
    grant = zoho.sim.open_grant()
    await zoho.order(kind="wrong_data_centre")
    assert (await zoho.crm("GET", "/org")).json()["code"] == "INVALID_TOKEN"
    assert (await zoho.crm("GET", "/org")).status_code == 200
    await zoho.order(kind="wrong_data_centre", match={"service": "accounts"})
    assert (await refreshed(zoho, grant.token)).json() == {"error": "invalid_code"}


async def test_the_token_endpoint_has_faults_of_its_own(zoho):
    grant = zoho.sim.open_grant()
    await zoho.order(kind="http_429")
    assert "access_token" in (await refreshed(zoho, grant.token)).json()
    for kind, status in (("http_429", 400), ("html_502", 502), ("http_500_before_commit", 500)):
        await zoho.order(kind=kind, match={"service": "accounts"})
        assert (await refreshed(zoho, grant.token)).status_code == status
    await zoho.order(kind="timeout_before_commit", match={"path": "/oauth/*"})
    with pytest.raises(httpx.ReadTimeout):
        await refreshed(zoho, grant.token)


# Kinds that refuse records


async def test_records_with_a_given_email_are_refused_until_cleared(zoho):
    await zoho.order(
        kind="record_error",
        match={"record": {"field": "Email", "equals": "BAD@example.com"}},
        code="INVALID_DATA",
        details={"api_name": "Email", "expected_data_type": "email"},
    )
    for _ in range(2):
        answer = await zoho.upsert("Contacts", PERSON, {**PERSON, "Email": "bad@example.com"})
        assert answer.status_code == 207
        assert answer.json()["data"][1]["code"] == "INVALID_DATA"
        assert answer.json()["data"][1]["details"]["json_path"] == "$.data[1].Email"
    assert written(zoho) == 1


async def test_records_are_matched_by_regex_module_and_count(zoho):
    match = {"module": "Contacts", "record": {"field": "Email", "regex": "^a.*@"}}
    await zoho.order(kind="record_error", match=match, code="DUPLICATE_DATA", count=1)
    assert (await zoho.upsert("Leads", PERSON)).status_code == 200
    assert (await zoho.upsert("Contacts", PERSON)).json()["data"][0]["code"] == "DUPLICATE_DATA"
    assert (await zoho.upsert("Contacts", PERSON)).status_code == 200


@pytest.mark.parametrize(("kind", "code"), [("record_locked", "RECORD_LOCKED"), ("not_approved", "NOT_APPROVED")])
async def test_records_can_be_locked_or_unapproved_by_fault(zoho, kind, code):
    order = await zoho.order(kind=kind)
    assert (await zoho.upsert("Contacts", PERSON)).json()["data"][0]["code"] == code
    await zoho.http.delete("/_sim/faults", params={"id": order["id"]})
    assert (await zoho.upsert("Contacts", PERSON)).status_code == 200


async def test_a_field_made_mandatory_is_missed_and_shown_in_metadata(zoho):
    zoho.sim.seed_field("Contacts", "GSTIN", length=15)
    await zoho.order(kind="new_mandatory_field", field="GSTIN", match={"module": "Contacts"})
    (result,) = (await zoho.upsert("Contacts", PERSON)).json()["data"]
    assert (result["code"], result["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", "GSTIN")
    assert (await zoho.upsert("Contacts", {**PERSON, "GSTIN": "x"})).status_code == 200
    assert (await zoho.upsert("Leads", PERSON)).status_code == 200
    fields = (await zoho.crm("GET", "/settings/fields?module=Contacts")).json()["fields"]
    assert next(f for f in fields if f["api_name"] == "GSTIN")["system_mandatory"] is True


async def test_mixed_writes_may_answer_200(zoho):
    await zoho.order(kind="200_instead_of_207")
    assert (await zoho.upsert("Contacts", PERSON, {})).status_code == 200
    assert (await zoho.upsert("Contacts", {})).status_code == 400


# Whom and how often


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"path": "/crm/v8/*/upsert"}, True),
        ({"path": "/crm/v8/Leads/*"}, False),
        ({"module": "Contacts"}, True),
        ({"module": "Leads"}, False),
        ({"operation": "upsert"}, True),
        ({"operation": "insert"}, False),
        ({"service": "crm"}, True),
        ({"service": "books"}, False),
        ({"record": {"field": "Email", "equals": "A@EXAMPLE.COM"}}, True),
        ({"record": {"field": "Email", "equals": "b@example.com"}}, False),
        ({"record": {"field": "Phone", "equals": None}}, False),
    ],
)
async def test_a_fault_strikes_only_the_calls_it_matches(zoho, match, hit):
    await zoho.order(kind="http_429", match=match)
    assert ((await zoho.upsert("Contacts", PERSON)).status_code == 429) is hit


async def test_a_count_and_a_number_to_let_through_are_kept(zoho):
    await zoho.order(kind="http_429", count=2, after=1)
    assert [(await zoho.crm("GET", "/org")).status_code for _ in range(4)] == [200, 429, 429, 200]


async def test_chance_is_repeatable_by_seed(zoho):
    async def dice() -> list[int]:
        await zoho.http.delete("/_sim/faults")
        await zoho.order(kind="http_429", count=None, probability=0.5, seed=3)
        return [(await zoho.crm("GET", "/org")).status_code for _ in range(30)]

    first = await dice()
    assert set(first) == {200, 429}
    assert first == await dice()


async def test_a_refused_login_does_not_use_up_a_fault(zoho):
    await zoho.order(kind="http_429")
    await zoho.http.get("/crm/v8/org", headers={"Authorization": "Zoho-oauthtoken x"})
    assert (await zoho.crm("GET", "/org")).status_code == 429


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "earthquake"},
        {"kind": "http_429", "match": {"color": "red"}},
        {"kind": "http_429", "match": {"record": {"field": "Email"}}},
        {"kind": "http_429", "match": {"record": {"field": "Email", "regex": "("}}},
        {"kind": "http_429", "count": "many"},
        {"kind": "http_429", "wait": 3},
        {"kind": "new_mandatory_field"},
        [1],
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(http, fault):
    answer = await http.post("/_sim/faults", json=fault)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (await http.get("/_sim/faults")).json()["faults"] == []


async def test_faults_are_listed_with_what_is_left_and_explained(zoho):
    await zoho.order(kind="http_429", count=3)
    await zoho.crm("GET", "/org")
    told = (await zoho.http.get("/_sim/faults")).json()
    (fault,) = told["faults"]
    assert (fault["kind"], fault["left"], fault["hits"]) == ("http_429", 2, 1)
    assert told["kinds"]["http_429"]["meaning"]
