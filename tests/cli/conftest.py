"""The command line against a real database: in this process through Typer's runner, or as a process of its own."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from cryptography.fernet import Fernet
from psycopg.rows import dict_row
from typer.testing import CliRunner, Result

from conftest import Database
from zohosync.cli.main import build

Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No ``.env`` and no settings of whoever runs the tests; logging as it was afterwards."""
    for name in [name for name in os.environ if name.startswith("ZOHOSYNC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configuration = structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**configuration)


@pytest.fixture
def command() -> Command:
    """``command("status", "--json", ZOHOSYNC_DATABASE_URL=...)`` runs a subcommand."""

    def run(*arguments: str, **env: str) -> Result:
        return CliRunner().invoke(build(), list(arguments), env=env)

    return run


@dataclass(frozen=True)
class Shop:
    """A database with zohosync in it, and the settings of somebody who operates it."""

    database: Database
    env: Mapping[str, str]

    def fetch(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows, as the superuser sees them."""
        with psycopg.connect(self.database.admin_url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()

    def execute(self, *statements: str) -> None:
        self.database.cluster.administer(*statements, database=self.database.name)


@pytest.fixture
def installed(database: Database) -> Shop:
    """A storefront with zohosync installed, not live, not connected."""
    return Shop(
        database,
        {
            "ZOHOSYNC_DATABASE_URL": database.worker_url,
            "ZOHOSYNC_OWNER_DATABASE_URL": database.owner_url,
            "ZOHOSYNC_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "ZOHOSYNC_CONSOLE_PORT": "0",
            "ZOHOSYNC_POLL_INTERVAL": "0.5",
        },
    )


def json_of(result: Result) -> Any:
    """What a command printed for machines."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(result: Result, exit_code: int, message: str, remedy: str) -> None:
    """A refusal: its code, one sentence, its remedy, and no traceback."""
    assert result.exit_code == exit_code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 2, result.stderr
    assert lines[0].startswith("Error: ")
    assert message in lines[0]
    assert lines[1].startswith("Remedy: ")
    assert remedy in lines[1]
    assert "Traceback" not in result.output


def start(*arguments: str, env: Mapping[str, str]) -> "subprocess.Popen[str]":
    """A subcommand as a process; its output can be read line by line."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "zohosync", *arguments],
        env={**os.environ, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
