"""What is said to Zoho and what is heard, without any input or output.

A ``Request`` describes one call; ``decipher`` alone turns status, headers and body of the answer into a ``Reply`` or
into the right error. HTTP status and body are judged together, because Zoho puts errors into HTTP 200, successes into
HTTP 400 and nothing at all into HTTP 204.

https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, NewType, TypeAlias

from zohosync.errors import LoginLost, OutcomeUnknown, RateLimited, Refused, TokenRejected, ZohoFailure, ZohoUnavailable
from zohosync.zoho.canonical import canonical_json
from zohosync.zoho.faults import Fault, error_of, scope_missing, seconds_named
from zohosync.zoho.results import RecordResult, result_of

Json: TypeAlias = dict[str, Any]
Product: TypeAlias = Literal["crm", "books"]
ZohoId = NewType("ZohoId", str)

Effect: TypeAlias = Literal["none", "idempotent", "creates"]
"""What sending it does: a read; a write that may be repeated freely; a write that may make a second record."""

EMPTY_STATUSES = frozenset({204, 304})
TOKEN_CODES = frozenset({"INVALID_TOKEN"})
SCOPE_CODES = frozenset({"OAUTH_SCOPE_MISMATCH"})
LOGIN_CODES = frozenset({"AUTHENTICATION_FAILURE", "AUTHENTICATION_FAILED", "INVALID_OAUTHTOKEN", "INVALID_TICKET"})
LIMIT_CODES = frozenset({"TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED", "429"})
TROUBLE_CODES = frozenset({"INTERNAL_ERROR", "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"})
WHOLE_CODES = TOKEN_CODES | SCOPE_CODES | LOGIN_CODES | LIMIT_CODES
"""Codes that speak of the whole request even when Zoho wraps them in data[] as if they were one record's."""
WRAPPED_CODES = frozenset(
    {"INVALID_MODULE", "INVALID_URL_PATTERN", "NO_PERMISSION", "AUTHORIZATION_FAILED", "NOT_SUPPORTED"}
)
"""Codes that do so when they come once for many records."""


@dataclass(frozen=True)
class Request:
    """One call. ``records`` is how many results must come back under ``results_key``, None when results are not per
    record; ``cost`` is in API credits; ``heavy`` calls count for Zoho's sub-concurrency; ``scopes`` name what the grant
    must hold for it.

    A call of Books is for one organisation: the one ``params`` names as ``organization_id``, else the login's; one that
    is ``of_user`` is for none. ``own_headers`` go out beside the usual ones."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Json | None = None
    product: Product = "crm"
    cost: int = 1
    records: int | None = None
    results_key: str = "data"
    heavy: bool = False
    effect: Effect = "none"
    scopes: tuple[str, ...] = ()
    of_user: bool = False
    own_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return self.effect != "none"

    @property
    def safe_to_repeat(self) -> bool:
        """Whether sending it twice leaves Zoho as sending it once would."""
        return self.effect != "creates"

    def address(self, api_domain: str) -> str:
        return f"{api_domain.rstrip('/')}{self.path}"

    def content(self) -> bytes | None:
        """The body in bytes, as a preview shows it too; None when there is none."""
        return None if self.json is None else canonical_json(self.json)

    def headers(self, access_token: str) -> dict[str, str]:
        """Zoho's own scheme: whether CRM takes ``Bearer`` is not documented.

        https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
        """
        headers = {"Authorization": f"Zoho-oauthtoken {access_token}", "Accept": "application/json"}
        kind = {} if self.json is None else {"Content-Type": "application/json"}
        return dict(self.own_headers) | kind | headers


@dataclass(frozen=True)
class Reply:
    """A good answer. ``body`` is {} when there was none; ``results`` has one entry per record sent, in that order;
    ``credits_left`` is what Zoho says is left of the day, None when it does not say."""

    status: int
    headers: Mapping[str, str]
    body: Json
    results: tuple[RecordResult, ...] = ()
    credits_left: int | None = None

    def rows(self, key: str = "data") -> list[Json]:
        """The objects of a list in the body; [] when nothing was found."""
        found = self.body.get(key)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    @property
    def next_page(self) -> Mapping[str, str] | None:
        """Parameters of the next page, None on the last one. The token is bound to all other parameters.

        https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
        """
        info = self.body.get("info")
        if not isinstance(info, dict) or info.get("more_records") is not True:
            return None
        token, page = info.get("next_page_token"), info.get("page")
        if isinstance(token, str) and token:
            return {"page_token": token}
        return {"page": str(page + 1)} if isinstance(page, int) else None


def decipher(status: int, headers: Mapping[str, str], body: bytes, request: Request) -> Reply:
    """The reply, or the error Zoho's answer stands for.

    Raises TokenRejected, ScopeMissing, LoginLost, RateLimited, Refused, ZohoUnavailable or OutcomeUnknown. A refusal
    of single records is not raised: it is in ``Reply.results``. RateLimited.retry_after is zero when Zoho did not say.
    """
    told = {name.lower(): value for name, value in headers.items()}
    if status in EMPTY_STATUSES:
        return _without_body(status, told, request)
    content = parse_object(body)
    if content is None:
        raise _unreadable(status, told, request)
    fault = _whole_fault(status, content, request)
    if fault is not None:
        raise _error_of_request(status, told, fault, request)
    if request.records is not None:
        return Reply(status, told, content, _results(status, content, request), _credits(told))
    if status >= 400 or 300 <= status < 400:
        raise _error_of_request(status, told, Fault.parse(content), request)
    return Reply(status, told, content, credits_left=_credits(told))


def parse_object(body: bytes) -> Json | None:
    """The JSON object of the body with decimals kept exact; None for HTML, nothing, or anything else."""
    try:
        content = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _without_body(status: int, headers: Mapping[str, str], request: Request) -> Reply:
    if request.writes:
        raise outcome_unknown(request, status=status)
    return Reply(status, headers, {}, credits_left=_credits(headers))


def _unreadable(status: int, headers: Mapping[str, str], request: Request) -> ZohoFailure:
    return _rate_limited(headers, Fault()) if status == 429 else no_answer_of_zoho(status, request)


def no_answer_of_zoho(status: int, request: Request) -> ZohoFailure:
    """Gateways answer in HTML. A 3xx or 4xx of theirs never reached the product; anything else may have."""
    if 300 <= status < 500:
        return ZohoUnavailable(
            f"Zoho answered HTTP {status} without its usual content.",
            hint="It is tried again by itself.",
            status=status,
        )
    return trouble(request, status=status)


def _whole_fault(status: int, content: Json, request: Request) -> Fault | None:
    """The fault that concerns the whole request: flat, or in a list of its own, or in the old ``error`` shape."""
    flat = Fault.parse(content)
    if flat.is_error or flat.code in WHOLE_CODES or isinstance(content.get("error"), str | dict):
        return flat
    listed = content.get(request.results_key)
    faults = [Fault.parse(item) for item in listed] if isinstance(listed, list) else []
    if faults and all(fault.is_error and fault.code for fault in faults):
        alone = len(faults) == 1 and request.records != 1
        if request.records is None or all(fault.code in WHOLE_CODES for fault in faults):
            return faults[0]
        if alone and faults[0].code in WRAPPED_CODES:
            return faults[0]
    return flat if status == 429 else None


def _results(status: int, content: Json, request: Request) -> tuple[RecordResult, ...]:
    """One result per record sent. Another number of them means that none can be told whose it is."""
    listed = content.get(request.results_key)
    if not isinstance(listed, list) or len(listed) != request.records:
        if status >= 500:
            raise trouble(request, status=status)
        raise outcome_unknown(request, status=status)
    return tuple(result_of(item, status, safe_to_repeat=request.safe_to_repeat) for item in listed)


def _error_of_request(status: int, headers: Mapping[str, str], fault: Fault, request: Request) -> ZohoFailure:
    words: dict[str, Any] = {
        "status": status,
        "vendor_code": fault.code,
        "vendor_message": fault.message,
        "details": fault.details,
    }
    if status == 429 or fault.code in LIMIT_CODES:
        return _rate_limited(headers, fault)
    if fault.code in TOKEN_CODES:
        return TokenRejected("Zoho does not accept the access token.", hint="It is renewed by itself.", **words)
    if fault.code in SCOPE_CODES:
        return scope_missing(request.scopes, **words)
    if status == 401 or fault.code in LOGIN_CODES:
        return LoginLost(
            "Zoho does not accept the login.",
            hint="Run `zohosync connect` again.",
            code="authentication_failed",
            **words,
        )
    if status >= 500 or fault.code in TROUBLE_CODES:
        return trouble(request, **words)
    if 300 <= status < 400:
        return ZohoUnavailable(f"Zoho answered HTTP {status}.", hint="It is tried again by itself.", **words)
    if not fault.code:
        return _refused_without_code(status, request, words)
    return error_of(fault, status, safe_to_repeat=request.safe_to_repeat)


def _refused_without_code(status: int, request: Request, words: dict[str, Any]) -> ZohoFailure:
    if status < 400:
        return trouble(request, **words)
    return Refused(f"Zoho refused it with HTTP {status} and no reason.", hint="Look at the answer it gave.", **words)


def _rate_limited(headers: Mapping[str, str], fault: Fault) -> RateLimited:
    """Any 429 alike: Zoho documents neither Retry-After nor which limit was hit, but both are read when present."""
    seconds = seconds_named(headers.get("retry-after")) or seconds_named(fault.details.get("retry_after")) or 0.0
    left = _credits(headers)
    return RateLimited(
        "Zoho asks us to slow down.",
        hint="It continues by itself.",
        retry_after=timedelta(seconds=seconds),
        scope="day" if left is not None and left <= 0 else "concurrency",
        status=429,
        vendor_code=fault.code,
        vendor_message=fault.message,
        details=fault.details,
    )


def trouble(request: Request, **words: Any) -> ZohoFailure:
    """What a fault on Zoho's side means: for a write, nobody knows whether it happened."""
    if request.writes:
        return outcome_unknown(request, **words)
    return ZohoUnavailable("Zoho has trouble at the moment.", hint="It is tried again by itself.", **words)


def outcome_unknown(request: Request, **words: Any) -> OutcomeUnknown:
    remedy = (
        "It is sent again by itself." if request.safe_to_repeat else "It is looked for in Zoho before it is sent again."
    )
    return OutcomeUnknown("Zoho did not say whether it has saved this.", hint=remedy, **words)


def _credits(headers: Mapping[str, str]) -> int | None:
    """CRM tells what is left only once half of the day's credits are used.

    https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
    """
    told = headers.get("x-api-credits-remaining", "")
    return int(told) if told.isdecimal() else None
