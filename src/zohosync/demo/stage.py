"""Everything the demo shows, set up from nothing and taken down again: shop, Zoho, worker, console, storefront."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import httpx
from cryptography.fernet import Fernet
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from zohosim.app import create_app
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosync.config import Settings
from zohosync.db.install import install
from zohosync.db.pool import connect, open_pool
from zohosync.demo.embedded import SIGN_IN_ROLE, Cluster, create_shop
from zohosync.demo.operator import Operator
from zohosync.demo.orders import Orders
from zohosync.demo.shop import Profile, Shop
from zohosync.demo.storefront import create_storefront
from zohosync.demo.wanted_fields import seed_wanted_fields
from zohosync.running import console_of, serve, serve_console, work
from zohosync.store.installation import go_live
from zohosync.store.policies import set_policy
from zohosync.store.rates import list_goods, set_tax_data
from zohosync.store.users import Role, invite
from zohosync.sync.books.policies import parse_policy
from zohosync.sync.connecting import ASKED
from zohosync.sync.rates import IN_FORCE, plan_rates
from zohosync.wiring import Services, open_services

DATABASE = "shop"
OWNER = "shop_owner"
EMAIL = "demo@example.com"
OLD_CUSTOMER = Profile("old.customer@example.com", "Demo", "Old Customer", "055555 00009")

STEPS = 9

# Seconds where a shop would have minutes, so that a person can watch a retry. A scan every few seconds shows, too, that
# what is older than go-live is left alone.
PACE: Mapping[str, Any] = {
    "retry_base": timedelta(seconds=2),
    "retry_factor": 1.5,
    "poll_interval": timedelta(seconds=1),
    "scan_interval": timedelta(seconds=3),
}

# What the accountant of this shop decided; the account money goes to and comes from, and why seeds are not taxed, are
# ids of the organisation.
POLICIES: Mapping[str, str] = {"price_basis": "exclusive", "shipping_tax": "highest", "goods_returned": "yes"}
BANK, EXEMPTION = "Current Account", "EXEMPT"


class DemoSettings(Settings):
    """Settings from arguments alone: the environment of a real shop must never reach the demo."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


@dataclass(frozen=True)
class Ports:
    """Where the three web faces listen on 127.0.0.1; 0 picks a free one."""

    console: int = 0
    storefront: int = 0
    zohosim: int = 0


@dataclass(frozen=True)
class Stage:
    """The demo as it runs. ``visitor`` is a browser at the storefront, ``operator`` one at the console; ``patience`` is
    how many seconds the story waits for anything."""

    services: Services
    shop: Shop
    orders: Orders
    simulator: Simulator
    visitor: httpx.AsyncClient
    operator: Operator
    storefront_url: str
    console_url: str
    zohosim_url: str
    live_since: datetime
    old_customer_id: str
    password: str = field(repr=False)
    patience: float = 20


@asynccontextmanager
async def open_stage(
    cluster: Cluster,
    *,
    announce: Callable[[str], None],
    ports: Ports = Ports(),
    pace: Mapping[str, Any] = PACE,
    patience: float = 20,
) -> AsyncIterator[Stage]:
    """Set everything up in an empty cluster and run it until the block ends; ``announce`` hears STEPS steps."""
    async with AsyncExitStack() as stack:
        announce("Building a storefront database")
        shop = await stack.enter_async_context(open_shop(cluster))
        old_customer_id = await shop.register(OLD_CUSTOMER)

        announce("Starting a local Zoho")
        simulator = Simulator()
        seed_wanted_fields(simulator)
        zohosim_url = await stack.enter_async_context(serve(create_app(simulator), port=ports.zohosim))

        announce("Installing zohosync beside the shop's tables")
        settings = demo_settings(cluster, zohosim_url, ports.console, pace)
        await install_beside(settings)
        services = await stack.enter_async_context(open_services(settings, name="demo-worker"))

        announce("Connecting Zoho")
        await connect_by_code(services, simulator)

        announce("Deciding how documents are made")
        await decide(services)

        announce("Going live")
        async with services.pool.connection() as connection:
            gone = await go_live(connection, services.sources)

        announce("Starting worker and clock")
        await stack.enter_async_context(working(services))

        announce("Opening the storefront")
        storefront_url = await stack.enter_async_context(serve(create_storefront(shop), port=ports.storefront))
        visitor = await stack.enter_async_context(httpx.AsyncClient(base_url=storefront_url, trust_env=False))

        announce("Opening the console")
        console_url = await stack.enter_async_context(serve_console(console_of(services)))
        browser = await stack.enter_async_context(
            httpx.AsyncClient(base_url=console_url, trust_env=False, timeout=patience)
        )
        operator, password = await let_in(services, browser)

        yield Stage(
            services=services,
            shop=shop,
            orders=Orders(shop),
            simulator=simulator,
            visitor=visitor,
            operator=operator,
            storefront_url=storefront_url,
            console_url=console_url,
            zohosim_url=zohosim_url,
            live_since=gone.live_since,
            old_customer_id=old_customer_id,
            password=password,
            patience=patience,
        )


@asynccontextmanager
async def open_shop(cluster: Cluster) -> AsyncIterator[Shop]:
    """A new storefront with products on its shelves."""
    await asyncio.to_thread(create_shop, cluster, DATABASE, owner=OWNER)
    await load_catalogue(cluster.url(DATABASE, user=OWNER))
    async with open_pool(cluster.url(DATABASE, user=SIGN_IN_ROLE), size=4) as pool:
        yield Shop(pool)


async def let_in(services: Services, browser: httpx.AsyncClient) -> tuple[Operator, str]:
    """The console's first admin, by a one-time link as ``zohosync invite`` prints it, and the password chosen there."""
    operator, password = Operator(browser), secrets.token_urlsafe(12)
    async with services.pool.connection() as connection:
        token = await invite(connection, Role.ADMIN)
    await operator.accept_invitation(token, email=EMAIL, password=password)
    return operator, password


async def load_catalogue(owner_url: str) -> None:
    """Put products on the shelves."""
    async with await connect(owner_url) as connection:
        await connection.execute(files("zohosync.demo").joinpath("catalogue.sql").read_bytes())


def demo_settings(cluster: Cluster, zohosim_url: str, console_port: int, pace: Mapping[str, Any]) -> Settings:
    """What a developer would have in ``.env``."""
    return DemoSettings(
        database_url=cluster.url(DATABASE, user="zohosync_worker"),
        owner_database_url=cluster.url(DATABASE, user=OWNER),
        zoho="sim",
        sim_url=zohosim_url,
        encryption_keys=[Fernet.generate_key().decode()],
        console_port=console_port,
        **pace,
    )


async def install_beside(settings: Settings) -> None:
    """As ``zohosync install`` does it, by the non-superuser owner of the shop's tables."""
    async with await connect(settings.require_owner()) as connection:
        await install(connection, worker_role=settings.worker_role, adapter=settings.adapter)


async def connect_by_code(services: Services, simulator: Simulator) -> None:
    """As ``zohosync connect`` does it, with a code for no more than the permissions zohosync asks for."""
    code = simulator.grants.issue_code(DEFAULT_CLIENT, simulator.user_id, ASKED, simulator.data_centre, None, True)
    await services.connect_with_code(client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret, code=code.value)


async def decide(services: Services) -> None:
    """What an administrator does before go-live, as ``zohosync policy set`` and ``zohosync rates import`` do it. The
    sheet leaves one product out."""
    office = await services.books_desk.office()
    bank = next(account.id for account in office.accounts if account.name == BANK)
    chosen = {
        "deposit_accounts": f"razorpay={bank},bank_transfer={bank}",
        "refund_account_id": bank,
        "exemption_id": next(exemption.id for exemption in office.exemptions if exemption.code == EXEMPTION),
    }
    sheet = files("zohosync.demo").joinpath("rates.csv").read_bytes()
    async with services.pool.connection() as connection, connection.transaction():
        for name, value in {**POLICIES, **chosen}.items():
            await set_policy(connection, name=name, value=parse_policy(name, value), by=EMAIL)
        plan = plan_rates(sheet, await list_goods(connection), rates=IN_FORCE)
        await set_tax_data(connection, plan.writes)


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[None]:
    """Worker and clock run while the block does, and finish what they began."""
    stop = asyncio.Event()
    running = asyncio.create_task(work(services, stop))
    try:
        yield
    finally:
        stop.set()
        await running
