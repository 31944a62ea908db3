"""What an answer of Zoho means, whatever its status and shape."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zohosync.errors import (
    LoginLost,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ScopeMissing,
    TokenRejected,
    ZohoFailure,
    ZohoUnavailable,
)
from zohosync.zoho.protocol import Reply, Request, decipher

READ = Request("GET", "/crm/v8/Contacts/1", scopes=("ZohoCRM.modules.contacts.READ",))
UPDATE = Request("PUT", "/crm/v8/Contacts", json={"data": [{}]}, records=1, effect="idempotent")
UPSERT = Request("POST", "/crm/v8/Contacts/upsert", json={"data": [{}, {}]}, records=2, effect="creates")
SUCCESS = {"code": "SUCCESS", "details": {"id": "11"}, "message": "record added", "status": "success"}
PAGE = b"<html><body>502 Bad Gateway</body></html>"


def fault(code: str, details: object = None, message: str = "told") -> dict[str, Any]:
    return {"code": code, "details": {} if details is None else details, "message": message, "status": "error"}


def say(status: int, body: object, request: Request = READ, **headers: str) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decipher(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, request)


# --- no body


@pytest.mark.parametrize("status", [204, 304])
def test_an_empty_answer_to_a_read_means_nothing_found(status: int) -> None:
    assert say(status, b"").rows() == []


@pytest.mark.parametrize("status", [204, 304])
def test_an_empty_answer_to_a_write_proves_nothing(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        say(status, b"", UPSERT)


# --- pages instead of JSON


@pytest.mark.parametrize(
    ("status", "request_", "error"),
    [
        (200, READ, ZohoUnavailable),
        (200, UPSERT, OutcomeUnknown),
        (502, READ, ZohoUnavailable),
        (502, UPSERT, OutcomeUnknown),
        (503, UPDATE, OutcomeUnknown),
        (404, UPSERT, ZohoUnavailable),
        (302, UPSERT, ZohoUnavailable),
        (429, UPSERT, RateLimited),
    ],
)
@pytest.mark.parametrize("body", [PAGE, b"", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_an_answer_that_is_not_a_json_object(
    status: int, request_: Request, error: type[ZohoFailure], body: bytes
) -> None:
    with pytest.raises(error) as caught:
        say(status, body, request_)
    assert type(caught.value) is error


# --- the whole request

SHAPES: dict[str, Callable[[object], object]] = {
    "flat": lambda item: item,
    "in data[]": lambda item: {"data": [item]},
    "in data[], once per record": lambda item: {"data": [item, item]},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("details", [{}, [], None, "text", {"retry_after": "soon"}])
@pytest.mark.parametrize("request_", [READ, UPSERT, UPDATE])
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "INVALID_TOKEN", TokenRejected),
        (401, "OAUTH_SCOPE_MISMATCH", ScopeMissing),
        (401, "OAUTH-SCOPE-MISMATCH", ScopeMissing),
        (401, "AUTHENTICATION_FAILURE", LoginLost),
        (429, "TOO_MANY_REQUESTS", RateLimited),
        (400, "TOO_MANY_REQUESTS", RateLimited),
        (200, "RATE_LIMIT_EXCEEDED", RateLimited),
        (200, "INVALID_TOKEN", TokenRejected),
    ],
)
def test_faults_of_login_and_limits_mean_the_same_in_every_shape(
    status: int, code: str, error: type[ZohoFailure], request_: Request, details: object, shape: str
) -> None:
    if shape == "in data[], once per record" and request_ is not UPSERT:
        return
    with pytest.raises(error) as caught:
        say(status, SHAPES[shape](fault(code, details)), request_)
    assert type(caught.value) is error
    assert caught.value.vendor_message == "told"
    assert isinstance(caught.value.details, dict)


@pytest.mark.parametrize(
    ("body", "request_", "error"),
    [
        (fault("INVALID_MODULE"), READ, Refused),
        (fault("INVALID_MODULE"), UPSERT, Refused),
        ({"data": [fault("INVALID_MODULE")]}, UPSERT, Refused),
        ({"data": [fault("NO_PERMISSION", {"permissions": ["Crm_Implied_View_Leads"]})]}, READ, Refused),
        (fault("INTERNAL_ERROR"), READ, ZohoUnavailable),
        (fault("INTERNAL_ERROR"), UPSERT, OutcomeUnknown),
        ({"error": {"anything": 1}}, READ, ZohoUnavailable),
        ({"error": {"anything": 1}}, UPSERT, OutcomeUnknown),
        ({"unexpected": True}, UPSERT, OutcomeUnknown),
    ],
)
def test_an_error_hidden_in_http_200_is_found(body: object, request_: Request, error: type[ZohoFailure]) -> None:
    with pytest.raises(error):
        say(200, body, request_)


def test_a_refusal_without_any_reason_is_still_a_refusal() -> None:
    with pytest.raises(Refused, match="HTTP 400"):
        say(400, {"unexpected": True}, READ)


def test_the_old_throttle_shape_is_a_limit() -> None:
    with pytest.raises(RateLimited):
        say(429, {"code": 429, "error": "Too Many", "error_info": "x"}, UPSERT)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_trouble_at_zoho_leaves_a_write_in_doubt_and_a_read_undone(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        say(status, fault("INTERNAL_ERROR"), UPSERT)
    with pytest.raises(ZohoUnavailable):
        say(status, fault("INTERNAL_ERROR"), READ)


def test_the_missing_scope_is_named() -> None:
    with pytest.raises(ScopeMissing, match=r"ZohoCRM\.modules\.contacts\.READ"):
        say(401, fault("OAUTH_SCOPE_MISMATCH"), READ)


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [({}, {}, 0), ({"retry_after": "7"}, {}, 7), ({}, {"retry_after": 9}, 9), ({"Retry_After": "Wed, 21 Oct"}, {}, 0),
     ({"retry_after": "-3"}, {}, 0), ({"retry_after": "nan"}, {}, 0)],
)  # fmt: skip
def test_how_long_to_wait_is_read_where_zoho_says_it(
    headers: dict[str, str], details: dict[str, Any], seconds: int
) -> None:
    with pytest.raises(RateLimited) as caught:
        say(429, fault("TOO_MANY_REQUESTS", details), UPSERT, **headers)
    assert caught.value.retry_after == timedelta(seconds=seconds)


def test_no_credits_left_is_the_days_limit() -> None:
    with pytest.raises(RateLimited) as caught:
        say(429, fault("TOO_MANY_REQUESTS"), UPSERT, X_API_CREDITS_REMAINING="0")
    assert caught.value.scope == "day"


# --- one result per record


@pytest.mark.parametrize("status", [200, 201, 202, 207, 400, 403, 500])
def test_each_record_is_judged_by_itself_whatever_the_status(status: int) -> None:
    refusal = fault("MANDATORY_NOT_FOUND", {"api_name": "Last_Name", "json_path": "$.data[1].Last_Name"})
    reply = say(status, {"data": [SUCCESS | {"action": "insert", "duplicate_field": "Email"}, refusal]}, UPSERT)
    first, second = reply.results
    assert (first.ok, first.id, first.action, first.duplicate_field) == (True, "11", "insert", "Email")
    assert not second.ok
    assert isinstance(second.error, Refused)
    assert second.error.field == "Last_Name"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_results_than_records_leaves_all_in_doubt(count: int) -> None:
    with pytest.raises(OutcomeUnknown):
        say(200, {"data": [SUCCESS] * count}, UPSERT)


@pytest.mark.parametrize("item", [None, 1, "x", [], {}, {"status": "success"}, SUCCESS | {"details": {}}, {"id": "1"}])
def test_a_result_that_cannot_be_read_leaves_its_record_in_doubt(item: object) -> None:
    good, bad = say(200, {"data": [SUCCESS, item]}, UPSERT).results
    assert good.ok
    assert isinstance(bad.error, OutcomeUnknown)


def test_a_numeric_id_is_kept_to_the_last_digit() -> None:
    body = b'{"data":[{"code":"SUCCESS","status":"success","details":{"id":1234567890123456789}}]}'
    assert say(200, body, UPDATE).results[0].id == "1234567890123456789"


def test_decimals_stay_exact() -> None:
    assert say(200, b'{"data":[{"Amount":0.10}]}').rows()[0]["Amount"] == Decimal("0.10")


# --- paging


@pytest.mark.parametrize(
    ("info", "following"),
    [
        (None, None),
        ({"more_records": False, "page": 1, "next_page_token": "t"}, None),
        ({"more_records": True, "page": 1, "next_page_token": None}, {"page": "2"}),
        ({"more_records": True, "page": 1, "next_page_token": "t"}, {"page_token": "t"}),
        ({"more_records": True}, None),
        ({"more_records": "true", "page": 1}, None),
    ],
)
def test_the_next_page(info: object, following: object) -> None:
    assert say(200, {"data": [], "info": info}).next_page == following


# --- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["error", "success", "INVALID_TOKEN", "SUCCESS", "MULTIPLE_OR_MULTI_ERRORS", "DUPLICATE_DATA"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["data", "code", "status", "details", "message", "error", "errors", "id", "info", "json_path",
                         "api_name", "duplicate_record", "expected_fields", "supported_values", "permissions"]),
        inner, max_size=5),
    max_leaves=20,
)  # fmt: skip
STATUS = st.sampled_from([200, 201, 202, 204, 207, 302, 304, 400, 401, 403, 404, 405, 412, 429, 500, 502, 503])


@given(status=STATUS, body=JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40),
       request=st.sampled_from([READ, UPDATE, UPSERT]))  # fmt: skip
def test_whatever_zoho_answers_is_a_reply_or_one_of_our_errors(status: int, body: bytes, request: Request) -> None:
    try:
        reply = decipher(status, {}, body, request)
    except ZohoFailure:
        return
    if request.records is None:
        assert status < 300 or status == 304
    else:
        assert len(reply.results) == request.records
        for result in reply.results:
            assert result.ok == bool(result.id)
            assert result.ok == (result.error is None)


@given(status=st.sampled_from([500, 502, 503, 504]), body=st.binary(max_size=40))
def test_a_write_that_met_a_gateway_is_never_called_undone(status: int, body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        decipher(status, {}, body, UPSERT)
