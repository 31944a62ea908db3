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
    "ship_to": "delivery address",
    "bill_to": "billing address",
    "lines": "lines",
}
"""What a document is made of and the order itself says, by the words people use.

Statuses, notes and telephone numbers are not in it; nor is what other records say and may say differently later: the
customer's profile and addresses, the SKU of a variant.
"""


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
                one, other = before.get(line_id) or {}, after.get(line_id) or {}
                if one.get("is") != other.get("is"):
                    yield Change("lines", one.get("says", ""), other.get("says", ""))
        elif name == "user_id" and not then.get(name):
            continue  # a guest who registered
        elif name in then and (then[name] or "") != (now.get(name) or ""):  # what was forgotten is no change
            yield Change(name, str(then.get(name) or ""), str(now.get(name) or ""))


def _amount(value: Decimal | None) -> str:
    return "" if value is None or not value else f"{value.normalize():f}"


def _address(address: ShopAddress) -> str:
    """Only what a tax document says of it: where the goods go, and to whom; nothing when it is not the order's own."""
    if address.source != "order":
        return ""
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


def _line(line: OrderLine) -> dict[str, str]:
    """``is`` tells one line from another, ``says`` is for people."""
    counted = f"{_amount(line.quantity) or '0'} x "
    price = f" at {_amount(line.unit_price) or '0'}"
    return {
        "is": f"{counted}{line.variant_id or line.sku or '?'}{price}",
        "says": f"{counted}{line.sku or line.variant_id or '?'}{price}",
    }
