"""Goods on the way to Books as items: what is sent for them, made without sending it. Pure.

https://www.zoho.com/books/api/v3/items/
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from zohosync.errors import RecordInvalid
from zohosync.gst.sale import SupplyType, TaxCategory
from zohosync.gst.wording import shortened
from zohosync.store.orders import ShopVariant
from zohosync.sync.books.desk import Office
from zohosync.sync.books.policies import Policies
from zohosync.sync.person import clean_text
from zohosync.zoho.books_records import Item
from zohosync.zoho.fields import Warned

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 2000
UNVALUED = Decimal("0.01")
"""What a piece of opening stock is valued at when the shop keeps no cost: Books may want a rate above zero."""

TAX_FIELDS = ("hsn_or_sac", "is_taxable", "tax_exemption_id", "item_tax_preferences")
"""What a document rests on; price, name and description of an item are not on it."""

CHARGES: Mapping[str, tuple[str, str]] = {
    "shipping": ("Shipping", "CHARGE-SHIPPING"),
    "cod_fee": ("Cash on delivery fee", "CHARGE-COD"),
}


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """One item on the way to Books. ``payload`` is what is kept in step; ``opening`` is sent with the creation only."""

    record_id: str
    sku: str
    payload: dict[str, Any]
    opening: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[Warned, ...] = ()

    @property
    def name(self) -> str:
        return str(self.payload["name"])

    @property
    def type(self) -> str:
        return str(self.payload["item_type"])

    def names(self) -> Iterator[str]:
        """The name, unique among active items, and what it becomes where another item has it."""
        yield self.name
        sign = f" ({self.sku})"
        yield f"{self.name[: LONGEST_NAME - len(sign)]}{sign}"


def draft_item(variant: ShopVariant, policies: Policies, office: Office) -> ItemDraft:
    """The variant in Books' words; RecordInvalid when its SKU or its tax data are missing."""
    sku = (variant.sku or "").strip()
    if not sku:
        raise RecordInvalid(
            f"A variant of {shortened(variant.product_name) or 'a product without a name'} has no SKU.",
            hint="Give it one in the shop; it goes through by itself.",
            code="sku_missing",
            field="sku",
        )
    warnings: list[Warned] = []
    payload = {
        "name": _name(variant, sku, warnings),
        "sku": sku,
        "rate": variant.price or Decimal(0),
        "description": _description(variant, warnings),
        "product_type": "goods",
        "item_type": policies.item_type,
        "account_id": office.account_id("income", policies.sales_account_id),
        "hsn_or_sac": _hsn(variant, policies, sku),
        **_tax(variant, policies, office, sku),
    }
    opening: dict[str, Any] = {}
    if policies.item_type == "inventory":
        payload["purchase_account_id"] = office.account_id("cost_of_goods_sold", policies.purchase_account_id)
        payload["inventory_account_id"] = office.account_id("stock", policies.inventory_account_id)
        payload["purchase_rate"] = variant.cost or Decimal(0)
        opening = _opening(variant, warnings)
    sent = {name: value for name, value in payload.items() if value is not None}
    return ItemDraft(variant.record_id, sku, sent, opening, tuple(warnings))


def draft_charge(charge: str, category: TaxCategory, policies: Policies, office: Office) -> ItemDraft:
    """What stands for ``shipping`` or the ``cod_fee``. Its tax is named on each line; only where goods are
    exempt the charge has to be an exempt item, too."""
    name, sku = CHARGES[charge]
    exempt = category is TaxCategory.EXEMPT
    payload: dict[str, Any] = {
        "name": f"{name} (exempt)" if exempt else name,
        "sku": f"{sku}-EXEMPT" if exempt else sku,
        "rate": Decimal(0),
        "product_type": "service",
        "item_type": "sales",
        "account_id": office.account_id("income", policies.sales_account_id),
        "is_taxable": not exempt,
    }
    if exempt:
        payload["tax_exemption_id"] = office.exemption_id(policies.exemption_id)
    return ItemDraft(charge_key(charge, category), payload["sku"], payload)


def charge_key(charge: str, category: TaxCategory) -> str:
    """Whatever is not exempt is one item, because the tax is named on the line."""
    return f"{charge}:{'exempt' if category is TaxCategory.EXEMPT else 'taxable'}"


def find_match(draft: ItemDraft, rows: Sequence[Item]) -> Item | None:
    """Which item of Books has this SKU; RecordInvalid when several have, or one that cannot be sold as this."""
    active = [row for row in rows if row.active]
    if len(active) > 1 or (not active and len(rows) > 1):
        raise RecordInvalid(
            f"{len(active or rows)} items of Zoho Books have the SKU {shortened(draft.sku)}.",
            hint="Leave the SKU with one of them, then press Sync now.",
            code="books_sku_duplicate",
            field=draft.sku,
        )
    found = active[0] if active else rows[0] if rows else None
    if found is not None:
        _check_kind(draft, found)
    return found


def check_tax(draft: ItemDraft, item: Item) -> None:
    """Before an item somebody else made is linked: its tax and the shop's must not contradict each other. After that
    the shop leads."""
    mine = {str(entry["tax_specification"]): entry["tax_id"] for entry in draft.payload.get("item_tax_preferences", ())}
    hsn = str(draft.payload.get("hsn_or_sac", ""))
    differing = [
        what
        for what, differs in (
            ("whether it is taxable", item.taxable != draft.payload["is_taxable"]),
            ("its taxes", any(item.tax_ids.get(side, tax) != tax for side, tax in mine.items())),
            ("its HSN code", bool(item.hsn) and not (item.hsn.startswith(hsn) or hsn.startswith(item.hsn))),
        )
        if differs
    ]
    if differing:
        raise RecordInvalid(
            f"Zoho Books and the shop differ about {draft.sku}: {', '.join(differing)}.",
            hint="Correct the variant's tax data in the shop, or the item in Books; then press Sync now.",
            code="books_item_rate_differs",
            field=draft.sku,
        )


def find_gaps(draft: ItemDraft, item: Item) -> dict[str, Any]:
    """What an adopted item lacks of what documents rest on; name and rate are required with every change."""
    gaps: dict[str, Any] = {}
    if draft.payload.get("hsn_or_sac") and not item.hsn:
        gaps["hsn_or_sac"] = draft.payload["hsn_or_sac"]
    if draft.payload.get("item_tax_preferences") and set(item.tax_ids) != {"intra", "inter"}:
        gaps |= {name: draft.payload[name] for name in ("is_taxable", "item_tax_preferences")}
    return {**gaps, "name": item.name, "rate": item.rate} if gaps else {}


def has_other_tax(draft: Mapping[str, Any], agreed: Mapping[str, Any]) -> bool:
    """Whether what documents rest on is no longer what Books has."""
    return any(draft.get(name) != agreed.get(name) for name in TAX_FIELDS)


def find_changes(payload: Mapping[str, Any], agreed: Mapping[str, Any]) -> dict[str, Any]:
    """What of an item is sent after an edit: what differs, and the name and rate Books requires each time. An item's
    kind and accounts stay as they were made."""
    fixed = ("item_type", "product_type", "account_id", "purchase_account_id", "inventory_account_id")
    changed = {name: value for name, value in payload.items() if agreed.get(name) != value and name not in fixed}
    emptied = {name: "" for name in ("description", "hsn_or_sac") if agreed.get(name) and name not in payload}
    if "is_taxable" in changed:
        changed |= {name: payload[name] for name in TAX_FIELDS if name in payload}
    return {"name": payload["name"], "rate": payload["rate"]} | changed | emptied


def _check_kind(draft: ItemDraft, item: Item) -> None:
    if str(item.fields.get("is_combo_product", "")).lower() == "true":
        raise RecordInvalid(
            f"{draft.sku} is a composite item in Zoho Books.",
            hint="Give the SKU to a plain item there, then press Sync now.",
            code="books_item_composite",
            field=draft.sku,
        )
    if draft.type == "inventory" and item.type not in ("inventory", ""):
        raise RecordInvalid(
            f"{draft.sku} is an item without inventory in Zoho Books ({item.type}).",
            hint="Make it an inventory item there and press Sync now, or decide otherwise:"
            " `zohosync policy set item_type sales`.",
            code="books_item_not_inventory",
            field=draft.sku,
        )


def _name(variant: ShopVariant, sku: str, warnings: list[Warned]) -> str:
    """Product and packing. A long one is cut for all to see: the SKU tells the goods, and no sale waits for a name."""
    parts = (clean_text(variant.product_name), clean_text(variant.packing))
    name = " ".join(" ".join(part for part in parts if part).replace("<", " ").replace(">", " ").split()) or sku
    if len(name) <= LONGEST_NAME:
        return name
    cut = f"{name[: LONGEST_NAME - 1].rstrip()}…"
    warnings.append(
        Warned(
            "name", "too_long", f"The name of {sku} is longer than {LONGEST_NAME} characters: {cut!r}.", "Shorten it."
        )
    )
    return cut


def _description(variant: ShopVariant, warnings: list[Warned]) -> str | None:
    text = clean_text(variant.description)
    text = text.replace("<", " ").replace(">", " ").strip() if text else None
    if text and len(text) > LONGEST_DESCRIPTION:
        warnings.append(
            Warned(
                "description",
                "too_long",
                f"The description of {variant.sku} has {len(text)} characters, Zoho Books takes {LONGEST_DESCRIPTION},"
                " so it was left out.",
                "Shorten it in the shop.",
            )
        )
        return None
    return text or None


def _hsn(variant: ShopVariant, policies: Policies, sku: str) -> str:
    hsn = (variant.hsn_code or "").strip() or policies.default_hsn
    if not hsn:
        raise _missing("hsn_missing", sku, "HSN code")
    return hsn


def _tax(variant: ShopVariant, policies: Policies, office: Office, sku: str) -> dict[str, Any]:
    """Nil-rated goods have a tax of 0 %; exempt goods are exempt items."""
    rate = variant.gst_rate if variant.gst_rate is not None else policies.default_gst_rate
    category = _category(variant, rate, policies, sku)
    if category is TaxCategory.EXEMPT:
        return {"is_taxable": False, "tax_exemption_id": office.exemption_id(policies.exemption_id)}
    if category is TaxCategory.TAXABLE and rate is None:
        raise _missing("gst_rate_missing", sku, "GST rate")
    percent = rate if category is TaxCategory.TAXABLE and rate is not None else Decimal(0)
    return {
        "is_taxable": True,
        "item_tax_preferences": [
            {"tax_id": office.taxes.tax_id(percent, side), "tax_specification": side.value}
            for side in (SupplyType.INTRA, SupplyType.INTER)
        ],
    }


def _category(variant: ShopVariant, rate: Decimal | None, policies: Policies, sku: str) -> TaxCategory:
    told = (variant.tax_category or "").strip().lower()
    if told in set(TaxCategory):
        return TaxCategory(told)
    if told:
        raise RecordInvalid(
            f"{shortened(sku)} has the tax category {shortened(variant.tax_category)!r}, which is none.",
            hint="Write taxable, exempt, nil or zero_rated_na in the shop, or import it: `zohosync rates import`.",
            code="tax_category_unknown",
            field=sku,
        )
    if policies.default_tax_category is not None:
        return policies.default_tax_category
    if rate is None:
        raise _missing("gst_rate_missing", sku, "GST rate")
    if rate == 0:
        raise _missing("tax_category_missing", sku, "tax category, though its rate is 0")
    return TaxCategory.TAXABLE


def _missing(code: str, sku: str, what: str) -> RecordInvalid:
    return RecordInvalid(
        f"{shortened(sku)} has no {what}.",
        hint="Enter it in the shop, or import it: `zohosync rates import`. It goes through by itself.",
        code=code,
        field=sku,
    )


def _opening(variant: ShopVariant, warnings: list[Warned]) -> dict[str, Any]:
    """Unknown stock is not zero stock: then Books is told none."""
    if variant.stock is None or variant.stock <= 0:
        return {}
    if not variant.cost:
        warnings.append(
            Warned(
                "initial_stock_rate",
                "cost_unknown",
                f"{variant.sku} has no cost price, so its opening stock is valued at {UNVALUED} a piece.",
                "Correct the value in Books, if it matters to you.",
            )
        )
    return {"initial_stock": variant.stock, "initial_stock_rate": variant.cost or UNVALUED}
