"""Somebody at the console, in a browser without JavaScript: pages, forms, and the live stream."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from html.parser import HTMLParser

import httpx

from zohosync.console.sign_in import INVITATION_PATH
from zohosync.demo.eventually import Unmet

TAGS = re.compile(r"<[^>]+>")


class Operator:
    """A signed-in person. ``http`` keeps the session's cookie."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def accept_invitation(self, token: str, *, email: str, password: str) -> None:
        """Come in by a one-time link."""
        answer = await self._http.post(
            f"{INVITATION_PATH}/{token}", data={"email": email, "name": "Demo Operator", "password": password}
        )
        if answer.status_code != 303:
            raise Unmet(f"the console did not accept its own invitation: HTTP {answer.status_code}")

    async def read(self, path: str) -> str:
        """A page as its text."""
        return " ".join(unescape(TAGS.sub(" ", await self._get(path))).split())

    async def press(self, path: str, action: str) -> str:
        """Send the form of ``path`` whose action is ``action``, hidden fields and all; where it leads to."""
        found = FormFields(action)
        found.feed(await self._get(path))
        if not found.fields:
            raise Unmet(f"the page {path} has no form for {action}")
        answer = await self._http.post(action, data=found.fields)
        if answer.status_code != 303:
            raise Unmet(f"the console answered {action} with HTTP {answer.status_code}")
        return str(answer.headers["location"])

    @asynccontextmanager
    async def live(self) -> AsyncIterator[AsyncIterator[str]]:
        """The names of the events of the console's live stream."""
        async with self._http.stream("GET", "/live") as response:
            if response.status_code != 200:
                raise Unmet(f"the live stream answered HTTP {response.status_code}")
            yield (line.removeprefix("event: ") async for line in response.aiter_lines() if line.startswith("event: "))

    async def _get(self, path: str) -> str:
        answer = await self._http.get(path)
        if answer.status_code != 200:
            raise Unmet(f"the console answered {path} with HTTP {answer.status_code}")
        return answer.text


class FormFields(HTMLParser):
    """The inputs of the form with one action."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._action = action
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = given.get("action") == self._action
        elif tag == "input" and self._inside and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
