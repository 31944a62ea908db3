"""One record's requests, shown before they are sent: the same drafts and the same bytes as the push."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zohosync.db.pool import Pool, snapshot
from zohosync.errors import NotReady, ZohosyncError
from zohosync.queue.foresight import Decision, Difference, Finding, PlannedCall, Preview, Section, Step, Verdict
from zohosync.queue.operation import Stream
from zohosync.store.links import Link
from zohosync.zoho.fields import Warned
from zohosync.zoho.protocol import Request


@dataclass(frozen=True, slots=True)
class StreamPreview:
    """What one stream would do. ``shortcoming`` says what could not be asked of Zoho."""

    kind: str
    preview: Preview
    shortcoming: str | None


async def preview_record(pool: Pool, streams: Sequence[Stream], entity: str, record_id: str) -> list[StreamPreview]:
    """What each stream of the entity would do with the record now. Zoho is asked for metadata at most; the shop and our
    tables are read in one read-only transaction."""
    foreseers = [(s.kind, await s.foresee()) for s in streams if s.foresee is not None and entity in s.entities]
    async with pool.connection() as connection, snapshot(connection):
        return [
            StreamPreview(kind, await foresight.preview(connection, entity, record_id), foresight.shortcoming)
            for kind, foresight in foreseers
        ]


def verdict_of(problem: ZohosyncError | None, steps: Sequence[Step]) -> Verdict:
    """What a record comes to, from what stands in its way and from its steps."""
    if problem is not None:
        return Verdict.WAITS if isinstance(problem, NotReady) else Verdict.REFUSED
    same = all(step.decision is Decision.IDENTICAL for step in steps)
    return Verdict.IDENTICAL if same else Verdict.SENT


def planned(purpose: str, request: Request) -> PlannedCall:
    """A request for people: exactly what would leave."""
    own = dict(request.own_headers)
    return PlannedCall(purpose, request.method, request.path, dict(request.params), request.content(), own)


def warned(warnings: Iterable[Warned]) -> tuple[Finding, ...]:
    return tuple(Finding(Section.WARNED, w.code, w.message, w.hint, w.field) for w in warnings)


def compare(payload: Mapping[str, Any], link: Link | None) -> tuple[Difference, ...]:
    """What differs from the payload Zoho accepted last. What is not sent stays there as it is, and is no difference."""
    agreed = (link.payload if link else None) or {}
    return tuple(Difference(name, agreed.get(name), now) for name, now in payload.items() if agreed.get(name) != now)
