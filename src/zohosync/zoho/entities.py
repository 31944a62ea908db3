"""What CRM answers with. Ids are strings; fields we do not know are kept in ``fields``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zohosync.zoho.protocol import Json, ZohoId


@dataclass(frozen=True)
class Record:
    """``fields`` holds everything, the id included."""

    id: ZohoId
    fields: Mapping[str, Any]

    @classmethod
    def parse(cls, row: Json) -> "Record":
        return cls(ZohoId(_text(row, "id")), dict(row))

    def get(self, api_name: str) -> Any:
        return self.fields.get(api_name)

    def text(self, api_name: str) -> str:
        """The value as text; empty when there is none."""
        return _text(self.fields, api_name)


@dataclass(frozen=True)
class Rows:
    """One page of a query; ``more`` says whether another one follows."""

    records: tuple[Record, ...]
    more: bool


@dataclass(frozen=True)
class Note:
    id: ZohoId
    title: str
    content: str
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: Json) -> "Note":
        return cls(ZohoId(_text(row, "id")), _text(row, "Note_Title"), _text(row, "Note_Content"), dict(row))


@dataclass(frozen=True)
class Module:
    """``api_supported`` is False for modules the edition or the profile hides."""

    id: str
    api_name: str
    label: str
    api_supported: bool
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: Json) -> "Module":
        name = _text(row, "api_name")
        label = _text(row, "plural_label") or _text(row, "module_name") or name
        return cls(_text(row, "id"), name, label, row.get("api_supported") is not False, dict(row))


@dataclass(frozen=True)
class Organisation:
    """``id`` is the organisation's id in CRM, ``zgid`` the one of all Zoho; ``edition`` as Zoho words it (enterprise);
    ``production`` is False for sandboxes and developer organisations."""

    id: str
    zgid: str
    name: str
    time_zone: str
    currency: str
    edition: str
    production: bool
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: Json) -> "Organisation":
        licence = row.get("license_details")
        return cls(
            id=_text(row, "id"),
            zgid=_text(row, "zgid"),
            name=_text(row, "company_name"),
            time_zone=_text(row, "time_zone"),
            currency=_text(row, "iso_code"),
            edition=_text(licence, "paid_type") if isinstance(licence, dict) else "",
            production=_text(row, "type") in ("", "production"),
            fields=dict(row),
        )


@dataclass(frozen=True)
class CurrentUser:
    id: str
    email: str
    name: str
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: Json) -> "CurrentUser":
        return cls(_text(row, "id"), _text(row, "email"), _text(row, "full_name"), dict(row))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
