"""The payment of an invoice: recorded once, for what the customer paid.

https://www.zoho.com/books/api/v3/customer-payments/#create-a-payment
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from zohosync.errors import NotReady, RecordInvalid, Refused
from zohosync.gst.dates import business_date
from zohosync.store.documents import StoredDocument, find_estrangements, save_document
from zohosync.sync.books.invoice_decision import COD
from zohosync.sync.books.making import Case, Matter, claim_of, unique_key
from zohosync.zoho.books_records import Document, Payment

MODULE = "customerpayments"
ENTITY = "order"


async def settle_invoice(case: Case, stored: StoredDocument, document: Document) -> StoredDocument:
    """Record the payment of a sent invoice. One that somebody recorded by hand counts; a part of it asks a person.

    The amount is what the customer paid. Should an accepted invoice be less, the rest stays as unused credit.
    """
    balance = document.balance if document.balance or document.status == "paid" else document.total
    if document.total == 0 or balance == 0:
        return await _keep(case, replace(stored, step="settled", settled_amount=document.total, status="paid"), None)
    if balance != document.total:
        found = await _find(case, stored)
        if found is None:
            raise _partly_paid(stored, document)
        return await _keep(case, _settled(stored, document, found), found)
    payment = await _ensure_payment(case, stored, document)
    return await _keep(case, _settled(stored, document, payment), payment)


def draft_payment(case: Matter, stored: StoredDocument, due: Decimal) -> dict[str, Any]:
    """The payment as it is sent. Its day is never before the invoice's."""
    order, policies = case.order, case.policies
    paid = order.total if order.total else due
    payload: dict[str, Any] = {
        "customer_id": stored.customer_id,
        "payment_mode": policies.mode_of(order.payment_method),
        "amount": paid,
        "date": payment_date(case, stored).isoformat(),
        "reference_number": payment_reference(case),
        "description": f"Order {order.order_number}",
        "invoices": [{"invoice_id": stored.zoho_id, "amount_applied": min(paid, due)}],
    }
    account = policies.deposit_accounts.get(order.payment_method or "")
    if account:
        payload["account_id"] = account
    if policies.location_id:
        payload["location_id"] = policies.location_id
    if policies.unique_reference_field:
        payload["custom_fields"] = [{"api_name": policies.unique_reference_field, "value": stored.reference}]
    return payload


def payment_reference(case: Matter) -> str:
    """What the payment is looked for by: the gateway's id where the shop keeps it, else the order's number."""
    return (case.order.payment_reference or case.order.order_number)[:100]


def payment_date(case: Matter, stored: StoredDocument) -> date:
    """The business day the money came, as far as the shop tells."""
    instant = case.order.paid_at
    if instant is None and case.order.payment_method != COD:
        return stored.document_date
    if instant is None:  # the money of a delivery comes later than its invoice
        instant = case.operation.requested_at or case.desk.clock.now()
    return max(business_date(instant, case.office.zone), stored.document_date)


async def _ensure_payment(case: Case, stored: StoredDocument, document: Document) -> Payment:
    claim = claim_of(case, MODULE, ENTITY)
    async with case.desk.pool.connection() as connection:
        begun = await claim.find(connection)
    if begun is not None:  # a payment was sent, and nobody knows what became of it
        found = await _find(case, stored)
        if found is not None:
            return found
        if unique_key(case, stored.reference) is None and not await claim.was_sought(case.desk.policy.look_again):
            raise NotReady(
                "Nobody knows whether the payment was recorded; Books is asked again in a moment.",
                wait_for="parent",
                hint="It continues by itself.",
            )
    moved = await _move_payment(case, stored, document)
    if moved is not None:
        return moved
    if not await claim.take(payment_reference(case)):
        raise NotReady("Somebody is recording this payment just now.", wait_for="parent", hint="It looks again soon.")
    try:
        return await case.books.create_payment(
            draft_payment(case, stored, document.total), unique=unique_key(case, stored.reference)
        )
    except Refused:
        await claim.release()
        raise


async def _move_payment(case: Case, stored: StoredDocument, document: Document) -> Payment | None:
    """The customer paid once: where an earlier invoice of the order was let go, its payment is this one's."""
    async with case.desk.pool.connection() as connection:
        estranged = await find_estrangements(
            connection, entity=ENTITY, module="invoices", record_ids=[case.operation.record_id]
        )
    if not estranged:
        return None
    for row in await case.books.find_payments(payment_reference(case), stored.customer_id):
        payment = await case.books.payment(row.id)
        if payment is None:
            continue
        if payment.unused < min(document.total, payment.amount):
            raise RecordInvalid(
                f"The payment of {case.order.order_number} is recorded on an earlier invoice.",
                hint=f"Void that invoice in Books, or move payment {payment.number or payment.id} to invoice"
                f" {stored.number} there; then press Sync now.",
                code="payment_on_other_invoice",
            )
        due = min(document.total, payment.unused)
        return await case.books.update_payment(
            payment.id, {"invoices": [{"invoice_id": stored.zoho_id, "amount_applied": due}]}
        )
    return None


async def _find(case: Case, stored: StoredDocument) -> Payment | None:
    """Our payment in Books: the reference, the customer, and applied to this very invoice."""
    for row in await case.books.find_payments(payment_reference(case), stored.customer_id):
        payment = row if row.applied else await case.books.payment(row.id)
        if payment is not None and any(applied.invoice_id == stored.zoho_id for applied in payment.applied):
            return payment
    return None


async def _keep(case: Case, stored: StoredDocument, payment: Payment | None) -> StoredDocument:
    case.batch.lease.check()
    async with case.desk.pool.connection() as connection, connection.transaction():
        if payment is not None:
            await claim_of(case, MODULE, ENTITY).keep(connection, payment.id, {"reference": payment.reference})
        await save_document(connection, stored)
    case.batch.note_progress(case.operation)
    return stored


def _settled(stored: StoredDocument, document: Document, payment: Payment) -> StoredDocument:
    """What the payment settles of it: less than all when a person accepted a larger invoice."""
    applied = sum((one.amount for one in payment.applied if one.invoice_id == stored.zoho_id), Decimal(0))
    amount = applied or min(payment.amount, document.total)
    status = "paid" if amount >= document.total else "partially_paid"
    return replace(stored, step="settled", status=status, settled_amount=amount)


def _partly_paid(stored: StoredDocument, document: Document) -> RecordInvalid:
    return RecordInvalid(
        f"Invoice {stored.number} has a balance of {document.balance:.2f} of {document.total:.2f}: somebody recorded a"
        " part of the payment by hand.",
        hint="Record the rest in Books, or delete that part there; then press Sync now.",
        code="invoice_partly_paid",
    )
