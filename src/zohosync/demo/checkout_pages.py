"""Checkout with a pretend payment, and what became of an order."""

from dataclasses import fields
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from zohosync.demo.counter import Counter, Route, redirect
from zohosync.demo.orders import Address, Checkout
from zohosync.demo.shop import ShopRefused

METHODS = {"razorpay": "Pay now (pretend)", "bank_transfer": "Bank transfer", "cod": "Cash on delivery"}
ADDRESS_FIELDS = tuple(field.name for field in fields(Address) if field.name != "country")
EXAMPLE = {
    "sku:BF-AZO-1L": "2",
    "sku:AQ-PRB-1KG": "1",
    "name": "Demo Guest",
    "email": "guest@example.com",
    "phone": "055555 00100",
    "address_line1": "1 Example Road",
    "city": "Hyderabad",
    "state": "Telangana",
    "postal_code": "500001",
}
"""What the form holds at first, so that one click buys something."""
CALLS_OF_WEBHOOK = 2
"""The pretend gateway calls the shop twice, as real ones sometimes do."""


async def show_checkout(at: Counter) -> Response:
    return await _checkout_page(at)


async def check_out(at: Counter) -> Response:
    method = at.text("payment_method")
    try:
        if method not in METHODS:
            raise ShopRefused("Choose how to pay.")
        order_id = await at.orders.place(Checkout(at.lines(), address_of(at), await _buyer(at), method))
    except ShopRefused as refusal:
        return await _checkout_page(at, str(refusal))
    return redirect(f"/orders/{order_id}")


def address_of(at: Counter) -> Address:
    return Address(**{name: at.text(name) for name in ADDRESS_FIELDS})


async def _buyer(at: Counter) -> str:
    """The signed-in customer; empty for a guest."""
    user_id = at.text("user_id")
    if user_id and await at.shop.find_user(user_id) is None:
        raise ShopRefused("There is no such customer.")
    return user_id


async def _checkout_page(at: Counter, problem: str = "") -> Response:
    return at.show(
        "checkout.html",
        400 if problem else 200,
        users=await at.shop.list_users(),
        products=await at.shop.list_products(),
        methods=METHODS,
        values=at.form or EXAMPLE,
        problem=problem,
    )


async def show_order(at: Counter) -> Response:
    return at.show("order.html", **await _order(at))


async def pay(at: Counter) -> Response:
    """The pretend gateway takes the money, and tells the shop."""
    found = await _order(at)
    try:
        for _ in range(CALLS_OF_WEBHOOK):
            await at.orders.confirm_payment(found["order"]["order_id"])
    except ShopRefused as refusal:
        return at.show("order.html", 400, **found, problem=str(refusal))
    return redirect(f"/orders/{found['order']['order_id']}")


async def _order(at: Counter) -> dict[str, Any]:
    order = await at.orders.find_order(at.request.path_params["order_id"])
    if order is None:
        raise HTTPException(404, "There is no such order.")
    waiting = order["payment_status"] == "paid" and not order["zoho_books_id"]
    return {"order": order, "waiting": waiting}


PAGES: tuple[Route, ...] = (
    ("GET", "/checkout", show_checkout),
    ("POST", "/checkout", check_out),
    ("GET", "/orders/{order_id}", show_order),
    ("POST", "/orders/{order_id}/pay", pay),
)
