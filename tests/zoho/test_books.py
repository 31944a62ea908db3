"""Zoho Books: one method per call, against the simulator."""

from decimal import Decimal

import httpx
import pytest

from zoho.conftest import HandClock, connect, new_code, token_calls
from zohosim.simulator import Simulator
from zohosync.db.pool import Connection
from zohosync.errors import LoginLost, NotConnected, ScopeMissing
from zohosync.store.budget import PostgresBudget
from zohosync.zoho import scopes
from zohosync.zoho.auth import Custodian
from zohosync.zoho.books import Books
from zohosync.zoho.books_entities import BooksOrganisation, Tax
from zohosync.zoho.client import Client

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


async def test_a_missing_scope_is_named_and_costs_one_refresh_in_all(
    books: Books, client: Client, sim: Simulator
) -> None:
    await books.organisations()
    sim.order({"kind": "scope_removed", "scope": "ZohoBooks.settings.READ"})
    before = token_calls(sim)
    for _ in range(5):
        with pytest.raises(ScopeMissing, match=r"ZohoBooks\.settings\.READ"):
            await books.taxes()
    assert token_calls(sim) - before == 1


async def test_a_foreign_organisation_waits_for_a_person(client: Client) -> None:
    with pytest.raises(LoginLost, match="does not belong") as caught:
        await Books(client, "60099999999").taxes()
    assert caught.value.reason == "books_organisation_foreign"


def test_an_organisation_and_a_tax_are_read_from_blank_rows() -> None:
    assert BooksOrganisation.parse({"organization_id": 60031234567}).id == "60031234567"
    assert Tax.parse({"tax_percentage": ""}).percentage == Decimal(0)
