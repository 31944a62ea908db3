"""What a person wrote, as the text of a Note. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from zohosync.store.shop import QuoteLine, ShopInquiry, ShopQuote
from zohosync.sync.person import clean_text
from zohosync.zoho.fields import Warned

# https://www.zoho.com/crm/developer/docs/api/v8/create-notes.html
LONGEST_CONTENT = 32_000


@dataclass(frozen=True, slots=True)
class NoteText:
    """A Note's title, which carries the record's id so that it can be found again, and its content."""

    title: str
    content: str
    warnings: tuple[Warned, ...] = ()


def write_inquiry_note(inquiry: ShopInquiry) -> NoteText:
    """Subject and message of a contact form."""
    parts = [clean_text(inquiry.subject), clean_text(inquiry.message)]
    return _fitted(f"Inquiry {inquiry.record_id}", "\n\n".join(part for part in parts if part) or "(no message)")


def write_quote_note(quote: ShopQuote) -> NoteText:
    """The lines, the totals and the remarks of a quote request."""
    parts = ["\n".join(_line(line) for line in quote.lines), _totals(quote)]
    if quote.valid_until is not None:
        parts.append(f"Valid until {quote.valid_until:%d %b %Y}")
    remarks = clean_text(quote.notes)
    if remarks:
        parts.append(f"Remarks: {remarks}")
    note = _fitted(f"Quote request {quote.record_id}", "\n\n".join(part for part in parts if part))
    return NoteText(note.title, note.content, note.warnings + _sum_warning(quote))


def rupees(amount: Decimal | None) -> str:
    """An amount in Indian grouping: ₹12,34,567.50; a dash when there is none."""
    if amount is None or not amount.is_finite():
        return "–"
    sign, whole, paise = ("-" if amount < 0 else ""), *f"{abs(amount):.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
    return f"{sign}₹{','.join([*groups, tail])}.{paise}"


def _line(line: QuoteLine) -> str:
    what = " ".join(part for part in (line.sku, line.name) if part) or "(deleted product)"
    quantity = "?" if line.quantity is None else f"{line.quantity}"
    return f"{quantity} × {what} at {rupees(line.unit_price)} = {rupees(line.total_price)}"


def _totals(quote: ShopQuote) -> str:
    named = (("Subtotal", quote.subtotal), ("Tax", quote.tax_amount), ("Total", quote.total_amount))
    return "\n".join(f"{name}: {rupees(amount)}" for name, amount in named if amount is not None)


def _sum_warning(quote: ShopQuote) -> tuple[Warned, ...]:
    total = sum_of(quote.lines)
    if quote.subtotal is None or total == quote.subtotal:
        return ()
    told = f"The lines add up to {rupees(total)}, the quote's subtotal is {rupees(quote.subtotal)}."
    return (Warned("Note_Content", "sum_differs", told, ""),)


def sum_of(lines: Sequence[QuoteLine]) -> Decimal:
    """The lines' totals, added."""
    return sum((line.total_price for line in lines if line.total_price is not None), Decimal())


def _fitted(title: str, content: str) -> NoteText:
    """Zoho refuses a longer text. What is cut is said, in the note and as a warning."""
    if len(content.encode("utf-16-le")) // 2 <= LONGEST_CONTENT:
        return NoteText(title, content)
    ending = "\n… (cut here: the shop has the whole text)"
    room = LONGEST_CONTENT - len(ending)
    cut = content.encode("utf-16-le")[: room * 2].decode("utf-16-le", errors="ignore")
    told = f"The text is longer than Zoho's {LONGEST_CONTENT} characters; it was cut."
    return NoteText(title, cut + ending, (Warned("Note_Content", "text_cut", told, ""),))
