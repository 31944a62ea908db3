"""What a worker tells whoever watches it: figures are made elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from zohosync.queue.operation import Operation, Report

Tell = Callable[[Operation, Report], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt, after its end was committed. ``took`` is since its batch began; ``since_request`` since the change
    that asked for it, by the worker's own clock."""

    operation: Operation
    report: Report
    took: timedelta
    since_request: timedelta | None


class Observer(Protocol):
    """Called within the loop: quick, and never raising."""

    def turned(self) -> None:
        """The worker looked at all its lanes."""
        ...

    def claimed(self, operations: Sequence[Operation]) -> None:
        """It took these."""
        ...

    def ended(self, attempt: Ended) -> None:
        """An attempt came to its end."""
        ...


class Unobserved:
    """Nobody watches."""

    def turned(self) -> None:
        pass

    def claimed(self, operations: Sequence[Operation]) -> None:
        pass

    def ended(self, attempt: Ended) -> None:
        pass


def tell_nobody(_: Operation, __: Report) -> None:
    """The end of an attempt nobody asked about."""
