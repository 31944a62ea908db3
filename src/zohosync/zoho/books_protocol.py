"""What Zoho Books answers, without any input or output: status, headers and body to a ``Reply`` or the right error.

A call succeeded when its HTTP status is 2xx **and** its ``code`` is 0; either alone proves nothing. Codes decide, then
the status; messages are localised and hold people's data (``books_faults`` tells the two exceptions).

https://www.zoho.com/books/api/v3/errors/
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from zohosync.errors import LoginLost, RateLimited, ScopeMissing, TokenRejected, ZohoFailure, ZohoUnavailable
from zohosync.zoho.books_faults import refused
from zohosync.zoho.faults import seconds_named
from zohosync.zoho.protocol import Json, Reply, Request, no_answer_of_zoho, outcome_unknown, parse_object, trouble

SCOPE_CODE = 57
TOKEN_CODES = frozenset({14, SCOPE_CODE})
"""Both are said of a token that is dead, and 57 also of one that lacks a permission."""

TROUBLE_CODE = 1000
FOREIGN_CODE = 6041

LIMIT_SCOPES: Mapping[int, str] = MappingProxyType({43: "minute", 44: "minute", 45: "day", 1070: "concurrency"})
LIMIT_RESTS: Mapping[int, timedelta] = MappingProxyType(
    {43: timedelta(minutes=10), 44: timedelta(minutes=1), 45: timedelta(hours=1)}
)
"""How long to leave Books alone when it does not say. After 43, an hour was seen; to go on calling may lengthen it.
After 45 an hourly look notices that the plan was changed. Calls in flight (1070) clear in seconds.

https://www.zoho.com/books/api/v3/introduction/#api-call-limit
"""


def decipher(status: int, headers: Mapping[str, str], body: bytes, request: Request) -> Reply:
    """The reply, or the error the answer of Books stands for.

    Raises TokenRejected, LoginLost, RateLimited, Refused, ZohoUnavailable or OutcomeUnknown. RateLimited.retry_after is
    zero when neither Zoho nor we know how long.
    """
    told = {name.lower(): value for name, value in headers.items()}
    content = parse_object(body)
    if content is None:
        # A page of a gateway, or nothing at all.
        raise _rate_limited(told, 0, {"status": status}) if status == 429 else no_answer_of_zoho(status, request)
    code = _code(content)
    if 200 <= status < 300 and code == 0:
        return Reply(status, told, content, credits_left=_credits(told))
    raise _error_of(status, told, code, content, request)


def refused_for_good(request: Request, rejected: TokenRejected) -> ScopeMissing | None:
    """What 57 means of a token that was new: not its age is at fault, but what it may do. None for other codes."""
    if request.product != "books" or rejected.vendor_code != str(SCOPE_CODE):
        return None
    needed = ", ".join(request.scopes)
    return ScopeMissing(
        f"Zoho Books does not let the connected user do this; it needs {needed or 'a permission Zoho does not name'}.",
        hint="Connect again with `zohosync connect` and accept all it asks for; the role in Books must allow it, too.",
        status=rejected.status,
        vendor_code=rejected.vendor_code,
        vendor_message=rejected.vendor_message,
    )


def next_page(reply: Reply) -> Mapping[str, str] | None:
    """Parameters of the next page, None on the last one. https://www.zoho.com/books/api/v3/pagination/"""
    context = reply.body.get("page_context")
    if not isinstance(context, dict) or context.get("has_more_page") is not True:
        return None
    page = context.get("page")
    return {"page": str(page + 1)} if isinstance(page, int) else None


def _code(content: Json) -> int | None:
    """The code of the answer; None when there is none, which is no success either."""
    code = content.get("code")
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None
    return int(code) if isinstance(code, int) or code.isdecimal() else None


def _error_of(
    status: int, headers: Mapping[str, str], code: int | None, content: Json, request: Request
) -> ZohoFailure:
    message = content.get("message")
    said = message if isinstance(message, str) else ""
    words: dict[str, Any] = {
        "status": status,
        "vendor_code": "" if code is None else str(code),
        "vendor_message": said,
    }
    if status == 429 or code in LIMIT_SCOPES:
        return _rate_limited(headers, code, words)
    if code == FOREIGN_CODE:
        return _foreign(words)
    if status == 401 or code in TOKEN_CODES:
        return TokenRejected("Zoho Books does not accept the access token.", hint="It is renewed by itself.", **words)
    if status >= 500 or code == TROUBLE_CODE or (code is None and status < 300):
        return trouble(request, **words)
    if 300 <= status < 400:
        return ZohoUnavailable(f"Zoho answered HTTP {status}.", hint="It is tried again by itself.", **words)
    if code == 0:
        return outcome_unknown(request, **words) if request.writes else refused(status, code, said, request, words)
    return refused(status, code, said, request, words)


def _foreign(words: dict[str, Any]) -> LoginLost:
    return LoginLost(
        "The connected Zoho user does not belong to the chosen organisation of Zoho Books.",
        hint="Invite the user there, or run `zohosync connect` and choose an organisation it belongs to.",
        code="books_organisation_foreign",
        **words,
    )


def _rate_limited(headers: Mapping[str, str], code: int | None, words: dict[str, Any]) -> RateLimited:
    """Retry-After was seen with 43 only; the reset of the day is told in seconds.

    A 429 was not processed, so even a creation may be sent again.
    """
    known = code or 0
    seconds = seconds_named(headers.get("retry-after"))
    if not seconds and known == 45:
        seconds = seconds_named(headers.get("x-rate-limit-reset"))
    rest = timedelta(seconds=seconds) if seconds else LIMIT_RESTS.get(known, timedelta())
    return RateLimited(
        "Zoho Books asks us to slow down.",
        hint="It continues by itself.",
        retry_after=rest,
        scope=LIMIT_SCOPES.get(known, "concurrency"),
        **words,
    )


def _credits(headers: Mapping[str, str]) -> int | None:
    """What is left of the day for all programs of the organisation; there is no header for the minute."""
    told = headers.get("x-rate-limit-remaining", "")
    return int(told) if told.isdecimal() else None
