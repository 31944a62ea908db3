"""Numbers and dates of documents."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from zohosync.gst.dates import business_date, financial_year
from zohosync.gst.invoice_number import caution_number, check_number, same_number


@pytest.mark.parametrize("number", ["1", "INV-000001", "WEB/25-26/000123", "ORD-20260210-ABC", "a/b-c"])
def test_the_law_allows_16_letters_digits_dashes_and_slashes(number: str) -> None:
    assert check_number(number) is None


@pytest.mark.parametrize(
    "number", ["", "WEB/25-26/0001234", "INV 1", "INV_1", "INV#1", "INV.1", "ÄB1", "१२३", "INV1\n"]
)
def test_the_law_allows_nothing_else(number: str) -> None:
    problem = check_number(number)
    assert problem is not None
    assert problem.name == "invoice_number_invalid"


@pytest.mark.parametrize("number", ["0001", "/1", "-1"])
def test_the_portal_may_refuse_how_a_number_begins(number: str) -> None:
    assert check_number(number) is None
    assert caution_number(number) is not None
    assert caution_number("A" + number) is None


def test_capitals_make_no_other_number() -> None:
    assert same_number("inv/1", "INV/1")
    assert not same_number("inv/1", "inv/2")


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        (datetime(2026, 3, 31, 18, 29, 59, tzinfo=UTC), "Asia/Kolkata", date(2026, 3, 31)),
        (datetime(2026, 3, 31, 18, 30, tzinfo=UTC), "Asia/Kolkata", date(2026, 4, 1)),
        (datetime(2026, 3, 31, 18, 30, tzinfo=UTC), "UTC", date(2026, 3, 31)),
    ],
)
def test_a_document_is_of_the_day_it_is_in_india(at: datetime, zone: str, day: date) -> None:
    assert business_date(at, ZoneInfo(zone)) == day


def test_an_instant_without_a_time_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        business_date(datetime(2026, 3, 31, 18, 30))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("on", "year"),
    [
        (date(2026, 3, 31), "25-26"),
        (date(2026, 4, 1), "26-27"),
        (date(2099, 12, 1), "99-00"),
        (date(2025, 1, 1), "24-25"),
    ],
)
def test_a_financial_year_begins_in_april(on: date, year: str) -> None:
    assert financial_year(on) == year
