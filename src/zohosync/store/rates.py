"""What the shop says of its goods for GST, and what a person says it should."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal

from zohosync.db.pool import Connection
from zohosync.errors import SettingsRefused
from zohosync.store.shop import read_shop


@dataclass(frozen=True, slots=True)
class TaxData:
    """What GST needs of one SKU; ``gst_rate`` in percent. None: nobody said."""

    hsn_code: str | None
    gst_rate: Decimal | None
    tax_category: str | None


@dataclass(frozen=True, slots=True)
class Goods:
    """One SKU of the shop, drafts included, spelled as the shop spells it."""

    sku: str
    name: str
    tax: TaxData


async def list_goods(connection: Connection) -> list[Goods]:
    """Every SKU of the shop, in order."""
    rows = await read_shop(connection, "select * from zohosync.shop_tax_data()", {})
    return [
        Goods(row["sku"], row["name"], TaxData(row["hsn_code"], row["gst_rate"], row["tax_category"])) for row in rows
    ]


async def set_tax_data(connection: Connection, wanted: Sequence[tuple[str, TaxData]]) -> set[str]:
    """Write what is not None into the shop, by SKU; the SKUs that were there. The caller owns the transaction.

    SettingsRefused when the shop kept something else than it was told, as a narrow column of its own does."""
    rows = await read_shop(
        connection,
        """select sku from zohosync.shop_set_tax(
             %(skus)s::text[], %(hsn_codes)s::text[], %(rates)s::numeric[], %(categories)s::text[]) as sku""",
        {
            "skus": [sku for sku, _ in wanted],
            "hsn_codes": [tax.hsn_code for _, tax in wanted],
            "rates": [tax.gst_rate for _, tax in wanted],
            "categories": [tax.tax_category for _, tax in wanted],
        },
    )
    await _check_kept(connection, dict(wanted))
    return {row["sku"] for row in rows}


async def _check_kept(connection: Connection, wanted: Mapping[str, TaxData]) -> None:
    for one in await list_goods(connection):
        told = wanted.get(one.sku)
        for field in fields(TaxData) if told else ():
            value, kept = getattr(told, field.name), getattr(one.tax, field.name)
            if value is not None and value != kept:
                raise SettingsRefused(
                    f"The shop keeps {field.name} {value} of SKU {one.sku} as {kept}, so nothing was written.",
                    hint=f"Widen the column {field.name} of product_variants, or find the trigger that changes it.",
                )
