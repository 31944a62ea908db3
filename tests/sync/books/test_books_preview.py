"""What is shown before a document is made is what leaves for Books, byte for byte."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from books.floor import BENGALURU, Floor, Line, address, open_floor
from books.test_estimates import ask_for_quote
from conftest import Database
from zohosync.db.pool import fetch_all, fetch_one
from zohosync.queue.foresight import Decision, Preview, Verdict
from zohosync.store.operations import enqueue
from zohosync.sync.books.links_by_hand import KINDS
from zohosync.sync.preview import StreamPreview, preview_record

Sent = tuple[str, str, dict[str, str], bytes]
FIRM = {"role": "b2b_client", "company_name": "Demo Farms", "gst_number": "36AAPFU0939F1ZW"}
OFFICE = (
    "/books/v3/organizations",
    "/books/v3/settings/taxes",
    "/books/v3/settings/taxexemptions",
    "/books/v3/chartofaccounts",
)


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """The way to Books, with every write that left on it and the id of what it made."""

    inner: httpx.AsyncBaseTransport
    sent: list[Sent] = field(default_factory=list)
    learnt: list[tuple[str, str]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        if "/books/" not in request.url.path or request.method == "GET":
            return answer
        await answer.aread()
        params = {name: value for name, value in request.url.params.items() if name != "organization_id"}
        self.sent.append((request.method, request.url.path, params, await request.aread()))
        self._learn(request.url.path, answer.json())
        return answer

    def _learn(self, path: str, made: dict[str, Any]) -> None:
        for noun, told in (
            ("contact", "(id of the customer above)"),
            ("invoice", "(id of the invoice above)"),
            ("estimate", "(id of the estimate above)"),
            ("creditnote", "(id of the credit note above)"),
        ):
            if path == f"/books/v3/{noun}s" and noun in made:
                self.learnt.append((told, made[noun][f"{noun}_id"]))
        if path == "/books/v3/items":
            self.learnt.append((f"(id of the item {made['item']['sku']} above)", made["item"]["item_id"]))


@dataclass
class Watched:
    """A floor whose wire is watched."""

    floor: Floor
    wire: Wire

    async def foresee(self, entity: str, record_id: str) -> Preview:
        return (await self.look(entity, record_id)).preview

    async def look(self, entity: str, record_id: str) -> StreamPreview:
        services = self.floor.stage.services
        (found,) = await preview_record(services.pool, services.streams, entity, record_id)
        return found

    async def check(self, entity: str, record_id: str) -> Preview:
        """Preview the record, push it, and compare every write."""
        stage = self.floor.stage
        preview = await self.foresee(entity, record_id)
        self.wire.sent.clear()
        self.wire.learnt.clear()
        async with stage.services.pool.connection() as connection:
            await enqueue(
                connection, kind=KINDS[entity], lane="sales", entity=entity, record_ids=[record_id], cause="manual"
            )
        await stage.run()
        shown = [
            (call.method, self.known(call.path), dict(call.params), self.known((call.content or b"").decode()).encode())
            for step in preview.steps
            for call in step.calls
            if call.method != "GET"
        ]
        assert self.wire.sent == shown
        return preview

    def known(self, text: str) -> str:
        """With the ids that only the push told."""
        for told, zoho_id in self.wire.learnt:
            text = text.replace(told, zoho_id)
        return text

    async def paid_order(self, lines: list[Line], **values: Any) -> str:
        """An order that is paid, whose change was not captured: nothing is pushed but what is asked for."""
        shop = self.floor.stage.shop
        order = await self.floor.order(lines, **values)
        await self.floor.pay(order)
        await shop.execute("delete from pgmq.q_zohosync_changes")
        return order

    async def forget_changes(self) -> None:
        await self.floor.stage.shop.execute("delete from pgmq.q_zohosync_changes")


@asynccontextmanager
async def open_watched(database: Database, **settings: Any) -> AsyncIterator[Watched]:
    wires: list[Wire] = []

    def through(inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        wires.append(Wire(inner))
        return wires[0]

    async with open_floor(database, through=through, **settings) as floor:
        yield Watched(floor, wires[0] if wires else Wire(httpx.MockTransport(lambda _: httpx.Response(500))))


@pytest.fixture
async def watched(database: Database) -> AsyncIterator[Watched]:
    async with open_watched(database) as opened:
        yield opened


def modules(preview: Preview) -> list[tuple[str, Decision]]:
    return [(step.module, step.decision) for step in preview.steps]


async def test_the_first_order_of_a_customer_is_sent_as_shown(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    user = await watched.floor.stage.register(phone="98765 43210")
    order = await watched.paid_order([Line("BF-1", 2)], user=user, tax="45.00")
    preview = await watched.check("order", order)
    assert preview.verdict is Verdict.SENT
    assert modules(preview) == [
        ("contacts", Decision.LOOK_FIRST),
        ("items", Decision.LOOK_FIRST),
        ("invoices", Decision.CREATE),
        ("customerpayments", Decision.CREATE),
    ]


async def test_the_next_order_of_a_customer_is_sent_as_shown(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    user = await watched.floor.stage.register()
    await watched.check("order", await watched.paid_order([Line("BF-1", 2)], user=user, tax="45.00"))
    preview = await watched.check("order", await watched.paid_order([Line("BF-1")], user=user, tax="22.50"))
    assert [decision for _, decision in modules(preview)] == [Decision.IDENTICAL] * 2 + [Decision.CREATE] * 2


async def test_a_customer_who_moved_is_updated_as_shown(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    user = await watched.floor.stage.register()
    await watched.check("order", await watched.paid_order([Line("BF-1")], user=user, tax="22.50"))
    order = await watched.paid_order([Line("BF-1")], user=user, tax="22.50", ship_to=address(BENGALURU))
    preview = await watched.check("order", order)
    assert modules(preview)[0] == ("contacts", Decision.UPDATE)
    assert "shipping_address" in {difference.field for difference in preview.steps[0].differences}


async def test_exempt_goods_shipping_and_a_discount_are_sent_as_shown(watched: Watched) -> None:
    await watched.floor.policy(shipping_tax="apportion", price_basis="as_charged")
    await watched.floor.variant("BF-1")
    await watched.floor.variant("SEED", rate="0", category="exempt", hsn="12099190")
    order = await watched.paid_order(
        [Line("BF-1", 3), Line("SEED", 2, "100.00")], discount="55.00", shipping="60.00", tax="67.00", total="1622.00"
    )
    unclear = await watched.check("order", order)
    assert (unclear.verdict, unclear.problem.reason if unclear.problem else "") == (
        Verdict.REFUSED,
        "books_exemption_unclear",
    )
    assert modules(unclear)[0] == ("contacts", Decision.LOOK_FIRST)  # made before it was refused
    office = await watched.floor.stage.services.books_desk.office()
    await watched.floor.policy(exemption_id=next(one.id for one in office.exemptions if one.type == "item"))
    preview = await watched.check("order", order)
    assert [module for module, _ in modules(preview)].count("items") == 4
    payload = next(step for step in preview.steps if step.module == "invoices").calls[0].content or b""
    assert b'"discount_type":"item_level"' in payload


async def test_a_firm_and_its_own_numbers_and_key_field_are_sent_as_shown(watched: Watched) -> None:
    await watched.floor.policy(invoice_number="order_number", deposit_accounts={"razorpay": "460000000000361"})
    await watched.floor.variant("BF-1")
    user = await watched.floor.stage.register(**FIRM)
    order = await watched.paid_order([Line("BF-1", 2)], user=user, tax="45.00")
    preview = await watched.foresee("order", order)
    creation = next(step for step in preview.steps if step.module == "invoices").calls[0]
    assert creation.params == {"ignore_auto_number_generation": "true"}
    assert b'"gst_no":"36AAPFU0939F1ZW"' in (creation.content or b"")


async def test_a_quote_and_the_invoice_of_its_order_are_sent_as_shown(watched: Watched) -> None:
    floor = watched.floor
    await floor.variant("BF-1")
    await floor.policy(b2b_without_gstin="unregistered")
    quote = await ask_for_quote(floor, Line("BF-1", 2), valid_until="2099-01-01T00:00:00+05:30")
    user = await fetch_one(floor.stage.shop, "select id::text from users")
    assert user
    await watched.forget_changes()
    preview = await watched.check("approved_quote", quote)
    assert modules(preview)[-1] == ("estimates", Decision.CREATE)
    assert (await watched.foresee("approved_quote", quote)).verdict is Verdict.IDENTICAL
    order = await watched.paid_order([Line("BF-1", 2)], user=user["id"], tax="45.00", ship_to=address(phone=""))
    await floor.stage.shop.execute("update b2b_quotes set linked_order_id = %s where id = %s", (order, quote))
    await watched.forget_changes()
    preview = await watched.check("order", order)
    payload = preview.steps[-2].calls[0].content or b""
    assert b"invoiced_estimate_id" in payload


@pytest.mark.parametrize("part", [None, "200.00"])
async def test_a_refund_is_credited_as_shown(watched: Watched, part: str | None) -> None:
    floor = watched.floor
    await floor.policy(goods_returned="yes", refund_account_id="460000000000358")
    await floor.variant("BF-1")
    order = await watched.paid_order([Line("BF-1", 2)], tax="45.00")
    assert (await watched.foresee("refund", order)).verdict is Verdict.NOT_DUE
    await watched.check("order", order)
    account = next(one for one in (await floor.books("chartofaccounts")) if one["account_type"] == "cash")
    await floor.policy(refund_account_id=account["account_id"])
    await floor.set_order(order, payment_status="refunded", status="refunded")
    if part is not None:
        await floor.stage.shop.execute("alter table orders add column if not exists refunded_amount numeric")
        await floor.set_order(order, refunded_amount=part)
    await watched.forget_changes()
    preview = await watched.check("refund", order)
    assert modules(preview) == [("creditnotes", Decision.CREATE)]
    assert [call.path.rsplit("/", 1)[-1] for call in preview.steps[0].calls] == ["creditnotes", "open", "refunds"]


async def test_goods_are_sent_as_shown_new_and_edited(watched: Watched) -> None:
    variant = await watched.floor.variant("BF-1")
    await watched.forget_changes()
    assert modules(await watched.check("variant", variant)) == [("items", Decision.LOOK_FIRST)]
    await watched.floor.stage.shop.execute("update product_variants set price = 475")
    await watched.forget_changes()
    preview = await watched.check("variant", variant)
    assert [one.field for one in preview.steps[0].differences] == ["rate"]
    assert (await watched.foresee("variant", variant)).verdict is Verdict.IDENTICAL


async def test_an_edited_profile_is_sent_as_shown(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    user = await watched.floor.stage.register(phone="9876543210")
    assert (await watched.foresee("buyer", user)).verdict is Verdict.NOT_DUE
    await watched.check("order", await watched.paid_order([Line("BF-1")], user=user, tax="22.50"))
    assert (await watched.foresee("buyer", user)).verdict is Verdict.IDENTICAL
    await watched.floor.stage.shop.execute("update users set company_name = 'Demo Farms'")
    await watched.forget_changes()
    preview = await watched.check("buyer", user)
    assert modules(preview) == [("contacts", Decision.UPDATE)]


async def test_a_held_order_says_why_and_names_no_request(watched: Watched) -> None:
    await watched.floor.variant("BF-1", rate=None)
    order = await watched.paid_order([Line("BF-1")], tax="22.50")
    preview = await watched.check("order", order)
    assert (preview.verdict, preview.problem.reason if preview.problem else "") == (Verdict.REFUSED, "gst_rate_missing")
    assert preview.steps == ()


async def test_an_order_that_is_not_due_or_lacks_lines_is_told_apart(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    unpaid = await watched.floor.order([Line("BF-1")], tax="22.50")
    preview = await watched.foresee("order", unpaid)
    assert (preview.verdict, [one.code for one in preview.warnings]) == (Verdict.NOT_DUE, ["not_due"])
    empty = await watched.floor.order([], payment_status="paid", total="472.50")
    assert (await watched.foresee("order", empty)).verdict is Verdict.WAITS
    await watched.floor.stage.shop.execute("delete from orders")
    assert (await watched.foresee("order", empty)).verdict is Verdict.GONE


async def test_an_invoiced_order_is_identical_until_it_is_changed(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    order = await watched.paid_order([Line("BF-1")], tax="22.50")
    await watched.check("order", order)
    assert (await watched.foresee("order", order)).verdict is Verdict.IDENTICAL
    await watched.floor.set_order(order, total_amount=500)
    preview = await watched.foresee("order", order)
    assert (preview.verdict, preview.problem.reason if preview.problem else "") == (
        Verdict.REFUSED,
        "changed_after_invoicing",
    )


async def test_a_preview_claims_nothing_and_asks_for_the_office_alone(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    order = await watched.paid_order([Line("BF-1")], tax="22.50")
    before = await fetch_all(watched.floor.stage.shop, "select * from zohosync.link")
    asked = len(await watched.floor.stage.calls(service="books"))
    await watched.foresee("order", order)
    assert await fetch_all(watched.floor.stage.shop, "select * from zohosync.link") == before
    calls = (await watched.floor.stage.calls(service="books"))[asked:]
    assert all(call["method"] == "GET" and call["path"].startswith(OFFICE) for call in calls)


async def test_without_a_connection_what_only_books_tells_stands_for_itself(database: Database) -> None:
    async with open_watched(database, connected=False) as watched:
        await watched.floor.variant("BF-1")
        order = await watched.floor.order([Line("BF-1")], tax="22.50", payment_status="paid")
        found = await watched.look("order", order)
        assert found.preview.verdict is Verdict.SENT
        assert "(id of the IGST of 5 %)" in str([call.content for step in found.preview.steps for call in step.calls])
        assert "Zoho Books was not asked" in (found.shortcoming or "")


async def test_after_doubt_the_look_is_shown_and_then_the_same_is_sent(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    order = await watched.paid_order([Line("BF-1")], tax="22.50")
    stage = watched.floor.stage
    await stage.fault("drop_connection_before_commit", match={"operation": "create_invoice"})
    async with stage.services.pool.connection() as connection:
        await enqueue(connection, kind=KINDS["order"], lane="sales", entity="order", record_ids=[order], cause="manual")
    await stage.run_once()
    await stage.no_faults()
    await stage.shop.execute("update zohosync.link set claimed_until = now() where state <> 'linked'")
    preview = await watched.foresee("order", order)
    step = next(step for step in preview.steps if step.module == "invoices")
    assert (step.decision, [call.method for call in step.calls]) == (Decision.LOOK_FIRST, ["GET", "POST", "POST"])
    shown = step.calls[1].content
    watched.wire.sent.clear()
    for _ in range(2):  # Books is asked twice before it is sent again
        await stage.due_now()
        await stage.run()
    assert [body for _, path, _, body in watched.wire.sent if path == "/books/v3/invoices" and body] == [shown]


async def test_an_invoice_that_is_only_made_is_brought_to_its_end_as_shown(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    order = await watched.paid_order([Line("BF-1")], tax="22.50")
    stage = watched.floor.stage
    await watched.check("order", order)
    await stage.shop.execute("update zohosync.document set step = 'sent', settled_amount = 0")
    preview = await watched.foresee("order", order)
    assert modules(preview) == [("customerpayments", Decision.LOOK_FIRST)]
    await stage.shop.execute("update zohosync.document set step = 'created'")
    preview = await watched.foresee("order", order)
    assert [(module, decision) for module, decision in modules(preview) if module == "invoices"] == [
        ("invoices", Decision.UPDATE)
    ]


async def test_with_a_field_of_its_own_the_key_is_shown_in_headers_and_body(watched: Watched) -> None:
    await watched.floor.policy(unique_reference_field="cf_shop_order")
    await watched.floor.variant("BF-1")
    order = await watched.paid_order([Line("BF-1")], tax="22.50")
    preview = await watched.foresee("order", order)
    creation = next(step for step in preview.steps if step.module == "invoices").calls[0]
    assert (creation.method, creation.headers["X-Unique-Identifier-Value"]) == ("PUT", "ORD-00001")
    assert b'"api_name":"cf_shop_order"' in (creation.content or b"")


async def test_goods_the_shop_no_longer_has_are_looked_for(watched: Watched) -> None:
    await watched.floor.variant("BF-1")
    order = await watched.paid_order([Line("BF-1")], tax="22.50")
    await watched.floor.stage.shop.execute("update order_items set variant_id = null")
    preview = await watched.foresee("order", order)
    assert (preview.verdict, preview.problem.reason if preview.problem else "") == (Verdict.REFUSED, "sku_missing")


async def test_an_unknown_record_of_each_kind_is_gone(watched: Watched) -> None:
    stranger = "00000000-0000-0000-0000-000000000000"
    for entity in ("order", "approved_quote", "refund", "variant", "buyer"):
        assert (await watched.foresee(entity, stranger)).verdict is Verdict.GONE
