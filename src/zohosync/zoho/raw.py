"""Questions whose answer is wanted as it came: requests no stream sends, and the answer before it is deciphered."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from zohosync.errors import TokenRejected, ZohoFailure
from zohosync.zoho.client import Client, Context
from zohosync.zoho.exchange import Exchange
from zohosync.zoho.login import Access, Logins
from zohosync.zoho.protocol import Request

TROUBLE = frozenset({429})


@dataclass(frozen=True)
class RawRequest(Request):
    """A request with any body, JSON or not, and any authorization scheme."""

    body: bytes | None = None
    scheme: str = "Zoho-oauthtoken"

    def content(self) -> bytes | None:
        return super().content() if self.body is None else self.body

    def headers(self, access_token: str) -> dict[str, str]:
        return super().headers(access_token) | {"Authorization": f"{self.scheme} {access_token}"}


@dataclass(frozen=True)
class Once:
    """A login as it is: no second token when the first is refused, so that the refusal itself is seen."""

    of: Logins

    async def logins(self) -> AsyncGenerator[Access, TokenRejected]:
        async with aclosing(self.of.logins()) as logins:
            yield await anext(logins)


async def hear(client: Client, request: Request) -> Exchange:
    """What Zoho answered, a refusal included. Raises what the client raises when there was no answer to judge: none at
    all, too many requests, or trouble on Zoho's side."""
    heard: list[Exchange] = []
    try:
        await client.within(Context(on_exchange=heard.append)).send(request)
    except ZohoFailure:
        if not heard or not _is_answer(heard[-1]):
            raise
    return heard[-1]


def _is_answer(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status < 500 and exchange.status not in TROUBLE
