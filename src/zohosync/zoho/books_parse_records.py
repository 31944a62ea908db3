"""Rows and single records of Books to what they mean: contacts, items and the settings of the organisation."""

from decimal import Decimal

from zohosync.zoho.books_records import Account, Adjustment, Contact, Currency, Item, Location, TaxExemption
from zohosync.zoho.books_values import day, find_number, inner, number, objects, text, yes
from zohosync.zoho.protocol import Json


def parse_contact(row: Json) -> Contact:
    """From a row of the list or a contact read by itself. Its e-mail and phone are the primary person's."""
    return Contact(
        id=text(row, "contact_id"),
        name=text(row, "contact_name"),
        company=text(row, "company_name"),
        type=text(row, "contact_type"),
        active=text(row, "status") != "inactive",
        email=text(row, "email"),
        phone=text(row, "mobile", "phone"),
        gst_no=text(row, "gst_no"),
        gst_treatment=text(row, "gst_treatment"),
        place_of_contact=text(row, "place_of_contact"),
        currency=text(row, "currency_code"),
        fields=dict(row),
    )


def parse_item(row: Json) -> Item:
    """From a row of the list or an item read by itself.

    Lists of an organisation without inventory have no stock at all, so an item is tracked only when one is told.
    """
    taxes = {
        text(entry, "tax_specification").lower(): text(entry, "tax_id")
        for entry in objects(row, "item_tax_preferences")
    }
    tracked = yes(row, "track_inventory") or text(row, "item_type") == "inventory"
    return Item(
        id=text(row, "item_id"),
        name=text(row, "name", "item_name"),
        sku=text(row, "sku"),
        active=text(row, "status") != "inactive",
        type=text(row, "item_type"),
        rate=number(row, "rate"),
        unit=text(row, "unit"),
        hsn=text(row, "hsn_or_sac"),
        # Without GST it is blank, and then nothing is exempt.
        taxable=text(row, "tax_exemption_id") == "" if row.get("is_taxable") in (None, "") else yes(row, "is_taxable"),
        exemption_id=text(row, "tax_exemption_id"),
        tax_ids={side: tax for side, tax in taxes.items() if side and tax},
        stock=find_number(row, "stock_on_hand", "available_stock") if tracked else None,
        fields=dict(row),
    )


def parse_account(row: Json) -> Account:
    """A blank ``is_active`` is of a detail that leaves it out; only false says that it is closed."""
    return Account(
        id=text(row, "account_id"),
        name=text(row, "account_name"),
        type=text(row, "account_type"),
        active=row.get("is_active") in (None, "") or yes(row, "is_active"),
        fields=dict(row),
    )


def parse_exemption(row: Json) -> TaxExemption:
    """One reason not to tax."""
    return TaxExemption(
        id=text(row, "tax_exemption_id"),
        code=text(row, "tax_exemption_code"),
        type=text(row, "type"),
        fields=dict(row),
    )


def parse_location(row: Json) -> Location:
    """One place of business; its state is in its address."""
    return Location(
        id=text(row, "location_id"),
        name=text(row, "location_name"),
        active=row.get("is_location_active") in (None, "") or yes(row, "is_location_active"),
        primary=yes(row, "is_primary_location") or yes(row, "is_primary"),
        gst_no=text(row, "tax_reg_no"),
        state_code=text(inner(row, "address"), "state_code"),
        fields=dict(row),
    )


def parse_currency(row: Json) -> Currency:
    """One currency of the organisation."""
    return Currency(
        id=text(row, "currency_id"),
        code=text(row, "currency_code"),
        base=yes(row, "is_base_currency"),
        fields=dict(row),
    )


def parse_adjustment(row: Json) -> Adjustment:
    """Two lines of one item are added up. Rows of the list may have no lines."""
    quantities: dict[str, Decimal] = {}
    for line in objects(row, "line_items"):
        item = text(line, "item_id")
        quantities[item] = quantities.get(item, Decimal(0)) + number(line, "quantity_adjusted")
    return Adjustment(
        id=text(row, "inventory_adjustment_id", "inventoryadjustment_id"),
        reference=text(row, "reference_number"),
        date=day(row, "date"),
        reason=text(row, "reason"),
        status=text(row, "status"),
        lines=quantities,
        fields=dict(row),
    )
