"""A look at past records before go-live: what each stream would make of them. Nothing is sent and nothing written."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from zohosync.db.pool import Connection, Pool, snapshot
from zohosync.queue.foresight import HARMLESS, Finding, Foreseen, Foresight, Section
from zohosync.queue.operation import Stream
from zohosync.store.shop import read_each, read_recent

MOST_EXAMPLES = 5
NEWEST = 200

# A finding quotes its record; a group needs the sentence without it. What is not here is told in the words of its first
# finding, which are the same for all.
SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "email_invalid": ("The e-mail address is not one.", "Correct it in the shop."),
        "email_shared": (
            "Several customers have one e-mail address: the first to be synced is the Contact, the others are refused.",
            "Merge them in the shop, or give them addresses of their own; they are never merged by themselves.",
        ),
        "email_still_given": (
            "The Contact with this e-mail address belongs to a customer whose new address Zoho does not have yet.",
            "Nothing: it waits until Zoho has it.",
        ),
        "record_unreadable": ("The shop holds a value that no program can read.", "Correct it in the shop."),
        "too_long": ("{field} is longer than Zoho allows.", "Shorten it in the shop, or lengthen the field in Zoho."),
        "invalid_value": ("{field} is not what Zoho's field takes.", "Correct it in the shop."),
        "phone_invalid": ("The phone number is not one, and would be left out.", "Correct it in the shop."),
        "gstin_invalid": ("The GSTIN is not valid, and would be left out.", "Correct it in the shop."),
        "text_cut": ("The text is longer than a Note of Zoho, and would be cut.", "Nothing: the Note says so."),
        "sum_differs": ("The lines of the quote do not add up to its subtotal.", "Look at the quote in the shop."),
        "linked": ("It is in Zoho already, by us.", "Nothing: it would be brought up to date."),
        "old_id": (
            "The shop holds an id of Zoho that is not from us.",
            "Nothing: it is used if Zoho confirms that the record has this e-mail address.",
        ),
        "namesake": ("Another customer has the same name.", "Nothing: they are told apart by their e-mail addresses."),
        "company_namesake": (
            "Another company has the same name.",
            "Nothing: they stay two Accounts, told apart by GSTIN or customer.",
        ),
        # --- documents of Books; all causes: docs/reference/errors.md
        "price_basis_unknown": (
            "Nobody said whether the shop's prices contain GST.",
            "Decide it: `zohosync policy set price_basis exclusive` (or inclusive, as_charged).",
        ),
        "shipping_policy_unset_for_mixed_rates": (
            "The goods have several rates, and nobody said how shipping and the COD fee are taxed then.",
            "Decide it: `zohosync policy set shipping_tax apportion` (or highest).",
        ),
        "total_mismatch": (
            "The order asks for something else than its lines and their tax make.",
            "Compare its prices, rates and discounts. If what was paid is right and only the shop's tax is not, say so"
            " for the order: `zohosync override set order <number> price_basis as_charged --reason <why>`.",
        ),
        "no_lines": ("The order has no lines.", "Correct it in the shop."),
        "not_ready": ("Lines are missing.", "Nothing: it waits until lines and subtotal agree."),
        "line_total_mismatch": ("A line costs more than its quantity times its price.", "Correct it in the shop."),
        "discount_exceeds_order": ("The discount is more than the goods cost.", "Correct it in the shop."),
        "discount_exceeds_line": ("The discount of a line is more than it costs.", "Correct it in the shop."),
        "quantity_invalid": ("A quantity is none.", "Correct it in the shop."),
        "price_missing": ("Goods have no price.", "Correct it in the shop."),
        "amount_negative": ("An amount is less than nothing.", "Correct it in the shop."),
        "amount_invalid": ("An amount is none of rupees and paise.", "Correct it in the shop."),
        "charged_missing": (
            "The tax is to be extracted from what was paid, and the order has no total.",
            "Correct it.",
        ),
        "currency_unsupported": (
            "The order is not in INR.",
            "Make the document by hand in Zoho Books and link it.",
        ),
        "hsn_missing": ("Goods have no HSN code.", "Enter it in the shop, or import it: `zohosync rates import`."),
        "hsn_invalid": ("An HSN code has not 4, 6 or 8 digits.", "Correct it, or import it: `zohosync rates import`."),
        "gst_rate_missing": ("Goods have no GST rate.", "Enter it in the shop, or import it: `zohosync rates import`."),
        "tax_category_missing": (
            "Goods have a rate of 0, and nobody said why.",
            "Enter exempt, nil or zero_rated_na in the shop, or import it: `zohosync rates import`.",
        ),
        "tax_category_conflict": ("Rate and tax category of goods contradict each other.", "Correct one of them."),
        "tax_category_unknown": (
            "Goods have a tax category that is none.",
            "Write taxable, exempt, nil or zero_rated_na in the shop, or import it: `zohosync rates import`.",
        ),
        "rate_not_in_force": ("Goods have a GST rate that was not in force on that day.", "Correct it in the shop."),
        "sku_missing": (
            "A line has no SKU, so nobody knows which goods it is.",
            "Give the variant a SKU, or name one for the line: `zohosync override`.",
        ),
        "sku_shared": ("Several variants have one SKU.", "Give each its own in the shop."),
        "item_absent": (
            "Goods are not in the shop any more.",
            "Nothing, if Zoho Books has an active item with the SKU; else name another by an override.",
        ),
        "state_unresolved": (
            "The address does not tell which state is delivered to.",
            "Correct it in the shop, or say it: `zohosync override set order <number> state <state>`.",
        ),
        "state_pin_conflict": (
            "State and PIN code of the address contradict each other.",
            "Correct it in the shop, or say it: `zohosync override set order <number> state <state>`.",
        ),
        "country_missing": ("The address has no country.", "Correct it in the shop, or by an override."),
        "country_unknown": (
            "The country of the address is none we know.",
            "Correct it in the shop, or by an override.",
        ),
        "gstin_state_differs_from_ship_to": (
            "The GSTIN is of another state than the goods are delivered to.",
            "Say whether a third party gets the goods: `zohosync override set order <number> third_party yes` (or no).",
        ),
        "b2b_without_gstin": (
            "A B2B client has no GSTIN.",
            "Enter it in the shop, or decide for all: `zohosync policy set b2b_without_gstin unregistered`.",
        ),
        "sez_or_export_without_lut_setting": (
            "It is an export or a supply to SEZ, and nobody said whether it goes without tax.",
            "Decide it: `zohosync policy set lut yes` (or no).",
        ),
        "seller_state_unknown": (
            "Zoho Books does not tell which state the shop sells from.",
            "In Books: Settings, Organisation Profile: enter the address with its state.",
        ),
        "books_tax_absent": (
            "Zoho Books has no tax of a rate.",
            "In Books: Settings, Taxes: add the group (CGST + SGST) and the IGST of that rate.",
        ),
        "books_account_unclear": (
            "It is not clear which account of Zoho Books new items use.",
            "Choose one: `zohosync policy set sales_account_id <account id>`.",
        ),
        "books_exemption_unclear": (
            "It is not clear which exemption of Zoho Books exempt goods get.",
            "Choose one: `zohosync policy set exemption_id <id>`.",
        ),
        "customer_name_too_long": ("The customer's name is longer than Zoho Books allows.", "Shorten it in the shop."),
        "goods_returned_unknown": (
            "Nobody says whether the goods of a refunded order came back.",
            "Decide for all: `zohosync policy set goods_returned yes` (or no); or for one by an override.",
        ),
        "credit_exceeds_invoice": ("More was refunded than was invoiced.", "Compare refund and order in the shop."),
        "cost_unknown": ("Goods have stock and no cost price.", "Correct the stock's value in Books, if it matters."),
    }
)

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Example:
    """One record of a group; ``detail`` is what was found there, in a sentence with its values."""

    record_id: str
    label: str
    detail: str


@dataclass(slots=True)
class Group:
    """Findings of one cause; the first few as examples."""

    kind: str
    entity: str
    section: Section
    code: str
    zoho_field: str
    message: str
    remedy: str
    count: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """What one stream made of one entity. Every record that was looked at is in exactly one of the four counts."""

    kind: str
    entity: str
    looked_at: int = 0
    fine: int = 0
    warned: int = 0
    waiting: int = 0
    refused: int = 0


@dataclass(slots=True)
class Rehearsal:
    """The report. ``shortcomings`` are what could not be asked of Zoho."""

    lines: list[Line] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    shortcomings: list[str] = field(default_factory=list)

    @property
    def all_fine(self) -> bool:
        return all(line.fine == line.looked_at for line in self.lines)


async def rehearse(pool: Pool, streams: Sequence[Stream], most: Mapping[str, int | None]) -> Rehearsal:
    """Every stream over the newest records of each of its entities: as many as ``most`` says, None for all, else 200.

    Zoho is asked for metadata first; the records are read afterwards, in one read-only transaction.
    """
    foreseers = [(stream, await stream.foresee()) for stream in streams if stream.foresee is not None]
    report = Rehearsal()
    report.shortcomings = list(dict.fromkeys(f.shortcoming for _, f in foreseers if f.shortcoming))
    async with pool.connection() as connection, snapshot(connection):
        for stream, foresight in foreseers:
            for entity in stream.entities:
                limit = most.get(entity, NEWEST)
                if limit != 0:
                    await _rehearse(connection, report, stream.kind, foresight, entity, limit)
    return report


async def _rehearse(
    connection: Connection, report: Rehearsal, kind: str, foresight: Foresight, entity: str, limit: int | None
) -> None:
    line = Line(kind, entity)
    groups: dict[tuple[Section, str, str], Group] = {}
    async for record in foresight.rehearse(connection, entity, read_recent(connection, entity, limit)):
        _count(line, record)
        for finding in record.findings:
            key = (finding.section, finding.code, finding.field)
            group = groups.setdefault(key, _group_of(kind, entity, finding))
            group.count += 1
            if len(group.examples) < MOST_EXAMPLES:
                group.examples.append(Example(record.record_id, record.label, finding.message))
    report.lines.append(line)
    order = list(Section)
    report.groups += sorted(groups.values(), key=lambda group: (order.index(group.section), -group.count, group.code))


def _count(line: Line, record: Foreseen) -> None:
    sections = {finding.section for finding in record.findings} - HARMLESS
    line.looked_at += 1
    if sections & {Section.REFUSED, Section.SHARED_EMAIL}:
        line.refused += 1
    elif Section.WAITING in sections:
        line.waiting += 1
    elif sections:
        line.warned += 1
    else:
        line.fine += 1


def _group_of(kind: str, entity: str, finding: Finding) -> Group:
    message, remedy = SENTENCES.get(finding.code, (finding.message, finding.hint))
    told = message.replace("{field}", finding.field.replace("_", " "))
    return Group(kind, entity, finding.section, finding.code, finding.field, told, remedy)


async def readable(
    connection: Connection,
    read: Callable[[Connection, Sequence[str]], Awaitable[dict[str, Record]]],
    record_ids: Sequence[str],
) -> tuple[dict[str, Record], dict[str, Finding]]:
    """Records of the shop, and a finding for each whose values no program can hold."""
    records, problems = await read_each(connection, read, record_ids)
    return records, {
        record_id: Finding(Section.REFUSED, "record_unreadable", f"The database says: {problem}.")
        for record_id, problem in problems.items()
    }
