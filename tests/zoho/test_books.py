"""Zoho Books: one method per call, against the simulator."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from zoho.conftest import ACCOUNTS, ORGANISATION, HandClock, connect, new_code, token_calls
from zohosim.simulator import DEFAULT_CLIENT, Simulator
from zohosync.db.pool import Connection
from zohosync.errors import LoginLost, NotConnected, RateLimited, ScopeMissing, ZohoUnavailable
from zohosync.store.budget import PostgresBudget, Usage
from zohosync.zoho import scopes
from zohosync.zoho.auth import Custodian
from zohosync.zoho.books import Books
from zohosync.zoho.books_entities import BooksOrganisation, Tax
from zohosync.zoho.client import UNNAMED, Client, Context
from zohosync.zoho.crm import Crm

BOOKS_SCOPES = ("ZohoCRM.modules.ALL", "ZohoCRM.org.READ", *scopes.BOOKS_REQUIRED)


@pytest.fixture
async def client(
    http: httpx.AsyncClient, custodian: Custodian, budget: PostgresBudget, clock: HandClock, sim: Simulator
) -> Client:
    """Connected with the scopes that these calls need and no wider ones."""
    await connect(custodian, new_code(sim, scopes=BOOKS_SCOPES))
    return Client(http, custodian, budget, clock)


@pytest.fixture
def own(sim: Simulator) -> str:
    """The id of the one organisation there is."""
    return next(iter(sim.books.organisations))


@pytest.fixture
def books(client: Client, own: str) -> Books:
    return Books(client, own)


# --- organisations


async def test_every_organisation_of_the_user_is_told(client: Client, sim: Simulator) -> None:
    sim.seed_books_organisation(name="Second Shop", plan="free", state_code="KA", gst=False)
    first, second = await Books(client).organisations()
    assert (first.name, first.plan, first.country, first.state_code, first.currency) == (
        "KN Biosciences", "PREMIUM", "IN", "TS", "INR",
    )  # fmt: skip
    assert (first.time_zone, first.gst_registered, first.is_default) == ("Asia/Kolkata", True, True)
    assert (second.name, second.plan, second.gst_registered, second.is_default) == ("Second Shop", "FREE", False, False)
    assert first.id != second.id != sim.crm.organisation.zgid
    assert first.fields["version"] == "india"


async def test_a_user_without_books_has_no_organisations(client: Client, sim: Simulator) -> None:
    sim.books.close_organisations()
    assert await Books(client).organisations() == ()


async def test_one_organisation_is_found_by_its_id(books: Books, own: str) -> None:
    found = await books.find_organisation(own)
    assert found is not None
    assert (found.id, found.state_code, found.gst_registered) == (own, "TS", True)
    assert await books.find_organisation("60099999999") is None


# --- taxes


async def test_the_taxes_are_told_with_their_side_of_the_border(books: Books) -> None:
    taxes = {tax.name: tax for tax in await books.taxes()}
    assert (taxes["GST18"].type, taxes["GST18"].percentage, taxes["GST18"].specification) == (
        "tax_group", Decimal(18), "intra",
    )  # fmt: skip
    igst, half = taxes["IGST18"], taxes["CGST2.5"]
    assert (igst.type, igst.specification, igst.specific_type) == ("tax", "inter", "igst")
    assert (half.percentage, half.specification, half.specific_type) == (Decimal("2.5"), "intra", "cgst")
    assert all(tax.id.isdecimal() and len(tax.id) == 19 for tax in taxes.values())


async def test_taxes_are_read_from_all_pages_each_once(books: Books, sim: Simulator, own: str) -> None:
    taxes = sim.books.organisations[own].taxes
    taxes.extend({**taxes[0], "tax_id": str(n), "tax_name": f"Own {n}"} for n in range(450))
    taxes.append(taxes[0])
    found = await books.taxes()
    assert len(found) == len({tax.id for tax in found}) == 24 + 450
    assert sum(entry.operation == "taxes" for entry in sim.calls.entries) == 3


async def test_without_gst_there_are_no_taxes(client: Client, sim: Simulator) -> None:
    plain = sim.seed_books_organisation(gst=False)
    assert await Books(client, plain.id).taxes() == ()


# --- whose call it is


async def test_without_an_id_the_organisation_of_the_login_is_asked(
    client: Client, own: str, worker: Connection
) -> None:
    with pytest.raises(NotConnected, match="choose one") as caught:
        await Books(client).taxes()
    assert caught.value.reason == "books_not_chosen"
    await worker.execute("update zohosync.connection set books_organisation_id = %(own)s", {"own": own})
    await client._custodian.name_organisation("1", "Demo")  # type: ignore[attr-defined] - forgets what was read before
    assert await Books(client).taxes()


@pytest.mark.parametrize("code", [57, 14])
async def test_a_dead_token_is_renewed_once_whatever_its_code(books: Books, sim: Simulator, code: int) -> None:
    sim.switches.set({"books_expired_token_code": code})
    sim.order({"kind": "evict_token"})
    before = token_calls(sim)
    assert await books.taxes()
    assert token_calls(sim) - before == 1


async def test_twenty_rejected_calls_of_both_products_refresh_once(
    books: Books, client: Client, sim: Simulator
) -> None:
    sim.order({"kind": "evict_token"})
    before = token_calls(sim)
    await asyncio.gather(*(call() for _ in range(10) for call in (books.organisations, Crm(client).organisation)))
    assert token_calls(sim) - before == 1


async def test_a_missing_scope_is_named_and_costs_one_refresh_in_all(
    books: Books, client: Client, sim: Simulator
) -> None:
    await books.organisations()
    sim.order({"kind": "scope_removed", "scope": "ZohoBooks.settings.READ"})
    before = token_calls(sim)
    for asked in (books, books, books.within(Context()), books.within(Context(priority="sales"))):
        with pytest.raises(ScopeMissing, match=r"ZohoBooks\.settings\.READ"):
            await asked.taxes()
    assert token_calls(sim) - before == 1
    assert (await Crm(client).organisation()).id


async def test_a_permission_granted_meanwhile_is_noticed(books: Books, sim: Simulator) -> None:
    sim.order({"kind": "scope_removed", "scope": "ZohoBooks.settings.READ"})
    with pytest.raises(ScopeMissing):
        await books.taxes()
    sim.faults.clear()
    assert await books.taxes()
    sim.order({"kind": "evict_token"})
    assert await books.taxes()


async def test_a_login_that_is_only_looked_at_is_not_confused_with_the_one_in_use(
    books: Books, client: Client, custodian: Custodian, sim: Simulator
) -> None:
    looked_at = await custodian.exchange(
        client_id=DEFAULT_CLIENT.id, client_secret=DEFAULT_CLIENT.secret,
        code=new_code(sim, scopes=("ZohoCRM.org.READ",)), accounts_server=ACCOUNTS,
    )  # fmt: skip
    before = token_calls(sim)
    with pytest.raises(ScopeMissing):
        await Books(client.signed_in_by(looked_at)).organisations()
    assert token_calls(sim) == before
    assert await books.organisations()


async def test_a_login_of_another_data_centre_is_lost_with_the_remedy(books: Books, sim: Simulator) -> None:
    sim.switches.set({"books_expired_token_code": 14})
    sim.order({"kind": "wrong_data_centre", "count": 2, "match": {"service": "books"}})
    with pytest.raises(LoginLost, match="data centre") as caught:
        await books.taxes()
    assert caught.value.reason == "token_refused"
    assert await books.taxes()


async def test_a_foreign_organisation_waits_for_a_person(client: Client) -> None:
    with pytest.raises(LoginLost, match="does not belong") as caught:
        await Books(client, "60099999999").taxes()
    assert caught.value.reason == "books_organisation_foreign"


# --- limits


async def usage(budget: PostgresBudget, organisation: str, product: str = "books") -> Usage:
    return await budget.find_usage(organisation, product)


async def test_calls_are_counted_for_the_organisation_they_are_for(
    client: Client, books: Books, budget: PostgresBudget, sim: Simulator, own: str
) -> None:
    other = sim.seed_books_organisation()
    await books.organisations()
    await books.taxes()
    await Books(client, other.id).taxes()
    await books.find_organisation(own)
    spent = [(await usage(budget, organisation)).calls_today for organisation in (UNNAMED, own, other.id)]
    assert spent == [1, 2, 1]
    assert (await usage(budget, ORGANISATION, "crm")).spent == 0


async def test_what_other_programs_use_of_the_day_is_learnt_from_the_answer(
    books: Books, budget: PostgresBudget, sim: Simulator, own: str
) -> None:
    limits = sim.books.organisations[own].limits
    limits.plan, limits.used = "free", 699
    await books.taxes()
    assert (await usage(budget, own)).spent == 700


@pytest.mark.parametrize(
    ("code", "scope", "rest"),
    [(43, "minute", 3600), (44, "minute", 60), (45, "day", 3600), (1070, "concurrency", 2)],
)
async def test_a_limit_of_books_stops_books_and_not_crm(
    books: Books, client: Client, sim: Simulator, clock: HandClock, code: int, scope: str, rest: int
) -> None:
    sim.order({"kind": "http_429", "code": code, "match": {"service": "books"}})
    with pytest.raises(RateLimited) as caught:
        await books.taxes()
    assert caught.value.scope == scope
    assert timedelta(seconds=rest - 1) < caught.value.retry_after <= timedelta(seconds=rest)
    before = len(sim.calls.entries)
    with pytest.raises(RateLimited) as again:
        await books.taxes()
    assert len(sim.calls.entries) == before
    assert again.value.scope == scope
    assert (await Crm(client).organisation()).id


async def test_the_end_of_the_day_is_waited_for_until_zoho_says(books: Books, sim: Simulator, own: str) -> None:
    sim.books.organisations[own].limits.used = 10_000
    with pytest.raises(RateLimited) as caught:
        await books.taxes()
    left = timedelta(seconds=sim.books.organisations[own].limits.seconds_left())
    assert abs(caught.value.retry_after - left) < timedelta(seconds=30)


async def test_books_own_limit_of_calls_at_once_is_never_met(books: Books, sim: Simulator, own: str) -> None:
    sim.books.organisations[own].limits.plan = "free"
    sim.latency.least, sim.latency.most = 0.0, 0.01
    await asyncio.gather(*(books.taxes() for _ in range(30)))
    assert {entry.status for entry in sim.calls.entries if entry.service == "books"} == {200}


@pytest.mark.parametrize("kind", ["html_502", "html_200", "http_500_before_commit", "drop_connection_before_commit",
                                  "timeout_before_commit"])  # fmt: skip
async def test_books_in_trouble_leaves_a_read_undone(books: Books, sim: Simulator, kind: str) -> None:
    sim.order({"kind": kind})
    with pytest.raises(ZohoUnavailable):
        await books.taxes()
    assert await books.taxes()


# --- scopes


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [("ZohoBooks.settings.READ", 18), ("zohobooks.settings.all", 16), ("ZohoBooks.fullaccess.all", 0),
     ("ZohoBooks.settings.CREATE", 18), ("ZohoBooks.contacts.ALL", 16), ("ZohoCRM.settings.ALL", 19)],
)  # fmt: skip
def test_what_books_needs_is_covered_by_wider_scopes(granted: str, lacking: int) -> None:
    assert len(scopes.missing([granted], scopes.BOOKS_REQUIRED)) == lacking


# --- odd rows


def test_an_organisation_and_a_tax_are_read_from_blank_rows() -> None:
    assert BooksOrganisation.parse({"organization_id": 60031234567}).id == "60031234567"
    assert Tax.parse({"tax_percentage": ""}).percentage == Decimal(0)
