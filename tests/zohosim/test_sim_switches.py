"""Switches of what a record may be, and what becomes of it: each position does what its meaning says."""

import pytest

from zohosim.simulator import DEFAULT_CLIENT
from zohosim.switches import SWITCHES

LEAD = {"Last_Name": "Example", "Email": "a@example.com"}


def codes(answer):
    return [result["code"] for result in answer.json()["data"]]


def test_every_switch_is_told_once():
    names = [switch.name for switch in SWITCHES]
    assert sorted(set(names)) == sorted(names)


async def test_a_second_record_of_one_key_updates_the_first_or_is_a_duplicate(zoho):
    pair = (LEAD, {**LEAD, "City": "Pune"})
    answer = await zoho.upsert("Leads", *pair)
    assert [result["action"] for result in answer.json()["data"]] == ["insert", "update"]
    await zoho.turn(same_key_in_batch="refuse_second")
    answer = await zoho.upsert("Leads", *pair)
    assert answer.status_code == 207
    assert codes(answer) == ["SUCCESS", "DUPLICATE_DATA"]
    assert len(zoho.sim.crm.modules["Leads"].records) == 1


@pytest.mark.parametrize(("ignores", "count"), [(True, 1), (False, 2)])
async def test_the_case_of_an_email_matters_when_switched(zoho, ignores, count):
    await zoho.turn(email_ignores_case=ignores)
    await zoho.upsert("Leads", LEAD)
    await zoho.upsert("Leads", {**LEAD, "Email": "A@Example.com"})
    assert len(zoho.sim.crm.modules["Leads"].records) == count


@pytest.mark.parametrize(("needed", "code"), [(False, "SUCCESS"), (True, "MANDATORY_NOT_FOUND")])
async def test_an_update_by_upsert_may_need_the_mandatory_fields(zoho, needed, code):
    await zoho.upsert("Leads", LEAD)
    await zoho.turn(upsert_update_needs_mandatory=needed)
    assert codes(await zoho.upsert("Leads", {"Email": "a@example.com", "City": "Pune"})) == [code]


async def test_a_field_that_is_not_unique_cannot_be_a_duplicate_check_field(zoho):
    asked = {"duplicate_check_fields": ["City"]}
    answer = await zoho.upsert("Leads", LEAD, **asked)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
    await zoho.turn(bad_duplicate_check_field="refuse_records")
    answer = await zoho.upsert("Leads", LEAD, LEAD, **asked)
    assert (answer.status_code, codes(answer)) == (400, ["INVALID_DATA"] * 2)
    await zoho.turn(bad_duplicate_check_field="ignore")
    assert codes(await zoho.upsert("Leads", LEAD, **asked)) == ["SUCCESS"]


@pytest.mark.parametrize("code", ["INVALID_DATA", "LIMIT_EXCEEDED"])
async def test_the_code_of_too_many_records_is_a_switch(zoho, code):
    await zoho.turn(oversized_batch_code=code)
    answer = await zoho.write("POST", "/Leads", *[LEAD] * 101)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["details"]["maximum_length"] == 100


async def test_unknown_keys_are_ignored_or_refused_with_and_without_a_layout(zoho):
    (record_id,) = await zoho.insert("Leads", LEAD)
    layout = (await zoho.get("Leads", record_id))["Layout"]
    plain = {"Last_Name": "x", "Company": "x", "Nothing": "x"}
    laid_out = {**plain, "Layout": {"id": layout["id"]}}
    for switch, wrong, right in (
        ("unknown_keys", plain, laid_out),
        ("unknown_keys_with_layout", laid_out, plain),
    ):
        assert codes(await zoho.write("POST", "/Leads", wrong, right)) == ["SUCCESS"] * 2
        await zoho.turn(**{switch: "reject"})
        assert codes(await zoho.write("POST", "/Leads", wrong, right)) == ["INVALID_DATA", "SUCCESS"]
        await zoho.turn(**{switch: "ignore"})


@pytest.mark.parametrize(("trims", "stored"), [(False, " Pune "), (True, "Pune")])
async def test_texts_are_trimmed_when_switched(zoho, trims, stored):
    await zoho.turn(trim_strings=trims)
    (record_id,) = await zoho.insert("Leads", {**LEAD, "City": " Pune "})
    assert (await zoho.get("Leads", record_id))["City"] == stored


async def test_emoji_are_stored_stripped_or_refused(zoho):
    green = {**LEAD, "City": "Pune \U0001f331"}
    (record_id,) = await zoho.insert("Leads", green)
    assert (await zoho.get("Leads", record_id))["City"] == "Pune \U0001f331"
    await zoho.turn(emoji="strip")
    (record_id,) = await zoho.insert("Leads", green)
    assert (await zoho.get("Leads", record_id))["City"] == "Pune "
    await zoho.turn(emoji="reject")
    assert codes(await zoho.write("POST", "/Leads", green)) == ["INVALID_DATA"]


@pytest.mark.parametrize(("taken", "code"), [(True, "SUCCESS"), (False, "INVALID_DATA")])
async def test_an_owner_given_by_email_is_taken_or_refused(zoho, taken, code):
    await zoho.turn(owner_by_email=taken)
    owner = {"email": zoho.sim.crm.organisation.user["email"]}
    assert codes(await zoho.write("POST", "/Leads", {**LEAD, "Owner": owner})) == [code]


async def test_a_converted_lead_becomes_a_contact_and_takes_no_update(zoho):
    (record_id,) = await zoho.insert("Leads", {**LEAD, "Company": "Green Farms"})
    answer = await zoho.crm("POST", f"/Leads/{record_id}/actions/convert", json={"data": [{}]})
    assert answer.status_code == 200
    told = answer.json()["data"][0]["details"]
    contact = await zoho.get("Contacts", told["Contacts"]["id"])
    assert (contact["Email"], contact["Account_Name"]["name"]) == ("a@example.com", "Green Farms")
    change = {"id": record_id, "City": "Pune"}
    assert codes(await zoho.write("PUT", "/Leads", change)) == ["INVALID_DATA"]
    await zoho.turn(converted_lead_code="ID_ALREADY_CONVERTED")
    assert codes(await zoho.write("PUT", "/Leads", change)) == ["ID_ALREADY_CONVERTED"]
    again = await zoho.crm("POST", f"/Leads/{record_id}/actions/convert", json={"data": [{}]})
    assert (again.status_code, again.json()["code"]) == (400, "ID_ALREADY_CONVERTED")


@pytest.mark.parametrize(("reaches", "count"), [(True, 2), (False, 1)])
async def test_silent_writes_reach_notification_channels_unless_switched(zoho, reaches, count):
    watch = {"channel_id": "1", "events": ["Leads.all"], "notify_url": "https://shop.example.com/hook"}
    await zoho.crm("POST", "/actions/watch", json={"watch": [watch]})
    await zoho.turn(empty_trigger_notifies=reaches)
    await zoho.write("POST", "/Leads", LEAD)
    await zoho.write("POST", "/Leads", LEAD, trigger=[])
    assert len((await zoho.http.get("/_sim/outbox")).json()["deliveries"]) == count


@pytest.mark.parametrize(("counts_per", "refused"), [("refresh_token", False), ("client", True)])
async def test_the_throttle_counts_per_refresh_token_or_per_client(sim, http, counts_per, refused):
    sim.switches.set({"throttle_counts_per": counts_per})
    first, second = sim.open_grant(), sim.open_grant()
    client = {"client_id": DEFAULT_CLIENT.id, "client_secret": DEFAULT_CLIENT.secret, "grant_type": "refresh_token"}
    for _ in range(10):
        answer = await http.post("/oauth/v2/token", data={**client, "refresh_token": first.token})
        assert "access_token" in answer.json()
    answer = await http.post("/oauth/v2/token", data={**client, "refresh_token": second.token})
    assert ("error" in answer.json()) is refused


@pytest.mark.parametrize(("ignores", "status"), [(True, 204), (False, 401)])
async def test_scopes_in_other_letters_count_unless_switched(sim, http, ignores, status):
    sim.switches.set({"scopes_ignore_case": ignores})
    grant = sim.open_grant(scopes=("zohocrm.modules.all",))
    token = sim.grants.refresh(grant.token, DEFAULT_CLIENT, sim.data_centre).token
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    assert (await http.get("/crm/v8/Leads?fields=id", headers=headers)).status_code == status
