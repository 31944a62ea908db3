"""What all records of Books share: bodies, ids, pages, filters, custom fields, updates by a unique value."""

import re
from typing import Any

import pytest
from bookkeeper import Bookkeeper

from conftest import log_in

KEY = {"X-Unique-Identifier-Key": "cf_shop_id", "X-Unique-Identifier-Value": "shop-1"}
UPSERT = {**KEY, "X-Upsert": "true"}


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


async def names(books: Bookkeeper, **asked: Any) -> list[str]:
    return [row["contact_name"] for row in (await books.do("GET", "/contacts", **asked))["contacts"]]


# --- bodies and answers


async def test_a_creation_is_201_and_everything_else_200(books: Bookkeeper):
    made = await books.ask("POST", "/contacts", {"contact_name": "Demo Customer"})
    assert (made.status_code, made.json()["code"]) == (201, 0)
    assert list(made.json()) == ["code", "message", "contact"]
    path = f"/contacts/{made.json()['contact']['contact_id']}"
    for method, body in (("GET", None), ("PUT", {"notes": "x"}), ("DELETE", None)):
        assert (await books.ask(method, path, body)).status_code == 200


async def test_the_legacy_form_is_as_good_as_json(books: Bookkeeper, zoho: Any):
    asked = {"organization_id": books.organisation.id}
    form = {"JSONString": '{"contact_name": "Form & Sons"}'}
    answer = await zoho.http.post("/books/v3/contacts", params=asked, data=form)
    assert (answer.status_code, answer.json()["contact"]["contact_name"]) == (201, "Form & Sons")
    for body in (b"JSONString=%7B", b"nonsense", b"[1]"):
        answer = await zoho.http.post("/books/v3/contacts", params=asked, content=body)
        assert (answer.status_code, answer.json()["code"]) == (400, 2)


async def test_ids_are_nineteen_digits_that_rise_and_are_never_used_again(books: Bookkeeper, zoho: Any):
    ids = [await books.customer(f"Demo {number}") for number in range(3)]
    zoho.sim.reset()
    log_in(zoho.sim, zoho.http)
    ids.append(await books.customer("Demo 0"))
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"\d{19}", one) for one in ids)


async def test_times_have_the_offset_of_the_organisation_without_a_colon(books: Bookkeeper):
    made = await books.get("contacts", "contact", await books.customer())
    assert made["created_time"] == made["last_modified_time"] == "2026-11-22T12:00:00+0530"


async def test_amounts_are_numbers_and_blanks_are_empty_text(books: Bookkeeper):
    row = (await books.do("POST", "/items", {"name": "Seeds", "rate": "37.5"}))["item"]
    assert (row["rate"], type(row["rate"])) == (37.5, float)
    assert (row["reorder_level"], row["sku"], row["purchase_rate"]) == ("", "", "")
    assert None not in row.values()


@pytest.mark.parametrize("status", [404, 400])
async def test_a_record_that_is_not_there_is_1002(books: Bookkeeper, zoho: Any, status: int):
    await zoho.turn(books_missing_status=status)
    for method in ("GET", "PUT", "DELETE"):
        answer = await books.ask(method, "/contacts/4136804000000999999", {} if method == "PUT" else None)
        assert (answer.status_code, answer.json()) == (status, {"code": 1002, "message": "Contact does not exist."})


async def test_an_unknown_path_is_5_and_a_wrong_method_405_below_both_roots(books: Bookkeeper, zoho: Any):
    asked = {"organization_id": books.organisation.id}
    for root in ("/books/v3", "/inventory/v1"):
        answer = await zoho.http.get(f"{root}/nonsense", params=asked)
        assert (answer.status_code, answer.json()["code"]) == (404, 5)
        assert (await zoho.http.patch(f"{root}/items", params=asked)).status_code == 405


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({}, 4, "Invalid value passed for contact_name"),
        ({"contact_name": "  "}, 4, "Invalid value passed for contact_name"),
        ({"contact_name": "a <b>"}, 2, "Invalid value passed for contact_name"),
        ({"contact_name": "x" * 201}, 15, 'Please ensure that the "contact_name" has less than 200 characters.'),
        ({"contact_name": "Demo", "credit_limit": "much"}, 2, "Invalid value passed for credit_limit"),
        ({"contact_name": "Demo", "contact_type": "friend"}, 2, "Invalid value passed for contact_type"),
        ({"contact_name": "Demo", "billing_address": "here"}, 2, "Invalid value passed for billing_address"),
    ],
)
async def test_what_a_field_cannot_take_is_refused_with_its_name(books: Bookkeeper, body: Any, code: int, message: str):
    assert await books.refused("POST", "/contacts", body) == (code, message)
    assert await names(books) == []


async def test_an_ampersand_and_unknown_keys_are_fine(books: Bookkeeper):
    made = (await books.do("POST", "/contacts", {"contact_name": "A & B", "colour": "red"}))["contact"]
    assert made["contact_name"] == "A & B"
    assert "colour" not in made


# --- scopes and roots


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("ZohoBooks.contacts.CREATE", "POST", "/books/v3/contacts", 201),
        ("ZohoBooks.contacts.READ", "POST", "/books/v3/contacts", 401),
        ("ZohoBooks.contacts.READ", "GET", "/books/v3/contacts", 200),
        ("ZohoBooks.settings.READ", "GET", "/books/v3/items", 200),
        ("ZohoBooks.settings.READ", "GET", "/inventory/v1/items", 401),
        ("ZohoInventory.items.READ", "GET", "/inventory/v1/items", 200),
        ("ZohoInventory.fullaccess.all", "POST", "/inventory/v1/contacts", 200),
        ("ZohoBooks.accountants.READ", "GET", "/books/v3/chartofaccounts", 200),
        ("ZohoBooks.contacts.ALL", "GET", "/books/v3/inventoryadjustments", 401),
    ],
)
async def test_each_call_needs_the_scope_of_its_root(
    books: Bookkeeper, zoho: Any, scope: str, method: str, path: str, status: int
):
    log_in(zoho.sim, zoho.http, scope)
    asked = {"organization_id": books.organisation.id}
    answer = await zoho.http.request(method, path, params=asked, json={"contact_name": "Demo"})
    assert answer.status_code == status, answer.text


async def test_inventory_knows_the_same_records(books: Bookkeeper, zoho: Any):
    asked = {"organization_id": books.organisation.id}
    item = await books.item()
    log_in(zoho.sim, zoho.http, "ZohoInventory.fullaccess.all", "ZohoBooks.fullaccess.all")
    listed = (await zoho.http.get("/inventory/v1/items", params=asked)).json()["items"]
    assert [row["item_id"] for row in listed] == [item]
    made = await zoho.http.post("/inventory/v1/items", params=asked, json={"name": "Trowel", "rate": 5})
    assert made.status_code == 200
    assert (await books.get("items", "item", made.json()["item"]["item_id"]))["name"] == "Trowel"


# --- lists


async def test_a_list_tells_its_page_and_ends_empty(books: Bookkeeper):
    for letter in "abcde":
        await books.customer(letter)
    pages = [await books.do("GET", "/contacts", page=page, per_page=2) for page in (1, 2, 3, 4)]
    assert [[row["contact_name"] for row in page["contacts"]] for page in pages] == [["a", "b"], ["c", "d"], ["e"], []]
    assert [page["page_context"]["has_more_page"] for page in pages] == [True, True, False, False]
    assert pages[0]["page_context"] == {
        "page": 1, "per_page": 2, "has_more_page": True, "report_name": "Contacts", "applied_filter": "Status.All",
        "sort_column": "contact_name", "sort_order": "A", "custom_fields": [], "search_criteria": [],
    }  # fmt: skip
    assert (await books.do("GET", "/contacts", per_page=500))["page_context"]["per_page"] == 200


async def test_a_list_is_sorted_by_a_column_it_knows_up_or_down(books: Bookkeeper, zoho: Any):
    for name in ("b", "C", "a"):
        await books.customer(name)
        zoho.sim.clock.advance(1)
    assert await names(books) == ["a", "b", "C"]
    assert await names(books, sort_column="created_time", sort_order="D") == ["a", "C", "b"]
    for wrong in ({"sort_column": "shoe_size"}, {"sort_order": "up"}):
        assert await books.refused("GET", "/contacts", **wrong) == (2, f"Invalid value passed for {next(iter(wrong))}")


async def test_filters_of_text_come_in_three_forms_and_ignore_case(books: Bookkeeper):
    for name in ("Green Farms", "Green Leaf", "Old Green"):
        await books.customer(name)
    assert await names(books, contact_name="green leaf") == ["Green Leaf"]
    assert await names(books, contact_name_startswith="GREEN") == ["Green Farms", "Green Leaf"]
    assert await names(books, contact_name_contains="green") == ["Green Farms", "Green Leaf", "Old Green"]
    assert (await books.refused("GET", "/contacts", contact_name_contains="x" * 101))[0] == 2


async def test_an_unknown_filter_returns_everything_and_a_bad_value_of_a_known_one_nothing(books: Bookkeeper):
    await books.customer("a")
    await books.customer("b")
    assert await names(books, contact_nmae="a") == ["a", "b"]
    assert await names(books, gst_no="36AAAAA0000A1Z5") == ["a", "b"]
    for wrong in ({"filter_by": "Status.Fine"}, {"last_modified_time": "yesterday"}, {"page": "0"}):
        assert await books.refused("GET", "/contacts", **wrong) == (2, f"Invalid value passed for {next(iter(wrong))}")


async def test_modified_since_includes_the_instant_itself(books: Bookkeeper, zoho: Any):
    await books.customer("old")
    zoho.sim.clock.advance(60)
    await books.customer("new")
    assert await names(books, last_modified_time="2026-11-22T12:00:00+0530") == ["new", "old"]
    assert await names(books, last_modified_time="2026-11-22T06:31:00+0000") == ["new"]
    assert await names(books, last_modified_time="2026-11-22T12:01:01+0530") == []


async def test_a_plus_that_was_not_encoded_is_refused(books: Bookkeeper, zoho: Any):
    asked = f"organization_id={books.organisation.id}&last_modified_time=2026-11-22T12:00:00+0530"
    assert (await zoho.http.get(f"/books/v3/contacts?{asked}")).json()["code"] == 2


async def test_numbers_are_compared(books: Bookkeeper):
    for rate in (5, 10, 15):
        await books.do("POST", "/items", {"name": f"Item {rate}", "rate": rate})

    async def rates(**asked: Any) -> list[float]:
        return [row["rate"] for row in (await books.do("GET", "/items", sort_column="rate", **asked))["items"]]

    assert await rates(rate=10) == [10]
    assert await rates(rate_less_than=10) == [5]
    assert await rates(rate_less_equals=10) == [5, 10]
    assert await rates(rate_greater_than=10) == [15]
    assert await rates(rate_greater_equals=10, rate_less_than=15) == [10]
    assert (await books.refused("GET", "/items", rate_less_than="much"))[0] == 2


# --- custom fields


async def test_a_custom_field_is_written_by_name_id_label_or_index(books: Bookkeeper, zoho: Any):
    [field] = zoho.sim.seed_books_field(module="contacts", label="Shop ID")
    ways = [{"api_name": "cf_shop_id"}, {"customfield_id": field.id}, {"label": "Shop ID"}, {"index": 1}]
    for number, way in enumerate(ways):
        given = [{**way, "value": f"v{number}"}, {"api_name": "cf_nobody", "value": "x"}]
        contact = await books.customer(f"Demo {number}", custom_fields=given)
        [element] = (await books.get("contacts", "contact", contact))["custom_fields"]
        assert (element["api_name"], element["value"], element["label"]) == ("cf_shop_id", f"v{number}", "Shop ID")
        assert element["customfield_id"] == field.id


async def test_lists_flatten_custom_fields_and_keys_beside_the_array_are_dropped(books: Bookkeeper, zoho: Any):
    zoho.sim.seed_books_field(module="items", label="Shelf")
    item = await books.item(cf_shelf="lost", custom_fields=[{"api_name": "cf_shelf", "value": "A1"}])
    await books.do("PUT", f"/items/{item}", {"cf_shelf": "lost too"})
    [row] = (await books.do("GET", "/items"))["items"]
    assert (row["cf_shelf"], row["cf_shelf_unformatted"]) == ("A1", "A1")
    assert "custom_fields" not in row
    detail = await books.get("items", "item", item)
    assert [one["value"] for one in detail["custom_fields"]] == ["A1"]
    assert "cf_shelf" not in detail


async def test_custom_fields_alone_are_written_through_the_singular_path(books: Bookkeeper, zoho: Any):
    [field] = zoho.sim.seed_books_field(module="items", label="Shelf")
    item = await books.item()
    await books.do("PUT", f"/item/{item}/customfields", [{"customfield_id": field.id, "value": "B2"}])
    assert (await books.do("GET", "/items"))["items"][0]["cf_shelf"] == "B2"
    assert (await books.refused("PUT", f"/item/{item}/customfields", "x"))[0] == 2


@pytest.mark.parametrize(("filters", "found"), [(False, ["a", "b"]), (True, ["b"])])
async def test_whether_lists_filter_by_custom_fields_is_a_switch(
    books: Bookkeeper, zoho: Any, filters: bool, found: list[str]
):
    zoho.sim.seed_books_field(module="contacts", label="Shop ID")
    await zoho.turn(books_custom_field_filter=filters)
    for name in ("a", "b"):
        await books.customer(name, custom_fields=[{"api_name": "cf_shop_id", "value": name}])
    assert await names(books, cf_shop_id="b") == found


async def test_fields_of_the_control_plane_stay_through_resets_with_their_ids(books: Bookkeeper, zoho: Any):
    wanted = {"module": "invoices", "label": "Shop Order ID", "unique": True}
    made = (await zoho.http.post("/_sim/books/customfields", json=wanted)).json()["custom_fields"]
    assert [(one["api_name"], one["unique"]) for one in made] == [("cf_shop_order_id", True)]
    zoho.sim.reset()
    assert (await zoho.http.get("/_sim/books/customfields")).json()["custom_fields"] == made
    other = zoho.sim.seed_books_organisation(name="Second Shop")
    assert [field.api_name for field in other.ledger.definitions.fields] == ["cf_shop_order_id"]
    for wrong in (wanted, {**wanted, "module": "cats"}, {**wanted, "label": ""}):
        assert (await zoho.http.post("/_sim/books/customfields", json=wrong)).status_code == 400


# --- unique values


@pytest.fixture
def unique(zoho: Any) -> None:
    zoho.sim.seed_books_field(module="contacts", label="Shop ID", unique=True)
    zoho.sim.seed_books_field(module="contacts", label="Colour")


@pytest.mark.usefixtures("unique")
async def test_a_value_of_a_unique_field_is_taken_once(books: Bookkeeper):
    value = {"custom_fields": [{"api_name": "cf_shop_id", "value": "shop-1"}]}
    first = await books.customer("a", **value)
    assert (await books.refused("POST", "/contacts", {"contact_name": "b", **value}))[0] == 2
    second = await books.customer("b")
    assert (await books.refused("PUT", f"/contacts/{second}", value))[0] == 2
    await books.do("PUT", f"/contacts/{first}", value)
    assert await names(books) == ["a", "b"]


@pytest.mark.usefixtures("unique")
@pytest.mark.parametrize("status", [200, 201])
async def test_an_upsert_creates_once_and_then_updates(books: Bookkeeper, zoho: Any, status: int):
    await zoho.turn(books_upsert_created_status=status)
    made = await books.ask("PUT", "/contacts", {"contact_name": "Demo"}, **UPSERT)
    assert (made.status_code, made.json()["message"]) == (status, "The contact has been created")
    again = await books.ask("PUT", "/contacts", {"contact_name": "Demo", "notes": "again"}, **UPSERT)
    assert again.status_code == 200
    assert again.json()["contact"]["contact_id"] == made.json()["contact"]["contact_id"]
    assert again.json()["contact"]["notes"] == "again"
    assert again.json()["contact"]["custom_fields"][0]["value"] == "shop-1"


@pytest.mark.usefixtures("unique")
async def test_an_upsert_may_not_store_its_key_by_itself(books: Bookkeeper, zoho: Any):
    await zoho.turn(books_upsert_stores_key=False)
    made = await books.do("PUT", "/contacts", {"contact_name": "Demo"}, **UPSERT)
    assert made["contact"]["custom_fields"] == []


@pytest.mark.usefixtures("unique")
@pytest.mark.parametrize("status", [404, 400])
async def test_a_miss_without_upsert_is_refused(books: Bookkeeper, zoho: Any, status: int):
    await zoho.turn(books_unique_miss_status=status)
    answer = await books.ask("PUT", "/contacts", {"contact_name": "Demo"}, **KEY)
    assert (answer.status_code, answer.json()["code"]) == (status, 1002)
    assert await names(books) == []


@pytest.mark.usefixtures("unique")
async def test_only_a_unique_field_is_a_key_and_what_a_creation_needs_is_needed(books: Bookkeeper):
    body = {"contact_name": "Demo"}
    for wrong in (
        {**UPSERT, "X-Unique-Identifier-Key": "cf_colour"}, {**UPSERT, "X-Unique-Identifier-Key": "cf_nobody"},
        {**UPSERT, "X-Unique-Identifier-Value": ""}, {},
    ):  # fmt: skip
        assert (await books.refused("PUT", "/contacts", body, **wrong))[0] == 2
    assert (await books.refused("PUT", "/contacts", {}, **UPSERT))[0] == 4


async def test_the_same_post_twice_makes_two(books: Bookkeeper):
    body = {"customer_id": await books.customer(), "line_items": [books.line()], "reference_number": "one"}
    for _ in range(2):
        await books.do("POST", "/invoices", body)
    assert len((await books.do("GET", "/invoices", reference_number="one"))["invoices"]) == 2


async def test_the_dump_holds_the_records(books: Bookkeeper, zoho: Any):
    contact = await books.customer()
    dump = (await zoho.http.get("/_sim/dump")).json()["books"]["records"][books.organisation.id]
    assert [row["contact_id"] for row in dump["contacts"]] == [contact]


async def test_every_change_is_told_to_the_hooks(books: Bookkeeper, zoho: Any):
    told: list[tuple[str, str]] = []
    zoho.sim.books.hooks.append(lambda _sim, _organisation, module, event, _row: told.append((module, event)))
    contact = await books.customer()
    await books.do("PUT", f"/contacts/{contact}", {"notes": "x"})
    await books.do("DELETE", f"/contacts/{contact}")
    assert told == [("contacts", "created"), ("contacts", "updated"), ("contacts", "deleted")]
