"""What a worker without a console answers machines: does it live, can it serve, what does it count."""

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from zohosync.config import Settings
from zohosync.db.pool import Pool
from zohosync.metrics.exposition import Answer, Metrics
from zohosync.metrics.pulse import Pulse
from zohosync.store.readiness import find_hindrance


def create_endpoint(pool: Pool, settings: Settings, metrics: Metrics, pulse: Pulse) -> Starlette:
    """The application behind ZOHOSYNC_METRICS_PORT."""

    async def readyz(_: Request) -> Response:
        reason = pulse.hindrance() or await find_hindrance(pool, zoho=settings.zoho)
        return readiness(reason)

    async def page(request: Request) -> Response:
        token = revealed(settings.metrics_token)
        return answered(await metrics.answer(request.headers.get("authorization"), token))

    return Starlette(
        routes=[Route("/healthz", _healthz), Route("/readyz", readyz), Route("/metrics", page)],
    )


async def _healthz(_: Request) -> Response:
    return liveness()


def liveness() -> Response:
    """The process lives, which is all it says."""
    return JSONResponse({"status": "ok"}, headers=UNKEPT)


def readiness(reason: str | None) -> Response:
    """200, or 503 with a code; no more to strangers."""
    if reason is None:
        return JSONResponse({"status": "ready"}, headers=UNKEPT)
    return JSONResponse({"status": "unready", "reason": reason}, 503, headers=UNKEPT)


def answered(answer: Answer) -> Response:
    """The metrics page, or its refusal, over HTTP."""
    headers = {**UNKEPT, **answer.headers, "Content-Type": answer.content_type}
    return Response(answer.body, answer.status, headers=headers)


def revealed(secret: SecretStr | None) -> str | None:
    """The text of a secret setting."""
    return secret.get_secret_value() if secret else None


UNKEPT = {"Cache-Control": "no-store"}
