"""What probes make in Zoho Books, and how it is taken away again. Everything carries the mark of its run."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from zohosync.clock import Clock
from zohosync.errors import ZohosyncError
from zohosync.probe.heard import Heard, Unsettled
from zohosync.zoho.books_entities import Tax
from zohosync.zoho.books_requests import (
    CONTACTS,
    INVOICES,
    ITEMS,
    PAYMENTS,
    TAXES,
    Collection,
    create_request,
    delete_request,
    list_request,
)
from zohosync.zoho.protocol import Request

ORDER = (PAYMENTS, INVOICES, ITEMS, CONTACTS)
"""What rests on something goes before it."""

SEARCHED: Mapping[str, str] = {
    PAYMENTS.noun: "reference_number",
    INVOICES.noun: "reference_number",
    ITEMS.noun: "name_startswith",
    CONTACTS.noun: "contact_name_startswith",
}
"""The filter that finds what carries the mark; and the mark is looked for in the rows, as filters may be ignored."""

CREATED = (200, 201)
ABSENT = 1002


class BooksGround:
    """Asks Books, remembers what was made there, and deletes it."""

    def __init__(self, ask: Callable[[Request], Awaitable[Heard]], mark: str, clock: Clock) -> None:
        self.mark = mark
        self.left_over: list[str] = []
        self._ask = ask
        self._clock = clock
        self._count = 0
        self._made: dict[str, list[str]] = {collection.noun: [] for collection in ORDER}
        self._touched: set[str] = set()

    def new_name(self) -> str:
        """A name nothing else has."""
        self._count += 1
        return f"{self.mark} {self._count}"

    async def ask(self, request: Request) -> Heard:
        """As the ground asks."""
        return await self._ask(request)

    async def create(self, collection: Collection, payload: Mapping[str, Any], *, own_number: bool = False) -> Heard:
        """Try to make a record; one that is made is remembered."""
        self._touched.add(collection.noun)
        heard = await self._ask(create_request(collection, payload, own_number=own_number))
        record = heard.record(collection.noun)
        if heard.status in CREATED and record.get(collection.id_name):
            self._made[collection.noun].append(str(record[collection.id_name]))
        return heard

    async def made(self, collection: Collection, payload: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """A record that must be accepted."""
        heard = await self.create(collection, payload, **more)
        record = heard.record(collection.noun)
        if heard.status not in CREATED or not record.get(collection.id_name):
            raise Unsettled(f"an ordinary {collection.noun} was refused ({heard.number})")
        return record

    async def customer(self, **values: Any) -> str:
        """The id of a customer."""
        record = await self.made(CONTACTS, {"contact_name": self.new_name(), "contact_type": "customer", **values})
        return str(record["contact_id"])

    async def item(self) -> dict[str, Any]:
        """Goods that keep no stock."""
        name = self.new_name()
        return await self.made(ITEMS, {"name": name, "sku": name, "rate": 1})

    async def tax(self, rate: int) -> str:
        """The organisation's group of CGST and SGST of a rate."""
        heard = await self._ask(list_request(TAXES))
        for tax in map(Tax.parse, heard.rows(TAXES.plural)):
            if tax.type == "tax_group" and tax.percentage == rate and tax.specification != "inter":
                return tax.id
        raise Unsettled(f"the organisation has no group of CGST and SGST of {rate} %")

    async def invoice(self, *lines: Mapping[str, Any], own_number: bool = False, **values: Any) -> dict[str, Any]:
        """A draft of these lines within the state, for a customer and an item of its own, as Books made it."""
        heard = await self.try_invoice(*lines, own_number=own_number, **values)
        record = heard.record(INVOICES.noun)
        if not record.get("invoice_id"):
            raise Unsettled(f"an ordinary invoice was refused ({heard.number})")
        return record

    async def try_invoice(self, *lines: Mapping[str, Any], own_number: bool = False, **values: Any) -> Heard:
        customer = values.pop("customer_id", None) or await self.customer()
        item = (await self.item())["item_id"]
        payload = {
            "customer_id": customer,
            "reference_number": self.mark,
            "line_items": [{"item_id": item, "quantity": 1, **line} for line in lines],
            **values,
        }
        return await self.create(INVOICES, payload, own_number=own_number)

    async def sleep(self, duration: timedelta) -> None:
        await self._clock.sleep(duration)

    # --- cleaning up

    async def clean(self) -> None:
        """Delete what is known to have been made. Never raises for Zoho.

        What Books refuses to delete stays for the end: something made unnoticed may rest on it.
        """
        for collection in ORDER:
            ids, self._made[collection.noun] = self._made[collection.noun], []
            self._made[collection.noun] += [one for one in ids if not await self._delete(collection, one)]

    async def leave(self) -> None:
        """After the last probe: look for what was made unnoticed; what stays even then is in ``left_over``."""
        for collection in ORDER:
            if collection.noun in self._touched:
                await self._sweep(collection)
        await self.clean()
        for noun, ids in self._made.items():
            self.left_over += [f"{noun} of Books {one}" for one in ids]
            ids.clear()

    async def _sweep(self, collection: Collection) -> None:
        filters = {SEARCHED[collection.noun]: self.mark}
        try:
            heard = await self._ask(list_request(collection, **filters))
            if heard.status != 200:
                raise heard.unforeseen()
        except (ZohosyncError, Unsettled) as error:
            self.left_over.append(f"perhaps a {collection.noun} of Books that is called {self.mark!r} ({error})")
            return
        for row in heard.rows(collection.plural) or heard.rows("customer_payments"):
            known = str(row.get(collection.id_name, ""))
            named = [str(row.get(name, "")) for name in ("reference_number", "name", "contact_name")]
            made = self._made[collection.noun]
            if known.isdecimal() and known not in made and any(one.startswith(self.mark) for one in named):
                made.append(known)

    async def _delete(self, collection: Collection, record_id: str) -> bool:
        """Whether it is gone."""
        try:
            heard = await self._ask(delete_request(collection, record_id))
        except (ZohosyncError, Unsettled, ValueError):
            return False
        return (heard.status == 200 and heard.number == 0) or heard.number == ABSENT


def amount(record: Mapping[str, Any], name: str) -> Decimal:
    """An amount of a record; Unsettled when it is not told."""
    told = record.get(name)
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise Unsettled(f"Books does not tell {name}")
    return Decimal(str(told))
