"""Policies: what an administrator decided about documents, one row per decision."""

from typing import Any

from zohosync.db.pool import Connection, fetch_all


async def read_policies(connection: Connection) -> dict[str, Any]:
    """Name to JSON value, of all that were decided."""
    rows = await fetch_all(connection, "select name, value from zohosync.policy")
    return {row["name"]: row["value"] for row in rows}
