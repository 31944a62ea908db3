"""What is kept and what goes, with old rows on both sides of the border."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Database
from stage import Stage, open_stage
from zohosync.db.pool import Connection, fetch_all
from zohosync.queue import lanes
from zohosync.store.tidying import Retention, tidy, tidy_gone

KEEP = Retention(successes=timedelta(days=90), payloads=timedelta(days=30))


async def insert_operation(owner: Connection, name: str, days: float, status: str, **more: Any) -> None:
    """An operation that ended so many days ago, with one attempt that has a payload."""
    await owner.execute(
        """with o as (
             insert into zohosync.operation (kind, lane, entity, record_id, cause, status, queued, finished_at,
                                             resolved_at, error_code)
             values ('crm.contact.push', 'people', 'customer', %(name)s, 'change',
                     %(status)s::zohosync.operation_status, false,
                     now() - make_interval(secs => %(age)s), now() - make_interval(secs => %(resolved)s::float),
                     case when %(status)s::text = 'failed' then 'zoho_refused' end)
             returning operation_id, finished_at)
           insert into zohosync.attempt (operation_id, number, claim_id, worker, started_at, ended_at, outcome, request,
                                         response)
           select operation_id, 1, gen_random_uuid(), 'w', finished_at, finished_at, 'released', '{"a": 1}', '{"b": 2}'
             from o""",
        {"name": name, "status": status, "age": days * 86400, "resolved": more.get("resolved")},
    )


async def names(connection: Connection, query: str) -> set[str]:
    return {row["name"] for row in await fetch_all(connection, query)}


@pytest.mark.parametrize("status", ["succeeded", "skipped", "superseded"])
async def test_what_ended_well_goes_after_its_time_and_not_before(
    owner: Connection, worker: Connection, status: str
) -> None:
    await insert_operation(owner, "young", 89.9, status)
    await insert_operation(owner, "old", 90.1, status)
    await tidy(worker, KEEP)
    assert await names(owner, "select record_id as name from zohosync.operation") == {"young"}


async def test_a_failure_stays_until_it_is_cured_for_long_enough(owner: Connection, worker: Connection) -> None:
    await insert_operation(owner, "open", 400, "failed")
    await insert_operation(owner, "just cured", 400, "failed", resolved=89.9 * 86400)
    await insert_operation(owner, "long cured", 400, "failed", resolved=90.1 * 86400)
    await tidy(worker, KEEP)
    assert await names(owner, "select record_id as name from zohosync.operation") == {"open", "just cured"}


async def test_open_work_is_never_old(owner: Connection, worker: Connection) -> None:
    await owner.execute(
        """insert into zohosync.operation (kind, lane, entity, record_id, cause, status, queued, wait_reason,
                                          created_at)
           values ('crm.contact.push', 'people', 'customer', 'waits', 'change', 'waiting', false, 'login',
                   now() - interval '2 years')"""
    )
    await tidy(worker, KEEP)
    assert await names(owner, "select record_id as name from zohosync.operation") == {"waits"}


async def test_payloads_go_earlier_than_their_attempts(owner: Connection, worker: Connection) -> None:
    await insert_operation(owner, "young", 29.9, "succeeded")
    await insert_operation(owner, "old", 30.1, "succeeded")
    await insert_operation(owner, "old failure", 30.1, "failed")
    await tidy(worker, KEEP)
    kept = "select record_id as name from zohosync.operation join zohosync.attempt using (operation_id) where {}"
    assert await names(owner, kept.format("request is not null and response is not null")) == {"young"}
    assert await names(owner, kept.format("request is null and response is null")) == {"old", "old failure"}


async def test_settings_move_the_borders(database: Database, owner: Connection) -> None:
    await insert_operation(owner, "two days", 2, "succeeded")
    await insert_operation(owner, "half a day", 0.5, "succeeded")
    async with open_stage(database, connected=False, keep_successes="P1D", keep_payloads=3600) as stage:
        clockwork = stage.services.clockwork()
        await clockwork.wind()
        while await clockwork.tick():
            pass
    rows = await fetch_all(
        owner, "select record_id, request from zohosync.operation join zohosync.attempt using (operation_id)"
    )
    assert rows == [{"record_id": "half a day", "request": None}]


async def test_incidents_closed_for_a_year_go(owner: Connection, worker: Connection) -> None:
    await owner.execute(
        """insert into zohosync.incident (code, severity, title, opened_at, closed_at)
           values ('open', 'warning', 'T', now() - interval '3 years', null),
                  ('lately', 'warning', 'T', now() - interval '3 years', now() - interval '364 days'),
                  ('long ago', 'warning', 'T', now() - interval '3 years', now() - interval '366 days')"""
    )
    await tidy(worker, KEEP)
    assert await names(owner, "select code as name from zohosync.incident") == {"open", "lately"}


async def test_expired_consents_go_and_the_audit_trail_stays(owner: Connection, worker: Connection) -> None:
    for name, when in (("past", "- interval '1 second'"), ("coming", "+ interval '1 hour'")):
        await owner.execute(
            f"""insert into zohosync.consent (state_hash, client_id, client_secret, accounts_server, redirect_uri,
                                              requested_by, expires_at)
                values ('{name}', '{name}', '', '', '', '', now() {when})""".encode()
        )
    await owner.execute("insert into zohosync.audit (at, actor, action) values (now() - interval '9 years', 'a', 'b')")
    await tidy(worker, KEEP)
    assert await names(owner, "select client_id as name from zohosync.consent") == {"coming"}
    assert await names(owner, "select actor as name from zohosync.audit") == {"a"}


async def test_one_run_deletes_a_bounded_share(owner: Connection, worker: Connection) -> None:
    await owner.execute(
        """insert into zohosync.operation (kind, lane, entity, record_id, cause, status, queued, finished_at)
           select 'crm.contact.push', 'people', 'customer', n::text, 'change', 'succeeded', false,
                  now() - interval '1 year'
             from generate_series(1, 5001) n"""
    )
    await tidy(worker, KEEP)
    assert len(await names(owner, "select record_id as name from zohosync.operation")) == 1
    await tidy(worker, KEEP)
    assert not await names(owner, "select record_id as name from zohosync.operation")


async def test_links_of_records_that_left_the_shop_go_a_month_after_they_were_missed(database: Database) -> None:
    async with open_stage(database) as stage:
        ids = {
            name: await stage.register(f"{name}@example.com", role="b2b_client", company_name=f"{name} Ltd")
            for name in ("here", "staff", "gone", "lately")
        }
        asked = {name: await stage.ask(f"{name}@example.com") for name in ("here", "gone", "lately")}
        await stage.run()
        await stage.shop.execute("delete from users where email in ('gone@example.com', 'lately@example.com')")
        await stage.shop.execute(
            "delete from contact_submissions where email in ('gone@example.com', 'lately@example.com')"
        )
        await stage.shop.execute("update users set role = 'admin' where email = 'staff@example.com'")
        await age_all_but(stage, [ids["lately"], asked["lately"], f"user:{ids['lately']}", "lately@example.com"])
        assert await look_for_gone(stage) == 0
        await days_later(stage, 29.9)
        assert await look_for_gone(stage) == 0
        await days_later(stage, 0.2)
        assert await look_for_gone(stage) > 0
        assert await look_for_gone(stage) == 0
        links = await names(stage.shop, LINKED)
        seen = await names(stage.shop, "select record_id as name from zohosync.observation")
        assert await incidents(stage) == set()
    kept = {ids["here"], ids["staff"], ids["lately"]}
    assert seen == kept | {asked["here"], asked["lately"]}
    assert links == seen | {f"user:{one}" for one in kept} | {"here@example.com", "lately@example.com"}


LINKED = "select record_id as name from zohosync.link"
MISSING = "select record_id as name from zohosync.link where missing_since is not null"


async def look_for_gone(stage: Stage) -> int:
    async with stage.services.pool.connection() as connection:
        return await tidy_gone(connection, KEEP)


async def days_later(stage: Stage, days: float) -> None:
    """Everything that is marked as missing has been for so many days more."""
    for table in ("link", "observation"):
        await stage.shop.execute(
            f"update zohosync.{table} set missing_since = missing_since - make_interval(secs => %s)".encode(),
            (days * 86400,),
        )


async def incidents(stage: Stage) -> set[str]:
    return await names(stage.shop, "select subject as name from zohosync.incident where closed_at is null")


async def scan(stage: Stage) -> int:
    """How many records the catch-up scan takes for changed."""
    async with stage.services.pool.connection() as connection:
        found = [
            await lanes.catch_up(connection, stream, entity)
            for stream in stage.services.streams
            for entity in stream.entities
        ]
    return sum(found)


async def test_the_contacts_of_guests_and_firms_stay_for_good(owner: Connection, worker: Connection) -> None:
    """A guest who orders again next year is the same contact, and no row of the shop says that there is one."""
    await owner.execute("insert into users (email, first_name, last_name) values ('a@example.com', 'A', 'B')")
    await owner.execute(
        """insert into zohosync.link (system, module, entity, record_id, state, zoho_id, organisation_id, updated_at)
           select 'books', 'contacts', k.entity, k.key, 'linked', k.key, '1', now() - interval '2 years'
             from (values ('guest', 'g@example.com'), ('firm', '29ABCDE1234F1Z5'), ('charge', 'shipping:taxable'))
               as k(entity, key)"""
    )
    for _ in range(2):
        assert await tidy_gone(worker, KEEP) == 0
        await tidy(worker, KEEP)
    assert await names(owner, "select entity as name from zohosync.link where missing_since is null") == {
        "guest", "firm", "charge",
    }  # fmt: skip


@pytest.mark.parametrize("hidden", ["by a policy", "by a restore"])
async def test_a_shop_that_shows_nothing_is_not_believed(database: Database, owner: Connection, hidden: str) -> None:
    """However long it lasts: when the rows are back nothing is sent twice."""
    async with open_stage(database) as stage:
        for number in range(3):
            await stage.ask(f"visitor{number}@example.com")
        await stage.run()
        await age_all_but(stage, [])
        before = await names(stage.shop, LINKED)
        if hidden == "by a policy":
            await owner.execute("alter table contact_submissions enable row level security")
            await owner.execute("alter table contact_submissions force row level security")
        else:
            await take_away(stage, "true")
        for _ in range(3):
            assert await look_for_gone(stage) == 0
            await days_later(stage, 31)
        assert await names(stage.shop, LINKED) == before
        assert await names(stage.shop, MISSING) == set()
        assert await incidents(stage) == {"inquiry"}
        if hidden == "by a policy":
            await owner.execute("alter table contact_submissions no force row level security")
        else:
            await put_back(stage)
        assert await look_for_gone(stage) == 0
        assert await incidents(stage) == set()
        assert await scan(stage) == 0
        assert len(await stage.records("Notes")) == 3


async def test_while_the_shop_shows_nothing_even_what_was_missed_before_stays(database: Database) -> None:
    async with open_stage(database) as stage:
        await stage.ask()
        await stage.run()
        await age_all_but(stage, [])
        await take_away(stage, "true")
        for table in ("link", "observation"):
            await stage.shop.execute(f"update zohosync.{table} set missing_since = now() - interval '31 days'".encode())
        assert await look_for_gone(stage) == 0
        await stage.ask("another@example.com")
        assert await look_for_gone(stage) == 3


async def take_away(stage: Stage, which: str) -> None:
    """Rows of the shop go, without its triggers, as a restore does it."""
    await stage.shop.execute("create table taken as table contact_submissions")
    await stage.shop.execute(f"delete from contact_submissions where {which}".encode())


async def put_back(stage: Stage) -> None:
    await stage.shop.execute("alter table contact_submissions disable trigger user")
    await stage.shop.execute("insert into contact_submissions table taken on conflict do nothing")
    await stage.shop.execute("alter table contact_submissions enable trigger user")


async def ask_thirty(stage: Stage) -> None:
    """Thirty inquiries, old ones."""
    await stage.shop.execute(
        """insert into contact_submissions (name, email, subject, message)
           select 'Demo Visitor', 'visitor' || n || '@example.com', n::text, 'How much per acre?'
             from generate_series(1, 30) n"""
    )
    await stage.run()
    await age_all_but(stage, [])


async def test_a_shop_that_shows_much_less_is_not_believed(database: Database) -> None:
    async with open_stage(database) as stage:
        await ask_thirty(stage)
        before = await names(stage.shop, LINKED)
        assert len(before) == 60
        await take_away(stage, "subject::integer <= 21")
        for _ in range(3):
            assert await look_for_gone(stage) == 0
            await days_later(stage, 31)
        assert await names(stage.shop, LINKED) == before
        [incident] = await fetch_all(stage.shop, "select * from zohosync.incident")
        assert (incident["code"], incident["subject"], incident["severity"]) == (
            "shop_rows_missing",
            "inquiry",
            "warning",
        )
        assert incident["title"].startswith("Of 30 records (inquiry) the shop does not show 21")
        await put_back(stage)
        await look_for_gone(stage)
        assert await incidents(stage) == set()
        assert await scan(stage) == 0


async def test_a_shop_that_shows_a_little_less_is_believed(database: Database) -> None:
    async with open_stage(database) as stage:
        await ask_thirty(stage)
        await take_away(stage, "subject::integer <= 20")
        await look_for_gone(stage)
        assert await incidents(stage) == set()
        await days_later(stage, 31)
        assert await look_for_gone(stage) == 60  # link of the Note, link of the Lead, digest
        assert len(await names(stage.shop, LINKED)) == 20


async def test_what_comes_back_within_the_month_was_never_gone(database: Database) -> None:
    async with open_stage(database) as stage:
        await ask_thirty(stage)
        await take_away(stage, "subject::integer <= 5")
        await look_for_gone(stage)
        assert len(await names(stage.shop, MISSING)) == 10
        await days_later(stage, 29)
        await put_back(stage)
        await look_for_gone(stage)
        assert await names(stage.shop, MISSING) == set()
        await days_later(stage, 31)
        await stage.shop.execute("delete from contact_submissions where subject::integer <= 5")
        assert await look_for_gone(stage) == 0


async def test_a_person_can_say_that_rows_were_deleted_on_purpose(database: Database) -> None:
    """With the statements of the page of incidents."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "incidents.md"
    statements = re.findall(
        r"^update zohosync\.(?:link|observation) set missing_since.*?;", page.read_text(), re.M | re.S
    )
    assert len(statements) == 3
    async with open_stage(database) as stage:
        await ask_thirty(stage)
        await take_away(stage, "subject::integer <= 29")
        await look_for_gone(stage)
        for statement in statements:
            await stage.shop.execute(statement.encode())
        await look_for_gone(stage)
        assert await incidents(stage) == set()
        await days_later(stage, 31)
        await look_for_gone(stage)
        assert len(await names(stage.shop, LINKED)) == 2


async def test_the_account_of_a_customer_whose_contact_was_refused_stays(database: Database) -> None:
    firm = {"role": "b2b_client", "company_name": "Demo Firm"}
    async with open_stage(database, fields=False) as stage:
        stage.sim.seed_field("Contacts", "GSTIN", length=15)
        await stage.register("shared@example.com")
        await stage.run()
        by_gstin = await stage.register("Shared@example.com", **firm, gst_number="27aapfu0939f1zv")
        by_user = await stage.register("SHARED@example.com", **firm)
        await stage.run()
        failures = await names(stage.shop, "select error_code as name from zohosync.operation where status = 'failed'")
        assert failures == {"email_shared"}
        await age_all_but(stage, [])
        for _ in range(2):
            assert await look_for_gone(stage) == 0
            await days_later(stage, 31)
        await stage.shop.execute("update users set email = id || '@example.com' where company_name is not null")
        await stage.run()
        assert len(await stage.records("Accounts")) == 2
        named = [one["Account_Name"]["id"] for one in await stage.records("Contacts") if one.get("Account_Name")]
        assert len(set(named)) == 2
        assert {f"user:{by_user}", "gstin:27AAPFU0939F1ZV"} <= await names(stage.shop, LINKED)
        await stage.shop.execute("delete from users where id = %s", (by_gstin,))
        await age_all_but(stage, [])
        await look_for_gone(stage)
        await days_later(stage, 31)
        await look_for_gone(stage)
        left = await names(stage.shop, LINKED)
        assert f"user:{by_user}" in left
        assert "gstin:27AAPFU0939F1ZV" not in left


@pytest.mark.parametrize("state", ["creating", "in_doubt"])
async def test_an_account_that_may_be_in_the_making_is_kept(database: Database, state: str) -> None:
    async with open_stage(database) as stage:
        await stage.register()
        await stage.run()
        await stage.shop.execute(
            """insert into zohosync.link (system, module, entity, record_id, state, organisation_id, reference)
               values ('crm', 'Accounts', 'company', %s, %s, '1', 'Demo Firm')""",
            ("user:00000000-0000-0000-0000-000000000000", state),
        )
        await age_all_but(stage, [])
        for _ in range(2):
            assert await look_for_gone(stage) == 0
            await days_later(stage, 31)


async def test_what_a_person_cancelled_stays_cancelled_after_its_time(database: Database) -> None:
    async with open_stage(database) as stage:
        await stage.ask(message="first")
        await stage.take_in()
        await stage.shop.execute("select zohosync.cancel(operation_id) from zohosync.operation")
        await stage.shop.execute("update zohosync.operation set finished_at = finished_at - interval '91 days'")
        await tidy(stage.shop, KEEP)
        assert await stage.operations() == []
        assert await scan(stage) == 0
        await stage.shop.execute("alter table contact_submissions disable trigger user")
        await stage.shop.execute("update contact_submissions set message = 'second'")
        assert await scan(stage) == 1


async def test_a_cancellation_nothing_else_tells_of_is_kept_without_words(
    owner: Connection, worker: Connection
) -> None:
    """As of an earlier release, or of a record the shop did not show just then."""
    for name in ("known", "unknown", "asked again"):
        await insert_operation(owner, name, 91, "cancelled")
    await owner.execute("update zohosync.operation set label = 'visitor@example.com', warnings = '[{\"a\": 1}]'")
    await insert_operation(owner, "asked again", 90.5, "succeeded")
    await owner.execute(
        "insert into zohosync.observation (kind, entity, record_id, digest)"
        " values ('crm.contact.push', 'customer', 'known', 'x')"
    )
    await tidy(worker, KEEP)
    rows = await fetch_all(owner, "select record_id, label, warnings from zohosync.operation")
    assert rows == [{"record_id": "unknown", "label": None, "warnings": []}]


async def test_a_shop_that_cannot_be_read_hinders_no_cancelling(database: Database, owner: Connection) -> None:
    async with open_stage(database) as stage:
        await stage.ask()
        await stage.take_in()
        await owner.execute("alter table contact_submissions rename column message to words")
        [row] = await fetch_all(stage.shop, "select zohosync.cancel(operation_id) as ended from zohosync.operation")
        assert row["ended"]
        assert [one["status"] for one in await stage.operations()] == ["cancelled"]


async def age_all_but(stage: Stage, young: list[str]) -> None:
    """Links and digests as if they were 91 days old."""
    for table, column in (("link", "updated_at"), ("observation", "seen_at")):
        await stage.shop.execute(
            f"update zohosync.{table} set {column} = now() - interval '91 days' where record_id <> all (%s)".encode(),
            (young,),
        )
