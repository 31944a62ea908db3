"""Ids of Zoho that could not be written into the shop at once, because the shop held the row."""

from collections import defaultdict

from zohosync.db.pool import Connection, fetch_all
from zohosync.store import shop


async def postpone(connection: Connection, *, entity: str, system: str, ids: dict[str, str]) -> None:
    """Keep ids for later, record id to Zoho id."""
    await connection.execute(
        """insert into zohosync.write_back (entity, system, record_id, zoho_id)
           select %(entity)s, %(system)s, w.record_id, w.zoho_id
             from unnest(%(records)s::text[], %(ids)s::text[]) as w(record_id, zoho_id) order by w.record_id
           on conflict (entity, system, record_id) do update set zoho_id = excluded.zoho_id""",
        {"entity": entity, "system": system, "records": list(ids), "ids": list(ids.values())},
    )


async def settle(connection: Connection) -> int:
    """Write what can be written now; how many ids are still owed."""
    async with connection.transaction():
        rows = await fetch_all(
            connection,
            "select entity, system, record_id, zoho_id from zohosync.write_back limit 1000 for update skip locked",
        )
        owed: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for row in rows:
            owed[row["entity"], row["system"]][row["record_id"]] = row["zoho_id"]
        left = 0
        for (entity, system), ids in owed.items():
            held = await shop.set_zoho_ids(connection, entity=entity, system=system, ids=ids)
            left += len(held)
            await connection.execute(
                """delete from zohosync.write_back
                    where entity = %(entity)s and system = %(system)s and record_id = any (%(records)s)""",
                {"entity": entity, "system": system, "records": [record for record in ids if record not in held]},
            )
    return left
