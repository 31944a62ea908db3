"""A fresh simulated Zoho for every test, in process, and a caller who is logged in to it."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

from zohosim.app import create_app
from zohosim.clock import Clock
from zohosim.simulator import DEFAULT_CLIENT, DEFAULT_SCOPES, Simulator

NOON = 1_795_329_000.0  # 2026-11-22T12:00:00+05:30


@dataclass
class Zoho:
    """A logged-in caller. `http` also reaches the accounts server and the control plane."""

    sim: Simulator
    http: httpx.AsyncClient

    async def crm(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, f"/crm/v8{path}", **more)

    async def books(self, path: str, **params: Any) -> httpx.Response:
        """A GET of Books for the organisation there is from the start; `organization_id=None` names none."""
        asked = {"organization_id": next(iter(self.sim.books.organisations), ""), **params}
        return await self.http.get(
            f"/books/v3{path}", params={name: value for name, value in asked.items() if value is not None}
        )

    async def write(self, method: str, path: str, *records: dict[str, Any], **body: Any) -> httpx.Response:
        return await self.crm(method, path, json={"data": list(records), **body})

    async def upsert(self, module: str, *records: dict[str, Any], **body: Any) -> httpx.Response:
        return await self.write("POST", f"/{module}/upsert", *records, **body)

    async def insert(self, module: str, *records: dict[str, Any]) -> list[str]:
        """Ids of new records that must all be accepted."""
        answer = await self.write("POST", f"/{module}", *records)
        assert answer.status_code == 201, answer.text
        return [result["details"]["id"] for result in answer.json()["data"]]

    async def get(self, module: str, record_id: str) -> dict[str, Any]:
        answer = await self.crm("GET", f"/{module}/{record_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()["data"][0]

    async def query(self, text: str) -> httpx.Response:
        return await self.crm("POST", "/coql", json={"select_query": text})

    async def order(self, **fault: Any) -> dict[str, Any]:
        answer = await self.http.post("/_sim/faults", json=fault)
        assert answer.status_code == 200, answer.text
        return answer.json()["faults"][0]

    async def turn(self, **switches: Any) -> None:
        answer = await self.http.post("/_sim/switches", json=switches)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def sim() -> Simulator:
    return Simulator(clock=Clock(real=lambda: NOON))


@pytest.fixture
async def http(sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(sim))
    async with httpx.AsyncClient(transport=transport, base_url="http://sim") as client:
        yield client


def log_in(sim: Simulator, http: httpx.AsyncClient, *scopes: str) -> None:
    """Give the client an access token straight from the simulator's own hands."""
    grant = sim.open_grant(scopes=scopes or DEFAULT_SCOPES)
    access = sim.grants.refresh(grant.token, DEFAULT_CLIENT, sim.data_centre)
    http.headers["Authorization"] = f"Zoho-oauthtoken {access.token}"


@pytest.fixture
def zoho(sim: Simulator, http: httpx.AsyncClient) -> Zoho:
    log_in(sim, http)
    return Zoho(sim, http)


@pytest.fixture
def address() -> Iterator[str]:
    """A simulator behind uvicorn on a free loopback port, in a thread; steer it through its control plane."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(Simulator()), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()
