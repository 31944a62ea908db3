"""Sealed secrets at rest, all of them, for whoever changes the keys. Nothing here can open them."""

from collections.abc import Callable

from zohosync.db.pool import Connection, fetch_all

# Every column that holds a sealed secret: how its rows are locked, and how they are written again.
SEALED: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("client_secret", "refresh_token", "access_token"),
        "select connection_id as key, client_secret, refresh_token, access_token from zohosync.connection for update",
        """update zohosync.connection set client_secret = %(client_secret)s, refresh_token = %(refresh_token)s,
                  access_token = %(access_token)s where connection_id = %(key)s""",
    ),
    (
        ("client_secret", "login"),
        "select state_hash as key, client_secret, login from zohosync.consent for update",
        "update zohosync.consent set client_secret = %(client_secret)s, login = %(login)s where state_hash = %(key)s",
    ),
)


async def rewrite_secrets(connection: Connection, reseal: Callable[[bytes], bytes]) -> int:
    """Replace every sealed secret by what ``reseal`` makes of it; how many. The caller owns the transaction.

    A renewal of the login waits meanwhile. Consents that have expired are deleted: nobody can use them any more.
    """
    await connection.execute("delete from zohosync.consent where expires_at < now()")
    rewritten = 0
    for columns, lock, save in SEALED:
        for row in await fetch_all(connection, lock):
            # After a disconnection there are rows without any secret.
            sealed = {name: reseal(bytes(row[name])) if row[name] else row[name] for name in columns}
            await connection.execute(save.encode(), {**sealed, "key": row["key"]})
            rewritten += sum(bool(value) for value in sealed.values())
    return rewritten
