"""The server-sent events of every open page."""

from starlette.responses import Response, StreamingResponse

from zohosync.console.gate import Visit


async def live(visit: Visit) -> Response:
    """Says "changed"; nginx and its like are told not to hold it back."""
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    if visit.request.method == "HEAD":
        return Response(headers=headers, media_type="text/event-stream")
    return StreamingResponse(visit.desk.live.events(), headers=headers, media_type="text/event-stream")
