"""Whatever Zoho does where its documentation is silent, the same customers, companies and inquiries arrive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from conftest import Database
from stage import Stage, connect_services, open_stage
from switch_positions import POSITIONS
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.store.installation import go_live

CONTACT = ("First_Name", "Last_Name", "Email", "Phone", "Storefront_User_Id", "GSTIN")
LEAD = ("First_Name", "Last_Name", "Email", "Company", "Phone")


@asynccontextmanager
async def stage_at(database: Database, **switches: Any) -> AsyncIterator[Stage]:
    """A connected, live stage whose Zoho has been this way from the first call on."""
    async with open_stage(database, connected=False, live=False) as stage:
        stage.sim.switches.set(switches)
        await connect_services(stage.services, stage.zoho)
        async with stage.services.pool.connection() as connection:
            await go_live(connection, stage.services.sources)
        yield stage


async def request_quote(stage: Stage, user: str) -> str:
    """A quote with one line."""
    row = await fetch_one(
        stage.shop,
        """with q as (insert into b2b_quotes (user_id, status, subtotal, total_amount, notes)
                      values (%(user)s, 'submitted', 2500, 2500, 'Need by June') returning id),
                p as (insert into products (name) values ('Azotobacter') returning id),
                v as (insert into product_variants (product_id, sku, price) select id, 'AZO-1', 250 from p returning id)
           insert into b2b_quote_items (quote_id, variant_id, quantity, unit_price, total_price)
           select q.id, v.id, 10, 250, 2500 from q, v returning quote_id::text""",
        {"user": user},
    )
    assert row is not None
    return str(row["quote_id"])


async def play(stage: Stage) -> dict[str, str]:
    """What a shop sees in a week, with an hour passing and staff at work in Zoho; ids of the people by their parts."""
    refused = {"field": "Email", "equals": "refused@example.com"}
    details = {"api_name": "Last_Name", "maximum_length": 2}
    await stage.fault("record_error", code="INVALID_DATA", details=details, match={"record": refused})
    people = {
        "private": await stage.register("private@example.com", phone="98765 43210"),
        "company": await stage.register(
            "company@example.com", role="b2b_client", company_name="Green Farms", gst_number="27AAPFU0939F1ZV"
        ),
        "lost": await stage.register("lost@example.com"),
        "refused": await stage.register("refused@example.com"),
    }
    await stage.ask("visitor@example.com", phone="080-41234567")
    await stage.ask("VISITOR@example.com", subject="Second")
    await stage.ask("converted@example.com")
    await stage.run(turns=2)
    people["quote"] = await request_quote(stage, people["company"])
    await staff_at_work(stage)
    stage.sim.clock.advance(3_700)  # the access token ends
    await stage.shop.execute(
        "update users set first_name = 'Renamed', phone = null, email = 'moved@example.com' where id = %s",
        (people["private"],),
    )
    await stage.shop.execute("update users set first_name = 'Renamed' where id = %s", (people["lost"],))
    await stage.ask("converted@example.com", subject="Again", phone="9876543211")
    for _ in range(3):
        await stage.run(turns=2)
        await stage.due_now()
    await stage.run(turns=2)
    return people


async def staff_at_work(stage: Stage) -> None:
    """One Contact is deleted, one Lead converted."""
    (lost,) = [row for row in await stage.records("Contacts") if row["Email"] == "lost@example.com"]
    await stage.delete_in_zoho("Contacts", lost["id"])
    (lead,) = [row for row in await stage.records("Leads") if row["Email"] == "converted@example.com"]
    await stage.zoho.post("/_sim/records", json={"module": "Leads", "id": lead["id"], "converted": True})


def shown(rows: list[dict[str, Any]], names: tuple[str, ...], key: str) -> list[tuple[Any, ...]]:
    """The named values of each row, in the order of one of them."""
    return [tuple(row.get(name) for name in names) for row in sorted(rows, key=lambda row: str(row[key]))]


TOUCHING = [
    (name, position)
    for name, position in POSITIONS
    if not name.startswith("books_") or name == "books_expired_token_code"
]
"""The switches that customers and inquiries can meet: those of Books' records are not among them."""


@pytest.mark.parametrize(("name", "position"), TOUCHING)
async def test_the_same_records_arrive_in_every_position(database: Database, name: str, position: Any) -> None:
    async with stage_at(database, **{name: position}) as stage:
        people = await play(stage)
        unfinished = [row for row in await stage.operations() if row["status"] not in ("succeeded", "skipped")]
        assert [(row["label"], row["status"]) for row in unfinished] == [("refused@example.com", "failed")]
        assert unfinished[0]["error_code"] == "zoho_too_long"
        assert shown(await stage.records("Contacts"), CONTACT, "Email") == [
            ("Demo", "Customer", "company@example.com", None, people["company"], "27AAPFU0939F1ZV"),
            ("Renamed", "Customer", "lost@example.com", None, people["lost"], None),
            ("Renamed", "Customer", "moved@example.com", None, people["private"], None),
        ]
        (account,) = await stage.records("Accounts")
        assert (account["Account_Name"], account["GSTIN"]) == ("Green Farms", "27AAPFU0939F1ZV")
        (company,) = [row for row in await stage.records("Contacts") if row["Email"] == "company@example.com"]
        assert company["Account_Name"]["id"] == account["id"]
        leads = await stage.records("Leads")
        assert sorted(row["Email"].lower() for row in leads) == [
            "company@example.com", "converted@example.com", "converted@example.com", "visitor@example.com",
        ]  # fmt: skip
        notes = await stage.records("Notes")
        assert len(notes) == 5
        assert sum(people["quote"] in row["Note_Title"] for row in notes) == 1
        missing = await fetch_all(stage.shop, "select email from users where zoho_crm_id is null")
        assert missing == [{"email": "refused@example.com"}]


async def test_a_name_zoho_refuses_for_its_emoji_is_told_by_field_and_holds_up_nobody(database: Database) -> None:
    async with stage_at(database, emoji="reject") as stage:
        await stage.register("green@example.com", first_name="Green \U0001f331")
        await stage.register("plain@example.com")
        await stage.run()
        failed = [row for row in await stage.operations() if row["status"] == "failed"]
        assert [(row["label"], row["error_code"]) for row in failed] == [("green@example.com", "zoho_invalid_value")]
        assert "First_Name" in failed[0]["error_message"]
        assert [row["Email"] for row in await stage.records("Contacts")] == ["plain@example.com"]
