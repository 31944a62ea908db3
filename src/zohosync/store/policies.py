"""Policies: what an administrator decided about documents, one row per decision."""

from typing import Any

from psycopg.types.json import Jsonb

from zohosync.db.pool import Connection, fetch_all, fetch_one
from zohosync.store import audit


async def read_policies(connection: Connection) -> dict[str, Any]:
    """Name to JSON value, of all that were decided."""
    rows = await fetch_all(connection, "select name, value from zohosync.policy")
    return {row["name"]: row["value"] for row in rows}


async def set_policy(connection: Connection, *, name: str, value: Any, by: str) -> None:
    """Decide one policy, and write down who did."""
    async with connection.transaction():
        before = await fetch_one(
            connection, "select value from zohosync.policy where name = %(name)s for update", {"name": name}
        )
        await connection.execute(
            """insert into zohosync.policy (name, value, changed_by) values (%(name)s, %(value)s, %(by)s)
               on conflict (name) do update
                 set value = excluded.value, changed_by = excluded.changed_by, changed_at = now()""",
            {"name": name, "value": Jsonb(value), "by": by},
        )
        detail = {"policy": name, "value": value, "before": before["value"] if before else None}
        await audit.record(connection, actor=by, action="policy.set", detail=detail)


async def clear_policy(connection: Connection, *, name: str, by: str) -> bool:
    """Leave one policy to its default; whether it was decided before."""
    async with connection.transaction():
        before = await fetch_one(
            connection, "delete from zohosync.policy where name = %(name)s returning value", {"name": name}
        )
        if before is None:
            return False
        detail = {"policy": name, "before": before["value"]}
        await audit.record(connection, actor=by, action="policy.clear", detail=detail)
    return True
