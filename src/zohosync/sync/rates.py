"""A sheet of HSN codes and GST rates: read, judged row by row against the shop, and written out. Pure."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from zohosync.errors import SettingsRefused
from zohosync.gst.sale import Rules, TaxCategory
from zohosync.store.rates import Goods, TaxData

COLUMNS = ("sku", "name", "hsn_code", "gst_rate", "tax_category")
VALUES = COLUMNS[2:]
CALCULATED = frozenset("=+-@\t\r")
"""What a cell begins with that a spreadsheet takes for a formula, or for the beginning of another cell."""
IN_FORCE = Rules(seller_state="").rates
"""Rates of today, in percent; a policy may add others."""
HSN = re.compile(r"\d{4}(\d{2}(\d{2})?)?")
DOTTED_HSN = re.compile(r"\d{4}\.\d{2}(\.\d{2})?")
RATE = re.compile(r"(\d{1,3}(?:[.,]\d{1,4})?)\s*%?")


class Verdict(StrEnum):
    """``NEW``: the shop said nothing of this SKU so far."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of the sheet, judged. ``line`` is its number in the file, ``reason`` says why it is refused, ``after`` is
    what the shop says once it is written."""

    line: int
    sku: str
    name: str
    verdict: Verdict
    reason: str
    before: TaxData | None
    after: TaxData | None


@dataclass(frozen=True, slots=True)
class RatePlan:
    """What an import does."""

    rows: tuple[SheetRow, ...]

    def of(self, *verdicts: Verdict) -> list[SheetRow]:
        """The rows with these verdicts."""
        return [row for row in self.rows if row.verdict in verdicts]

    @property
    def writes(self) -> list[tuple[str, TaxData]]:
        """What is to be written, by SKU."""
        return [(row.sku, row.after) for row in self.of(Verdict.NEW, Verdict.CHANGED) if row.after is not None]


class _Unfit(Exception):
    """A row that cannot be taken, and why."""


def write_sheet(goods: Sequence[Goods]) -> str:
    """The goods as CSV. What a spreadsheet would calculate is written as text, and read back as it was."""
    out = io.StringIO()
    bare, quoted = (csv.writer(out, lineterminator="\n", quoting=how) for how in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    bare.writerow(COLUMNS)
    for one in goods:
        rate = "" if one.tax.gst_rate is None else f"{one.tax.gst_rate:f}"
        cells = (one.sku, one.name, one.tax.hsn_code or "", rate, one.tax.tax_category or "")
        writer = quoted if any("\r" in cell for cell in cells) else bare  # csv quotes \n by itself, \r not
        writer.writerow([_as_text(cell) for cell in cells])
    return out.getvalue()


def _as_text(cell: str) -> str:
    """With an apostrophe in front where a spreadsheet would calculate, or where one is there already."""
    return f"'{cell}" if cell[:1] in CALCULATED | {"'"} else cell


def _as_it_was(cell: str) -> str:
    """Without the apostrophe an export puts in front."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in CALCULATED | {"'"} else cell


def plan_rates(data: bytes, goods: Sequence[Goods], *, rates: AbstractSet[Decimal]) -> RatePlan:
    """Judge a sheet. ``rates`` are those in force, in percent. SettingsRefused when it is no sheet of this kind."""
    known = {one.sku.strip().lower(): one for one in goods} | {one.sku: one for one in goods}
    seen: dict[str, int] = {}
    return RatePlan(
        tuple(_judge(line, cells, known, seen, rates) for line, cells in _read(data) if any(cells.values()))
    )


def _read(data: bytes) -> list[tuple[int, dict[str, str]]]:
    text = _decode(data)
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        table = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        names = [name.strip().lower().replace(" ", "_") for name in next(table, [])]
        lines = [(table.line_num, cells) for cells in table]
    except csv.Error as error:
        raise SettingsRefused(f"The file cannot be read as CSV: {error}.", hint="Save it as CSV again.") from error
    doubled = sorted({name for name in names if names.count(name) > 1 and name in COLUMNS})
    if "sku" not in names or not set(names) & set(VALUES) or doubled:
        raise SettingsRefused(
            "The first line must name the columns, each once: sku, and hsn_code, gst_rate or tax_category.",
            hint="Start from the file that `zohosync rates export` writes.",
        )
    return [
        (line, {name: _as_it_was(cell.strip()) for name, cell in zip(names, cells, strict=False) if name in COLUMNS})
        for line, cells in lines
    ]


def _decode(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what Excel writes by default


def _judge(
    line: int, cells: Mapping[str, str], known: Mapping[str, Goods], seen: dict[str, int], rates: AbstractSet[Decimal]
) -> SheetRow:
    sku = cells.get("sku", "")
    one = known.get(sku) or known.get(sku.lower())
    try:
        if one is None:
            raise _Unfit(_unknown(sku, known))
        earlier = seen.setdefault(one.sku, line)
        if earlier != line:
            raise _Unfit(f"SKU {sku} is in line {earlier} already.")
        after = _merge(one.tax, cells, rates)
    except _Unfit as unfit:
        name = one.name if one else cells.get("name", "")
        return SheetRow(
            line, one.sku if one else sku, name, Verdict.REFUSED, str(unfit), one.tax if one else None, None
        )
    if after == one.tax:
        verdict = Verdict.SAME
    else:
        verdict = Verdict.NEW if one.tax == TaxData(None, None, None) else Verdict.CHANGED
    return SheetRow(line, one.sku, one.name, verdict, "", one.tax, after)


def _unknown(sku: str, known: Mapping[str, Goods]) -> str:
    if not sku:
        return "The row has no SKU."
    longer = [name for name in known if name != sku and name.lstrip("0") == sku.lower().lstrip("0")]
    if longer:
        return f"The shop has no SKU {sku}, but {longer[0]}: Excel takes away leading zeros. Make the column Text."
    return f"The shop has no SKU {sku}."


def _merge(before: TaxData, cells: Mapping[str, str], rates: AbstractSet[Decimal]) -> TaxData:
    """What the shop says with the row's values in place; an empty cell leaves a value as it is."""
    rate = _rate(cells.get("gst_rate", ""), rates)
    category = _category(cells.get("tax_category", ""))
    after = TaxData(
        _hsn(cells.get("hsn_code", "")) or before.hsn_code,
        before.gst_rate if rate is None else rate,
        category or before.tax_category,
    )
    if rate is not None or category is not None:
        _agree(after)
    return after


def _hsn(text: str) -> str | None:
    digits = text.replace(".", "") if DOTTED_HSN.fullmatch(text) else text.replace(" ", "")
    if not digits or HSN.fullmatch(digits):
        return digits or None
    if digits.isdecimal() and len(digits) in (3, 5, 7):
        raise _Unfit(
            f"HSN code {text} has {len(digits)} digits, not 4, 6 or 8; perhaps it is 0{digits} and Excel took the zero"
            " away. Make the column Text."
        )
    raise _Unfit(f"HSN code {text} is not 4, 6 or 8 digits.")


def _rate(text: str, rates: AbstractSet[Decimal]) -> Decimal | None:
    if not text:
        return None
    match = RATE.fullmatch(text)
    if match is None:
        raise _Unfit(f"{text} is not a rate in percent.")
    rate = Decimal(match[1].replace(",", ".")).normalize() + 0
    if rate in rates:
        return rate
    if 0 < rate < 1 and rate * 100 in rates:
        raise _Unfit(f"A rate of {text} percent is not in force; perhaps {(rate * 100).normalize() + 0:f} is meant.")
    raise _Unfit(
        f"A rate of {rate:f} percent is not one of {', '.join(f'{one:f}' for one in sorted(rates))};"
        f" if it is in force, `zohosync policy set more_rates {rate:f}` takes it."
    )


def _category(text: str) -> str | None:
    if not text:
        return None
    word = text.lower().replace(" ", "_").replace("-", "_")
    if word not in set(TaxCategory):
        raise _Unfit(f"{text} is not a tax category; it is one of {', '.join(TaxCategory)}.")
    return word


def _agree(tax: TaxData) -> None:
    """Rate and category must not contradict each other."""
    if tax.gst_rate and tax.tax_category not in (None, TaxCategory.TAXABLE):
        raise _Unfit(f"Goods that are {tax.tax_category} have no rate of {tax.gst_rate:f} percent.")
    if tax.gst_rate == 0 and tax.tax_category in (None, TaxCategory.TAXABLE):
        raise _Unfit("A rate of 0 needs a category that says why: exempt, nil or zero_rated_na.")
    if tax.tax_category == TaxCategory.TAXABLE and tax.gst_rate is None:
        raise _Unfit("Taxable goods need a rate.")
