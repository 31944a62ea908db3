"""The pure parts by table: comparisons, readers of values, queries, criteria."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zohosim.answers import Refused
from zohosim.crm.coql import read_query
from zohosim.crm.criteria import Comparison, comparable
from zohosim.crm.fields import Field, api_name_of
from zohosim.crm.search import read_criteria
from zohosim.crm.values import EMAIL, PHONE, READERS, BadValue


@pytest.mark.parametrize(
    ("held", "operator", "wanted", "holds"),
    [
        (5, "=", 5, True),
        (5, "=", "5", True),
        ("5", "=", 5, True),
        (5.5, "=", "5.5", True),
        (5, "=", "five", False),
        (None, "=", "x", False),
        (None, "!=", "x", True),
        (True, "=", "true", True),
        (False, "=", "true", False),
        (5, ">", "4", True),
        (5, ">=", 5, True),
        (5, "<", "x", False),
        ("b", "<=", "a", False),
        (None, "<", 5, False),
        ("554023000001000002", ">", 554023000001000001, True),
        (5, "between", ["4", "6"], True),
        (7, "between", [4, 6], False),
        (7, "not between", [4, 6], True),
        (None, "not between", [4, 6], False),
        ("abc", "like", "abc", True),
        ("abc", "like", "%bc", True),
        ("abc", "like", "ab%", True),
        ("abc", "like", "%x%", False),
        (5, "like", "5", False),
        (5, "in", ["5", "6"], True),
        (None, "is null", None, True),
        (0, "is not null", None, True),
    ],
)
def test_comparisons_know_numbers_text_truth_and_null(held, operator, wanted, holds):
    assert Comparison("x", operator, wanted).holds({"x": held}) is holds


def test_text_that_only_looks_like_an_instant_stays_text():
    assert comparable("2026-99-99T00:00:00 and more") == "2026-99-99t00:00:00 and more"


@pytest.mark.parametrize(
    ("data_type", "value", "stored"),
    [
        ("boolean", False, False),
        ("integer", -12, -12),
        ("bigint", 123456789012, "123456789012"),
        ("bigint", "-5", "-5"),
        ("double", 1.239, 1.24),
        ("currency", 7, 7),
        ("date", "2026-11-22", "2026-11-22"),
        ("datetime", "2026-11-22T10:00:00+05:30", "2026-11-22T10:00:00+05:30"),
        ("picklist", "-None-", None),
        ("multiselectpicklist", ["A", "B"], ["A", "B"]),
        ("text", "", None),
        ("website", "www.example.com", "www.example.com"),
    ],
)
def test_readers_store_what_the_wire_will_tell(data_type, value, stored):
    assert READERS[data_type](Field("X", "X", data_type, 30))(value) == stored


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("boolean", 1),
        ("integer", 1.0),
        ("integer", True),
        ("bigint", "1.5"),
        ("bigint", None),
        ("double", "1"),
        ("double", 1e31),
        ("date", "2026-02-30"),
        ("date", 20260101),
        ("datetime", "2026-11-22T10:00:00"),
        ("datetime", "2026-11-22"),
        ("datetime", 5),
        ("multiselectpicklist", "A"),
        ("website", "example"),
        ("text", ["x"]),
    ],
)
def test_readers_refuse_what_is_of_another_kind(data_type, value):
    with pytest.raises(BadValue):
        READERS[data_type](Field("X", "X", data_type, 30))(value)


def test_a_restricted_picklist_names_the_values_it_takes():
    field = Field("X", "X", "picklist", 30, choices=("A", "B"), restricted=True)
    assert READERS["picklist"](field)("A") == "A"
    with pytest.raises(BadValue) as refused:
        READERS["picklist"](field)("C")
    assert refused.value.details == {"supported_values": ["A", "B"]}


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Storefront User Id", "Storefront_User_Id"),
        ("Régimen fiscal", "R_gimen_fiscal"),
        ("Profesión", "Profesi_n"),
        ("GSTIN", "GSTIN"),
    ],
)
def test_api_names_are_derived_from_labels(label, name):
    assert api_name_of(label) == name


@given(st.text(max_size=100))
def test_no_text_makes_the_published_patterns_slow_or_crash(text):
    EMAIL.match(text)
    PHONE.match(text[:30])


def test_a_hostile_address_is_refused_quickly():
    assert EMAIL.match("a@" + "a-" * 49) is None
    assert EMAIL.match("a@" + "a" * 98) is None


@given(st.text(max_size=80))
def test_any_text_is_a_query_or_a_refusal(text):
    for read in (read_query, read_criteria):
        with suppress(Refused):
            read(text)


@given(st.lists(st.sampled_from(["select", "id", "from", "Contacts", "where", "(", ")", "=", "'x'", "and", "1", ","])))
def test_any_shuffle_of_query_words_is_a_query_or_a_refusal(words):
    with suppress(Refused):
        read_query(" ".join(words))
