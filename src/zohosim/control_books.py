"""The control plane of Books, `/_sim/books/…`: webhooks and the administrator's preferences.

Shapes are in the package's README.md.
"""

from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from zohosim.answers import Json
from zohosim.books.webhooks import MOST_CALLS, read_rule
from zohosim.control import Control, Order, number, serve

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation


def organisation_of(order: Order) -> "Organisation":
    """The one asked for, else the first."""
    books = order.sim.books
    asked = order.given.get("organisation_id") or order.request.query_params.get("organisation_id")
    return books.organisation(str(asked or next(iter(books.organisations), "")))


def without_organisation(given: Json) -> Json:
    return {name: value for name, value in given.items() if name != "organisation_id"}


def preferences(order: Order) -> Json:
    """{organisation_id?, approvals?, locked_until?, credit_limit?, invoices_per_year?, mails_per_day?,
    payment_modes?}.
    """
    wanted = organisation_of(order).preferences
    wanted.set(without_organisation(order.given))
    return wanted.shown()


def custom_fields(order: Order) -> Json:
    defined = organisation_of(order).ledger.definitions.fields
    return {"custom_fields": [field.described() for field in defined]}


def define_custom_field(order: Order) -> Json:
    """{module, label, unique?, data_type?, api_name?, organisation_id?}; without the last one in all of them."""
    defined = order.sim.seed_books_field(**order.given)
    return {"custom_fields": [field.described() for field in defined]}


def webhooks(order: Order) -> Json:
    """The rules, how they are delivered, how many calls were made today."""
    organisation, courier = organisation_of(order), order.sim.books.courier
    courier.pump()
    made = organisation.webhooks.sent.get(organisation.ledger.today().isoformat(), 0)
    return {
        "rules": [rule.shown() for rule in organisation.webhooks.rules],
        "delivery": courier.mode,
        "delay": courier.delay,
        "underway": courier.underway,
        "today": {"made": made, "dropped": max(made - MOST_CALLS, 0), "allowance": MOST_CALLS},
    }


def set_webhooks(order: Order) -> Json:
    """A rule, as a call of Books would make it; {delivery, delay?}; {flush: true}; {made: calls of today}."""
    given, organisation, courier = order.given, organisation_of(order), order.sim.books.courier
    if "delivery" in given:
        courier.set(str(given["delivery"]), number(given.get("delay", 0), "delay"))
    if "made" in given:
        day = organisation.ledger.today().isoformat()
        organisation.webhooks.sent[day] = int(number(given["made"], "made"))
    if "url" in given:
        organisation.webhooks.add(read_rule(given, organisation.ledger.new_id()))
    if given.get("flush"):
        courier.pump(everything=True)
    return webhooks(order)


def delete_webhooks(order: Order) -> Json:
    """The one of this `id`, or all."""
    wanted, kept = order.request.query_params.get("id", ""), organisation_of(order).webhooks
    for rule in list(kept.rules):
        if wanted in ("", rule.id):
            kept.remove(rule.id)
    return webhooks(order)


TABLE: tuple[tuple[str, str, Control], ...] = (
    ("GET", "preferences", preferences),
    ("POST", "preferences", preferences),
    ("GET", "customfields", custom_fields),
    ("POST", "customfields", define_custom_field),
    ("GET", "webhooks", webhooks),
    ("POST", "webhooks", set_webhooks),
    ("DELETE", "webhooks", delete_webhooks),
)


def routes() -> list[Route]:
    return [Route(f"/_sim/books/{name}", partial(serve, control), methods=[method]) for method, name, control in TABLE]
