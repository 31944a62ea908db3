"""Texts as Books takes them: without the angle brackets it refuses, trimmed, and no longer than it allows.

Nothing is cut off in silence: what was changed is said, and a text that is too long is left out, for the caller to warn
of or to refuse.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

LONGEST: Mapping[str, int] = MappingProxyType(
    {
        "item_name": 100,
        "line_name": 100,
        "contact_name": 200,
        "company_name": 200,
        "description": 2000,
        "reason": 49,
        "reference_number": 100,
        "number": 100,
        "unit": 100,
        "first_name": 100,
        "last_name": 100,
        "email": 100,
        "phone": 50,
        "attention": 100,
        "address": 500,
        "street2": 255,
        "city": 100,
        "state": 100,
        "zip": 50,
        "country": 100,
        "notes": 5000,
    }
)
"""Letters by field. https://www.zoho.com/books/api/v3/contacts/#create-a-contact"""

Change: TypeAlias = Literal["brackets", "spaces", "left_out"]

BRACKETS = re.compile(r"[<>]")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SPACES = re.compile(r"[ \t]{2,}")


@dataclass(frozen=True)
class Cleaned:
    """``text`` is empty when nothing is left or it was too long; ``changes`` says what was done, ``length`` how long
    it was without them."""

    text: str
    changes: tuple[Change, ...] = ()
    length: int = 0

    @property
    def too_long(self) -> bool:
        return "left_out" in self.changes

    def warning(self, field: str) -> str:
        """One sentence on what the document lacks by it; empty when nobody needs to know."""
        if self.too_long:
            return f"{field} has {self.length} characters; Books allows fewer, so it was left out."
        return f"{field} was sent without < and >, which Books refuses." if "brackets" in self.changes else ""


def clean(text: str | None, field: str) -> Cleaned:
    """The text for a field of ``LONGEST``; KeyError for any other."""
    given = text or ""
    changes: list[Change] = []
    bare = given
    if BRACKETS.search(given):
        changes.append("brackets")
        # A space in their place, so that 5<10 does not become another number.
        bare = SPACES.sub(" ", BRACKETS.sub(" ", given)).strip()
    tidy = CONTROLS.sub("", bare).strip()
    if tidy != bare:
        changes.append("spaces")
    if len(tidy) > LONGEST[field]:
        return Cleaned("", (*changes, "left_out"), len(tidy))
    return Cleaned(tidy, tuple(changes), len(tidy))
