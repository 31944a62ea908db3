"""People of the console: users, the links that invite them, their sessions, and the brake on guessing.

Tokens are stored as SHA-256 only; whoever reads the tables cannot sign in with what is there.
"""

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from zohosync.db.pool import Connection, fetch_all, fetch_one

WINDOW = timedelta(minutes=15)
FAILURES_PER_EMAIL = 5
FAILURES_PER_ADDRESS = 20


class Role(IntEnum):
    """What a user may do; each role may do all that the ones below it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @classmethod
    def named(cls, name: str) -> "Role":
        return cls[name.upper()]

    @property
    def label(self) -> str:
        return self.name.lower()


class Refusal(StrEnum):
    """Why an invitation did not make a user."""

    SPENT = "spent"
    TAKEN = "taken"


@dataclass(frozen=True)
class User:
    """Somebody who may sign in."""

    user_id: int
    email: str
    name: str
    role: Role


@dataclass(frozen=True)
class Credentials:
    """A user with the stored hash to check a password against."""

    user: User
    password_hash: str


@dataclass(frozen=True)
class Session:
    """One signed-in browser."""

    user: User
    csrf_token: str
    expires_at: datetime


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _user(row: dict[str, Any]) -> User:
    return User(row["user_id"], row["email"], row["name"], Role.named(row["role"]))


async def invite(connection: Connection, role: Role, lifetime: timedelta = timedelta(hours=1)) -> str:
    """A token that creates one user of that role, once, until ``lifetime`` is over."""
    token = secrets.token_urlsafe(32)
    await connection.execute(
        """insert into zohosync.invitation (token_hash, role, expires_at)
           values (%(hash)s, %(role)s::zohosync.console_role, now() + %(lifetime)s)""",
        {"hash": _digest(token), "role": role.label, "lifetime": lifetime},
    )
    return token


async def find_invitation(connection: Connection, token: str) -> Role | None:
    """The role an invitation gives, or None when it was used, has expired or never was."""
    row = await fetch_one(
        connection,
        """select role from zohosync.invitation
            where token_hash = %(hash)s and used_at is null and expires_at > now()""",
        {"hash": _digest(token)},
    )
    return Role.named(row["role"]) if row else None


async def accept_invitation(
    connection: Connection, token: str, *, email: str, name: str, password_hash: str
) -> User | Refusal:
    """Make the invited user and spend the invitation; an e-mail that is taken leaves it unspent."""
    row = await fetch_one(
        connection,
        """with link as (
             select role from zohosync.invitation
              where token_hash = %(hash)s and used_at is null and expires_at > now() for update
           ), made as (
             insert into zohosync.console_user (email, name, role, password_hash)
             select %(email)s, %(name)s, link.role, %(password_hash)s from link
             on conflict (lower(email)) do nothing
             returning user_id, email, name, role
           ), spent as (
             update zohosync.invitation set used_at = now()
              where token_hash = %(hash)s and exists (select from made)
           )
           select exists (select from link) as valid, made.* from (select) always left join made on true""",
        {"hash": _digest(token), "email": email, "name": name, "password_hash": password_hash},
    )
    if row is None or not row["valid"]:
        return Refusal.SPENT
    return _user(row) if row["user_id"] is not None else Refusal.TAKEN


async def find_credentials(connection: Connection, email: str) -> Credentials | None:
    """The user with that e-mail, unless disabled."""
    row = await fetch_one(
        connection,
        """select user_id, email, name, role, password_hash from zohosync.console_user
            where lower(email) = lower(%(email)s) and disabled_at is null""",
        {"email": email},
    )
    return Credentials(_user(row), row["password_hash"]) if row else None


async def save_password(connection: Connection, user_id: int, password_hash: str) -> None:
    """Replace a user's password hash."""
    await connection.execute(
        "update zohosync.console_user set password_hash = %(hash)s where user_id = %(user_id)s",
        {"hash": password_hash, "user_id": user_id},
    )


async def open_session(connection: Connection, user_id: int, lifetime: timedelta) -> str:
    """Sign a browser in: the token for its cookie. Sessions that have ended are cleared away."""
    token = secrets.token_urlsafe(32)
    await connection.execute("delete from zohosync.console_session where expires_at < now()")
    await connection.execute(
        """insert into zohosync.console_session (token_hash, user_id, csrf_token, expires_at)
           values (%(hash)s, %(user_id)s, %(csrf)s, now() + %(lifetime)s)""",
        {"hash": _digest(token), "user_id": user_id, "csrf": secrets.token_urlsafe(24), "lifetime": lifetime},
    )
    return token


async def find_session(connection: Connection, token: str) -> Session | None:
    """The living session of a cookie's token; None also when its user was disabled."""
    row = await fetch_one(
        connection,
        """select u.user_id, u.email, u.name, u.role, s.csrf_token, s.expires_at
             from zohosync.console_session s join zohosync.console_user u using (user_id)
            where s.token_hash = %(hash)s and s.expires_at > now() and u.disabled_at is null""",
        {"hash": _digest(token)},
    )
    return Session(_user(row), row["csrf_token"], row["expires_at"]) if row else None


async def close_session(connection: Connection, token: str) -> None:
    """Sign a browser out."""
    await connection.execute(
        "delete from zohosync.console_session where token_hash = %(hash)s", {"hash": _digest(token)}
    )


def throttle_subjects(email: str, address: str) -> dict[str, int]:
    """What failed sign-ins are counted under, with the limit of each. An IPv6 network counts as one address: its owner
    has 2**64 of them."""
    try:
        known = ipaddress.ip_address(address)
        network = str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address
    except ValueError:
        network = address
    return {f"email:{email.lower()}": FAILURES_PER_EMAIL, f"address:{network}": FAILURES_PER_ADDRESS}


async def count_guess(connection: Connection, subjects: dict[str, int]) -> timedelta | None:
    """Count one guess before it is checked, so that many at once cannot slip past.

    None when it may be checked, else how long to wait. A refused guess is not counted, or a stranger could lock
    somebody out for ever.
    """
    async with connection.transaction():
        for subject in sorted(subjects):
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended('zohosync sign-in ' || %(subject)s, 0))",
                {"subject": subject},
            )
        rows = await fetch_all(
            connection,
            """select subject, count(*) as failures, min(attempted_at) + %(window)s - now() as wait
                 from zohosync.sign_in_attempt
                where subject = any (%(subjects)s) and attempted_at > now() - %(window)s group by subject""",
            {"subjects": list(subjects), "window": WINDOW},
        )
        waits: list[timedelta] = [row["wait"] for row in rows if row["failures"] >= subjects[row["subject"]]]
        if waits:
            return max(waits)
        await connection.execute(
            "insert into zohosync.sign_in_attempt (subject) select unnest(%(subjects)s::text[])",
            {"subjects": list(subjects)},
        )
    return None


async def forgive_guesses(connection: Connection, subjects: dict[str, int]) -> None:
    """After a right password: the e-mail starts afresh, and this guess no longer counts against the address."""
    email, address = list(subjects)
    await connection.execute(
        "delete from zohosync.sign_in_attempt where subject = %(email)s or attempted_at < now() - %(window)s",
        {"email": email, "window": WINDOW},
    )
    await connection.execute(
        """delete from zohosync.sign_in_attempt where ctid = (
             select ctid from zohosync.sign_in_attempt where subject = %(address)s
              order by attempted_at desc limit 1)""",
        {"address": address},
    )
