"""One conversation that calls every operation of Books once, for the contract tests to look at."""

import re
from dataclasses import dataclass
from typing import Any

import httpx

from zohosim.books.routes import OPERATIONS
from zohosim.gate import Operation

BOOKS, INVENTORY = "/books/v3", "/inventory/v1"
DAY = "2026-11-22"
KEYED = {"X-Unique-Identifier-Key": "cf_shop_id", "X-Unique-Identifier-Value": "1"}
MODULES = ("contacts", "items", "invoices", "estimates", "customerpayments", "creditnotes")


def shape(path: str) -> str:
    """A path whose parameters have no names."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def operation_of(method: str, path: str) -> Operation | None:
    """The operation that would answer, as the router finds it."""
    for one in OPERATIONS:
        if one.method == method and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", one.path), path):
            return one
    return None


def refund_id(told: Any) -> str:
    """Of the one refund in an answer: a payment's comes in an array."""
    refund = next(value for key, value in told.items() if key.endswith(("refund", "refunds")))
    refund = refund[0] if isinstance(refund, list) else refund
    return str(next(value for key, value in refund.items() if key.endswith("refund_id")))


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, and the shape of its path."""

    method: str
    path: str
    request: Any
    answer: httpx.Response

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} {self.answer.status_code}"


class Conversation:
    """Speaks through a logged-in caller, of the first organisation, and keeps what was said."""

    def __init__(self, zoho: Any) -> None:
        self.zoho = zoho
        self.organisation = next(iter(zoho.sim.books.organisations))
        self.exchanges: list[Exchange] = []

    async def say(
        self, method: str, path: str, body: Any = None, *, root: str = BOOKS, keyed: bool = False, **params: str
    ) -> Any:
        """The body of the answer; nothing is said to a path that is not there, and nothing refused is kept."""
        found = operation_of(method, root + path)
        if found is None:
            return {}
        answer = await self.zoho.http.request(
            method, root + path, params={"organization_id": self.organisation, **params}, json=body,
            headers={**KEYED, "X-Upsert": "true"} if keyed else {},
        )  # fmt: skip
        assert answer.status_code in (200, 201), f"{method} {path}: {answer.text}"
        self.exchanges.append(Exchange(method, shape(found.path), body, answer))
        return answer.json()

    async def change(self, path: str, body: Any, *more: str) -> None:
        """Read one, change it, and do to it what is said by `more`."""
        await self.say("GET", path)
        await self.say("PUT", path, body)
        for step in more:
            await self.say("POST", f"{path}/{step}")

    async def hold(self) -> list[Exchange]:
        for module in MODULES:
            await self.zoho.http.post(
                "/_sim/books/customfields", json={"module": module, "label": "Shop Id", "unique": True}
            )
        await self.settings()
        await self.customers()
        await self.stock()
        await self.invoices()
        await self.approvals()
        await self.estimates()
        await self.payments()
        await self.credit_notes()
        await self.farewell()
        return self.exchanges

    async def settings(self) -> None:
        await self.say("GET", "/organizations")
        await self.say("GET", f"/organizations/{self.organisation}")
        taxes = (await self.say("GET", "/settings/taxes"))["taxes"]
        self.tax = {tax["tax_name"]: tax["tax_id"] for tax in taxes}
        await self.say("GET", f"/settings/taxgroups/{self.tax['GST18']}")
        await self.tax_of_their_own()
        await self.exemptions()
        currencies = await self.say("GET", "/settings/currencies")
        await self.say("GET", f"/settings/currencies/{currencies['currencies'][0]['currency_id']}")
        await self.accounts()
        place = {"location_name": "Depot", "type": "general", "address": {"city": "Pune", "state_code": "MH"}}
        made = await self.say("POST", "/locations", place)
        await self.say("GET", "/locations")
        path = f"/locations/{made['location']['location_id']}"
        await self.change(path, {"location_name": "Store"}, "inactive", "active")
        await self.say("DELETE", path)
        await self.automation()

    async def tax_of_their_own(self) -> None:
        tax = {"tax_name": "IGST3", "tax_percentage": 3, "tax_type": "tax", "tax_specific_type": "igst"}
        made = await self.say("POST", "/settings/taxes", tax)
        halves = f"{self.tax['CGST9']},{self.tax['SGST9']}"
        await self.say("POST", "/settings/taxgroups", {"tax_group_name": "Own18", "taxes": halves})
        if made:
            path = f"/settings/taxes/{made['tax']['tax_id']}"
            await self.change(path, {"tax_name": "IGST 3", "tax_percentage": 3})
            await self.say("DELETE", path)

    async def exemptions(self) -> None:
        exemption = {"tax_exemption_code": "NIL", "description": "Nil rated", "type": "item"}
        made = await self.say("POST", "/settings/taxexemptions", exemption)
        await self.say("GET", "/settings/taxexemptions")
        path = f"/settings/taxexemptions/{made['tax_exemption']['tax_exemption_id']}"
        await self.change(path, {**exemption, "description": "Not taxed"})
        await self.say("DELETE", path)

    async def accounts(self) -> None:
        listed = (await self.say("GET", "/chartofaccounts"))["chartofaccounts"]
        self.account = {row["account_name"]: row["account_id"] for row in listed}
        body = {"account_name": "Shop Sales", "account_type": "income"}
        made = await self.say("POST", "/chartofaccounts", body)
        path = f"/chartofaccounts/{made['chart_of_account']['account_id']}"
        await self.change(path, {**body, "description": "x"}, "inactive", "active")
        await self.say("DELETE", path)

    async def automation(self) -> None:
        body = {"entity": "contact", "events": ["created"], "url": "https://shop.example.com/", "webhook_name": "Shop"}
        made = await self.say("POST", "/settings/webhooks", body)
        await self.say("GET", "/settings/webhooks")
        await self.say("DELETE", f"/settings/webhooks/{made['webhook']['webhook_id']}")

    async def customers(self) -> None:
        for root in (BOOKS, INVENTORY):
            await self.customer(root)

    async def customer(self, root: str) -> None:
        address = {"address": "12 Example Road", "city": "Hyderabad", "state": "Telangana", "zip": "500001",
                   "country": "India"}  # fmt: skip
        body = {"contact_name": f"Demo Customer {root}", "contact_type": "customer", "gst_treatment": "consumer",
                "place_of_contact": "TS", "billing_address": address, "shipping_address": address,
                "contact_persons": [{"first_name": "Demo", "email": "customer@example.com"}],
                "custom_fields": [{"api_name": "cf_shop_id", "value": root}]}  # fmt: skip
        made = await self.say("POST", "/contacts", body, root=root)
        self.buyer = made["contact"]["contact_id"]
        path = f"/contacts/{self.buyer}"
        await self.say("GET", "/contacts", root=root)
        await self.say("GET", path, root=root)
        await self.say("PUT", path, {"contact_name": f"Demo Customer {root}", "notes": "x"}, root=root)
        await self.say("PUT", "/contacts", {"contact_name": f"Demo {root}"}, root=root, keyed=True)
        for step in ("inactive", "active"):
            await self.say("POST", f"{path}/{step}", root=root)
        await self.address(path, address, root)
        await self.persons(path, root)

    async def address(self, path: str, address: dict[str, str], root: str) -> None:
        made = await self.say("POST", f"{path}/address", address, root=root)
        await self.say("GET", f"{path}/address", root=root)
        own = f"{path}/address/{made['address_info']['address_id']}"
        await self.say("PUT", own, {**address, "city": "Pune"}, root=root)
        await self.say("DELETE", own, root=root)

    async def persons(self, path: str, root: str) -> None:
        body = {"contact_id": self.buyer, "first_name": "Second", "last_name": "Person"}
        made = await self.say("POST", "/contacts/contactpersons", body, root=root)
        person = made["contact_person"]["contact_person_id"]
        await self.say("GET", f"{path}/contactpersons", root=root)
        await self.say("GET", f"{path}/contactpersons/{person}", root=root)
        await self.say("PUT", f"/contacts/contactpersons/{person}", {**body, "mobile": "9000000001"}, root=root)
        await self.say("POST", f"/contacts/contactpersons/{person}/primary", root=root)
        await self.say("DELETE", f"/contacts/contactpersons/{person}", root=root)

    async def stock(self) -> None:
        for root in (BOOKS, INVENTORY):
            await self.goods(root)
            await self.adjustments(root)

    async def goods(self, root: str) -> None:
        body = {
            "name": f"Neem Cake {root}", "rate": 100, "unit": "kg", "sku": root, "product_type": "goods",
            "item_type": "inventory", "hsn_or_sac": "3101", "is_taxable": True, "description": "x",
            "account_id": self.account["Sales"], "purchase_account_id": self.account["Cost of Goods Sold"],
            "inventory_account_id": self.account["Inventory Asset"], "purchase_rate": 60,
            "item_tax_preferences": [
                {"tax_id": self.tax["GST18"], "tax_specification": "intra"},
                {"tax_id": self.tax["IGST18"], "tax_specification": "inter"},
            ],
        }  # fmt: skip
        made = await self.say("POST", "/items", body, root=root)
        self.item = made["item"]["item_id"]
        path = f"/items/{self.item}"
        await self.say("GET", "/items", root=root)
        await self.say("GET", "/itemdetails", root=root, item_ids=self.item)
        await self.say("GET", path, root=root)
        await self.say("PUT", path, {"name": f"Neem Cake {root}", "rate": 120}, root=root)
        for step in ("inactive", "active"):
            await self.say("POST", f"{path}/{step}", root=root)
        await self.say("PUT", "/items", {"name": f"Other {root}", "rate": 1}, root=root, keyed=True)
        await self.custom("item", self.item, root)

    async def custom(self, singular: str, row_id: str, root: str = BOOKS) -> None:
        """Custom fields alone, as an array."""
        fields = (await self.zoho.http.get("/_sim/books/customfields")).json()["custom_fields"]
        plural = f"{singular}s"
        field = next(one["customfield_id"] for one in fields if one["module"] == plural)
        body = [{"customfield_id": field, "value": f"{row_id}{root}"}]
        await self.say("PUT", f"/{singular}/{row_id}/customfields", body, root=root)

    async def adjustments(self, root: str) -> None:
        body = {"date": DAY, "reason": "Counted", "adjustment_type": "quantity", "reference_number": "1",
                "line_items": [{"item_id": self.item, "quantity_adjusted": 100}]}  # fmt: skip
        made = await self.say("POST", "/inventoryadjustments", body, root=root)
        path = f"/inventoryadjustments/{made['inventory_adjustment']['inventory_adjustment_id']}"
        await self.say("GET", "/inventoryadjustments", root=root)
        await self.say("GET", path, root=root)
        await self.say("PUT", path, {**body, "description": "x"}, root=root)
        await self.prefer(approvals=["inventoryadjustments"])
        for steps in (("submit", "approve"), ("submit", "approve/final"), ("submit", "reject")):
            made = await self.say("POST", "/inventoryadjustments", body, root=root)
            own = f"/inventoryadjustments/{made['inventory_adjustment']['inventory_adjustment_id']}"
            for step in steps:
                await self.say("POST", f"{own}/{step}", root=root)
        await self.say("DELETE", own, root=root)
        await self.prefer(approvals=[])

    async def prefer(self, **preferences: object) -> None:
        answer = await self.zoho.http.post("/_sim/books/preferences", json=preferences)
        assert answer.status_code == 200, answer.text

    def sale(self, **more: Any) -> dict[str, Any]:
        line = {"item_id": self.item, "rate": 100, "quantity": 2, "tax_id": self.tax["GST18"], "hsn_or_sac": "3101"}
        return {"customer_id": self.buyer, "date": DAY, "place_of_supply": "TS", "line_items": [line],
                "reference_number": "KN-1", "notes": "Thank you", **more}  # fmt: skip

    async def invoice(self, *, root: str = BOOKS, **params: str) -> str:
        made = await self.say("POST", "/invoices", self.sale(shipping_charge="50"), root=root, **params)
        return str(made["invoice"]["invoice_id"])

    async def invoices(self) -> None:
        for root in (BOOKS, INVENTORY):
            path = f"/invoices/{await self.invoice(root=root)}"
            await self.say("GET", "/invoices", root=root)
            await self.say("GET", path, root=root)
            await self.say("PUT", path, self.sale(discount=10), root=root)
            for step in ("status/sent", "writeoff", "writeoff/cancel", "email", "status/void", "status/draft"):
                await self.say("POST", f"{path}/{step}", root=root)
            await self.say("PUT", "/invoices", self.sale(), root=root, keyed=True)
            await self.custom("invoice", path.rpartition("/")[2], root)
            await self.say("DELETE", path, root=root)

    async def approvals(self) -> None:
        await self.prefer(approvals=["invoices", "estimates", "creditnotes"])
        for root in (BOOKS, INVENTORY):
            path = f"/invoices/{await self.invoice(root=root)}"
            for step in ("submit", "approve"):
                await self.say("POST", f"{path}/{step}", root=root)
        for plural, node in (("estimates", "estimate"), ("creditnotes", "creditnote")):
            made = await self.say("POST", f"/{plural}", self.sale())
            if made:
                for step in ("submit", "approve"):
                    await self.say("POST", f"/{plural}/{made[node][f'{node}_id']}/{step}")
        await self.prefer(approvals=[])

    async def estimates(self) -> None:
        made = await self.say("POST", "/estimates", self.sale(expiry_date="2026-12-31"))
        if not made:
            return
        self.estimate = made["estimate"]["estimate_id"]
        path = f"/estimates/{self.estimate}"
        await self.say("GET", "/estimates")
        await self.change(path, self.sale(), "status/sent", "status/accepted")
        await self.say("PUT", "/estimates", self.sale(), keyed=True)
        await self.custom("estimate", self.estimate)
        await self.say("POST", "/invoices/fromestimates", estimate_ids=self.estimate)
        for steps in (("status/sent", "status/declined"), ("email",)):
            other = (await self.say("POST", "/estimates", self.sale()))["estimate"]["estimate_id"]
            for step in steps:
                await self.say("POST", f"/estimates/{other}/{step}")
        await self.say("DELETE", f"/estimates/{other}")

    def paid(self, invoice_id: str, amount: int = 100) -> dict[str, Any]:
        applied = [{"invoice_id": invoice_id, "amount_applied": 100}]
        return {"customer_id": self.buyer, "payment_mode": "cash", "amount": amount, "date": DAY,
                "reference_number": "pay_1", "invoices": applied}  # fmt: skip

    async def payments(self) -> None:
        invoice = await self.invoice(send="true")
        made = await self.say("POST", "/customerpayments", self.paid(invoice, 150))
        if not made:
            return
        payment = made["payment"]["payment_id"]
        path = f"/customerpayments/{payment}"
        await self.say("GET", "/customerpayments")
        for applied in (await self.say("GET", f"/invoices/{invoice}/payments"))["payments"]:
            await self.say("DELETE", f"/invoices/{invoice}/payments/{applied['invoice_payment_id']}")
        await self.change(path, {**self.paid(invoice, 150), "description": "x"})
        await self.custom("customerpayment", payment)
        await self.say("PUT", "/customerpayments", self.paid(await self.invoice(send="true")), keyed=True)
        await self.refunds(path, {"date": DAY, "amount": 10, "refund_mode": "cash"})
        await self.say("DELETE", path)
        other = (await self.say("POST", "/customerpayments", self.paid(invoice)))["payment"]["payment_id"]
        await self.say("DELETE", "/customerpayments", bulk_delete="true", payment_id=other)

    async def refunds(self, path: str, body: dict[str, Any]) -> None:
        account = self.account.get("Petty Cash") or next(iter(self.account.values()))
        body = {**body, "from_account_id": account}
        made = await self.say("POST", f"{path}/refunds", body)
        if made:
            refund = refund_id(made)
            await self.say("GET", f"{path}/refunds")
            await self.change(f"{path}/refunds/{refund}", {**body, "description": "x"})
            await self.say("DELETE", f"{path}/refunds/{refund}")

    async def credit_notes(self) -> None:
        made = await self.say("POST", "/creditnotes", self.sale())
        if not made:
            return
        own = made["creditnote"]["creditnote_id"]
        path = f"/creditnotes/{own}"
        await self.say("GET", "/creditnotes")
        await self.change(path, self.sale(), "status/open", "email")
        await self.say("PUT", "/creditnotes", self.sale(), keyed=True)
        await self.custom("creditnote", own)
        await self.apply(path, own)
        body = {"date": DAY, "amount": 10, "refund_mode": "cash"}
        await self.refunds(path, body)
        await self.say("GET", "/creditnotes/refunds")
        for step in ("status/void", "status/draft"):
            await self.say("POST", f"{path}/{step}")
        await self.say("DELETE", path)

    async def apply(self, path: str, own: str) -> None:
        """Credits to an invoice, from both sides, and back."""
        invoice = await self.invoice(send="true")
        body = {"invoices": [{"invoice_id": invoice, "amount_applied": 10}]}
        await self.say("POST", f"{path}/invoices", body)
        wanted = {"apply_creditnotes": [{"creditnote_id": own, "amount_applied": 10}]}
        await self.say("POST", f"/invoices/{invoice}/credits", wanted)
        told = await self.say("GET", f"/invoices/{invoice}/creditsapplied")
        for one in (told or {"credits": []})["credits"]:
            await self.say("DELETE", f"/invoices/{invoice}/creditsapplied/{one['creditnotes_invoice_id']}")
        await self.say("POST", f"{path}/invoices", body)
        applied = await self.say("GET", f"{path}/invoices")
        for one in (applied or {"invoices_credited": []})["invoices_credited"]:
            await self.say("DELETE", f"{path}/invoices/{one['creditnote_invoice_id']}")

    async def farewell(self) -> None:
        """Deletions of what no document uses."""
        for root in (BOOKS, INVENTORY):
            made = await self.say("POST", "/contacts", {"contact_name": f"Nobody {root}"}, root=root)
            await self.say("DELETE", f"/contacts/{made['contact']['contact_id']}", root=root)
            made = await self.say("POST", "/items", {"name": f"Nothing {root}", "rate": 1}, root=root)
            await self.say("DELETE", f"/items/{made['item']['item_id']}", root=root)
