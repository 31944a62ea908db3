"""crm.contact.push: customers of the shop as Contacts."""

from collections.abc import AsyncIterator

import pytest

from conftest import Database
from stage import Stage, open_stage
from zohosync.db.pool import fetch_all, fetch_one


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def test_a_registration_becomes_a_contact_with_its_id_written_back(stage: Stage) -> None:
    user = await stage.register(phone="98765 43210", gst_number="29ABCDE1234F2Z5")
    await stage.run()
    (contact,) = await stage.records("Contacts")
    assert contact["First_Name"] == "Demo"
    assert contact["Last_Name"] == "Customer"
    assert contact["Email"] == "customer@example.com"
    assert contact["Phone"] == "+919876543210"
    assert contact["Storefront_User_Id"] == user
    row = await fetch_one(stage.shop, "select zoho_crm_id from users")
    assert row == {"zoho_crm_id": contact["id"]}
    operation = await stage.only_operation()
    assert (operation["status"], operation["action"], operation["zoho_id"]) == ("succeeded", "insert", contact["id"])
    assert operation["label"] == "customer@example.com"


async def test_a_hundred_registrations_take_one_call(stage: Stage) -> None:
    await stage.shop.execute(
        "insert into users (email, first_name, last_name)"
        " select 'c' || n || '@example.com', 'Customer', 'No ' || n from generate_series(1, 100) n"
    )
    await stage.run()
    assert len(await stage.records("Contacts")) == 100
    assert len(await stage.calls(operation="upsert")) == 1
    left = await fetch_all(stage.shop, "select 1 from users where zoho_crm_id is null")
    assert left == []


async def test_a_changed_email_updates_the_same_contact(stage: Stage) -> None:
    user = await stage.register()
    await stage.run()
    await stage.shop.execute("update users set email = 'new@example.com' where id = %s", (user,))
    await stage.run()
    (contact,) = await stage.records("Contacts")
    assert contact["Email"] == "new@example.com"
    assert [call["method"] for call in await stage.calls(module="Contacts", service="crm") if call["records"]] == [
        "POST",
        "PUT",
    ]


async def test_an_identical_payload_is_skipped_without_a_call(stage: Stage) -> None:
    user = await stage.register()
    await stage.run()
    before = len(await stage.calls())
    await stage.shop.execute("update users set phone = '+91' where id = %s", (user,))
    await stage.run()
    assert (await stage.operations())[-1]["action"] == "identical"
    assert len(await stage.calls()) == before


async def test_our_own_write_back_makes_no_operation(stage: Stage) -> None:
    await stage.register()
    await stage.run(turns=3)
    assert len(await stage.operations()) == 1


async def test_a_value_the_shop_no_longer_has_is_cleared_but_one_typed_into_zoho_stays(stage: Stage) -> None:
    user = await stage.register(phone="9876543210")
    await stage.run()
    await stage.shop.execute("update users set phone = null where id = %s", (user,))
    await stage.run()
    (contact,) = await stage.records("Contacts")
    assert contact.get("Phone") is None
    contact["Phone"] = "+919000000000"
    await stage.zoho.post("/_sim/records", json={"module": "Contacts", "id": contact["id"], "locked": False})
    await stage.shop.execute("update users set first_name = 'Renamed' where id = %s", (user,))
    await stage.run()
    calls = [call for call in await stage.calls(operation="update") if call["records"]]
    assert len(calls) == 2


async def test_two_customers_with_one_email_are_never_merged(stage: Stage) -> None:
    await stage.shop.execute(
        "insert into users (email, first_name, last_name) values ('same@example.com', 'A', 'One'),"
        " ('Same@example.com', 'B', 'Two')"
    )
    await stage.run(turns=2)
    (contact,) = await stage.records("Contacts")
    failed = [operation for operation in await stage.operations() if operation["status"] == "failed"]
    assert [operation["error_code"] for operation in failed] == ["email_shared"]
    assert "Merge the two customers" in failed[0]["error_hint"]
    assert contact["Last_Name"] in ("One", "Two")


async def test_a_b2b_customer_is_linked_to_an_account(stage: Stage) -> None:
    await stage.register(role="b2b_client", company_name="Green Farms", gst_number="27AAPFU0939F1ZV")
    await stage.run()
    (account,) = await stage.records("Accounts")
    (contact,) = await stage.records("Contacts")
    assert account["Account_Name"] == "Green Farms"
    assert account["GSTIN"] == "27AAPFU0939F1ZV"
    assert contact["Account_Name"]["id"] == account["id"]


async def test_two_firms_with_one_name_stay_two_and_one_gstin_is_one(stage: Stage) -> None:
    await stage.register("a@example.com", role="b2b_client", company_name="Green Farms")
    await stage.register("b@example.com", role="b2b_client", company_name="Green Farms")
    await stage.register("c@example.com", role="b2b_client", company_name="Sea Foods", gst_number="27AAPFU0939F1ZV")
    await stage.register("d@example.com", role="b2b_client", company_name="Sea Foods Ltd", gst_number="27AAPFU0939F1ZV")
    await stage.run(turns=2)
    assert len([a for a in await stage.records("Accounts") if a["Account_Name"] == "Green Farms"]) == 2
    assert len(await stage.records("Accounts")) == 3
    assert {operation["status"] for operation in await stage.operations()} == {"succeeded"}


@pytest.mark.parametrize("kind", ["timeout_after_commit", "drop_connection_after_commit", "http_500_after_commit"])
@pytest.mark.parametrize("fields", [True, False])
async def test_an_unknown_outcome_never_makes_a_second_contact(database: Database, kind: str, fields: bool) -> None:
    """Even when the e-mail changes between the two attempts."""
    async with open_stage(database, fields=fields) as stage:
        user = await stage.register()
        await stage.fault(kind, match={"operation": "upsert", "module": "Contacts"})
        await stage.run()
        assert (await stage.only_operation())["status"] == "retrying"
        await stage.shop.execute("update users set email = 'moved@example.com' where id = %s", (user,))
        await stage.run()
        await stage.due_now()
        await stage.run()
        (contact,) = await stage.records("Contacts")
        assert contact["Email"] == "moved@example.com"
        assert [o["status"] for o in await stage.operations()][-1] == "succeeded"


async def test_one_refused_record_does_not_hold_up_its_batch(stage: Stage) -> None:
    await stage.fault(
        "record_error",
        code="INVALID_DATA",
        details={"api_name": "Last_Name"},
        match={"record": {"field": "Email", "equals": "bad@example.com"}},
    )
    for email in ("a@example.com", "bad@example.com", "b@example.com"):
        await stage.register(email)
    await stage.run()
    by_label = {operation["label"]: operation for operation in await stage.operations()}
    assert by_label["bad@example.com"]["status"] == "failed"
    assert by_label["bad@example.com"]["error_field"] == "Last_Name"
    assert by_label["a@example.com"]["status"] == by_label["b@example.com"]["status"] == "succeeded"


async def test_a_failure_is_cured_by_sync_now(stage: Stage) -> None:
    user = await stage.register(email="not an address")
    await stage.run()
    failed = await stage.only_operation()
    assert (failed["status"], failed["error_code"]) == ("failed", "email_invalid")
    await stage.shop.execute("update users set email = 'right@example.com' where id = %s", (user,))
    await stage.run()
    first, second = await stage.operations()
    assert second["status"] == "succeeded"
    assert first["resolved_at"] is not None


async def test_a_contact_deleted_in_zoho_is_made_anew(stage: Stage) -> None:
    user = await stage.register()
    await stage.run()
    (contact,) = await stage.records("Contacts")
    await stage.delete_in_zoho("Contacts", contact["id"])
    await stage.shop.execute("update users set first_name = 'Renamed' where id = %s", (user,))
    await stage.run()
    await stage.due_now()
    await stage.run()
    (anew,) = await stage.records("Contacts")
    assert anew["id"] != contact["id"]
    assert await fetch_one(stage.shop, "select zoho_crm_id from users") == {"zoho_crm_id": anew["id"]}


async def test_an_id_of_an_older_integration_is_adopted_only_when_zoho_confirms_it(stage: Stage) -> None:
    await stage.register("first@example.com")
    await stage.run()
    (contact,) = await stage.records("Contacts")
    await stage.shop.execute("delete from zohosync.link")
    await stage.shop.execute("delete from users")
    await stage.register("first@example.com", zoho_crm_id=contact["id"], first_name="Confirmed")
    await stage.register("other@example.com", zoho_crm_id=contact["id"], first_name="Wrong")
    await stage.run()
    by_email = {one["Email"]: one for one in await stage.records("Contacts")}
    assert by_email["first@example.com"]["id"] == contact["id"]
    assert by_email["first@example.com"]["First_Name"] == "Confirmed"
    assert by_email["other@example.com"]["id"] != contact["id"]


async def test_staff_are_not_customers(stage: Stage) -> None:
    await stage.register(role="admin")
    await stage.run()
    assert await stage.operations() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"first_name": "Only", "last_name": ""}, {"Last_Name": "Only"}),
        ({"first_name": "", "last_name": ""}, {"Last_Name": "-"}),
        (
            {"first_name": "Zoë 🌱", "last_name": "<b>O'Brien</b>; drop table users"},
            {"First_Name": "Zoë 🌱", "Last_Name": "<b>O'Brien</b>; drop table users"},
        ),
    ],
)
async def test_odd_names_arrive_as_they_are(stage: Stage, values: dict[str, str], expected: dict[str, str]) -> None:
    await stage.register(**values)
    await stage.run()
    (contact,) = await stage.records("Contacts")
    assert {name: contact[name] for name in expected} == expected


async def test_values_zoho_would_refuse_are_left_out_and_told(stage: Stage) -> None:
    await stage.register(phone="call me", gst_number="29WRONG", first_name="F" * 41)
    await stage.run()
    operation = await stage.only_operation()
    (contact,) = await stage.records("Contacts")
    assert operation["status"] == "succeeded"
    assert contact.get("Phone") is None
    assert contact.get("First_Name") is None
    told = " ".join(operation["warnings"])
    assert "Phone 'call me'" in told
    assert "GSTIN '29WRONG'" in told
    assert "41 characters; Zoho allows 40" in told


async def test_an_over_long_mandatory_name_fails_with_the_limit(stage: Stage) -> None:
    await stage.register(last_name="L" * 81)
    await stage.run()
    operation = await stage.only_operation()
    assert operation["status"] == "failed"
    assert operation["error_field"] == "Last_Name"
    assert "Zoho allows 80" in operation["error_message"]


async def test_a_custom_field_that_does_not_exist_is_reported(database: Database) -> None:
    async with open_stage(database, fields=False) as stage:
        await stage.register()
        await stage.run()
        operation = await stage.only_operation()
        assert operation["status"] == "succeeded"
        assert any("Storefront_User_Id does not exist in Contacts" in warning for warning in operation["warnings"])


async def test_automations_run_for_new_contacts_only(stage: Stage) -> None:
    user = await stage.register()
    await stage.run()
    await stage.shop.execute("update users set first_name = 'Renamed' where id = %s", (user,))
    await stage.run()
    attempts = await fetch_all(stage.shop, "select request from zohosync.attempt order by attempt_id")
    assert len(attempts) == 2


async def test_a_row_the_shop_holds_locked_gets_its_id_later(stage: Stage, database: Database) -> None:
    from zohosync.db.pool import connect
    from zohosync.store import write_backs

    user = await stage.register()
    async with await connect(database.admin_url) as busy, busy.transaction():
        await busy.execute("select 1 from users where id = %s for update", (user,))
        await stage.run()
        assert (await stage.only_operation())["status"] == "succeeded"
    assert await fetch_one(stage.shop, "select zoho_crm_id from users") == {"zoho_crm_id": None}
    async with stage.services.pool.connection() as connection:
        assert await write_backs.settle(connection) == 0
    (contact,) = await stage.records("Contacts")
    assert await fetch_one(stage.shop, "select zoho_crm_id from users") == {"zoho_crm_id": contact["id"]}


async def test_a_field_the_admin_made_mandatory_fails_with_its_name_and_passes_once_it_is_filled(stage: Stage) -> None:
    await stage.fault("new_mandatory_field", field="Department", match={"module": "Contacts"})
    await stage.register()
    await stage.run()
    operation = await stage.only_operation()
    assert (operation["status"], operation["error_field"]) == ("failed", "Department")
    assert "Department" in operation["error_message"]
    assert operation["label"] == "customer@example.com"


async def test_a_retrying_operation_is_known_by_its_email(stage: Stage) -> None:
    await stage.register()
    await stage.fault("http_500_before_commit", match={"operation": "upsert"})
    await stage.run()
    operation = await stage.only_operation()
    assert (operation["status"], operation["label"]) == ("retrying", "customer@example.com")
