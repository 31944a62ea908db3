"""What an answer of Books means: HTTP status and code together."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zohosync.errors import (
    LoginLost,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TokenRejected,
    ZohoFailure,
    ZohoUnavailable,
)
from zohosync.zoho.books_protocol import decipher, next_page, refused_for_good
from zohosync.zoho.protocol import Reply, Request

READ = Request("GET", "/books/v3/settings/taxes", product="books", scopes=("ZohoBooks.settings.READ",))
UPDATE = Request("PUT", "/books/v3/contacts/1", json={}, product="books", effect="idempotent")
CREATE = Request("POST", "/books/v3/invoices", json={}, product="books", effect="creates")
PAGE = b"<html><body>502 Bad Gateway</body></html>"


def say(status: int, body: object, request: Request = READ, **headers: str) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decipher(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, request)


def refusal(status: int, code: object, request: Request = READ, message: str = "told", **headers: str) -> ZohoFailure:
    with pytest.raises(ZohoFailure) as caught:
        say(status, {"code": code, "message": message}, request, **headers)
    return caught.value


def heard(act: Callable[[], Reply]) -> Reply | ZohoFailure:
    """The reply, or the error as a value."""
    try:
        return act()
    except ZohoFailure as error:
        return error


# --- success


@pytest.mark.parametrize(("status", "code"), [(200, 0), (201, 0), (200, "0")])
def test_success_is_a_status_of_200_and_a_code_of_0(status: int, code: object) -> None:
    assert say(status, {"code": code, "message": "success", "tax": {}}, CREATE).body["message"] == "success"


@pytest.mark.parametrize("request_", [READ, UPDATE, CREATE])
@pytest.mark.parametrize("body", [{}, {"message": "success"}, {"code": None}, {"code": True}, {"taxes": []}])
def test_without_its_code_a_200_proves_nothing(body: object, request_: Request) -> None:
    with pytest.raises(OutcomeUnknown if request_.writes else ZohoUnavailable):
        say(200, body, request_)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(200, 57, TokenRejected), (200, 14, TokenRejected), (200, 44, RateLimited), (200, 6041, LoginLost),
     (200, 1001, Refused), (201, 3062, Refused), (400, 3032, Refused), (400, "110802", Refused), (405, 5, Refused),
     (403, 9, Refused), (500, 1000, ZohoUnavailable), (400, 1000, ZohoUnavailable), (502, 1, ZohoUnavailable),
     (302, 1, ZohoUnavailable), (401, 57, TokenRejected), (401, 14, TokenRejected), (400, 14, TokenRejected),
     (401, 0, TokenRejected), (400, 6041, LoginLost), (400, 0, Refused)],
)  # fmt: skip
def test_an_error_is_found_under_any_status(status: int, code: object, error: type[ZohoFailure]) -> None:
    assert type(refusal(status, code)) is error


# --- writes in doubt


@pytest.mark.parametrize("status", [200, 201, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [PAGE, b"", b"[]", b"null", b"{"])
def test_a_page_in_place_of_an_answer_leaves_a_write_in_doubt_and_a_read_undone(status: int, body: bytes) -> None:
    with pytest.raises(OutcomeUnknown, match="did not say"):
        say(status, body, CREATE)
    with pytest.raises(ZohoUnavailable):
        say(status, body, READ)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 413])
def test_a_page_of_a_gateway_that_refuses_leaves_nothing_in_doubt(status: int) -> None:
    with pytest.raises(ZohoUnavailable):
        say(status, PAGE, CREATE)


def test_what_is_said_of_a_write_in_doubt_depends_on_whether_it_may_be_repeated() -> None:
    assert "sent again by itself" in refusal(500, 1000, UPDATE).hint
    assert "looked for" in refusal(500, 1000, CREATE).hint


def test_a_refusal_that_says_success_leaves_a_write_in_doubt() -> None:
    assert isinstance(refusal(400, 0, CREATE), OutcomeUnknown)


# --- refusals


def test_a_refusal_is_told_in_zohos_own_sentence() -> None:
    error = refusal(400, 110942, CREATE, "Tax not supported.")
    assert error.message == "Zoho Books refused it: Tax not supported."
    assert (error.reason, error.status, error.vendor_code) == ("zoho_refused", 400, "110942")


@pytest.mark.parametrize(
    ("code", "reason"),
    [(2, "books_value_invalid"), (4, "books_value_missing"), (8, "books_feature_off"), (15, "books_too_long"),
     (3032, "books_tax_side"), (3062, "books_name_taken"), (4097, "books_number_mismatch"),
     (9205, "books_stock_short"), (110802, "books_tax_missing"), (1001, "books_number_taken")],
)  # fmt: skip
def test_a_code_of_books_has_a_name_of_ours_and_a_remedy(code: int, reason: str) -> None:
    error = refusal(400, code, CREATE, "In whatever language.")
    assert isinstance(error, Refused)
    assert error.reason == reason
    assert error.message.endswith(": In whatever language.")
    assert error.hint


def test_one_code_means_an_item_or_a_number_by_what_was_written() -> None:
    item = Request("PUT", "/books/v3/items/1", json={}, product="books", effect="idempotent")
    assert refusal(400, 1001, item).reason == "books_item_taken"
    assert refusal(400, 1001, CREATE).reason == "books_number_taken"


@pytest.mark.parametrize(
    ("message", "item"),
    [("There is insufficient stock on hand for the item Rice 5 kg. Please correct it.", {"item": "Rice 5 kg"}),
     ("Zu wenig.", {})],
)  # fmt: skip
def test_the_item_of_which_there_is_too_little_is_told_where_it_can_be_read(message: str, item: object) -> None:
    assert refusal(400, 9205, CREATE, message).details == item


def test_an_inactive_item_is_known_by_its_sentence_alone() -> None:
    error = refusal(400, 9999, CREATE, "The item has been deleted or marked as inactive.")
    assert error.reason == "books_item_inactive"
    assert refusal(400, 3032, CREATE, "An item marked as inactive").reason == "books_tax_side"


@pytest.mark.parametrize("message", ["Transactions are locked up to 31 Mar.", "The credit limit is reached."])
def test_what_has_no_known_code_keeps_zohos_sentence(message: str) -> None:
    error = refusal(400, 77777, CREATE, message)
    assert (error.reason, message in error.message) == ("zoho_refused", True)


@pytest.mark.parametrize(("status", "code"), [(404, 5), (404, 1002), (400, 1002), (200, 1002), (404, None)])
def test_a_record_that_is_not_there_is_one_thing_however_it_is_said(status: int, code: object) -> None:
    assert refusal(status, code, message="Invoice does not exist.").reason == "zoho_record_absent"


def test_a_refusal_without_any_reason_is_still_one() -> None:
    assert refusal(400, None, message="").message == "Zoho Books refused it: HTTP 400 and no reason"


# --- the login


def test_a_permission_that_a_new_token_lacks_is_named() -> None:
    rejected = refusal(401, 57)
    assert isinstance(rejected, TokenRejected)
    told = refused_for_good(READ, rejected)
    assert told is not None
    assert "ZohoBooks.settings.READ" in told.message
    assert "zohosync connect" in told.hint


@pytest.mark.parametrize("code", [14, 0])
def test_other_codes_say_nothing_of_permissions(code: int) -> None:
    rejected = refusal(401, code)
    assert isinstance(rejected, TokenRejected)
    assert refused_for_good(READ, rejected) is None


def test_crm_has_a_code_of_its_own_for_permissions() -> None:
    assert refused_for_good(Request("GET", "/crm/v8/org"), TokenRejected("no", vendor_code="57")) is None


# --- limits


@pytest.mark.parametrize(
    ("code", "headers", "scope", "rest"),
    [(43, {"Retry_After": "3600"}, "minute", 3600), (43, {}, "minute", 600), (44, {}, "minute", 60),
     (44, {"Retry_After": "7"}, "minute", 7), (45, {"X_Rate_Limit_Reset": "20421"}, "day", 20421),
     (45, {}, "day", 3600), (45, {"X_Rate_Limit_Reset": "soon"}, "day", 3600), (1070, {}, "concurrency", 0),
     (44, {"X_Rate_Limit_Reset": "20421"}, "minute", 60), (46, {}, "concurrency", 0), (None, {}, "concurrency", 0)],
)  # fmt: skip
def test_each_limit_has_its_scope_and_its_rest(
    code: int | None, headers: dict[str, str], scope: str, rest: int
) -> None:
    error = refusal(429, code, CREATE, **headers)
    assert isinstance(error, RateLimited)
    assert (error.scope, error.retry_after) == (scope, timedelta(seconds=rest))


def test_a_limit_told_by_a_gateway_is_a_limit() -> None:
    with pytest.raises(RateLimited) as caught:
        say(429, PAGE, CREATE, Retry_After="5")
    assert caught.value.retry_after == timedelta(seconds=5)


@pytest.mark.parametrize(("told", "left"), [({"X_Rate_Limit_Remaining": "879"}, 879), ({}, None),
                                            ({"X_Rate_Limit_Remaining": "many"}, None)])  # fmt: skip
def test_what_is_left_of_the_day_is_read(told: dict[str, str], left: int | None) -> None:
    assert say(200, {"code": 0}, **told).credits_left == left


# --- pages


@pytest.mark.parametrize(
    ("context", "following"),
    [({"page": 1, "has_more_page": True}, {"page": "2"}), ({"page": 2, "has_more_page": False}, None),
     ({"has_more_page": True}, None), ([{"page": 1}], None), (None, None)],
)  # fmt: skip
def test_the_next_page(context: object, following: object) -> None:
    assert next_page(say(200, {"code": 0, "page_context": context})) == following


# --- anything at all

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries({}, optional={"code": JSON, "message": JSON, "page_context": JSON, "taxes": JSON})


@given(st.integers(200, 599), st.one_of(st.binary(), ANSWERS.map(lambda body: json.dumps(body).encode())),
       st.sampled_from([READ, UPDATE, CREATE]))  # fmt: skip
def test_whatever_books_answers_is_a_reply_or_one_of_our_errors(status: int, body: bytes, request: Request) -> None:
    answer = heard(lambda: decipher(status, {}, body, request))
    if isinstance(answer, ZohoFailure):
        assert answer.message
        assert answer.hint
    else:
        assert 200 <= status < 300
        assert int(answer.body["code"]) == 0


@given(st.integers(500, 599), st.binary())
def test_a_creation_that_met_trouble_is_never_called_undone(status: int, body: bytes) -> None:
    assert isinstance(heard(lambda: decipher(status, {}, body, CREATE)), OutcomeUnknown | RateLimited | LoginLost)
