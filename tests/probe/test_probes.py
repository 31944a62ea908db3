"""Every probe finds the position its switch is in, makes no more than it says, and leaves nothing behind."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from conftest import Database
from probe.conftest import BOOKS_LOOK, LOOK, ORDINARY, Trial, probe_called
from stage import eventually
from switch_positions import POSITIONS
from zohosim.app import create_app
from zohosim.switches import SWITCHES
from zohosync.db.pool import connect
from zohosync.errors import NotConnected, ScopeMissing, SettingsRefused
from zohosync.probe.catalogue import PROBES
from zohosync.probe.ground import Ground
from zohosync.probe.permission import KEY_FIELDS
from zohosync.probe.probe import Group, Probe
from zohosync.probe.run import run_probes
from zohosync.sync.field_setup import make_fields
from zohosync.sync.wanted_fields import WANTED_FIELDS
from zohosync.wiring import open_services

BOOKS_WRITES = ("create_contact", "create_item", "create_invoice", "create_payment")
SETTLING = [probe.name for probe in PROBES if probe.settles]
CASES = [(name, position) for name, position in POSITIONS if name in SETTLING]
DEFAULTS = {switch.name: switch.default for switch in SWITCHES}
OTHERWISE = [
    (name, position)
    for name, position in POSITIONS
    if position != DEFAULTS[name]
    and not name.startswith("books_")
    and name != "refresh_tokens_per_user"  # with two, the codes would end the connected login
]


@pytest.mark.parametrize(("name", "position"), CASES)
async def test_a_probe_reports_the_position_its_switch_is_in(trial: Trial, name: str, position: Any) -> None:
    trial.sim.switches.set({name: position})
    outcome = await trial.run(name)
    assert [result.reason for result in outcome.results] == [""]
    assert outcome.switches == {name: position}
    assert type(outcome.switches[name]) is type(position)
    assert outcome.left_over == ()
    assert trial.left() == {}


@pytest.mark.parametrize(("name", "position"), OTHERWISE)
async def test_no_switch_leads_another_probe_astray(trial: Trial, name: str, position: Any) -> None:
    trial.sim.switches.set({name: position})
    outcome = await trial.run()
    assert {result.probe.name: result.reason for result in outcome.results if result.reason} == {}
    assert outcome.switches == {switch: trial.sim.switches[switch] for switch in SETTLING}
    assert outcome.left_over == ()
    assert trial.left() == {}


@pytest.mark.parametrize("name", [probe.name for probe in PROBES])
async def test_a_probe_takes_no_more_calls_and_credits_than_it_says(trial: Trial, name: str) -> None:
    """The look at the organisation before is the run's, and the one for leftovers at the end, one more per module."""
    probe = probe_called(name)
    trial.sim.switches.set({"lookup_by_name": "find_or_create", "live_access_tokens": 30})
    before, used = trial.calls(), trial.sim.limits.used
    await trial.run(name)
    sweeps = sum(entry.operation in ("coql", "fields") for entry in list(trial.sim.calls.entries)[before + LOOK :])
    allowed = probe.calls + LOOK + (sweeps if probe.group not in (Group.READS, Group.LOGIN, Group.LONG) else 0)
    assert trial.calls() - before <= allowed
    assert trial.sim.limits.used - used <= probe.credits + allowed - probe.calls


async def test_nothing_of_the_organisations_own_is_touched(trial: Trial) -> None:
    own = trial.sim.crm.modules["Leads"].insert(dict(ORDINARY), trial.sim.crm.organisation.user)
    await trial.run()
    assert list(trial.left()) == ["Leads"]
    assert trial.sim.crm.modules["Leads"].records == {own.id: own}


@pytest.mark.parametrize("name", ["upsert_insert_status", "email_ignores_case", "same_key_in_batch", "recycle_bin"])
async def test_a_record_that_was_there_before_is_never_deleted(trial: Trial, name: str) -> None:
    """It happens to have the very address that the run takes for its own, so an upsert changes it."""
    ground = Ground(trial.services.client, trial.services.custodian, trial.services.clock, token="0badcafe")
    values = {"Last_Name": "Somebody", "Email": "probe-0badcafe-1@example.com"}
    own = trial.sim.crm.modules["Leads"].insert(values, trial.sim.crm.organisation.user)
    outcome = await run_probes(ground, [probe_called(name)], lambda _: None)
    assert list(trial.sim.crm.modules["Leads"].records) == [own.id]
    assert outcome.left_over == (f"Leads {own.id}, which was there before and was changed",)


async def test_each_probe_finds_the_ground_clean(trial: Trial) -> None:
    found: dict[str, Any] = {}

    def look(name: str) -> None:
        found[name] = trial.left()

    await trial.run(announce=look)
    assert found == {probe.name: {} for probe in PROBES}


async def test_everything_made_carries_the_mark_of_its_run(trial: Trial) -> None:
    outcome = await trial.run()
    assert outcome.mark.startswith("zohosync probe ")
    deleted = [item for module in trial.sim.crm.modules.values() for item in module.deleted]
    assert len(deleted) >= 20
    assert {item.display_name for item in deleted} == {outcome.mark}


async def test_the_spare_logins_are_ended_and_the_connected_one_goes_on(trial: Trial) -> None:
    before = set(trial.sim.grants.grants)
    await trial.run()
    assert set(trial.sim.grants.grants) == before
    assert (await trial.services.crm.organisation()).id == trial.organisation


async def test_without_a_code_the_questions_about_logins_stay_open(trial: Trial) -> None:
    outcome = await trial.run(codes=0)
    open_ones = {result.probe.name: result.reason for result in outcome.results if not result.settled}
    assert set(open_ones) == {probe.name for probe in PROBES if probe.group in (Group.LOGIN, Group.LONG)}
    assert all("--code" in reason for reason in open_ones.values())
    outcome = await trial.run("throttle_counts_per", codes=1)
    assert "twice" in outcome.results[0].reason


# --- when something goes wrong


@pytest.mark.parametrize(
    "kind",
    ["http_500_before_commit", "http_500_after_commit", "timeout_before_commit", "timeout_after_commit", "html_502"],
)
async def test_a_probe_that_fails_is_not_settled_and_the_next_goes_on(trial: Trial, kind: str) -> None:
    trial.sim.order({"kind": kind, "match": {"operation": "insert", "module": "Leads"}})
    outcome = await trial.run("mixed_status", "phone_parentheses", "unknown_keys")
    failed, *others = outcome.results
    assert (failed.probe.name, failed.settled, failed.value) == ("mixed_status", False, None)
    assert failed.reason.startswith("Zoho")
    assert [result.settled for result in others] == [True, True]
    assert outcome.left_over == ()
    assert trial.left() == {}, "what was made unnoticed is found by its name"


@pytest.mark.parametrize("probe", [probe for probe in PROBES if probe.group not in (Group.LOGIN, Group.LONG)],
                         ids=lambda probe: probe.name)  # fmt: skip
@pytest.mark.parametrize("kind", ["http_500_after_commit", "drop_connection_after_commit"])
async def test_no_probe_leaves_anything_when_its_first_write_is_lost(trial: Trial, probe: Any, kind: str) -> None:
    trial.sim.switches.set({"unique_and_external": True, "lookup_by_name": "find_or_create"})
    operations = ["insert", "upsert", "update", "convert", "create_fields", *BOOKS_WRITES]
    for operation in operations:
        trial.sim.order({"kind": kind, "match": {"operation": operation}})
        await trial.run(probe.name)
        assert trial.left() == {}
        trial.sim.faults.clear()


async def test_zohos_wish_to_go_slower_is_granted(trial: Trial) -> None:
    trial.sim.order({"kind": "http_429", "count": 2, "match": {"operation": "insert"}})
    outcome = await trial.run("mixed_status", "unknown_keys", codes=0)
    assert outcome.switches == {"mixed_status": 207, "unknown_keys": "ignore"}
    assert trial.left() == {}


async def test_a_day_without_credits_ends_the_questions_not_the_cleaning(trial: Trial) -> None:
    trial.sim.order({"kind": "http_429", "count": 50, "after": 1, "match": {"operation": "insert"}})
    outcome = await trial.run("mixed_status", "unknown_keys", codes=0)
    assert [result.settled for result in outcome.results] == [True, False]
    assert "slow down" in outcome.results[1].reason
    assert trial.left() == {}


async def test_an_interrupted_run_cleans_up_all_the_same(trial: Trial) -> None:
    """The Lead of the second probe is there, but nobody was told."""
    hang = {
        "kind": "timeout_after_commit",
        "delay": 60,
        "after": 1,
        "match": {"operation": "insert", "module": "Leads"},
    }
    trial.sim.order(hang)
    running = asyncio.create_task(trial.run("mixed_status", "unknown_keys"))
    await eventually(lambda: held(trial))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert trial.left() == {}
    assert len(trial.sim.grants.grants) == 1


async def held(trial: Trial) -> bool:
    """Whether the second probe's Lead has been made."""
    module = trial.sim.crm.modules["Leads"]
    return len(module.deleted) == 1 and len(module.records) == 1


async def test_what_cannot_be_deleted_is_listed_by_name(trial: Trial) -> None:
    trial.sim.order({"kind": "record_locked", "match": {"operation": "delete", "module": "Leads"}})
    outcome = await trial.run("unknown_keys")
    assert outcome.results[0].settled
    (lead,) = trial.left()["Leads"]
    assert outcome.left_over == (f"Leads {lead.id}",)


async def test_what_may_be_left_is_told_when_nobody_can_look(trial: Trial) -> None:
    trial.sim.order({"kind": "http_500_before_commit", "count": 9, "after": 3, "match": {"operation": "coql"}})
    outcome = await trial.run("unknown_keys")
    assert outcome.results[0].settled
    assert [outcome.mark in line and "Leads" in line for line in outcome.left_over] == [True]


STRANGE = {"code": "SOMETHING_NEW", "details": {}, "message": "x", "status": "error"}


async def test_an_answer_no_position_foresees_is_told_and_not_taken_for_one(trial: Trial) -> None:
    trial.sim.order({"kind": "answer", "status": 418, "body": STRANGE, "match": {"operation": "insert"}})
    result = await trial.settle("phone_parentheses")
    assert not result.settled
    assert "HTTP 418, SOMETHING_NEW" in result.reason


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
async def test_no_probe_takes_what_it_does_not_know_for_a_position(trial: Trial, probe: Probe) -> None:
    """From its first call on, from the second, and so on."""
    truth = (await trial.settle(probe.name)).value
    assert truth is not None
    look = LOOK + (BOOKS_LOOK if probe.group is Group.BOOKS else 0)
    for known in range(look, look + min(probe.calls, 6)):
        trial.sim.order({"kind": "answer", "status": 418, "count": 200, "after": known, "body": STRANGE})
        (result,) = (await trial.run(probe.name)).results
        assert not result.settled or result.value == truth
        trial.sim.faults.clear()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": []},
        {"data": [None, {}, {"details": None}]},
        {"data": [{"code": "SUCCESS", "status": "success", "details": {}}]},
        {"data": [{"code": "SUCCESS", "status": "success", "details": {"id": 5}, "action": "insert"}] * 2},
        {"fields": [{"code": "SUCCESS"}], "users": [{"id": "12"}], "code": 7},
    ],
)
@pytest.mark.parametrize("status", [200, 400])
async def test_no_probe_stumbles_over_an_odd_answer(trial: Trial, body: dict[str, Any], status: int) -> None:
    trial.sim.order({"kind": "answer", "status": status, "count": 900, "after": LOOK + BOOKS_LOOK, "body": body})
    outcome = await trial.run()
    assert len(outcome.results) == len(PROBES)


async def test_a_refused_bearer_token_costs_no_new_one(trial: Trial) -> None:
    body = {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}
    trial.sim.order({"kind": "answer", "status": 401, "body": body, "match": {"operation": "users"}})
    before = trial.calls("accounts")
    outcome = await trial.run("bearer_scheme", codes=0)
    assert outcome.switches == {"bearer_scheme": False}
    assert trial.calls("accounts") == before


# --- where it must not run


async def refusal_of(trial: Trial, kind: type[Exception], **more: Any) -> Any:
    before = trial.calls()
    with pytest.raises(kind) as caught:
        await trial.run(**more)
    assert {entry.method for entry in list(trial.sim.calls.entries)[before:] if entry.service == "crm"} <= {"GET"}
    assert trial.left() == {}
    return caught.value


async def test_another_organisation_than_the_connected_one_is_refused(trial: Trial) -> None:
    error = await refusal_of(trial, SettingsRefused, confirmed="60099999999")
    assert error.reason == "probe_organisation_unconfirmed"
    assert f"--organisation {trial.organisation}" in error.hint


def fill(trial: Trial, module: str, count: int, **values: Any) -> None:
    crm = trial.sim.crm
    named = {"Account_Name": "Somebody"} if module == "Accounts" else {"Last_Name": "Somebody"}
    for _ in range(count):
        crm.modules[module].insert(named | values, crm.organisation.user)


async def refusal_for_use(trial: Trial, **more: Any) -> Any:
    held = trial.left()
    with pytest.raises(SettingsRefused) as caught:
        await trial.run(codes=0, **more)
    assert trial.left() == held
    operations = {entry.operation for entry in trial.sim.calls.entries if entry.service == "crm"}
    assert operations == {"org", "fields", "coql"}, "it was only looked at"
    return caught.value


async def test_an_organisation_with_many_records_is_refused_whatever_this_database_says(trial: Trial) -> None:
    """It may serve a shop from another database."""
    fill(trial, "Leads", 20)
    fill(trial, "Contacts", 20)
    fill(trial, "Accounts", 10)
    assert (await trial.run("unknown_keys", codes=0)).results[0].settled, "fifty are few"
    trial.sim.calls.entries.clear()
    fill(trial, "Leads", 1)
    error = await refusal_for_use(trial)
    assert error.reason == "probe_organisation_in_use"
    assert "21 Leads, 20 Contacts, 10 Accounts" in error.message
    assert trial.organisation in error.message
    assert "trial or sandbox" in error.hint
    assert "--in-use" in error.hint
    fill(trial, "Leads", 100)
    assert "more than 50 Leads" in (await refusal_for_use(trial)).message


async def test_an_organisation_of_books_with_many_records_is_refused_where_books_is_probed(trial: Trial) -> None:
    """It may be another one than CRM's, and serve a shop."""
    books = trial.services.books
    for number in range(51):
        await books.create_contact({"contact_name": f"Demo Customer {number}", "contact_type": "customer"})
    assert (await trial.run("unknown_keys", codes=0)).results[0].settled, "CRM alone may be probed"
    with pytest.raises(SettingsRefused) as caught:
        await trial.run("books_sku_filter", codes=0)
    assert caught.value.reason == "probe_organisation_in_use"
    assert "more than 50 contacts" in caught.value.message
    assert (await trial.run("books_sku_filter", codes=0, in_use=True)).switches == {"books_sku_filter": "honoured"}
    assert len(trial.left()["books contacts"]) == 51


@pytest.mark.parametrize("module", ["Contacts", "Accounts"])
async def test_an_organisation_with_one_record_of_a_shop_is_refused(trial: Trial, module: str) -> None:
    await make_fields(trial.services.crm, WANTED_FIELDS)
    fill(trial, module, 1)
    assert (await trial.run("unknown_keys", codes=0)).results[0].settled, "the fields alone are no sign"
    trial.sim.calls.entries.clear()
    fill(trial, module, 1, **{KEY_FIELDS[module]: "7"})
    error = await refusal_for_use(trial)
    assert f"{module} carry the key of a shop's record" in error.message


async def test_a_person_may_vouch_for_an_organisation_that_looks_used(trial: Trial) -> None:
    fill(trial, "Leads", 60)
    before = trial.left()
    outcome = await trial.run("unknown_keys", codes=0, in_use=True)
    assert outcome.results[0].settled
    assert trial.left() == before


async def test_nobody_can_vouch_for_a_live_database(trial: Trial, database: Database) -> None:
    async with await connect(database.owner_url) as owner:
        await owner.execute("update zohosync.installation set capturing = true, live_since = now()")
    transport = httpx.ASGITransport(app=create_app(trial.sim))
    async with open_services(trial.services.settings, transport=transport) as services:
        live = replace(trial, services=services)
        assert (await refusal_of(live, SettingsRefused, codes=0, in_use=True)).reason == "probe_live_database"


async def test_a_login_that_cannot_delete_is_refused_with_the_scopes_to_ask_for(
    trial: Trial, database: Database
) -> None:
    async with trial.services.pool.connection() as connection:
        await connection.execute(
            "update zohosync.connection set scopes = '{ZohoCRM.modules.leads.READ,ZohoCRM.modules.leads.CREATE}'"
        )
    error = await refusal_of(trial, ScopeMissing)
    assert "ZohoCRM.modules.leads.DELETE" in error.message
    assert "ZohoCRM.modules.leads.DELETE" in error.hint
    assert "ZohoCRM.modules.leads.READ" not in error.message


async def test_a_disconnected_database_is_refused(trial: Trial) -> None:
    await trial.services.custodian.disconnect()
    await refusal_of(trial, NotConnected, codes=0)
