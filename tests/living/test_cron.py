"""`run --for` from cron comes to the same end as a daemon, ends early when nothing is left, and always with 0."""

import asyncio
from typing import Any

import httpx
import pytest

from conftest import Database
from living.copies import copy_of
from living.processes import House, ended, open_house, simulator
from zohosync.demo.embedded import Cluster

# Failures wait longer than a message is hidden for; the script lets their time come.
LONG = {"retry_base": "90", "retry_limit": "2"}
OPEN = "select from zohosync.operation where finished_at is null"
# How the last operation of each record ended; which calls it took depends on how records met in batches.
STATES = """
select distinct on (kind, entity, record_id)
       kind, entity, record_id, status::text, error_code, error_field, error_message, label, zoho_module
  from zohosync.operation order by kind, entity, record_id, operation_id desc"""


def uuid_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


async def write_first(house: House) -> None:
    """Customers, two of one firm, one refused; inquiries of two people; a quote that has no lines yet."""
    for number in range(1, 6):
        email = "refused@example.com" if number == 5 else f"customer{number}@example.com"
        await house.shop.execute(
            """insert into users (id, email, first_name, last_name, role, company_name, gst_number)
               values (%s, %s, 'Demo', %s, %s, %s, %s)""",
            (uuid_of(number), email, f"Customer {number}", *FIRM)
            if number < 3
            else (uuid_of(number), email, f"Customer {number}", "customer", None, None),
        )
    for number in range(10, 13):
        await house.shop.execute(
            """insert into contact_submissions (id, name, email, subject, message, created_at)
               values (%s, 'Demo Visitor', %s, 'Dosage', %s, now() + make_interval(secs => %s))""",
            (uuid_of(number), f"visitor{number % 2}@example.com", f"Question {number}", number),
        )
    await house.shop.execute(
        "insert into b2b_quotes (id, user_id, status, subtotal) values (%s, %s, 'submitted', 500)",
        (uuid_of(20), uuid_of(1)),
    )


FIRM = ("b2b_client", "Demo Firm", "27AAPFU0939F1ZV")


async def write_second(house: House) -> None:
    """An edit, the missing lines, and a correction of what was refused; then the long waits are over."""
    await house.shop.execute("update users set first_name = 'Edited' where id = %s", (uuid_of(3),))
    await house.shop.execute(
        """with p as (insert into products (name) values ('Probiotic') returning id),
                v as (insert into product_variants (id, product_id, sku, price)
                      select %s, id, 'PRO-1', 250 from p returning id)
           insert into b2b_quote_items (quote_id, variant_id, quantity, unit_price, total_price)
           select %s, id, 2, 250, 500 from v""",
        (uuid_of(30), uuid_of(20)),
    )
    await house.shop.execute(
        "update zohosync.operation set next_attempt_at = now() where not queued and finished_at is null"
    )


async def inject(zoho: httpx.AsyncClient) -> None:
    faults = [
        {"kind": "http_500_after_commit", "count": 1, "match": {"module": "Leads", "operation": "upsert"}},
        {"kind": "http_500_before_commit", "count": 1, "match": {"module": "Contacts", "operation": "upsert"}},
        {
            "kind": "record_error",
            "code": "INVALID_DATA",
            "details": {"api_name": "Last_Name"},
            "match": {"record": {"field": "Email", "regex": "^refused"}},
        },
    ]
    assert (await zoho.post("/_sim/faults", json=faults)).status_code == 200


async def play(database: Database, *, daemon: bool) -> tuple[Any, Any]:
    """The script; what Zoho and the log hold at its end."""
    async with simulator() as zoho, open_house(database, zoho) as house:
        await inject(zoho)
        worker = await house.started("worker", **LONG) if daemon else None
        for write in (write_first, write_second):
            await write(house)
            if worker is None:
                while await house.fetch(STILL_TO_DO):
                    end = await house.run("run", "--for", "2s", **LONG)
                    assert (end.code, end.output, "Traceback" in end.errors) == (0, "", False), end.errors
            else:
                async with asyncio.timeout(90):
                    while await house.fetch(STILL_TO_DO):
                        await asyncio.sleep(0.1)
        if worker is not None:
            worker.terminate()
            assert (await ended(worker)).code == 0
        return await zoho_holds(house), await house.fetch(STATES)


# Everything but the long waits, which the script ends, and the quote that has no lines yet.
STILL_TO_DO = """
select from zohosync.operation
 where finished_at is null and (queued or next_attempt_at < now()) and wait_reason is distinct from 'lines'
union all select from pgmq.q_zohosync_changes
union all
select from zohosync.operation o join b2b_quote_items on quote_id::text = record_id
 where finished_at is null and entity = 'quote'"""


async def zoho_holds(house: House) -> dict[str, list[Any]]:
    """Records without what differs from one Zoho to another: ids and times."""
    leads = {lead["id"]: lead["Email"] for lead in await house.records("Leads")}
    return {
        "Contacts": sorted(
            [contact["Storefront_User_Id"], contact["Email"], contact["First_Name"], bool(contact.get("Account_Name"))]
            for contact in await house.records("Contacts")
        ),
        "Accounts": sorted(
            [one["Account_Name"], one["Storefront_Account_Id"]] for one in await house.records("Accounts")
        ),
        "Leads": sorted([lead["Email"], lead["Last_Name"]] for lead in await house.records("Leads")),
        "Notes": sorted(
            [leads[note["Parent_Id"]["id"]], note["Note_Title"], note["Note_Content"]]
            for note in await house.records("Notes")
        ),
    }


@pytest.mark.process
async def test_cron_comes_to_the_same_end_as_a_daemon(cluster: Cluster, database: Database) -> None:
    with copy_of(cluster, database.name, own_identity=True) as second:
        by_daemon = await play(database, daemon=True)
        by_cron = await play(second, daemon=False)
    assert by_cron == by_daemon
    records, operations = by_daemon
    assert [len(records[module]) for module in ("Contacts", "Accounts", "Leads", "Notes")] == [4, 1, 3, 4]
    assert {row["status"] for row in operations} == {"succeeded", "skipped", "failed"}  # a variant is unclassified
    assert [row["label"] for row in operations if row["status"] == "failed"] == ["refused@example.com"]


@pytest.mark.process
async def test_a_run_ends_early_when_nothing_is_left(database: Database) -> None:
    async with simulator() as zoho, open_house(database, zoho) as house:
        await house.shop.execute("insert into users (email, first_name, last_name) values ('a@example.com', 'A', 'B')")
        end = await asyncio.wait_for(house.run("run", "--for", "10m"), 60)
        assert end.code == 0, end.errors
        assert await house.fetch("select status::text from zohosync.operation") == [{"status": "succeeded"}]
        # Also the periodic jobs had their turn: what capture missed was looked for.
        assert not await house.fetch("select from zohosync.clock_job where last_run_at is null")


@pytest.mark.process
async def test_a_run_stays_for_what_is_due_before_its_end(database: Database) -> None:
    async with simulator() as zoho, open_house(database, zoho) as house:
        await house.fault("http_500_before_commit", count=1, match={"module": "Contacts"})
        await house.shop.execute("insert into users (email, first_name, last_name) values ('a@example.com', 'A', 'B')")
        end = await asyncio.wait_for(house.run("run", "--for", "5m", retry_base="3"), 90)
        assert end.code == 0, end.errors
        assert await house.fetch("select status::text, attempt from zohosync.operation") == [
            {"status": "succeeded", "attempt": 2}
        ]
        await house.fault("http_500_before_commit", count=1, match={"module": "Contacts"})
        await house.shop.execute("update users set first_name = 'C'")
        end = await asyncio.wait_for(house.run("run", "--for", "20s", retry_base="900"), 60)
        assert end.code == 0, end.errors
        assert await house.fetch("select status::text from zohosync.operation where finished_at is null") == [
            {"status": "retrying"}
        ]


@pytest.mark.process
async def test_a_run_that_must_give_back_what_it_does_ends_well(database: Database) -> None:
    """Zoho takes longer than the grace of a stop."""
    async with simulator() as zoho, open_house(database, zoho) as house:
        await house.fault("slow", delay=60, match={"module": "Contacts", "operation": "upsert"}, count=1)
        await house.shop.execute("insert into users (email, first_name, last_name) values ('a@example.com', 'A', 'B')")
        end = await house.run("run", "--for", "2s", call_timeout="50", visibility_timeout="150")
        assert (end.code, "Traceback" in end.errors) == (0, False), end.errors
        assert await house.fetch("select outcome from zohosync.attempt") == [{"outcome": "released"}]
        assert await house.fetch("select status::text, attempt from zohosync.operation") == [
            {"status": "pending", "attempt": 0}
        ]
        assert (await house.run("run", "--for", "30s")).code == 0
        assert await house.fetch("select status::text from zohosync.operation") == [{"status": "succeeded"}]
        assert len(await house.records("Contacts")) == 1
