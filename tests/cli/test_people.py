"""invite: a one-time link into the console."""

import pytest

from cli.conftest import Command, Shop, json_of


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_a_link_gives_the_role_once(command: Command, installed: Shop, role: str) -> None:
    made = json_of(command("invite", "--role", role, "--json", **installed.env))
    assert made["role"] == role
    assert "/invitation/" in made["link"]
    [row] = installed.fetch("select role::text, used_at, expires_at > now() as alive from zohosync.invitation")
    assert (row["role"], row["used_at"], row["alive"]) == (role, None, True)


def test_the_link_leads_to_the_public_address(command: Command, installed: Shop) -> None:
    result = command("invite", **{**installed.env, "ZOHOSYNC_CONSOLE_URL": "https://sync.example.com/"})
    assert result.stdout.startswith("https://sync.example.com/invitation/")
    assert len(result.stdout.splitlines()) == 1
