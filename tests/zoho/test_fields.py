"""What is checked before it is sent: nothing is shortened, nothing is lost without a word."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zohosync.zoho import coql
from zohosync.zoho.fields import Checked, FieldCatalogue, is_email, is_phone, utf16_length


def meta(api_name: str, data_type: str = "text", length: int | None = None, **more: Any) -> dict[str, Any]:
    return {"api_name": api_name, "display_label": api_name.replace("_", " "), "data_type": data_type,
            "length": length, **more}  # fmt: skip


CONTACTS = FieldCatalogue.parse(
    "Contacts",
    [
        meta("Last_Name", length=80, system_mandatory=True),
        meta("First_Name", length=40),
        meta("Email", "email", 100),
        meta("Phone", "phone", 30),
        meta("Description", "textarea", 32_000),
        meta("Account_Name", "lookup"),
        meta("Email_Opt_Out", "boolean"),
        meta("No_of_Employees", "integer", 9),
        meta("Full_Name", length=120, field_read_only=True),
        meta("Created_Time", "datetime", operation_type={"api_create": False}),
        meta("Future", "something_new"),
    ],
)


def check(creating: bool = True, **payload: Any) -> tuple[dict[str, Any], list[tuple[str, str]], list[tuple[str, str]]]:
    checked = CONTACTS.check(payload, creating=creating)
    return (
        checked.payload,
        [(warning.field, warning.code) for warning in checked.warnings],
        [(refusal.field, refusal.reason) for refusal in checked.refusals],
    )


def test_a_good_payload_passes_unchanged() -> None:
    payload = {"Last_Name": "Boyle", "Email": "p.boyle@example.com", "Phone": "+919876543210", "id": "1",
               "Account_Name": {"id": "2"}, "Email_Opt_Out": False, "Future": [1], "$append_values": {}}  # fmt: skip
    assert CONTACTS.check(payload) == Checked(payload)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("First_Name", "x" * 41, "too_long"), ("First_Name", "😀" * 21, "too_long"),
     ("Email", "nonsense", "invalid_value"), ("Email", f"{'x' * 100}@example.com", "too_long"),
     ("Phone", "(080) 41234567", "invalid_value"),
     ("Phone", "1" * 31, "too_long"), ("Shop_Id", "7", "unknown_field"), ("Full_Name", "x", "read_only_field"),
     ("Created_Time", "x", "read_only_field"), ("Account_Name", "Acme", "invalid_value"),
     ("Account_Name", {"name": "Acme"}, "invalid_value"), ("Account_Name", ["Acme"], "invalid_value"),
     ("Email_Opt_Out", "true", "invalid_value"), ("No_of_Employees", "1234567890", "invalid_value"),
     ("No_of_Employees", "ten", "invalid_value"), ("First_Name", 7, "invalid_value")],
)  # fmt: skip
def test_an_optional_value_that_does_not_fit_is_left_out_with_a_warning(field: str, value: Any, code: str) -> None:
    assert check(Last_Name="Boyle", **{field: value}) == ({"Last_Name": "Boyle"}, [(field, code)], [])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [({}, "mandatory_missing"), ({"Last_Name": None}, "mandatory_missing"), ({"Last_Name": ""}, "mandatory_missing"),
     ({"Last_Name": "x" * 81}, "too_long")],
)  # fmt: skip
def test_a_mandatory_value_that_does_not_fit_refuses_the_record(payload: dict[str, Any], reason: str) -> None:
    clean, warnings, refusals = check(**payload)
    assert (clean, warnings, refusals) == ({}, [], [("Last_Name", reason)])


def test_a_refusal_names_limit_and_remedy() -> None:
    (refusal,) = CONTACTS.check({"Last_Name": "x" * 81}).refusals
    assert "81 characters; Zoho allows 80" in refusal.message
    assert "Shorten Last Name" in refusal.hint


def test_an_update_may_leave_mandatory_fields_out_but_not_empty() -> None:
    assert check(creating=False, Phone="1") == ({"Phone": "1"}, [], [])
    assert check(creating=False, Last_Name=None) == ({}, [], [("Last_Name", "mandatory_missing")])


def test_none_clears_an_optional_field() -> None:
    assert check(Last_Name="x", Phone=None) == ({"Last_Name": "x", "Phone": None}, [], [])


def test_an_unknown_field_is_never_lost_without_a_word() -> None:
    (warning,) = CONTACTS.check({"Last_Name": "x", "GSTIN": "29ABCDE1234F1Z5"}).warnings
    assert "GSTIN does not exist in Contacts of this Zoho organisation, so it was not sent" in warning.message


@given(st.dictionaries(st.sampled_from(["Last_Name", "Email", "Phone", "Unknown", "Account_Name"]),
                       st.none() | st.text(max_size=120) | st.integers() | st.lists(st.text(max_size=3))))  # fmt: skip
def test_every_value_is_sent_as_it_is_or_reported(payload: dict[str, Any]) -> None:
    checked = CONTACTS.check(payload)
    reported = {warning.field for warning in checked.warnings} | {refusal.field for refusal in checked.refusals}
    for name, value in payload.items():
        assert (name in checked.payload) != (name in reported)
        assert name in reported or checked.payload[name] == value


@pytest.mark.parametrize(
    ("address", "valid"),
    [("p.boyle@example.com", True), ("a+b@example.co.in", True), ("x..y@z.com", True), ("प्रिया@example.com", True),
     ("jörg@müller.de", True), ("a@sub-domain.example.com", True), ("_a@b.com", True),
     (".a@example.com", False), ("a@example", False), ("a@127.0.0.1", False), ("a@example.c0m", False),
     ("a@xn--e1afmkfd.xn--p1ai", False), ("a b@example.com", False), ("a@@example.com", False), ("", False),
     ("a@example.com\n", False), ("a@-example.com", False), ("a@example-.com", False), ("a@.com", False)],
)  # fmt: skip
def test_the_addresses_zoho_accepts(address: str, valid: bool) -> None:
    assert is_email(address) is valid


@pytest.mark.parametrize(
    ("number", "valid"),
    [("+919876543210", True), ("+91 98765 43210", True), ("+91-98765-43210", True), ("080-4123-4567", True),
     ("phone", True), ("(080) 41234567", False), ("98765/43210", False), ("tel:123", False), ("", False),
     ("91(987)654321", False), ("+919876543210\n", False), ("०८०", False), ("1" * 31, False)],
)  # fmt: skip
def test_the_numbers_zoho_accepts(number: str, valid: bool) -> None:
    assert is_phone(number) is valid


@given(st.text(alphabet="1a .-+,;#(", max_size=60))
def test_no_number_takes_long_to_judge(number: str) -> None:
    started = time.perf_counter()
    is_phone(number)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["a" * 300 + "@", "a@" + "a" * 254, "a@" + "a-" * 120, "a@" + "a." * 120])
def test_no_address_takes_long_to_judge(text: str) -> None:
    started = time.perf_counter()
    assert not is_email(text)
    assert time.perf_counter() - started < 0.2


@given(st.text())
def test_length_is_never_less_than_pythons(text: str) -> None:
    assert utf16_length(text) >= len(text)


# --- COQL


@given(st.text())
def test_a_quoted_value_ends_where_it_should(value: str) -> None:
    literal = coql.quoted(value)
    inside = literal[1:-1].replace("\\\\", "").replace("\\'", "")
    assert "'" not in inside
    assert "\\" not in inside


@pytest.mark.parametrize("name", ["", "1a", "a b", "a;b", "a'", "a.b.c", "Émail", "a\n"])
def test_only_api_names_pass_as_names(name: str) -> None:
    with pytest.raises(ValueError, match="not an API name"):
        coql.named(name)


def test_a_query_by_values() -> None:
    assert coql.select_where_in("Contacts", "Email", ["a@b.c", "o'x"], ["id", "Email", "Last_Name"]) == (
        "select id, Email, Last_Name from Contacts where Email in ('a@b.c', 'o\\'x') order by id asc"
    )
    assert list(coql.batches([str(n) for n in range(120)] + ["1", " "])) == [
        [str(n) for n in range(start, min(start + 50, 120))] for start in (0, 50, 100)
    ]
    with pytest.raises(ValueError, match="1 to 50"):
        coql.select_where_in("Contacts", "Email", [], [])
    assert [coql.cost(limit) for limit in (1, 200, 201, 1000, 1001, 2000)] == [1, 1, 2, 2, 3, 3]
