"""Numbers of taxpayers: what one typed as a GSTIN is worth.

A right check character proves that it was typed right, not that it is registered.
https://services.gst.gov.in/services/searchtp
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum.exceptions import ValidationError
from stdnum.in_ import pan

from zohosync.gst.sale import Problem
from zohosync.gst.state_table import BY_DIGITS
from zohosync.gst.wording import LONGEST_READ, shortened, visible

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FORM = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z][0-9A-Z][0-9A-Z]")
SPECIAL_FORMS = (
    re.compile(r"[0-9]{2}[A-Z]{4}[0-9]{5}[A-Z][0-9]Z[0-9]"),  # a department that deducts tax, by its TAN
    re.compile(r"[0-9]{4}[A-Z]{3}[0-9]{5}[UO]N[A-Z0-9]"),  # a body of the United Nations, an embassy
    re.compile(r"[0-9]{4}[A-Z]{3}[0-9]{5}NR[A-Z0-9]"),  # a taxable person who is not resident
    re.compile(r"99[0-9]{2}[A-Z]{3}[0-9]{5}OS[A-Z0-9]"),  # online services from abroad
)
LABEL = re.compile(r"(?:GST(?:IN|\s*NO|\s*NUMBER)?)?\s*[.:#-]*\s*")
NONE = frozenset(
    {
        "",
        "NA",
        "NIL",
        "NONE",
        "NULL",
        "NO",
        "0",
        "URP",
        "UNREGISTERED",
        "NOTREGISTERED",
        "NOTAPPLICABLE",
        "NOTAVAILABLE",
    }
)
RETIRED = {
    "25": "Daman and Diu before it joined Dadra and Nagar Haveli in 2020; numbers there begin with 26 now",
    "28": "Andhra Pradesh before it was divided in 2014; numbers there begin with 37 now",
}
WHERE = "Ask the customer and correct the GSTIN in the shop, or by an override of this order."


class Worth(StrEnum):
    NONE = "none"
    VALID = "valid"
    MISTYPED = "mistyped"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``number`` is compact; ``state`` is Zoho's code, of a valid number only; ``problem`` is why it is not valid."""

    worth: Worth
    number: str | None = None
    state: str | None = None
    problem: Problem | None = None


def judge_gstin(text: str | None) -> Verdict:
    """What a customer typed: nothing ("NA" is nothing), a valid number, a mistyped one, or one of a kind that needs a
    person (deductors, embassies, operators, states that are no more)."""
    typed = visible(text or "")
    if len(typed) > LONGEST_READ:
        return _mistyped(
            "gstin_format", shortened(typed), f"GSTIN {shortened(typed)} is far longer than 15 characters."
        )
    number = compact(typed)
    if number in NONE:
        return Verdict(Worth.NONE)
    if not FORM.fullmatch(number):
        return _odd_form(number)
    if check_character(number[:14]) != number[14]:
        return _mistyped(
            "gstin_checksum", number, f"GSTIN {number} is mistyped: its last character does not fit the rest."
        )
    if number[:2] in RETIRED:
        return _retired(number)
    state = BY_DIGITS.get(number[:2])
    if state is None or number[13] != "Z" or not _has_pan(number):
        return _special(number)
    return Verdict(Worth.VALID, number, state.code)


def compact(text: str) -> str:
    """In capitals, without spaces, separators and a label in front."""
    upper = visible(text).upper()
    return re.sub(r"[\s.,_/–—-]", "", LABEL.sub("", upper, count=1))


def check_character(first_14: str) -> str:
    """The fifteenth character of a GSTIN: mod 36, factors 1 and 2 in turn."""
    total = 0
    for position, character in enumerate(first_14):
        value = ALPHABET.index(character) * (1 + position % 2)
        total += value // 36 + value % 36
    return ALPHABET[-total % 36]


def _has_pan(number: str) -> bool:
    try:
        pan.validate(number[2:12])
    except ValidationError:
        return False
    return True


def _odd_form(number: str) -> Verdict:
    if any(form.fullmatch(number) for form in SPECIAL_FORMS):
        return _special(number)
    if len(number) != 15:
        shown = shortened(number)
        return _mistyped("gstin_format", shown, f"GSTIN {shown} has {len(number)} characters, not 15.")
    return _mistyped(
        "gstin_format", number, f"GSTIN {number} is mistyped: letters and digits are not where they belong."
    )


def _mistyped(code: str, number: str, message: str) -> Verdict:
    return Verdict(Worth.MISTYPED, number, problem=Problem(code, "", message, WHERE))


def _special(number: str) -> Verdict:
    message = (
        f"GSTIN {number} is not of an ordinary taxpayer: it is of a deductor, an embassy, an operator or the like."
    )
    hint = "Make this document by hand in Zoho Books and link it, or correct the GSTIN by an override of this order."
    return Verdict(Worth.SPECIAL, number, problem=Problem("gstin_special_type", "", message, hint))


def _retired(number: str) -> Verdict:
    message = f"GSTIN {number} begins with {number[:2]}, the code of {RETIRED[number[:2]]}."
    return Verdict(Worth.SPECIAL, number, problem=Problem("gstin_special_type", "", message, WHERE))
