"""The records of one organisation of Books: tables of rows, their ids, their times, and the word that one has changed.

A row is what a detail shows, with amounts as Decimal and blanks as ""; keys that begin with an underscore are ours and
never shown. Rows are checked first and stored last, so that a refused call has changed nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused
from zohosim.books.customfields import Definitions
from zohosim.clock import Clock
from zohosim.identifiers import IdSequence
from zohosim.switches import Switches

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation
    from zohosim.simulator import Simulator

Row = Json
Hook = Callable[["Simulator", "Organisation", str, str, Row], None]
"""Told of every change: simulator, organisation, module, event (created, updated, deleted), the row."""


class Ledger:
    """All tables of one organisation: name to rows by id, in the order of their making."""

    def __init__(self, clock: Clock, zone: str, ids: IdSequence, definitions: Definitions, switches: Switches) -> None:
        self.clock = clock
        self.switches = switches
        self.zone = ZoneInfo(zone)
        self.ids = ids
        self.definitions = definitions
        self.tables: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        self.counters: defaultdict[str, int] = defaultdict(int)
        """The last number of each series: INV, EST, CN …"""

    def new_id(self) -> str:
        return self.ids.next()

    def next_in_series(self, series: str) -> int:
        self.counters[series] += 1
        return self.counters[series]

    def now(self) -> datetime:
        return datetime.fromtimestamp(int(self.clock.now()), self.zone)

    def now_text(self) -> str:
        """`2026-11-22T12:44:26+0530`: the offset has no colon."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%S%z")

    def today(self) -> date:
        """The organisation's own day."""
        return self.now().date()

    def rows(self, table: str) -> Collection[Row]:
        return self.tables[table].values()

    def find(self, table: str, row_id: str) -> Row | None:
        return self.tables[table].get(row_id)


def get(sim: "Simulator", organisation: "Organisation", table: str, row_id: str, entity: str) -> Row:
    """The row, or the refusal for one that does not exist."""
    found = organisation.ledger.find(table, row_id)
    if found is None:
        raise no_such(sim, entity)
    return found


def no_such(sim: "Simulator", entity: str) -> BooksRefused:
    return BooksRefused(sim.switches["books_missing_status"], 1002, f"{entity} does not exist.")


def changed(sim: "Simulator", organisation: "Organisation", module: str, event: str, row: Row) -> None:
    """A row was created, updated or deleted: stamp it, note it in its history, and tell whoever listens."""
    touch(organisation.ledger, row)
    row.setdefault("_history", []).append(
        {"at": row["last_modified_time"], "event": event, "status": row.get("status", "")}
    )
    for hook in sim.books.hooks:
        hook(sim, organisation, module, event, row)


def touch(ledger: Ledger, row: Row) -> None:
    row["last_modified_time"] = ledger.now_text()
    row.setdefault("created_time", row["last_modified_time"])


def shown(row: Row) -> Json:
    """Without what is ours."""
    return {key: value for key, value in row.items() if not key.startswith("_")}
