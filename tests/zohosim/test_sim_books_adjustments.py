"""Inventory adjustments: signed quantities, all of them or none, and back again."""

from typing import Any

import pytest
from bookkeeper import TODAY, Bookkeeper


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


def body(*lines: tuple[str, float], **more: Any) -> dict[str, Any]:
    return {
        "date": TODAY, "reason": "Stock count", "adjustment_type": "quantity",
        "line_items": [{"item_id": item, "quantity_adjusted": quantity} for item, quantity in lines], **more,
    }  # fmt: skip


async def adjust(books: Bookkeeper, *lines: tuple[str, float], **more: Any) -> Any:
    return (await books.do("POST", "/inventoryadjustments", body(*lines, **more)))["inventory_adjustment"]


async def test_an_adjustment_is_told_in_full_and_moves_stock_by_its_sign(books: Bookkeeper):
    item = await books.item("Seeds", stock=10)
    answer = await books.ask("POST", "/inventoryadjustments", body((item, -3.5)))
    assert (answer.status_code, answer.json()["message"]) == (201, "Inventory Adjustment has been added")
    made = answer.json()["inventory_adjustment"]
    assert (made["status"], made["reason"], made["location_name"]) == ("adjusted", "Stock count", "Head Office")
    [line] = made["line_items"]
    assert (line["name"], line["quantity_adjusted"], line["item_total"]) == ("Seeds", -3.5, 350.0)
    assert line["adjustment_account_name"] == "Cost of Goods Sold"
    assert await books.stock(item) == 6.5
    await adjust(books, (item, 2))
    assert await books.stock(item) == 8.5
    told = await books.get("items", "item", item)
    assert told["actual_available_stock"] == 8.5


@pytest.mark.parametrize("key", ["date", "reason", "adjustment_type", "line_items"])
async def test_four_keys_are_needed(books: Bookkeeper, key: str):
    given = body((await books.item(), 1))
    del given[key]
    assert await books.refused("POST", "/inventoryadjustments", given) == (4, f"Invalid value passed for {key}")


@pytest.mark.parametrize(
    ("more", "code"),
    [({"reason": "x" * 50}, 15), ({"date": f"{TODAY}T10:00:00+0530"}, 2), ({"adjustment_type": "both"}, 2),
     ({"location_id": "1"}, 2), ({"reason": "x" * 49}, 0)],
)  # fmt: skip
async def test_a_reason_has_less_than_fifty_letters_and_a_date_no_time(
    books: Bookkeeper, more: dict[str, str], code: int
):
    answer = await books.ask("POST", "/inventoryadjustments", body((await books.item(), 1), **more))
    assert answer.json()["code"] == code


async def test_a_line_names_an_item_with_stock_and_a_quantity(books: Bookkeeper):
    plain = (await books.do("POST", "/items", {"name": "Service", "rate": 1}))["item"]["item_id"]
    for item in (plain, "1"):
        assert (await books.refused("POST", "/inventoryadjustments", body((item, 1))))[0] == 2
    lines = [{"item_id": await books.item()}]
    assert (await books.refused("POST", "/inventoryadjustments", body(line_items=lines)))[0] == 4


async def test_a_line_that_takes_too_much_refuses_all_and_names_the_first(books: Bookkeeper):
    many, few, none = await books.item("Many"), await books.item("Few", stock=1), await books.item("None", stock=0)
    code, said = await books.refused("POST", "/inventoryadjustments", body((many, -5), (few, -2), (none, -1)))
    assert (code, "for the item Few. Please " in said) == (9205, True)
    assert [await books.stock(item) for item in (many, few, none)] == [10, 1, 0]
    assert (await books.do("GET", "/inventoryadjustments"))["inventory_adjustments"] == []


async def test_stock_below_nothing_is_a_switch(books: Bookkeeper, zoho: Any):
    item = await books.item(stock=1)
    await zoho.turn(books_adjustments_may_oversell=True)
    await adjust(books, (item, -3))
    assert await books.stock(item) == -2


async def test_stock_is_counted_at_each_place(books: Bookkeeper):
    item = await books.item(stock=5)
    depot = (await books.do("POST", "/locations", {"location_name": "Depot"}))["location"]["location_id"]
    given = body((item, -1), location_id=depot)
    assert (await books.refused("POST", "/inventoryadjustments", given))[0] == 9205
    await adjust(books, (item, 2), location_id=depot)
    places = (await books.get("items", "item", item))["locations"]
    assert {place["location_name"]: place["location_stock_on_hand"] for place in places} == {
        "Head Office": 5, "Depot": 2,
    }  # fmt: skip
    assert await books.stock(item) == 7


async def test_deleting_takes_the_lines_back_if_enough_is_left(books: Bookkeeper):
    item = await books.item(stock=0)
    made = await adjust(books, (item, 5))
    path = f"/inventoryadjustments/{made['inventory_adjustment_id']}"
    await adjust(books, (item, -2))
    assert (await books.refused("DELETE", path))[0] == 9205
    await adjust(books, (item, 2))
    assert (await books.do("DELETE", path))["message"] == "Inventory Adjustment(s) has been deleted"
    assert await books.stock(item) == 0


async def test_changing_applies_the_difference(books: Bookkeeper):
    item = await books.item(stock=10)
    made = await adjust(books, (item, -3))
    path = f"/inventoryadjustments/{made['inventory_adjustment_id']}"
    await books.do("PUT", path, {"line_items": [{"item_id": item, "quantity_adjusted": -1}]})
    assert await books.stock(item) == 9
    await books.do("PUT", path, {"description": "only words"})
    assert await books.stock(item) == 9
    assert (await books.refused("PUT", path, body((item, -11))))[0] == 9205
    assert await books.stock(item) == 9


async def test_values_are_adjusted_without_stock(books: Bookkeeper):
    item = await books.item(stock=10)
    lines = [{"item_id": item, "value_adjusted": -50}]
    made = await adjust(books, adjustment_type="value", line_items=lines)
    assert (made["total"], await books.stock(item)) == (50.0, 10)


async def test_reference_numbers_repeat_and_are_no_filter(books: Bookkeeper):
    item = await books.item()
    for reference in ("one", "one", "two"):
        await adjust(books, (item, 1), reference_number=reference)
    rows = (await books.do("GET", "/inventoryadjustments", reference_number="two"))["inventory_adjustments"]
    assert [row["reference_number"] for row in rows] == ["one", "one", "two"]
    assert "line_items" not in rows[0]


async def test_a_new_reason_is_made_on_the_fly_and_kept(books: Bookkeeper):
    item = await books.item()
    first, second = await adjust(books, (item, 1)), await adjust(books, (item, 1))
    other = await adjust(books, (item, 1), reason="Broken")
    assert first["reason_id"] == second["reason_id"] != other["reason_id"]


async def test_with_approvals_on_only_the_last_step_moves_stock(books: Bookkeeper, zoho: Any):
    item = await books.item(stock=10)
    done = await adjust(books, (item, 0))
    submit = f"/inventoryadjustments/{done['inventory_adjustment_id']}/submit"
    assert (await books.ask("POST", submit)).status_code == 400
    wanted = {"approvals": ["inventoryadjustments"]}
    assert (await zoho.http.post("/_sim/books/preferences", json=wanted)).status_code == 200
    made = await adjust(books, (item, -4))
    path = f"/inventoryadjustments/{made['inventory_adjustment_id']}"
    assert (made["status"], await books.stock(item)) == ("draft", 10)
    assert (await books.ask("POST", f"{path}/approve")).status_code == 400
    for step, status, left in (
        ("submit", "pending_approval", 10), ("approve", "approved", 10), ("approve/final", "adjusted", 6),
    ):  # fmt: skip
        await books.do("POST", f"{path}/{step}")
        assert (await books.get("inventoryadjustments", "inventory_adjustment", path[-19:]))["status"] == status
        assert await books.stock(item) == left


async def test_a_locked_period_takes_no_adjustment(books: Bookkeeper, zoho: Any):
    item = await books.item()
    made = await adjust(books, (item, 1))
    assert (await zoho.http.post("/_sim/books/preferences", json={"locked_until": TODAY})).status_code == 200
    assert (await books.ask("POST", "/inventoryadjustments", body((item, 1)))).status_code == 400
    assert (await books.ask("DELETE", f"/inventoryadjustments/{made['inventory_adjustment_id']}")).status_code == 400
    assert await books.stock(item) == 11
