"""Overrides: what an administrator corrected of single records because the shop cannot."""

from dataclasses import dataclass
from datetime import datetime

from zohosync.db.pool import Connection, fetch_all, fetch_one
from zohosync.store import audit


@dataclass(frozen=True, slots=True)
class Override:
    """One field of one record, as a person said it is."""

    entity: str
    record_id: str
    field: str
    value: str
    reason: str
    set_by: str
    set_at: datetime


async def list_overrides(
    connection: Connection, *, entity: str | None = None, record_id: str | None = None, most: int = 500
) -> list[Override]:
    """Those of one record, or the newest of all."""
    rows = await fetch_all(
        connection,
        """select entity, record_id, field, value, reason, set_by, set_at from zohosync.override
            where (%(entity)s::text is null or entity = %(entity)s)
              and (%(record_id)s::text is null or record_id = %(record_id)s)
            order by set_at desc, field limit %(most)s""",
        {"entity": entity, "record_id": record_id, "most": most},
    )
    return [Override(**row) for row in rows]


async def set_override(
    connection: Connection, *, entity: str, record_id: str, field: str, value: str, reason: str, by: str
) -> None:
    """Say what a field of a record is, and write down who did."""
    async with connection.transaction():
        await connection.execute(
            """insert into zohosync.override (entity, record_id, field, value, reason, set_by)
               values (%(entity)s, %(record_id)s, %(field)s, %(value)s, %(reason)s, %(by)s)
               on conflict (record_id, entity, field) do update
                 set value = excluded.value, reason = excluded.reason, set_by = excluded.set_by, set_at = now()""",
            {"entity": entity, "record_id": record_id, "field": field, "value": value, "reason": reason, "by": by},
        )
        await audit.record(
            connection,
            actor=by,
            action="override.set",
            entity=entity,
            record_id=record_id,
            reason=reason,
            detail={"field": field, "value": value},
        )


async def clear_override(connection: Connection, *, entity: str, record_id: str, field: str, by: str) -> bool:
    """Believe the shop again; whether there was something to clear."""
    async with connection.transaction():
        before = await fetch_one(
            connection,
            """delete from zohosync.override
                where entity = %(entity)s and record_id = %(record_id)s and field = %(field)s returning value""",
            {"entity": entity, "record_id": record_id, "field": field},
        )
        if before is None:
            return False
        await audit.record(
            connection,
            actor=by,
            action="override.clear",
            entity=entity,
            record_id=record_id,
            detail={"field": field, "before": before["value"]},
        )
    return True
