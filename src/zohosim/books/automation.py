"""The automation of Books: changes of records fire webhooks, and the calls that set webhooks up.

https://www.zoho.com/books/api/v3/webhooks/
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer
from zohosim.books.answers import BooksRefused, said, told
from zohosim.books.fields import body_of
from zohosim.books.modules import MODULES, detail_of
from zohosim.books.records import Row, no_such
from zohosim.books.webhooks import ENTITIES, EVENTS, read_rule
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation
    from zohosim.simulator import Simulator


def announce(sim: "Simulator", organisation: "Organisation", table: str, event: str, row: Row) -> None:
    """Fire the rules that a change of a record calls. Stock that a document moves changes no item, so calls none."""
    for rule in organisation.webhooks.rules:
        if ENTITIES[rule.entity] != table or event not in (EVENTS[wanted] for wanted in rule.events):
            continue
        if organisation.webhooks.may_send(organisation.ledger.today().isoformat()):
            detail = detail_of(sim, organisation, table, row)
            sim.books.courier.take(
                rule.delivery(node_of(sim, rule.entity), detail, event, str(row[MODULES[table].id_key]))
            )


def node_of(sim: "Simulator", entity: str) -> str:
    """The name the record has in the payload; of payments nobody has seen it."""
    return str(sim.switches["books_payment_webhook_node"]) if entity == "customerpayment" else entity


# Calls


def create_webhook(sim: "Simulator", call: Call) -> Answer:
    organisation = sim.books.organisation_of(call)
    rule = read_rule(body_of(call), organisation.ledger.new_id())
    try:
        organisation.webhooks.add(rule)
    except ValueError as wrong:
        raise BooksRefused(400, 2, str(wrong)) from None
    return said("The webhook has been created.", 201, webhook=rule.shown())


def list_webhooks(sim: "Simulator", call: Call) -> Answer:
    return told(webhooks=[rule.shown() for rule in sim.books.organisation_of(call).webhooks.rules])


def delete_webhook(sim: "Simulator", call: Call) -> Answer:
    if not sim.books.organisation_of(call).webhooks.remove(call.path_params["id"]):
        raise no_such(sim, "Webhook")
    return said("The webhook has been deleted.")
