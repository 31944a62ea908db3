"""Invoices of Books: how one is made and told, and what it may become."""

from typing import Any

import pytest
from bookkeeper import TODAY, Bookkeeper

from conftest import log_in


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


async def test_an_invoice_is_made_as_a_draft_with_the_next_number(books: Bookkeeper):
    customer = await books.customer()
    body = {"customer_id": customer, "line_items": [books.line()], "reference_number": "A-1"}
    answer = await books.ask("POST", "/invoices", body)
    assert (answer.status_code, answer.json()["message"]) == (201, "The invoice has been created.")
    told = answer.json()["invoice"]
    assert (told["status"], told["invoice_number"], told["date"]) == ("draft", "INV-000001", TODAY)
    assert (told["total"], told["balance"], told["tax_total"], told["sub_total"]) == (118.0, 118.0, 18.0, 100.0)
    assert (told["customer_name"], told["reference_number"], told["place_of_supply"]) == ("Demo Customer", "A-1", "TS")
    assert (await books.invoice(customer))["invoice_number"] == "INV-000002"


async def test_an_invoice_needs_a_customer_and_lines(books: Bookkeeper):
    assert (await books.refused("POST", "/invoices", {"line_items": [books.line()]}))[0] == 4
    customer = await books.customer()
    assert (await books.refused("POST", "/invoices", {"customer_id": customer}))[0] == 4
    assert await books.refused("POST", "/invoices", {"customer_id": "1", "line_items": [books.line()]}) == (
        2, "Invalid value passed for customer_id",
    )  # fmt: skip


async def test_an_instant_is_no_invoice_date(books: Bookkeeper):
    body = {
        "customer_id": await books.customer(),
        "line_items": [books.line()],
        "date": "2026-11-22T10:00:00+0530",
    }
    assert await books.refused("POST", "/invoices", body) == (2, "Invalid value passed for Invoice Date")


async def test_a_number_of_ones_own_needs_the_flag_and_is_used_once(books: Bookkeeper):
    body = {"customer_id": await books.customer(), "line_items": [books.line()], "invoice_number": "WEB/26-27/1"}
    assert await books.refused("POST", "/invoices", body) == (
        4097, "Number entered does not match the auto-generated number",
    )  # fmt: skip
    made = await books.do("POST", "/invoices", body, ignore_auto_number_generation="true")
    assert made["invoice"]["invoice_number"] == "WEB/26-27/1"
    assert (await books.refused("POST", "/invoices", body, ignore_auto_number_generation="true"))[0] == 1001
    await books.zoho.turn(books_duplicate_number_code=7)
    assert (await books.refused("POST", "/invoices", body, ignore_auto_number_generation="true"))[0] == 7
    await books.do("DELETE", f"/invoices/{made['invoice']['invoice_id']}")
    await books.do("POST", "/invoices", body, ignore_auto_number_generation="true")


async def test_the_flag_without_a_number_is_refused(books: Bookkeeper):
    body = {"customer_id": await books.customer(), "line_items": [books.line()]}
    assert (await books.refused("POST", "/invoices", body, ignore_auto_number_generation="true"))[0] == 4


async def test_the_same_post_twice_makes_two_invoices(books: Bookkeeper):
    body = {"customer_id": await books.customer(), "line_items": [books.line()], "reference_number": "A-1"}
    await books.do("POST", "/invoices", body)
    await books.do("POST", "/invoices", body)
    found = (await books.do("GET", "/invoices", reference_number="A-1"))["invoices"]
    assert len(found) == 2


# --- taxes


async def test_taxes_are_told_by_component(books: Bookkeeper):
    told = await books.invoice("", books.line("GST18", 10_000))
    taxes = [(tax["tax_name"], tax["tax_amount"]) for tax in told["taxes"]]
    assert taxes == [("CGST9 (9%)", 900.0), ("SGST9 (9%)", 900.0)]
    line = told["line_items"][0]
    assert [tax["tax_name"] for tax in line["line_item_taxes"]] == ["CGST9 (9%)", "SGST9 (9%)"]
    assert (line["item_total"], line["item_total_inclusive_of_tax"], line["tax_percentage"]) == (10_000, 11_800, 18)
    assert told["tax_specification"] == "intra"


async def test_igst_is_for_another_state(books: Bookkeeper):
    customer = await books.customer(place_of_contact="KA")
    told = await books.invoice(customer, books.line("IGST5", 900))
    assert (told["place_of_supply"], told["tax_specification"]) == ("KA", "inter")
    assert [(tax["tax_name"], tax["tax_amount"]) for tax in told["taxes"]] == [("IGST5 (5%)", 45.0)]


@pytest.mark.parametrize(
    ("place", "tax", "said"),
    [
        ("KA", "GST5", "IGST has to be applied as this is an interstate transaction"),
        ("TS", "IGST5", "IGST cannot be applied as this is an intrastate transaction"),
    ],
)
async def test_a_tax_of_the_wrong_side_is_refused(books: Bookkeeper, place: str, tax: str, said: str):
    body = {"customer_id": await books.customer(), "line_items": [books.line(tax)], "place_of_supply": place}
    assert await books.refused("POST", "/invoices", body) == (3032, said)


async def test_buyers_in_special_zones_and_abroad_are_always_in_another_state(books: Bookkeeper):
    for treatment in ("business_sez", "overseas"):
        customer = await books.customer(treatment)
        body = {"customer_id": customer, "line_items": [books.line("GST5")], "gst_treatment": treatment}
        assert (await books.refused("POST", "/invoices", body))[0] == 3032
        await books.invoice(customer, books.line("IGST0"), gst_treatment=treatment)


async def test_the_state_of_the_location_decides_what_is_within_the_state(books: Bookkeeper):
    place = {"location_name": "Bengaluru", "address": {"state_code": "KA"}}
    location = (await books.do("POST", "/locations", place))["location"]["location_id"]
    body = {"customer_id": await books.customer(), "line_items": [books.line("GST5")], "location_id": location}
    assert (await books.refused("POST", "/invoices", body))[0] == 3032
    body["place_of_supply"] = "KA"
    told = (await books.do("POST", "/invoices", body))["invoice"]
    assert (told["location_id"], told["branch_id"], told["location_name"]) == (location, location, "Bengaluru")


async def test_an_unknown_or_missing_tax_is_refused(books: Bookkeeper):
    customer = await books.customer()
    unknown = {"customer_id": customer, "line_items": [books.line("", tax_id="123")]}
    assert (await books.refused("POST", "/invoices", unknown))[0] == 2
    missing = {"customer_id": customer, "line_items": [books.line("")]}
    assert await books.refused("POST", "/invoices", missing) == (
        110802, "Specify either a Tax or Tax Exemption or Reverse Charge",
    )  # fmt: skip


async def test_an_organisation_without_gst_has_no_taxes(books: Bookkeeper):
    other = books.zoho.sim.seed_books_organisation(gst=False)
    contact = {"contact_name": "Demo Customer"}
    made = await books.do("POST", "/contacts", contact, organization_id=other.id)
    body = {"customer_id": made["contact"]["contact_id"], "line_items": [books.line("", 100)]}
    told = (await books.do("POST", "/invoices", body, organization_id=other.id))["invoice"]
    assert (told["total"], told["taxes"]) == (100.0, [])
    body["gst_treatment"] = "consumer"
    assert (await books.refused("POST", "/invoices", body, organization_id=other.id)) == (
        8, "Invalid Element gst_treatment",
    )  # fmt: skip


async def test_prices_may_contain_the_tax(books: Bookkeeper):
    told = await books.invoice("", books.line("GST5", 99), is_inclusive_tax=True)
    assert (told["total"], told["tax_total"], told["sub_total"]) == (99.0, 4.72, 94.28)
    assert told["line_items"][0]["rate"] == 99.0
    await books.zoho.turn(books_inclusive_item_total="gross")
    told = await books.invoice(told["customer_id"], books.line("GST5", 99), is_inclusive_tax=True)
    assert (told["total"], told["sub_total"], told["line_items"][0]["item_total"]) == (99.0, 99.0, 99.0)


async def test_shipping_is_taxed_when_it_names_a_tax(books: Bookkeeper):
    bare = await books.invoice("", shipping_charge=100)
    assert (bare["total"], bare["shipping_charge_tax"], bare["shipping_charge_inclusive_of_tax"]) == (218.0, "", 100.0)
    taxed = await books.invoice(bare["customer_id"], shipping_charge="100", shipping_charge_tax_id=books.tax("GST18"))
    assert (taxed["total"], taxed["shipping_charge_tax"], taxed["tax_total"]) == (236.0, 18.0, 36.0)
    await books.zoho.turn(books_tax_total_with_shipping=False)
    taxed = await books.invoice(bare["customer_id"], shipping_charge=100, shipping_charge_tax_id=books.tax("GST18"))
    assert (taxed["total"], taxed["tax_total"]) == (236.0, 18.0)


async def test_discounts_are_of_lines_or_of_the_whole(books: Bookkeeper):
    line = books.line("GST18", 200, discount=50)
    of_line = await books.invoice("", line, discount_type="item_level")
    assert (of_line["total"], of_line["line_items"][0]["item_total"]) == (177.0, 150.0)
    ignored = await books.invoice(of_line["customer_id"], line)
    assert ignored["total"] == 236.0
    whole = await books.invoice(of_line["customer_id"], line, discount="10%")
    assert (whole["discount"], whole["discount_total"], whole["sub_total"], whole["total"]) == (
        "10%", 20.0, 200.0, 212.4,
    )  # fmt: skip
    await books.zoho.turn(books_bare_discount="percent")
    assert (await books.invoice(of_line["customer_id"], line, discount=10))["total"] == 212.4
    body = {"customer_id": of_line["customer_id"], "line_items": [books.line()], "discount": 101}
    assert (await books.refused("POST", "/invoices", body)) == (2, "Invalid value passed for discount")


async def test_totals_may_be_rounded_to_whole_rupees(books: Bookkeeper):
    await books.zoho.turn(books_transaction_rounding="nearest_whole")
    told = await books.invoice("", books.line("GST5", 176.37, 7))
    assert (told["total"], told["roundoff_value"], told["tax_total"]) == (1296.0, -0.31, 61.72)


async def test_texts_take_no_angle_brackets_and_have_lengths(books: Bookkeeper):
    customer = await books.customer()
    for line in (books.line(description="<b>"), books.line(name="x" * 101)):
        body = {"customer_id": customer, "line_items": [line]}
        assert (await books.refused("POST", "/invoices", body))[0] in (2, 15)


# --- life


async def test_an_invoice_goes_from_draft_to_sent_to_void_to_draft(books: Bookkeeper):
    made = await books.invoice()
    path = f"/invoices/{made['invoice_id']}"
    for step, message, status in (
        ("sent", "Invoice status has been changed to Sent.", "sent"),
        ("void", "Invoice status has been changed to Void.", "void"),
        ("draft", "Status of invoice changed from void to draft", "draft"),
    ):
        answer = await books.ask("POST", f"{path}/status/{step}", {})
        assert (answer.status_code, answer.json()["message"]) == (200, message)
        assert (await books.get("invoices", "invoice", made["invoice_id"]))["status"] == status
    await books.refused("POST", f"{path}/status/draft")
    await books.refused("POST", f"{path}/status/void")
    await books.zoho.turn(books_void_draft="accept")
    await books.do("POST", f"{path}/status/void")
    await books.refused("POST", f"{path}/status/sent")
    await books.refused("PUT", path, {"notes": "x"})


async def test_sending_twice_is_a_switch(books: Bookkeeper):
    made = await books.invoice(sent=True)
    await books.do("POST", f"/invoices/{made['invoice_id']}/status/sent")
    await books.zoho.turn(books_sent_twice="refuse")
    await books.refused("POST", f"/invoices/{made['invoice_id']}/status/sent")


async def test_an_invoice_may_be_sent_as_it_is_made(books: Bookkeeper):
    body = {"customer_id": await books.customer(), "line_items": [books.line()]}
    assert (await books.do("POST", "/invoices", body, send="true"))["invoice"]["status"] == "sent"


async def test_an_invoice_is_overdue_the_day_after_it_is_due(books: Bookkeeper):
    made = await books.invoice(payment_terms=15, sent=True)
    assert (made["due_date"], made["status"]) == ("2026-12-07", "sent")
    await books.wait(days=16)
    assert [row["status"] for row in (await books.do("GET", "/invoices", status="overdue"))["invoices"]] == ["overdue"]
    assert (await books.get("invoices", "invoice", made["invoice_id"]))["status"] == "overdue"


async def test_what_a_change_leaves_out_is_kept_but_lines_are_replaced(books: Bookkeeper):
    made = await books.invoice("", books.line(), books.line("GST5", 200), reference_number="A-1", notes="Thanks")
    kept = {"line_item_id": made["line_items"][1]["line_item_id"], "quantity": 2}
    body = {"line_items": [kept, books.line("GST18", 10)]}
    told = (await books.do("PUT", f"/invoices/{made['invoice_id']}", body))["invoice"]
    assert (told["reference_number"], told["notes"], told["invoice_number"]) == ("A-1", "Thanks", "INV-000001")
    assert [(line["rate"], line["quantity"]) for line in told["line_items"]] == [(200, 2), (10, 1)]
    assert told["line_items"][0]["line_item_id"] == kept["line_item_id"]
    assert told["total"] == 420 + 11.8
    told = (await books.do("PUT", f"/invoices/{made['invoice_id']}", {"notes": "Bye"}))["invoice"]
    assert (told["notes"], len(told["line_items"]), told["total"]) == ("Bye", 2, 431.8)


async def test_an_invoice_that_is_gone_does_not_exist(books: Bookkeeper):
    made = await books.invoice(sent=True)
    path = f"/invoices/{made['invoice_id']}"
    assert (await books.do("DELETE", path))["message"] == "The invoice has been deleted."
    answer = await books.ask("POST", f"{path}/status/void")
    assert (answer.status_code, answer.json()) == (404, {"code": 1002, "message": "Invoice does not exist."})


# --- lists


async def test_lists_filter_by_reference_number_status_and_customer(books: Bookkeeper):
    customer, other = await books.customer(), await books.customer("Other Customer")
    first = await books.invoice(customer, reference_number="A-1", sent=True)
    await books.invoice(other, reference_number="A-10")

    async def found(**asked: str) -> list[str]:
        return [row["reference_number"] for row in (await books.do("GET", "/invoices", **asked))["invoices"]]

    assert await found(reference_number="A-1") == ["A-1"]
    assert sorted(await found(reference_number_startswith="A-1")) == ["A-1", "A-10"]
    assert await found(invoice_number=first["invoice_number"]) == ["A-1"]
    assert await found(status="draft") == ["A-10"]
    assert await found(status="unpaid") == ["A-1"]
    assert await found(filter_by="Status.Sent") == ["A-1"]
    assert await found(customer_id=other) == ["A-10"]
    assert await found(total="118", customer_name_contains="other") == ["A-10"]
    assert await found(last_modified_time="2027-01-01T00:00:00+0530") == []
    assert (await books.refused("GET", "/invoices", filter_by="Status.Strange"))[0] == 2
    rows = (await books.do("GET", "/invoices"))["invoices"]
    assert not {"line_items", "custom_fields", "taxes"} & set(rows[0])
    assert "zipcode" in rows[0]["billing_address"]


# --- items and stock


async def test_a_line_takes_what_it_leaves_out_from_its_item(books: Bookkeeper):
    item = await books.item(rate=450, tax=5)
    told = await books.invoice("", {"item_id": item, "quantity": 2})
    line = told["line_items"][0]
    assert (line["name"], line["rate"], line["hsn_or_sac"], line["sku"], line["tax_name"]) == (
        "Bio-NPK 1 kg", 450.0, "31051000", "Bio-NPK 1 kg", "GST5",
    )  # fmt: skip
    assert told["total"] == 945.0
    inter = await books.invoice(told["customer_id"], {"item_id": item}, place_of_supply="KA")
    assert inter["line_items"][0]["tax_name"] == "IGST5"
    await books.zoho.turn(books_item_default_tax=False)
    body = {"customer_id": told["customer_id"], "line_items": [{"item_id": item}]}
    assert (await books.refused("POST", "/invoices", body))[0] == 110802


async def test_an_exempt_item_needs_no_tax(books: Bookkeeper):
    exemptions = await books.do("GET", "/settings/taxexemptions")
    exemption = exemptions["tax_exemptions"][0]["tax_exemption_id"]
    item = await books.item("Seeds", is_taxable=False, tax_exemption_id=exemption, item_tax_preferences=[])
    told = await books.invoice("", {"item_id": item, "quantity": 4, "rate": 300})
    assert (told["total"], told["taxes"], told["line_items"][0]["tax_exemption_id"]) == (1200.0, [], exemption)


async def test_an_inactive_or_deleted_item_is_refused(books: Bookkeeper):
    item = await books.item()
    await books.do("POST", f"/items/{item}/inactive")
    customer = await books.customer()
    for item_id in (item, "123"):
        body = {"customer_id": customer, "line_items": [{"item_id": item_id}]}
        assert "deleted or marked as inactive" in (await books.refused("POST", "/invoices", body))[1]


async def test_an_inactive_customer_is_refused(books: Bookkeeper):
    customer = await books.customer()
    await books.do("POST", f"/contacts/{customer}/inactive")
    body = {"customer_id": customer, "line_items": [books.line()]}
    assert "inactive" in (await books.refused("POST", "/invoices", body))[1]


async def test_stock_leaves_when_an_invoice_is_sent_and_comes_back_when_it_is_void(books: Bookkeeper):
    item = await books.item(stock=10)
    made = await books.invoice("", {"item_id": item, "quantity": 3})
    path = f"/invoices/{made['invoice_id']}"
    assert await books.stock(item) == 10.0
    for step, left in (("sent", 7.0), ("void", 10.0), ("draft", 10.0), ("sent", 7.0)):
        await books.do("POST", f"{path}/status/{step}")
        assert await books.stock(item) == left
    line = {"line_item_id": made["line_items"][0]["line_item_id"], "quantity": 5}
    await books.do("PUT", path, {"line_items": [line]})
    assert await books.stock(item) == 5.0
    await books.do("DELETE", path)
    assert await books.stock(item) == 10.0


async def test_two_lines_of_one_item_take_from_stock_together(books: Bookkeeper):
    item = await books.item(stock=10)
    await books.invoice("", {"item_id": item, "quantity": 3}, {"item_id": item, "quantity": 2}, sent=True)
    assert await books.stock(item) == 5.0


async def test_more_than_there_is_may_be_sold_unless_a_switch_forbids_it(books: Bookkeeper):
    item = await books.item(stock=2)
    first = await books.invoice("", {"item_id": item, "quantity": 3}, sent=True)
    assert await books.stock(item) == -1.0
    await books.zoho.turn(books_invoices_may_oversell=False)
    second = await books.invoice(first["customer_id"], {"item_id": item, "quantity": 3})
    assert (await books.refused("POST", f"/invoices/{second['invoice_id']}/status/sent"))[0] == 9205
    assert (await books.get("invoices", "invoice", second["invoice_id"]))["status"] == "draft"


# --- once for a unique value


async def test_an_invoice_is_made_once_for_a_unique_value(books: Bookkeeper):
    await books.unique("invoices", "Shop Order")
    body = {"customer_id": await books.customer(), "line_items": [books.line()]}
    made = await books.upsert("/invoices", "cf_shop_order", "order-7", body)
    assert made["invoice"]["custom_field_hash"]["cf_shop_order"] == "order-7"
    changed = await books.upsert("/invoices", "cf_shop_order", "order-7", {**body, "notes": "Again"})
    assert changed["invoice"]["invoice_id"] == made["invoice"]["invoice_id"]
    rows = (await books.do("GET", "/invoices"))["invoices"]
    assert [row["cf_shop_order"] for row in rows] == ["order-7"]
    taken = {**body, "custom_fields": [{"api_name": "cf_shop_order", "value": "order-7"}]}
    await books.refused("POST", "/invoices", taken)


async def test_custom_fields_may_be_changed_alone(books: Bookkeeper):
    await books.unique("invoices", "Shop Order")
    made = await books.invoice()
    fields = [{"api_name": "cf_shop_order", "value": "order-8"}]
    await books.do("PUT", f"/invoice/{made['invoice_id']}/customfields", fields)
    told = await books.get("invoices", "invoice", made["invoice_id"])
    assert (told["custom_fields"][0]["value"], told["total"]) == ("order-8", 118.0)


# --- what an administrator forbids


async def test_a_plan_allows_so_many_invoices_a_year(books: Bookkeeper):
    books.organisation.preferences.set({"invoices_per_year": 1})
    first = await books.invoice()
    body = {"customer_id": first["customer_id"], "line_items": [books.line()]}
    await books.refused("POST", "/invoices", body)


async def test_a_customer_may_not_owe_more_than_the_limit(books: Bookkeeper):
    books.organisation.preferences.set({"credit_limit": "block"})
    customer = await books.customer(credit_limit=200)
    await books.invoice(customer, sent=True)
    body = {"customer_id": customer, "line_items": [books.line()]}
    await books.refused("POST", "/invoices", body)
    await books.do("POST", "/invoices", {**body, "line_items": [books.line("GST18", 50)]})


async def test_a_balance_may_be_written_off(books: Bookkeeper):
    made = await books.invoice(sent=True)
    await books.payment(made, 100)
    path = f"/invoices/{made['invoice_id']}"
    await books.do("POST", f"{path}/writeoff")
    told = await books.get("invoices", "invoice", made["invoice_id"])
    assert (told["status"], told["write_off_amount"], told["balance"]) == ("paid", 18.0, 0.0)
    await books.do("POST", f"{path}/writeoff/cancel")
    assert (await books.get("invoices", "invoice", made["invoice_id"]))["balance"] == 18.0


# --- addresses, and the rest of the switches


async def test_an_invoice_keeps_the_addresses_it_was_made_with(books: Bookkeeper):
    customer = await books.customer(shipping_address={"city": "Hyderabad", "zip": "500001"})
    made = await books.invoice(customer)
    assert made["shipping_address"]["city"] == "Hyderabad"
    await books.do("PUT", f"/contacts/{customer}", {"shipping_address": {"city": "Warangal"}})
    path = f"/invoices/{made['invoice_id']}"
    assert (await books.do("PUT", path, {"notes": "x"}))["invoice"]["shipping_address"]["city"] == "Hyderabad"
    added = await books.do("POST", f"/contacts/{customer}/address", {"city": "Nizamabad"})
    change = {"shipping_address_id": added["address_info"]["address_id"]}
    assert (await books.do("PUT", path, change))["invoice"]["shipping_address"]["city"] == "Nizamabad"
    assert (await books.refused("PUT", path, {"shipping_address_id": "1"}))[0] == 2
    await books.do("POST", f"/contacts/{customer}/inactive")
    await books.do("PUT", path, {"notes": "y"})


async def test_rates_are_rounded_before_they_are_multiplied(books: Bookkeeper):
    told = await books.invoice("", books.line("GST0", 54.54545, 100))
    assert (told["line_items"][0]["rate"], told["total"]) == (54.55, 5455.0)
    await books.zoho.turn(books_rate_rounding=False)
    assert (await books.invoice(told["customer_id"], books.line("GST0", 54.54545, 100)))["total"] == 5454.55


@pytest.mark.parametrize(
    ("switches", "tax", "total"),
    [
        ({}, 1.50, 31.8),
        ({"books_tax_rounding": "entity_level"}, 1.52, 31.82),
        ({"books_group_rounding": "group"}, 1.56, 31.86),
        ({"books_transaction_rounding": "nearest_increment"}, 1.50, 31.8),
        ({"books_transaction_rounding": "nearest_increment", "books_rounding_increment_paise": 50}, 1.50, 32.0),
    ],
)
async def test_where_tax_is_rounded_is_a_switch(books: Bookkeeper, switches: Any, tax: float, total: float):
    await books.zoho.turn(**switches)
    told = await books.invoice("", *[books.line("GST5", 10.10)] * 3)
    assert (told["tax_total"], told["total"]) == (tax, total)


async def test_extracting_the_net_first_costs_a_paisa(books: Bookkeeper):
    await books.zoho.turn(books_inclusive_extraction="net_first")
    assert (await books.invoice("", books.line("GST5", 99), is_inclusive_tax=True))["total"] == 99.01


async def test_entries_of_taxes_may_carry_their_id(books: Bookkeeper):
    told = await books.invoice()
    assert "tax_id" not in told["taxes"][0]
    await books.zoho.turn(books_taxes_with_id=True)
    assert (await books.invoice(told["customer_id"]))["taxes"][0]["tax_id"] == books.tax("CGST9")


async def test_an_invoice_of_nothing_is_paid_when_it_is_sent(books: Bookkeeper):
    assert (await books.invoice("", books.line("GST18", 0), sent=True))["status"] == "paid"


async def test_reverse_charge_leaves_the_tax_to_the_buyer(books: Bookkeeper):
    told = await books.invoice("", books.line(""), is_reverse_charge_applied=True)
    assert (told["total"], told["taxes"]) == (100.0, [])


async def test_invoices_are_known_to_zoho_inventory_too(books: Bookkeeper):
    made = await books.invoice()
    path, params = f"/inventory/v1/invoices/{made['invoice_id']}", {"organization_id": books.organisation.id}
    log_in(books.zoho.sim, books.zoho.http, "ZohoInventory.invoices.READ")
    answer = await books.zoho.http.get(path, params=params)
    assert (answer.status_code, answer.json()["invoice"]["total"]) == (200, 118.0)
    assert (await books.zoho.http.post(f"{path}/status/sent", params=params)).status_code == 401


async def test_every_call_needs_its_scope(books: Bookkeeper):
    made = await books.invoice()
    path = f"/invoices/{made['invoice_id']}"
    log_in(books.zoho.sim, books.zoho.http, "ZohoBooks.invoices.READ")
    assert (await books.ask("GET", path)).status_code == 200
    for method, call in (("POST", f"{path}/status/sent"), ("DELETE", path), ("GET", "/estimates")):
        answer = await books.ask(method, call)
        assert (answer.status_code, answer.json()["code"]) == (401, 57)
