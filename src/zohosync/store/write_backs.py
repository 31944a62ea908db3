"""Ids of Zoho on their way into the shop: written at once where the shop lets us, else kept and tried again."""

from collections import defaultdict

import psycopg

from zohosync.db.pool import Connection, fetch_all
from zohosync.errors import ZohosyncError
from zohosync.store import shop

# What a shop may answer to one row: its own constraint, trigger or lock, or a schema that changed.
SHOP_REFUSALS = (psycopg.IntegrityError, psycopg.DataError, psycopg.InternalError, psycopg.errors.LockNotAvailable)


async def write(connection: Connection, *, entity: str, system: str, ids: dict[str, str]) -> dict[str, str]:
    """Write ids, record id to Zoho id, in the caller's transaction; returns those that could not be written now.

    One row the shop refuses does not keep the others from being written.
    """
    try:
        async with connection.transaction():
            held = await shop.set_zoho_ids(connection, entity=entity, system=system, ids=ids)
    except (*SHOP_REFUSALS, ZohosyncError):
        if len(ids) == 1:
            return ids
        left: dict[str, str] = {}
        for record_id, zoho_id in ids.items():
            left |= await write(connection, entity=entity, system=system, ids={record_id: zoho_id})
        return left
    return {record_id: ids[record_id] for record_id in held}


async def postpone(connection: Connection, *, entity: str, system: str, ids: dict[str, str]) -> None:
    """Keep ids for later, record id to Zoho id."""
    if ids:
        await connection.execute(
            """insert into zohosync.write_back (entity, system, record_id, zoho_id)
               select %(entity)s, %(system)s, w.record_id, w.zoho_id
                 from unnest(%(records)s::text[], %(ids)s::text[]) as w(record_id, zoho_id) order by w.record_id
               on conflict (entity, system, record_id) do update set zoho_id = excluded.zoho_id""",
            {"entity": entity, "system": system, "records": list(ids), "ids": list(ids.values())},
        )


async def settle(connection: Connection) -> int:
    """Write what can be written now, those tried least first; how many ids are still owed."""
    async with connection.transaction():
        rows = await fetch_all(
            connection,
            """update zohosync.write_back set tries = tries + 1
                where (entity, system, record_id) in
                      (select entity, system, record_id from zohosync.write_back
                        order by tries, since limit 500 for update skip locked)
            returning entity, system, record_id, zoho_id""",
        )
        owed: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for row in rows:
            owed[row["entity"], row["system"]][row["record_id"]] = row["zoho_id"]
        still_owed = 0
        for (entity, system), ids in owed.items():
            left = await write(connection, entity=entity, system=system, ids=ids)
            still_owed += len(left)
            await connection.execute(
                """delete from zohosync.write_back
                    where entity = %(entity)s and system = %(system)s and record_id = any (%(records)s)""",
                {"entity": entity, "system": system, "records": [record for record in ids if record not in left]},
            )
    return still_owed
