"""An order of the shop, its invoice and what was found about it, for the tests of the console's pages."""

from typing import Any

from psycopg.types.json import Jsonb

from zohosync.db.pool import Connection, fetch_one

ADDRESS = {
    "name": "Demo Customer",
    "email": "customer@example.com",
    "address_line1": "1 Demo Street",
    "city": "Hyderabad",
    "state": "Telangana",
    "postal_code": "500032",
    "country": "India",
}
INVOICE = "460000000000123"
LINE = {
    "key": "line-1",
    "sku": "NEEM-5L",
    "item_id": "460000000000777",
    "name": "Neem Oil",
    "hsn": "38089199",
    "quantity": "1",
    "rate": "1000",
    "discount": "0",
    "tax_id": "460000000000018",
    "gst_rate": "18",
    "category": "taxable",
    "value": "1000",
    "cgst": "90",
    "sgst": "90",
    "igst": "0",
    "total": "1180",
}


async def place_order(owner: Connection, number: str = "ORD-1", sku: str = "NEEM-5L") -> str:
    """A paid order of one line by a guest; its id."""
    variant = await _one(
        owner,
        """with product as (
             insert into products (name, slug) values ('Neem Oil', lower(%(sku)s)) returning id
           ) insert into product_variants (product_id, sku, price) select id, %(sku)s, 1000 from product
           returning id::text""",
        sku=sku,
    )
    order = await _one(
        owner,
        """insert into orders (order_number, status, payment_status, payment_method, subtotal, tax_amount,
             shipping_amount, discount_amount, total_amount, shipping_address, billing_address)
           values (%(number)s, 'confirmed', 'paid', 'razorpay', 1000, 180, 0, 0, 1180, %(address)s, '{}')
           returning id::text""",
        number=number,
        address=Jsonb(ADDRESS),
    )
    await owner.execute(
        """insert into order_items (order_id, variant_id, quantity, unit_price, total_price)
           values (%(order)s, %(variant)s, 1, 1000, 1000)""",
        {"order": order, "variant": variant},
    )
    return order


async def invoice(worker: Connection, order: str, **values: Any) -> None:
    """The order's invoice in Books, as we know it."""
    await worker.execute(
        """insert into zohosync.link
             (system, module, entity, record_id, state, organisation_id, zoho_id, fingerprint, payload)
           values ('books', 'invoices', 'order', %(order)s, 'linked', '60001', %(invoice)s, '', '{}')""",
        {"order": order, "invoice": INVOICE},
    )
    await worker.execute(
        """insert into zohosync.document
             (entity, record_id, module, organisation_id, zoho_id, number, reference, step, status, document_date,
              customer_id, place_of_supply, supply_type, state_source, gst_treatment, shop_total, books_total, cgst,
              sgst, igst, books_cgst, books_sgst, books_igst, variance, settled_amount, source, source_digest, lines)
           values ('order', %(order)s, 'invoices', '60001', %(invoice)s, 'INV-000001', 'ORD-1', 'settled', 'paid',
              '2026-11-01', '460000000000001', 'TS', 'intra', 'name', 'consumer', 1180, %(total)s, 90, 90, 0, 90, 90,
              0, %(total)s - 1180, 1180, '{}', 'digest', %(lines)s)""",
        {"order": order, "invoice": INVOICE, "total": values.get("total", 1180), "lines": Jsonb([LINE])},
    )


async def finding(worker: Connection, order: str, code: str = "document_voided") -> int:
    """Something to be decided about the order's invoice."""
    row = await fetch_one(
        worker,
        """insert into zohosync.finding (code, entity, record_id, module, label, message, detail)
           values (%(code)s, 'order', %(order)s, 'invoices', 'ORD-1', 'Invoice INV-000001 <differs>.',
                   '{"changes": ["total: 1180.00 → 1.00"]}') returning finding_id""",
        {"code": code, "order": order},
    )
    assert row is not None
    return int(row["finding_id"])


async def _one(connection: Connection, query: str, **values: Any) -> str:
    row = await fetch_one(connection, query, values)
    assert row is not None
    return str(row["id"])
