"""The demo shop charges what an accountant would: by rate, by line, by state."""

from decimal import Decimal
from uuid import UUID

import pytest

from zohosync.demo.prices import FLAT_RATE, PricedLine, charge, rate_of


def line(price: str, quantity: int = 1, rate: str = "5") -> PricedLine:
    return PricedLine(UUID(int=0), "BF-1", quantity, Decimal(price), Decimal(rate))


@pytest.mark.parametrize(
    ("state", "tax"),
    [("Telangana", "22.50"), ("telangana ", "22.50"), ("Karnataka", "22.50"), ("", "22.50")],
)
def test_tax_is_the_same_wherever_it_goes_but_for_rounding(state: str, tax: str) -> None:
    assert charge([line("450.00")], state, shipped=False).tax_amount == Decimal(tax)


@pytest.mark.parametrize(("state", "tax"), [("Telangana", "0.52"), ("Karnataka", "0.51")])
def test_each_half_is_rounded_on_its_own_within_the_state(state: str, tax: str) -> None:
    assert charge([line("10.20")], state, shipped=False).tax_amount == Decimal(tax)


def test_each_line_is_taxed_at_its_own_rate() -> None:
    amounts = charge(
        [line("320.00", 2), line("980.00", rate="18"), line("690.00", rate="0")], "Karnataka", shipped=True
    )
    assert (amounts.subtotal, amounts.tax_amount, amounts.shipping_amount, amounts.total_amount) == (
        Decimal("2310.00"),
        Decimal("208.40"),
        Decimal("0.00"),
        Decimal("2518.40"),
    )


def test_a_small_order_pays_shipping_with_tax_at_its_highest_rate() -> None:
    amounts = charge([line("100.00"), line("100.00", rate="18")], "Karnataka", shipped=True)
    assert (amounts.shipping_amount, amounts.tax_amount) == (Decimal("60.00"), Decimal("33.80"))


@pytest.mark.parametrize(
    ("rate", "category", "charged"),
    [
        (Decimal(5), "taxable", Decimal(5)),
        (Decimal(5), None, Decimal(5)),
        (Decimal(0), "exempt", Decimal(0)),
        (None, "exempt", Decimal(0)),
        (None, None, FLAT_RATE),
        (None, "taxable", FLAT_RATE),
    ],
)
def test_what_nobody_classified_is_charged_flat(rate: Decimal | None, category: str | None, charged: Decimal) -> None:
    assert rate_of(rate, category) == charged
