"""A login that Zoho has just given and that is not in use yet: it can be looked at before it replaces another."""

import json
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Protocol

from zohosync.errors import TokenRejected


@dataclass(frozen=True)
class Access:
    """What one call needs. ``generation`` tells an older token from a newer one. ``books_organisation_id`` is of
    Zoho Books, the other of CRM; None while they are not known."""

    token: str = field(repr=False)
    api_domain: str
    organisation_id: str | None
    expires_at: datetime
    generation: int
    books_organisation_id: str | None = None


class Logins(Protocol):
    """Who hands out access tokens to the client."""

    def logins(self) -> AsyncGenerator[Access, TokenRejected]:
        """Yield the token to send with; told that it was rejected, yield a newer one, or end."""
        ...


@dataclass(frozen=True)
class Login:
    """What a consent gave. ``scopes`` is empty when Zoho did not name them, as older answers do not."""

    data_centre: str
    accounts_server: str
    api_domain: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_token: str = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...]

    async def logins(self) -> AsyncGenerator[Access, TokenRejected]:
        """The one token there is; rejected, there is no other."""
        yield Access(self.access_token, self.api_domain, None, self.expires_at, generation=0)

    def dump(self) -> str:
        """As text, secrets included, to be sealed."""
        return json.dumps(asdict(self) | {"expires_at": self.expires_at.isoformat()})

    @classmethod
    def load(cls, text: str) -> "Login":
        """From ``dump``."""
        told = json.loads(text)
        expires_at = datetime.fromisoformat(told["expires_at"])
        return cls(**told | {"expires_at": expires_at, "scopes": tuple(told["scopes"])})
