"""The custom fields zohosync wants in CRM. Without them it works, with less.

https://www.zoho.com/crm/developer/docs/api/v8/create-custom-field.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zohosync.sync.accounts import KEY_FIELD as ACCOUNT_KEY
from zohosync.sync.contact_drafts import KEY_FIELD as CONTACT_KEY
from zohosync.zoho.fields import FieldCatalogue


@dataclass(frozen=True, slots=True)
class WantedField:
    """One single-line text field. ``purpose`` completes "It is for"; ``unique``: Zoho refuses a second equal value."""

    module: str
    label: str
    length: int
    unique: bool
    purpose: str

    @property
    def api_name(self) -> str:
        """As Zoho derives it from the label."""
        return self.label.replace(" ", "_")

    def creation(self) -> dict[str, Any]:
        """The body of its creation."""
        body: dict[str, Any] = {"field_label": self.label, "data_type": "text", "length": self.length}
        return body | {"unique": {"case_sensitive": False}} if self.unique else body


ONE_CONTACT = "finding the Contact of a shop customer again, so that no second one is ever made"
ONE_ACCOUNT = "finding the Account of a company again, so that two firms of one name are never merged"
TAX_NUMBER = "the customer's GST number"

WANTED_FIELDS: tuple[WantedField, ...] = (
    WantedField("Contacts", CONTACT_KEY.replace("_", " "), 64, True, ONE_CONTACT),
    WantedField("Accounts", ACCOUNT_KEY.replace("_", " "), 64, True, ONE_ACCOUNT),
    WantedField("Contacts", "GSTIN", 15, False, TAX_NUMBER),
    WantedField("Leads", "GSTIN", 15, False, TAX_NUMBER),
    WantedField("Accounts", "GSTIN", 15, False, TAX_NUMBER),
)


def find_missing(catalogues: Mapping[str, FieldCatalogue]) -> tuple[WantedField, ...]:
    """Those the organisation does not have; modules without a catalogue are left out."""
    return tuple(
        wanted
        for wanted in WANTED_FIELDS
        if wanted.module in catalogues and wanted.api_name not in catalogues[wanted.module]
    )
