"""The custom fields zohosync wants in CRM; without them it works, with less."""

from zohosim.simulator import Simulator
from zohosync.sync.accounts import KEY_FIELD as ACCOUNT_KEY
from zohosync.sync.contacts import KEY_FIELD as CONTACT_KEY

# Module, label as people see it, length, whether Zoho keeps its values unique.
WANTED_FIELDS: tuple[tuple[str, str, int, bool], ...] = (
    ("Contacts", CONTACT_KEY.replace("_", " "), 64, True),
    ("Contacts", "GSTIN", 15, False),
    ("Leads", "GSTIN", 15, False),
    ("Accounts", ACCOUNT_KEY.replace("_", " "), 64, True),
    ("Accounts", "GSTIN", 15, False),
)


def seed_wanted_fields(simulator: Simulator) -> None:
    """Make them in the simulated organisation; they stay through its resets."""
    for module, label, length, unique in WANTED_FIELDS:
        simulator.seed_field(module, label, length=length, unique=unique)
