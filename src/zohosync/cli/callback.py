"""The loopback page a browser comes back to from Zoho's consent.

https://datatracker.ietf.org/doc/html/rfc8252#section-7.3
"""

import asyncio
import os
import sys
import webbrowser
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from html import escape
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from zohosync.errors import LoginLost, ZohosyncError
from zohosync.running import serve

PATH = "/callback"
PATIENCE = timedelta(minutes=10)
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>zohosync</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><h1>{title}</h1><p>{text}</p></html>"""

T = TypeVar("T")


def callback_address(port: int) -> str:
    """What must be registered at Zoho as the redirect address, to the letter."""
    return f"http://127.0.0.1:{port}{PATH}"


async def await_answer(
    port: int, receive: Callable[[Mapping[str, str]], Awaitable[T]], begin: Callable[[], Awaitable[str]]
) -> T:
    """Once the port is ours, ``begin`` gives the address to open in a browser; what comes back goes to ``receive``. Its
    result, or the error it raised.

    An answer that belongs to no consent of ours is refused, and the waiting goes on: anybody can call the address.
    """
    outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    async def answer(request: Request) -> Response:
        try:
            found = await receive(dict(request.query_params))
        except ZohosyncError as error:
            if error.reason != "consent_unknown" and not outcome.done():
                outcome.set_exception(error)
            return _page("Not connected", str(error), 400)
        if not outcome.done():
            outcome.set_result(found)
        return _page("Consent received", "You can close this page; the terminal goes on.", 200)

    app = Starlette(routes=[Route(PATH, answer)])
    async with serve(app, port=port):
        await asyncio.to_thread(_open_browser, await begin())
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await outcome
        except TimeoutError as error:
            raise LoginLost(
                "Nobody came back from Zoho's consent page within ten minutes.",
                hint="Run `zohosync connect` again; with --no-browser where this machine has no browser.",
                code="consent_timeout",
            ) from error


def _open_browser(address: str) -> None:
    """Only where there is a screen: a browser in the terminal would take it over."""
    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)


def _page(title: str, text: str, status: int) -> Response:
    headers = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}
    return HTMLResponse(PAGE.format(title=escape(title), text=escape(text)), status, headers)
