"""Customers of the shop as contacts of Books."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from books.harness import FAULTS
from conftest import Database
from errands import Errand, assessed
from shopping import HOME, place_order
from stage import Stage, open_stage
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.errors import NotReady, OutcomeUnknown, RecordInvalid, RecordVanished, ZohosyncError

GSTIN = "36AAGCB7383J1Z9"
FIRM = assessed("business_gst", GSTIN)


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database, live=False) as opened:
        yield opened


def contacts(stage: Stage) -> list[dict[str, Any]]:
    (organisation,) = stage.sim.books.organisations.values()
    return [dict(row) for row in organisation.ledger.rows("contacts")]


async def errand(stage: Stage, number: str = "KN-1001", **values: Any) -> Errand:
    placed = await place_order(stage.shop, number=number, **values)
    return Errand.of(stage, placed.order_id)


async def make_by_hand(stage: Stage, **values: Any) -> str:
    """Somebody adds a contact in Books."""
    made = await stage.services.books.create_contact({"contact_type": "customer", **values})
    return made.id


async def writes(stage: Stage) -> list[tuple[str, str]]:
    return [
        (call["method"], call["path"])
        for call in await stage.calls(service="books")
        if call["method"] != "GET" and "contacts" in call["path"]
    ]


async def links(stage: Stage) -> list[tuple[str, str]]:
    rows = await fetch_all(
        stage.shop, "select entity, record_id from zohosync.link where module = 'contacts' and state = 'linked'"
    )
    return sorted((row["entity"], row["record_id"]) for row in rows)


async def test_a_registered_buyer_becomes_a_contact_with_its_id_written_back(stage: Stage) -> None:
    user = await stage.register(phone="98765 43210")
    made = await (await errand(stage, user=user)).customer()
    (contact,) = contacts(stage)
    assert contact["contact_id"] == made
    assert contact["contact_name"] == "Demo Customer"
    assert (contact["gst_treatment"], contact["place_of_contact"]) == ("consumer", "TS")
    assert contact["customer_sub_type"] == "individual"
    assert contact["billing_address"]["city"] == "Hyderabad"
    full = await stage.services.books.contact(made)
    assert full is not None
    assert (full.email, full.phone) == ("customer@example.com", "+919876543210")
    assert await fetch_one(stage.shop, "select zoho_books_id from users") == {"zoho_books_id": made}


async def test_a_returning_buyer_with_the_same_data_costs_no_call(stage: Stage) -> None:
    user = await stage.register()
    first = await (await errand(stage, user=user)).customer()
    before = len(await stage.calls())
    assert await (await errand(stage, "KN-1002", user=user)).customer() == first
    assert len(await stage.calls()) == before


async def test_a_new_buyer_costs_a_look_and_a_creation(stage: Stage) -> None:
    user = await stage.register()
    await (await errand(stage, user=user)).customer()
    seen = [call["method"] for call in await stage.calls(service="books") if "contacts" in call["path"]]
    assert seen == ["GET", "POST"]


async def test_another_address_updates_the_addresses_alone(stage: Stage) -> None:
    user = await stage.register()
    await (await errand(stage, user=user)).customer()
    await (await errand(stage, "KN-1002", user=user, address={**HOME, "city": "Warangal"})).customer()
    (contact,) = contacts(stage)
    assert contact["shipping_address"]["city"] == "Warangal"
    (call,) = [call for call in await stage.calls(service="books") if call["method"] == "PUT"]
    assert "contact_persons" not in str(call)


async def test_a_guest_is_known_by_the_email_whatever_its_case(stage: Stage) -> None:
    first = await (await errand(stage)).customer()
    again = await errand(stage, "KN-1002", address={**HOME, "email": "Customer@Example.com"})
    assert await again.customer() == first
    assert await links(stage) == [("guest", "customer@example.com")]


async def test_a_guest_without_an_email_is_known_by_the_order_alone(stage: Stage) -> None:
    nameless = {key: value for key, value in HOME.items() if key != "email"}
    first, second = await errand(stage, address=nameless), await errand(stage, "KN-1002", address=nameless)
    assert await first.customer() != await second.customer()
    assert {row["contact_name"] for row in contacts(stage)} == {"Demo Customer (KN-1001)", "Demo Customer (KN-1002)"}


async def test_a_guest_who_registers_keeps_the_contact(stage: Stage) -> None:
    first = await (await errand(stage)).customer()
    user = await stage.register()
    assert await (await errand(stage, "KN-1002", user=user)).customer() == first
    assert await links(stage) == [("buyer", user)]


async def test_a_guest_order_of_a_registered_buyer_goes_to_the_same_contact(stage: Stage) -> None:
    user = await stage.register()
    first = await (await errand(stage, user=user)).customer()
    assert await (await errand(stage, "KN-1002")).customer() == first
    assert await links(stage) == [("buyer", user)]


async def test_namesakes_are_never_merged(stage: Stage) -> None:
    made = []
    for number, email in enumerate(("one@example.com", "two@example.com", "three@example.com")):
        user = await stage.register(email)
        made.append(await (await errand(stage, f"KN-{number}", user=user)).customer())
    assert len(set(made)) == 3
    assert [row["contact_name"] for row in contacts(stage)] == [
        "Demo Customer",
        "Demo Customer (two@example.com)",
        "Demo Customer (three@example.com)",
    ]


async def test_a_contact_somebody_made_is_adopted_when_the_email_agrees(stage: Stage) -> None:
    person = {"first_name": "D.", "email": "customer@example.com", "is_primary_contact": True}
    by_hand = await make_by_hand(stage, contact_name="D. Customer, Hyderabad", contact_persons=[person])
    user = await stage.register()
    assert await (await errand(stage, user=user)).customer() == by_hand
    (contact,) = contacts(stage)
    assert contact["contact_name"] == "D. Customer, Hyderabad"
    assert contact["gst_treatment"] == "consumer"


async def test_an_inactive_contact_that_agrees_is_made_active(stage: Stage) -> None:
    person = {"email": "customer@example.com", "is_primary_contact": True}
    by_hand = await make_by_hand(stage, contact_name="Demo Customer", contact_persons=[person])
    (organisation,) = stage.sim.books.organisations.values()
    organisation.ledger.tables["contacts"][by_hand]["status"] = "inactive"
    user = await stage.register()
    assert await (await errand(stage, user=user)).customer() == by_hand
    assert contacts(stage)[0]["status"] == "active"


async def test_a_vendor_of_the_same_name_and_email_is_never_adopted(stage: Stage) -> None:
    person = {"email": "customer@example.com", "is_primary_contact": True}
    vendor = await make_by_hand(stage, contact_name="Demo Customer", contact_type="vendor", contact_persons=[person])
    user = await stage.register()
    made = await (await errand(stage, user=user)).customer()
    assert made != vendor
    assert contacts(stage)[1]["contact_name"] == "Demo Customer (customer@example.com)"


async def test_a_contact_a_person_unlinked_is_not_adopted_again(stage: Stage) -> None:
    person = {"email": "customer@example.com", "is_primary_contact": True}
    by_hand = await make_by_hand(stage, contact_name="Demo Customer", contact_persons=[person])
    user = await stage.register()
    await stage.shop.execute(
        "insert into zohosync.estrangement (module, zoho_id, entity, record_id, reason, by_whom)"
        " values ('contacts', %s, 'buyer', %s, 'somebody else', 'test')",
        (by_hand, user),
    )
    assert await (await errand(stage, user=user)).customer() != by_hand


async def test_two_users_of_one_firm_share_its_contact(stage: Stage) -> None:
    users = [
        await stage.register(f"{name}@example.com", first_name=name, company_name="Demo Farms", role="b2b_client")
        for name in ("one", "two")
    ]
    first = await (await errand(stage, user=users[0])).customer(FIRM)
    assert await (await errand(stage, "KN-1002", user=users[1])).customer(FIRM) == first
    (contact,) = contacts(stage)
    assert (contact["contact_name"], contact["gst_no"]) == ("Demo Farms", GSTIN)
    full = await stage.services.books.contact(first)
    assert full is not None
    assert [person["email"] for person in full.fields["contact_persons"]] == ["one@example.com", "two@example.com"]
    rows = await fetch_all(stage.shop, "select zoho_books_id from users")
    assert [row["zoho_books_id"] for row in rows] == [first, first]
    before = len(await stage.calls())
    for number, user in enumerate(users):
        await (await errand(stage, f"KN-20{number}", user=user)).customer(FIRM)
    assert len(await stage.calls()) == before


async def test_a_buyer_who_tells_a_gstin_later_stays_the_same_contact(stage: Stage) -> None:
    user = await stage.register(company_name="Demo Farms", role="b2b_client")
    first = await (await errand(stage, user=user)).customer(assessed("business_none"))
    assert await (await errand(stage, "KN-1002", user=user)).customer(FIRM) == first
    assert await links(stage) == [("firm", GSTIN)]
    assert contacts(stage)[0]["gst_no"] == GSTIN


async def test_two_firms_of_one_name_stay_two(stage: Stage) -> None:
    other = "29AAGCB7383J1Z4"
    for number, gstin in enumerate((GSTIN, other)):
        user = await stage.register(f"{number}@example.com", company_name="Demo Farms", role="b2b_client")
        place = "TS" if gstin == GSTIN else "KA"
        await (await errand(stage, f"KN-{number}", user=user)).customer(assessed("business_gst", gstin, place))
    assert [row["contact_name"] for row in contacts(stage)] == ["Demo Farms", f"Demo Farms ({other})"]


async def test_a_firm_made_by_hand_is_found_by_its_gstin(stage: Stage) -> None:
    by_hand = await make_by_hand(
        stage, contact_name="Demo Farms Pvt Ltd", gst_no=GSTIN, gst_treatment="business_gst", place_of_contact="TS"
    )
    user = await stage.register(company_name="Demo Farms", role="b2b_client")
    assert await (await errand(stage, user=user)).customer(FIRM) == by_hand


async def test_a_person_never_takes_over_the_contact_of_a_firm(stage: Stage) -> None:
    person = {"email": "customer@example.com", "is_primary_contact": True}
    firm = await make_by_hand(
        stage,
        contact_name="Demo Customer",
        gst_no=GSTIN,
        gst_treatment="business_gst",
        place_of_contact="TS",
        contact_persons=[person],
    )
    user = await stage.register()
    assert await (await errand(stage, user=user)).customer() != firm


async def test_a_creation_whose_outcome_is_unknown_is_looked_for(stage: Stage) -> None:
    user = await stage.register()
    going = await errand(stage, user=user)
    await stage.fault("drop_connection_after_commit", match={"method": "POST", "path": "/books/v3/contacts"})
    with pytest.raises(OutcomeUnknown):
        await going.customer()
    (contact,) = contacts(stage)
    assert await going.customer() == contact["contact_id"]
    assert len(contacts(stage)) == 1


async def test_two_orders_of_one_new_customer_at_once_make_one_contact(stage: Stage) -> None:
    user = await stage.register()
    errands = [await errand(stage, f"KN-{number}", user=user) for number in range(4)]

    async def go(one: Errand) -> str:
        while True:
            try:
                return await one.customer()
            except NotReady:
                await asyncio.sleep(0)

    assert len(set(await asyncio.gather(*map(go, errands)))) == 1
    assert len(contacts(stage)) == 1
    assert len(await writes(stage)) == 1  # claimed, and not left to Books to refuse


async def test_a_contact_deleted_in_books_is_made_anew(stage: Stage) -> None:
    user = await stage.register()
    gone = await (await errand(stage, user=user)).customer()
    (organisation,) = stage.sim.books.organisations.values()
    del organisation.ledger.tables["contacts"][gone]
    moved = await errand(stage, "KN-1002", user=user, address={**HOME, "city": "Warangal"})
    with pytest.raises(RecordVanished):
        await moved.customer()
    assert await moved.customer() != gone


async def test_what_books_would_refuse_is_left_out_with_a_warning(stage: Stage) -> None:
    user = await stage.register(phone="call me")
    going = await errand(stage, user=user, address={**HOME, "city": "C" * 101, "phone": "none"})
    await going.customer()
    assert [said.split()[0] for said in going.warnings] == ["Phone", "city"]
    assert contacts(stage)[0]["shipping_address"].get("city", "") == ""


async def test_a_name_that_is_too_long_holds_the_document_and_is_never_cut(stage: Stage) -> None:
    user = await stage.register(company_name="F" * 201, role="b2b_client")
    with pytest.raises(RecordInvalid) as held:
        await (await errand(stage, user=user)).customer()
    assert held.value.reason == "customer_name_too_long"
    assert contacts(stage) == []


async def test_a_profile_edit_reaches_the_contact_and_keeps_the_people_somebody_added(stage: Stage) -> None:
    user = await stage.register()
    made = await (await errand(stage, user=user)).customer()
    full = await stage.services.books.contact(made)
    assert full is not None
    persons = [*full.fields["contact_persons"], {"first_name": "Accounts", "email": "accounts@example.com"}]
    await stage.services.books.update_contact(made, {"contact_persons": persons})
    await stage.shop.execute("update users set phone = '98765 00000', last_name = 'Renamed' where id = %s", (user,))
    await push_profile(stage, user)
    full = await stage.services.books.contact(made)
    assert full is not None
    assert (full.name, full.phone) == ("Demo Renamed", "+919876500000")
    assert [person["email"] for person in full.fields["contact_persons"]] == [
        "customer@example.com",
        "accounts@example.com",
    ]
    assert full.fields["shipping_address"]["city"] == "Hyderabad"


async def push_profile(stage: Stage, user: str) -> None:
    await stage.shop.execute(
        """select zohosync.enqueue(array['books.customer.push'], array['stock'::zohosync.lane], array['buyer'],
                                   array[%s], 'manual')""",
        (user,),
    )
    await stage.run()


async def test_a_profile_edit_of_somebody_books_does_not_know_sends_nothing(stage: Stage) -> None:
    user = await stage.register()
    before = len(await stage.calls(service="books"))
    await push_profile(stage, user)
    (operation,) = await fetch_all(stage.shop, "select * from zohosync.operation where entity = 'buyer'")
    assert (operation["status"], operation["action"]) == ("skipped", "not_in_books")
    assert len(await stage.calls(service="books")) == before


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_whatever_request_fails_there_is_one_contact_in_the_end(stage: Stage, kind: str, nth: int) -> None:
    user = await stage.register()
    await make_by_hand(stage, contact_name="Demo Customer")
    going = await errand(stage, user=user)
    await stage.fault(kind, match={"service": "books"}, after=nth - 1)
    made = None
    for _ in range(4):
        try:
            made = await going.customer()
            break
        except ZohosyncError:
            continue
    assert made is not None
    assert [row["contact_name"] for row in contacts(stage)] == [
        "Demo Customer",
        "Demo Customer (customer@example.com)",
    ]


ELSEWHERE = {**HOME, "city": "Warangal", "address_line1": "9 Other Street"}


async def test_a_stranger_with_the_email_of_a_customer_gets_a_contact_of_its_own(stage: Stage) -> None:
    user = await stage.register()
    first = await (await errand(stage, user=user)).customer()
    stranger = await errand(stage, "KN-1002", address={**ELSEWHERE, "name": "Other Person"})
    made = await stranger.customer()
    assert made != first
    assert [(row["contact_name"], row["billing_address"]["city"]) for row in contacts(stage)] == [
        ("Demo Customer", "Hyderabad"),
        ("Other Person", "Warangal"),
    ]
    assert await stranger.customer() == made


async def test_a_customers_address_is_never_overwritten_by_a_guest_order(stage: Stage) -> None:
    user = await stage.register()
    first = await (await errand(stage, user=user)).customer()
    assert await (await errand(stage, "KN-1002", address=ELSEWHERE)).customer() != first
    assert [(row["contact_name"], row["shipping_address"]["city"]) for row in contacts(stage)] == [
        ("Demo Customer", "Hyderabad"),
        ("Demo Customer (customer@example.com)", "Warangal"),
    ]


async def test_two_guests_of_one_email_never_rename_each_other(stage: Stage) -> None:
    first = await (await errand(stage)).customer()
    second = await (await errand(stage, "KN-1002", address={**HOME, "name": "Other Person"})).customer()
    assert second != first
    assert await (await errand(stage, "KN-1003")).customer() == first
    assert await (await errand(stage, "KN-1004", address={**HOME, "name": "Other Person"})).customer() == second
    assert [row["contact_name"] for row in contacts(stage)] == ["Demo Customer", "Other Person"]
    assert all(method != "PUT" for method, _ in await writes(stage))


async def test_who_registers_with_the_email_of_another_guest_does_not_take_over_the_contact(stage: Stage) -> None:
    first = await (await errand(stage, address={**HOME, "name": "Other Person"})).customer()
    user = await stage.register()
    assert await (await errand(stage, "KN-1002", user=user)).customer() != first
