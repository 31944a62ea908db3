"""Dates of documents: the day it was where the organisation is."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")


def business_date(at: datetime, zone: ZoneInfo = INDIA) -> date:
    """The day of an instant in a time zone. ValueError when the instant is not aware: nobody knows whose day it is."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no time zone.")
    return at.astimezone(zone).date()


def financial_year(on: date) -> str:
    """April to March, as numbers of documents write it: 25-26."""
    first = on.year if on.month >= 4 else on.year - 1
    return f"{first % 100:02d}-{(first + 1) % 100:02d}"
