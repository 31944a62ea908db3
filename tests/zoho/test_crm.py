"""The calls of CRM, against zohosim."""

import asyncio
from typing import Any

import pytest

from zoho.conftest import connect, new_code
from zohosim.simulator import Simulator
from zohosync.errors import OutcomeUnknown, Refused, ScopeMissing, ZohoUnavailable
from zohosync.zoho import scopes
from zohosync.zoho.auth import Custodian
from zohosync.zoho.crm import Crm


def person(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"Last_Name": f"Person {number}", "Email": f"p{number}@example.com", **more}


async def one(crm: Crm, module: str = "Contacts", **fields: Any) -> str:
    result = (await crm.insert_records(module, [{"Last_Name": "Boyle", **fields}]))[0]
    assert result.ok, result.error
    return result.id


# --- writing


async def test_an_upsert_tells_insert_from_update(crm: Crm) -> None:
    first = await crm.upsert_records("Contacts", [person(1)], duplicate_check_fields=["Email"])
    both = await crm.upsert_records("Contacts", [person(1), person(2)], duplicate_check_fields=["Email"])
    assert [result.action for result in first + both] == ["insert", "update", "insert"]
    assert both[0].id == first[0].id
    assert both[0].duplicate_field == "Email"


@pytest.mark.parametrize("switches", [{"upsert_insert_status": 201}, {"mixed_status": 200}, {}])
async def test_one_bad_record_spoils_no_other_under_any_status(
    crm: Crm, sim: Simulator, switches: dict[str, int]
) -> None:
    sim.switches.set(switches)
    results = await crm.upsert_records("Contacts", [person(1), person(2, Phone="(("), person(3)])
    assert [result.ok for result in results] == [True, False, True]
    assert isinstance(results[1].error, Refused)
    assert (results[1].error.field, results[1].error.reason) == ("Phone", "zoho_invalid_value")


async def test_all_faults_of_a_record_are_told(crm: Crm, sim: Simulator) -> None:
    sim.switches.set({"report_all_errors": True})
    (result,) = await crm.insert_records("Contacts", [{"Last_Name": "x" * 81, "Email": "nonsense"}])
    assert isinstance(result.error, Refused)
    assert "80 characters" in result.error.message
    assert "Email is not a valid email" in result.error.message


@pytest.mark.parametrize("kind", ["record_locked", "not_approved"])
async def test_a_record_that_is_locked_for_a_while_is_no_refusal(crm: Crm, sim: Simulator, kind: str) -> None:
    sim.order({"kind": kind, "match": {"record": {"field": "Email", "equals": "p2@example.com"}}})
    good, locked = await crm.upsert_records("Contacts", [person(1), person(2)])
    assert good.ok
    assert type(locked.error) is ZohoUnavailable


async def test_a_record_in_trouble_is_in_doubt(crm: Crm, sim: Simulator) -> None:
    sim.order({"kind": "record_error", "code": "INTERNAL_ERROR", "match": {"module": "Contacts"}})
    (result,) = await crm.insert_records("Contacts", [person()])
    assert isinstance(result.error, OutcomeUnknown)


async def test_updates_by_id_keep_what_they_leave_out(crm: Crm) -> None:
    record_id = await one(crm, Email="a@example.com", Phone="+919876543210")
    (result,) = await crm.update_records("Contacts", [{"id": record_id, "Phone": "+919876500000"}])
    assert (result.ok, result.id, result.action) == (True, record_id, "")
    record = await crm.get_record("Contacts", record_id)
    assert (record.text("Phone"), record.text("Email")) == ("+919876500000", "a@example.com")


async def test_updating_a_record_that_is_gone_says_so(crm: Crm) -> None:
    (result,) = await crm.update_records("Contacts", [{"id": "111111111111111111", "Last_Name": "x"}])
    assert isinstance(result.error, Refused)
    assert result.error.reason == "zoho_record_absent"


async def test_a_wrong_account_is_named_as_the_reference(crm: Crm) -> None:
    (result,) = await crm.insert_records("Contacts", [person(Account_Name={"id": "111111111111111111"})])
    assert isinstance(result.error, Refused)
    assert (result.error.reason, result.error.field) == ("zoho_unknown_reference", "Account_Name")


async def test_a_clash_of_two_unique_keys_names_the_other_record(crm: Crm, sim: Simulator) -> None:
    sim.seed_field("Contacts", "Shop Id", unique=True)
    other = await one(crm, Email="other@example.com", Shop_Id="7")
    await one(crm, Email="p1@example.com")
    (result,) = await crm.upsert_records("Contacts", [person(1, Shop_Id="7")], duplicate_check_fields=["Email"])
    assert isinstance(result.error, Refused)
    assert (result.error.reason, result.error.details["duplicate_id"]) == ("zoho_duplicate", other)


async def test_a_field_made_mandatory_meanwhile_is_a_refusal_with_its_name(crm: Crm, sim: Simulator) -> None:
    sim.order({"kind": "new_mandatory_field", "field": "Title", "match": {"module": "Contacts"}})
    (result,) = await crm.insert_records("Contacts", [person()])
    assert isinstance(result.error, Refused)
    assert (result.error.reason, result.error.field) == ("zoho_mandatory_missing", "Title")


@pytest.mark.parametrize("shape", ["flat", "data"])
async def test_an_unknown_module_is_a_refusal_in_either_shape(crm: Crm, sim: Simulator, shape: str) -> None:
    sim.switches.set({"whole_request_errors": shape})
    with pytest.raises(Refused) as caught:
        await crm.upsert_records("Nonsense", [person(1), person(2)])
    assert caught.value.reason == "zoho_unknown_module"


async def test_automations_run_only_when_they_are_asked_for(crm: Crm, sim: Simulator, client: Any) -> None:
    told: list[Any] = []
    asking = Crm(client.within(type(client._context)(on_exchange=told.append)))
    await asking.insert_records("Contacts", [person(1)])
    await asking.upsert_records("Contacts", [person(2)], trigger=["workflow"])
    await asking.update_records("Contacts", [{"id": await one(crm), "Phone": None}])
    assert [exchange.request.json["trigger"] for exchange in told] == [[], ["workflow"], []]


async def test_a_call_takes_one_to_a_hundred_records(crm: Crm) -> None:
    for count in (0, 101):
        with pytest.raises(ValueError, match="1 to 100"):
            await crm.insert_records("Contacts", [person(n) for n in range(count)])
    with pytest.raises(ValueError, match="id"):
        await crm.update_records("Contacts", [person()])


# --- reading


@pytest.mark.parametrize("status", [204, 404, 400])
async def test_a_record_that_does_not_exist_is_none_however_zoho_says_it(crm: Crm, sim: Simulator, status: int) -> None:
    sim.switches.set({"unknown_id_status": status})
    assert await crm.find_record("Contacts", "111111111111111111") is None
    with pytest.raises(Refused) as caught:
        await crm.get_record("Contacts", "111111111111111111")
    assert caught.value.reason == "zoho_record_absent"


@pytest.mark.parametrize("nonsense", ["../org", "1/2", "", "1?x=1", "1 "])
async def test_no_text_can_pose_as_an_id(crm: Crm, sim: Simulator, nonsense: str) -> None:
    with pytest.raises(ValueError, match="not a Zoho id"):
        await crm.find_record("Contacts", nonsense)
    with pytest.raises(ValueError, match="not an API name"):
        await crm.find_record(nonsense or "-", "1")


async def test_records_are_found_by_many_values_in_batches_of_fifty(crm: Crm, sim: Simulator) -> None:
    people = [person(n) for n in range(100)]
    await crm.insert_records("Contacts", people)
    before = len(sim.calls.entries)
    wanted = [f"p{n}@example.com" for n in range(0, 100)] + ["nobody@example.com", "", "p1@example.com"]
    found = await crm.find_records_by("Contacts", "Email", wanted, ["Last_Name"])
    assert sorted(record.text("Email") for record in found) == sorted(str(p["Email"]) for p in people)
    assert all(record.id and record.text("Last_Name") for record in found)
    assert len(sim.calls.entries) - before == 3


async def test_several_records_of_one_value_are_all_found_page_by_page(crm: Crm) -> None:
    for start in range(0, 300, 100):
        await crm.insert_records(
            "Leads", [{"Last_Name": f"L{start + n}", "Email": "same@example.com"} for n in range(100)]
        )
    found = await crm.find_records_by("Leads", "Email", ["same@example.com"])
    assert len({record.id for record in found}) == len(found) == 300


@pytest.mark.parametrize("name", ["O'Brien", "back\\slash", "a') or (Last_Name like '%", "'", "\\'", "ä’ß", "प्रिया"])
async def test_no_value_can_change_a_query(crm: Crm, name: str) -> None:
    await crm.insert_records("Contacts", [{"Last_Name": name}, {"Last_Name": "Other"}])
    found = await crm.find_records_by("Contacts", "Last_Name", [name])
    assert [record.text("Last_Name") for record in found] == [name]


async def test_a_query_gives_one_page_and_says_whether_there_is_more(crm: Crm) -> None:
    await crm.insert_records("Contacts", [person(n) for n in range(5)])
    page = await crm.query("select Email from Contacts where Last_Name is not null", limit=3)
    assert (len(page.records), page.more) == (3, True)
    rest = await crm.query("select Email from Contacts where Last_Name is not null", limit=3, offset=3)
    assert (len(rest.records), rest.more) == (2, False)
    none = await crm.query("select Email from Contacts where Last_Name = 'Nobody'")
    assert (none.records, none.more) == ((), False)
    with pytest.raises(ValueError, match="2000"):
        await crm.query("select Email from Contacts", limit=2001)


async def test_a_search_finds_nothing_or_all_pages(crm: Crm, sim: Simulator) -> None:
    assert await crm.search_records("Leads", email="nobody+x@example.com") == ()
    for start in range(0, 300, 100):
        await crm.insert_records(
            "Leads", [{"Last_Name": f"L{start + n}", "Email": "same@example.com"} for n in range(100)]
        )
    sim.clock.advance(3600)
    sim.order({"kind": "evict_token"})
    assert len(await crm.search_records("Leads", email="same@example.com")) == 300


# --- notes


async def test_notes_are_added_listed_and_rewritten(crm: Crm) -> None:
    lead = await one(crm, "Leads")
    assert await crm.list_notes("Leads", lead) == ()
    results = await crm.insert_notes("Leads", [(lead, "Inquiry 7", "Hello"), (lead, "Inquiry 8", "World")])
    assert all(result.ok for result in results)
    (rewritten,) = await crm.update_notes([(results[0].id, "Inquiry 7", "Hello again")])
    assert rewritten.ok
    notes = {note.id: (note.title, note.content) for note in await crm.list_notes("Leads", lead)}
    assert notes == {results[0].id: ("Inquiry 7", "Hello again"), results[1].id: ("Inquiry 8", "World")}


async def test_all_notes_are_listed_beyond_one_page(crm: Crm) -> None:
    lead = await one(crm, "Leads")
    for start in range(0, 300, 100):
        await crm.insert_notes("Leads", [(lead, f"{start + n}", "x") for n in range(100)])
    assert len({note.id for note in await crm.list_notes("Leads", lead)}) == 300


# --- settings


async def test_organisation_user_modules_and_fields_are_read(crm: Crm) -> None:
    organisation = await crm.organisation()
    assert organisation.id.isdecimal()
    assert (organisation.production, organisation.edition != "") == (True, True)
    assert "@" in (await crm.current_user()).email
    assert {"Contacts", "Leads", "Accounts"} <= {module.api_name for module in await crm.modules()}
    fields = await crm.fields("Contacts")
    assert fields.mandatory() == ("Last_Name",)
    email = fields.find("Email")
    assert email is not None
    assert (email.data_type, email.length) == ("email", 100)


async def test_custom_fields_are_created_five_at_a_time_and_found_again_by_label(crm: Crm) -> None:
    wanted = [{"field_label": f"Shop Field {n}", "data_type": "text", "length": 40} for n in range(7)]
    results = await crm.create_fields("Contacts", wanted)
    assert [result.ok for result in results] == [True] * 7
    found = (await crm.fields("Contacts")).find_labelled("shop field 6")
    assert found is not None
    assert (found.api_name, found.length, found.custom) == ("Shop_Field_6", 40, True)
    (again,) = await crm.create_fields("Contacts", wanted[:1])
    assert isinstance(again.error, Refused)


async def test_the_required_scopes_are_enough_for_all_but_the_optional_calls(
    custodian: Custodian, crm: Crm, sim: Simulator
) -> None:
    await connect(custodian, new_code(sim, scopes=scopes.REQUIRED))
    lead = await one(crm, "Leads")
    await crm.upsert_records("Contacts", [person()])
    await crm.upsert_records("Accounts", [{"Account_Name": "Acme"}])
    await crm.update_records("Leads", [{"id": lead, "Company": "Acme"}])
    await crm.insert_notes("Leads", [(lead, "a", "b")])
    await crm.list_notes("Leads", lead)
    await crm.find_records_by("Contacts", "Email", ["p1@example.com"])
    await asyncio.gather(crm.fields("Leads"), crm.modules(), crm.organisation(), crm.current_user())
    with pytest.raises(ScopeMissing, match=r"ZohoSearch\.securesearch\.READ"):
        await crm.search_records("Leads", email="a@example.com")
    with pytest.raises(ScopeMissing, match=r"settings\.fields\.CREATE"):
        await crm.create_fields("Leads", [{"field_label": "X", "data_type": "text"}])


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [(scopes.REQUIRED, 0), (("ZohoCRM.modules.ALL", "ZohoCRM.settings.ALL", "zohocrm.coql.read", "ZohoCRM.org.READ",
                             "ZohoCRM.users.ALL"), 0),
     (("ZohoCRM.modules.contacts.WRITE",), len(scopes.REQUIRED) - 2), ((), len(scopes.REQUIRED))],
)  # fmt: skip
def test_missing_scopes_are_counted(granted: tuple[str, ...], lacking: int) -> None:
    assert len(scopes.missing(granted)) == lacking
