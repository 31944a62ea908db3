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

    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, heed)
    try:
        yield stop
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])


@contextmanager
def interrupting() -> Iterator[None]:
    """Either signal raises KeyboardInterrupt, so that blocks clean up behind themselves; while they do, at the end of
    ``uninterrupted``, no other signal disturbs them."""
    before = {number: signal.signal(number, _interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """After this block only cleaning up is left, which is quick: signals are ignored from then on."""
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def deferring() -> Iterator[None]:
    """A signal within the block raises KeyboardInterrupt at its end, in place of whatever else went wrong there.

    A terminal's Ctrl-C reaches the programs we started as well, and they fail in ways of their own.
    """
    arrived: list[int] = []
    before = {number: signal.signal(number, lambda got, _: arrived.append(got)) for number in STOP_SIGNALS}
    try:
        yield
    except Exception:
        if arrived:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if arrived:
        raise KeyboardInterrupt


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
