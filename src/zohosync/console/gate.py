"""The gate before every page: who is asking, may they, and did their own page send it."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from zohosync.console.desk import Console, Desk
from zohosync.store.users import Role, Session, find_session

LARGEST_FORM = 64 * 1024


@dataclass(frozen=True)
class Visit:
    """One request, let in. ``session`` is None only on pages that need no sign-in."""

    desk: Desk
    request: Request
    session: Session | None
    form: dict[str, str] = field(default_factory=dict)

    @property
    def console(self) -> Console:
        return self.desk.console

    @property
    def user(self) -> str:
        """The e-mail of whoever is signed in; the gate has seen to it that somebody is."""
        assert self.session is not None
        return self.session.user.email

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """A rendered template."""
        role = self.session.user.role if self.session else None
        said = self.request.cookies.get(SAID_COOKIE, "")
        html = self.desk.templates.get_template(template).render(
            session=self.session,
            may_act=role is not None and role >= Role.OPERATOR,
            path=self.request.url.path,
            said=said.split(".", 1) if "." in said else None,
            **context,
        )
        response = HTMLResponse(html, status)
        if said and "partial" not in self.request.query_params:
            response.delete_cookie(SAID_COOKIE)
        return response

    @property
    def is_admin(self) -> bool:
        return self.session is not None and self.session.user.role >= Role.ADMIN

    def go(self, path: str, said: str = "") -> Response:
        """A redirect after a POST; ``said`` is shown on the next page: what was done, a dot, the operation's id."""
        response = RedirectResponse(path, 303)
        if said:
            response.set_cookie(SAID_COOKIE, said, max_age=60, httponly=True, samesite="lax")
        return response


Endpoint = Callable[[Visit], Awaitable[Response]]
SAID_COOKIE = "zohosync_said"


@dataclass(frozen=True)
class Entry:
    """One line of the route table: where, what, and the least role that may. ``needs=None`` lets anybody in."""

    path: str
    endpoint: Endpoint
    needs: Role | None
    method: str = "GET"
    largest: int = LARGEST_FORM

    def route(self, desk: Desk) -> Route:
        async def answer(request: Request) -> Response:
            return await _admit(self, desk, request)

        return Route(self.path, answer, methods=[self.method], name=self.endpoint.__name__)


def session_cookie(console: Console) -> str:
    """The cookie's name; browsers hold ``__Host-`` cookies to Secure, this host and path ``/``."""
    return "__Host-zohosync" if console.is_secure else "zohosync_session"


async def _admit(entry: Entry, desk: Desk, request: Request) -> Response:
    session = await _find_session(desk.console, request) if entry.needs else None
    if entry.needs and session is None:
        return _ask_to_sign_in(request)
    if entry.needs and session and session.user.role < entry.needs:
        raise HTTPException(403, f"This needs the role {entry.needs.label}; yours is {session.user.role.label}.")
    form = await _read_form(request, entry.largest) if entry.method == "POST" else {}
    if entry.method == "POST":
        _check_origin(desk.console, request)
        if session and not hmac.compare_digest(form.get("csrf", "").encode(), session.csrf_token.encode()):
            raise HTTPException(403, "This form is out of date. Go back, reload the page and try again.")
    return await entry.endpoint(Visit(desk, request, session, form))


async def _find_session(console: Console, request: Request) -> Session | None:
    token = request.cookies.get(session_cookie(console))
    if not token:
        return None
    async with console.reach() as connection:
        return await find_session(connection, token)


def _ask_to_sign_in(request: Request) -> Response:
    if request.method == "GET" and "partial" not in request.query_params and request.url.path != "/live":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303)
    if request.method == "POST":
        return RedirectResponse("/sign-in", 303)
    raise HTTPException(401, "Your sign-in has ended.")


def _check_origin(console: Console, request: Request) -> None:
    """Refuse a form another site sent, also where there is no session yet whose token could tell.

    https://developer.mozilla.org/docs/Web/HTTP/Headers/Sec-Fetch-Site
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        same = site in ("same-origin", "none")
    elif origin is not None:
        own = {request.headers.get("host", ""), urlsplit(console.settings.console_url or "").netloc}
        same = urlsplit(origin).netloc in own - {""}  # a hidden origin is "null", which has no host
    else:
        same = True  # not a browser: nothing rides on its cookies
    if not same:
        raise HTTPException(403, "This form was sent from another site.")


async def _read_form(request: Request, largest: int) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise HTTPException(413, "This form is too large.")
    try:
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=50)
    except ValueError as error:
        raise HTTPException(400, "This form cannot be read.") from error
    return {name: clean(value) for name, value in pairs}


def clean(text: str) -> str:
    """Text without what Postgres cannot hold: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode(errors="ignore").decode()
