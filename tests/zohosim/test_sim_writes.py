"""Writing records: statuses, results, validation, the upsert table, external fields, locks."""

import re
import time

import pytest

LAST = {"Last_Name": "Example"}


def person(email: str, **more: object) -> dict[str, object]:
    return {"Last_Name": "Example", "Email": email, **more}


def codes(answer) -> list[str]:
    return [result["code"] for result in answer.json()["data"]]


# Bodies


async def test_the_body_is_read_whatever_its_content_type_says(zoho):
    body = b'{"data": [{"Last_Name": "Example"}]}'
    for content_type in ("application/x-www-form-urlencoded", "text/plain", ""):
        answer = await zoho.crm("POST", "/Contacts", content=body, headers={"content-type": content_type})
        assert answer.status_code == 201


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"17"])
async def test_a_body_that_is_no_object_is_refused_flat(zoho, body):
    answer = await zoho.crm("POST", "/Contacts/upsert", content=body)
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "INVALID_DATA",
        "details": {"expected_data_type": "jsonobject"},
        "message": "body",
        "status": "error",
    }


async def test_a_body_that_is_not_json_cannot_be_parsed(zoho):
    assert (await zoho.crm("POST", "/Contacts", content=b"{")).json()["code"] == "UNABLE_TO_PARSE_DATA_TYPE"
    await zoho.turn(unparsable_body_code="INVALID_REQUEST")
    assert (await zoho.crm("POST", "/Contacts", content=b"{")).json()["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("body", "code", "details"),
    [
        ({}, "MANDATORY_NOT_FOUND", {"api_name": "data"}),
        ({"data": {}}, "INVALID_DATA", {"expected_data_type": "jsonarray"}),
        ({"data": []}, "INVALID_DATA", {"expected_data_type": "jsonarray"}),
        ({"data": [LAST] * 101}, "INVALID_DATA", {"maximum_length": 100}),
    ],
)
async def test_data_must_be_an_array_of_one_to_a_hundred(zoho, body, code, details):
    answer = await zoho.crm("POST", "/Contacts", json=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["details"].items() >= details.items()
    assert zoho.sim.crm.modules["Contacts"].records == {}


async def test_a_hundred_records_are_accepted_in_order(zoho):
    answer = await zoho.write("POST", "/Contacts", *(person(f"p{n}@example.com") for n in range(100)))
    ids = [result["details"]["id"] for result in answer.json()["data"]]
    assert len(set(ids)) == 100
    assert ids == sorted(ids)


# Statuses and results


async def test_an_insert_answers_201_an_update_200_an_upsert_200(zoho):
    inserted = await zoho.write("POST", "/Contacts", LAST)
    record_id = inserted.json()["data"][0]["details"]["id"]
    assert inserted.status_code == 201
    assert (await zoho.write("PUT", "/Contacts", {"id": record_id, "Title": "Dr"})).status_code == 200
    assert (await zoho.write("PUT", f"/Contacts/{record_id}", {"Title": "Prof"})).status_code == 200
    assert (await zoho.upsert("Contacts", person("new@example.com"))).status_code == 200


async def test_an_upsert_that_inserts_may_answer_201(zoho):
    await zoho.turn(upsert_insert_status=201)
    assert (await zoho.upsert("Contacts", person("a@example.com"))).status_code == 201
    assert (await zoho.upsert("Contacts", person("a@example.com"))).status_code == 200


@pytest.mark.parametrize("path", ["/Contacts", "/Contacts/upsert"])
async def test_some_refused_records_answer_207_and_only_refused_ones_400(zoho, path):
    mixed = await zoho.write("POST", path, LAST, {"First_Name": "x"}, {"Last_Name": "Other"})
    assert mixed.status_code == 207
    assert codes(mixed) == ["SUCCESS", "MANDATORY_NOT_FOUND", "SUCCESS"]
    none = await zoho.write("POST", path, {"First_Name": "x"}, {})
    assert none.status_code == 400
    assert codes(none) == ["MANDATORY_NOT_FOUND", "MANDATORY_NOT_FOUND"]


async def test_a_sandbox_may_answer_200_to_a_mixed_write(zoho):
    await zoho.turn(mixed_status=200)
    assert (await zoho.write("POST", "/Contacts", LAST, {})).status_code == 200


async def test_a_result_has_string_ids_and_times_with_the_offset_of_the_organisation(zoho):
    result = (await zoho.write("POST", "/Contacts", LAST)).json()["data"][0]
    details = result["details"]
    assert re.fullmatch(r"\d{18}", details["id"])
    assert details["Created_Time"] == details["Modified_Time"] == "2026-11-22T12:00:00+05:30"
    assert details["Created_By"]["name"] == "Integration User"
    assert (result["code"], result["status"], result["message"]) == ("SUCCESS", "success", "record added")


async def test_ids_may_come_in_as_numbers(zoho):
    (record_id,) = await zoho.insert("Contacts", LAST)
    answer = await zoho.write("PUT", "/Contacts", {"id": int(record_id), "Title": "Dr"})
    assert answer.json()["data"][0]["details"]["id"] == record_id


async def test_answers_are_json_with_a_charset(zoho):
    answer = await zoho.write("POST", "/Contacts", LAST)
    assert answer.headers["content-type"] == "application/json;charset=utf-8"


# Updates


async def test_an_update_keeps_what_it_does_not_name_and_clears_what_is_null(zoho):
    (record_id,) = await zoho.insert("Contacts", person("a@example.com", Title="Dr", Department="Lab"))
    zoho.sim.clock.advance(60)
    await zoho.write("PUT", "/Contacts", {"id": record_id, "Title": None})
    record = await zoho.get("Contacts", record_id)
    assert (record["Title"], record["Department"], record["Email"]) == (None, "Lab", "a@example.com")
    assert record["Created_Time"] == "2026-11-22T12:00:00+05:30"
    assert record["Modified_Time"] == "2026-11-22T12:01:00+05:30"


async def test_clearing_a_mandatory_field_is_refused(zoho):
    (record_id,) = await zoho.insert("Contacts", LAST)
    for empty in (None, ""):
        answer = await zoho.write("PUT", "/Contacts", {"id": record_id, "Last_Name": empty})
        assert codes(answer) == ["MANDATORY_NOT_FOUND"]
        assert answer.json()["data"][0]["details"]["id"] == record_id


async def test_an_update_without_id_or_with_an_unknown_one_is_refused(zoho):
    answer = await zoho.write("PUT", "/Contacts", {"Title": "x"}, {"id": "123", "Title": "x"})
    assert codes(answer) == ["MANDATORY_NOT_FOUND", "INVALID_DATA"]
    assert answer.json()["data"][1]["message"] == "the id given seems to be invalid"


# Validation


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"Last_Name": "x" * 81}, {"maximum_length": 80, "api_name": "Last_Name"}),
        ({"Last_Name": 5}, {"expected_data_type": "text", "api_name": "Last_Name"}),
        ({"Email": "no address"}, {"expected_data_type": "email", "json_path": "$.data[0].Email"}),
        ({"Email": ".dot@example.com"}, {"expected_data_type": "email"}),
        ({"Email": "user@host"}, {"expected_data_type": "email"}),
        ({"Email": "user@xn--p1ai.xn--p1ai"}, {"expected_data_type": "email"}),
        ({"Email": ""}, {"expected_data_type": "email"}),
        ({"Email": "x" * 92 + "@a.example"}, {"maximum_length": 100}),
        ({"Phone": "(080) 41234567"}, {"expected_data_type": "phone"}),
        ({"Phone": "98765/43210"}, {"expected_data_type": "phone"}),
        ({"Phone": "+" + "9" * 30}, {"maximum_length": 30}),
        ({"Phone": 919876543210}, {"expected_data_type": "phone"}),
        ({"Date_of_Birth": "01-02-2000"}, {"expected_data_type": "date"}),
        ({"Email_Opt_Out": "true"}, {"expected_data_type": "boolean"}),
        ({"Account_Name": {"id": "1"}}, {"api_name": "Account_Name", "json_path": "$.data[0].Account_Name.id"}),
        ({"Account_Name": "Some firm"}, {"expected_data_type": "jsonobject"}),
        ({"Owner": {"id": "1"}}, {"json_path": "$.data[0].Owner.id"}),
        ({"Tag": "x"}, {"expected_data_type": "jsonarray"}),
    ],
)
async def test_wrong_values_refuse_the_record_and_name_the_field(zoho, values, details):
    answer = await zoho.write("POST", "/Contacts", {**LAST, **values})
    assert answer.status_code == 400
    (result,) = answer.json()["data"]
    assert result["code"] == "INVALID_DATA"
    assert result["details"].items() >= details.items()


@pytest.mark.parametrize(
    "values",
    [
        {"Email": "x..y@z.com"},
        {"Email": "plus+tag@sub.example.co.in"},
        {"Email": "जोशी@example.com"},
        {"Phone": "+919876543210"},
        {"Phone": "+91 98765 43210"},
        {"Phone": "080-4123-4567"},
        {"Lead_Source": "Something new"},
        {"Date_of_Birth": "2000-02-29"},
        {"Email_Opt_Out": True},
        {"Tag": [{"name": "Shop"}]},
        {"Owner": {"email": "admin@example.com"}},
        {"Website": "https://example.com/x?y=1"},
    ],
)
async def test_right_values_are_accepted(zoho, values):
    assert (await zoho.write("POST", "/Leads", {**LAST, **values})).status_code == 201 or "Date_of_Birth" in values
    assert (await zoho.write("POST", "/Contacts", {**LAST, **values})).status_code == 201


@pytest.mark.parametrize(
    ("module", "values", "refused"),
    [
        ("Leads", {"No_of_Employees": 12}, False),
        ("Leads", {"No_of_Employees": "12"}, True),
        ("Leads", {"No_of_Employees": 10**9}, True),
        ("Leads", {"Annual_Revenue": 1234.567}, False),
        ("Leads", {"Annual_Revenue": "1"}, True),
        ("Leads", {"Annual_Revenue": 1e17}, True),
        ("Leads", {"Website": "no website"}, True),
        ("Accounts", {"Account_Number": 123456789012345678}, False),
        ("Accounts", {"Account_Number": "12x"}, True),
    ],
)
async def test_numbers_and_addresses_are_checked_by_type(zoho, module, values, refused):
    answer = await zoho.write("POST", f"/{module}", {"Last_Name": "x", "Account_Name": "x", **values})
    assert answer.status_code == (400 if refused else 201)


async def test_parentheses_in_phones_and_empty_strings_are_switches(zoho):
    await zoho.turn(phone_parentheses=True, empty_string_clears=True)
    record = {**LAST, "Phone": "91(987)654321", "Email": ""}
    (record_id,) = await zoho.insert("Contacts", record)
    assert (await zoho.get("Contacts", record_id))["Email"] is None


async def test_only_the_first_wrong_field_is_told_unless_switched(zoho):
    wrong = {**LAST, "Email": "x", "Phone": "(1)"}
    assert codes(await zoho.write("POST", "/Contacts", wrong)) == ["INVALID_DATA"]
    await zoho.turn(report_all_errors=True)
    (result,) = (await zoho.write("POST", "/Contacts", wrong)).json()["data"]
    assert result["code"] == "MULTIPLE_OR_MULTI_ERRORS"
    assert [error["details"]["api_name"] for error in result["details"]["errors"]] == ["Email", "Phone"]


async def test_unknown_fields_are_lost_without_a_word(zoho):
    (record_id,) = await zoho.insert("Contacts", {**LAST, "Storefrnt_Id": "7"})
    assert "Storefrnt_Id" not in await zoho.get("Contacts", record_id)


async def test_values_for_read_only_fields_are_ignored_or_refused(zoho):
    record = {**LAST, "Created_Time": "2001-01-01T00:00:00+00:00", "Full_Name": "Nobody"}
    (record_id,) = await zoho.insert("Contacts", record)
    assert (await zoho.get("Contacts", record_id))["Full_Name"] == "Example"
    await zoho.turn(read_only_fields="reject")
    assert codes(await zoho.write("POST", "/Contacts", record)) == ["INVALID_DATA"]


async def test_nothing_is_truncated_and_emoji_survive(zoho):
    text = "नमस्ते 🌱 <b>" + "x" * 1000
    (record_id,) = await zoho.insert("Contacts", {**LAST, "Description": text})
    assert (await zoho.get("Contacts", record_id))["Description"] == text


async def test_company_is_mandatory_for_leads_only_when_a_layout_is_sent(zoho):
    assert (await zoho.write("POST", "/Leads", LAST)).status_code == 201
    answer = await zoho.write("POST", "/Leads", {**LAST, "Layout": {"id": "554023000000091055"}})
    assert answer.json()["data"][0]["details"]["api_name"] == "Company"


async def test_an_account_needs_its_name(zoho):
    answer = await zoho.write("POST", "/Accounts", {"Phone": "+911"})
    assert answer.json()["data"][0]["details"] == {
        "api_name": "Account_Name",
        "json_path": "$.data[0].Account_Name",
    }


# Lookups


async def test_a_contact_is_linked_to_its_account_by_id_and_unlinked_by_null(zoho):
    (account,) = await zoho.insert("Accounts", {"Account_Name": "Example Labs"})
    (contact,) = await zoho.insert("Contacts", {**LAST, "Account_Name": {"id": account}})
    assert (await zoho.get("Contacts", contact))["Account_Name"] == {"name": "Example Labs", "id": account}
    await zoho.write("PUT", "/Accounts", {"id": account, "Account_Name": "Example Labs Ltd"})
    assert (await zoho.get("Contacts", contact))["Account_Name"]["name"] == "Example Labs Ltd"
    await zoho.write("PUT", "/Contacts", {"id": contact, "Account_Name": None})
    assert (await zoho.get("Contacts", contact))["Account_Name"] is None


async def test_a_lookup_by_name_finds_or_creates_only_when_switched(zoho):
    await zoho.turn(lookup_by_name="find_or_create")
    await zoho.insert("Contacts", {**LAST, "Account_Name": "Example Labs"})
    await zoho.insert("Contacts", {**LAST, "Account_Name": {"name": "example labs"}})
    assert len(zoho.sim.crm.modules["Accounts"].records) == 1


# Upsert


async def test_an_upsert_tells_its_action_and_the_field_that_matched(zoho):
    first = (await zoho.upsert("Contacts", person("a@example.com"))).json()["data"][0]
    second = (await zoho.upsert("Contacts", person("A@Example.com"))).json()["data"][0]
    assert (first["action"], first["duplicate_field"], first["message"]) == ("insert", None, "record added")
    assert (second["action"], second["duplicate_field"], second["message"]) == ("update", "Email", "record updated")
    assert first["details"]["id"] == second["details"]["id"]


async def test_a_record_without_any_key_is_always_inserted(zoho):
    await zoho.upsert("Contacts", LAST, LAST)
    assert len(zoho.sim.crm.modules["Contacts"].records) == 2


async def test_one_key_twice_in_a_batch_inserts_and_then_updates(zoho):
    answer = await zoho.upsert("Contacts", person("a@example.com", Title="1"), person("a@example.com", Title="2"))
    assert [result["action"] for result in answer.json()["data"]] == ["insert", "update"]
    (record,) = zoho.sim.crm.modules["Contacts"].records.values()
    assert record.values["Title"] == "2"


async def test_accounts_are_matched_by_name_and_leads_by_email(zoho):
    await zoho.upsert("Accounts", {"Account_Name": "Example Labs"})
    answer = await zoho.upsert("Accounts", {"Account_Name": "EXAMPLE LABS", "Phone": "+911"})
    assert answer.json()["data"][0]["duplicate_field"] == "Account_Name"
    await zoho.upsert("Leads", person("a@example.com"))
    assert (await zoho.upsert("Leads", person("a@example.com"))).json()["data"][0]["action"] == "update"


@pytest.fixture
def keyed(sim):
    """Contacts with two unique fields, U1 and U2, as in the documented table."""
    sim.seed_field("Contacts", "U1", length=50, unique=True)
    sim.seed_field("Contacts", "U2", length=50, unique=True)


TABLE = [
    (["U1"], {"U1": "b", "U2": "c"}, "b"),
    (["U2"], {"U1": "b", "U2": "c"}, "c"),
    (["U1", "U2"], {"U1": "b", "U2": "c"}, "b"),
    (["Email"], {"Email": "a@example.com", "U1": "b", "U2": "c"}, "a"),
    (None, {"Email": "a@example.com", "U1": "b", "U2": "c"}, "a"),
    (["U1"], {"U2": "c"}, "c"),
    (["U2"], {"U1": "b"}, "b"),
    (["Email"], {"Email": "none@example.com", "U1": "b"}, "b"),
    (["Email"], {"U2": "c"}, "c"),
    (None, {"U2": "c"}, "c"),
    ([], {"Email": "a@example.com"}, "a"),
    (["U1"], {"Email": "a@example.com"}, None),
    (["U1", "U2"], {"Email": "a@example.com"}, None),
]


@pytest.mark.parametrize(("asked", "values", "meant"), TABLE)
async def test_the_order_of_checks_is_the_documented_table(zoho, keyed, asked, values, meant):
    await zoho.insert("Contacts", person("a@example.com", Title="a"))
    await zoho.insert("Contacts", {**LAST, "U1": "b", "Title": "b"})
    await zoho.insert("Contacts", {**LAST, "U2": "c", "Title": "c"})
    body = {} if asked is None else {"duplicate_check_fields": asked}
    (result,) = (await zoho.upsert("Contacts", {**LAST, **values}, **body)).json()["data"]
    if result["status"] == "error":
        # The first match decides; the other unique values then belong to other records.
        assert len({"Email", "U1", "U2"} & values.keys()) > 1
        assert result["code"] in ("DUPLICATE_DATA", "MULTIPLE_OR_MULTI_ERRORS")
        clashing = result["details"].get("errors", [result])
        assert meant not in [titles(zoho)[e["details"]["duplicate_record"]["id"]] for e in clashing]
    elif meant is None:
        assert result["action"] == "insert"
    else:
        assert titles(zoho)[result["details"]["id"]] == meant


def titles(zoho) -> dict[str, str]:
    return {record.id: record.values.get("Title") for record in zoho.sim.crm.modules["Contacts"].records.values()}


async def test_a_unique_value_of_another_record_refuses_with_that_records_id(zoho, keyed):
    (other,) = await zoho.insert("Contacts", {**LAST, "U1": "taken"})
    await zoho.insert("Contacts", person("a@example.com"))
    answer = await zoho.upsert("Contacts", person("a@example.com", U1="TAKEN"), duplicate_check_fields=["Email"])
    assert answer.status_code == 400
    (result,) = answer.json()["data"]
    assert result["code"] == "DUPLICATE_DATA"
    assert result["details"]["api_name"] == "U1"
    assert result["details"]["json_path"] == "$.data[0].U1"
    assert result["details"]["duplicate_record"]["id"] == other
    assert result["details"]["duplicate_record"]["module"]["api_name"] == "Contacts"
    assert result["details"]["more_records"] is False


async def test_several_clashes_are_wrapped_as_multiple_errors(zoho, keyed):
    await zoho.insert("Contacts", {**LAST, "U1": "1"}, {**LAST, "U2": "2"}, person("a@example.com"))
    answer = await zoho.upsert("Contacts", person("a@example.com", U1="1", U2="2"))
    (result,) = answer.json()["data"]
    assert result["code"] == "MULTIPLE_OR_MULTI_ERRORS"
    assert [error["details"]["api_name"] for error in result["details"]["errors"]] == ["U1", "U2"]


async def test_an_upsert_by_email_gives_an_existing_contact_its_new_unique_value(zoho, keyed):
    (record_id,) = await zoho.insert("Contacts", person("a@example.com"))
    await zoho.upsert("Contacts", person("a@example.com", U1="7"), duplicate_check_fields=["Email"])
    assert (await zoho.get("Contacts", record_id))["U1"] == "7"


async def test_a_field_that_is_not_unique_cannot_be_a_duplicate_check_field(zoho):
    answer = await zoho.upsert("Contacts", LAST, duplicate_check_fields=["Email", "Phone"])
    assert answer.status_code == 400
    assert answer.json()["details"] == {"api_name": "Phone", "json_path": "$.duplicate_check_fields[1]"}
    text = await zoho.upsert("Contacts", LAST, duplicate_check_fields="Email")
    assert text.json()["details"]["expected_data_type"] == "jsonarray"


async def test_an_insert_ignores_a_known_email_but_not_a_known_unique_value(zoho, keyed):
    await zoho.insert("Contacts", person("a@example.com"), person("a@example.com"))
    await zoho.insert("Contacts", {**LAST, "U1": "1"})
    assert codes(await zoho.write("POST", "/Contacts", {**LAST, "U1": "1"})) == ["DUPLICATE_DATA"]


async def test_an_update_may_keep_its_own_unique_value_but_not_take_anothers(zoho, keyed):
    one, _ = await zoho.insert("Contacts", {**LAST, "U1": "1"}, {**LAST, "U1": "2"})
    assert codes(await zoho.write("PUT", "/Contacts", {"id": one, "U1": "1"})) == ["SUCCESS"]
    assert codes(await zoho.write("PUT", "/Contacts", {"id": one, "U1": "2"})) == ["DUPLICATE_DATA"]
    assert codes(await zoho.write("PUT", "/Contacts", {"id": one, "U1": None})) == ["SUCCESS"]
    assert codes(await zoho.write("POST", "/Contacts", {**LAST, "U1": "1"})) == ["SUCCESS"]


async def test_which_of_several_equal_emails_is_updated_is_a_switch(zoho):
    oldest, newest = await zoho.insert("Contacts", person("a@example.com"), person("a@example.com"))
    for choice, expected in (("oldest", oldest), ("newest", newest)):
        await zoho.turn(duplicate_choice=choice)
        answer = await zoho.upsert("Contacts", person("a@example.com"))
        assert answer.json()["data"][0]["details"]["id"] == expected


async def test_a_converted_lead_is_not_matched_and_not_updated(zoho):
    (lead,) = await zoho.insert("Leads", person("a@example.com"))
    await zoho.http.post("/_sim/records", json={"module": "Leads", "id": lead, "converted": True})
    assert (await zoho.upsert("Leads", person("a@example.com"))).json()["data"][0]["action"] == "insert"
    assert codes(await zoho.write("PUT", "/Leads", {"id": lead, "Company": "x"})) == ["INVALID_DATA"]


async def test_a_deleted_record_is_not_matched(zoho):
    (record_id,) = await zoho.insert("Contacts", person("a@example.com"))
    await zoho.crm("DELETE", f"/Contacts?ids={record_id}")
    assert (await zoho.upsert("Contacts", person("a@example.com"))).json()["data"][0]["action"] == "insert"


# External fields


@pytest.fixture
def external(sim):
    sim.seed_field("Contacts", "Shop Id", length=50, external="org")
    sim.seed_field("Accounts", "Shop Id", length=50, external="org")


async def test_a_record_is_addressed_by_its_external_value(zoho, external):
    (record_id,) = await zoho.insert("Contacts", {**LAST, "Shop_Id": "cust_42"})
    by_header = {"X-EXTERNAL": "Contacts.Shop_Id"}
    got = await zoho.crm("GET", "/Contacts/cust_42", headers=by_header)
    assert got.json()["data"][0]["id"] == record_id
    put = await zoho.crm("PUT", "/Contacts/cust_42", json={"data": [{"Title": "Dr"}]}, headers=by_header)
    assert put.json()["data"][0]["details"]["id"] == record_id
    assert (await zoho.crm("GET", "/Contacts/none", headers=by_header)).json()["code"] == "INVALID_DATA"
    assert (await zoho.crm("DELETE", "/Contacts/cust_42", headers=by_header)).status_code == 200


async def test_a_lookup_is_resolved_by_external_value_and_the_header_wins_over_an_id(zoho, external):
    (account,) = await zoho.insert("Accounts", {"Account_Name": "Example Labs", "Shop_Id": "acme"})
    headers = {"X-EXTERNAL": "Contacts.Account_Name.Shop_Id"}
    record = {**LAST, "Account_Name": {"Shop_Id": "acme", "id": "1"}}
    answer = await zoho.crm("POST", "/Contacts", json={"data": [record]}, headers=headers)
    contact = answer.json()["data"][0]["details"]["id"]
    assert (await zoho.get("Contacts", contact))["Account_Name"]["id"] == account
    unknown = {**LAST, "Account_Name": {"Shop_Id": "nobody"}}
    refused = await zoho.crm("POST", "/Contacts", json={"data": [unknown]}, headers=headers)
    assert codes(refused) == ["INVALID_DATA"]


async def test_an_external_field_is_an_upsert_key_without_any_header(zoho, external):
    await zoho.upsert("Contacts", {**LAST, "Shop_Id": "1"})
    answer = await zoho.upsert("Contacts", {**LAST, "Shop_Id": "1"}, duplicate_check_fields=["Shop_Id"])
    assert answer.json()["data"][0]["duplicate_field"] == "Shop_Id"


# States


async def test_a_record_changed_since_is_412(zoho):
    (record_id,) = await zoho.insert("Contacts", LAST)
    zoho.sim.clock.advance(10)
    await zoho.write("PUT", "/Contacts", {"id": record_id, "Title": "1"})
    body = {"data": [{"id": record_id, "Title": "2"}]}
    late = await zoho.crm("PUT", "/Contacts", json=body, headers={"If-Unmodified-Since": "2026-11-22T12:00:05+05:30"})
    assert late.status_code == 412
    assert codes(late) == ["ALREADY_MODIFIED"]
    fine = await zoho.crm("PUT", "/Contacts", json=body, headers={"If-Unmodified-Since": "2026-11-22T06:30:10+00:00"})
    assert fine.status_code == 200


async def test_locked_records_and_those_waiting_for_approval_refuse_updates(zoho):
    locked, waiting = await zoho.insert("Contacts", LAST, {**LAST, "$approved": False})
    await zoho.http.post("/_sim/records", json={"module": "Contacts", "id": locked, "locked": True})
    answer = await zoho.write("PUT", "/Contacts", {"id": locked, "Title": "x"}, {"id": waiting, "Title": "x"})
    assert codes(answer) == ["RECORD_LOCKED", "NOT_APPROVED"]
    assert (await zoho.get("Contacts", waiting))["$approval_state"] == "approval_process_pending"


# Deletes


async def test_deletes_answer_per_id(zoho):
    (record_id,) = await zoho.insert("Contacts", LAST)
    answer = await zoho.crm("DELETE", f"/Contacts?ids={record_id},999")
    assert answer.status_code == 207
    assert answer.json()["data"][0] == {
        "code": "SUCCESS",
        "details": {"id": record_id},
        "message": "record deleted",
        "status": "success",
    }
    assert answer.json()["data"][1]["details"] == {"id": "999"}
    assert (await zoho.crm("DELETE", f"/Contacts/{record_id}")).status_code == 400
    assert (await zoho.crm("DELETE", "/Contacts")).json()["code"] == "REQUIRED_PARAM_MISSING"


async def test_unknown_modules_and_paths_and_methods_are_told_apart(zoho):
    assert (await zoho.write("POST", "/Kontacts", LAST)).json()["code"] == "INVALID_MODULE"
    wrong_path = await zoho.crm("GET", "/Contacts/1/2/3/4")
    assert (wrong_path.status_code, wrong_path.json()["code"]) == (404, "INVALID_URL_PATTERN")
    wrong_method = await zoho.crm("PATCH", "/Contacts")
    assert (wrong_method.status_code, wrong_method.json()["code"]) == (400, "INVALID_REQUEST_METHOD")


# Speed


async def test_thousands_of_upserts_a_second_however_many_records_there_are(zoho):
    """The floor is far below what it does, so that only a scan per record could miss it."""
    zoho.sim.limits.enabled = False
    zoho.sim.seed_field("Contacts", "U1", length=50, unique=True)
    batches = [
        {"data": [person(f"p{b}.{n}@example.com", U1=f"{b}-{n}", Phone="+919876543210") for n in range(100)]}
        for b in range(60)
    ]
    began = time.process_time()
    for batch in [*batches, *batches]:
        assert (await zoho.crm("POST", "/Contacts/upsert", json=batch)).status_code == 200
    assert 12_000 / (time.process_time() - began) > 3_000
