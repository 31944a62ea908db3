"""How single values of Books are read.

Numbers and booleans come as "" when they are blank, and as text or number in one field: all shapes are read.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from zohosync.zoho.protocol import Json


def text(row: Json, *names: str) -> str:
    """The first of the fields that holds a text or an id; empty when none does."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def yes(row: Json, name: str) -> bool:
    """Whether it is true, told as a boolean or as a word."""
    return str(row.get(name)).lower() == "true"


def number(row: Json, *names: str) -> Decimal:
    """The number in the first of the fields that holds one, zero when all are blank."""
    return find_number(row, *names) or Decimal(0)


def find_number(row: Json, *names: str) -> Decimal | None:
    """The number in the first of the fields that holds one; None when all are blank or hold something else."""
    for name in names:
        value = row.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal) or value == "":
            continue
        try:
            told = Decimal(str(value))
        except InvalidOperation:
            continue
        if told.is_finite():
            return told
    return None


def day(row: Json, name: str) -> date | None:
    """The business date; None when it is blank or none."""
    try:
        return date.fromisoformat(text(row, name)[:10])
    except ValueError:
        return None


def moment(told: str) -> datetime | None:
    """An instant as Books writes it, 2026-08-01T12:44:26+0530; None for anything else, a time without zone too."""
    try:
        instant = datetime.fromisoformat(told)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def is_older(row: Mapping[str, object], since: datetime) -> bool:
    """Whether a row tells that it was changed before the second of ``since``; one without a time is not older."""
    changed = moment(str(row.get("last_modified_time") or ""))
    return changed is not None and changed < since.replace(microsecond=0)


def inner(row: Json, name: str) -> Json:
    """The object in the field; {} when there is none."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def objects(row: Json, name: str) -> list[Json]:
    """The objects of the list in the field; [] when there is none."""
    value = row.get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def custom_values(row: Json) -> Mapping[str, str]:
    """API names of custom fields and their values, blank ones left out.

    Books tells them in three shapes: a list in a record read by itself, ``custom_field_hash`` in documents, and
    ``cf_x`` with ``cf_x_unformatted`` in rows of lists. What people see is formatted; the plain value wins.
    """
    flat = row | inner(row, "custom_field_hash")
    names = [name for name in flat if name.startswith("cf_") and not name.endswith("_unformatted")]
    found = {name: text(flat, f"{name}_unformatted", name) for name in names}
    found |= {text(entry, "api_name"): text(entry, "value") for entry in objects(row, "custom_fields")}
    return {name: value for name, value in found.items() if name and value}
