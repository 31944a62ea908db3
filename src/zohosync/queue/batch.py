"""A claimed batch: the operations one worker may run now, and the only way to end them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from zohosync.clock import Clock
from zohosync.db.pool import Connection, Pool
from zohosync.errors import LeaseLost
from zohosync.queue import lanes
from zohosync.queue.observer import Tell, tell_nobody
from zohosync.queue.operation import Operation, Report

Also = Callable[[Connection, set[int]], Awaitable[None]]
Judge = Callable[[BaseException, Operation, "Batch"], Report]


class Lease:
    """The time a claim is ours. Whoever is about to write to Zoho asks ``check`` first: past the deadline another
    worker may have taken over."""

    def __init__(self, clock: Clock, duration: timedelta) -> None:
        self._clock = clock
        self._duration = duration.total_seconds()
        self._until = clock.monotonic() + self._duration
        self._lost = False

    @property
    def duration(self) -> timedelta:
        """How long others leave the claim alone without a sign of life."""
        return timedelta(seconds=self._duration)

    def renew(self, asked_at: float) -> None:
        """The database hid the messages again, no earlier than ``asked_at`` (monotonic seconds)."""
        self._until = asked_at + self._duration

    def give_up(self) -> None:
        """Another worker took over."""
        self._lost = True

    def check(self, needed: timedelta = timedelta()) -> None:
        """LeaseLost unless the claim is surely still ours for the time ``needed``, such as that of one call."""
        if self._lost or self._clock.monotonic() + needed.total_seconds() >= self._until:
            raise LeaseLost("This worker was too slow to keep its claim; another one may have taken over.")


class Batch:
    """Operations of one kind under one claim. ``open`` are those without a report yet."""

    def __init__(
        self,
        operations: Sequence[Operation],
        *,
        claim_id: UUID,
        lease: Lease,
        pool: Pool,
        worker: str,
        judge: Judge,
        longest_hidden: float = 60.0,
        tell: Tell = tell_nobody,
    ) -> None:
        self.operations = tuple(operations)
        self.lease = lease
        self.pool = pool
        self._claim_id = claim_id
        self._worker = worker
        self._judge = judge
        self._longest_hidden = longest_hidden
        self._tell = tell
        self._open = {operation.operation_id: operation for operation in operations}
        self.progressed: set[int] = set()
        self.digests: dict[int, str] = {}
        self.labels: dict[int, str] = {}
        self.warnings: dict[int, list[str]] = {}

    @property
    def open(self) -> list[Operation]:
        return list(self._open.values())

    def part(self, operations: Sequence[Operation]) -> "Batch":
        """A smaller batch under the same claim."""
        smaller = Batch(
            operations,
            claim_id=self._claim_id,
            lease=self.lease,
            pool=self.pool,
            worker=self._worker,
            judge=self._judge,
            longest_hidden=self._longest_hidden,
            tell=self._tell,
        )
        smaller.progressed = self.progressed
        smaller.digests = self.digests
        smaller.labels = self.labels
        smaller.warnings = self.warnings
        return smaller

    def note_record(self, operation: Operation, *, digest: str, label: str | None) -> None:
        """What the shop's record looked like when it was read, and what people call it; kept with whatever becomes of
        the operation."""
        self.digests[operation.operation_id] = digest
        if label:
            self.labels[operation.operation_id] = label

    def note_progress(self, operation: Operation) -> None:
        """A step succeeded: an error after it starts a fresh budget of tries."""
        self.progressed.add(operation.operation_id)

    def warn(self, operation: Operation, *warnings: str) -> None:
        """What had to be left out on the way; kept with whatever becomes of the operation."""
        self.warnings.setdefault(operation.operation_id, []).extend(warnings)

    def judge(self, error: BaseException, operation: Operation) -> Report:
        """What an error means for one operation of this batch."""
        return replace(self._judge(error, operation, self), label=self.labels.get(operation.operation_id))

    async def finish(self, reports: Sequence[Report], also: Also | None = None) -> set[int]:
        """End attempts in one transaction, together with what ``also`` writes for the operations still held.

        Operations another worker has taken over are left to it. Returns the ids that were ended.
        """
        if not reports:
            return set()
        reports = [self._with_warnings(report) for report in reports]
        async with self.pool.connection() as connection, connection.transaction():
            held = await lanes.finish(
                connection, self._claim_id, self._worker, reports, longest_hidden=self._longest_hidden
            )
            if also is not None and held:
                await also(connection, held)
        for report in reports:
            operation = self._open.pop(report.operation_id, None)
            if operation is not None and report.operation_id in held:
                self._tell(operation, report)
        return held

    def _with_warnings(self, report: Report) -> Report:
        noted = self.warnings.get(report.operation_id)
        return replace(report, warnings=tuple(dict.fromkeys((*report.warnings, *noted)))) if noted else report
