"""install, uninstall and adopt-database from the command line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from cli.conftest import Command, Shop, json_of, refused
from conftest import WORKER_ROLE, Database
from zohosync.db.address import worker_address
from zohosync.db.install import compose_install
from zohosync.demo.embedded import create_shop

ROLE = "zohosync_cli_test"


@pytest.fixture
def owner(bare_shop: Database) -> dict[str, str]:
    """The settings of somebody who installs with a role of this test's own."""
    return {"ZOHOSYNC_OWNER_DATABASE_URL": bare_shop.owner_url, "ZOHOSYNC_WORKER_ROLE": ROLE}


@pytest.fixture
def neighbour(bare_shop: Database) -> Iterator[Database]:
    """Another storefront on the same server."""
    name = f"{bare_shop.name}_neighbour"
    create_shop(bare_shop.cluster, name)
    yield Database(bare_shop.cluster, name)
    bare_shop.cluster.administer(f"drop database {name} with (force)")


def test_the_printed_script_is_the_installation(command: Command) -> None:
    result = command("install", "--print-sql")
    assert result.exit_code == 0
    assert result.stdout == compose_install(worker_role=WORKER_ROLE, adapter="kn")


def test_the_printed_script_names_the_role_of_the_settings(command: Command) -> None:
    script = command("install", "--print-sql", ZOHOSYNC_WORKER_ROLE="other_worker").stdout
    assert "other_worker" in script
    assert WORKER_ROLE not in script


@pytest.mark.process
def test_a_closed_pipe_is_no_failure() -> None:
    done = subprocess.run(
        f"{sys.executable} -m zohosync install --print-sql | head -1", shell=True, capture_output=True, text=True
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_install_shows_the_workers_password_once(command: Command, owner: dict[str, str]) -> None:
    first = json_of(command("install", "--json", **owner))
    again = json_of(command("install", "--json", **owner))
    renewed = json_of(command("install", "--new-password", "--json", **owner))
    assert first["schema_version"] == again["schema_version"] > 0
    passwords = [urlsplit(found["worker_url"] or "").password for found in (first, again, renewed)]
    assert passwords[1] is None
    assert passwords[0]
    assert passwords[2]
    assert passwords[0] != passwords[2]
    assert command("uninstall", "--yes", **owner).exit_code == 0


def test_what_install_prints_is_a_workers_connection(command: Command, owner: dict[str, str]) -> None:
    result = command("install", **owner)
    assert result.exit_code == 0
    address = next(line for line in result.stdout.splitlines() if line.startswith("postgresql://"))
    with psycopg.connect(address) as connection:
        assert connection.execute("select current_user").fetchone() == (ROLE,)
        assert connection.execute("select count(*) from zohosync.operation").fetchone() == (0,)
    assert command("uninstall", "--yes", **owner).exit_code == 0


def test_a_second_install_shows_the_address_and_who_shares_the_password(
    command: Command, owner: dict[str, str], neighbour: Database
) -> None:
    beside = {**owner, "ZOHOSYNC_OWNER_DATABASE_URL": neighbour.owner_url}
    command("install", **beside)
    told = command("install", **owner).stdout
    assert worker_address(owner["ZOHOSYNC_OWNER_DATABASE_URL"], ROLE, "PASSWORD") in told.splitlines()
    assert "its password is unchanged" in told
    assert f"All databases of this server that use this role share it: here also {neighbour.name}." in told
    assert "ZOHOSYNC_WORKER_ROLE names another role" in told
    renewed = command("install", "--new-password", **owner).stdout
    assert f"The password is new for {neighbour.name} as well" in renewed
    assert json_of(command("install", "--json", **owner))["shared_with"] == [neighbour.name]
    for env in (owner, beside):
        assert command("uninstall", "--yes", **env).exit_code == 0


def test_a_role_that_another_database_needs_stays_and_is_told(
    command: Command, owner: dict[str, str], neighbour: Database
) -> None:
    beside = {**owner, "ZOHOSYNC_OWNER_DATABASE_URL": neighbour.owner_url}
    for env in (owner, beside):
        assert command("install", **env).exit_code == 0
    first = command("uninstall", "--yes", **owner)
    assert first.stdout == "Uninstalled. The shop's own tables and rows are as they were.\n"
    assert first.stderr == (
        f"The role {ROLE} stays: it has rights in {neighbour.name}. When nobody needs it any more: drop role {ROLE}\n"
    )
    last = command("uninstall", "--yes", **beside)
    assert (last.exit_code, last.stderr) == (0, "")


def test_uninstall_says_when_there_was_nothing(command: Command, owner: dict[str, str]) -> None:
    nothing = "zohosync is not installed in this database: there was nothing to remove.\n"
    assert command("uninstall", "--yes", **owner).stdout == nothing
    command("install", **owner)
    command("uninstall", "--yes", **owner)
    assert "15 columns of it went" in command("uninstall", "--yes", "--columns", **owner).stdout
    assert command("uninstall", "--yes", "--columns", **owner).stdout == nothing


def test_an_older_integration_is_told(command: Command, owner: dict[str, str], bare_shop: Database) -> None:
    bare_shop.cluster.administer(
        "set role shop_owner; create table public.zoho_tokens (id text)", database=bare_shop.name
    )
    assert "Table public.zoho_tokens is of an older Zoho integration" in command("install", **owner).stdout
    assert command("uninstall", "--yes", **owner).exit_code == 0


def test_uninstall_asks_first(command: Command, installed: Shop) -> None:
    result = command("uninstall", **installed.env)
    assert result.exit_code == 1
    assert "This deletes the sync log" in result.output
    assert [line.strip() for line in result.stderr.splitlines()][-1] == "Aborted."
    assert installed.fetch("select 1 from pg_namespace where nspname = 'zohosync'")


@pytest.mark.parametrize(("columns", "left"), [(False, 12), (True, 0)])
def test_uninstall_takes_away_what_it_says(
    command: Command, owner: dict[str, str], bare_shop: Database, columns: bool, left: int
) -> None:
    command("install", **owner)
    result = command("uninstall", "--yes", *(["--columns"] if columns else []), **owner)
    assert result.exit_code == 0
    with psycopg.connect(bare_shop.admin_url) as connection:
        assert connection.execute("select count(*) from pg_namespace where nspname = 'zohosync'").fetchone() == (0,)
        found = connection.execute(
            "select count(*) from information_schema.columns where table_schema = 'public' and column_name like 'zoho%'"
        ).fetchone()
    assert found == (left,)


@pytest.mark.parametrize(
    ("owner_url", "worker_url"),
    [
        ("postgresql://postgres:old@db.example.com:5432/shop", "postgresql://w:new@db.example.com:5432/shop"),
        ("postgresql://postgres@/shop?host=/run/pg&port=5", "postgresql://w:new@/shop?host=/run/pg&port=5"),
        ("postgresql://db.example.com/shop?sslmode=require", "postgresql://w:new@db.example.com/shop?sslmode=require"),
        (
            "postgres://postgres.abcd:old@aws-0-ap-south-1.pooler.supabase.com:5432/postgres",
            "postgres://w.abcd:new@aws-0-ap-south-1.pooler.supabase.com:5432/postgres",
        ),
        ("postgresql://a.b:old@db.example.com/shop", "postgresql://w:new@db.example.com/shop"),
    ],
)
def test_the_workers_address_is_the_owners_with_another_account(owner_url: str, worker_url: str) -> None:
    assert worker_address(owner_url, "w", "new") == worker_url


def test_signs_of_a_password_are_encoded() -> None:
    assert worker_address("postgresql://o@h/d", "w", "a/b@c:d") == "postgresql://w:a%2Fb%40c%3Ad@h/d"


def test_golive_says_what_is_left_alone(command: Command, installed: Shop) -> None:
    installed.execute("insert into users (email, first_name, last_name) values ('old@example.com', 'Old', 'One')")
    first = json_of(command("golive", "--json", **installed.env))
    again = json_of(command("golive", "--json", **installed.env))
    assert (first["already"], first["baseline"]) == (False, 1)
    assert (again["already"], again["live_since"]) == (True, first["live_since"])
    assert "Capture is on; live since" in command("golive", **installed.env).stdout


def test_one_older_record_is_told_as_one(command: Command, installed: Shop) -> None:
    installed.execute("insert into users (email, first_name, last_name) values ('old@example.com', 'Old', 'One')")
    assert "1 older record is left alone." in command("golive", **installed.env).stdout


def test_capture_pauses_and_resumes(command: Command, installed: Shop) -> None:
    command("golive", **installed.env)
    assert command("pause", **installed.env).exit_code == 0
    assert json_of(command("status", "--json", **installed.env))["installation"]["capturing"] is False
    assert "paused" in command("status", **installed.env).stdout
    refused(command("golive", **installed.env), 2, "somebody paused its capture", "run `zohosync resume`")
    assert json_of(command("status", "--json", **installed.env))["installation"]["capturing"] is False
    resumed = command("resume", **installed.env, ZOHOSYNC_SCAN_INTERVAL="240")
    assert resumed.exit_code == 0
    assert "by the next catch-up scan, within 4 min while a worker runs." in resumed.stdout
    assert json.loads(command("status", "--json", **installed.env).stdout)["installation"]["capturing"] is True
