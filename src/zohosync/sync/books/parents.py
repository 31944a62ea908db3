"""What a document rests on: its customer and items, which somebody in Books may have deleted or made inactive."""

from collections.abc import Collection

from zohosync.errors import RecordVanished, Refused
from zohosync.queue.batch import Batch
from zohosync.store.links import forget_links_to
from zohosync.sync.books.desk import BooksDesk
from zohosync.zoho.books import Books

SUSPECT = frozenset({"zoho_record_absent", "books_item_inactive", "books_value_invalid", "zoho_refused"})
"""Refusals that may be about what a document rests on: Books has no code of its own for it."""


async def mend_parents(
    desk: BooksDesk, batch: Batch, refused: Refused, *, customer_id: str, item_ids: Collection[str]
) -> None:
    """Look after a refusal: what is inactive is made active, what is gone is forgotten, so that the next try makes it
    anew. RecordVanished when there was something to mend; nothing otherwise."""
    if refused.reason not in SUSPECT:
        return
    books = desk.books_for(batch)
    gone = {"contacts": await _mend_contact(books, customer_id), "items": await _mend_items(books, item_ids)}
    if None not in gone.values() and not any(gone.values()):
        return
    async with desk.pool.connection() as connection:
        for module, ids in gone.items():
            if ids:
                await forget_links_to(connection, system="books", module=module, zoho_ids=sorted(ids))
    raise RecordVanished(
        "The customer or an item of the document was deleted or inactive in Books.",
        hint="It is active again, or is made anew; the document is tried again by itself.",
        module="items" if gone["items"] else "contacts",
    ) from refused


async def _mend_contact(books: Books, contact_id: str) -> set[str] | None:
    """The id when the contact is gone; nothing when all is well; None when it was made active."""
    contact = await books.contact(contact_id)
    if contact is None:
        return {contact_id}
    if contact.active:
        return set()
    await books.activate_contact(contact_id)
    return None


async def _mend_items(books: Books, item_ids: Collection[str]) -> set[str] | None:
    """The ids that are gone; None when some were made active and none is gone."""
    found = {item.id: item for item in await books.items(sorted(item_ids))}
    inactive = [item.id for item in found.values() if not item.active]
    for item_id in inactive:
        await books.activate_item(item_id)
    gone = set(item_ids) - set(found)
    return gone or (None if inactive else set())
