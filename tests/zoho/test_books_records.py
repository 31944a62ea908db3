"""Contacts, items and settings of Books, against answers as they were seen on the wire."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from zoho.wire import Asked, Wire, pages, refused, told
from zohosync.errors import OutcomeUnknown, Refused
from zohosync.zoho.books import Books
from zohosync.zoho.books_parse_records import parse_adjustment, parse_contact, parse_item
from zohosync.zoho.client import Context
from zohosync.zoho.protocol import Request

CONTACT = {
    "contact_id": "460000000026049", "contact_name": "Demo Customer", "company_name": "Demo Traders",
    "contact_type": "customer", "status": "active", "email": "customer@example.com", "phone": "", "mobile": "98480",
    "currency_code": "INR", "gst_no": "", "gst_treatment": "consumer", "place_of_contact": "TS", "custom_fields": [],
}  # fmt: skip
ITEM = {
    "item_id": "460000000027001", "name": "Rice 5 kg", "item_name": "Rice 5 kg", "sku": "RICE-5", "status": "active",
    "rate": 37.5, "unit": "kg", "tax_id": "", "item_type": "inventory", "track_inventory": True,
    "is_taxable": True, "tax_exemption_id": "", "stock_on_hand": 12.0, "available_stock": 12.0, "reorder_level": "",
    "hsn_or_sac": "1006", "cf_brand": "Demo", "item_tax_preferences": [
        {"tax_specification": "intra", "tax_type": 2, "tax_name": "GST5", "tax_percentage": 5, "tax_id": "46001"},
        {"tax_specification": "inter", "tax_type": 0, "tax_name": "IGST5", "tax_percentage": 5, "tax_id": "46002"}],
}  # fmt: skip


def named(name: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {**CONTACT, "contact_id": str(number), "contact_name": name, **more}


def stocked(sku: str, number: int = 1) -> dict[str, Any]:
    return {**ITEM, "item_id": str(number), "sku": sku}


# --- what the rows mean


def test_a_contact_is_read() -> None:
    contact = parse_contact(CONTACT)
    assert (contact.id, contact.name, contact.company, contact.type, contact.active) == (
        "460000000026049", "Demo Customer", "Demo Traders", "customer", True,
    )  # fmt: skip
    assert (contact.email, contact.phone, contact.gst_no, contact.place_of_contact) == (
        "customer@example.com", "98480", "", "TS",
    )  # fmt: skip
    assert parse_contact({**CONTACT, "status": "inactive"}).active is False
    assert contact.fields["custom_fields"] == []


def test_an_item_is_read() -> None:
    item = parse_item(ITEM)
    assert (item.id, item.name, item.sku, item.type, item.unit, item.hsn) == (
        "460000000027001", "Rice 5 kg", "RICE-5", "inventory", "kg", "1006",
    )  # fmt: skip
    assert (item.rate, item.stock, item.taxable) == (Decimal("37.5"), Decimal("12.0"), True)
    assert item.tax_ids == {"intra": "46001", "inter": "46002"}


@pytest.mark.parametrize(
    ("row", "taxable", "stock"),
    [({"is_taxable": False, "tax_exemption_id": "7"}, False, None), ({"is_taxable": "", "rate": ""}, True, None),
     ({"is_taxable": "false"}, False, None), ({"track_inventory": True, "stock_on_hand": ""}, True, None),
     ({"track_inventory": True, "stock_on_hand": "-2.5"}, True, Decimal("-2.5")),
     ({"stock_on_hand": 3}, True, None)],
)  # fmt: skip
def test_blank_and_odd_values_of_an_item_are_read(row: dict[str, Any], taxable: bool, stock: Decimal | None) -> None:
    item = parse_item({"item_id": 46, **row})
    assert (item.id, item.taxable, item.stock, item.rate) == ("46", taxable, stock, Decimal(0))


async def test_numbers_are_exact_and_never_floats() -> None:
    raw = b'{"code":0,"item":{"item_id":"1","rate":1234567890123.45,"track_inventory":true,"stock_on_hand":0.1}}'
    item = await Wire(lambda _: raw).books.item("1")
    assert item is not None
    assert (item.rate, item.stock) == (Decimal("1234567890123.45"), Decimal("0.1"))
    assert isinstance(item.fields["rate"], Decimal)


# --- contacts


async def test_a_name_is_compared_trimmed_and_whatever_its_case_and_nothing_else_passes() -> None:
    rows = [named("Demo Customer", 1), named(" DEMO customer ", 2, status="inactive"), named("Demo Customer 2", 3)]
    wire = Wire(pages("contacts", rows))
    found = await wire.books.find_contacts_by_name(" demo Customer")
    assert [contact.id for contact in found] == ["1", "2"]
    assert wire.last.params == {"contact_name": "demo Customer", "filter_by": "Status.All", "per_page": "200"}


async def test_a_name_longer_than_a_filter_takes_is_looked_for_by_its_beginning() -> None:
    long = "D" * 150
    wire = Wire(pages("contacts", [named(long, 1), named("D" * 120, 2)]))
    assert [contact.id for contact in await wire.books.find_contacts_by_name(long)] == ["1"]
    assert wire.last.params["contact_name_startswith"] == "D" * 100


async def test_an_email_is_compared_on_every_page_of_a_filter_that_is_ignored() -> None:
    rows = [named(f"Demo {n}", n, email=f"customer{n}@example.com") for n in range(1, 451)]
    wire = Wire(pages("contacts", rows))
    found = await wire.books.find_contacts_by_email("Customer449@Example.com")
    assert [contact.id for contact in found] == ["449"]
    assert len(wire.asked) == 3


async def test_a_plus_and_an_ampersand_reach_books_as_they_are() -> None:
    wire = Wire(pages("contacts", []))
    await wire.books.find_contacts_by_email("a+b@example.com")
    assert "email=a%2Bb%40example.com" in wire.last.query
    await wire.books.find_contacts_by_name("Demo & Sons #1")
    assert wire.last.params["contact_name"] == "Demo & Sons #1"


GSTIN = "36AABCT3518Q1ZX"


async def test_a_gstin_that_rows_tell_is_compared_on_the_rows() -> None:
    rows = [named("One", 1, gst_no=GSTIN.lower()), named("Two", 2, gst_no="29AABCT3518Q1ZS"), named("Three", 3)]
    wire = Wire(pages("contacts", rows))
    assert [contact.id for contact in await wire.books.find_contacts_by_gst_no(GSTIN)] == ["1"]
    assert (len(wire.asked), wire.last.params["search_text"]) == (1, GSTIN)


async def test_where_rows_leave_the_gstin_out_each_contact_is_read() -> None:
    details = {"1": named("One", 1, gst_no=GSTIN), "2": named("Two", 2, gst_no="")}

    def answer(asked: Asked) -> Any:
        if asked.path == "/contacts":
            return told(contacts=[named("One", 1), named("Two", 2), named("Gone", 3)], page_context={})
        number = asked.path.split("/")[-1]
        return told(contact=details[number]) if number in details else refused(1002, status=404)

    wire = Wire(answer)
    assert [contact.id for contact in await wire.books.find_contacts_by_gst_no(GSTIN)] == ["1"]
    assert len(wire.asked) == 4


async def test_a_contact_that_is_not_there_is_none() -> None:
    for answer in (refused(1002, "Contact does not exist."), refused(5, status=404), (404, {"message": "no"})):
        assert await Wire(lambda _, answer=answer: answer).books.contact("1") is None  # type: ignore[misc]


async def test_a_contact_is_made_changed_and_woken() -> None:
    wire = Wire(lambda asked: (201 if asked.path == "/contacts" else 200, told(contact=CONTACT)))
    assert (await wire.books.create_contact({"contact_name": "Demo Customer"})).id == CONTACT["contact_id"]
    assert (wire.last.method, wire.last.path, wire.last.body) == (
        "POST",
        "/contacts",
        {"contact_name": "Demo Customer"},
    )
    assert (await wire.books.update_contact("1", {"notes": "x"})).name == "Demo Customer"
    assert (wire.last.method, wire.last.path) == ("PUT", "/contacts/1")
    await wire.books.activate_contact("1")
    assert (wire.last.method, wire.last.path, wire.last.body) == ("POST", "/contacts/1/active", None)


async def test_a_name_that_is_taken_has_a_reason_of_its_own() -> None:
    wire = Wire(lambda _: refused(3062, 'The customer "Demo Customer" already exists.'))
    with pytest.raises(Refused, match="already exists") as caught:
        await wire.books.create_contact({"contact_name": "Demo Customer"})
    assert caught.value.reason == "books_name_taken"


@pytest.mark.parametrize("answer", [(500, b"<html>"), (502, b""), (200, told()), (201, told(contact=[])),
                                    (200, b"<html>"), refused(1000, status=500)])  # fmt: skip
async def test_a_creation_without_a_clear_answer_is_in_doubt(answer: Any) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await Wire(lambda _: answer).books.create_contact({"contact_name": "Demo"})
    assert "looked for" in caught.value.hint


@pytest.mark.parametrize("bad", ["", "1/active", "1?x=y", "../items", "१२"])
async def test_an_id_that_is_none_never_leaves(bad: str) -> None:
    wire = Wire(lambda _: told())
    with pytest.raises(ValueError, match="not a Zoho id"):
        await wire.books.contact(bad)
    with pytest.raises(ValueError, match="not a Zoho id"):
        await wire.books.items(["1", bad])
    assert wire.asked == []


# --- items


async def test_a_sku_that_the_filter_finds_costs_one_call() -> None:
    wire = Wire(pages("items", [stocked(" rice-5 ", 1), stocked("RICE-5", 2)]))
    assert [item.id for item in await wire.books.find_items_by_sku("Rice-5 ")] == ["1", "2"]
    assert len(wire.asked) == 1
    assert wire.last.params == {"sku": "Rice-5", "filter_by": "Status.All", "per_page": "200"}


async def test_a_sku_that_no_item_has_costs_one_call() -> None:
    wire = Wire(pages("items", []))
    assert await wire.books.find_items_by_sku("RICE-5") == ()
    assert len(wire.asked) == 1


async def test_a_blank_sku_is_nobodys() -> None:
    wire = Wire(pages("items", [stocked("", 1)]))
    assert await wire.books.find_items_by_sku(" ") == ()
    assert wire.asked == []


def ignoring_sku(by_words: list[dict[str, Any]], every: list[dict[str, Any]]) -> Callable[[Asked], Any]:
    return lambda asked: pages("items", by_words if "search_text" in asked.params else every)(asked)


EVERY = [stocked(f"OTHER-{n}", n) for n in range(1, 601)]


async def test_a_filter_that_is_ignored_is_noticed_and_words_are_searched_for() -> None:
    wire = Wire(ignoring_sku([stocked("RICE-50", 700), stocked("RICE-5", 701)], EVERY))
    assert [item.id for item in await wire.books.find_items_by_sku("RICE-5")] == ["701"]
    assert [set(asked.params) & {"sku", "search_text"} for asked in wire.asked] == [{"sku"}, {"search_text"}]


async def test_at_last_the_whole_list_is_gone_through() -> None:
    wire = Wire(ignoring_sku([], [*EVERY, stocked("RICE-5", 701)]))
    assert [item.id for item in await wire.books.find_items_by_sku("RICE-5")] == ["701"]
    assert len(wire.asked) == 1 + 1 + 4


async def test_a_match_on_a_page_of_a_filter_that_is_ignored_is_not_taken_for_all() -> None:
    """The first row happens to match; a second item with the SKU is on another page."""
    rows = [stocked("RICE-5", 701), *EVERY, stocked("RICE-5", 702)]
    wire = Wire(ignoring_sku([], rows))
    assert [item.id for item in await wire.books.find_items_by_sku("RICE-5")] == ["701", "702"]


def details(alive: set[str]) -> Callable[[Asked], Any]:
    def answer(asked: Asked) -> Any:
        ids = asked.params["item_ids"].split(",")
        assert len(ids) <= 100
        if not alive.issuperset(ids):
            return refused(1002, "Resource does not exist", status=404)
        return told(items=[stocked("X", int(number)) for number in reversed(ids)])

    return answer


async def test_items_are_read_by_the_hundred_in_the_order_asked_for() -> None:
    ids = [str(n) for n in range(1, 251)]
    wire = Wire(details(set(ids)))
    assert [item.id for item in await wire.books.items([*ids, "1"])] == ids
    assert len(wire.asked) == 3


async def test_one_dead_item_does_not_hide_the_others() -> None:
    ids = [str(n) for n in range(1, 101)]
    wire = Wire(details(set(ids) - {"37", "38", "90"}))
    found = await wire.books.items(ids)
    assert [item.id for item in found] == [n for n in ids if n not in {"37", "38", "90"}]
    assert len(wire.asked) < 45
    assert await wire.books.items([]) == ()


async def test_another_refusal_of_many_items_is_not_halved() -> None:
    wire = Wire(lambda _: refused(2, "Invalid value passed for item_ids"))
    with pytest.raises(Refused):
        await wire.books.items(["1", "2"])
    assert len(wire.asked) == 1


async def test_an_item_is_made_changed_and_woken() -> None:
    wire = Wire(lambda _: told(item=ITEM))
    assert (await wire.books.create_item({"name": "Rice", "rate": Decimal("37.50")})).sku == "RICE-5"
    assert wire.last.content == b'{"name":"Rice","rate":37.50}'
    await wire.books.update_item("1", {"name": "Rice", "rate": Decimal(40)})
    assert (wire.last.method, wire.last.path) == ("PUT", "/items/1")
    await wire.books.activate_item("1")
    assert (wire.last.method, wire.last.path) == ("POST", "/items/1/active")


async def test_inactive_items_are_listed_too() -> None:
    wire = Wire(pages("items", EVERY))
    assert [item.id async for item in wire.books.list_items()] == [str(n) for n in range(1, 601)]
    assert {asked.params["filter_by"] for asked in wire.asked} == {"Status.All"}


# --- pages


async def test_rows_that_shift_between_pages_are_told_once() -> None:
    rows = [*EVERY[:200], EVERY[199], *EVERY[200:250]]
    wire = Wire(pages("items", rows))
    assert len([item async for item in wire.books.list_items()]) == 250


async def test_a_list_of_more_pages_than_ever_expected_is_read_to_its_end() -> None:
    rows = [stocked("X", n) for n in range(1, 11_001)]
    wire = Wire(pages("items", rows))
    assert len([item async for item in wire.books.list_items()]) == 11_000


async def test_a_list_that_ignores_the_page_ends() -> None:
    context = {"page": 1, "per_page": 200, "has_more_page": True}
    wire = Wire(lambda _: told(items=EVERY[:200], page_context=context))
    assert len([item async for item in wire.books.list_items()]) == 200
    assert len(wire.asked) == 2


# --- settings


async def test_accounts_exemptions_and_currencies_are_read() -> None:
    rows = {
        "/chartofaccounts": told(chartofaccounts=[
            {"account_id": "1", "account_name": "Sales", "account_type": "income", "is_active": True},
            {"account_id": "2", "account_name": "Old", "account_type": "bank", "is_active": False}]),
        "/settings/taxexemptions": told(tax_exemptions=[
            {"tax_exemption_id": "3", "tax_exemption_code": "NIL", "type": "item"}]),
        "/settings/currencies": told(currencies=[
            {"currency_id": "4", "currency_code": "INR", "is_base_currency": True}]),
    }  # fmt: skip
    wire = Wire(lambda asked: rows[asked.path])
    accounts = await wire.books.accounts()
    assert wire.last.params["filter_by"] == "AccountType.All"
    assert [(one.id, one.name, one.type, one.active) for one in accounts] == [
        ("1", "Sales", "income", True), ("2", "Old", "bank", False),
    ]  # fmt: skip
    assert [(one.id, one.code, one.type) for one in await wire.books.tax_exemptions()] == [("3", "NIL", "item")]
    assert [(one.id, one.code, one.base) for one in await wire.books.currencies()] == [("4", "INR", True)]


@pytest.mark.parametrize("answer", [refused(5, status=404), refused(8, "Invalid Element locations"),
                                    told(locations=[]), told()])  # fmt: skip
async def test_without_the_feature_there_are_no_locations(answer: Any) -> None:
    assert await Wire(lambda _: answer).books.locations() == ()


async def test_locations_are_read() -> None:
    row = {"location_id": "1", "location_name": "Head Office", "is_location_active": True, "is_primary_location": True,
           "tax_reg_no": GSTIN, "address": {"state_code": "TS"}}  # fmt: skip
    (place,) = await Wire(lambda _: told(locations=[row])).books.locations()
    assert (place.id, place.name, place.active, place.primary, place.gst_no, place.state_code) == (
        "1", "Head Office", True, True, GSTIN, "TS",
    )  # fmt: skip


# --- adjustments


def test_an_adjustment_adds_up_two_lines_of_one_item() -> None:
    lines = [{"item_id": "1", "quantity_adjusted": -3}, {"item_id": "2", "quantity_adjusted": 1.5},
             {"item_id": "1", "quantity_adjusted": "1"}]  # fmt: skip
    row = {"inventory_adjustment_id": "9", "date": "2026-08-01", "status": "adjusted", "line_items": lines}
    adjustment = parse_adjustment(row)
    assert adjustment.lines == {"1": Decimal(-2), "2": Decimal("1.5")}
    assert (adjustment.id, adjustment.date, adjustment.status) == ("9", date(2026, 8, 1), "adjusted")


async def test_adjustments_are_read_back_only_so_many_pages() -> None:
    rows = [{"inventory_adjustment_id": str(n), "reference_number": f"R{n}"} for n in range(1, 1001)]
    wire = Wire(pages("inventory_adjustments", rows))
    assert len([row async for row in wire.books.adjustments(most_pages=2)]) == 400
    assert len(wire.asked) == 2
    assert (wire.last.params["sort_column"], wire.last.params["sort_order"]) == ("date", "D")


async def test_an_adjustment_is_made_read_and_deleted() -> None:
    row = {"inventory_adjustment_id": "9", "line_items": [{"item_id": "1", "quantity_adjusted": -1}]}
    wire = Wire(lambda _: told(inventory_adjustment=row))
    assert (await wire.books.create_adjustment({"reason": "Count"})).lines == {"1": Decimal(-1)}
    assert await wire.books.adjustment("9") is not None
    await wire.books.delete_adjustment("9")
    assert (wire.last.method, wire.last.path) == ("DELETE", "/inventoryadjustments/9")


# --- whose it is


async def test_the_same_calls_for_another_priority_stay_with_the_organisation() -> None:
    wire = Wire(pages("items", []))
    other = wire.books.within(Context(priority="sales"))
    assert isinstance(other, Books)
    assert await other.find_items_by_sku("x") == ()


async def test_a_request_is_sent_as_a_preview_shows_it() -> None:
    wire = Wire(lambda _: told(item=ITEM))
    request = Request("PUT", "/books/v3/items/1", json={"rate": Decimal("1.10")}, product="books", effect="idempotent")
    await wire.books.send(request)
    assert wire.last.content == request.content()
