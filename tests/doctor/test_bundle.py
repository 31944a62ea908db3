"""The file for support holds what helps, and nobody's data."""

import json
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Database
from doctor.practice import patient_of
from stage import KEY, Stage, open_stage
from zohosync.cli.bundle import plain_settings, write_bundle
from zohosync.config import Settings, load_settings
from zohosync.errors import SettingsRefused
from zohosync.store.incidents import open_incident
from zohosync.store.workers import be_seen
from zohosync.sync.doctor.examine import examine
from zohosync.wiring import meet_patient

PEOPLE = (
    "Demowati",
    "Customerson",
    "demowati@example.com",
    "98765 43210",
    "9876543210",
    "36AAAAA0000A1Z9",
    "Demo Seeds",
)
SECRETS: dict[str, Any] = {
    "smtp_url": "smtp://postmaster%40example.com:mail-pass-word@127.0.0.1:9",
    "metrics_token": "metrics-token-of-the-test",
    "mail_from": "sender@example.com",
    "alert_recipients": "alarm@example.com,boss@example.com",
    "console_url": "https://console.shop-of-the-test.example",
}
HIDDEN = ("mail-pass-word", "metrics-token-of-the-test", "sender@example.com", "alarm@example.com", "boss@example.com",
          "shop-of-the-test", "owner-pass-word", "worker-pass-word", "laptop-of-demowati", KEY)  # fmt: skip


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


def with_password(url: str, password: str) -> str:
    return url.replace("@/", f":{password}@/")


async def plant(stage: Stage) -> None:
    """People and secrets wherever the database can hold them."""
    firm = {"first_name": "Demowati", "last_name": "Customerson", "company_name": "Demo Seeds", "role": "b2b_client"}
    await stage.register("demowati@example.com", phone="98765 43210", gst_number="36AAAAA0000A1Z9", **firm)
    await stage.register("no address of Demowati Customerson", **firm)
    await stage.ask("demowati@example.com", name="Demowati Customerson", message="Call 9876543210", phone="9876543210")
    await stage.run()
    await open_incident(
        stage.shop,
        code="poison",
        title="Demowati Customerson of 'Demo Seeds' fails: demowati@example.com",
        hint="9876543210",
    )
    await be_seen(stage.shop, name="laptop-of-demowati:4711", listening=True, schema_version=1)
    await stage.shop.execute(
        "update zohosync.connection set organisation_name = 'Demo Seeds', connected_by = 'demowati@example.com'"
    )
    await stage.shop.execute(
        "insert into orders (order_number, payment_status, subtotal, total_amount, shipping_address, billing_address)"
        " values ('demowati@example.com', 'paid', 1, 1000, '{}', '{}'), ('9876543210', 'paid', 1, 1000, '{}', '{}')"
    )
    await stage.services.clockwork().wind()
    await stage.shop.execute("update zohosync.clock_job set error = 'Key (email)=(demowati@example.com) exists'")


async def bundle_of(stage: Stage, path: Path) -> dict[str, str]:
    urls = {
        "database_url": with_password(stage.database.worker_url, "worker-pass-word"),
        "owner_database_url": with_password(stage.database.admin_url, "owner-pass-word"),
    }
    async with patient_of(stage, **SECRETS, **urls) as patient:
        await write_bundle(path, patient, await examine(patient))
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


async def test_nobody_and_no_secret_is_in_the_bundle(stage: Stage, tmp_path: Path) -> None:
    await plant(stage)
    connection = await stage.services.custodian.access()
    parts = await bundle_of(stage, tmp_path / "bundle.zip")
    everything = "\n".join(parts.values()).lower()
    planted = [*PEOPLE, *HIDDEN, connection.token, "KN Biosciences", "admin@example.com"]
    assert [text for text in planted if text.lower() in everything] == []
    assert not re.search(r"postgresql://|://[^\s/]*@|1000\.[0-9a-f]{32}", everything)


async def test_the_bundle_holds_what_helps(stage: Stage, tmp_path: Path) -> None:
    await plant(stage)
    parts = {name: json.loads(text) for name, text in (await bundle_of(stage, tmp_path / "bundle.zip")).items()}
    assert set(parts) == {
        f"{name}.json"
        for name in ("findings", "versions", "settings", "server_settings", "migrations", "sizes", "counts",
                     "incidents", "workers", "clock_jobs")
    }  # fmt: skip
    findings = {finding["check"]: finding for finding in parts["findings.json"]["findings"]}
    assert findings["schema_version"]["sentence"].startswith("The schema has version")
    assert findings["zoho_organisation"]["data"]["found"].isdecimal()
    assert parts["versions.json"]["versions"]["zohosync"]
    assert parts["settings.json"]["settings"]["retry_limit"] == 5
    assert parts["server_settings.json"]["server_settings"]["max_connections"]
    assert parts["migrations.json"]["migrations"][0]["version"] == 1
    assert any(row["table"] == "zohosync.operation" for row in parts["sizes.json"]["sizes"])
    assert any(row["status"] == "failed" and row["error_code"] for row in parts["counts.json"]["counts"])
    assert parts["incidents.json"]["incidents"][0]["code"] == "poison"
    assert parts["workers.json"]["workers"][0]["worker"] == "worker 1"


def test_every_secret_setting_is_told_as_set_or_not() -> None:
    secret = {name: "set" for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert len(secret) >= 5
    settings = load_settings(
        None,
        database_url="postgresql://u:worker-pass-word@h/d",
        owner_database_url="postgresql://u:owner-pass-word@h/d",
        encryption_keys=KEY,
        **SECRETS,
    )
    plain = plain_settings(settings)
    assert {name: plain[name] for name in secret} == secret
    assert [text for text in HIDDEN if text in str(plain)] == []
    assert plain_settings(load_settings(None))["smtp_url"] == "not set"


async def test_the_written_bundle_says_which_settings_are_set(stage: Stage, tmp_path: Path) -> None:
    bare = {"database_url": stage.database.worker_url, "encryption_keys": ""}
    async with meet_patient(load_settings(None, **bare), offline=True) as patient:
        await write_bundle(tmp_path / "bare.zip", patient, [])
    full = json.loads((await bundle_of(stage, tmp_path / "full.zip"))["settings.json"])["settings"]
    with zipfile.ZipFile(tmp_path / "bare.zip") as file:
        told = json.loads(file.read("settings.json"))["settings"]
    names = ("metrics_token", "encryption_keys", "smtp_url", "console_url", "alert_recipients")
    assert [full[name] for name in names] == ["set"] * 5
    assert [told[name] for name in names] == ["not set"] * 5
    assert (full["database_url"], told["database_url"]) == ("set", "set")
    defaults = ("adapter", "console_host", "metrics_host", "sim_url", "mail_from")
    assert [told[name] for name in defaults] == ["not set"] * 5


async def test_a_bundle_that_cannot_be_written_says_so(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="cannot be written"):
        await bundle_of(stage, tmp_path / "absent" / "bundle.zip")


async def test_a_database_that_is_half_there_is_bundled_as_far_as_it_goes(stage: Stage, tmp_path: Path) -> None:
    await stage.shop.execute("drop table zohosync.incident")
    parts = await bundle_of(stage, tmp_path / "bundle.zip")
    assert json.loads(parts["incidents.json"])["incidents"] == {"unreadable": "schema_mismatch"}
    assert json.loads(parts["workers.json"])["workers"] == []
