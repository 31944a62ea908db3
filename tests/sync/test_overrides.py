"""Which corrections of a record make sense; all pure."""

from datetime import date
from typing import Any

import pytest

from zohosync.errors import SettingsRefused
from zohosync.sync.books.overrides import (
    AT_FAULT,
    FIELDS,
    LINE_SKU,
    Subject,
    check_override,
    field_at_fault,
    list_fields,
)

SUBJECT = Subject(date(2026, 11, 22), date(2026, 11, 1), {"l-1": "Neem oil"}, ("NEEM-5L",))


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("state", "telangana", "Telangana"),
        ("state", " TS ", "Telangana"),
        ("postal_code", "500 032", "500032"),
        ("country", "India", "India"),
        ("gstin", "29 aagcb 7383 j1z4", "29AAGCB7383J1Z4"),
        ("name", "  Demo   Customer ", "Demo Customer"),
        ("price_basis", "Inclusive", "inclusive"),
        ("document_date", "2026-11-01", "2026-11-01"),
        ("document_date", "2026-11-22", "2026-11-22"),
        ("third_party", "YES", "yes"),
        ("returned", "no", "no"),
        ("line_sku:l-1", "neem-5l", "neem-5l"),
    ],
)
def test_what_makes_sense_is_kept_in_one_form(field: str, typed: str, kept: str) -> None:
    assert check_override("order", field, typed, SUBJECT) == kept


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("state", "Atlantis", "Write the state's name"),
        ("postal_code", "12", "six digits"),
        ("postal_code", "999999", "six digits"),
        ("country", "Utopia", "is no country"),
        ("gstin", "29AAGCB7383J1Z5", "mistyped"),
        ("gstin", "NA", "b2b_without_gstin"),
        ("gstin", "12345", "certificate"),
        ("name", "<b>", "no < or >"),
        ("name", "x" * 201, "longer than 200"),
        ("name", "   ", "without a value"),
        ("price_basis", "free", "exclusive, inclusive, as_charged"),
        ("document_date", "22.11.2026", "2026-11-22"),
        ("document_date", "2026-11-23", "from 2026-11-01 to 2026-11-22"),
        ("document_date", "2026-10-31", "from 2026-11-01 to 2026-11-22"),
        ("third_party", "maybe", "yes, no"),
        ("line_sku:l-1", "ROSE-1L", "no variant with the SKU"),
        ("line_sku:l-9", "NEEM-5L", "Its lines are: l-1 (Neem oil)."),
        ("colour", "red", "no field 'colour'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(field: str, typed: str, why: str) -> None:
    with pytest.raises(SettingsRefused) as refusal:
        check_override("order", field, typed, SUBJECT)
    assert why in str(refusal.value)
    assert refusal.value.reason == "override_refused"


def test_no_document_is_dated_more_than_a_year_back() -> None:
    old = Subject(date(2026, 11, 22), date(2020, 1, 1), {}, ())
    with pytest.raises(SettingsRefused, match="2025-11-21"):
        check_override("order", "document_date", "2025-11-20", old)
    assert check_override("order", "document_date", "2025-11-21", old) == "2025-11-21"


def test_only_orders_and_quotes_can_be_overridden() -> None:
    with pytest.raises(SettingsRefused, match="order and approved_quote"):
        check_override("customer", "name", "Demo Customer", SUBJECT)


def test_every_field_says_what_it_means_and_every_fault_names_a_field() -> None:
    assert [field.name for field in list_fields(SUBJECT)] == [*FIELDS, "line_sku:l-1"]
    assert all(field.meaning.endswith(".") for field in list_fields(SUBJECT))
    assert set(AT_FAULT.values()) <= {*FIELDS, LINE_SKU}


@pytest.mark.parametrize(
    ("code", "field"),
    [("gstin_checksum", "gstin"), ("sku_missing:x", LINE_SKU), ("gst_rate_missing", ""), (None, "")],
)
def test_a_reason_code_leads_to_the_field_that_corrects_it(code: Any, field: str) -> None:
    assert field_at_fault(code) == field


def test_what_a_shop_calls_a_line_is_quoted_in_few_words() -> None:
    subject = Subject(date(2026, 11, 22), None, {"l-1": "x" * 1_000_000}, ())
    for field in ("line_sku:gone", "line_sku:" + "y" * 1_000_000, "z" * 1_000_000):
        with pytest.raises(SettingsRefused) as refusal:
            check_override("order", field, "NEEM-5L", subject)
        assert len(f"{refusal.value.message}{refusal.value.hint}") < 400
    assert all(len(field.title) < 80 for field in list_fields(subject))
