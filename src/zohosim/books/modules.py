"""The modules of Books by the name of their table, and calls of them that come from within: a button, a webhook."""

from typing import TYPE_CHECKING

from zohosim.answers import Json
from zohosim.books import records, resources
from zohosim.books.adjustments import ADJUSTMENTS
from zohosim.books.contacts import CONTACTS
from zohosim.books.credit_notes import CREDIT_NOTES
from zohosim.books.estimates import ESTIMATES
from zohosim.books.invoices import INVOICES
from zohosim.books.items import ITEMS
from zohosim.books.payments import PAYMENTS
from zohosim.books.records import Row
from zohosim.books.resources import Module, Visit
from zohosim.calls import Call
from zohosim.data_centres import face_of

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation
    from zohosim.simulator import Simulator

MODULES: dict[str, Module] = {
    module.name: module for module in (CONTACTS, ITEMS, ADJUSTMENTS, INVOICES, ESTIMATES, PAYMENTS, CREDIT_NOTES)
}


def call_within(
    sim: "Simulator", organisation: "Organisation", method: str, path: str, body: Json | None = None, **names: str
) -> Call:
    """A call as a person of the organisation would make it; `names` are the parameters of the path."""
    return Call(
        method=method,
        path=f"/books/v3{path}",
        service="books",
        operation="",
        module="",
        face=face_of("https", "localhost", "", sim.data_centre, sim.api_base),
        params={"organization_id": organisation.id},
        headers={},
        body=b"",
        path_params=names,
        payload=body,
    )


def detail_of(sim: "Simulator", organisation: "Organisation", table: str, row: Row) -> Json:
    """What a GET of the row would show."""
    module = MODULES.get(table)
    if module is None:
        return records.shown(row)
    return resources.shown(module, Visit(sim, organisation, call_within(sim, organisation, "GET", f"/{table}")), row)
