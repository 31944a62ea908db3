"""The command line as a whole."""

import re
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from cli.conftest import Command
from zohosync.cli.main import COMMANDS


def test_without_a_command_it_shows_all_of_them(command: Command) -> None:
    shown = command().output
    assert all(name.split()[0] in shown for name, *_ in COMMANDS)


@pytest.mark.parametrize("name", [name for name, *_ in COMMANDS])
def test_every_command_explains_itself(command: Command, name: str) -> None:
    result = command(*name.split(), "--help")
    assert result.exit_code == 0
    assert f"zohosync {name}" in result.output
    assert len(result.output.splitlines()) > 5


@pytest.mark.parametrize("arguments", [("nonsense",), ("status", "--nonsense"), ("sync", "customer")])
def test_a_wrong_argument_is_a_usage_error(command: Command, arguments: tuple[str, ...]) -> None:
    result = command(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_key_is_one_the_settings_take(command: Command) -> None:
    result = command("key")
    assert result.exit_code == 0
    Fernet(result.stdout.strip())


@pytest.mark.process
def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-m", "zohosync", "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage: python -m zohosync" in done.stdout


def test_the_release_is_named(command: Command) -> None:
    told = command("--version").stdout
    assert re.fullmatch(r"zohosync \d+\.\d+\.\d+\S*, schema version \d+\n", told), told
