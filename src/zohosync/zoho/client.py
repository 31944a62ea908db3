"""The only sender: login, budget, send, decipher, and once more with a newer token."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from zohosync.clock import Clock
from zohosync.errors import LoginLost, RateLimited, TokenRejected, ZohosyncError, ZohoUnavailable
from zohosync.zoho.budget import Budget, Demand, Feedback, Priority, settle, take_patiently
from zohosync.zoho.exchange import Exchange
from zohosync.zoho.login import Access, Logins
from zohosync.zoho.protocol import Reply, Request, decipher, trouble

UNNAMED = "unnamed"
"""Whose budget is used while the organisation of a new login is not known yet."""

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
    ) -> None:
        """``timeout`` bounds one answer; ``patience`` is how long a full house of calls in flight is waited for."""
        self._http = http
        self._custodian = custodian
        self._budget = budget
        self._clock = clock
        self._timeout = timeout
        self._patience = patience
        self._context = context

    def within(self, context: Context) -> "Client":
        """The same client for another priority and other hooks."""
        return Client(
            self._http,
            self._custodian,
            self._budget,
            self._clock,
            timeout=self._timeout,
            patience=self._patience,
            context=context,
        )

    def signed_in_by(self, logins: Logins) -> "Client":
        """The same client with another login, such as one that is only being looked at."""
        return Client(
            self._http,
            logins,
            self._budget,
            self._clock,
            timeout=self._timeout,
            patience=self._patience,
            context=self._context,
        )

    async def send(self, request: Request) -> Reply:
        """The reply; any ZohoFailure of errors.py, or what ``before_send`` raised."""
        async with aclosing(self._custodian.logins()) as logins:
            access = await anext(logins)
            while True:
                try:
                    return await self._exchange(request, access)
                except TokenRejected as rejected:
                    access = await _next_login(logins, rejected)

    async def _exchange(self, request: Request, access: Access) -> Reply:
        demand = Demand(
            organisation_id=access.organisation_id or UNNAMED,
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
            reply = decipher(answer.status_code, answer.headers, answer.content, request)
            attempt.feedback = Feedback("answered", credits_left=reply.credits_left)
        except ZohosyncError as error:
            attempt.error = error.reason
            if isinstance(error, RateLimited):
                attempt.feedback = Feedback("limited", retry_after=error.retry_after or None)
            raise
        finally:
            if self._context.on_exchange is not None:
                took = timedelta(seconds=self._clock.monotonic() - started)
                self._context.on_exchange(Exchange(request, attempt.status, attempt.body, took, attempt.error))
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


async def _next_login(logins: AsyncGenerator[Access, TokenRejected], rejected: TokenRejected) -> Access:
    try:
        return await logins.asend(rejected)
    except StopAsyncIteration:
        raise LoginLost(
            "Zoho does not accept even a new access token.",
            hint="The login may belong to another data centre: run `zohosync connect` and check it.",
            code="token_refused",
            status=rejected.status,
            vendor_code=rejected.vendor_code,
            vendor_message=rejected.vendor_message,
        ) from rejected
