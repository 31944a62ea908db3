"""The console as a web application: a table of routes, each with the least role that may."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from zohosync.console import (
    actions,
    findings,
    health,
    log,
    operation,
    policies,
    rates,
    records,
    settings,
    sign_in,
    stream,
)
from zohosync.console.desk import Console, Desk, Feed
from zohosync.console.gate import Entry
from zohosync.console.live import Broadcaster
from zohosync.console.passwords import Passwords
from zohosync.console.render import STATIC, load_templates
from zohosync.console.security import SecurityHeaders
from zohosync.console.sign_in import INVITATION_PATH
from zohosync.errors import DatabaseFailure, DatabaseUnreachable
from zohosync.store.users import Role

__all__ = ["INVITATION_PATH", "ROUTES", "Console", "Feed", "create_app"]

logger = structlog.get_logger()

ROUTES = (
    Entry("/", log.start_page, Role.VIEWER),
    Entry("/log", log.log_page, Role.VIEWER),
    Entry("/live", stream.live, Role.VIEWER),
    Entry("/operations/{operation_id:int}", operation.operation_page, Role.VIEWER),
    Entry("/operations/{operation_id:int}/sync", actions.sync_now, Role.OPERATOR, "POST"),
    Entry("/operations/{operation_id:int}/retry", actions.retry, Role.OPERATOR, "POST"),
    Entry("/operations/{operation_id:int}/cancel", operation.cancel_page, Role.OPERATOR),
    Entry("/operations/{operation_id:int}/cancel", actions.cancel, Role.OPERATOR, "POST"),
    Entry("/records/{entity}/{record_id}", records.record_page, Role.VIEWER),
    Entry("/records/{entity}/{record_id}/sync", records.sync_record, Role.OPERATOR, "POST"),
    Entry("/records/{entity}/{record_id}/override", records.override, Role.OPERATOR, "POST"),
    Entry("/records/{entity}/{record_id}/believe", records.clear_override, Role.OPERATOR, "POST"),
    Entry("/records/{entity}/{record_id}/link", records.link, Role.ADMIN, "POST"),
    Entry("/records/{entity}/{record_id}/unlink", records.unlink_page, Role.ADMIN),
    Entry("/records/{entity}/{record_id}/unlink", records.unlink, Role.ADMIN, "POST"),
    Entry("/findings", findings.findings_page, Role.VIEWER),
    Entry("/findings/{finding_id:int}", findings.decide_finding, Role.OPERATOR, "POST"),
    Entry("/settings", settings.settings_page, Role.VIEWER),
    Entry(policies.PATH, policies.policies_page, Role.VIEWER),
    Entry(policies.PATH, policies.save_policy, Role.ADMIN, "POST"),
    Entry(rates.PATH, rates.rates_page, Role.VIEWER),
    Entry(rates.PATH, rates.import_rates, Role.OPERATOR, "POST", rates.LARGEST_SHEET),
    Entry("/settings/zoho/ask", settings.ask_consent, Role.ADMIN, "POST"),
    Entry(settings.CALLBACK_PATH, settings.receive_consent, Role.ADMIN),
    Entry("/settings/zoho/code", settings.redeem_code, Role.ADMIN, "POST"),
    Entry("/settings/zoho/organisation", settings.choose_organisation, Role.ADMIN, "POST"),
    Entry("/settings/zoho/fields", settings.fields_page, Role.ADMIN),
    Entry("/settings/zoho/fields", settings.create_fields, Role.ADMIN, "POST"),
    Entry("/settings/zoho/disconnect", settings.disconnect_page, Role.ADMIN),
    Entry("/settings/zoho/disconnect", settings.disconnect, Role.ADMIN, "POST"),
    Entry("/sign-in", sign_in.sign_in_page, None),
    Entry("/sign-in", sign_in.sign_in, None, "POST"),
    Entry("/sign-out", sign_in.sign_out, Role.VIEWER, "POST"),
    Entry(INVITATION_PATH + "/{token}", sign_in.invitation_page, None),
    Entry(INVITATION_PATH + "/{token}", sign_in.accept_invitation, None, "POST"),
    Entry("/healthz", health.healthz, None),
    Entry("/readyz", health.readyz, None),
    Entry("/metrics", health.metrics, None),
)

TITLES = {
    400: "That could not be read",
    401: "You are signed out",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not done that way",
    413: "Too large",
    503: "The database does not answer",
}
UNREACHABLE = "The console cannot reach its database. Nothing is lost: changes of the shop wait there. Reload soon."
UNWILLING = "The database refuses what the console asks. The console's log says why, and `zohosync doctor` checks it."


def create_app(console: Console) -> FastAPI:
    """The console, ready to be served; ``app.state.live.close()`` ends its event streams before a server stops."""
    live = Broadcaster(console.listener, console.clock)
    desk = Desk(console, load_templates(console), Passwords(), live)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        spreading = asyncio.create_task(live.run())
        try:
            yield
        finally:
            live.close()
            spreading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await spreading

    app = FastAPI(
        title="zohosync",
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[Middleware(SecurityHeaders, secure=console.is_secure)],
    )
    app.router.routes.extend(entry.route(desk) for entry in ROUTES)
    app.router.routes.append(Mount("/static", _KeptFiles(directory=str(STATIC))))
    app.state.live = live
    _answer_faults(app, desk)
    return app


class _KeptFiles(StaticFiles):
    """Static files, kept by browsers for ever: their addresses carry a digest of the content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == HTTPStatus.OK:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _answer_faults(app: FastAPI, desk: Desk) -> None:
    """Every refusal as a page in plain words."""

    def page(status: int, message: str) -> HTMLResponse:
        title = TITLES.get(status, HTTPStatus(status).phrase)
        template = desk.templates.get_template("error.html")
        html = template.render(session=None, may_act=False, path="", said=None, title=title, message=message)
        return HTMLResponse(html, status)

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        usual = HTTPStatus(error.status_code).phrase
        message = error.detail if error.detail != usual else "The address may be mistyped, or of another version."
        response = page(error.status_code, message)
        response.headers.update(error.headers or {})
        return response

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, DatabaseFailure)
        logger.warning("console.failed", path=request.url.path, code=error.reason, problem=error.message)
        away = isinstance(error, DatabaseUnreachable)
        response = page(503, UNREACHABLE if away else UNWILLING)
        response.headers["Retry-After"] = "5"
        return response

    async def broken(_: Request, __: Exception) -> Response:
        return page(500, "Something broke in the console. Its log says what; the sync is not touched by it.")

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(DatabaseFailure, failed)
    app.add_exception_handler(Exception, broken)
