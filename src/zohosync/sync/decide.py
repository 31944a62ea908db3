"""Whether, and how, a record goes to Zoho. Pure: no clock, no database, no network.

Each side is compared with what was last agreed, never the sides with each other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from zohosync.store.links import Link
from zohosync.zoho.canonical import canonical_json


class Way(Enum):
    """How a record goes to Zoho."""

    SKIP = "skip"  # Zoho accepted exactly this payload before
    UPDATE = "update"  # its id is known
    CREATE = "create"  # nothing was ever sent
    LOOK_FIRST = "look first"  # something may have been sent; what it was is in the link's reference


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a record's counterpart in Zoho."""

    zoho_id: str | None = None
    fingerprint: str | None = None
    payload: Mapping[str, Any] | None = None
    reference: str | None = None  # set while the outcome of a creation is open


def known_of(link: Link | None) -> Known | None:
    """What a link tells."""
    return Known(link.zoho_id, link.fingerprint, link.payload, link.reference) if link else None


def decide_way(known: Known | None, fingerprint: str) -> Way:
    """What to do with a payload that has this fingerprint."""
    if known is None:
        return Way.CREATE
    if known.zoho_id is None:
        return Way.LOOK_FIRST
    return Way.SKIP if known.fingerprint == fingerprint else Way.UPDATE


def fingerprint_of(payload: Mapping[str, Any]) -> str:
    """A digest of the payload that does not depend on the order of its keys."""
    return hashlib.blake2b(canonical_json(payload), digest_size=16).hexdigest()


def merge_clearings(payload: Mapping[str, Any], agreed: Mapping[str, Any] | None) -> dict[str, Any]:
    """The payload without empty values, but with None for those that Zoho has from us and the shop no longer has.

    So a value that somebody typed into Zoho is never wiped by an empty one of the shop.
    """
    kept = {name: value for name, value in payload.items() if value is not None}
    cleared = {name: None for name, value in (agreed or {}).items() if value is not None and name not in kept}
    return kept | {name: None for name in cleared if name in payload}
