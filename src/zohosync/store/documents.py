"""Documents: which document of Books was made of which record of the shop, and how far it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from psycopg.types.json import Jsonb

from zohosync.db.pool import Connection, fetch_all

Module: TypeAlias = Literal["invoices", "estimates", "creditnotes"]
Step: TypeAlias = Literal["created", "compared", "sent", "settled"]
STEPS: tuple[Step, ...] = ("created", "compared", "sent", "settled")


@dataclass(frozen=True, slots=True)
class DocumentLineSent:
    """One line as it was sent. ``key`` is the shop's line id, or ``shipping`` / ``cod_fee`` with the part's number;
    ``rate`` and ``discount`` are as sent, in the basis of the document; ``line_item_id`` is Books' own, empty until it
    was read back. Amounts are rupees as text in the database."""

    key: str
    sku: str
    item_id: str
    name: str
    hsn: str
    quantity: Decimal
    rate: Decimal
    discount: Decimal
    tax_id: str
    gst_rate: Decimal
    category: str
    value: Decimal
    cgst: Decimal
    sgst: Decimal
    igst: Decimal
    total: Decimal
    line_item_id: str = ""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A row of ``document``. ``source`` is what the shop said when it was made; amounts are rupees; those of Books are
    None until it was read back."""

    entity: str
    record_id: str
    module: Module
    organisation_id: str
    zoho_id: str
    number: str | None
    reference: str
    step: Step
    status: str | None
    document_date: date
    customer_id: str
    place_of_supply: str | None
    supply_type: str | None
    gst_treatment: str | None
    state_source: str | None
    address_source: str | None
    shop_total: Decimal
    books_total: Decimal | None
    taxable_value: Decimal | None
    exempt_value: Decimal | None
    cgst: Decimal | None
    sgst: Decimal | None
    igst: Decimal | None
    books_cgst: Decimal | None
    books_sgst: Decimal | None
    books_igst: Decimal | None
    round_off: Decimal
    variance: Decimal | None
    settled_amount: Decimal
    source: dict[str, Any]
    source_digest: str
    lines: tuple[DocumentLineSent, ...]
    books_modified_at: str | None
    checked_at: datetime | None = None

    def reached(self, step: Step) -> bool:
        """Whether the document came at least that far."""
        return STEPS.index(self.step) >= STEPS.index(step)


COLUMNS = (
    "entity, record_id, module, organisation_id, zoho_id, number, reference, step::text as step, status, document_date,"
    " customer_id, place_of_supply, supply_type, gst_treatment, state_source, address_source, shop_total, books_total,"
    " taxable_value, exempt_value, cgst, sgst, igst, books_cgst, books_sgst, books_igst, round_off, variance,"
    " settled_amount, source, source_digest, lines, books_modified_at, checked_at"
)


async def find_documents(
    connection: Connection, *, entity: str, module: Module, record_ids: Sequence[str]
) -> dict[str, StoredDocument]:
    """The documents of these records, by record id."""
    rows = await fetch_all(
        connection,
        f"""select {COLUMNS} from zohosync.document
             where entity = %(entity)s and module = %(module)s and record_id = any (%(ids)s)""",  # noqa: S608
        {"entity": entity, "module": module, "ids": list(record_ids)},
    )
    return {row["record_id"]: _document(row) for row in rows}


async def find_documents_by_zoho_ids(
    connection: Connection, *, module: Module, zoho_ids: Sequence[str]
) -> dict[str, StoredDocument]:
    """The documents of these ids of Books, by id."""
    rows = await fetch_all(
        connection,
        f"select {COLUMNS} from zohosync.document where module = %(module)s and zoho_id = any (%(ids)s)",  # noqa: S608
        {"module": module, "ids": list(zoho_ids)},
    )
    return {row["zoho_id"]: _document(row) for row in rows}


async def save_document(connection: Connection, document: StoredDocument) -> None:
    """Write a document as it is now; the record's own row is replaced."""
    await connection.execute(
        """insert into zohosync.document as d (
             entity, record_id, module, organisation_id, zoho_id, number, reference, step, status, document_date,
             customer_id, place_of_supply, supply_type, gst_treatment, state_source, address_source, shop_total,
             books_total, taxable_value, exempt_value, cgst, sgst, igst, books_cgst, books_sgst, books_igst, round_off,
             variance, settled_amount, source, source_digest, lines, books_modified_at, checked_at)
           values (
             %(entity)s, %(record_id)s, %(module)s, %(organisation_id)s, %(zoho_id)s, %(number)s, %(reference)s,
             %(step)s::zohosync.document_step, %(status)s, %(document_date)s, %(customer_id)s, %(place_of_supply)s,
             %(supply_type)s, %(gst_treatment)s, %(state_source)s, %(address_source)s, %(shop_total)s, %(books_total)s,
             %(taxable_value)s, %(exempt_value)s, %(cgst)s, %(sgst)s, %(igst)s, %(books_cgst)s, %(books_sgst)s,
             %(books_igst)s, %(round_off)s, %(variance)s, %(settled_amount)s, %(source)s, %(source_digest)s, %(lines)s,
             %(books_modified_at)s, clock_timestamp())
           on conflict (record_id, entity, module) do update set
             organisation_id = excluded.organisation_id, zoho_id = excluded.zoho_id, number = excluded.number,
             reference = excluded.reference, step = excluded.step, status = excluded.status,
             document_date = excluded.document_date, customer_id = excluded.customer_id,
             place_of_supply = excluded.place_of_supply, supply_type = excluded.supply_type,
             gst_treatment = excluded.gst_treatment, state_source = excluded.state_source,
             address_source = excluded.address_source, shop_total = excluded.shop_total,
             books_total = excluded.books_total, taxable_value = excluded.taxable_value,
             exempt_value = excluded.exempt_value, cgst = excluded.cgst, sgst = excluded.sgst, igst = excluded.igst,
             books_cgst = excluded.books_cgst, books_sgst = excluded.books_sgst, books_igst = excluded.books_igst,
             round_off = excluded.round_off, variance = excluded.variance, settled_amount = excluded.settled_amount,
             source = excluded.source, source_digest = excluded.source_digest, lines = excluded.lines,
             books_modified_at = excluded.books_modified_at, checked_at = excluded.checked_at, updated_at = now()""",
        _parameters(document),
    )


async def drop_document(connection: Connection, *, entity: str, module: Module, record_id: str) -> None:
    """Forget that a record has a document: an administrator unlinked it, or it is gone in Books."""
    await connection.execute(
        """delete from zohosync.document
            where entity = %(entity)s and module = %(module)s and record_id = %(record_id)s""",
        {"entity": entity, "module": module, "record_id": record_id},
    )


async def find_estrangements(
    connection: Connection, *, entity: str, module: str, record_ids: Sequence[str]
) -> dict[str, set[str]]:
    """Ids of Books a person said are not the documents of these records: record id to ids."""
    rows = await fetch_all(
        connection,
        """select record_id, zoho_id from zohosync.estrangement
            where entity = %(entity)s and module = %(module)s and record_id = any (%(ids)s)""",
        {"entity": entity, "module": module, "ids": list(record_ids)},
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["record_id"], set()).add(row["zoho_id"])
    return found


async def add_estrangement(
    connection: Connection, *, entity: str, module: str, record_id: str, zoho_id: str, reason: str, by: str
) -> None:
    """A person said that this id of Books is not the record's: it is never adopted for it again."""
    await connection.execute(
        """insert into zohosync.estrangement (module, zoho_id, entity, record_id, reason, by_whom)
           values (%(module)s, %(zoho_id)s, %(entity)s, %(record_id)s, %(reason)s, %(by)s) on conflict do nothing""",
        {
            "module": module,
            "zoho_id": zoho_id,
            "entity": entity,
            "record_id": record_id,
            "reason": reason,
            "by": by,
        },
    )


async def drop_estrangement(connection: Connection, *, entity: str, module: str, record_id: str, zoho_id: str) -> None:
    """A person said that it is, after all."""
    await connection.execute(
        """delete from zohosync.estrangement where entity = %(entity)s and module = %(module)s
              and record_id = %(record_id)s and zoho_id = %(zoho_id)s""",
        {"module": module, "zoho_id": zoho_id, "entity": entity, "record_id": record_id},
    )


def _parameters(document: StoredDocument) -> dict[str, Any]:
    values = {name: getattr(document, name) for name in StoredDocument.__slots__}
    values["source"] = Jsonb(document.source)
    values["lines"] = Jsonb([_line_json(line) for line in document.lines])
    return values


def _line_json(line: DocumentLineSent) -> dict[str, str]:
    return {name: str(getattr(line, name)) for name in DocumentLineSent.__slots__}


AMOUNTS = frozenset({"quantity", "rate", "discount", "gst_rate", "value", "cgst", "sgst", "igst", "total"})


def _document(row: dict[str, Any]) -> StoredDocument:
    return StoredDocument(**{**row, "lines": tuple(map(_line, row["lines"]))})


def _line(line: dict[str, Any]) -> DocumentLineSent:
    values: dict[str, Any] = {name: Decimal(value) if name in AMOUNTS else value for name, value in line.items()}
    return DocumentLineSent(**values)


async def read_watermark(connection: Connection, module: Module) -> datetime | None:
    """Up to when the changes of a module in Books are known."""
    rows = await fetch_all(connection, "select watermark from zohosync.sweep where name = %(name)s", {"name": module})
    return rows[0]["watermark"] if rows else None


async def set_watermark(connection: Connection, module: Module, watermark: datetime) -> None:
    """They are known up to then."""
    await connection.execute(
        """insert into zohosync.sweep (name, watermark) values (%(name)s, %(watermark)s)
           on conflict (name) do update set watermark = excluded.watermark, swept_at = now()""",
        {"name": module, "watermark": watermark},
    )


async def list_watched_modules(connection: Connection) -> list[Module]:
    """The modules we have documents in."""
    rows = await fetch_all(
        connection,
        """select m.module from unnest(array['invoices', 'estimates', 'creditnotes']) as m(module)
            where exists (select from zohosync.document d where d.module = m.module)""",
    )
    return [row["module"] for row in rows]


async def list_unchecked(
    connection: Connection, *, module: Module, before: datetime, since: date, most: int
) -> list[StoredDocument]:
    """Documents dated since a day that nobody has seen in Books since an instant, longest unseen first."""
    rows = await fetch_all(
        connection,
        f"""select {COLUMNS} from zohosync.document
             where module = %(module)s and document_date >= %(since)s and checked_at < %(before)s
             order by checked_at limit %(most)s""",  # noqa: S608
        {"module": module, "before": before, "since": since, "most": most},
    )
    return [_document(row) for row in rows]


async def mark_checked(
    connection: Connection, *, module: Module, zoho_id: str, status: str | None = None, modified_at: str | None = None
) -> None:
    """Books still has the document."""
    await connection.execute(
        """update zohosync.document
              set checked_at = clock_timestamp(), status = coalesce(%(status)s, status),
                  books_modified_at = coalesce(%(modified_at)s, books_modified_at)
            where module = %(module)s and zoho_id = %(zoho_id)s""",
        {"module": module, "zoho_id": zoho_id, "status": status, "modified_at": modified_at},
    )
