"""Consents that were asked for in a browser. What comes back is known by its state, which is kept as a hash."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from zohosync.db.pool import Connection, fetch_one

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Consent:
    """``client_secret`` and ``login`` are sealed; ``login`` is there once Zoho has given it."""

    client_id: str
    client_secret: bytes = field(repr=False)
    accounts_server: str
    redirect_uri: str
    requested_by: str
    login: bytes | None = field(default=None, repr=False)


async def save_consent(connection: Connection, state: str, consent: Consent) -> None:
    """Remember what was asked, for ten minutes."""
    await connection.execute(
        """insert into zohosync.consent (state_hash, client_id, client_secret, accounts_server, redirect_uri,
                                         requested_by, login, expires_at)
           values (%(hash)s, %(client_id)s, %(client_secret)s, %(accounts_server)s, %(redirect_uri)s,
                   %(requested_by)s, %(login)s, now() + %(lifetime)s)""",
        {
            "hash": _hash(state),
            "client_id": consent.client_id,
            "client_secret": consent.client_secret,
            "accounts_server": consent.accounts_server,
            "redirect_uri": consent.redirect_uri,
            "requested_by": consent.requested_by,
            "login": consent.login,
            "lifetime": LIFETIME,
        },
    )


async def take_consent(connection: Connection, state: str, *, requested_by: str) -> Consent | None:
    """The consent of this state, which counts once and for whoever asked for it; None when there is none."""
    row = await fetch_one(
        connection,
        """delete from zohosync.consent
            where state_hash = %(hash)s and requested_by = %(by)s and expires_at > now()
        returning client_id, client_secret, accounts_server, redirect_uri, requested_by, login""",
        {"hash": _hash(state), "by": requested_by},
    )
    return Consent(**row) if row else None


async def take_abandoned(connection: Connection) -> Consent | None:
    """One login that waited in vain for a choice; None when there is no more."""
    row = await fetch_one(
        connection,
        """delete from zohosync.consent where state_hash = (
             select state_hash from zohosync.consent where login is not null and expires_at <= now()
              limit 1 for update skip locked)
        returning client_id, client_secret, accounts_server, redirect_uri, requested_by, login""",
    )
    return Consent(**row) if row else None


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
