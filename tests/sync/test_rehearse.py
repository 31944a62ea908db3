"""A rehearsal tells what a push of past records would hold up, and touches nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import psycopg
import pytest

from conftest import Database
from stage import Stage, open_stage
from sync.test_leads import request_quote
from zohosync.db.pool import Connection, fetch_all, fetch_one, snapshot
from zohosync.errors import ShopUnreadable
from zohosync.queue.foresight import Foreseen, Foresight, Preview, Section
from zohosync.store.shop import PAGE, read_recent
from zohosync.sync.rehearse import Group, Rehearsal, rehearse

FIRM = {"role": "b2b_client", "company_name": "Demo Farms"}
API_ACCOUNTS = {"budget_day", "budget_lease"}
"""Calls to Zoho are counted, those of a rehearsal too."""


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    """Connected, not live: nothing is captured."""
    async with open_stage(database, live=False) as opened:
        yield opened


async def run(stage: Stage, **most: int | None) -> Rehearsal:
    return await rehearse(stage.services.pool, stage.services.streams, most)


def found(report: Rehearsal, entity: str = "customer") -> dict[str, Group]:
    return {group.code: group for group in report.groups if group.entity == entity}


def counts(report: Rehearsal, entity: str = "customer") -> tuple[int, int, int, int, int]:
    (line,) = [line for line in report.lines if line.entity == entity]
    return line.looked_at, line.fine, line.warned, line.waiting, line.refused


async def contents(stage: Stage) -> dict[str, str]:
    """A digest of every table of the shop, of zohosync and of its queues."""
    tables = await fetch_all(
        stage.shop,
        """select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('public', 'zohosync', 'pgmq') and c.relkind = 'r'""",
    )
    digests: dict[str, str] = {}
    for table in tables:
        name = f'"{table["nspname"]}"."{table["relname"]}"'
        row = await fetch_one(
            stage.shop, f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} t"
        )
        assert row is not None
        digests[table["relname"]] = row["md5"]
    assert len(digests) > 40
    return digests


async def fill(stage: Stage) -> None:
    """A shop with a past: good records and every kind of bad one."""
    await stage.register("good@example.com", phone="98765 43210")
    await stage.register("warned@example.com", phone="call me", gst_number="29WRONG")
    await stage.register("not an address")
    await stage.register("long@example.com", last_name="L" * 81)
    await stage.register("firm@example.com", **FIRM)
    await stage.register("staff@example.com", role="admin")
    await stage.ask(subject="First")
    await stage.ask("no-at-sign")
    await stage.ask(status="spam")
    await request_quote(stage, await stage.register("asks@example.com", first_name="Asking"))
    await request_quote(stage, await stage.register("waits@example.com", first_name="Waiting"), lines=False)


async def test_findings_come_by_cause_with_counts_and_examples(stage: Stage) -> None:
    await fill(stage)
    report = await run(stage)
    assert counts(report) == (7, 4, 1, 0, 2)
    assert counts(report, "inquiry") == (2, 1, 0, 0, 1)
    assert counts(report, "quote") == (2, 1, 0, 1, 0)
    causes = found(report)
    assert {code: group.section for code, group in causes.items()} == {
        "email_invalid": Section.REFUSED,
        "too_long": Section.REFUSED,
        "phone_invalid": Section.WARNED,
        "gstin_invalid": Section.WARNED,
        "namesake": Section.NAMESAKE,
    }
    assert causes["too_long"].message == "Last Name is longer than Zoho allows."
    (example,) = causes["phone_invalid"].examples
    assert example.label == "warned@example.com"
    assert "'call me'" in example.detail
    assert "call me" not in causes["phone_invalid"].message
    assert found(report, "quote")["lines_missing"].section is Section.WAITING
    assert report.shortcomings == []
    assert not report.all_fine


async def test_nothing_is_written_and_zoho_is_only_asked_for_its_fields(stage: Stage) -> None:
    await fill(stage)
    before, asked = await contents(stage), len(await stage.calls())
    await run(stage)
    after = await contents(stage)
    assert {name for name in before if before[name] != after[name]} <= API_ACCOUNTS
    calls = (await stage.calls())[asked:]
    assert {call["method"] for call in calls} == {"GET"}
    assert [call["path"] for call in calls if call["service"] == "crm"] == ["/crm/v8/settings/fields"] * 3
    assert sorted(call["path"].split("/", 4)[3] for call in calls if call["service"] == "books") == [
        "chartofaccounts",
        "organizations",
        "settings",
        "settings",
    ]


async def test_without_a_connection_not_one_table_changes_and_zoho_is_not_called(database: Database) -> None:
    async with open_stage(database, connected=False) as stage:
        await fill(stage)
        before = await contents(stage)
        report = await run(stage)
        assert await contents(stage) == before
        assert await stage.calls() == []
        assert counts(report) == (7, 4, 1, 0, 2)
        books, crm = report.shortcomings
        assert "Zoho Books was not asked" in books
        assert "only Zoho's standard lengths: Zoho is not connected." in crm


async def test_a_dead_zoho_leaves_the_standard_lengths(stage: Stage) -> None:
    await fill(stage)
    await stage.fault("http_500_before_commit", match={"service": "crm"}, count=20)
    report = await run(stage)
    assert counts(report) == (7, 4, 1, 0, 2)
    assert len(report.shortcomings) == 1


class Meddler:
    """A foresight that writes."""

    shortcoming = None

    async def rehearse(
        self, connection: Connection, entity: str, pages: AsyncIterator[Sequence[str]]
    ) -> AsyncIterator[Foreseen]:
        await connection.execute("update zohosync.installation set capturing = false")
        yield Foreseen("", "", ())

    async def preview(self, connection: Connection, entity: str, record_id: str) -> Preview:
        raise AssertionError


async def test_the_database_itself_refuses_a_rehearsal_that_writes(stage: Stage) -> None:
    async def foresee() -> Foresight:
        return Meddler()

    meddling = replace(stage.services.streams[0], foresee=foresee)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await rehearse(stage.services.pool, [meddling], {})


async def test_an_organisations_own_rules_count(stage: Stage) -> None:
    await stage.fault("new_mandatory_field", field="Department", match={"module": "Contacts"})
    await stage.register()
    mandatory = found(await run(stage))["mandatory_missing"]
    assert (mandatory.section, mandatory.zoho_field) == (Section.REFUSED, "Department")


async def test_one_email_of_several_customers_is_seen_across_pages(stage: Stage) -> None:
    """The newest come first, so the oldest of the three is refused with the one before it."""
    await stage.register("same@example.com")
    await stage.shop.execute(
        "insert into users (email, first_name, last_name)"
        f" select 'c' || n || '@example.com', 'Customer', 'No ' || n from generate_series(1, {PAGE}) n"
    )
    await stage.register("Same@example.com", last_name="Other")
    await stage.register("SAME@example.com", last_name="Third")
    report = await run(stage, customer=None)
    assert counts(report) == (PAGE + 3, PAGE + 1, 0, 0, 2)
    shared = found(report)["email_shared"]
    assert (shared.section, shared.count) == (Section.SHARED_EMAIL, 2)
    assert "one e-mail address" in shared.message
    assert all("has this e-mail too" in example.detail for example in shared.examples)


async def test_an_email_of_a_linked_customer_is_shared_with_whoever_is_new(database: Database) -> None:
    async with open_stage(database) as stage:
        linked = await stage.register("same@example.com")
        await stage.run()
        await stage.register("Same@example.com", last_name="Other")
        report = await run(stage)
        assert counts(report) == (2, 1, 0, 0, 1)
        assert found(report)["email_shared"].examples[0].detail == f"Customer {linked} has this e-mail too."
        assert found(report)["linked"].count == 1


async def test_namesakes_are_told_and_harmless(stage: Stage) -> None:
    await stage.register("a@example.com", **FIRM)
    await stage.register("b@example.com", **FIRM)
    report = await run(stage)
    assert counts(report) == (2, 2, 0, 0, 0)
    assert {code: group.count for code, group in found(report).items()} == {"namesake": 1, "company_namesake": 1}
    assert report.all_fine


async def test_what_is_linked_or_has_an_old_id_is_told(database: Database) -> None:
    async with open_stage(database) as stage:
        await stage.register("linked@example.com")
        await stage.ask()
        await stage.run()
        await stage.register("old@example.com", first_name="Old", zoho_crm_id="4000000000001")
        report = await run(stage)
        assert set(found(report)) == {"linked", "old_id"}
        assert set(found(report, "inquiry")) == {"linked"}
        assert counts(report)[:2] == (2, 2)


async def test_the_newest_are_looked_at_and_as_many_as_wanted(stage: Stage) -> None:
    await stage.shop.execute(
        "insert into users (email, first_name, last_name, created_at)"
        " select 'c' || n || '@example.com', 'Customer', 'No ' || n, now() - n * interval '1 day'"
        " from generate_series(1, 300) n"
    )
    await stage.shop.execute("update users set phone = 'call me'")
    assert counts(await run(stage))[0] == 200
    assert counts(await run(stage, customer=None))[0] == 300
    few = await run(stage, customer=2, inquiry=0)
    assert [example.label for example in found(few)["phone_invalid"].examples] == ["c1@example.com", "c2@example.com"]
    assert "inquiry" not in {line.entity for line in few.lines}
    many = found(await run(stage))["phone_invalid"]
    assert (many.count, len(many.examples)) == (200, 5)


async def test_all_records_are_read_in_pages(stage: Stage) -> None:
    await stage.shop.execute(
        f"insert into contact_submissions (name, email) select 'N', 'n@example.com' from generate_series(1, {PAGE + 1})"
    )
    async with stage.services.pool.connection() as connection, snapshot(connection):
        pages = [page async for page in read_recent(connection, "inquiry", None)]
    assert [len(page) for page in pages] == [PAGE, 1]
    assert len({one for page in pages for one in page}) == PAGE + 1


YEAR_12026 = """
create or replace function zohosync.shop_quotes(keys text[])
returns table (record_id text, asked_at double precision, email text, first_name text, last_name text, phone text,
               company text, gstin text, valid_until timestamptz, subtotal numeric, tax_amount numeric,
               total_amount numeric, notes text, lines jsonb, zoho_crm_id text, in_scope boolean, digest text)
language sql stable security definer set search_path = '' as $$
  select q.id::text, 0::double precision, 'a@example.com', 'Demo', 'Customer', null, null, null, q.valid_until,
         0::numeric, 0::numeric, 0::numeric, null, '[]'::jsonb, null, true, 'x'
    from public.b2b_quotes q where q.id = any (keys::uuid[]) $$
"""


async def test_a_value_no_program_can_read_is_a_finding_of_its_record_alone(stage: Stage) -> None:
    await stage.shop.execute(YEAR_12026)
    for when in ("12026-01-01", "2026-01-01", "2027-01-01"):
        await stage.shop.execute("insert into b2b_quotes (status, valid_until) values ('submitted', %s)", (when,))
    report = await run(stage)
    assert counts(report, "quote") == (3, 0, 0, 2, 1)
    assert found(report, "quote")["record_unreadable"].count == 1


async def test_an_amount_that_is_no_number_is_shown_as_none(stage: Stage) -> None:
    await request_quote(stage, await stage.register(), subtotal="NaN")
    assert found(await run(stage), "quote")["sum_differs"].count == 1


async def test_an_adapter_without_the_function_is_named_with_its_remedy(stage: Stage) -> None:
    await stage.shop.execute("drop function zohosync.shop_recent(text, integer)")
    with pytest.raises(ShopUnreadable, match="shop_recent"):
        await run(stage)


async def test_a_rehearsal_foretells_what_becomes_of_each_record(database: Database) -> None:
    """The proof: the same shop is rehearsed and then really pushed."""
    async with open_stage(database) as stage:
        await fill(stage)
        await stage.register("Good@example.com", first_name="Second")
        report = await run(stage)
        await stage.run()
        lines = [line for line in report.lines if line.entity != "variant"]  # goods may wait to be classified
        foretold: Mapping[str, int] = {line.entity: line.refused for line in lines}
        failed = await fetch_all(
            stage.shop,
            "select entity, count(*)::int as n from zohosync.operation where status = 'failed' group by 1 order by 1",
        )
        assert {row["entity"]: row["n"] for row in failed} == {name: n for name, n in foretold.items() if n}
        warned = await fetch_one(
            stage.shop,
            "select count(*)::int as n from zohosync.operation where status = 'succeeded' and warnings <> '[]'",
        )
        assert warned == {"n": sum(line.warned for line in lines)}
        waiting = await fetch_one(
            stage.shop, "select count(*)::int as n from zohosync.operation where status = 'waiting'"
        )
        assert waiting == {"n": sum(line.waiting for line in lines)}
