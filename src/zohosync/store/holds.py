"""Holds: records whose document waits for a correction, and what they were judged by."""

from collections.abc import Sequence

from zohosync.db.pool import Connection, fetch_all, fetch_one


async def put_hold(
    connection: Connection,
    *,
    kind: str,
    entity: str,
    record_id: str,
    operation_id: int,
    codes: Sequence[str],
    digest: str | None,
    policies: str,
) -> None:
    """Remember that a record is held; ``digest`` and ``policies`` are what its verdict rests on."""
    await connection.execute(
        """insert into zohosync.hold as h (kind, entity, record_id, operation_id, codes, digest, policies)
           values (%(kind)s, %(entity)s, %(record_id)s, %(operation_id)s, %(codes)s, %(digest)s, %(policies)s)
           on conflict (record_id, entity, kind) do update
             set operation_id = excluded.operation_id, codes = excluded.codes, digest = excluded.digest,
                 policies = excluded.policies""",
        {
            "kind": kind,
            "entity": entity,
            "record_id": record_id,
            "operation_id": operation_id,
            "codes": list(codes),
            "digest": digest,
            "policies": policies,
        },
    )


async def touch_hold(
    connection: Connection, *, kind: str, entity: str, record_id: str, digest: str | None, policies: str
) -> None:
    """A held record failed for another reason: it is tried again when something changes from here on."""
    await connection.execute(
        """update zohosync.hold set digest = %(digest)s, policies = %(policies)s
            where kind = %(kind)s and entity = %(entity)s and record_id = %(record)s""",
        {"kind": kind, "entity": entity, "record": record_id, "digest": digest, "policies": policies},
    )


async def drop_hold(connection: Connection, *, kind: str, entity: str, record_id: str) -> None:
    """The record is held no longer."""
    await connection.execute(
        "delete from zohosync.hold where kind = %(kind)s and entity = %(entity)s and record_id = %(record_id)s",
        {"kind": kind, "entity": entity, "record_id": record_id},
    )


async def release_holds(connection: Connection, *, policies: str) -> int:
    """Try the records again whose data, or the policies, changed since they were held; how many."""
    row = await fetch_one(connection, "select zohosync.release_holds(%(policies)s) as released", {"policies": policies})
    return int(row["released"]) if row else 0


async def count_holds(connection: Connection, most: int) -> int:
    """How many documents are held; counting ends beyond ``most``."""
    row = await fetch_one(
        connection, "select count(*) as held from (select 1 from zohosync.hold limit %(most)s + 1) h", {"most": most}
    )
    return int(row["held"]) if row else 0


async def count_held(connection: Connection, most: int = 10_000) -> dict[str, int]:
    """How many records are held for each reason code, most frequent first; a record with several counts for each."""
    rows = await fetch_all(
        connection,
        """select split_part(code, ':', 1) as code, count(distinct (h.kind, h.entity, h.record_id)) as held
             from (select kind, entity, record_id, codes from zohosync.hold limit %(most)s) h
            cross join lateral unnest(h.codes) as code
            group by 1 order by 2 desc, 1""",
        {"most": most},
    )
    return {row["code"]: int(row["held"]) for row in rows}
