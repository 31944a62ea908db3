"""One operation: what became of it, every attempt, and what may be done about it."""

from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.responses import Response

from zohosync.console.gate import Visit
from zohosync.console.records import correction_of
from zohosync.db.pool import Connection
from zohosync.store.insights import NEWEST, Operation, find_operation, list_attempts, list_record_operations


async def operation_page(visit: Visit) -> Response:
    """The whole page, or with ``partial=body`` only the live region of it."""
    async with visit.console.reach() as connection:
        operation = await get_operation(connection, visit)
        attempts = await list_attempts(connection, operation.operation_id)
        siblings = await list_record_operations(connection, operation.entity, operation.record_id)
    partial = visit.request.query_params.get("partial") == "body"
    return visit.page(
        "partials/operation.html" if partial else "operation.html",
        operation=operation,
        attempts=attempts,
        siblings=[sibling for sibling in siblings if sibling.operation_id != operation.operation_id],
        press=uuid4,
        correction=correction_of(operation),
        here=f"/operations/{operation.operation_id}",
    )


async def cancel_page(visit: Visit) -> Response:
    """Asks before it cancels: what is cancelled is lost until the record changes again."""
    async with visit.console.reach() as connection:
        operation = await get_operation(connection, visit)
    return visit.page("cancel.html", operation=operation)


async def get_operation(connection: Connection, visit: Visit) -> Operation:
    """The operation the address names, or 404 in plain words."""
    operation_id = visit.request.path_params["operation_id"]
    operation = await find_operation(connection, operation_id) if operation_id <= NEWEST else None
    if operation is None:
        raise HTTPException(404, f"There is no operation {operation_id}. It may have been cleared away with age.")
    return operation
