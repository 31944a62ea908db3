"""rehearse and preview as a person uses them; nobody has connected Zoho yet."""

import pytest

from cli.conftest import Command, Shop, json_of, refused

PAST = (
    "insert into users (email, first_name, last_name, phone, role, company_name) values"
    " ('good@example.com', 'Demo', 'Customer', null, 'customer', null),"
    " ('firm@example.com', 'Demo', 'Buyer', 'call me', 'b2b_client', 'Demo Farms'),"
    " ('not an address', 'Demo', 'Nobody', null, 'customer', null)",
    "insert into contact_submissions (name, email, subject, message)"
    " values ('Demo Visitor', 'visitor@example.com', 'Dosage', '🌾 How much?')",
)


@pytest.fixture
def past(installed: Shop) -> Shop:
    """A shop that had customers before zohosync came."""
    installed.execute(*PAST)
    return installed


def test_a_rehearsal_reads_as_a_report(command: Command, past: Shop) -> None:
    result = command("rehearse", **past.env)
    assert result.exit_code == 0, result.output
    for told in (
        "WOULD BE REFUSED\n  1 × The e-mail address is not one. [email_invalid, Email; customer]",
        "WOULD BE SENT, WITH SOMETHING LEFT OUT OR CHANGED\n  1 × The phone number is not one",
        "firm@example.com · Phone 'call me' is not a phone number",
        "crm.contact.push, customer: 3 looked at, 1 fine, 1 with warnings, 0 would wait, 1 refused.",
        "crm.lead.push, inquiry: 1 looked at, 1 fine, 0 with warnings, 0 would wait, 0 refused.",
        "only Zoho's standard lengths: Zoho is not connected.",
        "Nothing was sent to Zoho",
    ):
        assert told in result.stdout


def test_machines_get_the_same(command: Command, past: Shop) -> None:
    found = json_of(command("rehearse", "--json", **past.env))
    by_entity = {line["entity"]: line for line in found["streams"]}
    assert by_entity["customer"] == {
        "kind": "crm.contact.push",
        "entity": "customer",
        "looked_at": 3,
        "fine": 1,
        "warned": 1,
        "waiting": 0,
        "refused": 1,
    }
    assert [(group["section"], group["code"], group["count"]) for group in found["findings"]] == [
        ("refused", "email_invalid", 1),
        ("warned", "phone_invalid", 1),
    ]
    assert found["findings"][1]["examples"][0]["label"] == "firm@example.com"


def test_a_report_to_pass_on_holds_nothing_personal(command: Command, past: Shop) -> None:
    user = past.fetch("select id::text from users where email = 'firm@example.com'")[0]["id"]
    for arguments in (("--mask",), ("--mask", "--json")):
        said = command("rehearse", *arguments, **past.env).stdout
        assert user in said
        assert "f***@example.com" in said
        for personal in ("firm@", "call me", "not an address", "Demo Farms"):
            assert personal not in said


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--strict",), 1), (("--strict", "--customers", "0"), 0)])
def test_only_a_strict_rehearsal_fails(command: Command, past: Shop, arguments: tuple[str, ...], code: int) -> None:
    assert command("rehearse", *arguments, **past.env).exit_code == code


def test_few_or_all_are_looked_at(command: Command, past: Shop) -> None:
    few = json_of(command("rehearse", "--customers", "1", "--inquiries", "0", "--json", **past.env))
    looked_at = {line["entity"]: line["looked_at"] for line in few["streams"]}
    assert (looked_at["customer"], looked_at["quote"], "inquiry" in looked_at) == (1, 0, False)
    everything = json_of(command("rehearse", "--all", "--customers", "1", "--json", **past.env))
    assert {line["entity"]: line["looked_at"] for line in everything["streams"]}["customer"] == 3
    assert command("rehearse", "--customers", "-1", **past.env).exit_code == 2


def test_a_preview_shows_the_requests(command: Command, past: Shop) -> None:
    result = command("preview", "customer", "FIRM@example.com", **past.env)
    assert result.exit_code == 0, result.output
    for told in (
        "crm.contact.push: the customer firm@example.com would be sent.",
        "Warning: Phone 'call me' is not a phone number, so it was left out. Correct it in the shop.",
        "Accounts: create",
        "POST /crm/v8/Accounts/upsert",
        '"Account_Name":{"id":"(id of the Account above)"}',
        '"duplicate_check_fields":["Email"]',
        "Zoho is not connected.",
        "Nothing was sent.",
    ):
        assert told in result.stdout
    assert not past.fetch("select 1 from zohosync.link union all select 1 from zohosync.operation")


def test_a_preview_for_machines_has_the_bytes(command: Command, past: Shop) -> None:
    found = json_of(command("preview", "inquiry", "visitor@example.com", "--json", **past.env))
    (stream,) = found["streams"]
    assert (stream["verdict"], stream["problem"]) == ("sent", None)
    lead, note = stream["steps"]
    assert lead["calls"][0]["content"].startswith('{"data":[{"Company":"Demo Visitor","Email":"visitor@example.com"')
    assert "🌾 How much?" in note["calls"][0]["content"]
    assert {"field": "Last_Name", "last": None, "now": "Visitor"} in lead["differences"]


def test_a_preview_says_why_it_would_be_refused(command: Command, past: Shop) -> None:
    told = command("preview", "customer", "not an address", **past.env).stdout
    assert "the customer not an address would be refused." in told
    assert "Correct it in the shop; it is sent again by itself." in told
    found = json_of(command("preview", "customer", "not an address", "--json", **past.env))
    assert found["streams"][0]["problem"]["code"] == "email_invalid"


def test_a_record_that_is_not_there_is_named(command: Command, past: Shop) -> None:
    refused(command("preview", "customer", "x@example.com", **past.env), 1, "no customer 'x@example.com'", "its id")
    refused(command("preview", "order", "1", **past.env), 1, "no order '1'", "its id")
    refused(command("preview", "cart", "1", **past.env), 2, "no entity 'cart'", "customer")
