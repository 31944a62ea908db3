"""Values of bodies and parameters of Books, one by one: what is read, and what is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from bookkeeper import Bookkeeper

from zohosim.books import fields
from zohosim.books.answers import BooksRefused
from zohosim.books.lists import rank


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


@pytest.mark.parametrize(
    ("read", "given", "value"),
    [
        (fields.number, "37.50", Decimal("37.5")), (fields.number, -3, Decimal(-3)),
        (fields.number, 0.1, Decimal("0.1")),
        (fields.amount, 0, Decimal(0)), (fields.whole, "15", 15), (fields.whole, 15.0, 15), (fields.flag, True, True),
        (fields.flag, "false", False), (fields.day, "2026-11-22", "2026-11-22"), (fields.entity_id, 4136, "4136"),
        (fields.text(5), 12, "12"), (fields.text(5), "A & B", "A & B"), (fields.rows, [{}], [{}]),
        (fields.as_instant, "1970-01-01T05:30:01+05:30", 1.0), (fields.as_instant, "1970-01-01T00:00:01Z", 1.0),
    ],
)  # fmt: skip
def test_a_value_is_read_in_the_shapes_programs_send(read: Callable[[str, Any], Any], given: Any, value: Any):
    assert read("it", given) == value


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (fields.number, "NaN"), (fields.number, "Infinity"), (fields.number, True), (fields.number, "1,000"),
        (fields.number, {}), (fields.amount, -1), (fields.whole, 1.5), (fields.flag, "yes"), (fields.flag, 1),
        (fields.day, "2026-02-30"), (fields.day, "20261122"), (fields.day, "2026-11-22T10:00:00"),
        (fields.entity_id, "x1"), (fields.entity_id, True), (fields.text(5), ["x"]), (fields.text(5), "a>b"),
        (fields.one_of("a"), "A"), (fields.rows, {}), (fields.rows, ["x"]), (fields.as_instant, "2026-11-22"),
        (fields.as_instant, "2026-11-22T10:00:00"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_name(read: Callable[[str, Any], Any], given: Any):
    with pytest.raises(BooksRefused) as refusal:
        read("it", given)
    assert refusal.value.body == {"code": 2, "message": "Invalid value passed for it"}


def test_a_blank_value_empties_its_field():
    field = fields.Field("discount", fields.number, blank=Decimal(0))
    assert [field.value(blank) for blank in (None, "")] == [Decimal(0)] * 2
    assert fields.read({"discount": None, "other": 1}, [field]) == {"discount": Decimal(0)}
    assert fields.read({}, [field]) == {}


def test_blanks_sort_before_numbers_and_numbers_before_texts():
    assert sorted(["b", Decimal(2), "", "A", 1, None], key=rank) == ["", None, 1, Decimal(2), "A", "b"]


async def test_choices_and_flags_take_only_values_they_know(books: Bookkeeper):
    await books.customer("Buyer")
    await books.do("POST", "/contacts", {"contact_name": "Maker", "contact_type": "vendor"})
    rows = (await books.do("GET", "/contacts", contact_type="vendor"))["contacts"]
    assert [(row["vendor_name"], row["customer_name"]) for row in rows] == [("Maker", "")]
    assert (await books.refused("GET", "/contacts", contact_type="friend"))[0] == 2
    await books.do("POST", "/items", {"name": "Seeds", "rate": 1})
    assert len((await books.do("GET", "/items", is_taxable="true"))["items"]) == 1
    assert (await books.do("GET", "/items", is_taxable="false"))["items"] == []
    assert (await books.refused("GET", "/items", is_taxable="maybe"))[0] == 2


async def test_days_are_compared(books: Bookkeeper):
    customer = await books.customer()
    for day in ("2026-11-01", "2026-11-10", "2026-11-20"):
        await books.invoice(customer, date=day)

    async def days(**asked: str) -> list[str]:
        rows = (await books.do("GET", "/invoices", sort_column="date", sort_order="A", **asked))["invoices"]
        return [row["date"][-2:] for row in rows]

    assert await days(date="2026-11-10") == ["10"]
    assert await days(date_start="2026-11-10") == ["10", "20"]
    assert await days(date_end="2026-11-10") == ["01", "10"]
    assert await days(date_before="2026-11-10") == ["01"]
    assert await days(date_after="2026-11-10") == ["20"]
    assert (await books.refused("GET", "/invoices", date="10.11.2026"))[0] == 2


async def test_items_are_found_by_either_of_their_taxes(books: Bookkeeper):
    await books.item("A", tax=5)
    await books.item("B", tax=18)
    for name in ("GST5", "IGST5"):
        assert [row["name"] for row in (await books.do("GET", "/items", tax_id=books.tax(name)))["items"]] == ["A"]


async def test_an_account_is_renamed_and_marked_inactive(books: Bookkeeper):
    body = {"account_name": "Second Bank", "account_type": "bank"}
    account = (await books.do("POST", "/chartofaccounts", body))["chart_of_account"]["account_id"]
    await books.do("PUT", f"/chartofaccounts/{account}", {"account_name": "Third Bank"})
    await books.do("POST", f"/chartofaccounts/{account}/inactive")
    rows = (await books.do("GET", "/chartofaccounts", filter_by="AccountType.Inactive"))["chartofaccounts"]
    assert [(row["account_name"], row["is_active"]) for row in rows] == [("Third Bank", False)]
    missing = f"/contacts/{await books.customer()}/address/1"
    assert (await books.ask("PUT", missing, {})).status_code == 404
