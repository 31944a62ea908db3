"""What doctor says about Zoho CRM and Zoho Books, well and unwell."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from conftest import Database
from doctor.practice import levels, look, look_once
from stage import Stage, open_stage
from zohosync.store.shop import ShopCustomer, ShopInquiry
from zohosync.sync.accounts import Company, translate_company
from zohosync.sync.contact_drafts import translate_contact
from zohosync.sync.doctor.books import find_lacking
from zohosync.sync.doctor.finding import Level
from zohosync.sync.doctor.zoho import ALWAYS_SENT, SOMETIMES_SENT
from zohosync.sync.inquiries import translate_inquiry
from zohosync.zoho import scopes
from zohosync.zoho.books_entities import Tax

OF_ZOHO = ("zoho_organisation", "data_centre", "crm_plan", "permissions", "custom_fields", "field_drift",
           "books_organisation", "books_plan", "books_profile", "books_taxes", "clock_skew_zoho")  # fmt: skip


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def set_login(stage: Stage, **values: object) -> None:
    changes = ", ".join(f"{name} = %({name})s" for name in values)
    await stage.shop.execute(f"update zohosync.connection set {changes}".encode(), values)


async def change_field(stage: Stage, module: str, name: str, **changes: object) -> None:
    fields = stage.sim.crm.module(module).fields
    fields[name] = replace(fields[name], **changes)  # type: ignore[arg-type]


async def test_a_login_that_works_is_well(stage: Stage) -> None:
    finding = await look_once(stage, "zoho_login")
    assert finding.level is Level.OK
    assert "60 min" in finding.sentence


async def test_without_a_login_nothing_else_is_judged(database: Database) -> None:
    async with open_stage(database, connected=False) as stage:
        assert (await look_once(stage, "zoho_login")).level is Level.REMARK
        for check in OF_ZOHO:
            finding = await look_once(stage, check)
            assert (check, finding.level, finding.sentence) == (check, Level.NOT_CHECKED, "Zoho is not connected.")
        await stage.shop.execute("update zohosync.installation set capturing = true, live_since = now()")
        assert (await look_once(stage, "zoho_login")).level is Level.WRONG


async def test_a_dead_login_is_wrong_once(stage: Stage) -> None:
    await set_login(stage, state="needs_reauth", error_code="grant_dead", error_message="The grant was revoked.")
    finding = await look_once(stage, "zoho_login")
    assert finding.level is Level.WRONG
    assert "zohosync connect" in finding.remedy
    for check in OF_ZOHO:
        assert levels(await look(stage, check)) == {Level.NOT_CHECKED}


async def test_a_login_revoked_at_zoho_is_found_out(stage: Stage) -> None:
    await stage.fault("revoke_grant")
    finding = await look_once(stage, "zoho_login")
    assert finding.level is Level.WRONG
    assert finding.data["code"] != "zoho_unavailable"


async def test_an_unreachable_zoho_is_wrong_once(stage: Stage) -> None:
    await stage.fault("http_500_before_commit", count=100)
    assert (await look_once(stage, "zoho_login")).level is Level.WRONG
    assert (await look_once(stage, "crm_plan")).level is Level.NOT_CHECKED


async def test_offline_asks_zoho_nothing(stage: Stage) -> None:
    before = len(stage.sim.calls.entries)
    for check in ("zoho_login", *OF_ZOHO):
        finding = await look_once(stage, check, offline=True)
        assert finding.level is (Level.OK if check in ("data_centre", "permissions") else Level.NOT_CHECKED), check
    assert len(stage.sim.calls.entries) == before


async def test_the_organisation_must_be_the_pinned_one(stage: Stage) -> None:
    assert (await look_once(stage, "zoho_organisation")).level is Level.OK
    await stage.shop.execute("update zohosync.installation set organisation_id = '1'")
    finding = await look_once(stage, "zoho_organisation")
    assert (finding.level, finding.data["pinned"]) == (Level.WRONG, "1")


async def test_another_data_centre_than_the_setting_is_remarked(stage: Stage) -> None:
    assert (await look_once(stage, "data_centre")).level is Level.OK
    await set_login(stage, data_centre="eu")
    finding = await look_once(stage, "data_centre")
    assert (finding.level, finding.data["data_centre"]) == (Level.REMARK, "eu")


async def test_settings_above_what_the_edition_allows_are_wrong(stage: Stage) -> None:
    finding = await look_once(stage, "crm_plan")
    assert (finding.level, finding.data) == (
        Level.OK,
        {"edition": "enterprise", "credits": 60_000, "at_once": 20},
    )
    stage.sim.limits.edition = "free"
    findings = await look(stage, "crm_plan", crm_in_flight=6)
    assert levels(findings) == {Level.WRONG}
    assert ["CRM_DAILY_CREDITS" in finding.sentence for finding in findings] == [True, False]
    assert levels(await look(stage, "crm_plan", crm_in_flight=5, crm_daily_credits=5_000)) == {Level.OK}


async def test_a_spent_budget_is_told(stage: Stage) -> None:
    assert levels(await look(stage, "api_budget")) == {Level.OK}
    await stage.shop.execute(
        "insert into zohosync.budget_day (organisation_id, product, day, used)"
        " select organisation_id, 'crm', (now() at time zone 'UTC')::date, 40000 from zohosync.installation"
        " on conflict (organisation_id, product, day) do update set used = 40000"
    )
    assert Level.REMARK in levels(await look(stage, "api_budget"))
    await stage.shop.execute("update zohosync.budget_day set used = 49900 where product = 'crm'")
    assert Level.WRONG in levels(await look(stage, "api_budget"))


async def test_missing_permissions_are_named(stage: Stage) -> None:
    await set_login(stage, scopes=[*scopes.REQUIRED, *scopes.OPTIONAL, *scopes.BOOKS_REQUIRED])
    assert (await look_once(stage, "permissions")).level is Level.OK
    await set_login(stage, scopes=list(scopes.REQUIRED))
    optional = await look_once(stage, "permissions")
    assert optional.level is Level.REMARK
    assert scopes.FIELDS_CREATE in optional.data["missing"]
    await set_login(stage, scopes=list(scopes.REQUIRED[1:]))
    findings = await look(stage, "permissions")
    assert (findings[0].level, findings[0].data["missing"]) == (Level.WRONG, [scopes.REQUIRED[0]])
    await set_login(stage, scopes=[])
    assert (await look_once(stage, "permissions")).level is Level.NOT_CHECKED


async def test_missing_short_and_common_custom_fields_are_told_apart(stage: Stage) -> None:
    assert (await look_once(stage, "custom_fields")).level is Level.OK
    await change_field(stage, "Contacts", "GSTIN", length=10)
    await change_field(stage, "Contacts", "Storefront_User_Id", unique=False)
    del stage.sim.crm.module("Leads").fields["GSTIN"]
    findings = await look(stage, "custom_fields")
    assert [(f.level, f.data["module"], f.data["field"]) for f in findings] == [
        (Level.REMARK, "Leads", "GSTIN"),
        (Level.WRONG, "Contacts", "Storefront_User_Id"),
        (Level.WRONG, "Contacts", "GSTIN"),
    ]


async def test_changes_of_fields_are_told_since_the_last_look(stage: Stage) -> None:
    assert "are remembered" in (await look_once(stage, "field_drift")).sentence
    assert "No field we use has changed" in (await look_once(stage, "field_drift")).sentence
    await change_field(stage, "Contacts", "Phone", length=20)
    await change_field(stage, "Contacts", "Storefront_User_Id", unique=False)
    del stage.sim.crm.module("Leads").fields["GSTIN"]
    findings = await look(stage, "field_drift")
    told = " ".join(finding.sentence for finding in findings)
    assert levels(findings) == {Level.REMARK}
    assert "Contacts: Phone got shorter" in told
    assert "Contacts: Storefront User Id allows duplicates now" in told
    assert "Leads: GSTIN vanished" in told
    assert levels(await look(stage, "field_drift")) == {Level.OK}


async def test_a_mandatory_field_we_never_send_is_wrong(stage: Stage) -> None:
    await look(stage, "field_drift")
    await stage.fault("new_mandatory_field", match={"module": "Leads"}, field="Website")
    await stage.fault("new_mandatory_field", match={"module": "Contacts"}, field="Phone")
    findings = await look(stage, "field_drift")
    assert [(f.level, f.data.get("field")) for f in findings] == [
        (Level.REMARK, "Phone"),
        (Level.WRONG, "Website"),
        (Level.REMARK, None),
        (Level.REMARK, None),
    ]


def test_what_doctor_believes_is_sent_is_what_the_streams_send() -> None:
    customer = ShopCustomer("1", "customer@example.com", "Demo", "Customer", "9876543210", "b2b_client", "Demo Firm",
                            "36AAAAA0000A1Z9", None, True, "")  # fmt: skip
    inquiry = ShopInquiry(
        "1", 0.0, "Demo Visitor", "visitor@example.com", "9876543210", "Demo Firm", "", "", None, True, ""
    )
    for module, payload in (
        ("Contacts", translate_contact(customer, "IN")[0]),
        ("Leads", translate_inquiry(inquiry, "IN")[0]),
        ("Accounts", translate_company(Company.of_customer("1", "Demo Firm", None, 1))),
    ):
        known = ALWAYS_SENT[module] | SOMETIMES_SENT[module]
        assert set(payload) <= known, module


async def test_the_books_must_be_those_that_are_pinned(stage: Stage) -> None:
    assert (await look_once(stage, "books_organisation")).level is Level.OK
    await set_login(stage, books_organisation_id=None)
    assert (await look_once(stage, "books_organisation")).level is Level.REMARK
    assert (await look_once(stage, "books_plan")).level is Level.NOT_CHECKED
    await set_login(stage, books_organisation_id="1")
    assert (await look_once(stage, "books_organisation")).level is Level.WRONG
    stage.sim.books.close_organisations()
    assert (await look_once(stage, "books_organisation")).level is Level.REMARK


async def test_without_permission_the_books_are_not_judged(stage: Stage) -> None:
    await set_login(stage, scopes=list(scopes.REQUIRED))
    finding = await look_once(stage, "books_profile")
    assert finding.level is Level.NOT_CHECKED
    assert "no permission" in finding.sentence


async def test_settings_above_what_the_plan_allows_are_wrong(stage: Stage) -> None:
    assert (await look_once(stage, "books_plan")).level is Level.OK
    poor = stage.sim.seed_books_organisation(plan="free")
    await set_login(stage, books_organisation_id=poor.id)
    findings = await look(stage, "books_plan", books_daily_calls=2_000, books_in_flight=6)
    assert levels(findings) == {Level.WRONG}
    assert ["DAILY_CALLS" in finding.sentence for finding in findings] == [True, False]
    assert levels(await look(stage, "books_plan", books_daily_calls=1_000, books_in_flight=5)) == {Level.OK}


async def test_a_login_that_may_only_read_books_has_them_judged_all_the_same(stage: Stage) -> None:
    await set_login(stage, scopes=[*scopes.REQUIRED, scopes.BOOKS_SETTINGS_READ])
    assert Level.NOT_CHECKED not in levels(await look(stage, "books_profile"))


async def test_books_without_gst_or_rupees_are_wrong(stage: Stage) -> None:
    assert (await look_once(stage, "books_profile")).level is Level.OK
    abroad = stage.sim.seed_books_organisation(
        gst=False, currency_code="USD", country_code="US", time_zone="America/New_York"
    )
    await set_login(stage, books_organisation_id=abroad.id)
    findings = await look(stage, "books_profile")
    assert [finding.level for finding in findings] == [Level.WRONG, Level.WRONG, Level.REMARK]


def test_half_of_a_rate_is_no_tax_within_a_state() -> None:
    taxes = [
        Tax("1", "CGST9", Decimal(9), "tax", "intra", "cgst"),
        Tax("2", "GST18", Decimal(18), "tax_group", "intra", ""),
        Tax("3", "IGST18", Decimal(18), "tax", "inter", "igst"),
        Tax("4", "IGST5", Decimal(5), "tax", "", "igst"),
    ]
    assert find_lacking(taxes, [Decimal(18)]) == []
    assert find_lacking(taxes, [Decimal(9), Decimal(5)]) == [
        "9 % within a state",
        "9 % between states",
        "5 % within a state",
    ]


async def test_a_rate_of_the_goods_that_books_lacks_is_named(stage: Stage) -> None:
    assert (await look_once(stage, "books_taxes")).level is Level.NOT_CHECKED
    await stage.shop.execute(
        "with p as (insert into products (name) values ('Neem oil') returning id)"
        " insert into product_variants (product_id, sku, hsn_code, gst_rate)"
        " select id, 'NEEM-' || r, '310100', r from p, unnest(array[5, 18]) r"
    )
    assert (await look_once(stage, "books_taxes")).level is Level.OK
    await stage.shop.execute("update product_variants set gst_rate = 17 where gst_rate = 18")
    finding = await look_once(stage, "books_taxes")
    assert finding.level is Level.WRONG
    assert finding.data["lacking"] == ["17 % within a state", "17 % between states"]
