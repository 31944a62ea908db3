"""The access token: kept sealed, shared by all processes, renewed by one of them at a time.

https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from zohosync.clock import Clock
from zohosync.errors import GrantDead, LoginLost, NotConnected, RateLimited, TokenRejected, ZohoFailure, ZohoUnavailable
from zohosync.zoho import oauth
from zohosync.zoho.login import Access, Login
from zohosync.zoho.oauth import Grant, Places
from zohosync.zoho.storage import ConnectionRow, HeldConnection, TokenStore
from zohosync.zoho.vault import Vault

REFRESHES = 10
REFRESH_WINDOW = timedelta(minutes=10)
EARLY = timedelta(minutes=1)
"""A token this close to its end is renewed before it is used."""

REREAD = timedelta(minutes=1)
"""A login is looked at again after this long, so that a process soon hears that another one disconnected."""

EARLY_AGAIN = timedelta(seconds=15)
"""After an early renewal failed, the old token is used this long before the next try, so that calls are not held up."""


@dataclass(frozen=True)
class _Renewed:
    access: Access
    fetched: bool


class Custodian:
    """Keeps the access token valid with as few refreshes as possible: Zoho allows ten in ten minutes."""

    def __init__(
        self,
        store: TokenStore,
        vault: Vault,
        http: httpx.AsyncClient,
        clock: Clock,
        *,
        sim_url: str | None = None,
        timeout: timedelta = timedelta(seconds=15),
    ) -> None:
        """``sim_url`` is where zohosim listens, or None to speak to Zoho; no other server ever gets a secret."""
        self._store = store
        self._vault = vault
        self._http = http
        self._clock = clock
        self._places = Places(sim_url)
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._access: Access | None = None
        self._early_again_at: datetime | None = None
        self._read_at: datetime | None = None

    async def logins(self) -> AsyncGenerator[Access, TokenRejected]:
        """Yield the token to send with; told that it was rejected, yield a newer one; end when a fresh one was too.

        Raises NotConnected, GrantDead, LoginLost, RateLimited(scope="refresh") or ZohoUnavailable.
        """
        access, fresh = await self.access(), False
        while True:
            rejected = yield access
            if fresh:
                return
            try:
                access, fresh = await self._renew(access)
            except ZohoFailure as error:
                raise error from rejected

    async def access(self) -> Access:
        """A token that is valid as far as can be known; SQL once a minute while the last one lives."""
        if (kept := self._kept()) is not None:
            return kept
        async with self._lock:
            if (kept := self._kept()) is not None:
                return kept
            self._access = None
            found = self._access_of(await self._store.find_connection())
            if found is None or not self._lives(found, self._margin()):
                found = await self._renewed_early(found)
            self._access, self._read_at = found, self._clock.now()
            return found

    def _kept(self) -> Access | None:
        """The last token, while it lives and was read lately."""
        if self._access is None or not self._lives(self._access, self._margin()):
            return None
        recent = self._read_at is not None and self._clock.now() - self._read_at < REREAD
        return self._access if recent else None

    async def exchange(
        self,
        *,
        client_id: str,
        client_secret: str,
        code: str,
        accounts_server: str,
        redirect_uri: str | None = None,
    ) -> Login:
        """Exchange an authorization code (or a self client's, without ``redirect_uri``); nothing is stored yet.

        LoginLost names what was wrong and the remedy. https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token.html
        """
        server = self._places.accounts_server(accounts_server)
        form = oauth.exchange_form(client_id, client_secret, code.strip(), redirect_uri)
        try:
            status, body = await self._post(f"{server}{oauth.TOKEN_PATH}", form)
            grant = oauth.decipher_grant(status, body, "exchange")
        except (ZohoUnavailable, RateLimited) as error:
            error.hint = "Nothing was connected. Wait some minutes, then start again: the code is used up."
            raise
        if grant.refresh_token is None:
            raise LoginLost(
                "Zoho gave no refresh token, so the login would end within the hour.",
                hint="Connect again and accept the consent page (it must be asked with access_type=offline).",
                code="refresh_token_missing",
            )
        centre = self._places.data_centre(server)
        return Login(
            data_centre=centre,
            accounts_server=server,
            api_domain=self._places.api_domain(grant.api_domain or self._places.default_api_domain(centre)),
            client_id=client_id,
            client_secret=client_secret,
            refresh_token=grant.refresh_token,
            access_token=grant.access_token,
            expires_at=self._clock.now() + grant.lives,
            scopes=grant.scopes or (),
        )

    async def keep(self, login: Login) -> ConnectionRow:
        """Put the login to use in place of any earlier one, which is revoked: it would hold one of Zoho's twenty places
        for the user, and in time push out a login that is needed."""
        async with self._lock:
            before, row = await self._store.save_connection(
                data_centre=login.data_centre,
                accounts_server=login.accounts_server,
                api_domain=login.api_domain,
                client_id=login.client_id,
                client_secret=self._vault.seal(login.client_secret),
                refresh_token=self._vault.seal(login.refresh_token),
                access_token=self._vault.seal(login.access_token),
                expires_at=login.expires_at,
                scopes=login.scopes,
            )
            self._access = self._access_of(row)
        await self._revoke_replaced(before, login)
        return row

    async def drop(self, login: Login) -> None:
        """Revoke a login that is not to be used after all."""
        await self._revoke(login.accounts_server, login.refresh_token)

    async def connect_with_code(
        self,
        *,
        client_id: str,
        client_secret: str,
        code: str,
        accounts_server: str,
        redirect_uri: str | None = None,
    ) -> ConnectionRow:
        """``exchange`` and ``keep`` at once."""
        return await self.keep(
            await self.exchange(
                client_id=client_id,
                client_secret=client_secret,
                code=code,
                accounts_server=accounts_server,
                redirect_uri=redirect_uri,
            )
        )

    async def name_organisation(self, organisation_id: str, organisation_name: str) -> None:
        """Store which organisation the login belongs to; the budget is kept per organisation."""
        await self._store.save_organisation(organisation_id=organisation_id, organisation_name=organisation_name)
        self.forget_access()

    def forget_access(self) -> None:
        """Read the login anew before the next call: something about it has been written."""
        self._access = None

    async def disconnect(self) -> bool:
        """Forget the login here and revoke it at Zoho, which frees one of its twenty places; whether Zoho confirmed it.

        The login is forgotten even when Zoho cannot be reached: what is left there can be removed in its accounts page.
        https://www.zoho.com/accounts/protocol/oauth/web-apps/revoke-tokens.html
        """
        row = await self._store.mark_disconnected()
        self._access = None
        if row is None:
            return True
        try:
            return await self._revoke(row.accounts_server, self._vault.open(row.refresh_token))
        except LoginLost:  # sealed under a key that is gone
            return False

    async def _revoke_replaced(self, before: ConnectionRow | None, login: Login) -> None:
        if before is None or before.state == "disconnected":
            return
        try:
            refresh_token = self._vault.open(before.refresh_token)
        except LoginLost:
            return
        if refresh_token != login.refresh_token:
            await self._revoke(before.accounts_server, refresh_token)

    async def _revoke(self, accounts_server: str, refresh_token: str) -> bool:
        """Whether Zoho confirmed it."""
        try:
            server = self._places.accounts_server(accounts_server)
            status, _ = await self._post(f"{server}{oauth.REVOKE_PATH}", {"token": refresh_token})
        except ZohoFailure:
            return False
        return status == 200

    async def _renew(self, rejected: Access) -> tuple[Access, bool]:
        """A newer token, and whether it was fetched for this caller; others may have done so already."""
        async with self._lock:
            if self._access is not None and self._access.generation > rejected.generation:
                return self._access, False
            self._access = None
            renewed = await self._refresh(rejected.generation)
            self._access = renewed.access
            return renewed.access, renewed.fetched

    async def _renewed_early(self, old: Access | None) -> Access:
        """A token before its end is better than none when a new one cannot be had just now."""
        try:
            return (await self._refresh(old.generation if old else -1)).access
        except (ZohoUnavailable, RateLimited):
            if old is not None and self._lives(old, timedelta(0)):
                self._early_again_at = self._clock.now() + EARLY_AGAIN
                return old
            raise

    async def _refresh(self, stale: int) -> "_Renewed":
        """One process at a time holds the row; those who come after it find a newer generation and take it."""
        async with self._store.hold_connection() as held:
            outcome = await self._refresh_held(held, stale)
        # Raised only now, so that what was written (the count, the dead login) is kept.
        if isinstance(outcome, ZohoFailure):
            self._access = None
            raise outcome
        return outcome

    async def _refresh_held(self, held: HeldConnection, stale: int) -> "_Renewed | ZohoFailure":
        row = held.row
        try:
            found = self._access_of(row)
            if found is not None and found.generation > stale and self._lives(found, EARLY):
                return _Renewed(found, fetched=False)
            assert row is not None
            await self._spend_refresh(held)
            grant = await self._ask_for_token(row)
        except RateLimited as error:
            if error.status is not None:
                # Zoho itself said stop: count the window as used up until it may be asked again.
                await held.note_refreshes(self._clock.now() - REFRESH_WINDOW + error.retry_after, REFRESHES)
            return error
        except LoginLost as error:
            if error.status is not None:
                await held.mark_needs_reauth(error_code=error.reason, error_message=error.message)
            return error
        except ZohoFailure as error:
            return error
        return _Renewed(await self._keep(held, row, grant), fetched=True)

    async def _spend_refresh(self, held: HeldConnection) -> None:
        now = self._clock.now()
        recent = sorted(await held.list_refreshes(now - REFRESH_WINDOW))
        if len(recent) >= REFRESHES:
            frees_at = recent[-REFRESHES] + REFRESH_WINDOW
            raise RateLimited(
                "Ten access tokens were fetched in ten minutes; Zoho allows no more.",
                hint="It continues by itself. If it recurs, another program uses the same login: give it its own.",
                retry_after=max(frees_at - now, timedelta(seconds=1)),
                scope="refresh",
            )
        await held.note_refreshes(now)

    async def _ask_for_token(self, row: ConnectionRow) -> Grant:
        server = self._places.accounts_server(row.accounts_server)
        form = oauth.refresh_form(
            row.client_id, self._vault.open(row.client_secret), self._vault.open(row.refresh_token)
        )
        status, body = await self._post(f"{server}{oauth.TOKEN_PATH}", form)
        return oauth.decipher_grant(status, body, "refresh")

    async def _keep(self, held: HeldConnection, row: ConnectionRow, grant: Grant) -> Access:
        """Store the new token, and everything else under the newest key, so that old keys can go after an hour."""
        saved = await held.save_access_token(
            access_token=self._vault.seal(grant.access_token),
            expires_at=self._clock.now() + grant.lives,
            api_domain=self._domain_of(grant, row),
            scopes=grant.scopes or row.scopes,
            client_secret=self._vault.reseal(row.client_secret),
            refresh_token=self._vault.reseal(row.refresh_token),
        )
        access = self._access_of(saved)
        assert access is not None
        return access

    def _domain_of(self, grant: Grant, row: ConnectionRow) -> str:
        """The API host just told, or the stored one when none was told or it is not Zoho's."""
        try:
            return self._places.api_domain(grant.api_domain or row.api_domain)
        except LoginLost:
            return row.api_domain

    def _access_of(self, row: ConnectionRow | None) -> Access | None:
        """The stored token, None when there is none yet; raises what stands in the way of using the login."""
        if row is None or row.state == "disconnected":
            raise NotConnected("Zoho is not connected.", hint="Run `zohosync connect`.")
        if row.state != "connected":
            raise _lost(row)
        if row.access_token is None or row.expires_at is None:
            return None
        return Access(
            token=self._vault.open(row.access_token),
            api_domain=row.api_domain,
            organisation_id=row.organisation_id,
            expires_at=row.expires_at,
            generation=row.generation,
            books_organisation_id=row.books_organisation_id,
        )

    def _margin(self) -> timedelta:
        waiting = self._early_again_at is not None and self._clock.now() < self._early_again_at
        return timedelta(0) if waiting else EARLY

    def _lives(self, access: Access, margin: timedelta) -> bool:
        return access.expires_at - self._clock.now() > margin

    async def _post(self, address: str, form: dict[str, str]) -> tuple[int, bytes]:
        """One form, never to a redirect's target; anything that goes wrong on the way is ZohoUnavailable."""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                response = await self._http.post(address, data=form, follow_redirects=False)
        except (httpx.TransportError, TimeoutError) as error:
            raise ZohoUnavailable(
                "Zoho's accounts server did not answer.", hint="It is tried again by itself."
            ) from error
        return response.status_code, response.content


def _lost(row: ConnectionRow) -> LoginLost:
    message = row.error_message or "The Zoho login is no longer valid."
    hint = "Connect again with `zohosync connect`. Waiting work then continues by itself."
    if row.error_code in (None, GrantDead.code):
        return GrantDead(message, hint=hint)
    return LoginLost(message, hint=hint, code=row.error_code)
