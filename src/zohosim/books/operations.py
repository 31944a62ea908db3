"""The operations of Books: how a route is described, and those that every collection has.

Scopes: https://www.zoho.com/books/api/v3/oauth/
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from zohosim.answers import Answer
from zohosim.books import answers, hindrances, resources
from zohosim.books.resources import Delete, Module, free
from zohosim.calls import Call
from zohosim.faults import Fault
from zohosim.gate import Handler, Manner, Meter, Operation
from zohosim.scopes import Need

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

ROOT = "/books/v3"
INVENTORY = "/inventory/v1"
UPSERTED = ("contacts", "items", "invoices", "estimates", "customerpayments", "creditnotes")


def of_organisation(sim: "Simulator", call: Call) -> Meter:
    return sim.books.organisation_of(call).limits


def of_user(sim: "Simulator", _call: Call) -> Meter:
    return sim.books.flood


def busy(sim: "Simulator", _call: Call, fault: Fault) -> Answer:
    """The fault http_429: with the code it asks for, else the one of the minute."""
    code = int(fault.options.get("code", 44))
    refusal = answers.flooded(3600) if code == 43 else answers.too_many(code, most=10_000)
    return answers.refusal_answer(sim, refusal)


ORGANISATION = Manner(of_organisation, answers.refusal_answer, busy, answers.trouble, hindrances.hinder)
USER = Manner(of_user, answers.refusal_answer, busy, answers.trouble)


def operation(
    name: str, method: str, path: str, handler: Handler, scope: str, manner: Manner = ORGANISATION
) -> Operation:
    """One route below the root; `scope` is like `contacts.CREATE`."""
    subject, _, action = scope.rpartition(".")
    needs = (Need(f"ZohoBooks.{subject}", (action,)),)
    return Operation("books", name, method, f"{ROOT}{path}", handler, lambda _: needs, manner=manner)


def collection(module: Module, subject: str, *, path: str = "", singular: str = "") -> list[Operation]:
    """List, create, get, update, delete of a module, and update by a unique value where Books has that.

    `path` when it is not the module's name; `singular` begins the path of the call that changes custom fields alone.
    """
    root, one = path or f"/{module.name}", module.node
    made = [
        operation(f"list_{module.name}", "GET", root, partial(resources.list_rows, module), f"{subject}.READ"),
        operation(f"create_{one}", "POST", root, partial(resources.create_row, module), f"{subject}.CREATE"),
        operation(f"get_{one}", "GET", f"{root}/{{id}}", partial(resources.get_row, module), f"{subject}.READ"),
        operation(f"update_{one}", "PUT", f"{root}/{{id}}", partial(resources.update_row, module), f"{subject}.UPDATE"),
        operation(
            f"delete_{one}", "DELETE", f"{root}/{{id}}", partial(resources.delete_row, module), f"{subject}.DELETE"
        ),
    ]
    if module.name in UPSERTED:
        upsert = partial(resources.put_by_unique_value, module)
        made.append(operation(f"upsert_{one}", "PUT", root, upsert, f"{subject}.UPDATE"))
    if singular:
        alone = partial(resources.change_custom_fields, module)
        place = f"/{singular}/{{id}}/customfields"
        made.append(operation(f"{one}_custom_fields", "PUT", place, alone, f"{subject}.UPDATE"))
    return made


def marking(module: Module, subject: str, check: Delete = free, path: str = "") -> list[Operation]:
    """Active and inactive; `check` may refuse that a record becomes active."""
    root = path or f"/{module.name}"
    return [
        operation(
            f"{name}_{module.node}", "POST", f"{root}/{{id}}/{name}",
            partial(resources.mark_row, module, name, test), f"{subject}.CREATE",
        )
        for name, test in (("active", check), ("inactive", free))
    ]  # fmt: skip


def in_inventory(operations: Iterable[Operation], subject: str) -> list[Operation]:
    """The same operations below the root of Zoho Inventory, with its scopes."""

    def needed(one: Operation, call: Call) -> tuple[Need, ...]:
        return (Need(f"ZohoInventory.{subject}", one.needs(call)[0].operations),)

    return [
        replace(one, service="inventory", path=one.path.replace(ROOT, INVENTORY, 1), needs=partial(needed, one))
        for one in operations
    ]
