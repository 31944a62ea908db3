"""Identifiers that look like Zoho's: decimal strings of 18 digits, never used twice."""

from itertools import count

PREFIX = 554023_000_000_000_000
"""Everything of one organisation starts alike, as in Zoho."""

FIRST_RECORD = PREFIX + 1_000_001


class IdSequence:
    """Hands out record ids in rising order, so that sorting by id is sorting by creation."""

    def __init__(self, first: int = FIRST_RECORD) -> None:
        self._numbers = count(first)

    def next(self) -> str:
        return str(next(self._numbers))


def fixed_id(area: int, number: int) -> str:
    """A stable id for metadata: `area` is the kind of thing (a module), `number` the place within it."""
    return str(PREFIX + area * 1_000 + number)
