"""Documents of Books as a whole: what is held, open, refused, and what go-live did not know of yet."""

from zohosync.db.pool import Connection, fetch_all, fetch_one


async def list_baselines(connection: Connection) -> set[tuple[str, str]]:
    """Kind and entity of what go-live knew of."""
    rows = await fetch_all(connection, "select kind, entity from zohosync.baseline")
    return {(row["kind"], row["entity"]) for row in rows}


async def count_open_findings(connection: Connection) -> dict[str, int]:
    """How many findings are open, by code, most frequent first."""
    rows = await fetch_all(
        connection,
        """select code, count(*)::int as open from zohosync.finding where closed_at is null
            group by code order by 2 desc, 1""",
    )
    return {row["code"]: row["open"] for row in rows}


async def count_failed(connection: Connection, error_code: str) -> int:
    """Operations that ended with this error and were not cured since."""
    row = await fetch_one(
        connection,
        """select count(*)::int as failed from zohosync.operation
            where status = 'failed' and resolved_at is null and error_code = %(code)s""",
        {"code": error_code},
    )
    return int(row["failed"]) if row else 0
