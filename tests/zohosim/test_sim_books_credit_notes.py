"""Credit notes of Books: made, applied, paid back, and what they do to the stock."""

from typing import Any

import pytest
from bookkeeper import TODAY, Bookkeeper


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


async def credit(books: Bookkeeper, customer_id: str, *lines: Any, **more: Any) -> Any:
    body = {"customer_id": customer_id, "date": TODAY, "line_items": list(lines) or [books.line()], **more}
    return (await books.do("POST", "/creditnotes", body))["creditnote"]


async def balance(books: Bookkeeper, note: Any) -> tuple[str, float]:
    told = await books.get("creditnotes", "creditnote", note["creditnote_id"])
    return told["status"], told["balance"]


async def test_a_credit_note_is_open_unless_it_is_to_be_a_draft(books: Bookkeeper):
    customer = await books.customer()
    body = {"customer_id": customer, "date": TODAY, "line_items": [books.line()]}
    answer = await books.ask("POST", "/creditnotes", body)
    assert (answer.status_code, answer.json()["message"]) == (201, "The credit note has been created.")
    told = answer.json()["creditnote"]
    assert (told["status"], told["total"], told["balance"], told["creditnote_number"]) == (
        "open", 118.0, 118.0, "CN-000001",
    )  # fmt: skip
    assert [tax["tax_name"] for tax in told["taxes"]] == ["CGST9 (9%)", "SGST9 (9%)"]
    assert (await credit(books, customer, is_draft=True))["status"] == "draft"
    del body["date"]
    assert (await books.refused("POST", "/creditnotes", body))[0] == 4


async def test_a_number_of_ones_own_needs_the_flag_in_body_or_query(books: Bookkeeper):
    customer = await books.customer()
    body = {"customer_id": customer, "date": TODAY, "line_items": [books.line()], "creditnote_number": "CRN-1"}
    assert (await books.refused("POST", "/creditnotes", body))[0] == 4097
    await books.do("POST", "/creditnotes", {**body, "ignore_auto_number_generation": True})
    body["creditnote_number"] = "CRN-2"
    await books.do("POST", "/creditnotes", body, ignore_auto_number_generation="true")


async def test_lines_name_the_invoice_they_take_back(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    line = books.line(
        invoice_id=invoice["invoice_id"], invoice_item_id=invoice["line_items"][0]["line_item_id"]
    )  # fmt: skip
    told = await credit(books, invoice["customer_id"], line)
    assert told["line_items"][0]["invoice_id"] == invoice["invoice_id"]
    assert (await balance(books, told)) == ("open", 118.0)
    body = {"customer_id": invoice["customer_id"], "date": TODAY}
    wrong = [{**line, "invoice_item_id": "1"}]
    assert (await books.refused("POST", "/creditnotes", {**body, "line_items": wrong}))[0] == 2
    good = {**body, "line_items": [books.line()]}
    assert (await books.refused("POST", "/creditnotes", good, invoice_id="1"))[0] == 2
    await books.zoho.turn(books_credit_lines_apply=True)
    told = await credit(books, invoice["customer_id"], line)
    assert told["status"] == "closed"
    assert (await books.get("invoices", "invoice", invoice["invoice_id"]))["status"] == "paid"


async def test_a_credit_note_goes_from_draft_to_open_to_void_to_draft(books: Bookkeeper):
    note = await credit(books, await books.customer(), is_draft=True)
    path = f"/creditnotes/{note['creditnote_id']}/status"
    await books.refused("POST", f"{path}/draft")
    for step in ("open", "void", "draft"):
        await books.do("POST", f"{path}/{step}")
        assert (await balance(books, note))[0] == step


async def test_a_credit_note_is_applied_to_an_invoice_and_closed_by_that(books: Bookkeeper):
    invoice = await books.invoice("", books.line("GST18", 200), sent=True)
    note = await credit(books, invoice["customer_id"])
    path = f"/creditnotes/{note['creditnote_id']}"
    wanted = {"invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 119}]}
    await books.refused("POST", f"{path}/invoices", wanted)
    wanted["invoices"][0]["amount_applied"] = 118
    answer = await books.ask("POST", f"{path}/invoices", wanted)
    assert answer.json()["message"] == "Credits have been applied to the invoice(s)."
    told = await books.get("invoices", "invoice", invoice["invoice_id"])
    assert (told["credits_applied"], told["balance"], told["status"]) == (118.0, 118.0, "partially_paid")
    assert await balance(books, note) == ("closed", 0.0)
    await books.refused("POST", f"{path}/status/void")
    await books.refused("DELETE", path)
    await books.refused("DELETE", f"/invoices/{invoice['invoice_id']}")
    applied = (await books.do("GET", f"{path}/invoices"))["invoices_credited"]
    assert [(one["invoice_number"], one["credited_amount"]) for one in applied] == [("INV-000001", 118.0)]
    await books.do("DELETE", f"{path}/invoices/{applied[0]['creditnote_invoice_id']}")
    assert await balance(books, note) == ("open", 118.0)


async def test_voiding_an_invoice_frees_the_credit_applied_to_it(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    note = await credit(books, invoice["customer_id"])
    wanted = {"invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 118}]}
    await books.do("POST", f"/creditnotes/{note['creditnote_id']}/invoices", wanted)
    await books.do("POST", f"/invoices/{invoice['invoice_id']}/status/void")
    assert await balance(books, note) == ("open", 118.0)


async def test_credits_and_excess_are_applied_from_the_side_of_the_invoice(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    note = await credit(books, invoice["customer_id"], books.line("GST18", 50))
    advance = {"customer_id": invoice["customer_id"], "payment_mode": "cash", "amount": 59, "date": TODAY}
    payment = (await books.do("POST", "/customerpayments", advance))["payment"]
    path = f"/invoices/{invoice['invoice_id']}"
    body = {
        "apply_creditnotes": [{"creditnote_id": note["creditnote_id"], "amount_applied": 59}],
        "invoice_payments": [{"payment_id": payment["payment_id"], "amount_applied": 60}],
    }
    await books.refused("POST", f"{path}/credits", body)
    body["invoice_payments"][0]["amount_applied"] = 59
    await books.do("POST", f"{path}/credits", body)
    assert (await books.get("invoices", "invoice", invoice["invoice_id"]))["status"] == "paid"
    paid = (await books.do("GET", f"{path}/payments"))["payments"]
    credited = (await books.do("GET", f"{path}/creditsapplied"))["credits"]
    assert (paid[0]["amount"], credited[0]["amount_applied"]) == (59.0, 59.0)
    await books.do("DELETE", f"{path}/payments/{paid[0]['invoice_payment_id']}")
    await books.do("DELETE", f"{path}/creditsapplied/{credited[0]['creditnotes_invoice_id']}")
    told = await books.get("invoices", "invoice", invoice["invoice_id"])
    assert (told["status"], told["balance"]) == ("sent", 118.0)


async def test_no_more_is_paid_back_than_is_left(books: Bookkeeper):
    note = await credit(books, await books.customer())
    path = f"/creditnotes/{note['creditnote_id']}"
    body = {"date": TODAY, "refund_mode": "banktransfer", "amount": 118.01, "from_account_id": books.account("bank")}
    await books.refused("POST", f"{path}/refunds", body)
    answer = await books.ask("POST", f"{path}/refunds", {**body, "amount": 118, "reference_number": "R-1"})
    assert (answer.status_code, answer.json()["creditnote_refund"]["amount"]) == (200, 118.0)
    assert answer.json()["message"] == "The credit note amount is refunded successfully."
    assert await balance(books, note) == ("closed", 0.0)
    rows = (await books.do("GET", f"{path}/refunds"))["creditnote_refunds"]
    assert [row["reference_number"] for row in rows] == ["R-1"]
    assert len((await books.do("GET", "/creditnotes/refunds"))["creditnote_refunds"]) == 1
    draft = await credit(books, note["customer_id"], is_draft=True)
    await books.refused("POST", f"/creditnotes/{draft['creditnote_id']}/refunds", body)


async def test_goods_come_back_to_stock_only_by_lines_with_their_item(books: Bookkeeper):
    customer, item = await books.customer(), await books.item(stock=10)
    invoice = await books.invoice(customer, {"item_id": item, "quantity": 3}, sent=True)
    assert await books.stock(item) == 7.0
    money = await credit(books, customer, books.line("GST5", 450))
    assert await books.stock(item) == 7.0
    draft = await credit(books, customer, {"item_id": item, "quantity": 1}, is_draft=True)
    assert await books.stock(item) == 7.0
    await books.do("POST", f"/creditnotes/{draft['creditnote_id']}/status/open")
    assert await books.stock(item) == 8.0
    await books.do("POST", f"/creditnotes/{draft['creditnote_id']}/status/void")
    assert await books.stock(item) == 7.0
    await books.do("DELETE", f"/creditnotes/{money['creditnote_id']}")
    assert invoice["status"] == "sent"


async def test_credit_notes_are_listed_by_reference_and_status(books: Bookkeeper):
    customer = await books.customer()
    await credit(books, customer, reference_number="order-7")
    await credit(books, customer, reference_number="order-8", is_draft=True)
    rows = (await books.do("GET", "/creditnotes", reference_number="order-7"))["creditnotes"]
    assert [(row["reference_number"], row["balance"]) for row in rows] == [("order-7", 118.0)]
    rows = (await books.do("GET", "/creditnotes", filter_by="Status.Draft"))["creditnotes"]
    assert [row["reference_number"] for row in rows] == ["order-8"]


async def test_a_credit_note_is_made_once_for_a_unique_value(books: Bookkeeper):
    await books.unique("creditnotes", "Shop Refund")
    body = {"customer_id": await books.customer(), "date": TODAY, "line_items": [books.line()]}
    made = [await books.upsert("/creditnotes", "cf_shop_refund", "r-1", body) for _ in range(2)]
    assert len({one["creditnote"]["creditnote_id"] for one in made}) == 1
    assert made[0]["creditnote"]["custom_field_hash"]["cf_shop_refund"] == "r-1"
