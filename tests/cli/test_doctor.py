"""`zohosync doctor`: what it prints, and how it ends."""

import json
import zipfile
from pathlib import Path

from cli.conftest import Command, Shop, refused
from conftest import Database


def test_an_installation_without_faults_ends_well(command: Command, installed: Shop) -> None:
    result = command("doctor", "--offline", **installed.env)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "Database" in lines
    assert any(line.startswith("  ok          postgres_version: Postgres ") for line in lines)
    assert any(line.startswith("  remark      capture_state: This shop is not live yet") for line in lines)
    assert "              → Run `zohosync golive` when you are ready." in lines
    assert lines[-1].endswith(" not checked.")
    assert ", 0 wrong, " in lines[-1]


def test_a_fault_ends_with_exit_code_1_and_its_remedy(command: Command, installed: Shop) -> None:
    installed.execute("alter table users disable trigger all")
    result = command("doctor", "--offline", **installed.env)
    assert result.exit_code == 1
    assert "WRONG       triggers: " in result.stdout
    assert "→ Run `zohosync install` as the owner of the shop's tables." in result.stdout
    assert "Traceback" not in result.output


def test_machines_get_json(command: Command, installed: Shop) -> None:
    result = command("doctor", "--offline", "--json", **installed.env)
    told = json.loads(result.stdout)
    assert told["well"] is True
    assert {"check", "level", "sentence", "remedy", "data"} == set(told["findings"][0])
    installed.execute("alter table users disable trigger all")
    result = command("doctor", "--offline", "--json", **installed.env)
    assert (result.exit_code, json.loads(result.stdout)["well"]) == (1, False)


def test_a_database_that_cannot_be_reached_is_the_usual_refusal(command: Command, installed: Shop) -> None:
    env = {**installed.env, "ZOHOSYNC_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    refused(command("doctor", **env), 3, "cannot be reached", "Nothing listens there")
    refused(command("doctor"), 2, "ZOHOSYNC_DATABASE_URL is not set", "Set it to")


def test_a_shop_without_zohosync_is_the_usual_refusal(command: Command, bare_shop: Database) -> None:
    refused(command("doctor", ZOHOSYNC_DATABASE_URL=bare_shop.owner_url), 5, "not installed", "zohosync install")


def test_an_unreachable_zoho_is_told_without_a_traceback(command: Command, installed: Shop) -> None:
    result = command("doctor", **installed.env, ZOHOSYNC_ZOHO="sim", ZOHOSYNC_SIM_URL="http://127.0.0.1:9")
    assert result.exit_code == 0
    assert "remark      zoho_login: Zoho is not connected." in result.stdout


def test_a_bundle_is_written_beside_the_answer(command: Command, installed: Shop, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    result = command("doctor", "--offline", "--bundle", str(path), **installed.env)
    assert result.exit_code == 0
    assert f"Wrote {path}." in result.stderr
    assert zipfile.ZipFile(path).testzip() is None
    assert "findings.json" in zipfile.ZipFile(path).namelist()
