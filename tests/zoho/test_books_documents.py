"""Documents and payments of Books, against answers as they were seen on the wire."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from zoho.wire import Wire, pages, refused, told
from zohosync.errors import OutcomeUnknown, Refused, ZohoUnavailable
from zohosync.zoho.books import Books
from zohosync.zoho.books_parse_documents import parse_document, parse_payment
from zohosync.zoho.books_records import Applied, UniqueKey
from zohosync.zoho.books_requests import INVOICES, create_request
from zohosync.zoho.client import Context
from zohosync.zoho.exchange import Exchange

INDIA = timezone(timedelta(hours=5, minutes=30))
LINE = {
    "line_item_id": "460000000039131", "item_id": "460000000027001", "name": "Rice 5 kg", "rate": 10000,
    "quantity": 1, "discount": 0.0, "discount_amount": 0.0, "tax_id": "46001", "tax_name": "GST18",
    "tax_percentage": 18, "item_total": 10000.0, "hsn_or_sac": "1006",
    "line_item_taxes": [{"tax_id": "46001", "tax_name": "CGST9 (9%)", "tax_amount": 900.0},
                        {"tax_id": "46001", "tax_name": "SGST9 (9%)", "tax_amount": 900.0}],
}  # fmt: skip
INVOICE = {
    "invoice_id": "460000000039129", "invoice_number": "INV-00001", "estimate_id": "", "creditnote_id": "77",
    "reference_number": "KN-1001", "status": "draft", "customer_id": "460000000026049", "date": "2026-08-01",
    "total": 11800.0, "sub_total": 10000.0, "tax_total": 1800.0, "balance": 11800.0, "adjustment": "",
    "roundoff_value": 0.0, "place_of_supply": "TS", "gst_treatment": "consumer", "gst_no": "",
    "is_inclusive_tax": False, "tax_rounding": "item_level", "line_items": [LINE],
    "taxes": [{"tax_name": "CGST9 (9%)", "tax_amount": 900.0}, {"tax_name": "SGST9 (9%)", "tax_amount": 900.0}],
    "last_modified_time": "2026-08-01T12:44:26+0530",
    "custom_fields": [{"customfield_id": "5", "api_name": "cf_shop_order", "value": "KN-1001", "index": 1}],
    "custom_field_hash": {"cf_shop_order": "KN-1001", "cf_shop_order_unformatted": "KN-1001"},
}  # fmt: skip
KEY = UniqueKey("cf_shop_order", "KN-1001")
PAYLOAD = {"customer_id": "460000000026049", "reference_number": "KN-1001", "line_items": [{"item_id": "1"}]}


def row(number: int, **more: Any) -> dict[str, Any]:
    """A row of the list of any kind of document."""
    kept = {name: value for name, value in INVOICE.items() if name not in ("line_items", "taxes", "custom_fields")}
    return {**kept, "invoice_id": str(number), "estimate_id": str(number), "creditnote_id": str(number), **more}


# --- what they mean


async def test_an_invoice_is_read_with_lines_and_split_taxes() -> None:
    invoice = await Wire(lambda _: told(invoice=INVOICE)).books.invoice("460000000039129")
    assert invoice is not None
    assert (invoice.id, invoice.number, invoice.reference, invoice.status, invoice.date) == (
        "460000000039129", "INV-00001", "KN-1001", "draft", date(2026, 8, 1),
    )  # fmt: skip
    assert (invoice.total, invoice.sub_total, invoice.tax_total, invoice.balance, invoice.adjustment) == (
        Decimal(11800), Decimal(10000), Decimal(1800), Decimal(11800), Decimal(0),
    )  # fmt: skip
    assert (invoice.place_of_supply, invoice.inclusive, invoice.tax_rounding) == ("TS", False, "item_level")
    assert [(tax.name, tax.amount, tax.tax_id) for tax in invoice.taxes] == [
        ("CGST9 (9%)", Decimal(900), ""), ("SGST9 (9%)", Decimal(900), ""),
    ]  # fmt: skip
    (line,) = invoice.lines
    assert (line.id, line.item_id, line.quantity, line.rate, line.tax_id, line.tax_percentage, line.total) == (
        "460000000039131", "460000000027001", Decimal(1), Decimal(10000), "46001", Decimal(18), Decimal(10000),
    )  # fmt: skip
    assert line.taxes == {"CGST9 (9%)": Decimal(900), "SGST9 (9%)": Decimal(900)}
    assert invoice.custom == {"cf_shop_order": "KN-1001"}


@pytest.mark.parametrize(
    "shape",
    [{"custom_fields": [{"api_name": "cf_shop_order", "value": "KN-1001"}]},
     {"custom_field_hash": {"cf_shop_order": "KN 1001", "cf_shop_order_unformatted": "KN-1001"}},
     {"cf_shop_order": "KN 1001", "cf_shop_order_unformatted": "KN-1001"}, {"cf_shop_order": "KN-1001"}],
)  # fmt: skip
def test_custom_fields_are_read_in_all_their_shapes(shape: dict[str, Any]) -> None:
    assert parse_document({"invoice_id": "1", **shape}, "invoice").custom == {"cf_shop_order": "KN-1001"}


def test_blank_values_and_texts_in_place_of_numbers_are_read() -> None:
    document = parse_document({"invoice_id": 46, "total": "11800.00", "balance": "", "date": "", "discount": "10%"},
                              "invoice")  # fmt: skip
    assert (document.id, document.total, document.balance, document.date) == ("46", Decimal(11800), Decimal(0), None)


def test_each_kind_tells_its_own_id_and_number() -> None:
    told_row = {"invoice_id": "1", "invoice_number": "INV-1", "estimate_id": "2", "estimate_number": "QT-2",
                "creditnote_id": "3", "creditnote_number": "CN-3"}  # fmt: skip
    read = {noun: parse_document(told_row, noun) for noun in ("invoice", "estimate", "creditnote")}
    assert {noun: (one.id, one.number) for noun, one in read.items()} == {
        "invoice": ("1", "INV-1"), "estimate": ("2", "QT-2"), "creditnote": ("3", "CN-3"),
    }  # fmt: skip


def test_a_payment_is_read() -> None:
    payment = parse_payment({
        "payment_id": "1", "payment_number": "4", "payment_mode": "Bank Transfer", "amount": 118.0,
        "date": "2026-08-01",
        "reference_number": "pay_1", "account_id": "9", "customer_id": "2", "unused_amount": "",
        "invoices": [{"invoice_payment_id": "5", "invoice_id": "3", "amount_applied": 100.5}],
    })  # fmt: skip
    assert (payment.amount, payment.unused, payment.mode) == (Decimal(118), Decimal(0), "Bank Transfer")
    assert payment.applied == (Applied("3", Decimal("100.5")),)


# --- made at most once


async def test_without_a_key_a_document_is_posted() -> None:
    wire = Wire(lambda _: (201, told(invoice=INVOICE)))
    made = await wire.books.create_invoice(PAYLOAD)
    assert made.id == "460000000039129"
    assert (wire.last.method, wire.last.path, wire.last.params, wire.last.body) == ("POST", "/invoices", {}, PAYLOAD)
    assert "X-Upsert" not in wire.last.headers


async def test_an_own_number_and_a_mail_are_asked_for_by_name() -> None:
    wire = Wire(lambda _: told(invoice=INVOICE))
    await wire.books.create_invoice(PAYLOAD, own_number=True, send=True)
    assert wire.last.params == {"ignore_auto_number_generation": "true", "send": "true"}


@pytest.mark.parametrize("status", [200, 201])
async def test_with_a_key_it_goes_to_the_collection_and_the_answer_is_verified(status: int) -> None:
    wire = Wire(lambda _: (status, told(invoice=INVOICE)))
    assert (await wire.books.create_invoice(PAYLOAD, unique=KEY)).reference == "KN-1001"
    sent = wire.last
    assert (sent.method, sent.path) == ("PUT", "/invoices")
    assert [sent.headers[name] for name in ("X-Unique-Identifier-Key", "X-Unique-Identifier-Value", "X-Upsert")] == [
        "cf_shop_order", "KN-1001", "true",
    ]  # fmt: skip
    assert sent.body["custom_fields"] == [{"api_name": "cf_shop_order", "value": "KN-1001"}]
    assert len(wire.asked) == 1


async def test_the_headers_of_a_key_are_shown_to_people_and_the_token_is_not() -> None:
    told_of: list[Exchange] = []
    wire = Wire(lambda _: told(invoice=INVOICE))
    books = wire.books.within(Context(on_exchange=told_of.append))
    await books.create_invoice(PAYLOAD, unique=KEY)
    await books.invoice("1")
    assert told_of[0].shown_request()["headers"] == {
        "X-Unique-Identifier-Key": "cf_shop_order", "X-Unique-Identifier-Value": "KN-1001", "X-Upsert": "true",
    }  # fmt: skip
    assert "headers" not in told_of[1].shown_request()
    assert "1000.demo" not in str([one.shown_request() for one in told_of])


async def test_the_key_stands_in_the_body_once_beside_the_other_custom_fields() -> None:
    wire = Wire(lambda _: told(invoice=INVOICE))
    fields = [{"api_name": "cf_shop_order", "value": "old"}, {"api_name": "cf_other", "value": "x"}]
    await wire.books.create_invoice({**PAYLOAD, "custom_fields": fields}, unique=KEY)
    assert wire.last.body["custom_fields"] == [{"api_name": "cf_other", "value": "x"},
                                               {"api_name": "cf_shop_order", "value": "KN-1001"}]  # fmt: skip


async def test_an_answer_that_leaves_the_key_out_is_completed_by_reading() -> None:
    bare = {name: value for name, value in INVOICE.items() if not name.startswith("custom_field")}
    wire = Wire(lambda asked: told(invoice=INVOICE if asked.method == "GET" else bare))
    assert await wire.books.create_invoice(PAYLOAD, unique=KEY)
    assert [asked.method for asked in wire.asked] == ["PUT", "GET"]


async def test_a_key_that_books_did_not_keep_is_refused_with_the_remedy() -> None:
    bare = {name: value for name, value in INVOICE.items() if not name.startswith("custom_field")}
    with pytest.raises(Refused, match="did not keep KN-1001 in its field cf_shop_order") as caught:
        await Wire(lambda _: told(invoice=bare)).books.create_invoice(PAYLOAD, unique=KEY)
    assert (caught.value.reason, caught.value.field) == ("books_key_not_kept", "cf_shop_order")


async def test_an_answer_of_another_record_leaves_it_in_doubt() -> None:
    other = {**INVOICE, "reference_number": "KN-999"}
    with pytest.raises(OutcomeUnknown) as caught:
        await Wire(lambda _: told(invoice=other)).books.create_invoice(PAYLOAD, unique=KEY)
    assert caught.value.reason == "books_answer_differs"


@pytest.mark.parametrize("value", ["", "KN\r\nX-Evil: 1", "KÄ-1"])
def test_a_key_that_no_header_can_carry_never_leaves(value: str) -> None:
    with pytest.raises(ValueError, match="unique key"):
        create_request(INVOICES, PAYLOAD, unique=UniqueKey("cf_shop_order", value))


DOUBTFUL: list[Callable[[Books], Awaitable[object]]] = [
    lambda books: books.create_invoice(PAYLOAD),
    lambda books: books.create_invoice(PAYLOAD, unique=KEY),
    lambda books: books.create_estimate(PAYLOAD),
    lambda books: books.create_credit_note(PAYLOAD, invoice_id="1"),
    lambda books: books.create_payment(PAYLOAD),
    lambda books: books.create_payment(PAYLOAD, unique=KEY),
    lambda books: books.refund_payment("1", {}),
    lambda books: books.refund_credit_note("1", {}),
    lambda books: books.apply_credit_note("1", [Applied("2", Decimal(1))]),
    lambda books: books.email_invoice("1"),
    lambda books: books.create_adjustment({}),
]


@pytest.mark.parametrize("call", DOUBTFUL)
@pytest.mark.parametrize("answer", [(502, b"<html>"), (500, {"code": 1000, "message": "Internal error"}), (200, b"")])
async def test_what_must_not_be_done_twice_is_looked_for_after_doubt(
    call: Callable[[Books], Awaitable[object]], answer: Any
) -> None:
    with pytest.raises(OutcomeUnknown, match="looked for"):
        await call(Wire(lambda _: answer).books)


@pytest.mark.parametrize("call", [call for n, call in enumerate(DOUBTFUL) if n not in (8, 9)])
async def test_a_success_without_its_record_is_in_doubt(call: Callable[[Books], Awaitable[object]]) -> None:
    with pytest.raises(OutcomeUnknown):
        await call(Wire(lambda _: told()).books)


async def test_an_invoice_with_a_mismatching_number_has_a_reason_of_its_own() -> None:
    with pytest.raises(Refused) as caught:
        await Wire(lambda _: refused(4097)).books.create_invoice({**PAYLOAD, "invoice_number": "A-1"})
    assert caught.value.reason == "books_number_mismatch"


# --- found


async def test_a_reference_is_compared_exactly_on_every_row() -> None:
    rows = [row(1, reference_number="KN-1001"), row(2, reference_number="KN-10010"), row(3, reference_number="kn-1001")]
    wire = Wire(pages("invoices", rows))
    assert [found.id for found in await wire.books.find_invoices("KN-1001")] == ["1"]
    assert wire.last.params["reference_number"] == "KN-1001"


async def test_a_number_is_compared_exactly_on_every_row() -> None:
    wire = Wire(pages("invoices", [row(1, invoice_number="A-1"), row(2, invoice_number="A-11")]))
    assert [found.id for found in await wire.books.find_invoices_by_number("A-1")] == ["1"]
    assert wire.last.params["invoice_number"] == "A-1"


async def test_estimates_and_credit_notes_are_found_by_reference() -> None:
    wire = Wire(lambda asked: pages(asked.path[1:], [row(1), row(2, reference_number="other")])(asked))
    assert [found.id for found in await wire.books.find_estimates("KN-1001")] == ["1"]
    assert [found.id for found in await wire.books.find_credit_notes("KN-1001")] == ["1"]


async def test_payments_are_found_by_reference_and_customer() -> None:
    rows = [{"payment_id": str(n), "reference_number": reference, "customer_id": customer}
            for n, (reference, customer) in enumerate([("pay_1", "7"), ("pay_1", "8"), ("pay_2", "7")])]  # fmt: skip
    for key in ("customerpayments", "customer_payments"):
        wire = Wire(pages(key, rows))
        assert [found.id for found in await wire.books.find_payments("pay_1", "7")] == ["0"], key
        assert wire.asked[0].params["customer_id"] == "7"


LOOKS: list[Callable[[Books], Awaitable[object]]] = [
    lambda books: books.find_invoices("KN-1001"),
    lambda books: books.find_payments("pay_1", "7"),
    lambda books: books.find_contacts_by_name("Demo Customer"),
    lambda books: books.find_items_by_sku("RICE-5"),
    lambda books: books.credit_note_refunds("1"),
]


@pytest.mark.parametrize("look", LOOKS)
async def test_an_answer_without_the_list_is_no_proof_that_there_is_nothing(
    look: Callable[[Books], Awaitable[object]],
) -> None:
    with pytest.raises(ZohoUnavailable, match="answered without"):
        await look(Wire(lambda _: told()).books)


@pytest.mark.parametrize("read", [Books.invoice, Books.estimate, Books.credit_note, Books.payment, Books.adjustment])
async def test_a_document_that_is_not_there_is_none(read: Callable[[Books, str], Awaitable[object]]) -> None:
    assert await read(Wire(lambda _: refused(1002, "Invoice does not exist.")).books, "1") is None


# --- changed and listed

SINCE = datetime(2026, 8, 1, 6, 30, 0, 500_000, tzinfo=UTC)


async def test_changed_invoices_are_asked_for_newest_first_in_books_own_way_to_write_time() -> None:
    wire = Wire(pages("invoices", []))
    assert [found async for found in wire.books.changed_invoices(SINCE.astimezone(INDIA))] == []
    assert "last_modified_time=2026-08-01T06%3A30%3A00%2B0000" in wire.last.query
    assert (wire.last.params["sort_column"], wire.last.params["sort_order"]) == ("last_modified_time", "D")


async def test_where_the_filter_is_ignored_reading_ends_at_the_first_older_invoice() -> None:
    times = ["2026-08-01T12:00:01+0530", "", "2026-08-01T12:00:00+0530", "2026-08-01T11:59:59+0530"]
    rows = [row(n, last_modified_time=time) for n, time in enumerate(times)]
    wire = Wire(pages("invoices", rows + [row(n, last_modified_time=times[-1]) for n in range(10, 500)]))
    assert [found.id async for found in wire.books.changed_invoices(SINCE)] == ["0", "1", "2"]
    assert len(wire.asked) == 1


@pytest.mark.parametrize("kind", ["estimates", "creditnotes"])
async def test_what_books_does_not_sort_by_change_is_read_to_the_end_and_compared(kind: str) -> None:
    times = ["2026-08-01T11:59:59+0530", "2026-08-01T12:00:00+0530"]
    rows = [row(n, last_modified_time=times[n % 2]) for n in range(250)]
    wire = Wire(pages(kind, rows))
    changed = wire.books.changed_estimates(SINCE) if kind == "estimates" else wire.books.changed_credit_notes(SINCE)
    assert [int(found.id) async for found in changed] == list(range(1, 250, 2))
    assert (len(wire.asked), wire.last.params["sort_column"]) == (2, "created_time")


async def test_invoices_between_two_days_are_those_of_both_days_too() -> None:
    days = ["2026-07-31", "2026-08-01", "2026-08-15", "2026-08-31", "2026-09-01"]
    wire = Wire(pages("invoices", [row(n, date=day) for n, day in enumerate(days)]))
    rows = wire.books.invoices_between(date(2026, 8, 1), date(2026, 8, 31))
    assert [found.id async for found in rows] == ["1", "2", "3"]
    assert (wire.last.params["date_start"], wire.last.params["date_end"]) == ("2026-08-01", "2026-08-31")


# --- what is done with them

STEPS: list[tuple[Callable[[Books], Awaitable[object]], str, str]] = [
    (lambda books: books.mark_invoice_sent("1"), "POST", "/invoices/1/status/sent"),
    (lambda books: books.void_invoice("1"), "POST", "/invoices/1/status/void"),
    (lambda books: books.submit_invoice("1"), "POST", "/invoices/1/submit"),
    (lambda books: books.approve_invoice("1"), "POST", "/invoices/1/approve"),
    (lambda books: books.email_invoice("1"), "POST", "/invoices/1/email"),
    (lambda books: books.delete_invoice("1"), "DELETE", "/invoices/1"),
    (lambda books: books.mark_estimate_sent("1"), "POST", "/estimates/1/status/sent"),
    (lambda books: books.mark_estimate_accepted("1"), "POST", "/estimates/1/status/accepted"),
    (lambda books: books.mark_credit_note_open("1"), "POST", "/creditnotes/1/status/open"),
    (lambda books: books.void_credit_note("1"), "POST", "/creditnotes/1/status/void"),
    (lambda books: books.delete_payment("1"), "DELETE", "/customerpayments/1"),
]


@pytest.mark.parametrize(("call", "method", "path"), STEPS)
async def test_each_step_of_a_document_is_one_call(
    call: Callable[[Books], Awaitable[object]], method: str, path: str
) -> None:
    wire = Wire(lambda _: told())
    await call(wire.books)
    assert [(asked.method, asked.path) for asked in wire.asked] == [(method, path)]


async def test_documents_and_payments_are_changed_by_their_id() -> None:
    wire = Wire(lambda _: told(invoice=INVOICE, estimate={"estimate_id": "2"}, payment={"payment_id": "3"}))
    assert (await wire.books.update_invoice("1", {"notes": "x"})).number == "INV-00001"
    assert (await wire.books.update_estimate("2", {"notes": "x"})).id == "2"
    assert (await wire.books.update_payment("3", {"description": "x"})).id == "3"
    assert [(asked.method, asked.path) for asked in wire.asked] == [
        ("PUT", "/invoices/1"), ("PUT", "/estimates/2"), ("PUT", "/customerpayments/3"),
    ]  # fmt: skip


async def test_an_estimate_is_made() -> None:
    wire = Wire(lambda _: (201, told(estimate={"estimate_id": "2", "estimate_number": "QT-2"})))
    assert (await wire.books.create_estimate(PAYLOAD, own_number=True)).number == "QT-2"
    assert wire.last.params == {"ignore_auto_number_generation": "true"}


# --- credit notes and money


async def test_a_credit_note_names_the_invoice_it_credits() -> None:
    made = {"creditnote_id": "2", "creditnote_number": "CN-2", "invoice_id": "1"}
    wire = Wire(lambda _: (201, told(creditnote=made)))
    assert (await wire.books.create_credit_note(PAYLOAD, invoice_id="1")).id == "2"
    assert (wire.last.path, wire.last.params) == ("/creditnotes", {"invoice_id": "1"})
    await wire.books.create_credit_note(PAYLOAD, invoice_id=None, own_number=True)
    assert wire.last.params == {"ignore_auto_number_generation": "true"}


async def test_a_credit_note_is_applied_with_exact_amounts() -> None:
    wire = Wire(lambda _: told())
    await wire.books.apply_credit_note("2", [Applied("1", Decimal("100.10"))])
    assert (wire.last.method, wire.last.path) == ("POST", "/creditnotes/2/invoices")
    assert wire.last.content == b'{"invoices":[{"amount_applied":100.10,"invoice_id":"1"}]}'


async def test_a_credit_note_is_paid_back_and_its_refunds_are_read() -> None:
    refund = {"creditnote_refund_id": "5", "date": "2026-08-02", "amount": 100.0, "reference_number": "rfnd_1"}
    wire = Wire(lambda asked: told(creditnote_refunds=[refund]) if asked.method == "GET"
                else told(creditnote_refund={**refund, "from_account_id": "9"}))  # fmt: skip
    made = await wire.books.refund_credit_note("2", {"amount": Decimal(100)})
    assert (made.id, made.amount, made.date, made.reference, made.account_id) == (
        "5", Decimal(100), date(2026, 8, 2), "rfnd_1", "9",
    )  # fmt: skip
    assert [one.id for one in await wire.books.credit_note_refunds("2")] == ["5"]
    assert wire.last.path == "/creditnotes/2/refunds"


@pytest.mark.parametrize("key", ["payment_refund", "payment_refunds"])
async def test_a_payment_is_paid_back_whatever_the_answer_calls_it(key: str) -> None:
    refund = {"payment_refund_id": "6", "amount": "18.00"}
    wire = Wire(lambda _: told(**{key: [refund] if key.endswith("s") else refund}))
    assert (await wire.books.refund_payment("1", {"amount": Decimal(18)})).amount == Decimal(18)
    assert wire.last.path == "/customerpayments/1/refunds"


async def test_a_payment_is_made_with_a_key_of_its_own() -> None:
    made = {"payment_id": "3", "reference_number": "pay_1", "cf_shop_payment": "pay_1"}
    wire = Wire(lambda _: told(payment=made))
    payment = await wire.books.create_payment(
        {"reference_number": "pay_1"}, unique=UniqueKey("cf_shop_payment", "pay_1")
    )
    assert payment.id == "3"
    assert (wire.last.method, wire.last.path) == ("PUT", "/customerpayments")
