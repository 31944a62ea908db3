"""Every way a single request can go wrong: dropped or answered 500, before or after Zoho did what was asked."""

import httpx

FAULTS = (
    "drop_connection_before_commit",
    "drop_connection_after_commit",
    "http_500_before_commit",
    "http_500_after_commit",
)


class Killed(BaseException):
    """The process ends here: nothing that comes after runs, nothing is given back."""


class Deadly(httpx.AsyncBaseTransport):
    """Lets a process die at one request to Books: before the request has left, or when its answer arrives."""

    def __init__(self, real: httpx.AsyncBaseTransport) -> None:
        self.real = real
        self.requests = 0
        self.dies_at = 0
        self.after_commit = False

    def die_at(self, number: int, *, after_commit: bool) -> None:
        """At the ``number``-th request from now on."""
        self.requests, self.dies_at, self.after_commit = 0, number, after_commit

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "/books/" not in request.url.path:
            return await self.real.handle_async_request(request)
        self.requests += 1
        doomed = self.requests == self.dies_at
        if doomed and not self.after_commit:
            raise Killed
        answer = await self.real.handle_async_request(request)
        if doomed:
            await answer.aread()
            raise Killed
        return answer
