"""Coming in, by password or by a one-time link, and going out."""

import math
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from zohosync.console.desk import Console
from zohosync.console.gate import Visit, session_cookie
from zohosync.console.passwords import find_weakness
from zohosync.console.security import safe_path
from zohosync.store import users
from zohosync.store.audit import record
from zohosync.store.users import Refusal, User

INVITATION_PATH = "/invitation"
SPENT = "This link was used already, or its hour is over. Ask for a new one."


async def sign_in_page(visit: Visit) -> Response:
    """The form; somebody who is signed in already is sent on."""
    wanted = safe_path(visit.request.query_params.get("next"))
    return visit.page("sign_in.html", next=wanted, email="", fault="")


async def sign_in(visit: Visit) -> Response:
    """Check e-mail and password; every failure reads the same."""
    email = visit.form.get("email", "").strip()[:254]
    wanted = safe_path(visit.form.get("next"))
    subjects = users.throttle_subjects(email, _address(visit.request))
    async with visit.console.reach() as connection:
        wait = await users.count_guess(connection, subjects)
        known = None if wait else await users.find_credentials(connection, email)
    if wait:
        return _refuse_for_now(visit, wanted, email, wait)
    password = visit.form.get("password", "")
    right = await visit.desk.passwords.check(password, known.password_hash if known else None)
    if not (right and known):
        fault = "E-mail and password do not go together."
        return visit.page("sign_in.html", 401, next=wanted, email=email, fault=fault)
    async with visit.console.reach() as connection:
        await users.forgive_guesses(connection, subjects)
        if visit.desk.passwords.is_dated(known.password_hash):
            await users.save_password(connection, known.user.user_id, await visit.desk.passwords.hash(password))
    return await _let_in(visit, known.user, wanted)


def _refuse_for_now(visit: Visit, wanted: str, email: str, wait: timedelta) -> Response:
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    fault = f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."
    response = visit.page("sign_in.html", 429, next=wanted, email=email, fault=fault)
    response.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
    return response


async def sign_out(visit: Visit) -> Response:
    """End the session here and in the database."""
    cookie = session_cookie(visit.console)
    async with visit.console.reach() as connection:
        await users.close_session(connection, visit.request.cookies[cookie])
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie, secure=visit.console.is_secure, httponly=True, samesite="lax")
    return response


async def invitation_page(visit: Visit) -> Response:
    """The form behind a one-time link. Looking does not spend it: mail programs look at links too."""
    token = visit.request.path_params["token"]
    async with visit.console.reach() as connection:
        role = await users.find_invitation(connection, token)
    if role is None:
        return visit.page("error.html", 404, title="This link no longer works", message=SPENT)
    return visit.page("invitation.html", role=role.label, email="", name="", fault="", at="")


async def accept_invitation(visit: Visit) -> Response:
    """Make the user and sign them in."""
    token = visit.request.path_params["token"]
    email = visit.form.get("email", "").strip()
    name = " ".join(visit.form.get("name", "").split())
    password = visit.form.get("password", "")
    async with visit.console.reach() as connection:
        role = await users.find_invitation(connection, token)
    if role is None:
        return visit.page("error.html", 404, title="This link no longer works", message=SPENT)
    at, fault = _find_fault(email, name, password)
    if not fault:
        hashed = await visit.desk.passwords.hash(password)
        async with visit.console.reach() as connection:
            made = await users.accept_invitation(connection, token, email=email, name=name, password_hash=hashed)
        if isinstance(made, User):
            return await _let_in(visit, made, "/log", action="user.created")
        if made is Refusal.SPENT:
            return visit.page("error.html", 404, title="This link no longer works", message=SPENT)
        at, fault = "email", "Somebody with this e-mail is here already."
    return visit.page("invitation.html", 422, role=role.label, email=email, name=name, fault=fault, at=at)


def _find_fault(email: str, name: str, password: str) -> tuple[str, str]:
    """The field at fault and why, or two empty strings."""
    before, _, domain = email.partition("@")
    if not before or not domain or "@" in domain or len(email) > 254 or any(c.isspace() for c in email):
        return "email", "Write an e-mail address, like name@example.com."
    if not name or len(name) > 100:
        return "name", "Write your name, at most 100 characters."
    weakness = find_weakness(password, email=email, name=name)
    return ("password", weakness) if weakness else ("", "")


async def _let_in(visit: Visit, user: User, path: str, action: str = "user.signed_in") -> Response:
    console = visit.console
    async with console.reach() as connection:
        token = await users.open_session(connection, user.user_id, console.settings.session_lifetime)
        await record(connection, actor=user.email, action=action, detail={"role": user.role.label})
    response = RedirectResponse(path, 303)
    _set_cookie(response, console, token)
    return response


def _set_cookie(response: Response, console: Console, token: str) -> None:
    response.set_cookie(
        session_cookie(console),
        token,
        max_age=int(console.settings.session_lifetime.total_seconds()),
        path="/",
        secure=console.is_secure,
        httponly=True,
        samesite="lax",
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
