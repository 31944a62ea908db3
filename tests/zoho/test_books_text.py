"""What becomes of texts before Books sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zohosync.zoho.books_text import LONGEST, Cleaned, clean


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("Rice 5 kg", Cleaned("Rice 5 kg", (), 9)),
     (" Rice\t", Cleaned("Rice", ("spaces",), 4)),
     ("<b>Rice</b> & more", Cleaned("b Rice /b & more", ("brackets",), 16)),
     ("a < b", Cleaned("a b", ("brackets",), 3)),
     ("5<10", Cleaned("5 10", ("brackets",), 4)),
     ("Rice\x00", Cleaned("Rice", ("spaces",), 4)),
     ("First\nSecond", Cleaned("First\nSecond", (), 12)),
     ("<>", Cleaned("", ("brackets",), 0)), ("", Cleaned("")), (None, Cleaned(""))],
)  # fmt: skip
def test_brackets_and_outer_spaces_go_and_it_is_said(text: str | None, cleaned: Cleaned) -> None:
    assert clean(text, "description") == cleaned


@pytest.mark.parametrize(
    ("field", "longest"),
    [("item_name", 100), ("contact_name", 200), ("description", 2000), ("reason", 49), ("reference_number", 100)],
)
def test_a_text_that_is_too_long_is_left_out_with_a_warning_and_never_cut(field: str, longest: int) -> None:
    assert clean("x" * longest, field).text == "x" * longest
    long = clean("x" * (longest + 1), field)
    assert (long.text, long.too_long) == ("", True)
    assert f"{longest + 1} characters" in long.warning("It")


def test_the_length_counts_without_what_is_taken_out() -> None:
    assert clean(" <" + "x" * 49 + "> ", "reason").text == "x" * 49


def test_only_what_people_would_miss_is_warned_of() -> None:
    assert clean(" Rice ", "unit").warning("The unit") == ""
    assert clean("<Rice>", "unit").warning("The unit") == "The unit was sent without < and >, which Books refuses."


@given(st.text(max_size=3000), st.sampled_from(sorted(LONGEST)))
def test_whatever_comes_in_books_takes_what_comes_out(text: str, field: str) -> None:
    cleaned = clean(text, field)
    assert not {"<", ">"} & set(cleaned.text)
    assert cleaned.text == cleaned.text.strip()
    assert len(cleaned.text) <= LONGEST[field]
    assert clean(cleaned.text, field).text == cleaned.text
