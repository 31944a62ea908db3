"""What is kept and what goes, with old rows on both sides of the border."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from conftest import Database
from stage import Stage, open_stage
from zohosync.db.pool import Connection, fetch_all
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


@pytest.mark.parametrize("status", ["succeeded", "skipped", "superseded", "cancelled"])
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


async def test_links_of_records_that_left_the_shop_go_after_the_same_time(database: Database) -> None:
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
        async with stage.services.pool.connection() as connection:
            job = partial(tidy_gone, connection, KEEP)
            assert await job() > 0
            assert await job() == 0
        links = await names(stage.shop, "select record_id as name from zohosync.link")
        seen = await names(stage.shop, "select record_id as name from zohosync.observation")
    kept = {ids["here"], ids["staff"], ids["lately"]}
    assert seen == kept | {asked["here"], asked["lately"]}
    assert links == seen | {f"user:{one}" for one in kept} | {"here@example.com", "lately@example.com"}


async def age_all_but(stage: Stage, young: list[str]) -> None:
    """Links and digests as if they were 91 days old."""
    for table, column in (("link", "updated_at"), ("observation", "seen_at")):
        await stage.shop.execute(
            f"update zohosync.{table} set {column} = now() - interval '91 days' where record_id <> all (%s)".encode(),
            (young,),
        )
