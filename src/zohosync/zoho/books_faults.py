"""What a refusal of Books stands for: its code to a stable one of ours, with what to do about it.

Codes decide, then the status. Messages are localised and hold people's data; two things that no code tells are taken
from them as a best effort: the item of which there is too little, and that an item is inactive. Of a locked period, an
approval and a credit limit no code is known: Zoho's own sentence is shown.

https://www.zoho.com/books/api/v3/errors/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from zohosync.errors import Refused
from zohosync.zoho.protocol import Request


@dataclass(frozen=True)
class Meaning:
    """``said`` comes before Zoho's own sentence."""

    code: str
    said: str
    hint: str


ABSENT = Meaning("zoho_record_absent", "Zoho Books does not have it", "It may have been deleted there.")
OTHER = Meaning("zoho_refused", "Zoho Books refused it", "Correct it, then send it again.")
ITEM_INACTIVE = Meaning(
    "books_item_inactive",
    "An item of the document is inactive or deleted in Zoho Books",
    "Make it active there, then send it again.",
)
NUMBER_TAKEN = Meaning(
    "books_number_taken",
    "Zoho Books has it already",
    "Look for the document with this number there, and link it or give another number.",
)

MEANINGS: Mapping[int, Meaning] = MappingProxyType(
    {
        2: Meaning("books_value_invalid", "Zoho Books does not take a value", "Correct it, then send it again."),
        4: Meaning("books_value_missing", "Zoho Books misses a value", "Fill it in, then send it again."),
        5: ABSENT,
        8: Meaning(
            "books_feature_off",
            "The organisation of Zoho Books does not use this field",
            "Switch the feature on there, such as GST, then send it again.",
        ),
        15: Meaning("books_too_long", "A text is longer than Zoho Books allows", "Shorten it, then send it again."),
        1001: Meaning(
            "books_item_taken",
            "Another item of Zoho Books has this name or SKU",
            "Link that item, or rename one of the two.",
        ),
        1002: ABSENT,
        3032: Meaning(
            "books_tax_side",
            "The tax does not fit the place of supply",
            "Check the state of the buyer, and the state of the organisation in Zoho Books.",
        ),
        3062: Meaning(
            "books_name_taken",
            "Another contact of Zoho Books, maybe an inactive one, has this name",
            "Link that contact, or rename one of the two.",
        ),
        4097: Meaning(
            "books_number_mismatch",
            "Zoho Books numbers these documents itself",
            "Let Zoho give the numbers, or ask for own ones.",
        ),
        9205: Meaning("books_stock_short", "There is not enough stock in Zoho Books", "Correct the stock there."),
        110802: Meaning(
            "books_tax_missing",
            "A line has neither a tax nor a reason for having none",
            "Give the item a rate, or an exemption in Zoho Books.",
        ),
    }
)

SHORT_ITEM = re.compile(r"for the item (.+?)\.\s*Please")
INACTIVE = "marked as inactive"


def refused(status: int, code: int | None, message: str, request: Request, words: Mapping[str, Any]) -> Refused:
    """The refusal in our words and in Zoho's: its users know the sentence."""
    meaning = _meaning(status, code, message, request)
    said = message or f"HTTP {status} and no reason"
    return Refused(
        f"{meaning.said}: {said}", hint=meaning.hint, code=meaning.code, **{**words, "details": _details(code, message)}
    )


def _meaning(status: int, code: int | None, message: str, request: Request) -> Meaning:
    if code == 1001 and not request.path.startswith("/books/v3/items"):
        return NUMBER_TAKEN
    known = MEANINGS.get(code or 0)
    if known is not None:
        return known
    if status == 404:
        return ABSENT
    return ITEM_INACTIVE if INACTIVE in message else OTHER


def _details(code: int | None, message: str) -> dict[str, Any]:
    """``item``: the name of the one item that Books names, though others may be short, too."""
    named = SHORT_ITEM.search(message) if code == 9205 else None
    return {} if named is None else {"item": named.group(1)}
