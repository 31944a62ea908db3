"""Whose Contact an e-mail address is: one customer's, never two's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zohosync.db.pool import Connection
from zohosync.errors import NotReady, RecordInvalid, ZohosyncError
from zohosync.store.links import find_email_owners
from zohosync.store.shop import ShopCustomer, read_customers
from zohosync.sync.contact_drafts import Draft


@dataclass(frozen=True, slots=True)
class EmailOwners:
    """``owners`` is e-mail in lower case to record id, of those who are in the shop (``present``); ``gone`` are those
    who had a Contact and are no longer customers."""

    owners: dict[str, str]
    present: Mapping[str, ShopCustomer]
    gone: tuple[str, ...]

    def claim(self, draft: Draft) -> ZohosyncError | None:
        """The e-mail becomes the draft's, if it is free; else why it cannot be. An owner who has another e-mail in the
        shop by now is waited for until Zoho knows that."""
        owner = self.owners.setdefault(draft.email.lower(), draft.customer.record_id)
        if owner == draft.customer.record_id:
            return None
        if owner in self.present and not same_email(self.present[owner].email, draft.email):
            return _email_given_up(draft, owner)
        return email_taken(draft, owner)


async def read_email_owners(connection: Connection, drafts: Sequence[Draft]) -> EmailOwners:
    """Who is linked to a Contact with an e-mail of the drafts. An owner who is gone from the shop gives it up."""
    owners = await find_email_owners(connection, [draft.email for draft in drafts])
    present = await read_customers(connection, list(owners.values()))
    gone = tuple(owner for owner in owners.values() if owner not in present or not present[owner].in_scope)
    return EmailOwners({email: owner for email, owner in owners.items() if owner not in gone}, present, gone)


def same_email(theirs: object, ours: str) -> bool:
    """As Zoho compares them: without regard to case."""
    return isinstance(theirs, str) and theirs.lower() == ours.lower()


def email_taken(draft: Draft, owner: str) -> RecordInvalid:
    return RecordInvalid(
        f"Customer {owner} of the shop already is the Contact with the e-mail {draft.email}.",
        hint="Merge the two customers in the shop, or give one another e-mail; they are never merged by themselves.",
        code="email_shared",
        field="Email",
    )


def _email_given_up(draft: Draft, owner: str) -> NotReady:
    return NotReady(
        f"The Contact with the e-mail {draft.email} is customer {owner}, whose new e-mail Zoho does not have yet.",
        wait_for="parent",
        code="email_still_given",
    )
