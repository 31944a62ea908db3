"""What went wrong once, or nearly: each a sequence of events that must not harm anybody's data."""

from collections.abc import AsyncIterator

import pytest

from conftest import WORKER_ROLE, Database
from stage import Stage, open_stage
from zohosync.db.pool import connect, fetch_all, fetch_one
from zohosync.errors import Refused
from zohosync.queue.batch import Batch
from zohosync.queue.lanes import catch_up
from zohosync.queue.operation import Lane, Stream
from zohosync.store import write_backs
from zohosync.store.installation import go_live


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def statuses(stage: Stage) -> list[tuple[str, str | None]]:
    return [(row["status"], row["error_code"]) for row in await stage.operations()]


async def rename_in_zoho(stage: Stage, record_id: str, **values: str) -> None:
    """Somebody edits the record in Zoho."""
    await stage.services.crm.update_records("Contacts", [{"id": record_id, **values}])


async def test_a_customer_who_left_gives_the_email_up(stage: Stage) -> None:
    user = await stage.register()
    await stage.run()
    await stage.shop.execute("delete from users where id = %s", (user,))
    again = await stage.register(first_name="Second")
    await stage.run()
    assert (await statuses(stage))[-1] == ("succeeded", None)
    (contact,) = await stage.records("Contacts")
    assert (contact["First_Name"], contact["Storefront_User_Id"]) == ("Second", again)


async def test_an_email_its_owner_is_about_to_give_up_is_waited_for(stage: Stage) -> None:
    first = await stage.register("shared@example.com")
    await stage.run()
    await stage.shop.execute("alter table users disable trigger user")
    await stage.shop.execute("update users set email = 'moved@example.com' where id = %s", (first,))
    await stage.shop.execute("alter table users enable trigger user")
    second = await stage.register("shared@example.com")
    await stage.run()
    waiting = (await stage.operations())[-1]
    assert (waiting["status"], waiting["wait_reason"]) == ("waiting", "parent")
    async with stage.services.pool.connection() as connection:
        assert await catch_up(connection, contact_stream(stage), "customer") == 1
    await stage.run()
    await stage.due_now()
    await stage.run()
    by_user = {contact["Storefront_User_Id"]: contact["Email"] for contact in await stage.records("Contacts")}
    assert by_user == {first: "moved@example.com", second: "shared@example.com"}


async def test_a_contact_zoho_took_for_another_customers_gets_its_values_back(stage: Stage) -> None:
    """Staff gave A's Contact the e-mail of B; then B registers."""
    first = await stage.register("a@example.com", first_name="Anybody")
    await stage.run()
    (contact,) = await stage.records("Contacts")
    await rename_in_zoho(stage, contact["id"], Email="b@example.com")
    await stage.register("b@example.com", first_name="Newcomer")
    await stage.run(turns=2)
    (contact,) = await stage.records("Contacts")
    assert (contact["First_Name"], contact["Email"], contact["Storefront_User_Id"]) == (
        "Anybody",
        "a@example.com",
        first,
    )
    failed = [row for row in await stage.operations() if row["status"] == "failed"]
    assert [row["error_code"] for row in failed] == ["email_shared"]


async def test_one_old_id_on_two_customers_is_adopted_by_one(database: Database) -> None:
    async with open_stage(database, fields=False) as stage:
        await stage.register("first@example.com")
        await stage.run()
        (contact,) = await stage.records("Contacts")
        await stage.shop.execute("delete from zohosync.link")
        await stage.shop.execute("delete from users")
        await stage.register("first@example.com", zoho_crm_id=contact["id"])
        await stage.register("First@example.com", zoho_crm_id=contact["id"])
        await stage.run(turns=2)
        assert sorted(await statuses(stage), key=str)[0] == ("failed", "email_shared")
        assert len(await stage.records("Contacts")) == 1


@pytest.mark.parametrize("when", ["infinity", "-infinity", "12026-01-01"])
async def test_a_date_no_calendar_holds_does_not_hold_up_the_others(stage: Stage, when: str) -> None:
    user = await stage.register()
    await stage.shop.execute(
        "insert into b2b_quotes (user_id, status, valid_until) values (%s, 'submitted', %s)", (user, when)
    )
    await stage.ask()
    await stage.run()
    by_entity = {row["entity"]: row for row in await stage.operations()}
    assert by_entity["inquiry"]["status"] == "succeeded"
    assert by_entity["quote"]["wait_reason"] == "lines"


async def test_a_shop_that_refuses_one_id_keeps_what_zoho_accepted(stage: Stage) -> None:
    """An older integration left a unique column; two inquiries of one person are one Lead."""
    await stage.shop.execute("create unique index on contact_submissions (zoho_crm_id)")
    await stage.ask(subject="First")
    await stage.ask(subject="Second")
    await stage.ask("other@example.com")
    await stage.run()
    assert {status for status, _ in await statuses(stage)} == {"succeeded"}
    written = await fetch_all(stage.shop, "select 1 from contact_submissions where zoho_crm_id is not null")
    assert len(written) == 2
    async with stage.services.pool.connection() as connection:
        assert await write_backs.settle(connection) == 1
    assert len(await stage.records("Notes")) == 3


async def test_words_of_zoho_that_json_cannot_hold_do_not_kill_the_report(stage: Stage) -> None:
    from decimal import Decimal

    async def handler(batch: Batch) -> None:
        raise Refused("Zoho said no.", details={"limit": Decimal("1.5"), "text": "a\x00b\ud800"}, vendor_message="\x00")

    broken = Stream("crm.contact.push", Lane.PEOPLE, ("customer",), handler, 100)
    object.__setattr__(stage.services, "streams", (broken,))
    await stage.register()
    await stage.run()
    assert await statuses(stage) == [("failed", "zoho_refused")]


async def test_an_account_deleted_in_zoho_is_made_anew(stage: Stage) -> None:
    user = await stage.register(role="b2b_client", company_name="Demo Farms")
    await stage.run()
    (account,) = await stage.records("Accounts")
    await stage.delete_in_zoho("Accounts", account["id"])
    await stage.shop.execute("update users set phone = '9876543210' where id = %s", (user,))
    await stage.run()
    await stage.due_now()
    await stage.run()
    assert (await statuses(stage))[-1] == ("succeeded", None)
    (anew,) = await stage.records("Accounts")
    (contact,) = await stage.records("Contacts")
    assert contact["Account_Name"]["id"] == anew["id"] != account["id"]


async def test_the_time_zone_of_a_session_changes_no_digest(stage: Stage) -> None:
    user = await stage.register()
    await stage.shop.execute(
        "insert into b2b_quotes (user_id, status, valid_until) values (%s, 'submitted', now())", (user,)
    )
    seen = set()
    for zone in ("UTC", "Asia/Kolkata"):
        await stage.shop.execute(f"set timezone = '{zone}'")
        row = await fetch_one(stage.shop, "select digest from zohosync.shop_scan('quote')")
        assert row is not None
        seen.add(row["digest"])
    assert len(seen) == 1


async def test_a_kind_a_later_release_brings_does_not_sync_the_past(stage: Stage) -> None:
    await stage.register()
    later = Stream("crm.later.push", Lane.BULK, ("customer",), contact_stream(stage).handler)
    async with stage.services.pool.connection() as connection:
        assert await catch_up(connection, later, "customer") == 0
        again = await go_live(connection, [*stage.services.sources, ("crm.later.push", "customer")])
        assert (again.already, again.baseline) == (True, 1)
        assert await catch_up(connection, later, "customer") == 0
        await stage.register("new@example.com")
        assert await catch_up(connection, later, "customer") == 1


@pytest.mark.parametrize("ending", ["cancelled", "poison"])
async def test_the_scan_leaves_alone_what_was_cancelled_or_stops_workers(stage: Stage, ending: str) -> None:
    await stage.register()
    async with stage.services.pool.connection() as connection:
        from zohosync.queue.lanes import take_in

        await take_in(connection, stage.services.streams)
        if ending == "cancelled":
            await connection.execute("select zohosync.cancel(operation_id) from zohosync.operation")
        else:
            await connection.execute(
                "update zohosync.operation set status = 'failed', error_code = 'poison', queued = false,"
                " finished_at = now()"
            )
        assert await catch_up(connection, contact_stream(stage), "customer") == 0


async def test_a_kind_this_worker_does_not_know_waits_for_one_that_does(stage: Stage) -> None:
    await stage.shop.execute(
        "select zohosync.enqueue(array['crm.future.push'], array['people']::zohosync.lane[], array['customer'],"
        " array['r'], 'manual')"
    )
    await stage.run()
    operation = await stage.only_operation()
    assert (operation["status"], operation["attempt"]) == ("waiting", 0)
    assert "newer release" in operation["error_message"]


async def test_the_latest_inquiry_tells_the_leads_values(stage: Stage) -> None:
    await stage.shop.execute(
        "insert into contact_submissions (id, name, email, created_at) values"
        " ('00000000-0000-0000-0000-000000000001', 'Newer Name', 'visitor@example.com', now()),"
        " ('ffffffff-ffff-ffff-ffff-ffffffffffff', 'Older Name', 'visitor@example.com', now() - interval '1 day')"
    )
    await stage.run()
    (lead,) = await stage.records("Leads")
    assert lead["First_Name"] == "Newer"


async def test_install_gives_way_to_an_open_transaction(database: Database) -> None:
    from zohosync.db.install import install
    from zohosync.errors import DatabaseFailure

    async with await connect(database.owner_url) as busy, await connect(database.owner_url) as connection:
        async with busy.transaction():
            await busy.execute("insert into contact_submissions (name, email) values ('N', 'n@example.com')")
            with pytest.raises(DatabaseFailure, match="open transaction"):
                await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")


def contact_stream(stage: Stage) -> Stream:
    return next(stream for stream in stage.services.streams if stream.kind == "crm.contact.push")
