"""What Books answers with. Ids are strings, percentages Decimal; fields we do not know are kept in ``fields``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from zohosync.zoho.books_values import inner, number, text, yes
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
        address, taxes = inner(row, "address"), inner(row, "tax_settings")
        return cls(
            id=text(row, "organization_id"),
            name=text(row, "name"),
            plan=text(row, "plan_name"),
            country=text(row, "country_code") or text(address, "country_code") or text(row, "country"),
            state_code=text(row, "state_code") or text(address, "state_code"),
            currency=text(row, "currency_code"),
            time_zone=text(row, "time_zone"),
            gst_registered=yes(row, "is_registered_for_gst") or yes(taxes, "is_tax_registered"),
            email=text(row, "email"),
            is_default=yes(row, "is_default_org"),
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
        told, side = text(row, "tax_type").lower(), text(row, "tax_specification").lower()
        return cls(
            id=text(row, "tax_id"),
            name=text(row, "tax_name"),
            percentage=number(row, "tax_percentage"),
            type="tax_group" if told == "tax_group" else "compound" if told.startswith("compound") else "tax",
            specification="intra" if side == "intra" else "inter" if side == "inter" else "",
            specific_type=text(row, "tax_specific_type").lower(),
            fields=dict(row),
        )
