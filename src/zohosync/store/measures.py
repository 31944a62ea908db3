"""Figures about the sync as a whole, for machines that watch it: the same on every process.

Every query is bounded, and reads few rows at a million operations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg

from zohosync.db.pool import Connection, Pool, explain, fetch_all, fetch_one
from zohosync.errors import SchemaMismatch

COUNT_LIMIT = 10_000
MOST_FAILURES = 50
PATIENCE = timedelta(seconds=3)
STATES = ("connected", "needs_reauth", "disconnected")


@dataclass(frozen=True)
class LaneMeasure:
    """Open operations of one lane and status, at most COUNT_LIMIT; ``oldest`` in seconds, None when there are none."""

    lane: str
    status: str
    operations: int
    oldest: float | None


@dataclass(frozen=True)
class FailureMeasure:
    """Failures nobody cured; past the most frequent ones, kind and code are ``other``."""

    kind: str
    error_code: str
    operations: int


@dataclass(frozen=True)
class JobMeasure:
    """One job of the clock. ``late`` in seconds, 0 when it is not due; ``failed``: its last run ended with an error."""

    job: str
    late: float
    failed: bool


@dataclass(frozen=True)
class BudgetMeasure:
    """Spent in the last 24 hours, in credits, with calls in flight; ``paused`` in seconds, 0 when nothing pauses."""

    product: str
    spent: float
    in_flight: int
    paused: float


@dataclass(frozen=True)
class LoginMeasure:
    """Ages and times in seconds. ``token_*`` are None while there is no access token."""

    state: str
    login_age: float | None = None
    token_age: float | None = None
    token_expires_in: float | None = None
    tokens_fetched: int = 0


@dataclass(frozen=True)
class Measures:
    """One look at everything. ``changes_oldest`` in seconds."""

    schema_version: int
    capturing: bool
    live_since: datetime | None
    changes: int
    changes_oldest: float | None
    workers: int
    login: LoginMeasure
    lanes: Sequence[LaneMeasure] = ()
    failures: Sequence[FailureMeasure] = ()
    incidents: Mapping[str, int] = field(default_factory=dict)
    jobs: Sequence[JobMeasure] = ()
    budgets: Sequence[BudgetMeasure] = ()


async def read_measures(pool: Pool, patience: timedelta = PATIENCE) -> Measures:
    """One look, in one transaction that gives up after ``patience``; what the database refuses comes out as ours."""
    try:
        async with pool.connection(timeout=patience.total_seconds()) as connection, connection.transaction():
            await connection.execute(
                "select set_config('statement_timeout', %(limit)s, true)",
                {"limit": str(round(patience / timedelta(milliseconds=1)))},
            )
            return await measure(connection)
    except psycopg.Error as error:
        raise explain(error) from error


async def measure(connection: Connection) -> Measures:
    """The same, in the caller's transaction."""
    row = await fetch_one(connection, WHOLE, {"most": COUNT_LIMIT + 1})
    if row is None:
        raise SchemaMismatch("The installation in this database is not complete.", hint="Run `zohosync install`.")
    return Measures(
        **row,
        login=await _measure_login(connection),
        lanes=[LaneMeasure(**lane) for lane in await fetch_all(connection, LANES, {"most": COUNT_LIMIT + 1})],
        failures=await _measure_failures(connection),
        incidents={one["severity"]: one["open"] for one in await fetch_all(connection, INCIDENTS)},
        jobs=[JobMeasure(**job) for job in await fetch_all(connection, JOBS)],
        budgets=[BudgetMeasure(**budget) for budget in await fetch_all(connection, BUDGETS)],
    )


WHOLE = """
select (select max(version) from zohosync.schema_migration) as schema_version, i.capturing, i.live_since,
       (select count(*) from (select from pgmq.q_zohosync_changes limit %(most)s) c) as changes,
       (select extract(epoch from clock_timestamp() - q.enqueued_at)::float from pgmq.q_zohosync_changes q
         order by q.msg_id limit 1) as changes_oldest,
       (select count(*) from zohosync.worker where seen_at > now() - interval '1 minute') as workers
  from zohosync.installation i"""

# One probe of the index for each lane and status. The literals of the second condition are the index's own; without
# them it could not be used.
LANES = """
select lanes.lane::text, statuses.status::text, counted.operations,
       extract(epoch from clock_timestamp() - oldest.requested_at)::float as oldest
  from unnest(enum_range(null::zohosync.lane)) as lanes(lane)
 cross join unnest(array['pending', 'running', 'retrying', 'waiting']::zohosync.operation_status[]) as statuses(status)
 cross join lateral (
   select count(*) as operations from (
     select from zohosync.operation o
      where o.lane = lanes.lane and o.status = statuses.status
        and o.status in ('pending', 'running', 'retrying', 'waiting') limit %(most)s) c) counted
  left join lateral (
   select o.requested_at from zohosync.operation o
    where o.lane = lanes.lane and o.status = statuses.status
      and o.status in ('pending', 'running', 'retrying', 'waiting')
    order by o.requested_at limit 1) oldest on true
 order by lanes.lane, statuses.status"""

INCIDENTS = """
select severities.severity, count(i.incident_id) as open
  from unnest(array['critical', 'warning']) as severities(severity)
  left join zohosync.incident i on i.severity = severities.severity and i.closed_at is null
 group by severities.severity order by severities.severity"""

JOBS = """
select job, greatest(0, coalesce(extract(epoch from clock_timestamp() - next_run_at), 0))::float as late,
       error is not null as failed
  from zohosync.clock_job order by job limit 100"""

BUDGETS = """
select d.product, sum(zohosync.budget_spent(d.organisation_id, d.product, clock_timestamp()))::float as spent,
       (select count(*) from zohosync.budget_lease l
         where l.product = d.product and l.expires_at > clock_timestamp()) as in_flight,
       coalesce((select extract(epoch from max(p.until_at) - clock_timestamp()) from zohosync.budget_pause p
                  where p.product = d.product and p.until_at > clock_timestamp()), 0)::float as paused
  from (select distinct b.organisation_id, b.product from zohosync.budget_day b
         where b.day >= (clock_timestamp() at time zone 'UTC')::date - 1 limit 100) d
 group by d.product order by d.product"""


async def _measure_login(connection: Connection) -> LoginMeasure:
    row = await fetch_one(
        connection,
        """select state, extract(epoch from clock_timestamp() - connected_at)::float as login_age,
                  case when access_token is not null
                       then extract(epoch from clock_timestamp() - updated_at)::float end as token_age,
                  extract(epoch from expires_at - clock_timestamp())::float as token_expires_in,
                  generation as tokens_fetched
             from zohosync.connection where connection_id = 'zoho'""",
    )
    return LoginMeasure(**row) if row else LoginMeasure("disconnected")


async def _measure_failures(connection: Connection) -> list[FailureMeasure]:
    """The newest COUNT_LIMIT open failures, grouped; what is rare is summed up, so that series stay few."""
    rows = await fetch_all(
        connection,
        """with grouped as (
             select f.kind, f.error_code, count(*) as operations,
                    row_number() over (order by count(*) desc, f.kind, f.error_code) as place
               from (select o.kind, o.error_code from zohosync.operation o
                      where o.status = 'failed' and o.resolved_at is null
                      order by o.operation_id desc limit %(most)s) f
              group by f.kind, f.error_code)
           select case when place <= %(named)s then kind else 'other' end as kind,
                  case when place <= %(named)s then error_code else 'other' end as error_code,
                  sum(operations)::bigint as operations
             from grouped group by 1, 2 order by 1, 2""",
        {"most": COUNT_LIMIT + 1, "named": MOST_FAILURES},
    )
    return [FailureMeasure(**row) for row in rows]
