"""What was captured, and what was not and the catch-up scan finds."""

from zohosync.db.pool import Connection, fetch_all, fetch_one

SOURCES = [
    ("books.invoice.push", "order"),
    ("books.credit_note.push", "refund"),
    ("books.estimate.push", "approved_quote"),
    ("books.item.push", "variant"),
    ("books.customer.push", "buyer"),
]


async def captured(connection: Connection) -> list[tuple[str, str]]:
    """What was captured since the last call, without goods."""
    rows = await fetch_all(
        connection,
        """with gone as (delete from pgmq.q_zohosync_changes returning msg_id, message)
           select message ->> 'entity' as entity, k as key
             from gone, jsonb_array_elements_text(message -> 'keys') as k order by msg_id""",
    )
    return [(row["entity"], row["key"]) for row in rows if row["entity"] != "variant"]


async def goods(connection: Connection) -> list[str]:
    """The variants captured since the last call."""
    rows = await fetch_all(
        connection,
        """with gone as (delete from pgmq.q_zohosync_changes returning message)
           select k as key from gone, jsonb_array_elements_text(message -> 'keys') as k
            where message ->> 'entity' = 'variant' order by 1""",
    )
    return [row["key"] for row in rows]


async def missed(connection: Connection, kind: str = "books.invoice.push", entity: str = "order") -> int:
    """How many records the catch-up scan finds."""
    row = await fetch_one(connection, "select zohosync.catch_up(%s, 'sales', %s) as n", (kind, entity))  # type: ignore[arg-type]
    assert row is not None
    return int(row["n"])
