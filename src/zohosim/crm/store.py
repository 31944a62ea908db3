"""The CRM's store: the organisation, its modules, and what is shared between them."""

from dataclasses import dataclass
from typing import Any

from zohosim.answers import Json, Refused
from zohosim.clock import Clock
from zohosim.crm.fields import Field
from zohosim.crm.organisation import Organisation
from zohosim.crm.records import Module
from zohosim.crm.standard import BLUEPRINTS, custom_field_id, field_from_seed
from zohosim.crm.values import BadValue, Reader
from zohosim.identifiers import IdSequence
from zohosim.switches import Switches

PARENTS = ("Leads", "Contacts", "Accounts")


@dataclass(frozen=True, slots=True)
class PageToken:
    """Where a listing goes on: bound to the user and the other parameters, and short-lived."""

    bound_to: str
    user_id: str
    offset: int
    after: tuple[Any, ...] | None
    expires_at: float


class Crm:
    """All state of the simulated CRM. `index_lag` is how many seconds search runs behind."""

    def __init__(self, clock: Clock, ids: IdSequence, switches: Switches) -> None:
        self.clock = clock
        self.ids = ids
        self.switches = switches
        self.organisation = Organisation()
        self.seeds: list[tuple[str, Json]] = []
        self.reset()

    def reset(self) -> None:
        """A fresh organisation with the seeded custom fields and no records; ids are not used again."""
        self.index_lag = 0.0
        self.page_tokens: dict[str, PageToken] = {}
        self.channels: dict[tuple[str, str], Json] = {}
        self.modules = {blueprint.api_name: Module(self, blueprint) for blueprint in BLUEPRINTS}
        for module, given in self.seeds:
            self.modules[module].add_field(field_from_seed(given))

    def seed_field(self, module: str, given: Json) -> Field:
        """A custom field that is there from the start, and again after every reset."""
        field = self.module(module).add_field(field_from_seed(given))
        self.seeds.append((self.module(module).api_name, given))
        return field

    def module(self, name: str) -> Module:
        """A module by its API name (any case); Refused when there is none."""
        found = self.modules.get(name) or next(
            (m for m in self.modules.values() if m.api_name.lower() == name.lower()), None
        )
        if found is None:
            raise Refused(
                400, "INVALID_MODULE", "the module name given seems to be invalid", {"resource_path_index": 0}
            )
        return found

    def custom_field_id(self, module: str, number: int) -> str:
        return custom_field_id(module, number)

    # Lookups

    def link(self, module: str | None, held: Any) -> Json | None:
        """A lookup as told on the wire: the linked record's present name and id."""
        if module is None or not held:
            return None
        target = self.modules[module].records.get(held)
        return {"name": self.modules[module].name_of(target), "id": held} if target is not None else None

    def lookup_reader(self, field: Field) -> Reader:
        """Takes {id} of an existing record; text or {name} only when the switch `lookup_by_name` says so."""
        target = field.lookup
        assert target is not None

        def read(value: Any) -> str:
            if isinstance(value, dict) and value.get("id") is not None:
                return self.known_id(target, str(value["id"]))
            if isinstance(value, dict) and isinstance(value.get("name"), str):
                return self.by_name(target, value["name"])
            if isinstance(value, str):
                return self.by_name(target, value)
            raise BadValue({"expected_data_type": "jsonobject"})

        return read

    def read_owner(self, value: Any) -> Json | None:
        """An owner; by e-mail only when the switch says so."""
        if isinstance(value, dict) and "id" not in value and not self.switches["owner_by_email"]:
            raise BadValue({}, inside="email")
        return self.organisation.read_owner(value)

    def read_parent(self, value: Any) -> Json:
        """A note's parent: {id, module: {api_name}} of an existing record."""
        if not isinstance(value, dict) or not isinstance(value.get("module"), dict):
            raise BadValue({"expected_data_type": "jsonobject"})
        name, record_id = str(value["module"].get("api_name")), str(value.get("id"))
        if name not in PARENTS:
            raise BadValue({"supported_values": list(PARENTS)}, inside="module.api_name")
        module = self.modules[name]
        return {"module": {"api_name": name, "id": module.blueprint.id}, "id": self.known_id(name, record_id)}

    def known_id(self, module: str, record_id: str) -> str:
        if record_id not in self.modules[module].records:
            raise BadValue({}, inside="id")
        return record_id

    def by_name(self, name: str, text: str) -> str:
        module = self.modules[name]
        if self.switches["lookup_by_name"] == "reject" or module.key != "Account_Name" or not text:
            raise BadValue({"expected_data_type": "jsonobject"})
        holders = module.holders(module.key, text)
        return holders[0].id if holders else module.insert({module.key: text}, self.organisation.user).id
