"""The only sender: login, budget, send, decipher, and once more with a newer token."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType

import httpx

from zohosync.clock import Clock
from zohosync.errors import LoginLost, NotConnected, RateLimited, TokenRejected, ZohosyncError, ZohoUnavailable
from zohosync.zoho import books_protocol, protocol
from zohosync.zoho.budget import Budget, Demand, Feedback, Priority, settle, take_patiently
from zohosync.zoho.exchange import Exchange
from zohosync.zoho.login import Access, Logins
from zohosync.zoho.protocol import Product, Reply, Request, trouble

UNNAMED = "unnamed"
"""Whose budget is used while the organisation of a new login is not known yet."""

DECIPHER: Mapping[Product, Callable[[int, Mapping[str, str], bytes, Request], Reply]] = MappingProxyType(
    {"crm": protocol.decipher, "books": books_protocol.decipher}
)

# Before these, not one byte has left; after anything else a write may have been carried out.
# https://www.python-httpx.org/exceptions/
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)


@dataclass(frozen=True)
class Context:
    """For whom a call is made. ``before_send`` runs last before the bytes leave and may raise LeaseLost;
    ``on_exchange`` is told every attempt, failed ones too."""

    priority: Priority = "people"
    before_send: Callable[[], Awaitable[None]] | None = None
    on_exchange: Callable[[Exchange], None] | None = None


@dataclass
class _Attempt:
    """What is known of one attempt while it runs."""

    status: int | None = None
    body: bytes = b""
    error: str = ""
    feedback: Feedback = field(default_factory=lambda: Feedback("unsent"))


class Client:
    """Sends requests of one login. All processes share the login and the budget through the database."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        custodian: Logins,
        budget: Budget,
        clock: Clock,
        *,
        timeout: timedelta = timedelta(seconds=30),
        patience: timedelta = timedelta(seconds=10),
        context: Context = Context(),
        watch: Callable[[Exchange], None] | None = None,
    ) -> None:
        """``timeout`` bounds one answer; ``patience`` is how long a full house of calls in flight is waited for;
        ``watch`` is told every attempt, whatever the context."""
        self._http = http
        self._custodian = custodian
        self._budget = budget
        self._clock = clock
        self._timeout = timeout
        self._patience = patience
        self._context = context
        self._watch = watch
        self._unfit: set[tuple[int, tuple[str, ...]]] = set()  # tokens, by generation, and the scopes they lacked

    def within(self, context: Context) -> "Client":
        """The same client for another priority and other hooks."""
        other = copy(self)
        other._context = context
        return other

    def signed_in_by(self, logins: Logins) -> "Client":
        """The same client with another login, such as one that is only being looked at."""
        other = copy(self)
        other._custodian, other._unfit = logins, set()
        return other

    async def send(self, request: Request) -> Reply:
        """The reply; any ZohoFailure of errors.py, or what ``before_send`` raised."""
        async with aclosing(self._custodian.logins()) as logins:
            access = await anext(logins)
            while True:
                try:
                    reply = await self._exchange(addressed(request, access), access)
                except TokenRejected as rejected:
                    access = await self._next_login(logins, access, request, rejected)
                else:
                    self._unfit.discard((access.generation, request.scopes))
                    return reply

    async def _next_login(
        self, logins: AsyncGenerator[Access, TokenRejected], access: Access, request: Request, rejected: TokenRejected
    ) -> Access:
        """A newer token to try once more, or what it means that there is none.

        A token that was new when it was refused need not be renewed for the same refusal: Zoho allows ten renewals in
        ten minutes, which a missing permission would use up for everybody.
        """
        told = books_protocol.refused_for_good(request, rejected)
        if told is not None and (access.generation, request.scopes) in self._unfit:
            raise told from rejected
        try:
            return await logins.asend(rejected)
        except StopAsyncIteration:
            if told is not None:
                self._unfit.add((access.generation, request.scopes))
                raise told from rejected
            raise _refused_anew(rejected) from rejected

    async def _exchange(self, request: Request, access: Access) -> Reply:
        demand = Demand(
            organisation_id=payer(request, access),
            product=request.product,
            cost=request.cost,
            heavy=request.heavy,
            priority=self._context.priority,
        )
        lease = await take_patiently(self._budget, demand, self._clock, self._patience)
        attempt, limited = _Attempt(), None
        try:
            return await self._attempt(request, access, attempt)
        except RateLimited as error:
            limited = error
            raise
        finally:
            pause = await settle(self._budget, lease, demand, attempt.feedback)
            if limited is not None:
                limited.retry_after = max(limited.retry_after, pause)

    async def _attempt(self, request: Request, access: Access, attempt: _Attempt) -> Reply:
        if self._context.before_send is not None:
            await self._context.before_send()
        started = self._clock.monotonic()
        try:
            answer = await self._transmit(request, access, attempt)
            attempt.status, attempt.body = answer.status_code, answer.content
            reply = DECIPHER[request.product](answer.status_code, answer.headers, answer.content, request)
            attempt.feedback = Feedback("answered", credits_left=reply.credits_left)
        except ZohosyncError as error:
            attempt.error = error.reason
            if isinstance(error, RateLimited):
                known = error.scope if error.scope != "concurrency" else None
                attempt.feedback = Feedback("limited", retry_after=error.retry_after or None, ran_out=known)
            raise
        finally:
            took = timedelta(seconds=self._clock.monotonic() - started)
            exchange = Exchange(request, attempt.status, attempt.body, took, attempt.error)
            for told in filter(None, (self._context.on_exchange, self._watch)):
                told(exchange)
        return reply

    async def _transmit(self, request: Request, access: Access, attempt: _Attempt) -> httpx.Response:
        """Send once. ZohoUnavailable when nothing left; OutcomeUnknown for a write that may have arrived."""
        seconds = self._timeout.total_seconds()
        attempt.feedback = Feedback("failed")
        try:
            async with asyncio.timeout(seconds):
                return await self._http.request(
                    request.method,
                    request.address(access.api_domain),
                    params=dict(request.params) or None,
                    content=request.content(),
                    headers=request.headers(access.token),
                    timeout=httpx.Timeout(seconds, connect=min(seconds, 10.0)),
                    follow_redirects=False,
                )
        except UNSENT as error:
            attempt.feedback = Feedback("unsent")
            raise ZohoUnavailable(
                "Zoho cannot be reached.", hint="It is tried again by itself.", code="zoho_unreachable"
            ) from error
        except (httpx.RequestError, TimeoutError) as error:
            raise trouble(request) from error


def addressed(request: Request, access: Access) -> Request:
    """With the organisation of the login, where Books asks for one and the request names none."""
    if request.product != "books" or request.of_user or "organization_id" in request.params:
        return request
    if access.books_organisation_id is None:
        raise NotConnected(
            "No organisation of Zoho Books is chosen.",
            hint="Run `zohosync connect` and choose one.",
            code="books_not_chosen",
        )
    return replace(request, params={**request.params, "organization_id": access.books_organisation_id})


def payer(request: Request, access: Access) -> str:
    """The organisation whose budget an addressed call uses."""
    named = request.params.get("organization_id") if request.product == "books" else access.organisation_id
    return named or UNNAMED


def _refused_anew(rejected: TokenRejected) -> LoginLost:
    return LoginLost(
        "Zoho does not accept even a new access token.",
        hint="The login may belong to another data centre: run `zohosync connect` and check it.",
        code="token_refused",
        status=rejected.status,
        vendor_code=rejected.vendor_code,
        vendor_message=rejected.vendor_message,
    )
