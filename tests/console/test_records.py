"""One record's page: both sides, what was done, and what a person may say about it."""

import pytest

from console.conftest import Enter
from console.goods import INVOICE, finding, invoice, place_order
from console.stage import Person, add_operation, audited, operations_of, rows_of, text_of
from zohosync.console.zoho_web import books_address
from zohosync.db.pool import Connection, fetch_all
from zohosync.store.users import Role


async def test_the_page_shows_both_sides(viewer: Person, owner: Connection, worker: Connection) -> None:
    order = await place_order(owner)
    await invoice(worker, order)
    number = await add_operation(worker, kind="books.invoice.push", entity="order", record_id=order, label="ORD-1")
    text = text_of(await viewer.get(f"/records/order/{order}"))
    for part in (
        "Order ORD-1",
        "confirmed · paid · razorpay",
        "Demo Customer, 1 Demo Street, Hyderabad, Telangana, 500032, India written on the order",
        "NEEM-5L Neem Oil 1 1000.00 1000.00 no HSN, no rate",
        "Total 1180.00",
        "INV-000001",
        "Place of supply TS · intra told by name",
        "CGST 90.00 90.00",
        "Difference 0.00",
        "Credit note in Zoho Books There is none yet.",
        f"#{number} Invoice",
    ):
        assert part in text, (part, text)


async def test_a_difference_is_to_be_seen(viewer: Person, owner: Connection, worker: Connection) -> None:
    order = await place_order(owner)
    await invoice(worker, order, total=1200)
    page = await viewer.get(f"/records/order/{order}")
    assert "Difference 20.00" in text_of(page)
    assert 'class="differs"' in page.text


async def test_the_partial_is_the_region(viewer: Person, owner: Connection) -> None:
    order = await place_order(owner)
    partial = await viewer.get(f"/records/order/{order}?partial=body")
    assert "<html" not in partial.text
    assert "Order ORD-1" in text_of(partial)


@pytest.mark.parametrize("entity", ["order", "approved_quote", "refund", "variant", "buyer"])
@pytest.mark.parametrize("record_id", ["6f1c0000-0000-4000-8000-000000000000", "no-uuid"])
async def test_a_record_the_shop_no_longer_has_is_told(viewer: Person, entity: str, record_id: str) -> None:
    page = await viewer.get(f"/records/{entity}/{record_id}")
    assert page.status_code == 200
    assert "The shop no longer has this record." in text_of(page)


async def test_an_entity_that_is_none_is_not_found(viewer: Person) -> None:
    assert (await viewer.get("/records/parcel/1")).status_code == 404


async def test_what_no_record_can_be_called_is_corrected_nowhere(operator: Person) -> None:
    refused = await operator.post("/records/order/not-a-uuid/override", field="state", value="ts", reason="asked them")
    assert refused.status_code == 404
    assert "The shop no longer has the order not-a-uuid." in text_of(refused)


async def test_a_record_too_complex_to_read_is_not_taken_for_a_database_that_is_away(
    operator: Person, owner: Connection
) -> None:
    order = await place_order(owner)
    await owner.execute(
        "create or replace function zohosync.packing_of(variant jsonb) returns text language plpgsql as"
        " $$ begin raise statement_too_complex; end $$"
    )
    page = await operator.get(f"/records/order/{order}")
    assert page.status_code == 200
    assert "be read as the adapter expects: statement_too_complex" in text_of(page), text_of(page)
    refused = await operator.post(f"/records/order/{order}/override", field="state", value="ts", reason="asked them")
    assert refused.status_code == 422
    assert "cannot reach its database" not in text_of(refused)


async def test_variants_and_customers_have_pages_too(viewer: Person, owner: Connection) -> None:
    await place_order(owner)
    (variant,) = await fetch_all(owner, "select id::text from product_variants")
    assert "SKU NEEM-5L" in text_of(await viewer.get(f"/records/variant/{variant['id']}"))
    (user,) = await fetch_all(
        owner,
        "insert into users (email, first_name, last_name) values ('buyer@example.com', 'Demo', 'Buyer')"
        " returning id::text",
    )
    assert "E-mail buyer@example.com" in text_of(await viewer.get(f"/records/buyer/{user['id']}"))


async def test_a_held_operation_leads_to_the_field_at_fault(
    operator: Person, owner: Connection, worker: Connection
) -> None:
    order = await place_order(owner)
    held = await add_operation(
        worker, "failed", kind="books.invoice.push", entity="order", record_id=order, error_code="gstin_checksum"
    )
    page = await operator.get(f"/operations/{held}")
    assert f'href="/records/order/{order}?field=gstin#correct"' in page.text
    form = await operator.get(f"/records/order/{order}?field=gstin")
    assert '<option value="gstin" selected>' in form.text
    assert "(at fault)" in text_of(form)
    line = await operator.get(f"/records/order/{order}?field=line_sku:")
    assert '<option value="line_sku:' in line.text
    assert line.text.count(" selected>") == 1


async def test_an_operator_corrects_a_field_and_believes_the_shop_again(
    operator: Person, owner: Connection, worker: Connection
) -> None:
    order = await place_order(owner)
    done = await operator.post(f"/records/order/{order}/override", field="state", value="ts", reason="asked them")
    assert done.headers["location"] == f"/records/order/{order}"
    text = text_of(await operator.get(f"/records/order/{order}"))
    assert "Corrected. If it was held, it is tried again now." in text
    assert "state : Telangana “asked them”" in text.replace("state: Telangana", "state : Telangana")
    (entry,) = await audited(worker, "override.set")
    assert (entry["actor"], entry["record_id"], entry["reason"]) == (operator.user.email, order, "asked them")
    await operator.post(f"/records/order/{order}/believe", field="state")
    assert await fetch_all(worker, "select 1 from zohosync.override") == []
    assert len(await audited(worker, "override.clear")) == 1


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"field": "state", "value": "Atlantis", "reason": "asked"}, "Write the state"),
        ({"field": "gstin", "value": "36AABCU9603R1ZX", "reason": "asked"}, "mistyped"),
        ({"field": "colour", "value": "red", "reason": "asked"}, "no field"),
        ({"field": "state", "value": "TS", "reason": ""}, "needs a reason"),
    ],
)
async def test_a_correction_that_makes_no_sense_is_refused_with_the_way_back(
    operator: Person, owner: Connection, worker: Connection, form: dict[str, str], why: str
) -> None:
    order = await place_order(owner)
    page = await operator.post(f"/records/order/{order}/override", back=f"/records/order/{order}#correct", **form)
    assert page.status_code == 422
    assert why in text_of(page)
    assert f'href="/records/order/{order}#correct"' in page.text
    assert await fetch_all(worker, "select 1 from zohosync.override") == []


async def test_sync_now_queues_every_stream_of_the_record(
    operator: Person, owner: Connection, worker: Connection
) -> None:
    order = await place_order(owner)
    done = await operator.post(f"/records/order/{order}/sync")
    assert done.headers["location"] == f"/records/order/{order}"
    assert [row["kind"] for row in await operations_of(worker, order)] == ["books.invoice.push"]
    (entry,) = await audited(worker, "operation.sync_now")
    assert (entry["entity"], entry["record_id"]) == ("order", order)


async def test_an_admin_parts_an_order_from_its_invoice(enter: Enter, owner: Connection, worker: Connection) -> None:
    order = await place_order(owner)
    await invoice(worker, order)
    admin = await enter(Role.ADMIN)
    assert "Unlink" in text_of(await admin.get(f"/records/order/{order}"))
    assert "stays in Zoho Books" in text_of(await admin.get(f"/records/order/{order}/unlink"))
    refused = await admin.post(f"/records/order/{order}/unlink", reason="")
    assert refused.status_code == 422
    await admin.post(f"/records/order/{order}/unlink", reason="of another order")
    assert await fetch_all(worker, "select zoho_id from zohosync.estrangement") == [{"zoho_id": INVOICE}]
    assert await fetch_all(worker, "select 1 from zohosync.document") == []
    assert "There is none yet." in text_of(await admin.get(f"/records/order/{order}"))


async def test_who_may_not_sees_no_forms(
    viewer: Person, operator: Person, owner: Connection, worker: Connection
) -> None:
    order = await place_order(owner)
    await invoice(worker, order)
    await finding(worker, order)
    page = await viewer.get(f"/records/order/{order}")
    assert page.text.count("<form") == page.text.count('action="/sign-out"') == 1
    page = await operator.get(f"/records/order/{order}")
    assert "/unlink" not in page.text
    assert 'value="replace"' not in page.text
    assert "An admin may also: Make a new document, Link another document." in text_of(page)


async def test_what_the_shop_wrote_is_never_markup(viewer: Person, owner: Connection) -> None:
    order = await place_order(owner)
    await owner.execute("update products set name = '<script>alert(1)</script>'")
    assert "<script>alert" not in (await viewer.get(f"/records/order/{order}")).text


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("https://accounts.zoho.in", "https://books.zoho.in/app/60001#/invoices/1"),
        ("https://accounts.zohocloud.ca", "https://books.zohocloud.ca/app/60001#/invoices/1"),
        ("http://127.0.0.1:8900", "http://127.0.0.1:8900/organisations/60001/invoices/1"),
    ],
)
def test_the_way_into_zoho_is_the_data_centres_own(server: str, address: str) -> None:
    assert books_address(server, "60001", "invoices", "1") == address


@pytest.mark.parametrize("term", ["ORD-1", "ord-", "NEEM-5L", "INV-000001", INVOICE])
async def test_the_log_finds_an_order_by_its_numbers_and_its_skus(
    viewer: Person, owner: Connection, worker: Connection, term: str
) -> None:
    order = await place_order(owner)
    await invoice(worker, order)
    number = await add_operation(
        worker, kind="books.invoice.push", entity="order", record_id=order, label="ORD-1", zoho_id=INVOICE
    )
    await add_operation(worker, label="customer@example.com")
    assert rows_of(await viewer.get(f"/log?q={term}")) == [number]


async def test_a_held_refund_is_corrected_on_the_page_of_its_order(
    operator: Person, owner: Connection, worker: Connection
) -> None:
    order = await place_order(owner)
    held = await add_operation(
        worker,
        "failed",
        kind="books.credit_note.push",
        entity="refund",
        record_id=order,
        error_code="goods_returned_unknown",
    )
    page = await operator.get(f"/operations/{held}")
    assert f'href="/records/order/{order}?field=returned#correct"' in page.text
