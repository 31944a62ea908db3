"""The routes of documents: invoices, estimates, payments, credit notes, and what is done with them.

Scopes: https://www.zoho.com/books/api/v3/oauth/
"""

from functools import partial

from zohosim.books import applied, approvals, credit_note_states, estimate_states, invoice_states, payments, refunds
from zohosim.books.credit_notes import CREDIT_NOTES, PAID_BACK
from zohosim.books.estimates import ESTIMATES
from zohosim.books.invoices import INVOICES
from zohosim.books.operations import collection, in_inventory, operation
from zohosim.books.payments import EXCESS, PAYMENTS
from zohosim.books.refunds import Source
from zohosim.books.resources import Module
from zohosim.gate import Handler, Operation


def step(module: str, node: str, path: str, handler: Handler) -> Operation:
    """A POST without a body that moves one document on: `status/sent` is the operation `invoice_status_sent`."""
    name = f"{node}_{path.replace('/', '_')}"
    return operation(name, "POST", f"/{module}/{{id}}/{path}", handler, f"{module}.CREATE")


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


def of_approval(module: Module) -> list[Operation]:
    return [
        step(module.name, module.node, "submit", partial(approvals.submit, module)),
        step(module.name, module.node, "approve", partial(approvals.approve, module)),
    ]


OF_INVOICES: tuple[Operation, ...] = (
    *collection(INVOICES, "invoices", singular="invoice"),
    step("invoices", "invoice", "status/sent", invoice_states.mark_sent),
    step("invoices", "invoice", "status/void", invoice_states.mark_void),
    step("invoices", "invoice", "status/draft", invoice_states.mark_draft),
    step("invoices", "invoice", "email", invoice_states.mail),
    step("invoices", "invoice", "writeoff", invoice_states.write_off),
    step("invoices", "invoice", "writeoff/cancel", invoice_states.cancel_write_off),
    *of_approval(INVOICES),
    operation("invoice_payments", "GET", "/invoices/{id}/payments", applied.list_payments, "invoices.READ"),
    operation("invoice_credits", "GET", "/invoices/{id}/creditsapplied", applied.list_credits, "invoices.READ"),
    step("invoices", "invoice", "credits", applied.apply_credits),
    operation(
        "release_invoice_payment", "DELETE", "/invoices/{id}/payments/{invoice_payment_id}", applied.release_payment,
        "invoices.DELETE",
    ),
    operation(
        "release_invoice_credit", "DELETE", "/invoices/{id}/creditsapplied/{creditnotes_invoice_id}",
        applied.release_credit, "invoices.DELETE",
    ),
    operation("convert_estimates", "POST", "/invoices/fromestimates", estimate_states.convert, "invoices.CREATE"),
)  # fmt: skip

OF_ESTIMATES: tuple[Operation, ...] = (
    *collection(ESTIMATES, "estimates", singular="estimate"),
    step("estimates", "estimate", "status/sent", estimate_states.mark_sent),
    step("estimates", "estimate", "status/accepted", estimate_states.accept),
    step("estimates", "estimate", "status/declined", estimate_states.decline),
    step("estimates", "estimate", "email", estimate_states.mail),
    *of_approval(ESTIMATES),
)

OF_CREDIT_NOTES: tuple[Operation, ...] = (
    operation(
        "list_all_creditnote_refunds", "GET", "/creditnotes/refunds", partial(refunds.list_all, PAID_BACK),
        "creditnotes.READ",
    ),
    *collection(CREDIT_NOTES, "creditnotes", singular="creditnote"),
    step("creditnotes", "creditnote", "status/open", credit_note_states.mark_open),
    step("creditnotes", "creditnote", "status/void", credit_note_states.mark_void),
    step("creditnotes", "creditnote", "status/draft", credit_note_states.mark_draft),
    step("creditnotes", "creditnote", "email", credit_note_states.mail),
    *of_approval(CREDIT_NOTES),
    step("creditnotes", "creditnote", "invoices", credit_note_states.apply),
    operation(
        "creditnote_invoices", "GET", "/creditnotes/{id}/invoices", credit_note_states.list_applied, "creditnotes.READ"
    ),
    operation(
        "release_creditnote", "DELETE", "/creditnotes/{id}/invoices/{application_id}", credit_note_states.release,
        "creditnotes.DELETE",
    ),
    *of_refunds(PAID_BACK, "creditnotes"),
)  # fmt: skip

OF_PAYMENTS: tuple[Operation, ...] = (
    *collection(PAYMENTS, "customerpayments", singular="customerpayment"),
    operation(
        "delete_payments", "DELETE", "/customerpayments", payments.delete_many, "customerpayments.DELETE"
    ),
    *of_refunds(EXCESS, "customerpayments"),
)  # fmt: skip

OF_DOCUMENTS: tuple[Operation, ...] = (
    *OF_INVOICES, *OF_ESTIMATES, *OF_PAYMENTS, *OF_CREDIT_NOTES, *in_inventory(OF_INVOICES, "invoices"),
)  # fmt: skip
