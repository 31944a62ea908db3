"""What the custodian needs of wherever the login is kept; secrets cross this line sealed only."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol


class ConnectionRow(Protocol):
    """The one login, as stored; secrets are sealed."""

    @property
    def state(self) -> str: ...
    @property
    def data_centre(self) -> str: ...
    @property
    def accounts_server(self) -> str: ...
    @property
    def api_domain(self) -> str: ...
    @property
    def organisation_id(self) -> str | None: ...
    @property
    def organisation_name(self) -> str | None: ...
    @property
    def books_organisation_id(self) -> str | None: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> bytes: ...
    @property
    def refresh_token(self) -> bytes: ...
    @property
    def access_token(self) -> bytes | None: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def generation(self) -> int: ...
    @property
    def scopes(self) -> Sequence[str]: ...
    @property
    def error_code(self) -> str | None: ...
    @property
    def error_message(self) -> str | None: ...


class HeldConnection(Protocol):
    """The login while nobody else can renew it. What is written is kept when the holder leaves without an error."""

    @property
    def row(self) -> ConnectionRow | None: ...

    async def list_refreshes(self, since: datetime) -> Sequence[datetime]: ...

    async def note_refreshes(self, at: datetime, count: int = 1) -> None: ...

    async def save_access_token(
        self,
        *,
        access_token: bytes,
        expires_at: datetime,
        api_domain: str,
        scopes: Sequence[str],
        client_secret: bytes,
        refresh_token: bytes,
    ) -> ConnectionRow: ...

    async def mark_needs_reauth(self, *, error_code: str, error_message: str) -> None: ...


class TokenStore(Protocol):
    """Where the login is kept; ``store.tokens.PostgresTokens`` is the one there is."""

    async def find_connection(self) -> ConnectionRow | None: ...

    def hold_connection(self) -> AbstractAsyncContextManager[HeldConnection]:
        """Wait for the row's lock, hold it until the end of the block, then commit."""
        ...

    async def save_connection(
        self,
        *,
        data_centre: str,
        accounts_server: str,
        api_domain: str,
        client_id: str,
        client_secret: bytes,
        refresh_token: bytes,
        access_token: bytes,
        expires_at: datetime,
        scopes: Sequence[str],
    ) -> tuple[ConnectionRow | None, ConnectionRow]:
        """What was replaced, and what is there now, without anybody in between."""
        ...

    async def save_organisation(self, *, organisation_id: str, organisation_name: str) -> None: ...

    async def mark_disconnected(self) -> ConnectionRow | None:
        """The login that was ended; None when there was none."""
        ...
