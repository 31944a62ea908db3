"""Findings in the console: read, and decided by who may."""

import pytest

from console.conftest import Enter
from console.goods import finding, invoice, place_order
from console.stage import Person, audited, operations_of, text_of
from zohosync.db.pool import Connection, fetch_all
from zohosync.store.users import Role


async def found(owner: Connection, worker: Connection, code: str = "document_voided") -> tuple[str, int]:
    order = await place_order(owner)
    await invoice(worker, order)
    return order, await finding(worker, order, code)


async def test_nothing_to_decide_is_said(viewer: Person) -> None:
    assert "Nothing is to be decided" in text_of(await viewer.get("/findings"))


async def test_a_finding_is_told_in_plain_words_with_what_differs(
    viewer: Person, owner: Connection, worker: Connection
) -> None:
    order, _ = await found(owner, worker)
    page = await viewer.get("/findings")
    text = text_of(page)
    for part in (
        "ORD-1 The document was voided in Books",
        "Invoice INV-000001 &lt;differs&gt;.",
        "Changes total: 1180.00 → 1.00",
        "Somebody voided the document",
    ):
        assert part in text, part
    assert f'href="/records/order/{order}"' in page.text
    assert "<button" not in page.text.split('id="main"')[1]


async def test_an_operator_accepts_with_a_reason(operator: Person, owner: Connection, worker: Connection) -> None:
    _, number = await found(owner, worker)
    done = await operator.post(f"/findings/{number}", action="accept", reason="agreed")
    assert done.headers["location"] == "/findings"
    assert "Decided." in text_of(await operator.get("/findings"))
    assert "agreed" in text_of(await operator.get("/findings?all=1"))
    (entry,) = await audited(worker, "finding.accept")
    assert (entry["actor"], entry["reason"]) == (operator.user.email, "agreed")


async def test_a_decision_without_a_reason_is_refused(operator: Person, owner: Connection, worker: Connection) -> None:
    _, number = await found(owner, worker)
    page = await operator.post(f"/findings/{number}", action="accept", reason=" ")
    assert (page.status_code, "needs a reason" in text_of(page)) == (422, True)
    assert await audited(worker, "finding.accept") == []


async def test_a_new_document_is_for_admins(
    enter: Enter, operator: Person, owner: Connection, worker: Connection
) -> None:
    order, number = await found(owner, worker)
    page = await operator.post(f"/findings/{number}", action="replace", reason="made anew")
    assert (page.status_code, "Only an administrator" in text_of(page)) == (422, True)
    assert len(await fetch_all(worker, "select 1 from zohosync.document")) == 1
    admin = await enter(Role.ADMIN)
    done = await admin.post(f"/findings/{number}", action="replace", reason="made anew", back=f"/records/order/{order}")
    assert done.headers["location"] == f"/records/order/{order}"
    assert await fetch_all(worker, "select 1 from zohosync.document") == []
    assert [row["kind"] for row in await operations_of(worker, order)] == ["books.invoice.push"]


@pytest.mark.parametrize("action", ["credit", "link", "", "unheard"])
async def test_what_is_not_offered_is_refused(
    operator: Person, owner: Connection, worker: Connection, action: str
) -> None:
    _, number = await found(owner, worker)
    assert (await operator.post(f"/findings/{number}", action=action, reason="why not")).status_code == 422
    assert await fetch_all(worker, "select closed_at from zohosync.finding") == [{"closed_at": None}]


async def test_two_who_decide_at_once_are_told_apart(
    operator: Person, enter: Enter, owner: Connection, worker: Connection
) -> None:
    _, number = await found(owner, worker)
    await operator.post(f"/findings/{number}", action="accept", reason="agreed")
    late = await (await enter(Role.ADMIN)).post(f"/findings/{number}", action="replace", reason="made anew")
    assert (late.status_code, "no open finding" in text_of(late)) == (422, True)
    assert len(await fetch_all(worker, "select 1 from zohosync.document")) == 1
