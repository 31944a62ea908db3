"""What zohosync keeps of a person, and how it goes away. The shop's own tables and Zoho are not touched.

A person is a set of shop records and e-mail addresses. Rows keep ids and counts; words, payloads and addresses go.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from zohosync.db.pool import Connection, fetch_all, fetch_one
from zohosync.errors import ZohosyncError

ENTITIES = ("customer", "inquiry", "quote", "order")
TWINS = {"customer": "buyer", "quote": "approved_quote", "order": "refund"}
"""The same records of the shop, under the names that documents know them by."""


@dataclass(frozen=True, slots=True, order=True)
class ShopRecord:
    """A record of the shop, there or gone."""

    entity: str
    record_id: str


@dataclass(frozen=True, slots=True, order=True)
class ZohoRecord:
    """A record of Zoho that is this person's."""

    module: str
    zoho_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """``present`` are those of the records the shop still has. Left alone are ``shared``, addresses that are another
    customer's by now, and ``others``, records that had one of the addresses once and have another by now."""

    records: frozenset[ShopRecord]
    present: frozenset[ShopRecord]
    emails: frozenset[str]
    shared: frozenset[str] = frozenset()
    others: frozenset[ShopRecord] = frozenset()

    def parameters(self) -> dict[str, Any]:
        """As the statements below want it."""
        return {**_listed(_with_twins(self.records)), **_sought(self.emails)}


def _with_twins(records: Iterable[ShopRecord]) -> set[ShopRecord]:
    return {twin for one in records for twin in (one, ShopRecord(TWINS.get(one.entity, one.entity), one.record_id))}


async def find_person(connection: Connection, entity: str, term: str) -> Person:
    """Everything that belongs to the person behind one record, named by its id or e-mail; empty when nothing does.

    Records lead to addresses and addresses to records, until nothing new is found. An address leads only to records
    that have it, or had it last: who had it before may be somebody else.
    """
    word = term.strip().lower()
    records = set() if "@" in word else await _named(connection, entity, word)
    emails = {word} if "@" in word else set()
    while True:
        known = len(records), len(emails)
        emails |= await _emails_in_shop(connection, records)
        earlier = await _emails_in_log(connection, records) - emails
        shared = await _of_others(connection, earlier, records)
        emails |= earlier - shared
        records |= await _records_in_shop(connection, emails)
        logged = await _records_in_log(connection, emails)
        records |= {record for record, last in logged.items() if last in emails}
        if known == (len(records), len(emails)):
            break
    return Person(
        frozenset(records),
        frozenset(await _present(connection, records)),
        frozenset(emails),
        frozenset(shared),
        frozenset(logged.keys() - records),
    )


async def _named(connection: Connection, entity: str, word: str) -> set[ShopRecord]:
    rows = await fetch_all(
        connection,
        """select record_id from zohosync.shop_find(%(entity)s, %(word)s)
           union select record_id from zohosync.operation where entity = %(entity)s and record_id = %(word)s
           union select record_id from zohosync.link where entity = %(entity)s and record_id = %(word)s
           union select record_id from zohosync.observation where entity = %(entity)s and record_id = %(word)s""",
        {"entity": entity, "word": word},
    )
    return {ShopRecord(entity, row["record_id"]) for row in rows}


SHOP = """
select 'customer' as entity, s.record_id, lower(trim(s.email)) as email, s.zoho_crm_id, s.digest
  from zohosync.shop_customers(array(select w.id from wanted w where w.entity = 'customer')) s
union all
select 'inquiry', s.record_id, lower(trim(s.email)), s.zoho_crm_id, s.digest
  from zohosync.shop_inquiries(array(select w.id from wanted w where w.entity = 'inquiry')) s
union all
select 'quote', s.record_id, lower(trim(s.email)), s.zoho_crm_id, s.digest
  from zohosync.shop_quotes(array(select w.id from wanted w where w.entity = 'quote')) s
union all
select 'order', s.record_id, lower(trim(s.email)), null, s.digest
  from zohosync.shop_orders(array(select w.id from wanted w where w.entity = 'order')) s
"""
WANTED = "wanted as (select * from unnest(%(entities)s::text[], %(ids)s::text[]) as w(entity, id))"
IN_SHOP = f"with {WANTED} {SHOP}"


def _listed(records: Iterable[ShopRecord]) -> dict[str, list[str]]:
    ordered = sorted(records)
    return {"entities": [one.entity for one in ordered], "ids": [one.record_id for one in ordered]}


async def _emails_in_shop(connection: Connection, records: Iterable[ShopRecord]) -> set[str]:
    rows = await fetch_all(connection, IN_SHOP, _listed(records))
    return {row["email"] for row in rows if row["email"]}


async def _present(connection: Connection, records: Iterable[ShopRecord]) -> set[ShopRecord]:
    rows = await fetch_all(connection, IN_SHOP, _listed(records))
    return {ShopRecord(row["entity"], row["record_id"]) for row in rows}


async def _emails_in_log(connection: Connection, records: Iterable[ShopRecord]) -> set[str]:
    """Addresses these records have had as long as anything remembers."""
    rows = await fetch_all(
        connection,
        f"""with {WANTED}, seen as (
              select o.label as email from zohosync.operation o
                join wanted w on (w.entity, w.id) = (o.entity, o.record_id)
              union select a.request #>> '{{record,Email}}' from zohosync.attempt a
                      join zohosync.operation o using (operation_id)
                      join wanted w on (w.entity, w.id) = (o.entity, o.record_id)
              union select coalesce(l.payload ->> 'Email', l.payload ->> 'email') from zohosync.link l
                      join wanted w on (w.entity, w.id) = (l.entity, l.record_id))
            select distinct lower(trim(email)) as email from seen where email like '%%@%%'""",  # noqa: S608
        _listed(_with_twins(records)),
    )
    return {row["email"] for row in rows}


async def _of_others(connection: Connection, emails: Iterable[str], mine: set[ShopRecord]) -> set[str]:
    """Addresses that are another customer's of the shop by now."""
    rows = await fetch_all(
        connection,
        """select e.email, f.record_id from unnest(%(emails)s::text[]) as e(email)
            cross join lateral zohosync.shop_records_of('customer', e.email) as f(record_id)""",
        {"emails": sorted(emails)},
    )
    return {row["email"] for row in rows if ShopRecord("customer", row["record_id"]) not in mine}


async def _records_in_shop(connection: Connection, emails: Iterable[str]) -> set[ShopRecord]:
    rows = await fetch_all(
        connection,
        """select k.entity, f.record_id
             from unnest(%(emails)s::text[]) as e(email) cross join unnest(%(known)s::text[]) as k(entity)
            cross join lateral zohosync.shop_records_of(k.entity, e.email) as f(record_id)""",
        {"emails": sorted(emails), "known": list(ENTITIES)},
    )
    return {ShopRecord(row["entity"], row["record_id"]) for row in rows}


async def _records_in_log(connection: Connection, emails: Iterable[str]) -> dict[ShopRecord, str]:
    """Records that had one of the addresses, with the address they have: the shop's, or for those it has no more, the
    last one anything remembers."""
    rows = await fetch_all(
        connection,
        f"""with had as (
              select o.entity, o.record_id from zohosync.operation o
               where lower(trim(o.label)) = any (%(emails)s) and o.entity = any (%(known)s)
              union
              select l.entity, l.record_id from zohosync.link l
               where l.system = 'crm' and l.module = 'Contacts' and l.entity = any (%(known)s)
                 and lower(l.payload ->> 'Email') = any (%(emails)s)
            ), wanted as materialized (select h.entity, h.record_id as id from had h), there as ({SHOP})
            select w.entity, w.id as record_id,
                   case when t.record_id is not null then t.email else coalesce(
                     (select lower(trim(o.label)) from zohosync.operation o
                       where (o.entity, o.record_id) = (w.entity, w.id) and o.label is not null
                       order by o.operation_id desc limit 1),
                     (select lower(l.payload ->> 'Email') from zohosync.link l
                       where (l.entity, l.record_id) = (w.entity, w.id) and l.module = 'Contacts')) end as last
              from wanted w left join there t on (t.entity, t.record_id) = (w.entity, w.id)""",  # noqa: S608
        {"emails": sorted(emails), "known": list(ENTITIES)},
    )
    return {ShopRecord(row["entity"], row["record_id"]): row["last"] for row in rows}


async def list_zoho_records(connection: Connection, person: Person) -> list[ZohoRecord]:
    """What Zoho has of the person, as far as we know; an Account only when no other customer belongs to it."""
    rows = await fetch_all(
        connection,
        f"""with {WANTED}, {LONE_COMPANIES}
            select l.module, l.zoho_id from zohosync.link l join wanted w on (w.entity, w.id) = (l.entity, l.record_id)
             where l.zoho_id is not null
            union select l.module, l.zoho_id from zohosync.link l
                   where l.entity in ('lead', 'guest') and l.record_id = any (%(emails)s) and l.zoho_id is not null
            union select l.module, l.zoho_id from zohosync.link l
                   where ({GUEST_OF_ORDER} or {FIRM_OF_PERSON}) and l.zoho_id is not null
            union select l.module, l.zoho_id from zohosync.link l join lone_company c using (record_id)
                   where l.entity = 'company' and l.zoho_id is not null
            union select o.zoho_module, o.zoho_id from zohosync.operation o
                    join wanted w on (w.entity, w.id) = (o.entity, o.record_id)
                   where o.zoho_module is not null and o.zoho_id is not null""",  # noqa: S608
        person.parameters(),
    )
    return sorted(ZohoRecord(row["module"], row["zoho_id"]) for row in rows)


# The contact of a guest without an e-mail of their own is known by the order.
GUEST_OF_ORDER = """(l.entity = 'guest' and l.record_id in (select w.id from wanted w where w.entity = 'order'))"""

# A firm's contact with several persons, of whom this is one.
FIRM_OF_PERSON = """(l.entity = 'firm' and exists (
  select from jsonb_path_query(l.payload, '$.contact_persons[*].email') as p(email)
   where lower(btrim(p.email #>> '{}')) = any (%(emails)s)))"""

# Companies that are this person's alone: keyed by the customer, or by a GSTIN no other customer has.
LONE_COMPANIES = """lone_company as (
  select c.record_id from zohosync.link c
   where c.entity = 'company'
     and (c.record_id in (select 'user:' || w.id from wanted w where w.entity = 'customer')
          or c.record_id in (select 'gstin:' || (l.payload ->> 'GSTIN') from zohosync.link l
                               join wanted w on (w.entity, w.id) = (l.entity, l.record_id)
                              where l.entity = 'customer')
          or c.zoho_id in (select l.payload #>> '{Account_Name,id}' from zohosync.link l
                             join wanted w on (w.entity, w.id) = (l.entity, l.record_id) where l.entity = 'customer'))
     and not exists (select from zohosync.link o
                      where o.entity = 'customer' and o.record_id not in (select w.id from wanted w)
                        and (o.payload #>> '{Account_Name,id}' = c.zoho_id
                             or 'gstin:' || (o.payload ->> 'GSTIN') = c.record_id)))"""


async def count_traces(connection: Connection, person: Person) -> dict[str, int]:
    """How many rows of each table hold something of the person, by record or by address."""
    row = await fetch_one(
        connection,
        f"""with {WANTED}
            select (select count(*) from zohosync.operation o
                     where (o.entity, o.record_id) in (select w.entity, w.id from wanted w)) as operations,
                   (select count(*) from zohosync.attempt a join zohosync.operation o using (operation_id)
                     where (o.entity, o.record_id) in (select w.entity, w.id from wanted w)) as attempts,
                   (select count(*) from zohosync.link l
                     where (l.entity, l.record_id) in (select w.entity, w.id from wanted w)
                        or (l.entity in ('lead', 'guest') and l.record_id = any (%(emails)s))
                        or {GUEST_OF_ORDER} or {FIRM_OF_PERSON}) as links,
                   (select count(*) from zohosync.document d
                     where (d.entity, d.record_id) in (select w.entity, w.id from wanted w)) as documents""",  # noqa: S608
        person.parameters(),
    )
    return {name: int(count) for name, count in (row or {}).items()}


async def forget_person(connection: Connection, person: Person) -> None:
    """Remove or blank all of it, in the caller's transaction; open work of these records is cancelled.

    Records the shop still has keep a digest of how they look now, so that nothing is sent until they change.
    """
    given = person.parameters()
    await _cancel(connection, given)
    for statement in STATEMENTS:
        await connection.execute(f"with {WANTED} {statement}".encode(), given)


async def _cancel(connection: Connection, given: dict[str, Any]) -> None:
    """End open operations. One that runs now would write again what is removed here."""
    rows = await fetch_all(
        connection,
        f"""with {WANTED}
            select o.operation_id, o.status::text as status from zohosync.operation o
             where (o.entity, o.record_id) in (select w.entity, w.id from wanted w)
               and o.status in ('pending', 'running', 'retrying', 'waiting')
             order by o.operation_id for update of o""",  # noqa: S608
        given,
    )
    if any(row["status"] == "running" for row in rows):
        raise ZohosyncError(
            "A worker is syncing this person just now, so nothing was changed.",
            hint="Try again in a moment.",
            code="record_busy",
        )
    for row in rows:
        await connection.execute("select zohosync.cancel(%(id)s)", {"id": row["operation_id"]})


MINE = "(select w.entity, w.id from wanted w)"
TOLD = "'Removed: this person asked to be forgotten.'"


def _mentions(text: str) -> str:
    """Whether a text holds one of the addresses, and not only an address that contains it."""
    return f"""exists (select from unnest(%(emails)s::text[], %(patterns)s::text[]) as e(email, pattern)
                        where strpos(lower({text}), e.email) > 0 and lower({text}) ~ e.pattern)"""


def _sought(emails: Iterable[str]) -> dict[str, list[str]]:
    """The addresses, and for each a pattern that no longer address fits. The letter of an escaped line break, as JSON
    has it, is no part of the address behind it."""
    ordered = sorted(emails)
    before, after = r"(?:(?<![[:alnum:]._%+-])|(?<=\\[nrtbf]))", r"(?![[:alnum:]-]|[.][[:alnum:]])"
    return {"emails": ordered, "patterns": [before + re.escape(email) + after for email in ordered]}


PERSONAL = ("state", "postal_code", "country", "gstin", "name", "company")
"""Fields of an override that say something of a person."""

# Of every record, by the adapter's own names; what the shop no longer has is absent.
DIGESTS = """select w.entity, s.record_id, s.digest
               from (select entity, array_agg(id) as ids from wanted group by entity) w
              cross join lateral zohosync.shop_digests(w.entity, w.ids) s"""


def _changes(table: str) -> str:
    """Changes captured and not taken in: the records' keys go, other keys of the same message stay."""
    return f"""update pgmq.{table} q
                  set message = jsonb_set(q.message, '{{keys}}', (
                        select coalesce(jsonb_agg(k.key), '[]')
                          from jsonb_array_elements_text(q.message -> 'keys') as k(key)
                         where (q.message ->> 'entity', k.key) not in {MINE}))
                where exists (select from wanted w
                               where w.entity = q.message ->> 'entity' and q.message -> 'keys' ? w.id)"""  # noqa: S608


STATEMENTS: Sequence[str] = (
    _changes("q_zohosync_changes"),
    _changes("a_zohosync_changes"),
    f"""update zohosync.attempt a set request = null, response = null, error_hint = null,
               error_message = case when a.error_message is not null then {TOLD} end
          from zohosync.operation o
         where o.operation_id = a.operation_id
           and ((o.entity, o.record_id) in {MINE}
                or {_mentions("concat_ws(' ', a.error_message, a.error_hint, a.request, a.response)")})""",  # noqa: S608
    f"""update zohosync.operation o set label = null, warnings = '[]', error_hint = null,
               error_message = case when o.error_message is not null then {TOLD} end
         where (o.entity, o.record_id) in {MINE}
            or {_mentions("concat_ws(' ', o.label, o.error_message, o.error_hint, o.warnings)")}""",  # noqa: S608
    f""", {LONE_COMPANIES}
        delete from zohosync.link l
         where (l.entity = 'company' and l.record_id in (select c.record_id from lone_company c))
            or (l.entity in ('lead', 'guest') and l.record_id = any (%(emails)s))""",  # noqa: S608
    f"""update zohosync.link l set payload = null, fingerprint = null, reference = null
         where (l.entity, l.record_id) in {MINE} or {GUEST_OF_ORDER}""",  # noqa: S608
    # The firm and its other people stay. Its addresses may be this person's, and its name where no company gave it.
    f"""update zohosync.link l
           set fingerprint = null,
               payload = (l.payload - array['billing_address', 'shipping_address']
                          - case when l.payload ? 'company_name' then '' else 'contact_name' end)
                 || jsonb_build_object('contact_persons', (
                      select coalesce(jsonb_agg(p.person order by p.place), '[]')
                        from jsonb_array_elements(l.payload -> 'contact_persons') with ordinality as p(person, place)
                       where coalesce(lower(btrim(p.person ->> 'email')), '') <> all (%(emails)s)))
         where {FIRM_OF_PERSON}""",  # noqa: S608
    f""", there as ({DIGESTS})
        delete from zohosync.observation v
         where (v.entity, v.record_id) in {MINE}
           and (v.entity, v.record_id) not in (select t.entity, t.record_id from there t)""",  # noqa: S608
    # Whether a record is older than go-live stays known.
    f""", there as ({DIGESTS})
        insert into zohosync.observation (kind, entity, record_id, digest)
        select b.kind, t.entity, t.record_id, t.digest from there t join zohosync.baseline b on b.entity = t.entity
        on conflict (kind, entity, record_id)
        do update set digest = excluded.digest, seen_at = now(), missing_since = null""",  # noqa: S608
    # Figures and ids of documents stay: the accounts rest on them. Whom they are for goes.
    f"""update zohosync.document d
           set source = d.source - array['gstin', 'ship_to', 'bill_to', 'shipping_address', 'billing_address']
         where (d.entity, d.record_id) in {MINE}""",  # noqa: S608
    f"""delete from zohosync.override v
         where (v.entity, v.record_id) in {MINE} and v.field = any ('{{{",".join(PERSONAL)}}}')""",  # noqa: S608
    f"update zohosync.override v set reason = {TOLD} where (v.entity, v.record_id) in {MINE}",  # noqa: S608
    f"update zohosync.estrangement e set reason = {TOLD} where (e.entity, e.record_id) in {MINE}",  # noqa: S608
    f"""update zohosync.finding f set message = {TOLD}, label = null, detail = '{{}}',
               reason = case when f.reason is not null then {TOLD} end
         where (f.entity, f.record_id) in {MINE}
            or {_mentions("concat_ws(' ', f.label, f.message, f.detail, f.reason)")}""",  # noqa: S608
    # The subject of a code may be a number or a name somebody typed.
    f"""update zohosync.hold h set codes = array(select split_part(c, ':', 1) from unnest(h.codes) as c)
         where (h.entity, h.record_id) in {MINE}""",  # noqa: S608
    f"delete from zohosync.write_back b where (b.entity, b.record_id) in {MINE}",  # noqa: S608
    f"""update zohosync.incident i set title = {TOLD}, hint = '',
               subject = case when {_mentions("i.subject")} then 'removed ' || i.incident_id else i.subject end
         where {_mentions("concat_ws(' ', i.title, i.hint, i.subject)")}""",  # noqa: S608
    f"""update zohosync.audit a set reason = null, detail = '{{}}',
               record_id = case when {_mentions("a.record_id")} then null else a.record_id end
         where (a.entity, a.record_id) in {MINE}
            or {_mentions("concat_ws(' ', a.record_id, a.reason, a.detail)")}""",  # noqa: S608
    f"update zohosync.clock_job j set error = {TOLD} where {_mentions('j.error')}",  # noqa: S608
)


async def find_leftovers(connection: Connection, person: Person) -> dict[str, int]:
    """Tables of ours that still hold one of the addresses, with the number of rows: such as a console account."""
    tables = await fetch_all(
        connection,
        """select c.oid::regclass::text as name from pg_class c
            where c.relkind = 'r' and (c.relnamespace = 'zohosync'::regnamespace
                   or c.relnamespace = 'pgmq'::regnamespace and c.relname ~ '^[qa]_zohosync_')
              and has_table_privilege(c.oid, 'select') order by 1""",
    )
    left: dict[str, int] = {}
    for table in tables:
        row = await fetch_one(
            connection,
            f"select count(*) as rows from {table['name']} t where {_mentions('t::text')}",  # noqa: S608
            _sought(person.emails),
        )
        if row and row["rows"]:
            left[table["name"]] = row["rows"]
    return left
