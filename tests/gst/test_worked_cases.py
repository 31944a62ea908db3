"""The worked cases, each by its id. What they were reckoned with is told in docs/explanation/gst.md."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from zohosync.gst.assess import assess
from zohosync.gst.sale import (
    Assessment,
    Buyer,
    ChargePolicy,
    Held,
    Place,
    PriceBasis,
    Rules,
    Sale,
    SaleLine,
    TaxCategory,
    TaxedLine,
    Totals,
)

OURS = Path(__file__).with_name("cases.json")
SHARED = Path(__file__).parents[3] / "shared" / "data" / "gst-cases.json"
CASES: list[dict[str, Any]] = json.loads(OURS.read_text(encoding="utf-8"))["cases"]
ZERO_RATED = {"zero_rated": TaxCategory.ZERO_RATED_NA}
ORDINARY_DATE = "2026-02-10"


def sale_of(case: dict[str, Any]) -> Sale:
    given = case["input"]
    return Sale(
        lines=tuple(
            SaleLine(
                key=str(number),
                sku=line["sku"],
                quantity=Decimal(line["qty"]),
                unit_price=Decimal(line["unit_price"]),
                discount=Decimal(line["line_discount"]),
                hsn=line["hsn"],
                rate=None if line["gst_rate"] is None else Decimal(line["gst_rate"]),
                category=TaxCategory(line["tax_category"]),
            )
            for number, line in enumerate(given["lines"])
        ),
        buyer=Buyer(gstin=given["buyer_gst_no"], special="sez" if given.get("buyer_is_sez") else ""),
        ship_to=Place(given["ship_to_state"], given.get("ship_to_pin"), given["ship_to_country"]),
        bill_to=Place(given["billing_state"], None, given["ship_to_country"]),
        on=date.fromisoformat(given.get("dispatch_date", ORDINARY_DATE)),
        price_basis=PriceBasis.INCLUSIVE if given["prices_include_tax"] else PriceBasis.EXCLUSIVE,
        order_discount=Decimal(given["order_discount"]),
        shipping=Decimal(given["shipping"]),
        cod_fee=Decimal(given["cod_fee"]),
        counter=given.get("fulfilment") == "pickup",
    )


def rules_of(case: dict[str, Any]) -> Rules:
    given = case["input"]
    policy = ChargePolicy.APPORTION if given.get("shipping_policy") == "apportion_by_value" else None
    return Rules(given["seller_state"], charge_policy=policy, lut=given.get("seller_has_lut"))


def told_of_line(line: TaxedLine) -> dict[str, Any]:
    category = "zero_rated" if line.category is TaxCategory.ZERO_RATED_NA else line.category.value
    return {
        "tax_category": category,
        "rate": f"{line.rate:f}",
        "taxable_or_exempt_value": f"{line.value:f}",
        "cgst": f"{line.cgst:f}",
        "sgst": f"{line.sgst:f}",
        "igst": f"{line.igst:f}",
        "line_total": f"{line.total:f}",
    }


def told_of_totals(totals: Totals) -> dict[str, str]:
    return {
        "taxable_value": f"{totals.taxable_value:f}",
        "cgst": f"{totals.cgst:f}",
        "sgst_or_utgst": f"{totals.sgst:f}",
        "igst": f"{totals.igst:f}",
        "total": f"{totals.total:f}",
    }


def told(found: Assessment) -> dict[str, Any]:
    """An assessment as the cases write it."""
    goods = [
        {
            "sku": line.sku,
            "gross": f"{line.gross:f}",
            "order_discount_share": f"{line.discount_share:f}",
            "net": f"{line.net:f}",
            **told_of_line(line),
        }
        for line in found.lines
    ]
    charges = [{"charge": line.key, "amount": f"{line.net:f}", **told_of_line(line)} for line in found.charges]
    totals = found.totals
    return {
        "outcome": "invoice",
        "place_of_supply": found.place_of_supply or None,
        "place_of_supply_gst_code": found.place_of_supply_gst_code,
        "supply_type": found.supply_type.value,
        "lines": goods,
        "charges": charges,
        **told_of_totals(totals),
        "zero_rated_value": f"{found.zero_rated_value:f}",
        "exempt_value": f"{found.exempt_value:f}",
        "nil_value": f"{found.nil_value:f}",
        "exempt_or_nil_value": f"{found.exempt_value + found.nil_value:f}",
        "total_tax": f"{totals.cgst + totals.sgst + totals.igst:f}",
        "second_leg": found.second_leg or None,
        "entity_level_rounding": told_of_totals(found.entity_level),
        "document_type": found.document_type,
        "zoho_gst_treatment": found.gst_treatment,
    }


def expected_of(case: dict[str, Any]) -> dict[str, Any]:
    """Less what is not the tax of a sale: rounding to whole rupees, and what wrong ways would give. C24 is written as
    the sale that the credit note takes back."""
    left_out = {"whole_rupee_option", "taxable_first_total", "wrong_unit_backout_total"}
    expected = {name: value for name, value in case["expected"].items() if name not in left_out}
    expected["zoho_gst_treatment"] = expected["zoho_gst_treatment"].removesuffix(" (UNCERTAIN literal)")
    if expected["document_type"] == "credit_note":
        expected["document_type"] = "tax_invoice"
    return expected


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_worked_case_comes_out_as_it_was_worked(case: dict[str, Any]) -> None:
    found = assess(sale_of(case), rules_of(case))
    if case["expected"]["outcome"] == "needs_attention":
        assert isinstance(found, Held)
        assert {problem.name for problem in found.problems} == set(case["expected"]["reasons"])
    else:
        assert isinstance(found, Assessment)
        assert told(found) == expected_of(case)


@pytest.mark.skipif(not SHARED.exists(), reason="the worked cases do not lie beside the project")
def test_our_copy_of_the_worked_cases_is_whole() -> None:
    theirs = json.loads(SHARED.read_text(encoding="utf-8"))["cases"]
    assert [{name: case[name] for name in ("id", "title", "input", "expected")} for case in theirs] == CASES
