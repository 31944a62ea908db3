"""run, worker, web and sim as processes: what they do, and how they end."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import IO

import httpx
import psycopg
import pytest
from typer import BadParameter

from cli.conftest import Command, Shop, json_of, refused, start
from zohosync.cli.service import read_duration

CUSTOMER = "insert into users (email, first_name, last_name) values ('customer1@example.com', 'Demo', 'Customer 1')"


@pytest.mark.parametrize(
    ("written", "seconds"), [("55s", 55), ("55", 55), ("0.5", 0.5), ("10m", 600), ("2h", 7200), ("1.5m", 90)]
)
def test_durations_are_read_as_people_write_them(written: str, seconds: float) -> None:
    assert read_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["", "s", "0s", "-1m", "inf", "nan", "1d", "5 minutes"])
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(BadParameter):
        read_duration(written)


@pytest.fixture
def zohosim() -> Iterator[str]:
    """`zohosync sim` on a free port; its address. It ends by SIGTERM, with 0."""
    process = start("sim", "--port", "0", env={})
    assert process.stdout is not None
    address = re.search(r"http://[\d.:]+", process.stdout.readline())
    assert address
    yield address[0]
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


@pytest.fixture
def live(command: Command, installed: Shop, zohosim: str) -> Shop:
    """A shop that is connected to zohosim and live, all by commands."""
    shop = Shop(installed.database, {**installed.env, "ZOHOSYNC_ZOHO": "sim", "ZOHOSYNC_SIM_URL": zohosim})
    grant = httpx.post(f"{zohosim}/_sim/grant", json={"kind": "code"}, trust_env=False).json()
    connected = json_of(
        command(
            "connect",
            "--client-id",
            grant["client_id"],
            "--code",
            grant["code"],
            "--json",
            **{**shop.env, "ZOHOSYNC_CLIENT_SECRET": grant["client_secret"]},
        )
    )
    assert connected["missing_scopes"] == []
    assert command("golive", **shop.env).exit_code == 0
    return shop


def wait_for_line(stream: IO[str] | None, sign: str) -> str:
    """The first line of a process's stream with ``sign`` in it; fails when the stream ends before."""
    assert stream is not None
    seen = ""
    for line in stream:
        seen += line
        if sign in line:
            return line
    pytest.fail(f"no {sign!r} in: {seen}")


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Exit code and the rest of stderr."""
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.process
def test_a_cron_run_drains_the_queue_and_ends_well(command: Command, live: Shop) -> None:
    live.execute(CUSTOMER)
    process = start("run", "--for", "2s", env=live.env)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, "Traceback" in errors) == (0, "", False), errors
    [user] = live.fetch("select zoho_crm_id from users")
    assert user["zoho_crm_id"]
    status = json_of(command("status", "--json", **live.env))
    assert (status["counts"]["success"], status["counts"]["pending"]) == (1, 0)
    assert status["connection"]["state"] == "connected"
    told = command("status", **live.env).stdout
    assert "1 success, 0 pending, 0 failed" in told


@pytest.mark.process
@pytest.mark.parametrize(("secret", "said"), [("zohosim-demo-secret", "code"), ("wrong", "client secret")])
def test_zohos_refusal_of_a_login_is_told_with_the_remedy(
    command: Command, installed: Shop, zohosim: str, secret: str, said: str
) -> None:
    env = {**installed.env, "ZOHOSYNC_ZOHO": "sim", "ZOHOSYNC_SIM_URL": zohosim}
    client = httpx.get(f"{zohosim}/_sim/clients", trust_env=False).json()["clients"][0]["id"]
    result = command("connect", "--client-id", client, "--client-secret", secret, "--code", "1000.a.b", **env)
    refused(result, 1, "Zoho", said)
    assert not installed.fetch("select 1 from zohosync.connection")


@pytest.mark.process
def test_a_login_of_another_organisation_does_not_stay(command: Command, installed: Shop, zohosim: str) -> None:
    installed.execute("update zohosync.installation set zoho = 'sim', organisation_id = '1'")
    env = {**installed.env, "ZOHOSYNC_ZOHO": "sim", "ZOHOSYNC_SIM_URL": zohosim}
    grant = httpx.post(f"{zohosim}/_sim/grant", json={"kind": "code"}, trust_env=False).json()
    login = ("--client-id", grant["client_id"], "--client-secret", grant["client_secret"], "--code", grant["code"])
    refused(command("connect", *login, **env), 2, "tied to Zoho organisation 1", "separate database")
    assert installed.fetch("select state from zohosync.connection") == []


@pytest.mark.process
def test_status_tells_no_secret(command: Command, live: Shop) -> None:
    told = command("status", "--json", **live.env).stdout
    [row] = live.fetch("select client_secret, refresh_token, access_token from zohosync.connection")
    secrets = ["zohosim-demo-secret", "client_secret", "refresh_token", live.env["ZOHOSYNC_ENCRYPTION_KEYS"]]
    assert not [secret for secret in secrets if secret in told]
    assert bytes(row["refresh_token"]).decode() not in told


@pytest.mark.process
def test_everything_runs_until_it_is_told_to_stop(command: Command, live: Shop) -> None:
    process = start("run", env=live.env)
    console = wait_for_line(process.stdout, "Console: ").split()[-1]
    link = wait_for_line(process.stdout, "first admin").split()[-1]
    assert link.startswith(console)
    assert httpx.get(f"{console}healthz", trust_env=False).json() == {"status": "ok"}
    assert httpx.get(link, trust_env=False).status_code == 200
    wait_for_line(process.stderr, "worker.started")
    live.execute(CUSTOMER)
    wait_until(live, "select 1 from users where zoho_crm_id is not null")
    wait_until(live, "select 1 from zohosync.worker where listening")
    assert f":{process.pid}" in command("status", **live.env).stdout
    process.send_signal(signal.SIGTERM)
    code, errors = ended(process)
    assert code == 0, errors
    assert "Traceback" not in errors
    assert not live.fetch("select 1 from zohosync.worker")


@pytest.mark.process
def test_the_first_admin_is_offered_only_while_there_is_nobody(installed: Shop) -> None:
    installed.execute(
        "insert into zohosync.console_user (email, name, role, password_hash)"
        " values ('a@example.com', 'A', 'admin', 'x')"
    )
    process = start("web", env=installed.env)
    wait_for_line(process.stdout, "Console: ")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, ""), errors


@pytest.mark.process
def test_a_worker_answers_machines_and_logs_for_them(live: Shop) -> None:
    token = {"Authorization": "Bearer 0123456789abcdef"}
    machines = {
        "ZOHOSYNC_METRICS_PORT": "0",
        "ZOHOSYNC_METRICS_TOKEN": "0123456789abcdef",
        "ZOHOSYNC_LOG_FORMAT": "json",
    }
    process = start("worker", env={**live.env, **machines})
    address = json.loads(wait_for_line(process.stderr, "endpoint.started"))["at"]
    started = json.loads(wait_for_line(process.stderr, "worker.started"))
    assert started["worker"].endswith(f":{process.pid}")
    assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
    assert httpx.get(f"{address}/readyz", trust_env=False).json() == {"status": "ready"}
    assert httpx.get(f"{address}/metrics", trust_env=False).status_code == 401
    live.execute(CUSTOMER)
    ended_line = json.loads(wait_for_line(process.stderr, "operation.ended"))
    assert (ended_line["outcome"], ended_line["worker"]) == ("succeeded", started["worker"])
    page = httpx.get(f"{address}/metrics", headers=token, trust_env=False).text
    assert 'zohosync_operation_attempts_total{kind="crm.contact.push",outcome="succeeded"} 1.0' in page
    process.send_signal(signal.SIGTERM)
    code, errors = ended(process)
    assert code == 0, errors
    assert [json.loads(line)["worker"] for line in errors.splitlines()] == [started["worker"]] * len(
        errors.splitlines()
    )


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_finishes_what_runs(live: Shop, zohosim: str, number: signal.Signals) -> None:
    """Zoho takes a second to answer; the worker is told to stop meanwhile, and still writes the id back."""
    process = start("worker", env=live.env)
    wait_for_line(process.stderr, "worker.started")
    httpx.post(f"{zohosim}/_sim/latency", json={"seconds": 0.4}, trust_env=False)
    live.execute(CUSTOMER)
    wait_until(live, "select 1 from zohosync.operation where status = 'running'")
    process.send_signal(number)
    code, errors = ended(process)
    assert code == 0, errors
    assert live.fetch("select status::text from zohosync.operation") == [{"status": "succeeded"}]


@pytest.mark.process
def test_a_second_signal_ends_at_once(live: Shop, zohosim: str) -> None:
    process = start("worker", env=live.env)
    wait_for_line(process.stderr, "worker.started")
    httpx.post(f"{zohosim}/_sim/faults", json={"kind": "slow", "delay": 60}, trust_env=False)
    live.execute(CUSTOMER)
    wait_until(live, "select 1 from zohosync.operation where status = 'running'")
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)  # the same one twice may arrive as one
    assert ended(process)[0] == 130


def wait_until(shop: Shop, query: str) -> None:
    """Until the query finds a row; the database waits, at most half a minute."""
    with psycopg.connect(shop.database.admin_url, autocommit=True) as connection:
        connection.execute("set statement_timeout = '30s'")
        # The query is evaluated afresh in each round, outside any snapshot of a function.
        connection.execute(WAIT.format(query=query.replace("'", "''")).encode())


WAIT = """
do $$ declare found_one boolean; begin
  loop
    execute 'select exists ({query})' into found_one;
    exit when found_one;
    perform pg_sleep(0.02);
  end loop;
end $$
"""
