"""What is deleted when it is old. Failures stay until they are cured or closed, and the audit trail stays for good."""

from dataclasses import dataclass
from datetime import timedelta

from zohosync.db.pool import Connection, fetch_all
from zohosync.store.incidents import close_incident, open_incident

SHARE = 5_000
KEEP_INCIDENTS = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long is kept what nobody needs any more. ``successes``: ended operations with their attempts, and links of
    records the shop has deleted; ``payloads``: what was sent and answered; ``incidents``: those that are closed;
    ``missing``: how long the shop must not have shown a record before it counts as deleted."""

    successes: timedelta = timedelta(days=90)
    payloads: timedelta = timedelta(days=30)
    incidents: timedelta = KEEP_INCIDENTS
    missing: timedelta = timedelta(days=30)


async def tidy(connection: Connection, keep: Retention) -> None:
    """Delete a bounded share of what is past its time; the next run goes on."""
    ages = {"successes": keep.successes, "payloads": keep.payloads, "incidents": keep.incidents, "share": SHARE}
    for statement in AGED:
        await connection.execute(statement.encode(), ages)
    for statement in EXPIRED:
        await connection.execute(statement.encode())


ONLY_SIGN = """(o.status = 'cancelled'
  and not exists (select from zohosync.operation n
                   where (n.kind, n.entity, n.record_id) = (o.kind, o.entity, o.record_id)
                     and n.operation_id > o.operation_id)
  and not exists (select from zohosync.observation v
                   where (v.kind, v.entity, v.record_id) = (o.kind, o.entity, o.record_id)
                     and v.seen_at >= o.finished_at))"""
AGED = (
    """update zohosync.attempt set request = null, response = null
        where attempt_id in (select attempt_id from zohosync.attempt
                              where ended_at < now() - %(payloads)s and (request is not null or response is not null)
                              order by ended_at limit %(share)s)""",
    # Where nothing but the operation tells that somebody cancelled, it stays, without words: else the scan would send
    # the record after all.
    f"""update zohosync.operation set label = null, warnings = '[]', error_message = null, error_hint = null
        where operation_id in (select o.operation_id from zohosync.operation o
                                where o.finished_at < now() - %(successes)s and {ONLY_SIGN}
                                  and (o.label is not null or o.error_message is not null or o.error_hint is not null
                                       or o.warnings <> '[]')
                                order by o.finished_at limit %(share)s)""",  # noqa: S608
    f"""delete from zohosync.operation
        where operation_id in (select o.operation_id from zohosync.operation o
                                where o.finished_at < now() - %(successes)s and o.status <> 'failed'
                                  and not {ONLY_SIGN}
                                order by o.finished_at limit %(share)s)""",  # noqa: S608
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
    "delete from zohosync.consent where expires_at < now() and login is null",
    # A login that waited for a choice is revoked first, by a job of its own.
    "delete from zohosync.consent where expires_at < now() - interval '1 day'",
    "delete from zohosync.invitation where expires_at < now() - interval '7 days'",
    "delete from zohosync.sign_in_attempt where attempted_at < now() - interval '1 day'",
    "delete from zohosync.worker where seen_at < now() - interval '7 days'",
    "delete from zohosync.budget_lease where expires_at < now() - interval '1 hour'",
    "delete from zohosync.budget_day where day < current_date - 90",
    "delete from zohosync.token_refresh where refreshed_at < now() - interval '1 hour'",
)


LOT = 500
SMALL_LOT = 50  # for what costs look-ups in the shop one by one, whose e-mail column may have no index
FEW = 20
SMALL_PART = 0.2


@dataclass(frozen=True, slots=True)
class Sort:
    """What links and digests are of. ``shown`` selects those of ``ids`` that the shop still has; ``rests_on`` are the
    shop's own records that tell it, where the shop has no such record itself."""

    entity: str
    shown: str
    rests_on: tuple[str, ...] = ()
    lot: int = LOT


DIGESTED = "select s.record_id from zohosync.shop_digests('{}', %(ids)s::text[]) s"
# The contacts of guests and firms are nobody's record in the shop: they stay for good, as the documents made out to
# them do, so that whoever comes back gets no second contact. `zohosync forget` takes those of a guest away.
# What is out of scope (a customer who became staff, a form marked as spam) is still there: the shop's own functions
# return it, the scan does not.
SORTS = (
    Sort("customer", "select s.record_id from zohosync.shop_customers(%(ids)s::text[]) s"),
    Sort("inquiry", "select s.record_id from zohosync.shop_inquiries(%(ids)s::text[]) s"),
    Sort("quote", "select s.record_id from zohosync.shop_quotes(%(ids)s::text[]) s"),
    Sort("order", DIGESTED.format("order")),
    Sort("refund", DIGESTED.format("refund"), ("order",)),
    Sort("approved_quote", DIGESTED.format("approved_quote"), ("quote",)),
    Sort("variant", DIGESTED.format("variant")),
    Sort("buyer", DIGESTED.format("buyer"), ("customer",)),
    # A Lead belongs to an e-mail: it is gone when nobody who asked has that e-mail any more.
    Sort(
        "lead",
        """select e.email as record_id from unnest(%(ids)s::text[]) as e(email)
            where exists (select from zohosync.shop_records_of('inquiry', e.email))
               or exists (select from zohosync.shop_records_of('quote', e.email))""",
        ("inquiry", "quote"),
        SMALL_LOT,
    ),
    # A company is gone when its customer is, or the last one with its GSTIN, and no Contact names its Account.
    Sort(
        "company",
        """with wanted as materialized (select c.key from unnest(%(ids)s::text[]) as c(key)),
                named as (
             select l.record_id from zohosync.link l
               join zohosync.link o on o.entity = 'customer' and o.payload #>> '{Account_Name,id}' = l.zoho_id
              where l.entity = 'company' and l.record_id = any (%(ids)s) and o.missing_since is null
             union all
             select 'user:' || s.record_id from zohosync.shop_customers(array(
               select substr(w.key, 6) from wanted w where w.key like 'user:%%')) s
             union all
             select 'gstin:' || translate(upper(s.gstin), ' -', '') from zohosync.shop_customers(array(
               select k.record_id from zohosync.shop_scan('customer') k
               union select v.record_id from zohosync.observation v where v.entity = 'customer')) s
              where exists (select from wanted w where w.key like 'gstin:%%'))
           select w.key as record_id from wanted w
            where w.key !~ '^(user|gstin):' or w.key in (select n.record_id from named n)""",
        ("customer",),
        SMALL_LOT,
    ),
)


async def tidy_gone(connection: Connection, keep: Retention) -> int:
    """Delete links and digests of records the shop has deleted; how many rows.

    A row the shop does not return may be hidden or on its way back, and without its link it would be sent again as new.
    So it is marked at first and goes when it is still missing a month later; and where the shop shows nothing at all,
    or suddenly much less, nothing is done but telling a person. Which records are looked at is drawn by lot.
    """
    doubted: set[str] = set()
    empty = {sort.entity for sort in SORTS if not sort.rests_on and not await _shows_any(connection, sort.entity)}
    gone = 0
    for sort in SORTS:
        look = await _look(connection, sort)
        await _unmark(connection, sort, look.shown)
        sources = set(sort.rests_on or (sort.entity,))
        if sources & doubted:
            continue
        if look.is_doubtful or (look.missed and sources <= empty):
            doubted.add(sort.entity)
            await _tell(connection, sort, look)
            continue
        await close_incident(connection, code=ROWS_MISSING, subject=sort.entity)
        if not sources <= empty:
            await _mark(connection, sort, look.missed)
            gone += await _delete(connection, sort, look.missing, keep)
    return gone


@dataclass(frozen=True, slots=True)
class Look:
    """What one run saw: records ``looked`` at that were there so far, those of them that are ``missed`` now, all that
    are ``missing``, those missed before included, and all that are ``shown``."""

    looked: int
    missed: list[str]
    missing: list[str]
    shown: list[str]

    @property
    def is_doubtful(self) -> bool:
        """Whether more are missing at once than a shop deletes from one hour to the next."""
        return len(self.missed) > FEW and len(self.missed) > SMALL_PART * self.looked


async def _shows_any(connection: Connection, entity: str) -> bool:
    rows = await fetch_all(connection, "select from zohosync.shop_scan(%(entity)s) limit 1", {"entity": entity})
    return bool(rows)


async def _look(connection: Connection, sort: Sort) -> Look:
    # The link of an Account that is being made, or may have been, is what it is looked for by.
    known = await fetch_all(
        connection,
        """with known as materialized (
             select k.record_id, bool_or(k.missing_since is not null) as marked from (
               select l.record_id, l.missing_since from zohosync.link l
                where l.entity = %(entity)s and (l.entity <> 'company' or l.state = 'linked')
               union all
               select v.record_id, v.missing_since from zohosync.observation v where v.entity = %(entity)s) k
              group by k.record_id)
           (select * from known where not marked order by random() limit %(lot)s)
           union all
           (select * from known where marked order by random() limit %(lot)s)""",
        {"entity": sort.entity, "lot": sort.lot},
    )
    rows = await fetch_all(connection, sort.shown, {"ids": [row["record_id"] for row in known]})
    shown = {row["record_id"] for row in rows}
    missing = [row for row in known if row["record_id"] not in shown]
    return Look(
        looked=sum(not row["marked"] for row in known),
        missed=[row["record_id"] for row in missing if not row["marked"]],
        missing=[row["record_id"] for row in missing],
        shown=sorted(shown),
    )


ROWS_MISSING = "shop_rows_missing"


async def _tell(connection: Connection, sort: Sort, look: Look) -> None:
    await open_incident(
        connection,
        code=ROWS_MISSING,
        subject=sort.entity,
        severity="warning",
        title=f"Of {look.looked} records ({sort.entity}) the shop does not show {len(look.missed)} any more.",
        hint="Nothing was deleted here. Bring them back (a restore, row level security), or, when they were deleted on "
        "purpose, say so as the page of incidents in the documentation tells.",
    )


# Rows somebody else holds just now are left to the next run: nobody waits for this job, and it deadlocks with nobody.
HELD = "for update skip locked"


async def _unmark(connection: Connection, sort: Sort, shown: list[str]) -> None:
    for table in ("link", "observation"):
        await connection.execute(
            f"""update zohosync.{table} set missing_since = null
                 where ctid in (select ctid from zohosync.{table}
                                 where entity = %(entity)s and record_id = any (%(ids)s)
                                   and missing_since is not null {HELD})""".encode(),  # noqa: S608
            {"entity": sort.entity, "ids": shown},
        )


async def _mark(connection: Connection, sort: Sort, missed: list[str]) -> None:
    for table in ("link", "observation"):
        await connection.execute(
            f"""update zohosync.{table} set missing_since = now()
                 where ctid in (select ctid from zohosync.{table}
                                 where entity = %(entity)s and record_id = any (%(ids)s)
                                   and missing_since is null {HELD})""".encode(),  # noqa: S608
            {"entity": sort.entity, "ids": missed},
        )


async def _delete(connection: Connection, sort: Sort, missing: list[str], keep: Retention) -> int:
    """Those missing for long enough that nothing was done with for as long as successes stay."""
    gone = 0
    for table, touched in (("link", "updated_at"), ("observation", "seen_at")):
        rows = await fetch_all(
            connection,
            f"""delete from zohosync.{table}
                 where ctid in (select ctid from zohosync.{table}
                                 where entity = %(entity)s and record_id = any (%(ids)s)
                                   and missing_since < now() - %(missing)s
                                   and {touched} < now() - %(successes)s {HELD})
                returning record_id""",  # noqa: S608
            {"entity": sort.entity, "ids": missing, "missing": keep.missing, "successes": keep.successes},
        )
        gone += len(rows)
    return gone
