"""The one place where parts are put together: from settings to services, opened and closed here."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx

from zohosync.clock import Clock, SystemClock
from zohosync.config import Settings
from zohosync.db.address import place_of, reach
from zohosync.db.listen import Listener
from zohosync.db.pool import Connection, Pool, open_pool
from zohosync.errors import DatabaseFailure, SettingsRefused, ZohosyncError
from zohosync.metrics.exposition import Metrics
from zohosync.queue import lanes
from zohosync.queue.clockwork import Clockwork, Job
from zohosync.queue.operation import RetryPolicy, Stream
from zohosync.queue.worker import CHANNELS, Worker, WorkerOptions
from zohosync.store import write_backs
from zohosync.store.budget import Allowance, PostgresBudget
from zohosync.store.holds import release_holds
from zohosync.store.incidents import review_connection
from zohosync.store.installation import Installation, check_installation, read_installation
from zohosync.store.measures import read_measures
from zohosync.store.tidying import Retention, tidy, tidy_gone
from zohosync.store.tokens import PostgresTokens
from zohosync.streams import build_streams
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.watch import watch_documents
from zohosync.sync.connecting import Connected, Connector
from zohosync.sync.desk import CrmDesk, Policy
from zohosync.sync.doctor.patient import Patient, Zoho
from zohosync.zoho.auth import Custodian
from zohosync.zoho.books import Books
from zohosync.zoho.client import Client
from zohosync.zoho.crm import Crm
from zohosync.zoho.spare import Spares
from zohosync.zoho.vault import Vault

LEASE_MARGIN = timedelta(seconds=2)
RESEND_EVERY = timedelta(seconds=5)
REVIEW_EVERY = timedelta(seconds=10)
RELEASE_EVERY = timedelta(seconds=10)
"""A held order goes through soon after it was corrected."""
WATCH_EVERY = timedelta(minutes=30)
SETTLE_EVERY = timedelta(seconds=30)
TIDY_EVERY = timedelta(minutes=10)
TIDY_GONE_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Services:
    """What commands and pages work with."""

    settings: Settings
    clock: Clock
    pool: Pool
    installation: Installation
    custodian: Custodian
    budget: PostgresBudget
    crm: Crm
    client: Client
    spares: Spares
    books: Books
    books_desk: BooksDesk
    connector: Connector
    streams: tuple[Stream, ...]
    metrics: Metrics
    name: str

    def worker(self) -> tuple[Worker, Listener]:
        """A worker and the listener that wakes it; both are to be run."""
        listener = Listener(self.settings.require_database(), CHANNELS)
        worker = Worker(
            self.pool,
            self.streams,
            listener=listener,
            clock=self.clock,
            name=self.name,
            policy=retry_policy(self.settings),
            options=WorkerOptions(
                visibility=self.settings.visibility_timeout,
                poll=self.settings.poll_interval,
                concurrency=self.settings.concurrency,
            ),
            observer=self.metrics.tally,
        )
        return worker, listener

    def clockwork(self) -> Clockwork:
        """The periodic jobs, shared by all workers of the database."""

        async def scan(connection: Connection) -> None:
            for stream in self.streams:
                for entity in stream.entities:
                    while await lanes.catch_up(connection, stream, entity):
                        pass

        async def give_up_logins(_: Connection) -> None:
            await self.connector.give_up_abandoned()

        async def release(connection: Connection) -> None:
            await release_holds(connection, policies=(await self.books_desk.policies(connection)).digest)

        keep = Retention(self.settings.keep_successes, self.settings.keep_payloads)
        jobs = (
            Job("resend_due", RESEND_EVERY, lanes.resend_due),
            Job("catch_up_scan", self.settings.scan_interval, scan),
            Job("write_backs", SETTLE_EVERY, write_backs.settle),
            Job("release_holds", RELEASE_EVERY, release),
            Job("watch_documents", WATCH_EVERY, partial(watch_documents, self.books_desk)),
            Job("review_connection", REVIEW_EVERY, review_connection),
            Job("give_up_logins", TIDY_EVERY, give_up_logins),
            Job("tidy", TIDY_EVERY, partial(tidy, keep=keep)),
            Job("tidy_gone", TIDY_GONE_EVERY, partial(tidy_gone, keep=keep)),
        )
        return Clockwork(self.pool, jobs, clock=self.clock)

    @property
    def sources(self) -> list[tuple[str, str]]:
        """The (kind, entity) pairs of all streams."""
        return [(stream.kind, entity) for stream in self.streams for entity in stream.entities]

    async def connect_with_code(self, *, client_id: str, client_secret: str, code: str) -> Connected:
        """Connect by a self client's code, when there is nothing to choose."""
        found = await self.connector.redeem(
            client_id=client_id,
            client_secret=client_secret,
            code=code,
            accounts_server=self.settings.accounts_server,
        )
        return await self.connector.settle(found)


def retry_policy(settings: Settings) -> RetryPolicy:
    """The retry budget, as the settings give it."""
    return RetryPolicy(
        base=settings.retry_base,
        factor=settings.retry_factor,
        limit=settings.retry_limit,
        lines_patience=settings.lines_patience,
        wait_patience=settings.wait_patience,
    )


def allowances(settings: Settings) -> dict[str, Allowance]:
    """What may be asked of each product, as the settings give it."""
    return {
        "crm": Allowance(settings.crm_daily_credits, settings.crm_in_flight),
        "books": Allowance(
            settings.books_daily_calls,
            settings.books_in_flight,
            sales_reserve=settings.books_daily_calls * settings.books_sales_reserve // 100,
            per_minute=settings.books_per_minute,
            minute_reserve=settings.books_per_minute * settings.books_sales_reserve // 100,
            flight_reserve=1 if settings.books_sales_reserve else 0,
        ),
    }


def worker_name() -> str:
    """Who does the work, as people would look for it: machine and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


@asynccontextmanager
async def open_services(
    settings: Settings,
    *,
    clock: Clock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    name: str = "",
) -> AsyncIterator[Services]:
    """Everything, opened; closed at the end. Refuses a database this program must not work on.

    ``transport`` replaces the network, for a simulator in the same process.
    """
    time = clock or SystemClock()
    most = settings.crm_in_flight + settings.books_in_flight
    limits = httpx.Limits(max_connections=most + 2, max_keepalive_connections=most)
    async with (
        open_pool(settings.require_database(), size=settings.pool_size) as pool,
        httpx.AsyncClient(transport=transport, limits=limits, trust_env=settings.zoho == "live") as http,
    ):
        async with pool.connection() as connection:
            installation = await check_installation(
                connection, zoho=settings.zoho, place=place_of(settings.require_database())
            )
        vault = Vault(settings.require_keys())
        limits_by_product = {name: allowed.daily_credits for name, allowed in allowances(settings).items()}
        metrics = Metrics(partial(read_measures, pool), time, limits=limits_by_product)
        custodian = Custodian(
            PostgresTokens(pool),
            vault,
            http,
            time,
            sim_url=settings.sim_url if settings.zoho == "sim" else None,
        )
        budget = PostgresBudget(
            pool,
            allowances(settings),
            minute=settings.sim_minute if settings.zoho == "sim" else timedelta(minutes=1),
            lease=settings.call_timeout + LEASE_MARGIN,  # a killed worker's places come free that soon
        )
        client = Client(http, custodian, budget, time, timeout=settings.call_timeout, watch=metrics.tally.watch)
        crm = Crm(client)
        desk = CrmDesk(pool, crm, custodian, time, _policy(settings))
        books = Books(client)
        books_desk = BooksDesk(pool, books, custodian, time, _policy(settings))
        yield Services(
            settings=settings,
            clock=time,
            pool=pool,
            installation=installation,
            custodian=custodian,
            budget=budget,
            crm=crm,
            client=client,
            spares=Spares(http, custodian, vault),
            books=books,
            books_desk=books_desk,
            connector=Connector(pool, custodian, client, vault, zoho=settings.zoho),
            streams=build_streams(desk, books_desk),
            metrics=metrics,
            name=name or worker_name(),
        )


@asynccontextmanager
async def meet_patient(
    settings: Settings, *, offline: bool = False, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Patient]:
    """The installation with all that can be reached of its surroundings; what cannot be is no reason to stop.

    Only the worker's database must answer. ``transport`` replaces the network, for a simulator in the same process.
    """
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(reach(settings.require_database()))
        installation = await read_installation(connection)
        owner, no_owner = await _meet_owner(stack, settings)
        zoho, no_zoho = await _meet_zoho(stack, settings, offline, transport)
        yield Patient(
            settings,
            SystemClock(),
            connection,
            installation,
            owner=owner,
            zoho=zoho,
            no_zoho=no_zoho,
            no_owner=no_owner,
        )


async def _meet_owner(stack: AsyncExitStack, settings: Settings) -> tuple[Connection | None, str]:
    if settings.owner_database_url is None:
        return None, "ZOHOSYNC_OWNER_DATABASE_URL is not set"
    try:
        return await stack.enter_async_context(reach(settings.owner_database_url.get_secret_value())), ""
    except (DatabaseFailure, SettingsRefused) as error:
        return None, f"the owner's connection cannot be had ({error.reason})"


async def _meet_zoho(
    stack: AsyncExitStack, settings: Settings, offline: bool, transport: httpx.AsyncBaseTransport | None
) -> tuple[Zoho | None, str]:
    if offline:
        return None, "Zoho was not asked, because of --offline."
    try:
        services: Services = await stack.enter_async_context(open_services(settings, transport=transport))
    except ZohosyncError as error:
        return None, f"Zoho could not be asked: {error}"
    zoho = Zoho(services.custodian, services.crm, services.books, services.budget)
    stack.push_async_callback(zoho.leave)
    return zoho, ""


def _policy(settings: Settings) -> Policy:
    return Policy(
        phone_region=settings.phone_region,
        call_timeout=settings.call_timeout,
        look_again=settings.look_again,
        contact_automations=settings.contact_automations == "new",
        lead_automations=settings.lead_automations == "new",
    )
