"""Inventory adjustments of Books: signed changes of stock.

https://www.zoho.com/inventory/api/v1/inventoryadjustments/
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from zohosync.zoho.books_calls import BooksCalls
from zohosync.zoho.books_parse_records import parse_adjustment
from zohosync.zoho.books_records import Adjustment
from zohosync.zoho.books_requests import ADJUSTMENTS, create_request, delete_request, list_request


class BooksAdjustments(BooksCalls):
    """All or nothing: one line that would take more than there is refuses the whole adjustment."""

    async def create_adjustment(self, payload: Mapping[str, Any]) -> Adjustment:
        """Refused with reason ``books_stock_short`` when a line takes more than there is. Not safe to repeat: a
        repetition would move the stock again."""
        return parse_adjustment(await self._one(create_request(ADJUSTMENTS, payload), ADJUSTMENTS.noun))

    async def adjustments(self, most_pages: int) -> AsyncIterator[Adjustment]:
        """The newest first, of so many pages at most: there is no filter, so looking for one means reading back."""
        seen: set[str] = set()
        left = most_pages
        async for page in self._pages(
            list_request(ADJUSTMENTS, sort_column="date", sort_order="D"), ADJUSTMENTS.plural
        ):
            for row in map(parse_adjustment, page):
                if row.id not in seen:
                    seen.add(row.id)
                    yield row
            left -= 1
            if left <= 0:
                return

    async def adjustment(self, adjustment_id: str) -> Adjustment | None:
        """One adjustment with its lines; None when Books does not have it."""
        found = await self._find(ADJUSTMENTS, adjustment_id)
        return None if found is None else parse_adjustment(found)

    async def delete_adjustment(self, adjustment_id: str) -> None:
        """The stock is as if it had never been made."""
        await self.send(delete_request(ADJUSTMENTS, adjustment_id))
