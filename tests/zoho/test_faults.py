"""Zoho's codes for one record, as one sentence with its remedy."""

from typing import Any

import pytest

from zohosync.errors import OutcomeUnknown, Refused, ZohoFailure, ZohoUnavailable
from zohosync.zoho.faults import Fault, error_of


def error(code: str, details: object = None, message: str = "invalid data") -> ZohoFailure:
    item = {"code": code, "details": {} if details is None else details, "message": message, "status": "error"}
    return error_of(Fault.parse(item), 400)


@pytest.mark.parametrize(
    ("code", "details", "reason", "field", "said"),
    [
        ("MANDATORY_NOT_FOUND", {"api_name": "Last_Name", "json_path": "$.data[0].Last_Name"},
         "zoho_mandatory_missing", "Last_Name", "Last_Name is missing, and Zoho insists on it."),
        ("INVALID_DATA", {"expected_data_type": "email", "api_name": "Email", "json_path": "$.data[0].Email"},
         "zoho_invalid_value", "Email", "Email is not a valid email for Zoho."),
        ("INVALID_DATA", {"expected_data_type": "phone", "api_name": "Phone"},
         "zoho_invalid_value", "Phone", "Phone is not a valid phone for Zoho."),
        ("INVALID_DATA", {"maximum_length": 80, "api_name": "Last_Name", "json_path": "$.data[0].Last_Name"},
         "zoho_too_long", "Last_Name", "Last_Name is longer than the 80 characters Zoho allows."),
        ("INVALID_DATA", {"api_name": "Rating", "json_path": "$.data[0].Rating", "supported_values": ["A", "B"]},
         "zoho_not_in_list", "Rating", "Use one of: A, B."),
        ("INVALID_DATA", {"api_name": "id", "json_path": "$.data[0].id"},
         "zoho_record_absent", "id", "The record does not exist in Zoho (any more)."),
        ("INVALID_DATA", {"id": "123"}, "zoho_record_absent", "", "The record does not exist"),
        ("INVALID_DATA", {"resource_path_index": 1}, "zoho_record_absent", "", "The record does not exist"),
        ("INVALID_DATA", {"api_name": "id", "json_path": "$.data[0].Account_Name.id"},
         "zoho_unknown_reference", "Account_Name", "Account_Name names a record that does not exist in Zoho."),
        ("DUPLICATE_DATA", {"api_name": "Email", "json_path": "$.data[0].Email", "more_records": False,
                            "duplicate_record": {"id": "777", "module": {"api_name": "Contacts"}}},
         "zoho_duplicate", "Email", "Record 777 in Zoho already has this value of Email."),
        ("DUPLICATE_DATA", {"api_name": "Email", "id": "778"}, "zoho_duplicate", "Email", "Record 778 in Zoho"),
        ("DUPLICATE_DATA", [], "zoho_duplicate", "", "Another record in Zoho"),
        ("EXPECTED_FIELD_MISSING", {"expected_fields": [{"api_name": "Stage"}, {"api_name": "Amount"}]},
         "zoho_mandatory_missing", "", "Zoho expects Stage, Amount as well."),
        ("DEPENDENT_FIELD_MISSING", {"api_name": "City", "dependee": {"api_name": "State"}},
         "zoho_mandatory_missing", "City", "City is missing"),
        ("NO_PERMISSION", {"permissions": ["Crm_Implied_Edit_Contacts"]},
         "zoho_no_permission", "", "Crm_Implied_Edit_Contacts"),
        ("LIMIT_EXCEEDED", {"limit": 50, "param_name": "fields"}, "zoho_limit", "fields", "limit"),
        ("SOMETHING_NEW", None, "zoho_refused", "", "SOMETHING_NEW: invalid data"),
    ],
)  # fmt: skip
def test_a_refusal_names_field_and_remedy(code: str, details: object, reason: str, field: str, said: str) -> None:
    refused = error(code, details)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.field) == (reason, field)
    assert said in str(refused)
    assert refused.hint
    assert (refused.vendor_code, refused.vendor_message, refused.status) == (code, "invalid data", 400)


@pytest.mark.parametrize("code", ["RECORD_LOCKED", "NOT_APPROVED", "NOT_REVIEWED", "ALREADY_MODIFIED"])
def test_what_passes_by_itself_is_not_a_refusal(code: str) -> None:
    waiting = error(code, {"api_name": "x", "action": "update"})
    assert type(waiting) is ZohoUnavailable
    assert waiting.reason == code.lower()


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "SERVICE_UNAVAILABLE"])
def test_trouble_with_one_record_leaves_it_in_doubt(code: str) -> None:
    assert isinstance(error(code), OutcomeUnknown)


def several(*faults: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"errors": [{"code": code, "details": details, "status": "error"} for code, details in faults]}


def test_a_duplicate_among_several_faults_is_not_missed() -> None:
    inner = several(
        ("INVALID_DATA", {"api_name": "Phone", "expected_data_type": "phone"}),
        ("DUPLICATE_DATA", {"api_name": "Email", "duplicate_record": {"id": "5"}}),
    )
    both = error("MULTIPLE_OR_MULTI_ERRORS", inner)
    assert isinstance(both, Refused)
    assert (both.reason, both.field, both.details["duplicate_id"]) == ("zoho_duplicate", "Email", "5")
    assert "Phone is not a valid phone" in both.message
    assert "Record 5" in both.message


def test_faults_within_faults_are_found() -> None:
    deep = several(("MULTIPLE_OR_MULTI_ERRORS", several(("MANDATORY_NOT_FOUND", {"api_name": "Last_Name"}))))
    assert error("MULTIPLE_OR_MULTI_ERRORS", deep).reason == "zoho_mandatory_missing"


def test_a_lock_beside_a_refusal_is_a_refusal_and_two_locks_are_a_wait() -> None:
    mixed = several(("RECORD_LOCKED", {}), ("MANDATORY_NOT_FOUND", {"api_name": "Last_Name"}))
    assert isinstance(error("MULTIPLE_OR_MULTI_ERRORS", mixed), Refused)
    locked = several(("RECORD_LOCKED", {}), ("NOT_APPROVED", {}))
    assert type(error("MULTIPLE_OR_MULTI_ERRORS", locked)) is ZohoUnavailable


def test_several_faults_without_content_are_a_plain_refusal() -> None:
    assert error("MULTIPLE_OR_MULTI_ERRORS", {"errors": []}).reason == "zoho_refused"
