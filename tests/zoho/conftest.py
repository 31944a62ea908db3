"""The Zoho clients on a real Postgres and on zohosim in process, under Zoho's own host names."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, settings

from zohosim.app import create_app
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosync.db.pool import Pool
from zohosync.store.budget import Allowance, PostgresBudget
from zohosync.store.tokens import PostgresTokens
from zohosync.zoho.auth import Custodian
from zohosync.zoho.client import Client
from zohosync.zoho.crm import Crm
from zohosync.zoho.vault import Vault

# The first text on a machine takes a second, because hypothesis then builds its table of characters.
settings.register_profile("zohosync", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zohosync")

ACCOUNTS = "https://accounts.zoho.in"
ORGANISATION = "60001234567"


@dataclass
class HandClock:
    """Time that moves when told to, or when somebody sleeps."""

    instant: datetime = field(default_factory=lambda: datetime.now(UTC))
    slept: list[timedelta] = field(default_factory=list)

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    async def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        self.instant += duration

    def advance(self, duration: timedelta) -> None:
        self.instant += duration


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def sim(clock: HandClock) -> Simulator:
    """A fresh organisation whose time is the test's."""
    simulator = Simulator()
    simulator.clock.real = clock.monotonic
    return simulator


@pytest.fixture
async def http(sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(sim))) as client:
        yield client


@pytest.fixture
def keys() -> list[str]:
    return [Fernet.generate_key().decode()]


@pytest.fixture
def custodian(pool: Pool, keys: list[str], http: httpx.AsyncClient, clock: HandClock) -> Custodian:
    """Not connected yet."""
    return Custodian(PostgresTokens(pool), Vault(keys), http, clock)


def new_code(sim: Simulator, *, lasting: bool = True, scopes: tuple[str, ...] = ()) -> str:
    """A self client's code, as an admin copies it from Zoho's API console."""
    wanted = scopes or ("ZohoCRM.modules.ALL", "ZohoCRM.settings.ALL", "ZohoCRM.coql.READ", "ZohoCRM.org.READ",
                        "ZohoCRM.users.READ", "ZohoSearch.securesearch.READ")  # fmt: skip
    return sim.grants.issue_code(DEFAULT_CLIENT, sim.user_id, wanted, sim.data_centre, None, lasting).value


async def connect(custodian: Custodian, code: str) -> None:
    await custodian.connect_with_code(
        client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret, code=code, accounts_server=ACCOUNTS
    )
    await custodian.name_organisation(ORGANISATION, "Demo")


@pytest.fixture
async def connected(custodian: Custodian, sim: Simulator) -> Custodian:
    """With a token that is good for an hour."""
    await connect(custodian, new_code(sim))
    return custodian


@pytest.fixture
def budget(pool: Pool) -> PostgresBudget:
    return PostgresBudget(
        pool, {"crm": Allowance(50_000, in_flight=5), "books": Allowance(1_000, in_flight=5, per_minute=90)}
    )


@pytest.fixture
def client(http: httpx.AsyncClient, connected: Custodian, budget: PostgresBudget, clock: HandClock) -> Client:
    return Client(http, connected, budget, clock)


@pytest.fixture
def crm(client: Client) -> Crm:
    return Crm(client)


def token_calls(sim: Simulator) -> int:
    """How often the token endpoint was asked, code exchanges included."""
    return sum(entry.operation == "token" for entry in sim.calls.entries)


def crm_calls(sim: Simulator) -> int:
    return sum(entry.service == "crm" for entry in sim.calls.entries)


def custodian_of(pool: Pool, keys: list[str], http: httpx.AsyncClient, clock: HandClock) -> Custodian:
    """Another process, as far as the login is concerned: nothing shared but the database."""
    return Custodian(PostgresTokens(pool), Vault(keys), http, clock)


def answering(*answers: httpx.Response | Exception) -> tuple[httpx.AsyncClient, list[httpx.Request]]:
    """A server that gives these answers in turn, the last one for ever, and what it was asked."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.AsyncClient(transport=httpx.MockTransport(handle)), asked
