"""Books as far as a test writes it by hand: answers in the shapes seen on the wire, and what was asked for them."""

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from zoho.conftest import HandClock
from zohosync.errors import TokenRejected
from zohosync.zoho.books import Books
from zohosync.zoho.budget import Unlimited
from zohosync.zoho.client import Client
from zohosync.zoho.login import Access

ORGANISATION = "60031234567"


@dataclass(frozen=True)
class Asked:
    """One call that left: ``body`` is None without one; ``params`` are without the organisation."""

    method: str
    path: str
    params: dict[str, str]
    body: Any
    headers: httpx.Headers
    content: bytes
    query: str


class OneLogin:
    """A login that never ends."""

    async def logins(self) -> AsyncGenerator[Access, TokenRejected]:
        yield Access("1000.demo", "https://www.zohoapis.in", "1", datetime(2099, 1, 1, tzinfo=UTC), generation=1)


@dataclass
class Wire:
    """Answers what ``answer`` gives for a call: a body, or a status and a body, or raw bytes in place of a body."""

    answer: Callable[[Asked], Any]
    asked: list[Asked] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        query = urlsplit(str(request.url)).query
        params = {name: values[0] for name, values in parse_qs(query).items()}
        assert params.pop("organization_id") == ORGANISATION
        body = json.loads(request.content) if request.content else None
        path = request.url.path.removeprefix("/books/v3")
        call = Asked(request.method, path, params, body, request.headers, request.content, query)
        self.asked.append(call)
        told = self.answer(call)
        status, content = told if isinstance(told, tuple) else (200, told)
        return httpx.Response(status, content=content if isinstance(content, bytes) else json.dumps(content))

    @property
    def books(self) -> Books:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
        return Books(Client(http, OneLogin(), Unlimited(), HandClock()), ORGANISATION)

    @property
    def last(self) -> Asked:
        return self.asked[-1]


def told(**more: Any) -> dict[str, Any]:
    """A good answer."""
    return {"code": 0, "message": "success", **more}


def refused(code: int, message: str = "told", status: int = 400) -> tuple[int, dict[str, Any]]:
    return status, {"code": code, "message": message}


def pages(key: str, rows: list[dict[str, Any]], size: int = 200) -> Callable[[Asked], Any]:
    """A list that heeds ``page`` and no filter at all."""

    def answer(asked: Asked) -> Any:
        page = int(asked.params.get("page", "1"))
        part = rows[(page - 1) * size : page * size]
        more = page * size < len(rows)
        return told(**{key: part}, page_context={"page": page, "per_page": size, "has_more_page": more})

    return answer
