"""What is said to Zoho's accounts server and what is heard, without any input or output.

https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode, urlsplit

from zohosync.config import ACCOUNTS_SERVERS, API_DOMAINS
from zohosync.errors import GrantDead, LoginLost, RateLimited, ZohoFailure, ZohoUnavailable

Purpose: TypeAlias = Literal["exchange", "refresh"]

TOKEN_PATH = "/oauth/v2/token"  # noqa: S105
REVOKE_PATH = "/oauth/v2/token/revoke"
DEFAULT_LIFE = timedelta(hours=1)
THROTTLE_REST = timedelta(minutes=5)
"""How long to leave the token endpoint alone after "Access Denied". Zoho says the rest of ten minutes; users report
three to five. https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html"""

DEAD_CODES = frozenset({"invalid_code", "invalid_grant", "access_denied", "invalid_token"})
CLIENT_CODES = frozenset({"invalid_client", "invalid_client_secret", "unauthorized_client"})
CLIENT_HINT = "Check client id, client secret and data centre, then connect again (`zohosync connect`, or Settings)."


@dataclass(frozen=True)
class Grant:
    """What the token endpoint gave. Parts it left out are None: the stored ones stay valid."""

    access_token: str = field(repr=False)
    lives: timedelta
    refresh_token: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] | None = None
    api_domain: str | None = None


@dataclass(frozen=True)
class Places:
    """The servers a secret or token may be sent to; anything else is refused, whatever a callback or answer says."""

    sim_url: str | None = None

    def accounts_server(self, address: str) -> str:
        """The address, normalised; LoginLost when it is not one of Zoho's accounts servers."""
        if self._allows(address, ACCOUNTS_SERVERS.values()):
            return address.rstrip("/")
        raise LoginLost(
            f"{address} is not an accounts server of Zoho.",
            hint="Start again from `zohosync connect`; the client secret was not sent.",
            code="unknown_accounts_server",
        )

    def api_domain(self, address: str) -> str:
        """The address, normalised; LoginLost when it is none of Zoho's API hosts, sandbox and developer included."""
        hosts = [domain.replace("//www.", f"//{kind}.") for domain in API_DOMAINS.values() for kind in KINDS]
        if self._allows(address, hosts):
            return address.rstrip("/")
        raise LoginLost(
            f"{address} is not an API host of Zoho.",
            hint="Nothing was sent there. Report this: the list of Zoho's data centres may have grown.",
            code="unknown_api_domain",
        )

    def data_centre(self, accounts_server: str) -> str:
        """Its short name; ``sim`` for the simulator."""
        named = {address: name for name, address in ACCOUNTS_SERVERS.items()}
        return named.get(accounts_server, "sim")

    def default_api_domain(self, data_centre: str) -> str:
        """For answers that name none, as older ones do."""
        return API_DOMAINS.get(data_centre, self.sim_url or "")

    def _allows(self, address: str, known: Iterable[str]) -> bool:
        if self.sim_url is not None:
            return _origin(address) == _origin(self.sim_url)
        return address.rstrip("/") in set(known)


KINDS = ("www", "sandbox", "developer")


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc


def consent_address(
    accounts_server: str, *, client_id: str, redirect_uri: str, scopes: tuple[str, ...], state: str
) -> str:
    """Where to send the admin's browser. Without ``prompt=consent`` a second consent would yield no refresh token.

    https://www.zoho.com/accounts/protocol/oauth/web-apps/authorization.html
    """
    query = {
        "response_type": "code",
        "client_id": client_id,
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "access_type": "offline",
        "prompt": "consent",
        "state": state,
    }
    return f"{accounts_server.rstrip('/')}/oauth/v2/auth?{urlencode(query)}"


def exchange_form(client_id: str, client_secret: str, code: str, redirect_uri: str | None) -> dict[str, str]:
    """Form body, not a query string, so that nothing secret ends up in logs. A self client has no redirect address."""
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "client_secret": client_secret,
        "code": code,
    }
    return form if redirect_uri is None else form | {"redirect_uri": redirect_uri}


def refresh_form(client_id: str, client_secret: str, refresh_token: str) -> dict[str, str]:
    return {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": client_secret,
        "refresh_token": refresh_token,
    }


def decipher_grant(status: int, body: bytes, purpose: Purpose) -> Grant:
    """The grant, or the error: the body decides, because Zoho answers most credential errors with HTTP 200.

    Raises GrantDead, LoginLost, RateLimited(scope="refresh") or ZohoUnavailable.
    """
    content = _parse(body)
    token = content.get("access_token")
    if not isinstance(token, str) or not token:
        raise _error_of(status, content, purpose)
    refresh_token, scope, domain = (content.get(name) for name in ("refresh_token", "scope", "api_domain"))
    return Grant(
        access_token=token,
        lives=_life(content),
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
        scopes=tuple(scope.replace(",", " ").split()) if isinstance(scope, str) and scope else None,
        api_domain=domain if isinstance(domain, str) and domain else None,
    )


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _life(content: Mapping[str, Any]) -> timedelta:
    """``expires_in`` is in milliseconds in the older shape, which also has ``expires_in_sec``."""
    for name in ("expires_in_sec", "expires_in"):
        value = content.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 86_400:
            return timedelta(seconds=value)
    return DEFAULT_LIFE


def _error_of(status: int, content: Mapping[str, Any], purpose: Purpose) -> ZohoFailure:
    code = str(content.get("error") or "")
    told = str(content.get("error_description") or "")
    words: dict[str, Any] = {"status": status, "vendor_code": code, "vendor_message": told}
    # Exactly so spelt: `access_denied` is another thing, a person who said no.
    if status == 429 or code == "Access Denied" or "too many requests" in told.lower():
        return RateLimited(
            "Zoho issues no more access tokens for some minutes.",
            hint="It continues by itself.",
            retry_after=THROTTLE_REST,
            scope="refresh",
            **words,
        )
    if code in CLIENT_CODES:
        return LoginLost(f"Zoho does not accept the client ({code}).", hint=CLIENT_HINT, code="client_refused", **words)
    if code in DEAD_CODES:
        return _dead(code, purpose, words)
    if code == "invalid_redirect_uri":
        return LoginLost(
            "The redirect address is not the one registered at Zoho.",
            hint="Register exactly this address in Zoho's API console, then connect again.",
            code="redirect_refused",
            **words,
        )
    if code == "invalid_scope":
        return LoginLost(
            "Zoho does not know one of the scopes.", hint="Connect again with `zohosync connect`.", **words
        )
    said = f" ({code})" if code else ""
    return ZohoUnavailable(f"Zoho's accounts server gave no token{said}.", hint="It is tried again by itself.", **words)


def _dead(code: str, purpose: Purpose, words: dict[str, Any]) -> LoginLost:
    if purpose == "exchange":
        return LoginLost(
            f"Zoho does not accept the code ({code}).",
            hint="A code works once, for about a minute, in its own data centre. Make a new one and use it at once.",
            code="code_refused",
            **words,
        )
    return GrantDead(
        "The Zoho login is no longer valid: it was revoked, replaced by newer logins, or belongs elsewhere.",
        hint="Connect again with `zohosync connect`. Waiting work then continues by itself.",
        **words,
    )
