"""The storefront's pages write as PostgREST would: under the right role, and only what row level security allows."""

import httpx
import pytest

from conftest import Database
from demo.conftest import note_writers
from zohosync.db.pool import connect, fetch_all
from zohosync.demo.shop import Line, Profile, Shop, ShopRefused

PERSON = {"email": "demo3@example.com", "first_name": "Demo", "last_name": "Customer 3", "phone": "098400 12345"}
FIRM = {**PERSON, "company_name": "Demo Farms", "gst_number": "29AAGCB7383J1Z4"}
INQUIRY = {"name": "Demo Visitor", "email": "visitor@example.com", "subject": "Seeds", "message": "Do you ship?"}


async def rows(database: Database, query: str) -> list[dict[str, object]]:
    async with await connect(database.owner_url) as connection:
        return await fetch_all(connection, query)


async def register(visitor: httpx.AsyncClient, form: dict[str, str]) -> str:
    answer = await visitor.post("/register", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rsplit("/", 1)[1]


async def test_registering_writes_as_the_service(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    await note_writers(bare_shop, "users")
    user_id = await register(visitor, PERSON)
    assert await rows(bare_shop, "select id::text, role, phone, company_name, written_by from users") == [
        {
            "id": user_id,
            "role": "customer",
            "phone": "098400 12345",
            "company_name": None,
            "written_by": "service_role",
        }
    ]


async def test_a_company_makes_a_business_customer(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    await register(visitor, FIRM)
    assert await rows(bare_shop, "select role, gst_number from users") == [
        {"role": "b2b_client", "gst_number": "29AAGCB7383J1Z4"}
    ]


async def test_an_address_registers_once(visitor: httpx.AsyncClient) -> None:
    await register(visitor, PERSON)
    again = await visitor.post("/register", data=PERSON)
    assert again.status_code == 400
    assert "This e-mail address is registered already." in again.text
    assert 'value="Customer 3"' in again.text


async def test_the_profile_page_edits_its_own_user(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    user_id = await register(visitor, PERSON)
    answer = await visitor.post(f"/users/{user_id}", data={**PERSON, "last_name": "Renamed"})
    assert answer.status_code == 303
    assert "Renamed" in (await visitor.get(f"/users/{user_id}")).text
    assert await rows(bare_shop, "select last_name from users") == [{"last_name": "Renamed"}]


async def test_nobody_edits_another_profile(shop: Shop, bare_shop: Database) -> None:
    mine, other = Profile("a@example.com", "A", "B"), Profile("c@example.com", "C", "D")
    my_id, other_id = await shop.register(mine), await shop.register(other)
    async with shop.acting("authenticated", my_id) as connection:
        cursor = await connection.execute("update users set last_name = 'Taken' where id = %(id)s", {"id": other_id})
    assert cursor.rowcount == 0
    assert not await rows(bare_shop, "select 1 from users where last_name = 'Taken'")


async def test_the_contact_form_is_open_to_anybody(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    await note_writers(bare_shop, "contact_submissions")
    answer = await visitor.post("/contact", data=INQUIRY)
    assert answer.status_code == 303
    assert await rows(bare_shop, "select name, status, written_by from contact_submissions") == [
        {"name": "Demo Visitor", "status": "new", "written_by": "anon"}
    ]


async def test_a_quote_and_its_lines_arrive_in_two_transactions(
    visitor: httpx.AsyncClient, bare_shop: Database
) -> None:
    await note_writers(bare_shop, "b2b_quotes")
    user_id = await register(visitor, FIRM)
    answer = await visitor.post(
        "/quote", data={"user_id": user_id, "sku:BF-AZO-5L": "4", "sku:AQ-PRB-1KG": "2", "sku:SD-GRM-5KG": "0"}
    )
    assert answer.status_code == 303
    quotes = await rows(
        bare_shop,
        """select q.xmin::text <> i.xmin::text as apart, q.written_by, q.status, q.subtotal, q.total_amount, i.quantity
             from b2b_quotes q join b2b_quote_items i on i.quote_id = q.id order by i.quantity""",
    )
    assert [(row["apart"], row["written_by"], row["status"], row["quantity"]) for row in quotes] == [
        (True, "authenticated", "submitted", 2),
        (True, "authenticated", "submitted", 4),
    ]
    assert (str(quotes[0]["subtotal"]), str(quotes[0]["total_amount"])) == ("7760.00", "9156.80")


async def test_a_quote_without_products_is_refused(visitor: httpx.AsyncClient, bare_shop: Database) -> None:
    user_id = await register(visitor, FIRM)
    answer = await visitor.post("/quote", data={"user_id": user_id, "sku:BF-AZO-5L": "0"})
    assert answer.status_code == 400
    assert "Choose at least one product." in answer.text
    assert not await rows(bare_shop, "select 1 from b2b_quotes")


async def test_a_quote_in_another_name_is_refused_by_the_database(shop: Shop) -> None:
    mine = await shop.register(Profile("a@example.com", "A", "B", company_name="One"))
    other = await shop.register(Profile("c@example.com", "C", "D", company_name="Two"))
    quote_id = await shop.open_quote(other, [Line("BF-AZO-5L", 1)])
    with pytest.raises(ShopRefused):
        await shop.add_lines(mine, quote_id, [Line("BF-AZO-5L", 1)])


@pytest.mark.parametrize("page", ["/", "/register", "/contact", "/quote", "/records"])
async def test_every_page_is_strict_and_complete(visitor: httpx.AsyncClient, page: str) -> None:
    answer = await visitor.get(page)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert " style=" not in answer.text


async def test_what_a_visitor_types_is_never_markup(visitor: httpx.AsyncClient) -> None:
    await visitor.post("/contact", data={**INQUIRY, "subject": "<b>bold</b>"})
    text = (await visitor.get("/records")).text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "<b>bold" not in text


@pytest.mark.parametrize("address", ["/users/nobody", "/users/00000000-0000-0000-0000-000000000000"])
async def test_an_unknown_customer_is_not_found(visitor: httpx.AsyncClient, address: str) -> None:
    assert (await visitor.get(address)).status_code == 404


@pytest.mark.parametrize("user", ["", "nobody", "00000000-0000-0000-0000-000000000000"])
async def test_a_quote_of_nobody_is_refused(visitor: httpx.AsyncClient, user: str) -> None:
    answer = await visitor.post("/quote", data={"user_id": user, "sku:BF-AZO-5L": "1"})
    assert answer.status_code == 400
