"""Questions about Zoho Books, asked with a customer, an item and drafts of invoices of the probe's own.

Nothing is marked as sent, so that nothing reaches the ledger, unless the payment of a draft is what sends it.

https://www.zoho.com/books/api/v3/introduction/
"""

from dataclasses import dataclass
from decimal import Decimal

from zohosync.probe.books_ground import CREATED, amount
from zohosync.probe.ground import Ground
from zohosync.probe.heard import Heard, Unsettled
from zohosync.probe.probe import Finding
from zohosync.zoho.books_requests import CONTACTS, INVOICES, ITEMS, PAYMENTS, ROOT, get_request, list_request
from zohosync.zoho.raw import RawRequest

NOBODYS_ID = "9" * 18
WRONG_CHECK, NO_GSTIN = "27AAPFU0939F1ZX", "27AAPFU"
"""The first has the form of a GSTIN and a wrong last letter."""


@dataclass(frozen=True)
class Strange(RawRequest):
    """A request with a token nobody was given."""

    def headers(self, access_token: str) -> dict[str, str]:
        return super().headers(access_token) | {"Authorization": f"{self.scheme} 1000.{'0' * 32}.{'0' * 32}"}


async def books_missing_status(ground: Ground) -> Finding:
    heard = await ground.books.ask(get_request(INVOICES, NOBODYS_ID))
    if heard.number != 1002 or heard.status not in (400, 404):
        raise heard.unforeseen()
    return Finding(heard.status)


async def books_expired_token_code(ground: Ground) -> Finding:
    """A token that is dead is told as one that never was."""
    heard = await ground.ask_once(Strange("GET", f"{ROOT}/organizations", product="books", of_user=True))
    if heard.status != 401 or heard.number not in (57, 14):
        raise heard.unforeseen()
    return Finding(heard.number)


async def books_sku_filter(ground: Ground) -> Finding:
    """Asked for a SKU that nothing has, a list that is filtered is empty."""
    await ground.books.item()
    heard = await ground.books.ask(list_request(ITEMS, sku=ground.books.new_name()))
    if heard.status != 200 or not isinstance(heard.body.get(ITEMS.plural), list):
        raise heard.unforeseen()
    return Finding("ignored" if heard.rows(ITEMS.plural) else "honoured")


async def books_gstin_check(ground: Ground) -> Finding:
    """A GSTIN with a wrong last letter, then one that is far too short."""
    for gstin, position in ((WRONG_CHECK, "checksum"), (NO_GSTIN, "form")):
        heard = await _register(ground, gstin)
        if heard.status == 400 and heard.number:
            return Finding(position, note=f"code {heard.number}")
        if heard.status not in CREATED:
            raise heard.unforeseen()
    return Finding("none")


async def _register(ground: Ground, gstin: str) -> Heard:
    firm = {
        "contact_name": ground.books.new_name(),
        "contact_type": "customer",
        "gst_treatment": "business_gst",
        "gst_no": gstin,
        "place_of_contact": "MH",
    }
    return await ground.books.create(CONTACTS, firm)


async def books_duplicate_number_code(ground: Ground) -> Finding:
    """Two drafts under one number."""
    tax, number = await ground.books.tax(5), ground.mark.split()[-1]
    line = {"rate": 1, "tax_id": tax}
    first = await ground.books.try_invoice(line, invoice_number=number, own_number=True)
    if not first.record(INVOICES.noun).get("invoice_id"):
        raise Unsettled(f"an invoice under a number of its own was refused ({first.number})")
    second = await ground.books.try_invoice(line, invoice_number=number, own_number=True)
    if second.status in CREATED:
        return Finding(None, note="two invoices were made under one number")
    if second.status != 400 or not second.number:
        raise second.unforeseen()
    return Finding(second.number)


async def books_payment_on_draft(ground: Ground) -> Finding:
    customer = await ground.books.customer()
    line = {"rate": 1, "tax_id": await ground.books.tax(5)}
    draft = await ground.books.invoice(line, customer_id=customer)
    payment = {
        "customer_id": customer,
        "payment_mode": "cash",
        "amount": draft["total"],
        "date": draft["date"],
        "reference_number": ground.mark,
        "invoices": [{"invoice_id": draft["invoice_id"], "amount_applied": draft["total"]}],
    }
    heard = await ground.books.create(PAYMENTS, payment)
    if heard.status in CREATED and heard.record(PAYMENTS.noun).get("payment_id"):
        return Finding("accept")
    if heard.status != 400 or not heard.number:
        raise heard.unforeseen()
    return Finding("refuse", note=f"code {heard.number}")


async def books_group_rounding(ground: Ground) -> Finding:
    """2.5 % of 33.35 are 0.83375: twice 0.83, or 1.6675 rounded at once, and perhaps again when it is halved."""
    draft = await ground.books.invoice({"rate": 33.35, "tax_id": await ground.books.tax(5)})
    return _told(amount(draft, "tax_total"), {"1.66": "component", "1.67": "group", "1.68": "group"})


async def books_tax_rounding(ground: Ground) -> Finding:
    """5 % of 10.08 are 0.504, of three such lines 1.512."""
    line = {"rate": 10.08, "tax_id": await ground.books.tax(5)}
    draft = await ground.books.invoice(line, line, line)
    return _told(amount(draft, "tax_total"), {"1.50": "item_level", "1.51": "entity_level", "1.52": "entity_level"})


async def books_tax_total_with_shipping(ground: Ground) -> Finding:
    """Goods and shipping of 100 each, at 5 and at 18 %."""
    line = {"rate": 100, "tax_id": await ground.books.tax(5)}
    eighteen = await ground.books.tax(18)
    draft = await ground.books.invoice(line, shipping_charge=100, shipping_charge_tax_id=eighteen)
    return _told(amount(draft, "tax_total"), {"23.00": True, "5.00": False})


async def books_bare_discount(ground: Ground) -> Finding:
    """Ten off two hundred: rupees, or percent?"""
    line = {"rate": 200, "discount": 10, "tax_id": await ground.books.tax(5)}
    draft = await ground.books.invoice(line, discount_type="item_level", is_discount_before_tax=True)
    return _told(amount(draft, "tax_total"), {"9.50": "amount", "9.00": "percent"})


def _told(seen: Decimal, positions: dict[str, object]) -> Finding:
    """What the tax of a draft says."""
    return Finding(positions.get(f"{seen:.2f}"), note=f"tax of {seen:.2f}")
