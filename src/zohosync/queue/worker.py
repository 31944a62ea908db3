"""The worker's loop: take changes in, claim by lane, run batches, end what is left."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from zohosync.clock import Clock
from zohosync.db.listen import Listener
from zohosync.db.pool import Pool
from zohosync.errors import (
    DatabaseFailure,
    LeaseLost,
    LoginLost,
    NotReady,
    OutcomeUnknown,
    RateLimited,
    ShopUnreadable,
    TokenRejected,
    ZohoUnavailable,
)
from zohosync.queue import lanes
from zohosync.queue.batch import Batch, Lease
from zohosync.queue.observer import Ended, Observer, Unobserved
from zohosync.queue.operation import Lane, Operation, Outcome, Report, RetryPolicy, Stream
from zohosync.queue.outcome import decide_report

log = structlog.get_logger()

CHANNELS = ("zohosync_changes", "zohosync_work")
# Errors that say nothing about a single record: they are true for every operation of the batch.
OF_THE_WHOLE = (ZohoUnavailable, OutcomeUnknown, RateLimited, LoginLost, TokenRejected, ShopUnreadable, NotReady)
DATABASE_TROUBLE = (psycopg.Error, PoolTimeout, DatabaseFailure)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How one worker behaves. ``grace`` is how long a stop waits for running batches."""

    visibility: timedelta = timedelta(seconds=30)
    poll: timedelta = timedelta(seconds=5)
    concurrency: int = 4
    batch_limit: int = 100
    grace: timedelta = timedelta(seconds=20)
    longest_hidden: timedelta = timedelta(seconds=60)

    @property
    def visibility_seconds(self) -> int:
        """pgmq counts whole seconds."""
        return max(1, round(self.visibility.total_seconds()))


class Worker:
    """Runs operations until told to stop. Any number may run, in any number of processes."""

    def __init__(
        self,
        pool: Pool,
        streams: Sequence[Stream],
        *,
        listener: Listener,
        clock: Clock,
        name: str,
        policy: RetryPolicy | None = None,
        options: WorkerOptions | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._pool = pool
        self._streams: Mapping[str, Stream] = {stream.kind: stream for stream in streams}
        self._lanes = [lane for lane in Lane if any(stream.lane is lane for stream in streams)]
        self._listener = listener
        self._clock = clock
        self._name = name
        self._policy = policy or RetryPolicy()
        self._options = options or WorkerOptions()
        # What is done one by one is claimed one by one: the others of a larger claim would wait for their turn while
        # this worker, or another one, has room.
        self._claim_sizes = {
            lane: min(self._options.batch_limit, max(stream.batch_size for stream in streams if stream.lane is lane))
            for lane in self._lanes
        }
        self._observer = observer or Unobserved()
        self._running: set[asyncio.Task[None]] = set()
        self._leases: dict[UUID, Lease] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; then finish what runs, within the grace, and give back the rest."""
        heart = asyncio.create_task(self._beat())
        pause = timedelta(seconds=0.5)
        try:
            while not stop.is_set():
                try:
                    if not await self.turn():
                        await self._rest(stop)
                    pause = timedelta(seconds=0.5)
                except DATABASE_TROUBLE as error:
                    log.error("worker.database", problem=str(error).strip(), again_in=pause.total_seconds())
                    await self._clock.sleep(pause)
                    pause = min(pause * 2, timedelta(seconds=15))
        finally:
            await self._wind_down()
            heart.cancel()
            with suppress(asyncio.CancelledError):
                await heart

    async def turn(self) -> bool:
        """Take in and claim once; whether there may be more to do at once."""
        more = False
        async with self._pool.connection() as connection:
            taken = await lanes.take_in(connection, self._streams.values(), self._options.batch_limit)
            more = taken > 0
            for lane in self._lanes:
                if len(self._running) >= self._room_for(lane):
                    # Lanes stand in order of right of way: where this one has no room, no later one has.
                    self._observer.turned()
                    return False
                claim_id = uuid4()
                asked_at = self._clock.monotonic()
                operations = await lanes.claim(
                    connection,
                    lane,
                    claim_id=claim_id,
                    most=self._claim_sizes[lane],
                    visibility=self._options.visibility_seconds,
                    worker=self._name,
                )
                if operations:
                    self._observer.claimed(operations)
                    self._start(claim_id, operations, asked_at)
                    more = True
        self._observer.turned()
        return more

    def _room_for(self, lane: Lane) -> int:
        """How many claims may run before one of this lane begins. The last place is kept for the first lane, so that an
        order never waits behind long work of others."""
        most = self._options.concurrency
        return most if lane is self._lanes[0] or most == 1 else most - 1

    def _start(self, claim_id: UUID, operations: Sequence[Operation], asked_at: float) -> None:
        lease = Lease(self._clock, self._options.visibility)
        lease.renew(asked_at)
        self._leases[claim_id] = lease
        task = asyncio.create_task(self._run_claim(claim_id, operations, lease))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._listener.woken.set()  # a slot is free

    async def _run_claim(self, claim_id: UUID, operations: Sequence[Operation], lease: Lease) -> None:
        try:
            for kind in dict.fromkeys(operation.kind for operation in operations):
                mine = [operation for operation in operations if operation.kind == kind]
                size = self._streams[kind].batch_size if kind in self._streams else len(mine)
                for start in range(0, len(mine), size):
                    await self._run_batch(
                        kind,
                        Batch(
                            mine[start : start + size],
                            claim_id=claim_id,
                            lease=lease,
                            pool=self._pool,
                            worker=self._name,
                            judge=self._report,
                            longest_hidden=self._options.longest_hidden.total_seconds(),
                            tell=partial(self._tell, self._clock.monotonic()),
                        ),
                    )
        except Exception as error:
            # Reporting itself failed. The messages reappear when their visibility ends.
            log.error("claim.failed", claim=str(claim_id), problem=str(error).strip(), exc_info=error)
        finally:
            self._leases.pop(claim_id, None)

    async def _run_batch(self, kind: str, batch: Batch) -> None:
        """Run one handler. The only place that catches everything: whatever goes wrong ends in a report."""
        try:
            if kind not in self._streams:
                raise NotReady(
                    f"This worker does not know {kind}; it waits for one of a newer release.", wait_for="parent"
                )
            await self._streams[kind].handler(batch)
            if batch.open:
                raise RuntimeError(f"the handler of {kind} left operations without a report")
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(batch))
            raise
        except LeaseLost as error:
            log.warning("batch.lease_lost", kind=kind, operations=len(batch.open), problem=error.message)
            await self._give_back(batch)  # changes nothing when another worker has them already
        except (psycopg.OperationalError, PoolTimeout, DatabaseFailure) as error:
            log.error("batch.database", kind=kind, operations=len(batch.open), problem=str(error).strip())
            lost = ShopUnreadable(
                f"The database did not answer: {str(error).strip()}", hint="It is tried again by itself."
            )
            with suppress(*DATABASE_TROUBLE):  # else the messages reappear when their visibility ends
                await batch.finish([batch.judge(lost, operation) for operation in batch.open])
        except Exception as error:
            await self._recover(kind, batch, error)

    async def _recover(self, kind: str, batch: Batch, error: Exception) -> None:
        """One bad record never holds up its batch: halve until it is alone."""
        open_operations = batch.open
        if len(open_operations) > 1 and not isinstance(error, OF_THE_WHOLE):
            half = len(open_operations) // 2
            await self._run_batch(kind, batch.part(open_operations[:half]))
            await self._run_batch(kind, batch.part(open_operations[half:]))
            return
        if not isinstance(error, OF_THE_WHOLE):
            log.warning("operation.error", kind=kind, problem=repr(error), exc_info=error)
        await batch.finish([batch.judge(error, operation) for operation in open_operations])

    def _report(self, error: BaseException, operation: Operation, batch: Batch) -> Report:
        return decide_report(
            error,
            operation,
            self._policy,
            now=self._clock.now(),
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
            progress=operation.operation_id in batch.progressed,
            digest=batch.digests.get(operation.operation_id),
        )

    def _tell(self, began: float, operation: Operation, report: Report) -> None:
        """One event of the log and one call of the observer for each attempt that ended."""
        took = timedelta(seconds=self._clock.monotonic() - began)
        waited = self._clock.now() - operation.requested_at if operation.requested_at else None
        fields = {
            "operation_id": operation.operation_id,
            "kind": operation.kind,
            "entity": operation.entity,
            "outcome": report.outcome.value,
            "attempt": operation.attempt + 1,
            "seconds": round(took.total_seconds(), 3),
        }
        if report.error_code:
            fields["error_code"] = report.error_code
        if report.wait_reason:
            fields["wait_reason"] = report.wait_reason.value
        (log.warning if report.outcome is Outcome.FAILED else log.info)("operation.ended", **fields)
        self._observer.ended(Ended(operation, report, took, waited))

    async def _give_back(self, batch: Batch) -> None:
        with suppress(*DATABASE_TROUBLE):
            await batch.finish([Report(one.operation_id, Outcome.RELEASED, spent=False) for one in batch.open])

    async def settle(self) -> None:
        """Wait for the batches that run now."""
        if self._running:
            await asyncio.wait(set(self._running))

    async def _rest(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        waking = asyncio.create_task(self._listener.wait(self._options.poll))
        await asyncio.wait({stopping, waking}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, waking):
            task.cancel()

    async def _beat(self) -> None:
        """Keep the claims of running batches hidden from others."""
        while True:
            await self._clock.sleep(self._options.visibility / 3)
            for claim_id, lease in list(self._leases.items()):
                asked_at = self._clock.monotonic()
                with suppress(*DATABASE_TROUBLE):
                    async with self._pool.connection() as connection:
                        held = await lanes.extend(connection, claim_id, self._options.visibility_seconds)
                    if held or claim_id not in self._leases:
                        lease.renew(asked_at)
                    else:
                        lease.give_up()

    async def _wind_down(self) -> None:
        if not self._running:
            return
        _, late = await asyncio.wait(set(self._running), timeout=self._options.grace.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
