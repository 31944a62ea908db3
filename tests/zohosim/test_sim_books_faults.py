"""Faults and hindrances of Books: writes that fail before or after they are done, and what an administrator forbids."""

from typing import Any

import httpx
import pytest

from zohosim.books.preferences import REASONS

ORGANISATION = "60031234567"
BUYER = {"contact_name": "Demo Customer"}


async def call(zoho, method: str, path: str, body: Any = None, **params: str) -> httpx.Response:
    asked = {"organization_id": ORGANISATION, **params}
    return await zoho.http.request(method, f"/books/v3{path}", params=asked, json=body)


async def prefer(zoho, **preferences: object) -> httpx.Response:
    return await zoho.http.post("/_sim/books/preferences", json=preferences)


def contacts(zoho) -> int:
    return len(zoho.sim.books.organisations[ORGANISATION].ledger.tables["contacts"])


def invoices(zoho) -> int:
    return len(zoho.sim.books.organisations[ORGANISATION].ledger.tables["invoices"])


# --- faults of every product, for writes of Books


@pytest.mark.parametrize(
    ("fault", "status", "commits"),
    [
        ({"kind": "http_429"}, 429, False),
        ({"kind": "http_429", "code": 45}, 429, False),
        ({"kind": "http_500_before_commit"}, 500, False),
        ({"kind": "http_500_after_commit"}, 500, True),
        ({"kind": "html_502"}, 502, False),
        ({"kind": "html_502", "after_commit": True}, 502, True),
        ({"kind": "html_200"}, 200, False),
        ({"kind": "html_200", "after_commit": True}, 200, True),
        ({"kind": "answer", "status": 200, "body": {"code": 9, "message": "?"}}, 200, False),
        ({"kind": "answer", "status": 200, "body": {"code": 0}, "after_commit": True}, 200, True),
        ({"kind": "slow", "delay": 0.01}, 201, True),
        ({"kind": "scope_removed"}, 401, False),
        ({"kind": "wrong_data_centre"}, 401, False),
    ],
)
async def test_a_fault_answers_a_write_which_is_done_or_not(zoho, fault: dict[str, object], status: int, commits: bool):
    await zoho.order(**fault, match={"operation": "create_contact"})
    answer = await call(zoho, "POST", "/contacts", BUYER)
    assert answer.status_code == status
    assert contacts(zoho) == commits


@pytest.mark.parametrize(
    ("kind", "error", "commits"),
    [
        ("timeout_before_commit", httpx.ReadTimeout, False),
        ("timeout_after_commit", httpx.ReadTimeout, True),
        ("drop_connection_before_commit", httpx.RemoteProtocolError, False),
        ("drop_connection_after_commit", httpx.RemoteProtocolError, True),
    ],
)
async def test_an_answer_gets_lost_after_a_write_or_before_it(zoho, kind: str, error: type[Exception], commits: bool):
    await zoho.order(kind=kind, match={"operation": "create_contact"})
    with pytest.raises(error):
        await call(zoho, "POST", "/contacts", BUYER)
    assert contacts(zoho) == commits
    (entry,) = (await zoho.http.get("/_sim/calls?operation=create_contact")).json()["calls"]
    assert (entry["status"], entry["faults"], len(entry["ids"])) == (None, [kind], int(commits))


async def test_a_fault_strikes_the_nth_call_of_one_operation(zoho):
    await zoho.order(kind="http_500_after_commit", match={"operation": "create_contact"}, after=2)
    statuses = []
    for number in range(4):
        assert (await call(zoho, "GET", "/contacts")).status_code == 200
        statuses.append((await call(zoho, "POST", "/contacts", {"contact_name": f"Customer {number}"})).status_code)
    assert statuses == [201, 201, 500, 201]
    assert contacts(zoho) == 4


async def test_a_write_twice_after_a_lost_answer_is_refused_where_names_are_unique(zoho):
    await zoho.order(kind="timeout_after_commit", match={"operation": "create_contact"})
    with pytest.raises(httpx.ReadTimeout):
        await call(zoho, "POST", "/contacts", BUYER)
    again = await call(zoho, "POST", "/contacts", BUYER)
    assert (again.status_code, again.json()["code"]) == (400, 3062)


async def test_a_limit_refuses_a_write_before_anything_changes(zoho):
    await zoho.http.post("/_sim/books/limits", json={"per_minute": 1})
    assert (await call(zoho, "POST", "/contacts", BUYER)).status_code == 201
    answer = await call(zoho, "POST", "/contacts", {"contact_name": "Another"})
    assert (answer.status_code, answer.json()["code"], contacts(zoho)) == (429, 44, 1)


# --- hindrances, ordered as faults


@pytest.mark.parametrize("reason", REASONS)
async def test_a_hindrance_refuses_one_write_and_no_reading(zoho, reason: str):
    await zoho.order(kind="hindered", reason=reason)
    assert (await zoho.crm("GET", "/org")).status_code == 200
    assert (await zoho.upsert("Contacts", {"Last_Name": "Example"})).status_code == 200
    assert (await call(zoho, "GET", "/contacts")).status_code == 200
    answer = await call(zoho, "POST", "/contacts", BUYER)
    assert (answer.status_code, answer.json()["code"]) == (400, REASONS[reason][0])
    assert "{" not in answer.json()["message"]
    assert contacts(zoho) == 0
    assert (await call(zoho, "POST", "/contacts", BUYER)).status_code == 201


async def test_a_hindrance_picks_its_operation_and_call(zoho):
    await zoho.order(kind="hindered", reason="plan_cap", match={"operation": "create_contact"}, after=1, count=2)
    made = [(await call(zoho, "POST", "/contacts", {"contact_name": name})).status_code for name in "ABCD"]
    assert made == [201, 400, 400, 201]
    (entry,) = (await zoho.http.get("/_sim/faults")).json()["faults"]
    assert (entry["hits"], entry["left"]) == (2, 0)
    calls = (await zoho.http.get("/_sim/calls?operation=create_contact")).json()["calls"]
    assert [one["faults"] for one in calls] == [[], ["hindered"], ["hindered"], []]


async def test_a_hindrance_without_a_known_reason_is_refused(zoho):
    for given in ({}, {"reason": "weather"}):
        answer = await zoho.http.post("/_sim/faults", json={"kind": "hindered", **given})
        assert answer.status_code == 400
        assert "locked_period" in answer.json()["error"]


# --- what an administrator switched on


async def buyer(zoho, **more: object) -> str:
    made = await call(zoho, "POST", "/contacts", {**BUYER, **more})
    return str(made.json()["contact"]["contact_id"])


async def invoice(zoho, customer_id: str, **more: Any) -> httpx.Response:
    """A draft over 118.00."""
    tax = next(tax for tax in (await zoho.books("/settings/taxes")).json()["taxes"] if tax["tax_name"] == "GST18")
    line = {"name": "Neem Cake", "rate": 100, "quantity": 1, "tax_id": tax["tax_id"]}
    params = {"send": "true"} if more.pop("send", False) else {}
    return await call(zoho, "POST", "/invoices", {"customer_id": customer_id, "line_items": [line], **more}, **params)


async def test_transactions_of_a_locked_day_can_neither_be_made_nor_changed_nor_taken_away(zoho):
    customer = await buyer(zoho)
    old = (await invoice(zoho, customer, date="2026-11-20")).json()["invoice"]["invoice_id"]
    assert (await prefer(zoho, locked_until="2026-11-20")).json()["locked_until"] == "2026-11-20"
    refused = [
        await invoice(zoho, customer, date="2026-11-20"),
        await call(zoho, "PUT", f"/invoices/{old}", {"notes": "x"}),
        await call(zoho, "POST", f"/invoices/{old}/status/sent"),
        await call(zoho, "DELETE", f"/invoices/{old}"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(400, REASONS["locked_period"][0])}
    assert "2026-11-20" in refused[0].json()["message"]
    assert (await invoice(zoho, customer, date="2026-11-21")).status_code == 201
    assert (await call(zoho, "GET", f"/invoices/{old}")).json()["invoice"]["status"] == "draft"
    await prefer(zoho, locked_until="")
    assert (await call(zoho, "DELETE", f"/invoices/{old}")).status_code == 200


async def test_a_credit_limit_that_blocks_refuses_the_invoice_beyond_it(zoho):
    customer = await buyer(zoho, credit_limit=200)
    assert (await invoice(zoho, customer, send=True)).status_code == 201
    assert (await invoice(zoho, customer, send=True)).status_code == 201
    await prefer(zoho, credit_limit="block")
    answer = await invoice(zoho, customer)
    assert (answer.status_code, answer.json()["code"], invoices(zoho)) == (400, REASONS["credit_limit"][0], 2)


async def test_a_plan_allows_so_many_invoices_a_year(zoho):
    customer = await buyer(zoho)
    await prefer(zoho, invoices_per_year=1)
    assert (await invoice(zoho, customer)).status_code == 201
    answer = await invoice(zoho, customer)
    assert (answer.status_code, answer.json()["code"], invoices(zoho)) == (400, REASONS["plan_cap"][0], 1)


async def test_mails_of_a_day_run_out(zoho):
    customer = await buyer(zoho)
    await prefer(zoho, mails_per_day=1)
    assert (await invoice(zoho, customer, send=True)).status_code == 201
    answer = await invoice(zoho, customer, send=True)
    assert (answer.status_code, invoices(zoho)) == (400, 1)
    assert answer.json()["message"] == "You cannot send this email, since you've exhausted the daily limit of 1 emails"
    draft = (await invoice(zoho, customer)).json()["invoice"]["invoice_id"]
    assert (await call(zoho, "POST", f"/invoices/{draft}/status/sent")).status_code == 200, "marking mails nothing"


async def test_with_approvals_an_invoice_is_submitted_and_approved_before_it_is_sent(zoho):
    customer = await buyer(zoho)
    await prefer(zoho, approvals=["invoices"])
    draft = (await invoice(zoho, customer)).json()["invoice"]["invoice_id"]
    answer = await call(zoho, "POST", f"/invoices/{draft}/status/sent")
    assert (answer.status_code, answer.json()["code"]) == (400, REASONS["needs_approval"][0])
    for step in ("submit", "approve", "status/sent"):
        assert (await call(zoho, "POST", f"/invoices/{draft}/{step}")).status_code == 200
    assert (await call(zoho, "GET", f"/invoices/{draft}")).json()["invoice"]["status"] == "sent"


async def test_an_inactive_contact_gets_no_invoice(zoho):
    customer = await buyer(zoho)
    assert (await call(zoho, "POST", f"/contacts/{customer}/inactive")).status_code == 200
    answer = await invoice(zoho, customer)
    assert (answer.status_code, answer.json()["code"], invoices(zoho)) == (400, REASONS["inactive_contact"][0], 0)


async def test_preferences_are_as_at_first_after_a_reset(zoho):
    before = (await zoho.http.get("/_sim/books/preferences")).json()
    await prefer(zoho, approvals=["invoices"], locked_until="2026-11-20", credit_limit="block", mails_per_day=0)
    await zoho.http.post("/_sim/reset")
    assert (await zoho.http.get("/_sim/books/preferences")).json() == before
    assert not any(value for name, value in before.items() if name != "credit_limit"), "nothing is in the way"


@pytest.mark.parametrize(
    "given",
    [{"approvals": ["bills"]}, {"locked_until": "soon"}, {"credit_limit": "warn"}, {"mails_per_day": -1},
     {"invoices_per_year": "many"}, {"colour": "blue"}, {"organisation_id": "1"}],
)  # fmt: skip
async def test_preferences_that_make_no_sense_are_refused(zoho, given: dict[str, object]):
    assert (await prefer(zoho, **given)).status_code == 400
