"""Every switch of zohosim in every position that is worth a test."""

from typing import Any

from zohosim.switches import SWITCHES, Switch

NUMBERS: dict[str, tuple[int, ...]] = {
    "code_lifetime_seconds": (120, 60),
    "live_access_tokens": (10, 15, 30),
    "refresh_tokens_per_user": (20, 2),
    "books_duplicate_number_code": (1001, 4091),
}
"""Positions of the switches that take any number; nobody has seen the code of a number that is taken."""


def positions_of(switch: Switch) -> tuple[Any, ...]:
    """All choices; for a number those that some page of Zoho names."""
    return switch.choices or NUMBERS.get(switch.name, (switch.default, switch.default + 1))


POSITIONS: tuple[tuple[str, Any], ...] = tuple(
    (switch.name, position) for switch in SWITCHES for position in positions_of(switch)
)
