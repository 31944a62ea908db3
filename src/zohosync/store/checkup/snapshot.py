"""The organisation's fields as doctor saw them last."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson

from zohosync.db.pool import Connection, fetch_all


@dataclass(frozen=True, slots=True)
class SeenField:
    """One field; ``length`` is None where Zoho names none."""

    module: str
    api_name: str
    label: str
    data_type: str
    length: int | None
    mandatory: bool
    is_unique: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``seen_at`` is None when there is none yet."""

    fields: tuple[SeenField, ...]
    seen_at: datetime | None


async def read_snapshot(connection: Connection, organisation_id: str) -> Snapshot:
    rows = await fetch_all(
        connection,
        """select module, api_name, label, data_type, length, mandatory, is_unique, seen_at
             from zohosync.field_snapshot where organisation_id = %(organisation)s order by module, api_name""",
        {"organisation": organisation_id},
    )
    seen_at = max((row.pop("seen_at") for row in rows), default=None)
    return Snapshot(tuple(SeenField(**row) for row in rows), seen_at)


async def save_snapshot(connection: Connection, organisation_id: str, fields: Iterable[SeenField]) -> None:
    """Replace the snapshot of the modules that are in ``fields``, at once."""
    written = orjson.dumps([asdict(field) for field in fields]).decode()
    async with connection.transaction():
        await connection.execute(
            """delete from zohosync.field_snapshot
                where organisation_id = %(organisation)s
                  and module in (select f ->> 'module' from jsonb_array_elements(%(fields)s::jsonb) f)""",
            {"organisation": organisation_id, "fields": written},
        )
        await connection.execute(
            """insert into zohosync.field_snapshot
                 (organisation_id, module, api_name, label, data_type, length, mandatory, is_unique)
               select %(organisation)s, f.module, f.api_name, f.label, f.data_type, f.length, f.mandatory, f.is_unique
                 from jsonb_to_recordset(%(fields)s::jsonb) as f(module text, api_name text, label text, data_type text,
                      length integer, mandatory boolean, is_unique boolean)""",
            {"organisation": organisation_id, "fields": written},
        )
