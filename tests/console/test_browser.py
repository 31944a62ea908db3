"""The console in a real browser: liveness, keyboard, phone, dark, and nothing an accessibility checker minds."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest

from conftest import Database, need
from console.goods import finding, invoice, place_order
from console.stage import PASSWORD, STREAMS, add_attempt, add_operation
from zohosync.clock import SystemClock
from zohosync.config import Settings
from zohosync.console.app import INVITATION_PATH, Console
from zohosync.console.server import ConsoleServer
from zohosync.db.listen import Listener
from zohosync.db.pool import connect, open_pool
from zohosync.store.users import Role, invite

CHROMIUM = Path("/usr/bin/chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

pytestmark = pytest.mark.browser
Scheme = Literal["light", "dark"]
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
PATIENCE = 15


@dataclass
class Site:
    """A console that is being served, and its database."""

    database: Database
    url: str = ""
    server: ConsoleServer | None = None
    invitation: str = ""
    ready: threading.Event = field(default_factory=threading.Event)

    def run(self, work: Callable[[psycopg.AsyncConnection[Any]], Any], *, as_owner: bool = False) -> Any:
        """Do something in the database, over a connection of its own."""
        url = self.database.owner_url if as_owner else self.database.worker_url

        async def worked() -> Any:
            async with await connect(url) as connection:
                return await work(connection)

        # Playwright keeps a loop in this thread.
        with ThreadPoolExecutor(1) as other_thread:
            return other_thread.submit(asyncio.run, worked()).result(PATIENCE)

    def add(self, status: str = "succeeded", **fields: Any) -> int:
        """One operation, announced as the queue's functions do."""

        async def work(connection: Any) -> int:
            async with connection.transaction():
                made = await add_operation(connection, status, **fields)
                await connection.execute("select pg_notify('zohosync_live', '')")
            return made

        return int(self.run(work))

    def sql(self, statement: str) -> None:
        self.run(lambda connection: connection.execute(statement.encode()))

    async def serve(self) -> None:
        settings = Settings(_env_file=None, console_port=0)
        async with open_pool(self.database.worker_url, size=4) as pool:
            async with pool.connection() as connection:
                token = await invite(connection, Role.ADMIN, timedelta(hours=1))
            self.invitation = f"{INVITATION_PATH}/{token}"
            listener = Listener(self.database.worker_url, ["zohosync_live"])
            self.server = ConsoleServer(Console(pool, settings, SystemClock(), listener, STREAMS))
            serving = asyncio.create_task(self.server.serve())
            while not self.server.started and not serving.done():
                await asyncio.sleep(0.01)
            self.url = self.server.url
            self.ready.set()
            await serving


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    made = Site(database)
    thread = threading.Thread(target=lambda: asyncio.run(made.serve()))
    thread.start()
    assert made.ready.wait(PATIENCE)
    yield made
    assert made.server is not None
    made.server.should_exit = True
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    need("browser", CHROMIUM.exists(), "Debian's chromium is not installed")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield running
        running.close()


@dataclass
class Window:
    """A browser window whose complaints are kept."""

    site: Site
    context: Any
    page: Any
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        self.page.goto(self.site.url + path)
        return self.page

    def live(self, path: str = "/log") -> Any:
        page = self.open(path)
        page.locator("#live[data-state=live]").wait_for()
        return page


@pytest.fixture
def window(site: Site, browser: Any) -> Iterator[Callable[..., Window]]:
    """Opens windows; the first comes in by the one-time link, the others share its cookies."""
    opened: list[Window] = []
    state: dict[str, Any] = {}

    def open_window(scheme: Scheme = "light", size: dict[str, int] = WIDE, scripts: bool = True) -> Window:
        context = browser.new_context(
            color_scheme=scheme, viewport=size, java_script_enabled=scripts, storage_state=state or None
        )
        context.set_default_timeout(PATIENCE * 1000)
        made = Window(site, context, context.new_page())
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.page.on(
            "console",
            lambda said: made.complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        if not state:
            made.open(site.invitation)
            made.page.get_by_label("E-mail").fill("admin@example.com")
            made.page.get_by_label("Your name").fill("First Admin")
            made.page.get_by_label("Password").fill(PASSWORD)
            made.page.get_by_role("button", name="Create account").click()
            made.page.wait_for_url("**/log")
            state.update(context.storage_state())
        opened.append(made)
        return made

    yield open_window
    for made in opened:
        made.context.close()
        assert made.complaints == []


def test_somebody_signs_out_and_in_again_and_lands_where_they_wanted(window: Callable[..., Window]) -> None:
    page = window().open("/log?status=failed")
    page.get_by_label("Account of First Admin").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.goto(page.url.replace("/sign-in", "/log?status=pending"))
    page.get_by_label("E-mail").fill("admin@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/log?status=pending")
    assert page.get_by_role("heading", name="Nothing is pending").is_visible()


def test_a_new_operation_appears_by_itself(window: Callable[..., Window], site: Site) -> None:
    page = window().live()
    page.evaluate("window.here = true")
    made = site.add("pending", label="new@example.com")
    page.locator(f"#op-{made}").get_by_text("Queued").wait_for()
    site.sql(
        "update zohosync.operation set status = 'succeeded', queued = false, finished_at = now();"
        " select pg_notify('zohosync_live', '')"
    )
    page.locator(f"#op-{made}").get_by_text("Success").wait_for()
    assert page.get_by_role("link", name="Success 1").is_visible()
    assert page.evaluate("window.here"), "the page was not loaded again"


def test_what_changes_between_the_page_and_its_stream_appears_too(window: Callable[..., Window], site: Site) -> None:
    opened = window()
    held: list[Any] = []
    opened.context.route("**/live", lambda route: held.append(route))
    page = opened.open("/log")
    # Not announced: nobody listens yet.
    made = site.run(lambda connection: add_operation(connection, "succeeded", label="between@example.com"))
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    page.locator(f"#op-{made}").wait_for()


def test_what_did_not_change_is_left_in_place(window: Callable[..., Window], site: Site) -> None:
    kept = site.add(label="kept@example.com")
    page = window().live()
    link = page.locator(f"#op-{kept} a")
    link.focus()
    page.evaluate(f"document.getElementById('op-{kept}').marked = true")
    made = site.add("pending")
    page.locator(f"#op-{made}").wait_for()
    assert page.evaluate(f"document.getElementById('op-{kept}').marked"), "the row is the same element"
    assert page.evaluate("document.activeElement.textContent").startswith("Contact kept@example.com")


def test_focus_stays_on_a_row_that_changes(window: Callable[..., Window], site: Site) -> None:
    failed = site.add("failed", label="changing@example.com")
    page = window().live()
    page.locator(f"#op-{failed} .c-what a").focus()
    site.sql("update zohosync.operation set label = 'changed@example.com'; select pg_notify('zohosync_live', '')")
    page.get_by_text("changed@example.com").wait_for()
    assert "changed@example.com" in page.evaluate("document.activeElement.textContent")


def test_filters_make_an_address_to_share(window: Callable[..., Window], site: Site) -> None:
    site.add(label="contact@example.com")
    lead = site.add("failed", kind="crm.lead.push", entity="inquiry", label="lead@example.com")
    page = window().live()
    page.get_by_role("link", name="Failed 1").click()
    page.get_by_label("What").select_option("crm.lead.push")
    page.wait_for_url("**/log?status=failed&kind=crm.lead.push")
    page.get_by_label("Search").fill("lead@")
    page.keyboard.press("Enter")
    page.wait_for_url("**/log?status=failed&q=lead%40&kind=crm.lead.push")
    shared = window().open(page.url.removeprefix(site.url))
    assert shared.locator(".row").count() == 1
    assert shared.locator(f"#op-{lead}").is_visible()
    assert shared.get_by_label("Search").input_value() == "lead@"


def test_a_failed_one_is_retried_from_the_log(window: Callable[..., Window], site: Site) -> None:
    failed = site.add("failed", label="broken@example.com", error_hint="Correct the address.")
    page = window().live("/log?status=failed")
    page.locator(f"#op-{failed}").get_by_role("button", name="Retry").dblclick()
    page.get_by_text("Retry asked for: operation").wait_for()
    page.locator(f"#op-{failed}").get_by_text("Tried again as").wait_for()
    assert page.get_by_role("link", name="Pending 1").is_visible()
    assert page.locator(f"#op-{failed}").get_by_role("button").count() == 0


def test_the_page_of_an_operation_follows_it(window: Callable[..., Window], site: Site) -> None:
    made = site.add("retrying", label="slow@example.com", attempt=1)
    page = window().live(f"/operations/{made}")
    site.run(lambda connection: add_attempt(connection, made, 1, outcome="retrying", error_message="Too slow."))
    site.sql("select pg_notify('zohosync_live', '')")
    page.get_by_text("Too slow.").wait_for()
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_label("Why").fill("not needed")
    page.get_by_role("button", name="Cancel it").click()
    page.get_by_text("Cancelled before it ran.").wait_for()


def test_everything_is_done_with_the_keyboard(window: Callable[..., Window], site: Site) -> None:
    failed = site.add("failed", label="broken@example.com")
    page = window().live("/log?status=failed")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id || location.hash") in ("main", "#main")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Retry":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.get_by_text("Retry asked for: operation").wait_for()
    page.locator(f"#op-{failed}").get_by_text("Tried again as").wait_for()


def test_a_lost_connection_is_told_and_found_again(window: Callable[..., Window], site: Site) -> None:
    opened = window()
    page = opened.live()
    page.clock.install()
    opened.context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.locator("#live[data-state=stale]").wait_for()
    assert page.locator("#live").text_content() == "Not live"
    made = site.add("pending")
    opened.context.set_offline(False)
    page.locator(f"#op-{made}").wait_for()
    page.locator("#live[data-state=live]").wait_for()
    opened.complaints.clear()  # the browser reports what it could not fetch meanwhile


def test_a_session_that_ends_leads_to_the_door(window: Callable[..., Window], site: Site) -> None:
    opened = window()
    page = opened.live()
    site.sql("delete from zohosync.console_session; select pg_notify('zohosync_live', '')")
    page.wait_for_url("**/sign-in?next=%2Flog")
    opened.complaints.clear()  # the browser reports the 401


def test_it_works_without_scripts(window: Callable[..., Window], site: Site) -> None:
    failed = site.add("failed", label="broken@example.com")
    window()
    page = window(scripts=False).open("/log")
    assert page.get_by_text("Reload it to see what is new").is_visible()
    page.get_by_label("Search").fill("broken@")
    page.get_by_role("button", name="Filter").click()
    page.locator(f"#op-{failed}").get_by_role("button", name="Retry").click()
    assert page.get_by_text("Retry asked for: operation").is_visible()


def furnish(site: Site) -> list[str]:
    """Operations of every status, and the pages to look at them on."""
    long = "a-very-long-name-that-nobody-would-choose-for-a-mailbox" * 2 + "@example.com"
    failed = site.add("failed", label=long, error_message="Zoho refused " + "x" * 120, error_hint="Correct it.")
    retrying = site.add("retrying", label="r@example.com", attempt=2, error_message="Zoho was busy.")
    for status in ("pending", "running", "waiting", "succeeded", "skipped", "superseded", "cancelled"):
        site.add(status, label=f"{status}@example.com", zoho_id="554023000000420123")
    site.add("failed", label="cured@example.com", resolved_at="now")

    async def attempts(connection: Any) -> None:
        await add_attempt(connection, failed, 1, http_status=202, vendor_code="INVALID_DATA")
        await connection.execute(
            """update zohosync.attempt set request = '{"Email": "a@@b"}', response = '{"id": 1}'"""
        )

    site.run(attempts)
    order = site.run(place_order, as_owner=True)
    site.run(lambda connection: invoice(connection, order, total=1200))
    site.run(lambda connection: finding(connection, order))
    return [f"/records/order/{order}?field=gstin", "/findings", "/settings/documents", "/settings/rates",
            f"/records/order/{order}/unlink", "/log", "/log?status=failed",
            "/log?q=nobody", f"/operations/{failed}", f"/operations/{retrying}/cancel",
            "/operations/999", "/settings", "/settings/zoho/disconnect", "/settings/zoho/fields",
            "/sign-in"]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_serious_for_an_accessibility_checker_and_nothing_sticks_out(
    window: Callable[..., Window], site: Site, scheme: Scheme, size: dict[str, int]
) -> None:
    paths = furnish(site)
    opened = window(scheme, size)
    checker = axe.Axe()
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
    for path in paths:
        page = opened.open(path)
        page.wait_for_load_state("load")
        found = checker.run(page, options=rules).response["violations"]
        serious = [
            (entry["id"], [node["html"][:200] for node in entry["nodes"]])
            for entry in found
            if entry["impact"] in ("serious", "critical")
        ]
        assert serious == [], path
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    opened.complaints = [text for text in opened.complaints if "404" not in text and "422" not in text]


def test_dark_is_dark_and_light_is_light(window: Callable[..., Window], site: Site) -> None:
    shade = "getComputedStyle(document.body).backgroundColor"
    assert window("dark").open("/log").evaluate(shade) == "rgb(17, 20, 23)"
    assert window("light").open("/log").evaluate(shade) == "rgb(247, 247, 245)"
