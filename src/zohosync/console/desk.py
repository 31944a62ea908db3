"""What the console is given, and what its pages work with."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment

from zohosync.clock import Clock
from zohosync.config import Settings
from zohosync.console.live import Broadcaster
from zohosync.console.passwords import Passwords
from zohosync.db.listen import Listener
from zohosync.db.pool import Connection, Pool
from zohosync.metrics.exposition import Metrics
from zohosync.store.insights import reach
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.connecting import Connector
from zohosync.zoho.crm import Crm


class Stream(Protocol):
    """What the console must know of one kind of operation."""

    @property
    def kind(self) -> str: ...
    @property
    def lane(self) -> str: ...
    @property
    def entities(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Feed:
    """The plainest Stream."""

    kind: str
    lane: str
    entities: Sequence[str]


@dataclass(frozen=True)
class ZohoDesk:
    """What the console may do about the connection to Zoho."""

    connector: Connector
    crm: Crm
    books: BooksDesk | None = None


@dataclass(frozen=True)
class Console:
    """Everything the console is given. ``listener`` hears ``zohosync_live``; the app runs it while it is served;
    without one, pages poll. ``zone`` is the organisation's, for exact times. Without ``zoho`` the connection cannot be
    changed."""

    pool: Pool
    settings: Settings
    clock: Clock
    listener: Listener | None = None
    streams: Sequence[Stream] = ()
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Kolkata"))
    patience: timedelta = timedelta(seconds=5)
    metrics: Metrics | None = None
    zoho: ZohoDesk | None = None

    def reach(self) -> AbstractAsyncContextManager[Connection]:
        """A connection of the pool, or one of our errors after ``patience``."""
        return reach(self.pool, self.patience)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by https."""
        return (self.settings.console_url or "").startswith("https://")

    @property
    def kinds(self) -> list[str]:
        return [stream.kind for stream in self.streams]

    @property
    def entities(self) -> list[str]:
        return sorted({entity for stream in self.streams for entity in stream.entities})

    @property
    def tries(self) -> int:
        """How often an operation is tried in all."""
        return self.settings.retry_limit + 1

    def works_of(self, kind: str, lane: str, entity: str) -> list[tuple[str, str]]:
        """The kinds and lanes *Sync now* asks for: the operation's own first, then every other its entity feeds."""
        others = [(s.kind, s.lane) for s in self.streams if entity in s.entities and s.kind != kind]
        return [(kind, lane), *others]


@dataclass(frozen=True)
class Desk:
    """What pages work with: the console's givens and the tools made from them once."""

    console: Console
    templates: Environment
    passwords: Passwords
    live: Broadcaster
