"""What the story plays about people: registrations, inquiries and quotes, and what became of them in the CRM."""

import time
from typing import Any

from zohosync.db.pool import fetch_one
from zohosync.demo.crm_window import find_by_email, find_record
from zohosync.demo.eventually import Unmet, eventually, expect
from zohosync.demo.orders import Address
from zohosync.demo.shop import Line
from zohosync.demo.stage import OLD_CUSTOMER, Stage
from zohosync.demo.witness import (
    break_contact,
    field_becomes,
    newest_operation,
    only_note,
    only_one,
    register,
    send_form,
    written_back,
)
from zohosync.store.insights import find_operation, list_attempts, list_record_operations

CUSTOMER = {"first_name": "Demo", "last_name": "Customer 1", "email": "customer1@example.com", "phone": "055555 00101"}
FIRM = {
    "first_name": "Demo",
    "last_name": "Buyer 2",
    "email": "buyer2@example.com",
    "phone": "+91 55555 00102",
    "company_name": "Demo Farms 2",
    "gst_number": "33AAACZ0001Z1Z0",
}
FIRM_ADDRESS = Address(
    name="Demo Buyer 2",
    email="buyer2@example.com",
    phone="+91 55555 00102",
    address_line1="4 Example Road",
    city="Coimbatore",
    state="Tamil Nadu",
    postal_code="641001",
)
"""Nobody approves this quote in the story: whoever tries the demo may."""
INQUIRY = {
    "name": "Demo Visitor 3",
    "email": "visitor3@example.com",
    "phone": "055555-00103",
    "subject": "Pond probiotic",
    "message": "How much for one hectare of pond?",
}
QUOTE_LINES = (Line("BF-AZO-5L", 20), Line("SD-PAD-25KG", 12), Line("AQ-PRB-1KG", 8))
UNLUCKY = {"first_name": "Demo", "last_name": "Customer 4", "email": "customer4@example.com"}
REFUSED = {"first_name": "Demo", "last_name": "Customer 5", "email": "customer5@example.com"}
WATCHED = {"first_name": "Demo", "last_name": "Customer 6", "email": "customer6@example.com"}


async def registration(stage: Stage) -> str:
    began = time.monotonic()
    user_id = await register(stage, CUSTOMER)
    crm_id = await written_back(stage, "users", user_id)
    took = time.monotonic() - began
    contact = only_one(stage, "Contacts", CUSTOMER["email"])
    expect("users.zoho_crm_id", crm_id, contact["id"])
    expect("the name", contact["Full_Name"], "Demo Customer 1")
    expect("the phone", contact["Phone"], "+915555500101")
    return f"Contact {crm_id}: {contact['Full_Name']}, {contact['Email']}, {contact['Phone']}; in {took:.2f} s"


async def profile_edit(stage: Stage) -> str:
    before = only_one(stage, "Contacts", CUSTOMER["email"])
    edited = {**CUSTOMER, "last_name": "Customer 1 (renamed)", "phone": "055555 00199"}
    began = time.monotonic()
    await send_form(stage, f"/users/{before['Storefront_User_Id']}", edited)
    after = await field_becomes(stage, "Contacts", before["id"], "Phone", "+915555500199")
    took = time.monotonic() - began
    expect("the last name", after["Last_Name"], edited["last_name"])
    only_one(stage, "Contacts", CUSTOMER["email"])
    return f"Contact {after['id']}: {before['Phone']} → {after['Phone']}, {after['Last_Name']}; in {took:.2f} s"


async def business_customer(stage: Stage) -> str:
    user_id = await register(stage, FIRM)
    crm_id = await written_back(stage, "users", user_id)
    contact = only_one(stage, "Contacts", FIRM["email"])
    expect("users.zoho_crm_id", crm_id, contact["id"])
    expect("the Contact's GSTIN", contact["GSTIN"], FIRM["gst_number"])
    link = contact["Account_Name"] or {}
    account = find_record(stage.simulator, "Accounts", str(link.get("id"))) or {}
    expect("the Account's name", account.get("Account_Name"), FIRM["company_name"])
    expect("the Account's GSTIN", account.get("GSTIN"), FIRM["gst_number"])
    return f"Contact {crm_id} → Account {link['id']} {account['Account_Name']}, GSTIN {contact['GSTIN']}"


async def contact_form(stage: Stage) -> str:
    leads_to = await send_form(stage, "/contact", INQUIRY)
    crm_id = await written_back(stage, "contact_submissions", leads_to.rpartition("=")[2])
    lead = only_one(stage, "Leads", INQUIRY["email"])
    expect("contact_submissions.zoho_crm_id", crm_id, lead["id"])
    expect("the Lead's name", (lead["First_Name"], lead["Last_Name"]), ("Demo Visitor", "3"))
    note = await only_note(stage, crm_id)
    for part in (INQUIRY["subject"], INQUIRY["message"]):
        if part not in note["Note_Content"]:
            raise Unmet(f"the Note lacks {part!r}")
    return f"Lead {crm_id}: {lead['Full_Name']}, {lead['Phone']}; Note {note['id']}: “{INQUIRY['message']}”"


async def quote_request(stage: Stage) -> str:
    user_id = only_one(stage, "Contacts", FIRM["email"])["Storefront_User_Id"]
    await stage.orders.keep_address(user_id, FIRM_ADDRESS)
    began = time.monotonic()
    quote_id = await stage.shop.open_quote(user_id, QUOTE_LINES, "For the next season")
    waiting = await newest_operation(stage, "quote", quote_id, "waiting")
    expect("what the quote waits for", waiting.wait_reason, "lines")
    await stage.shop.add_lines(user_id, quote_id, QUOTE_LINES)
    crm_id = await written_back(stage, "b2b_quotes", quote_id)
    note = await only_note(stage, crm_id)
    for line in QUOTE_LINES:
        if line.sku not in note["Note_Content"]:
            raise Unmet(f"the Note does not list {line.sku}")
    took = time.monotonic() - began
    skus = ", ".join(f"{line.quantity} × {line.sku}" for line in QUOTE_LINES)
    return f"Lead {crm_id}, Note “{note['Note_Title']}” lists {skus}; waited for its lines, done in {took:.2f} s"


async def live_log(stage: Stage) -> str:
    async with stage.operator.live() as events:
        mode = await anext(events)
        expect("the stream's first event", mode, "mode")
        began = time.monotonic()
        user_id = await register(stage, WATCHED)

        async def look() -> float | None:
            await anext(events)
            page = await stage.operator.read(f"/log?partial=rows&q={WATCHED['email']}")
            return time.monotonic() - began if "Success" in page and user_id in page else None

        took = await eventually("the log shows the registration after a live event", look, stage.patience)
    operation = await newest_operation(stage, "customer", user_id, "succeeded")
    page = await stage.operator.read(f"/operations/{operation.operation_id}")
    if str(operation.zoho_id) not in page:
        raise Unmet("the operation's page does not name the CRM record")
    return f"the stream said “changed”; {WATCHED['email']} stood in the log as Success {took:.2f} s after the click"


async def retries(stage: Stage) -> str:
    break_contact(stage, UNLUCKY["email"], "http_429")
    break_contact(stage, UNLUCKY["email"], "http_500_before_commit", after=1, count=2)
    user_id = await register(stage, UNLUCKY)
    await newest_operation(stage, "customer", user_id, "retrying")
    done = await newest_operation(stage, "customer", user_id, "succeeded")
    async with stage.services.pool.connection() as connection:
        attempts = await list_attempts(connection, done.operation_id)
    told = [f"{attempt.outcome} ({attempt.http_status or 'ok'})" for attempt in reversed(attempts)]
    outcomes = [attempt.outcome for attempt in reversed(attempts)]
    expect("the attempts", outcomes, ["waiting", "retrying", "retrying", "succeeded"])
    only_one(stage, "Contacts", UNLUCKY["email"])
    return f"operation #{done.operation_id}: {' → '.join(told)}; one Contact {done.zoho_id}"


async def sync_now(stage: Stage) -> str:
    refusal = break_contact(
        stage, REFUSED["email"], "record_error", code="INVALID_DATA", message="invalid data",
        details={"api_name": "Last_Name"},
    )  # fmt: skip
    user_id = await register(stage, REFUSED)
    failed = await newest_operation(stage, "customer", user_id, "failed")
    if not (failed.error_message and failed.error_hint):
        raise Unmet("the failure has no plain sentence with a remedy")
    stage.simulator.faults.clear(refusal.id)
    page = f"/operations/{failed.operation_id}"
    await stage.operator.press(page, f"{page}/sync")
    done = await newest_operation(stage, "customer", user_id, "succeeded")
    crm_id = await written_back(stage, "users", user_id)
    async with stage.services.pool.connection() as connection:
        cured = await find_operation(connection, failed.operation_id)
    if cured is None or cured.resolved_at is None:
        raise Unmet(f"operation #{failed.operation_id} is not marked as cured")
    said = f"{failed.error_message} {failed.error_hint}"
    return f"#{failed.operation_id} failed: “{said}”; Sync now → #{done.operation_id} made Contact {crm_id}, cured"


async def nothing_older(stage: Stage) -> str:
    async def look() -> Any:
        async with stage.services.pool.connection() as connection:
            return await fetch_one(
                connection,
                """select last_run_at from zohosync.clock_job
                    where job = 'catch_up_scan' and error is null and last_run_at > %(since)s""",
                {"since": stage.live_since},
            )

    scan = await eventually("a catch-up scan ran after go-live", look, stage.patience)
    async with stage.services.pool.connection() as connection:
        operations = await list_record_operations(connection, "customer", stage.old_customer_id)
    expect("operations of the old customer", operations, [])
    expect("Contacts of the old customer", find_by_email(stage.simulator, "Contacts", OLD_CUSTOMER.email), [])
    return f"{OLD_CUSTOMER.email}: no operation, no Contact, also after the scan of {scan['last_run_at']:%H:%M:%S} UTC"
