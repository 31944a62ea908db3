"""The fields of a body: how each value is read, and what Books says of one it cannot take.

Labels are what a refusal names: mostly the key, sometimes what the web face calls it.
https://www.zoho.com/books/api/v3/errors/
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs

import orjson

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused
from zohosim.calls import Call

Reader = Callable[[str, Any], Any]
PAISA = Decimal("0.01")


def invalid(label: str) -> BooksRefused:
    """Code 2: the key is known and the value makes no sense."""
    return BooksRefused(400, 2, f"Invalid value passed for {label}")


def missing(key: str) -> BooksRefused:
    """Code 4: something mandatory is not there. The text reads like the one of a bad value."""
    return BooksRefused(400, 4, f"Invalid value passed for {key}")


def body_of(call: Call) -> Json:
    """The body as JSON, or as the form field JSONString that older programs send; empty when there is none."""
    given: Any = call.payload
    if given is None and (call.body or call.params.get("JSONString")):
        given = _from_form(call)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise invalid("JSONString")
    return given


def list_body(call: Call) -> list[Any]:
    """A body that is an array, as the calls for custom fields alone take it."""
    given = call.payload
    if isinstance(given, dict):
        given = given.get("custom_fields")
    if not isinstance(given, list):
        raise invalid("custom_fields")
    return given


def _from_form(call: Call) -> Any:
    form = parse_qs(call.body.decode("utf-8", "replace"))
    text = (form.get("JSONString") or [call.params.get("JSONString", "")])[0]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        raise invalid("JSONString") from wrong


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a body: `read` turns its value into what is stored, `blank` is what an empty one is stored as."""

    key: str
    read: Reader
    label: str = ""
    blank: Any = ""

    def value(self, given: Any) -> Any:
        return self.blank if given is None or given == "" else self.read(self.label or self.key, given)


def read(body: Json, fields: Iterable[Field]) -> Json:
    """What the body says of these fields; keys it does not have are left out, keys nobody knows are ignored."""
    return {field.key: field.value(body[field.key]) for field in fields if field.key in body}


def blanks(fields: Iterable[Field]) -> Json:
    return {field.key: field.blank for field in fields}


def require(body: Json, *keys: str) -> None:
    """Refuse a body in which one of the keys is absent or empty."""
    for key in keys:
        if body.get(key) in (None, "", []):
            raise missing(key)


def text(most: int) -> Reader:
    """Text of at most so many letters, without angle brackets."""

    def read_text(label: str, given: Any) -> str:
        if isinstance(given, dict | list | bool):
            raise invalid(label)
        value = str(given)
        if "<" in value or ">" in value:
            raise invalid(label)
        if len(value) > most:
            raise BooksRefused(400, 15, f'Please ensure that the "{label}" has less than {most} characters.')
        return value

    return read_text


def one_of(*choices: str) -> Reader:
    def read_choice(label: str, given: Any) -> str:
        if given not in choices:
            raise invalid(label)
        return str(given)

    return read_choice


def number(label: str, given: Any) -> Decimal:
    """A finite number, given as number or text."""
    if isinstance(given, bool | dict | list):
        raise invalid(label)
    try:
        value = Decimal(str(given).strip())
    except InvalidOperation as wrong:
        raise invalid(label) from wrong
    if not value.is_finite():
        raise invalid(label)
    return value


def amount(label: str, given: Any) -> Decimal:
    """A number that is not negative."""
    value = number(label, given)
    if value < 0:
        raise invalid(label)
    return value


def whole(label: str, given: Any) -> int:
    value = number(label, given)
    if value != value.to_integral_value():
        raise invalid(label)
    return int(value)


def flag(label: str, given: Any) -> bool:
    if isinstance(given, str) and given.lower() in ("true", "false"):
        return given.lower() == "true"
    if not isinstance(given, bool):
        raise invalid(label)
    return given


def day(label: str, given: Any) -> str:
    """A bare date; an instant is refused."""
    return as_day(label, given).isoformat()


def as_day(label: str, given: Any) -> date:
    try:
        if len(str(given)) != len("2026-11-22"):
            raise ValueError
        return date.fromisoformat(str(given))
    except ValueError as wrong:
        raise invalid(label) from wrong


def as_instant(label: str, given: str) -> float:
    """Unix seconds of an instant with its offset, with or without a colon in it."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as wrong:
        raise invalid(label) from wrong
    if moment.tzinfo is None:
        raise invalid(label)
    return moment.timestamp()


def entity_id(label: str, given: Any) -> str:
    """An id, which may come as a number."""
    value = str(given)
    if isinstance(given, bool) or not (value.isascii() and value.isdecimal()):
        raise invalid(label)
    return value


def rows(label: str, given: Any) -> list[Json]:
    """An array of objects."""
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        raise invalid(label)
    return given


def asked_flag(call: Call, name: str) -> bool:
    """A query parameter that is true or false."""
    given = call.params.get(name, "")
    return bool(given) and flag(name, given)
