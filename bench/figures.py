"""A figure of the table, and how much is done to get it."""

from dataclasses import dataclass
from typing import NamedTuple


class Line(NamedTuple):
    """One figure of the table; ``aim`` is empty for figures that only set others in relation."""

    what: str
    seen: str
    aim: str
    met: bool | None = None


@dataclass(frozen=True)
class Sizes:
    """How much is done: small in a smoke run, which proves only that the benchmark runs. ``burst_minute`` and
    ``bulk_minute`` are how many seconds a minute of Books' limits lasts."""

    writes: int = 300
    contacts: int = 20_000
    bulk: int = 10_000
    few: int = 1_000
    many: int = 100_000
    singles: int = 400
    orders: int = 500
    burst_minute: float = 3.0
    variants: int = 5_000
    fresh: int = 3
    bulk_minute: float = 12.0


SMOKE = Sizes(
    writes=20,
    contacts=500,
    bulk=500,
    few=100,
    many=1_000,
    singles=40,
    orders=40,
    burst_minute=2.0,
    variants=200,
    fresh=1,
    bulk_minute=6.0,
)
