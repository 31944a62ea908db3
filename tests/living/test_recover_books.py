"""A restore, and Zoho Books does not go back with it: no document is made twice, and the shop's values win."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from conftest import Database
from living.copies import copy_of
from sync.books.floor import Floor, Line, address, open_floor
from zohosim.simulator import Simulator
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.demo.embedded import Cluster
from zohosync.sync.recover import COPY, GONE, Recovery, carry_out, plan_recovery


@pytest.fixture
def original(cluster: Cluster, database: Database) -> Iterator[Database]:
    """The database that is lost in the end."""
    with copy_of(cluster, database.name, own_identity=True) as made:
        yield made


async def live_until_the_backup(floor: Floor) -> None:
    """Orders in every state a backup can catch them in."""
    await floor.policy(goods_returned="yes")
    await floor.variant("BF-1")
    user = await floor.stage.register(phone="9876543210")
    for number in ("ORD-settled", "ORD-refunded"):
        await floor.pay(await floor.order([Line("BF-1", 2)], user=user, tax="45.00", number=number))
    await floor.stage.run()
    await floor.order([Line("BF-1")], tax="22.50", number="ORD-unpaid", ship_to=address(email="guest@example.com"))
    # Made, and the answer lost.
    await floor.stage.fault("http_500_after_commit", count=1, match={"operation": "create_invoice"})
    await floor.pay(await floor.order([Line("BF-1")], user=user, tax="22.50", number="ORD-in-flight"))
    await floor.stage.run_once()
    # Open, and captured only.
    await floor.pay(await floor.order([Line("BF-1")], user=user, tax="22.50", number="ORD-open"))
    await floor.stage.take_in()
    await floor.pay(await floor.order([Line("BF-1")], user=user, tax="22.50", number="ORD-captured"))


async def pay(floor: Floor, number: str) -> None:
    await floor.stage.shop.execute(
        "update orders set payment_status = 'paid', status = 'confirmed' where order_number = %s", (number,)
    )


async def refund(floor: Floor) -> None:
    await floor.stage.shop.execute(
        "update orders set payment_status = 'refunded', status = 'refunded' where order_number = 'ORD-refunded'"
    )


async def work(floor: Floor) -> None:
    for _ in range(4):
        await floor.stage.run()
        await floor.stage.due_now()


async def live_on(floor: Floor) -> None:
    """What the restore undoes in the shop, and nobody undoes in Books."""
    await pay(floor, "ORD-unpaid")
    await refund(floor)
    await floor.stage.shop.execute("update users set company_name = 'Lost Firm'")
    await floor.stage.shop.execute("update product_variants set price = 999")
    lost = address(email="lost@example.com")
    await floor.pay(await floor.order([Line("BF-1", price="450.00")], tax="22.50", number="ORD-lost", ship_to=lost))
    await work(floor)
    told = [one["error_message"] for one in await floor.stage.operations() if one["status"] == "failed"]
    assert told == []
    assert {one["status"] for one in await floor.stage.operations()} <= {"succeeded", "skipped", "cancelled"}


async def restore(
    cluster: Cluster, original: Database, backup: Database, sim: Simulator, *, recover: bool
) -> tuple[Recovery | None, list[str]]:
    """The original goes on and is lost; what was planned for the backup, and what is wrong once everything that
    happened in the shop has happened again."""
    async with open_floor(original, connected=False, known=sim) as floor:
        since = datetime.now(UTC)
        await live_on(floor)
    cluster.administer(f"drop database {original.name} with (force)")
    async with open_floor(backup, connected=False, known=sim) as floor:
        plan = await recover_books(floor, since) if recover else None
        await work(floor)
        await pay(floor, "ORD-unpaid")
        await refund(floor)
        await work(floor)
        return plan, await find_faults(floor)


async def recover_books(floor: Floor, since: datetime) -> Recovery:
    services = floor.stage.services
    async with services.pool.connection() as connection, connection.transaction():
        plan = await plan_recovery(connection, services.crm, since, desk=services.books_desk)
        organisation = str((await services.custodian.access()).organisation_id)
        await carry_out(connection, plan, services.streams, organisation_id=organisation)
    return plan


async def find_faults(floor: Floor) -> list[str]:
    """Sentences about everything that is double, lost or stale."""
    faults: list[str] = []
    for table, name in (
        ("invoices", "reference_number"),
        ("customerpayments", "reference_number"),
        ("creditnotes", "reference_number"),
        ("items", "sku"),
    ):
        counts = Counter(row[name] for row in await floor.books(table))
        faults += [f"{count} times {table} {value}" for value, count in counts.items() if count > 1]
    emails = Counter(row["email"] for row in await floor.books("contacts"))
    faults += [f"{count} times {email}" for email, count in emails.items() if count > 1]
    faults += [
        f"{row['reference_number']} is {row['status']}" for row in await floor.books("invoices") if row["balance"]
    ]
    faults += [f"item at {row['rate']}" for row in await floor.books("items") if row["rate"] == 999]
    faults += [
        f"{row['order_number']} is {row['zoho_books_id']}"
        for row in await fetch_all(floor.stage.shop, "select order_number, zoho_books_id from orders")
        if row["zoho_books_id"] not in {one["invoice_id"] for one in await floor.books("invoices")}
    ]
    return faults + [
        f"{row['label']} is {row['status']}: {row['error_message']}"
        for row in await fetch_all(
            floor.stage.shop,
            """select label, status::text, error_message from zohosync.operation
                where status not in ('succeeded', 'skipped', 'superseded') and resolved_at is null""",
        )
    ]


async def test_after_recover_every_order_has_one_invoice_and_the_shop_wins(
    cluster: Cluster, original: Database
) -> None:
    sim = Simulator()
    async with open_floor(original, known=sim) as floor:
        await live_until_the_backup(floor)
    with copy_of(cluster, original.name, own_identity=True) as backup:
        plan, faults = await restore(cluster, original, backup, sim, recover=True)
    assert faults == []
    assert plan is not None
    assert {(one.module, one.record_id, one.why) for one in plan.findings if one.module == "invoices"} == {
        ("invoices", "ORD-lost", GONE)
    }
    assert {adoption.key.module for adoption in plan.adoptions if adoption.key.system == "books"} == {
        "invoices",
        "creditnotes",
    }


async def test_without_recover_a_restore_makes_second_documents(cluster: Cluster, original: Database) -> None:
    """So that it is seen that the test above can fail."""
    sim = Simulator()
    async with open_floor(original, known=sim) as floor:
        await live_until_the_backup(floor)
    with copy_of(cluster, original.name, own_identity=True) as backup:
        _, faults = await restore(cluster, original, backup, sim, recover=False)
    assert any("times invoices ORD-unpaid" in fault for fault in faults)
    assert any("item at 999" in fault for fault in faults)


async def test_an_order_that_is_not_due_is_not_made_by_a_doubt(original: Database) -> None:
    async with open_floor(original) as floor:
        since = datetime.now(UTC)
        await floor.variant("BF-1")
        order = await floor.order([Line("BF-1")], tax="22.50")
        await floor.pay(order)
        await floor.stage.take_in()
        await floor.set_order(order, status="cancelled")
        plan = await recover_books(floor, since)
        await work(floor)
        assert [doubt for doubt in plan.doubts if doubt.key.system == "books"] == []
        assert await floor.books("invoices") == []


async def test_of_two_invoices_of_one_order_the_oldest_is_adopted_and_the_other_told(original: Database) -> None:
    async with open_floor(original) as floor:
        since = datetime.now(UTC)
        await floor.variant("BF-1")
        order = await floor.order([Line("BF-1")], tax="22.50")
        await floor.pay(order)
        await floor.stage.run()
        first = await floor.only("invoices")
        await floor.stage.shop.execute("delete from zohosync.link where module = 'invoices'")
        await floor.stage.shop.execute("delete from zohosync.document")
        floor.stage.sim.clock.advance(60)
        await floor.set_order(order, notes="once more")
        await floor.stage.shop.execute("update orders set total_amount = 472.51")
        await work(floor)
        copies = [
            row["invoice_id"] for row in await floor.books("invoices") if row["invoice_id"] != first["invoice_id"]
        ]
        assert len(copies) == 1
        await floor.stage.shop.execute("delete from zohosync.link where module = 'invoices'")
        await floor.stage.shop.execute("delete from zohosync.document")
        plan = await recover_books(floor, since)
        assert [one.zoho_id for one in plan.adoptions if one.key.module == "invoices"] == [first["invoice_id"]]
        assert [(one.zoho_id, one.why) for one in plan.findings] == [(copies[0], COPY)]


async def test_planning_for_books_changes_nothing(original: Database) -> None:
    async with open_floor(original) as floor:
        since = datetime.now(UTC)
        await live_until_the_backup(floor)
        services = floor.stage.services
        before = await fetch_one(
            floor.stage.shop, "select md5(string_agg(l::text, '' order by l::text)) from zohosync.link l"
        )
        asked = len(await floor.stage.calls(service="books"))
        async with services.pool.connection() as connection:
            plan = await plan_recovery(connection, services.crm, since, desk=services.books_desk)
        assert any(doubt.key.system == "books" for doubt in plan.doubts) or plan.adoptions
        after = await fetch_one(
            floor.stage.shop, "select md5(string_agg(l::text, '' order by l::text)) from zohosync.link l"
        )
        assert after == before
        assert {call["method"] for call in (await floor.stage.calls(service="books"))[asked:]} == {"GET"}
