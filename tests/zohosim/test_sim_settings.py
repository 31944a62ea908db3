"""Metadata: fields, modules, organisation, users; custom fields made through the API."""

import pytest

from zohosim.simulator import Simulator


async def fields(zoho, module: str = "Contacts") -> dict[str, dict]:
    answer = await zoho.crm("GET", f"/settings/fields?module={module}")
    assert answer.status_code == 200
    return {field["api_name"]: field for field in answer.json()["fields"]}


async def create(zoho, *given: dict, module: str = "Contacts"):
    return await zoho.crm("POST", f"/settings/fields?module={module}", json={"fields": list(given)})


def text(label: str, **more: object) -> dict[str, object]:
    return {"field_label": label, "data_type": "text", "length": 64, **more}


async def test_metadata_tells_type_length_and_what_is_mandatory(zoho):
    contacts = await fields(zoho)
    assert (contacts["Last_Name"]["data_type"], contacts["Last_Name"]["length"]) == ("text", 80)
    assert contacts["Last_Name"]["system_mandatory"] is True
    assert contacts["Email"]["data_type"] == "email"
    assert contacts["Account_Name"]["lookup"]["module"]["api_name"] == "Accounts"
    assert contacts["Created_Time"]["read_only"] is True
    assert [v["actual_value"] for v in contacts["Salutation"]["pick_list_values"]][:2] == ["-None-", "Mr."]
    assert (await fields(zoho, "Leads"))["Company"]["system_mandatory"] is False


async def test_ids_of_fields_and_their_choices_are_stable_and_unlike(zoho):
    here = {name: await fields(zoho, name) for name in ("Contacts", "Leads", "Accounts", "Notes")}
    ids = [field["id"] for module in here.values() for field in module.values()]
    choices = [c["id"] for module in here.values() for field in module.values() for c in field["pick_list_values"]]
    assert len(set(ids + choices)) == len(ids + choices)
    other = Simulator().crm.modules["Contacts"].fields
    assert {name: field.id for name, field in other.items()} == {n: f["id"] for n, f in here["Contacts"].items()}


async def test_metadata_needs_a_module_that_exists(zoho):
    assert (await zoho.crm("GET", "/settings/fields")).json()["code"] == "REQUIRED_PARAM_MISSING"
    assert (await zoho.crm("GET", "/settings/fields?module=Deals")).json()["code"] == "INVALID_MODULE"


async def test_one_field_is_read_by_id(zoho):
    field = (await fields(zoho))["Email"]
    answer = await zoho.crm("GET", f"/settings/fields/{field['id']}?module=Contacts")
    assert answer.json()["fields"] == [field]
    assert (await zoho.crm("GET", "/settings/fields/1?module=Contacts")).status_code == 204


async def test_a_new_field_derives_its_api_name_and_answers_only_its_id(zoho):
    answer = await create(zoho, text("Storefront User Id", unique={"case_sensitive": False}), text("Régimen fiscal"))
    assert answer.status_code == 201
    first = answer.json()["fields"][0]
    assert first == {
        "code": "SUCCESS",
        "details": {"id": first["details"]["id"]},
        "message": "field created",
        "status": "success",
    }
    made = await fields(zoho)
    assert made["Storefront_User_Id"]["unique"] == {"case_sensitive": "false"}
    assert made["Storefront_User_Id"]["custom_field"] is True
    assert made["R_gimen_fiscal"]["unique"] == {}


async def test_a_taken_api_name_gets_a_digit(zoho):
    assert (await create(zoho, text("GST-IN"), text("GST IN"))).status_code == 201
    assert {"GST_IN", "GST_IN1"} <= (await fields(zoho)).keys()


async def test_new_fields_are_enforced_like_others(zoho):
    await create(zoho, text("GSTIN", length=15))
    (record_id,) = await zoho.insert("Contacts", {"Last_Name": "x", "GSTIN": "29ABCDE1234F1Z5"})
    assert (await zoho.get("Contacts", record_id))["GSTIN"] == "29ABCDE1234F1Z5"
    answer = await zoho.write("POST", "/Contacts", {"Last_Name": "x", "GSTIN": "x" * 16})
    assert answer.json()["data"][0]["details"]["maximum_length"] == 15


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"data_type": "text"}, "MANDATORY_NOT_FOUND"),
        ({"field_label": "X"}, "MANDATORY_NOT_FOUND"),
        (text("Email"), "DUPLICATE_DATA"),
        (text("X", length=256), "DEPENDENT_MISMATCH"),
        (text("X", data_type="textarea", length=2001), "DEPENDENT_MISMATCH"),
        (text("X", data_type="hologram"), "INVALID_DATA"),
        (text("Module"), "RESERVED_KEYWORD_NOT_ALLOWED"),
        ({"field_label": "X", "data_type": "picklist"}, "EXPECTED_FIELD_MISSING"),
        (
            {"field_label": "X", "data_type": "picklist", "pick_list_values": [{"display_value": "A"}] * 2},
            "DUPLICATE_DATA",
        ),
        (text("X", unique={}, external={"type": "org"}), "SUCCESS"),
        (text("X", unique={"case_sensitive": False}, external={"type": "org"}), "NOT_ALLOWED"),
        (text("X", external={"type": "planet"}), "INVALID_DATA"),
        ({"field_label": "X", "data_type": "boolean", "unique": {"case_sensitive": False}}, "NOT_ALLOWED"),
    ],
)
async def test_wrong_definitions_are_refused(zoho, given, code):
    answer = await create(zoho, given)
    assert answer.json()["fields"][0]["code"] == code
    assert answer.status_code == (201 if code == "SUCCESS" else 400)


async def test_a_module_has_at_most_two_unique_fields(zoho):
    unique = {"unique": {"case_sensitive": False}}
    answer = await create(zoho, text("A", **unique), text("B", **unique), text("C", **unique))
    assert answer.status_code == 207
    assert [result["code"] for result in answer.json()["fields"]] == ["SUCCESS", "SUCCESS", "LIMIT_EXCEEDED"]


async def test_one_call_makes_at_most_five_fields_unless_switched(zoho):
    six = [text(f"F{n}") for n in range(6)]
    assert (await create(zoho, *six)).json()["details"]["maximum_length"] == 5
    await zoho.turn(fields_per_call=25)
    assert (await create(zoho, *six)).status_code == 201


async def test_the_edition_limits_custom_fields(zoho):
    await zoho.http.post("/_sim/limits", json={"edition": "standard"})
    for start in (0, 5):
        assert (await create(zoho, *(text(f"F{n}") for n in range(start, start + 5)))).status_code == 201
    assert (await create(zoho, text("One more"))).json()["fields"][0]["code"] == "LIMIT_EXCEEDED"


async def test_a_custom_field_is_deleted_but_not_a_standard_one(zoho):
    field_id = (await create(zoho, text("Gone"))).json()["fields"][0]["details"]["id"]
    assert (await zoho.crm("DELETE", f"/settings/fields/{field_id}?module=Contacts")).status_code == 200
    assert "Gone" not in await fields(zoho)
    standard = (await fields(zoho))["Email"]["id"]
    assert (await zoho.crm("DELETE", f"/settings/fields/{standard}?module=Contacts")).status_code == 400


async def test_a_case_sensitive_unique_field_tells_cases_apart(zoho):
    await create(zoho, text("Code", unique={"case_sensitive": True}))
    for value in ("a", "A"):
        await zoho.insert("Contacts", {"Last_Name": "x", "Code": value})
    found = await zoho.query("select id from Contacts where Code = 'a'")
    assert found.json()["info"]["count"] == 2


async def test_the_organisation_and_its_user_are_told(zoho):
    (org,) = (await zoho.crm("GET", "/org")).json()["org"]
    assert (org["company_name"], org["zgid"], org["license_details"]["paid_type"]) == (
        "KN Biosciences",
        "60012345678",
        "enterprise",
    )
    (user,) = (await zoho.crm("GET", "/users?type=CurrentUser")).json()["users"]
    assert user["status"] == "active"
    assert (await zoho.crm("GET", "/users?type=DeletedUsers")).status_code == 204


async def test_modules_are_listed_and_told_one_by_one(zoho):
    modules = (await zoho.crm("GET", "/settings/modules")).json()["modules"]
    assert [module["api_name"] for module in modules] == ["Leads", "Accounts", "Contacts", "Notes"]
    assert all(module["api_supported"] for module in modules)
    assert (await zoho.crm("GET", "/settings/modules/Leads")).json()["modules"] == [modules[0]]
    assert (await zoho.crm("GET", "/settings/modules/Deals")).json()["code"] == "INVALID_MODULE"
