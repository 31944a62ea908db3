"""What the shop said of an order when its document was made, and what it says differently now. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zohosync.store.orders import OrderLine, ShopAddress, ShopOrder

WORDS: Mapping[str, str] = {
    "total": "total",
    "subtotal": "subtotal",
    "discount": "discount",
    "shipping": "shipping",
    "cod_fee": "fee for cash on delivery",
    "currency": "currency",
    "user_id": "customer",
    "gstin": "GSTIN",
    "ship_to": "delivery address",
    "bill_to": "billing address",
    "lines": "lines",
}
"""What a document is made of, by the words people use. Statuses, notes and telephone numbers are not."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not what it was; both as text, for people."""

    field: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{WORDS.get(self.field, self.field)}: {self.then or 'nothing'} → {self.now or 'nothing'}"


def snapshot_of(order: ShopOrder) -> dict[str, Any]:
    """Plain JSON, amounts as text without trailing zeros, so that the same order gives the same snapshot."""
    return {
        "total": _amount(order.total),
        "subtotal": _amount(order.subtotal),
        "discount": _amount(order.discount),
        "shipping": _amount(order.shipping),
        "cod_fee": _amount(order.cod_fee),
        "currency": order.currency or "",
        "user_id": order.user_id or "",
        "gstin": order.gstin or "",
        "ship_to": _address(order.ship_to),
        "bill_to": _address(order.bill_to),
        "lines": {line.line_id: _line(line) for line in order.lines},
    }


def find_changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between two snapshots, lines one by one."""
    return tuple(_changes(then, now))


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name in WORDS:
        if name == "lines":
            before, after = then.get("lines") or {}, now.get("lines") or {}
            for line_id in dict.fromkeys([*before, *after]):
                if before.get(line_id) != after.get(line_id):
                    yield Change("lines", before.get(line_id, ""), after.get(line_id, ""))
        elif name in then and (then[name] or "") != (now.get(name) or ""):  # what was forgotten is no change
            yield Change(name, str(then.get(name) or ""), str(now.get(name) or ""))


def _amount(value: Decimal | None) -> str:
    return "" if value is None or not value else f"{value.normalize():f}"


def _address(address: ShopAddress) -> str:
    """Only what a tax document says of it: where the goods go, and to whom."""
    parts = (
        address.name,
        address.line1,
        address.line2,
        address.city,
        address.state,
        address.postal_code,
        address.country,
    )
    return ", ".join(part.strip() for part in parts if part and part.strip())


def _line(line: OrderLine) -> str:
    return (
        f"{_amount(line.quantity) or '0'} x {line.sku or line.variant_id or '?'} at {_amount(line.unit_price) or '0'}"
    )
