"""The preferences of an organisation of Books: what its administrator switched on that gets into a client's way.

None of it can be set through Zoho's API, and only the mail quota's text was ever seen: the other codes and texts
are ours, so nobody should read them. https://www.zoho.com/books/help/settings/
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused

APPROVABLE = ("invoices", "estimates", "creditnotes", "inventoryadjustments")
CREDIT_LIMITS = ("ignore", "block")
INVOICES_PER_YEAR: dict[str, int] = {"free": 1_000, "standard": 5_000}
"""Of the other plans no cap is known."""
MAILS_PER_DAY: dict[str, int] = {"free": 20}

REASONS: dict[str, tuple[int, str]] = {
    "locked_period": (1005, "You cannot change transactions dated on or before {date}, as they have been locked."),
    "credit_limit": (3060, "The credit limit of the customer {name} has been exceeded."),
    "inactive_item": (2006, "The item {name} has been deleted or marked as inactive."),
    "inactive_contact": (3007, "The contact {name} has been marked as inactive."),
    "plan_cap": (103, "You have reached the limit of {most:,} invoices that your plan allows in a year."),
    "mail_quota": (9017, "You cannot send this email, since you've exhausted the daily limit of {most} emails"),
    "needs_approval": (1006, "The transaction has to be approved first."),
}
"""Why an administrator's preference, or a record's state, refuses a write."""
EXAMPLES: Json = {"date": "2026-03-31", "name": "Example", "most": 1_000}
"""What a refusal names that was ordered as a fault."""


def hindered(reason: str, **about: Any) -> BooksRefused:
    """The refusal for one of REASONS; what `about` leaves out is filled with an example."""
    code, text = REASONS[reason]
    return BooksRefused(400, code, text.format(**{**EXAMPLES, **about}))


@dataclass(slots=True)
class Preferences:
    """As at first nothing is in the way. Numbers that are None are the plan's own."""

    approvals: frozenset[str] = frozenset()
    """Modules whose documents have to be submitted and approved before they are sent."""
    locked_until: str = ""
    """Transactions dated on or before this day are refused; empty: the books are open."""
    credit_limit: str = "ignore"
    invoices_per_year: int | None = None
    mails_per_day: int | None = None
    payment_modes: tuple[str, ...] = ()
    """Modes of payment beside those every organisation has: UPI …"""
    mails: dict[str, int] = field(default_factory=dict)
    """Mails sent, by day."""

    def set(self, given: Json) -> None:
        """Change some; ValueError says what makes no sense."""
        known = {"approvals", "locked_until", "credit_limit", "invoices_per_year", "mails_per_day", "payment_modes"}
        if unknown := set(given) - known:
            raise ValueError(f"preferences do not know {', '.join(sorted(unknown))}")
        for name, value in {**given, **checked(given)}.items():
            setattr(self, name, value)

    def shown(self) -> Json:
        return {**asdict(self), "approvals": sorted(self.approvals)}

    def needs_approval(self, module: str) -> bool:
        return module in self.approvals

    def check_open(self, dates: Iterable[str]) -> None:
        """Refused when a transaction of a locked day is made, changed or taken away."""
        if any(day and day[:10] <= self.locked_until for day in dates):
            raise hindered("locked_period", date=self.locked_until)

    def check_plan(self, plan: str, invoices_this_year: int) -> None:
        """Refused when the plan allows no further invoice this year."""
        most = INVOICES_PER_YEAR.get(plan) if self.invoices_per_year is None else self.invoices_per_year
        if most is not None and invoices_this_year >= most:
            raise hindered("plan_cap", most=most)

    def check_mail(self, plan: str, day: str) -> None:
        """Refused when the day's mails are used up; counts this one otherwise."""
        most = MAILS_PER_DAY.get(plan) if self.mails_per_day is None else self.mails_per_day
        if most is not None and self.mails.get(day, 0) >= most:
            raise hindered("mail_quota", most=most)
        self.mails[day] = self.mails.get(day, 0) + 1


def checked(given: Json) -> Json:
    """The values that need another type than JSON has, read."""
    modules = frozenset(given.get("approvals", ()))
    if modules - set(APPROVABLE):
        raise ValueError(f"approvals may name {', '.join(APPROVABLE)}")
    if given.get("locked_until"):
        date.fromisoformat(given["locked_until"])
    if given.get("credit_limit", "ignore") not in CREDIT_LIMITS:
        raise ValueError(f"credit_limit must be one of {', '.join(CREDIT_LIMITS)}")
    for name in ("invoices_per_year", "mails_per_day"):
        most = given.get(name)
        if most is not None and (type(most) is not int or most < 0):
            raise ValueError(f"{name} must be a whole number, or null for the plan's own")
    return {"approvals": modules} if "approvals" in given else {}
