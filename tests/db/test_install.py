"""Installing beside a shop, again, elsewhere, and taking it away."""

import psycopg
import pytest

from conftest import WORKER_ROLE, Database
from zohosync.db.address import check_address, place_of
from zohosync.db.install import (
    compose_install,
    find_older_integration,
    install,
    list_capture_triggers,
    load_adapter,
    newest_version,
    uninstall,
)
from zohosync.db.pool import Connection, connect, fetch_all, fetch_one
from zohosync.errors import DatabaseFailure, DatabaseUnreachable, ForeignCopy, PrivilegeMissing
from zohosync.store.installation import adopt_database, check_installation

STRUCTURE = """
select 'column ' || table_schema || '.' || table_name || '.' || column_name || ' ' || data_type as what
  from information_schema.columns where table_schema in ('zohosync', 'public', 'pgmq')
union all select 'function ' || p.oid::regprocedure::text || md5(p.prosrc) from pg_proc p
  where p.pronamespace in ('zohosync'::regnamespace)
union all select 'trigger ' || tgname || ' ' || tgrelid::regclass from pg_trigger where not tgisinternal
union all select 'policy ' || polname || ' ' || polrelid::regclass from pg_policy
union all select 'grant ' || grantee || ' ' || table_schema || '.' || table_name || ' ' || privilege_type
  from information_schema.role_table_grants where table_schema in ('zohosync', 'pgmq')
order by 1
"""


async def structure(url: str) -> list[str]:
    async with await connect(url) as connection:
        return [row["what"] for row in await fetch_all(connection, STRUCTURE)]


async def test_installing_twice_changes_nothing(bare_shop: Database) -> None:
    async with await connect(bare_shop.owner_url) as connection:
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        first = await structure(bare_shop.admin_url)
        again = await install(connection, worker_role=WORKER_ROLE, adapter="kn")
    assert again.worker_password is None
    assert await structure(bare_shop.admin_url) == first
    assert len(first) > 100


async def test_the_printed_script_makes_the_same_installation(bare_shop: Database, database: Database) -> None:
    async with await connect(bare_shop.owner_url) as connection:
        await connection.execute(compose_install(worker_role=WORKER_ROLE, adapter="kn").encode())
    assert await structure(bare_shop.admin_url) == await structure(database.admin_url)


async def test_uninstall_leaves_the_shop_as_it_was(bare_shop: Database) -> None:
    before = await structure_of_shop(bare_shop.admin_url)
    async with await connect(bare_shop.owner_url) as connection:
        await install(connection, worker_role="zohosync_other", adapter="kn")
        await connection.execute("insert into users (email, first_name, last_name) values ('a@example.com', 'A', 'B')")
        await uninstall(connection, worker_role="zohosync_other", columns=True)
        assert not await fetch_all(connection, "select 1 from pg_roles where rolname = 'zohosync_other'")
        assert not await fetch_all(connection, "select 1 from pg_namespace where nspname in ('zohosync', 'pgmq')")
        assert await fetch_one(connection, "select 1 from users")
    assert await structure_of_shop(bare_shop.admin_url) == before


async def structure_of_shop(url: str) -> list[str]:
    async with await connect(url) as connection:
        rows = await fetch_all(
            connection,
            """select 'column ' || table_name || '.' || column_name as what from information_schema.columns
                where table_schema = 'public'
               union all select 'trigger ' || tgname || ' ' || tgrelid::regclass from pg_trigger where not tgisinternal
               order by 1""",
        )
        return [row["what"] for row in rows]


async def test_uninstall_keeps_columns_it_did_not_add(bare_shop: Database) -> None:
    async with await connect(bare_shop.owner_url) as connection:
        await connection.execute("alter table users add column zoho_crm_id bigint")
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        await uninstall(connection, worker_role=WORKER_ROLE, columns=True)
        left = await fetch_all(
            connection,
            "select table_name, column_name from information_schema.columns where column_name like 'zoho%%'",
        )
    assert [(row["table_name"], row["column_name"]) for row in left] == [("users", "zoho_crm_id")]


async def test_a_mapping_column_that_cannot_hold_an_id_is_refused(bare_shop: Database) -> None:
    async with await connect(bare_shop.owner_url) as connection:
        await connection.execute("alter table orders add column zoho_books_id integer")
        with pytest.raises(DatabaseFailure, match=r"orders\.zoho_books_id has the type integer"):
            await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        assert not await fetch_all(connection, "select 1 from pg_namespace where nspname = 'zohosync'")


async def test_an_older_integration_is_named(bare_shop: Database) -> None:
    async with await connect(bare_shop.owner_url) as connection:
        await connection.execute(
            "create table zoho_sync_logs (id int); create table zoho_tokens (id int);"
            " alter table users add column zoho_crm_id varchar(50)"
        )
        found = await find_older_integration(connection)
    assert len(found) == 3
    assert any("zoho_tokens" in sentence for sentence in found)
    assert any("users.zoho_crm_id" in sentence for sentence in found)


async def test_somebody_who_does_not_own_the_tables_is_told_so(bare_shop: Database) -> None:
    bare_shop.cluster.administer(
        "do $$ begin if not exists (select from pg_roles where rolname = 'stranger') then"
        " create role stranger login; end if; end $$"
    )
    async with await connect(bare_shop.cluster.url(bare_shop.name, user="stranger")) as connection:
        with pytest.raises(PrivilegeMissing, match="does not own users"):
            await install(connection, worker_role=WORKER_ROLE, adapter="kn")


async def test_a_database_without_the_shop_is_told_so(database: Database) -> None:
    async with await connect(database.cluster.url("postgres")) as connection:
        with pytest.raises(DatabaseFailure, match="shop's tables are not in this database"):
            await install(connection, worker_role=WORKER_ROLE, adapter="kn")


async def test_an_owner_who_may_not_create_roles_is_told_what_to_run(bare_shop: Database) -> None:
    bare_shop.cluster.administer("alter role shop_owner nocreaterole")
    try:
        async with await connect(bare_shop.owner_url) as connection:
            with pytest.raises(PrivilegeMissing, match="create role zohosync_new login"):
                await install(connection, worker_role="zohosync_new", adapter="kn")
    finally:
        bare_shop.cluster.administer("alter role shop_owner createrole")


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("postgresql://nobody@127.0.0.1:9/none", "check host and port"),
        ("postgresql://nobody@no-such-host.invalid/none", "host name"),
    ],
)
async def test_an_unreachable_database_says_why(url: str, remedy: str) -> None:
    with pytest.raises(DatabaseUnreachable, match=remedy):
        await connect(url)


async def test_a_database_that_does_not_exist_says_so(database: Database) -> None:
    with pytest.raises(DatabaseUnreachable, match="Check the database name"):
        await connect(database.cluster.url("no_such_shop"))


async def test_the_shop_can_still_alter_its_own_columns(database: Database) -> None:
    async with await connect(database.owner_url) as connection:
        await connection.execute("alter table users alter column phone type text")
        await connection.execute("alter table users alter column first_name type varchar(300)")
        await connection.execute("alter table users rename column company_name to firm")
        await connection.execute("alter table contact_submissions drop column subject")
        await connection.execute("insert into users (email, first_name, last_name) values ('a@example.com', 'A', 'B')")


async def test_api_roles_see_nothing_of_ours(database: Database) -> None:
    for role in ("anon", "authenticated"):
        async with await connect(database.admin_url) as connection:
            await connection.execute(f"set role {role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute("select * from zohosync.operation")


async def test_goods_get_columns_for_their_tax_and_lose_only_those(bare_shop: Database) -> None:
    async with await connect(bare_shop.owner_url) as connection:
        await connection.execute("alter table product_variants add column hsn_code varchar(8)")
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        query = """select column_name as name, data_type as type from information_schema.columns
                    where table_name = 'product_variants' and column_name in ('hsn_code', 'gst_rate', 'tax_category')
                    order by 1"""
        added = {row["name"]: row["type"] for row in await fetch_all(connection, query)}
        await uninstall(connection, worker_role=WORKER_ROLE, columns=True)
        left = {row["name"]: row["type"] for row in await fetch_all(connection, query)}
    assert added == {"gst_rate": "numeric", "hsn_code": "character varying", "tax_category": "text"}
    assert left == {"hsn_code": "character varying"}


def test_the_capture_triggers_are_known_from_the_adapter() -> None:
    triggers = list_capture_triggers("kn")
    assert {(trigger.table, trigger.event) for trigger in triggers} >= {("users", "insert"), ("users", "update")}
    assert all(trigger.name == f"zohosync_capture_{trigger.event}" for trigger in triggers)
    assert len(triggers) == load_adapter("kn").count("create or replace trigger")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://w:p@localhost:5432/shop", "local/shop"),
        ("postgresql://w:p@127.0.0.1/shop", "local/shop"),
        ("postgresql:///shop?host=/var/run/postgresql", "local/shop"),
        ("postgresql://w:p@DB.abc.supabase.co:5432/postgres", "db.abc.supabase.co/postgres"),
        ("postgresql://w:p@db.example.com./shop", "db.example.com/shop"),
        ("postgresql://w:p@db.example.com/shop?hostaddr=10.0.0.9", "10.0.0.9/shop"),
        ("postgresql:///shop?service=main", "service main/shop"),
        ("postgresql://shop:p@db.example.com", "db.example.com/shop"),
        ("postgresql://w:p@h1:5432,h2:5433/shop", "h1,h2/shop"),
        ("postgresql://w.abc:p@aws-1.pooler.supabase.com:6543/postgres", "aws-1.pooler.supabase.com/abc/postgres"),
        ("postgresql://w.xyz:p@aws-1.pooler.supabase.com:5432/postgres", "aws-1.pooler.supabase.com/xyz/postgres"),
    ],
)
def test_a_place_is_host_project_and_name(url: str, place: str) -> None:
    assert place_of(url) == place


def test_several_hosts_in_an_address_are_readable() -> None:
    check_address("postgresql://w:p@h1:5432,h2:5433/shop")


def test_a_program_reads_its_schema_version_once() -> None:
    """Somebody may upgrade the package under a running program."""
    assert newest_version() == newest_version()
    assert newest_version.cache_info().misses == 1


async def test_a_database_reached_at_a_new_address_may_be_a_copy(worker: Connection) -> None:
    for _ in range(2):
        await check_installation(worker, zoho="live", place="db.example.com/shop")
    with pytest.raises(ForeignCopy) as caught:
        await check_installation(worker, zoho="live", place="clone.example.com/shop")
    assert (caught.value.reason, caught.value.exit_code) == ("unknown_address", 6)
    assert "db.example.com/shop" in caught.value.message
    await adopt_database(worker, "clone.example.com/shop")
    for place in ("clone.example.com/shop", "db.example.com/shop"):
        await check_installation(worker, zoho="live", place=place)


async def test_a_role_that_stays_has_no_rights_left_here(bare_shop: Database, database: Database) -> None:
    async with await connect(bare_shop.owner_url) as connection:
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        await connection.execute("select pgmq.create('of_somebody_else')")
        gone = await uninstall(connection, worker_role=WORKER_ROLE)
        may = await fetch_one(connection, f"select has_schema_privilege('{WORKER_ROLE}', 'pgmq', 'usage') as may")
    assert gone.role_stays
    assert database.name in gone.sharing
    assert may == {"may": False}
