"""The grants: clients, codes, refresh tokens and access tokens of every data centre.

https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from zohosim.clock import Clock
from zohosim.switches import Switches

MINTS = 10
MINT_MINUTES = 10
ACCESS_SECONDS = 3600
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class TokenRefused(Exception):
    """The token endpoint says no; `code` is the value of `error`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Throttled(Exception):
    """Too many access tokens were asked of one refresh token."""


@dataclass(frozen=True, slots=True)
class Client:
    """A registered application. Without redirect addresses any loopback address will do."""

    id: str
    secret: str
    name: str = "A shop"
    redirect_uris: tuple[str, ...] = ()
    data_centres: tuple[str, ...] = ()
    """Data centres where the client is enabled; empty means all."""

    def takes(self, redirect_uri: str) -> bool:
        if self.redirect_uris:
            return redirect_uri in self.redirect_uris
        return urlsplit(redirect_uri).hostname in LOOPBACK

    def enabled_in(self, centre: str) -> bool:
        return not self.data_centres or centre in self.data_centres


@dataclass(frozen=True, slots=True)
class Code:
    value: str
    client_id: str
    user_id: str
    scopes: tuple[str, ...]
    centre: str
    redirect_uri: str | None
    """None for a self client, which has no redirect address to compare."""
    lasting: bool
    """Whether the exchange hands out a refresh token."""
    expires_at: float


@dataclass(slots=True)
class Access:
    """A live access token. `grant` is empty for one issued without a refresh token."""

    token: str
    client_id: str
    user_id: str
    scopes: tuple[str, ...]
    centre: str
    expires_at: float
    grant: str = ""


@dataclass(slots=True)
class Grant:
    """A refresh token with its live access tokens, oldest first."""

    token: str
    client_id: str
    user_id: str
    scopes: tuple[str, ...]
    centre: str
    live: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Window:
    """Ten minutes in which access tokens are counted."""

    began: float = 0.0
    mints: int = 0


def new_token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


class Grants:
    """Who may do what, and for how long."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self.clock = clock
        self.switches = switches
        self.clients: dict[str, Client] = {}
        self.codes: dict[str, Code] = {}
        self.grants: dict[str, Grant] = {}
        self.accesses: dict[str, Access] = {}
        self.windows: dict[str, Window] = {}
        """By refresh token or by client, see `_count_mint`."""

    def reset(self) -> None:
        self.codes.clear()
        self.grants.clear()
        self.accesses.clear()
        self.windows.clear()

    # Codes

    def issue_code(
        self,
        client: Client,
        user_id: str,
        scopes: tuple[str, ...],
        centre: str,
        redirect_uri: str | None,
        lasting: bool,
    ) -> Code:
        life = self.switches["code_lifetime_seconds"]
        code = Code(new_token(), client.id, user_id, scopes, centre, redirect_uri, lasting, self.clock.now() + life)
        self.codes[code.value] = code
        return code

    def exchange(self, value: str, client: Client, redirect_uri: str, centre: str) -> tuple[Access, Grant | None]:
        """Spend a grant code; it is gone even when the exchange is refused for another reason."""
        code = self.codes.get(value)
        if code is None or code.centre != centre or code.client_id != client.id:
            raise TokenRefused("invalid_code")
        del self.codes[value]
        if code.expires_at <= self.clock.now():
            raise TokenRefused("invalid_code")
        if code.redirect_uri is not None and code.redirect_uri != redirect_uri:
            raise TokenRefused("invalid_redirect_uri")
        grant = self.open_grant(client.id, code.user_id, code.scopes, centre) if code.lasting else None
        return self._mint(client.id, code.user_id, code.scopes, centre, grant), grant

    # Refresh tokens

    def open_grant(self, client_id: str, user_id: str, scopes: tuple[str, ...], centre: str) -> Grant:
        """A new refresh token; the oldest of the same user and client goes when there are too many."""
        grant = Grant(new_token(), client_id, user_id, scopes, centre)
        self.grants[grant.token] = grant
        mine = self.grants_of(client_id, user_id)
        for oldest in mine[: max(0, len(mine) - self.switches["refresh_tokens_per_user"])]:
            self.close_grant(oldest)
        return grant

    def grants_of(self, client_id: str, user_id: str) -> list[Grant]:
        """Refresh tokens of one user and client, oldest first."""
        return [g for g in self.grants.values() if g.client_id == client_id and g.user_id == user_id]

    def close_grant(self, grant: Grant, keep_accesses: bool = False) -> None:
        self.grants.pop(grant.token, None)
        self.windows.pop(grant.token, None)
        if not keep_accesses:
            for token in grant.live:
                self.accesses.pop(token, None)

    def refresh(self, token: str, client: Client, centre: str) -> Access:
        """A new access token; raises Throttled above ten in ten minutes, for the rest of the ten minutes."""
        grant = self.grants.get(token)
        if grant is None or grant.centre != centre or grant.client_id != client.id:
            raise TokenRefused("invalid_code")
        self._count_mint(grant)
        return self._mint(client.id, grant.user_id, grant.scopes, centre, grant)

    def _count_mint(self, grant: Grant) -> None:
        """One more access token of this refresh token, or of this client, as the switch says."""
        per_client = self.switches["throttle_counts_per"] == "client"
        window = self.windows.setdefault(grant.client_id if per_client else grant.token, Window())
        now = self.clock.now()
        if now >= window.began + self.clock.minutes(MINT_MINUTES):
            window.began, window.mints = now, 0
        if window.mints >= MINTS:
            raise Throttled
        window.mints += 1

    def revoke(self, token: str) -> bool:
        grant = self.grants.get(token)
        if grant is not None:
            self.close_grant(grant, keep_accesses=not self.switches["revoke_kills_access_tokens"])
            return True
        return self.accesses.pop(token, None) is not None

    def revoke_all(self) -> None:
        self.grants.clear()
        self.accesses.clear()

    # Access tokens

    def _mint(self, client_id: str, user_id: str, scopes: tuple[str, ...], centre: str, grant: Grant | None) -> Access:
        access = Access(new_token(), client_id, user_id, scopes, centre, self.clock.now() + ACCESS_SECONDS)
        self.accesses[access.token] = access
        if grant is not None:
            access.grant = grant.token
            self._keep_newest(grant, access)
        return access

    def _keep_newest(self, grant: Grant, access: Access) -> None:
        now = self.clock.now()
        grant.live = [t for t in grant.live if t in self.accesses and self.accesses[t].expires_at > now]
        grant.live.append(access.token)
        while len(grant.live) > self.switches["live_access_tokens"]:
            self.accesses.pop(grant.live.pop(0), None)

    def find_access(self, token: str, centre: str) -> Access | None:
        """The live access token of this data centre, if it is one."""
        access = self.accesses.get(token)
        if access is None or access.centre != centre:
            return None
        if access.expires_at <= self.clock.now():
            del self.accesses[token]
            return None
        return access

    def evict_accesses(self) -> None:
        self.accesses.clear()

    def live_accesses(self) -> Iterator[Access]:
        now = self.clock.now()
        return (access for access in self.accesses.values() if access.expires_at > now)
