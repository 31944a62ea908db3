"""The acceptance story: each criterion writes to the shop as the shop does, and looks into Zoho for what became of it.

A criterion returns its evidence in words, or raises Unmet.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from zohosync.demo import acts_of_people as people
from zohosync.demo import acts_of_sales as sales
from zohosync.demo.eventually import Unmet
from zohosync.demo.shop import ShopRefused
from zohosync.demo.stage import Stage
from zohosync.errors import ZohosyncError

# How a criterion can fail; anything else is a fault of the story itself.
EXPECTED = (Unmet, ZohosyncError, ShopRefused, httpx.HTTPError, LookupError, StopAsyncIteration)


@dataclass(frozen=True)
class Criterion:
    """One thing that must hold."""

    name: str
    sentence: str
    play: Callable[[Stage], Awaitable[str]]


@dataclass(frozen=True)
class Verdict:
    """How a criterion ended; ``seconds`` is how long it took."""

    name: str
    sentence: str
    passed: bool
    evidence: str
    seconds: float


async def play(stage: Stage, criteria: Sequence[Criterion]) -> AsyncIterator[Verdict]:
    """Play the story in order. A criterion that fails does not keep the others from being played."""
    for criterion in criteria:
        began = time.monotonic()
        try:
            evidence, passed = await criterion.play(stage), True
        except EXPECTED as unmet:
            evidence, passed = str(unmet) or type(unmet).__name__, False
        yield Verdict(criterion.name, criterion.sentence, passed, evidence, round(time.monotonic() - began, 2))


STORY: tuple[Criterion, ...] = (
    Criterion("registration", "A registration becomes a CRM Contact and its id is written back", people.registration),
    Criterion("profile-edit", "A profile edit updates the same Contact", people.profile_edit),
    Criterion(
        "business-customer", "A business customer is linked to an Account, GSTIN and all", people.business_customer
    ),
    Criterion("contact-form", "A contact form becomes a Lead with one Note", people.contact_form),
    Criterion(
        "quote-request", "A quote request becomes a Lead with a Note of lines that came later", people.quote_request
    ),
    Criterion("live-log", "The console shows a change live", people.live_log),
    Criterion("retry", "What Zoho refuses for now is tried again by itself", people.retries),
    Criterion("sync-now", "What failed for good is cured by Sync now", people.sync_now),
    Criterion("go-live", "Nothing older than go-live is synced", people.nothing_older),
    Criterion(
        "invoice-intra", "A paid order within the state becomes an invoice with CGST and SGST", sales.within_state
    ),
    Criterion("invoice-inter", "A paid order to another state becomes an invoice with IGST", sales.to_another_state),
    Criterion("invoice-b2b", "A business order becomes a business_gst invoice with its GSTIN", sales.to_a_business),
    Criterion("paid-twice", "A payment told twice makes one invoice and one payment", sales.paid_twice),
    Criterion("estimate", "An approved quote becomes an estimate that ends when the quote does", sales.approved_quote),
    Criterion(
        "quote-invoice", "The order of the quote becomes an invoice that refers to the estimate", sales.paid_quote
    ),
    Criterion("credit-note", "A refund becomes a credit note at the rates of the invoice, paid back", sales.refund),
    Criterion("held-order", "An order held for a missing rate says what to correct, and then goes through", sales.held),
    Criterion("by-hand", "An order Books refused is invoiced by Sync now", sales.synced_by_hand),
)
