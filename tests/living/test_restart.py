"""Workers are replaced one by one while the shop goes on writing."""

import asyncio

import pytest

from conftest import Database
from living.processes import House, ended, open_house, simulator

# One running operation of a record at a time: attempts of one record must not overlap.
OVERLAPS = """
select a.operation_id, b.operation_id as other
  from zohosync.attempt a join zohosync.operation oa on oa.operation_id = a.operation_id
  join zohosync.operation ob on (ob.kind, ob.entity, ob.record_id) = (oa.kind, oa.entity, oa.record_id)
  join zohosync.attempt b on b.operation_id = ob.operation_id and b.attempt_id > a.attempt_id
 where (a.started_at, a.ended_at) overlaps (b.started_at, b.ended_at)"""


async def write(house: House, until: asyncio.Event) -> int:
    """The shop registers and edits customers, one write after another."""
    number = 0
    while not until.is_set():
        number += 1
        await house.shop.execute(
            "insert into users (email, first_name, last_name) values (%s, 'Demo', 'Customer')",
            (f"customer{number}@example.com",),
        )
        await house.shop.execute(
            "update users set first_name = %s where email = %s",
            (f"Edit {number}", f"customer{max(1, number - 7)}@example.com"),
        )
        await asyncio.sleep(0.05)
    return number


@pytest.mark.process
async def test_workers_are_replaced_without_a_death(database: Database) -> None:
    async with simulator() as zoho, open_house(database, zoho) as house:
        await zoho.post("/_sim/latency", json={"seconds": 0.1})
        workers = [await house.started("worker", call_timeout="10", visibility_timeout="30") for _ in range(2)]
        enough = asyncio.Event()
        writing = asyncio.create_task(write(house, enough))
        for _ in range(2):
            await asyncio.sleep(1)
            leaving = workers.pop(0)
            leaving.terminate()
            workers.append(await house.started("worker", call_timeout="10", visibility_timeout="30"))
            end = await ended(leaving)
            assert (end.code, "Traceback" in end.errors) == (0, False), end.errors
        enough.set()
        count = await writing
        await house.wait_for(f"select from users where zoho_crm_id is not null having count(*) = {count}")
        await house.wait_for(
            """select where not exists (select from zohosync.operation where finished_at is null)
                        and not exists (select from pgmq.q_zohosync_changes)"""
        )
        outcomes = {row["outcome"] for row in await house.fetch("select distinct outcome from zohosync.attempt")}
        assert outcomes <= {"succeeded", "skipped", "superseded", "released"}
        assert await house.fetch("select from zohosync.operation where deaths > 0") == []
        assert await house.fetch(OVERLAPS) == []
        names = {row["email"]: row["first_name"] for row in await house.fetch("select email, first_name from users")}
        assert {one["Email"]: one["First_Name"] for one in await house.records("Contacts")} == names
        assert len(await house.records("Contacts")) == count > 10
