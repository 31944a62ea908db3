"""Who may read the metrics, and when a process calls itself ready: in each state, on console and worker."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from conftest import Database
from metrics.reading import Page
from stage import Stage, eventually, open_stage
from zohosync.clock import SystemClock
from zohosync.config import Settings, load_settings
from zohosync.console.app import Console, create_app
from zohosync.db.pool import open_pool
from zohosync.errors import SettingsRefused
from zohosync.metrics.endpoint import create_endpoint
from zohosync.metrics.exposition import Metrics
from zohosync.metrics.pulse import Pulse
from zohosync.running import console_of
from zohosync.wiring import Services

TOKEN = "0123456789abcdef-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class MovedClock(SystemClock):
    """The machine's clock, moved on."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def asked(app: Any) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="http://here.test")


def worker_app(services: Services, **with_: Any) -> Any:
    settings = with_.get("settings", services.settings)
    stop = with_.get("stop", asyncio.Event())
    clock = with_.get("clock", services.clock)
    pulse = Pulse(services.metrics.tally, clock, stop, poll=settings.poll_interval)
    return create_endpoint(services.pool, settings, services.metrics, pulse)


def with_token(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})


def console_app(services: Services) -> Any:
    return create_app(console_of(services))


@pytest.fixture
async def guarded(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database, metrics_token=TOKEN) as stage:
        yield stage


async def test_the_consoles_metrics_are_off_without_a_token(stage: Stage) -> None:
    async with asked(console_app(stage.services)) as browser:
        answer = await browser.get("/metrics")
        assert answer.status_code == 404
        assert "ZOHOSYNC_METRICS_TOKEN" in answer.text
        assert (await browser.get("/metrics", headers=BEARER)).status_code == 404


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"bearer{TOKEN}", f"Basic {TOKEN}",
     TOKEN, "Bearer \xe9"],
)  # fmt: skip
async def test_only_the_token_opens_the_metrics(guarded: Stage, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    for app in (console_app(guarded.services), worker_app(guarded.services)):
        async with asked(app) as browser:
            answer = await browser.get("/metrics", headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert "zohosync_" not in answer.text
            right = await browser.get("/metrics", headers=BEARER)
            assert right.status_code == 200
            assert right.headers["content-type"].startswith("text/plain; version=")
            assert right.headers["cache-control"] == "no-store"
            assert Page(right.text).value("zohosync_database_up") == 1


async def test_a_worker_on_loopback_needs_no_token(stage: Stage) -> None:
    async with asked(worker_app(stage.services)) as browser:
        assert Page((await browser.get("/metrics")).text).value("zohosync_schema_version") is not None


@pytest.mark.parametrize(
    "settings",
    [
        {"metrics_host": "0.0.0.0", "metrics_port": 9464},
        {"metrics_token": "short"},
        {"metrics_token": ""},
        {"metrics_port": 70000},
    ],
)
def test_unsafe_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsRefused, match="ZOHOSYNC_METRICS_"):
        load_settings(None, **settings)


def test_another_address_is_fine_with_a_token() -> None:
    assert load_settings(None, metrics_host="0.0.0.0", metrics_port=9464, metrics_token=TOKEN).metrics_port == 9464


async def states(stage: Stage, **with_: Any) -> list[tuple[int, dict[str, str]]]:
    """What console and worker say of their readiness."""
    said = []
    for app in (console_app(stage.services), worker_app(stage.services, **with_)):
        async with asked(app) as browser:
            assert (await browser.get("/healthz")).json() == {"status": "ok"}
            answer = await browser.get("/readyz")
            said.append((answer.status_code, answer.json()))
    return said


def unready(reason: str) -> tuple[int, dict[str, str]]:
    return 503, {"status": "unready", "reason": reason}


READY = (200, {"status": "ready"})


async def test_it_is_ready_when_all_is_well(stage: Stage) -> None:
    assert await states(stage) == [READY, READY]


@pytest.mark.parametrize(
    "trouble",
    [
        "update zohosync.connection set state = 'needs_reauth', access_token = null, expires_at = null",
        "update zohosync.connection set state = 'disconnected'",
        "delete from zohosync.connection",
        "update zohosync.connection set expires_at = now() - interval '1 day'",
        "insert into zohosync.budget_pause (organisation_id, product, until_at, reason)"
        " values ('1', 'crm', now() + interval '1 hour', 'day')",
        "update zohosync.installation set capturing = false, live_since = null",
        "insert into zohosync.incident (code, severity, title) values ('poison', 'critical', 'x')",
    ],
)
async def test_what_a_restart_would_not_mend_leaves_it_ready(stage: Stage, trouble: str) -> None:
    await stage.shop.execute(trouble.encode())
    assert await states(stage) == [READY, READY]


async def test_zoho_being_down_leaves_it_ready(stage: Stage) -> None:
    await stage.fault("http_500_before_commit", count=50)
    await stage.register()
    await stage.run()
    assert await states(stage) == [READY, READY]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("insert into zohosync.schema_migration (version, name) values (9999, 'future')", "schema_mismatch"),
        ("delete from zohosync.schema_migration where version > 1", "schema_mismatch"),
        ("drop schema zohosync cascade", "schema_mismatch"),
        ("update zohosync.installation set database_identity = 'of another'", "foreign_copy"),
        ("update zohosync.installation set zoho = 'live'", "settings_refused"),
        ("revoke all on zohosync.installation from zohosync_worker", "privilege_missing"),
    ],
)
async def test_a_database_it_must_not_work_on_makes_it_unready(stage: Stage, change: str, reason: str) -> None:
    await stage.shop.execute(change.encode())
    assert await states(stage) == [unready(reason), unready(reason)]


async def test_an_unreachable_database_makes_it_unready_and_it_comes_back(database: Database) -> None:
    settings = load_settings(None, database_url=database.worker_url)
    async with open_pool(database.worker_url, size=2) as pool:
        console = Console(pool, settings, SystemClock(), patience=timedelta(seconds=0.3))
        async with asked(create_app(console)) as browser:
            assert (await browser.get("/readyz")).status_code == 200
            database.cluster.administer(
                f"alter database {database.name} allow_connections false",
                f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database.name}'",
            )
            answer = await browser.get("/readyz")
            assert (answer.status_code, answer.json()) == unready("database_unreachable")
            assert (await browser.get("/healthz")).status_code == 200
            database.cluster.administer(f"alter database {database.name} allow_connections true")

            async def is_ready() -> bool:
                return (await browser.get("/readyz")).json() == {"status": "ready"}

            await eventually(is_ready)


async def test_a_worker_that_stops_is_not_ready(stage: Stage) -> None:
    stop = asyncio.Event()
    stop.set()
    assert await states(stage, stop=stop) == [READY, unready("stopping")]


async def test_a_worker_whose_loop_stands_still_is_not_ready_until_it_turns(stage: Stage) -> None:
    clock = MovedClock()
    app = worker_app(stage.services, clock=clock)
    async with asked(app) as browser:
        clock.ahead = 59
        assert (await browser.get("/readyz")).status_code == 200
        clock.ahead = 61
        assert (await browser.get("/readyz")).json() == unready("stalled")[1]
        await stage.run()  # of the clock that was not moved
        assert (await browser.get("/readyz")).json() == unready("stalled")[1]
        clock.ahead = 0
        assert (await browser.get("/readyz")).json() == {"status": "ready"}


async def test_slow_polls_are_given_more_patience(stage: Stage) -> None:
    clock, stop = MovedClock(), asyncio.Event()
    pulse = Pulse(stage.services.metrics.tally, clock, stop, poll=timedelta(seconds=30))
    clock.ahead = 179
    assert pulse.hindrance() is None
    clock.ahead = 181
    assert pulse.hindrance() == "stalled"


async def test_strangers_are_told_no_more_than_a_code(stage: Stage) -> None:
    await stage.shop.execute("update zohosync.installation set database_identity = 'of another'")
    for app in (console_app(stage.services), worker_app(stage.services)):
        async with asked(app) as browser:
            assert set((await browser.get("/readyz")).json()) == {"status", "reason"}


async def test_the_consoles_page_is_the_process_own(guarded: Stage) -> None:
    await guarded.register()
    await guarded.run()
    async with asked(console_app(guarded.services)) as browser:
        page = Page((await browser.get("/metrics", headers=BEARER)).text)
    assert page.value("zohosync_operation_attempts_total", kind="crm.contact.push", outcome="succeeded") == 1


async def test_a_console_that_was_given_no_metrics_has_none(stage: Stage) -> None:
    console = Console(stage.services.pool, with_token(stage.services.settings), SystemClock())
    async with asked(create_app(console)) as browser:
        assert (await browser.get("/metrics", headers=BEARER)).status_code == 404


async def test_two_processes_of_one_machine_share_no_registry() -> None:
    async def look() -> Any:
        raise AssertionError("not asked")

    first, second = (Metrics(look, SystemClock(), limits={}) for _ in range(2))
    first.tally.turned()
    assert second.tally.turned_at is None
