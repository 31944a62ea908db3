"""What became of each record of a write.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from zohosync.errors import ZohoFailure
from zohosync.zoho.faults import Fault, error_of

Action: TypeAlias = Literal["insert", "update", ""]


@dataclass(frozen=True)
class RecordResult:
    """``id`` is the record in Zoho, empty when it failed. ``action`` tells insert from update for an upsert and is
    empty elsewhere; ``duplicate_field`` cannot tell them apart. ``error`` is a Refused, a ZohoUnavailable (nothing was
    written, try later) or an OutcomeUnknown."""

    ok: bool
    id: str = ""
    action: Action = ""
    duplicate_field: str | None = None
    error: ZohoFailure | None = None


def result_of(item: object, status: int, *, safe_to_repeat: bool) -> RecordResult:
    """Judge one entry by itself: the HTTP status of the whole answer is only a hint."""
    fault = Fault.parse(item)
    found = fault.details.get("id")
    if not isinstance(item, dict) or item.get("status") != "success" or not isinstance(found, str | int):
        # A success that names no record is not one we could build on.
        told = fault if fault.is_error else Fault(message=fault.message, details=fault.details)
        return RecordResult(ok=False, error=error_of(told, status, safe_to_repeat=safe_to_repeat))
    action, duplicate = item.get("action"), item.get("duplicate_field")
    return RecordResult(
        ok=True,
        id=str(found),
        action=action if action in ("insert", "update") else "",
        duplicate_field=duplicate if isinstance(duplicate, str) else None,
    )
