"""Incidents: one open at a time for each cause, so that a person hears of it once."""

from zohosync.db.pool import Connection, fetch_all, fetch_one


async def open_incident(
    connection: Connection,
    *,
    code: str,
    title: str,
    hint: str,
    subject: str = "",
    severity: str = "critical",
    operation_id: int | None = None,
) -> int:
    """Open an incident, or count one more occurrence of the open one; its id."""
    row = await fetch_one(
        connection,
        """insert into zohosync.incident as i (code, subject, severity, title, hint, operation_id)
           values (%(code)s, %(subject)s, %(severity)s, %(title)s, %(hint)s, %(operation)s)
           on conflict (code, subject) where closed_at is null
           do update set occurrences = i.occurrences + 1, last_seen_at = now()
           returning incident_id""",
        {
            "code": code,
            "subject": subject,
            "severity": severity,
            "title": title,
            "hint": hint,
            "operation": operation_id,
        },
    )
    assert row is not None
    return int(row["incident_id"])


async def close_incident(connection: Connection, *, code: str, subject: str = "") -> bool:
    """Close the open incident of this cause; whether there was one."""
    rows = await fetch_all(
        connection,
        """update zohosync.incident set closed_at = now()
            where code = %(code)s and subject = %(subject)s and closed_at is null returning incident_id""",
        {"code": code, "subject": subject},
    )
    return bool(rows)


async def review_connection(connection: Connection) -> None:
    """Open the incident of a dead login, or close it when the login is well again."""
    row = await fetch_one(connection, "select state, error_message from zohosync.connection")
    if row is None or row["state"] == "connected":
        await close_incident(connection, code="login_lost")
        return
    known = await fetch_one(
        connection, "select 1 as open from zohosync.incident where code = 'login_lost' and closed_at is null"
    )
    if row["state"] == "needs_reauth" and known is None:
        await open_incident(
            connection,
            code="login_lost",
            title=f"Zoho no longer accepts our login: {row['error_message']}",
            hint="Connect again with `zohosync connect`; everything that waits then continues by itself.",
        )
