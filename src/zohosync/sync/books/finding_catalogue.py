"""Findings in plain words: what each code means and what may be done about it. Pure.

A finding is opened where a document and its record of the shop no longer agree. Nothing is done about it until a person
decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What a person may decide."""

    ACCEPT = "accept"
    SEND = "send"
    SYNC = "sync"
    CREDIT = "credit"
    REPLACE = "replace"
    LINK = "link"
    UNLINK = "unlink"


@dataclass(frozen=True, slots=True)
class Choice:
    """``label`` is the button, ``does`` one sentence on what happens then. ``admin``: only an administrator may.
    ``kept_as`` is the resolution: accepted differences are not reported again."""

    action: Action
    label: str
    does: str
    admin: bool = False

    @property
    def kept_as(self) -> str:
        return "accept" if self.action is Action.SEND else self.action.value


@dataclass(frozen=True, slots=True)
class Entry:
    """One code. ``sentence`` says what it means to somebody who never heard of it."""

    code: str
    title: str
    sentence: str
    choices: tuple[Choice, ...]


KEEP = Choice(Action.ACCEPT, "Accept it", "The document stays as it is. The same difference is not reported again.")
SEND_IT = Choice(
    Action.SEND,
    "Send it as it is",
    "The document is right for you: it is marked as sent and the order goes on to its payment.",
)
SYNC_AGAIN = Choice(
    Action.SYNC, "Sync now", "You corrected the order or the document: both are read and compared again."
)
CREDIT_IT = Choice(
    Action.CREDIT,
    "Make a credit note",
    "A credit note for the whole invoice is made, at its own rates. What the customer had paid stays as credit in Books"
    " until the shop says the order is refunded.",
)
MAKE_NEW = Choice(
    Action.REPLACE,
    "Make a new document",
    "The document in Books is let go and never adopted again; a new one is made from the order as it is now. The old"
    " one stays in Books: void or credit it there.",
    admin=True,
)
LINK_OTHER = Choice(
    Action.LINK,
    "Link another document",
    "You say which document of Books this record is. Nothing is made or sent.",
    admin=True,
)
PAY_AGAIN = Choice(
    Action.SEND,
    "Record it again",
    "The money went back for this credit note, too: the refund is recorded once more.",
)
LET_GO = Choice(
    Action.UNLINK,
    "Let the document go",
    "The document in Books stays, but is no longer this record's, and is never adopted for it again.",
    admin=True,
)

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "document_differs",
        "Books made something else of it",
        "What Books answered when the draft was read back is not what was sent: a line, a tax, the customer or the"
        " place of supply differs. It stays a draft.",
        (SYNC_AGAIN, SEND_IT, MAKE_NEW),
    ),
    Entry(
        "total_mismatch",
        "The total differs",
        "Books adds the draft up to another total than the customer was charged, by more than the round-off policy"
        " allows. It stays a draft.",
        (SYNC_AGAIN, SEND_IT, MAKE_NEW),
    ),
    Entry(
        "document_not_sent",
        "Books does not let it be sent",
        "The document is right and still a draft: Books refused to mark it as sent, such as before somebody approves"
        " it.",
        (SYNC_AGAIN, LET_GO),
    ),
    Entry(
        "order_changed_after_invoicing",
        "The order was changed after invoicing",
        "The shop says something else of the order than when its invoice was sent. A sent invoice is never edited by"
        " zohosync.",
        (KEEP, MAKE_NEW, LINK_OTHER),
    ),
    Entry(
        "cancelled_after_invoicing",
        "The order was cancelled after invoicing",
        "The order is cancelled in the shop, and its invoice stands in Books.",
        (KEEP, CREDIT_IT),
    ),
    Entry(
        "order_deleted_after_invoicing",
        "The order was deleted after invoicing",
        "The shop no longer has the order, and its invoice stands in Books.",
        (KEEP, LET_GO),
    ),
    Entry(
        "document_edited",
        "The document was edited in Books",
        "Somebody changed a sent document in Books: its total, customer, reference, date, place of supply, GSTIN or a"
        " line is not what was sent.",
        (KEEP, LET_GO),
    ),
    Entry(
        "payment_gone",
        "The payment is gone",
        "The invoice was paid and asks for money again: somebody deleted or changed its payment in Books. zohosync"
        " records no second one; record it there if the money is yours.",
        (KEEP, SYNC_AGAIN),
    ),
    Entry(
        "document_voided",
        "The document was voided in Books",
        "Somebody voided the document, so that the order has none that counts.",
        (KEEP, MAKE_NEW, LINK_OTHER),
    ),
    Entry(
        "document_deleted",
        "The document was deleted in Books",
        "The document is no longer in Books, so that the order has none.",
        (KEEP, MAKE_NEW, LINK_OTHER),
    ),
    Entry(
        "quote_changed_after_estimate",
        "The quote was changed after its estimate",
        "The shop says something else of the quote than when its estimate was sent. A sent estimate is never edited by"
        " zohosync.",
        (KEEP, MAKE_NEW, LINK_OTHER),
    ),
    Entry(
        "approval_withdrawn",
        "The quote is no longer approved",
        "The quote was approved, its estimate was sent, and the shop has taken the approval back.",
        (KEEP, LET_GO),
    ),
    Entry(
        "refund_changed_after_credit",
        "The refund was changed after its credit note",
        "The shop says something else of the refund than when its credit note was made. A credit note that is open is"
        " never edited by zohosync.",
        (KEEP, LINK_OTHER),
    ),
    Entry(
        "refund_already_paid",
        "The money went back before",
        "A refund of this order was recorded already, for a credit note that was let go or for this one, and credit is"
        " open again. Nothing more is recorded before a person says so.",
        (SYNC_AGAIN, PAY_AGAIN),
    ),
)
CATALOGUE: Mapping[str, Entry] = {entry.code: entry for entry in ENTRIES}


def entry_of(code: str) -> Entry:
    """The code's entry; one this release does not know can be accepted or tried again."""
    return CATALOGUE.get(code) or Entry(code, code.replace("_", " ").capitalize(), "", (KEEP, SYNC_AGAIN))


def find_choice(code: str, action: str) -> Choice | None:
    """What this action means for this code; None when it is not offered."""
    return next((choice for choice in entry_of(code).choices if choice.action == action), None)


LABELS: Mapping[str, str] = {
    "differences": "Differences",
    "changes": "Changes",
    "variance": "Difference of the total, in rupees",
    "number": "Number in Books",
}
HIDDEN = frozenset({"zoho_id"})


def describe_detail(detail: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What differs, for people: each name with its sentences. What is empty is left out."""
    told: list[tuple[str, tuple[str, ...]]] = []
    for name, value in detail.items():
        lines = tuple(map(str, value)) if isinstance(value, list) else (str(value),) if value is not None else ()
        if name not in HIDDEN and any(lines):
            told.append((LABELS.get(name, name.replace("_", " ").capitalize()), lines))
    return tuple(told)
