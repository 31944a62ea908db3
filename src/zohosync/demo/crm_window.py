"""A look into the simulated CRM, beside everything zohosync says about it."""

from typing import Any

from zohosim.simulator import Simulator

Record = dict[str, Any]


def find_by_email(simulator: Simulator, module: str, email: str) -> list[Record]:
    """All Contacts or Leads with that address, oldest first."""
    held = simulator.crm.modules[module]
    return [held.view(record) for record in held.holders("Email", email)]


def find_record(simulator: Simulator, module: str, record_id: str) -> Record | None:
    """One record with all its fields."""
    held = simulator.crm.modules[module]
    record = held.records.get(record_id)
    return held.view(record) if record is not None else None


def notes_of(simulator: Simulator, record_id: str) -> list[Record]:
    """The Notes of a record, oldest first."""
    held = simulator.crm.modules["Notes"]
    shown = [held.view(record) for record in held.records.values()]
    return [note for note in shown if note["Parent_Id"]["id"] == record_id]
