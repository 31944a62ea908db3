"""The calls: one request as the simulator sees it, and the bounded log of all of them."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from zohosim.answers import Json
from zohosim.data_centres import Face

LOG_LENGTH = 50_000


@dataclass(slots=True)
class Call:
    """One request. `operation` and `module` come from the route; `access` is set once authorised."""

    method: str
    path: str
    service: str
    operation: str
    module: str
    face: Face
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    path_params: Mapping[str, str]
    payload: Any = None
    readable: bool = True
    """False when the body is not JSON at all."""
    records: list[Any] = field(default_factory=list)
    client_id: str = ""
    user_id: str = ""

    def parse(self) -> None:
        """Read the body once, whatever its Content-Type says: Zoho does not look at that header."""
        if not self.body:
            return
        try:
            self.payload = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            self.readable = False
            return
        if isinstance(self.payload, dict):
            data = self.payload.get("data")
            self.records = data if isinstance(data, list) else []

    def keys(self) -> list[str]:
        """What names each record of the body: its id, e-mail or account name, in that order."""
        return [record_key(record) for record in self.records]


def record_key(record: object) -> str:
    if not isinstance(record, dict):
        return ""
    for name in ("id", "Email", "Account_Name", "Last_Name"):
        value = record.get(name)
        if isinstance(value, str | int):
            return str(value).lower()
    return ""


@dataclass(slots=True)
class Entry:
    """One line of the log. Instants are real Unix seconds, whatever the simulated clock says."""

    number: int
    method: str
    path: str
    query: str
    service: str
    operation: str
    module: str
    data_centre: str
    client_id: str
    status: int | None
    """None when no answer was sent: the connection was dropped."""
    records: int
    keys: list[str]
    ids: list[str]
    started_at: float
    ended_at: float
    faults: list[str]
    credits: int

    def shown(self) -> Json:
        return asdict(self)


class CallLog:
    """The last calls and running counters of all of them since the last reset."""

    def __init__(self, length: int = LOG_LENGTH) -> None:
        self.entries: deque[Entry] = deque(maxlen=length)
        self.counters: Counter[str] = Counter()
        self._number = 0

    def add(self, entry: Entry) -> None:
        self._number += 1
        entry.number = self._number
        self.entries.append(entry)
        outcome = "dropped" if entry.status is None else str(entry.status)
        self.counters["calls"] += 1
        self.counters[f"status:{outcome}"] += 1
        self.counters[f"operation:{entry.service}.{entry.operation}"] += 1

    def reset(self) -> None:
        self.entries.clear()
        self.counters.clear()
        self._number = 0
