"""What the queue carries: operations, the reports that end their attempts, and the streams they belong to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zohosync.queue.batch import Batch
    from zohosync.queue.foresight import Foresee


class Status(StrEnum):
    """Every status an operation can have, as the database's type ``operation_status`` lists them."""

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How an attempt ends."""

    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    RETRYING = "retrying"
    WAITING = "waiting"
    RELEASED = "released"  # given back untouched, by a worker that stops


class Cause(StrEnum):
    """Why an operation exists, as ``operation_cause`` lists them."""

    CHANGE = "change"
    MANUAL = "manual"
    WEBHOOK = "webhook"
    SWEEP = "sweep"
    RECONCILE = "reconcile"
    DEPENDENCY = "dependency"


class Lane(StrEnum):
    """The lanes, in order of right of way."""

    SALES = "sales"
    STOCK = "stock"
    PEOPLE = "people"
    BULK = "bulk"


class WaitReason(StrEnum):
    """What an operation can wait for, as ``wait_reason`` lists them."""

    LINES = "lines"
    PARENT = "parent"
    BUDGET = "budget"
    LOGIN = "login"
    SHOP = "shop"


@dataclass(frozen=True, slots=True)
class Operation:
    """One claimed operation. ``attempt`` counts the tries already spent; ``waiting_since`` is set once it waited;
    ``deaths`` counts the workers that died on it since one came to an end with it."""

    operation_id: int
    kind: str
    lane: Lane
    entity: str
    record_id: str
    cause: Cause
    attempt: int
    waiting_since: datetime | None
    label: str | None
    requested_at: datetime | None = None
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """How one attempt of one operation ended; the fields are those of the database's type ``attempt_report``.

    ``spent``: it counts against the retry budget. ``progress``: it renewed that budget. ``delay``: seconds until an
    open operation is due. ``digest``: what the shop's record looked like when it was read. ``request`` and
    ``response`` are kept for people and must hold no secret.
    """

    operation_id: int
    outcome: Outcome
    spent: bool = True
    progress: bool = False
    delay: float | None = None
    wait_reason: WaitReason | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_hint: str | None = None
    error_field: str | None = None
    http_status: int | None = None
    vendor_code: str | None = None
    warnings: Sequence[str] = ()
    zoho_module: str | None = None
    zoho_id: str | None = None
    action: str | None = None
    label: str | None = None
    digest: str | None = None
    request: Any = None
    response: Any = None

    def as_json(self) -> dict[str, Any]:
        """The report as one element of the array that ``zohosync.finish`` takes; absent fields are left out."""
        named = ((entry.name, getattr(self, entry.name)) for entry in fields(self))
        return {name: value for name, value in named if value is not None and value != ()}


Handler = Callable[["Batch"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of work: which entities of the shop feed it, its lane, its batch size and who does it.

    The handler ends each operation of its batch with ``batch.finish``; what it leaves, or raises, the worker ends.
    ``foresee`` tells what it would do, without doing it.
    """

    kind: str
    lane: Lane
    entities: tuple[str, ...]
    handler: Handler
    batch_size: int = 1
    foresee: "Foresee | None" = None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The budget of tries and patience; durations as settings give them."""

    base: timedelta = timedelta(seconds=15)
    factor: float = 4.0
    limit: int = 5
    lines_patience: timedelta = timedelta(minutes=30)
    wait_patience: timedelta = timedelta(days=7)
    shortest_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = field(default=timedelta(minutes=5))
