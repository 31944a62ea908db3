"""The store of Books: its organisations, and which of them a call is for."""

from collections import deque

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused
from zohosim.books.courier import Courier
from zohosim.books.customfields import CustomField, Definitions, Wanted
from zohosim.books.limits import BooksLimits, FloodGuard
from zohosim.books.organisations import ENTITY_PREFIX, Organisation, Seed, with_id
from zohosim.books.records import Hook, Ledger
from zohosim.calls import Call
from zohosim.clock import Clock
from zohosim.identifiers import IdSequence
from zohosim.limits import Limits
from zohosim.switches import Switches

BETWEEN = 1_000_000_000
FIRST_FIELD = 61_000
FIRST_RECORD = 1_000_001
"""Places of the ids within an organisation: its custom fields, and everything people make."""


class Books:
    """All state of the simulated Books."""

    def __init__(self, clock: Clock, general: Limits, switches: Switches, outbox: deque[Json]) -> None:
        self.clock = clock
        self.general = general
        self.switches = switches
        self.outbox = outbox
        self.seeds: list[Seed] = [with_id(Seed(), set())]
        self.custom_fields: list[Wanted] = []
        self.hooks: list[Hook] = []
        self._sequences: dict[int, IdSequence] = {}
        self.reset()

    def reset(self) -> None:
        """The seeded organisations, fresh, with their custom fields; ids of records are never used again."""
        self.courier = Courier(self.clock, self.outbox)
        self.flood = FloodGuard(self.clock, self.general, self.switches)
        self.organisations = {seed.id: self._open(number, seed) for number, seed in enumerate(self.seeds)}

    def _open(self, number: int, seed: Seed) -> Organisation:
        limits = BooksLimits(self.clock, self.general, self.switches, seed.plan)
        prefix = ENTITY_PREFIX + number * BETWEEN
        return Organisation(seed, limits, prefix, self._open_ledger(number, seed, prefix), default=number == 0)

    def _open_ledger(self, number: int, seed: Seed, prefix: int) -> Ledger:
        definitions = Definitions(prefix + FIRST_FIELD)
        for wanted in self.custom_fields:
            if wanted.organisation_id in ("", seed.id):
                definitions.define(wanted)
        ids = self._sequences.setdefault(number, IdSequence(prefix + FIRST_RECORD))
        return Ledger(self.clock, seed.time_zone, ids, definitions, self.switches)

    def seed_field(self, wanted: Wanted) -> list[CustomField]:
        """One more custom field, in one organisation or in all, there again after every reset."""
        wanted.checked()
        of = [one for one in self.organisations.values() if wanted.organisation_id in ("", one.id)]
        defined = [organisation.ledger.definitions.define(wanted) for organisation in of]
        self.custom_fields.append(wanted)
        return defined

    def seed_organisation(self, seed: Seed) -> Organisation:
        """One more organisation of the user, there from the start and again after every reset."""
        self.seeds.append(with_id(seed.checked(), {known.id for known in self.seeds}))
        opened = self._open(len(self.seeds) - 1, self.seeds[-1])
        self.organisations[opened.id] = opened
        return opened

    def close_organisations(self) -> None:
        """The user belongs to no organisation any more, not even after a reset."""
        self.seeds.clear()
        self.organisations.clear()

    def organisation(self, organisation_id: str) -> Organisation:
        """One of the user's organisations; refused for any other."""
        found = self.organisations.get(organisation_id)
        if found is None:
            said = f"This user is not associated with the CompanyID/CompanyName:{organisation_id}."
            raise BooksRefused(400, 6041, said)
        return found

    def organisation_of(self, call: Call) -> Organisation:
        """The one the call names as `organization_id`; refused when it names none."""
        return self.organisation(call.params.get("organization_id", ""))
