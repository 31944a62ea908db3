"""What one typed as a GSTIN is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zohosync.gst.gstin import ALPHABET, Worth, check_character, judge_gstin
from zohosync.gst.state_table import BY_DIGITS

GOOD = "27AAPFU0939F1ZV"


def numbers() -> st.SearchStrategy[str]:
    """Well-formed numbers with their right last character."""
    letters = st.sampled_from(ALPHABET[10:])
    first = st.builds(
        lambda state, three, holder, fifth, serial, last, entity: (
            f"{state}{three}{holder}{fifth}{serial:04d}{last}{entity}Z"
        ),
        st.sampled_from(sorted(BY_DIGITS)),
        st.text(letters, min_size=3, max_size=3),
        st.sampled_from("ABCFGHJLPT"),
        letters,
        st.integers(1, 9999),
        letters,
        st.sampled_from(ALPHABET[1:]),
    )
    return first.map(lambda text: text + check_character(text))


@pytest.mark.parametrize(("first", "last"), [("27AAPFU0939F1Z", "V"), ("29AAGCB7383J1Z", "4"), ("04AABFN9870CMZ", "T")])
def test_the_check_character_of_numbers_in_use(first: str, last: str) -> None:
    assert check_character(first) == last


@pytest.mark.parametrize(
    "typed",
    [
        GOOD,
        " 27aapfu 0939f1zv ",
        "27-AAPFU-0939F1ZV",
        "２７AAPFU0939F1ZV",
        "\u200b27AAPFU0939F1ZV\n",
        "27AAPFU0939F1ZV\u00a0",
        "GSTIN: 27AAPFU0939F1ZV",
        "GST No. 27AAPFU0939F1ZV",
        "27.AAPFU.0939F1ZV",
    ],
)
def test_a_good_number_is_found_however_it_is_written(typed: str) -> None:
    verdict = judge_gstin(typed)
    assert (verdict.worth, verdict.number, verdict.state) == (Worth.VALID, GOOD, "MH")


@pytest.mark.parametrize(
    "typed",
    [None, "", "  ", "-", "NA", "n/a", "N.A.", "nil", "URP", "None", "Not applicable", "unregistered", "0", "GSTIN:"],
)
def test_words_for_nothing_are_nothing(typed: str | None) -> None:
    assert judge_gstin(typed).worth is Worth.NONE


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("27AAPFU0939F1ZA", "gstin_checksum"),
        ("33AIRCA1234A1Z5", "gstin_checksum"),
        ("27AAPFUO939F1ZV", "gstin_format"),
        ("27AAPFU0939F1Z", "gstin_format"),
        ("27AAPFU0939F1ZVV", "gstin_format"),
        ("27AAPFU0939F0ZV", "gstin_format"),
        ("applied for", "gstin_format"),
        ("27ÄAPFU0939F1ZV", "gstin_format"),
    ],
)
def test_a_mistyped_number_says_how(typed: str, code: str) -> None:
    verdict = judge_gstin(typed)
    assert verdict.worth is Worth.MISTYPED
    assert verdict.problem is not None
    assert verdict.problem.name == code
    assert verdict.state is None


def right(first: str) -> str:
    return first + check_character(first)


@pytest.mark.parametrize(
    "number",
    [
        right("27AAPFU0939F1D"),
        right("27AAPFU0939F1C"),
        right("28AAPFU0939F1Z"),
        right("25AAPFU0939F1Z"),
        right("96AAPFU0939F1Z"),
        right("99AAPFU0939F1Z"),
        right("00AAPFU0939F1Z"),
        right("27AAPXU0939F1Z"),
        right("27AAPFU0000F1Z"),
        "27MUMA12345B1Z5",
        "0717USA12345UNF",
        "0717USA12345ONF",
        "0717USA12345NRF",
        "9917USA29001OSF",
    ],
)
def test_kinds_that_are_no_ordinary_taxpayer_need_a_person(number: str) -> None:
    verdict = judge_gstin(number)
    assert verdict.worth is Worth.SPECIAL
    assert verdict.problem is not None
    assert verdict.problem.code == "gstin_special_type"


@pytest.mark.parametrize(("digits", "state"), [("38", "LA"), ("97", "OT"), ("37", "AD"), ("36", "TS"), ("26", "DN")])
def test_every_state_of_today_has_its_taxpayers(digits: str, state: str) -> None:
    verdict = judge_gstin(right(f"{digits}AAGCB7383J1Z"))
    assert (verdict.worth, verdict.state) == (Worth.VALID, state)


@given(numbers())
def test_well_formed_numbers_are_good(number: str) -> None:
    verdict = judge_gstin(number)
    assert (verdict.worth, verdict.state) == (Worth.VALID, BY_DIGITS[number[:2]].code)


@given(numbers(), st.integers(0, 14), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(number: str, position: int, character: str) -> None:
    wrong = number[:position] + character + number[position + 1 :]
    assert (judge_gstin(wrong).worth is Worth.VALID) == (wrong == number)


def test_all_of_the_single_errors_of_one_number_are_found() -> None:
    wrong = {GOOD[:at] + c + GOOD[at + 1 :] for at in range(15) for c in ALPHABET} - {GOOD}
    assert len(wrong) == 15 * 35
    assert not [number for number in wrong if judge_gstin(number).worth in (Worth.VALID, Worth.NONE)]


@given(st.text())
def test_anything_typed_gets_a_verdict(text: str) -> None:
    verdict = judge_gstin(text)
    assert (verdict.problem is None) == (verdict.worth in (Worth.VALID, Worth.NONE))


@pytest.mark.parametrize(
    ("digits", "said"),
    [("28", "Andhra Pradesh before it was divided in 2014"), ("25", "Daman and Diu before it joined")],
)
def test_a_number_of_a_state_that_is_no_more_is_told_as_that(digits: str, said: str) -> None:
    number = f"{digits}AAGCB7383J1Z"
    verdict = judge_gstin(number + check_character(number))
    assert verdict.worth is Worth.SPECIAL
    assert verdict.problem is not None
    assert said in verdict.problem.message
    assert "embassy" not in verdict.problem.message
