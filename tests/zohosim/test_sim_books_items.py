"""Items of Books: what they need, what is unique, their taxes, their stock, and how they are told."""

from typing import Any

import pytest
from bookkeeper import Bookkeeper

from conftest import log_in


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


async def item(books: Bookkeeper, **more: Any) -> Any:
    return (await books.do("POST", "/items", {"name": "Seeds", "rate": 10, **more}))["item"]


def tracked(books: Bookkeeper) -> dict[str, Any]:
    """What an item with stock needs besides a name and a rate."""
    return {
        "item_type": "inventory", "purchase_account_id": books.account("cost_of_goods_sold"),
        "inventory_account_id": books.account("stock"),
    }  # fmt: skip


async def second_place(books: Bookkeeper) -> str:
    made = await books.do("POST", "/locations", {"location_name": "Depot"})
    return str(made["location"]["location_id"])


# --- creating


async def test_a_name_and_a_rate_are_needed(books: Bookkeeper):
    assert await books.refused("POST", "/items", {"rate": 1}) == (4, "Invalid value passed for name")
    assert await books.refused("POST", "/items", {"name": "Seeds"}) == (4, "Invalid value passed for rate")
    assert (await books.refused("POST", "/items", {"name": "x" * 101, "rate": 1}))[0] == 15
    assert await books.refused("POST", "/items", {"name": "x", "rate": 1, "description": "<p>"}) == (
        2, "Invalid value passed for Description",
    )  # fmt: skip
    assert (await item(books, rate=0))["rate"] == 0


async def test_active_items_have_different_names(books: Bookkeeper):
    first = await item(books)
    assert await books.refused("POST", "/items", {"name": "seeds ", "rate": 1}) == (
        1001, 'Item "seeds" already exists.',
    )  # fmt: skip
    await books.do("POST", f"/items/{first['item_id']}/inactive")
    second = await item(books)
    assert (await books.refused("POST", f"/items/{first['item_id']}/active"))[0] == 1001
    await books.do("PUT", f"/items/{second['item_id']}", {"name": "Other seeds"})
    await books.do("POST", f"/items/{first['item_id']}/active")


async def test_inactive_items_may_hold_their_names_and_names_may_repeat_at_all(books: Bookkeeper, zoho: Any):
    first = await item(books)
    await books.do("POST", f"/items/{first['item_id']}/inactive")
    await zoho.turn(books_inactive_items_hold_names=True)
    assert (await books.refused("POST", "/items", {"name": "Seeds", "rate": 1}))[0] == 1001
    await zoho.turn(books_duplicate_item_names=True)
    await item(books)


async def test_a_sku_is_taken_once_and_blanks_repeat(books: Bookkeeper, zoho: Any):
    await item(books, sku="A-1")
    for number in range(2):
        await item(books, name=f"Blank {number}", sku="")
    other = {"name": "Other", "rate": 1, "sku": "a-1"}
    assert (await books.refused("POST", "/items", other))[0] == 1001
    await zoho.turn(books_sku_ignores_case=False)
    await books.do("POST", "/items", other)
    assert (await books.refused("POST", "/items", {"name": "Third", "rate": 1, "sku": "A-1"}))[0] == 1001


async def test_what_is_bought_or_stocked_needs_its_accounts(books: Bookkeeper):
    cost, stock = books.account("cost_of_goods_sold"), books.account("stock")
    for given, wrong in (
        ({"item_type": "purchases"}, "purchase_account_id"), ({"item_type": "inventory"}, "purchase_account_id"),
        ({"item_type": "inventory", "purchase_account_id": cost}, "inventory_account_id"),
        ({"item_type": "inventory", "purchase_account_id": cost, "inventory_account_id": cost}, "inventory_account_id"),
        ({"account_id": "1"}, "account_id"),
    ):  # fmt: skip
        said = (await books.refused("POST", "/items", {"name": "Seeds", "rate": 1, **given}))[1]
        assert said == f"Invalid value passed for {wrong}"
    made = await item(books, **tracked(books))
    assert (made["track_inventory"], made["account_name"], made["purchase_account_name"]) == (
        True, "Sales", "Cost of Goods Sold",
    )  # fmt: skip
    assert made["inventory_account_id"] == stock


# --- tax


async def test_an_item_has_one_tax_within_the_state_and_one_between_states(books: Bookkeeper):
    taxes = [
        {"tax_specification": "intra", "tax_id": books.tax("GST18")},
        {"tax_specification": "inter", "tax_id": books.tax("IGST18")},
    ]
    made = await item(books, item_tax_preferences=taxes, tax_id=books.tax("GST5"))
    assert made["item_tax_preferences"] == [
        {"tax_specification": "intra", "tax_specific_type": "tax", "tax_type": 2, "tax_name": "GST18",
         "tax_percentage": 18, "tax_id": books.tax("GST18"), "new_tax_type": "tax_group"},
        {"tax_specification": "inter", "tax_specific_type": "igst", "tax_type": 0, "tax_name": "IGST18",
         "tax_percentage": 18, "tax_id": books.tax("IGST18"), "new_tax_type": "tax"},
    ]  # fmt: skip
    assert made["tax_id"] == ""
    kept = (await books.do("PUT", f"/items/{made['item_id']}", {"rate": 11}))["item"]
    assert kept["item_tax_preferences"] == made["item_tax_preferences"]
    gone = (await books.do("PUT", f"/items/{made['item_id']}", {"item_tax_preferences": []}))["item"]
    assert gone["item_tax_preferences"] == []


async def test_a_tax_of_the_wrong_side_or_of_nobody_is_refused(books: Bookkeeper):
    for tax_id, side in ((books.tax("GST18"), "inter"), ("1", "intra"), (books.tax("GST18"), "both")):
        body = {"name": "Seeds", "rate": 1, "item_tax_preferences": [{"tax_id": tax_id, "tax_specification": side}]}
        assert (await books.refused("POST", "/items", body))[0] == 2


async def test_tax_ids_by_state_are_a_switch(books: Bookkeeper, zoho: Any):
    given = {"intra_state_tax_id": books.tax("GST5"), "inter_state_tax_id": books.tax("IGST5")}
    assert (await item(books, **given))["item_tax_preferences"] == []
    await zoho.turn(books_state_tax_ids=True)
    made = await item(books, name="Other", **given)
    assert [tax["tax_name"] for tax in made["item_tax_preferences"]] == ["GST5", "IGST5"]


async def test_an_item_that_is_not_taxable_says_why(books: Bookkeeper):
    body = {"name": "Seeds", "rate": 1, "is_taxable": False}
    assert await books.refused("POST", "/items", body) == (4, "Invalid value passed for tax_exemption_id")
    reasons = (await books.do("GET", "/settings/taxexemptions"))["tax_exemptions"]
    by_type = {row["type"]: row for row in reasons}
    body["tax_exemption_id"] = by_type["customer"]["tax_exemption_id"]
    assert (await books.refused("POST", "/items", body))[0] == 2
    body["tax_exemption_id"] = by_type["item"]["tax_exemption_id"]
    made = (await books.do("POST", "/items", body))["item"]
    assert (made["is_taxable"], made["tax_exemption_code"]) == (False, by_type["item"]["tax_exemption_code"])


@pytest.mark.parametrize(("code", "right"), [("3105", True), ("31051000", True), ("310", False), ("31A5", False)])
async def test_whether_the_hsn_is_looked_at_is_a_switch(books: Bookkeeper, zoho: Any, code: str, right: bool):
    await item(books, hsn_or_sac=code)
    await zoho.turn(books_hsn_check=True)
    answer = await books.ask("POST", "/items", {"name": "Other", "rate": 1, "hsn_or_sac": code})
    assert answer.status_code == (201 if right else 400)


# --- changing


async def test_an_update_may_have_to_repeat_name_and_rate(books: Bookkeeper, zoho: Any):
    made = await item(books, unit="kg")
    after = (await books.do("PUT", f"/items/{made['item_id']}", {"description": "new"}))["item"]
    assert (after["name"], after["unit"], after["description"]) == ("Seeds", "kg", "new")
    await zoho.turn(books_item_update_needs_name_and_rate=True)
    assert (await books.refused("PUT", f"/items/{made['item_id']}", {"description": "newer"}))[0] == 4


async def test_no_update_changes_stock(books: Bookkeeper):
    made = await books.item(stock=10)
    body = {"stock_on_hand": 99, "initial_stock": 99, "available_stock": 99, "locations": [{"initial_stock": 99}]}
    await books.do("PUT", f"/items/{made}", body)
    assert await books.stock(made) == 10
    assert (await books.refused("PUT", f"/items/{made}", {"item_type": "sales"}))[0] == 2


async def test_an_item_in_use_is_not_deleted(books: Bookkeeper):
    used, unused = await books.item("Used"), await books.item("Unused")
    await books.invoice("", books.line(item_id=used, tax="GST5"))
    assert (await books.ask("DELETE", f"/items/{used}")).status_code == 400
    assert (await books.do("DELETE", f"/items/{unused}"))["message"] == "The item has been deleted."


# --- telling


async def test_lists_have_active_items_only_unless_asked(books: Bookkeeper):
    first, _second = await books.item("A"), await books.item("B")
    await books.do("POST", f"/items/{first}/inactive")

    async def names(**asked: Any) -> list[str]:
        return [row["name"] for row in (await books.do("GET", "/items", **asked))["items"]]

    assert await names() == ["B"]
    assert await names(filter_by="Status.All") == ["A", "B"]
    assert await names(filter_by="Status.Inactive") == ["A"]
    assert (await books.get("items", "item", first))["status"] == "inactive"


async def test_rows_of_a_list_tell_stock_but_no_places(books: Bookkeeper):
    await books.item("A", stock=7)
    await item(books)
    tracked_row, plain_row = (await books.do("GET", "/items"))["items"]
    counts = ("stock_on_hand", "available_stock", "actual_available_stock")
    assert [tracked_row[key] for key in counts] == [7, 7, 7]
    assert not set(counts) & set(plain_row)
    for row in (tracked_row, plain_row):
        assert not {"locations", "custom_fields"} & set(row)
        assert (row["reorder_level"], row["item_name"]) == ("", row["name"])


async def test_the_detail_has_the_stock_of_each_place(books: Bookkeeper):
    depot = await second_place(books)
    opening = [{"location_id": depot, "initial_stock": 4, "initial_stock_rate": 5}, {"initial_stock": 3}]
    made = await item(books, **tracked(books), locations=opening)
    told = {place["location_name"]: place["location_stock_on_hand"] for place in made["locations"]}
    assert told == {"Head Office": 3, "Depot": 4}
    assert [place["is_primary"] for place in made["locations"]] == [True, False]
    assert made["stock_on_hand"] == 7
    wrong = {**tracked(books), "name": "B", "rate": 1, "locations": [{"location_id": "1", "initial_stock": 1}]}
    assert (await books.refused("POST", "/items", wrong))[0] == 2


async def test_opening_stock_may_need_a_rate(books: Bookkeeper, zoho: Any):
    await zoho.turn(books_opening_stock_needs_rate=True)
    body = {"name": "A", "rate": 1, **tracked(books), "initial_stock": 5}
    assert (await books.refused("POST", "/items", body))[0] == 4
    await books.do("POST", "/items", {**body, "initial_stock_rate": 2})


@pytest.mark.parametrize(("position", "found"), [("honoured", ["A"]), ("ignored", ["A", "B"])])
async def test_whether_books_filters_by_sku_is_a_switch_and_inventory_always_does(
    books: Bookkeeper, zoho: Any, position: str, found: list[str]
):
    await zoho.turn(books_sku_filter=position)
    log_in(zoho.sim, zoho.http, "ZohoBooks.fullaccess.all", "ZohoInventory.fullaccess.all")
    for sku in ("A", "B"):
        await books.item(sku)
    assert [row["sku"] for row in (await books.do("GET", "/items", sku="A"))["items"]] == found
    asked = {"organization_id": books.organisation.id, "sku": "A"}
    assert len((await zoho.http.get("/inventory/v1/items", params=asked)).json()["items"]) == 1


async def test_items_come_a_hundred_in_full_at_a_time(books: Bookkeeper):
    first, second = await books.item("A"), await books.item("B")
    rows = (await books.do("GET", "/itemdetails", item_ids=f"{second},{first}"))["items"]
    assert {row["item_id"] for row in rows} == {first, second}
    assert all("locations" in row for row in rows)
    assert (await books.refused("GET", "/itemdetails"))[0] == 4
    assert (await books.refused("GET", "/itemdetails", item_ids=",".join([first] * 101)))[0] == 2


async def test_one_dead_id_fails_all_the_details(books: Bookkeeper):
    answer = await books.ask("GET", "/itemdetails", item_ids=f"{await books.item()},4136804000000999999")
    assert (answer.status_code, answer.json()) == (404, {"code": 1002, "message": "Resource does not exist."})


# --- stock


@pytest.mark.parametrize(("touches", "changed"), [(False, False), (True, True)])
async def test_whether_stock_touches_the_item_is_a_switch(books: Bookkeeper, zoho: Any, touches: bool, changed: bool):
    await zoho.turn(books_stock_touches_item=touches)
    made = await books.item()
    before = (await books.get("items", "item", made))["last_modified_time"]
    zoho.sim.clock.advance(60)
    await books.invoice("", books.line(item_id=made, tax="GST5"), sent=True)
    assert ((await books.get("items", "item", made))["last_modified_time"] != before) is changed
    assert await books.stock(made) == 9


@pytest.mark.parametrize(("moves", "left"), [(False, 10), (True, 9)])
async def test_whether_invoices_move_the_physical_stock_is_a_switch(
    books: Bookkeeper, zoho: Any, moves: bool, left: int
):
    await zoho.turn(books_documents_move_actual_stock=moves)
    made = await books.item(stock=10)
    await books.invoice("", books.line(item_id=made, tax="GST5"), sent=True)
    told = await books.get("items", "item", made)
    assert (told["available_stock"], told["actual_available_stock"]) == (9, left)


async def test_low_stock_is_a_filter(books: Bookkeeper):
    await books.item("Low", stock=2, reorder_level=5)
    await books.item("High", stock=9, reorder_level=5)
    rows = (await books.do("GET", "/items", filter_by="Status.Lowstock"))["items"]
    assert [row["name"] for row in rows] == ["Low"]
    rows = (await books.do("GET", "/items", sort_column="stock_on_hand", sort_order="D"))["items"]
    assert [row["name"] for row in rows] == ["High", "Low"]
