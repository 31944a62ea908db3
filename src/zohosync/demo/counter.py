"""What every page of the demo storefront has at hand."""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any, TypeAlias

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from zohosync.demo.orders import Orders
from zohosync.demo.shop import Line, Profile, Shop

PROFILE_FIELDS = tuple(field.name for field in fields(Profile))


class Counter:
    """One request at the shop's counter: the shop, the request and its form."""

    def __init__(self, shop: Shop, templates: Jinja2Templates, request: Request, form: FormData) -> None:
        self.shop = shop
        self.orders = Orders(shop)
        self.request = request
        self.form = form
        self._templates = templates

    def text(self, name: str) -> str:
        """A field of the form, trimmed; empty when it was left out."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def profile(self) -> Profile:
        return Profile(**{name: self.text(name) for name in PROFILE_FIELDS})

    def lines(self) -> list[Line]:
        """The quantities above zero, each in a field named after its SKU."""
        amounts = {name: str(value) for name, value in self.form.items() if name.startswith("sku:")}
        return [
            Line(name.removeprefix("sku:"), int(amount))
            for name, amount in amounts.items()
            if amount.isdecimal() and 0 < int(amount) < 100_000
        ]

    def show(self, template: str, status: int = 200, **context: Any) -> Response:
        return self._templates.TemplateResponse(self.request, template, context, status_code=status)


Page: TypeAlias = Callable[[Counter], Awaitable[Response]]
Route: TypeAlias = tuple[str, str, Page]
"""Method, path and page."""


def redirect(address: str) -> Response:
    """After a form the browser asks for a page, so that a reload sends nothing twice."""
    return RedirectResponse(address, 303)
