"""The calls of Books against the simulator, through login, scopes and budget: what one writes another finds."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from zoho.conftest import HandClock, connect, new_code
from zohosim.simulator import Simulator
from zohosync.db.pool import Pool
from zohosync.errors import OutcomeUnknown, RateLimited, Refused, ScopeMissing
from zohosync.store.budget import Allowance, PostgresBudget
from zohosync.zoho import scopes
from zohosync.zoho.auth import Custodian
from zohosync.zoho.books import Books
from zohosync.zoho.books_records import Applied, Document, UniqueKey
from zohosync.zoho.client import Client, Context

SCOPES = (*scopes.BOOKS_REQUIRED, "ZohoCRM.org.READ", "ZohoBooks.invoices.DELETE", f"{scopes.ADJUSTMENTS}.ALL")
NAME = "Demo Customer"


@pytest.fixture
async def client(http: httpx.AsyncClient, custodian: Custodian, budget: PostgresBudget, clock: HandClock,
                 sim: Simulator) -> Client:  # fmt: skip
    """With what streams are granted, and what only these tests do besides."""
    await connect(custodian, new_code(sim, scopes=SCOPES))
    return Client(http, custodian, budget, clock)


@pytest.fixture
def own(sim: Simulator) -> str:
    return next(iter(sim.books.organisations))


@pytest.fixture
def books(client: Client, own: str) -> Books:
    return Books(client, own)


async def new_contact(books: Books, name: str = NAME, **more: Any) -> str:
    persons = [{"first_name": "Demo", "email": "customer@example.com", "is_primary_contact": True}]
    payload = {"contact_name": name, "contact_type": "customer", "contact_persons": persons, "place_of_contact": "TS",
               "gst_treatment": "consumer", **more}  # fmt: skip
    return (await books.create_contact(payload)).id


async def new_item(books: Books, sku: str = "RICE-5", **more: Any) -> str:
    taxes = {tax.name: tax.id for tax in await books.taxes()}
    preferences = [{"tax_id": taxes["GST18"], "tax_specification": "intra"},
                   {"tax_id": taxes["IGST18"], "tax_specification": "inter"}]  # fmt: skip
    payload = {"name": f"Rice {sku}", "sku": sku, "rate": Decimal("100.00"), "hsn_or_sac": "1006", "is_taxable": True,
               "item_tax_preferences": preferences, "product_type": "goods", **more}  # fmt: skip
    return (await books.create_item(payload)).id


async def draft(books: Books, reference: str = "KN-1001", **more: Any) -> Document:
    """One line of 200.00 and GST of 18 %, within the state."""
    contact = (await books.find_contacts_by_name(NAME) or [await books.contact(await new_contact(books))])[0]
    item = (await books.find_items_by_sku("RICE-5") or [await books.item(await new_item(books))])[0]
    assert contact is not None
    assert item is not None
    payload = {"customer_id": contact.id, "reference_number": reference, "date": today(), "place_of_supply": "TS",
               "line_items": [{"item_id": item.id, "quantity": 2, "rate": Decimal("100.00"),
                               "tax_id": item.tax_ids["intra"]}]}  # fmt: skip
    return await books.create_invoice(payload, **more)


def today() -> str:
    return (datetime.now(UTC) + timedelta(hours=5, minutes=30)).date().isoformat()


# --- settings


async def test_what_an_organisation_has_set_up_is_read(books: Books) -> None:
    accounts = {account.type for account in await books.accounts()}
    assert {"income", "stock", "cost_of_goods_sold"} <= accounts
    assert [currency.code for currency in await books.currencies() if currency.base] == ["INR"]
    assert isinstance(await books.locations(), tuple)
    assert isinstance(await books.tax_exemptions(), tuple)


# --- contacts


async def test_a_contact_is_found_again_by_name_email_and_gstin(books: Books) -> None:
    made = await new_contact(books, gst_no="36AABCT3518Q1ZX", gst_treatment="business_gst")
    await new_contact(books, "Demo Customer 2", contact_persons=[])
    for found in (
        await books.find_contacts_by_name(" demo CUSTOMER "),
        await books.find_contacts_by_email("Customer@Example.com"),
        await books.find_contacts_by_gst_no("36AABCT3518Q1ZX"),
    ):
        assert [contact.id for contact in found] == [made]
    read = await books.contact(made)
    assert read is not None
    assert (read.name, read.email, read.gst_no, read.place_of_contact) == (
        NAME, "customer@example.com", "36AABCT3518Q1ZX", "TS",
    )  # fmt: skip


async def test_a_gstin_is_found_where_rows_leave_it_out(books: Books, sim: Simulator) -> None:
    sim.switches.set({"books_contact_rows_have_gst": False})
    made = await new_contact(books, gst_no="36AABCT3518Q1ZX", gst_treatment="business_gst")
    assert [contact.id for contact in await books.find_contacts_by_gst_no("36AABCT3518Q1ZX")] == [made]


async def test_a_name_that_is_taken_is_refused_and_its_holder_is_found(books: Books) -> None:
    made = await new_contact(books)
    with pytest.raises(Refused) as caught:
        await new_contact(books, NAME.upper())
    assert caught.value.reason == "books_name_taken"
    assert [contact.id for contact in await books.find_contacts_by_name(NAME.upper())] == [made]


async def test_a_contact_is_changed_and_woken(books: Books) -> None:
    made = await new_contact(books)
    assert (await books.update_contact(made, {"company_name": "Demo Traders"})).company == "Demo Traders"
    await books.activate_contact(made)
    assert await books.contact("999") is None


# --- items


@pytest.mark.parametrize("heeded", ["honoured", "ignored"])
async def test_an_item_is_found_by_its_sku_whether_or_not_books_filters(
    books: Books, sim: Simulator, heeded: str
) -> None:
    sim.switches.set({"books_sku_filter": heeded})
    made = await new_item(books)
    await new_item(books, "RICE-50")
    assert [item.id for item in await books.find_items_by_sku(" rice-5 ")] == [made]
    assert await books.find_items_by_sku("RICE-500") == ()


async def test_items_are_read_in_detail_around_a_dead_one(books: Books) -> None:
    ids = [await new_item(books, f"RICE-{n}") for n in range(5)]
    found = await books.items([*ids[:2], "999", *ids[2:]])
    assert [item.id for item in found] == ids
    assert found[0].tax_ids.keys() == {"intra", "inter"}
    assert found[0].rate == Decimal(100)


async def test_an_item_whose_name_or_sku_is_taken_is_refused(books: Books) -> None:
    await new_item(books)
    with pytest.raises(Refused) as caught:
        await new_item(books, name="Another")
    assert caught.value.reason == "books_item_taken"


async def test_an_item_is_changed_and_woken(books: Books) -> None:
    made = await new_item(books)
    assert (await books.update_item(made, {"name": "Rice", "rate": Decimal("99.50")})).rate == Decimal("99.50")
    await books.activate_item(made)
    assert [item.id async for item in books.list_items()] == [made]


# --- stock


async def test_stock_is_adjusted_up_to_what_there_is(books: Books) -> None:
    accounts = {account.type: account.id for account in await books.accounts()}
    item = await new_item(
        books, item_type="inventory", inventory_account_id=accounts["stock"],
        purchase_account_id=accounts["cost_of_goods_sold"], purchase_rate=50, initial_stock=10, initial_stock_rate=50,
    )  # fmt: skip

    def payload(quantity: int) -> dict[str, Any]:
        return {"date": today(), "reason": "Count", "adjustment_type": "quantity", "reference_number": "A-1",
                "line_items": [{"item_id": item, "quantity_adjusted": quantity}]}  # fmt: skip

    made = await books.create_adjustment(payload(-4))
    assert made.lines == {item: Decimal(-4)}
    with pytest.raises(Refused) as caught:
        await books.create_adjustment(payload(-7))
    assert (caught.value.reason, caught.value.details) == ("books_stock_short", {"item": "Rice RICE-5"})
    assert [row.id async for row in books.adjustments(most_pages=1)] == [made.id]
    read = await books.item(item)
    assert read is not None
    assert read.stock == Decimal(6)
    await books.delete_adjustment(made.id)
    assert await books.adjustment(made.id) is None


# --- invoices


async def test_an_invoice_is_made_sent_paid_and_found(books: Books) -> None:
    made = await draft(books)
    assert (made.status, made.total, made.tax_total) == ("draft", Decimal(236), Decimal(36))
    assert {tax.name: tax.amount for tax in made.taxes} == {"CGST9 (9%)": Decimal(18), "SGST9 (9%)": Decimal(18)}
    await books.mark_invoice_sent(made.id)
    payment = await books.create_payment({
        "customer_id": made.customer_id, "payment_mode": "cash", "amount": Decimal("236.00"), "date": today(),
        "reference_number": "pay_1", "invoices": [{"invoice_id": made.id, "amount_applied": Decimal("236.00")}],
    })  # fmt: skip
    assert payment.applied == (Applied(made.id, Decimal(236)),)
    paid = await books.invoice(made.id)
    assert paid is not None
    assert (paid.status, paid.balance) == ("paid", Decimal(0))
    assert [found.id for found in await books.find_invoices("KN-1001")] == [made.id]
    assert [found.id for found in await books.find_invoices_by_number(made.number)] == [made.id]
    assert [found.id for found in await books.find_payments("pay_1", made.customer_id)] == [payment.id]
    assert await books.find_invoices("KN-100") == ()


async def test_with_a_key_the_same_invoice_is_never_made_twice(books: Books, sim: Simulator) -> None:
    sim.seed_books_field(module="invoices", label="Shop order", api_name="cf_shop_order", unique=True)
    key = UniqueKey("cf_shop_order", "KN-1001")
    first = await draft(books, unique=key)
    second = await draft(books, unique=key)
    assert first.id == second.id
    assert first.custom == {"cf_shop_order": "KN-1001"}
    assert len(await books.find_invoices("KN-1001")) == 1


async def test_without_the_field_the_key_is_refused_or_told_not_kept(books: Books) -> None:
    with pytest.raises(Refused):
        await draft(books, unique=UniqueKey("cf_shop_order", "KN-1001"))


async def test_an_invoice_that_was_made_before_the_answer_was_lost_is_found(books: Books, sim: Simulator) -> None:
    await draft(books, "KN-1000")
    sim.order({"kind": "http_500_after_commit", "match": {"operation": "create_invoice"}})
    with pytest.raises(OutcomeUnknown):
        await draft(books, "KN-1001")
    assert len(await books.find_invoices("KN-1001")) == 1


async def test_an_own_number_needs_to_be_asked_for(books: Books) -> None:
    contact, item = await new_contact(books), await new_item(books)
    payload = {"customer_id": contact, "invoice_number": "KN/26-27/1", "date": today(), "place_of_supply": "TS",
               "line_items": [{"item_id": item, "quantity": 1, "rate": 100}]}  # fmt: skip
    with pytest.raises(Refused) as caught:
        await books.create_invoice(payload)
    assert caught.value.reason == "books_number_mismatch"
    made = await books.create_invoice(payload, own_number=True)
    assert made.number == "KN/26-27/1"
    assert [found.id for found in await books.find_invoices_by_number("KN/26-27/1")] == [made.id]


async def test_a_tax_on_the_wrong_side_of_the_border_has_a_reason_of_its_own(books: Books) -> None:
    made = await draft(books)
    item = await books.item(made.lines[0].item_id)
    assert item is not None
    line = {"line_item_id": made.lines[0].id, "item_id": item.id, "quantity": 1, "rate": 100,
            "tax_id": item.tax_ids["inter"]}  # fmt: skip
    with pytest.raises(Refused) as caught:
        await books.update_invoice(made.id, {"line_items": [line]})
    assert caught.value.reason == "books_tax_side"


async def test_invoices_are_voided_and_deleted(books: Books) -> None:
    first, second = await draft(books, "KN-1"), await draft(books, "KN-2")
    await books.mark_invoice_sent(first.id)
    await books.void_invoice(first.id)
    await books.delete_invoice(second.id)
    read = await books.invoice(first.id)
    assert read is not None
    assert read.status == "void"
    assert await books.invoice(second.id) is None


async def test_changed_invoices_and_those_of_a_day_are_listed(books: Books, clock: HandClock) -> None:
    first = await draft(books, "KN-1")
    clock.advance(timedelta(minutes=5))
    since = clock.now()
    second = await draft(books, "KN-2")
    assert [row.id async for row in books.changed_invoices(since)] == [second.id]
    await books.update_invoice(first.id, {"notes": "changed"})
    assert {row.id async for row in books.changed_invoices(since)} == {first.id, second.id}
    day = date.fromisoformat(today())
    assert {row.id async for row in books.invoices_between(day, day)} == {first.id, second.id}
    later = day + timedelta(days=1)
    assert [row.id async for row in books.invoices_between(later, later)] == []


# --- estimates and credit notes


async def test_an_estimate_is_made_sent_accepted_and_found(books: Books, clock: HandClock) -> None:
    sale = await draft(books)
    line = {"item_id": sale.lines[0].item_id, "quantity": 1, "rate": 100, "tax_id": sale.lines[0].tax_id}
    since = clock.now()
    made = await books.create_estimate({"customer_id": sale.customer_id, "reference_number": "Q-1", "date": today(),
                                        "place_of_supply": "TS", "line_items": [line]})  # fmt: skip
    assert (made.status, made.total) == ("draft", Decimal(118))
    assert (await books.update_estimate(made.id, {"notes": "Thank you"})).id == made.id
    await books.mark_estimate_sent(made.id)
    await books.mark_estimate_accepted(made.id)
    read = await books.estimate(made.id)
    assert read is not None
    assert read.status == "accepted"
    assert [found.id for found in await books.find_estimates("Q-1")] == [made.id]
    assert [row.id async for row in books.changed_estimates(since)] == [made.id]
    assert [row.id async for row in books.changed_estimates(since + timedelta(hours=1))] == []


async def test_a_credit_note_is_opened_applied_and_paid_back(books: Books, clock: HandClock) -> None:
    sale = await draft(books)
    await books.mark_invoice_sent(sale.id)
    line = {"item_id": sale.lines[0].item_id, "quantity": 1, "rate": 100, "tax_id": sale.lines[0].tax_id}
    since = clock.now()
    made = await books.create_credit_note(
        {"customer_id": sale.customer_id, "reference_number": "R-1", "date": today(), "place_of_supply": "TS",
         "is_draft": True, "line_items": [line]},
        invoice_id=sale.id,
    )  # fmt: skip
    assert (made.status, made.total) == ("draft", Decimal(118))
    await books.mark_credit_note_open(made.id)
    await books.apply_credit_note(made.id, [Applied(sale.id, Decimal("100.00"))])
    owed = await books.invoice(sale.id)
    assert owed is not None
    assert owed.balance == Decimal(136)
    bank = next(account.id for account in await books.accounts() if account.type in ("cash", "bank"))
    paid_back = {"date": today(), "refund_mode": "cash", "amount": Decimal("18.00"), "from_account_id": bank,
                 "reference_number": "rfnd_1"}  # fmt: skip
    refund = await books.refund_credit_note(made.id, paid_back)
    assert [(one.id, one.amount, one.reference) for one in await books.credit_note_refunds(made.id)] == [
        (refund.id, Decimal(18), "rfnd_1"),
    ]  # fmt: skip
    read = await books.credit_note(made.id)
    assert read is not None
    assert (read.status, read.balance) == ("closed", Decimal(0))
    assert [found.id for found in await books.find_credit_notes("R-1")] == [made.id]
    assert [row.id async for row in books.changed_credit_notes(since)] == [made.id]


async def test_what_is_left_of_a_payment_is_paid_back(books: Books) -> None:
    sale = await draft(books)
    await books.mark_invoice_sent(sale.id)
    payment = await books.create_payment({
        "customer_id": sale.customer_id, "payment_mode": "cash", "amount": Decimal("250.00"), "date": today(),
        "reference_number": "pay_1", "invoices": [{"invoice_id": sale.id, "amount_applied": Decimal("236.00")}],
    })  # fmt: skip
    assert payment.unused == Decimal(14)
    bank = next(account.id for account in await books.accounts() if account.type in ("cash", "bank"))
    refund = await books.refund_payment(payment.id, {"date": today(), "amount": 14, "from_account_id": bank})
    assert refund.amount == Decimal(14)
    read = await books.payment(payment.id)
    assert read is not None
    assert read.unused == Decimal(0)


# --- permissions and limits


async def test_what_no_stream_does_is_not_granted_and_named(books: Books, custodian: Custodian, sim: Simulator,
                                                            clock: HandClock) -> None:  # fmt: skip
    made = await draft(books)
    sim.order({"kind": "scope_removed", "scope": "ZohoBooks.invoices.DELETE"})
    with pytest.raises(ScopeMissing, match=r"ZohoBooks\.invoices\.DELETE"):
        await books.delete_invoice(made.id)


@pytest.mark.parametrize("window", ["fixed", "sliding"])
async def test_the_whole_rate_is_used_and_no_window_is_overrun(
    http: httpx.AsyncClient, custodian: Custodian, sim: Simulator, own: str, pool: Pool, clock: HandClock, window: str
) -> None:
    """With all that Zoho allows, and an order that comes when a bulk job has filled the minute."""
    sim.switches.set({"books_minute_window": window})
    sim.books.organisations[own].limits.calls = 100_000
    await connect(custodian, new_code(sim, scopes=SCOPES))
    allowance = Allowance(100_000, in_flight=5, per_minute=100, minute_reserve=10, flight_reserve=1)
    budget = PostgresBudget(pool, {"books": allowance, "crm": allowance}, clock=clock)
    bulk = Books(Client(http, custodian, budget, clock, context=Context(priority="bulk")), own)
    sales = bulk.within(Context(priority="sales"))
    began, made, ordered = clock.now(), 0, 0
    while clock.now() < began + timedelta(minutes=5):
        clock.advance(timedelta(milliseconds=80))
        try:
            await bulk.find_organisation(own)
            made += 1
        except RateLimited as error:
            assert error.scope == "minute"  # noqa: PT017 - and it goes on
            while clock.now() - began > timedelta(minutes=2) and ordered < 4:
                await sales.find_organisation(own)
                ordered += 1
            clock.advance(error.retry_after)
    limits = sim.books.organisations[own].limits
    assert limits.tally.refused == {}
    assert 90 <= limits.minute.busiest <= 100
    assert made + ordered >= 0.95 * 90 * 5
    assert ordered == 4
