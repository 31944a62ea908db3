"""Contacts of Books: customers and vendors.

https://www.zoho.com/books/api/v3/contacts/
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from zohosync.zoho.books_calls import BooksCalls
from zohosync.zoho.books_parse_records import parse_contact
from zohosync.zoho.books_records import Contact
from zohosync.zoho.books_requests import CONTACTS, action_request, create_request, list_request, update_request
from zohosync.zoho.books_values import is_older

LONGEST_SEARCH = 100


class BooksContacts(BooksCalls):
    """What is found is compared exactly, trimmed and whatever its case: filters of Books cannot be trusted."""

    async def find_contacts_by_name(self, name: str) -> tuple[Contact, ...]:
        """Those of this display name, inactive ones and vendors too: they all hold the name."""
        wanted = _folded(name)
        # A filter takes a hundred characters, a name two hundred.
        key = "contact_name" if len(name.strip()) <= LONGEST_SEARCH else "contact_name_startswith"
        rows = await self._contacts(**{key: name.strip()[:LONGEST_SEARCH]})
        return tuple(row for row in rows if _folded(row.name) == wanted)

    async def find_contacts_by_email(self, email: str) -> tuple[Contact, ...]:
        """Those whose primary person has this e-mail; Books looks at no other person."""
        rows = await self._contacts(email=email.strip()[:LONGEST_SEARCH])
        return tuple(row for row in rows if _folded(row.email) == _folded(email))

    async def find_contacts_by_gst_no(self, gstin: str) -> tuple[Contact, ...]:
        """Those registered under this GSTIN.

        There is no filter for it, only the search by words; and where rows leave the GSTIN out, each is read.
        """
        rows = await self._contacts(search_text=gstin.strip())
        if not any(row.gst_no for row in rows):
            read = [await self.contact(row.id) for row in rows]
            rows = [row for row in read if row is not None]
        return tuple(row for row in rows if _folded(row.gst_no) == _folded(gstin))

    async def contact(self, contact_id: str) -> Contact | None:
        """One contact in detail; None when Books does not have it."""
        found = await self._find(CONTACTS, contact_id)
        return None if found is None else parse_contact(found)

    async def create_contact(self, payload: Mapping[str, Any]) -> Contact:
        """Refused with reason ``books_name_taken`` when another contact, even an inactive one, has the name."""
        return parse_contact(await self._one(create_request(CONTACTS, payload), CONTACTS.noun))

    async def update_contact(self, contact_id: str, payload: Mapping[str, Any]) -> Contact:
        """Change it. A list of persons replaces them all; those to keep need their ``contact_person_id``."""
        return parse_contact(await self._one(update_request(CONTACTS, contact_id, payload), CONTACTS.noun))

    async def changed_contacts(self, since: datetime) -> AsyncIterator[Contact]:
        """Those changed at this instant or later, newest first; vendors and inactive ones, too."""
        request = list_request(CONTACTS, filter_by="Status.All", sort_column="last_modified_time", sort_order="D")
        async for row in self._rows(request, CONTACTS.plural, CONTACTS.id_name):
            if is_older(row, since):
                return
            yield parse_contact(row)

    async def activate_contact(self, contact_id: str) -> None:
        """Make an inactive one usable again."""
        await self.send(action_request(CONTACTS, contact_id, "active"))

    async def _contacts(self, **filters: str) -> list[Contact]:
        request = list_request(CONTACTS, **filters, filter_by="Status.All")
        return [parse_contact(row) async for row in self._rows(request, CONTACTS.plural, CONTACTS.id_name)]


def _folded(value: str) -> str:
    return value.strip().casefold()
