"""What Books made of a document against what was expected."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from zohosync.gst.assess import assess
from zohosync.gst.sale import Assessment, Buyer, Place, PriceBasis, Rules, Sale, SaleLine, TaxCategory
from zohosync.store.documents import DocumentLineSent
from zohosync.sync.books.compare import compare
from zohosync.sync.books.invoice_draft import DocumentDraft
from zohosync.sync.books.making import rounded
from zohosync.sync.books.tax_book import read_tax_book
from zohosync.zoho.books_entities import Tax
from zohosync.zoho.books_records import Document, DocumentLine, DocumentTax

ON = date(2026, 11, 22)
CAP = Decimal("1.00")


def tax(tax_id: str, name: str, rate: str, kind: str, side: str, specific: str) -> Tax:
    return Tax.parse(
        {
            "tax_id": tax_id,
            "tax_name": name,
            "tax_percentage": rate,
            "tax_type": kind,
            "tax_specification": side,
            "tax_specific_type": specific,
        }
    )


TAXES = read_tax_book(
    [
        tax("11", "CGST2.5", "2.5", "tax", "intra", "cgst"),
        tax("12", "SGST2.5", "2.5", "tax", "intra", "sgst"),
        tax("10", "GST5", "5", "tax_group", "intra", ""),
        tax("20", "IGST5", "5", "tax", "inter", "igst"),
    ]
)


def assessed(ship_to: str = "Telangana", price: str = "450.00") -> Assessment:
    sale = Sale(
        lines=(
            SaleLine("l1", "BF-1", Decimal(2), Decimal(price), Decimal(0), "31059090", Decimal(5), TaxCategory.TAXABLE),
        ),
        buyer=Buyer(),
        ship_to=Place(ship_to, None, "India"),
        bill_to=None,
        on=ON,
        price_basis=PriceBasis.EXCLUSIVE,
    )
    result = assess(sale, Rules("TS"))
    assert isinstance(result, Assessment)
    return result


def draft(assessment: Assessment) -> DocumentDraft:
    (line,) = assessment.lines
    sent = DocumentLineSent(
        key="l1",
        sku="BF-1",
        item_id="900",
        name="Goods",
        hsn="31059090",
        quantity=Decimal(2),
        rate=line.unit_price,
        discount=Decimal(0),
        tax_id="10" if assessment.totals.cgst else "20",
        gst_rate=Decimal(5),
        category="taxable",
        value=line.value,
        cgst=line.cgst,
        sgst=line.sgst,
        igst=line.igst,
        total=line.total,
    )
    return DocumentDraft(
        payload={"customer_id": "1", "line_items": []},
        lines=(sent,),
        reference="ORD-1",
        on=ON,
        customer_id="1",
        assessment=assessment,
        total=assessment.totals.total,
        round_off=Decimal(0),
    )


def document(**changed: object) -> Document:
    line = DocumentLine(
        id="77",
        item_id="900",
        name="Goods",
        hsn="31059090",
        quantity=Decimal(2),
        rate=Decimal("450.00"),
        discount=Decimal(0),
        tax_id="10",
        tax_percentage=Decimal(5),
        total=Decimal(900),
        taxes={},
    )
    plain = Document(
        id="5",
        number="INV-1",
        reference="ORD-1",
        status="draft",
        customer_id="1",
        date=ON,
        total=Decimal("945.00"),
        sub_total=Decimal(900),
        tax_total=Decimal(45),
        balance=Decimal(945),
        adjustment=Decimal(0),
        round_off=Decimal(0),
        place_of_supply="TS",
        gst_treatment="consumer",
        gst_no="",
        inclusive=False,
        tax_rounding="item_level",
        lines=(line,),
        taxes=(
            DocumentTax("CGST2.5 (2.5%)", Decimal("22.50"), ""),
            DocumentTax("SGST2.5 (2.5%)", Decimal("22.50"), ""),
        ),
        modified_at="",
        custom={},
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


def test_what_was_sent_and_came_back_is_exact_and_its_lines_have_ids() -> None:
    result = compare(draft(assessed()), document(), TAXES, most_round_off=CAP)
    assert result.exact
    assert result.lines[0].line_item_id == "77"
    assert (result.legs.cgst, result.legs.sgst, result.legs.igst) == (Decimal("22.50"), Decimal("22.50"), Decimal(0))


def test_a_paisa_of_another_rounding_is_rounded_off_and_keeps_its_lines() -> None:
    expected = draft(assessed())
    got = document(total=Decimal("945.01"))
    result = compare(expected, got, TAXES, most_round_off=CAP)
    assert (result.exact, result.roundable, result.variance) == (False, True, Decimal("0.01"))
    update = rounded(expected, got, result)
    assert update["adjustment"] == Decimal("-0.01")
    assert update["line_items"][0]["line_item_id"] == "77"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"total": Decimal("950.00")}, "Its total is 950.00, 945.00 was charged."),
        ({"place_of_supply": "KA"}, "Its place of supply is KA, TS was sent."),
        ({"place_of_supply": ""}, "Its place of supply is empty, TS was sent."),
        ({"customer_id": "2"}, "Its customer is 2, 1 was sent."),
        ({"inclusive": True}, "Its prices are taken as inclusive of tax."),
        ({"lines": ()}, "It has 0 lines, 1 were sent."),
        ({"taxes": (DocumentTax("IGST5 (5%)", Decimal(45), ""),)}, "Its IGST is 45.00, 0.00 was expected."),
        ({"taxes": ()}, "Its CGST is 0.00, 22.50 was expected."),
        (
            {
                "taxes": (
                    DocumentTax("CGST2.5 (2.5%)", Decimal("22.50"), ""),
                    DocumentTax("SGST2.5 (2.5%)", Decimal("22.50"), ""),
                    DocumentTax("Mandi cess", Decimal(9), ""),
                )
            },
            "Its other tax is 9.00, 0.00 was expected.",
        ),
    ],
)
def test_whatever_differs_is_said(changed: dict[str, object], said: str) -> None:
    result = compare(draft(assessed()), document(**changed), TAXES, most_round_off=CAP)
    assert said in result.differences
    assert not result.roundable


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"item_id": "901"}, "Line 1 (BF-1): item is 901, 900 was sent."),
        ({"quantity": Decimal(3)}, "Line 1 (BF-1): quantity is 3, 2 was sent."),
        ({"rate": Decimal("449.99")}, "Line 1 (BF-1): rate is 449.99, 450.00 was sent."),
        ({"hsn": "3105"}, "Line 1 (BF-1): HSN is 3105, 31059090 was sent."),
        ({"tax_id": "20"}, "Line 1 (BF-1): tax is 20, 10 was sent."),
    ],
)
def test_a_line_that_differs_is_named(changed: dict[str, object], said: str) -> None:
    (line,) = document().lines
    got = document(lines=(replace(line, **changed),))  # type: ignore[arg-type]
    assert said in compare(draft(assessed()), got, TAXES, most_round_off=CAP).differences


def test_the_tolerance_is_two_paise_a_line_and_never_more_than_the_policy() -> None:
    got = document(total=Decimal("945.02"))
    assert compare(draft(assessed()), got, TAXES, most_round_off=CAP).roundable
    assert not compare(draft(assessed()), got, TAXES, most_round_off=Decimal(0)).roundable
    assert not compare(draft(assessed()), document(total=Decimal("945.03")), TAXES, most_round_off=CAP).roundable


def test_igst_is_told_from_the_organisations_own_list() -> None:
    got = document(
        place_of_supply="KA",
        taxes=(DocumentTax("Integrated, five", Decimal(45), "20"),),
        lines=(replace(document().lines[0], tax_id="20"),),
    )
    assert compare(draft(assessed("Karnataka")), got, TAXES, most_round_off=CAP).exact
