"""Passwords: hashed with argon2, checked in equal time for unknown e-mails, refused when easily guessed."""

import asyncio
import re
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 200
# What remains of a common password of 12 characters or more without its digits and signs.
COMMON_STEMS = frozenset(
    {
        "", "password", "passwort", "passwordpassword", "letmein", "letmeinletmein", "welcome", "welcometo", "iloveyou",
        "qwerty", "qwertyuiop", "qwertyuiopasdf", "qwertyqwerty", "asdfghjkl", "asdfghjklqwerty", "zxcvbnm", "admin",
        "administrator", "adminadmin", "changeme", "changemenow", "secret", "supersecret", "monkey", "dragon",
        "football", "baseball", "sunshine", "princess", "superman", "trustno", "zohosync", "zohosyncadmin", "zoho",
        "abc", "abcdef", "abcdefgh", "abcdefghijkl", "test", "testtest", "testtesttest", "correcthorsebatterystaple",
        "whatever", "computer", "internet", "default", "root", "toor", "guest", "login", "master", "india", "abcd",
    }
)  # fmt: skip


class Passwords:
    """Hashes and checks passwords off the event loop: argon2 takes its time on purpose."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str) -> str:
        return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, password: str, stored: str | None) -> bool:
        """Whether the password fits; for ``stored=None`` (nobody has that e-mail) as slowly as for somebody."""
        fits = await asyncio.to_thread(self._fits, password[:LONGEST], stored or self._nobody)
        return fits and stored is not None

    def is_dated(self, stored: str) -> bool:
        """Whether the hash was made with weaker settings than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _fits(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def find_weakness(password: str, *, email: str, name: str = "") -> str | None:
    """Why a new password is refused, in a sentence, or None."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters; a few words in a row are easy to keep."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    plain = password.casefold()
    if len(set(plain)) < 5:
        return "Use more than a few different characters."
    own = [part for part in (email, email.partition("@")[0], name) if len(part) > 3]
    if any(part.casefold() in plain for part in own):
        return "Do not use your name or e-mail address in the password."
    if re.sub(r"[^a-z]", "", plain) in COMMON_STEMS:
        return "This password is among the first that are guessed. Choose another."
    return None
