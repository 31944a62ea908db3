"""Findings: a record of the shop and its document in Books no longer agree, and somebody has to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from zohosync.db.pool import Connection, fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class Finding:
    """``detail`` holds what differs: plain JSON. ``resolution`` is the action taken, ``reason`` says why."""

    finding_id: int
    code: str
    entity: str
    record_id: str
    module: str
    label: str | None
    message: str
    detail: dict[str, Any]
    found_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    resolution: str | None
    reason: str | None


COLUMNS = (
    "finding_id, code, entity, record_id, module, label, message, detail, found_at, last_seen_at, closed_at, closed_by,"
    " resolution, reason"
)


async def report_finding(
    connection: Connection,
    *,
    code: str,
    entity: str,
    record_id: str,
    module: str,
    label: str | None,
    message: str,
    detail: dict[str, Any],
) -> int | None:
    """Open a finding, or see the open one again. One a person accepted with the same detail is not opened anew: then
    None."""
    row = await fetch_one(
        connection,
        """with accepted as (
             select 1 from zohosync.finding
              where record_id = %(record_id)s and entity = %(entity)s and code = %(code)s
                and resolution = 'accept' and detail = %(detail)s
           )
           insert into zohosync.finding as f (code, entity, record_id, module, label, message, detail)
           select %(code)s, %(entity)s, %(record_id)s, %(module)s, %(label)s, %(message)s, %(detail)s
            where not exists (select from accepted)
           on conflict (record_id, entity, code) where closed_at is null
           do update set last_seen_at = now(), message = excluded.message, detail = excluded.detail
           returning finding_id""",
        {
            "code": code,
            "entity": entity,
            "record_id": record_id,
            "module": module,
            "label": label,
            "message": message,
            "detail": Jsonb(detail),
        },
    )
    return int(row["finding_id"]) if row else None


async def close_findings(
    connection: Connection, *, entity: str, record_id: str, codes: Sequence[str], by: str, resolution: str
) -> int:
    """Close what is well again by itself; how many."""
    cursor = await connection.execute(
        """update zohosync.finding set closed_at = now(), closed_by = %(by)s, resolution = %(resolution)s
            where entity = %(entity)s and record_id = %(record_id)s and code = any (%(codes)s) and closed_at is null""",
        {"entity": entity, "record_id": record_id, "codes": list(codes), "by": by, "resolution": resolution},
    )
    return cursor.rowcount


async def was_accepted(connection: Connection, *, entity: str, record_id: str, codes: Sequence[str]) -> bool:
    """Whether a person ever accepted one of these about the record."""
    row = await fetch_one(
        connection,
        """select exists (select from zohosync.finding
                           where record_id = %(record_id)s and entity = %(entity)s and code = any (%(codes)s)
                             and resolution = 'accept') as accepted""",
        {"entity": entity, "record_id": record_id, "codes": list(codes)},
    )
    return bool(row and row["accepted"])


async def resolve_finding(
    connection: Connection, *, finding_id: int, action: str, reason: str, by: str
) -> Finding | None:
    """A person decided; None when it is closed already or unknown."""
    row = await fetch_one(
        connection,
        f"""update zohosync.finding
               set closed_at = now(), closed_by = %(by)s, resolution = %(action)s, reason = %(reason)s
             where finding_id = %(finding_id)s and closed_at is null returning {COLUMNS}""",  # noqa: S608
        {"finding_id": finding_id, "action": action, "reason": reason, "by": by},
    )
    return Finding(**row) if row else None


async def find_finding(connection: Connection, finding_id: int) -> Finding | None:
    """One finding, open or closed."""
    row = await fetch_one(
        connection,
        f"select {COLUMNS} from zohosync.finding where finding_id = %(finding_id)s",  # noqa: S608
        {"finding_id": finding_id},
    )
    return Finding(**row) if row else None


async def list_findings(
    connection: Connection,
    *,
    closed: bool = False,
    entity: str | None = None,
    record_id: str | None = None,
    most: int = 200,
) -> list[Finding]:
    """Open findings, newest first; with ``closed`` the closed ones too."""
    rows = await fetch_all(
        connection,
        f"""select {COLUMNS} from zohosync.finding
             where (%(closed)s or closed_at is null)
               and (%(entity)s::text is null or entity = %(entity)s)
               and (%(record_id)s::text is null or record_id = %(record_id)s)
             order by found_at desc, finding_id desc limit %(most)s""",  # noqa: S608
        {"closed": closed, "entity": entity, "record_id": record_id, "most": most},
    )
    return [Finding(**row) for row in rows]
