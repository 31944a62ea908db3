"""The sync log as people see it, and as the database feels it."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from console.stage import Person, add_operation, rows_of, text_of
from zohosync.db.pool import Connection, fetch_one
from zohosync.store import insights
from zohosync.store.insights import Filters, count_by_state, group_failures, lane_depths, list_operations

MANY = """
insert into zohosync.operation (kind, lane, entity, record_id, label, cause, status, queued, zoho_id, error_code,
                                error_message, finished_at, resolved_at, wait_reason)
select case when n % 7 = 0 then 'crm.lead.push' else 'crm.contact.push' end, 'people', 'customer', 'record-' || n,
       'person' || n || '@example.com', case when n % 500 = 0 then 'manual'::zohosync.operation_cause else 'change' end,
       s.status::zohosync.operation_status, false,
       case when s.status = 'succeeded' then (554023000000000000 + n)::text end,
       case when s.status = 'failed' then 'code_' || n % 3 end, case when s.status = 'failed' then 'It failed.' end,
       case when s.status not in ('retrying', 'waiting') then now() end, case when n % 200 = 1 then now() end,
       case when s.status = 'waiting' then 'login'::zohosync.wait_reason end
  from generate_series(1, 20000) n
 cross join lateral (select case when n % 100 = 1 then 'failed' when n % 400 = 2 then 'retrying'
                                 when n % 400 = 3 then 'waiting' when n % 10 = 4 then 'skipped'
                                 else 'succeeded' end as status) s
"""


async def test_the_first_page_leads_to_the_log(viewer: Person) -> None:
    assert (await viewer.get("/")).headers["location"] == "/log"


async def test_the_tabs_count_success_pending_and_failed(viewer: Person, worker: Connection) -> None:
    for status in ("succeeded", "skipped", "superseded", "pending", "running", "retrying", "waiting", "failed",
                   "failed", "cancelled"):  # fmt: skip
        await add_operation(worker, status)
    await worker.execute(
        "update zohosync.operation set resolved_at = now() where operation_id ="
        " (select min(operation_id) from zohosync.operation where status = 'failed')"
    )
    assert await count_by_state(worker) == insights.Counts(all=10, success=3, pending=4, failed=1)
    page = text_of(await viewer.get("/log"))
    assert "All 10" in page
    assert "Success 3 Pending 4 Failed 1" in page


@pytest.mark.parametrize(
    ("state", "statuses"),
    [
        ("success", {"succeeded", "skipped", "superseded"}),
        ("pending", {"pending", "running", "retrying", "waiting"}),
        ("failed", {"failed"}),
    ],
)
async def test_each_tab_shows_its_own_newest_first(
    viewer: Person, worker: Connection, state: str, statuses: set[str]
) -> None:
    made = {
        await add_operation(worker, status): status
        for status in (
            "succeeded",
            "failed",
            "waiting",
            "skipped",
            "retrying",
            "cancelled",
            "pending",
            "superseded",
            "running",
        )
    }
    shown = rows_of(await viewer.get(f"/log?status={state}"))
    assert shown == sorted((number for number, status in made.items() if status in statuses), reverse=True)


async def test_a_failure_cured_since_is_told_so_and_no_longer_counts(viewer: Person, worker: Connection) -> None:
    cured = await add_operation(worker, "failed", resolved_at="now")
    assert rows_of(await viewer.get("/log?status=failed")) == []
    page = await viewer.get("/log")
    assert rows_of(page) == [cured]
    assert "Failed, since cured" in page.text


async def test_a_row_says_what_when_why_and_what_to_do(viewer: Person, worker: Connection) -> None:
    await add_operation(
        worker,
        "retrying",
        label="customer@example.com",
        attempt=2,
        zoho_id="554023000000420123",
        error_message="Zoho asked to slow down.",
        error_hint="Nothing to do.",
    )
    await worker.execute("update zohosync.operation set next_attempt_at = now() + interval '4 min 30 s'")
    page = await viewer.get("/log")
    text = text_of(page)
    for part in ("Retrying", "Contact customer@example.com", "554023000000420123", "Changed in the shop", "2 of 6",
                 "Zoho asked to slow down. Nothing to do.", "Next try in 4 min", "just now"):  # fmt: skip
        assert part in text, part
    assert " IST" in page.text


async def test_a_waiting_row_says_for_what(viewer: Person, worker: Connection) -> None:
    await add_operation(worker, "waiting", wait_reason="login")
    assert "Waits for somebody to connect Zoho again." in text_of(await viewer.get("/log"))


async def test_filters_live_in_the_address_and_combine(viewer: Person, worker: Connection) -> None:
    wanted = await add_operation(worker, "failed", kind="crm.lead.push", cause="manual")
    await add_operation(worker, "failed", kind="crm.lead.push")
    await add_operation(worker, "failed", cause="manual")
    await add_operation(worker, kind="crm.lead.push", cause="manual")
    page = await viewer.get("/log?status=failed&kind=crm.lead.push&cause=manual")
    assert rows_of(page) == [wanted]
    assert "Success 1" in text_of(page), "the other tabs count under the same filters"
    assert 'href="/log?kind=crm.lead.push&amp;cause=manual"' in page.text


@pytest.mark.parametrize(
    "search",
    ["#{id}", "{id}", "customer@", "CUSTOMER@EXAMPLE", "record-77", "554023000000420123", "invalid_data"],
)
async def test_the_search_finds(viewer: Person, worker: Connection, search: str) -> None:
    wanted = await add_operation(
        worker, "failed", label="Customer@example.com", record_id="record-77", zoho_id="554023000000420123"
    )
    await add_operation(worker, label="somebody@example.com", zoho_id="554023000000420124")
    page = await viewer.get(f"/log?q={quote(search.replace('{id}', str(wanted)))}")
    assert rows_of(page) == [wanted]
    assert "All 1" in text_of(page)


@pytest.mark.parametrize(
    "search", ["%", "_", "' or 1=1 --", "\\", "%00", "99999999999999999999", "\U0001f33e", "%ED%A0%80", "a" * 5000]
)
async def test_a_search_for_nonsense_finds_nothing_and_harms_nothing(
    viewer: Person, worker: Connection, search: str
) -> None:
    await add_operation(worker, label="customer@example.com")
    page = await viewer.get(f"/log?status=success&q={search}")
    assert page.status_code == 200
    assert rows_of(page) in ([], [1])


@pytest.mark.parametrize("kind", ["%s", "%(before)s", "100%", "' or true --", "{conditions}", "nul\x00"])
async def test_a_kind_nobody_knows_finds_nothing_and_harms_nothing(
    viewer: Person, worker: Connection, kind: str
) -> None:
    await add_operation(worker)
    page = await viewer.get(f"/log?kind={quote(kind)}")
    assert page.status_code == 200
    assert rows_of(page) == []


@pytest.mark.parametrize(
    "query", ["status=nonsense", "cause=nonsense", "before=abc", "before=-1", "before=99999999999999999999", "kind="]
)
async def test_what_the_address_cannot_mean_is_left_out(viewer: Person, worker: Connection, query: str) -> None:
    made = await add_operation(worker)
    assert rows_of(await viewer.get(f"/log?{query}")) == [made]


async def test_a_page_holds_fifty_and_the_next_begins_where_it_ended(viewer: Person, worker: Connection) -> None:
    await worker.execute(MANY.replace("20000", "120").encode())
    first = await viewer.get("/log")
    shown = rows_of(first)
    assert len(shown) == 50
    await add_operation(worker)  # what arrives meanwhile shifts nothing
    second = rows_of(await viewer.get(f"/log?before={shown[-1]}"))
    assert second == list(range(shown[-1] - 1, shown[-1] - 51, -1))
    third = await viewer.get(f"/log?before={second[-1]}")
    assert len(rows_of(third)) == 20
    assert "Older" not in text_of(third)
    assert "Newest" in text_of(third)


async def test_open_failures_are_grouped_by_cause_with_the_fix(viewer: Person, worker: Connection) -> None:
    for _ in range(3):
        await add_operation(worker, "failed", error_code="invalid_data", error_hint="Correct the address.")
    await add_operation(worker, "failed", error_code="zoho_unavailable", error_message="Zoho is down.")
    await add_operation(worker, "failed", error_code="invalid_data", resolved_at="now")
    groups = await group_failures(worker)
    assert [(group.error_code, group.count) for group in groups] == [("invalid_data", 3), ("zoho_unavailable", 1)]
    page = await viewer.get("/log?status=failed")
    assert "3 × invalid_data Zoho refused the e-mail address. Correct the address." in text_of(page)
    assert 'href="/log?status=failed&amp;q=invalid_data"' in page.text
    assert "Why they failed" not in (await viewer.get("/log")).text


async def test_text_from_outside_stays_text(viewer: Person, worker: Connection) -> None:
    nasty = "<img src=x onerror=alert(1)>'\"&\U0001f33e"
    await add_operation(worker, "failed", label=nasty, record_id=nasty, error_message=nasty, error_hint=nasty,
                        error_code=nasty, requested_by=nasty, cause="manual", kind="crm.contact.push")  # fmt: skip
    for path in ("/log", "/log?status=failed", "/operations/1"):
        page = (await viewer.get(path)).text
        assert "<img" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;&#39;&#34;&amp;\U0001f33e" in page


async def test_the_partial_is_the_region_of_the_page(viewer: Person, worker: Connection) -> None:
    await add_operation(worker, "failed")
    page = (await viewer.get("/log?status=failed")).text
    partial = (await viewer.get("/log?status=failed&partial=rows")).text
    assert "<html" not in partial
    assert partial.strip() in page


async def test_buttons_are_for_those_who_may(viewer: Person, operator: Person, worker: Connection) -> None:
    await add_operation(worker, "failed")
    await add_operation(worker, "succeeded")
    await add_operation(worker, "running")
    assert (await operator.get("/log")).text.count(">Retry</button>") == 1
    assert (await operator.get("/log")).text.count(">Sync now</button>") == 1
    assert "/retry" not in (await viewer.get("/log")).text
    assert "/sync" not in (await viewer.get("/log")).text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/log", "Nothing has been synced yet"),
        ("/log?status=failed", "Nothing has failed"),
        ("/log?status=pending", "Nothing is pending"),
        ("/log?status=success", "No successes yet"),
        ("/log?q=nobody", "Nothing matches"),
        ("/log?before=1", "That was all"),
    ],
)
async def test_an_empty_log_explains_itself(viewer: Person, path: str, words: str) -> None:
    assert words in text_of(await viewer.get(path))


async def test_lane_depths_tell_what_waits_where(worker: Connection) -> None:
    await add_operation(worker, "pending")
    await add_operation(worker, "running")
    await add_operation(worker, "waiting", lane="sales", kind="books.invoice.push")
    depths = {depth.lane: depth for depth in await lane_depths(worker)}
    assert list(depths) == ["sales", "stock", "people", "bulk"]
    assert (depths["people"].open, depths["people"].running, depths["sales"].waiting) == (2, 1, 1)
    assert depths["people"].oldest_requested_at is not None
    assert depths["bulk"].open == 0


@pytest.fixture
async def busy(worker: Connection, owner: Connection) -> Connection:
    """A database with 20,000 operations whose planner knows them."""
    await worker.execute(MANY.encode())
    await owner.execute("vacuum analyze zohosync.operation")
    return worker


async def reads_of(connection: Connection) -> tuple[int, int]:
    """How often this transaction read the whole table of operations, and how many rows it fetched by index."""
    row = await fetch_one(
        connection,
        """select seq_scan, idx_tup_fetch from pg_stat_xact_user_tables
            where schemaname = 'zohosync' and relname = 'operation'""",
    )
    assert row is not None
    return row["seq_scan"], row["idx_tup_fetch"]


SEARCHES = ["person1999", "record-77", "554023000000000009", "code_1", "#12"]
HOT = [
    *(Filters(state=state) for state in ("all", "success", "pending", "failed")),  # type: ignore[arg-type]
    Filters(kind="crm.lead.push"),
    Filters(kind="books.invoice.push"),
    Filters(kind="crm.lead.push", state="success"),
    Filters(cause="manual"),
    Filters(cause="webhook"),
    *(Filters(search=search, entities=("customer", "quote")) for search in SEARCHES),
    *(Filters(search=search, entities=("customer", "quote"), state="failed") for search in SEARCHES),
]


@pytest.mark.parametrize("filters", HOT, ids=lambda f: f"{f.state}-{f.kind}-{f.cause}-{f.search}")
async def test_the_log_follows_an_index_and_reads_little(busy: Connection, filters: Filters) -> None:
    for before in (insights.NEWEST, 5000):
        async with busy.transaction():
            await list_operations(busy, filters, before=before, limit=51)
            scans, rows = await reads_of(busy)
        assert scans == 0
        assert rows < 1500, "a page of 51 rows reads a handful of pages, whatever the table holds"


@pytest.mark.parametrize("filters", [Filters(), *HOT[9:14]], ids=lambda f: f"{f.search}")
async def test_counting_follows_an_index_too(busy: Connection, filters: Filters) -> None:
    async with busy.transaction():
        await count_by_state(busy, filters)
        await group_failures(busy)
        await lane_depths(busy)
        scans, _ = await reads_of(busy)
    assert scans == 0


async def test_counts_stop_at_ten_thousand(busy: Connection, viewer: Person) -> None:
    counts = await count_by_state(busy)
    assert counts.all == counts.success == insights.COUNT_LIMIT + 1
    assert "10,000+" in (await viewer.get("/log")).text


async def test_while_zoho_is_away_the_page_says_so_and_promises_no_time(operator: Person, worker: Connection) -> None:
    await add_operation(worker, "waiting", wait_reason="login", next_attempt_at=datetime.now(UTC))
    page = text_of(await operator.get("/log"))
    assert "Zoho is not connected" in page
    assert "nothing is lost" in page
    assert "Goes on when Zoho is connected" in page
    assert "Next try" not in page
    await connect_row(worker, "needs_reauth")
    assert "Zoho no longer accepts the login" in text_of(await operator.get("/log?partial=rows"))
    await connect_row(worker, "connected")
    assert "captured and wait" not in text_of(await operator.get("/log"))


async def connect_row(connection: Connection, state: str) -> None:
    """A login in some state."""
    await connection.execute("delete from zohosync.connection")
    await connection.execute(
        "insert into zohosync.connection (state, data_centre, accounts_server, api_domain, client_id, client_secret,"
        "  refresh_token) values (%s, 'in', 'https://accounts.zoho.in', 'https://www.zohoapis.in', '1', '', '')",
        (state,),
    )
