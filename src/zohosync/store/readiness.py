"""Whether this process can do its work with its database; what is wrong elsewhere does not matter here."""

from datetime import timedelta

from zohosync.db.pool import Pool
from zohosync.errors import ZohosyncError
from zohosync.store.insights import reach
from zohosync.store.installation import check_installation


async def find_hindrance(pool: Pool, *, zoho: str, patience: timedelta = timedelta(seconds=5)) -> str | None:
    """None, or the code of what a restart or a deployment has to mend: the database is away, not ours, of another
    schema, or a copy. Zoho being away, slow or disconnected is none: a restart would not help."""
    try:
        async with reach(pool, patience) as connection:
            await check_installation(connection, zoho=zoho)
    except ZohosyncError as error:
        return error.reason
    return None
