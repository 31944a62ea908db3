"""Lists of Books: which parameters a list knows, and the page they ask for.

Parameters nobody knows are ignored without a word, so that a typo returns everything; bad values of known ones are
refused with code 2. https://www.zoho.com/books/api/v3/pagination/
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from zohosim.answers import Answer, Json
from zohosim.books.answers import MOST_ROWS, number, told
from zohosim.books.fields import as_day, as_instant, invalid
from zohosim.books.fields import number as as_number
from zohosim.calls import Call

Row = Json
Test = Callable[[Row], bool]

LONGEST_TEXT = 100
NUMBERS = {"_less_than": lt, "_less_equals": le, "_greater_than": gt, "_greater_equals": ge}
DAYS = {"_start": ge, "_end": le, "_before": lt, "_after": gt}


def everything(_row: Row) -> bool:
    return True


def status_is(*statuses: str) -> Test:
    return lambda row: row.get("status") in statuses


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list may be asked. Names are keys of the row, unless `elsewhere` says where to look for their values.

    texts: equal, `_startswith`, `_contains`, case ignored · numbers: equal, `_less_than` … · days: equal, `_start` … ·
    ids: equal · choices: equal, of these values only · `filters`: the values of filter_by.
    """

    key: str
    report_name: str
    sort_columns: tuple[str, ...]
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    search: tuple[str, ...] = ()
    filters: Mapping[str, Test] = field(default_factory=lambda: {"Status.All": everything})
    default_filter: str = "Status.All"
    sort_order: str = "A"
    elsewhere: Mapping[str, Callable[[Row], Iterable[Any]]] = field(default_factory=dict)

    def values(self, row: Row, name: str) -> list[Any]:
        look = self.elsewhere.get(name)
        found = [row.get(name, "")] if look is None else list(look(row))
        return [value for value in found if value not in (None, "")]


def chosen(call: Call, listing: Listing, rows: Iterable[Row]) -> list[Row]:
    """The rows the parameters ask for, in the order they ask for, all pages of them."""
    tests = [*tests_of(call, listing), listing.filters[filter_of(call, listing)]]
    found = [row for row in rows if all(test(row) for test in tests)]
    column, order = sorting_of(call, listing)
    return sorted(found, key=lambda row: rank(row.get(column)), reverse=order == "D")


def page(call: Call, listing: Listing, rows: list[Row], shown: Callable[[Row], Json]) -> Answer:
    """One page of the chosen rows with all keys of the page_context; past the end it is empty."""
    wanted, size = number(call, "page", 1), min(number(call, "per_page", MOST_ROWS), MOST_ROWS)
    start = (wanted - 1) * size
    column, order = sorting_of(call, listing)
    context = {
        "page": wanted, "per_page": size, "has_more_page": len(rows) > start + size,
        "report_name": listing.report_name, "applied_filter": filter_of(call, listing),
        "sort_column": column, "sort_order": order, "custom_fields": [], "search_criteria": [],
    }  # fmt: skip
    return told(**{listing.key: [shown(row) for row in rows[start : start + size]], "page_context": context})


def filter_of(call: Call, listing: Listing) -> str:
    asked = call.params.get("filter_by") or listing.default_filter
    if asked not in listing.filters:
        raise invalid("filter_by")
    return asked


def sorting_of(call: Call, listing: Listing) -> tuple[str, str]:
    column = call.params.get("sort_column") or listing.sort_columns[0]
    order = call.params.get("sort_order") or ("A" if call.params.get("sort_column") else listing.sort_order)
    if column not in listing.sort_columns:
        raise invalid("sort_column")
    if order not in ("A", "D", "ascending", "descending"):
        raise invalid("sort_order")
    return column, order[0].upper()


def rank(value: Any) -> tuple[int, Any]:
    """Blanks first, then numbers, then texts without regard to case."""
    if value in (None, ""):
        return (0, 0)
    return (1, value) if isinstance(value, int | float | Decimal) else (2, str(value).casefold())


def tests_of(call: Call, listing: Listing) -> list[Test]:
    """One test for every parameter that is known and not empty."""
    found: list[Test] = []
    for name, given in call.params.items():
        test = test_of(listing, name, given) if given else None
        if test is not None:
            found.append(test)
    return found


def test_of(listing: Listing, name: str, given: str) -> Test | None:
    """None for a parameter the list does not know, as if it were not there."""
    if name == "search_text":
        return search_test(listing, given)
    if name == "last_modified_time" and name not in listing.texts:
        since = as_instant(name, given)
        return lambda row: as_instant(name, row["last_modified_time"]) >= since
    return (
        text_test(listing, name, given)
        or measure_test(listing, name, given)
        or exact_test(listing, name, given)
    )  # fmt: skip


def search_test(listing: Listing, given: str) -> Test | None:
    if not listing.search:
        return None
    wanted = short(given, "search_text")
    return lambda row: any(wanted in str(v).casefold() for key in listing.search for v in listing.values(row, key))


def text_test(listing: Listing, name: str, given: str) -> Test | None:
    base = name.removesuffix("_startswith").removesuffix("_contains")
    if base not in listing.texts:
        return None
    wanted = short(given, name)
    if name.endswith("_startswith"):
        return lambda row: any(str(v).casefold().startswith(wanted) for v in listing.values(row, base))
    if name.endswith("_contains"):
        return lambda row: any(wanted in str(v).casefold() for v in listing.values(row, base))
    return lambda row: any(str(v).casefold() == wanted for v in listing.values(row, base))


def short(given: str, name: str) -> str:
    if len(given) > LONGEST_TEXT:
        raise invalid(name)
    return given.casefold()


def measure_test(listing: Listing, name: str, given: str) -> Test | None:
    """Numbers and days: equal to the value, or on the side of it that the suffix says."""
    for names, suffixes, reader in ((listing.numbers, NUMBERS, as_number), (listing.days, DAYS, as_day)):
        for suffix, compare in {"": lambda a, b: a == b, **suffixes}.items():
            if name.removesuffix(suffix) in names and name.endswith(suffix):
                return _measured(listing, name.removesuffix(suffix), compare, reader, reader(name, given))
    return None


def _measured(
    listing: Listing, name: str, compare: Callable[[Any, Any], bool], reader: Callable[[str, Any], Any], wanted: Any
) -> Test:
    return lambda row: any(compare(reader(name, v), wanted) for v in listing.values(row, name))


def exact_test(listing: Listing, name: str, given: str) -> Test | None:
    if name in listing.flags:
        if given not in ("true", "false"):
            raise invalid(name)
        return lambda row: bool(row.get(name)) == (given == "true")
    if name in listing.choices and given not in listing.choices[name]:
        raise invalid(name)
    if name not in listing.ids and name not in listing.choices:
        return None
    return lambda row: any(str(v) == given for v in listing.values(row, name))
