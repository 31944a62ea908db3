"""What people type, reduced to plain words."""

import unicodedata


def visible(text: str) -> str:
    """Without what is not seen (zero-width characters, byte order marks), full-width characters made ordinary."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf").strip()


def plain(text: str) -> str:
    """Lower-case words without marks and punctuation: "Tamil Nādu" and "TAMIL  NADU" are "tamil nadu"."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", visible(text)) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in bare.casefold().replace("&", " and ")).split())
