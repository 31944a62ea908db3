"""Links: which record in Zoho a record of the shop is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from zohosync.db.pool import Connection, fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class Link:
    """``state`` is creating (claimed, perhaps sent), in_doubt (sent, outcome unknown) or linked.

    ``reference`` is what to look for in Zoho while the state is not linked. ``fingerprint`` and ``payload`` are of
    what Zoho accepted last.
    """

    record_id: str
    state: str
    zoho_id: str | None
    reference: str | None
    fingerprint: str | None
    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that is complete: Zoho has the record, with this payload."""

    record_id: str
    zoho_id: str
    fingerprint: str
    payload: dict[str, Any]


async def find_links(
    connection: Connection, *, system: str, module: str, entity: str, record_ids: Sequence[str]
) -> dict[str, Link]:
    """The links of these records, by record id."""
    rows = await fetch_all(
        connection,
        """select record_id, state::text as state, zoho_id, reference, fingerprint, payload from zohosync.link
            where system = %(system)s and module = %(module)s and entity = %(entity)s
              and record_id = any (%(ids)s)""",
        {"system": system, "module": module, "entity": entity, "ids": list(record_ids)},
    )
    return {row["record_id"]: Link(**row) for row in rows}


@dataclass(frozen=True, slots=True)
class Creation:
    """What an operation is about to create; ``reference`` is what to look for should the outcome stay unknown."""

    record_id: str
    reference: str
    operation_id: int


async def claim_creations(
    connection: Connection,
    *,
    system: str,
    module: str,
    entity: str,
    organisation_id: str,
    creations: Sequence[Creation],
    hold: timedelta,
) -> set[str]:
    """Remember, before anything is sent, what is about to be created. Returns the records that may be created now.

    The others are linked already, or another operation is creating them and has been for less than ``hold``.
    """
    rows = await fetch_all(
        connection,
        """insert into zohosync.link as l (system, module, entity, record_id, state, organisation_id, reference,
                                           claimed_by, claimed_until)
           select %(system)s, %(module)s, %(entity)s, w.record_id, 'creating', %(organisation)s, w.reference,
                  w.operation_id, clock_timestamp() + %(hold)s
             from unnest(%(ids)s::text[], %(references)s::text[], %(operations)s::bigint[])
               as w(record_id, reference, operation_id)
            order by w.record_id
           on conflict (system, module, entity, record_id) do update
             set state = 'creating', reference = excluded.reference, updated_at = now(), sought_at = null,
                 claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until
           where l.state <> 'linked'
             and (l.claimed_by = excluded.claimed_by or l.claimed_until is null
                  or l.claimed_until < clock_timestamp())
           returning record_id""",
        {
            "system": system,
            "module": module,
            "entity": entity,
            "organisation": organisation_id,
            "hold": hold,
            "ids": [creation.record_id for creation in creations],
            "references": [creation.reference for creation in creations],
            "operations": [creation.operation_id for creation in creations],
        },
    )
    return {row["record_id"] for row in rows}


async def note_look(
    connection: Connection, *, system: str, module: str, entity: str, record_id: str, patience: timedelta
) -> bool:
    """Remember that a record in doubt was looked for in vain; whether it was before, that long ago."""
    row = await fetch_one(
        connection,
        """update zohosync.link set sought_at = coalesce(sought_at, clock_timestamp())
            where system = %(system)s and module = %(module)s and entity = %(entity)s and record_id = %(record)s
           returning sought_at < clock_timestamp() - %(patience)s as long_ago""",
        {"system": system, "module": module, "entity": entity, "record": record_id, "patience": patience},
    )
    return bool(row is None or row["long_ago"])


async def is_being_made(connection: Connection, *, system: str, module: str, entity: str, record_id: str) -> bool:
    """Whether a claim is held by an operation that has not ended. What was refused, or given up on, is free."""
    row = await fetch_one(
        connection,
        """select exists (
             select from zohosync.link l left join zohosync.operation o on o.operation_id = l.claimed_by
              where l.system = %(system)s and l.module = %(module)s and l.entity = %(entity)s
                and l.record_id = %(record)s and l.state <> 'linked'
                and (o.status = 'running'
                     or (l.claimed_until > clock_timestamp()
                         and (o.status is null or o.status in ('pending', 'retrying', 'waiting'))))) as making""",
        {"system": system, "module": module, "entity": entity, "record": record_id},
    )
    return bool(row and row["making"])


async def release_creations(
    connection: Connection, *, system: str, module: str, entity: str, record_ids: Sequence[str]
) -> None:
    """Zoho refused to create them: whoever comes next may try at once."""
    await connection.execute(
        """update zohosync.link set claimed_by = null, claimed_until = null
            where system = %(system)s and module = %(module)s and entity = %(entity)s
              and record_id = any (%(ids)s) and state <> 'linked'""",
        {"system": system, "module": module, "entity": entity, "ids": list(record_ids)},
    )


async def save_links(
    connection: Connection,
    *,
    system: str,
    module: str,
    entity: str,
    organisation_id: str,
    links: Iterable[NewLink],
) -> dict[str, str]:
    """Complete links. Returns those refused because the Zoho record already belongs to another record of the shop:
    record id to that Zoho id."""
    wanted = sorted(links, key=lambda link: link.record_id)
    rows = await fetch_all(
        connection,
        """with wanted as (
             select * from unnest(%(ids)s::text[], %(zoho_ids)s::text[], %(prints)s::text[], %(payloads)s::jsonb[])
               as w(record_id, zoho_id, fingerprint, payload)
           ), taken as (
             select w.record_id, w.zoho_id from wanted w
              where exists (select from zohosync.link l
                             where l.system = %(system)s and l.module = %(module)s
                               and l.organisation_id = %(organisation)s and l.zoho_id = w.zoho_id
                               and (l.entity, l.record_id) <> (%(entity)s, w.record_id))
           ), saved as (
             insert into zohosync.link
                    (system, module, entity, record_id, state, organisation_id, zoho_id, fingerprint, payload)
             select %(system)s, %(module)s, %(entity)s, w.record_id, 'linked', %(organisation)s, w.zoho_id,
                    w.fingerprint, w.payload
               from wanted w where w.record_id not in (select record_id from taken)
             on conflict (system, module, entity, record_id) do update
               set state = 'linked', zoho_id = excluded.zoho_id, organisation_id = excluded.organisation_id,
                   fingerprint = excluded.fingerprint, payload = excluded.payload, reference = null,
                   claimed_by = null, claimed_until = null, updated_at = now()
           )
           select record_id, zoho_id from taken""",
        {
            "system": system,
            "module": module,
            "entity": entity,
            "organisation": organisation_id,
            "ids": [link.record_id for link in wanted],
            "zoho_ids": [link.zoho_id for link in wanted],
            "prints": [link.fingerprint for link in wanted],
            "payloads": [Jsonb(link.payload) for link in wanted],
        },
    )
    return {row["record_id"]: row["zoho_id"] for row in rows}


async def forget_link(connection: Connection, *, system: str, module: str, entity: str, record_id: str) -> None:
    """Drop a link whose record no longer exists in Zoho."""
    await connection.execute(
        """delete from zohosync.link where system = %(system)s and module = %(module)s
            and entity = %(entity)s and record_id = %(record)s""",
        {"system": system, "module": module, "entity": entity, "record": record_id},
    )


async def forget_links_to(connection: Connection, *, system: str, module: str, zoho_ids: Sequence[str]) -> None:
    """Drop the links to records that no longer exist in Zoho, whoever has them."""
    await connection.execute(
        """delete from zohosync.link
            where system = %(system)s and module = %(module)s and zoho_id = any (%(ids)s)""",
        {"system": system, "module": module, "ids": list(zoho_ids)},
    )


async def find_email_owners(connection: Connection, emails: Sequence[str]) -> dict[str, str]:
    """Which customer is already linked to a Contact with an e-mail address: address in lower case to record id."""
    rows = await fetch_all(
        connection,
        """select lower(payload ->> 'Email') as email, min(record_id) as record_id from zohosync.link
            where system = 'crm' and module = 'Contacts' and entity = 'customer' and state = 'linked'
              and lower(payload ->> 'Email') = any (%(emails)s)
            group by 1""",
        {"emails": [email.lower() for email in emails]},
    )
    return {row["email"]: row["record_id"] for row in rows}


async def find_owners(connection: Connection, *, system: str, module: str, zoho_ids: Sequence[str]) -> dict[str, str]:
    """Which record of the shop is linked to a record of Zoho: Zoho id to record id."""
    rows = await fetch_all(
        connection,
        """select zoho_id, record_id from zohosync.link
            where system = %(system)s and module = %(module)s and zoho_id = any (%(ids)s)""",
        {"system": system, "module": module, "ids": list(zoho_ids)},
    )
    return {row["zoho_id"]: row["record_id"] for row in rows}


async def find_link_owners(
    connection: Connection, *, system: str, module: str, zoho_ids: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Whose a record of Zoho is, where several entities share its module: Zoho id to (entity, record id)."""
    rows = await fetch_all(
        connection,
        """select zoho_id, entity, record_id from zohosync.link
            where system = %(system)s and module = %(module)s and zoho_id = any (%(ids)s)""",
        {"system": system, "module": module, "ids": list(zoho_ids)},
    )
    return {row["zoho_id"]: (row["entity"], row["record_id"]) for row in rows}


async def move_link(
    connection: Connection, *, system: str, module: str, zoho_id: str, entity: str, record_id: str
) -> bool:
    """The record of Zoho belongs to another record of the shop now, such as the account of a former guest; whether it
    was moved. What that one had claimed to create is dropped; what it is linked to is not."""
    await connection.execute(
        """delete from zohosync.link where system = %(system)s and module = %(module)s and entity = %(entity)s
            and record_id = %(record)s and state <> 'linked'""",
        {"system": system, "module": module, "entity": entity, "record": record_id},
    )
    cursor = await connection.execute(
        """update zohosync.link l set entity = %(entity)s, record_id = %(record)s, updated_at = now()
            where system = %(system)s and module = %(module)s and zoho_id = %(zoho_id)s
              and not exists (select from zohosync.link o
                               where o.system = l.system and o.module = l.module
                                 and o.entity = %(entity)s and o.record_id = %(record)s)""",
        {"system": system, "module": module, "zoho_id": zoho_id, "entity": entity, "record": record_id},
    )
    return cursor.rowcount > 0


async def distrust_link(connection: Connection, *, system: str, module: str, entity: str, record_id: str) -> None:
    """What Zoho has may no longer be what was accepted: the next push is sent even if it is the same as the last."""
    await connection.execute(
        """update zohosync.link set fingerprint = null, updated_at = now()
            where system = %(system)s and module = %(module)s and entity = %(entity)s and record_id = %(record)s""",
        {"system": system, "module": module, "entity": entity, "record": record_id},
    )
