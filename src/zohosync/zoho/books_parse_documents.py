"""Documents of Books to what they mean: invoices, estimates, credit notes, payments and refunds.

https://www.zoho.com/books/api/v3/invoices/
"""

from collections.abc import Mapping
from decimal import Decimal

from zohosync.zoho.books_records import Applied, Document, DocumentLine, DocumentTax, Payment, Refund
from zohosync.zoho.books_values import custom_values, day, number, objects, text, yes
from zohosync.zoho.protocol import Json


def parse_document(row: Json, noun: str) -> Document:
    """An invoice, estimate or creditnote (``noun``), read by itself or as a row of its list, which has no lines.

    One document tells the ids of others, an invoice its estimate's, so the noun says which are its own.
    """
    return Document(
        id=text(row, f"{noun}_id"),
        number=text(row, f"{noun}_number"),
        reference=text(row, "reference_number"),
        status=text(row, "status"),
        customer_id=text(row, "customer_id"),
        date=day(row, "date"),
        total=number(row, "total"),
        sub_total=number(row, "sub_total"),
        tax_total=number(row, "tax_total"),
        balance=number(row, "balance"),
        adjustment=number(row, "adjustment"),
        round_off=number(row, "roundoff_value"),
        place_of_supply=text(row, "place_of_supply"),
        gst_treatment=text(row, "gst_treatment"),
        gst_no=text(row, "gst_no"),
        inclusive=yes(row, "is_inclusive_tax"),
        tax_rounding=text(row, "tax_rounding"),
        lines=tuple(_line(line) for line in objects(row, "line_items")),
        taxes=tuple(_tax(tax) for tax in objects(row, "taxes")),
        modified_at=text(row, "last_modified_time"),
        custom=custom_values(row),
        fields=dict(row),
    )


def parse_payment(row: Json) -> Payment:
    """From a row of the list, which names no invoices by id, or from a payment read by itself."""
    return Payment(
        id=text(row, "payment_id"),
        number=text(row, "payment_number"),
        reference=text(row, "reference_number"),
        customer_id=text(row, "customer_id"),
        date=day(row, "date"),
        amount=number(row, "amount"),
        unused=number(row, "unused_amount"),
        mode=text(row, "payment_mode"),
        account_id=text(row, "account_id"),
        applied=tuple(
            Applied(text(entry, "invoice_id"), number(entry, "amount_applied")) for entry in objects(row, "invoices")
        ),
        fields=dict(row),
    )


def parse_refund(row: Json) -> Refund:
    """Money paid back of a credit note or of a payment."""
    return Refund(
        id=text(row, "creditnote_refund_id", "payment_refund_id"),
        date=day(row, "date"),
        amount=number(row, "amount"),
        reference=text(row, "reference_number"),
        account_id=text(row, "from_account_id", "account_id"),
        fields=dict(row),
    )


def _line(row: Json) -> DocumentLine:
    return DocumentLine(
        id=text(row, "line_item_id"),
        item_id=text(row, "item_id"),
        name=text(row, "name"),
        hsn=text(row, "hsn_or_sac"),
        quantity=number(row, "quantity"),
        rate=number(row, "rate"),
        discount=number(row, "discount_amount", "discount"),
        tax_id=text(row, "tax_id"),
        tax_percentage=number(row, "tax_percentage"),
        total=number(row, "item_total"),
        taxes=_components(objects(row, "line_item_taxes")),
        fields=dict(row),
    )


def _components(rows: list[Json]) -> Mapping[str, Decimal]:
    """Two components of one name are added up, so that none is lost."""
    found: dict[str, Decimal] = {}
    for row in rows:
        name = text(row, "tax_name")
        found[name] = found.get(name, Decimal(0)) + number(row, "tax_amount")
    return found


def _tax(row: Json) -> DocumentTax:
    return DocumentTax(name=text(row, "tax_name"), amount=number(row, "tax_amount"), tax_id=text(row, "tax_id"))
