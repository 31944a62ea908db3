"""connect and disconnect as a person uses them, against zohosim as a process of its own."""

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import httpx
import pytest

from cli.conftest import Command, Shop, json_of, refused, start
from zohosync.sync.connecting import ASKED

CLIENT = ("--client-id", "1000.ZOHOSIMDEMOCLIENT0000000000001", "--client-secret", "zohosim-demo-secret")


@pytest.fixture(scope="module")
def zohosim() -> Iterator[str]:
    """`zohosync sim` on a free port, where every consent is given at once; its address."""
    process = start("sim", "--without-fields", "--port", "0", env={})
    assert process.stdout is not None
    address = re.search(r"http://[\d.:]+", process.stdout.readline())
    assert address
    yield address[0]
    process.terminate()
    process.communicate(timeout=30)


@pytest.fixture
def shop(installed: Shop, zohosim: str) -> Shop:
    httpx.post(f"{zohosim}/_sim/reset", trust_env=False)
    httpx.delete(f"{zohosim}/_sim/books/organisations", trust_env=False)
    httpx.post(f"{zohosim}/_sim/books/organisations", json={"name": "Demo First"}, trust_env=False)
    httpx.post(f"{zohosim}/_sim/switches", json={"consent_page": False}, trust_env=False)
    return Shop(installed.database, {**installed.env, "ZOHOSYNC_ZOHO": "sim", "ZOHOSYNC_SIM_URL": zohosim})


def code(zohosim: str, scopes: tuple[str, ...] = ASKED) -> str:
    order = {"kind": "code", "scopes": list(scopes)}
    return str(httpx.post(f"{zohosim}/_sim/grant", json=order, trust_env=False).json()["code"])


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def read_until(stream: IO[str], pattern: str) -> str:
    """The first match in what a process says."""
    for line in stream:
        found = re.search(pattern, line)
        if found:
            return found[0]
    pytest.fail(f"never said {pattern}")


@contextmanager
def connecting(shop: Shop, *options: str) -> Iterator["subprocess.Popen[str]"]:
    process = start("connect", *CLIENT, "--no-create-fields", "--json", *options, env=shop.env)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_a_consent_in_the_browser_connects(shop: Shop) -> None:
    port = free_port()
    with connecting(shop, "--port", port) as process:
        assert process.stderr is not None
        address = read_until(process.stderr, r"http://\S+/oauth/v2/auth\S+")
        read_until(process.stderr, "for the browser to come back")
        forged = httpx.get(f"http://127.0.0.1:{port}/callback?state=x&code=y", trust_env=False)
        assert (forged.status_code, "no consent" in forged.text) == (400, True)
        page = httpx.get(address, follow_redirects=True, trust_env=False)
        assert (page.status_code, "You can close this page" in page.text) == (200, True)
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert '"books_organisation_id": "' in said
    assert shop.fetch("select state from zohosync.connection") == [{"state": "connected"}]
    assert shop.fetch("select action from zohosync.audit") == [{"action": "zoho.connect"}]


def test_a_refused_consent_ends_the_command_with_the_remedy(shop: Shop) -> None:
    port = free_port()
    with connecting(shop, "--port", port) as process:
        assert process.stderr is not None
        state = read_until(process.stderr, r"state=[\w-]+").removeprefix("state=")
        read_until(process.stderr, "for the browser to come back")
        page = httpx.get(f"http://127.0.0.1:{port}/callback?error=access_denied&state={state}", trust_env=False)
        assert (page.status_code, "was not given" in page.text) == (400, True)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Error: The consent was not given at Zoho." in errors
    assert "Remedy: " in errors


def test_without_a_browser_the_address_is_pasted(shop: Shop) -> None:
    with connecting(shop, "--no-browser") as process:
        assert process.stderr is not None
        address = read_until(process.stderr, r"http://\S+/oauth/v2/auth\S+")
        location = httpx.get(address, trust_env=False).headers["location"]
        _, errors = process.communicate(f"http://127.0.0.1:8801/\n{location}\n", timeout=60)
    assert process.returncode == 0, errors
    assert "This is not the address Zoho sent the browser to." in errors


def test_missing_fields_are_made_when_asked_for(command: Command, shop: Shop, zohosim: str) -> None:
    told = json_of(command("connect", *CLIENT, "--code", code(zohosim), "--create-fields", "--json", **shop.env))
    assert told["fields_missing"] == []
    assert told["data_centre"] == "sim"
    assert told["only_by_hand"]["steps"]


def test_several_organisations_in_books_want_a_choice(command: Command, shop: Shop, zohosim: str) -> None:
    more = {"name": "Demo Second"}
    answer = httpx.post(f"{zohosim}/_sim/books/organisations", json=more, trust_env=False)
    assert answer.status_code in (200, 201), answer.text
    result = command("connect", *CLIENT, "--code", code(zohosim), **shop.env)
    refused(result, 2, "several Books organisations", "--organisation")
    assert shop.fetch("select 1 from zohosync.connection") == []
    chosen = re.search(r"(\d+) \(Demo Second\)", result.stderr)
    assert chosen
    told = json_of(
        command(
            "connect", *CLIENT, "--code", code(zohosim), "--organisation", chosen[1], "--no-create-fields", "--json",
            **shop.env,
        )
    )  # fmt: skip
    assert told["books_organisation"] == "Demo Second"


def test_an_unknown_data_centre_is_refused(command: Command, shop: Shop) -> None:
    env = {**shop.env, "ZOHOSYNC_ZOHO": "live"}
    result = command("connect", *CLIENT, "--code", "1000.x.y", "--data-centre", "mars", **env)
    refused(result, 2, "no data centre 'mars'", "us, eu, in")


def test_a_wrong_secret_is_told_and_never_shown(command: Command, shop: Shop, zohosim: str) -> None:
    result = command(
        "connect", "--client-id", CLIENT[1], "--client-secret", "top-secret", "--code", code(zohosim), **shop.env
    )
    refused(result, 1, "does not accept the client", "Check client id, client secret and data centre")
    assert "top-secret" not in result.output


def test_disconnecting_frees_the_place_at_zoho(command: Command, shop: Shop, zohosim: str) -> None:
    json_of(command("connect", *CLIENT, "--code", code(zohosim), "--no-create-fields", "--json", **shop.env))
    result = command("disconnect", "--yes", **shop.env)
    assert (result.exit_code, result.stdout.startswith("Disconnected")) == (0, True)
    assert shop.fetch("select state, refresh_token from zohosync.connection") == [
        {"state": "disconnected", "refresh_token": b""}
    ]
    assert json_of(command("status", "--json", **shop.env))["connection"]["state"] == "disconnected"


def test_disconnecting_when_nothing_is_connected_says_so(command: Command, shop: Shop) -> None:
    assert command("disconnect", "--yes", **shop.env).stdout.startswith("Zoho was not connected")


def test_the_scopes_of_a_self_client_can_be_copied(command: Command) -> None:
    result = command("connect", "--scopes")
    assert (result.exit_code, result.stdout) == (0, ",".join(ASKED) + "\n")


def test_a_port_in_use_is_named(command: Command, shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = command("connect", *CLIENT, "--port", port, **shop.env)
    assert result.exit_code == 2
    assert f"Port {port} of 127.0.0.1 cannot be opened" in result.stderr
    assert "Open this address" not in result.stderr
    assert shop.fetch("select from zohosync.consent") == []
