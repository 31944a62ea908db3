"""The console on a real database, asked in process, and people signed in to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from console.stage import STREAMS, Person, add_user
from zohosync.clock import SystemClock
from zohosync.config import Settings
from zohosync.console.app import Console, create_app
from zohosync.console.gate import session_cookie
from zohosync.db.pool import Pool
from zohosync.store.users import Role, find_session, open_session

Enter = Callable[[Role], Awaitable[Person]]


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None)


@pytest.fixture
def console(pool: Pool, settings: Settings) -> Console:
    return Console(pool, settings, SystemClock(), streams=STREAMS)


@pytest.fixture
def app(console: Console) -> FastAPI:
    return create_app(console)


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A browser that nobody has signed in with."""
    async with AsyncClient(transport=ASGITransport(app), base_url="http://console.test") as client:
        yield client


@pytest.fixture
async def enter(app: FastAPI, console: Console, pool: Pool) -> AsyncIterator[Enter]:
    """Signs somebody of a role in, past the password."""
    async with AsyncExitStack() as stack:

        async def enter(role: Role) -> Person:
            async with pool.connection() as connection:
                user = await add_user(connection, role)
                token = await open_session(connection, user.user_id, console.settings.session_lifetime)
                session = await find_session(connection, token)
            assert session is not None
            client = AsyncClient(transport=ASGITransport(app), base_url="http://console.test")
            client.cookies.set(session_cookie(console), token)
            return Person(await stack.enter_async_context(client), user, session.csrf_token)

        yield enter


@pytest.fixture
async def operator(enter: Enter) -> Person:
    return await enter(Role.OPERATOR)


@pytest.fixture
async def viewer(enter: Enter) -> Person:
    return await enter(Role.VIEWER)
