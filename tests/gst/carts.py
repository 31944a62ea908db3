"""Sales as short as they can be written: what is not said is ordinary."""

from datetime import date
from decimal import Decimal
from typing import Any

from zohosync.gst.assess import assess
from zohosync.gst.sale import Assessment, Buyer, Held, Place, PriceBasis, Rules, Sale, SaleLine, TaxCategory

D = Decimal
KARNATAKA_FIRM = "29AAGCB7383J1Z4"
TAMIL_FIRM = "33AAGCB7383J1ZF"
LADAKH_FIRM = "38AAGCB7383J1Z5"
FIRM = Buyer(gstin=KARNATAKA_FIRM, is_business=True, is_b2b=True)
CASH = Buyer()


def line(quantity: Any, price: Any, rate: Any, discount: Any = 0, **more: Any) -> SaleLine:
    """``rate`` is a percentage, or "exempt" or "nil"."""
    untaxed = rate in ("exempt", "nil")
    fields: dict[str, Any] = {
        "key": "1",
        "sku": "SKU",
        "quantity": None if quantity is None else D(quantity),
        "unit_price": None if price is None else D(price),
        "discount": D(discount),
        "hsn": "31059090",
        "rate": None if rate is None else D(0) if untaxed else D(rate),
        "category": TaxCategory(rate) if untaxed else None if rate is None else TaxCategory.TAXABLE,
    }
    return SaleLine(**(fields | more))


def cart(*lines: SaleLine, to: Any = "TN", pin: str | None = None, country: str | None = "India", **more: Any) -> Sale:
    """A sale to a private customer in Tamil Nadu, prices without tax."""
    fields: dict[str, Any] = {
        "lines": lines,
        "buyer": CASH,
        "ship_to": Place(to, pin, country),
        "bill_to": None,
        "on": date(2026, 2, 10),
        "price_basis": PriceBasis.EXCLUSIVE,
    }
    money = {
        name: D(value) for name, value in more.items() if name in ("order_discount", "shipping", "cod_fee", "charged")
    }
    return Sale(**(fields | more | money))


def rules(seller: str = "TN", **more: Any) -> Rules:
    return Rules(seller, **more)


def assessed(sale: Sale, by: Rules | None = None) -> Assessment:
    found = assess(sale, by or rules())
    assert isinstance(found, Assessment), found
    return found


def held(sale: Sale, by: Rules | None = None) -> list[str]:
    """The names of the problems, the most telling first."""
    found = assess(sale, by or rules())
    assert isinstance(found, Held), found
    return [problem.name for problem in found.problems]
