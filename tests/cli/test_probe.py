"""`zohosync probe` and `zohosync sim --switches`: nothing without --run, and a result a simulator can be set to."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from cli.conftest import Command, Shop, json_of, refused
from stage import connect_services
from zohosim.app import create_app
from zohosim.simulator import Simulator
from zohosim.switches import SWITCHES
from zohosync.cli.simulator import read_switches, turn
from zohosync.config import load_settings
from zohosync.probe.catalogue import NOT_PROBED, PLANNED, PROBES
from zohosync.wiring import open_services


@pytest.fixture
def sim() -> Simulator:
    return Simulator()


@pytest.fixture
def address(sim: Simulator) -> Iterator[str]:
    """The simulator behind uvicorn on a free loopback port, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(sim), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def trial(installed: Shop, address: str) -> dict[str, str]:
    """The settings of a database that is connected to the simulator, and not live."""
    env = {**installed.env, "ZOHOSYNC_ZOHO": "sim", "ZOHOSYNC_SIM_URL": address}

    async def connect() -> None:
        given = {name.removeprefix("ZOHOSYNC_").lower(): value for name, value in env.items()}
        async with (
            httpx.AsyncClient(base_url=address) as zoho,
            open_services(load_settings(None, **given)) as services,
        ):
            await connect_services(services, zoho)

    asyncio.run(connect())
    return env


def organisation_of(command: Command, trial: dict[str, str]) -> str:
    """Its id, as the refusal names it."""
    answer = command("probe", "--run", **trial)
    assert answer.exit_code == 2
    return answer.stderr.split("--organisation ")[-1].split()[0]


def test_without_run_everything_is_listed_and_nothing_needed(command: Command) -> None:
    """Neither database nor Zoho: there are no settings at all."""
    answer = command("probe")
    assert answer.exit_code == 0, answer.output
    for name in [*(probe.name for probe in PROBES), *(one.name for one in PLANNED)]:
        assert name in answer.stdout
    assert "Not in this release" in answer.stdout
    assert "Nothing was sent." in answer.stdout


@pytest.mark.parametrize("columns", ["80", "60"])
def test_on_a_narrow_screen_no_name_is_cut(command: Command, columns: str) -> None:
    """A name that is cut cannot be given to --only."""
    answer = command("probe", COLUMNS=columns)
    assert "…" not in answer.stdout
    words = answer.stdout.split()
    assert [one.name for one in (*PROBES, *PLANNED) if one.name not in words] == []


def test_the_organisation_can_be_named_as_in_zohos_addresses(
    command: Command, trial: dict[str, str], sim: Simulator
) -> None:
    run = ("probe", "--run", "--only", "unknown_keys", "--organisation")
    assert command(*run, sim.crm.organisation.zgid, **trial).exit_code == 0
    refused(command(*run, "60000000000", **trial), 2, "--organisation says 60000000000", "--organisation ")
    refused(command(*run, "", **trial), 2, "--organisation says", "--organisation ")


def test_the_dry_list_for_machines_tells_what_each_probe_makes_and_costs(command: Command) -> None:
    told = json_of(command("probe", "--json"))
    assert told["run"] is False
    assert [row["name"] for row in told["probes"]] == [probe.name for probe in PROBES]
    assert set(told["probes"][0]) == {
        "name", "group", "question", "settles", "informs", "makes", "calls", "credits", "source",
    }  # fmt: skip
    assert len(told["not_in_this_release"]) == len(PLANNED)
    assert len(told["not_probed"]) == len(NOT_PROBED)
    assert {row["name"] for row in told["groups"]} == {"reads", "leads", "contacts", "fields", "books", "login", "long"}


def test_groups_and_single_probes_can_be_chosen(command: Command) -> None:
    told = json_of(command("probe", "--json", "--group", "fields", "--only", "emoji"))
    assert {row["name"] for row in told["probes"]} == {"unique_and_external", "emoji"}
    refused(command("probe", "--only", "gravity"), 2, "no probe gravity", "zohosync probe")


def test_a_run_tells_the_true_positions_and_marks_those_zohosim_has_otherwise(
    command: Command, trial: dict[str, str], sim: Simulator
) -> None:
    organisation = organisation_of(command, trial)
    sim.switches.set({"mixed_status": 200})
    chosen = ("--only", "mixed_status", "--only", "unknown_keys", "--only", "token_answer_has_scope")
    answer = command("probe", "--run", "--organisation", organisation, *chosen, **trial)
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert "mixed_status = 200   <- zohosim: 207" in lines
    assert 'unknown_keys = "ignore"' in lines
    assert any(line.startswith("token_answer_has_scope: not settled: ") for line in lines)
    assert json.loads(lines[-1]) == {"mixed_status": 200, "unknown_keys": "ignore"}


def test_what_a_run_prints_for_machines_sets_a_simulator(
    command: Command, trial: dict[str, str], sim: Simulator, tmp_path: Path
) -> None:
    organisation = organisation_of(command, trial)
    wrong = {"upsert_insert_status": 201, "emoji": "strip", "unknown_id_status": 404}
    sim.switches.set(wrong)
    chosen = ("--group", "reads", "--group", "leads")
    answer = command("probe", "--run", "--json", "--organisation", organisation, *chosen, **trial)
    told = json_of(answer)
    assert told["organisation"]["id"] == organisation
    assert told["left_over"] == []
    assert {row["name"] for row in told["results"] if row["differs"]} == set(wrong)
    assert set(told["results"][0]) == {
        "name", "question", "settles", "settled", "value", "zohosim", "differs", "note", "reason",
    }  # fmt: skip
    (tmp_path / "truth.json").write_text(answer.stdout)
    fresh = Simulator()
    turn(fresh, read_switches(tmp_path / "truth.json"))
    fresh.reset()
    assert {switch.name: fresh.switches[switch.name] for switch in SWITCHES} == {
        switch.name: sim.switches[switch.name] for switch in SWITCHES
    }


def test_a_live_database_is_refused_before_anything_is_sent(
    command: Command, trial: dict[str, str], installed: Shop, sim: Simulator
) -> None:
    organisation = organisation_of(command, trial)
    installed.execute("update zohosync.installation set capturing = true, live_since = now()")
    before = len(sim.calls.entries)
    answer = command("probe", "--run", "--organisation", organisation, **trial)
    refused(answer, 2, "has gone live", "a database of its own")
    assert len(sim.calls.entries) == before


def test_what_is_left_over_is_told_with_exit_code_one(command: Command, trial: dict[str, str], sim: Simulator) -> None:
    organisation = organisation_of(command, trial)
    sim.order({"kind": "record_locked", "match": {"operation": "delete"}})
    answer = command("probe", "--run", "--organisation", organisation, "--only", "unknown_keys", **trial)
    assert answer.exit_code == 1
    assert "Could not be deleted: Leads " in answer.stdout
    assert "'zohosync probe " in answer.stdout


def test_a_refused_code_leaves_no_login_behind(command: Command, trial: dict[str, str], sim: Simulator) -> None:
    organisation = organisation_of(command, trial)
    before = set(sim.grants.grants)
    code = httpx.post(f"{trial['ZOHOSYNC_SIM_URL']}/_sim/grant", json={"kind": "code"}).json()["code"]
    codes = ("--code", code, "--code", "1000.wrong")
    answer = command("probe", "--run", "--organisation", organisation, *codes, "--group", "login", **trial)
    refused(answer, 1, "does not accept the code", "Make a new one")
    assert set(sim.grants.grants) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "holds no switches"),
        ('{"gravity": 1}', "no switch is called 'gravity'"),
        ('{"switches": {"mixed_status": 299}}', "takes [207, 200]"),
    ],
)
def test_a_file_without_proper_switches_is_refused(command: Command, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "switches.json").write_text(text)
    refused(command("sim", "--switches", str(tmp_path / "switches.json")), 2, message, "zohosync probe")
