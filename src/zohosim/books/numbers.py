"""Numbers of documents: drawn from a series, or the caller's own when it asks for that.

https://www.zoho.com/books/api/v3/invoices/#create-an-invoice
"""

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused
from zohosim.books.documents import Kind
from zohosim.books.fields import asked_flag, flag, missing
from zohosim.books.records import Row
from zohosim.books.resources import Visit

OWN_NUMBER = "ignore_auto_number_generation"


def number_of(seen: Visit, kind: Kind, body: Json, row: Row, old: Row | None) -> str:
    """The document's number. Call it last: it draws from the series."""
    wanted = str(row.get(kind.number_key) or "")
    if old is not None and wanted in ("", old[kind.number_key]):
        return str(old[kind.number_key])
    if asked_flag(seen.call, OWN_NUMBER) or (OWN_NUMBER in body and flag(OWN_NUMBER, body[OWN_NUMBER])):
        if not wanted:
            raise missing(kind.number_key)
        check_free(seen, kind, wanted)
        return wanted
    if wanted and wanted != next_number(seen, kind):
        raise BooksRefused(400, 4097, "Number entered does not match the auto-generated number")
    return draw(seen, kind)


def is_taken(seen: Visit, kind: Kind, number: str) -> bool:
    return any(row[kind.number_key] == number for row in seen.ledger.rows(kind.module))


def check_free(seen: Visit, kind: Kind, number: str) -> None:
    """The code and text for a number that is taken were never seen."""
    if is_taken(seen, kind, number):
        code = seen.sim.switches["books_duplicate_number_code"]
        raise BooksRefused(400, code, f'{kind.entity} "{number}" already exists.')


def next_number(seen: Visit, kind: Kind) -> str:
    """What the series comes to next; numbers that were given by hand are passed over."""
    place = seen.ledger.counters[kind.series] + 1
    while is_taken(seen, kind, f"{kind.series}-{place:06d}"):
        place += 1
    return f"{kind.series}-{place:06d}"


def draw(seen: Visit, kind: Kind) -> str:
    number = next_number(seen, kind)
    seen.ledger.counters[kind.series] = int(number.rpartition("-")[2])
    return number
