"""From an error to what becomes of the operation. Pure."""

from datetime import datetime, timedelta
from typing import Any

from zohosync.errors import (
    LoginLost,
    NotReady,
    RateLimited,
    RecordGone,
    RecordInvalid,
    Refused,
    ShopUnreadable,
    ZohoFailure,
    ZohosyncError,
)
from zohosync.queue.operation import Operation, Outcome, Report, RetryPolicy, WaitReason

SHOP_CHECK = timedelta(minutes=1)
# What a wait that never ended is called, and what to do about it.
WAIT_ENDINGS = {
    WaitReason.LINES: ("lines_never_came", "Its lines did not arrive in {patience}.", "Add them, then press Sync now."),
    WaitReason.PARENT: ("parent_never_came", "What it depends on was not ready in {patience}.", "Sync that first."),
    WaitReason.BUDGET: (
        "budget_never_came",
        "Zoho's API limit left no room for it in {patience}.",
        "Raise the limit or lower the traffic of other integrations, then press Sync now.",
    ),
    WaitReason.LOGIN: (
        "login_never_came",
        "Zoho stayed disconnected for {patience}.",
        "Reconnect, then press Sync now.",
    ),
    WaitReason.SHOP: (
        "shop_stayed_unreadable",
        "The shop's tables could not be read for {patience}.",
        "Correct the adapter, run `zohosync install`, then press Sync now.",
    ),
}


def decide_report(
    error: BaseException,
    operation: Operation,
    policy: RetryPolicy,
    *,
    now: datetime,
    jitter: float,
    progress: bool = False,
    digest: str | None = None,
) -> Report:
    """What an error means for one operation.

    ``jitter`` is a number in [0, 1) that spreads retries by ±20 %. A wait costs no attempt; a refusal ends at once;
    everything else is retried until the budget is spent. ``progress`` says that a step succeeded before the error.
    """
    wait = _wait_of(error, operation, policy, now)
    if wait is not None:
        return _decide_wait(error, operation, policy, wait, now, progress, digest)
    if isinstance(error, RecordGone):
        return Report(operation.operation_id, Outcome.SKIPPED, spent=False, **_words(error), action="gone")
    if isinstance(error, Refused | RecordInvalid):
        return Report(operation.operation_id, Outcome.FAILED, progress=progress, digest=digest, **_words(error))
    tries = 1 if progress else operation.attempt + 1
    if tries > policy.limit:
        return Report(operation.operation_id, Outcome.FAILED, digest=digest, **_words(error))
    return Report(
        operation.operation_id,
        Outcome.RETRYING,
        progress=progress,
        delay=retry_delay(policy, tries, jitter).total_seconds(),
        digest=None,
        **_words(error),
    )


def retry_delay(policy: RetryPolicy, tries: int, jitter: float) -> timedelta:
    """How long to wait after ``tries`` failed tries: base x factor^(tries-1), ±20 %."""
    return policy.base * policy.factor ** (tries - 1) * (0.8 + 0.4 * jitter)


def _wait_of(
    error: BaseException, operation: Operation, policy: RetryPolicy, now: datetime
) -> tuple[WaitReason, timedelta] | None:
    if isinstance(error, RateLimited):
        return WaitReason.BUDGET, max(error.retry_after, policy.shortest_wait)
    if isinstance(error, LoginLost):
        return WaitReason.LOGIN, _growing_wait(operation, policy, now)
    if isinstance(error, ShopUnreadable):
        return WaitReason.SHOP, SHOP_CHECK
    if isinstance(error, NotReady):
        return WaitReason(error.wait_for), _growing_wait(operation, policy, now)
    return None


def _growing_wait(operation: Operation, policy: RetryPolicy, now: datetime) -> timedelta:
    """Looks again soon at first, then after as long as it has already waited."""
    waited = now - operation.waiting_since if operation.waiting_since else timedelta()
    return min(max(waited, policy.shortest_wait), policy.longest_wait)


def _decide_wait(
    error: BaseException,
    operation: Operation,
    policy: RetryPolicy,
    wait: tuple[WaitReason, timedelta],
    now: datetime,
    progress: bool,
    digest: str | None,
) -> Report:
    reason, delay = wait
    patience = policy.lines_patience if reason is WaitReason.LINES else policy.wait_patience
    if operation.waiting_since is not None and now - operation.waiting_since >= patience:
        code, message, hint = WAIT_ENDINGS[reason]
        return Report(
            operation.operation_id,
            Outcome.FAILED,
            spent=False,
            error_code=code,
            error_message=message.format(patience=_spoken(patience)),
            error_hint=hint,
            digest=digest,
        )
    return Report(
        operation.operation_id,
        Outcome.WAITING,
        spent=False,
        progress=progress,
        delay=delay.total_seconds(),
        wait_reason=reason,
        **_words(error),
    )


def _spoken(duration: timedelta) -> str:
    if duration >= timedelta(days=2):
        return f"{duration.days} days"
    minutes = duration.total_seconds() / 60
    return f"{minutes:g} minutes" if minutes >= 1 else f"{duration.total_seconds():g} seconds"


def _words(error: BaseException) -> dict[str, Any]:
    if not isinstance(error, ZohosyncError):
        return {
            "error_code": "unexpected_error",
            "error_message": f"Something unforeseen happened: {type(error).__name__}: {error}"[:1000],
            "error_hint": "The worker's log has the details; please report it.",
        }
    words: dict[str, Any] = {
        "error_code": error.reason,
        "error_message": error.message,
        "error_hint": error.hint or None,
        "error_field": getattr(error, "field", None) or None,
    }
    if isinstance(error, ZohoFailure):
        words["http_status"] = error.status
        words["vendor_code"] = error.vendor_code or None
        words["response"] = {"code": error.vendor_code, "message": error.vendor_message, "details": error.details}
    return words
