"""Over a real port: dropped connections are dropped, and the program starts by itself."""

import socket
import subprocess
import sys
import time

import httpx
import pytest

from zohosim.__main__ import build, read_arguments

pytestmark = pytest.mark.process

PERSON = {"data": [{"Last_Name": "Example"}]}


@pytest.fixture
def caller(address: str):
    with httpx.Client(base_url=address, timeout=5) as http:
        grant = http.post("/_sim/grant").json()
        form = {"grant_type": "refresh_token", **{k: grant[k] for k in ("refresh_token", "client_id", "client_secret")}}
        token = http.post("/oauth/v2/token", data=form).json()
        assert token["api_domain"] == address
        http.headers["Authorization"] = f"Zoho-oauthtoken {token['access_token']}"
        yield http


@pytest.mark.parametrize("kind", ["drop_connection_after_commit", "timeout_after_commit"])
def test_a_dropped_connection_carries_no_byte_and_the_record_is_written(caller, kind):
    caller.post("/_sim/faults", json={"kind": kind, "delay": 0.01})
    with pytest.raises(httpx.TransportError):
        caller.post("/crm/v8/Contacts", json=PERSON)
    assert caller.get("/crm/v8/Contacts/actions/count").json() == {"count": 1}


def test_a_caller_with_a_shorter_patience_than_the_delay_times_out(caller):
    caller.post("/_sim/faults", json={"kind": "timeout_after_commit", "delay": 60})
    began = time.perf_counter()
    with pytest.raises(httpx.ReadTimeout):
        caller.post("/crm/v8/Contacts", json=PERSON, timeout=0.2)
    assert time.perf_counter() - began < 5
    assert caller.get("/crm/v8/Contacts/actions/count").json() == {"count": 1}


def test_the_program_serves_with_seeded_fields():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "zohosim", "--port", str(port), "--seed-fields", "Contacts:Shop Id:unique"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
            fields = eventually(f"http://127.0.0.1:{port}/_sim/dump")
            assert fields["organisation"]["company_name"] == "KN Biosciences"
        finally:
            process.terminate()
            process.wait(10)


def eventually(url: str) -> dict:
    for _ in range(200):
        try:
            return httpx.get(url).json()
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError(f"{url} never answered")


def test_arguments_build_the_simulator():
    options = read_arguments(["--seed-fields", "Contacts:Shop Id:unique", "Leads:GSTIN", "--data-centre", "us"])
    sim = build(options)
    assert sim.data_centre == "us"
    assert sim.crm.modules["Contacts"].fields["Shop_Id"].unique
    assert not sim.crm.modules["Leads"].fields["GSTIN"].unique
