"""What goes back over the wire: answers, refusals of a whole request, refusals of one record.

Shapes: https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
from starlette.responses import Response

Json = dict[str, Any]

JSON_TYPE = "application/json;charset=utf-8"


@dataclass(slots=True)
class Answer:
    """A payload with its status; no payload means an empty body without a content type, as with 204."""

    payload: Json | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    touched: list[str] = field(default_factory=list)
    """Ids of the records a write created or changed, for the call log."""

    def response(self) -> Response:
        if self.payload is None:
            return Response(status_code=self.status, headers=self.headers)
        headers = {"content-type": JSON_TYPE, **self.headers}
        return Response(dumps(self.payload), self.status, headers)


def dumps(payload: object) -> bytes:
    """JSON as it goes over the wire: amounts, which are Decimal inside, as floats."""
    return orjson.dumps(payload, default=as_float)


def as_float(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def nothing(status: int = 204) -> Answer:
    return Answer(None, status)


def error(code: str, message: str, details: Json | None = None) -> Json:
    return {"code": code, "details": details or {}, "message": message, "status": "error"}


class Refused(Exception):
    """The whole request is refused: flat body (or wrapped in data[], see the switch)."""

    def __init__(self, status: int, code: str, message: str, details: Json | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.body = error(code, message, details)


class RecordRefused(Exception):
    """One record of a batch is refused; `result` is its place in data[]."""

    def __init__(self, code: str, message: str, details: Json | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.result = error(code, message, details)
