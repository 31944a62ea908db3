"""Settlements: money of payments and credit notes that is applied to invoices, and what that leaves due.

One row for each application, in a table of its own, is the truth; the sums on the documents follow it.
https://www.zoho.com/books/api/v3/customer-payments/
"""

from collections.abc import Iterable
from decimal import Decimal

from zohosim.answers import Json
from zohosim.books.fields import amount, entity_id, invalid
from zohosim.books.records import Ledger, Row, touch
from zohosim.books.refusals import unseen
from zohosim.books.totals import ZERO, rounded

TABLE = "applications"
PAYMENT, CREDIT = "payment_id", "creditnote_id"
"""Which of its keys says what an application came from."""

SOURCES = {
    PAYMENT: ("customerpayments", "amount", "unused_amount", "payment_refunds"),
    CREDIT: ("creditnotes", "total", "balance", "creditnote_refunds"),
}
"""Of each: its table, what it is worth, what is left of it, and the table of what was paid back of it."""

Wanted = dict[str, Decimal]
"""Amounts by invoice."""


def read_wanted(given: object, id_key: str = "invoice_id") -> Wanted:
    """`[{invoice_id, amount_applied}]` as amounts by id."""
    if not isinstance(given, list) or not all(isinstance(part, dict) for part in given):
        raise invalid("invoices")
    found: Wanted = {}
    for part in given:
        key = entity_id(id_key, part.get(id_key, ""))
        found[key] = found.get(key, ZERO) + rounded(amount("amount_applied", part.get("amount_applied", "")))
    return found


def of(ledger: Ledger, key: str, row_id: str) -> list[Row]:
    """The applications of an invoice, a payment or a credit note."""
    return [row for row in ledger.rows(TABLE) if row.get(key) == row_id]


def applied(ledger: Ledger, key: str, row_id: str) -> Decimal:
    return sum((row["amount"] for row in of(ledger, key, row_id)), ZERO)


def refunded(ledger: Ledger, key: str, row_id: str) -> Decimal:
    return sum((row["amount"] for row in ledger.rows(SOURCES[key][3]) if row[key] == row_id), ZERO)


def used(ledger: Ledger, key: str, row_id: str) -> Decimal:
    """What of a payment or credit note is applied or paid back."""
    return applied(ledger, key, row_id) + refunded(ledger, key, row_id)


def resum(ledger: Ledger, key: str, row_id: str) -> None:
    """Bring what is left of a payment or credit note in line with what is used of it."""
    table, worth, left, _ = SOURCES[key]
    row = ledger.find(table, row_id)
    if row is not None:
        row[left] = row[worth] - used(ledger, key, row_id)


def check_balances(ledger: Ledger, wanted: Wanted, customer_id: str, freed: Iterable[Row] = ()) -> None:
    """Refuse what no invoice of the customer takes, or more than one has left. `freed` is applied no more by then."""
    released: Wanted = {}
    for row in freed:
        released[row["invoice_id"]] = released.get(row["invoice_id"], ZERO) + row["amount"]
    for invoice_id, sum_applied in wanted.items():
        invoice = ledger.find("invoices", invoice_id)
        if invoice is None or invoice["customer_id"] != customer_id:
            raise invalid("invoice_id")
        if sum_applied > invoice["balance"] + released.get(invoice_id, ZERO):
            raise unseen("The amount applied is more than the balance of the invoice.")


def apply(ledger: Ledger, key: str, row: Row, wanted: Wanted) -> None:
    """Apply money of a payment or credit note, whose row this is, to invoices."""
    for invoice_id, sum_applied in wanted.items():
        if sum_applied > ZERO:
            own_id = ledger.new_id()
            ledger.tables[TABLE][own_id] = {
                "id": own_id, key: row[key], "invoice_id": invoice_id, "amount": sum_applied, "date": row["date"],
            }  # fmt: skip
            settle(ledger, invoice_id)
    resum(ledger, key, row[key])


def release(ledger: Ledger, rows: Iterable[Row]) -> None:
    for row in rows:
        del ledger.tables[TABLE][row["id"]]
        settle(ledger, row["invoice_id"])
        key = PAYMENT if row.get(PAYMENT) else CREDIT
        resum(ledger, key, row[key])


def settle(ledger: Ledger, invoice_id: str) -> None:
    """Bring the sums of an invoice in line with what is applied to it."""
    invoice = ledger.find("invoices", invoice_id)
    if invoice is None:
        return
    mine = of(ledger, "invoice_id", invoice_id)
    paid = [row for row in mine if row.get(PAYMENT)]
    invoice["payment_made"] = sum((row["amount"] for row in paid), ZERO)
    invoice["credits_applied"] = sum((row["amount"] for row in mine if row.get(CREDIT)), ZERO)
    invoice["last_payment_date"] = max((row["date"] for row in paid), default="")
    invoice["balance"] = balance_of(invoice)
    touch(ledger, invoice)


def balance_of(invoice: Row) -> Decimal:
    taken = ("payment_made", "credits_applied", "write_off_amount", "tax_amount_withheld")
    total: Decimal = invoice["total"]
    return total - sum((invoice[key] for key in taken), ZERO)


def told(ledger: Ledger, row: Row, own_id: str) -> Json:
    """An application as payments tell it; `own_id` is what its id is called."""
    invoice = ledger.tables["invoices"][row["invoice_id"]]
    return {
        own_id: row["id"], "invoice_id": row["invoice_id"], "invoice_number": invoice["invoice_number"],
        "date": invoice["date"], "invoice_amount": invoice["total"], "total_amount": invoice["total"],
        "amount_applied": row["amount"], "balance_amount": invoice["balance"], "tax_amount_withheld": ZERO,
    }  # fmt: skip
