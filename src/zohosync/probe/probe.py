"""The probe: one question, what it does to the organisation, and what its answer is good for."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from zohosync.probe.ground import Ground
from zohosync.zoho import scopes


class Group(StrEnum):
    """What a probe makes and deletes."""

    READS = "reads"
    LEADS = "leads"
    CONTACTS = "contacts"
    FIELDS = "fields"
    BOOKS = "books"
    LOGIN = "login"
    LONG = "long"


EFFECTS: dict[Group, str] = {
    Group.READS: "reads only; what it asks to write is such that nothing can be written",
    Group.LEADS: "makes and deletes Leads",
    Group.CONTACTS: "makes and deletes Contacts, and a Lead or an Account beside them",
    Group.FIELDS: "makes a custom field of Leads and deletes it again",
    Group.BOOKS: "makes and deletes customers, items, drafts of invoices and payments in Zoho Books",
    Group.LOGIN: "uses up tokens of a login of its own, which needs a second self-client code",
    Group.LONG: "the same, and waits up to half an hour",
}

_WRITING = (
    *scopes.REQUIRED,
    *(scopes.of_module(module, "DELETE") for module in ("leads", "contacts", "accounts")),
)
SCOPES: dict[Group, tuple[str, ...]] = {
    Group.READS: (*scopes.REQUIRED, scopes.SEARCH_READ, scopes.FIELDS_CREATE),
    Group.LEADS: _WRITING,
    Group.CONTACTS: _WRITING,
    Group.FIELDS: (scopes.FIELDS_READ, scopes.FIELDS_CREATE, scopes.FIELDS_DELETE),
    Group.BOOKS: scopes.PROBE_BOOKS,
    Group.LOGIN: (scopes.USERS_READ,),
    Group.LONG: (scopes.USERS_READ,),
}

LOOK: tuple[str, ...] = (
    scopes.ORG_READ,
    scopes.FIELDS_READ,
    scopes.COQL_READ,
    *(scopes.of_module(module, "READ") for module in ("leads", "contacts", "accounts")),
)
"""For the look at the organisation before any probe: whether a business uses it."""


@dataclass(frozen=True)
class Finding:
    """``value`` is the switch's true position; ``note`` what else was seen."""

    value: Any
    note: str = ""


Ask: TypeAlias = Callable[[Ground], Awaitable[Finding]]


@dataclass(frozen=True)
class Probe:
    """``settles`` is the switch of zohosim whose position it finds, empty when it only ``informs``. ``calls`` and
    ``credits`` are the most it takes, its cleaning up included; ``makes`` says what exists meanwhile. ``source`` is
    Zoho's page that comes nearest."""

    name: str
    question: str
    group: Group
    ask: Ask
    calls: int
    credits: int
    source: str
    settles: str = ""
    informs: str = ""
    makes: str = "nothing"

    @property
    def purpose(self) -> str:
        return self.settles or f"none: informs {self.informs}"


@dataclass(frozen=True)
class Unprobed:
    """An open question that no probe asks. ``switch`` is empty when the simulator has none for it, and may end in
    ``*``."""

    switch: str
    question: str
    reason: str


@dataclass(frozen=True)
class Planned:
    """A question of a later release; ``makes`` is what asking it would create and delete."""

    name: str
    question: str
    makes: str


def needed_scopes(probes: Iterable[Probe]) -> tuple[str, ...]:
    """Every scope that the look before and some of the probes need, each once."""
    return tuple(dict.fromkeys((*LOOK, *(scope for probe in probes for scope in SCOPES[probe.group]))))
