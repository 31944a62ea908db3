"""Code and database agree on every name."""

import pytest

from conftest import Database
from stage import open_stage
from zohosync.db.pool import Connection, fetch_all
from zohosync.queue.operation import Cause, Lane, Outcome, Report, Status, WaitReason


@pytest.mark.parametrize(
    ("names", "type_name"),
    [(Status, "operation_status"), (Cause, "operation_cause"), (Lane, "lane"), (WaitReason, "wait_reason")],
)
async def test_the_database_has_exactly_the_codes_values(worker: Connection, names: type, type_name: str) -> None:
    rows = await fetch_all(worker, f"select unnest(enum_range(null::zohosync.{type_name}))::text as value")
    assert [row["value"] for row in rows] == [name.value for name in names]  # type: ignore[attr-defined]


async def test_every_outcome_is_allowed_in_an_attempt(worker: Connection) -> None:
    rows = await fetch_all(
        worker,
        """select pg_get_constraintdef(oid) as rule from pg_constraint
            where conrelid = 'zohosync.attempt'::regclass and contype = 'c'""",
    )
    rules = " ".join(row["rule"] for row in rows)
    assert all(f"'{outcome.value}'" in rules for outcome in Outcome)


async def test_a_report_has_the_fields_of_the_databases_type(worker: Connection) -> None:
    rows = await fetch_all(
        worker,
        """select attname from pg_attribute where attrelid = 'zohosync.attempt_report'::regclass and attnum > 0""",
    )
    assert {row["attname"] for row in rows} == set(Report.__dataclass_fields__)


async def test_every_captured_entity_has_a_stream_with_a_handler(database: Database) -> None:
    async with open_stage(database, live=False) as stage:
        captured = await fetch_all(
            stage.shop,
            """select distinct (regexp_matches(prosrc, $$zohosync\\.capture\\('([a-z_]+)'$$, 'g'))[1] as entity
                 from pg_proc where pronamespace = 'zohosync'::regnamespace""",
        )
        fed = {entity for stream in stage.services.streams for entity in stream.entities}
        assert {row["entity"] for row in captured} == fed
        assert all(callable(stream.handler) for stream in stage.services.streams)
