"""The way to the mail server. Nothing is sent yet: this release only proves that it could be."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import aiosmtplib

from zohosync.errors import ZohosyncError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PATIENCE = timedelta(seconds=10)


class MailRefused(ZohosyncError):
    """The mail server cannot be used as the settings say."""

    code = "mail_refused"


@dataclass(frozen=True)
class Probed:
    """How the mail server was reached. ``signed_in`` is False when the address holds no user."""

    host: str
    port: int
    encrypted: bool
    signed_in: bool


async def probe(url: str, *, patience: timedelta = PATIENCE) -> Probed:
    """Connect, encrypt and sign in, and send nothing; MailRefused with the remedy.

    ``smtps`` is encrypted from the first byte, ``smtp`` by STARTTLS. Only a server on this machine may go without.
    """
    parts = urlsplit(url)
    host, implicit = parts.hostname or "", parts.scheme == "smtps"
    port = parts.port or (465 if implicit else 587)
    client = aiosmtplib.SMTP(
        hostname=host,
        port=port,
        use_tls=implicit,
        start_tls=not (implicit or host in LOOPBACK),
        timeout=patience.total_seconds(),
    )
    try:
        await client.connect()
        encrypted = implicit or client.get_transport_info("sslcontext") is not None
        if parts.username:
            await client.login(unquote(parts.username), unquote(parts.password or ""))
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _explain(error, host, port) from error
    finally:
        client.close()
    return Probed(host, port, encrypted, bool(parts.username))


def _explain(error: Exception, host: str, port: int) -> MailRefused:
    place = f"{host}:{port}"
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return MailRefused(
            f"The mail server {place} refused user or password.", hint="Correct them in ZOHOSYNC_SMTP_URL."
        )
    if isinstance(error, aiosmtplib.SMTPTimeoutError):
        return MailRefused(
            f"The mail server {place} did not answer in time.",
            hint="Check host and port, and that this machine may reach it; many hosts block port 25.",
        )
    if isinstance(error, aiosmtplib.SMTPConnectError | OSError):
        return MailRefused(
            f"The mail server {place} cannot be reached, or its certificate is not trusted.",
            hint="Check host and port in ZOHOSYNC_SMTP_URL; use smtps:// for port 465 and smtp:// for 587.",
        )
    return MailRefused(
        f"The mail server {place} does not do what is asked of it ({type(error).__name__}).",
        hint="It must offer STARTTLS for smtp://, and a way to sign in when the address holds a user.",
    )
