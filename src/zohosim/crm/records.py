"""The records of one module: kept with an index per key, never scanned on a write."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zohosim.answers import Json
from zohosim.crm.fields import Field, fold
from zohosim.crm.standard import Blueprint
from zohosim.crm.values import READERS, Reader, read_anything, read_phone, read_tags

if TYPE_CHECKING:
    from zohosim.crm.store import Crm

INDEXED_TYPES = ("email", "phone")
FULL_NAME = ("First_Name", "Last_Name")
PARENT = "Parent_Id"
NOTE_VALUES: Json = {"$attachments": [], "$size": None, "$voice_note": False, "$is_shared_to_client": False}


@dataclass(slots=True)
class Record:
    """One record. `values` holds only what was set; the rest is null on the wire.

    `before` is what the search index still shows until `indexed_at`: None for a record it has not seen.
    """

    id: str
    values: Json
    owner: Json
    created_by: Json
    modified_by: Json
    created_at: float
    modified_at: float
    created_time: str
    modified_time: str
    approved: bool = True
    locked: bool = False
    converted: bool = False
    before: Json | None = None
    indexed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Deleted:
    id: str
    display_name: str
    deleted_by: Json
    created_by: Json
    deleted_at: float


@dataclass(slots=True)
class Index:
    """Folded value of one field -> ids of the records that hold it, oldest first."""

    field: Field
    ids: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def add(self, value: Any, record_id: str) -> None:
        if value is not None:
            self.ids.setdefault(fold(self.field, value), []).append(record_id)

    def drop(self, value: Any, record_id: str) -> None:
        if value is None:
            return
        key = fold(self.field, value)
        holders = self.ids[key]
        holders.remove(record_id)
        if not holders:
            del self.ids[key]

    def find(self, value: Any) -> list[str]:
        return self.ids.get(fold(self.field, value), [])


class Module:
    """A module's fields, records and indexes. `crm` resolves lookups into other modules."""

    def __init__(self, crm: "Crm", blueprint: Blueprint) -> None:
        self.crm = crm
        self.blueprint = blueprint
        self.api_name = blueprint.api_name
        self.key = blueprint.key
        self.records: dict[str, Record] = {}
        self.deleted: list[Deleted] = []
        self.pending: set[str] = set()
        """Ids whose last change the search index may not show yet."""
        self.fields: dict[str, Field] = {}
        self.indexes: dict[str, Index] = {}
        self.custom_made = 0
        self.set_fields(blueprint.fields)

    # Fields

    def set_fields(self, fields: Iterable[Field]) -> None:
        """Take these fields and prepare for them: readers, indexes, lists of special ones."""
        self.fields = {field.api_name: field for field in fields}
        self.readers: dict[str, Reader] = {f.api_name: self._reader(f) for f in self.fields.values() if not f.read_only}
        self.fixed = [f.api_name for f in self.fields.values() if f.read_only]
        self.keyed = [f.api_name for f in self.fields.values() if f.keyed]
        self.mandatory = [f.api_name for f in self.fields.values() if f.mandatory]
        self.lookups = [(f.api_name, f.lookup) for f in self.fields.values() if f.lookup]
        self.clearable = {f.api_name for f in self.fields.values() if f.data_type in ("email", "phone", "website")}
        self.blank: Json = {**dict.fromkeys(self.fields), "Tag": []}
        wanted = {f.api_name for f in self.fields.values() if f.keyed or f.data_type in INDEXED_TYPES}
        wanted |= {self.key, PARENT} & self.fields.keys()
        self.indexes = {name: self._index(self.fields[name]) for name in wanted}

    def _reader(self, field: Field) -> Reader:
        if field.data_type == "phone":
            return read_phone(field, lambda: bool(self.crm.switches["phone_parentheses"]))
        if field.lookup is not None:
            return self.crm.lookup_reader(field)
        if field.data_type == "ownerlookup":
            return self.crm.read_owner
        if field.api_name == "Tag":
            return read_tags(field)
        if field.api_name == PARENT:
            return self.crm.read_parent
        if field.api_name == "Layout":
            return read_anything(field)
        return READERS[field.data_type](field)

    def _index(self, field: Field) -> Index:
        known = self.indexes.get(field.api_name)
        if known is not None and known.field == field:
            return known
        index = Index(field)
        for record in self.records.values():
            index.add(record.values.get(field.api_name), record.id)
        return index

    def add_field(self, field: Field) -> Field:
        self.custom_made += 1
        made = replace(field, id=field.id or self.crm.custom_field_id(self.api_name, self.custom_made))
        self.set_fields([*self.fields.values(), made])
        return made

    def remove_field(self, api_name: str) -> None:
        for record in self.records.values():
            record.values.pop(api_name, None)
        self.set_fields(field for field in self.fields.values() if field.api_name != api_name)

    # Records

    def insert(self, values: Json, by: Json) -> Record:
        """Add a record; the caller has read and checked its values."""
        now, stamp = self.crm.clock.now(), self.crm.clock.stamp()
        owner = values.pop("Owner", None) or by
        record = Record(self.crm.ids.next(), values, owner, by, by, now, now, stamp, stamp)
        self._note_change(record, None, now)
        self.records[record.id] = record
        for name, index in self.indexes.items():
            index.add(values.get(name), record.id)
        return record

    def update(self, record: Record, changes: Json, by: Json) -> None:
        """Change only the fields given; None clears."""
        now = self.crm.clock.now()
        owner = changes.pop("Owner", None)
        self._note_change(record, record.values, now)
        for name, index in self.indexes.items():
            if name in changes and changes[name] != record.values.get(name):
                index.drop(record.values.get(name), record.id)
                index.add(changes[name], record.id)
        record.values.update(changes)
        record.owner = owner or record.owner
        record.modified_by, record.modified_at, record.modified_time = by, now, self.crm.clock.stamp()

    def delete(self, record: Record, by: Json) -> None:
        for name, index in self.indexes.items():
            index.drop(record.values.get(name), record.id)
        del self.records[record.id]
        self.pending.discard(record.id)
        now = self.crm.clock.now()
        self.deleted.append(Deleted(record.id, self.name_of(record), by, record.created_by, now))

    def _note_change(self, record: Record, shown: Json | None, now: float) -> None:
        """Remember what search shows until the index catches up; costs nothing without a lag."""
        if self.crm.index_lag <= 0:
            return
        if now >= record.indexed_at:
            record.before = dict(shown) if shown is not None else None
        record.indexed_at = now + self.crm.index_lag
        self.pending.add(record.id)

    def holders(self, name: str, value: Any) -> list[Record]:
        """Records holding a value in an indexed field, oldest first."""
        return [self.records[record_id] for record_id in self.indexes[name].find(value)]

    # As told on the wire

    def name_of(self, record: Record) -> str:
        if self.blueprint.name == "Full_Name":
            return " ".join(str(record.values[part]) for part in FULL_NAME if record.values.get(part))
        return str(record.values.get(self.blueprint.name) or "")

    def view(self, record: Record) -> Json:
        """The whole record with every field, unset ones as null."""
        shown = {**self.blank, **record.values}
        for name, module in self.lookups:
            shown[name] = self.crm.link(module, record.values.get(name))
        if "Full_Name" in shown:
            shown["Full_Name"] = self.name_of(record)
        shown.update(system_values(record))
        if "Layout" in shown and shown["Layout"] is None:
            shown["Layout"] = {"name": "Standard", "id": self.blueprint.layout_id}
        if self.api_name == "Notes":
            shown.update(NOTE_VALUES)
        return shown

    def project(self, names: Iterable[str]) -> Callable[[Record], Json]:
        """A view of chosen fields only, plus id; names that are no fields are left out, as Zoho does."""
        wanted = [name for name in dict.fromkeys(names) if name in self.fields or name.startswith("$")]

        def narrow(record: Record) -> Json:
            shown = self.view(record)
            return {**{name: shown[name] for name in wanted if name in shown}, "id": record.id}

        return narrow

    def index_for(self, name: str) -> Index | None:
        """The index that answers an equality on this field without a scan, if there is one."""
        index = self.indexes.get(name)
        return index if index is not None and index.field.compares_as_text else None

    def newest_first(self) -> Iterator[Record]:
        return reversed(self.records.values())


def system_values(record: Record) -> Json:
    return {
        "Owner": record.owner,
        "id": record.id,
        "Created_Time": record.created_time,
        "Modified_Time": record.modified_time,
        "Created_By": record.created_by,
        "Modified_By": record.modified_by,
        "Last_Activity_Time": record.modified_time,
        "Record_Status__s": "Available",
        "Locked__s": record.locked,
        **({"Converted__s": True, "$converted": True} if record.converted else {}),
        "$approved": record.approved,
        "$approval_state": "approved" if record.approved else "approval_process_pending",
        "$editable": not record.locked,
        "$in_merge": False,
        "$state": "save",
    }
