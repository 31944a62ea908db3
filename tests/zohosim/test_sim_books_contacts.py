"""Contacts of Books: names, people, addresses, GST, and their end."""

from typing import Any

import pytest
from bookkeeper import Bookkeeper

GSTIN = "36AAAAA0000A1Z5"
PEOPLE = [
    {"first_name": "One", "email": "one@example.com"},
    {"first_name": "Two", "email": "two@example.com", "is_primary_contact": True},
]


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


async def contact(books: Bookkeeper, **more: Any) -> Any:
    return (await books.do("POST", "/contacts", {"contact_name": "Demo Customer", **more}))["contact"]


# --- names


@pytest.mark.parametrize("name", ["Demo Customer", "DEMO customer", "  Demo Customer "])
async def test_a_name_is_taken_whatever_its_case_and_blanks(books: Bookkeeper, name: str):
    first = await books.customer()
    other = await books.customer("Other")
    said = f'The customer "{name.strip()}" already exists. Please specify a different name.'
    assert await books.refused("POST", "/contacts", {"contact_name": name}) == (3062, said)
    assert await books.refused("PUT", f"/contacts/{other}", {"contact_name": name}) == (3062, said)
    await books.do("PUT", f"/contacts/{first}", {"contact_name": name})


async def test_an_inactive_contact_keeps_its_name(books: Bookkeeper):
    first = await books.customer()
    await books.do("POST", f"/contacts/{first}/inactive")
    assert (await books.refused("POST", "/contacts", {"contact_name": "Demo Customer"}))[0] == 3062
    rows = (await books.do("GET", "/contacts"))["contacts"]
    assert [row["status"] for row in rows] == ["inactive"]
    assert (await books.do("GET", "/contacts", filter_by="Status.Active"))["contacts"] == []
    answer = await books.do("POST", f"/contacts/{first}/active")
    assert answer["message"] == "The contact has been marked as active."
    assert (await books.get("contacts", "contact", first))["status"] == "active"


async def test_names_of_companies_mails_and_gstins_may_repeat(books: Bookkeeper):
    same = {"company_name": "Same", "gst_no": GSTIN, "gst_treatment": "business_gst", "contact_persons": PEOPLE}
    await contact(books, **same)
    await contact(books, **{**same, "contact_name": "Another"})


async def test_an_update_keeps_what_it_does_not_name(books: Bookkeeper):
    made = await contact(books, company_name="Demo Farms", website="https://example.com", contact_persons=PEOPLE)
    after = (await books.do("PUT", f"/contacts/{made['contact_id']}", {"notes": "new"}))["contact"]
    assert (after["company_name"], after["website"], after["notes"]) == ("Demo Farms", "https://example.com", "new")
    assert [person["first_name"] for person in after["contact_persons"]] == ["One", "Two"]


# --- people


async def test_the_top_of_a_contact_is_its_primary_person(books: Bookkeeper):
    made = await contact(books, contact_persons=PEOPLE)
    assert (made["first_name"], made["email"]) == ("Two", "two@example.com")
    [row] = (await books.do("GET", "/contacts", email="two@example.com"))["contacts"]
    assert row["email"] == "two@example.com"
    assert (await books.do("GET", "/contacts", email="one@example.com"))["contacts"] == []
    assert (await contact(books, contact_name="B", contact_persons=PEOPLE[:1]))["first_name"] == "One"


@pytest.mark.parametrize(("taken", "email"), [(False, ""), (True, "top@example.com")])
async def test_a_mail_at_the_top_of_a_body_is_ignored_unless_switched(
    books: Bookkeeper, zoho: Any, taken: bool, email: str
):
    await zoho.turn(books_top_level_person=taken)
    assert (await contact(books, email="top@example.com"))["email"] == email


@pytest.mark.parametrize(("switch", "left"), [("removed", ["One"]), ("kept", ["One", "Two"])])
async def test_people_left_out_of_an_update_are_removed_or_kept(
    books: Bookkeeper, zoho: Any, switch: str, left: list[str]
):
    await zoho.turn(books_omitted_persons=switch)
    made = await contact(books, contact_persons=PEOPLE)
    one = made["contact_persons"][0]["contact_person_id"]
    again = [{"contact_person_id": one, "phone": "1"}]
    after = (await books.do("PUT", f"/contacts/{made['contact_id']}", {"contact_persons": again}))["contact"]
    assert [person["first_name"] for person in after["contact_persons"]] == left
    assert after["contact_persons"][0]["contact_person_id"] == one
    other = await contact(books, contact_name="Other")
    stolen = {"contact_persons": [{"contact_person_id": one}]}
    assert (await books.refused("PUT", f"/contacts/{other['contact_id']}", stolen))[0] == 2


async def test_people_are_a_resource_of_their_own(books: Bookkeeper):
    made = await contact(books, contact_persons=PEOPLE[:1])
    body = {"contact_id": made["contact_id"], "first_name": "Three", "email": "three@example.com"}
    person = (await books.do("POST", "/contacts/contactpersons", body))["contact_person"]
    path = f"/contacts/contactpersons/{person['contact_person_id']}"
    await books.do("PUT", path, {"phone": "123"})
    await books.do("POST", f"{path}/primary")
    after = await books.get("contacts", "contact", made["contact_id"])
    assert (after["first_name"], after["phone"], after["primary_contact_id"]) == (
        "Three", "123", person["contact_person_id"],
    )  # fmt: skip
    assert [one["is_primary_contact"] for one in after["contact_persons"]] == [False, True]
    listed = await books.do("GET", f"/contacts/{made['contact_id']}/contactpersons")
    assert len(listed["contact_persons"]) == 2
    await books.do("DELETE", path)
    assert (await books.get("contacts", "contact", made["contact_id"]))["first_name"] == "One"
    assert (await books.refused("POST", "/contacts/contactpersons", {"first_name": "Nobody's"}))[0] == 4


# --- addresses


async def test_addresses_have_ids_that_stay(books: Bookkeeper):
    made = await contact(books, billing_address={"address": "1 Example Road", "city": "Pune", "zip": "411001"})
    first = made["billing_address"]
    assert (first["city"], first["zip"], first["street2"]) == ("Pune", "411001", "")
    assert made["shipping_address"]["address_id"] != first["address_id"]
    after = (await books.do("PUT", f"/contacts/{made['contact_id']}", {"billing_address": {"city": "Goa"}}))["contact"]
    assert (after["billing_address"]["city"], after["billing_address"]["zip"]) == ("Goa", "")
    assert after["billing_address"]["address_id"] == first["address_id"]


async def test_further_addresses_come_and_go(books: Bookkeeper):
    path = f"/contacts/{await books.customer()}/address"
    added = (await books.do("POST", path, {"city": "Agra"}))["address_info"]["address_id"]
    await books.do("PUT", f"{path}/{added}", {"zip": "282001"})
    addresses = (await books.do("GET", path))["addresses"]
    assert (addresses[2]["city"], addresses[2]["zip"], len(addresses)) == ("Agra", "282001", 3)
    assert (await books.refused("DELETE", f"{path}/{addresses[0]['address_id']}"))[0] == 2
    await books.do("DELETE", f"{path}/{added}")
    assert len((await books.do("GET", path))["addresses"]) == 2


# --- GST


async def test_an_organisation_without_gst_does_not_know_its_keys(books: Bookkeeper, zoho: Any):
    other = zoho.sim.seed_books_organisation(name="No GST", gst=False)
    asked = {"organization_id": other.id}
    for key in ("gst_no", "gst_treatment", "place_of_contact"):
        body = {"contact_name": "Demo", key: "consumer"}
        assert await books.refused("POST", "/contacts", body, **asked) == (8, f"Invalid Element {key}")
    made = (await books.do("POST", "/contacts", {"contact_name": "Demo"}, **asked))["contact"]
    assert "gst_treatment" not in made


@pytest.mark.parametrize("treatment", ["business_gst", "business_none", "overseas", "consumer"])
async def test_the_documented_treatments_are_taken_and_echoed(books: Bookkeeper, treatment: str):
    made = await contact(books, gst_treatment=treatment, gst_no=GSTIN)
    assert (made["gst_treatment"], made["tax_treatment"]) == (treatment, treatment)


@pytest.mark.parametrize("treatment", ["business_sez", "deemed_export"])
async def test_the_other_treatments_are_a_switch(books: Bookkeeper, zoho: Any, treatment: str):
    assert (await contact(books, gst_treatment=treatment))["gst_treatment"] == treatment
    await zoho.turn(books_more_gst_treatments=False)
    body = {"contact_name": "B", "gst_treatment": treatment}
    assert await books.refused("POST", "/contacts", body) == (2, "Invalid value passed for gst_treatment")
    assert (await books.refused("POST", "/contacts", {**body, "gst_treatment": "vip"}))[0] == 2


@pytest.mark.parametrize(
    ("gstin", "check", "right"),
    [(GSTIN, "form", True), ("36AAAAA", "form", False), ("XXAAAAA0000A1Z5", "form", False), ("36AAAAA", "none", True),
     (GSTIN, "checksum", False), ("27AAPFU0939F1ZV", "checksum", True)],
)  # fmt: skip
async def test_how_closely_a_gstin_is_looked_at_is_a_switch(
    books: Bookkeeper, zoho: Any, gstin: str, check: str, right: bool
):
    await zoho.turn(books_gstin_check=check)
    body = {"contact_name": "Demo", "gst_no": gstin, "gst_treatment": "business_gst"}
    answer = await books.ask("POST", "/contacts", body)
    assert answer.status_code == (201 if right else 400)
    assert right or answer.json() == {"code": 2, "message": "Invalid value passed for GSTIN"}


async def test_a_registered_business_needs_its_number_unless_switched(books: Bookkeeper, zoho: Any):
    body = {"contact_name": "Demo", "gst_treatment": "business_gst"}
    assert (await books.refused("POST", "/contacts", body))[0] == 4
    await zoho.turn(books_registered_need_gstin=False)
    await books.do("POST", "/contacts", body)


async def test_the_state_of_a_number_and_the_place_may_have_to_agree(books: Bookkeeper, zoho: Any):
    body = {"contact_name": "Demo", "gst_treatment": "business_gst", "gst_no": GSTIN, "place_of_contact": "KA"}
    await zoho.turn(books_gstin_matches_place=True)
    assert (await books.refused("POST", "/contacts", body))[0] == 2
    await books.do("POST", "/contacts", {**body, "place_of_contact": "TS"})


@pytest.mark.parametrize(("place", "right"), [("AD", True), ("OD", True), ("OT", True), ("AP", False), ("36", False)])
async def test_places_are_the_two_letters_of_books(books: Bookkeeper, place: str, right: bool):
    answer = await books.ask("POST", "/contacts", {"contact_name": "Demo", "place_of_contact": place})
    assert answer.status_code == (201 if right else 400)


@pytest.mark.parametrize("told", [True, False])
async def test_whether_lists_tell_gst_is_a_switch(books: Bookkeeper, zoho: Any, told: bool):
    await zoho.turn(books_contact_rows_have_gst=told)
    await contact(books, gst_no=GSTIN, gst_treatment="business_gst")
    [row] = (await books.do("GET", "/contacts", search_text=GSTIN))["contacts"]
    assert ("gst_no" in row) is told
    assert "billing_address" not in row


# --- what hangs on them


async def test_a_contact_with_transactions_is_not_deleted(books: Bookkeeper):
    used, unused = await books.customer("Used"), await books.customer("Unused")
    await books.invoice(used)
    assert (await books.ask("DELETE", f"/contacts/{used}")).status_code == 400
    assert (await books.do("DELETE", f"/contacts/{unused}"))["message"] == "The contact has been deleted."
    assert [row["contact_name"] for row in (await books.do("GET", "/contacts"))["contacts"]] == ["Used"]


async def test_what_a_contact_owes_is_told_filtered_and_sorted(books: Bookkeeper):
    poor, rich = await books.customer("Poor", credit_limit=100), await books.customer("Rich")
    await books.invoice(poor, sent=True)
    await books.invoice(rich)
    row = await books.get("contacts", "contact", poor)
    assert (row["outstanding_receivable_amount"], row["credit_limit"]) == (118.0, 100.0)
    for name in ("Invoice.Unpaid", "Status.CreditLimitExceed"):
        assert [r["contact_id"] for r in (await books.do("GET", "/contacts", filter_by=name))["contacts"]] == [poor]
    rows = (await books.do("GET", "/contacts", sort_column="outstanding_receivable_amount"))["contacts"]
    assert [row["contact_id"] for row in rows] == [rich, poor]
