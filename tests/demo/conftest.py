"""The demo storefront over a real shop database, reached as PostgREST reaches one."""

from collections.abc import AsyncIterator

import httpx
import pytest
from psycopg import sql

from conftest import Database
from zohosync.db.pool import connect, open_pool
from zohosync.demo.embedded import SIGN_IN_ROLE
from zohosync.demo.shop import Shop
from zohosync.demo.stage import load_catalogue
from zohosync.demo.storefront import create_storefront


@pytest.fixture
async def shop(bare_shop: Database) -> AsyncIterator[Shop]:
    """A storefront's data access, with products on its shelves."""
    await load_catalogue(bare_shop.owner_url)
    async with open_pool(bare_shop.cluster.url(bare_shop.name, user=SIGN_IN_ROLE), size=3) as pool:
        yield Shop(pool)


@pytest.fixture
async def visitor(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the storefront."""
    transport = httpx.ASGITransport(app=create_storefront(shop))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


async def note_writers(database: Database, table: str) -> None:
    """Keep the role of every write to ``table`` in the column ``written_by``."""
    async with await connect(database.owner_url) as connection:
        await connection.execute(
            sql.SQL("alter table {} add column written_by text default current_user").format(sql.Identifier(table))
        )
