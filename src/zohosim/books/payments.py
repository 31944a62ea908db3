"""Customer payments: money that came in, what of it is applied to invoices, and what is left unused.

https://www.zoho.com/books/api/v3/customer-payments/
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import documents, movements, records, resources, settlements
from zohosim.books.answers import said
from zohosim.books.documents import STATE
from zohosim.books.fields import (
    Field,
    amount,
    blanks,
    day,
    entity_id,
    invalid,
    missing,
    number,
    read,
    require,
    text,
)
from zohosim.books.invoices import cause, effect, refresh
from zohosim.books.lists import Listing, Test, everything
from zohosim.books.records import Ledger, Row
from zohosim.books.refunds import Source, check_account
from zohosim.books.refusals import unseen
from zohosim.books.resources import Module, Visit
from zohosim.books.settlements import PAYMENT, Wanted
from zohosim.books.totals import ZERO, rounded
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

FIELDS = (
    Field("customer_id", entity_id),
    Field("payment_mode", text(100)),
    Field("amount", amount),
    Field("date", day, "Date"),
    Field("reference_number", text(100)),
    Field("description", text(2000), "Description"),
    Field("exchange_rate", amount, blank=Decimal(1)),
    Field("bank_charges", number, blank=ZERO),
    Field("account_id", entity_id),
    Field("location_id", entity_id),
    Field("tax_amount_withheld", amount, blank=ZERO),
)
MODES = {
    "check": "Check", "cash": "Cash", "creditcard": "Credit Card", "banktransfer": "Bank Transfer",
    "bankremittance": "Bank Remittance", "autotransaction": "Auto Transaction", "others": "Others",
}  # fmt: skip
"""The modes every organisation has, as they are sent and as they are told to people."""
WANTED = "_wanted"
"""What a body asks to apply, between its check and its storing."""


def create(seen: Visit, body: Json) -> Row:
    require(body, "customer_id", "payment_mode", "amount", "date")
    row: Row = {**blanks(FIELDS), "location_id": seen.organisation.primary_location, **read(body, FIELDS)}
    if not body.get("invoices") and not seen.sim.switches["books_advance_payments"]:
        raise missing("invoices")
    row |= checked(seen, row)
    row[WANTED] = applicable(seen, row, body.get("invoices") or [], [])
    row["payment_number"] = str(seen.ledger.next_in_series("payment"))
    return row


def update(seen: Visit, row: Row, body: Json) -> Row:
    """The invoices of a body replace those the payment had, or are added, as the switch says."""
    after = {**row, **read(body, FIELDS)}
    if after["customer_id"] != row["customer_id"]:
        raise unseen("The customer of a payment cannot be changed.")
    after |= checked(seen, after)
    mine = settlements.of(seen.ledger, PAYMENT, row["payment_id"])
    replaced = mine if "invoices" in body and seen.sim.switches["books_payment_put_replaces"] else []
    after[WANTED] = applicable(seen, after, body.get("invoices") or [], replaced)
    after["_replaced"] = [one["id"] for one in replaced]
    return after


def checked(seen: Visit, row: Row) -> Row:
    """What is looked up for a payment: its customer, mode and account."""
    contact = documents.customer(seen, row["customer_id"])
    mode = mode_of(seen, row["payment_mode"])
    row["amount"] = rounded(row["amount"])
    if row["amount"] <= ZERO:
        raise invalid("amount")
    account_id = row["account_id"] or usual_account(seen.ledger, row["payment_mode"])
    check_account(seen, account_id, "account_id")
    return {
        "customer_name": contact["contact_name"], "email": contact.get("email", ""), "payment_mode_formatted": mode,
        "account_id": account_id, "account_name": seen.ledger.tables["chartofaccounts"][account_id]["account_name"],
        "currency_code": seen.organisation.seed.currency_code, "status": "success", "bcy_amount": row["amount"],
        "location_name": documents.location(seen, row["location_id"])["location_name"],
    }  # fmt: skip


def mode_of(seen: Visit, mode: str) -> str:
    """A mode of the organisation's list, as it is told to people."""
    own = seen.organisation.preferences.payment_modes
    if mode not in MODES and mode not in (*MODES.values(), *own):
        raise invalid("payment_mode")
    return MODES.get(mode, mode)


def usual_account(ledger: Ledger, mode: str) -> str:
    """Where money goes that names no account."""
    wanted = "Petty Cash" if mode == "cash" else "Undeposited Funds"
    return next(str(row["account_id"]) for row in ledger.rows("chartofaccounts") if row["account_name"] == wanted)


def applicable(seen: Visit, row: Row, given: object, replaced: list[Row]) -> Wanted:
    """What is to be applied, checked against the amount, the balances and the invoices themselves."""
    wanted = settlements.read_wanted(given)
    settlements.check_balances(seen.ledger, wanted, row["customer_id"], replaced)
    kept = settlements.used(seen.ledger, PAYMENT, row.get("payment_id", "")) - sum(
        (one["amount"] for one in replaced), ZERO
    )
    if sum(wanted.values(), ZERO) + kept > row["amount"]:
        raise unseen("The amount applied to invoices is more than the amount of the payment.")
    for invoice_id in wanted:
        check_payable(seen, seen.ledger.tables["invoices"][invoice_id], row["date"])
    return wanted


def check_payable(seen: Visit, invoice: Row, on: str) -> None:
    switches = seen.sim.switches
    if invoice[STATE] == "void" or (invoice[STATE] != "sent" and switches["books_payment_on_draft"] == "refuse"):
        raise unseen(f"Payments cannot be recorded for an invoice in status {invoice[STATE]}.")
    if on < invoice["date"] and switches["books_payment_before_invoice"] == "refuse":
        raise unseen("The payment date cannot be before the invoice date.")


def left(row: Row) -> Decimal:
    """The excess: a credit of the customer."""
    unused: Decimal = row["unused_amount"]
    return unused


def stored(seen: Visit, row: Row, _before: Row | None) -> None:
    replaced = [seen.ledger.tables[settlements.TABLE][one] for one in row.pop("_replaced", [])]
    settlements.release(seen.ledger, replaced)
    wanted: Wanted = row.pop(WANTED)
    settlements.apply(seen.ledger, PAYMENT, row, wanted)
    for invoice_id in wanted:
        send_paid(seen, seen.ledger.tables["invoices"][invoice_id])


def send_paid(seen: Visit, invoice: Row) -> None:
    """A draft that is paid is sent by that."""
    before = effect(invoice)
    invoice[STATE] = "sent"
    movements.book(seen, before, effect(invoice), cause(invoice))
    refresh(seen, invoice)


def delete(seen: Visit, row: Row) -> None:
    if settlements.refunded(seen.ledger, PAYMENT, row["payment_id"]):
        raise unseen("A payment of which money was refunded cannot be deleted.")
    settlements.release(seen.ledger, settlements.of(seen.ledger, PAYMENT, row["payment_id"]))


def delete_many(sim: "Simulator", call: Call) -> Answer:
    """`?payment_id=a,b&bulk_delete=true`: all of them, or none."""
    seen = resources.visit(sim, call)
    if call.params.get("bulk_delete") != "true":
        raise missing("bulk_delete")
    wanted = [part for part in call.params.get("payment_id", "").split(",") if part]
    rows = [records.get(sim, seen.organisation, "customerpayments", row_id, "Payment") for row_id in wanted]
    if not rows:
        raise missing("payment_id")
    for row in rows:
        resources.remove(PAYMENTS, seen, row)
    return said("The selected customer payments have been deleted.")


def detail(seen: Visit, row: Row) -> Json:
    applications = settlements.of(seen.ledger, PAYMENT, row["payment_id"])
    paid_back = settlements.refunded(seen.ledger, PAYMENT, row["payment_id"])
    return {
        **records.shown(row),
        "invoices": [settlements.told(seen.ledger, one, "invoice_payment_id") for one in applications],
        "amount_refunded": paid_back,
        "payment_refunds": [
            records.shown(refund) for refund in seen.ledger.rows("payment_refunds")
            if refund["payment_id"] == row["payment_id"]
        ],
    }  # fmt: skip


IN_LIST = (
    "payment_id", "payment_number", "date", "payment_mode", "payment_mode_formatted", "amount", "bcy_amount",
    "unused_amount", "description", "reference_number", "customer_id", "customer_name", "account_id", "account_name",
    "location_id", "location_name", "currency_code", "created_time", "last_modified_time",
)  # fmt: skip


def in_list(seen: Visit, row: Row) -> Json:
    invoices = seen.ledger.tables["invoices"]
    applications = settlements.of(seen.ledger, PAYMENT, row["payment_id"])
    return {
        **{key: row[key] for key in IN_LIST},
        "payment_status": "paid", "settlement_status": "",
        "invoice_numbers": ", ".join(invoices[one["invoice_id"]]["invoice_number"] for one in applications),
        "applied_invoices": [settlements.told(seen.ledger, one, "invoice_payment_id") for one in applications],
    }  # fmt: skip


def paid_by(mode: str) -> Test:
    return lambda row: row["payment_mode"] == mode


PAYMENTS = Module(
    "customerpayments", "payment", "Payment", "payment_id",
    Listing(
        key="customerpayments", report_name="Customer Payments",
        sort_columns=("created_time", "date", "customer_name", "amount", "reference_number", "payment_mode",
                      "last_modified_time"),
        sort_order="D", texts=("customer_name", "reference_number", "payment_mode", "notes"), numbers=("amount",),
        days=("date",), ids=("customer_id",), search=("reference_number", "customer_name", "description"),
        filters={
            "PaymentMode.All": everything, "Status.All": everything,
            **{f"PaymentMode.{name.replace(' ', '')}": paid_by(mode) for mode, name in MODES.items()},
        },
        default_filter="PaymentMode.All",
        elsewhere={"notes": lambda row: (row["description"],)},
    ),
    create, update,
    created="The payment has been created.", saved="The payment details have been updated.",
    removed="The payment has been deleted.", detail=detail, row=in_list, stored=stored, delete=delete,
)  # fmt: skip

EXCESS = Source(
    PAYMENTS, "payment_refunds", "payment_refund_id", left,
    "The refund information for this payment has been saved.", as_list=True,
)  # fmt: skip
