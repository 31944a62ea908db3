"""What the requests of CRM have in common: checks before sending, and reading the one thing that was asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from zohosync.errors import Refused
from zohosync.zoho.protocol import Json, Reply, Request

MOST_RECORDS = 100


def read(path: str, *needed: str) -> Request:
    """A GET, with the scopes it needs."""
    return Request("GET", path, scopes=needed)


def listed(records: Sequence[Mapping[str, Any]]) -> list[Json]:
    """1 to 100 records; ValueError for any other number."""
    if not 1 <= len(records) <= MOST_RECORDS:
        raise ValueError(f"one call takes 1 to {MOST_RECORDS} records, not {len(records)}")
    return [dict(record) for record in records]


def checked_id(record_id: str) -> str:
    """Digits only, so that no id can become another path; ValueError for anything else."""
    if not (record_id.isascii() and record_id.isdecimal()):
        raise ValueError(f"{record_id!r} is not a Zoho id")
    return record_id


def only(reply: Reply, key: str) -> Json:
    """The first row; Refused when there is none."""
    rows = reply.rows(key)
    if not rows:
        raise Refused(f"Zoho answered without {key}.", hint="Check the permissions of the connected user.")
    return rows[0]


def more_follow(reply: Reply) -> bool:
    """Whether Zoho says that another page follows."""
    info = reply.body.get("info")
    return isinstance(info, dict) and info.get("more_records") is True
