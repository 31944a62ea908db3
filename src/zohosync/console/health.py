"""What machines ask: does it run, and can it serve."""

from starlette.responses import JSONResponse, Response

from zohosync.console.gate import Visit
from zohosync.db.install import newest_version
from zohosync.errors import ZohosyncError
from zohosync.store.installation import read_installation


async def healthz(_: Visit) -> Response:
    return JSONResponse({"status": "ok"})


async def readyz(visit: Visit) -> Response:
    """200 when the database answers and its schema is one this program knows; says no more to strangers."""
    try:
        async with visit.console.reach() as connection:
            version = (await read_installation(connection)).schema_version
    except ZohosyncError as error:
        return JSONResponse({"status": "unready", "reason": error.reason}, 503)
    if version != newest_version():
        return JSONResponse({"status": "unready", "reason": "schema_mismatch"}, 503)
    return JSONResponse({"status": "ready", "schema_version": version})
