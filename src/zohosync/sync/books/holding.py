"""Holding a record: its operation ends with what has to be corrected, and it is tried again when that changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from zohosync.db.pool import Connection
from zohosync.errors import RecordInvalid, Refused, ZohosyncError
from zohosync.gst.sale import Problem
from zohosync.queue.batch import Also, Batch
from zohosync.queue.operation import Operation, Outcome, Report
from zohosync.store.holds import drop_hold, put_hold, touch_hold


class Held(RecordInvalid):
    """The record needs a person. ``problems`` are all that were found, the most telling first."""

    code = "held"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        said = [problem.message for problem in problems]
        message = said[0] if len(said) == 1 else f"{len(said)} things are to be corrected: {' '.join(said)}"
        super().__init__(message, hint=first.hint, code=first.code, field=first.subject)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a verdict rests on: a change of either makes the record worth another try."""

    digest: str
    policies: str


async def finish(
    batch: Batch,
    operation: Operation,
    report: Report,
    judged: Judged | None,
    error: ZohosyncError | None = None,
    also: Also | None = None,
) -> None:
    """End an operation and keep its hold in step, in one transaction with what ``also`` writes."""

    async def write(connection: Connection, held: set[int]) -> None:
        if also is not None:
            await also(connection, held)
        if isinstance(error, RecordInvalid | Refused) and judged is not None:
            await put_hold(
                connection,
                kind=operation.kind,
                entity=operation.entity,
                record_id=operation.record_id,
                operation_id=operation.operation_id,
                codes=codes_of(error),
                digest=judged.digest,
                policies=judged.policies,
            )
        elif report.outcome is Outcome.FAILED and judged is not None:  # another failure: the same change is no reason
            await touch_hold(
                connection,
                kind=operation.kind,
                entity=operation.entity,
                record_id=operation.record_id,
                digest=judged.digest,
                policies=judged.policies,
            )
        elif error is None or report.outcome is Outcome.SKIPPED:
            await drop_hold(connection, kind=operation.kind, entity=operation.entity, record_id=operation.record_id)

    await batch.finish([report], write)


def codes_of(error: ZohosyncError) -> list[str]:
    """The reason codes of an error, as people filter by them."""
    if isinstance(error, Held):
        return [problem.name for problem in error.problems]
    return [error.reason]
