"""Refusals whose code and text nobody has seen: that Books refuses is documented or likely, how it says so is not."""

from zohosim.books.answers import BooksRefused

UNSEEN = 1004


def unseen(text: str) -> BooksRefused:
    """Decide nothing on its code or text."""
    return BooksRefused(400, UNSEEN, text)
