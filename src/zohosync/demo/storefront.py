"""The demo storefront's pages: register, profile, contact form, quote request, and what became of all in Zoho."""

from jinja2 import Environment, PackageLoader
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.routing import Route as Endpoint
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zohosync.demo import admin_pages, checkout_pages
from zohosync.demo.counter import Counter, Page, Route, redirect
from zohosync.demo.shop import Shop, ShopRefused

CONTENT_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
INQUIRY_FIELDS = ("name", "email", "phone", "subject", "message")


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
    address = await at.shop.find_address_of(user_id)
    return at.show("profile.html", title="Profile", values=user, action=f"/users/{user_id}", user=user, address=address)


async def edit_profile(at: Counter) -> Response:
    user_id = at.request.path_params["user_id"]
    try:
        await at.shop.edit_profile(user_id, at.profile())
    except ShopRefused as refusal:
        return at.show(
            "profile.html", 400, title="Profile", values=at.form, action=f"/users/{user_id}", problem=str(refusal)
        )
    return redirect(f"/users/{user_id}")


async def keep_address(at: Counter) -> Response:
    """Where this customer has goods delivered, from now on."""
    user_id = at.request.path_params["user_id"]
    if await at.shop.find_user(user_id) is None:
        raise HTTPException(404, "There is no such customer.")
    await at.orders.keep_address(user_id, checkout_pages.address_of(at))
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
        orders=await at.orders.list_orders(),
        new=at.request.query_params.get("new", ""),
    )


PAGES: tuple[Route, ...] = (
    ("GET", "/", welcome),
    ("GET", "/register", show_registration),
    ("POST", "/register", register),
    ("GET", "/users/{user_id}", show_profile),
    ("POST", "/users/{user_id}", edit_profile),
    ("GET", "/contact", show_contact),
    ("POST", "/contact", send_inquiry),
    ("GET", "/quote", show_quote),
    ("POST", "/quote", request_quote),
    ("POST", "/users/{user_id}/address", keep_address),
    ("GET", "/records", show_records),
    *checkout_pages.PAGES,
    *admin_pages.PAGES,
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

    def route(method: str, path: str, page: Page) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            async with request.form() as form:
                return await page(Counter(shop, templates, request, form))

        return Endpoint(path, endpoint, methods=[method])

    return Starlette(
        routes=[
            *(route(*page) for page in PAGES),
            Mount("/static", StaticFiles(packages=[("zohosync.demo", "static")])),
        ],
        middleware=[Middleware(StrictHeaders)],
    )
