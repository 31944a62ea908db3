"""What would become of records if they were synced now: the shapes in which a stream answers. Nothing is sent."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from zohosync.db.pool import Connection
from zohosync.errors import ZohosyncError
from zohosync.queue.operation import Cause, Lane, Operation


class Section(StrEnum):
    """What a finding means for its record, gravest first. From ``LINKED`` on the record is fine."""

    REFUSED = "refused"
    SHARED_EMAIL = "shared_email"  # refused, because another customer has the address
    WAITING = "waiting"
    WARNED = "warned"  # sent, with a value left out or changed
    LINKED = "already_linked"
    NAMESAKE = "namesake"


HARMLESS = frozenset({Section.LINKED, Section.NAMESAKE})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth telling of one record. ``code`` is stable; ``field`` is Zoho's name, or empty."""

    section: Section
    code: str
    message: str
    hint: str = ""
    field: str = ""

    @classmethod
    def of_error(cls, section: Section, error: ZohosyncError) -> "Finding":
        return cls(section, error.reason, error.message, error.hint, getattr(error, "field", ""))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One record looked at; without findings it would simply be sent."""

    record_id: str
    label: str
    findings: tuple[Finding, ...]


class Verdict(StrEnum):
    """What would become of one record."""

    SENT = "sent"
    IDENTICAL = "identical"  # Zoho accepted exactly this before: no call is made
    OUT_OF_SCOPE = "out_of_scope"
    NOT_DUE = "not_due"  # there is nothing to be made of it now; a warning says why
    GONE = "gone"
    REFUSED = "refused"
    WAITS = "waits"


class Decision(StrEnum):
    """How one record of Zoho would be written."""

    CREATE = "create"
    UPDATE = "update"
    LOOK_FIRST = "look_first"
    IDENTICAL = "identical"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field whose value is not what Zoho accepted last; ``last`` is None when it had none from us."""

    field: str
    last: Any
    now: Any


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One request as it would leave; ``content`` is its body, byte for byte, None when it has none; ``headers`` are its
    own, beside those of every call."""

    purpose: str
    method: str
    path: str
    params: Mapping[str, str]
    content: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one record of Zoho. Calls are in order; later ones may depend on what a look finds."""

    module: str
    decision: Decision
    zoho_id: str | None
    calls: tuple[PlannedCall, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What one stream would do with one record. ``problem`` says why it would be refused or would wait; ``steps`` are
    taken all the same as far as they are listed."""

    verdict: Verdict
    label: str = ""
    problem: ZohosyncError | None = None
    warnings: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()


class Foresight(Protocol):
    """A stream's answers. It reads the shop and our tables through the caller's transaction, and writes nothing."""

    @property
    def shortcoming(self) -> str | None:
        """What could not be asked of Zoho, in a sentence."""
        ...

    def rehearse(
        self, connection: Connection, entity: str, pages: AsyncIterator[Sequence[str]]
    ) -> AsyncIterator[Foreseen]:
        """Each record of the pages that is in scope, looked at beside all before it."""
        ...

    async def preview(self, connection: Connection, entity: str, record_id: str) -> Preview:
        """What would be sent for one record."""
        ...


Foresee = Callable[[], Awaitable[Foresight]]
"""Reads from Zoho what a foresight needs: at most the metadata of fields."""


def as_if_asked(kind: str, entity: str, record_id: str) -> Operation:
    """The operation *Sync now* would make, which nobody made."""
    return Operation(
        operation_id=0,
        kind=kind,
        lane=Lane.PEOPLE,
        entity=entity,
        record_id=record_id,
        cause=Cause.MANUAL,
        attempt=0,
        waiting_since=None,
        label=None,
    )
