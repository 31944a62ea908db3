"""findings and unlink: what a person decides about documents, from the command line."""

import pytest

from cli.conftest import Command, Shop, json_of, refused
from cli.test_overrides import place_order

DOCUMENT = """
with linked as (
  insert into zohosync.link (system, module, entity, record_id, state, organisation_id, zoho_id, fingerprint, payload)
  values ('books', 'invoices', 'order', '{order}', 'linked', '60001', '460000000000123', '', '{{}}')
)
insert into zohosync.document (entity, record_id, module, organisation_id, zoho_id, number, reference, step, status,
  document_date, customer_id, shop_total, books_total, source, source_digest, lines)
values ('order', '{order}', 'invoices', '60001', '460000000000123', 'INV-000001', 'ORD-1', 'settled', 'paid',
  '2026-11-01', '460000000000001', 1180, 1180, '{{}}', 'digest', '[]')
"""
FINDING = """
insert into zohosync.finding (code, entity, record_id, module, label, message, detail)
values ('{code}', 'order', '{order}', 'invoices', 'ORD-1', 'Something differs.', '{{"changes": ["total: 1 → 2"]}}')
"""


def find(shop: Shop, code: str) -> str:
    """An order with its invoice and one finding about it; the order's id."""
    order = place_order(shop)
    shop.execute(DOCUMENT.format(order=order), FINDING.format(code=code, order=order))
    return order


def operations(shop: Shop) -> list[tuple[str, str, str]]:
    rows = shop.fetch("select kind, entity, cause::text from zohosync.operation order by operation_id")
    return [(row["kind"], row["entity"], row["cause"]) for row in rows]


def test_open_findings_are_listed_with_what_may_be_done(command: Command, installed: Shop) -> None:
    assert "Nothing is to be decided." in command("findings", **installed.env).stdout
    find(installed, "document_voided")
    shown = command("findings", **installed.env).stdout
    assert "#1 ORD-1 (order): The document was voided in Books" in shown
    assert "zohosync findings resolve 1 accept" in shown
    assert "zohosync link order ORD-1 invoices" in shown
    [one] = json_of(command("findings", "--json", **installed.env))
    assert one["actions"] == ["accept", "replace", "link"]


def test_accepting_closes_and_is_written_down(command: Command, installed: Shop) -> None:
    find(installed, "order_changed_after_invoicing")
    said = command("findings", "resolve", "1", "accept", "--reason", "agreed", **installed.env)
    assert "Finding #1 is closed" in said.stdout, said.output
    [row] = installed.fetch("select closed_by, resolution, reason from zohosync.finding")
    assert (row["resolution"], row["reason"]) == ("accept", "agreed")
    assert [act["action"] for act in installed.fetch("select action from zohosync.audit")] == ["finding.accept"]
    assert operations(installed) == []
    assert json_of(command("findings", "--json", **installed.env)) == []
    assert len(json_of(command("findings", "--all", "--json", **installed.env))) == 1
    again = command("findings", "resolve", "1", "accept", "--reason", "agreed", **installed.env)
    refused(again, 2, "no open finding 1", "look at the list")


def test_sending_a_draft_as_it_is_accepts_the_difference_and_goes_on(command: Command, installed: Shop) -> None:
    find(installed, "document_differs")
    done = json_of(command("findings", "resolve", "1", "send", "--reason", "it is right", "--json", **installed.env))
    assert done["resolution"] == "accept", "the comparison asks for exactly this word"
    assert operations(installed) == [("books.invoice.push", "order", "manual")]


def test_a_new_document_parts_the_order_from_the_old_one(command: Command, installed: Shop) -> None:
    order = find(installed, "document_deleted")
    done = command("findings", "resolve", "1", "replace", "--reason", "deleted by mistake", **installed.env)
    assert done.exit_code == 0, done.output
    assert installed.fetch("select 1 from zohosync.link") == []
    assert installed.fetch("select 1 from zohosync.document") == []
    [parted] = installed.fetch("select module, zoho_id, entity, record_id, reason from zohosync.estrangement")
    assert parted == {
        "module": "invoices",
        "zoho_id": "460000000000123",
        "entity": "order",
        "record_id": order,
        "reason": "deleted by mistake",
    }
    assert operations(installed) == [("books.invoice.push", "order", "manual")]
    actions = [act["action"] for act in installed.fetch("select action from zohosync.audit order by audit_id")]
    assert actions == ["link.undo", "finding.replace"]


def test_a_credit_note_is_asked_for(command: Command, installed: Shop) -> None:
    find(installed, "cancelled_after_invoicing")
    command("findings", "resolve", "1", "credit", "--reason", "cancelled", **installed.env)
    assert operations(installed) == [("books.credit_note.push", "refund", "manual")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("1", "link", "--reason", "this one"), "'link' cannot be done"),
        (("1", "credit", "--reason", "why not"), "'credit' cannot be done"),
        (("1", "accept", "--reason", ""), "needs a reason"),
        (("2", "accept", "--reason", "why not"), "no open finding 2"),
    ],
)
def test_what_a_finding_does_not_offer_is_refused(
    command: Command, installed: Shop, arguments: tuple[str, ...], message: str
) -> None:
    find(installed, "document_deleted")
    result = command("findings", "resolve", *arguments, **installed.env)
    assert result.exit_code == 2
    assert message in result.stderr
    assert installed.fetch("select closed_at from zohosync.finding") == [{"closed_at": None}]
    assert installed.fetch("select 1 from zohosync.audit") == []


def test_unlinking_asks_first_and_keeps_the_document_in_books(command: Command, installed: Shop) -> None:
    find(installed, "document_edited")
    arguments = ("unlink", "order", "ORD-1", "invoices", "--reason", "of another order")
    assert command(*arguments, **installed.env).exit_code == 1
    assert len(installed.fetch("select 1 from zohosync.link")) == 1
    said = command(*arguments, "--yes", **installed.env)
    assert "stays in Books" in said.stdout, said.output
    assert "ORD-1/2" in said.stdout
    assert installed.fetch("select 1 from zohosync.link") == []
    refused(command(*arguments, "--yes", **installed.env), 2, "linked to no invoice", "Its page")


def test_records_are_linked_with_their_own_module_only(command: Command, installed: Shop) -> None:
    result = command("unlink", "order", "ORD-1", "items", "--reason", "why", "--yes", **installed.env)
    refused(result, 2, "No order is linked with items.", "order with invoices")
