"""Figures of the sync as a whole: read from the database, right, bounded, and the same on every process."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from conftest import Database
from console.stage import add_operation
from metrics.reading import Page
from stage import Stage, eventually, open_stage
from zohosync.clock import SystemClock
from zohosync.db.pool import Connection, Pool, fetch_one, open_pool
from zohosync.errors import DatabaseUnreachable
from zohosync.metrics.exposition import Metrics
from zohosync.store import measures
from zohosync.store.incidents import open_incident
from zohosync.store.measures import Measures, measure, read_measures
from zohosync.store.workers import be_seen


class HeldClock(SystemClock):
    """Monotonic time that moves only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


async def page_of(pool: Pool, **limits: int) -> Page:
    async def look() -> Measures:
        return await read_measures(pool)

    return Page((await Metrics(look, SystemClock(), limits=limits).page()).decode())


async def test_an_empty_installation_tells_zeros(pool: Pool) -> None:
    page = await page_of(pool, crm=50_000)
    assert page.value("zohosync_database_up") == 1
    assert page.value("zohosync_capturing") == 0
    assert page.value("zohosync_live_since_timestamp_seconds") is None
    assert page.value("zohosync_changes_pending") == 0
    assert page.value("zohosync_lane_operations", lane="sales", status="pending") == 0
    assert page.value("zohosync_lane_oldest_age_seconds", lane="bulk", status="waiting") == 0
    assert page.value("zohosync_open_incidents", severity="critical") == 0
    assert page.value("zohosync_budget_limit_credits", product="crm") == 50_000
    assert page.value("zohosync_connection_state", state="disconnected") == 1
    assert page.value("zohosync_connection_state", state="connected") == 0
    assert page.value("zohosync_access_token_expires_in_seconds") is None


async def test_the_queue_is_told_by_lane_and_status(pool: Pool, worker: Connection, owner: Connection) -> None:
    for status in ("pending", "pending", "running", "waiting", "succeeded", "failed"):
        await add_operation(worker, status)
    await add_operation(worker, "retrying", lane="sales", kind="books.invoice.push")
    await worker.execute(
        "update zohosync.operation set requested_at = now() - interval '1 hour' where status = 'waiting'"
    )
    await owner.execute("update zohosync.installation set capturing = true, live_since = now()")
    await owner.execute(
        "insert into users (email, first_name, last_name) values ('customer@example.com', 'Demo', 'Customer')"
    )
    page = await page_of(pool)
    depth = "zohosync_lane_operations"
    assert page.value(depth, lane="people", status="pending") == 2
    assert page.value(depth, lane="people", status="running") == 1
    assert page.value(depth, lane="sales", status="retrying") == 1
    oldest = page.value("zohosync_lane_oldest_age_seconds", lane="people", status="waiting")
    assert oldest is not None
    assert 3600 <= oldest < 3700
    assert page.value("zohosync_changes_pending") == 1
    assert (page.value("zohosync_changes_oldest_age_seconds") or 0) > 0
    assert page.value("zohosync_capturing") == 1
    assert page.value("zohosync_open_failures", kind="crm.contact.push", error_code="invalid_data") == 1


async def test_rare_causes_are_summed_up_so_that_series_stay_few(pool: Pool, worker: Connection) -> None:
    for number in range(measures.MOST_FAILURES + 20):
        await add_operation(worker, "failed", error_code=f"code_{number}")
    for _ in range(3):
        await add_operation(worker, "failed", error_code="often")
    found = (await read_measures(pool)).failures
    assert len(found) == measures.MOST_FAILURES + 1
    named = {one.error_code: one.operations for one in found}
    assert (named["often"], named["other"]) == (3, 21)


async def test_what_is_open_late_and_alive_is_told(pool: Pool, worker: Connection) -> None:
    await open_incident(worker, code="poison", title="x", hint="")
    await open_incident(worker, code="drift", title="x", hint="", severity="warning")
    await be_seen(worker, name="here:1", listening=True, schema_version=1)
    await be_seen(worker, name="gone:1", listening=True, schema_version=1)
    await worker.execute("update zohosync.worker set seen_at = now() - interval '2 minutes' where worker_id = 'gone:1'")
    await worker.execute(
        """insert into zohosync.clock_job (job, next_run_at, error) values
           ('tidy', now() - interval '10 minutes', 'broken'), ('resend_due', now() + interval '5 seconds', null)"""
    )
    page = await page_of(pool)
    assert page.value("zohosync_open_incidents", severity="critical") == 1
    assert page.value("zohosync_open_incidents", severity="warning") == 1
    assert page.value("zohosync_workers_alive") == 1
    assert 600 <= (page.value("zohosync_clock_job_late_seconds", job="tidy") or 0) < 700
    assert page.value("zohosync_clock_job_late_seconds", job="resend_due") == 0
    assert page.value("zohosync_clock_job_failed", job="tidy") == 1
    assert page.value("zohosync_clock_job_failed", job="resend_due") == 0


async def test_budget_and_login_are_told_as_they_are(stage: Stage) -> None:
    await stage.register()
    await stage.run()
    page = Page((await stage.services.metrics.page()).decode())
    assert (page.value("zohosync_budget_spent_credits", product="crm") or 0) >= 2
    assert page.value("zohosync_budget_calls_in_flight", product="crm") == 0
    assert page.value("zohosync_budget_paused_seconds", product="crm") == 0
    assert page.value("zohosync_connection_state", state="connected") == 1
    assert 3000 < (page.value("zohosync_access_token_expires_in_seconds") or 0) <= 3600
    assert 0 <= (page.value("zohosync_access_token_age_seconds") or -1) < 60
    assert 0 <= (page.value("zohosync_login_age_seconds") or -1) < 60
    assert (page.value("zohosync_token_refreshes_total") or 0) >= 1
    assert (page.value("zohosync_live_since_timestamp_seconds") or 0) > 1_700_000_000


async def test_a_pause_and_a_dead_login_are_told(stage: Stage) -> None:
    await stage.shop.execute(
        """insert into zohosync.budget_day (organisation_id, product, day)
           values ('1', 'crm', (now() at time zone 'UTC')::date)"""
    )
    await stage.shop.execute(
        """insert into zohosync.budget_pause (organisation_id, product, until_at, reason)
           values ('1', 'crm', now() + interval '60 seconds', 'day')"""
    )
    await stage.shop.execute("update zohosync.connection set state = 'needs_reauth', access_token = null")
    page = await page_of(stage.services.pool)
    assert 50 < (page.value("zohosync_budget_paused_seconds", product="crm") or 0) <= 60
    assert page.value("zohosync_connection_state", state="needs_reauth") == 1
    assert page.value("zohosync_access_token_age_seconds") is None


async def test_many_readers_share_one_look_of_five_seconds() -> None:
    looks = 0
    clock = HeldClock()

    async def look() -> Measures:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return QUIET

    metrics = Metrics(look, clock, limits={})
    await asyncio.gather(*(metrics.page() for _ in range(20)))
    clock.seconds += 4.9
    page = Page((await metrics.page()).decode())
    assert looks == 1
    assert page.value("zohosync_look_age_seconds") == pytest.approx(4.9)
    clock.seconds += 0.2
    await metrics.page()
    assert looks == 2


QUIET = Measures(
    schema_version=1,
    capturing=True,
    live_since=None,
    changes=0,
    changes_oldest=None,
    workers=1,
    login=measures.LoginMeasure("connected"),
)


async def test_without_its_database_the_page_tells_that_and_what_the_process_knows() -> None:
    tries = 0

    async def look() -> Measures:
        nonlocal tries
        tries += 1
        raise DatabaseUnreachable("The database cannot be reached.")

    metrics = Metrics(look, HeldClock(), limits={"crm": 1})
    metrics.tally.turned()
    for _ in range(3):
        page = Page((await metrics.page()).decode())
    assert page.value("zohosync_database_up") == 0
    assert page.value("zohosync_worker_turns_total") == 1
    assert page.value("zohosync_workers_alive") is None
    assert tries == 1


async def test_a_database_that_went_away_is_noticed_and_comes_back(database: Database) -> None:
    async with open_pool(database.worker_url, size=2) as pool:

        async def look() -> Measures:
            return await read_measures(pool, timedelta(seconds=0.5))

        metrics = Metrics(look, SystemClock(), limits={}, fresh=timedelta(0))
        assert Page((await metrics.page()).decode()).value("zohosync_database_up") == 1
        database.cluster.administer(
            f"alter database {database.name} allow_connections false",
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database.name}'",
        )
        assert Page((await metrics.page()).decode()).value("zohosync_database_up") == 0
        database.cluster.administer(f"alter database {database.name} allow_connections true")

        async def is_up() -> bool:
            return Page((await metrics.page()).decode()).value("zohosync_database_up") == 1

        await eventually(is_up)


async def test_a_look_that_takes_too_long_is_given_up(pool: Pool, owner: Connection) -> None:
    async with owner.transaction():
        await owner.execute("lock table zohosync.operation in access exclusive mode")
        with pytest.raises(DatabaseUnreachable, match="statement timeout"):
            await read_measures(pool, timedelta(seconds=0.3))
    assert (await read_measures(pool)).workers == 0


MANY = """
insert into zohosync.operation
  (kind, lane, entity, record_id, cause, status, queued, error_code, finished_at, resolved_at, wait_reason)
select 'crm.contact.push', case when n % 2 = 0 then 'people' else 'bulk' end::zohosync.lane, 'customer', n, 'change',
       s.status::zohosync.operation_status, s.status = 'pending',
       case when s.status = 'failed' then 'code_' || n % 3 end,
       case when s.status in ('succeeded', 'failed') then now() end, case when n % 200 = 1 then now() end,
       case when s.status = 'waiting' then 'login'::zohosync.wait_reason end
  from generate_series(1, 60000) n
 cross join lateral (select case when n % 100 = 1 then 'failed' when n % 400 = 2 then 'pending'
                                 when n % 400 = 3 then 'waiting' else 'succeeded' end as status) s
"""


async def test_a_look_reads_few_rows_of_a_big_table(worker: Connection, owner: Connection) -> None:
    await worker.execute(MANY.encode())
    await owner.execute("vacuum analyze zohosync.operation")
    async with worker.transaction():
        before = await reads_of(worker)
        found = await measure(worker)
        scans, rows = (after - then for after, then in zip(await reads_of(worker), before, strict=True))
    assert {(lane.lane, lane.status): lane.operations for lane in found.lanes if lane.operations} == {
        ("people", "pending"): 150,
        ("bulk", "waiting"): 150,
    }
    assert sum(one.operations for one in found.failures) == 300
    assert scans == 0
    assert rows < 2000


async def test_a_lane_of_many_never_hides_a_lane_of_few(worker: Connection) -> None:
    await worker.execute(BACKLOG.encode())
    await add_operation(worker, "pending", lane="sales", kind="books.invoice.push")
    found = {(lane.lane, lane.status): lane for lane in (await measure(worker)).lanes}
    assert found["bulk", "pending"].operations == measures.COUNT_LIMIT + 1
    assert found["sales", "pending"].operations == 1
    assert found["sales", "pending"].oldest is not None


BACKLOG = """
insert into zohosync.operation (kind, lane, entity, record_id, cause, status)
select 'crm.contact.push', 'bulk', 'customer', n, 'change', 'pending' from generate_series(1, 12000) n
"""


async def reads_of(connection: Connection) -> tuple[int, int]:
    """How often this transaction read the whole table of operations, and how many rows it fetched by index."""
    row: dict[str, Any] | None = await fetch_one(
        connection,
        """select pg_stat_get_xact_numscans('zohosync.operation'::regclass) as scans,
                  (select sum(pg_stat_get_xact_tuples_returned(i.indexrelid)) from pg_index i
                    where i.indrelid = 'zohosync.operation'::regclass) as rows""",
    )
    assert row is not None
    return int(row["scans"]), int(row["rows"])


async def test_it_shows_the_state_of_others_on_every_process(database: Database) -> None:
    async with open_stage(database) as stage, open_pool(database.worker_url, size=2) as other:
        await stage.ask()
        page = await page_of(other)
        assert page.value("zohosync_changes_pending") == 1
        await stage.run()
        assert (await page_of(other)).value("zohosync_changes_pending") == 0
