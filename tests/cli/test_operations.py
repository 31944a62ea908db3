"""sync and retry: what a person may ask for, and what is said about it."""

import pytest

from cli.conftest import Command, Shop, json_of, refused

FAILED = """
insert into zohosync.operation
  (kind, lane, entity, record_id, cause, status, queued, error_code, error_message, error_hint, finished_at,
   resolved_at)
select kind, 'people', entity, record_id, 'change', 'failed', false, 'zoho_refused', 'Zoho does not accept Last_Name.',
       'Correct Last_Name.', now(), resolved_at
  from (values ('crm.contact.push', 'customer', 'a', null::timestamptz), ('crm.contact.push', 'customer', 'a', null),
               ('crm.contact.push', 'customer', 'b', now()), ('crm.lead.push', 'inquiry', 'c', null),
               ('crm.lead.push', 'quote', 'd', null)) as given(kind, entity, record_id, resolved_at)
"""
UNDER_WAY = """
insert into zohosync.operation (kind, lane, entity, record_id, cause) values
  ('crm.lead.push', 'people', 'quote', 'd', 'change')
"""


@pytest.fixture
def failures(installed: Shop) -> Shop:
    """Five failures: two of one record, one cured, one of a record that is under way again."""
    installed.execute(FAILED, UNDER_WAY)
    return installed


def register(shop: Shop, email: str) -> str:
    shop.execute(f"insert into users (email, first_name, last_name) values ('{email}', 'Demo', 'Customer')")
    return str(shop.fetch("select id::text from users where email = %s", email)[0]["id"])


@pytest.mark.parametrize("by", ["id", "email", "EMAIL"])
def test_a_record_is_synced_by_id_or_address(command: Command, installed: Shop, by: str) -> None:
    user_id = register(installed, "customer1@example.com")
    term = {"id": user_id, "email": "customer1@example.com", "EMAIL": "Customer1@Example.com"}[by]
    done = json_of(command("sync", "customer", term, "--json", **installed.env))
    assert done["record_id"] == user_id
    [operation] = installed.fetch("select operation_id, kind, cause::text, requested_by from zohosync.operation")
    assert done["operations"] == [operation["operation_id"]]
    assert (operation["kind"], operation["cause"]) == ("crm.contact.push", "manual")
    assert operation["requested_by"].endswith("(command line)")
    [act] = installed.fetch("select action, entity, record_id, operation_id from zohosync.audit")
    assert (act["action"], act["entity"], act["record_id"]) == ("operation.sync_now", "customer", user_id)
    assert act["operation_id"] == operation["operation_id"]


def test_syncing_twice_is_one_operation(command: Command, installed: Shop) -> None:
    register(installed, "customer1@example.com")
    first, again = (
        json_of(command("sync", "customer", "customer1@example.com", "--json", **installed.env)) for _ in range(2)
    )
    assert first == again


def test_an_address_that_names_several_is_asked_about(command: Command, installed: Shop) -> None:
    for subject in ("first", "second"):
        installed.execute(
            "insert into contact_submissions (name, email, subject, message)"
            f" values ('Demo Visitor', 'visitor@example.com', '{subject}', 'Hello')"
        )
    newest = installed.fetch("select id::text from contact_submissions order by created_at desc limit 1")[0]["id"]
    result = command("sync", "inquiry", "visitor@example.com", **installed.env)
    refused(result, 1, "'visitor@example.com' names 2 records.", f"newest first: {newest}")
    assert not installed.fetch("select 1 from zohosync.operation")


def test_a_person_reads_which_operation_it_became(command: Command, installed: Shop) -> None:
    user_id = register(installed, "customer1@example.com")
    result = command("sync", "customer", user_id, **installed.env)
    assert f"The customer {user_id} is queued as #1" in result.stdout


def test_retry_alone_only_counts(command: Command, failures: Shop) -> None:
    result = command("retry", **failures.env)
    assert result.exit_code == 0
    assert "2 eligible; 1 left: another operation of the record is under way." in result.stdout
    assert "choose --id N or --all-failed" in result.stdout
    assert not failures.fetch("select 1 from zohosync.operation where cause = 'manual'")


def test_retrying_all_takes_each_record_once(command: Command, failures: Shop) -> None:
    done = json_of(command("retry", "--all-failed", "--json", **failures.env))
    assert done["eligible"] == len(done["queued"]) == 2
    made = failures.fetch("select record_id from zohosync.operation where cause = 'manual' order by record_id")
    assert [row["record_id"] for row in made] == ["a", "c"]
    assert failures.fetch("select action from zohosync.audit") == [{"action": "operation.retry"}]


def test_retrying_one_kind(command: Command, failures: Shop) -> None:
    result = command("retry", "--all-failed", "--kind", "crm.lead.push", **failures.env)
    assert "1 queued again" in result.stdout
    made = failures.fetch("select record_id from zohosync.operation where cause = 'manual'")
    assert [row["record_id"] for row in made] == ["c"]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "1 eligible.\n1 queued again"),
        (3, "0 eligible; 1 left: cured since."),
        (5, "0 eligible; 1 left: another operation of the record is under way."),
        (6, "0 eligible; 1 left: pending, so there is nothing to retry."),
    ],
)
def test_retrying_one_says_why_not(command: Command, failures: Shop, number: int, told: str) -> None:
    result = command("retry", "--id", str(number), **failures.env)
    assert result.exit_code == 0
    assert result.stdout.startswith(told), result.stdout


def test_status_counts_failures_by_cause(command: Command, failures: Shop) -> None:
    found = json_of(command("status", "--json", **failures.env))
    assert (found["counts"]["failed"], found["counts"]["pending"]) == (4, 1)
    assert found["statuses"]["failed"] == 4
    assert [(group["error_code"], group["count"]) for group in found["failures"]] == [("zoho_refused", 4)]
    assert found["oldest_waiting_at"]
    assert [lane["lane"] for lane in found["lanes"] if lane["open"]] == ["people"]
    told = command("status", **failures.env).stdout
    for part in ("4 failed", "zoho_refused", "Correct Last_Name.", "not connected", "not live yet", "none seen"):
        assert part in told
