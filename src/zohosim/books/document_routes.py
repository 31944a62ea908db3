"""The routes of documents: invoices, estimates, payments, credit notes, and what is done with them.

Scopes: https://www.zoho.com/books/api/v3/oauth/
"""

from functools import partial

from zohosim.books import invoice_states, payments, refunds
from zohosim.books.invoices import INVOICES
from zohosim.books.operations import collection, in_inventory, operation
from zohosim.books.payments import EXCESS, PAYMENTS
from zohosim.books.refunds import Source
from zohosim.gate import Handler, Operation


def step(module: str, node: str, path: str, handler: Handler) -> Operation:
    """A POST without a body that moves one document on: `status/sent` is the operation `invoice_status_sent`."""
    name = f"{node}_{path.replace('/', '_')}"
    return operation(name, "POST", f"/{module}/{{id}}/{path}", handler, f"{module}.CREATE")


OF_INVOICES: tuple[Operation, ...] = (
    *collection(INVOICES, "invoices", singular="invoice"),
    step("invoices", "invoice", "status/sent", invoice_states.mark_sent),
    step("invoices", "invoice", "status/void", invoice_states.mark_void),
    step("invoices", "invoice", "status/draft", invoice_states.mark_draft),
    step("invoices", "invoice", "submit", invoice_states.submit),
    step("invoices", "invoice", "approve", invoice_states.approve),
    step("invoices", "invoice", "email", invoice_states.mail),
    step("invoices", "invoice", "writeoff", invoice_states.write_off),
    step("invoices", "invoice", "writeoff/cancel", invoice_states.cancel_write_off),
)


def of_refunds(source: Source, scope: str) -> list[Operation]:
    """The refunds of one document."""
    module, node = source.module.name, source.module.node
    root, one = f"/{module}/{{id}}/refunds", f"/{module}/{{id}}/refunds/{{refund_id}}"
    return [
        operation(f"refund_{node}", "POST", root, partial(refunds.create, source), f"{scope}.CREATE"),
        operation(f"list_{node}_refunds", "GET", root, partial(refunds.list_all, source), f"{scope}.READ"),
        operation(f"get_{node}_refund", "GET", one, partial(refunds.get, source), f"{scope}.READ"),
        operation(f"update_{node}_refund", "PUT", one, partial(refunds.update, source), f"{scope}.UPDATE"),
        operation(f"delete_{node}_refund", "DELETE", one, partial(refunds.delete, source), f"{scope}.DELETE"),
    ]


OF_PAYMENTS: tuple[Operation, ...] = (
    *collection(PAYMENTS, "customerpayments", singular="customerpayment"),
    operation(
        "delete_payments", "DELETE", "/customerpayments", payments.delete_many, "customerpayments.DELETE"
    ),
    *of_refunds(EXCESS, "customerpayments"),
)  # fmt: skip

OF_DOCUMENTS: tuple[Operation, ...] = (*OF_INVOICES, *OF_PAYMENTS, *in_inventory(OF_INVOICES, "invoices"))
