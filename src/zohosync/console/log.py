"""The sync log: every operation, newest first, filtered by what the URL says."""

from typing import get_args
from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import RedirectResponse, Response

from zohosync.console.gate import Visit, clean
from zohosync.console.words import CAUSES, KINDS
from zohosync.store.insights import (
    NEWEST,
    Filters,
    State,
    count_by_state,
    group_failures,
    list_operations,
)
from zohosync.store.tokens import find_connection

PAGE_SIZE = 50


async def start_page(_: Visit) -> Response:
    return RedirectResponse("/log", 303)


async def log_page(visit: Visit) -> Response:
    """The whole page, or with ``partial=rows`` only the live region of it."""
    filters, before = read_filters(visit)
    async with visit.console.reach() as connection:
        counts = await count_by_state(connection, filters)
        found = await list_operations(connection, filters, before=before, limit=PAGE_SIZE + 1)
        login = await find_connection(connection)
        groups = await group_failures(connection) if filters.state == "failed" and not filters.search else []
    rows = found[:PAGE_SIZE]
    older = rows[-1].operation_id if len(found) > PAGE_SIZE else None
    partial = visit.request.query_params.get("partial") == "rows"
    return visit.page(
        "partials/rows.html" if partial else "log.html",
        filters=filters,
        before=before if before != NEWEST else None,
        counts=counts,
        groups=groups,
        login=login,
        rows=rows,
        older=older,
        link=lambda **changes: link(filters, **changes),
        here=link(filters, before=before if before != NEWEST else None),
        press=uuid4,
        kinds=sorted(set(visit.console.kinds) or set(KINDS)),
        causes=CAUSES,
    )


def read_filters(visit: Visit) -> tuple[Filters, int]:
    """What the URL asks for; what it cannot mean is left out, never an error."""
    query = {name: clean(value).strip()[:200] for name, value in visit.request.query_params.items()}
    state: State = next((known for known in get_args(State) if known == query.get("status")), "all")
    cause = query.get("cause")
    number = query.get("before", "")
    before = int(number) if number.isdecimal() and len(number) < 19 else NEWEST
    filters = Filters(
        state=state,
        kind=query.get("kind") or None,
        cause=cause if cause in CAUSES else None,
        search=query.get("q") or None,
        entities=visit.console.entities,
    )
    return filters, before


def link(filters: Filters, **changes: str | int | None) -> str:
    """The address of the log with these filters and some of them changed."""
    query: dict[str, str | int | None] = {
        "status": filters.state if filters.state != "all" else None,
        "kind": filters.kind,
        "cause": filters.cause,
        "q": filters.search,
    }
    kept = {name: value for name, value in (query | changes).items() if value}
    return f"/log?{urlencode(kept)}" if kept else "/log"
