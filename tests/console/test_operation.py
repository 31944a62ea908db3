"""One operation's page, and what may be done from it."""

import asyncio
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from console.stage import Person, add_attempt, add_operation, audited, operations_of, text_of
from zohosync.db.pool import Connection, fetch_one


async def messages_in(connection: Connection, lane: str) -> int:
    row = await fetch_one(connection, f"select count(*) as n from pgmq.q_zohosync_{lane}")
    assert row is not None
    return int(row["n"])


async def test_the_page_tells_the_whole_story(viewer: Person, worker: Connection) -> None:
    operation_id = await add_operation(
        worker,
        "failed",
        label="customer@example.com",
        record_id="record-77",
        attempt=1,
        error_hint="Correct the address in the shop.",
        error_field="Email",
        warnings=Jsonb(["Phone was left out: it is not a phone number."]),
    )
    await add_attempt(
        worker,
        operation_id,
        http_status=202,
        vendor_code="INVALID_DATA",
        request=Jsonb({"Email": "<b>a@@b</b>", "Phone": "***"}),
        response=Jsonb({"message": "invalid <i>data</i>", "details": {"id": 554023000000420123}, "amount": 1250.10}),
    )
    other = await add_operation(worker, record_id="record-77")
    page = await viewer.get(f"/operations/{operation_id}")
    text = text_of(page)
    for part in (
        "This failed, and is not tried again as it is.",
        "Zoho refused the e-mail address.",
        "What to do Correct the address in the shop.",
        "Zoho said invalid &lt;i&gt;data&lt;/i&gt; INVALID_DATA",
        "Phone was left out",
        "customer record-77",
        "1 of 6",
        "HTTP 202",
        "shop-1:4711",
        "554023000000420123",
        "&lt;b&gt;a@@b&lt;/b&gt;",
        f"#{other} Contact",
        "field Email",
    ):
        assert part in text, part
    assert "<i>data" not in page.text


async def test_ids_and_amounts_are_shown_to_the_last_digit(viewer: Person, worker: Connection) -> None:
    operation_id = await add_operation(worker, zoho_id="554023000000420123")
    await add_attempt(worker, operation_id, outcome="succeeded", response=Jsonb({}))
    await worker.execute(
        """update zohosync.attempt set response = '{"id": 12345678901234567890123, "total": 1250.10}'"""
    )
    text = text_of(await viewer.get(f"/operations/{operation_id}"))
    assert "554023000000420123" in text
    assert "12345678901234567890123" in text
    assert "1250.10" in text


async def test_attempts_come_newest_first_and_the_partial_is_the_region(viewer: Person, worker: Connection) -> None:
    operation_id = await add_operation(worker, "retrying", attempt=3)
    for number in (1, 2, 3):
        await add_attempt(worker, operation_id, number, outcome="retrying")
    text = text_of(await viewer.get(f"/operations/{operation_id}?partial=body"))
    assert text.index("Attempt 3") < text.index("Attempt 2") < text.index("Attempt 1")
    assert "<html" not in (await viewer.get(f"/operations/{operation_id}?partial=body")).text


async def test_sync_now_makes_an_operation_a_message_and_an_audit_entry(operator: Person, worker: Connection) -> None:
    done = await add_operation(worker, record_id="record-77")
    answer = await operator.post(f"/operations/{done}/sync", press=str(uuid4()))
    made = (await operations_of(worker, "record-77"))[-1]
    assert answer.headers["location"] == f"/operations/{made['operation_id']}"
    assert (made["status"], made["cause"], made["requested_by"]) == ("pending", "manual", operator.user.email)
    assert await messages_in(worker, "people") == 1
    entry = (await audited(worker, "operation.sync_now"))[0]
    assert (entry["actor"], entry["entity"], entry["record_id"]) == (operator.user.email, "customer", "record-77")
    assert (entry["operation_id"], entry["detail"]["from"]) == (made["operation_id"], done)
    page = await operator.get(answer.headers["location"])
    assert f"Sync asked for: operation #{made['operation_id']}" in text_of(page)
    assert "Sync asked for" not in text_of(await operator.get("/log")), "it is said once"


async def test_sync_now_serves_every_kind_the_record_feeds(operator: Person, worker: Connection) -> None:
    lead = await add_operation(worker, kind="crm.lead.push", entity="quote", record_id="quote-1")
    answer = await operator.post(f"/operations/{lead}/sync")
    made = (await operations_of(worker, "quote-1"))[1:]
    assert [(row["kind"], row["lane"]) for row in made] == [
        ("crm.lead.push", "people"),
        ("books.estimate.push", "sales"),
    ]
    assert answer.headers["location"] == f"/operations/{made[0]['operation_id']}"


async def test_a_double_click_makes_one_operation(operator: Person, worker: Connection) -> None:
    done = await add_operation(worker, record_id="record-77")
    press = str(uuid4())
    first = await operator.post(f"/operations/{done}/sync", press=press)
    # A worker has taken it already, so that the second click would stand for a change while it runs.
    await worker.execute(
        "update zohosync.operation set status = 'running', claim_id = gen_random_uuid() where status = 'pending'"
    )
    second = await operator.post(f"/operations/{done}/sync", press=press)
    assert second.headers["location"] == first.headers["location"]
    assert len(await operations_of(worker, "record-77")) == 2
    assert len(await audited(worker, "operation.sync_now")) == 1


async def test_ten_clicks_at_once_make_one_operation(operator: Person, worker: Connection) -> None:
    failed = await add_operation(worker, "failed", record_id="record-77")
    press = str(uuid4())
    answers = await asyncio.gather(*(operator.post(f"/operations/{failed}/retry", press=press) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {303}
    assert len(await operations_of(worker, "record-77")) == 2
    assert len(await audited(worker, "operation.retry")) == 1


async def test_two_presses_are_two_acts(operator: Person, worker: Connection) -> None:
    done = await add_operation(worker, record_id="record-77")
    await operator.post(f"/operations/{done}/sync", press=str(uuid4()))
    await operator.post(f"/operations/{done}/sync", press=str(uuid4()))
    assert len(await operations_of(worker, "record-77")) == 2, "the open one is asked for again"
    assert len(await audited(worker, "operation.sync_now")) == 2


async def test_retry_of_a_failed_one_makes_a_new_operation_and_leads_back(operator: Person, worker: Connection) -> None:
    failed = await add_operation(worker, "failed", record_id="record-77")
    answer = await operator.post(f"/operations/{failed}/retry", next=f"/log?status=failed#op-{failed}")
    assert answer.headers["location"] == f"/log?status=failed#op-{failed}"
    rows = await operations_of(worker, "record-77")
    assert [row["status"] for row in rows] == ["failed", "pending"]
    page = text_of(await operator.get("/log?status=failed"))
    assert f"Retry asked for: operation #{rows[1]['operation_id']}" in page
    assert f"Tried again as #{rows[1]['operation_id']}" in page


async def test_retry_of_a_retrying_one_renews_its_budget_at_once(operator: Person, worker: Connection) -> None:
    retrying = await add_operation(worker, "retrying", record_id="record-77", attempt=4)
    await worker.execute("update zohosync.operation set next_attempt_at = now() + interval '1 h'")
    await operator.post(f"/operations/{retrying}/retry")
    (row,) = await operations_of(worker, "record-77")
    assert (row["status"], row["attempt"], row["next_attempt_at"]) == ("pending", 0, None)
    assert await messages_in(worker, "people") == 1


@pytest.mark.parametrize("status", ["succeeded", "running", "cancelled"])
async def test_nothing_is_retried_that_needs_none(operator: Person, worker: Connection, status: str) -> None:
    operation_id = await add_operation(worker, status, record_id="record-77")
    answer = await operator.post(f"/operations/{operation_id}/retry")
    assert len(await operations_of(worker, "record-77")) == 1
    assert "Nothing to retry" in text_of(await operator.get(answer.headers["location"]))


async def test_a_failure_that_is_tried_again_already_is_not_retried_twice(operator: Person, worker: Connection) -> None:
    failed = await add_operation(worker, "failed", record_id="record-77")
    await operator.post(f"/operations/{failed}/retry")
    answer = await operator.post(f"/operations/{failed}/retry")
    rows = await operations_of(worker, "record-77")
    assert len(rows) == 2
    assert answer.headers["location"] == f"/operations/{rows[1]['operation_id']}"


async def test_cancelling_asks_first_and_keeps_the_reason(operator: Person, worker: Connection) -> None:
    waiting = await add_operation(worker, "waiting", record_id="record-77")
    asked = await operator.get(f"/operations/{waiting}/cancel")
    assert f"Cancel operation #{waiting}?" in text_of(asked)
    await operator.post(f"/operations/{waiting}/cancel", reason="a test record")
    (row,) = await operations_of(worker, "record-77")
    assert row["status"] == "cancelled"
    entry = (await audited(worker, "operation.cancel"))[0]
    assert (entry["actor"], entry["reason"], entry["operation_id"]) == (operator.user.email, "a test record", waiting)


async def test_what_runs_is_not_cancelled(operator: Person, worker: Connection) -> None:
    running = await add_operation(worker, "running", record_id="record-77")
    assert "nothing to cancel" in text_of(await operator.get(f"/operations/{running}/cancel"))
    answer = await operator.post(f"/operations/{running}/cancel")
    assert "Too late to cancel" in text_of(await operator.get(answer.headers["location"]))
    assert (await operations_of(worker, "record-77"))[0]["status"] == "running"
    assert await audited(worker, "operation.cancel") == []


async def test_an_action_leads_back_to_this_console_only(operator: Person, worker: Connection) -> None:
    failed = await add_operation(worker, "failed")
    answer = await operator.post(f"/operations/{failed}/retry", next="https://evil.example/")
    assert answer.headers["location"].startswith("/operations/")


@pytest.mark.parametrize("action", ["sync", "retry", "cancel"])
async def test_acting_on_what_is_not_there_is_said_kindly(operator: Person, action: str) -> None:
    answer = await operator.post(f"/operations/999/{action}")
    assert answer.status_code == 404
    assert "There is no operation 999" in answer.text
