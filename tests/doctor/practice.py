"""A patient on a stage: the installation of the test, examined in process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx

from stage import SCALED, Stage
from zohosim.app import create_app
from zohosync.config import load_settings
from zohosync.sync.doctor.examine import CHECKS, examine
from zohosync.sync.doctor.finding import Finding, Level
from zohosync.sync.doctor.patient import Patient
from zohosync.wiring import meet_patient

BY_NAME = {check.name: check for check in CHECKS}


class Dated(httpx.AsyncBaseTransport):
    """The simulator behind a server that tells the time, as real ones do; ``fast`` is how far ahead it is."""

    def __init__(self, stage: Stage, fast: timedelta = timedelta(0)) -> None:
        self._inner = httpx.ASGITransport(app=create_app(stage.sim))
        self._fast = fast

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        response.headers["Date"] = format_datetime(datetime.now().astimezone() + self._fast)
        return response


@asynccontextmanager
async def patient_of(
    stage: Stage, *, offline: bool = False, transport: httpx.AsyncBaseTransport | None = None, **settings: Any
) -> AsyncIterator[Patient]:
    chosen = load_settings(None, **{**SCALED, "database_url": stage.database.worker_url, **settings})
    way = transport or httpx.ASGITransport(app=create_app(stage.sim))
    async with meet_patient(chosen, offline=offline, transport=way) as patient:
        yield patient


async def look(stage: Stage, check: str, **settings: Any) -> list[Finding]:
    """The findings of one check."""
    async with patient_of(stage, **settings) as patient:
        return await examine(patient, [BY_NAME[check]])


async def look_once(stage: Stage, check: str, **settings: Any) -> Finding:
    """The only finding of one check."""
    (finding,) = await look(stage, check, **settings)
    return finding


def levels(findings: list[Finding]) -> set[Level]:
    return {finding.level for finding in findings}
