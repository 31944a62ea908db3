"""A login that dies, lacks a right, or belongs elsewhere: work waits, a person is told once, nothing is lost."""

from collections.abc import AsyncIterator

import pytest

from conftest import Database
from stage import Stage, connect_services, open_stage
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.errors import SettingsRefused
from zohosync.store.incidents import review_connection
from zohosync.store.installation import go_live
from zohosync.store.operations import enqueue


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def open_incidents(stage: Stage) -> list[str]:
    async with stage.services.pool.connection() as connection:
        await review_connection(connection)
        await review_connection(connection)
    rows = await fetch_all(stage.shop, "select code, title from zohosync.incident where closed_at is null")
    return [row["code"] for row in rows]


async def test_after_a_revoked_grant_work_waits_and_resumes_by_itself(stage: Stage) -> None:
    await stage.fault("revoke_grant")
    await stage.register()
    await stage.ask()
    await stage.run()
    assert {(o["status"], o["wait_reason"], o["attempt"]) for o in await stage.operations()} == {
        ("waiting", "login", 0)
    }
    assert all("zohosync connect" in o["error_hint"] for o in await stage.operations())
    assert await fetch_one(stage.shop, "select state from zohosync.connection") == {"state": "needs_reauth"}
    assert await open_incidents(stage) == ["login_lost"]
    await stage.no_faults()
    await connect_services(stage.services, stage.zoho)
    await stage.run()
    assert {o["status"] for o in await stage.operations()} == {"succeeded"}
    assert await open_incidents(stage) == []


async def test_a_dead_login_is_not_asked_again_for_every_operation(stage: Stage) -> None:
    await stage.fault("revoke_grant")
    await stage.register()
    await stage.run()
    before = len(await stage.calls())
    for number in range(5):
        await stage.register(f"late{number}@example.com")
        await stage.run()
    assert len(await stage.calls()) == before


async def test_a_missing_scope_is_named_and_waited_for(stage: Stage) -> None:
    await stage.fault("scope_removed", match={"module": "Contacts", "operation": "upsert"})
    await stage.register()
    await stage.run()
    operation = await stage.only_operation()
    assert (operation["status"], operation["wait_reason"]) == ("waiting", "login")
    assert "ZohoCRM.modules.contacts.CREATE" in f"{operation['error_message']} {operation['error_hint']}"
    await stage.no_faults()
    await stage.due_now()
    await stage.run()
    assert (await stage.only_operation())["status"] == "succeeded"


async def test_a_token_of_another_data_centre_waits_with_a_sentence(stage: Stage) -> None:
    await stage.fault("wrong_data_centre", count=100, match={"service": "crm"})
    await stage.register()
    await stage.run()
    operation = await stage.only_operation()
    assert (operation["status"], operation["wait_reason"]) == ("waiting", "login")
    assert "data centre" in operation["error_hint"]
    await stage.no_faults()
    await stage.due_now()
    await stage.run()
    assert (await stage.only_operation())["status"] == "succeeded"


async def test_an_evicted_token_is_replaced_unseen(stage: Stage) -> None:
    await stage.register()
    await stage.run()
    await stage.fault("evict_token")
    await stage.register("second@example.com")
    await stage.run()
    assert {(o["status"], o["attempt"]) for o in await stage.operations()} == {("succeeded", 1)}


async def test_before_anybody_connected_work_waits(database: Database) -> None:
    async with open_stage(database, connected=False) as stage:
        async with stage.services.pool.connection() as connection:
            await go_live(connection, stage.services.sources)
        await stage.register()
        await stage.run()
        operation = await stage.only_operation()
        assert (operation["status"], operation["wait_reason"]) == ("waiting", "login")
        await connect_services(stage.services, stage.zoho)
        await stage.run()
        assert (await stage.only_operation())["status"] == "succeeded"


async def test_a_database_is_tied_to_one_organisation(stage: Stage) -> None:
    await stage.shop.execute("update zohosync.installation set organisation_id = '1'")
    with pytest.raises(SettingsRefused, match="tied to Zoho organisation 1"):
        await connect_services(stage.services, stage.zoho)


async def test_a_budget_that_is_used_up_is_waited_for(database: Database) -> None:
    async with open_stage(database, crm_daily_credits=100) as stage:
        await stage.shop.execute(
            "insert into zohosync.budget_day (organisation_id, product, day, used)"
            " select organisation_id, 'crm', current_date, 100 from zohosync.connection"
            " on conflict (organisation_id, product, day) do update set used = 100"
        )
        await stage.register()
        await stage.run()
        operation = await stage.only_operation()
        assert (operation["status"], operation["wait_reason"], operation["attempt"]) == ("waiting", "budget", 0)


async def test_sync_now_reaches_a_record_from_before_go_live(database: Database) -> None:
    async with open_stage(database, live=False) as stage:
        user = await stage.register()
        async with stage.services.pool.connection() as connection:
            await go_live(connection, stage.services.sources)
            await stage.run()
            assert await stage.records("Contacts") == []
            await enqueue(
                connection,
                kind="crm.contact.push",
                lane="people",
                entity="customer",
                record_ids=[user],
                cause="manual",
                requested_by="admin@example.com",
            )
        await stage.run()
        assert len(await stage.records("Contacts")) == 1
