"""What is deleted when it is old. Failures stay until they are cured or closed, and the audit trail stays for good."""

from dataclasses import dataclass
from datetime import timedelta

from zohosync.db.pool import Connection, fetch_all

SHARE = 5_000
GONE_SHARE = 500
LEAD_SHARE = 50  # each costs two look-ups in the shop, whose e-mail column may have no index
KEEP_INCIDENTS = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long is kept what nobody needs any more. ``successes``: ended operations with their attempts, and links of
    records the shop has deleted; ``payloads``: what was sent and answered; ``incidents``: those that are closed."""

    successes: timedelta = timedelta(days=90)
    payloads: timedelta = timedelta(days=30)
    incidents: timedelta = KEEP_INCIDENTS


async def tidy(connection: Connection, keep: Retention) -> None:
    """Delete a bounded share of what is past its time; the next run goes on."""
    ages = {"successes": keep.successes, "payloads": keep.payloads, "incidents": keep.incidents, "share": SHARE}
    for statement in AGED:
        await connection.execute(statement.encode(), ages)
    for statement in EXPIRED:
        await connection.execute(statement.encode())


AGED = (
    """update zohosync.attempt set request = null, response = null
        where attempt_id in (select attempt_id from zohosync.attempt
                              where ended_at < now() - %(payloads)s and (request is not null or response is not null)
                              order by ended_at limit %(share)s)""",
    """delete from zohosync.operation
        where operation_id in (select operation_id from zohosync.operation
                                where finished_at < now() - %(successes)s and status <> 'failed'
                                order by finished_at limit %(share)s)""",
    """delete from zohosync.operation
        where operation_id in (select operation_id from zohosync.operation
                                where finished_at < now() - %(successes)s
                                  and status = 'failed' and resolved_at < now() - %(successes)s
                                order by finished_at limit %(share)s)""",
    """delete from zohosync.incident
        where incident_id in (select incident_id from zohosync.incident
                               where closed_at < now() - %(incidents)s limit %(share)s)""",
    """delete from pgmq.a_zohosync_changes
        where msg_id in (select msg_id from pgmq.a_zohosync_changes
                          where archived_at < now() - %(successes)s limit %(share)s)""",
)
EXPIRED = (
    "delete from zohosync.console_session where expires_at < now()",
    "delete from zohosync.consent where expires_at < now()",
    "delete from zohosync.invitation where expires_at < now() - interval '7 days'",
    "delete from zohosync.sign_in_attempt where attempted_at < now() - interval '1 day'",
    "delete from zohosync.worker where seen_at < now() - interval '7 days'",
    "delete from zohosync.budget_lease where expires_at < now() - interval '1 hour'",
    "delete from zohosync.budget_minute where minute_at < now() - interval '1 day'",
    "delete from zohosync.budget_day where day < current_date - 90",
    "delete from zohosync.token_refresh where refreshed_at < now() - interval '1 hour'",
)


async def tidy_gone(connection: Connection, keep: Retention) -> int:
    """Delete links and digests of records the shop has had no more for as long as successes are kept; how many rows.

    Candidates are drawn by lot, so that old records that are still there never hold up the others.
    """
    ages = {"age": keep.successes, "share": GONE_SHARE, "leads": LEAD_SHARE}
    gone = 0
    for statement in GONE:
        gone += len(await fetch_all(connection, statement, ages))
    return gone


# What is out of scope (a customer who became staff, a form marked as spam) is still there: the shop's own functions
# return it, the scan does not.
GONE = (
    """with candidate as materialized (
         select kind, entity, record_id from zohosync.observation
          where seen_at < now() - %(age)s and entity in ('customer', 'inquiry', 'quote')
          order by random() limit %(share)s
       ), there as materialized (
         select 'customer' as entity, s.record_id from zohosync.shop_customers(
           array(select distinct record_id from candidate where entity = 'customer')) s
         union all
         select 'inquiry', s.record_id from zohosync.shop_inquiries(
           array(select distinct record_id from candidate where entity = 'inquiry')) s
         union all
         select 'quote', s.record_id from zohosync.shop_quotes(
           array(select distinct record_id from candidate where entity = 'quote')) s
       )
       delete from zohosync.observation v using candidate c
        where (v.kind, v.entity, v.record_id) = (c.kind, c.entity, c.record_id)
          and not exists (select from there t where t.entity = v.entity and t.record_id = v.record_id)
       returning v.record_id""",
    """with candidate as materialized (
         select system, module, entity, record_id from zohosync.link
          where updated_at < now() - %(age)s and entity in ('customer', 'inquiry', 'quote')
          order by random() limit %(share)s
       ), there as materialized (
         select 'customer' as entity, s.record_id from zohosync.shop_customers(
           array(select distinct record_id from candidate where entity = 'customer')) s
         union all
         select 'inquiry', s.record_id from zohosync.shop_inquiries(
           array(select distinct record_id from candidate where entity = 'inquiry')) s
         union all
         select 'quote', s.record_id from zohosync.shop_quotes(
           array(select distinct record_id from candidate where entity = 'quote')) s
       )
       delete from zohosync.link l using candidate c
        where (l.system, l.module, l.entity, l.record_id) = (c.system, c.module, c.entity, c.record_id)
          and not exists (select from there t where t.entity = l.entity and t.record_id = l.record_id)
       returning l.record_id""",
    # A Lead belongs to an e-mail: it is gone when nobody who asked has that e-mail any more.
    """with candidate as materialized (
         select system, module, record_id from zohosync.link
          where updated_at < now() - %(age)s and entity = 'lead' order by random() limit %(leads)s
       )
       delete from zohosync.link l using candidate c
        where (l.system, l.module, l.entity, l.record_id) = (c.system, c.module, 'lead', c.record_id)
          and not exists (select from zohosync.shop_find('inquiry', c.record_id))
          and not exists (select from zohosync.shop_find('quote', c.record_id))
       returning l.record_id""",
    # A company is gone when no customer's Contact names its Account any more.
    """with candidate as materialized (
         select system, module, record_id, zoho_id from zohosync.link
          where updated_at < now() - %(age)s and entity = 'company' order by random() limit %(leads)s
       )
       delete from zohosync.link l using candidate c
        where (l.system, l.module, l.entity, l.record_id) = (c.system, c.module, 'company', c.record_id)
          and not exists (select from zohosync.link o where o.entity = 'customer'
                             and o.payload #>> '{Account_Name,id}' = c.zoho_id)
       returning l.record_id""",
)
