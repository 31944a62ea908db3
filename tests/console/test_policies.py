"""Settings › Documents, and HSN and rates: read by all, changed by who may."""

import pytest

from console.conftest import Enter
from console.goods import place_order
from console.stage import Person, audited, text_of
from zohosync.console.policies import list_options
from zohosync.db.pool import Connection, fetch_all
from zohosync.store.holds import put_hold
from zohosync.store.users import Role
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.policy_list import list_policies


@pytest.fixture
async def admin(enter: Enter) -> Person:
    return await enter(Role.ADMIN)


async def test_every_policy_is_told_with_its_meaning(viewer: Person) -> None:
    page = await viewer.get("/settings/documents")
    text = text_of(page)
    for line in list_policies(Policies(), {}):
        assert f'id="{line.name}"' in page.text
        assert line.title in text
    assert "Until it is set, every document is held." in text
    assert "Admins can change policies." in text
    assert 'action="/settings/documents"' not in page.text


async def test_an_admin_decides_and_leaves_to_the_default(admin: Person, worker: Connection) -> None:
    done = await admin.post("/settings/documents", name="price_basis", value="inclusive")
    assert done.headers["location"] == "/settings/documents#price_basis"
    page = await admin.get("/settings/documents")
    assert '<option value="inclusive" selected>' in page.text
    assert "Saved." in text_of(page)
    (entry,) = await audited(worker, "policy.set")
    assert (entry["actor"], entry["detail"]["value"]) == (admin.user.email, "inclusive")
    await admin.post("/settings/documents", name="price_basis", value="")
    assert await fetch_all(worker, "select 1 from zohosync.policy") == []


@pytest.mark.parametrize(("name", "value"), [("price_basis", "free"), ("lut", "perhaps"), ("colour", "red"), ("", "")])
async def test_what_a_policy_cannot_be_is_refused(admin: Person, worker: Connection, name: str, value: str) -> None:
    assert (await admin.post("/settings/documents", name=name, value=value)).status_code == 422
    assert await fetch_all(worker, "select 1 from zohosync.policy") == []


async def test_without_zoho_ids_are_typed(admin: Person) -> None:
    page = await admin.get("/settings/documents")
    assert "so ids are typed" in text_of(page)
    assert '<input name="value" value="" placeholder="id of Books" aria-label="Sales account"' in page.text
    (line,) = [line for line in list_policies(Policies(), {}) if line.name == "sales_account_id"]
    assert list_options(line, None) == []


async def test_a_sheet_is_looked_at_and_then_written(operator: Person, owner: Connection, worker: Connection) -> None:
    await place_order(owner)
    page = text_of(await operator.get("/settings/rates"))
    assert "1 SKUs, 1 without HSN code or rate." in page
    sheet = "sku\thsn_code\tgst_rate\ttax_category\nNEEM-5L\t38089199\t18\ttaxable\nROSE\t38089199\t18\ttaxable\n"
    shown = await operator.post("/settings/rates", sheet=sheet)
    assert "1 of 2 rows would be written, 1 are refused." in text_of(shown)
    assert await fetch_all(owner, "select hsn_code from product_variants") == [{"hsn_code": None}]
    done = await operator.post("/settings/rates", sheet=sheet, apply="yes")
    assert done.headers["location"] == "/settings/rates"
    assert await fetch_all(owner, "select hsn_code from product_variants") == [{"hsn_code": "38089199"}]
    (entry,) = await audited(worker, "rates.import")
    assert set(entry["detail"]["changes"]) == {"NEEM-5L"}


async def test_a_large_sheet_is_taken(operator: Person) -> None:
    rows = "".join(f"SKU-{n},38089199,18,taxable\n" for n in range(5000))
    shown = await operator.post("/settings/rates", sheet=f"sku,hsn_code,gst_rate,tax_category\n{rows}")
    assert shown.status_code == 200
    assert "5000 are refused" in text_of(shown)


async def hold(worker: Connection, count: int) -> None:
    for number in range(count):
        await put_hold(
            worker,
            kind="books.invoice.push",
            entity="order",
            record_id=f"00000000-0000-0000-0000-{number:012}",
            operation_id=number + 1,
            codes=["price_basis_unknown"],
            digest=None,
            policies="x",
        )


@pytest.mark.parametrize(("name", "value"), [("price_basis", "inclusive"), ("mail_invoice", "yes")])
async def test_what_makes_many_held_documents_at_once_is_asked_first(
    admin: Person, worker: Connection, name: str, value: str
) -> None:
    await hold(worker, 21)
    asked = await admin.post("/settings/documents", name=name, value=value)
    assert asked.status_code == 200
    assert "More than 20 documents are held now." in text_of(asked)
    assert ("and mailed to the customers" in text_of(asked)) == (name == "mail_invoice")
    assert 'name="csrf" value="' in asked.text
    assert await fetch_all(worker, "select 1 from zohosync.policy") == []
    assert len(await fetch_all(worker, "select 1 from zohosync.hold where policies = 'x'")) == 21
    done = await admin.post("/settings/documents", name=name, value=value, sure="yes")
    assert done.headers["location"] == f"/settings/documents#{name}"
    assert len(await fetch_all(worker, "select 1 from zohosync.policy")) == 1


async def test_what_it_cannot_be_is_refused_and_not_asked(admin: Person, worker: Connection) -> None:
    await hold(worker, 21)
    assert (await admin.post("/settings/documents", name="price_basis", value="<b>")).status_code == 422


@pytest.mark.parametrize(("count", "name", "value"), [(20, "price_basis", "inclusive"), (21, "lut", "no")])
async def test_few_documents_or_a_smaller_matter_are_not_asked_about(
    admin: Person, worker: Connection, count: int, name: str, value: str
) -> None:
    await hold(worker, count)
    assert (await admin.post("/settings/documents", name=name, value=value)).status_code == 303


async def test_an_operator_is_not_even_asked(operator: Person, worker: Connection) -> None:
    await hold(worker, 21)
    assert (await operator.post("/settings/documents", name="price_basis", value="inclusive")).status_code == 403
