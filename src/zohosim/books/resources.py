"""What the collections of Books have in common: list, get, create, update, update by a unique value, delete.

A module says what is its own (its fields, checks and shapes); these handlers do the rest, in one order: read, check,
store, tell. https://www.zoho.com/books/api/v3/introduction/
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json
from zohosim.books import customfields, lists, records
from zohosim.books.answers import BooksRefused, said
from zohosim.books.customfields import VALUES, CustomField
from zohosim.books.fields import body_of, invalid, list_body
from zohosim.books.records import Ledger, Row
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation
    from zohosim.simulator import Simulator

KEY, VALUE, UPSERT = "X-Unique-Identifier-Key", "X-Unique-Identifier-Value", "X-Upsert"


@dataclass(frozen=True, slots=True)
class Visit:
    """One call in one organisation."""

    sim: "Simulator"
    organisation: "Organisation"
    call: Call
    cache: dict[str, Any] = field(default_factory=dict)
    """What was added up for one row of a list and holds for all."""

    @property
    def ledger(self) -> Ledger:
        return self.organisation.ledger

    @property
    def gst(self) -> bool:
        return self.organisation.seed.gst

    @property
    def inventory(self) -> bool:
        """Whether it came to the root of Zoho Inventory, which knows the same records."""
        return self.call.path.startswith("/inventory/")


def visit(sim: "Simulator", call: Call) -> Visit:
    return Visit(sim, sim.books.organisation_of(call), call)


Create = Callable[[Visit, Json], Row]
"""Check a body and make the row of it, without id, times and custom fields. Nothing is stored yet."""
Update = Callable[[Visit, Row, Json], Row]
"""Check a body and make the changed row of a copy of the old one. Nothing is stored yet."""
Stored = Callable[[Visit, Row, Row | None], None]
"""A row is stored in place of `before` (None: it is new): do what follows of it. Must not refuse."""
Delete = Callable[[Visit, Row], None]
"""Refuse, or do what follows of its end."""
Shape = Callable[[Visit, Row], Json]


def no_more(_visit: Visit, _row: Row, _before: Row | None) -> None: ...


def free(_visit: Visit, _row: Row) -> None: ...


def plain(_visit: Visit, row: Row) -> Json:
    return records.shown(row)


@dataclass(frozen=True, slots=True)
class Module:
    """One collection: `name` is its table and the key of its list, `node` the key of one, `entity` what a person calls
    it. `table` is the key of a row of the list. `unique_put`: it may be updated by a no-duplicates value."""

    name: str
    node: str
    entity: str
    id_key: str
    listing: lists.Listing
    create: Create
    update: Update
    created: str
    saved: str
    removed: str
    detail: Shape = plain
    row: Shape = plain
    stored: Stored = no_more
    delete: Delete = free
    source: Callable[[Visit], Iterable[Row]] | None = None
    """The rows its list chooses from, when they are not those of its table as they are."""
    hash_in_detail: bool = False
    """Documents show their custom fields as a hash, too."""
    hash_in_rows: bool = True
    """Rows of a list have the hash beside the flattened keys; those of items do not."""

    def fields(self, ledger: Ledger) -> list[CustomField]:
        return list(ledger.definitions.of(self.name))


def shown(module: Module, seen: Visit, row: Row) -> Json:
    """The detail with its custom fields."""
    fields = module.fields(seen.ledger)
    told = {**module.detail(seen, row), "custom_fields": customfields.array(fields, row)}
    return {**told, "custom_field_hash": customfields.flattened(fields, row)} if module.hash_in_detail else told


def in_list(module: Module, seen: Visit, row: Row) -> Json:
    """The row of a list with its custom fields flattened."""
    flat = customfields.flattened(module.fields(seen.ledger), row)
    told = {**module.row(seen, row), **flat}
    return {**told, "custom_field_hash": flat} if module.hash_in_rows else told


def told_one(module: Module, seen: Visit, row: Row, message: str = "success", status: int = 200) -> Answer:
    answer = said(message, status, **{module.node: shown(module, seen, row)})
    if seen.call.method != "GET":
        answer.touched.append(str(row[module.id_key]))
    return answer


def created_status(seen: Visit) -> int:
    """Books says 201, Inventory 200."""
    return 200 if seen.inventory else 201


# Handlers


def list_rows(module: Module, sim: "Simulator", call: Call) -> Answer:
    seen = visit(sim, call)
    source = seen.ledger.rows(module.name) if module.source is None else module.source(seen)
    rows = lists.chosen(call, module.listing, source)
    rows = by_custom_fields(module, seen, rows)
    return lists.page(call, module.listing, rows, partial(in_list, module, seen))


def by_custom_fields(module: Module, seen: Visit, rows: list[Row]) -> list[Row]:
    """`cf_x=value` filters when the switch says so; nobody has seen it do so."""
    if not seen.sim.switches["books_custom_field_filter"]:
        return rows
    wanted = [(f.api_name, seen.call.params[f.api_name]) for f in module.fields(seen.ledger)
              if f.api_name in seen.call.params]  # fmt: skip
    return [row for row in rows if all(row.get(VALUES, {}).get(name) == value for name, value in wanted)]


def find_row(module: Module, seen: Visit, parameter: str = "id") -> Row:
    """The row the path names."""
    return records.get(seen.sim, seen.organisation, module.name, seen.call.path_params[parameter], module.entity)


def get_row(module: Module, sim: "Simulator", call: Call) -> Answer:
    seen = visit(sim, call)
    return told_one(module, seen, find_row(module, seen))


def create_row(module: Module, sim: "Simulator", call: Call) -> Answer:
    seen = visit(sim, call)
    row = add(module, seen, body_of(call))
    return told_one(module, seen, row, module.created, created_status(seen))


def update_row(module: Module, sim: "Simulator", call: Call) -> Answer:
    seen = visit(sim, call)
    row = change(module, seen, find_row(module, seen), body_of(call))
    return told_one(module, seen, row, module.saved)


def delete_row(module: Module, sim: "Simulator", call: Call) -> Answer:
    seen = visit(sim, call)
    remove(module, seen, find_row(module, seen))
    return said(module.removed)


def mark_row(module: Module, status: str, check: Delete, sim: "Simulator", call: Call) -> Answer:
    """`POST /items/{id}/inactive`; `check` may refuse it."""
    seen = visit(sim, call)
    row = find_row(module, seen)
    check(seen, row)
    row["status"] = status
    records.changed(sim, seen.organisation, module.name, "updated", row)
    return said(f"The {module.entity.lower()} has been marked as {status}.")


def put_by_unique_value(module: Module, sim: "Simulator", call: Call) -> Answer:
    """Update the one row that has the value, or create it when X-Upsert asks for that."""
    seen, body = visit(sim, call), body_of(call)
    field, value = unique_key(module, seen)
    found = next((r for r in seen.ledger.rows(module.name) if r.get(VALUES, {}).get(field.api_name) == value), None)
    if found is not None:
        return told_one(module, seen, change(module, seen, found, body), module.saved)
    if call.headers.get(UPSERT, "").lower() != "true":
        raise BooksRefused(sim.switches["books_unique_miss_status"], 1002, f"{module.entity} does not exist.")
    own = {field.api_name: value} if sim.switches["books_upsert_stores_key"] else {}
    row = add(module, seen, body, own)
    return told_one(module, seen, row, module.created, sim.switches["books_upsert_created_status"])


def unique_key(module: Module, seen: Visit) -> tuple[CustomField, str]:
    """The no-duplicates field and the value that the headers name."""
    name, value = seen.call.headers.get(KEY, ""), seen.call.headers.get(VALUE, "")
    field = seen.ledger.definitions.find(module.name, name)
    if field is None or not field.unique:
        raise invalid(KEY)
    if not value:
        raise invalid(VALUE)
    return field, value


def change_custom_fields(module: Module, sim: "Simulator", call: Call) -> Answer:
    """`PUT /item/{id}/customfields`: custom fields alone, as an array."""
    seen = visit(sim, call)
    row = find_row(module, seen)
    values = {**row.get(VALUES, {}), **seen.ledger.definitions.read(module.name, list_body(call))}
    customfields.check_unique(module.fields(seen.ledger), seen.ledger.rows(module.name), values, row)
    row[VALUES] = values
    records.changed(sim, seen.organisation, module.name, "updated", row)
    return said("Custom Fields Updated Successfully", custom_fields=customfields.array(module.fields(seen.ledger), row))


# Steps


def add(module: Module, seen: Visit, body: Json, key: dict[str, str] | None = None) -> Row:
    """Check and store a new row. `key` are custom values that hold unless the body has its own."""
    ledger = seen.ledger
    values = {**(key or {}), **read_values(module, ledger, body)}
    customfields.check_unique(module.fields(ledger), ledger.rows(module.name), values, {})
    made = module.create(seen, body)
    row: Row = {module.id_key: ledger.new_id(), **made, VALUES: values}
    ledger.tables[module.name][row[module.id_key]] = row
    records.touch(ledger, row)
    module.stored(seen, row, None)
    records.changed(seen.sim, seen.organisation, module.name, "created", row)
    return row


def change(module: Module, seen: Visit, row: Row, body: Json) -> Row:
    """Check and store what a body changes of a row; the row stays the same object."""
    ledger, before = seen.ledger, deepcopy(row)
    values = {**row.get(VALUES, {}), **read_values(module, ledger, body)}
    customfields.check_unique(module.fields(ledger), ledger.rows(module.name), values, row)
    after = module.update(seen, deepcopy(row), body)
    row.clear()
    row.update({**after, VALUES: values})
    module.stored(seen, row, before)
    records.changed(seen.sim, seen.organisation, module.name, "updated", row)
    return row


def remove(module: Module, seen: Visit, row: Row) -> None:
    module.delete(seen, row)
    del seen.ledger.tables[module.name][row[module.id_key]]
    records.changed(seen.sim, seen.organisation, module.name, "deleted", row)


def read_values(module: Module, ledger: Ledger, body: Json) -> dict[str, str]:
    """The custom fields of a body; `cf_x` beside the other keys is dropped without a word."""
    given: Any = body.get("custom_fields")
    return {} if given is None else ledger.definitions.read(module.name, given)
