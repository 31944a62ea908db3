"""Checkout and administration write orders as the platform does."""

from typing import Any

import httpx
import pytest

from conftest import Database
from demo.conftest import note_writers
from demo.test_storefront import FIRM, PERSON, register, rows
from zohosync.db.pool import connect
from zohosync.demo.operator import FormFields
from zohosync.demo.shop import Shop

ADDRESS = {"address_line1": "1 Example Road", "city": "Hyderabad", "state": "Telangana", "postal_code": "500001"}
GUEST = {"name": "Demo Guest", "email": "guest@example.com", "phone": "098400 12345"}
CART = {"sku:BF-AZO-1L": "2", "sku:AQ-PRB-1KG": "1", "sku:SD-GRM-5KG": "0"}
ORDER = {**CART, **ADDRESS, **GUEST, "payment_method": "razorpay"}


async def check_out(visitor: httpx.AsyncClient, **more: str) -> str:
    answer = await visitor.post("/checkout", data={**ORDER, **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rsplit("/", 1)[1]


async def press(visitor: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    answer = await visitor.post(path, data=form)
    assert answer.status_code == 303, answer.text
    return answer


async def order_of(database: Database) -> dict[str, Any]:
    [order] = await rows(database, "select * from orders")
    return order


async def classifiable(database: Database) -> None:
    """The columns zohosync adds."""
    async with await connect(database.owner_url) as connection:
        await connection.execute(
            "alter table product_variants add hsn_code text, add gst_rate numeric(5, 2), add tax_category text"
        )


async def test_an_order_and_its_lines_arrive_in_two_transactions(
    visitor: httpx.AsyncClient, bare_shop: Database
) -> None:
    await note_writers(bare_shop, "orders")
    await check_out(visitor)
    found = await rows(
        bare_shop,
        """select o.xmin::text <> i.xmin::text as apart, o.written_by, o.user_id, o.payment_status, i.quantity
             from orders o join order_items i on i.order_id = o.id order by i.quantity""",
    )
    assert [tuple(row.values()) for row in found] == [
        (True, "service_role", None, "pending", 1),
        (True, "service_role", None, "pending", 2),
    ]


async def test_the_form_as_it_is_first_shown_buys_something(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    page = FormFields("/checkout")
    page.feed((await visitor.get("/checkout")).text)
    await press(visitor, "/checkout", **page.fields, payment_method="razorpay")
    assert len(await rows(bare_shop, "select 1 from order_items")) == 2


async def test_a_guest_tells_everything_in_the_address(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    await check_out(visitor)
    order = await order_of(bare_shop)
    assert order["order_number"] == "FP-00001"
    assert order["shipping_address"] == {**ADDRESS, **GUEST, "address_line2": "", "country": "India"}
    assert (str(order["subtotal"]), str(order["tax_amount"]), str(order["total_amount"])) == (
        "1620.00",
        "291.60",
        "1911.60",
    )


async def test_a_customer_orders_in_their_own_name_and_their_address_is_kept(
    visitor: httpx.AsyncClient, bare_shop: Database
) -> None:
    await note_writers(bare_shop, "orders")
    user_id = await register(visitor, PERSON)
    await check_out(visitor, user_id=user_id)
    order = await order_of(bare_shop)
    assert (str(order["user_id"]), order["written_by"]) == (user_id, "authenticated")
    assert await rows(bare_shop, "select user_id::text, city, is_default from addresses") == [
        {"user_id": user_id, "city": "Hyderabad", "is_default": True}
    ]


async def test_the_pretend_gateway_tells_of_a_payment_twice(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    async with await connect(bare_shop.owner_url) as connection:
        await connection.execute(
            """create table told (payment_status text);
               create function tell() returns trigger language plpgsql security definer as
                 $$ begin insert into public.told values (new.payment_status); return null; end $$;
               create trigger tell after update on orders for each row execute function tell()"""
        )
    order_id = await check_out(visitor)
    await press(visitor, f"/orders/{order_id}/pay")
    assert await rows(bare_shop, "select * from told") == [{"payment_status": "paid"}] * 2
    order = await order_of(bare_shop)
    assert (order["payment_status"], order["status"]) == ("paid", "confirmed")


async def test_cash_on_delivery_is_confirmed_at_once_and_paid_at_the_door(
    visitor: httpx.AsyncClient, bare_shop: Database
) -> None:
    order_id = await check_out(visitor, payment_method="cod")
    assert "To be paid on delivery" in (await visitor.get(f"/orders/{order_id}")).text
    await press(visitor, f"/admin/orders/{order_id}", step="ship")
    await press(visitor, f"/admin/orders/{order_id}", step="paid")
    order = await order_of(bare_shop)
    assert (order["payment_status"], order["status"]) == ("paid", "shipped")


async def test_a_paid_order_is_refunded_once(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    order_id = await check_out(visitor)
    early = await visitor.post(f"/admin/orders/{order_id}", data={"step": "refund"})
    assert early.status_code == 400
    assert "not as far" in early.text
    await press(visitor, f"/orders/{order_id}/pay")
    await press(visitor, f"/admin/orders/{order_id}", step="refund")
    order = await order_of(bare_shop)
    assert (order["payment_status"], order["status"]) == ("refunded", "refunded")
    assert (await visitor.post(f"/orders/{order_id}/pay")).status_code == 400


async def test_approving_a_quote_makes_its_order_first_and_then_names_it(
    visitor: httpx.AsyncClient, bare_shop: Database
) -> None:
    user_id = await register(visitor, FIRM)
    await press(visitor, f"/users/{user_id}/address", **ADDRESS)
    await press(visitor, "/quote", user_id=user_id, **CART)
    [quote] = await rows(bare_shop, "select id::text from b2b_quotes")
    await press(visitor, f"/admin/quotes/{quote['id']}/approve")
    [found] = await rows(
        bare_shop,
        """select o.payment_status, q.status, o.total_amount = q.total_amount as alike, o.shipping_address,
                  (select count(*) from order_items i where i.order_id = o.id) as lines,
                  o.xmin::text::bigint < q.xmin::text::bigint as before
             from orders o join b2b_quotes q on q.linked_order_id = o.id""",
    )
    address = found.pop("shipping_address")
    assert found == {"payment_status": "pending", "status": "approved", "alike": True, "lines": 2, "before": True}
    assert isinstance(address, dict)
    assert (address["user_id"], address["city"], "email" in address) == (user_id, "Hyderabad", False)
    again = await visitor.post(f"/admin/quotes/{quote['id']}/approve")
    assert again.status_code == 400


async def test_without_an_address_the_quotes_order_has_an_empty_one(
    visitor: httpx.AsyncClient, bare_shop: Database
) -> None:
    user_id = await register(visitor, FIRM)
    await press(visitor, "/quote", user_id=user_id, **CART)
    [quote] = await rows(bare_shop, "select id::text from b2b_quotes")
    await press(visitor, f"/admin/quotes/{quote['id']}/approve")
    assert (await order_of(bare_shop))["shipping_address"] == {}


async def test_a_rate_that_is_saved_is_charged(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    await classifiable(bare_shop)
    for sku, rate, category in (("BF-AZO-1L", "5 %", "taxable"), ("AQ-PRB-1KG", "", "exempt")):
        await press(visitor, f"/admin/goods/{sku}", hsn_code="31059090", gst_rate=rate, tax_category=category)
    await check_out(visitor)
    assert str((await order_of(bare_shop))["tax_amount"]) == "32.00"


@pytest.mark.parametrize("rate", ["five", "1000"])
async def test_a_rate_that_is_none_is_refused(visitor: httpx.AsyncClient, bare_shop: Database, rate: str) -> None:
    await classifiable(bare_shop)
    answer = await visitor.post("/admin/goods/BF-AZO-1L", data={"gst_rate": rate})
    assert answer.status_code == 400
    assert "The shop cannot store this" in answer.text


async def test_a_shop_without_zohosync_has_nowhere_to_keep_a_rate(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/admin/goods/BF-AZO-1L", data={"gst_rate": "5"})
    assert (answer.status_code, "hsn_code" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/checkout", {**ORDER, "email": ""}, "Tell a name and an e-mail address."),
        ("/checkout", {**ORDER, "sku:BF-AZO-1L": "0", "sku:AQ-PRB-1KG": "0"}, "Choose at least one product."),
        ("/checkout", {**ORDER, "sku:NOTHING": "1"}, "The shop does not sell NOTHING."),
        ("/checkout", {**ORDER, "user_id": "nobody"}, "There is no such customer."),
        ("/checkout", {**ORDER, "payment_method": "pebbles"}, "Choose how to pay."),
        ("/admin/orders/nobody", {"step": "paid"}, "There is no such record."),
        ("/admin/orders/00000000-0000-0000-0000-000000000000", {"step": "paid"}, "not as far"),
        ("/admin/orders/nobody", {"step": "burn"}, "Choose what to do with the order."),
        ("/admin/quotes/nobody/approve", {}, "There is no such record."),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_ordered(
    visitor: httpx.AsyncClient, bare_shop: Database, path: str, form: dict[str, str], said: str
) -> None:
    answer = await visitor.post(path, data=form)
    assert (answer.status_code, said in answer.text) == (400, True), answer.text
    assert await rows(bare_shop, "select 1 from orders") == []


@pytest.mark.parametrize("page", ["/checkout", "/admin", "/orders/{order}"])
async def test_every_page_of_a_sale_is_strict(visitor: httpx.AsyncClient, page: str) -> None:
    order_id = await check_out(visitor, name="<b>Guest</b>")
    answer = await visitor.get(page.format(order=order_id))
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("address", ["/orders/nobody", "/orders/00000000-0000-0000-0000-000000000000"])
async def test_an_unknown_order_is_not_found(visitor: httpx.AsyncClient, address: str) -> None:
    assert (await visitor.get(address)).status_code == 404


async def test_nobody_sees_the_orders_of_others(shop: Shop, visitor: httpx.AsyncClient) -> None:
    mine, other = await register(visitor, PERSON), await register(visitor, FIRM | {"email": "other@example.com"})
    await check_out(visitor, user_id=other)
    async with shop.acting("authenticated", mine) as connection:
        cursor = await connection.execute("select 1 from orders")
        assert await cursor.fetchall() == []
