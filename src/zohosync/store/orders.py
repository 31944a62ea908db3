"""Orders, approved quotes and variants of the shop, through the adapter's functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from zohosync.db.pool import Connection
from zohosync.store.shop import read_amount, read_shop


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line; amounts in rupees as the shop has them. ``sku`` is None when the variant is gone or has none; an
    administrator's override of the SKU is already applied. ``unit`` is of the variant, such as "5 l"."""

    line_id: str
    variant_id: str | None
    sku: str | None
    name: str | None
    quantity: Decimal | None
    unit_price: Decimal | None
    total_price: Decimal | None
    hsn_code: str | None
    gst_rate: Decimal | None
    tax_category: str | None


@dataclass(frozen=True, slots=True)
class ShopAddress:
    """An address as the shop wrote it, from any of its shapes; absent parts are None. ``source`` says where it was
    found: order, default_shipping, newest_shipping, billing, none."""

    name: str | None
    email: str | None
    phone: str | None
    line1: str | None
    line2: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    source: str


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """An order with its lines.

    ``paid``, ``dispatched``, ``cancelled`` and ``refunded`` are the adapter's reading of the shop's own statuses.
    ``paid_at``, ``dispatched_at`` and ``payment_reference`` are None where the shop does not keep them. ``digest``
    covers what the document is made of; tax data of the variants and overrides are only in the hold digest.
    ``returned`` is whether the goods of a refunded order came back, None when the shop does not say.
    ``overrides`` maps field to value: state, postal_code, country, gstin, name, price_basis, document_date,
    third_party, line_sku:<line id>, returned.
    """

    record_id: str
    order_number: str
    user_id: str | None
    quote_id: str | None
    placed_at: datetime | None
    paid_at: datetime | None
    dispatched_at: datetime | None
    status: str | None
    payment_status: str | None
    payment_method: str | None
    payment_reference: str | None
    currency: str | None
    subtotal: Decimal | None
    discount: Decimal | None
    tax: Decimal | None
    shipping: Decimal | None
    cod_fee: Decimal | None
    total: Decimal | None
    paid: bool
    dispatched: bool
    cancelled: bool
    refunded: bool
    refunded_amount: Decimal | None
    refunded_at: datetime | None
    returned: bool | None
    ship_to: ShopAddress
    bill_to: ShopAddress
    email: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    company: str | None
    gstin: str | None
    role: str | None
    lines: tuple[OrderLine, ...]
    zoho_books_id: str | None
    digest: str
    hold_digest: str
    before_golive: bool
    overrides: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The order as the shop has it, for comparing later: plain JSON, amounts as text."""

    @property
    def partly_refunded(self) -> bool:
        """The shop says that a part of the money went back, whether or not it says how much."""
        return self.source.get("partly_refunded") is True


@dataclass(frozen=True, slots=True)
class ShopApproval:
    """A B2B quote that was approved, in the form of an order: what an estimate is made of."""

    order: ShopOrder
    valid_until: datetime | None
    approved: bool


@dataclass(frozen=True, slots=True)
class ShopVariant:
    """One variant as an item. ``price`` and ``cost`` are rupees; ``product_name`` and ``packing`` make the item's name;
    ``only_variant``: its product has no other. ``stock`` is the shop's number now, None when it tracks none."""

    record_id: str
    product_id: str | None
    sku: str | None
    product_name: str | None
    packing: str | None
    description: str | None
    price: Decimal | None
    cost: Decimal | None
    hsn_code: str | None
    gst_rate: Decimal | None
    tax_category: str | None
    stock: Decimal | None
    active: bool
    only_variant: bool
    zoho_books_id: str | None
    digest: str


async def read_orders(connection: Connection, keys: Sequence[str]) -> dict[str, ShopOrder]:
    """The orders as they are now, with their lines and what people corrected, by id; ids that are gone are absent."""
    rows = await read_shop(connection, "select * from zohosync.shop_orders(%(keys)s::text[])", {"keys": list(keys)})
    return {row["record_id"]: _order(row) for row in rows}


async def read_approvals(connection: Connection, keys: Sequence[str]) -> dict[str, ShopApproval]:
    """The B2B quotes as they are now, by id, whether they are still approved or not."""
    rows = await read_shop(
        connection, "select * from zohosync.shop_approved_quotes(%(keys)s::text[])", {"keys": list(keys)}
    )
    return {row["record_id"]: ShopApproval(_order(row), row["valid_until"], row["approved"]) for row in rows}


async def read_variants(connection: Connection, keys: Sequence[str]) -> dict[str, ShopVariant]:
    """The variants as they are now, by id."""
    rows = await read_shop(connection, "select * from zohosync.shop_variants(%(keys)s::text[])", {"keys": list(keys)})
    return {row["record_id"]: ShopVariant(**row) for row in rows}


async def read_hold_digests(connection: Connection, entity: str, keys: Sequence[str]) -> dict[str, str]:
    """The digest of all that a document is judged by, by record; a record held with another one is tried again."""
    rows = await read_shop(
        connection,
        "select * from zohosync.shop_hold_digests(%(entity)s, %(keys)s::text[])",
        {"entity": entity, "keys": list(keys)},
    )
    return {row["record_id"]: row["digest"] for row in rows}


def _order(row: dict[str, Any]) -> ShopOrder:
    shaped = {part.name: row[part.name] for part in fields(ShopOrder)}
    return ShopOrder(
        **{
            **shaped,
            "ship_to": ShopAddress(**row["ship_to"]),
            "bill_to": ShopAddress(**row["bill_to"]),
            "lines": tuple(map(_line, row["lines"])),
        }
    )


def _line(line: dict[str, Any]) -> OrderLine:
    amounts = {name: read_amount(line[name]) for name in ("quantity", "unit_price", "total_price", "gst_rate")}
    return OrderLine(**{**line, **amounts})
