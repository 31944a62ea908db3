"""The routes of Books v3: what each path is called, needs, and how Books answers.

Scopes: https://www.zoho.com/books/api/v3/oauth/
"""

from typing import TYPE_CHECKING

from starlette.routing import Route

from zohosim.answers import Answer
from zohosim.books import answers, organisations, taxes
from zohosim.calls import Call
from zohosim.faults import Fault
from zohosim.gate import Endpoint, Handler, Manner, Meter, Operation
from zohosim.scopes import Need

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

READ_SETTINGS = (Need("ZohoBooks.settings", ("READ",)),)


def of_organisation(sim: "Simulator", call: Call) -> Meter:
    return sim.books.organisation_of(call).limits


def of_user(sim: "Simulator", _call: Call) -> Meter:
    return sim.books.flood


def busy(sim: "Simulator", _call: Call, fault: Fault) -> Answer:
    """The fault http_429: with the code it asks for, else the one of the minute."""
    code = int(fault.options.get("code", 44))
    refusal = answers.flooded(3600) if code == 43 else answers.too_many(code, most=10_000)
    return answers.refusal_answer(sim, refusal)


ORGANISATION = Manner(of_organisation, answers.refusal_answer, busy, answers.trouble)
USER = Manner(of_user, answers.refusal_answer, busy, answers.trouble)


def read(name: str, path: str, handler: Handler, manner: Manner = ORGANISATION) -> Operation:
    return Operation("books", name, "GET", f"/books/v3{path}", handler, lambda _: READ_SETTINGS, manner=manner)


OPERATIONS = (
    read("organisations", "/organizations", organisations.list_organisations, USER),
    read("organisation", "/organizations/{id}", organisations.get_organisation),
    read("taxes", "/settings/taxes", taxes.list_taxes),
)


def routes() -> list[Route]:
    return [Route(op.path, Endpoint(op), methods=[op.method]) for op in OPERATIONS]
