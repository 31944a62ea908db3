"""Which state an address means, and how it was told."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zohosync.gst.countries import FOREIGN, tell_country
from zohosync.gst.sale import Problem
from zohosync.gst.state_table import BY_CODE, BY_PIN_PREFIX, STATES
from zohosync.gst.states import Resolved, resolve_state

SHARED = Path(__file__).parents[3] / "shared" / "data" / "gst-states.json"


@pytest.mark.parametrize(
    ("typed", "code", "source"),
    [
        ("Tamilnadu", "TN", "name"),
        ("TAMIL NADU", "TN", "name"),
        ("Tamil Nādu", "TN", "name"),
        ("Tamil Nadu, India", "TN", "name"),
        ("T.N.", "TN", "alias"),
        ("33", "TN", "code"),
        ("IN-TN", "TN", "code"),
        ("in-tn", "TN", "code"),
        ("tn", "TN", "code"),
        ("Orissa", "OD", "alias"),
        ("OR", "OD", "code"),
        ("IN-OR", "OD", "code"),
        ("Pondicherry", "PY", "alias"),
        ("Pondy", "PY", "alias"),
        ("Telengana", "TS", "alias"),
        ("Telangana State", "TS", "name"),
        ("TG", "TS", "code"),
        ("TS", "TS", "code"),
        ("Uttaranchal", "UK", "alias"),
        ("IN-UT", "UK", "code"),
        ("UA", "UK", "code"),
        ("Chattisgarh", "CG", "alias"),
        ("CT", "CG", "code"),
        ("AP", "AD", "code"),
        ("AD", "AD", "code"),
        ("37", "AD", "code"),
        ("A.P.", "AD", "alias"),
        ("Andhra Pradesh", "AD", "name"),
        ("Arunachal Pradesh", "AR", "name"),
        ("Daman & Diu", "DN", "alias"),
        ("Dadra & Nagar Haveli", "DN", "alias"),
        ("DD", "DN", "code"),
        ("DH", "DN", "code"),
        ("J&K", "JK", "alias"),
        ("Chandigarh UT", "CH", "name"),
        ("Ladakh (UT)", "LA", "name"),
        ("UT of Ladakh", "LA", "name"),
        ("State of Kerala", "KL", "name"),
        ("New Delhi", "DL", "alias"),
        ("NCT of Delhi", "DL", "alias"),
        ("97", "OT", "code"),
        (" \u200bGoa ", "GA", "name"),
        ("ＴＮ", "TN", "code"),
    ],
)
def test_a_state_is_known_however_it_is_written(typed: str, code: str, source: str) -> None:
    assert resolve_state(typed, None, "India") == Resolved(code, source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "pin", "code"),
    [
        ("Gujrath", "380001", "GJ"),
        ("Telangna", "500001", "TS"),
        ("Rajsthan", "302001", "RJ"),
        ("Arunchal Pradesh", "791111", "AR"),
        ("Uttar Pradehs", "244001", "UP"),
    ],
)
def test_a_word_like_a_state_is_one_when_the_pin_agrees(typed: str, pin: str, code: str) -> None:
    assert resolve_state(typed, pin, "IN") == Resolved(code, "fuzzy+pin")
    assert problem(typed, None) == "state_unresolved"
    assert problem(typed, "600001") == "state_pin_conflict"


@pytest.mark.parametrize(
    ("typed", "pin", "code"),
    [
        (None, "194101", "LA"),
        ("", "744101", "AN"),
        ("", "737101", "SK"),
        ("", "403001", "GA"),
        ("N/A", "110001", "DL"),
        ("Bangalore", "560 001", "KA"),
        ("Manipal", "576104", "KA"),
        ("Karnal", "132001", "HR"),
        ("Delhi NCR", "110001", "DL"),
        ("Delhi NCR", "122001", "HR"),
        ("NCR", "201301", "UP"),
        ("UT", "248001", "UK"),
        ("தமிழ்நாடு", "600-001", "TN"),
        ("28", "520001", "AD"),
        ("", "６００００１", "TN"),
    ],
)
def test_a_pin_tells_where_the_text_cannot(typed: str | None, pin: str, code: str) -> None:
    assert resolve_state(typed, pin, "India") == Resolved(code, "pin")


def problem(typed: str | None, pin: str | None, country: str | None = "India") -> str:
    found = resolve_state(typed, pin, country)
    assert isinstance(found, Problem), found
    return found.code


@pytest.mark.parametrize(
    "pin", ["160017", "244001", "362520", "396230", "507001", "533464", "605001", "607001", "673310"]
)
def test_a_pin_of_two_states_tells_nothing_alone(pin: str) -> None:
    assert problem("", pin) == "state_unresolved"


@pytest.mark.parametrize(
    "pin", ["682555", "783001", "813001", "900001", "990001", "060001", "60001", "6000011", "abc", "٦٠٠٠٠١"]
)
def test_a_pin_that_proves_nothing_leaves_the_state_open(pin: str) -> None:
    assert problem("", pin) == "state_unresolved"


@pytest.mark.parametrize(
    "typed",
    ["Delhi NCR", "NCR", "UT", "Pradesh", "N/A", "", "Bangalore", "Mumbai", "25", "28", "96", "99", "India", "XX"],
)
def test_what_is_no_state_needs_a_person(typed: str) -> None:
    assert problem(typed, None) == "state_unresolved"


@pytest.mark.parametrize(
    ("typed", "pin"),
    [("Kerala", "600001"), ("Kerala", "605001"), ("TN", "110001"), ("Delhi NCR", "600001"), ("UT", "600001")],
)
def test_a_state_and_a_pin_of_another_are_a_conflict(typed: str, pin: str) -> None:
    assert problem(typed, pin) == "state_pin_conflict"


@pytest.mark.parametrize(
    ("typed", "pin"), [("Tamil Nadu", "605001"), ("Puducherry", "605001"), ("Yanam", "533464"), ("TS", "507001")]
)
def test_a_pin_of_two_states_agrees_with_both(typed: str, pin: str) -> None:
    assert isinstance(resolve_state(typed, pin, "India"), Resolved)


@pytest.mark.parametrize("pin", ["900001", "12345", "unknown", ""])
def test_a_pin_that_proves_nothing_does_not_contradict(pin: str) -> None:
    assert resolve_state("Kerala", pin, "India") == Resolved("KL", "name")


def test_what_a_person_wrote_is_believed_before_the_pin() -> None:
    assert resolve_state("Kerala", "600001", None, by_person=True) == Resolved("KL", "person")
    assert resolve_state("", "600001", "India", by_person=True) == Resolved("TN", "person")
    found = resolve_state("somewhere", None, "India", by_person=True)
    assert isinstance(found, Problem)


def test_a_word_like_two_states_is_like_none() -> None:
    """Andaman and Daman are one letter apart."""
    assert resolve_state("Adaman", "744101", "India") == Resolved("AN", "pin")
    assert problem("Adaman", "396230") == "state_unresolved"


def test_a_suggestion_is_told_in_the_hint() -> None:
    found = resolve_state("Gujrath", None, "India")
    assert isinstance(found, Problem)
    assert found.hint.startswith("It may be Gujarat.")


@pytest.mark.parametrize("country", ["India", "IN", "ind", " INDIA ", "Bharat", "भारत", "Republic of India"])
def test_india_is_known(country: str) -> None:
    assert tell_country(country) == "india"


@pytest.mark.parametrize(
    "country", ["US", "USA", "United States", "Kenya", "KE", "U.A.E.", "Côte d'Ivoire", "Sri Lanka"]
)
def test_other_countries_are_known(country: str) -> None:
    assert tell_country(country) == "abroad"


@pytest.mark.parametrize("country", ["Indai", "Inida", "Tamil Nadu", "91", "Earth"])
def test_a_misspelt_country_is_not_an_export(country: str) -> None:
    assert tell_country(country) == "unknown"
    assert problem("Tamil Nadu", "600001", country) == "country_unknown"


@pytest.mark.parametrize("country", [None, "", " ", "-"])
def test_a_missing_country_is_not_guessed(country: str | None) -> None:
    assert problem("Tamil Nadu", "600001", country) == "country_missing"


def test_no_word_for_india_is_a_foreign_country() -> None:
    assert len(set(FOREIGN.values())) > 240
    assert not {"in", "ind", "india", "bharat"} & FOREIGN.keys()


def test_there_are_36_states_and_territories_besides_the_other_one() -> None:
    assert len(STATES) == len(BY_CODE) == len({state.digits for state in STATES}) == 37


@pytest.mark.skipif(not SHARED.exists(), reason="the table does not lie beside the project")
def test_our_table_is_the_researched_one() -> None:
    theirs = json.loads(SHARED.read_text(encoding="utf-8"))["states"]
    assert [(s["zoho_code"], s["gst_code"], s["name"], s["second_leg"]) for s in theirs] == [
        (s.code, s.digits, s.name, s.second_leg) for s in STATES
    ]
    for row in theirs:
        for word in (row["name"], row["zoho_code"], row["iso_3166_2"], *row["other_two_letter_codes"], *row["aliases"]):
            found = resolve_state(word, None, "India") if word else Resolved(row["zoho_code"], "code")
            assert isinstance(found, Resolved), word
            assert found.code == row["zoho_code"]
        for written in row["pin_prefixes"]:
            first, _, last = written.rstrip("*").partition("-")
            for prefix in range(int(first), int(last or first) + 1):
                assert row["zoho_code"] in BY_PIN_PREFIX[str(prefix)]
                assert (len(BY_PIN_PREFIX[str(prefix)]) > 1) == written.endswith("*")


@given(st.text(), st.text(), st.text())
def test_any_address_is_a_state_or_a_problem(text: str, pin: str, country: str) -> None:
    found = resolve_state(text, pin, country)
    assert isinstance(found, Problem) or found.code in BY_CODE


@pytest.mark.parametrize(
    ("typed", "pin"), [("GA", "30301"), ("ga", "30301-1234"), ("T.N.", "37201"), ("MH", "96960"), ("TS", "5000012")]
)
def test_a_code_beside_what_is_no_pin_may_be_of_another_country(typed: str, pin: str) -> None:
    found = resolve_state(typed, pin, "India")
    assert isinstance(found, Problem)
    assert found.code == "state_pin_conflict"
    assert f"but {pin} is no PIN of India" in found.message


@pytest.mark.parametrize(
    ("typed", "pin"), [("Karnataka", "56001"), ("IN-KA", "56001"), ("KA", ""), ("KA", " 560 001 ")]
)
def test_a_name_is_believed_beside_a_mistyped_pin_and_a_code_without_one(typed: str, pin: str) -> None:
    found = resolve_state(typed, pin, "India")
    assert isinstance(found, Resolved)
    assert found.code == "KA"


def test_a_person_is_believed_about_a_code_whatever_the_pin() -> None:
    assert resolve_state("GA", "30301", "India", by_person=True) == Resolved("GA", "person")


def test_an_order_without_an_address_is_told_as_that() -> None:
    found = resolve_state(None, "", None)
    assert isinstance(found, Problem)
    assert (found.code, found.message) == (
        "country_missing",
        "The order has no delivery address: no state, no PIN and no country.",
    )
    assert "Enter the delivery address in the shop" in found.hint
    other = resolve_state("Kerala", None, None)
    assert isinstance(other, Problem)
    assert other.message == "The delivery address names no country."
