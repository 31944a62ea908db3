"""Secrets are sealed at rest and never shown."""

import logging
from datetime import timedelta

import httpx
import pytest
from cryptography.fernet import Fernet
from psycopg import AsyncConnection

from conftest import Database
from zoho.conftest import HandClock, custodian_of
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosync.db.pool import Pool
from zohosync.errors import LoginLost
from zohosync.store.tokens import PostgresTokens
from zohosync.zoho.auth import Custodian
from zohosync.zoho.crm import Crm
from zohosync.zoho.vault import Vault

HOUR = timedelta(hours=1)


async def whole_database(database: Database) -> str:
    async with await AsyncConnection.connect(database.admin_url, autocommit=True) as connection:
        cursor = await connection.execute(
            "select c.oid::regclass::text from pg_class c where c.relnamespace = 'zohosync'::regnamespace"
            " and c.relkind = 'r'"
        )
        tables = [row[0] for row in await cursor.fetchall()]
        found = []
        for table in tables:
            rows = await connection.execute(f"select t::text from {table} t".encode())
            found += [row[0] for row in await rows.fetchall()]
    return "\n".join(found)


async def test_no_secret_is_ever_stored_shown_or_logged_in_clear(
    connected: Custodian, crm: Crm, sim: Simulator, database: Database, keys: list[str],
    caplog: pytest.LogCaptureFixture, pool: Pool,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    sim.order({"kind": "evict_token"})
    await crm.organisation()
    access = await connected.access()
    stored = await PostgresTokens(pool).find_connection()
    assert stored is not None
    secrets = [DEFAULT_CLIENT.secret, access.token, Vault(keys).open(stored.refresh_token), *keys]
    dump = await whole_database(database)
    assert DEFAULT_CLIENT.id in dump
    hexed = [secret.encode().hex() for secret in secrets]
    shown = "\n".join([dump, repr(access), repr(stored), repr(connected), repr(Vault(keys)), str(access), caplog.text])
    assert [secret for secret in [*secrets, *hexed] if secret in shown] == []


async def test_keys_change_without_connecting_again(
    connected: Custodian, pool: Pool, keys: list[str], http: httpx.AsyncClient, clock: HandClock
) -> None:
    newer = Fernet.generate_key().decode()
    clock.advance(HOUR)
    await custodian_of(pool, [newer, *keys], http, clock).access()
    clock.advance(HOUR)
    assert (await custodian_of(pool, [newer], http, clock).access()).token


async def test_a_lost_key_is_said_so_and_the_login_is_kept(
    connected: Custodian, pool: Pool, keys: list[str], http: httpx.AsyncClient, clock: HandClock
) -> None:
    with pytest.raises(LoginLost, match="ZOHOSYNC_ENCRYPTION_KEYS") as caught:
        await custodian_of(pool, [Fernet.generate_key().decode()], http, clock).access()
    assert caught.value.reason == "encryption_key_missing"
    assert (await custodian_of(pool, keys, http, clock).access()).token
