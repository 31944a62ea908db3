"""A file for support: what doctor saw, without secrets and without people.

Values are left out where they may name somebody, and everything that is written is masked as the logs are.
"""

import platform
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr

from zohosync.cli.masking import HIDDEN, mask_event, mask_text
from zohosync.config import Settings
from zohosync.db.pool import DatabaseError, explain
from zohosync.errors import SettingsRefused
from zohosync.store.checkup import capture, server
from zohosync.sync.doctor.finding import Finding
from zohosync.sync.doctor.patient import Patient

PACKAGES = ("zohosync", "psycopg", "psycopg-pool", "httpx", "pydantic", "fastapi", "starlette", "uvicorn", "pgmq")
SETTINGS = "settings"
"""The part that is not masked by the names of its entries: that would hide whether a secret is set."""
PERSONAL_SETTINGS = frozenset(
    {"mail_from", "alert_recipients", "console_url", "console_host", "metrics_host", "sim_url"}
)
TALKATIVE = frozenset({"incidents", "zoho_organisation", "books_organisation", "zoho_login"})
"""Checks whose sentences quote what people wrote; their figures are kept."""


async def write_bundle(path: Path, patient: Patient, findings: Sequence[Finding]) -> None:
    """Write the zip; SettingsRefused when the file cannot be made."""
    parts = {
        "findings": [_finding(finding) for finding in findings],
        "versions": versions(),
        SETTINGS: plain_settings(patient.settings),
        **await _read(patient),
    }
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in parts.items():
                part = {name: orjson.loads(orjson.dumps(content, default=str))}
                covered = part if name == SETTINGS else mask_event(part)
                file.writestr(f"{name}.json", orjson.dumps(covered, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise SettingsRefused(
            f"{path} cannot be written: {error.strerror}.", hint="Choose another place for --bundle."
        ) from error


def _finding(finding: Finding) -> dict[str, Any]:
    told = asdict(finding)
    return told | {"sentence": HIDDEN, "remedy": HIDDEN} if finding.check in TALKATIVE else told


def versions() -> dict[str, str]:
    """Of this program, of what it is made of, and of what it runs on."""
    packages = {package: version(package) for package in PACKAGES}
    return packages | {"python": sys.version.split()[0], "system": f"{platform.system()} {platform.release()}"}


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Every setting; of secrets and addresses only whether there is one."""
    return {name: _plain(name, value, name in settings.model_fields_set) for name, value in settings}


def _plain(setting: str, value: object, chosen: bool) -> object:
    secret = isinstance(value, SecretStr) or (isinstance(value, list) and any(isinstance(v, SecretStr) for v in value))
    if secret or setting in PERSONAL_SETTINGS or setting == "adapter":
        return "set" if value and chosen else "not set"
    if value is None or value == []:
        return "not set"
    return value if isinstance(value, int | float) else mask_text(str(value))


async def _read(patient: Patient) -> dict[str, Any]:
    """What the database adds. A part that cannot be read says so, and the others are written all the same."""
    connection = patient.database
    found: dict[str, Any] = {}
    for name, reading in (
        ("server_settings", server.read_server_settings),
        ("migrations", server.list_migrations),
        ("sizes", server.list_table_sizes),
        ("counts", capture.count_by_code),
        ("incidents", capture.list_open_incidents),
        ("workers", capture.list_worker_rows),
        ("clock_jobs", capture.list_clock_jobs),
    ):
        try:
            found[name] = _without_people(name, await reading(connection))
        except DatabaseError as error:
            found[name] = {"unreadable": explain(error).reason}
    return found


def _without_people(part: str, rows: Any) -> Any:
    """Rows as plain values. Machines are numbered: their names may be their owners'."""
    if not isinstance(rows, list):
        return rows
    plain = [row if isinstance(row, dict) else asdict(row) for row in rows]
    if part == "incidents":
        return [{key: row[key] for key in ("code", "severity", "occurrences", "opened_at")} for row in plain]
    if part == "workers":
        return [row | {"worker": f"worker {number}"} for number, row in enumerate(plain, 1)]
    if part == "clock_jobs":
        return [row | {"error": bool(row["error"])} for row in plain]
    return plain
