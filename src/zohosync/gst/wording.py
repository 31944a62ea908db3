"""What people type, reduced to plain words, and quoted in few.

Whoever fills in a form of the shop may write a megabyte into it, so text is bounded here: ``LONGEST_READ`` characters
are read, longer text means nothing; what a message quotes is cut to ``LONGEST_QUOTED``.
"""

import unicodedata

LONGEST_READ = 200
"""Nothing that means a state, a country, a PIN or a GSTIN is longer, however it is written."""
LONGEST_QUOTED = 60
"""The longest names are shorter, too: words beyond are not compared with them."""


def visible(text: str) -> str:
    """Without what is not seen (zero-width characters, byte order marks), full-width characters made ordinary. Of text
    that is too long to be read only the beginning, as it is and too long still."""
    stripped = text.strip()
    if len(stripped) > LONGEST_READ:
        return stripped[: LONGEST_READ + 1]
    return "".join(c for c in unicodedata.normalize("NFKC", stripped) if unicodedata.category(c) != "Cf").strip()


def plain(text: str) -> str:
    """Lower-case words without marks and punctuation: "Tamil Nādu" and "TAMIL  NADU" are "tamil nadu"."""
    seen = visible(text)
    if len(seen) > LONGEST_READ:  # its beginning alone might mean something
        return seen
    bare = "".join(c for c in unicodedata.normalize("NFKD", seen) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in bare.casefold().replace("&", " and ")).split())


def shortened(text: str | None) -> str:
    """As a message quotes it: in one line, cut where it is long."""
    words = (text or "").strip()
    cut = words if len(words) <= LONGEST_QUOTED else f"{words[: LONGEST_QUOTED - 1]}…"
    return " ".join(cut.split())
