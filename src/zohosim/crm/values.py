"""The values: what each type of field takes from JSON, and what it refuses.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html (sample attributes)
"""

import re
import sys
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from zohosim.answers import Json
from zohosim.crm.fields import Field

Reader = Callable[[Any], Any]


class BadValue(Exception):
    """`details` of the INVALID_DATA answer; `inside` is the key within the value that is wrong."""

    def __init__(self, details: Json, inside: str = "") -> None:
        super().__init__(str(details))
        self.details = details
        self.inside = inside


def wrong_type(expected: str) -> BadValue:
    return BadValue({"expected_data_type": expected})


def _marks() -> str:
    """All combining marks (\\p{M}) as a regex class; Python's \\w leaves them out."""
    points = [n for n in range(0x300, min(0x20000, sys.maxunicode)) if unicodedata.category(chr(n)).startswith("M")]
    runs: list[list[int]] = []
    for point in points:
        if runs and point == runs[-1][1] + 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in runs)


MARKS = _marks()
WORD = rf"[^\W_{MARKS}]|[{MARKS}]"
LETTER = rf"(?:[^\W\d_]|[{MARKS}])"

EMAIL = re.compile(
    rf"[+\-_\w{MARKS}][\w{MARKS}!#$%&'*+\-/=?^`{{|}}~.]*"
    rf"@(?=.{{4,256}}\Z)(?:(?:{WORD})(?:[\-_]*(?:{WORD}))*[.])+{LETTER}{{2,22}}\Z"
)
"""Zoho's published pattern, with its nested repetition written so that it cannot backtrack for long."""

PHONE = re.compile(
    r"([+]?)(?![.-])(?>(?>[.-]?[ ]?[\da-zA-Z]+)+|([ ]?((?![.-])(?>[ .-]?[\da-zA-Z]+)+)(?![.])([ -]?[\da-zA-Z]+)?)+)+"
    r"(?>(?>([,]+)?[;]?[\da-zA-Z]+)+(([#][\da-zA-Z]+)+)?)?[#;]?\Z"
)
PLAIN_PHONE = re.compile(r"\+?[0-9]{1,30}\Z")
WEBSITE = re.compile(r"(?:(?:https?|ftp)://)?[^\s/.@]+(?:\.[^\s/.@]+)+(?::\d+)?(?:[/?#]\S*)?\Z", re.IGNORECASE)


def _text(value: Any, length: int, expected: str) -> str:
    if type(value) is not str:
        raise wrong_type(expected)
    if len(value) > length:
        raise BadValue({"maximum_length": length})
    return value


def read_text(field: Field) -> Reader:
    length = field.length

    def read(value: Any) -> str | None:
        return _text(value, length, "text") or None

    return read


def read_email(field: Field) -> Reader:
    length = field.length

    def read(value: Any) -> str:
        if EMAIL.match(_text(value, length, "email")) is None:
            raise wrong_type("email")
        return str(value)

    return read


def read_phone(field: Field, parentheses: Callable[[], bool]) -> Reader:
    length = field.length

    def read(value: Any) -> str:
        text = _text(value, length, "phone")
        if PLAIN_PHONE.match(text) is None:
            bare = text.replace("(", "").replace(")", "") if parentheses() else text
            if PHONE.match(bare) is None:
                raise wrong_type("phone")
        return text

    return read


def read_website(field: Field) -> Reader:
    def read(value: Any) -> str:
        if WEBSITE.match(_text(value, field.length, "website")) is None:
            raise wrong_type("website")
        return str(value)

    return read


def read_picklist(field: Field) -> Reader:
    """An unknown choice is stored like a known one unless the picklist is restricted."""
    allowed = frozenset(field.choices) if field.restricted else None

    def read(value: Any) -> str | None:
        text = _text(value, field.length, "picklist")
        if allowed is not None and text not in allowed:
            raise BadValue({"supported_values": list(field.choices)})
        return None if text == "-None-" else text or None

    return read


def read_choices(field: Field) -> Reader:
    single = read_picklist(field)

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise wrong_type("jsonarray")
        return [single(item) for item in value]

    return read


def read_boolean(_: Field) -> Reader:
    def read(value: Any) -> bool:
        if value is not True and value is not False:
            raise wrong_type("boolean")
        return value

    return read


def read_integer(field: Field) -> Reader:
    most = 10**field.length

    def read(value: Any) -> int:
        if type(value) is not int:
            raise wrong_type("integer")
        if not -most < value < most:
            raise BadValue({"maximum_length": field.length})
        return value

    return read


def read_bigint(field: Field) -> Reader:
    """Digits as a string or a number; told back as a string."""

    def read(value: Any) -> str:
        text = str(value) if type(value) in (int, str) else ""
        if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit():
            raise wrong_type("bigint")
        return _text(text, field.length, "bigint")

    return read


def read_decimal(field: Field) -> Reader:
    most = 10.0**field.length

    def read(value: Any) -> float | int:
        if type(value) not in (int, float):
            raise wrong_type("double")
        if not -most < value < most:
            raise BadValue({"maximum_length": field.length})
        return round(value, field.decimal_place or 2) if isinstance(value, float) else int(value)

    return read


def read_date(_: Field) -> Reader:
    def read(value: Any) -> str:
        try:
            return date.fromisoformat(_text(value, 10, "date")).isoformat()
        except (ValueError, BadValue):
            raise wrong_type("date") from None

    return read


def read_datetime(_: Field) -> Reader:
    def read(value: Any) -> str:
        try:
            moment = datetime.fromisoformat(_text(value, 40, "datetime"))
        except (ValueError, BadValue):
            raise wrong_type("datetime") from None
        if moment.tzinfo is None:
            raise wrong_type("datetime")
        return moment.isoformat(timespec="seconds")

    return read


def read_tags(_: Field) -> Reader:
    def read(value: Any) -> list[Json]:
        if not isinstance(value, list) or not all(isinstance(tag, dict) and tag.get("name") for tag in value):
            raise wrong_type("jsonarray")
        return [{"name": str(tag["name"]), "id": tag.get("id")} for tag in value]

    return read


def read_anything(_: Field) -> Reader:
    return lambda value: value


READERS: dict[str, Callable[[Field], Reader]] = {
    "text": read_text, "textarea": read_text, "email": read_email, "website": read_website,
    "picklist": read_picklist, "multiselectpicklist": read_choices, "boolean": read_boolean,
    "integer": read_integer, "bigint": read_bigint, "double": read_decimal, "currency": read_decimal,
    "percent": read_decimal, "date": read_date, "datetime": read_datetime,
}  # fmt: skip
