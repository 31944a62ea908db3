"""The demo storefront's pages: register, profile, contact form, quote request, and what became of them in Zoho."""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from jinja2 import Environment, PackageLoader
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zohosync.demo.shop import Line, Profile, Shop, ShopRefused

CONTENT_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
PROFILE_FIELDS = tuple(field.name for field in fields(Profile))
INQUIRY_FIELDS = ("name", "email", "phone", "subject", "message")

Page = Callable[["Counter"], Awaitable[Response]]


class Counter:
    """One request at the shop's counter: the shop, the request and its form."""

    def __init__(self, shop: Shop, templates: Jinja2Templates, request: Request, form: FormData) -> None:
        self.shop = shop
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


def redirect(address: str) -> Response:
    """After a form the browser asks for a page, so that a reload sends nothing twice."""
    return RedirectResponse(address, 303)


async def welcome(at: Counter) -> Response:
    return at.show("welcome.html", products=await at.shop.list_products())


async def show_registration(at: Counter) -> Response:
    return at.show("profile.html", title="Register", values={}, action="/register")


async def register(at: Counter) -> Response:
    profile = at.profile()
    try:
        user_id = await at.shop.register(profile)
    except ShopRefused as refusal:
        return at.show("profile.html", 400, title="Register", values=at.form, action="/register", problem=str(refusal))
    return redirect(f"/users/{user_id}")


async def show_profile(at: Counter) -> Response:
    user_id = at.request.path_params["user_id"]
    user = await at.shop.find_user(user_id)
    if user is None:
        raise HTTPException(404, "There is no such customer.")
    return at.show("profile.html", title="Profile", values=user, action=f"/users/{user_id}", user=user)


async def edit_profile(at: Counter) -> Response:
    user_id = at.request.path_params["user_id"]
    try:
        await at.shop.edit_profile(user_id, at.profile())
    except ShopRefused as refusal:
        return at.show(
            "profile.html", 400, title="Profile", values=at.form, action=f"/users/{user_id}", problem=str(refusal)
        )
    return redirect(f"/users/{user_id}")


async def show_contact(at: Counter) -> Response:
    return at.show("contact.html", values={})


async def send_inquiry(at: Counter) -> Response:
    try:
        inquiry_id = await at.shop.send_inquiry({name: at.text(name) for name in INQUIRY_FIELDS})
    except ShopRefused as refusal:
        return at.show("contact.html", 400, values=at.form, problem=str(refusal))
    return redirect(f"/records?new={inquiry_id}")


async def show_quote(at: Counter) -> Response:
    return await _quote_page(at)


async def request_quote(at: Counter) -> Response:
    try:
        quote_id = await at.shop.request_quote(at.text("user_id"), at.lines(), at.text("notes"))
    except ShopRefused as refusal:
        return await _quote_page(at, str(refusal))
    return redirect(f"/records?new={quote_id}")


async def _quote_page(at: Counter, problem: str = "") -> Response:
    clients = [user for user in await at.shop.list_users() if user["role"] == "b2b_client"]
    return at.show(
        "quote.html",
        400 if problem else 200,
        clients=clients,
        products=await at.shop.list_products(),
        values=at.form,
        problem=problem,
    )


async def show_records(at: Counter) -> Response:
    return at.show(
        "records.html",
        users=await at.shop.list_users(),
        inquiries=await at.shop.list_inquiries(),
        quotes=await at.shop.list_quotes(),
        new=at.request.query_params.get("new", ""),
    )


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/", welcome),
    ("GET", "/register", show_registration),
    ("POST", "/register", register),
    ("GET", "/users/{user_id}", show_profile),
    ("POST", "/users/{user_id}", edit_profile),
    ("GET", "/contact", show_contact),
    ("POST", "/contact", send_inquiry),
    ("GET", "/quote", show_quote),
    ("POST", "/quote", request_quote),
    ("GET", "/records", show_records),
)


class StrictHeaders:
    """Pages of the shop load nothing from elsewhere and run no script."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"content-security-policy", CONTENT_POLICY.encode()))
            await send(message)

        await self.app(scope, receive, send_strictly)


def create_storefront(shop: Shop) -> Starlette:
    """The storefront over a shop. It has no sign-in: a visitor picks whom to be, as suits a demo."""
    templates = Jinja2Templates(env=Environment(loader=PackageLoader("zohosync.demo"), autoescape=True))

    def route(method: str, path: str, page: Page) -> Route:
        async def endpoint(request: Request) -> Response:
            async with request.form() as form:
                return await page(Counter(shop, templates, request, form))

        return Route(path, endpoint, methods=[method])

    return Starlette(
        routes=[
            *(route(*page) for page in PAGES),
            Mount("/static", StaticFiles(packages=[("zohosync.demo", "static")])),
        ],
        middleware=[Middleware(StrictHeaders)],
    )
