"""The policies as people read and choose them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from zohosync.sync.books.policies import Policies

Choosable: TypeAlias = Literal[
    "income", "cost_of_goods_sold", "stock", "money", "exemption", "location", "template", ""
]
"""Which list of the organisation an id is chosen from."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Prices and tax": (
        "price_basis",
        "shipping_tax",
        "lut",
        "b2b_without_gstin",
        "more_rates",
        "default_gst_rate",
        "default_tax_category",
        "default_hsn",
        "exemption_id",
        "round_off_tolerance",
    ),
    "Invoices": (
        "invoice_when",
        "cod_invoice_when",
        "invoice_number",
        "invoice_template_id",
        "mail_invoice",
        "location_id",
    ),
    "Money": ("deposit_accounts", "payment_modes", "refund_account_id", "goods_returned"),
    "Items": ("item_type", "sales_account_id", "purchase_account_id", "inventory_account_id"),
    "No second document": ("unique_reference_field",),
}
"""In the order people decide them."""

CHOSEN_FROM: Mapping[str, Choosable] = {
    "sales_account_id": "income",
    "purchase_account_id": "cost_of_goods_sold",
    "inventory_account_id": "stock",
    "refund_account_id": "money",
    "exemption_id": "exemption",
    "location_id": "location",
    "invoice_template_id": "template",
}
TITLES: Mapping[str, str] = {
    "shipping_tax": "Tax of shipping",
    "lut": "Letter of undertaking (LUT)",
    "b2b_without_gstin": "B2B without GSTIN",
    "more_rates": "Further GST rates",
    "default_gst_rate": "Default GST rate",
    "default_hsn": "Default HSN code",
    "exemption_id": "Tax exemption",
    "invoice_when": "When to invoice",
    "cod_invoice_when": "When to invoice COD",
    "invoice_template_id": "Invoice template",
    "location_id": "Location",
    "refund_account_id": "Refund account",
    "sales_account_id": "Sales account",
    "purchase_account_id": "Purchase account",
    "inventory_account_id": "Inventory account",
}

KINDS: Mapping[str, str] = {
    "more_rates": "percent, several separated by commas",
    "default_gst_rate": "percent",
    "default_hsn": "4, 6 or 8 digits",
    "round_off_tolerance": "rupees, 0 to 1",
    "unique_reference_field": "API name of a custom field",
}


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One policy. ``value`` and ``default`` are as a person types them, empty for "not set"; ``decided`` says whether
    somebody decided it; ``choices`` are all values it may have, none when it is free."""

    name: str
    title: str
    group: str
    value: str
    default: str
    decided: bool
    meaning: str
    choices: tuple[str, ...]
    chosen_from: Choosable


def list_policies(policies: Policies, decided: Mapping[str, Any]) -> tuple[PolicyLine, ...]:
    """All of them, in the order of ``GROUPS``; what no group names comes last."""
    return tuple(_lines(policies, decided))


def _lines(policies: Policies, decided: Mapping[str, Any]) -> Iterator[PolicyLine]:
    grouped = [(group, name) for group, names in GROUPS.items() for name in names]
    named = {name for _, name in grouped}
    for group, name in [*grouped, *(("Other", name) for name in Policies.model_fields if name not in named)]:
        field = Policies.model_fields[name]
        default = field.get_default(call_default_factory=True)
        yield PolicyLine(
            name=name,
            title=TITLES.get(name) or name.replace("_", " ").capitalize(),
            group=group,
            value=as_typed(getattr(policies, name)),
            default=as_typed(None if default is PydanticUndefined else default),
            decided=name in decided,
            meaning=field.description or "",
            choices=_choices(field.annotation),
            chosen_from=CHOSEN_FROM.get(name, ""),
        )


def as_typed(value: Any) -> str:
    """A policy's value as somebody would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Enum():
            return str(value.value)
        case Decimal():
            return f"{value:f}"
        case tuple():
            return ",".join(as_typed(one) for one in value)
        case Mapping():
            return ",".join(f"{name}={one}" for name, one in sorted(value.items()))
        case _:
            return str(value)


def _choices(annotation: Any) -> tuple[str, ...]:
    """What a type allows; the emptiness of an optional one is not a choice but clearing it."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return tuple(choice for part in get_args(annotation) for choice in _choices(part))
    if origin is Literal:
        return tuple(map(str, get_args(annotation)))
    if annotation is bool:
        return ("yes", "no")
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(member.value) for member in annotation)
    return ()


def describe_allowed(line: PolicyLine) -> str:
    """What it may be, in a few words."""
    if line.choices:
        return ", ".join(line.choices)
    if line.name in ("deposit_accounts", "payment_modes"):
        return "method=value, several separated by commas"
    if line.chosen_from:
        return "id of Books"
    return KINDS.get(line.name, "text")
