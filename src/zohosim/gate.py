"""The gate: the one way every API call takes from the socket to its handler and back.

Read, log, order faults, authorise, count, wait, handle, spoil, answer. Products plug in by listing Operations.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from zohosim.answers import Answer, Json, Refused, error
from zohosim.calls import Call, Entry
from zohosim.faults import AFTER, AUTHORITY, BEFORE, HINDRANCE, STATE, Fault
from zohosim.scopes import Need, covers

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

Handler = Callable[["Simulator", Call], Answer]
PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr><center>ZGS</center></body></html>"


def no_needs(_call: Call) -> tuple[Need, ...]:
    return ()


def one_credit(_call: Call) -> int:
    return 1


def light(_call: Call) -> bool:
    return False


class Meter(Protocol):
    """What limits a call: how many at once, and what a call costs whom."""

    def flight(self, client_id: str, heavy: bool) -> AbstractContextManager[None]: ...

    def check(self, cost: int) -> None: ...

    def spend(self, cost: int) -> None: ...

    def headers(self) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How a product limits, refuses, throttles and fails: the same happenings have other words in each.

    `meter` may refuse the call, when it belongs to nobody who could pay for it; `hinder` may refuse a write.
    """

    meter: Callable[["Simulator", Call], Meter]
    refuse: Callable[["Simulator", Refused], Answer]
    busy: Callable[["Simulator", Call, Fault], Answer]
    trouble: Callable[[], Answer]
    hinder: Callable[["Simulator", Call, list[Fault]], None] | None = None


def crm_meter(sim: "Simulator", _call: Call) -> Meter:
    return sim.limits


def crm_busy(sim: "Simulator", call: Call, _fault: Fault) -> Answer:
    return sim.too_many(call)


def crm_refusal(sim: "Simulator", refusal: Refused) -> Answer:
    """Flat, or in data[] when the switch says so: Zoho does both."""
    body: Json = refusal.body
    if sim.switches["whole_request_errors"] == "data":
        body = {"data": [body]}
    return Answer(body, refusal.status)


def crm_trouble() -> Answer:
    return Answer(error("INTERNAL_ERROR", "Internal Server Error"), 500)


CRM = Manner(crm_meter, crm_refusal, crm_busy, crm_trouble)
"""The manner of CRM, and of the accounts server where it has none of its own."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of a product: what it is called, what it needs, costs and weighs, and who handles it."""

    service: str
    name: str
    method: str
    path: str
    handler: Handler
    needs: Callable[[Call], tuple[Need, ...]] = no_needs
    cost: Callable[[Call], int] = one_credit
    heavy: Callable[[Call], bool] = light
    module: str = ""
    """The module a path means that does not name one as `{module}`."""
    manner: Manner = CRM


@dataclass(slots=True)
class Passage:
    """What happened to one call on its way through the gate."""

    answer: Answer | None = None
    response: Response | None = None
    dropped: bool = False
    timed_out: bool = False
    faults: list[str] = field(default_factory=list)
    credits: int = 0
    receive: Receive | None = None

    def note(self, faults: list[Fault]) -> list[Fault]:
        self.faults.extend(fault.kind for fault in faults)
        return faults


class Endpoint:
    """The Starlette endpoint of one Operation."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        sim: Simulator = request.app.state.simulator
        started_at = time.time()
        call = await read_call(sim, self.operation, request)
        passage = Passage(receive=receive)
        try:
            await pass_through(sim, self.operation, call, passage)
        finally:
            sim.calls.add(entry_of(call, passage, started_at, request))
        if passage.dropped:
            await hang_up(scope, receive, passage.timed_out)
            return
        assert passage.response is not None
        await passage.response(scope, receive, send)


async def read_call(sim: "Simulator", operation: Operation, request: Request) -> Call:
    call = Call(
        method=request.method,
        path=request.url.path,
        service=operation.service,
        operation=operation.name,
        module=operation.module or request.path_params.get("module", ""),
        face=sim.face_of(request.scope),
        params=request.query_params,
        headers=request.headers,
        body=await request.body(),
        path_params=request.path_params,
    )
    if operation.service != "accounts":
        call.parse()
    return call


async def pass_through(sim: "Simulator", operation: Operation, call: Call, passage: Passage) -> None:
    for fault in passage.note(sim.faults.take(call, STATE)):
        sim.strike(fault)
    try:
        if operation.service == "accounts":
            await handle(sim, operation, call, passage)
        else:
            authorise(sim, operation, call, passage)
            meter = operation.manner.meter(sim, call)
            with meter.flight(call.client_id, operation.heavy(call)):
                await count_and_handle(sim, operation, call, passage, meter)
    except Refused as refusal:
        passage.response = operation.manner.refuse(sim, refusal).response()
    if passage.response is None and passage.answer is not None:
        passage.response = passage.answer.response()


def authorise(sim: "Simulator", operation: Operation, call: Call, passage: Passage) -> None:
    """Only `Authorization: Zoho-oauthtoken x` counts; 401 tells apart missing, dead and too narrow."""
    header = call.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    schemes = ("zoho-oauthtoken", "bearer") if sim.switches["bearer_scheme"] else ("zoho-oauthtoken",)
    if scheme.lower() not in schemes or not token.strip():
        raise Refused(401, "AUTHENTICATION_FAILURE", "Authentication failed")
    strikes = passage.note(sim.faults.take(call, AUTHORITY))
    access = sim.grants.find_access(token.strip(), call.face.centre)
    if access is None or any(fault.kind == "wrong_data_centre" for fault in strikes):
        raise Refused(401, "INVALID_TOKEN", "invalid oauth token")
    call.client_id, call.user_id = access.client_id, access.user_id
    gone = {str(f.options.get("scope") or "").lower() for f in strikes if f.kind == "scope_removed"}
    scopes = tuple(s for s in access.scopes if s.lower() not in gone) if "" not in gone else ()
    if not covers(scopes, operation.needs(call), ignore_case=sim.switches["scopes_ignore_case"]):
        raise Refused(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")


async def count_and_handle(sim: "Simulator", operation: Operation, call: Call, passage: Passage, meter: Meter) -> None:
    cost = operation.cost(call)
    meter.check(cost)
    await sim.latency.wait()
    await handle(sim, operation, call, passage)
    if passage.answer is None:
        return
    if passage.answer.status < 400 or sim.switches["charge_failed_calls"]:
        meter.spend(cost)
        passage.credits = cost
    passage.answer.headers.update(meter.headers())


async def handle(sim: "Simulator", operation: Operation, call: Call, passage: Passage) -> None:
    """Faults before the handler, the handler (which commits without a pause), faults after it."""
    strikes = passage.note(sim.faults.take(call, BEFORE, AFTER))
    first = next((fault for fault in strikes if comes_first(fault)), None)
    for fault in strikes:
        if fault.kind == "slow":
            await asyncio.sleep(fault.delay)
    if first is not None:
        await spoil(sim, operation, call, first, passage)
        return
    try:
        if operation.manner.hinder is not None and call.method != "GET":
            operation.manner.hinder(sim, call, passage.note(sim.faults.take(call, HINDRANCE)))
        passage.answer = operation.handler(sim, call)
    except Refused as refusal:
        passage.answer = operation.manner.refuse(sim, refusal)
    last = next((fault for fault in strikes if fault.kind != "slow"), None)
    if last is not None:
        await spoil(sim, operation, call, last, passage)


def comes_first(fault: Fault) -> bool:
    """Whether the fault answers in the handler's place, so that nothing is written."""
    if fault.kind == "slow" or fault.options.get("after_commit"):
        return False
    return not fault.kind.endswith("_after_commit")


async def spoil(sim: "Simulator", operation: Operation, call: Call, fault: Fault, passage: Passage) -> None:
    if fault.kind.startswith(("timeout_", "drop_connection_")):
        passage.dropped = True
        passage.timed_out = fault.kind.startswith("timeout_")
        await silence(passage.receive, fault.delay)
        return
    passage.response = spoiled_answer(sim, operation.manner, call, fault)


def spoiled_answer(sim: "Simulator", manner: Manner, call: Call, fault: Fault) -> Response:
    options = fault.options
    if fault.kind == "html_502":
        return HTMLResponse(PAGE.format("502 Bad Gateway"), int(options.get("status", 502)))
    if fault.kind == "html_200":
        return HTMLResponse(PAGE.format("Zoho Accounts"), 200)
    if fault.kind == "answer":
        return Answer(options.get("body"), int(options.get("status", 500))).response()
    if fault.kind == "http_429":
        return manner.busy(sim, call, fault).response()
    return manner.trouble().response()


def entry_of(call: Call, passage: Passage, started_at: float, request: Request) -> Entry:
    return Entry(
        number=0,
        method=call.method,
        path=call.path,
        query="" if call.service == "accounts" else request.url.query,
        service=call.service,
        operation=call.operation,
        module=call.module,
        data_centre=call.face.centre,
        client_id=call.client_id,
        status=None if passage.dropped or passage.response is None else passage.response.status_code,
        records=len(call.records),
        keys=call.keys(),
        ids=passage.answer.touched if passage.answer else [],
        started_at=started_at,
        ended_at=time.time(),
        faults=passage.faults,
        credits=passage.credits,
    )


async def silence(receive: Receive | None, seconds: float) -> None:
    """Say nothing for so long, or until the caller gives up."""
    assert receive is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await gone(receive)


async def gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def hang_up(scope: Scope, receive: Receive, timed_out: bool) -> None:
    """Drop the connection without a byte.

    Behind uvicorn the transport is aborted. In process there is no connection, so the caller gets the
    very exception httpx would raise had it been a real one.
    """
    send = scope["zohosim.send"]
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        if timed_out:
            raise httpx.ReadTimeout("zohosim: no answer came")
        raise httpx.RemoteProtocolError("zohosim: the server disconnected without sending a response")
    transport.abort()
    await gone(receive)
