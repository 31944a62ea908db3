"""Customer payments of Books: what they do to invoices, what is left of them, what is paid back."""

from typing import Any

import pytest
from bookkeeper import TODAY, Bookkeeper


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


async def again(books: Bookkeeper, invoice: Any) -> tuple[str, float, float]:
    told = await books.get("invoices", "invoice", invoice["invoice_id"])
    return told["status"], told["payment_made"], told["balance"]


async def test_a_payment_pays_its_invoice_in_part_or_whole(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    body = {
        "customer_id": invoice["customer_id"], "payment_mode": "banktransfer", "amount": 100, "date": TODAY,
        "reference_number": "order-7", "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 100}],
    }  # fmt: skip
    answer = await books.ask("POST", "/customerpayments", body)
    assert (answer.status_code, answer.json()["message"]) == (201, "The payment has been created.")
    told = answer.json()["payment"]
    assert (told["amount"], told["unused_amount"], told["status"], told["account_name"]) == (
        100.0, 0.0, "success", "Undeposited Funds",
    )  # fmt: skip
    assert [(one["invoice_number"], one["amount_applied"], one["balance_amount"]) for one in told["invoices"]] == [
        ("INV-000001", 100.0, 18.0)
    ]
    assert await again(books, invoice) == ("partially_paid", 100.0, 18.0)
    await books.payment(invoice, 18)
    assert await again(books, invoice) == ("paid", 118.0, 0.0)


@pytest.mark.parametrize("missing", ["customer_id", "payment_mode", "amount", "date"])
async def test_a_payment_needs_these(books: Bookkeeper, missing: str):
    body = {"customer_id": await books.customer(), "payment_mode": "cash", "amount": 1, "date": TODAY}
    del body[missing]
    assert await books.refused("POST", "/customerpayments", body) == (4, f"Invalid value passed for {missing}")


async def test_a_payment_may_name_no_invoice_unless_a_switch_says_so(books: Bookkeeper):
    body = {"customer_id": await books.customer(), "payment_mode": "cash", "amount": 50, "date": TODAY}
    told = (await books.do("POST", "/customerpayments", body))["payment"]
    assert (told["unused_amount"], told["account_name"]) == (50.0, "Petty Cash")
    await books.zoho.turn(books_advance_payments=False)
    assert (await books.refused("POST", "/customerpayments", body))[0] == 4


async def test_no_invoice_gets_more_than_its_balance_nor_more_than_was_paid(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    body = {
        "customer_id": invoice["customer_id"], "payment_mode": "cash", "amount": 200, "date": TODAY,
        "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 118.01}],
    }  # fmt: skip
    await books.refused("POST", "/customerpayments", body)
    body |= {"amount": 100, "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 101}]}
    await books.refused("POST", "/customerpayments", body)
    assert await again(books, invoice) == ("sent", 0.0, 118.0)
    body |= {"amount": 200, "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 118}]}
    assert (await books.do("POST", "/customerpayments", body))["payment"]["unused_amount"] == 82.0


async def test_an_invoice_of_somebody_else_is_not_paid(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    other = await books.customer("Other Customer")
    body = {
        "customer_id": other, "payment_mode": "cash", "amount": 118, "date": TODAY,
        "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 118}],
    }  # fmt: skip
    assert (await books.refused("POST", "/customerpayments", body))[0] == 2


async def test_the_mode_must_be_in_the_list_of_the_organisation(books: Bookkeeper):
    body = {"customer_id": await books.customer(), "payment_mode": "UPI", "amount": 50, "date": TODAY}
    assert "payment_mode" in (await books.refused("POST", "/customerpayments", body))[1]
    books.organisation.preferences.set({"payment_modes": ["UPI"]})
    assert (await books.do("POST", "/customerpayments", body))["payment"]["payment_mode"] == "UPI"


async def test_a_deposit_account_is_of_the_chart(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    bank = books.account("bank")
    assert (await books.payment(invoice, 10, account_id=bank))["account_id"] == bank
    body = {"customer_id": invoice["customer_id"], "payment_mode": "cash", "amount": 1, "date": TODAY}
    assert (await books.refused("POST", "/customerpayments", {**body, "account_id": "1"}))[0] == 2


async def test_a_payment_of_a_draft_is_refused_or_sends_it(books: Bookkeeper):
    invoice = await books.invoice()
    body = {
        "customer_id": invoice["customer_id"], "payment_mode": "cash", "amount": 118, "date": TODAY,
        "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 118}],
    }  # fmt: skip
    await books.refused("POST", "/customerpayments", body)
    await books.zoho.turn(books_payment_on_draft="accept")
    await books.do("POST", "/customerpayments", body)
    assert await again(books, invoice) == ("paid", 118.0, 0.0)


async def test_a_payment_dated_before_its_invoice_is_a_switch(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    body = {
        "customer_id": invoice["customer_id"], "payment_mode": "cash", "amount": 118, "date": "2026-11-21",
        "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 118}],
    }  # fmt: skip
    await books.refused("POST", "/customerpayments", body)
    await books.zoho.turn(books_payment_before_invoice="accept")
    await books.do("POST", "/customerpayments", body)


async def test_voiding_a_paid_invoice_turns_its_payment_into_credit(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    payment = await books.payment(invoice, 118)
    await books.do("POST", f"/invoices/{invoice['invoice_id']}/status/void")
    assert await again(books, invoice) == ("void", 0.0, 118.0)
    told = await books.get("customerpayments", "payment", payment["payment_id"])
    assert (told["unused_amount"], told["invoices"]) == (118.0, [])


async def test_an_invoice_with_a_payment_is_not_deleted(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    payment = await books.payment(invoice, 10)
    await books.refused("DELETE", f"/invoices/{invoice['invoice_id']}")
    await books.do("DELETE", f"/customerpayments/{payment['payment_id']}")
    assert await again(books, invoice) == ("sent", 0.0, 118.0)
    await books.do("DELETE", f"/invoices/{invoice['invoice_id']}")


async def test_the_total_of_a_paid_invoice_is_fixed_unless_a_switch_says_so(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    await books.payment(invoice, 118)
    path, more = f"/invoices/{invoice['invoice_id']}", {"line_items": [books.line("GST18", 200)]}
    await books.refused("PUT", path, more)
    await books.do("PUT", path, {"notes": "Paid"})
    await books.zoho.turn(books_edit_paid="accept")
    await books.do("PUT", path, more)
    assert await again(books, invoice) == ("partially_paid", 118.0, 118.0)
    await books.refused("PUT", path, {"line_items": [books.line("GST18", 50)]})


async def test_the_invoices_of_a_changed_payment_replace_those_it_had(books: Bookkeeper):
    first = await books.invoice(sent=True)
    second = await books.invoice(first["customer_id"], sent=True)
    payment = await books.payment(first, 118)
    body = {"invoices": [{"invoice_id": second["invoice_id"], "amount_applied": 18}]}
    told = (await books.do("PUT", f"/customerpayments/{payment['payment_id']}", body))["payment"]
    assert told["unused_amount"] == 100.0
    assert await again(books, first) == ("sent", 0.0, 118.0)
    assert await again(books, second) == ("partially_paid", 18.0, 100.0)
    told = (await books.do("PUT", f"/customerpayments/{payment['payment_id']}", {"description": "x"}))["payment"]
    assert told["unused_amount"] == 100.0


async def test_the_excess_is_paid_back_and_no_more(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    payment = await books.payment(invoice, 118)
    path = f"/customerpayments/{payment['payment_id']}"
    await books.do("PUT", path, {"amount": 150})
    body = {"date": TODAY, "amount": 33, "from_account_id": books.account("bank")}
    await books.refused("POST", f"{path}/refunds", body)
    answer = await books.ask("POST", f"{path}/refunds", {**body, "amount": 32, "reference_number": "R-1"})
    assert (answer.status_code, answer.json()["payment_refunds"][0]["amount"]) == (200, 32.0)
    told = await books.get("customerpayments", "payment", payment["payment_id"])
    assert (told["unused_amount"], told["amount_refunded"]) == (0.0, 32.0)
    refunds = (await books.do("GET", f"{path}/refunds"))["payment_refunds"]
    assert [refund["reference_number"] for refund in refunds] == ["R-1"]
    await books.refused("DELETE", path)
    one = f"{path}/refunds/{refunds[0]['payment_refund_id']}"
    assert (await books.do("PUT", one, {"amount": 30}))["payment_refunds"][0]["amount"] == 30.0
    await books.refused("PUT", one, {"amount": 33})
    await books.do("DELETE", one)
    assert (await books.do("GET", f"{path}/refunds"))["payment_refunds"] == []


async def test_many_payments_go_at_once_or_none(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    ids = [(await books.payment(invoice, paid))["payment_id"] for paid in (10, 20)]
    answer = await books.ask("DELETE", "/customerpayments", payment_id=f"{ids[0]},1", bulk_delete="true")
    assert (answer.status_code, answer.json()["code"]) == (404, 1002)
    assert await again(books, invoice) == ("partially_paid", 30.0, 88.0)
    await books.do("DELETE", "/customerpayments", payment_id=",".join(ids), bulk_delete="true")
    assert await again(books, invoice) == ("sent", 0.0, 118.0)


async def test_payments_are_listed_by_reference_number_and_mode(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    await books.payment(invoice, 10, reference_number="order-7")
    await books.payment(invoice, 10, reference_number="order-8", payment_mode="cash")
    rows = (await books.do("GET", "/customerpayments", reference_number="order-7"))["customerpayments"]
    assert [(row["reference_number"], row["invoice_numbers"], row["unused_amount"]) for row in rows] == [
        ("order-7", "INV-000001", 0.0)
    ]
    rows = (await books.do("GET", "/customerpayments", filter_by="PaymentMode.Cash"))["customerpayments"]
    assert [row["reference_number"] for row in rows] == ["order-8"]


async def test_a_payment_is_made_once_for_a_unique_value(books: Bookkeeper):
    invoice = await books.invoice(sent=True)
    await books.unique("customerpayments", "Shop Payment")
    body = {
        "customer_id": invoice["customer_id"], "payment_mode": "cash", "amount": 10, "date": TODAY,
        "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 10}],
    }  # fmt: skip
    made = await books.upsert("/customerpayments", "cf_shop_payment", "p-1", body)
    again_made = await books.upsert("/customerpayments", "cf_shop_payment", "p-1", body)
    assert made["payment"]["payment_id"] == again_made["payment"]["payment_id"]
    assert await again(books, invoice) == ("partially_paid", 10.0, 108.0)
