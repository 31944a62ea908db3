"""Records of Zoho Books. Ids are strings, amounts Decimal, dates ``date``; unknown fields are kept in ``fields``.

Numbers and booleans come as "" when they are blank, and as text or number in one field: all shapes are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class UniqueKey:
    """The no-duplicates custom field of a module and its value: a document is made at most once for it.

    https://www.zoho.com/books/api/v3/invoices/#update-an-invoice-using-a-custom-fields-unique-value
    """

    api_name: str
    value: str


@dataclass(frozen=True)
class Contact:
    """A customer or vendor. ``name`` is the display name, unique in the organisation; ``type`` customer or vendor;
    ``gst_no``, ``gst_treatment`` and ``place_of_contact`` are empty where Books does not tell them, as lists may."""

    id: str
    name: str
    company: str
    type: str
    active: bool
    email: str
    phone: str
    gst_no: str
    gst_treatment: str
    place_of_contact: str
    currency: str
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Item:
    """``tax_ids`` maps intra and inter to the tax of its preferences; ``stock`` is None unless it is tracked."""

    id: str
    name: str
    sku: str
    active: bool
    type: str
    rate: Decimal
    unit: str
    hsn: str
    taxable: bool
    exemption_id: str
    tax_ids: Mapping[str, str]
    stock: Decimal | None
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Account:
    """An account of the chart: ``type`` as Books has it (income, stock, cost_of_goods_sold, cash, bank …)."""

    id: str
    name: str
    type: str
    active: bool
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class TaxExemption:
    """``type`` is customer or item."""

    id: str
    code: str
    type: str
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Location:
    """A place of business with a registration of its own, or a branch of one; ``state_code`` is Zoho's two letters."""

    id: str
    name: str
    active: bool
    primary: bool
    gst_no: str
    state_code: str
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Currency:
    """``base`` is the currency the organisation keeps its books in."""

    id: str
    code: str
    base: bool
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class DocumentLine:
    """``total`` is Books' item_total, whose meaning depends on the document's basis: never added up by us.

    ``taxes`` are the components Books split the line's tax into: name to amount."""

    id: str
    item_id: str
    name: str
    hsn: str
    quantity: Decimal
    rate: Decimal
    discount: Decimal
    tax_id: str
    tax_percentage: Decimal
    total: Decimal
    taxes: Mapping[str, Decimal]
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class DocumentTax:
    """One entry of ``taxes[]``: CGST9 (9%). ``kind`` is cgst, sgst, igst or other, told from id and name as far as the
    organisation's own tax list knows it."""

    name: str
    amount: Decimal
    tax_id: str


@dataclass(frozen=True)
class Document:
    """An invoice, estimate or credit note. ``lines`` is empty in rows of a list. ``modified_at`` is as Books writes it;
    ``custom`` maps API names of custom fields to their values."""

    id: str
    number: str
    reference: str
    status: str
    customer_id: str
    date: date | None
    total: Decimal
    sub_total: Decimal
    tax_total: Decimal
    balance: Decimal
    adjustment: Decimal
    round_off: Decimal
    place_of_supply: str
    gst_treatment: str
    gst_no: str
    inclusive: bool
    tax_rounding: str
    lines: tuple[DocumentLine, ...]
    taxes: tuple[DocumentTax, ...]
    modified_at: str
    custom: Mapping[str, str]
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Applied:
    """Money applied to one invoice."""

    invoice_id: str
    amount: Decimal


@dataclass(frozen=True)
class Payment:
    """A customer payment; ``unused`` is what is applied to nothing."""

    id: str
    number: str
    reference: str
    customer_id: str
    date: date | None
    amount: Decimal
    unused: Decimal
    mode: str
    account_id: str
    applied: tuple[Applied, ...]
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Refund:
    """Money paid back of a credit note or a payment."""

    id: str
    date: date | None
    amount: Decimal
    reference: str
    account_id: str
    fields: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Adjustment:
    """An inventory adjustment; ``lines`` maps item id to signed quantity."""

    id: str
    reference: str
    date: date | None
    reason: str
    status: str
    lines: Mapping[str, Decimal]
    fields: Fields = field(default_factory=dict, repr=False)
