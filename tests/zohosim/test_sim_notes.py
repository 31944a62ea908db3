"""Notes: under their parent, by themselves, and with it to the grave."""

import pytest


@pytest.fixture
async def contact(zoho) -> str:
    (record_id,) = await zoho.insert("Contacts", {"Last_Name": "Example"})
    return record_id


def parent(record_id: str, module: str = "Contacts") -> dict[str, object]:
    return {"id": record_id, "module": {"api_name": module}}


async def test_notes_are_written_under_their_parents_path_and_listed_newest_first(zoho, contact):
    path = f"/Contacts/{contact}/Notes"
    answer = await zoho.write("POST", path, {"Note_Title": "1", "Note_Content": "one"}, {"Note_Content": "two"})
    assert answer.status_code == 201
    assert [result["message"] for result in answer.json()["data"]] == ["record added"] * 2
    notes = (await zoho.crm("GET", f"{path}?fields=Note_Title,Note_Content,Parent_Id")).json()
    assert [note["Note_Content"] for note in notes["data"]] == ["two", "one"]
    assert notes["data"][0]["Parent_Id"]["id"] == contact
    assert notes["data"][0]["Parent_Id"]["module"]["api_name"] == "Contacts"
    assert notes["info"]["count"] == 2


async def test_notes_are_written_by_themselves_with_a_parent(zoho, contact):
    answer = await zoho.write("POST", "/Notes", {"Note_Content": "hello", "Parent_Id": parent(contact)})
    assert answer.status_code == 201
    note = answer.json()["data"][0]["details"]["id"]
    assert (await zoho.get("Notes", note))["Parent_Id"]["id"] == contact


@pytest.mark.parametrize("module", ["Leads", "Accounts"])
async def test_leads_and_accounts_have_notes_too(zoho, module):
    (record_id,) = await zoho.insert(module, {"Last_Name": "x", "Account_Name": "x"})
    answer = await zoho.write("POST", f"/{module}/{record_id}/Notes", {"Note_Content": "x"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("note", "code", "name"),
    [
        ({"Note_Title": "x"}, "MANDATORY_NOT_FOUND", "Note_Content"),
        ({"Note_Content": "x" * 32_001}, "INVALID_DATA", "Note_Content"),
        ({"Note_Content": "x", "Note_Title": "x" * 121}, "INVALID_DATA", "Note_Title"),
        ({"Note_Content": "x", "Parent_Id": None}, "MANDATORY_NOT_FOUND", "Parent_Id"),
        ({"Note_Content": "x", "Parent_Id": parent("1")}, "INVALID_DATA", "Parent_Id"),
        ({"Note_Content": "x", "Parent_Id": parent("1", "Deals")}, "INVALID_DATA", "Parent_Id"),
        ({"Note_Content": "x", "Parent_Id": "text"}, "INVALID_DATA", "Parent_Id"),
    ],
)
async def test_wrong_notes_are_refused_by_field(zoho, contact, note, code, name):
    answer = await zoho.write("POST", "/Notes", {"Parent_Id": parent(contact), **note})
    assert answer.status_code == 400
    (result,) = answer.json()["data"]
    assert (result["code"], result["details"]["api_name"]) == (code, name)


async def test_the_longest_title_and_content_are_kept_whole(zoho, contact):
    note = {"Note_Title": "t" * 120, "Note_Content": "c" * 32_000, "Parent_Id": parent(contact)}
    answer = await zoho.write("POST", "/Notes", note)
    stored = await zoho.get("Notes", answer.json()["data"][0]["details"]["id"])
    assert (stored["Note_Title"], stored["Note_Content"]) == (note["Note_Title"], note["Note_Content"])


async def test_notes_are_changed_by_put_and_listed_altogether(zoho, contact):
    answer = await zoho.write("POST", "/Notes", {"Note_Content": "x", "Parent_Id": parent(contact)})
    note = answer.json()["data"][0]["details"]["id"]
    assert (await zoho.write("PUT", f"/Notes/{note}", {"Note_Content": "y"})).status_code == 200
    assert (await zoho.write("PUT", "/Notes", {"id": note, "Note_Title": "t"})).status_code == 200
    listed = (await zoho.crm("GET", "/Notes?fields=Note_Title,Note_Content")).json()["data"]
    assert listed == [{"Note_Title": "t", "Note_Content": "y", "id": note}]


async def test_listing_notes_needs_fields_unless_switched(zoho, contact):
    for path in ("/Notes", f"/Contacts/{contact}/Notes"):
        assert (await zoho.crm("GET", path)).json()["code"] == "REQUIRED_PARAM_MISSING"
    await zoho.turn(notes_need_fields=False)
    assert (await zoho.crm("GET", "/Notes")).status_code == 204
    await zoho.write("POST", f"/Contacts/{contact}/Notes", {"Note_Content": "x"})
    assert (await zoho.crm("GET", "/Notes")).json()["data"][0]["Note_Content"] == "x"


async def test_notes_of_an_unknown_parent_are_refused(zoho, contact):
    assert (await zoho.crm("GET", "/Contacts/1/Notes?fields=Note_Title")).json()["code"] == "INVALID_DATA"
    assert (await zoho.write("POST", "/Contacts/1/Notes", {"Note_Content": "x"})).status_code == 400
    assert (await zoho.crm("GET", f"/Contacts/{contact}/Notes?fields=Note_Title")).status_code == 204


async def test_a_deleted_record_takes_its_notes_with_it(zoho, contact):
    await zoho.write("POST", f"/Contacts/{contact}/Notes", {"Note_Content": "x"}, {"Note_Content": "y"})
    await zoho.crm("DELETE", f"/Contacts/{contact}")
    assert (await zoho.crm("GET", "/Notes?fields=Note_Title")).status_code == 204
