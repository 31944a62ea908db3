"""The custom fields zohosync wants, in a simulated organisation from the start."""

from zohosim.simulator import Simulator
from zohosync.sync.wanted_fields import WANTED_FIELDS


def seed_wanted_fields(simulator: Simulator) -> None:
    """Make them; they stay through the simulator's resets."""
    for field in WANTED_FIELDS:
        simulator.seed_field(field.module, field.label, length=field.length, unique=field.unique)
