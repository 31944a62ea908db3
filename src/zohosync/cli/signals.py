"""Being told to stop: the first signal asks, the second ends at once."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave() -> None:
    """End the process without another word; claimed work reappears by itself in the queue."""
    os._exit(INTERRUPTED)


@contextmanager
def stopping(at_once: Callable[[], None] = leave) -> Iterator[asyncio.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second one calls ``at_once``."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def heed() -> None:
        if stop.is_set():
            at_once()
        stop.set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, heed)
    try:
        yield stop
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as SIGINT does, so that blocks clean up behind themselves."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
