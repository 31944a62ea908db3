"""What holds for every route: who may, what comes with it, and what happens when things are not there."""

import re
from datetime import datetime

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from conftest import Database
from console.conftest import Enter
from console.stage import Person, add_operation, audited, operations_of
from zohosync.clock import SystemClock
from zohosync.config import Settings
from zohosync.console.app import ROUTES, Console, create_app
from zohosync.console.gate import Entry
from zohosync.db.pool import Connection, Pool, open_pool
from zohosync.store.users import Role

PUBLIC = {"/sign-in", "/invitation/{token}", "/healthz", "/readyz", "/metrics"}
WRITES = [entry for entry in ROUTES if entry.method == "POST" and entry.needs]
names = [f"{entry.method} {entry.path}" for entry in ROUTES]


def address(entry: Entry, operation_id: int) -> str:
    names = {
        "{operation_id:int}": str(operation_id),
        "{finding_id:int}": "1",
        "{entity}": "order",
        "{record_id}": "00000000-0000-4000-8000-000000000000",
        "{token}": "no-such-token",
    }
    path = entry.path
    for name, value in names.items():
        path = path.replace(name, value)
    return path


@pytest.mark.parametrize("entry", ROUTES, ids=names)
async def test_a_stranger_sees_only_the_doors(stranger: AsyncClient, entry: Entry) -> None:
    answer = await stranger.request(entry.method, address(entry, 1))
    if entry.path in PUBLIC:
        assert entry.needs is None
        assert answer.status_code in (200, 401, 404)
    elif entry.path == "/live":
        assert answer.status_code == 401
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.label)
@pytest.mark.parametrize("entry", [e for e in ROUTES if e.path not in PUBLIC | {"/live"}], ids=lambda e: e.path)
async def test_each_role_may_what_the_table_says_and_nothing_more(
    enter: Enter, worker: Connection, entry: Entry, role: Role
) -> None:
    assert entry.needs is not None
    operation_id = await add_operation(worker, "retrying", record_id="r-1")
    person = await enter(role)
    path = address(entry, operation_id)
    answer = await (person.post(path) if entry.method == "POST" else person.get(path))
    if role >= entry.needs:
        assert answer.status_code in (200, 303, 422)  # 422: the form was empty
    else:
        assert answer.status_code == 403
        assert "Not allowed" in answer.text
        assert [row["status"] for row in await operations_of(worker, "r-1")] == ["retrying"]
        assert await audited(worker, "operation.cancel") == []


def test_a_viewer_may_change_nothing() -> None:
    assert {entry.path for entry in WRITES if entry.needs is Role.VIEWER} == {"/sign-out"}


@pytest.mark.parametrize("entry", WRITES, ids=lambda entry: entry.path)
@pytest.mark.parametrize("csrf", ["", "wrong", "é"])
async def test_no_form_is_taken_without_the_sessions_own_token(
    enter: Enter, worker: Connection, entry: Entry, csrf: str
) -> None:
    operation_id = await add_operation(worker, "retrying", record_id="r-1")
    admin = await enter(Role.ADMIN)
    answer = await admin.post(address(entry, operation_id), csrf=csrf)
    assert answer.status_code == 403
    assert "out of date" in answer.text
    assert [row["status"] for row in await operations_of(worker, "r-1")] == ["retrying"]


async def test_the_table_is_the_whole_application(app: FastAPI) -> None:
    paths = {getattr(route, "path", "") for route in app.router.routes}
    assert paths == {entry.path for entry in ROUTES} | {"/static"}


@pytest.mark.parametrize("path", ["/log", "/log?status=failed", "/operations/1", "/nowhere", "/static/console.css"])
async def test_every_answer_carries_the_policies(viewer: Person, worker: Connection, path: str) -> None:
    await add_operation(worker, "failed")
    answer = await viewer.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/log", "/operations/{id}", "/operations/{id}/cancel", "/sign-in", "/nowhere"])
async def test_no_page_has_script_or_style_in_its_text(operator: Person, worker: Connection, path: str) -> None:
    operation_id = await add_operation(worker, "retrying")
    page = (await operator.get(path.replace("{id}", str(operation_id)))).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    scripts = re.findall(r"<script([^>]*)></script>", page)
    assert len(scripts) == page.count("<script") == 1
    assert scripts[0].startswith(' src="/static/console.js?v=')
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page)


async def test_pages_are_not_kept_and_static_files_are(viewer: Person) -> None:
    page = await viewer.get("/log")
    assert page.headers["cache-control"] == "no-store"
    script = re.search(r'src="(/static/[^"]+)"', page.text)
    assert script is not None
    assert "immutable" in (await viewer.get(script[1])).headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/operations/999", "/operations/99999999999999999999", "/nowhere", "/static/nothing.js"]
)
async def test_what_is_not_there_is_said_kindly(viewer: Person, path: str) -> None:
    answer = await viewer.get(path)
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
    assert "To the sync log" in answer.text


async def test_a_method_that_is_not_offered_is_refused(viewer: Person) -> None:
    assert (await viewer.post("/log")).status_code == 405


async def test_it_says_that_it_lives_and_that_it_is_ready(stranger: AsyncClient) -> None:
    assert (await stranger.get("/healthz")).json() == {"status": "ok"}
    ready = await stranger.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"


async def test_it_is_not_ready_for_a_schema_it_does_not_know(stranger: AsyncClient, owner: Connection) -> None:
    await owner.execute("insert into zohosync.schema_migration (version, name) values (9999, 'of the future')")
    answer = await stranger.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "schema_mismatch")


async def test_a_form_of_too_many_fields_is_refused(stranger: AsyncClient) -> None:
    answer = await stranger.post("/sign-in", data={f"field{n}": "x" for n in range(60)})
    assert answer.status_code == 400


async def test_a_right_that_is_missing_is_not_told_to_strangers(stranger: AsyncClient, owner: Connection) -> None:
    await owner.execute("revoke all on zohosync.invitation from zohosync_worker")
    answer = await stranger.get("/invitation/any")
    assert answer.status_code == 503
    assert "zohosync doctor" in answer.text
    assert "zohosync.invitation" not in answer.text


class StoppedClock(SystemClock):
    """Fails where time is told."""

    def now(self) -> datetime:
        raise RuntimeError("secret of the inside")


async def test_what_breaks_inside_is_a_page_without_its_inside(
    viewer: Person, worker: Connection, pool: Pool, settings: Settings
) -> None:
    await add_operation(worker)
    app = create_app(Console(pool, settings, StoppedClock()))
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(
        transport=transport, base_url="http://console.test", cookies=viewer.browser.cookies
    ) as browser:
        answer = await browser.get("/log")
    assert answer.status_code == 500
    assert "Something broke in the console" in answer.text
    assert "secret" not in answer.text


async def test_without_its_database_it_says_so_and_comes_back(database: Database, settings: Settings) -> None:
    async with open_pool(database.worker_url, size=2) as pool:
        app = create_app(Console(pool, settings, SystemClock(), patience=settings.retry_base / 50))
        async with AsyncClient(transport=ASGITransport(app), base_url="http://console.test") as browser:
            browser.cookies.set("zohosync_session", "any")
            database.cluster.administer(
                f"alter database {database.name} allow_connections false",
                f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database.name}'",
            )
            down = await browser.get("/log")
            assert down.status_code == 503
            assert "Nothing is lost" in down.text
            assert "retry-after" in down.headers
            assert (await browser.get("/readyz")).status_code == 503
            assert (await browser.get("/healthz")).status_code == 200
            database.cluster.administer(f"alter database {database.name} allow_connections true")
            async with pool.connection():
                pass  # the pool has come back
            assert (await browser.get("/readyz")).status_code == 200
