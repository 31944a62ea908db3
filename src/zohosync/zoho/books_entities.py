"""What Books answers with. Ids are strings, percentages Decimal; fields we do not know are kept in ``fields``.

Numbers and booleans come as "" when they are blank, and as text or number in one field: all shapes are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

from zohosync.zoho.protocol import Json

TaxType: TypeAlias = Literal["tax", "tax_group", "compound"]
Specification: TypeAlias = Literal["intra", "inter", ""]


@dataclass(frozen=True)
class BooksOrganisation:
    """One organisation of Zoho Books. ``plan`` is as Zoho words it (FREE); ``state_code`` is Zoho's own, two letters
    (TS), and empty when not told; ``gst_registered`` says whether GST is switched on."""

    id: str
    name: str
    plan: str
    country: str
    state_code: str
    currency: str
    time_zone: str
    gst_registered: bool
    email: str
    is_default: bool
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: Json) -> "BooksOrganisation":
        """From a row of the list, or from one organisation read by itself: they put some fields elsewhere."""
        address, taxes = _inner(row, "address"), _inner(row, "tax_settings")
        return cls(
            id=_text(row, "organization_id"),
            name=_text(row, "name"),
            plan=_text(row, "plan_name"),
            country=_text(row, "country_code") or _text(address, "country_code") or _text(row, "country"),
            state_code=_text(row, "state_code") or _text(address, "state_code"),
            currency=_text(row, "currency_code"),
            time_zone=_text(row, "time_zone"),
            gst_registered=_yes(row, "is_registered_for_gst") or _yes(taxes, "is_tax_registered"),
            email=_text(row, "email"),
            is_default=_yes(row, "is_default_org"),
            fields=dict(row),
        )


@dataclass(frozen=True)
class Tax:
    """A rate, or a group of rates such as GST18 = CGST9 + SGST9. ``specification`` says whether for supplies within one
    state or between two; ``specific_type`` is igst, cgst, sgst, nil, cess or empty. Names are free text."""

    id: str
    name: str
    percentage: Decimal
    type: TaxType
    specification: Specification
    specific_type: str
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, row: Json) -> "Tax":
        told, side = _text(row, "tax_type").lower(), _text(row, "tax_specification").lower()
        return cls(
            id=_text(row, "tax_id"),
            name=_text(row, "tax_name"),
            percentage=_number(row, "tax_percentage"),
            type="tax_group" if told == "tax_group" else "compound" if told.startswith("compound") else "tax",
            specification="intra" if side == "intra" else "inter" if side == "inter" else "",
            specific_type=_text(row, "tax_specific_type").lower(),
            fields=dict(row),
        )


def _inner(row: Json, name: str) -> Json:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _text(row: Json, name: str) -> str:
    value = row.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _yes(row: Json, name: str) -> bool:
    return str(row.get(name)).lower() == "true"


def _number(row: Json, name: str) -> Decimal:
    """The number, zero when it is blank."""
    value = row.get(name)
    try:
        return Decimal(str(value)) if isinstance(value, str | int | float | Decimal) and value != "" else Decimal(0)
    except InvalidOperation:
        return Decimal(0)
