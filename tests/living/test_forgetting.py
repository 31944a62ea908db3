"""A person asks to be forgotten: afterwards no table of ours holds a value of theirs."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from conftest import Database
from shop_rows import insert_order, insert_user
from stage import KEY, Stage, open_stage
from zohosync.cli.main import build
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.store.operations import enqueue

PLANTED = (
    "asha.planted@example.com",
    "earlier.planted@example.com",
    "planted-given",
    "planted-family",
    "9812300077",
    "planted firm",
    "27aapfu0939f1zv",
    "planted question",
    "planted subject",
    "planted remark",
)
TABLES = """
select c.oid::regclass::text as name from pg_class c
 where c.relkind = 'r' and c.relnamespace in ('zohosync'::regnamespace, 'pgmq'::regnamespace) order by 1"""


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def dump(stage: Stage) -> dict[str, str]:
    """Every row of every table of ours, as text in lower case."""
    tables = await fetch_all(stage.shop, TABLES)
    held: dict[str, str] = {}
    for table in tables:
        rows = await fetch_all(stage.shop, f"select t::text as row from {table['name']} t")
        held[table["name"]] = "\n".join(row["row"] for row in rows).lower()
    return held


async def found_in(stage: Stage) -> dict[str, list[str]]:
    """Which planted values are where."""
    held = await dump(stage)
    return {name: hits for name, text in held.items() if (hits := [one for one in PLANTED if one in text])}


async def forget(stage: Stage, *arguments: str) -> Result:
    """The command, in a thread of its own because it has a loop of its own."""
    env = {"ZOHOSYNC_DATABASE_URL": stage.database.worker_url, "ZOHOSYNC_ENCRYPTION_KEYS": KEY}
    return await asyncio.to_thread(CliRunner().invoke, build(), ["forget", *arguments], env=env)


async def live_a_life(stage: Stage) -> dict[str, str]:
    """A B2B customer who changed her e-mail, asked twice, requested a quote; with every sort of trace. Her ids."""
    user = await stage.register(
        "earlier.planted@example.com",
        first_name="Planted-Given",
        last_name="Planted-Family",
        phone="9812300077",
        role="b2b_client",
        company_name="Planted Firm",
        gst_number="27AAPFU0939F1ZV",
    )
    await stage.run()
    await stage.shop.execute("update users set email = 'asha.planted@example.com'")
    inquiry = await stage.ask(
        "asha.planted@example.com", name="Planted-Given", subject="Planted subject", message="Planted question"
    )
    quote = await fetch_one(
        stage.shop,
        "insert into b2b_quotes (user_id, status, notes) values (%(user)s, 'submitted', 'Planted remark')"
        " returning id::text",
        {"user": user},
    )
    assert quote is not None
    await stage.shop.execute(
        """with p as (insert into products (name) values ('Probiotic') returning id),
                v as (insert into product_variants (product_id, sku, price) select id, 'P', 9 from p returning id)
           insert into b2b_quote_items (quote_id, variant_id, quantity, unit_price, total_price)
           select %(quote)s, id, 1, 9, 9 from v""",
        {"quote": quote["id"]},
    )
    await stage.run()
    await stage.register("other@example.com", first_name="Other", last_name="Person")
    await stage.ask("other@example.com")
    await stage.run()
    for statement in TRACES:
        await stage.shop.execute(statement.encode(), {"user": user, "inquiry": inquiry})
    await enqueue(
        stage.shop, kind="crm.contact.push", lane="people", entity="customer", record_ids=[user], cause="manual"
    )
    # Captured, and not taken in yet; beside somebody else's.
    await stage.shop.execute("update users set first_name = first_name || '!'")
    return {"customer": user, "inquiry": inquiry, "quote": quote["id"]}


TRACES = (
    # Another customer's failure tells her address; so do an incident, a note of an administrator and a job.
    """update zohosync.operation set error_message = 'Taken by Asha.Planted@example.com',
              warnings = '["asha.planted@example.com"]'
        where label = 'other@example.com' and entity = 'customer'""",
    """insert into zohosync.incident (code, subject, severity, title, hint)
       values ('x', 'asha.planted@example.com', 'warning', 'About asha.planted@example.com',
               'See earlier.planted@example.com')""",
    """insert into zohosync.audit (actor, action, entity, record_id, reason, detail)
       values ('admin@example.com', 'operation.sync_now', 'customer', %(user)s, 'Planted-Given called',
               '{"phone": "9812300077"}'),
              ('admin@example.com', 'x', null, 'asha.planted@example.com', null,
               '{"to": ["asha.planted@example.com"]}')""",
    "update zohosync.clock_job set error = 'duplicate key (email)=(asha.planted@example.com)'",
    """select pgmq.archive('zohosync_changes', pgmq.send('zohosync_changes',
         jsonb_build_object('entity', 'customer', 'keys', jsonb_build_array(%(user)s::text))))""",
    "insert into zohosync.write_back (entity, system, record_id, zoho_id) values ('customer', 'crm', %(user)s, '1')",
    """insert into zohosync.link (system, module, entity, record_id, state, organisation_id, reference)
       values ('crm', 'Contacts', 'customer', 'half made', 'in_doubt', '1', 'nobody@example.com')""",
)


@pytest.mark.parametrize(
    ("entity", "named"), [("customer", "id"), ("customer", "e-mail"), ("inquiry", "e-mail"), ("quote", "id")]
)
@pytest.mark.parametrize("in_the_shop", [True, False])
async def test_no_value_of_theirs_is_left(stage: Stage, entity: str, named: str, in_the_shop: bool) -> None:
    ids = await live_a_life(stage)
    assert set(PLANTED) == {one for hits in (await found_in(stage)).values() for one in hits}
    if not in_the_shop:
        await stage.shop.execute(
            "with q as (delete from b2b_quotes),"
            " c as (delete from contact_submissions where email <> 'other@example.com')"
            " delete from users where email <> 'other@example.com'"
        )
    term = ids[entity] if named == "id" else "Asha.Planted@example.com"
    others = await other_rows(stage)
    result = await forget(stage, entity, term, "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert await found_in(stage) == {}
    told = json.loads(result.stdout)
    assert {one["record_id"] for one in told["records"]} == set(ids.values())
    assert {one["record_id"] for one in told["still_in_the_shop"]} == (set(ids.values()) if in_the_shop else set())
    assert told["leftovers"] == {}
    assert await other_rows(stage) == others
    await nothing_comes_back(stage)


async def other_rows(stage: Stage) -> list[dict[str, Any]]:
    """What is kept of somebody else."""
    return await fetch_all(
        stage.shop,
        """select label, status::text, (select array_agg(request::text) from zohosync.attempt a
                                         where a.operation_id = o.operation_id) as requests,
                  (select count(*) from zohosync.link l
                    where l.record_id = o.record_id and payload is not null) as links
             from zohosync.operation o where label = 'other@example.com' and error_message is null
            order by operation_id""",
    )


async def nothing_comes_back(stage: Stage) -> None:
    """Neither open work nor the scan syncs the person again; others go on."""
    before = await stage.calls(module="Leads")
    await stage.run()
    async with stage.services.pool.connection() as connection:
        row = await fetch_one(
            connection,
            "select zohosync.catch_up('crm.contact.push', 'people', 'customer')"
            " + zohosync.catch_up('crm.lead.push', 'people', 'inquiry')"
            " + zohosync.catch_up('crm.lead.push', 'people', 'quote') as found",
        )
    await stage.run()
    assert row == {"found": 0}
    assert await stage.calls(module="Leads") == before
    assert await found_in(stage) == {}
    assert [one["First_Name"] for one in await stage.records("Contacts") if one["Email"] == "other@example.com"] == [
        "Other!"
    ]


async def test_without_yes_nothing_changes_and_everything_is_told(stage: Stage) -> None:
    ids = await live_a_life(stage)
    before = await dump(stage)
    result = await forget(stage, "customer", ids["customer"])
    assert result.exit_code == 0, result.output
    assert "Nothing was changed; --yes removes it." in result.stdout
    assert await dump(stage) == before
    for record_id in ids.values():
        assert record_id in result.stdout
    for module in ("Contacts", "Leads", "Accounts"):
        zoho_ids = [one["id"] for one in await stage.records(module) if "other" not in str(one.get("Email"))]
        assert zoho_ids
        assert all(f"{module} {zoho_id}" in result.stdout for zoho_id in zoho_ids)


async def test_the_pages_of_zoho_are_those_of_the_data_centre(stage: Stage) -> None:
    user = await stage.register()
    await stage.run()
    for centre, page in (("in", "https://crm.zoho.in/crm/tab/"), ("ca", "https://crm.zohocloud.ca/crm/tab/")):
        await stage.shop.execute("update zohosync.connection set data_centre = %s", (centre,))
        told = json.loads((await forget(stage, "customer", user, "--json")).stdout)
        [contact] = told["still_in_zoho"]
        assert contact["page"] == f"{page}Contacts/{contact['id']}"


async def test_it_is_written_down_without_saying_of_whom(stage: Stage) -> None:
    ids = await live_a_life(stage)
    await forget(stage, "customer", "asha.planted@example.com", "--yes")
    [act] = await fetch_all(stage.shop, "select * from zohosync.audit where action = 'person.forget'")
    assert (act["entity"], act["record_id"]) == ("customer", ids["customer"])
    assert act["detail"]["records"] == 3


async def test_a_change_after_it_reaches_the_same_contact(stage: Stage) -> None:
    """Who is forgotten here and stays in the shop is not doubled in Zoho."""
    user = await stage.register()
    await stage.run()
    assert (await forget(stage, "customer", user, "--yes")).exit_code == 0
    await stage.shop.execute("update users set first_name = 'Changed'")
    await stage.run()
    [contact] = await stage.records("Contacts")
    assert contact["First_Name"] == "Changed"


async def test_an_address_somebody_else_has_by_now_is_theirs(stage: Stage) -> None:
    first = await stage.register("shared@example.com")
    await stage.run()
    await stage.shop.execute("update users set email = 'moved@example.com'")
    await stage.run()
    second = await stage.register("shared@example.com")
    await stage.run()
    told = json.loads((await forget(stage, "customer", first, "--yes", "--json")).stdout)
    assert told["left_alone"] == ["shared@example.com"]
    assert [one["record_id"] for one in told["records"]] == [first]
    rows = await fetch_all(stage.shop, "select record_id, label from zohosync.operation where label is not null")
    assert rows == [{"record_id": second, "label": "shared@example.com"}]


async def test_a_former_holder_of_an_address_is_somebody_else(stage: Stage) -> None:
    """Whoever had the address before and has another one by now keeps what is kept of them, and their open work."""
    former = await stage.register("shared@example.com", first_name="Former")
    await stage.run()
    await stage.shop.execute("update users set email = 'moved@example.com'")
    await stage.run()
    holder = await stage.register("shared@example.com", first_name="Holder")
    await stage.run()
    await stage.ask("moved@example.com")
    await stage.run()
    await stage.shop.execute("update users set phone = '9812300077' where email = 'moved@example.com'")
    await stage.take_in()
    kept = await kept_of(stage, former, "moved@example.com")
    assert len(kept) == 3
    assert f"Left alone: customer {former}" in (await forget(stage, "customer", "shared@example.com")).stdout
    told = json.loads((await forget(stage, "customer", holder, "--yes", "--json")).stdout)
    assert [one["record_id"] for one in told["records"]] == [holder]
    assert told["left_alone_records"] == [{"entity": "customer", "record_id": former}]
    assert await kept_of(stage, former, "moved@example.com") == kept
    await stage.run()
    phones = {one["Email"]: one.get("Phone") for one in await stage.records("Contacts")}
    assert phones["moved@example.com"] == "+919812300077"


async def kept_of(stage: Stage, customer: str, email: str) -> list[dict[str, Any]]:
    """Links with payloads and open work of a customer, and the Lead of the same e-mail."""
    return await fetch_all(
        stage.shop,
        """select module as name, payload::text as held from zohosync.link
            where (entity, record_id) in (('customer', %(customer)s), ('lead', %(email)s)) and payload is not null
           union all
           select 'open', status::text from zohosync.operation
            where record_id = %(customer)s and finished_at is null order by 1, 2""",
        {"customer": customer, "email": email},
    )


async def test_an_address_that_contains_theirs_is_somebody_elses(stage: Stage) -> None:
    await stage.register("ann@x-shop.example.com")
    others = ("joann@x-shop.example.com", "ann@x-shop.example.com.example.org")
    for other in others:
        await stage.register(other)
        await stage.ask(other)
    await stage.run()
    kept = """select o.label, o.entity, a.request from zohosync.operation o join zohosync.attempt a using (operation_id)
               where o.label = any (%(others)s) and a.request is not null order by 1, 2"""
    before = await fetch_all(stage.shop, kept, {"others": list(others)})
    assert len(before) == 4
    result = await forget(stage, "customer", "ann@x-shop.example.com", "--yes", "--json")
    assert len(json.loads(result.stdout)["records"]) == 1
    assert await fetch_all(stage.shop, kept, {"others": list(others)}) == before


@pytest.mark.parametrize(
    ("text", "theirs"),
    [
        ("ann@x.example.com", True),
        ("Write to Ann@X.example.com.", True),
        ("(email)=(ann@x.example.com)", True),
        ('{"to": ["ann@x.example.com"]}', True),
        ("'ann@x.example.com' is taken", True),
        (r'{"note": "My address:\nann@x.example.com"}', True),
        ("<mailto:ann@x.example.com>, soon", True),
        ("joann@x.example.com", False),
        ("jo.ann@x.example.com", False),
        ("jo-ann@x.example.com", False),
        ("jo+ann@x.example.com", False),
        ("éann@x.example.com", False),
        ("ann@x.example.community", False),
        ("ann@x.example.com.example.org", False),
        ("ann@xaexample.com", False),
    ],
)
async def test_an_address_is_found_whole(stage: Stage, text: str, theirs: bool) -> None:
    await stage.shop.execute(
        "insert into zohosync.audit (actor, action, reason) values ('a', 'b', %(text)s)", {"text": text}
    )
    await stage.register("ann@x.example.com")
    await stage.run()
    await forget(stage, "customer", "ann@x.example.com", "--yes")
    [row] = await fetch_all(stage.shop, "select reason from zohosync.audit where actor = 'a'")
    assert row["reason"] == (None if theirs else text)


async def test_all_of_many_inquiries_are_found(stage: Stage) -> None:
    """Also those whose part of the log is past its time; their Notes are listed."""
    for number in range(25):
        await stage.ask("many@example.com", message=f"planted question {number}")
    await stage.run()
    await stage.shop.execute("delete from zohosync.operation")
    result = await forget(stage, "inquiry", "many@example.com", "--yes", "--json")
    told = json.loads(result.stdout)
    assert len(told["records"]) == 25
    notes = {one["id"] for one in await stage.records("Notes")}
    assert {one["id"] for one in told["still_in_zoho"] if one["module"] == "Notes"} == notes
    assert len(notes) == 25
    assert await found_in(stage) == {}


async def test_addresses_lead_to_records_and_records_to_addresses(stage: Stage) -> None:
    """From a quote to its customer, to the customer's earlier address, to the question asked from there."""
    user = await stage.register("earlier.planted@example.com")
    await stage.run()
    await stage.ask("earlier.planted@example.com", message="Planted question")
    await stage.run()
    await stage.shop.execute("update users set email = 'asha.planted@example.com'")
    await stage.run()
    quote = await fetch_one(
        stage.shop,
        "insert into b2b_quotes (user_id, status) values (%(user)s, 'submitted') returning id::text",
        {"user": user},
    )
    assert quote is not None
    await stage.run()
    told = json.loads((await forget(stage, "quote", quote["id"], "--yes", "--json")).stdout)
    assert sorted(one["entity"] for one in told["records"]) == ["customer", "inquiry", "quote"]
    assert await found_in(stage) == {}


async def test_somebody_whose_log_is_gone_is_found_by_what_zoho_has(stage: Stage) -> None:
    user = await stage.register("asha.planted@example.com")
    await stage.run()
    await stage.shop.execute("delete from users")
    await stage.shop.execute("delete from zohosync.operation")
    told = json.loads((await forget(stage, "customer", "asha.planted@example.com", "--yes", "--json")).stdout)
    assert [one["record_id"] for one in told["records"]] == [user]
    assert await found_in(stage) == {}


async def test_an_address_with_blanks_around_it_is_the_same(stage: Stage) -> None:
    await stage.ask(" Asha.Planted@example.com ", message="Planted question")
    await stage.run()
    assert (await forget(stage, "inquiry", "asha.planted@example.com", "--yes")).exit_code == 0
    assert await found_in(stage) == {}


async def test_a_colleagues_company_stays(stage: Stage) -> None:
    firm = {"role": "b2b_client", "company_name": "Demo Firm", "gst_number": "27AAPFU0939F1ZV"}
    first = await stage.register("first@example.com", **firm)
    await stage.register("second@example.com", **firm)
    await stage.run()
    told = json.loads((await forget(stage, "customer", first, "--yes", "--json")).stdout)
    assert [one["module"] for one in told["still_in_zoho"]] == ["Contacts"]
    assert await fetch_all(stage.shop, "select 1 from zohosync.link where entity = 'company' and payload is not null")


async def test_who_is_being_synced_just_now_waits(stage: Stage) -> None:
    user = await stage.register()
    await stage.run()
    await stage.shop.execute(
        "update zohosync.operation set status = 'running', claim_id = gen_random_uuid(), queued = true,"
        " finished_at = null"
    )
    before = await dump(stage)
    result = await forget(stage, "customer", user, "--yes")
    assert result.exit_code == 1
    assert "syncing this person just now" in result.output
    assert await dump(stage) == before


async def test_what_it_cannot_remove_is_told(stage: Stage) -> None:
    await stage.register("admin@example.com")
    await stage.run()
    await stage.shop.execute(
        "insert into zohosync.console_user (email, name, role, password_hash)"
        " values ('admin@example.com', 'A', 'admin', 'x')"
    )
    told = await forget(stage, "customer", "admin@example.com", "--yes")
    assert "Still in zohosync.console_user: 1 row holds an address of theirs." in told.stdout
    assert told.stdout.startswith("1 record of this person: 1 operation, 1 attempt, 1 link, 0 documents.\n")


@pytest.mark.parametrize("term", ["nobody@example.com", "00000000-0000-0000-0000-000000000000"])
async def test_somebody_unknown_is_told_so(stage: Stage, term: str) -> None:
    result = await forget(stage, "customer", term, "--yes")
    assert result.exit_code == 1
    assert "zohosync keeps nothing of customer" in result.output


ADDRESS = {
    "name": "Planted-Given Planted-Family",
    "email": PLANTED[0],
    "phone": PLANTED[4],
    "address_line1": "1 Planted Remark",
    "state": "Karnataka",
}


async def plant_document(stage: Stage, order: str) -> None:
    """What is kept of an order with an invoice, a correction, a finding and a hold, before and after go-live."""
    await stage.shop.execute(
        """insert into zohosync.document (entity, record_id, module, organisation_id, zoho_id, reference,
                                          document_date, customer_id, shop_total, igst, source, source_digest,
                                          lines)
           values ('order', %(id)s, 'invoices', '1', '900', 'ORD-1', '2026-04-01', '77', 1180, 180, %(source)s,
                   'x', '[]')""",
        {
            "id": order,
            "source": json.dumps(
                {"total": "1180", "gstin": PLANTED[6].upper(), "ship_to": "Planted-Given, Planted Remark"}
            ),
        },
    )
    for field, value in (("name", "Planted-Given"), ("gstin", PLANTED[6]), ("price_basis", "inclusive")):
        await stage.shop.execute(
            "insert into zohosync.override (entity, record_id, field, value, reason, set_by)"
            " values ('order', %s, %s, %s, 'a planted remark', 'console')",
            (order, field, value),
        )
    await stage.shop.execute(
        """insert into zohosync.finding (code, entity, record_id, module, label, message, detail)
           values ('order_changed', 'order', %s, 'invoices', 'ORD-1', 'now for Planted-Given',
                   '{"to": "planted firm"}')""",
        (order,),
    )
    await stage.shop.execute(
        """insert into zohosync.hold (kind, entity, record_id, operation_id, codes, policies)
           values ('books.credit_note.push', 'refund', %s, 1, '{gstin_malformed:27AAPFU0939F1ZV}', 'x')""",
        (order,),
    )
    await stage.shop.execute(
        """insert into zohosync.observation (kind, entity, record_id, digest, before_golive)
           values ('books.invoice.push', 'order', %s, 'old', true)
           on conflict (kind, entity, record_id) do update set before_golive = true""",
        (order,),
    )
    await stage.shop.execute(
        """insert into zohosync.baseline (kind, entity) values ('books.invoice.push', 'order') on conflict do nothing"""
    )


@pytest.mark.parametrize("guest", [True, False])
async def test_of_documents_only_figures_and_ids_stay(stage: Stage, guest: bool) -> None:
    user = None if guest else await insert_user(stage.shop, email=PLANTED[0], first_name="Planted-Given")
    order = await insert_order(stage.shop, user_id=user, shipping_address=ADDRESS, billing_address={})
    await plant_document(stage, order)
    linked = ("guest", PLANTED[0]) if guest else ("buyer", user)
    await stage.shop.execute(
        """insert into zohosync.link (system, module, entity, record_id, state, zoho_id, organisation_id, payload)
           values ('books', 'contacts', %s, %s, 'linked', '77', '1', '{"email": "asha.planted@example.com"}')""",
        linked,
    )
    told = json.loads((await forget(stage, "order", "ORD-1", "--yes", "--json")).stdout)
    assert told["removed"]["documents"] == 1
    assert {"module": "contacts", "id": "77"}.items() <= told["still_in_zoho"][0].items()
    assert await found_in(stage) == {}
    document = await fetch_one(stage.shop, "select zoho_id, igst, source from zohosync.document")
    assert document == {"zoho_id": "900", "igst": 180, "source": {"total": "1180"}}
    kept = await fetch_all(stage.shop, "select field, value from zohosync.override")
    assert kept == [{"field": "price_basis", "value": "inclusive"}]
    hold = await fetch_one(stage.shop, "select codes from zohosync.hold")
    assert hold == {"codes": ["gstin_malformed"]}
    old = await fetch_all(
        stage.shop, "select digest <> 'old' as seen, before_golive from zohosync.observation where entity = 'order'"
    )
    assert old == [{"seen": True, "before_golive": True}]


async def test_whoever_receives_a_gift_is_not_its_buyer(stage: Stage) -> None:
    user = await insert_user(stage.shop, email="giver@example.com")
    order = await insert_order(stage.shop, user_id=user, shipping_address=ADDRESS)
    await plant_document(stage, order)
    result = await forget(stage, "customer", PLANTED[0], "--yes")
    assert "giver" not in result.stdout
    document = await fetch_one(stage.shop, "select source from zohosync.document")
    assert document is not None
    assert "ship_to" in document["source"]


@pytest.mark.parametrize("email", [PLANTED[0], ""])
async def test_the_contact_of_a_guest_known_by_the_order_alone_is_found(stage: Stage, email: str) -> None:
    order = await insert_order(stage.shop, shipping_address={**ADDRESS, "email": email}, billing_address={})
    await stage.shop.execute(
        """insert into zohosync.link (system, module, entity, record_id, state, zoho_id, organisation_id, payload,
                                      reference)
           values ('books', 'contacts', 'guest', %s, 'linked', '77', '1', '{"contact_name": "Planted-Given"}',
                   'Planted-Given')""",
        (order,),
    )
    told = json.loads((await forget(stage, "order", order, "--yes", "--json")).stdout)
    assert told["removed"]["links"] == 1
    assert [{"module": "contacts", "id": "77"}.items() <= one.items() for one in told["still_in_zoho"]] == [True]
    assert await found_in(stage) == {}


async def test_of_a_firm_the_person_goes_and_the_others_stay(stage: Stage) -> None:
    user = await insert_user(stage.shop, email=PLANTED[0], first_name="Planted-Given", gst_number="36AAGCB7383J1Z9")
    other = {"first_name": "Other", "email": "other@example.com", "is_primary_contact": False}
    mine = {"first_name": "Planted-Given", "email": "Asha.Planted@example.com", "is_primary_contact": True}
    address = {"attention": "Planted-Given", "address": "1 Planted Remark", "state": "Telangana"}
    firm = {"contact_name": "Demo Firm", "company_name": "Demo Firm", "gst_no": "36AAGCB7383J1Z9"}
    payload = {**firm, "contact_persons": [mine, other], "billing_address": address}
    await stage.shop.execute(
        """insert into zohosync.link (system, module, entity, record_id, state, zoho_id, organisation_id, payload)
           values ('books', 'contacts', 'firm', '36AAGCB7383J1Z9', 'linked', '77', '1', %s)""",
        (json.dumps(payload),),
    )
    told = json.loads((await forget(stage, "customer", user, "--yes", "--json")).stdout)
    assert told["removed"]["links"] == 1
    assert [{"module": "contacts", "id": "77"}.items() <= one.items() for one in told["still_in_zoho"]] == [True]
    assert await found_in(stage) == {}
    row = await fetch_one(stage.shop, "select payload, zoho_id from zohosync.link where entity = 'firm'")
    assert row == {"payload": {**firm, "contact_persons": [other]}, "zoho_id": "77"}
