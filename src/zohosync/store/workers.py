"""Which workers are alive, for people who look."""

from dataclasses import dataclass
from datetime import datetime

from zohosync.db.pool import Connection, fetch_all


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """``listening``: it is woken by notifications rather than by polling. ``alive``: it was seen within a minute."""

    name: str
    started_at: datetime
    seen_at: datetime
    listening: bool
    alive: bool


async def be_seen(connection: Connection, *, name: str, listening: bool, schema_version: int) -> None:
    """Keep this worker's row fresh."""
    await connection.execute(
        """insert into zohosync.worker (worker_id, listening, schema_version)
           values (%(name)s, %(listening)s, %(version)s)
           on conflict (worker_id) do update
             set seen_at = now(), listening = excluded.listening, schema_version = excluded.schema_version""",
        {"name": name, "listening": listening, "version": schema_version},
    )


async def leave(connection: Connection, *, name: str) -> None:
    """Take this worker's row away."""
    await connection.execute("delete from zohosync.worker where worker_id = %(name)s", {"name": name})


async def list_workers(connection: Connection) -> list[SeenWorker]:
    """Workers seen within a day, latest first, at most 50."""
    rows = await fetch_all(
        connection,
        """select worker_id as name, started_at, seen_at, listening, seen_at > now() - interval '1 minute' as alive
             from zohosync.worker where seen_at > now() - interval '1 day' order by seen_at desc limit 50""",
    )
    return [SeenWorker(**row) for row in rows]
