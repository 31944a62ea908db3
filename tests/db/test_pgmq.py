"""pgmq comes as the server's extension where there is one, else as plain SQL."""

from pathlib import Path

import pytest
from pgmq.install import get_embedded_install_sql

from conftest import WORKER_ROLE, Database
from zohosync.db.install import install, uninstall
from zohosync.db.pool import connect, fetch_all, fetch_one

CONTROL = """comment = 'a queue'
default_version = '1.13.0'
relocatable = false
schema = 'pgmq'
superuser = {superuser}
trusted = {trusted}
"""


HANDED_OVER = """
grant usage, create on schema pgmq to shop_owner;
grant all on all tables in schema pgmq to shop_owner;
"""


def offer_extension(database: Database, folder: Path, *, trusted: bool, handed_over: bool = True) -> None:
    """Make the server offer pgmq as an extension in this database; ``handed_over`` to the shop's owner, as Supabase
    does."""
    home = folder / "extension"
    home.mkdir(parents=True)
    yes, no = "true", "false"
    (home / "pgmq.control").write_text(CONTROL.format(superuser=yes, trusted=yes if trusted else no))
    (home / "pgmq--1.13.0.sql").write_text(get_embedded_install_sql() + (HANDED_OVER if handed_over else ""))
    for path in (folder, home, *home.iterdir(), *folder.parents):
        path.chmod(path.stat().st_mode | 0o555)
    database.cluster.administer(
        f"alter database {database.name} set extension_control_path = '{folder}:$system'",
    )


@pytest.fixture
def offered(bare_shop: Database, tmp_path: Path) -> Path:
    return tmp_path / "share"


async def test_the_servers_extension_is_used_where_it_is_offered(bare_shop: Database, offered: Path) -> None:
    offer_extension(bare_shop, offered, trusted=True)
    async with await connect(bare_shop.owner_url) as connection:
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        extension = await fetch_one(connection, "select extversion from pg_extension where extname = 'pgmq'")
        assert extension == {"extversion": "1.13.0"}
        async with await connect(bare_shop.worker_url) as worker:
            await worker.execute("select pgmq.send('zohosync_people', '{}')")
        await uninstall(connection, worker_role=WORKER_ROLE)
        queues = await fetch_all(connection, "select queue_name from pgmq.meta")
        assert queues == []
        assert await fetch_one(connection, "select 1 from pg_extension where extname = 'pgmq'")


@pytest.mark.parametrize(("trusted", "handed_over"), [(False, True), (True, False)])
async def test_an_extension_that_is_not_for_us_falls_back_to_plain_sql(
    bare_shop: Database, offered: Path, trusted: bool, handed_over: bool
) -> None:
    """Only a superuser may create it, or it stays with the one who created it."""
    offer_extension(bare_shop, offered, trusted=trusted, handed_over=handed_over)
    async with await connect(bare_shop.owner_url) as connection:
        await install(connection, worker_role=WORKER_ROLE, adapter="kn")
        assert not await fetch_one(connection, "select 1 from pg_extension where extname = 'pgmq'")
        assert await fetch_one(connection, "select 1 from pgmq.meta where queue_name = 'zohosync_people'")
