"""What is not sure any more after the database was put back to an earlier time, and how it is marked as such."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zohosync.db.pool import Connection, fetch_all, fetch_one


@dataclass(frozen=True, slots=True, order=True)
class LinkKey:
    """Which link: a record of the shop in one module of CRM or Books."""

    module: str
    entity: str
    record_id: str
    system: str = "crm"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A link to be put in doubt; ``reference`` is what to look for in Zoho before anything is created."""

    key: LinkKey
    reference: str | None


@dataclass(frozen=True, slots=True)
class Adoption:
    """A record of Zoho that carries our own key, and the link it gets; ``replaces`` is the record it was linked to,
    which is no longer in Zoho."""

    key: LinkKey
    zoho_id: str
    replaces: str | None = None


async def list_unsure(connection: Connection) -> set[tuple[str, str]]:
    """Records (entity, id) that may have been sent since, as far as this database can tell: with open or failed work,
    captured and not taken in, or different from when they were last read."""
    rows = await fetch_all(
        connection,
        """select entity, record_id from zohosync.operation
            where status in ('pending', 'running', 'retrying', 'waiting') or (status = 'failed' and resolved_at is null)
           union
           select q.message ->> 'entity', k.key
             from pgmq.q_zohosync_changes q cross join lateral jsonb_array_elements_text(q.message -> 'keys') as k(key)
           union
           select b.entity, s.record_id
             from (select distinct kind, entity from zohosync.baseline) b
            cross join lateral zohosync.shop_scan(b.entity) s
             left join zohosync.observation v
                    on v.kind = b.kind and v.entity = b.entity and v.record_id = s.record_id
            where v.digest is distinct from s.digest""",
    )
    return {(row["entity"], row["record_id"]) for row in rows}


async def find_linked(
    connection: Connection, module: str, zoho_ids: Sequence[str], *, system: str = "crm"
) -> dict[str, LinkKey]:
    """Which links the records of a module have: Zoho id to link."""
    rows = await fetch_all(
        connection,
        """select zoho_id, entity, record_id from zohosync.link
            where system = %(system)s and module = %(module)s and zoho_id = any (%(ids)s)""",
        {"system": system, "module": module, "ids": list(zoho_ids)},
    )
    return {row["zoho_id"]: LinkKey(module, row["entity"], row["record_id"], system) for row in rows}


async def find_present(connection: Connection, keys: Iterable[LinkKey]) -> set[LinkKey]:
    """Those of the links that are there, in whatever state."""
    wanted = sorted(keys)
    rows = await fetch_all(
        connection,
        """select l.system, l.module, l.entity, l.record_id from zohosync.link l
             join unnest(%(systems)s::text[], %(modules)s::text[], %(entities)s::text[], %(ids)s::text[])
               as w(system, module, entity, record_id)
            using (system, module, entity, record_id)""",
        _columns(wanted),
    )
    return {LinkKey(row["module"], row["entity"], row["record_id"], row["system"]) for row in rows}


async def find_members(connection: Connection, account_ids: Sequence[str]) -> set[str]:
    """Customers whose Contact belongs to one of the Accounts."""
    rows = await fetch_all(
        connection,
        """select record_id from zohosync.link where system = 'crm' and module = 'Contacts' and entity = 'customer'
              and payload #>> '{Account_Name,id}' = any (%(ids)s)""",
        {"ids": list(account_ids)},
    )
    return {row["record_id"] for row in rows}


async def list_customers(connection: Connection) -> list[str]:
    """Ids of all customers the shop has in scope."""
    rows = await fetch_all(connection, "select record_id from zohosync.shop_scan('customer') order by 1")
    return [row["record_id"] for row in rows]


async def count_creating(connection: Connection) -> int:
    """Links whose creation was under way."""
    row = await fetch_one(connection, "select count(*) as n from zohosync.link where state = 'creating'")
    return int(row["n"]) if row else 0


async def doubt_creating(connection: Connection) -> None:
    """Whoever was creating is gone; whether anything was made is looked for."""
    await connection.execute(
        """update zohosync.link set state = 'in_doubt', claimed_by = null, claimed_until = null, updated_at = now()
            where state = 'creating'"""
    )


async def put_in_doubt(connection: Connection, doubts: Sequence[Doubt], *, organisation_id: str) -> None:
    """Make the next attempt of these records look first. Links that are there stay as they are."""
    await connection.execute(
        """insert into zohosync.link (system, module, entity, record_id, state, organisation_id, reference)
           select w.system, w.module, w.entity, w.record_id, 'in_doubt', %(organisation)s, w.reference
             from unnest(%(systems)s::text[], %(modules)s::text[], %(entities)s::text[], %(ids)s::text[],
                         %(references)s::text[]) as w(system, module, entity, record_id, reference)
           on conflict (record_id, entity, module, system) do nothing""",
        {
            **_columns([doubt.key for doubt in doubts]),
            "references": [doubt.reference for doubt in doubts],
            "organisation": organisation_id,
        },
    )


async def find_zoho_ids(connection: Connection, keys: Iterable[LinkKey]) -> dict[LinkKey, str]:
    """Which records of Zoho these are linked to; those without a complete link are absent."""
    rows = await fetch_all(
        connection,
        """select l.system, l.module, l.entity, l.record_id, l.zoho_id from zohosync.link l
             join unnest(%(systems)s::text[], %(modules)s::text[], %(entities)s::text[], %(ids)s::text[])
               as w(system, module, entity, record_id)
            using (system, module, entity, record_id) where l.zoho_id is not null""",
        _columns(sorted(keys)),
    )
    return {LinkKey(row["module"], row["entity"], row["record_id"], row["system"]): row["zoho_id"] for row in rows}


async def adopt(connection: Connection, adoptions: Sequence[Adoption], *, organisation_id: str) -> set[LinkKey]:
    """Link records to what Zoho has of them, without a fingerprint, so that the next push is sent. Returns those that
    were linked: not one whose link became another meanwhile. Each key may be there once."""
    rows = await fetch_all(
        connection,
        """insert into zohosync.link as l (system, module, entity, record_id, state, organisation_id, zoho_id)
           select w.system, w.module, w.entity, w.record_id, 'linked', %(organisation)s, w.zoho_id
             from unnest(%(systems)s::text[], %(modules)s::text[], %(entities)s::text[], %(ids)s::text[],
                         %(zoho_ids)s::text[]) as w(system, module, entity, record_id, zoho_id)
           on conflict (record_id, entity, module, system) do update
             set state = 'linked', zoho_id = excluded.zoho_id, organisation_id = excluded.organisation_id,
                 fingerprint = null, reference = null, claimed_by = null, claimed_until = null, updated_at = now()
           where l.state <> 'linked' or l.zoho_id = any (%(replaced)s)
           returning system, module, entity, record_id""",
        {
            **_columns([adoption.key for adoption in adoptions]),
            "zoho_ids": [adoption.zoho_id for adoption in adoptions],
            "replaced": [adoption.replaces for adoption in adoptions if adoption.replaces],
            "organisation": organisation_id,
        },
    )
    return {LinkKey(row["module"], row["entity"], row["record_id"], row["system"]) for row in rows}


async def distrust(connection: Connection, keys: Sequence[LinkKey]) -> None:
    """What Zoho has of these may no longer be what was accepted: the next push is sent even if it is as before.

    To Books only what differs from the payload is sent, so that is forgotten, too."""
    await connection.execute(
        """update zohosync.link l
              set fingerprint = null, payload = case l.system when 'crm' then l.payload end, updated_at = now()
             from unnest(%(systems)s::text[], %(modules)s::text[], %(entities)s::text[], %(ids)s::text[])
               as w(system, module, entity, record_id)
            where (l.system, l.module, l.entity, l.record_id) = (w.system, w.module, w.entity, w.record_id)""",
        _columns(keys),
    )


async def drop_replaced_documents(connection: Connection, adoptions: Iterable[Adoption]) -> None:
    """Forget the documents that are no longer in Books, where another one was adopted."""
    await connection.execute(
        "delete from zohosync.document where zoho_id = any (%(ids)s)",
        {"ids": [adoption.replaces for adoption in adoptions if adoption.replaces and adoption.key.system == "books"]},
    )


async def doubt_documents(connection: Connection) -> None:
    """Nobody has seen the documents in Books since: the watch reads each of them again."""
    await connection.execute("update zohosync.document set checked_at = 'epoch'")


def _columns(keys: Sequence[LinkKey]) -> dict[str, list[str]]:
    return {
        "systems": [key.system for key in keys],
        "modules": [key.module for key in keys],
        "entities": [key.entity for key in keys],
        "ids": [key.record_id for key in keys],
    }
