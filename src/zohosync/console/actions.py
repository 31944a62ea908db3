"""What operators may do with an operation: sync its record now, retry it, cancel it."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from starlette.responses import Response

from zohosync.console.gate import Visit
from zohosync.console.operation import get_operation
from zohosync.console.security import safe_path
from zohosync.console.words import may_retry
from zohosync.db.pool import Connection
from zohosync.store import audit, operations
from zohosync.store.insights import Operation

Work = tuple[str, str]  # kind and lane


async def sync_now(visit: Visit) -> Response:
    """A new operation for the record, of every kind its entity feeds; never asks first."""
    async with visit.console.reach() as connection:
        operation = await get_operation(connection, visit)
        works = visit.console.works_of(operation.kind, operation.lane, operation.entity)
        made = await _ask(connection, visit, operation, works, "operation.sync_now")
    return _back(visit, operation, made, "sync")


async def retry(visit: Visit) -> Response:
    """The same kind of operation again, with a fresh budget of tries; one that needs none is left alone."""
    async with visit.console.reach() as connection:
        operation = await get_operation(connection, visit)
        if not may_retry(operation):
            return _back(visit, operation, operation.open_sibling, "needless")
        made = await _ask(connection, visit, operation, [(operation.kind, operation.lane)], "operation.retry")
    return _back(visit, operation, made, "retry")


async def cancel(visit: Visit) -> Response:
    """End an operation that has not run yet."""
    reason = visit.form.get("reason", "").strip()[:500] or None
    async with visit.console.reach() as connection:
        operation = await get_operation(connection, visit)
        async with connection.transaction():
            done = await operations.cancel(connection, operation.operation_id)
            if done:
                await audit.record(
                    connection,
                    actor=visit.user,
                    action="operation.cancel",
                    entity=operation.entity,
                    record_id=operation.record_id,
                    reason=reason,
                    operation_id=operation.operation_id,
                )
    said = "cancelled" if done else "too-late"
    return visit.go(f"/operations/{operation.operation_id}", f"{said}.{operation.operation_id}")


async def _ask(
    connection: Connection, visit: Visit, operation: Operation, works: Sequence[Work], action: str
) -> int | None:
    """Make the record dirty for each of ``works`` and write down who asked, at once; the operation of the first.

    A press that arrives again is answered with what it made the first time.
    """
    press = _press(visit)
    async with connection.transaction():
        audit_id = await audit.record(
            connection,
            actor=visit.user,
            action=action,
            entity=operation.entity,
            record_id=operation.record_id,
            press=press,
        )
        if audit_id is None:
            return await audit.find_pressed(connection, press)
        made: list[int] = []
        for kind, lane in works:
            made += await operations.enqueue(
                connection,
                kind=kind,
                lane=lane,
                entity=operation.entity,
                record_ids=[operation.record_id],
                cause="manual",
                requested_by=visit.user,
            )
        detail = {"from": operation.operation_id, "operations": made}
        await audit.add_outcome(connection, audit_id, operation_id=made[0], detail=detail)
    return made[0]


def _press(visit: Visit) -> UUID:
    """The button's own mark, so that a double click is one act; a client without one gets its own each time."""
    try:
        return UUID(visit.form.get("press", ""))
    except ValueError:
        return uuid4()


def _back(visit: Visit, operation: Operation, made: int | None, said: str) -> Response:
    target = made or operation.operation_id
    return visit.go(safe_path(visit.form.get("next"), f"/operations/{target}"), f"{said}.{target}")
