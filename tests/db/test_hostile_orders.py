"""Orders as anybody may type them at checkout: one of them slows or stops no other."""

import json
import time

import pytest

from conftest import Database
from shop_rows import CHECKOUT, insert, insert_line, insert_order, insert_variant
from zohosync.db.pool import Connection, fetch_all, fetch_one
from zohosync.errors import ShopUnreadable
from zohosync.store.holds import put_hold, release_holds
from zohosync.store.orders import read_approvals, read_orders
from zohosync.store.shop import read_shop

DEEP = "[" * 200_000
# A trigger of the shop, or a type of its own, that cannot read one of its rows.
SPOILT = """
create or replace function zohosync.packing_of(variant jsonb) returns text language plpgsql as $$
begin
  if variant ->> 'sku' = 'SPOILT' then
    raise statement_too_complex;
  end if;
  return null;
end $$"""


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Demo Customer", "Demo", "Customer"),
        (" Demo  of\tHouse   Customer\n", "Demo of House", "Customer"),
        ("Demo", "Demo", None),
        ("a" + " " * 50_000 + "b c", "a b", "c"),
        ("x" * 400, "x" * 300, None),
    ],
)
async def test_a_name_is_split_at_once_whatever_its_size(
    owner: Connection, worker: Connection, name: str, first: str, last: str | None
) -> None:
    address = {**CHECKOUT, "name": name}
    key = await insert_order(owner, shipping_address=address, billing_address=address)
    began = time.monotonic()
    order = (await read_orders(worker, [key]))[key]
    assert (order.first_name, order.last_name) == (first, last)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("written", [DEEP, json.dumps({**CHECKOUT, "name": "x" * 70_000}), "x" * 70_000])
async def test_an_address_nobody_could_have_is_none(owner: Connection, worker: Connection, written: str) -> None:
    key = await insert_order(owner, shipping_address=written, billing_address={})
    order = (await read_orders(worker, [key]))[key]
    assert order.ship_to.source == "none"


async def test_one_record_that_cannot_be_read_stops_no_other_correction(
    database: Database, owner: Connection, worker: Connection
) -> None:
    spoilt, well = await insert_order(owner), await insert_order(owner, order_number="ORD-2")
    await insert_line(owner, spoilt, await insert_variant(owner, sku="SPOILT"))
    for key in (spoilt, well):
        await put_hold(
            worker,
            kind="books.invoice.push",
            entity="order",
            record_id=key,
            operation_id=1,
            codes=["state_missing"],
            digest="as it was",
            policies="p",
        )
    await owner.execute(SPOILT.encode())
    assert await release_holds(worker, policies="p") == 1
    rows = await fetch_all(owner, "select record_id from zohosync.operation")
    assert rows == [{"record_id": well}]


async def test_a_record_too_complex_to_read_is_told_as_one_of_the_shop(owner: Connection, worker: Connection) -> None:
    key = await insert_order(owner)
    await insert_line(owner, key, await insert_variant(owner, sku="SPOILT"))
    await owner.execute(SPOILT.encode())
    with pytest.raises(ShopUnreadable):
        await read_orders(worker, [key])
    assert await read_shop(worker, "select 1 as one", {}) == [{"one": 1}]


@pytest.mark.parametrize("kept", [True, False])
async def test_lines_come_in_the_order_they_were_written_in(owner: Connection, worker: Connection, kept: bool) -> None:
    """By id where the shop does not keep when."""
    variant = await insert_variant(owner)
    order = await insert_order(owner)
    quote = await insert(owner, "b2b_quotes", status="approved", linked_order_id=order)
    line = {"variant_id": variant, "quantity": 1, "unit_price": 5, "total_price": 5}
    ids = [f"{9 - place}0000000-0000-4000-8000-000000000000" for place in range(4)]
    for table, parent in (("order_items", {"order_id": order}), ("b2b_quote_items", {"quote_id": quote})):
        await owner.execute(f"alter table {table} add column if not exists created_at timestamptz".encode())
        for place, key in enumerate(ids):
            written = f"2026-04-01T0{place}:00:00Z"
            await insert(owner, table, **{**line, **parent, "id": key, "created_at": written})
        if not kept:
            await owner.execute(f"alter table {table} drop column created_at".encode())
    told = ids if kept else ids[::-1]
    assert [one.line_id for one in (await read_orders(worker, [order]))[order].lines] == told
    approval = (await read_approvals(worker, [quote]))[quote]
    assert [one.line_id for one in approval.order.lines] == told
    row = await fetch_one(owner, "select digest from zohosync.shop_scan('approved_quote')")
    assert row == {"digest": approval.order.digest}
