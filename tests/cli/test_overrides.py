"""override: what an administrator corrects because the shop cannot, from the command line."""

import pytest

from cli.conftest import Command, Shop, json_of, refused

ADDRESS = (
    '{"name": "Demo Customer", "email": "customer@example.com", "address_line1": "1 Demo Street", "city": "Hyderabad",'
    ' "state": "Telengana Pradesh", "postal_code": "500032", "country": "India"}'
)


def place_order(shop: Shop, number: str = "ORD-1") -> str:
    """A paid order of one line by a guest; its id."""
    shop.execute(
        "insert into products (name, slug) values ('Neem Oil', 'neem') on conflict do nothing",
        "insert into product_variants (product_id, sku, price, weight, weight_unit)"
        " select id, 'NEEM-5L', 1000, 5, 'l' from products on conflict do nothing",
        "insert into orders (order_number, status, payment_status, payment_method, subtotal, tax_amount,"
        f" shipping_amount, discount_amount, total_amount, shipping_address, billing_address) values ('{number}',"
        f" 'confirmed', 'paid', 'razorpay', 1000, 180, 0, 0, 1180, '{ADDRESS}', '{{}}')",
        "insert into order_items (order_id, variant_id, quantity, unit_price, total_price)"
        f" select o.id, v.id, 1, 1000, 1000 from orders o, product_variants v where o.order_number = '{number}'",
    )
    return str(shop.fetch("select id::text from orders where order_number = %s", number)[0]["id"])


def hold(shop: Shop, record_id: str) -> None:
    """The order's invoice was held."""
    shop.execute(
        "with held as (insert into zohosync.operation"
        " (kind, lane, entity, record_id, cause, status, queued, error_code,"
        " error_message, error_hint, finished_at) values ('books.invoice.push', 'sales', 'order',"
        f" '{record_id}', 'change', 'failed', false, 'state_unresolved', 'No state.', 'Say it.', now())"
        " returning operation_id)"
        " insert into zohosync.hold (kind, entity, record_id, operation_id, codes, digest, policies)"
        f" select 'books.invoice.push', 'order', '{record_id}', operation_id, '{{state_unresolved}}', 'then', 'then'"
        " from held"
    )


def test_a_correction_is_kept_written_down_and_tried_at_once(command: Command, installed: Shop) -> None:
    order_id = place_order(installed)
    hold(installed, order_id)
    done = json_of(
        command("override", "set", "order", "ord-1", "state", "ts", "--reason", "asked", "--json", **installed.env)
    )
    assert done == {"entity": "order", "record_id": order_id, "field": "state", "value": "Telangana"}
    [kept] = installed.fetch("select entity, record_id, field, value, reason, set_by from zohosync.override")
    assert (kept["record_id"], kept["value"], kept["reason"]) == (order_id, "Telangana", "asked")
    [act] = installed.fetch("select action, reason, detail from zohosync.audit")
    assert (act["action"], act["reason"]) == ("override.set", "asked")
    assert act["detail"] == {"field": "state", "value": "Telangana"}
    pending = installed.fetch("select kind, cause::text from zohosync.operation where status = 'pending'")
    assert pending == [{"kind": "books.invoice.push", "cause": "dependency"}]


def test_what_is_overridden_is_listed_and_cleared(command: Command, installed: Shop) -> None:
    order_id = place_order(installed)
    place_order(installed, "ORD-2")
    for number in ("ORD-1", "ORD-2"):
        command("override", "set", "order", number, "name", "Demo Buyer", "--reason", "as asked", **installed.env)
    assert len(json_of(command("override", "list", "--json", **installed.env))) == 2
    [one] = json_of(command("override", "list", "order", "ORD-1", "--json", **installed.env))
    assert (one["record_id"], one["field"], one["value"], one["reason"]) == (order_id, "name", "Demo Buyer", "as asked")
    assert "Demo Buyer" in command("override", "list", **installed.env).stdout
    said = command("override", "clear", "order", "ORD-1", "name", **installed.env)
    assert "name of the order ORD-1 is what the shop says again." in said.stdout
    again = command("override", "clear", "order", "ORD-1", "name", **installed.env)
    refused(again, 2, "No override of name is kept", "override list")
    assert [row["action"] for row in installed.fetch("select action from zohosync.audit order by audit_id")] == [
        "override.set",
        "override.set",
        "override.clear",
    ]


def test_a_line_is_said_to_be_a_sku_the_shop_has(command: Command, installed: Shop) -> None:
    order_id = place_order(installed)
    line = installed.fetch("select id::text from order_items where order_id = %s::uuid", order_id)[0]["id"]
    arguments = ("override", "set", "order", "ORD-1", f"line_sku:{line}")
    unknown = command(*arguments, "ROSE-1L", "--reason", "mixed up", **installed.env)
    refused(unknown, 2, "no variant with the SKU 'ROSE-1L'", "as the shop does")
    assert command(*arguments, "neem-5l", "--reason", "mixed up", **installed.env).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message", "remedy"),
    [
        (("order", "ORD-1", "state", "Atlantis", "--reason", "asked"), 2, "Atlantis", "the state's name"),
        (("order", "ORD-1", "gstin", "36AABCU9603R1ZX", "--reason", "asked"), 2, "mistyped", "Ask the customer"),
        (("order", "ORD-1", "document_date", "2999-01-01", "--reason", "asked"), 2, "no day", "Choose one from"),
        (("order", "ORD-1", "name", "Demo", "--reason", " "), 2, "needs a reason", "in a few words"),
        (("order", "ORD-9", "name", "Demo", "--reason", "asked"), 1, "no order 'ORD-9'", "number"),
        (("customer", "x", "name", "Demo", "--reason", "asked"), 2, "Nothing of a customer", "order or approved_quote"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_kept(
    command: Command, installed: Shop, arguments: tuple[str, ...], exit_code: int, message: str, remedy: str
) -> None:
    place_order(installed)
    refused(command("override", "set", *arguments, **installed.env), exit_code, message, remedy)
    assert installed.fetch("select 1 from zohosync.override") == []
    assert installed.fetch("select 1 from zohosync.audit") == []


def test_a_policy_that_was_missing_releases_what_it_held(command: Command, installed: Shop) -> None:
    hold(installed, place_order(installed))
    assert command("policy", "set", "price_basis", "exclusive", **installed.env).exit_code == 0
    assert installed.fetch("select kind from zohosync.operation where status = 'pending'") == [
        {"kind": "books.invoice.push"}
    ]


def test_status_counts_what_is_held_by_reason(command: Command, installed: Shop) -> None:
    hold(installed, place_order(installed))
    assert json_of(command("status", "--json", **installed.env))["held"] == {"state_unresolved": 1}
    assert "1 state_unresolved" in command("status", **installed.env).stdout


def test_an_order_is_synced_by_its_number(command: Command, installed: Shop) -> None:
    order_id = place_order(installed)
    done = json_of(command("sync", "order", "ord-1", "--json", **installed.env))
    assert done["record_id"] == order_id
    assert [row["kind"] for row in installed.fetch("select kind from zohosync.operation")] == ["books.invoice.push"]
