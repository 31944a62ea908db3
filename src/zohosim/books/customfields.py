"""Custom fields of Books: what a module defines, how values are written, and the three shapes they come in.

Detail: an array. Documents: also a hash. Lists: flattened keys of the row. https://www.zoho.com/books/api/v3/custom-modules/
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused
from zohosim.books.fields import invalid, text

if TYPE_CHECKING:
    from zohosim.books.records import Row

MODULES = (
    "contacts", "items", "invoices", "estimates", "customerpayments", "creditnotes", "inventoryadjustments",
)  # fmt: skip
VALUES = "_custom"
"""Where a row keeps its values: API name to text."""

LONGEST = 255


@dataclass(frozen=True, slots=True)
class Wanted:
    """A custom field as a test or a person asks for it. `organisation_id` empty: in every organisation."""

    module: str
    label: str
    unique: bool = False
    data_type: str = "string"
    api_name: str = ""
    organisation_id: str = ""

    def checked(self) -> "Wanted":
        """ValueError when it makes no sense."""
        if self.module not in MODULES:
            raise ValueError(f"module must be one of {', '.join(MODULES)}")
        if not self.label:
            raise ValueError("label must not be empty")
        return self


@dataclass(frozen=True, slots=True)
class CustomField:
    """One definition. `unique`: no two records of the module have the same value."""

    id: str
    module: str
    label: str
    api_name: str
    unique: bool
    data_type: str
    index: int

    def element(self, value: str) -> Json:
        """Its place in the array."""
        return {
            "customfield_id": self.id, "field_id": self.id, "api_name": self.api_name, "label": self.label,
            "placeholder": self.api_name, "index": self.index, "data_type": self.data_type, "value": value,
            "value_formatted": value, "is_active": True, "show_on_pdf": False, "search_entity": self.module,
        }  # fmt: skip

    def described(self) -> Json:
        return {
            "customfield_id": self.id, "module": self.module, "label": self.label, "api_name": self.api_name,
            "unique": self.unique, "data_type": self.data_type, "index": self.index,
        }  # fmt: skip


class Definitions:
    """The custom fields of one organisation."""

    def __init__(self, first_id: int) -> None:
        self._first_id = first_id
        self.fields: list[CustomField] = []

    def define(self, wanted: Wanted) -> CustomField:
        """One more field; ValueError when the module has one of that name."""
        index = len(list(self.of(wanted.module))) + 1
        name = wanted.api_name or api_name(wanted.label)
        if self.find(wanted.module, name) is not None:
            raise ValueError(f"{wanted.module} has a custom field {name} already")
        number = str(self._first_id + 3 * len(self.fields))
        field = CustomField(number, wanted.module, wanted.label, name, wanted.unique, wanted.data_type, index)
        self.fields.append(field)
        return field

    def of(self, module: str) -> Iterator[CustomField]:
        return (field for field in self.fields if field.module == module)

    def find(self, module: str, name: str) -> CustomField | None:
        return next((field for field in self.of(module) if field.api_name == name), None)

    def read(self, module: str, given: Any) -> dict[str, str]:
        """The values of an array, whichever way each element names its field; what names none is ignored."""
        if not isinstance(given, list):
            raise invalid("custom_fields")
        found: dict[str, str] = {}
        for element in given:
            field = self._named(module, element if isinstance(element, dict) else {})
            if field is not None:
                value = element.get("value")
                found[field.api_name] = "" if value is None else text(LONGEST)(field.label, _plain(value))
        return found

    def _named(self, module: str, element: Json) -> CustomField | None:
        for key, attribute in (("customfield_id", "id"), ("api_name", "api_name"), ("label", "label")):
            if element.get(key):
                wanted = str(element[key])
                return next((field for field in self.of(module) if getattr(field, attribute) == wanted), None)
        return next((field for field in self.of(module) if field.index == element.get("index")), None)


def api_name(label: str) -> str:
    return "cf_" + re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def check_unique(fields: Iterable[CustomField], rows: Collection["Row"], values: dict[str, str], own: "Row") -> None:
    """Refuse a value of a no-duplicates field that another row of the module has. Code and text are not documented."""
    for field in fields:
        name, value = field.api_name, values.get(field.api_name)
        others = (row for row in rows if VALUES in row and row is not own) if field.unique and value else ()
        if any(other[VALUES].get(name) == value for other in others):
            raise BooksRefused(400, 2, f'The value entered for "{field.label}" already exists.')


def array(fields: Iterable[CustomField], row: "Row") -> list[Json]:
    """`custom_fields` of a detail: the fields that have a value."""
    values = row.get(VALUES, {})
    return [field.element(values[field.api_name]) for field in fields if values.get(field.api_name)]


def flattened(fields: Iterable[CustomField], row: "Row") -> Json:
    """`cf_x` and `cf_x_unformatted` of every field with a value: keys of a list row, and of `custom_field_hash`."""
    values = row.get(VALUES, {})
    pairs = [(field.api_name, values[field.api_name]) for field in fields if values.get(field.api_name)]
    return {key: value for name, value in pairs for key in (name, f"{name}_unformatted") for value in [value]}
