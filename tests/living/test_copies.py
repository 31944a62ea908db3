"""A copy of the database never writes: neither to Zoho, nor through any command, until somebody adopts it."""

import pytest

from conftest import Database
from living.copies import copy_of
from living.processes import House, open_house, simulator
from zohosync.db.install import compose_install
from zohosync.demo.embedded import Cluster, create_shop

REFUSED = [
    ("worker", "--for", "5s"),
    ("run", "--for", "5s"),
    ("run",),
    ("web",),
    ("sync", "customer", "first@example.com"),
    ("retry", "--all-failed"),
    ("golive",),
    ("pause",),
    ("resume",),
]


@pytest.mark.process
async def test_a_copy_refuses_until_it_is_adopted(cluster: Cluster, database: Database) -> None:
    async with simulator() as zoho:
        async with open_house(database, zoho) as house:
            await house.shop.execute(customer("first"))
            key = house.key
        with copy_of(cluster, database.name) as copy:
            async with open_house(copy, zoho, live=False) as house:
                house.key = key
                calls = await calls_of(house)
                for arguments in REFUSED:
                    end = await house.run(*arguments)
                    assert end.code == 6, (arguments, end.errors)
                    assert "is a copy" in end.errors
                    assert "zohosync adopt-database" in end.errors
                assert await calls_of(house) == calls
                # People may look, and are told; the shop's own writes are captured and wait.
                assert '"is_copy": true' in (await house.run("status", "--json")).output
                await house.shop.execute(customer("second"))
                assert (await house.run("adopt-database", "--yes")).code == 0
                assert (await house.run("worker", "--for", "30s")).code == 0
                assert {one["Email"] for one in await house.records("Contacts")} == {
                    "first@example.com",
                    "second@example.com",
                }


async def calls_of(house: House) -> int:
    return len((await house.zoho.get("/_sim/calls", params={"limit": "5000"})).json()["calls"])


def customer(name: str) -> str:
    return f"insert into users (email, first_name, last_name) values ('{name}@example.com', 'Demo', 'Customer')"


@pytest.mark.process
async def test_adopting_forgets_the_workers_of_the_original(cluster: Cluster, database: Database) -> None:
    cluster.administer(
        "insert into zohosync.worker (worker_id, listening, schema_version) values ('original:1', true, 1)",
        database=database.name,
    )
    with copy_of(cluster, database.name) as copy:
        async with simulator() as zoho, open_house(copy, zoho, live=False) as house:
            assert (await house.run("adopt-database", "--yes")).code == 0
            assert await house.fetch("select from zohosync.worker") == []


@pytest.mark.process
async def test_a_branch_made_by_migrations_has_no_login_and_captures_nothing(
    cluster: Cluster, database: Database
) -> None:
    """As a preview branch is: the printed script runs in an empty shop."""
    create_shop(cluster, "branch")
    try:
        branch = Database(cluster, "branch")
        cluster.administer(
            f"set role shop_owner; {compose_install(worker_role='zohosync_worker', adapter='kn')}", database="branch"
        )
        async with simulator() as zoho, open_house(branch, zoho, live=False) as house:
            await house.shop.execute(customer("first"))
            assert (await house.run("worker", "--for", "10s")).code == 0
            assert await house.fetch("select from zohosync.operation") == []
            assert await house.records("Contacts") == []
    finally:
        cluster.administer("drop database branch with (force)")
