"""Waiting for a condition, never for a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

LOOK_AGAIN = 0.05


class Unmet(Exception):
    """What was expected did not happen; the message says what was seen instead."""


async def eventually(what: str, look: Callable[[], Awaitable[Found | None]], within: float) -> Found:
    """What ``look`` finds as soon as it finds something true; Unmet when it does not in so many seconds."""
    seen: Found | None = None
    try:
        async with asyncio.timeout(within):
            while not (seen := await look()):  # noqa: ASYNC110 - the thing looked at lies in another program
                await asyncio.sleep(LOOK_AGAIN)
            return seen
    except TimeoutError as error:
        raise Unmet(f"{what}: not within {within:g} s") from error


def expect(what: str, actual: object, wanted: object) -> None:
    """Unmet unless both are equal."""
    if actual != wanted:
        raise Unmet(f"{what} is {actual!r}, not {wanted!r}")
