"""What doctor says about capture and work, well and unwell."""

from collections.abc import AsyncIterator

import pytest

from conftest import Database
from doctor.practice import levels, look, look_once
from stage import Stage, open_stage
from zohosync.db.install import CAPTURED_TABLES, newest_version
from zohosync.store.incidents import open_incident
from zohosync.store.installation import pause
from zohosync.store.workers import be_seen
from zohosync.sync.doctor.finding import Level


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("drop trigger zohosync_capture_insert on users", "the insert trigger of users is missing"),
        ("alter table users disable trigger zohosync_capture_update", "the update trigger of users is disabled"),
        (
            "drop trigger zohosync_capture_insert on b2b_quotes; create trigger zohosync_capture_insert before insert"
            " on b2b_quotes for each row execute function update_updated_at_column()",
            "the insert trigger of b2b_quotes is not ours any more",
        ),
    ],
)
async def test_a_trigger_that_is_not_as_it_was_is_named(stage: Stage, statement: str, named: str) -> None:
    assert (await look_once(stage, "triggers", offline=True)).level is Level.OK
    await stage.shop.execute(statement.encode())
    finding = await look_once(stage, "triggers", offline=True)
    assert finding.level is Level.WRONG
    assert finding.data["faults"] == [named]


async def test_writes_of_every_api_role_are_tried_and_leave_nothing(stage: Stage) -> None:
    before = await stage.operations()
    findings = await look(stage, "capture_roles", offline=True, owner_database_url=stage.database.admin_url)
    assert [(finding.level, finding.data["role"]) for finding in findings] == [
        (Level.OK, "anon"),
        (Level.OK, "authenticated"),
        (Level.OK, "service_role"),
    ]
    unread = await look_once(stage, "unread_changes", offline=True)
    assert unread.data["unread"] == 0
    assert await stage.operations() == before


async def test_a_capture_that_fails_is_seen_under_each_role(stage: Stage) -> None:
    await stage.shop.execute("drop function zohosync.capture(text, text[])")
    findings = await look(stage, "capture_roles", offline=True, owner_database_url=stage.database.admin_url)
    missed = [finding for finding in findings if finding.level is Level.WRONG]
    assert [finding.data["role"] for finding in missed] == ["anon", "authenticated", "service_role"]
    assert missed[0].data["tables"] == ["contact_submissions"]
    assert missed[2].data["tables"] == sorted(CAPTURED_TABLES)


async def test_an_owner_who_may_not_send_is_wrong(stage: Stage) -> None:
    await stage.shop.execute("alter table pgmq.q_zohosync_changes owner to postgres")
    findings = await look(stage, "capture_roles", offline=True, owner_database_url=stage.database.owner_url)
    assert levels(findings) == {Level.WRONG}
    assert "cannot put a change into the queue" in " ".join(finding.sentence for finding in findings)


@pytest.mark.parametrize("owned", [True, False])
async def test_where_roles_cannot_be_tried_it_says_that_it_only_read(stage: Stage, owned: bool) -> None:
    more = {"owner_database_url": stage.database.owner_url} if owned else {}
    finding = await look_once(stage, "capture_roles", offline=True, **more)
    assert finding.level is (Level.REMARK if owned else Level.OK)
    assert "read, not tried" in finding.sentence
    assert ("may not become anon" if owned else "is not set") in finding.sentence
    assert finding.remedy == (
        "Have an administrator run: grant anon, authenticated, service_role to shop_owner" if owned else ""
    )


async def test_an_owners_string_that_does_not_work_is_a_remark(stage: Stage) -> None:
    nowhere = "postgresql://owner@127.0.0.1:9/shop"
    finding = await look_once(stage, "capture_roles", offline=True, owner_database_url=nowhere)
    assert (finding.level, finding.data["tried"]) == (Level.REMARK, False)
    assert "ZOHOSYNC_OWNER_DATABASE_URL" in finding.remedy


async def test_the_remedy_lets_the_owner_try_the_roles(stage: Stage) -> None:
    told = await look_once(stage, "capture_roles", offline=True, owner_database_url=stage.database.owner_url)
    remedy = told.remedy.removeprefix("Have an administrator run: ")
    await stage.shop.execute(remedy.encode())
    try:
        findings = await look(stage, "capture_roles", offline=True, owner_database_url=stage.database.owner_url)
    finally:
        await stage.shop.execute(remedy.replace("grant", "revoke").replace(" to ", " from ").encode())
    assert [(finding.level, finding.data["role"]) for finding in findings] == [
        (Level.OK, "anon"),
        (Level.OK, "authenticated"),
        (Level.OK, "service_role"),
    ]


async def test_a_trigger_with_the_callers_rights_loses_writes(stage: Stage) -> None:
    await stage.shop.execute("alter function zohosync.capture_users() security invoker")
    finding = await look_once(stage, "capture_roles", offline=True)
    assert finding.level is Level.WRONG
    assert finding.data["faults"] == ["zohosync.capture_users runs with the caller's rights"]


async def test_roles_that_do_not_exist_are_named(stage: Stage) -> None:
    await stage.shop.execute("alter role anon rename to anon_elsewhere")
    try:
        findings = await look(stage, "capture_roles", offline=True, owner_database_url=stage.database.admin_url)
    finally:
        await stage.shop.execute("alter role anon_elsewhere rename to anon")
    assert findings[0].data["absent"] == ["anon"]
    assert [finding.data["role"] for finding in findings[1:]] == ["authenticated", "service_role"]


async def test_capture_is_on_paused_or_not_live_yet(stage: Stage) -> None:
    assert (await look_once(stage, "capture_state", offline=True)).level is Level.OK
    await pause(stage.shop)
    paused = await look_once(stage, "capture_state", offline=True)
    assert paused.level is Level.REMARK
    assert "paused since 2" in paused.sentence
    await stage.shop.execute("update zohosync.installation set live_since = null")
    dormant = await look_once(stage, "capture_state", offline=True)
    assert "golive" in dormant.remedy


async def test_changes_nobody_takes_in_are_wrong(stage: Stage) -> None:
    await stage.register()
    assert (await look_once(stage, "unread_changes", offline=True)).level is Level.OK
    await stage.shop.execute("update pgmq.q_zohosync_changes set enqueued_at = now() - interval '20 minutes'")
    late = await look_once(stage, "unread_changes", offline=True)
    assert (late.level, late.data["unread"]) == (Level.WRONG, 1)
    assert "20 min" in late.sentence


async def test_workers_must_live_listen_and_be_of_this_release(stage: Stage) -> None:
    assert (await look_once(stage, "workers", offline=True)).level is Level.WRONG
    await be_seen(stage.shop, name="one", listening=True, schema_version=newest_version())
    assert (await look_once(stage, "workers", offline=True)).level is Level.OK
    await be_seen(stage.shop, name="two", listening=False, schema_version=newest_version() - 1)
    findings = await look(stage, "workers", offline=True)
    assert [finding.level for finding in findings] == [Level.WRONG, Level.REMARK]
    await stage.shop.execute("update zohosync.worker set seen_at = now() - interval '5 minutes'")
    assert (await look_once(stage, "workers", offline=True)).level is Level.WRONG
    await pause(stage.shop)
    assert (await look_once(stage, "workers", offline=True)).level is Level.REMARK


async def test_periodic_jobs_must_run_on_time(stage: Stage) -> None:
    assert (await look_once(stage, "clock_jobs", offline=True)).level is Level.REMARK
    clockwork = stage.services.clockwork()
    await clockwork.wind()
    while await clockwork.tick():
        pass
    assert (await look_once(stage, "clock_jobs", offline=True)).level is Level.OK
    await stage.shop.execute(
        "update zohosync.clock_job set next_run_at = now() - interval '1 hour' where job = 'tidy';"
        " update zohosync.clock_job set error = 'no' where job = 'catch_up_scan'"
    )
    findings = await look(stage, "clock_jobs", offline=True)
    assert [finding.data["jobs"] for finding in findings] == [["tidy"], ["catch_up_scan"]]
    assert levels(findings) == {Level.WRONG}


async def test_open_incidents_are_told_with_their_remedy(stage: Stage) -> None:
    assert (await look_once(stage, "incidents", offline=True)).level is Level.OK
    await open_incident(stage.shop, code="poison", title="A record stops its worker.", hint="Look at it.")
    await open_incident(stage.shop, code="slow", title="Slow.", hint="Wait.", severity="warning")
    findings = await look(stage, "incidents", offline=True)
    assert [(finding.level, finding.remedy) for finding in findings] == [
        (Level.WRONG, "Look at it."),
        (Level.REMARK, "Wait."),
    ]


async def test_uncured_failures_are_counted_by_cause(stage: Stage) -> None:
    assert (await look_once(stage, "failures", offline=True)).level is Level.OK
    await stage.register(email="not an address")
    await stage.run()
    finding = await look_once(stage, "failures", offline=True)
    assert (finding.level, finding.data["failed"]) == (Level.REMARK, 1)
    assert (await stage.only_operation())["error_code"] in finding.sentence


async def test_an_older_integration_is_named_and_its_triggers_are_wrong(stage: Stage) -> None:
    assert (await look_once(stage, "older_integration", offline=True)).level is Level.OK
    await stage.shop.execute("create table zoho_tokens (id int)")
    assert (await look_once(stage, "older_integration", offline=True)).level is Level.REMARK
    await stage.shop.execute(
        "create trigger push_to_zoho after insert on users for each row execute function update_updated_at_column()"
    )
    findings = await look(stage, "older_integration", offline=True)
    assert [finding.level for finding in findings] == [Level.WRONG, Level.REMARK]
