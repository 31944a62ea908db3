"""What an examination finds: a level, a sentence, and what to do about it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """``remark`` is worth knowing and stops nothing; ``not_checked`` says nothing about the matter itself."""

    OK = "ok"
    REMARK = "remark"
    WRONG = "wrong"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one matter. ``check`` is a stable name; ``data`` holds the figures for machines."""

    check: str
    level: Level
    sentence: str
    remedy: str = ""
    data: dict[str, Any] = field(default_factory=dict)


class Chart:
    """Where the examination of one check writes its findings down."""

    def __init__(self, check: str) -> None:
        self.check = check
        self.findings: list[Finding] = []

    def ok(self, sentence: str, **data: Any) -> None:
        self._write(Level.OK, sentence, "", data)

    def remark(self, sentence: str, remedy: str = "", /, **data: Any) -> None:
        self._write(Level.REMARK, sentence, remedy, data)

    def wrong(self, sentence: str, remedy: str, **data: Any) -> None:
        self._write(Level.WRONG, sentence, remedy, data)

    def not_checked(self, sentence: str, remedy: str = "", /, **data: Any) -> None:
        self._write(Level.NOT_CHECKED, sentence, remedy, data)

    def _write(self, level: Level, sentence: str, remedy: str, data: dict[str, Any]) -> None:
        self.findings.append(Finding(self.check, level, sentence, remedy, data))


def some(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """The first few, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def count(number: int, one: str, many: str = "") -> str:
    """``1 worker``, ``2 workers``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def age(seconds: float) -> str:
    """``40 s``, ``12 min``, ``5 h``, ``3 days``."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
