"""Every error zohosync raises, and what happens next.

ZohosyncError                      code, message, hint; data the caller may act on
├── SettingsRefused                a setting is missing or unsafe: the command ends with exit code 2
├── DatabaseFailure                the database answered no, or not at all
│   ├── DatabaseUnreachable        worker: keeps trying; command: exit code 3
│   ├── PrivilegeMissing           command: exit code 4, names the missing grant
│   ├── SchemaMismatch             not installed, or newer than this program: exit code 5
│   └── ForeignCopy                this database is a copy of another installation: exit code 6
├── ShopUnreadable                 the shop's tables changed under us: work waits
├── ZohoFailure                    anything that went wrong with a call to Zoho
│   ├── ZohoUnavailable            nothing was written there: retried
│   ├── OutcomeUnknown             something may have been written there: retried, looking first
│   ├── RateLimited                Zoho or our own budget says later: waits, no attempt spent
│   ├── Refused                    Zoho can never accept this as it is: fails at once
│   ├── TokenRejected              the access token is not valid: refreshed and sent again, once
│   └── LoginLost                  no valid login: work waits until somebody reconnects
│       ├── NotConnected           nobody has connected yet
│       ├── GrantDead              the refresh token was revoked, evicted or belongs elsewhere
│       └── ScopeMissing           the grant lacks a permission this call needs
├── RecordInvalid                  the shop's record cannot be sent as it is: fails at once
├── RecordGone                     the record is no longer in the shop: skipped
├── NotReady                       something the record needs has not arrived yet: waits
└── LeaseLost                      another worker may own this operation now: this one stops quietly
"""

from datetime import timedelta
from typing import Any, ClassVar


class ZohosyncError(Exception):
    """Base of all our errors.

    ``code`` is a stable snake_case name that is documented; ``message`` says what happened, in a sentence;
    ``hint`` says what to do about it.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reason = code or self.code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class SettingsRefused(ZohosyncError):
    code = "settings_refused"
    exit_code = 2


class DatabaseFailure(ZohosyncError):
    code = "database_failure"
    exit_code = 3


class DatabaseUnreachable(DatabaseFailure):
    code = "database_unreachable"


class PrivilegeMissing(DatabaseFailure):
    code = "privilege_missing"
    exit_code = 4


class SchemaMismatch(DatabaseFailure):
    code = "schema_mismatch"
    exit_code = 5


class ForeignCopy(DatabaseFailure):
    code = "foreign_copy"
    exit_code = 6


class ShopUnreadable(ZohosyncError):
    code = "shop_unreadable"


class ZohoFailure(ZohosyncError):
    """A failed call. ``status`` is the HTTP status, ``vendor_code`` and ``vendor_message`` are Zoho's own words,
    ``details`` what Zoho said about the fault (never assumed to be an object on the wire; always a dict here)."""

    code = "zoho_failure"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str | None = None,
        status: int | None = None,
        vendor_code: str = "",
        vendor_message: str = "",
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.status = status
        self.vendor_code = vendor_code
        self.vendor_message = vendor_message
        self.details = details or {}


class ZohoUnavailable(ZohoFailure):
    code = "zoho_unavailable"


class RecordVanished(ZohoUnavailable):
    """``module`` is the API name of the module the record was in."""

    code = "record_deleted"

    def __init__(self, message: str, *, module: str, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.module = module


class OutcomeUnknown(ZohoFailure):
    code = "outcome_unknown"


class RateLimited(ZohoFailure):
    """``retry_after`` is how long to leave Zoho alone.

    ``scope`` says what ran out: minute, day, concurrency or refresh.
    """

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: timedelta, scope: str = "minute", **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retry_after = retry_after
        self.scope = scope


class Refused(ZohoFailure):
    """``field`` is the API name of the field at fault, empty when Zoho named none."""

    code = "zoho_refused"

    def __init__(self, message: str, *, field: str = "", **rest: Any) -> None:
        super().__init__(message, **rest)
        self.field = field


class TokenRejected(ZohoFailure):
    code = "token_rejected"


class LoginLost(ZohoFailure):
    code = "login_lost"


class NotConnected(LoginLost):
    code = "not_connected"


class GrantDead(LoginLost):
    code = "grant_dead"


class ScopeMissing(LoginLost):
    code = "scope_missing"


class RecordInvalid(ZohosyncError):
    code = "record_invalid"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None, field: str = "") -> None:
        super().__init__(message, hint=hint, code=code)
        self.field = field


class RecordGone(ZohosyncError):
    code = "record_gone"


class NotReady(ZohosyncError):
    """``wait_for`` names what is missing, as the database's wait reasons do: lines, parent, budget, login, shop."""

    code = "not_ready"

    def __init__(self, message: str, *, wait_for: str, hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.wait_for = wait_for


class LeaseLost(ZohosyncError):
    code = "lease_lost"
