"""The store of Books: its organisations, and which of them a call is for."""

from zohosim.books.answers import BooksRefused
from zohosim.books.limits import BooksLimits, FloodGuard
from zohosim.books.organisations import ENTITY_PREFIX, Organisation, Seed, with_id
from zohosim.calls import Call
from zohosim.clock import Clock
from zohosim.limits import Limits
from zohosim.switches import Switches

BETWEEN = 1_000_000_000


class Books:
    """All state of the simulated Books."""

    def __init__(self, clock: Clock, general: Limits, switches: Switches) -> None:
        self.clock = clock
        self.general = general
        self.switches = switches
        self.seeds: list[Seed] = [with_id(Seed(), set())]
        self.reset()

    def reset(self) -> None:
        """The seeded organisations, fresh; ids are as before."""
        self.flood = FloodGuard(self.clock, self.general, self.switches)
        self.organisations = {seed.id: self._open(number, seed) for number, seed in enumerate(self.seeds)}

    def _open(self, number: int, seed: Seed) -> Organisation:
        limits = BooksLimits(self.clock, self.general, self.switches, seed.plan)
        return Organisation(seed, limits, ENTITY_PREFIX + number * BETWEEN, default=number == 0)

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
