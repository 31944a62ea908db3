"""Refunds: money paid back of a payment's excess or of a credit note, never more than is left of it.

https://www.zoho.com/books/api/v3/customer-payments/#refund-an-excess-customer-payment
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import lists, records, resources, settlements
from zohosim.books.answers import said
from zohosim.books.fields import Field, amount, blanks, body_of, day, entity_id, invalid, read, require, text
from zohosim.books.lists import Listing
from zohosim.books.records import Row
from zohosim.books.refusals import unseen
from zohosim.books.resources import Module, Visit
from zohosim.books.totals import ZERO, rounded
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

FIELDS = (
    Field("date", day),
    Field("refund_mode", text(100)),
    Field("reference_number", text(100)),
    Field("amount", amount),
    Field("from_account_id", entity_id),
    Field("exchange_rate", amount, blank=Decimal(1)),
    Field("description", text(2000)),
)


@dataclass(frozen=True, slots=True)
class Source:
    """What money is paid back of. ``left`` is how much of it there is; ``as_list``: one refund comes in an array."""

    module: Module
    table: str
    refund_id: str
    left: Callable[[Row], Decimal]
    message: str
    as_list: bool = False

    @property
    def node(self) -> str:
        return self.table if self.as_list else self.table.removesuffix("s")


def told(source: Source, row: Row, message: str) -> Answer:
    one = records.shown(row)
    nodes: Json = {source.node: [one] if source.as_list else one}
    answer = said(message, **nodes)
    answer.touched.append(row[source.refund_id])
    return answer


def create(source: Source, sim: "Simulator", call: Call) -> Answer:
    seen = resources.visit(sim, call)
    origin, body = resources.find_row(source.module, seen), body_of(call)
    require(body, "date", "amount", "from_account_id")
    row = checked(seen, source, {**blanks(FIELDS), **read(body, FIELDS)}, source.left(origin))
    row |= {source.refund_id: seen.ledger.new_id(), source.module.id_key: origin[source.module.id_key]}
    row |= {"customer_name": origin["customer_name"], "customer_id": origin["customer_id"]}
    seen.ledger.tables[source.table][row[source.refund_id]] = row
    change(seen, source, row)
    return told(source, row, source.message)


def checked(seen: Visit, source: Source, row: Row, left: Decimal) -> Row:
    row["amount"] = rounded(row["amount"])
    if row["amount"] <= ZERO:
        raise invalid("amount")
    if row["amount"] > left:
        raise unseen(f"The amount refunded is more than the balance of the {source.module.entity.lower()}.")
    check_account(seen, row["from_account_id"], "from_account_id")
    return {**row, "amount_bcy": row["amount"], "amount_fcy": row["amount"]}


def check_account(seen: Visit, account_id: str, key: str) -> None:
    """An account of the organisation's chart."""
    if seen.ledger.find("chartofaccounts", account_id) is None:
        raise invalid(key)


def change(seen: Visit, source: Source, row: Row) -> None:
    """The document itself is changed by a refund."""
    key = source.module.id_key
    origin = seen.ledger.tables[source.module.name][row[key]]
    settlements.resum(seen.ledger, key, row[key])
    records.touch(seen.ledger, row)
    records.changed(seen.sim, seen.organisation, source.module.name, "updated", origin)


def find(seen: Visit, source: Source) -> Row:
    row = seen.ledger.find(source.table, seen.call.path_params["refund_id"])
    if row is None or row[source.module.id_key] != seen.call.path_params["id"]:
        raise records.no_such(seen.sim, "Refund")
    return row


def list_all(source: Source, sim: "Simulator", call: Call) -> Answer:
    """Of one document when the path names it, else of all."""
    seen = resources.visit(sim, call)
    rows = list(seen.ledger.rows(source.table))
    if "id" in call.path_params:
        origin = resources.find_row(source.module, seen)
        rows = [row for row in rows if row[source.module.id_key] == origin[source.module.id_key]]
    listing = Listing(source.table, "Refunds", ("date", "refund_mode", "reference_number", "amount_bcy"))
    return lists.page(call, listing, lists.chosen(call, listing, rows), records.shown)


def get(source: Source, sim: "Simulator", call: Call) -> Answer:
    return told(source, find(resources.visit(sim, call), source), "success")


def update(source: Source, sim: "Simulator", call: Call) -> Answer:
    seen = resources.visit(sim, call)
    row, origin = find(seen, source), resources.find_row(source.module, seen)
    left = source.left(origin) + row["amount"]
    row.update(checked(seen, source, {**row, **read(body_of(call), FIELDS)}, left))
    change(seen, source, row)
    return told(source, row, "The refund information has been saved.")


def delete(source: Source, sim: "Simulator", call: Call) -> Answer:
    seen = resources.visit(sim, call)
    row = find(seen, source)
    del seen.ledger.tables[source.table][row[source.refund_id]]
    change(seen, source, row)
    return said("The refund has been deleted.")
