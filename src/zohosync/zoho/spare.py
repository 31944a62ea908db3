"""A spare login: a second one of the same client, kept in memory only, for questions that use a login up.

https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx

from zohosync.errors import ZohoUnavailable
from zohosync.zoho import oauth
from zohosync.zoho.auth import Custodian
from zohosync.zoho.login import Login
from zohosync.zoho.storage import ConnectionRow
from zohosync.zoho.vault import Vault


@dataclass
class SpareLogin:
    """``tokens`` are all access tokens it was given, oldest first. Whoever opens it revokes it."""

    http: httpx.AsyncClient = field(repr=False)
    login: Login
    timeout: timedelta
    tokens: list[str] = field(default_factory=list, repr=False)
    revoked: bool = False

    async def renew(self) -> None:
        """One more access token. Raises RateLimited with Zoho's status when it is one too many, and what
        ``decipher_grant`` raises."""
        login = self.login
        form = oauth.refresh_form(login.client_id, login.client_secret, login.refresh_token)
        status, body = await self._post(oauth.TOKEN_PATH, form)
        self.tokens.append(oauth.decipher_grant(status, body, "refresh").access_token)

    async def revoke(self) -> bool:
        """End it; whether Zoho confirmed that."""
        status, body = await self._post(oauth.REVOKE_PATH, {"token": self.login.refresh_token})
        self.revoked = status == 200 and b"success" in body
        return self.revoked

    def signed_in(self, token: str) -> Login:
        """The login as it was with one of its tokens."""
        return replace(self.login, access_token=token)

    async def _post(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                answer = await self.http.post(f"{self.login.accounts_server}{path}", data=form, follow_redirects=False)
        except (httpx.TransportError, TimeoutError) as error:
            raise ZohoUnavailable("Zoho's accounts server did not answer.", hint="Ask again later.") from error
        return answer.status_code, answer.content


@dataclass(frozen=True)
class Spares:
    """Opens spare logins from a self client's codes."""

    http: httpx.AsyncClient = field(repr=False)
    custodian: Custodian
    vault: Vault
    timeout: timedelta = timedelta(seconds=15)

    async def open(self, connected: ConnectionRow, code: str) -> SpareLogin:
        """Of the client that is connected. LoginLost names what was wrong with the code."""
        login = await self.custodian.exchange(
            client_id=connected.client_id,
            client_secret=self.vault.open(connected.client_secret),
            code=code,
            accounts_server=connected.accounts_server,
        )
        return SpareLogin(self.http, login, self.timeout, [login.access_token])
