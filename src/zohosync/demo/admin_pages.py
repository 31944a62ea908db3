"""The demo shop's own administration: orders, quotes to approve, and what GST needs to know of the goods."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from zohosync.demo.counter import Counter, Route, redirect
from zohosync.demo.orders import Orders
from zohosync.demo.shop import ShopRefused

STEPS: Mapping[str, Callable[[Orders, str], Awaitable[None]]] = {
    "paid": Orders.confirm_payment,
    "ship": Orders.ship,
    "refund": Orders.refund,
}
"""What the buttons of an order do."""
CATEGORIES = ("taxable", "exempt", "nil", "zero_rated_na")


async def show_admin(at: Counter) -> Response:
    return await _admin_page(at)


async def change_order(at: Counter) -> Response:
    step = STEPS.get(at.text("step"))
    try:
        if step is None:
            raise ShopRefused("Choose what to do with the order.")
        await step(at.orders, at.request.path_params["order_id"])
    except ShopRefused as refusal:
        return await _admin_page(at, str(refusal))
    return redirect("/admin")


async def approve_quote(at: Counter) -> Response:
    try:
        order_id = await at.orders.approve_quote(at.request.path_params["quote_id"])
    except ShopRefused as refusal:
        return await _admin_page(at, str(refusal))
    return redirect(f"/orders/{order_id}")


async def classify(at: Counter) -> Response:
    sku = at.request.path_params["sku"]
    try:
        await at.orders.classify(
            sku, hsn_code=at.text("hsn_code"), gst_rate=at.text("gst_rate"), tax_category=at.text("tax_category")
        )
    except ShopRefused as refusal:
        return await _admin_page(at, str(refusal))
    return redirect(f"/admin#{sku}")


async def _admin_page(at: Counter, problem: str = "") -> Response:
    quotes = await at.shop.list_quotes()
    return at.show(
        "admin.html",
        400 if problem else 200,
        orders=await at.orders.list_orders(),
        quotes=[quote for quote in quotes if quote["status"] in ("submitted", "under_review")],
        goods=await at.orders.list_goods(),
        categories=CATEGORIES,
        problem=problem,
    )


PAGES: tuple[Route, ...] = (
    ("GET", "/admin", show_admin),
    ("POST", "/admin/orders/{order_id}", change_order),
    ("POST", "/admin/quotes/{quote_id}/approve", approve_quote),
    ("POST", "/admin/goods/{sku}", classify),
)
