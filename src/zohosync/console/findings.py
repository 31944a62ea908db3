"""Findings: what somebody has to decide about documents, and deciding it."""

from starlette.responses import Response

from zohosync.console.gate import Visit
from zohosync.console.refusing import refusing
from zohosync.console.security import safe_path
from zohosync.store.findings import list_findings
from zohosync.sync.books.finding_catalogue import describe_detail, entry_of
from zohosync.sync.books.resolving import decide


async def findings_page(visit: Visit) -> Response:
    """Open findings; with ``all=1`` the closed ones too."""
    everything = visit.request.query_params.get("all") == "1"
    async with visit.console.reach() as connection:
        found = await list_findings(connection, closed=everything)
    partial = visit.request.query_params.get("partial") == "findings"
    return visit.page(
        "partials/findings.html" if partial else "findings.html",
        findings=found,
        everything=everything,
        entry_of=entry_of,
        describe_detail=describe_detail,
        may_admin=visit.is_admin,
        here="/findings?all=1" if everything else "/findings",
    )


@refusing
async def decide_finding(visit: Visit) -> Response:
    """One decision, with its reason."""
    async with visit.console.reach() as connection:
        done = await decide(
            connection,
            finding_id=visit.request.path_params["finding_id"],
            action=visit.form.get("action", ""),
            reason=visit.form.get("reason", ""),
            by=visit.user,
            is_admin=visit.is_admin,
        )
    queued = str(done.operations[0]) if done.operations else ""
    return visit.go(safe_path(visit.form.get("back"), "/findings"), f"decided.{queued}")
