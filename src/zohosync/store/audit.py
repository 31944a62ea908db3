"""The audit trail: who did what in the console or by a command, to which record, and why."""

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from zohosync.db.pool import Connection, fetch_one


async def record(
    connection: Connection,
    *,
    actor: str,
    action: str,
    entity: str | None = None,
    record_id: str | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
    press: UUID | None = None,
    operation_id: int | None = None,
) -> int | None:
    """Write one act down, in the transaction that does it; its audit id.

    ``press`` names one press of a button: the second arrival of the same one waits for the first to be committed, and
    is answered with None.
    """
    row = await fetch_one(
        connection,
        """insert into zohosync.audit (actor, action, entity, record_id, reason, detail, press, operation_id)
           values (%(actor)s, %(action)s, %(entity)s, %(record_id)s, %(reason)s, %(detail)s, %(press)s,
                   %(operation_id)s)
           on conflict (press) do nothing returning audit_id""",
        {
            "actor": actor,
            "action": action,
            "entity": entity,
            "record_id": record_id,
            "reason": reason,
            "detail": Jsonb(detail or {}),
            "press": press,
            "operation_id": operation_id,
        },
    )
    return row["audit_id"] if row else None


async def add_outcome(
    connection: Connection, audit_id: int, *, operation_id: int | None, detail: dict[str, Any]
) -> None:
    """Say what an act led to, once that is known."""
    await connection.execute(
        """update zohosync.audit set operation_id = %(operation_id)s, detail = detail || %(detail)s
            where audit_id = %(audit_id)s""",
        {"audit_id": audit_id, "operation_id": operation_id, "detail": Jsonb(detail)},
    )


async def find_pressed(connection: Connection, press: UUID) -> int | None:
    """The operation an earlier arrival of this press led to."""
    row = await fetch_one(
        connection, "select operation_id from zohosync.audit where press = %(press)s", {"press": press}
    )
    return row["operation_id"] if row else None
