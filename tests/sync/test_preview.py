"""What is shown before a push is what the push sends, byte for byte."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
import pytest

from conftest import Database
from stage import SCALED, Stage, connect_services, open_stage, seed_fields
from sync.test_leads import add_lines, request_quote
from zohosim.app import create_app
from zohosim.simulator import Simulator
from zohosync.config import load_settings
from zohosync.db.pool import connect, fetch_one
from zohosync.queue.foresight import Decision, Preview, Verdict
from zohosync.store.installation import go_live
from zohosync.sync.contact_foresight import ACCOUNT_TO_COME
from zohosync.sync.lead_foresight import LEAD_TO_COME
from zohosync.sync.preview import planned, preview_record
from zohosync.wiring import open_services
from zohosync.zoho.books_records import UniqueKey
from zohosync.zoho.books_requests import INVOICES, create_request
from zohosync.zoho.canonical import canonical_json
from zohosync.zoho.protocol import Request

Sent = tuple[str, str, bytes]
FIRM = {"role": "b2b_client", "company_name": "Demo Farms", "gst_number": "27AAPFU0939F1ZV"}


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """The way to Zoho, with everything that left on it for CRM's records."""

    inner: httpx.AsyncBaseTransport
    sent: list[Sent] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET" and request.url.path.startswith("/crm/"):
            self.sent.append((request.method, request.url.path, await request.aread()))
        return await self.inner.handle_async_request(request)


@dataclass
class Watched:
    """A stage whose wire is watched."""

    stage: Stage
    wire: Wire

    async def foresee(self, entity: str, record_id: str) -> Preview:
        services = self.stage.services
        (found,) = await preview_record(services.pool, services.streams, entity, record_id)
        return found.preview

    async def check(self, entity: str, record_id: str, **learnt: str) -> Preview:
        """Preview the record, push it, and compare; ``learnt`` names the modules whose ids only the push tells."""
        self.wire.sent.clear()
        preview = await self.foresee(entity, record_id)
        assert self.wire.sent == []
        await self.stage.run()
        bodies = [call.content for step in preview.steps for call in step.calls if call.content is not None]
        for placeholder, module in learnt.items():
            record = (await self.stage.records(module))[-1]
            told = {"account": ACCOUNT_TO_COME, "lead": LEAD_TO_COME}[placeholder]
            assert any(told.encode() in body for body in bodies)
            bodies = [body.replace(told.encode(), record["id"].encode()) for body in bodies]
        planned = [
            (call.method, call.path) for step in preview.steps for call in step.calls if call.content is not None
        ]
        assert [(method, path) for method, path, _ in self.wire.sent] == planned
        assert [body for *_, body in self.wire.sent] == bodies
        return preview


@asynccontextmanager
async def open_watched(database: Database, *, fields: bool = True, **settings: object) -> AsyncIterator[Watched]:
    sim = Simulator()
    if fields:
        seed_fields(sim)
    wire = Wire(httpx.ASGITransport(app=create_app(sim)))
    chosen = load_settings(None, database_url=database.worker_url, **{**SCALED, **settings})
    async with (
        httpx.AsyncClient(transport=wire, base_url="http://sim") as zoho,
        open_services(chosen, transport=wire) as services,
        await connect(database.admin_url) as shop,
    ):
        await connect_services(services, zoho)
        async with services.pool.connection() as connection:
            await go_live(connection, services.sources)
        yield Watched(Stage(database, sim, zoho, services, shop), wire)


@pytest.fixture
async def watched(database: Database) -> AsyncIterator[Watched]:
    async with open_watched(database) as opened:
        yield opened


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"phone": "98765 43210"},
        {"first_name": "Zoë 🌱", "last_name": "<b>O'Brien</b>\\\"; drop table users"},
        {"first_name": "सीमा", "last_name": "कुमारी\t\x7f"},
        {"phone": "call me", "gst_number": "29WRONG", "first_name": "F" * 41},
        {"first_name": "", "last_name": ""},
    ],
    ids=["plain", "phone", "emoji and quotes", "hindi", "with values left out", "nameless"],
)
async def test_a_new_customer_is_sent_as_shown(watched: Watched, values: dict[str, str]) -> None:
    preview = await watched.check("customer", await watched.stage.register(**values))
    assert (preview.verdict, [step.decision for step in preview.steps]) == (Verdict.SENT, [Decision.CREATE])


async def test_an_edit_is_an_update_with_what_differs(watched: Watched) -> None:
    user = await watched.stage.register(phone="98765 43210")
    await watched.stage.run()
    await watched.stage.shop.execute("update users set first_name = 'सीमा', phone = null where id = %s", (user,))
    preview = await watched.check("customer", user)
    (step,) = preview.steps
    (contact,) = await watched.stage.records("Contacts")
    assert (step.decision, step.zoho_id) == (Decision.UPDATE, contact["id"])
    assert {one.field: (one.last, one.now) for one in step.differences} == {
        "First_Name": ("Demo", "सीमा"),
        "Phone": ("+919876543210", None),
    }


async def test_a_firm_and_its_customer_are_shown_before_either_has_an_id(watched: Watched) -> None:
    user = await watched.stage.register(**FIRM)
    preview = await watched.check("customer", user, account="Accounts")
    assert [step.module for step in preview.steps] == ["Accounts", "Contacts"]
    await watched.stage.shop.execute("update users set company_name = 'Demo Farms Ltd' where id = %s", (user,))
    renamed = await watched.check("customer", user)
    assert [step.decision for step in renamed.steps] == [Decision.UPDATE, Decision.IDENTICAL]


async def test_the_same_once_more_makes_no_call(watched: Watched) -> None:
    user = await watched.stage.register(**FIRM)
    await watched.stage.run()
    assert (await watched.foresee("customer", user)).verdict is Verdict.IDENTICAL


@pytest.mark.parametrize("values", [{}, {"message": "🌾 नमस्ते\n\n“How much?”", "phone": "080-41234567"}])
async def test_a_contact_form_is_sent_as_shown(watched: Watched, values: dict[str, str]) -> None:
    preview = await watched.check("inquiry", await watched.stage.ask(**values), lead="Leads")
    assert [(step.module, step.decision) for step in preview.steps] == [
        ("Leads", Decision.CREATE),
        ("Notes", Decision.CREATE),
    ]


async def test_a_second_inquiry_adds_a_note_to_the_known_lead(watched: Watched) -> None:
    await watched.stage.ask(subject="First")
    await watched.stage.run()
    preview = await watched.check("inquiry", await watched.stage.ask(subject="Second"))
    assert [step.decision for step in preview.steps] == [Decision.IDENTICAL, Decision.CREATE]


async def test_an_older_inquiry_is_shown_to_leave_the_lead(watched: Watched) -> None:
    older = await watched.stage.ask(name="Older Name")
    await watched.stage.run()
    await watched.stage.shop.execute("update contact_submissions set created_at = now() - interval '10 days'")
    newer = await watched.stage.ask(name="Newer Name")
    await watched.stage.run()
    await watched.stage.shop.execute(
        "update contact_submissions set name = 'Edited', message = 'Edited' where id = %s", (older,)
    )
    preview = await watched.check("inquiry", older)
    assert [step.decision for step in preview.steps] == [Decision.IDENTICAL, Decision.UPDATE]
    await watched.stage.shop.execute("update contact_submissions set name = 'Edited' where id = %s", (newer,))
    preview = await watched.check("inquiry", newer)
    assert [step.decision for step in preview.steps] == [Decision.UPDATE, Decision.IDENTICAL]


async def test_a_lead_to_be_made_is_shown_with_the_values_of_the_newest_inquiry(watched: Watched) -> None:
    newer = await watched.stage.ask(name="Newer Name")
    await watched.stage.take_in()
    await watched.stage.shop.execute("select zohosync.cancel(operation_id) from zohosync.operation")
    older = await watched.stage.ask(name="Older Name")
    await watched.stage.shop.execute(
        "update contact_submissions set created_at = now() - interval '10 days' where id = %s", (older,)
    )
    preview = await watched.check("inquiry", older, lead="Leads")
    assert b"Newer" in (preview.steps[0].calls[0].content or b"")
    assert (await watched.foresee("inquiry", newer)).steps[0].decision is Decision.IDENTICAL


async def test_a_quote_is_sent_as_shown_and_so_is_a_line_that_comes_later(watched: Watched) -> None:
    user = await watched.stage.register()
    await watched.stage.run()
    quote = await request_quote(watched.stage, user, subtotal="2500.10")
    preview = await watched.check("quote", quote, lead="Leads")
    assert [warning.code for warning in preview.warnings] == ["sum_differs"]
    await add_lines(watched.stage, quote)
    again = await watched.check("quote", quote)
    assert [step.decision for step in again.steps] == [Decision.IDENTICAL, Decision.UPDATE]
    (content,) = again.steps[-1].differences
    assert content.field == "Note_Content"


async def test_a_quote_without_lines_would_wait_and_its_lead_would_not(watched: Watched) -> None:
    user = await watched.stage.register()
    await watched.stage.run()
    preview = await watched.check("quote", await request_quote(watched.stage, user, lines=False))
    assert (preview.verdict, preview.problem.reason if preview.problem else "") == (Verdict.WAITS, "lines_missing")
    assert [step.module for step in preview.steps] == ["Leads"]


async def test_automations_are_shown_as_the_setting_has_them(database: Database) -> None:
    async with open_watched(database, contact_automations="never") as watched:
        preview = await watched.check("customer", await watched.stage.register())
        assert b'"trigger":[]' in (preview.steps[0].calls[0].content or b"")


async def test_without_the_custom_fields_it_is_shown_without_them(database: Database) -> None:
    async with open_watched(database, fields=False) as watched:
        preview = await watched.check("customer", await watched.stage.register(**FIRM), account="Accounts")
        assert {warning.code for warning in preview.warnings} == {"unknown_field"}


async def test_after_doubt_the_look_is_shown_too(database: Database) -> None:
    async with open_watched(database, fields=False) as watched:
        stage = watched.stage
        user = await stage.register()
        await stage.fault("http_500_before_commit", match={"operation": "upsert", "module": "Contacts"})
        await stage.run()
        await stage.due_now()
        preview = await watched.check("customer", user)
        (step,) = preview.steps
        assert (step.decision, [call.path for call in step.calls]) == (
            Decision.LOOK_FIRST,
            ["/crm/v8/coql", "/crm/v8/Contacts/upsert"],
        )


async def test_an_id_of_an_older_integration_is_looked_for_as_shown(watched: Watched) -> None:
    preview = await watched.check("customer", await watched.stage.register(zoho_crm_id="4000000000001"))
    assert [step.decision for step in preview.steps] == [Decision.LOOK_FIRST]


async def test_a_note_in_doubt_is_looked_for_as_shown(watched: Watched) -> None:
    stage = watched.stage
    inquiry = await stage.ask()
    await stage.fault("http_500_before_commit", match={"module": "Notes", "method": "POST"})
    await stage.run()
    await stage.due_now()
    preview = await watched.check("inquiry", inquiry)
    step = preview.steps[-1]
    assert (step.decision, [call.method for call in step.calls]) == (Decision.LOOK_FIRST, ["GET", "POST"])


async def test_a_refusal_says_why_and_names_no_request(watched: Watched) -> None:
    preview = await watched.check("customer", await watched.stage.register("not an address"))
    assert (preview.verdict, preview.problem.reason if preview.problem else "") == (Verdict.REFUSED, "email_invalid")
    assert preview.steps == ()


async def test_an_email_of_another_customer_is_a_refusal(watched: Watched) -> None:
    await watched.stage.register("same@example.com")
    await watched.stage.run()
    preview = await watched.check("customer", await watched.stage.register("Same@example.com"))
    assert (preview.verdict, preview.problem.reason if preview.problem else "") == (Verdict.REFUSED, "email_shared")


async def test_staff_and_strangers_are_no_customers(watched: Watched) -> None:
    user = await watched.stage.register(role="admin")
    assert (await watched.foresee("customer", user)).verdict is Verdict.OUT_OF_SCOPE
    await watched.stage.shop.execute("delete from users")
    assert (await watched.foresee("customer", user)).verdict is Verdict.GONE


async def test_nothing_is_claimed(watched: Watched) -> None:
    user = await watched.stage.register(**FIRM)
    await watched.foresee("customer", user)
    for table in ("link", "operation", "attempt"):
        count = await fetch_one(watched.stage.shop, f"select count(*) as n from zohosync.{table}")
        assert count == {"n": 0}


async def test_without_a_connection_the_standard_fields_count_and_that_is_told(database: Database) -> None:
    async with open_stage(database, connected=False) as stage:
        user = await stage.register(first_name="F" * 41)
        (found,) = await preview_record(stage.services.pool, stage.services.streams, "customer", user)
        assert [warning.code for warning in found.preview.warnings] == ["too_long"]
        assert "only Zoho's standard lengths: Zoho is not connected." in (found.shortcoming or "")


def test_numbers_keep_all_their_digits() -> None:
    amounts = {"b": Decimal("1234567890123456.10"), "a": [Decimal("0.1"), Decimal("1E+3"), 7]}
    written = b'{"a":[0.1,1000,7],"b":1234567890123456.10}'
    assert canonical_json(amounts) == written
    assert Request("POST", "/x", json=amounts).content() == written


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_json_cannot_say_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json({"a": value})


def test_the_headers_of_a_key_are_shown_with_the_request() -> None:
    request = create_request(INVOICES, {"reference_number": "KN-1001"}, unique=UniqueKey("cf_shop_order", "KN-1001"))
    call = planned("make the invoice", request)
    assert (call.method, call.content) == ("PUT", request.content())
    assert call.headers["X-Unique-Identifier-Value"] == "KN-1001"
