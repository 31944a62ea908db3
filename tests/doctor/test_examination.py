"""The examination as a whole: nothing stops it, everything is documented, and the healthy are called healthy."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from conftest import WORKER_ROLE, Database
from doctor.practice import Dated, patient_of
from stage import Stage, open_stage
from zohosync.config import load_settings
from zohosync.db.install import install, newest_version
from zohosync.db.pool import connect
from zohosync.demo.embedded import Cluster, create_shop
from zohosync.errors import PrivilegeMissing, RateLimited, ShopUnreadable
from zohosync.store.policies import set_policy
from zohosync.store.workers import be_seen
from zohosync.sync.doctor.examine import CHECKS, Check, examine, is_well
from zohosync.sync.doctor.finding import Chart, Level
from zohosync.sync.doctor.patient import Absent, Patient
from zohosync.wiring import meet_patient

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "doctor.md"


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


def test_every_check_is_documented_and_none_that_is_not_there() -> None:
    told = re.findall(r"^\| `([a-z_]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.M)
    assert told == [check.name for check in CHECKS]


def test_names_of_checks_are_unique() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)


async def test_a_healthy_installation_is_called_well(stage: Stage) -> None:
    async with stage.services.pool.connection() as connection:
        await set_policy(connection, name="price_basis", value="exclusive", by="admin@example.com")
    clockwork = stage.services.clockwork()
    await clockwork.wind()
    while await clockwork.tick():
        pass
    await be_seen(stage.shop, name="one", listening=True, schema_version=newest_version())
    async with patient_of(stage, transport=Dated(stage), owner_database_url=stage.database.admin_url) as patient:
        findings = await examine(patient)
    assert is_well(findings)
    assert {finding.check for finding in findings} == {check.name for check in CHECKS}
    assert {finding.check for finding in findings if finding.level is Level.REMARK} == {"smtp"}
    not_checked = {finding.check for finding in findings if finding.level is Level.NOT_CHECKED}
    assert not_checked == {"tax_data", "price_basis", "stock_source", "books_taxes"}  # a shop without goods and orders
    assert all(finding.remedy for finding in findings if finding.level is Level.WRONG)


async def test_a_sick_one_gets_a_remedy_with_every_fault(stage: Stage) -> None:
    await stage.shop.execute("drop schema pgmq cascade; alter table users rename column email to mail")
    async with patient_of(stage) as patient:
        findings = await examine(patient)
    wrong = [finding for finding in findings if finding.level is Level.WRONG]
    assert not is_well(findings)
    assert {"pgmq", "grants", "shop_reading", "capture_roles", "workers"} <= {finding.check for finding in wrong}
    assert all(finding.remedy for finding in wrong)


@pytest.mark.parametrize(
    ("problem", "level", "told"),
    [
        (Absent("It is not there."), Level.NOT_CHECKED, "It is not there."),
        (ShopUnreadable("The shop changed."), Level.WRONG, "The shop changed."),
        (PrivilegeMissing("A right is missing."), Level.WRONG, "A right is missing."),
        (RateLimited("Later.", retry_after=None), Level.NOT_CHECKED, "Later."),  # type: ignore[arg-type]
        (psycopg.OperationalError("server closed the connection"), Level.NOT_CHECKED, "cannot be reached"),
        (TimeoutError(), Level.NOT_CHECKED, "It took longer"),
        (ZeroDivisionError(), Level.NOT_CHECKED, "The check itself failed: ZeroDivisionError."),
    ],
)
async def test_a_check_that_fails_becomes_a_finding(stage: Stage, problem: Exception, level: Level, told: str) -> None:
    async def fail(_: Patient, chart: Chart) -> None:
        chart.ok("So far so good.")
        raise problem

    async with patient_of(stage, offline=True) as patient:
        findings = await examine(patient, [Check("Shop", "failing", fail), CHECKS[0]])
    assert [finding.level for finding in findings] == [Level.OK, level, Level.OK]
    assert told in findings[1].sentence


async def test_a_cancelled_examination_ends_at_once(stage: Stage) -> None:
    begun = asyncio.Event()

    async def hang(_: Patient, __: Chart) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with patient_of(stage, offline=True) as patient:
        running = asyncio.create_task(examine(patient, [Check("Shop", "hanging", hang)]))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_zoho_is_asked_each_thing_once(stage: Stage) -> None:
    before = list(stage.sim.calls.entries)
    async with patient_of(stage) as patient:
        await examine(patient)
    asked = [(entry.service, entry.path) for entry in list(stage.sim.calls.entries)[len(before) :]]
    assert len(asked) <= 9  # organisation twice: once for itself, once for the time
    assert asked.count(("crm", "/crm/v8/settings/fields")) == 3


async def test_postgres_15_is_examined_as_well(cluster15: Cluster) -> None:
    create_shop(cluster15, "examined")
    shop = Database(cluster15, "examined")
    async with await connect(shop.owner_url) as owner:
        await install(owner, worker_role=WORKER_ROLE, adapter="kn")
    settings = load_settings(None, database_url=shop.worker_url, owner_database_url=shop.admin_url)
    async with meet_patient(settings, offline=True) as patient:
        findings = await examine(patient)
    assert [finding for finding in findings if finding.level is Level.WRONG] == []
    assert [finding for finding in findings if "itself failed" in finding.sentence] == []
    assert sum(finding.check == "capture_roles" and finding.level is Level.OK for finding in findings) == 3


async def test_without_keys_the_rest_is_examined_all_the_same(stage: Stage) -> None:
    async with patient_of(stage, encryption_keys="") as patient:
        findings = await examine(patient)
    login = next(finding for finding in findings if finding.check == "zoho_login")
    assert login.level is Level.NOT_CHECKED
    assert "ZOHOSYNC_ENCRYPTION_KEYS is not set" in login.sentence
    assert sum(finding.level is Level.OK for finding in findings) > 15


async def test_an_owner_who_cannot_connect_is_no_reason_to_stop(stage: Stage) -> None:
    async with patient_of(stage, offline=True, owner_database_url="postgresql://owner@127.0.0.1:9/shop") as patient:
        assert patient.owner is None
        assert "database_unreachable" in replace(patient).no_owner
