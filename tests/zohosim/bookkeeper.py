"""A bookkeeper: writes to the simulated Books through its API, and makes what the tests of documents need."""

from dataclasses import dataclass
from typing import Any

import httpx

from conftest import log_in

TODAY = "2026-11-22"


@dataclass
class Bookkeeper:
    """`zoho` is the logged-in caller of conftest."""

    zoho: Any

    @property
    def organisation(self) -> Any:
        return next(iter(self.zoho.sim.books.organisations.values()))

    async def ask(self, method: str, path: str, body: Any = None, **params: Any) -> httpx.Response:
        headers = {name: params.pop(name) for name in list(params) if name.startswith("X-")}
        asked = {"organization_id": self.organisation.id, **params}
        return await self.zoho.http.request(method, f"/books/v3{path}", params=asked, json=body, headers=headers)

    async def do(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The body of an answer that must be good."""
        answer = await self.ask(method, path, body, **params)
        assert answer.is_success, answer.text
        assert answer.json()["code"] == 0
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, str]:
        """Code and message of a refusal that must come with 400."""
        answer = await self.ask(method, path, body, **params)
        assert answer.status_code == 400, answer.text
        return answer.json()["code"], answer.json()["message"]

    async def get(self, module: str, node: str, row_id: str) -> Any:
        return (await self.do("GET", f"/{module}/{row_id}"))[node]

    async def customer(self, name: str = "Demo Customer", **more: Any) -> str:
        """The id of a new customer, a consumer of Telangana unless told otherwise."""
        body = {"contact_name": name, "gst_treatment": "consumer", "place_of_contact": "TS", **more}
        return str((await self.do("POST", "/contacts", body))["contact"]["contact_id"])

    async def item(self, name: str = "Bio-NPK 1 kg", *, tax: int = 5, stock: int = 10, **more: Any) -> str:
        """The id of a new inventory item with tax preferences."""
        preferences = [
            {"tax_specification": "intra", "tax_id": self.tax(f"GST{tax}")},
            {"tax_specification": "inter", "tax_id": self.tax(f"IGST{tax}")},
        ]
        body = {
            "name": name, "rate": 450, "sku": name, "unit": "pcs", "hsn_or_sac": "31051000", "item_type": "inventory",
            "product_type": "goods", "purchase_rate": 100, "item_tax_preferences": preferences,
            "initial_stock": stock, "initial_stock_rate": 100,
            "purchase_account_id": self.account("cost_of_goods_sold"), "inventory_account_id": self.account("stock"),
            **more,
        }  # fmt: skip
        return str((await self.do("POST", "/items", body))["item"]["item_id"])

    def account(self, account_type: str) -> str:
        rows = self.organisation.ledger.rows("chartofaccounts")
        return next(str(row["account_id"]) for row in rows if row["account_type"] == account_type)

    def tax(self, name: str) -> str:
        return next(str(tax["tax_id"]) for tax in self.organisation.taxes if tax["tax_name"] == name)

    def line(self, tax: str = "GST18", rate: float = 100, quantity: float = 1, **more: Any) -> dict[str, Any]:
        """A line without an item."""
        named = {"tax_id": self.tax(tax)} if tax else {}
        return {"name": "Demo line", "rate": rate, "quantity": quantity, **named, **more}

    async def invoice(self, customer_id: str = "", *lines: Any, sent: bool = False, **more: Any) -> Any:
        """A new invoice, of one line of 118 rupees unless told otherwise."""
        customer_id = customer_id or await self.customer()
        body = {"customer_id": customer_id, "date": TODAY, "line_items": list(lines) or [self.line()], **more}
        made = (await self.do("POST", "/invoices", body))["invoice"]
        if sent:
            await self.do("POST", f"/invoices/{made['invoice_id']}/status/sent")
            return await self.get("invoices", "invoice", made["invoice_id"])
        return made

    async def payment(self, invoice: Any, paid: float, **more: Any) -> Any:
        """A new payment for one invoice."""
        body = {
            "customer_id": invoice["customer_id"], "payment_mode": "others", "amount": paid, "date": TODAY,
            "invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": paid}], **more,
        }  # fmt: skip
        return (await self.do("POST", "/customerpayments", body))["payment"]

    async def unique(self, module: str, label: str) -> None:
        """A no-duplicates custom field."""
        wanted = {"module": module, "label": label, "unique": True}
        answer = await self.zoho.http.post("/_sim/books/customfields", json=wanted)
        assert answer.is_success, answer.text

    async def upsert(self, path: str, key: str, value: str, body: Any) -> Any:
        named = {"X-Unique-Identifier-Key": key, "X-Unique-Identifier-Value": value, "X-Upsert": "true"}
        return await self.do("PUT", path, body, **named)

    async def wait(self, days: int) -> None:
        """So many days later, with a token that lives."""
        self.zoho.sim.clock.advance(days * 86_400)
        log_in(self.zoho.sim, self.zoho.http)

    async def stock(self, item_id: str) -> float:
        item = await self.get("items", "item", item_id)
        return float(item["stock_on_hand"])
