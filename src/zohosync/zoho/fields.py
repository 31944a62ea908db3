"""What the organisation's fields allow, checked before anything is sent.

https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zohosync.errors import RecordInvalid

ALWAYS_ALLOWED = frozenset({"id", "Layout", "Owner", "Tag"})
MULTI_VALUED = frozenset({"multiselectpicklist", "multiselectlookup", "multiuserlookup", "subform", "tag"})
NUMERIC = frozenset({"integer", "bigint"})
TEXTUAL = frozenset({"text", "textarea", "email", "phone", "website", "picklist"})

# The two patterns below are Zoho's, as published; \p classes are matched on the text's shape (see `_shape`).
# https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html (section "Sample Attributes")
EMAIL_SHAPE = re.compile(
    r"[+\-a0_][a0!#$%&'*+\-/=?^_`{|}~.]*@(?=.{4,256}\Z)(?:[a0]+(?:[\-_]+[a0]+)*\.)+a{2,22}", re.ASCII
)
PHONE = re.compile(
    r"([+]?)(?![.-])(?>(?>[.-]?[ ]?[\da-zA-Z]+)+|([ ]?((?![.-])(?>[ .-]?[\da-zA-Z]+)+)(?![.])([ -]?[\da-zA-Z]+)?)+)+"
    r"(?>(?>([,]+)?[;]?[\da-zA-Z]+)+(([#][\da-zA-Z]+)+)?)?[#;]?",
    re.ASCII,
)
LONGEST_PHONE = 30


@dataclass(frozen=True)
class FieldMeta:
    """One field. ``length`` is in characters (digits for integers), None when the metadata names none."""

    api_name: str
    label: str
    data_type: str
    length: int | None = None
    mandatory: bool = False
    writable: bool = True
    custom: bool = False
    unique: bool = False
    allowed: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> "FieldMeta":
        """From an element of ``fields``; what is absent there takes the permissive value."""
        length, name = row.get("length"), str(row.get("api_name") or "")
        options = row.get("pick_list_values")
        operations = row.get("operation_type")
        created = operations.get("api_create") if isinstance(operations, dict) else None
        return cls(
            api_name=name,
            label=str(row.get("display_label") or row.get("field_label") or name),
            data_type=str(row.get("data_type") or "text"),
            length=length if isinstance(length, int) and not isinstance(length, bool) and length > 0 else None,
            mandatory=row.get("system_mandatory") is True,
            writable=row.get("field_read_only") is not True and created is not False,
            custom=row.get("custom_field") is True,
            unique=bool(row.get("unique")) or bool(row.get("external")),
            allowed=tuple(str(o.get("actual_value")) for o in options if isinstance(o, dict))
            if isinstance(options, list)
            else (),
            raw=dict(row),
        )


@dataclass(frozen=True)
class Warned:
    """A value that was left out or changed, and why, in one sentence with its remedy."""

    field: str
    code: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True)
class Checked:
    """``payload`` is what may be sent; ``refusals`` are reasons not to send it at all."""

    payload: dict[str, Any]
    warnings: tuple[Warned, ...] = ()
    refusals: tuple[RecordInvalid, ...] = ()


class FieldCatalogue:
    """The fields of one module of one organisation."""

    def __init__(self, module: str, fields: Iterable[FieldMeta]) -> None:
        self.module = module
        self._fields = {meta.api_name: meta for meta in fields if meta.api_name}

    @classmethod
    def parse(cls, module: str, rows: Sequence[Mapping[str, Any]]) -> "FieldCatalogue":
        """From the ``fields`` list of the metadata answer."""
        return cls(module, (FieldMeta.parse(row) for row in rows))

    def __contains__(self, api_name: object) -> bool:
        return api_name in self._fields

    def __len__(self) -> int:
        return len(self._fields)

    def find(self, api_name: str) -> FieldMeta | None:
        return self._fields.get(api_name)

    def find_labelled(self, label: str) -> FieldMeta | None:
        """By what people see, because Zoho derives the API name of a new field itself and does not tell it."""
        return next((meta for meta in self._fields.values() if meta.label.lower() == label.lower()), None)

    def mandatory(self) -> tuple[str, ...]:
        return tuple(meta.api_name for meta in self._fields.values() if meta.mandatory and meta.writable)

    def check(self, payload: Mapping[str, Any], *, creating: bool = True) -> Checked:
        """What of the payload Zoho would take. Nothing is shortened: an optional value that does not fit is left out
        with a warning, a mandatory one refuses the record. When not ``creating``, absent mandatory fields are fine."""
        clean: dict[str, Any] = {}
        faults: list[Warned] = []
        for name, value in payload.items():
            fault = self._fault(name, value)
            if fault is None:
                clean[name] = value
            else:
                faults.append(fault)
        refused = [fault for fault in faults if self._is_mandatory(fault.field)]
        faulty = {fault.field for fault in refused}
        if creating:
            refused += [self._missing(n) for n in self.mandatory() if n not in faulty and n not in payload]
        return Checked(
            payload=clean,
            warnings=tuple(fault for fault in faults if fault.field not in faulty),
            refusals=tuple(RecordInvalid(f.message, hint=f.hint, code=f.code, field=f.field) for f in refused),
        )

    def _is_mandatory(self, name: str) -> bool:
        meta = self._fields.get(name)
        return meta is not None and meta.mandatory

    def _missing(self, name: str) -> Warned:
        label = self._fields[name].label
        return Warned(name, "mandatory_missing", f"{label} is missing, and Zoho insists on it.", f"Fill in {label}.")

    def _fault(self, name: str, value: Any) -> Warned | None:
        if name in ALWAYS_ALLOWED or name.startswith("$"):
            return None
        meta = self._fields.get(name)
        if meta is None:
            # Zoho ignores unknown names and reports success, so the value would be lost without a word.
            return Warned(
                name,
                "unknown_field",
                f"The field {name} does not exist in {self.module} of this Zoho organisation, so it was not sent.",
                f"Create {name} in Zoho, or take it out of the mapping.",
            )
        if not meta.writable:
            return Warned(name, "read_only_field", f"{meta.label} is read-only in Zoho, so it was not sent.", "")
        if value is None or value == "":
            return self._missing(name) if meta.mandatory else None
        return _fault_of_value(meta, value)


def _fault_of_value(meta: FieldMeta, value: Any) -> Warned | None:
    if meta.data_type in TEXTUAL:
        return _fault_of_text(meta, value)
    if meta.data_type == "boolean" and not isinstance(value, bool):
        return _invalid(meta, "yes or no")
    if meta.data_type == "lookup" and not (isinstance(value, dict) and value.get("id")):
        # By name Zoho would make up a new record, or take an array for a name; only an id links.
        return _invalid(meta, "link to a record by its id")
    if meta.data_type in NUMERIC:
        return _fault_of_number(meta, value)
    return None


def _fault_of_text(meta: FieldMeta, value: Any) -> Warned | None:
    if not isinstance(value, str):
        return _invalid(meta, "text")
    length = utf16_length(value)
    if meta.length is not None and length > meta.length:
        return Warned(
            meta.api_name,
            "too_long",
            f"{meta.label} has {length} characters; Zoho allows {meta.length}.",
            f"Shorten {meta.label}, or make the field longer in Zoho.",
        )
    if meta.data_type == "email" and not is_email(value):
        return _invalid(meta, "e-mail address")
    if meta.data_type == "phone" and not is_phone(value):
        return _invalid(meta, "phone number")
    return None


def _fault_of_number(meta: FieldMeta, value: Any) -> Warned | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return _invalid(meta, "whole number")
    digits = str(value).removeprefix("-")
    if not digits.isdecimal() or (meta.length is not None and len(digits) > meta.length):
        return _invalid(meta, f"whole number of at most {meta.length} digits" if meta.length else "whole number")
    return None


def _invalid(meta: FieldMeta, expected: str) -> Warned:
    return Warned(
        meta.api_name,
        "invalid_value",
        f"{meta.label} is not a valid {expected} for Zoho.",
        f"Correct {meta.label}; then it is sent again by itself.",
    )


def utf16_length(text: str) -> int:
    """Characters as Java counts them, which is never fewer than Python does: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_email(text: str) -> bool:
    return EMAIL_SHAPE.fullmatch(_shape(text)) is not None


def is_phone(text: str) -> bool:
    # Length first: the pattern is Zoho's and backtracks.
    return len(text) <= LONGEST_PHONE and PHONE.fullmatch(text) is not None


def _shape(text: str) -> str:
    """Every letter or mark as ``a``, every number as ``0``: Python's patterns do not know \\p{L}, \\p{M} and \\p{N}."""
    kinds = {"L": "a", "M": "a", "N": "0"}
    return "".join(kinds.get(unicodedata.category(sign)[0], sign) for sign in text)
