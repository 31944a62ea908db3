"""The routes of documents: invoices, estimates, payments, credit notes, and what is done with them.

Scopes: https://www.zoho.com/books/api/v3/oauth/
"""

from zohosim.books import invoice_states
from zohosim.books.invoices import INVOICES
from zohosim.books.operations import collection, in_inventory, operation
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

OF_DOCUMENTS: tuple[Operation, ...] = (*OF_INVOICES, *in_inventory(OF_INVOICES, "invoices"))
