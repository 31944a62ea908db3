"""Periodic work: one never-deleted message a job, so that exactly one worker runs it, on any number of machines."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from zohosync.clock import Clock
from zohosync.db.pool import Connection, Pool, fetch_all
from zohosync.errors import ZohosyncError

log = structlog.get_logger()

# How long a job's message stays hidden while it runs; a dead worker's job is taken over after that.
LONGEST_RUN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every ``interval`` (whole seconds, at least one)."""

    name: str
    interval: timedelta
    run: Callable[[Connection], Awaitable[object]]


class Clockwork:
    """Runs the jobs whose message is visible, and pushes the message forward."""

    def __init__(self, pool: Pool, jobs: Sequence[Job], *, clock: Clock) -> None:
        self._pool = pool
        self._jobs = {job.name: job for job in jobs}
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Look once a second until stopped."""
        wound = False
        while not stop.is_set():
            try:
                if not wound:
                    await self.wind()
                    wound = True
                while await self.tick():
                    pass
            except (psycopg.Error, PoolTimeout, ZohosyncError) as error:
                log.error("clock.database", problem=str(error).strip())
            await self._clock.sleep(timedelta(seconds=1))

    async def wind(self) -> None:
        """Make sure that every job has its message."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """with added as (
                     insert into zohosync.clock_job (job) select unnest(%(jobs)s::text[])
                     on conflict (job) do nothing returning job)
                   select pgmq.send('zohosync_clock', jsonb_build_object('job', job)) from added""",
                {"jobs": list(self._jobs)},
            )

    async def tick(self) -> bool:
        """Run one due job; whether there was one."""
        async with self._pool.connection() as connection:
            due = await fetch_all(
                connection,
                "select msg_id, message ->> 'job' as job from pgmq.read('zohosync_clock', %(hidden)s, 1)",
                {"hidden": round(LONGEST_RUN.total_seconds())},
            )
            if not due:
                return False
            job = self._jobs.get(due[0]["job"])
            if job is None:  # of another release; it keeps its message
                await self._push(connection, due[0]["msg_id"], due[0]["job"], timedelta(hours=1), None)
                return True
            problem: str | None = None
            try:
                await job.run(connection)
            except (psycopg.Error, ZohosyncError) as error:
                problem = str(error).strip()
                log.error("clock.job", job=job.name, problem=problem)
            await self._push(connection, due[0]["msg_id"], job.name, job.interval, problem)
        return True

    async def _push(
        self, connection: Connection, message_id: int, job: str, interval: timedelta, problem: str | None
    ) -> None:
        await connection.execute(
            """with pushed as (select * from pgmq.set_vt('zohosync_clock', %(message)s, %(seconds)s::integer))
               update zohosync.clock_job set last_run_at = clock_timestamp(), error = %(problem)s,
                      message_id = %(message)s, next_run_at = (select vt from pushed)
                where job = %(job)s""",
            {
                "message": message_id,
                "seconds": max(1, math.ceil(interval.total_seconds())),
                "job": job,
                "problem": problem,
            },
        )
