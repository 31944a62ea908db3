"""Estimates of Books: sent, accepted or declined, expired, and what becomes of them."""

from typing import Any

import pytest
from bookkeeper import TODAY, Bookkeeper


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


async def estimate(books: Bookkeeper, *steps: str, **more: Any) -> Any:
    customer = more.pop("customer_id", "") or await books.customer()
    body = {"customer_id": customer, "date": TODAY, "line_items": [books.line()], **more}
    made = (await books.do("POST", "/estimates", body))["estimate"]
    for step in steps:
        await books.do("POST", f"/estimates/{made['estimate_id']}/status/{step}")
    return await books.get("estimates", "estimate", made["estimate_id"])


async def test_an_estimate_is_made_as_a_draft(books: Bookkeeper):
    body = {"customer_id": await books.customer(), "line_items": [books.line()], "expiry_date": "2026-12-01"}
    answer = await books.ask("POST", "/estimates", body)
    assert (answer.status_code, answer.json()["message"]) == (201, "The estimate has been created")
    told = answer.json()["estimate"]
    assert (told["status"], told["estimate_number"], told["total"], told["expiry_date"]) == (
        "draft", "EST-000001", 118.0, "2026-12-01",
    )  # fmt: skip
    body["expiry_date"] = "2026-11-01"
    assert (await books.refused("POST", "/estimates", body))[0] == 2


async def test_a_line_without_an_item_may_take_something_off(books: Bookkeeper):
    lines = [books.line(), books.line("GST18", -10, name="Discount")]
    assert (await estimate(books, line_items=lines))["total"] == 106.2


@pytest.mark.parametrize("answer", ["accepted", "declined"])
async def test_an_estimate_is_accepted_or_declined_only_once_it_was_sent(books: Bookkeeper, answer: str):
    made = await estimate(books)
    path = f"/estimates/{made['estimate_id']}/status"
    await books.refused("POST", f"{path}/{answer}")
    await books.do("POST", f"{path}/sent")
    await books.do("POST", f"{path}/{answer}")
    told = await books.get("estimates", "estimate", made["estimate_id"])
    assert (told["status"], told[f"{answer}_date"]) == (answer, TODAY)
    await books.refused("POST", f"{path}/{answer}")


async def test_an_estimate_expires_the_day_after_its_last(books: Bookkeeper):
    made = await estimate(books, "sent", expiry_date="2026-11-24")
    await books.wait(days=2)
    assert (await books.get("estimates", "estimate", made["estimate_id"]))["status"] == "sent"
    await books.wait(days=1)
    rows = (await books.do("GET", "/estimates", status="expired"))["estimates"]
    assert [row["estimate_id"] for row in rows] == [made["estimate_id"]]
    await books.refused("POST", f"/estimates/{made['estimate_id']}/status/accepted")


async def test_an_invoice_that_names_an_estimate_makes_it_invoiced(books: Bookkeeper):
    made = await estimate(books, "sent", "accepted")
    invoice = await books.invoice(made["customer_id"], invoiced_estimate_id=made["estimate_id"])
    assert invoice["estimate_id"] == made["estimate_id"]
    told = await books.get("estimates", "estimate", made["estimate_id"])
    assert (told["status"], told["invoice_ids"]) == ("invoiced", [invoice["invoice_id"]])
    body = {"customer_id": made["customer_id"], "line_items": [books.line()], "invoiced_estimate_id": "1"}
    assert (await books.refused("POST", "/invoices", body))[0] == 2


async def test_whether_the_invoice_changes_the_estimate_is_a_switch(books: Bookkeeper):
    await books.zoho.turn(books_estimate_becomes_invoiced=False)
    made = await estimate(books, "sent")
    await books.invoice(made["customer_id"], invoiced_estimate_id=made["estimate_id"])
    assert (await books.get("estimates", "estimate", made["estimate_id"]))["status"] == "sent"


async def test_converting_does_not_tell_the_invoice_and_makes_another_each_time(books: Bookkeeper):
    made = await estimate(books, "sent", reference_number="quote-1")
    for _ in range(2):
        answer = await books.ask("POST", "/invoices/fromestimates", estimate_ids=made["estimate_id"])
        assert (answer.status_code, answer.json()) == (200, {"code": 0, "data": {}})
    told = await books.get("estimates", "estimate", made["estimate_id"])
    rows = (await books.do("GET", "/invoices"))["invoices"]
    assert sorted(told["invoice_ids"]) == sorted(row["invoice_id"] for row in rows)
    assert [(row["reference_number"], row["total"]) for row in rows] == [("quote-1", 118.0)] * 2


async def test_a_draft_is_not_converted_and_the_refusal_may_hide(books: Bookkeeper):
    made = await estimate(books)
    said = "Some of the quotes cannot be converted to Invoices"
    assert (await books.refused("POST", "/invoices/fromestimates", estimate_ids=made["estimate_id"]))[1] == said
    await books.zoho.turn(books_conversion_refusal="nested")
    answer = await books.ask("POST", "/invoices/fromestimates", estimate_ids=made["estimate_id"])
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]["message"]) == (200, 0, said)
    assert (await books.do("GET", "/invoices"))["invoices"] == []


async def test_an_estimate_moves_no_stock(books: Bookkeeper):
    item = await books.item(stock=10)
    await estimate(books, "sent", "accepted", line_items=[{"item_id": item, "quantity": 3}])
    assert await books.stock(item) == 10.0


async def test_an_estimate_is_made_once_for_a_unique_value(books: Bookkeeper):
    await books.unique("estimates", "Shop Quote")
    body = {"customer_id": await books.customer(), "line_items": [books.line()]}
    made = [await books.upsert("/estimates", "cf_shop_quote", "q-1", body) for _ in range(2)]
    assert len({one["estimate"]["estimate_id"] for one in made}) == 1
    assert len((await books.do("GET", "/estimates"))["estimates"]) == 1


async def test_where_approvals_are_on_documents_are_submitted_and_approved_first(books: Bookkeeper):
    books.organisation.preferences.set({"approvals": ["estimates", "invoices", "creditnotes"]})
    customer = await books.customer()
    made = await estimate(books, customer_id=customer)
    invoice = await books.invoice(customer)
    body = {"customer_id": customer, "date": TODAY, "line_items": [books.line()]}
    note = (await books.do("POST", "/creditnotes", body))["creditnote"]
    assert note["status"] == "draft"
    for path, step in (
        (f"/estimates/{made['estimate_id']}", "sent"),
        (f"/invoices/{invoice['invoice_id']}", "sent"),
        (f"/creditnotes/{note['creditnote_id']}", "open"),
    ):
        await books.refused("POST", f"{path}/status/{step}")
        await books.refused("POST", f"{path}/approve")
        await books.do("POST", f"{path}/submit")
        await books.refused("POST", f"{path}/status/{step}")
        await books.do("POST", f"{path}/approve")
        await books.do("POST", f"{path}/status/{step}")
    assert (await books.refused("POST", "/invoices", body, send="true"))[1] != ""


async def test_without_approvals_there_is_nothing_to_submit(books: Bookkeeper):
    made = await estimate(books)
    await books.refused("POST", f"/estimates/{made['estimate_id']}/submit")
