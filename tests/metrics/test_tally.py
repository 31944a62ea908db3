"""What one process counts, and that no label ever tells of a customer."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from backstage import KIND, drain, enqueue, make_worker
from prometheus_client import CollectorRegistry, generate_latest

from conftest import Database
from metrics.reading import Page
from stage import Stage
from zohosync.cli.logging import configure_logging
from zohosync.clock import SystemClock
from zohosync.db.pool import Connection, Pool
from zohosync.errors import RecordInvalid
from zohosync.metrics.tally import Tally
from zohosync.queue.batch import Batch
from zohosync.queue.observer import Observer
from zohosync.queue.operation import Outcome, Report
from zohosync.zoho.exchange import Exchange
from zohosync.zoho.protocol import Request


class Counted:
    """A tally and its page."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.tally = Tally(self._registry, SystemClock(), version="1")

    @property
    def page(self) -> Page:
        return Page(generate_latest(self._registry).decode())


@pytest.fixture
def counted() -> Counted:
    return Counted()


async def mixed(batch: Batch) -> None:
    """The record's name says what becomes of it."""
    for operation in batch.open:
        if operation.record_id == "invalid":
            raise RecordInvalid("'Demo Customer' is not an e-mail address.", code="email_invalid")
        await batch.finish([Report(operation.operation_id, Outcome(operation.record_id))])


def watched(pool: Pool, database: Database, observer: Observer) -> Any:
    return make_worker(pool, database.worker_url, mixed, batch_size=1, observer=observer)


async def test_each_attempt_is_counted_once_by_kind_and_outcome(
    pool: Pool, database: Database, worker: Connection, counted: Counted
) -> None:
    await enqueue(worker, "succeeded", "skipped", "invalid")
    await drain(watched(pool, database, counted.tally))
    page = counted.page
    for outcome in ("succeeded", "skipped", "failed"):
        assert page.value("zohosync_operation_attempts_total", kind=KIND, outcome=outcome) == 1
    errors = {"kind": KIND, "outcome": "failed", "error_code": "email_invalid"}
    assert page.value("zohosync_operation_errors_total", **errors) == 1
    assert page.value("zohosync_operation_attempt_duration_seconds_count", kind=KIND) == 3
    assert page.value("zohosync_change_to_done_seconds_count", kind=KIND) == 2
    done = page.value("zohosync_change_to_done_seconds_sum", kind=KIND)
    assert done is not None
    assert 0 <= done < 60
    assert (page.value("zohosync_worker_turns_total") or 0) >= 2
    assert (page.value("zohosync_worker_last_turn_timestamp_seconds") or 0) > 1_700_000_000


async def test_the_latency_counts_from_the_request_of_the_change(
    pool: Pool, database: Database, worker: Connection, counted: Counted
) -> None:
    await enqueue(worker, "succeeded")
    await worker.execute("update zohosync.operation set requested_at = now() - interval '1 hour'")
    await drain(watched(pool, database, counted.tally))
    assert 3600 <= (counted.page.value("zohosync_change_to_done_seconds_sum", kind=KIND) or 0) < 3700


async def test_an_attempt_another_worker_took_over_is_not_counted(
    pool: Pool, database: Database, worker: Connection, counted: Counted
) -> None:
    async def too_late(batch: Batch) -> None:
        await worker.execute("update zohosync.operation set claim_id = gen_random_uuid()")
        await batch.finish([Report(batch.open[0].operation_id, Outcome.SUCCEEDED)])

    await enqueue(worker, "succeeded")
    await drain(make_worker(pool, database.worker_url, too_late, observer=counted.tally))
    assert counted.page.value("zohosync_operation_attempts_total", kind=KIND, outcome="succeeded") is None


async def test_what_a_dead_worker_left_is_counted_where_it_is_taken_over(
    pool: Pool, database: Database, worker: Connection, counted: Counted
) -> None:
    await enqueue(worker, "succeeded")
    await worker.execute("select zohosync.claim('people', 10, 0, gen_random_uuid(), 'the dead one')")
    await drain(watched(pool, database, counted.tally))
    assert counted.page.value("zohosync_operation_takeovers_total", kind=KIND) == 1


async def test_every_call_to_zoho_is_counted_with_its_answer(stage: Stage) -> None:
    await stage.register()
    await stage.run()
    page = Page((await stage.services.metrics.page()).decode())
    good = {"product": "crm", "status": "2xx", "error_code": ""}
    assert (page.value("zohosync_zoho_calls_total", method="write", **good) or 0) >= 1
    assert (page.value("zohosync_zoho_calls_total", method="read", **good) or 0) >= 1
    assert (page.value("zohosync_zoho_call_duration_seconds_count", product="crm", method="write") or 0) >= 1


@pytest.mark.parametrize(
    ("status", "error", "shown"), [(None, "zoho_unreachable", "none"), (429, "rate_limited", "4xx"), (200, "", "2xx")]
)
def test_a_call_without_an_answer_is_counted_too(counted: Counted, status: int | None, error: str, shown: str) -> None:
    request = Request("GET", "/crm/v8/Contacts", product="crm")
    counted.tally.watch(Exchange(request, status, b"", timedelta(seconds=1), error))
    labels = {"product": "crm", "method": "read", "status": shown, "error_code": error}
    assert counted.page.value("zohosync_zoho_calls_total", **labels) == 1


async def test_no_label_ever_holds_a_word_of_a_customer(stage: Stage) -> None:
    await stage.register("planted.person@example.com", first_name="Planted", last_name="Person", phone="9840012345")
    await stage.ask("planted.person@example.com", name="Planted Person", message="planted words")
    await stage.register("not an address", first_name="Planted")
    await stage.run()
    await stage.fault("http_500_before_commit", count=50)
    await stage.register("planted.other@example.com", first_name="Planted")
    await stage.run()
    page = Page((await stage.services.metrics.page()).decode())
    assert (page.value("zohosync_operation_attempts_total", kind="crm.contact.push", outcome="succeeded") or 0) >= 1
    records = [operation["record_id"] for operation in await stage.operations()]
    for planted in ("planted", "person", "9840012345", "example.com", "address", *records):
        assert planted not in page.text.lower()
    words = re.compile(r"[a-z_.]*|[245]xx|\+inf|[\d.]+|\d+\.\d+\.\d+\w*|cpython", re.I)
    assert [label for label in page.labels() if not words.fullmatch(label)] == []


async def test_the_log_has_one_event_for_each_attempt_and_nothing_of_the_customer(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("json")
    await stage.register("planted.person@example.com", first_name="Planted", last_name="Person")
    await stage.register("not an address", first_name="Planted")
    await stage.run()
    told = capsys.readouterr().err
    lines = [json.loads(line) for line in told.splitlines()]
    ended = [line for line in lines if line["event"] == "operation.ended"]
    rows = {row["operation_id"]: row for row in await stage.operations()}
    assert {line["operation_id"]: line["outcome"] for line in ended} == {
        number: row["status"] for number, row in rows.items()
    }
    for line in ended:
        row = rows[line["operation_id"]]
        assert (line["kind"], line["entity"], line["attempt"]) == (row["kind"], row["entity"], 1)
        assert line.get("error_code") == row["error_code"]
        assert line["seconds"] >= 0
        assert line["level"] == ("warning" if row["status"] == "failed" else "info")
    assert "lanted" not in told
