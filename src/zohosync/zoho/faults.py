"""One fault as Zoho words it, and the error of ours that it is.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html (section "Possible Errors") and its sister pages.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from zohosync.errors import OutcomeUnknown, Refused, ScopeMissing, ZohoFailure, ZohoUnavailable

DEEPEST = 5

TRANSIENT_CODES: Mapping[str, str] = MappingProxyType(
    {
        "RECORD_LOCKED": "The record is locked in Zoho at the moment.",
        "NOT_APPROVED": "The record waits for an approval in Zoho.",
        "NOT_REVIEWED": "The record waits for a review in Zoho.",
        "ALREADY_MODIFIED": "The record was changed in Zoho at the same moment.",
        "DEPENDENT_SERVICE_ERROR": "A service Zoho depends on has trouble at the moment.",
        "TOO_MANY_REQUESTS": "Zoho asks us to slow down.",
    }
)
"""Nothing was written, and the same call may pass later."""

TROUBLE_CODES = frozenset({"INTERNAL_ERROR", "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"})


@dataclass(frozen=True)
class Fault:
    """Code, message, details and status as Zoho sent them; every part may be missing there and is never None here."""

    code: str = ""
    message: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    is_error: bool = False

    @classmethod
    def parse(cls, item: object) -> "Fault":
        """From any JSON value. ``details`` that is not an object (PHP prints an empty one as []) counts as empty."""
        if not isinstance(item, dict):
            return cls()
        code = item.get("code", "")
        if not code and isinstance(item.get("error"), str):
            code = item["error"]
        details = item.get("details")
        return cls(
            code=str(code).upper().replace("-", "_") if isinstance(code, str | int) else "",
            message=_text(item.get("message")) or _text(item.get("error_description")),
            details=dict(details) if isinstance(details, dict) else {},
            is_error=item.get("status") == "error",
        )

    def leaves(self, depth: int = 0) -> Iterator["Fault"]:
        """The single faults inside MULTIPLE_OR_MULTI_ERRORS, however deep; itself when it holds none."""
        inner = self.details.get("errors")
        if self.code == "MULTIPLE_OR_MULTI_ERRORS" and isinstance(inner, list) and inner and depth < DEEPEST:
            for item in inner:
                yield from Fault.parse(item).leaves(depth + 1)
        else:
            yield self

    @property
    def field(self) -> str:
        """API name of the field at fault; for a lookup, the lookup itself and not the id inside it."""
        path = _text(self.details.get("json_path"))
        steps = [step for step in path.replace("]", "").split(".") if step and "[" not in step and step != "$"]
        if steps:
            return steps[0]
        return _text(self.details.get("api_name")) or _text(self.details.get("param_name"))


def error_of(fault: Fault, status: int, *, safe_to_repeat: bool = False) -> ZohoFailure:
    """The error for a fault of one record, or of a request Zoho could not take."""
    leaves = list(fault.leaves())
    errors = [_error_of_leaf(leaf, status, safe_to_repeat) for leaf in leaves]
    first = min(errors, key=_weight)
    if len(errors) == 1:
        return first
    words: dict[str, Any] = {
        "hint": " ".join(dict.fromkeys(error.hint for error in errors if error.hint)),
        "code": first.reason,
        "status": status,
        "vendor_code": fault.code,
        "vendor_message": fault.message,
        "details": first.details | {"errors": [{"code": leaf.code, "details": leaf.details} for leaf in leaves]},
    }
    if isinstance(first, Refused):
        words["field"] = first.field
    return type(first)(" ".join(dict.fromkeys(error.message for error in errors)), **words)


def _weight(error: ZohoFailure) -> int:
    """Which of several faults decides: the unknown outcome, then a duplicate, then any refusal, then a wait."""
    if isinstance(error, OutcomeUnknown):
        return 0
    if error.reason == "zoho_duplicate":
        return 1
    return 2 if isinstance(error, Refused) else 3


def _error_of_leaf(fault: Fault, status: int, safe_to_repeat: bool) -> ZohoFailure:
    words: dict[str, Any] = {
        "status": status,
        "vendor_code": fault.code,
        "vendor_message": fault.message,
        "details": fault.details,
    }
    if fault.code in TRANSIENT_CODES:
        return ZohoUnavailable(
            TRANSIENT_CODES[fault.code], hint="It is tried again by itself.", code=fault.code.lower(), **words
        )
    if not fault.code or fault.code in TROUBLE_CODES:
        remedy = (
            "It is tried again by itself." if safe_to_repeat else "It is looked for in Zoho before it is sent again."
        )
        return OutcomeUnknown("Zoho did not say whether it has saved this.", hint=remedy, **words)
    code, message, hint = _sentence(fault)
    if code == "zoho_duplicate":
        words["details"] = fault.details | {"duplicate_id": duplicate_id(fault.details)}
    return Refused(message, hint=hint, code=code, field=fault.field, **words)


def duplicate_id(details: Mapping[str, Any]) -> str:
    """The other record of a DUPLICATE_DATA, in the present or the older shape; empty when Zoho does not name it."""
    other = details.get("duplicate_record")
    found = other.get("id") if isinstance(other, dict) else details.get("id")
    return str(found) if isinstance(found, str | int) else ""


def scope_missing(scopes: tuple[str, ...], **words: Any) -> ScopeMissing:
    needed = ", ".join(scopes)
    return ScopeMissing(
        f"The Zoho login lacks a permission that this call needs: {needed or 'Zoho does not say which'}.",
        hint="Connect again with `zohosync connect`; it asks for everything that is needed.",
        **words,
    )


def seconds_named(value: object) -> float | None:
    """Seconds from a header or a JSON value; None for anything that is not a sensible number of them."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and 0 <= seconds <= 86_400 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# --- sentences -------------------------------------------------------------------------------------------------------

Sentence: TypeAlias = tuple[str, str, str]
"""Our stable code, what happened, what to do about it."""


def _sentence(fault: Fault) -> Sentence:
    if fault.code == "INVALID_DATA":
        return _invalid(fault)
    known = SENTENCES.get(fault.code)
    if known is not None:
        return known(fault)
    said = f": {fault.message}" if fault.message else ""
    return (
        "zoho_refused",
        f"Zoho refused it with {fault.code}{said}.",
        "Correct the record, or the rule in Zoho, and retry.",
    )


def _invalid(fault: Fault) -> Sentence:
    """INVALID_DATA stands for a wrong type, a value too long, one outside a list, and an id that does not exist."""
    details, name = fault.details, fault.field or "A field"
    limit, expected, allowed = (details.get(k) for k in ("maximum_length", "expected_data_type", "supported_values"))
    if name == "id" or (not fault.field and ("id" in details or "resource_path_index" in details)):
        return "zoho_record_absent", "The record does not exist in Zoho (any more).", "Retry; it is made anew."
    if _text(details.get("json_path")).endswith(".id"):
        return "zoho_unknown_reference", f"{name} names a record that does not exist in Zoho.", "Correct the link."
    if limit is not None:
        return "zoho_too_long", f"{name} is longer than the {limit} characters Zoho allows.", f"Shorten {name}."
    if isinstance(allowed, list):
        values = ", ".join(str(value) for value in allowed[:10])
        return "zoho_not_in_list", f"{name} is not one of the values Zoho allows.", f"Use one of: {values}."
    if expected is not None:
        return "zoho_invalid_value", f"{name} is not a valid {expected} for Zoho.", f"Correct {name}."
    return "zoho_invalid_value", f"Zoho does not accept the value of {name}.", f"Correct {name}."


def _mandatory(fault: Fault) -> Sentence:
    name = fault.field or "A field"
    return "zoho_mandatory_missing", f"{name} is missing, and Zoho insists on it.", f"Fill in {name}."


def _duplicate(fault: Fault) -> Sentence:
    other, name = duplicate_id(fault.details), fault.field or "a unique field"
    whose = f"record {other}" if other else "another record"
    return (
        "zoho_duplicate",
        f"{whose.capitalize()} in Zoho already has this value of {name}.",
        ("Open it in Zoho: correct one of the two records, or merge them."),
    )


def _permission(fault: Fault) -> Sentence:
    wanted = fault.details.get("permissions")
    names = ", ".join(str(name) for name in wanted) if isinstance(wanted, list) and wanted else ""
    lacks = f" ({names})" if names else ""
    return (
        "zoho_no_permission",
        f"The connected Zoho user may not do this{lacks}.",
        ("Give the user's profile this permission in Zoho, or connect as another user."),
    )


def _module(_: Fault) -> Sentence:
    return (
        "zoho_unknown_module",
        "This organisation has no such module in Zoho.",
        "Check the edition and the modules in Zoho.",
    )


def _expected(fault: Fault) -> Sentence:
    wanted = fault.details.get("expected_fields")
    names = (
        [_text(item.get("api_name")) for item in wanted if isinstance(item, dict)] if isinstance(wanted, list) else []
    )
    named = ", ".join(name for name in names if name) or fault.field or "another field"
    return "zoho_mandatory_missing", f"Zoho expects {named} as well.", f"Fill in {named}."


def _limit(_: Fault) -> Sentence:
    return (
        "zoho_limit",
        "A limit of the Zoho organisation or of this call is reached.",
        ("Free some room in Zoho or raise its plan, then retry."),
    )


SENTENCES: Mapping[str, Callable[[Fault], Sentence]] = MappingProxyType(
    {
        "MANDATORY_NOT_FOUND": _mandatory,
        "REQUIRED_PARAM_MISSING": _mandatory,
        "EXPECTED_PARAM_MISSING": _mandatory,
        "DEPENDENT_FIELD_MISSING": _mandatory,
        "EXPECTED_FIELD_MISSING": _expected,
        "DUPLICATE_DATA": _duplicate,
        "DUPLICATE_LINKING_DATA": _duplicate,
        "NO_PERMISSION": _permission,
        "AUTHORIZATION_FAILED": _permission,
        "INVALID_MODULE": _module,
        "LIMIT_EXCEEDED": _limit,
        "LIMIT_REACHED": _limit,
    }
)
