"""What Books made of a document against what was expected. Pure.

Nothing of it is believed because it was sent: Books drops what it does not know and computes its own tax.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from zohosync.store.documents import DocumentLineSent
from zohosync.sync.books.invoice_draft import DocumentDraft
from zohosync.sync.books.tax_book import TaxBook
from zohosync.zoho.books_records import Document

CENT = Decimal("0.01")
ZERO = Decimal(0)
UNREGISTERED = {"consumer", "business_none"}
"""Without a GSTIN it is one to the law and to the returns whether a firm or a person bought."""


@dataclass(frozen=True, slots=True)
class Legs:
    """Books' tax by leg; ``other`` is what is none of the three."""

    cgst: Decimal
    sgst: Decimal
    igst: Decimal
    other: Decimal


@dataclass(frozen=True, slots=True)
class Comparison:
    """``variance`` is Books' total minus the expected one. ``differences`` are sentences; with none, and a variance
    within ``tolerance``, a round-off settles it. ``lines`` have the ids Books gave them."""

    legs: Legs
    variance: Decimal
    tolerance: Decimal
    differences: tuple[str, ...]
    lines: tuple[DocumentLineSent, ...]

    @property
    def exact(self) -> bool:
        return not self.differences and self.variance == 0

    @property
    def roundable(self) -> bool:
        return not self.differences and abs(self.variance) <= self.tolerance


def read_legs(document: Document, taxes: TaxBook) -> Legs:
    """The sums of ``taxes[]`` by what each is."""
    sums = {"cgst": ZERO, "sgst": ZERO, "igst": ZERO}
    other = ZERO
    for tax in document.taxes:
        leg = taxes.leg_of(tax.name, tax.tax_id)
        if leg in sums:
            sums[leg] += tax.amount
        else:
            other += tax.amount
    return Legs(sums["cgst"], sums["sgst"], sums["igst"], other)


def compare(draft: DocumentDraft, document: Document, taxes: TaxBook, *, most_round_off: Decimal) -> Comparison:
    """Customer, place of supply, lines one by one, tax by leg, total."""
    legs = read_legs(document, taxes)
    tolerance = min(CENT * 2 * max(len(draft.lines), 1), most_round_off)
    paired, strange = pair_lines(draft.lines, document)
    return Comparison(
        legs=legs,
        variance=document.total - draft.total,
        tolerance=tolerance,
        differences=(
            *_head(draft, document),
            *strange,
            *_tax(draft, legs, tolerance),
            *_total(draft, document, tolerance),
        ),
        lines=paired,
    )


def pair_lines(
    sent: tuple[DocumentLineSent, ...], document: Document
) -> tuple[tuple[DocumentLineSent, ...], tuple[str, ...]]:
    """The sent lines with the ids Books gave them, and what differs. Lines are told by order: Books keeps it."""
    if len(sent) != len(document.lines):
        return sent, (f"It has {len(document.lines)} lines, {len(sent)} were sent.",)
    paired: list[DocumentLineSent] = []
    differences: list[str] = []
    for number, (mine, theirs) in enumerate(zip(sent, document.lines, strict=True), start=1):
        paired.append(replace(mine, line_item_id=theirs.id))
        said = [
            ("item", mine.item_id, theirs.item_id, mine.item_id == theirs.item_id),
            ("quantity", mine.quantity, theirs.quantity, mine.quantity == theirs.quantity),
            ("rate", mine.rate, theirs.rate, mine.rate == theirs.rate),
            ("HSN", mine.hsn, theirs.hsn, not theirs.hsn or mine.hsn == theirs.hsn),
            ("tax", mine.tax_id, theirs.tax_id, not mine.tax_id or not theirs.tax_id or mine.tax_id == theirs.tax_id),
        ]
        differences += [
            f"Line {number} ({mine.sku or mine.name}): {what} is {now}, {then} was sent."
            for what, then, now, same in said
            if not same
        ]
    return tuple(paired), tuple(differences)


def _head(draft: DocumentDraft, document: Document) -> Iterator[str]:
    if document.customer_id != draft.customer_id:
        yield f"Its customer is {document.customer_id}, {draft.customer_id} was sent."
    expected = draft.assessment.place_of_supply
    if expected and document.place_of_supply != expected:
        yield f"Its place of supply is {document.place_of_supply or 'empty'}, {expected} was sent."
    treatment, gstin = draft.assessment.gst_treatment, draft.assessment.gstin or ""
    if document.gst_treatment not in ("", treatment) and {document.gst_treatment, treatment} != UNREGISTERED:
        yield f"Its GST treatment is {document.gst_treatment}, {treatment} was sent."
    if gstin and document.gst_no != gstin:
        yield f"Its GSTIN is {document.gst_no or 'empty'}, {gstin} was sent."
    if document.date is not None and document.date != draft.on:
        yield f"Its date is {document.date.isoformat()}, {draft.on.isoformat()} was sent."
    if document.inclusive != draft.assessment.inclusive and draft.lines:
        yield "Its prices are taken as " + ("inclusive of tax." if document.inclusive else "exclusive of tax.")


def _tax(draft: DocumentDraft, legs: Legs, tolerance: Decimal) -> Iterator[str]:
    totals = draft.assessment.totals
    for name, theirs, mine in (
        ("CGST", legs.cgst, totals.cgst),
        ("SGST", legs.sgst, totals.sgst),
        ("IGST", legs.igst, totals.igst),
        ("other tax", legs.other, ZERO),
    ):
        if abs(theirs - mine) > tolerance or ((mine == 0) != (theirs == 0) and abs(theirs - mine) > CENT):
            yield f"Its {name} is {theirs:.2f}, {mine:.2f} was expected."


def _total(draft: DocumentDraft, document: Document, tolerance: Decimal) -> Iterator[str]:
    if abs(document.total - draft.total) > tolerance:
        yield f"Its total is {document.total:.2f}, {draft.total:.2f} was charged."
