"""Numbers of documents: Rule 46(b) of the CGST Rules, and what the e-invoice portal adds to it."""

import re

from zohosync.gst.sale import Problem
from zohosync.gst.wording import shortened

NUMBER = re.compile(r"[A-Za-z0-9/-]{1,16}")
WHERE = "Correct the shop's order number, or let Zoho Books number invoices (policy invoice_number = zoho)."


def check_number(number: str) -> Problem | None:
    """Whether the law allows a number; uniqueness within the financial year is the series' to keep."""
    if NUMBER.fullmatch(number):
        return None
    shown = shortened(number)
    message = (
        f"{shown!r} cannot be an invoice number: it may have 16 characters, letters, digits, - and / only."
        if number
        else "The invoice has no number."
    )
    return Problem("invoice_number_invalid", "", message, WHERE)


def caution_number(number: str) -> Problem | None:
    """What the law allows and the e-invoice portal is said to refuse: a leading 0, / or -."""
    if not number.startswith(("0", "/", "-")):
        return None
    message = f"The e-invoice portal may refuse the number {shortened(number)!r}, because it begins with {number[0]!r}."
    return Problem("invoice_number_begins_badly", "", message, "Let numbers begin with a letter.")


def same_number(one: str, other: str) -> bool:
    """Capitals do not make another number: the portal writes all in capitals."""
    return one.upper() == other.upper()
