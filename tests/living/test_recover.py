"""A restore: the database goes back in time, Zoho does not. Afterwards nothing is double and the shop's values win."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import Database
from living.copies import copy_of
from living.processes import open_house, simulator
from stage import Stage, open_stage, seed_fields
from zohosim.simulator import Simulator
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.demo.embedded import Cluster
from zohosync.errors import Refused
from zohosync.sync.recover import COPY, Recovery, carry_out, plan_recovery
from zohosync.zoho.crm_requests import update_notes_request

FIRM = {"role": "b2b_client", "company_name": "Demo Firm", "gst_number": "27AAPFU0939F1ZV"}
OTHER_FIRM = {"role": "b2b_client", "company_name": "Other Firm", "gst_number": "29AAGCB7383J1Z4"}


@pytest.fixture
def original(cluster: Cluster, database: Database) -> Iterator[Database]:
    """The database that is lost in the end."""
    with copy_of(cluster, database.name, own_identity=True) as made:
        yield made


async def request_quote(stage: Stage, email: str) -> str:
    """A quote with its lines."""
    quote = await fetch_one(
        stage.shop,
        "insert into b2b_quotes (user_id, status, subtotal)"
        " select id, 'submitted', 500 from users where email = %(email)s returning id::text",
        {"email": email},
    )
    assert quote is not None
    await stage.shop.execute(
        """with p as (insert into products (name) values ('Probiotic') returning id),
                v as (insert into product_variants (product_id, sku, price, hsn_code, gst_rate, tax_category)
                      select id, %(sku)s, 250, '3808', 18, 'taxable' from p returning id)
           insert into b2b_quote_items (quote_id, variant_id, quantity, unit_price, total_price)
           select %(quote)s, id, 2, 250, 500 from v""",
        {"quote": quote["id"], "sku": quote["id"][:8]},
    )
    return str(quote["id"])


async def live_until_the_backup(stage: Stage) -> None:
    """Records in every state a backup can catch them in."""
    for name in ("settled", "edited", "mover"):
        await stage.register(f"{name}@example.com")
    await stage.register("firm@example.com", **OTHER_FIRM)
    await stage.ask("settled-lead@example.com")
    await stage.ask("edited-lead@example.com", message="As it was")
    await stage.run()
    # Refused, and retried by a person after the backup.
    await stage.fault("record_error", count=1, match={"module": "Notes"}, code="INVALID_DATA")
    await stage.ask("failed-lead@example.com")
    await stage.run()
    # Sent, and the answer lost.
    await stage.fault("http_500_after_commit", count=1, match={"module": "Contacts", "operation": "upsert"})
    await stage.register("in-flight@example.com")
    await stage.run_once()
    # Open, and captured only.
    await stage.register("open@example.com", **FIRM)
    await stage.take_in()
    await stage.register("captured@example.com")
    await stage.ask("captured-lead@example.com")
    await request_quote(stage, "mover@example.com")


async def live_on(stage: Stage) -> None:
    """What the restore undoes in the shop, and nobody undoes in Zoho."""
    await stage.due_now()
    await stage.shop.execute("update users set email = 'moved@example.com' where email = 'mover@example.com'")
    await stage.run()
    await stage.shop.execute(
        """select zohosync.enqueue(array[kind], array[lane], array[entity], array[record_id], 'manual')
             from zohosync.operation where status = 'failed'"""
    )
    await stage.shop.execute(
        "update users set first_name = 'Lost', phone = '9876500000' where email = 'edited@example.com'"
    )
    await stage.shop.execute("update users set company_name = 'Renamed Firm' where email = 'firm@example.com'")
    await stage.shop.execute(
        "update contact_submissions set message = 'Lost', name = 'Lost Visitor' where email = 'edited-lead@example.com'"
    )
    await stage.register("new@example.com", role="b2b_client", company_name="New Firm")
    await stage.ask("new-lead@example.com")
    await stage.run()
    assert {o["status"] for o in await stage.operations()} == {"succeeded", "skipped", "failed"}


async def restore(
    cluster: Cluster, original: Database, backup: Database, sim: Simulator, *, recover: bool = True
) -> tuple[Recovery | None, list[str]]:
    """The original goes on, is lost, and the backup takes its place: what was planned, and what is wrong at the end."""
    async with open_stage(original, connected=False, known=sim) as stage:
        since = datetime.now(UTC)
        await live_on(stage)
    cluster.administer(f"drop database {original.name} with (force)")
    async with open_stage(backup, connected=False, known=sim) as stage:
        plan = None
        if recover:
            async with stage.services.pool.connection() as connection, connection.transaction():
                plan = await plan_recovery(connection, stage.services.crm, since)
                organisation = str((await stage.services.custodian.access()).organisation_id)
                await carry_out(connection, plan, stage.services.streams, organisation_id=organisation)
        for _ in range(3):
            await stage.due_now()
            await stage.run()
        await stage.shop.execute(
            """select zohosync.enqueue(array[kind], array[lane], array[entity], array[record_id], 'manual')
                 from zohosync.operation where status = 'failed' and resolved_at is null"""
        )
        await stage.run()
        return plan, await find_faults(stage)


async def find_faults(stage: Stage) -> list[str]:
    """Sentences about everything that is double, stale, or linked to the wrong record."""
    contacts, accounts = await stage.records("Contacts"), await stage.records("Accounts")
    leads, notes = await stage.records("Leads"), await stage.records("Notes")
    faults = doubles("Contact", [one["Email"] for one in contacts])
    faults += doubles("Account", [one["Account_Name"] for one in accounts])
    faults += doubles("Lead", [one["Email"] for one in leads]) + doubles("Note", [one["Note_Title"] for one in notes])
    by_id = {one["id"]: one for one in [*contacts, *leads]}
    for user in await fetch_all(stage.shop, "select * from users"):
        contact = by_id.get(user["zoho_crm_id"], {})
        wanted = (user["email"], user["first_name"], user["last_name"])
        if (contact.get("Email"), contact.get("First_Name"), contact.get("Last_Name")) != wanted:
            faults.append(f"{user['email']} is {contact.get('Email')}, {contact.get('First_Name')} in Zoho")
        if user["company_name"] and user["company_name"] not in [one["Account_Name"] for one in accounts]:
            faults.append(f"there is no Account {user['company_name']}")
    for inquiry in await fetch_all(
        stage.shop, "select id::text, email, name, message, zoho_crm_id from contact_submissions"
    ):
        if by_id.get(inquiry["zoho_crm_id"], {}).get("Email") != inquiry["email"]:
            faults.append(f"{inquiry['email']} has no Lead")
        texts = [note["Note_Content"] for note in notes if inquiry["id"] in note["Note_Title"]]
        if not any(inquiry["message"] in text for text in texts):
            faults.append(f"the Note of {inquiry['email']} says {texts}")
    faults += [
        f"{row['module']} of {row['record_id']} is {row['state']}"
        for row in await fetch_all(
            stage.shop, "select module, record_id, state::text from zohosync.link where state <> 'linked'"
        )
    ]
    faults += [
        f"{row['label']} is {row['status']}: {row['error_message']}"
        for row in await fetch_all(
            stage.shop,
            """select label, status::text, error_message from zohosync.operation
                where status not in ('succeeded', 'skipped', 'superseded') and resolved_at is null""",
        )
    ]
    return faults


def doubles(what: str, values: list[Any]) -> list[str]:
    return [f"{count} times the {what} {value}" for value, count in Counter(values).items() if count > 1]


@pytest.mark.parametrize("keyed", [True, False], ids=["with our key fields", "without them"])
async def test_after_recover_nothing_is_double_and_the_shop_wins(
    cluster: Cluster, original: Database, keyed: bool
) -> None:
    sim = Simulator()
    if keyed:
        seed_fields(sim)
    else:
        for module in ("Contacts", "Leads", "Accounts"):
            sim.seed_field(module, "GSTIN", length=15)
    async with open_stage(original, known=sim) as stage:
        await live_until_the_backup(stage)
    with copy_of(cluster, original.name, own_identity=True) as backup:
        plan, faults = await restore(cluster, original, backup, sim)
    assert faults == []
    assert plan is not None
    found = {(one.module, one.entity) for one in plan.findings}
    assert found == ({("Contacts", "customer"), ("Accounts", "company")} if keyed else set()) | {("Notes", "inquiry")}


async def test_without_recover_a_restore_does_harm(cluster: Cluster, original: Database) -> None:
    """So that it is seen that the test above can fail."""
    sim = Simulator()
    seed_fields(sim)
    async with open_stage(original, known=sim) as stage:
        await live_until_the_backup(stage)
    with copy_of(cluster, original.name, own_identity=True) as backup:
        _, faults = await restore(cluster, original, backup, sim, recover=False)
    assert any("times the Note" in fault for fault in faults)
    assert any("edited@example.com is edited@example.com, Lost" in fault for fault in faults)


async def test_where_zoho_does_not_list_notes_each_is_looked_for_at_its_lead(original: Database) -> None:
    async with open_stage(original) as stage:
        await live_until_the_backup(stage)
        columns = stage.sim.crm.modules["Notes"].fields
        time_column = columns.pop("Modified_Time")  # then Notes cannot be asked for by time
        async with stage.services.pool.connection() as connection:
            plan = await plan_recovery(connection, stage.services.crm, datetime.now(UTC) - timedelta(hours=1))
        columns["Modified_Time"] = time_column
        assert not plan.notes_listed
        inquiries = await fetch_all(
            stage.shop,
            "select id::text from contact_submissions"
            " where email in ('captured-lead@example.com', 'failed-lead@example.com')"
            " union all select id::text from b2b_quotes",
        )
        # A Note that failed was claimed before it was sent, so it is in doubt already.
        doubted = {doubt.key.record_id for doubt in plan.doubts if doubt.key.module == "Notes"}
        known = await fetch_all(stage.shop, "select record_id from zohosync.link where module = 'Notes'")
        assert {row["id"] for row in inquiries} <= doubted | {row["record_id"] for row in known}
        assert len(doubted) == 2


async def recover(stage: Stage, since: datetime) -> Recovery:
    """Plan and carry out, then work until nothing is left."""
    async with stage.services.pool.connection() as connection, connection.transaction():
        plan = await plan_recovery(connection, stage.services.crm, since)
        organisation = str((await stage.services.custodian.access()).organisation_id)
        await carry_out(connection, plan, stage.services.streams, organisation_id=organisation)
    for _ in range(3):
        await stage.run()
        await stage.due_now()
    return plan


async def keep_link(stage: Stage, module: str) -> dict[str, Any]:
    """The only link of a module, to be put back by ``put_back``."""
    row = await fetch_one(
        stage.shop,
        "select zoho_id, fingerprint, payload::text from zohosync.link where module = %(module)s",
        {"module": module},
    )
    assert row is not None
    return {"module": module, **row}


async def put_back(stage: Stage, link: dict[str, Any]) -> None:
    """What a restore does to a link; changes that were captured are lost, too."""
    await stage.shop.execute("delete from pgmq.q_zohosync_changes")
    await stage.shop.execute(
        """update zohosync.link set zoho_id = %(zoho_id)s, fingerprint = %(fingerprint)s, payload = %(payload)s::jsonb
            where module = %(module)s""",
        link,
    )


@pytest.mark.parametrize("entity", ["inquiry", "quote"])
async def test_of_two_notes_with_one_title_the_oldest_is_adopted(original: Database, entity: str) -> None:
    async with open_stage(original) as stage:
        since = datetime.now(UTC)
        if entity == "quote":
            await stage.register()
            await request_quote(stage, "customer@example.com")
        else:
            await stage.ask(message="As it is now")
        await stage.run()
        (first,) = await stage.records("Notes")
        for _ in range(2):  # twice a restore without recovery
            await stage.shop.execute("delete from zohosync.link where module = 'Notes'")
            await stage.shop.execute("update contact_submissions set message = message || '.'")
            await stage.shop.execute("update b2b_quotes set notes = coalesce(notes, '') || '.'")
            await stage.run()
        copies = {note["id"] for note in await stage.records("Notes")} - {first["id"]}
        assert len(copies) == 2
        await stage.shop.execute("delete from zohosync.link where module = 'Notes'")
        await stage.shop.execute("update contact_submissions set message = 'Once more'")
        plan = await recover(stage, since)
        assert [one.zoho_id for one in plan.adoptions] == [first["id"]]
        assert {(one.zoho_id, one.why) for one in plan.findings} == {(copy, COPY) for copy in copies}
        assert len(await stage.records("Notes")) == 3
        linked = await fetch_all(stage.shop, "select zoho_id from zohosync.link where module = 'Notes'")
        assert linked == [{"zoho_id": first["id"]}]


async def test_a_link_to_a_note_that_was_deleted_since_takes_the_one_that_came_after(original: Database) -> None:
    async with open_stage(original) as stage:
        await stage.ask(message="As it was")
        await stage.run()
        before = await keep_link(stage, "Notes")
        since = datetime.now(UTC)
        await stage.delete_in_zoho("Notes", before["zoho_id"])
        await stage.shop.execute("update contact_submissions set message = 'Lost'")
        for _ in range(3):
            await stage.run()
            await stage.due_now()
        (note,) = await stage.records("Notes")
        assert note["id"] != before["zoho_id"]
        await stage.shop.execute("update contact_submissions set message = 'As it was'")
        await put_back(stage, before)
        plan = await recover(stage, since)
        assert [(one.zoho_id, one.replaces) for one in plan.adoptions] == [(note["id"], before["zoho_id"])]
        (kept,) = await stage.records("Notes")
        assert (kept["id"], "As it was" in kept["Note_Content"]) == (note["id"], True)
        assert (await keep_link(stage, "Notes"))["zoho_id"] == note["id"]


async def test_a_link_to_a_contact_that_was_deleted_since_takes_the_one_that_came_after(original: Database) -> None:
    async with open_stage(original) as stage:
        await stage.register(**FIRM)
        await stage.run()
        before = [await keep_link(stage, module) for module in ("Contacts", "Accounts")]
        since = datetime.now(UTC)
        for link in before:
            await stage.delete_in_zoho(link["module"], link["zoho_id"])
        await stage.shop.execute("update users set first_name = 'Lost', company_name = 'Lost Firm'")
        for _ in range(4):
            await stage.run()
            await stage.due_now()
        await stage.shop.execute("update users set first_name = 'Demo', company_name = 'Demo Firm'")
        for link in before:
            await put_back(stage, link)
        plan = await recover(stage, since)
        assert {one.replaces for one in plan.adoptions} == {link["zoho_id"] for link in before}
        assert [one["First_Name"] for one in await stage.records("Contacts")] == ["Demo"]
        assert [one["Account_Name"] for one in await stage.records("Accounts")] == ["Demo Firm"]


async def test_a_second_note_beside_the_one_that_is_linked_is_a_finding(original: Database) -> None:
    async with open_stage(original) as stage:
        await stage.ask(message="As it was")
        await stage.run()
        before = await keep_link(stage, "Notes")
        since = datetime.now(UTC)
        await stage.shop.execute("delete from zohosync.link where module = 'Notes'")
        await stage.shop.execute("update contact_submissions set message = 'Lost'")
        await stage.run()
        second = await keep_link(stage, "Notes")
        await put_back(stage, before)
        plan = await recover(stage, since)
        assert plan.adoptions == []
        assert [(one.zoho_id, one.why) for one in plan.findings] == [(second["zoho_id"], COPY)]
        assert (await keep_link(stage, "Notes"))["zoho_id"] == before["zoho_id"]


async def test_what_was_linked_between_plan_and_deed_is_not_counted_as_adopted(original: Database) -> None:
    async with open_stage(original) as stage:
        since = datetime.now(UTC)
        await stage.ask()
        await stage.run()
        await stage.shop.execute("delete from zohosync.link where module = 'Notes'")
        async with stage.services.pool.connection() as connection:
            plan = await plan_recovery(connection, stage.services.crm, since)
        assert plan.counts()["adopted"] == 1
        await stage.shop.execute("update contact_submissions set message = 'Meanwhile'")
        await stage.run()
        meanwhile = await keep_link(stage, "Notes")
        async with stage.services.pool.connection() as connection, connection.transaction():
            organisation = str((await stage.services.custodian.access()).organisation_id)
            await carry_out(connection, plan, stage.services.streams, organisation_id=organisation)
        assert plan.counts()["adopted"] == 0
        assert await keep_link(stage, "Notes") == meanwhile


async def test_a_note_that_is_sent_again_leaves_the_values_of_a_newer_inquiry(original: Database) -> None:
    async with open_stage(original) as stage:
        await stage.ask("lead@example.com", name="Older Name", message="As it was")
        await stage.run()
        await stage.shop.execute("update contact_submissions set created_at = now() - interval '10 days'")
        older = await keep_link(stage, "Notes")
        await stage.ask("lead@example.com", name="Newer Name")
        await stage.run()
        stage.sim.clock.advance(60)
        edited = update_notes_request([(older["zoho_id"], json.loads(older["payload"])["Note_Title"], "By somebody")])
        await stage.services.crm.write(edited)
        plan = await recover(stage, datetime.now(UTC) + timedelta(seconds=30))
        assert plan.counts()["to be sent again"] == 1
        assert [one["First_Name"] for one in await stage.records("Leads")] == ["Newer"]
        (note,) = [one for one in await stage.records("Notes") if one["id"] == older["zoho_id"]]
        assert "As it was" in note["Note_Content"]


async def test_a_lead_somebody_edited_gets_the_values_of_the_newest_inquiry_that_is_no_spam(original: Database) -> None:
    async with open_stage(original) as stage:
        await stage.ask("lead@example.com", name="Older Name")
        await stage.run()
        await stage.shop.execute("update contact_submissions set created_at = now() - interval '10 days'")
        spam = await stage.ask("lead@example.com", name="Newer Name")
        await stage.run()
        await stage.shop.execute("update contact_submissions set status = 'spam' where id = %s", (spam,))
        (lead,) = await stage.records("Leads")
        stage.sim.clock.advance(60)
        await stage.services.crm.update_records("Leads", [{"id": lead["id"], "First_Name": "By somebody"}])
        await recover(stage, datetime.now(UTC) + timedelta(seconds=30))
        assert [one["First_Name"] for one in await stage.records("Leads")] == ["Older"]


async def test_more_notes_than_a_query_reaches_are_refused(original: Database) -> None:
    async with open_stage(original) as stage, stage.services.pool.connection() as connection:
        page = {"data": [{"id": f"{number}"} for number in range(2_000)], "info": {"more_records": True}}
        # Contacts, Accounts and Leads are asked for before the Notes.
        await stage.fault("answer", status=200, body=page, after=3, count=99, match={"operation": "coql"})
        with pytest.raises(Refused, match="records of Notes were changed in Zoho since then"):
            await plan_recovery(connection, stage.services.crm, datetime.now(UTC))


async def test_planning_changes_nothing(original: Database) -> None:
    async with open_stage(original) as stage:
        await live_until_the_backup(stage)
        since = datetime.now(UTC) - timedelta(hours=1)
        calls = len([call for call in await stage.calls() if call["method"] not in ("GET",)])
        before = await fetch_all(stage.shop, "select l::text as row from zohosync.link l order by 1")
        async with stage.services.pool.connection() as connection:
            plan = await plan_recovery(connection, stage.services.crm, since)
        assert plan.doubts
        assert plan.distrusted
        assert await fetch_all(stage.shop, "select l::text as row from zohosync.link l order by 1") == before
        written = [call for call in await stage.calls() if call["method"] not in ("GET",)][calls:]
        assert {call["operation"] for call in written} <= {"coql"}


@pytest.mark.process
async def test_the_command_refuses_tells_and_acts(cluster: Cluster, original: Database) -> None:
    async with simulator() as zoho:
        async with open_house(original, zoho) as house:
            key = house.key
            await house.shop.execute(
                "insert into users (email, first_name, last_name) values ('a@example.com', 'A', 'B')"
            )
            assert (await house.run("run", "--for", "30s")).code == 0
            await house.shop.execute("insert into contact_submissions (name, email) values ('C', 'c@example.com')")
        with copy_of(cluster, original.name) as backup:
            now = datetime.now(UTC).isoformat()
            async with open_house(original, zoho, live=False) as house:
                house.key = key
                await house.shop.execute("update users set first_name = 'Lost'")
                assert (await house.run("run", "--for", "30s")).code == 0
            async with open_house(backup, zoho, live=False) as house:
                house.key = key
                assert (await house.run("recover", "--since", now)).code == 6
                assert (await house.run("adopt-database", "--yes")).code == 0
                for since, code, said in (
                    ("2099-01-01T00:00:00Z", 2, "has not come yet"),
                    ("2001-01-01T00:00:00Z", 2, "nothing was synced"),
                    ("2026-01-01T00:00:00", 2, "is not a time with"),
                ):
                    refused = await house.run("recover", "--since", since)
                    assert (refused.code, said in refused.errors) == (code, True), refused.errors
                await house.shop.execute(
                    "insert into zohosync.worker (worker_id, listening, schema_version) values ('other:1', true, 1)"
                )
                refused = await house.run("recover", "--since", now)
                assert (refused.code, "Workers are alive: other:1." in refused.errors) == (1, True)
                assert (await house.run("recover", "--since", now, "--force")).code == 0
                await house.shop.execute("delete from zohosync.worker")
                dry = await house.run("recover", "--since", now)
                assert (dry.code, "Nothing was changed; --yes does it." in dry.output) == (0, True)
                assert not await house.fetch("select from zohosync.audit where action = 'database.recover'")
                done = await house.run("recover", "--since", now, "--yes")
                assert (done.code, "Start the workers now." in done.output) == (0, True), done.errors
                assert await house.fetch("select from zohosync.audit where action = 'database.recover'")
                assert (await house.run("run", "--for", "30s")).code == 0
                assert [one["First_Name"] for one in await house.records("Contacts")] == ["A"]
                assert len(await house.records("Notes")) == 1
