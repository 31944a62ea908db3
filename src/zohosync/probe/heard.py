"""An answer of Zoho as it came, and what is raised when it answers nothing."""

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from zohosync.zoho.exchange import Exchange

Row: TypeAlias = dict[str, Any]


class Unsettled(Exception):
    """The question could not be answered; ``reason`` is a sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Heard:
    """An answer as it came. ``body`` is {} when there was none, or none that is a JSON object."""

    status: int
    body: Row

    @classmethod
    def of(cls, exchange: Exchange) -> "Heard":
        try:
            body = json.loads(exchange.body) if exchange.body else {}
        except (ValueError, RecursionError):
            body = {}
        return cls(exchange.status or 0, body if isinstance(body, dict) else {})

    def rows(self, key: str = "data") -> list[Row]:
        found = self.body.get(key)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    @property
    def is_flat(self) -> bool:
        """Whether the code stands at the top, not in a list."""
        return isinstance(self.body.get("code"), str)

    @property
    def code(self) -> str:
        """Of the whole answer, or of the first entry of its list."""
        if self.is_flat:
            return str(self.body["code"])
        lists = [rows for rows in (self.rows(key) for key in self.body) if rows]
        return str(lists[0][0].get("code", "")) if lists else ""

    @property
    def number(self) -> int | None:
        """The code of Books."""
        told = self.body.get("code")
        return told if isinstance(told, int) and not isinstance(told, bool) else None

    def record(self, noun: str) -> Row:
        """The one record of an answer of Books; {} when there is none."""
        found = self.body.get(noun)
        return found if isinstance(found, dict) else {}

    @property
    def details(self) -> Row:
        """Of the whole answer, or of the first entry of its list."""
        first = self.body if self.is_flat else next((row for key in self.body for row in self.rows(key)), {})
        found = first.get("details")
        return found if isinstance(found, dict) else {}

    @property
    def codes(self) -> list[str]:
        """One per record."""
        return [str(row.get("code", "")) for row in self.rows()]

    def ids(self, key: str = "data") -> list[str]:
        """Of the records that were written."""
        return [written for written, _ in self.written(key)]

    def written(self, key: str = "data") -> list[tuple[str, str]]:
        """Their ids, and what an upsert did to each: insert or update."""
        told = [(row.get("details"), row.get("action")) for row in self.rows(key) if row.get("status") == "success"]
        return [(str(of["id"]), str(action or "")) for of, action in told if isinstance(of, dict) and "id" in of]

    def unforeseen(self) -> Unsettled:
        """No position of the switch explains this answer."""
        codes = ", ".join(self.codes) or self.code or (f"code {self.number}" if self.number else "no code")
        return Unsettled(f"no position of the switch foresees this answer: HTTP {self.status}, {codes}")
