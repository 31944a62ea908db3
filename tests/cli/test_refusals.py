"""Bad settings, bad databases, bad arguments: each one sentence, its remedy, and the documented exit code."""

import socket
from pathlib import Path

import pytest

from cli.conftest import Command, Shop, refused
from conftest import Database

NEEDS_A_DATABASE = ("status", "golive", "pause", "resume", "run", "worker", "web", "retry", "invite")
UNREACHABLE = "postgresql://worker:top-secret@127.0.0.1:1/shop"


@pytest.mark.parametrize("name", NEEDS_A_DATABASE)
def test_without_a_database_each_command_names_the_setting(command: Command, name: str) -> None:
    refused(command(name), 2, "ZOHOSYNC_DATABASE_URL is not set.", "as `zohosync install` printed it")


@pytest.mark.parametrize("arguments", [("install",), ("uninstall", "--yes")])
def test_without_an_owner_install_and_uninstall_name_the_setting(command: Command, arguments: tuple[str, ...]) -> None:
    refused(command(*arguments), 2, "ZOHOSYNC_OWNER_DATABASE_URL is not set.", "on Supabase: postgres")


@pytest.mark.parametrize("name", NEEDS_A_DATABASE)
def test_an_unreachable_database_is_named_and_no_password(command: Command, name: str) -> None:
    result = command(name, ZOHOSYNC_DATABASE_URL=UNREACHABLE, ZOHOSYNC_ENCRYPTION_KEYS="")
    assert result.exit_code == 3, result.output
    assert "cannot be reached" in result.stderr
    assert "check host and port" in result.stderr
    assert "top-secret" not in result.output


def test_another_scheme_is_refused(command: Command) -> None:
    result = command("install", "--database-url", "mysql://u:top-secret@host/db")
    refused(result, 2, "ZOHOSYNC_OWNER_DATABASE_URL must start with postgresql://", "settings.md")
    assert "top-secret" not in result.output


@pytest.mark.parametrize("url", ["postgresql://u:top%secret@host/db", "postgresql://u:top-secret@host:port/db"])
@pytest.mark.parametrize("name", ["install", "status"])
def test_an_unreadable_connection_string_is_not_repeated(command: Command, name: str, url: str) -> None:
    result = command(name, ZOHOSYNC_OWNER_DATABASE_URL=url, ZOHOSYNC_DATABASE_URL=url)
    refused(result, 2, "connection string of the database cannot be read", "%XX")
    assert "top" not in result.output


def test_a_database_that_does_not_exist(command: Command, installed: Shop) -> None:
    url = installed.database.cluster.url("nowhere", user="shop_owner")
    result = command("install", "--database-url", url)
    assert result.exit_code == 3
    assert '"nowhere" does not exist' in result.stderr
    assert "Check the database name" in result.stderr


def test_a_database_without_the_shop(command: Command, installed: Shop) -> None:
    url = installed.database.cluster.url("postgres")
    refused(command("install", "--database-url", url), 3, "The shop's tables are not in this database", "adapter")


def test_installing_as_somebody_else(command: Command, bare_shop: Database) -> None:
    url = bare_shop.cluster.url(bare_shop.name, user="authenticator")
    refused(command("install", "--database-url", url), 4, "This role does not own users", "owner of the shop's tables")


@pytest.mark.parametrize("name", ["status", "golive", "worker", "web", "invite"])
def test_a_shop_without_zohosync(command: Command, bare_shop: Database, installed: Shop, name: str) -> None:
    result = command(name, **{**installed.env, "ZOHOSYNC_DATABASE_URL": bare_shop.owner_url})
    refused(result, 5, "not installed in this database", "Run `zohosync install`")


def test_a_worker_url_without_rights(command: Command, installed: Shop) -> None:
    url = installed.database.cluster.url(installed.database.name, user="authenticator")
    result = command("status", **{**installed.env, "ZOHOSYNC_DATABASE_URL": url})
    refused(result, 4, "permission denied for schema zohosync", "zohosync install")


def test_a_right_that_was_taken_away(command: Command, installed: Shop) -> None:
    installed.execute("revoke update on zohosync.installation from zohosync_worker")
    result = command("golive", **installed.env)
    refused(result, 4, "permission denied for table installation", "zohosync install")


def test_a_newer_schema(command: Command, installed: Shop) -> None:
    installed.execute("insert into zohosync.schema_migration (version, name) values (9999, 'of tomorrow')")
    refused(command("worker", "--for", "5s", **installed.env), 5, "schema version 9999", "newer release")


def test_a_copy_is_refused_until_it_is_adopted(command: Command, installed: Shop) -> None:
    installed.execute("update zohosync.installation set database_identity = 'elsewhere/1'")
    refused(command("worker", "--for", "5s", **installed.env), 6, "is a copy", "zohosync adopt-database")
    adopted = command("adopt-database", "--yes", **installed.env)
    assert (adopted.exit_code, adopted.stdout.split(".")[0]) == (0, "Adopted")
    assert command("golive", **installed.env).exit_code == 0
    assert "installation already" in command("adopt-database", "--yes", **installed.env).stdout


def test_ids_of_a_simulator_stay_out_of_a_live_shop(command: Command, installed: Shop) -> None:
    installed.execute("update zohosync.installation set zoho = 'sim', organisation_id = '1'")
    refused(command("worker", "--for", "5s", **installed.env), 2, "was connected to Zoho 'sim'", "separate database")


@pytest.mark.parametrize(
    ("keys", "message"), [("changeme", "is a placeholder"), ("short", "is not a Fernet key"), ("", "is not set")]
)
def test_a_key_that_is_none(command: Command, installed: Shop, keys: str, message: str) -> None:
    result = command("golive", **{**installed.env, "ZOHOSYNC_ENCRYPTION_KEYS": keys})
    assert result.exit_code == 2
    assert f"ZOHOSYNC_ENCRYPTION_KEYS {message}" in result.stderr
    assert "zohosync key" in result.stderr


def test_a_public_console_without_tls(command: Command, installed: Shop) -> None:
    result = command("web", **{**installed.env, "ZOHOSYNC_CONSOLE_HOST": "0.0.0.0"})
    assert result.exit_code == 2
    assert "https://" in result.stderr


def test_an_unknown_entity(command: Command, installed: Shop) -> None:
    refused(command("sync", "parcel", "1", **installed.env), 2, "no entity 'parcel'", "customer, inquiry, order, ")


@pytest.mark.parametrize("entity", ["customer", "inquiry", "quote"])
@pytest.mark.parametrize("term", ["nobody@example.com", "00000000-0000-0000-0000-000000000000", "'; drop table"])
def test_an_unknown_record(command: Command, installed: Shop, entity: str, term: str) -> None:
    result = command("sync", entity, term, **installed.env)
    refused(result, 1, f"The shop has no {entity}", "by its id, its number or SKU, or its e-mail address")


def test_an_unknown_operation(command: Command, installed: Shop) -> None:
    refused(command("retry", "--id", "7", **installed.env), 1, "There is no operation #7.", "zohosync status")


def test_an_unknown_kind(command: Command, installed: Shop) -> None:
    result = command("retry", "--all-failed", "--kind", "crm.deal.push", **installed.env)
    refused(result, 2, "no kind 'crm.deal.push'", "crm.contact.push, crm.lead.push")


def test_one_operation_and_all_of_them(command: Command, installed: Shop) -> None:
    refused(command("retry", "--id", "7", "--all-failed", **installed.env), 2, "--id names one", "Leave the rest out")


def test_an_unknown_role(command: Command, installed: Shop) -> None:
    refused(command("invite", "--role", "owner", **installed.env), 2, "no role 'owner'", "viewer, operator, admin")


@pytest.mark.parametrize("duration", ["soon", "-5s", "0", "nan", "1w"])
def test_a_duration_that_is_none(command: Command, installed: Shop, duration: str) -> None:
    result = command("worker", f"--for={duration}", **installed.env)
    assert result.exit_code == 2
    assert "is not a duration; write 55s, 10m or 2h" in result.output


def test_a_code_that_zoho_cannot_be_asked_about(command: Command, installed: Shop) -> None:
    env = {**installed.env, "ZOHOSYNC_ZOHO": "sim", "ZOHOSYNC_SIM_URL": "http://127.0.0.1:1"}
    result = command("connect", "--client-id", "1", "--client-secret", "top-secret", "--code", "1000.x.y", **env)
    refused(result, 1, "accounts server did not answer", "start again")
    assert "top-secret" not in result.output


def test_resuming_before_going_live(command: Command, installed: Shop) -> None:
    refused(command("resume", **installed.env), 2, "has not gone live yet", "zohosync golive")


def test_a_port_that_is_taken(command: Command, installed: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = command("web", **{**installed.env, "ZOHOSYNC_CONSOLE_PORT": port})
    refused(result, 2, f"Port {port} of 127.0.0.1 cannot be opened", "Choose another port")


def test_a_demo_in_a_folder_that_holds_something(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    refused(command("demo", "--data", str(tmp_path)), 2, "is not an empty folder", "Choose another")


def test_a_time_to_recover_from_is_told_in_the_zone_it_was_typed_in(command: Command, installed: Shop) -> None:
    early, never = "2026-01-02T10:00:00+05:30", "2199-01-01T00:00:00+05:30"
    refused(
        command("recover", "--since", early, **installed.env), 2, "has not gone live", "`zohosync golive` starts it"
    )
    installed.execute("update zohosync.installation set capturing = true, live_since = '2026-01-02 04:30:00.25+00'")
    answer = command("recover", "--since", early, **installed.env)
    message = f"live since {early}: nothing was synced at {early}."
    refused(answer, 2, message, "the earliest is 2026-01-02T10:00:01+05:30.")
    assert "golive" not in answer.stderr
    refused(command("recover", "--since", never, **installed.env), 2, f"{never} has not come yet.", "put back to")
