"""The hindrances of a write: ordered faults of the kind `hindered`, and the locked period, before a handler begins.

What needs a document's own figures (credit limit, plan, mails, approval) is asked where those are at hand.
https://www.zoho.com/books/help/accountant/transaction-locking.html
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zohosim.books.preferences import hindered
from zohosim.calls import Call
from zohosim.faults import Fault

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation
    from zohosim.simulator import Simulator

TRANSACTIONS = ("invoices", "creditnotes", "customerpayments", "inventoryadjustments")
"""Tables that the locking of transactions concerns; estimates are none."""


def hinder(sim: "Simulator", call: Call, strikes: list[Fault]) -> None:
    """Refused when something is in the way of this write; nothing is written then."""
    for fault in strikes:
        raise hindered(str(fault.options["reason"]))
    organisation = sim.books.organisation_of(call)
    organisation.preferences.check_open(days_of(organisation, call))


def days_of(organisation: "Organisation", call: Call) -> Iterator[str]:
    """The day the body gives a transaction, and the one that the transaction of the path has."""
    table = call.path.split("/")[3]
    if table not in TRANSACTIONS:
        return
    if isinstance(call.payload, dict) and isinstance(call.payload.get("date"), str):
        yield call.payload["date"]
    row = organisation.ledger.find(table, call.path_params.get("id", ""))
    if row is not None:
        yield str(row.get("date", ""))
