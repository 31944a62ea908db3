"""What is deleted when it is old: successes after 90 days, payloads after 30, expired sessions and leases at once."""

from zohosync.db.pool import Connection


async def tidy(connection: Connection) -> None:
    """Delete a bounded share of what is past its time; the next run goes on. Failures stay until they are cured."""
    await connection.execute(
        """update zohosync.attempt set request = null, response = null
            where attempt_id in (select attempt_id from zohosync.attempt
                                  where ended_at < now() - interval '30 days' and request is not null limit 5000)"""
    )
    await connection.execute(
        """delete from zohosync.operation
            where operation_id in (select operation_id from zohosync.operation
                                    where status in ('succeeded', 'skipped', 'superseded', 'cancelled')
                                      and finished_at < now() - interval '90 days' limit 5000)"""
    )
    await connection.execute("delete from zohosync.console_session where expires_at < now()")
    await connection.execute("delete from zohosync.consent where expires_at < now()")
    await connection.execute("delete from zohosync.invitation where expires_at < now() - interval '7 days'")
    await connection.execute("delete from zohosync.sign_in_attempt where attempted_at < now() - interval '1 day'")
    await connection.execute("delete from zohosync.budget_lease where expires_at < now() - interval '1 hour'")
    await connection.execute("delete from zohosync.budget_minute where minute_at < now() - interval '1 day'")
    await connection.execute("delete from zohosync.budget_day where day < current_date - 90")
    await connection.execute("delete from zohosync.token_refresh where refreshed_at < now() - interval '1 hour'")
