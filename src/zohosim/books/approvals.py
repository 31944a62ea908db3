"""Approvals: documents that have to be submitted and approved before they go on, where an organisation wants that.

https://www.zoho.com/books/api/v3/invoices/#submit-an-invoice-for-approval
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer
from zohosim.books import records, resources
from zohosim.books.answers import said
from zohosim.books.documents import STATE
from zohosim.books.preferences import hindered
from zohosim.books.records import Row
from zohosim.books.refusals import unseen
from zohosim.books.resources import Module, Visit
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

SUBMITTED = {
    "invoices": "The invoice has been submitted for approval successfully.",
    "estimates": "The estimate has been successfully submitted for approval",
    "creditnotes": "The Credit Note has been successfully submitted for approval.",
}


def check_approved(seen: Visit, module: str, row: Row) -> None:
    """Refuse to let a document go on that nobody approved."""
    if seen.organisation.preferences.needs_approval(module) and row[STATE] != "approved":
        raise hindered("needs_approval")


def submit(module: Module, sim: "Simulator", call: Call) -> Answer:
    return _go_on(module, sim, call, ("draft", "pending_approval"), SUBMITTED[module.name])


def approve(module: Module, sim: "Simulator", call: Call) -> Answer:
    said = f"You have approved the {module.entity.lower()}."
    return _go_on(module, sim, call, ("pending_approval", "approved"), said)


def _go_on(module: Module, sim: "Simulator", call: Call, way: tuple[str, str], message: str) -> Answer:
    """Only where approvals are on, and in their order."""
    seen = resources.visit(sim, call)
    row = resources.find_row(module, seen)
    if not seen.organisation.preferences.needs_approval(module.name):
        raise unseen("Approvals are not enabled.")
    if row[STATE] != way[0]:
        raise unseen(f"Only a document in status {way[0]} can go on from there.")
    row[STATE] = row["status"] = way[1]
    records.changed(sim, seen.organisation, module.name, "updated", row)
    return said(message)
