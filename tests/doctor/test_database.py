"""What doctor says about the database, well and unwell."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from conftest import WORKER_ROLE, Database
from doctor.practice import BY_NAME, levels, look, look_once, patient_of
from stage import Stage, open_stage
from zohosync.config import load_settings
from zohosync.db.pgmq import QUEUES
from zohosync.errors import SchemaMismatch
from zohosync.store.checkup.server import Pgmq, read_server
from zohosync.sync.doctor.database import PGMQ_FUNCTIONS, judge_pgmq, judge_version
from zohosync.sync.doctor.examine import examine
from zohosync.sync.doctor.finding import Chart, Level


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database, connected=False) as opened:
        yield opened


@pytest.mark.parametrize(
    ("host", "level", "mode"),
    [
        ("localhost:5432", Level.OK, "direct"),
        ("db.abcdefghijklmnopqrst.supabase.co:5432", Level.OK, "direct"),
        ("aws-0-ap-south-1.pooler.supabase.com:5432", Level.OK, "session pooler"),
        ("aws-0-ap-south-1.pooler.supabase.com:6543", Level.REMARK, "transaction pooler"),
    ],
)
async def test_the_way_to_the_database_is_named(stage: Stage, host: str, level: Level, mode: str) -> None:
    async with patient_of(stage, offline=True) as patient:
        elsewhere = replace(patient, settings=load_settings(None, database_url=f"postgresql://u:p@{host}/postgres"))
        (finding,) = await examine(elsewhere, [BY_NAME["connection_mode"]])
    assert (finding.level, finding.data["mode"]) == (level, mode)
    assert ("IPv6" in finding.sentence) == host.startswith("db.")


async def test_free_connections_are_counted(stage: Stage) -> None:
    assert (await look_once(stage, "connections", offline=True)).level is Level.OK
    assert (await look_once(stage, "connections", offline=True, pool_size=50)).level is Level.OK
    await stage.shop.execute(f"alter database {stage.database.name} connection limit 10".encode())
    assert (await look_once(stage, "connections", offline=True)).level is Level.REMARK
    await stage.shop.execute(f"alter database {stage.database.name} connection limit 0".encode())
    async with patient_of(stage, offline=True, database_url=stage.database.admin_url) as patient:
        (finding,) = await examine(patient, [BY_NAME["connections"]])
    assert finding.level is Level.WRONG
    assert finding.data["most"] == 0


async def test_only_the_workers_role_should_connect(stage: Stage) -> None:
    assert (await look_once(stage, "worker_role", offline=True)).level is Level.OK
    owner = await look_once(stage, "worker_role", offline=True, database_url=stage.database.owner_url)
    assert owner.level is Level.REMARK
    superuser = await look_once(stage, "worker_role", offline=True, database_url=stage.database.admin_url)
    assert superuser.level is Level.WRONG


async def test_an_old_postgres_is_refused(stage: Stage) -> None:
    assert (await look_once(stage, "postgres_version", offline=True)).level is Level.OK
    chart = Chart("postgres_version")
    judge_version(chart, replace(await read_server(stage.shop), version=140_012, version_name="14.12"))
    assert levels(chart.findings) == {Level.WRONG}


async def test_a_newer_schema_is_wrong_and_an_older_one_is_refused(stage: Stage) -> None:
    assert (await look_once(stage, "schema_version", offline=True)).level is Level.OK
    await stage.shop.execute("insert into zohosync.schema_migration (version, name) values (9999, 'of the future')")
    newer = await look_once(stage, "schema_version", offline=True)
    assert newer.level is Level.WRONG
    assert "newer release" in newer.remedy
    await stage.shop.execute("delete from zohosync.schema_migration where version > 5")
    with pytest.raises(SchemaMismatch, match="has schema version 5"):
        await look_once(stage, "schema_version", offline=True)


async def test_a_database_at_an_unknown_address_is_named_with_what_to_do(stage: Stage) -> None:
    await stage.shop.execute("update zohosync.known_address set address = 'db.example.com/shop'")
    finding = await look_once(stage, "copy_guard", offline=True)
    assert finding.level is Level.WRONG
    assert "db.example.com/shop" in finding.sentence
    assert "adopt-database" in finding.remedy


async def test_a_copy_is_named_and_zoho_is_not_asked(stage: Stage) -> None:
    assert (await look_once(stage, "copy_guard", offline=True)).level is Level.OK
    await stage.shop.execute("update zohosync.installation set database_identity = 'of the original'")
    finding = await look_once(stage, "copy_guard")
    assert finding.level is Level.WRONG
    assert "adopt-database" in finding.remedy
    (login,) = await look(stage, "crm_plan")
    assert login.level is Level.NOT_CHECKED
    assert not stage.sim.calls.entries


@pytest.mark.parametrize(
    ("revoked", "named"),
    [
        ("insert on zohosync.link", "insert on zohosync.link"),
        ("delete on pgmq.q_zohosync_people", "delete on pgmq.q_zohosync_people"),
        ("usage on schema pgmq", "usage on schema pgmq"),
    ],
)
async def test_a_missing_right_of_the_worker_is_named(stage: Stage, revoked: str, named: str) -> None:
    assert (await look_once(stage, "grants", offline=True)).level is Level.OK
    await stage.shop.execute(f"revoke {revoked} from {WORKER_ROLE}".encode())
    finding = await look_once(stage, "grants", offline=True)
    assert finding.level is Level.WRONG
    assert named in finding.data["missing"]


async def test_a_function_the_worker_may_not_run_is_named(stage: Stage) -> None:
    await stage.shop.execute(f"revoke execute on function zohosync.resend_due(integer) from {WORKER_ROLE}".encode())
    finding = await look_once(stage, "grants", offline=True)
    assert finding.data["missing"] == ["execute on zohosync.resend_due(integer)"]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("grant usage on schema zohosync to anon", "anon: usage on schema zohosync"),
        ("grant select on zohosync.connection to authenticated", "authenticated: select on zohosync.connection"),
        ("grant select on pgmq.q_zohosync_changes to anon", "anon: select on pgmq.q_zohosync_changes"),
        ("grant select on zohosync.link to public", "everybody: select on zohosync.link"),
        ("grant execute on function zohosync.resend_due to public", "everybody: execute on zohosync.resend_due"),
        ("alter table zohosync.link disable row level security", "zohosync.link"),
        ("drop policy worker on zohosync.connection", "zohosync.connection"),
    ],
)  # fmt: skip
async def test_what_others_can_reach_is_named(stage: Stage, statement: str, named: str) -> None:
    assert levels(await look(stage, "exposure", offline=True)) == {Level.OK}
    await stage.shop.execute(statement.encode())
    findings = await look(stage, "exposure", offline=True)
    assert levels(findings) == {Level.WRONG}
    assert named in " ".join(str(finding.data) for finding in findings)


async def test_a_schema_that_the_api_shows_is_wrong(stage: Stage) -> None:
    name = stage.database.name
    await stage.shop.execute(
        f"alter role authenticator in database {name} set pgrst.db_schemas = 'public, zohosync'".encode()
    )
    (finding,) = await look(stage, "exposure", offline=True)
    assert finding.level is Level.WRONG
    assert "pgrst.db_schemas" in finding.sentence


async def test_a_queue_or_function_of_pgmq_that_is_gone_is_named(stage: Stage) -> None:
    assert (await look_once(stage, "pgmq", offline=True)).level is Level.OK
    await stage.shop.execute("select pgmq.drop_queue('zohosync_stock')")
    finding = await look_once(stage, "pgmq", offline=True)
    assert (finding.level, finding.data["queues"]) == (Level.WRONG, ["zohosync_stock"])
    await stage.shop.execute("drop schema pgmq cascade")
    assert (await look_once(stage, "pgmq", offline=True)).level is Level.WRONG


@pytest.mark.parametrize(
    ("version", "functions", "level"),
    [
        ("1.4.4", PGMQ_FUNCTIONS, Level.OK),
        ("1.10.0", PGMQ_FUNCTIONS, Level.OK),
        ("1.3.9", PGMQ_FUNCTIONS, Level.WRONG),
        (None, PGMQ_FUNCTIONS[1:], Level.WRONG),
    ],
)
def test_an_old_pgmq_is_wrong(version: str | None, functions: tuple[str, ...], level: Level) -> None:
    chart = Chart("pgmq")
    queues = frozenset(f"zohosync_{queue}" for queue in QUEUES)
    judge_pgmq(chart, Pgmq(version, ours=False, functions=frozenset(functions), queues=queues))
    assert levels(chart.findings) == {level}


async def test_growth_is_foretold_from_what_comes_in(stage: Stage) -> None:
    await stage.shop.execute(
        """insert into zohosync.operation
             (kind, lane, entity, record_id, cause, status, queued, created_at, finished_at)
           select 'crm.contact.push', 'people', 'customer', n::text, 'change', 'succeeded', false,
                  now() - interval '2 days' + n * interval '1 minute', now()
             from generate_series(1, 2000) n"""
    )
    finding = await look_once(stage, "disk_growth", offline=True)
    assert finding.level is Level.OK
    assert finding.data["operations_a_day"] == pytest.approx(1000, rel=0.01)
    assert finding.data["forecast_bytes"] > finding.data["bytes"]
    assert finding.data["largest"] == "zohosync.operation"
    much = await look_once(stage, "disk_growth", offline=True, keep_successes=86_400 * 20_000)
    assert much.level is Level.REMARK


async def test_a_table_without_vacuum_is_remarked(stage: Stage) -> None:
    assert levels(await look(stage, "vacuum", offline=True)) == {Level.OK}
    await stage.shop.execute("alter table zohosync.audit set (autovacuum_enabled = false)")
    await stage.shop.execute(
        "insert into zohosync.audit (actor, action) select 'a', 'b' from generate_series(1, 12000)"
    )
    await stage.shop.execute("delete from zohosync.audit")
    await stage.shop.execute("select pg_stat_force_next_flush()")
    await stage.shop.execute("select 1")
    findings = await look(stage, "vacuum", offline=True)
    assert [finding.data["tables"] for finding in findings] == [["zohosync.audit"], ["zohosync.audit"]]
    assert levels(findings) == {Level.REMARK}
