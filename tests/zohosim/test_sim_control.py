"""The control plane: reset, clock, switches, grants, dump, the call log, notifications, the web face."""

import asyncio
import re

import pytest

from zohosim.clock import Clock, iso, read_iso
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosim.switches import SWITCHES

PERSON = {"Last_Name": "Example", "Email": "a@example.com"}


async def test_a_reset_forgets_everything_but_clients_and_seeds(zoho):
    await zoho.http.post("/_sim/clients", json={"id": "1000.MINE", "secret": "x", "redirect_uris": ["http://x/cb"]})
    await zoho.http.post("/_sim/fields", json={"module": "Contacts", "label": "Shop Id", "unique": True})
    (old,) = await zoho.insert("Contacts", PERSON)
    await zoho.order(kind="http_429")
    await zoho.turn(mixed_status=200)
    assert (await zoho.http.post("/_sim/reset")).json() == {"ok": True}
    told = (await zoho.http.get("/_sim/dump")).json()
    assert told["records"] == {"Leads": [], "Accounts": [], "Contacts": [], "Notes": []}
    assert told["tokens"] == {"codes": 0, "refresh_tokens": 0, "live_access_tokens": 0}
    assert told["counters"] == {}
    assert (await zoho.http.get("/_sim/faults")).json()["faults"] == []
    assert zoho.sim.switches["mixed_status"] == 207
    assert "1000.MINE" in zoho.sim.grants.clients
    assert zoho.sim.crm.modules["Contacts"].fields["Shop_Id"].unique
    assert int(zoho.sim.ids.next()) > int(old)


async def test_the_dump_tells_records_tokens_and_counters(zoho):
    (record_id,) = await zoho.insert("Contacts", PERSON)
    told = (await zoho.http.get("/_sim/dump")).json()
    assert told["records"]["Contacts"][0]["id"] == record_id
    assert told["tokens"]["live_access_tokens"] == 1
    assert told["credits"] == {"used": 1, "allowance": 60_000}
    assert told["counters"]["operation:crm.insert"] == 1
    assert told["counters"]["status:201"] == 1


async def test_the_call_log_shows_which_records_were_written_when(zoho):
    await zoho.http.post("/_sim/latency", json={"seconds": 0.02})
    both = {"Last_Name": "x", "Email": "Same@example.com"}
    await asyncio.gather(zoho.upsert("Contacts", both), zoho.upsert("Contacts", both))
    calls = (await zoho.http.get("/_sim/calls?operation=upsert")).json()["calls"]
    assert [call["keys"] for call in calls] == [["same@example.com"]] * 2
    assert calls[0]["ids"] == calls[1]["ids"]
    assert calls[1]["started_at"] < calls[0]["ended_at"], "the two overlapped, and the log proves it"
    later = (await zoho.http.get(f"/_sim/calls?since={calls[-1]['number']}")).json()
    assert later["calls"] == []
    assert later["total"] == 2


async def test_secrets_in_a_query_string_stay_out_of_the_log(zoho):
    await zoho.http.post("/oauth/v2/token", params={"client_secret": DEFAULT_CLIENT.secret})
    (call,) = (await zoho.http.get("/_sim/calls")).json()["calls"]
    assert call["query"] == ""


async def test_the_clock_advances_sets_and_scales(http, sim):
    assert (await http.post("/_sim/clock", json={"advance": 90})).json()["now"] == "2026-11-22T12:01:30+05:30"
    told = (await http.post("/_sim/clock", json={"set": "2027-01-01T00:00:00+00:00", "scale": 20})).json()
    assert told["now"] == "2027-01-01T05:30:00+05:30"
    assert told["minute_seconds"] == 3
    assert (await http.get("/_sim/clock")).json() == told
    assert (await http.post("/_sim/clock", json={"set": "soon"})).status_code == 400
    assert (await http.post("/_sim/clock", json={"advance": "x"})).status_code == 400


def test_times_are_read_with_any_offset_and_written_with_the_organisations():
    assert read_iso("2026-11-22T12:00:00+05:30") == read_iso("2026-11-22T06:30:00Z") == read_iso("2026-11-22T06:30:00")
    assert read_iso("tomorrow") is None
    assert iso(0) == "1970-01-01T05:30:00+05:30"
    clock = Clock(real=iter([1.0, 1.0, 2.0]).__next__)
    assert [clock.stamp()[-8:-6] for _ in range(3)] == ["01", "01", "02"]


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
async def test_every_switch_is_listed_explained_and_can_be_turned(http, switch):
    listed = {s["name"]: s for s in (await http.get("/_sim/switches")).json()["switches"]}
    told = listed[switch.name]
    assert told["value"] == told["default"] == switch.default
    assert told["meaning"]
    assert told["source"].startswith("https://www.zoho.com/")
    other = next((choice for choice in switch.choices if choice != switch.default), 7)
    answer = await http.post("/_sim/switches", json={switch.name: other})
    assert {s["name"]: s["value"] for s in answer.json()["switches"]}[switch.name] == other
    assert (await http.post("/_sim/switches", json={switch.name: "nonsense"})).status_code == 400


async def test_unknown_switches_editions_modules_and_clients_are_refused(http):
    for path, body in (
        ("switches", {"gravity": False}),
        ("limits", {"edition": "galactic"}),
        ("grant", {"client_id": "1000.NOBODY"}),
        ("grant", {"data_centre": "mars"}),
        ("fields", {"module": "Deals", "label": "x"}),
        ("records", {"module": "Contacts", "id": "1", "locked": True}),
        ("clients", {"id": "only"}),
        ("latency", {"seconds": "x"}),
    ):
        answer = await http.post(f"/_sim/{path}", json=body)
        assert answer.status_code == 400, path
        assert answer.json()["error"]
    assert (await http.post("/_sim/reset", content=b"{")).status_code == 400


async def test_another_sites_page_cannot_steer_the_simulator(http):
    strange = {"Sec-Fetch-Site": "cross-site"}
    assert (await http.post("/_sim/reset", headers=strange)).status_code == 403
    assert (await http.post("/reset", headers=strange)).status_code == 403


async def test_latency_is_drawn_between_its_bounds(http, sim):
    told = (await http.post("/_sim/latency", json={"least": 0.001, "most": 0.002, "seed": 4})).json()
    assert told == {"least": 0.001, "most": 0.002}
    await sim.latency.wait()
    assert (await http.get("/_sim/latency")).json() == told


async def test_a_grant_tells_what_a_client_needs_to_begin(http):
    told = (await http.post("/_sim/grant", json={"data_centre": "us", "scopes": ["A", "B"]})).json()
    assert told["accounts"] == "http://sim/dc/us"
    assert told["scopes"] == ["A", "B"]
    assert told["organisation_id"] == "60012345678"
    assert told["refresh_token"].startswith("1000.")


def test_two_simulators_share_nothing():
    one, two = Simulator(), Simulator()
    one.seed_field("Contacts", "Mine")
    one.crm.modules["Contacts"].insert({"Last_Name": "x"}, one.crm.organisation.user)
    assert "Mine" not in two.crm.modules["Contacts"].fields
    assert not two.crm.modules["Contacts"].records


# Notifications


async def watch(zoho, **changes):
    channel = {
        "channel_id": 1000000068001,
        "events": ["Contacts.all", "Leads.create"],
        "notify_url": "https://shop.example.com/hook",
        "token": "secret",
        "channel_expiry": "2026-11-29T11:59:00+05:30",
        **changes,
    }
    return await zoho.crm("POST", "/actions/watch", json={"watch": [channel]})


async def deliveries(zoho) -> list[dict]:
    return (await zoho.http.get("/_sim/outbox")).json()["deliveries"]


async def test_a_channel_is_told_ids_and_its_token_and_nothing_else_of_the_record(zoho):
    opened = await watch(zoho)
    assert opened.status_code == 201
    event = opened.json()["watch"][0]["details"]["events"][0]
    assert event["channel_expiry"] == "2026-11-29T11:59:00+05:30"
    assert event["resource_uri"] == "http://sim/crm/v2/Contacts"
    (record_id,) = await zoho.insert("Contacts", PERSON)
    (delivery,) = await deliveries(zoho)
    assert delivery["notify_url"] == "https://shop.example.com/hook"
    assert delivery["body"]["ids"] == [record_id]
    assert (delivery["body"]["operation"], delivery["body"]["token"]) == ("insert", "secret")
    assert delivery["body"]["channel_id"] == "1000000068001"
    assert "example.com" not in str(delivery["body"])


async def test_a_channel_hears_only_of_its_events(zoho):
    await watch(zoho)
    (lead,) = await zoho.insert("Leads", PERSON)
    await zoho.write("PUT", "/Leads", {"id": lead, "Company": "x"})
    await zoho.insert("Accounts", {"Account_Name": "x"})
    (contact,) = await zoho.insert("Contacts", PERSON)
    await zoho.crm("DELETE", f"/Contacts/{contact}")
    heard = [(d["body"]["module"], d["body"]["operation"]) for d in await deliveries(zoho)]
    assert heard == [("Leads", "insert"), ("Contacts", "insert"), ("Contacts", "delete")]
    await zoho.http.delete("/_sim/outbox")
    assert await deliveries(zoho) == []


@pytest.mark.parametrize("expiry", [None, "2027-01-01T00:00:00+05:30", "2020-01-01T00:00:00+05:30"])
async def test_an_expiry_beyond_a_week_or_none_becomes_one_hour(zoho, expiry):
    event = (await watch(zoho, channel_expiry=expiry)).json()["watch"][0]["details"]["events"][0]
    assert event["channel_expiry"] == "2026-11-22T13:00:00+05:30"


async def test_an_expired_channel_is_silent(zoho):
    await watch(zoho, channel_expiry="2026-11-22T12:10:00+05:30")
    zoho.sim.clock.advance(600)
    await zoho.insert("Contacts", PERSON)
    assert await deliveries(zoho) == []
    assert (await zoho.crm("GET", "/actions/watch")).status_code == 204


async def test_own_writes_may_be_kept_from_channels(zoho):
    await watch(zoho)
    await zoho.turn(own_writes_notify=False)
    await zoho.insert("Contacts", PERSON)
    assert await deliveries(zoho) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"notify_url": "http://shop.example.com"}, "INVALID_DATA"),
        ({"token": "x" * 51}, "INVALID_DATA"),
        ({"events": ["Deals.all"]}, "INVALID_DATA"),
        ({"events": []}, "MANDATORY_NOT_FOUND"),
    ],
)
async def test_wrong_channels_are_refused(zoho, changes, code):
    answer = await watch(zoho, **changes)
    assert (answer.status_code, answer.json()["watch"][0]["code"]) == (400, code)


async def test_channels_are_listed_and_closed(zoho):
    await watch(zoho)
    listed = (await zoho.crm("GET", "/actions/watch?channel_id=1000000068001")).json()["watch"]
    assert [channel["resource_name"] for channel in listed] == ["Contacts", "Leads"]
    assert (await zoho.crm("DELETE", "/actions/watch?channel_ids=1000000068001")).status_code == 200
    again = await zoho.crm("DELETE", "/actions/watch?channel_ids=1000000068001")
    assert again.json()["code"] == "NOT_SUBSCRIBED"


# The web face


async def test_the_pages_show_records_escaped_and_run_no_script(zoho):
    (record_id,) = await zoho.insert("Contacts", {**PERSON, "Last_Name": "<script>x</script>", "Title": "Dr"})
    await zoho.write("POST", f"/Contacts/{record_id}/Notes", {"Note_Title": "N & M", "Note_Content": "<b>"})
    for path in ("/", "/modules/Contacts", f"/modules/Contacts/{record_id}", "/modules/Notes"):
        shown = await zoho.http.get(path)
        assert shown.status_code == 200
        assert "<script" not in shown.text
        assert "style=" not in shown.text
        assert "default-src 'none'" in shown.headers["content-security-policy"]
        outside = re.findall(r'(?:src|href|action)="(?!/|\?)[^"]*"', shown.text)
        assert outside == []
    page = (await zoho.http.get(f"/modules/Contacts/{record_id}")).text
    assert "&lt;script&gt;" in page
    assert "Dr" in page
    assert "N &amp; M" in page
    assert "Contact Information" in page


async def test_a_module_page_searches_and_pages(zoho):
    rows = [{"Last_Name": f"Person {n:03d}"} for n in range(60)]
    await zoho.insert("Leads", *rows)
    first = (await zoho.http.get("/modules/Leads")).text
    assert "Person 059" in first
    assert "page 1 of 2" in first
    assert "Person 000" in (await zoho.http.get("/modules/Leads?page=2")).text
    assert "1 record," in (await zoho.http.get("/modules/Leads?q=person+007")).text
    assert "No Leads with" in (await zoho.http.get("/modules/Leads?q=%3Cb%3E")).text
    assert (await zoho.http.get("/modules/Leads?page=x")).status_code == 200
    assert (await zoho.http.get("/modules/Deals")).status_code == 404
    assert (await zoho.http.get("/modules/Leads/1")).status_code == 404
    assert "No Accounts yet" in (await zoho.http.get("/modules/Accounts")).text


async def test_the_buttons_break_things_and_mend_them(zoho):
    async def press(path: str, **form: str):
        answer = await zoho.http.post(path, data=form, headers={"referer": "http://sim/modules/Contacts"})
        assert answer.status_code == 303
        return answer.headers["location"]

    assert await press("/faults/busy") == "http://sim/modules/Contacts"
    assert [(await zoho.crm("GET", "/org")).status_code for _ in range(6)] == [429] * 5 + [200]
    await press("/faults/refuse", email="A@example.com")
    assert "A@example.com" in (await zoho.http.get("/")).text
    assert (await zoho.upsert("Contacts", PERSON)).status_code == 400
    await press("/faults/refuse", email="")
    await press("/faults/clear")
    await press("/faults/ambiguous")
    assert (await zoho.upsert("Contacts", PERSON)).status_code == 500
    assert len(zoho.sim.crm.modules["Contacts"].records) == 1
    await press("/faults/evict")
    assert (await zoho.crm("GET", "/org")).status_code == 401
    assert await press("/reset") == "/"
    assert not zoho.sim.crm.modules["Contacts"].records
    assert (await zoho.http.post("/faults/earthquake")).status_code == 404


async def test_the_style_sheet_is_served_by_the_simulator_itself(http):
    style = await http.get("/static/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in style.text
    assert "http" not in style.text
