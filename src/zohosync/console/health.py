"""What machines ask: does it run, can it serve, what does it count."""

from starlette.responses import Response

from zohosync.console.gate import Visit
from zohosync.metrics.endpoint import answered, liveness, readiness, revealed
from zohosync.metrics.exposition import switched_off
from zohosync.store.readiness import find_hindrance


async def healthz(_: Visit) -> Response:
    """The process lives."""
    return liveness()


async def readyz(visit: Visit) -> Response:
    """200 when the database answers and is one this program may serve; says no more to strangers."""
    console = visit.console
    return readiness(await find_hindrance(console.pool, zoho=console.settings.zoho, patience=console.patience))


async def metrics(visit: Visit) -> Response:
    """The page for Prometheus; a console is reachable from afar, so never without its token."""
    kept, token = visit.console.metrics, revealed(visit.console.settings.metrics_token)
    if kept is None or token is None:
        return answered(switched_off())
    return answered(await kept.answer(visit.request.headers.get("authorization"), token))
