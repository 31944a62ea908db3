"""What customers paid, in Books.

https://www.zoho.com/books/api/v3/customer-payments/
"""

from collections.abc import Mapping
from typing import Any

from zohosync.zoho.books_documents import BooksDocuments
from zohosync.zoho.books_parse_documents import parse_payment, parse_refund
from zohosync.zoho.books_records import Payment, Refund, UniqueKey
from zohosync.zoho.books_requests import (
    PAYMENTS,
    create_request,
    delete_request,
    list_request,
    refund_request,
    update_request,
)
from zohosync.zoho.books_values import objects
from zohosync.zoho.protocol import outcome_unknown


class BooksPayments(BooksDocuments):
    """What is applied to no invoice is the customer's credit."""

    async def create_payment(self, payload: Mapping[str, Any], *, unique: UniqueKey | None = None) -> Payment:
        """Not safe to repeat without a key: references of payments are not unique in Books."""
        request = create_request(PAYMENTS, payload, unique=unique)
        return parse_payment(await self._create(PAYMENTS, request, unique))

    async def payment(self, payment_id: str) -> Payment | None:
        """One payment with the invoices it is applied to; None when Books does not have it."""
        found = await self._find(PAYMENTS, payment_id)
        return None if found is None else parse_payment(found)

    async def find_payments(self, reference: str, customer_id: str) -> tuple[Payment, ...]:
        """The rows of this customer with exactly this reference."""
        request = list_request(PAYMENTS, reference_number=reference, customer_id=customer_id)
        rows = [parse_payment(row) async for row in self._rows(request, PAYMENTS.plural, PAYMENTS.id_name)]
        return tuple(row for row in rows if row.reference == reference and row.customer_id == customer_id)

    async def update_payment(self, payment_id: str, payload: Mapping[str, Any]) -> Payment:
        """Change it. A list of invoices replaces what it was applied to."""
        return parse_payment(await self._one(update_request(PAYMENTS, payment_id, payload), PAYMENTS.noun))

    async def delete_payment(self, payment_id: str) -> None:
        """The invoices it was applied to are owed again."""
        await self.send(delete_request(PAYMENTS, payment_id))

    async def refund_payment(self, payment_id: str, payload: Mapping[str, Any]) -> Refund:
        """Pay back what is unused of it. Not safe to repeat."""
        request = refund_request(PAYMENTS, payment_id, payload)
        body = (await self.send(request)).body
        # Documented as a list of one, where other answers hold an object.
        single = body.get("payment_refund")
        found = [single] if isinstance(single, dict) else objects(body, "payment_refunds")
        if not found:
            raise outcome_unknown(request)
        return parse_refund(found[0])
