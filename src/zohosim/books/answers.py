"""What Books says: the envelope of every answer, and refusals in its own codes.

https://www.zoho.com/books/api/v3/errors/
"""

from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, Refused
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

MOST_ROWS = 200
LIMITS: dict[int, str] = {
    43: "For security reasons you have been blocked for some time as you have exceeded the maximum number of requests"
    " per minute.",
    44: "For security reasons your organization has been blocked as it have exceeded the maximum number of requests per"
    " minute that can originate from an organization.",
    45: "The API call for this organization has exceeded the maximum call rate limit of {most:,}.",
    1070: "You have reached the maximum number of in process requests allowed. Kindly try again after some time.",
}
"""The codes of the four limits, all answered with 429, and their texts, spelt as they come."""


class BooksRefused(Refused):
    """The request is refused with one of Books' numbers."""

    def __init__(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, str(code), message)
        self.body = envelope(code, message)
        self.headers = headers or {}


def envelope(code: int, message: str, **nodes: Any) -> Json:
    return {"code": code, "message": message, **nodes}


def told(**nodes: Any) -> Answer:
    """A good answer with its node."""
    return said("success", **nodes)


def said(message: str, status: int = 200, **nodes: Any) -> Answer:
    """A good answer that says what was done."""
    return Answer(envelope(0, message, **nodes), status)


def listed(call: Call, key: str, rows: list[Json], report_name: str, sort_column: str) -> Answer:
    """One page of a list with its page_context; past the end it is empty."""
    page, per_page = number(call, "page", 1), min(number(call, "per_page", MOST_ROWS), MOST_ROWS)
    start = (page - 1) * per_page
    context = {
        "page": page, "per_page": per_page, "has_more_page": len(rows) > start + per_page,
        "report_name": report_name, "applied_filter": "Status.All", "sort_column": sort_column, "sort_order": "A",
    }  # fmt: skip
    return told(**{key: rows[start : start + per_page], "page_context": context})


def number(call: Call, name: str, default: int) -> int:
    """A positive whole number among the parameters; unknown parameters are ignored, bad values of known ones not."""
    given = call.params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and int(given) > 0):
        raise BooksRefused(400, 2, f"Invalid value passed for {name}")
    return int(given)


def too_many(code: int, *, most: int = 0, headers: dict[str, str] | None = None) -> BooksRefused:
    """429 with the code of the limit; `most` is what a day allows."""
    return BooksRefused(429, code, LIMITS[code].format(most=most), headers)


def flooded(seconds: float) -> BooksRefused:
    """The one limit that was seen with Retry-After."""
    return too_many(43, headers={"Retry-After": str(int(seconds))})


def refusal_answer(sim: "Simulator", refusal: Refused) -> Answer:
    """A refusal of Books as it is; one of the gate in the words of Books."""
    if isinstance(refusal, BooksRefused):
        return Answer(refusal.body, refusal.status, dict(refusal.headers))
    if refusal.code in ("INVALID_TOKEN", "AUTHENTICATION_FAILURE") and sim.switches["books_expired_token_code"] == 14:
        return Answer(envelope(14, "Invalid value passed for authtoken"), 401)
    if refusal.status == 401:
        return Answer(envelope(57, "You are not authorized to perform this operation"), 401)
    return Answer(envelope(1000, refusal.body["message"]), refusal.status)


def trouble() -> Answer:
    return Answer(envelope(1000, "Internal error"), 500)


def unknown_path() -> Answer:
    return Answer(envelope(5, "Invalid URL Passed"), 404)


def wrong_method() -> Answer:
    """405 is documented, its code is not."""
    return Answer(envelope(5, "The HTTP method is not allowed for this URL"), 405)
