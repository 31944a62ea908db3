"""The web face of Books: its pages, the invoice an accountant looks at, and buttons that do what a program could."""

from typing import Any

import httpx
import pytest

from zohosim.books.modules import MODULES
from zohosim.books.routes import OPERATIONS
from zohosim.web_books_tables import ACTIONS, COLUMNS, TITLES, money

ORGANISATION = "60031234567"
BASE = f"/organisations/{ORGANISATION}"


async def call(zoho, method: str, path: str, body: Any = None, **params: str) -> dict[str, Any]:
    asked = {"organization_id": ORGANISATION, **params}
    answer = await zoho.http.request(method, f"/books/v3{path}", params=asked, json=body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def tax_ids(zoho) -> dict[str, str]:
    return {tax["tax_name"]: tax["tax_id"] for tax in (await zoho.books("/settings/taxes")).json()["taxes"]}


async def item(zoho, **more: object) -> str:
    """An item of which there are ten."""
    accounts = (await zoho.books("/chartofaccounts", per_page=200)).json()["chartofaccounts"]
    named = {account["account_name"]: account["account_id"] for account in accounts}
    body = {"name": "Neem Cake", "rate": 100, "sku": "NC-1", "unit": "kg", "hsn_or_sac": "3101", "purchase_rate": 60,
            "item_type": "inventory", "product_type": "goods", "account_id": named["Sales"],
            "purchase_account_id": named["Cost of Goods Sold"], "inventory_account_id": named["Inventory Asset"],
            "initial_stock": 10, "initial_stock_rate": 60, **more}  # fmt: skip
    return str((await call(zoho, "POST", "/items", body))["item"]["item_id"])


async def invoice(zoho, tax: str = "GST18", place: str = "TS", **more: Any) -> dict[str, Any]:
    """A sent one of two kilos at 100.00 and shipping."""
    item_id = more.pop("item_id", "") or await item(zoho)
    address = {"address": "12 Example Road", "city": "Hyderabad", "zip": "500001", "country": "India"}
    made = await call(zoho, "POST", "/contacts", {
        "contact_name": "Demo Customer",
        "gst_treatment": "consumer", "place_of_contact": place, "billing_address": address,
    })  # fmt: skip
    line = {"item_id": item_id, "quantity": 2, "tax_id": (await tax_ids(zoho))[tax]}
    body = {"customer_id": made["contact"]["contact_id"], "line_items": [line], "shipping_charge": 50,
            "reference_number": "KN-42", "notes": "Handle with care", **more}  # fmt: skip
    return dict((await call(zoho, "POST", "/invoices", body, send="true"))["invoice"])


async def press(zoho, path: str, **form: str) -> httpx.Response:
    return await zoho.http.post(f"{BASE}{path}", data=form)


async def look(zoho, path: str) -> str:
    answer = await zoho.http.get(f"{BASE}{path}")
    assert answer.status_code == 200, answer.text
    assert "script" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    return str(answer.text)


def stock(zoho, item_id: str) -> str:
    row = zoho.sim.books.organisations[ORGANISATION].ledger.tables["items"][item_id]
    return f"{sum(row['_stock'].values()):f}"


async def test_the_organisations_are_listed_and_lead_to_their_books(zoho):
    other = zoho.sim.seed_books_organisation(name="Other Shop", gst=False)
    answer = await zoho.http.get("/organisations")
    assert f'href="{BASE}"' in answer.text
    assert f'href="/organisations/{other.id}"' in answer.text
    assert "GST off" in answer.text
    assert (await zoho.http.get("/organisations/1")).status_code == 404
    assert 'href="/organisations"' in (await zoho.http.get("/")).text


async def test_every_list_of_an_organisation_can_be_opened_and_searched(zoho):
    made = await invoice(zoho)
    overview = await look(zoho, "")
    assert made["invoice_number"] in overview
    for table in TITLES:
        assert f'href="{BASE}/{table}"' in overview
        await look(zoho, f"/{table}")
    assert made["invoice_number"] in await look(zoho, "/invoices?q=kn-42")
    assert "Nothing with" in await look(zoho, "/invoices?q=nonsense")
    assert (await zoho.http.get(f"{BASE}/journals")).status_code == 404
    assert (await zoho.http.get(f"{BASE}/invoices/1")).status_code == 404


async def test_an_invoice_shows_what_an_accountant_looks_for(zoho):
    made = await invoice(zoho)
    text = await look(zoho, f"/invoices/{made['invoice_id']}")
    for wanted in ("Tax Invoice", made["invoice_number"], "GSTIN 36", "Telangana (36)", "Within the state", "Consumer",
                   "KN-42", "12 Example Road", "Neem Cake", "3101", "2 kg", "SKU NC-1", "CGST9 (9%)", "SGST9 (9%)",
                   "18.00", "50.00", "286.00", "Balance due", "Handle with care", "History"):  # fmt: skip
        assert wanted in text, wanted


async def test_an_invoice_to_another_state_shows_igst(zoho):
    made = await invoice(zoho, tax="IGST18", place="KA")
    text = await look(zoho, f"/invoices/{made['invoice_id']}")
    assert "IGST18 (18%)" in text
    assert "Karnataka (29)" in text
    assert "CGST" not in text


async def test_payments_quotes_and_credit_notes_have_pages_and_lead_to_each_other(zoho):
    made = await invoice(zoho)
    customer, lines = made["customer_id"], [{"item_id": made["line_items"][0]["item_id"], "quantity": 1}]
    lines[0]["tax_id"] = (await tax_ids(zoho))["GST18"]
    applied = [{"invoice_id": made["invoice_id"], "amount_applied": 100}]
    paid = {"customer_id": customer, "payment_mode": "cash", "amount": 120, "date": "2026-11-22", "invoices": applied}
    payment = (await call(zoho, "POST", "/customerpayments", paid))["payment"]["payment_id"]
    body = {"customer_id": customer, "date": "2026-11-22", "line_items": lines}
    note = (await call(zoho, "POST", "/creditnotes", body))["creditnote"]["creditnote_id"]
    quote = (await call(zoho, "POST", "/estimates", body))["estimate"]["estimate_id"]
    invoice_page = await look(zoho, f"/invoices/{made['invoice_id']}")
    assert f"{BASE}/customerpayments/{payment}" in invoice_page
    assert "186.00" in invoice_page
    assert f"{BASE}/invoices/{made['invoice_id']}" in await look(zoho, f"/customerpayments/{payment}")
    assert "Credit Note" in await look(zoho, f"/creditnotes/{note}")
    for action, status in (("sent", "sent"), ("accepted", "accepted")):
        assert (await press(zoho, f"/estimates/{quote}/{action}")).status_code == 303
        assert (await call(zoho, "GET", f"/estimates/{quote}"))["estimate"]["status"] == status
    for table in ("customerpayments", "creditnotes", "estimates"):
        assert made["customer_name"] in await look(zoho, f"/{table}")
    assert (await press(zoho, f"/invoices/{made['invoice_id']}/delete")).status_code == 400, "a payment is applied"
    assert (await press(zoho, f"/customerpayments/{payment}/delete")).status_code == 303
    assert (await press(zoho, f"/invoices/{made['invoice_id']}/delete")).status_code == 303


def test_every_button_makes_a_call_that_books_knows():
    known = {(one.method, one.path) for one in OPERATIONS}
    for table, actions in ACTIONS.items():
        assert table in MODULES
        for _, method, path in actions.values():
            assert (method, f"/books/v3{path}") in known
    assert set(TITLES) == set(ACTIONS) == set(COLUMNS)


async def test_voiding_by_button_is_voiding(zoho):
    item_id = await item(zoho)
    made = await invoice(zoho, item_id=item_id)
    assert stock(zoho, item_id) == "8"
    answer = await press(zoho, f"/invoices/{made['invoice_id']}/void")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/invoices/{made['invoice_id']}")
    assert (await call(zoho, "GET", f"/invoices/{made['invoice_id']}"))["invoice"]["status"] == "void"
    assert stock(zoho, item_id) == "10"
    text = await look(zoho, f"/invoices/{made['invoice_id']}")
    assert text.index("Updated: void") < text.index("Created: sent"), "what happened last is told first"
    assert "Convert to draft" in text
    assert ">Void<" not in text


async def test_a_void_invoice_becomes_a_draft_is_sent_and_deleted_by_buttons(zoho):
    made = await invoice(zoho)
    path = f"/invoices/{made['invoice_id']}"
    for action, status in (("void", "void"), ("draft", "draft"), ("sent", "sent")):
        assert (await press(zoho, f"{path}/{action}")).status_code == 303
        assert (await call(zoho, "GET", path))["invoice"]["status"] == status
    gone = await press(zoho, f"{path}/delete")
    assert (gone.status_code, gone.headers["location"]) == (303, f"{BASE}/invoices")
    assert (await zoho.http.get(f"{BASE}{path}")).status_code == 404


async def test_what_books_refuses_to_a_button_is_said_on_the_page(zoho):
    made = await invoice(zoho)
    answer = await press(zoho, f"/invoices/{made['invoice_id']}/draft")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "Only a void invoice" in answer.text


async def test_a_line_edited_by_hand_changes_the_total_and_the_stock(zoho):
    item_id = await item(zoho)
    made = await invoice(zoho, item_id=item_id)
    form = {"line_item_id": made["line_items"][0]["line_item_id"], "quantity": "3", "rate": "90"}
    assert (await press(zoho, f"/invoices/{made['invoice_id']}/line", **form)).status_code == 303
    now = (await call(zoho, "GET", f"/invoices/{made['invoice_id']}"))["invoice"]
    assert (now["total"], now["sub_total"]) == (368.6, 270.0)
    assert stock(zoho, item_id) == "7"
    form["rate"] = "cheap"
    assert (await press(zoho, f"/invoices/{made['invoice_id']}/line", **form)).status_code == 400


async def test_stock_counted_by_hand_becomes_an_adjustment(zoho):
    item_id = await item(zoho)
    assert "Stock on hand: 10 kg" in await look(zoho, f"/items/{item_id}")
    assert (await press(zoho, f"/items/{item_id}/stock", counted="7.5", reason="Damaged")).status_code == 303
    assert stock(zoho, item_id) == "7.5"
    (adjusted,) = (await call(zoho, "GET", "/inventoryadjustments"))["inventory_adjustments"]
    assert adjusted["reason"] == "Damaged"
    assert "-2.5" in await look(zoho, f"/items/{item_id}")
    page = await look(zoho, f"/inventoryadjustments/{adjusted['inventory_adjustment_id']}")
    assert "Neem Cake" in page
    assert (await press(zoho, f"/items/{item_id}/stock", counted="many")).status_code == 400
    assert (await press(zoho, f"/items/{item_id}/stock", counted="-1")).status_code == 400
    assert (await press(zoho, f"/contacts/{item_id}/stock", counted="1")).status_code == 404


async def test_the_fault_buttons_of_books_do_what_they_say(zoho):
    assert (await press(zoho, "/faults/busy")).status_code == 303
    assert (await zoho.books("/settings/taxes")).status_code == 429
    assert (await zoho.crm("GET", "/org")).status_code == 200
    await zoho.http.delete("/_sim/faults")
    assert (await press(zoho, "/faults/ambiguous")).status_code == 303
    answer = await zoho.http.post(
        "/books/v3/contacts", params={"organization_id": ORGANISATION}, json={"contact_name": "Demo Customer"}
    )
    assert answer.status_code == 500
    assert "Demo Customer" in await look(zoho, "/contacts")
    assert (await press(zoho, "/faults/weather")).status_code == 404


async def test_locked_books_refuse_a_button_too_until_they_are_opened(zoho):
    made = await invoice(zoho)
    assert (await press(zoho, "/faults/lock")).status_code == 303
    assert (await press(zoho, f"/invoices/{made['invoice_id']}/void")).status_code == 400
    assert "Open the books" in await look(zoho, "/invoices")
    await press(zoho, "/faults/unlock")
    assert (await press(zoho, f"/invoices/{made['invoice_id']}/void")).status_code == 303


async def test_buttons_of_another_site_press_nothing(zoho):
    made = await invoice(zoho)
    path = f"{BASE}/invoices/{made['invoice_id']}"
    for button in (f"{path}/void", f"{path}/line", f"{BASE}/faults/busy"):
        answer = await zoho.http.post(button, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert (await call(zoho, "GET", f"/invoices/{made['invoice_id']}"))["invoice"]["status"] == "sent"


async def test_text_of_a_record_is_never_markup(zoho):
    made = await invoice(zoho)
    row = zoho.sim.books.organisations[ORGANISATION].ledger.tables["invoices"][made["invoice_id"]]
    row["notes"] = "<script>alert(1)</script>"
    assert "&lt;script&gt;" in (await zoho.http.get(f"{BASE}/invoices/{made['invoice_id']}")).text


@pytest.mark.parametrize("action", ["explode", "accepted"])
async def test_a_button_that_a_table_has_not_is_not_found(zoho, action: str):
    made = await invoice(zoho)
    assert (await press(zoho, f"/invoices/{made['invoice_id']}/{action}")).status_code == 404


def test_money_is_grouped_as_in_india():
    told = [money(value) for value in (0, 5, 999.5, 1234, 123456.789, 12345678, -1234567.05, "")]
    assert told == ["0.00", "5.00", "999.50", "1,234.00", "1,23,456.79", "1,23,45,678.00", "-12,34,567.05", "0.00"]
