"""The story tells the truth: what does not hold is a FAIL line with what was seen instead."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from zohosync.demo.books_window import organisation_of
from zohosync.demo.embedded import Cluster
from zohosync.demo.eventually import Unmet, eventually, expect
from zohosync.demo.operator import FormFields
from zohosync.demo.stage import DATABASE, PACE, STEPS, Stage, open_stage
from zohosync.demo.story import STORY, Criterion, play

WRITES_TO_ZOHO = {criterion.name for criterion in STORY} - {"go-live"}


@pytest.fixture
async def stage(cluster: Cluster) -> AsyncIterator[Stage]:
    """The demo in this process, with little patience."""
    steps: list[str] = []
    try:
        async with open_stage(cluster, announce=steps.append, pace=PACE, patience=2.5) as opened:
            assert len(steps) == STEPS
            yield opened
    finally:
        cluster.administer(f"drop database if exists {DATABASE} with (force)")


async def test_every_criterion_holds(stage: Stage) -> None:
    verdicts = [verdict async for verdict in play(replace(stage, patience=30), STORY)]
    assert [verdict for verdict in verdicts if not verdict.passed] == []
    evidence = {verdict.name: verdict.evidence for verdict in verdicts}
    assert "+915555500101" in evidence["registration"]
    assert "33AAACZ0001Z1Z0" in evidence["business-customer"]
    for name in ("invoice-intra", "invoice-inter", "invoice-b2b"):
        assert "2 × BF-AZO-1L (HSN 31059090) at ₹320.00, 5 %" in evidence[name]
        assert "total ₹2,518.40, paid" in evidence[name]
    assert "CGST2.5 16.00 + CGST9 88.20 + SGST2.5 16.00 + SGST9 88.20" in evidence["invoice-intra"]
    assert "IGST18 176.40 + IGST5 32.00" in evidence["invoice-inter"]
    assert "business_gst, GSTIN 29AAGCB7383J1Z4" in evidence["invoice-b2b"]
    assert "Product AQ-MIN-10KG has no GST rate." in evidence["held-order"]
    assert "waiting (429) → retrying (500) → retrying (500) → succeeded (ok)" in evidence["retry"]


async def test_when_zoho_refuses_everything_the_story_fails(stage: Stage) -> None:
    stage.simulator.order({"kind": "http_500_before_commit", "count": 10_000})
    verdicts = {verdict.name: verdict async for verdict in play(stage, STORY)}
    assert {name for name, verdict in verdicts.items() if not verdict.passed} == WRITES_TO_ZOHO
    assert verdicts["registration"].evidence == "users.zoho_crm_id written back: not within 2.5 s"
    assert verdicts["go-live"].passed


async def test_a_wrong_value_in_zoho_is_seen(stage: Stage) -> None:
    registration = STORY[0]
    stage.simulator.crm.modules["Contacts"].remove_field("Phone")
    [verdict] = [verdict async for verdict in play(stage, [registration])]
    assert not verdict.passed
    assert "Phone" in verdict.evidence


def criterion(name: str) -> Criterion:
    return next(criterion for criterion in STORY if criterion.name == name)


async def test_a_second_payment_in_books_is_seen(stage: Stage) -> None:
    [paid] = [verdict async for verdict in play(replace(stage, patience=30), [criterion("invoice-intra")])]
    assert paid.passed, paid.evidence
    payments = organisation_of(stage.simulator).ledger.tables["customerpayments"]
    [payment] = payments.values()
    payments["1"] = {**payment, "payment_id": "1"}
    [verdict] = [verdict async for verdict in play(stage, [criterion("paid-twice")])]
    assert (verdict.passed, verdict.evidence) == (False, "the number of payments of FP-00001 is 2, not 1")


async def test_an_invoice_that_does_not_come_says_why(stage: Stage) -> None:
    await stage.orders.classify("BF-AZO-1L", hsn_code="31059090", gst_rate="12", tax_category="taxable")
    [verdict] = [verdict async for verdict in play(stage, [criterion("invoice-intra")])]
    assert not verdict.passed
    assert "FP-00001 is paid: not within 2.5 s; failed: " in verdict.evidence
    assert "12" in verdict.evidence


async def test_a_criterion_that_fails_does_not_stop_the_others(stage: Stage) -> None:
    async def fails(_: Stage) -> str:
        raise Unmet("nothing there")

    async def holds(_: Stage) -> str:
        return "all well"

    criteria = [Criterion("a", "A", fails), Criterion("b", "B", holds)]
    verdicts = [verdict async for verdict in play(stage, criteria)]
    assert [(verdict.passed, verdict.evidence) for verdict in verdicts] == [
        (False, "nothing there"),
        (True, "all well"),
    ]


async def test_waiting_ends_with_what_was_waited_for() -> None:
    async def never() -> None:
        return None

    with pytest.raises(Unmet, match=r"the sky falls: not within 0.1 s"):
        await eventually("the sky falls", never, 0.1)


def test_an_expectation_says_both_sides() -> None:
    expect("one", 1, 1)
    with pytest.raises(Unmet, match="the phone is None, not '\\+91'"):
        expect("the phone", None, "+91")


def test_only_the_asked_form_is_read() -> None:
    page = """<form action="/a"><input name="csrf" value="1"></form>
      <form action="/b"><input name="csrf" value="2"><input name="press"></form><input name="stray" value="3">"""
    found = FormFields("/b")
    found.feed(page)
    assert found.fields == {"csrf": "2", "press": ""}
