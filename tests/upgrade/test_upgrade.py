"""From the first release to this one with open work: nothing is lost, nothing is sent twice."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from conftest import WORKER_ROLE, Database
from stage import Stage, open_stage, seed_fields
from upgrade.first_release import SCRIPT, FirstRelease, install_first_release
from zohosim.app import create_app
from zohosim.simulator import Simulator
from zohosync.db.install import install, load_migrations, newest_version
from zohosync.db.pool import connect, fetch_all, fetch_one
from zohosync.demo.embedded import Cluster, create_shop
from zohosync.errors import SchemaMismatch
from zohosync.store.installation import read_installation

RELEASED = (1, 2, 3, 4)
WAITS = ("lines", "parent", "budget", "login", "shop")
_numbers = itertools.count(1)


@pytest.mark.parametrize("version", RELEASED)
def test_a_released_migration_is_never_edited(version: int) -> None:
    text = next(migration.text for migration in load_migrations() if migration.version == version)
    assert f"execute $migration${text}$migration$;" in SCRIPT


@pytest.fixture(params=["18", pytest.param("15", marks=pytest.mark.pg15)])
def old_shop(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A storefront without zohosync, on each Postgres there is."""
    cluster: Cluster = request.getfixturevalue("cluster" if request.param == "18" else "cluster15")
    name = f"upgraded_{next(_numbers)}"
    create_shop(cluster, name)
    yield Database(cluster, name)
    cluster.administer(f"drop database {name} with (force)")


@asynccontextmanager
async def first_release(database: Database, sim: Simulator) -> AsyncIterator[FirstRelease]:
    transport = httpx.ASGITransport(app=create_app(sim))
    async with httpx.AsyncClient(transport=transport, base_url="http://sim") as zoho:
        first = await install_first_release(database, zoho)
        async with first.shop:
            yield first


async def upgrade(database: Database) -> None:
    async with await connect(database.owner_url) as owner:
        with pytest.raises(SchemaMismatch, match="schema version 4, this program needs"):
            await read_installation(owner)
        done = await install(owner, worker_role=WORKER_ROLE, adapter="kn")
        assert done.schema_version == newest_version() > RELEASED[-1]
        assert done.worker_password is None


async def fill(first: FirstRelease) -> dict[str, str]:
    """Work in every state there is, as the first release leaves it; name to record id."""
    names = ["dead", "soon", "later", "failed", "done", *(f"waits-{why}" for why in WAITS), "creating"]
    ids = {name: await first.register(name) for name in names}
    ids["note"] = await first.ask("note-lead")
    await first.take_in()
    claim, taken = await first.claim()
    await first.finish(claim, taken[ids["soon"]], "retrying", spent=True, delay=1, error_code="zoho_unavailable")
    await first.finish(claim, taken[ids["later"]], "retrying", spent=True, delay=960, error_code="zoho_unavailable")
    for number, why in enumerate(WAITS):
        delay = 1 if number % 2 else 300
        await first.finish(claim, taken[ids[f"waits-{why}"]], "waiting", spent=False, delay=delay, wait_reason=why)
    digest = await first.digest(ids["failed"])
    await first.finish(claim, taken[ids["failed"]], "failed", error_code="zoho_refused", digest=digest)
    await fill_zoho(first, ids, claim, taken)
    # A worker that claimed a batch and died: nobody pushes its messages forward.
    await first.shop.execute("select pgmq.set_vt('zohosync_people', msg_id, 0) from pgmq.q_zohosync_people")
    ids["pending"] = await first.register("pending")
    await first.take_in()
    ids["captured"] = await first.register("captured")
    ids["captured lead"] = await first.ask("captured-lead")
    await first.shop.execute("update users set first_name = 'Changed' where email = 'done@example.com'")
    return ids


async def fill_zoho(first: FirstRelease, ids: dict[str, str], claim: str, taken: dict[str, int]) -> None:
    """What Zoho has by then: with a link, or with an answer that got lost after the claim was committed."""
    done = await first.insert_in_zoho(
        "Contacts", Last_Name="Done", First_Name="Demo", Email="done@example.com", Storefront_User_Id=ids["done"]
    )
    await first.link("Contacts", "customer", ids["done"], "linked", zoho_id=done)
    digest = await first.digest(ids["done"])
    await first.finish(claim, taken[ids["done"]], "succeeded", zoho_module="Contacts", zoho_id=done, digest=digest)
    await first.shop.execute("update users set zoho_crm_id = %s where email = 'done@example.com'", (done,))
    await first.insert_in_zoho(
        "Contacts", Last_Name="Creating", Email="creating@example.com", Storefront_User_Id=ids["creating"]
    )
    operation = taken[ids["creating"]]
    await first.link(
        "Contacts", "customer", ids["creating"], "creating", reference="creating@example.com", claimed_by=operation
    )
    await first.finish(claim, operation, "retrying", spent=True, delay=16, error_code="outcome_unknown")
    lead = await first.insert_in_zoho(
        "Leads", Last_Name="Visitor", Company="Demo Visitor", Email="note-lead@example.com"
    )
    await first.link("Leads", "lead", "note-lead@example.com", "linked", zoho_id=lead)
    parent = {"id": lead, "module": {"api_name": "Leads"}}
    title = f"Inquiry {ids['note']}"
    await first.insert_in_zoho("Notes", Note_Title=title, Note_Content="Dosage\n\nHow much?", Parent_Id=parent)
    operation = taken[ids["note"]]
    await first.link("Notes", "inquiry", ids["note"], "creating", reference=lead, claimed_by=operation)
    await first.finish(claim, operation, "retrying", spent=True, delay=240, error_code="outcome_unknown")


async def work_until_done(stage: Stage) -> None:
    """Today's worker and clock, with every wait's time come."""
    for _ in range(3):
        clockwork = stage.services.clockwork()
        await clockwork.wind()
        while await clockwork.tick():
            pass
        await stage.due_now()
        await stage.run()


async def test_open_work_of_the_first_release_is_finished_by_this_one(old_shop: Database) -> None:
    sim = Simulator()
    seed_fields(sim)
    async with first_release(old_shop, sim) as first:
        ids = await fill(first)
        before = await states(first.shop)
        assert {state for state, _ in before.values()} == {
            "pending", "running", "retrying", "waiting", "succeeded", "failed"
        }  # fmt: skip
        await upgrade(old_shop)
        assert await states(first.shop) == before
    async with open_stage(old_shop, connected=False, live=False, known=sim) as stage:
        await work_until_done(stage)
        await judge(stage, ids, failed={"failed@example.com"})
        await retry_failures(stage)
        await judge(stage, ids, failed=set())


async def states(shop: Any) -> dict[int, tuple[str, bool]]:
    rows = await fetch_all(shop, "select operation_id, status::text, queued from zohosync.operation")
    return {row["operation_id"]: (row["status"], row["queued"]) for row in rows}


async def judge(stage: Stage, ids: dict[str, str], *, failed: set[str]) -> None:
    """Each record once in Zoho and linked; the past untouched; no message without its operation."""
    contacts, notes = await stage.records("Contacts"), await stage.records("Notes")
    names = {name for name in ids if "lead" not in name and name != "note"}
    assert Counter(one["Email"] for one in contacts) == Counter({f"{name}@example.com" for name in names} - failed)
    assert Counter(one["Email"] for one in await stage.records("Leads")) == {
        "note-lead@example.com": 1,
        "captured-lead@example.com": 1,
    }
    assert Counter(one["Note_Title"] for one in notes) == {
        f"Inquiry {ids[name]}": 1 for name in ("note", "captured lead")
    }
    by_email = {one["Email"]: one for one in contacts}
    assert by_email["done@example.com"]["First_Name"] == "Changed"
    for user in await fetch_all(stage.shop, "select email, zoho_crm_id from users where email <> 'past@example.com'"):
        if user["email"] not in failed:
            assert user["zoho_crm_id"] == by_email[user["email"]]["id"], user["email"]
    unresolved = [
        one["record_id"] for one in await stage.operations() if one["status"] == "failed" and not one["resolved_at"]
    ]
    assert unresolved == [ids["failed"] for _ in failed]
    left = await fetch_one(
        stage.shop,
        """select (select count(*) from zohosync.operation where finished_at is null) as open,
                  (select count(*) from pgmq.q_zohosync_people) as messages,
                  (select count(*) from pgmq.q_zohosync_changes) as changes,
                  (select count(*) from zohosync.link where state <> 'linked') as halves,
                  (select count(*) from zohosync.clock_job where last_run_at is null) as idle_jobs""",
    )
    assert left == {"open": 0, "messages": 0, "changes": 0, "halves": 0, "idle_jobs": 0}


async def retry_failures(stage: Stage) -> None:
    await stage.shop.execute(
        """select zohosync.enqueue(array[kind], array[lane], array[entity], array[record_id], 'manual')
             from zohosync.operation where status = 'failed'"""
    )
    await stage.run()


async def test_an_old_worker_ends_what_it_holds_during_the_upgrade(old_shop: Database) -> None:
    """It keeps its claim, extends it, and reports as it always did."""
    sim = Simulator()
    seed_fields(sim)
    async with first_release(old_shop, sim) as first:
        ids = {name: await first.register(name) for name in ("slow", "other")}
        await first.take_in()
        claim, taken = await first.claim()
        await upgrade(old_shop)
        held = await fetch_one(first.shop, "select zohosync.extend_claim(%(claim)s, 30) as held", {"claim": claim})
        assert held == {"held": 2}
        zoho_id = await first.insert_in_zoho(
            "Contacts", Last_Name="Slow", First_Name="Demo", Email="slow@example.com", Storefront_User_Id=ids["slow"]
        )
        await first.link("Contacts", "customer", ids["slow"], "linked", zoho_id=zoho_id)
        await first.finish(claim, taken[ids["slow"]], "succeeded", zoho_module="Contacts", zoho_id=zoho_id)
        await first.finish(claim, taken[ids["other"]], "released", spent=False)
    async with open_stage(old_shop, connected=False, live=False, known=sim) as stage:
        await work_until_done(stage)
        assert Counter(one["Email"] for one in await stage.records("Contacts")) == {
            "slow@example.com": 1,
            "other@example.com": 1,
        }
        assert {one["status"] for one in await stage.operations()} == {"succeeded"}


async def test_the_shop_writes_on_while_it_is_upgraded(old_shop: Database) -> None:
    sim = Simulator()
    seed_fields(sim)
    async with first_release(old_shop, sim) as first:
        upgrading = asyncio.create_task(upgrade(old_shop))
        count = 0
        while not upgrading.done():
            await first.register(f"during-{count}")
            count += 1
        await upgrading
    async with open_stage(old_shop, connected=False, live=False, known=sim) as stage:
        await work_until_done(stage)
        assert len(await stage.records("Contacts")) == count > 0
