"""Connecting Zoho: a consent is asked for, the login that comes back is looked at, and only then put to use.

https://www.zoho.com/accounts/protocol/oauth/web-apps/authorization.html
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from zohosync.db.pool import Pool
from zohosync.errors import LoginLost, Refused, ScopeMissing, SettingsRefused, ZohosyncError
from zohosync.store.consents import Consent, save_consent, take_abandoned, take_consent
from zohosync.store.installation import pin_organisation, read_installation
from zohosync.store.operations import wake
from zohosync.store.tokens import describe_connection
from zohosync.zoho import scopes
from zohosync.zoho.auth import Custodian
from zohosync.zoho.books import Books
from zohosync.zoho.books_entities import BooksOrganisation
from zohosync.zoho.client import Client
from zohosync.zoho.crm import Crm
from zohosync.zoho.entities import CurrentUser, Organisation
from zohosync.zoho.login import Login
from zohosync.zoho.oauth import consent_address
from zohosync.zoho.vault import Vault

ASKED = scopes.REQUIRED + scopes.OPTIONAL + scopes.BOOKS_REQUIRED
AGAIN = "Start again from `zohosync connect`, or from Settings in the console."


@dataclass(frozen=True)
class Asked:
    """A consent that was asked for. ``address`` is for the admin's browser; ``state`` comes back with the answer."""

    address: str
    state: str = field(repr=False)


@dataclass(frozen=True)
class Found:
    """A login that works and is not in use yet. ``books`` are the organisations its user sees in Zoho Books, None when
    they could not be asked for; ``remarks`` say why."""

    login: Login
    organisation: Organisation
    user: CurrentUser
    books: tuple[BooksOrganisation, ...] | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Connected:
    """A login that is in use now; ``books`` is None when nothing was seen of Zoho Books. ``lacking`` are permissions it
    can do without, with less."""

    organisation: Organisation
    user: CurrentUser
    books: BooksOrganisation | None
    data_centre: str
    remarks: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


class Connector:
    """Everything between a person who wants to connect and a login in use. Every refusal is one of our errors."""

    def __init__(self, pool: Pool, custodian: Custodian, client: Client, vault: Vault, *, zoho: str) -> None:
        """``client`` sends; its own login is not used. ``zoho`` is live or sim."""
        self._pool = pool
        self._custodian = custodian
        self._client = client
        self._vault = vault
        self._zoho = zoho

    async def ask(
        self, *, client_id: str, client_secret: str, accounts_server: str, redirect_uri: str, requested_by: str
    ) -> Asked:
        """Prepare a consent in the browser. The secret is kept, sealed, for the ten minutes the answer may take."""
        state = secrets.token_urlsafe(32)
        consent = Consent(client_id, self._vault.seal(client_secret), accounts_server, redirect_uri, requested_by)
        async with self._pool.connection() as connection:
            await save_consent(connection, state, consent)
        address = consent_address(
            accounts_server, client_id=client_id, redirect_uri=redirect_uri, scopes=ASKED, state=state
        )
        return Asked(address, state)

    async def receive(self, answer: Mapping[str, str], *, requested_by: str) -> Found:
        """The login behind the parameters Zoho sent the browser back with; LoginLost when it gave none.

        The state counts once, and the code goes to no server but Zoho's own.
        https://www.zoho.com/accounts/protocol/oauth/multi-dc/client-authorization.html
        """
        async with self._pool.connection() as connection:
            consent = await take_consent(connection, answer.get("state", ""), requested_by=requested_by)
        if consent is None:
            raise LoginLost(
                "This answer belongs to no consent that was asked for here in the last ten minutes.",
                hint=AGAIN,
                code="consent_unknown",
            )
        if answer.get("error") or not answer.get("code"):
            raise _refused_consent(answer.get("error", ""))
        return await self._look(
            await self._custodian.exchange(
                client_id=consent.client_id,
                client_secret=self._vault.open(consent.client_secret),
                code=answer["code"],
                accounts_server=answer.get("accounts-server") or consent.accounts_server,
                redirect_uri=consent.redirect_uri,
            )
        )

    async def redeem(self, *, client_id: str, client_secret: str, code: str, accounts_server: str) -> Found:
        """The login behind a code that a self client has generated."""
        return await self._look(
            await self._custodian.exchange(
                client_id=client_id, client_secret=client_secret, code=code, accounts_server=accounts_server
            )
        )

    async def hold(self, found: Found, *, requested_by: str) -> str:
        """Keep a login, sealed, while a person chooses its Books organisation; what ``take_held`` knows it by."""
        login, state = found.login, secrets.token_urlsafe(32)
        sealed = self._vault.seal(login.dump())
        secret = self._vault.seal(login.client_secret)
        async with self._pool.connection() as connection:
            await save_consent(
                connection, state, Consent(login.client_id, secret, login.accounts_server, "", requested_by, sealed)
            )
        return state

    async def take_held(self, state: str, *, requested_by: str) -> Found:
        """The login ``hold`` kept, looked at again."""
        async with self._pool.connection() as connection:
            consent = await take_consent(connection, state, requested_by=requested_by)
        if consent is None or consent.login is None:
            raise LoginLost("The choice took longer than ten minutes.", hint=AGAIN, code="consent_unknown")
        return await self._look(Login.load(self._vault.open(consent.login)))

    async def give_up(self, found: Found) -> None:
        """Revoke a login nobody will choose an organisation for."""
        await self._custodian.drop(found.login)

    async def give_up_abandoned(self) -> None:
        """Revoke logins that waited for a choice longer than it may take."""
        while True:
            async with self._pool.connection() as connection:
                consent = await take_abandoned(connection)
            if consent is None:
                return
            try:
                login = Login.load(self._vault.open(consent.login or b""))
            except LoginLost:  # sealed under a key that is gone
                continue
            await self._custodian.drop(login)

    async def needs_choice(self, found: Found) -> bool:
        """Whether a person must say which Books organisation is meant."""
        return len(found.books or ()) > 1 and await self._pinned() is None

    async def settle(self, found: Found, *, books_organisation_id: str | None = None) -> Connected:
        """Tie the database to the login's organisations, put the login to use, and let waiting work go on.

        SettingsRefused when the database is tied to others, or when several are there and none was chosen; the login
        is revoked then.
        """
        try:
            books = _chosen(found, books_organisation_id, await self._pinned())
            async with self._pool.connection() as connection:
                await pin_organisation(
                    connection,
                    organisation_id=found.organisation.id,
                    zoho=self._zoho,
                    books_organisation_id=books.id if books else None,
                )
        except ZohosyncError:
            await self._custodian.drop(found.login)
            raise
        await self._custodian.keep(found.login)
        async with self._pool.connection() as connection, connection.transaction():
            await describe_connection(
                connection,
                organisation_id=found.organisation.id,
                organisation_name=found.organisation.name,
                edition=found.organisation.edition,
                connected_by=found.user.email,
                books_organisation_id=books.id if books else None,
                books_organisation_name=books.name if books else None,
                books_plan=books.plan if books else None,
            )
            await wake(connection, "login")
        self._custodian.forget_access()
        lacking = scopes.missing(found.login.scopes, ASKED) if found.login.scopes else ()
        return Connected(found.organisation, found.user, books, found.login.data_centre, found.remarks, lacking)

    async def disconnect(self) -> bool:
        """Forget the login here and revoke it at Zoho; whether Zoho confirmed it."""
        return await self._custodian.disconnect()

    async def _pinned(self) -> str | None:
        async with self._pool.connection() as connection:
            return (await read_installation(connection)).books_organisation_id

    async def _look(self, login: Login) -> Found:
        """Ask what the login can do; one that cannot be used gives its place at Zoho back."""
        try:
            _check_scopes(login.scopes)
            client = self._client.signed_in_by(login)
            crm = Crm(client)
            organisation, user = await crm.organisation(), await crm.current_user()
            books, remarks = await _list_books(client, login.scopes)
        except ZohosyncError:
            await self._custodian.drop(login)
            raise
        if not organisation.production:
            remarks = (*remarks, f"{organisation.name} is a sandbox or developer organisation of Zoho CRM.")
        return Found(login, organisation, user, books, remarks)


def _chosen(found: Found, wanted: str | None, pinned: str | None) -> BooksOrganisation | None:
    """As ``choose_books``; what could not be asked for is left as it is, unless somebody insists."""
    return None if found.books is None and wanted is None else choose_books(found.books or (), wanted, pinned)


def choose_books(
    found: Sequence[BooksOrganisation], wanted: str | None, pinned: str | None
) -> BooksOrganisation | None:
    """The Books organisation to work with: the one asked for, the one this database is tied to, or the only one."""
    known = {organisation.id: organisation for organisation in found}
    listed = ", ".join(f"{organisation.id} ({organisation.name})" for organisation in found) or "none"
    if wanted is not None and wanted not in known:
        raise SettingsRefused(
            f"The user who consented sees no Books organisation {wanted}.",
            hint=f"Choose one of: {listed}.",
            code="organisation_unknown",
        )
    if pinned is not None and (wanted or pinned) == pinned and pinned not in known:
        raise SettingsRefused(
            f"This database is tied to Books organisation {pinned}, which the user who consented does not see.",
            hint="Connect with a user of that organisation, or use a separate database.",
            code="other_organisation",
        )
    chosen = wanted or pinned
    if chosen is not None:
        return known[chosen]
    if len(found) > 1:
        raise SettingsRefused(
            "The user who consented sees several Books organisations.",
            hint=f"Choose one with --organisation: {listed}.",
            code="organisation_choice",
        )
    return found[0] if found else None


def read_answer(address: str) -> dict[str, str]:
    """The parameters of the address a browser came back to; SettingsRefused when there are none of Zoho's in it."""
    answer = dict(parse_qsl(urlsplit(address.strip()).query))
    if not answer.get("state"):
        raise SettingsRefused(
            "This is not the address Zoho sent the browser to.",
            hint="Copy the whole address from the browser's address bar; it contains state= and code=.",
            code="callback_unreadable",
        )
    return answer


def _refused_consent(error: str) -> LoginLost:
    if error in ("", "access_denied"):
        return LoginLost("The consent was not given at Zoho.", hint=AGAIN, code="consent_refused")
    return LoginLost(
        f"Zoho answered the consent with {error}.",
        hint="Check client id, data centre and the redirect address in Zoho's API console, then connect again.",
        code="consent_refused",
    )


def _check_scopes(granted: Sequence[str]) -> None:
    lacking = scopes.missing(granted) if granted else ()
    if lacking:
        raise ScopeMissing(
            f"The login lacks permissions: {', '.join(lacking)}.",
            hint=f"Accept all that is asked for; a self client's code needs these scopes: {','.join(ASKED)}.",
            code="scopes_missing",
        )


async def _list_books(
    client: Client, granted: Sequence[str]
) -> tuple[tuple[BooksOrganisation, ...] | None, tuple[str, ...]]:
    """The organisations in Books and what is to be said about them. CRM works without Books."""
    lacking = scopes.missing(granted, scopes.BOOKS_REQUIRED) if granted else ()
    if lacking:
        return None, (f"Zoho Books was left out: the login lacks {', '.join(lacking)}.",)
    try:
        found = await Books(client, None).organisations()
    except (Refused, ScopeMissing, LoginLost) as error:
        return None, (f"Zoho Books was left out: {error.message}",)
    return found, () if found else ("The user who consented has no organisation in Zoho Books.",)
