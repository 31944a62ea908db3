"""Items of Books: goods and services.

https://www.zoho.com/books/api/v3/items/
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from zohosync.errors import Refused
from zohosync.zoho.books_calls import BooksCalls
from zohosync.zoho.books_parse_records import parse_item
from zohosync.zoho.books_records import Item
from zohosync.zoho.books_requests import (
    ITEMS,
    MOST_ITEMS,
    action_request,
    create_request,
    item_details_request,
    list_request,
    update_request,
)
from zohosync.zoho.books_values import is_older


class BooksItems(BooksCalls):
    """Lists of Books leave inactive items out, unless they are asked for."""

    async def find_items_by_sku(self, sku: str) -> tuple[Item, ...]:
        """Those of this SKU, trimmed and whatever its case, inactive ones too.

        Inventory documents the filter, Books does not. Rows that do not match tell that it was ignored; then words are
        searched for, and last the whole list is gone through.
        """
        wanted = sku.strip().casefold()
        if not wanted:
            return ()
        filtered = await self._filtered_by_sku(sku.strip(), wanted)
        if filtered is not None:
            return filtered
        by_words = [row async for row in self.list_items(search_text=sku.strip()) if _has_sku(row, wanted)]
        return tuple(by_words or [row async for row in self.list_items() if _has_sku(row, wanted)])

    async def _filtered_by_sku(self, sku: str, wanted: str) -> tuple[Item, ...] | None:
        """What the filter finds; None when a row that does not match shows that it was ignored."""
        found: list[Item] = []
        async for row in self.list_items(sku=sku):
            if not _has_sku(row, wanted):
                return None
            found.append(row)
        return tuple(found)

    async def items(self, ids: Sequence[str]) -> tuple[Item, ...]:
        """Items in detail, in the order asked for; those Books no longer has are left out."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Item] = {}
        for start in range(0, len(wanted), MOST_ITEMS):
            found |= {item.id: item for item in await self._details(wanted[start : start + MOST_ITEMS])}
        return tuple(found[item] for item in wanted if item in found)

    async def _details(self, ids: Sequence[str]) -> list[Item]:
        """One dead id makes Books refuse all of them, so they are halved until it is alone."""
        try:
            rows = (await self.send(item_details_request(ids))).rows(ITEMS.plural)
        except Refused as error:
            if error.reason != "zoho_record_absent":
                raise
        else:
            return [parse_item(row) for row in rows]
        if len(ids) == 1:
            return []
        middle = len(ids) // 2
        return [*await self._details(ids[:middle]), *await self._details(ids[middle:])]

    async def item(self, item_id: str) -> Item | None:
        """One item in detail; None when Books does not have it."""
        found = await self._find(ITEMS, item_id)
        return None if found is None else parse_item(found)

    async def list_items(self, **filters: str) -> AsyncIterator[Item]:
        """All items, inactive ones too."""
        request = list_request(ITEMS, **({"filter_by": "Status.All"} | filters))
        async for row in self._rows(request, ITEMS.plural, ITEMS.id_name):
            yield parse_item(row)

    async def changed_items(self, since: datetime) -> AsyncIterator[Item]:
        """Those changed at this instant or later, newest first; stock that moves changes an item, too."""
        async for row in self.list_items(sort_column="last_modified_time", sort_order="D"):
            if is_older(row.fields, since):
                return
            yield row

    async def create_item(self, payload: Mapping[str, Any]) -> Item:
        """Refused with reason ``books_item_taken`` when another item has the name or the SKU."""
        return parse_item(await self._one(create_request(ITEMS, payload), ITEMS.noun))

    async def update_item(self, item_id: str, payload: Mapping[str, Any]) -> Item:
        """Change it. Name and rate are documented as required each time; stock cannot be changed this way."""
        return parse_item(await self._one(update_request(ITEMS, item_id, payload), ITEMS.noun))

    async def activate_item(self, item_id: str) -> None:
        """Make an inactive one usable again."""
        await self.send(action_request(ITEMS, item_id, "active"))


def _has_sku(item: Item, wanted: str) -> bool:
    return item.sku.strip().casefold() == wanted
