"""Customers on the way to CRM: what is sent for them, made without sending it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from zohosync.queue.operation import Cause, Operation
from zohosync.store.links import Link
from zohosync.store.shop import ShopCustomer
from zohosync.sync.accounts import Company
from zohosync.sync.decide import Way, decide_way, fingerprint_of, known_of, merge_clearings
from zohosync.sync.person import clean_email, clean_gstin, clean_phone, clean_text, join_name
from zohosync.zoho.crm_requests import Automation, update_request, upsert_request
from zohosync.zoho.fields import FieldCatalogue, Warned
from zohosync.zoho.protocol import Request

MODULE = "Contacts"
ENTITY = "customer"
KEY_FIELD = "Storefront_User_Id"
NEW_RECORD_AUTOMATIONS: tuple[Automation, ...] = ("workflow", "approval", "blueprint", "pathfinder", "orchestration")


@dataclass(frozen=True, slots=True)
class Draft:
    """One customer on the way to Zoho."""

    operation: Operation
    customer: ShopCustomer
    payload: dict[str, Any]
    company: Company | None
    warnings: tuple[Warned, ...] = ()
    zoho_id: str | None = None

    @property
    def email(self) -> str:
        return str(self.payload["Email"])


@dataclass(frozen=True, slots=True)
class Look:
    """Where a Contact may stand that somebody has made already: the field and its value."""

    field: str
    value: str


def translate_contact(customer: ShopCustomer, region: str) -> tuple[dict[str, Any], tuple[Warned, ...]]:
    """The Contact's payload and what had to be left out; RecordInvalid when it cannot be one at all."""
    name = join_name(customer.first_name, customer.last_name)
    phone, bad_phone = clean_phone(customer.phone, region)
    gstin, bad_gstin = clean_gstin(customer.gstin)
    payload = {
        "First_Name": clean_text(name.first),
        "Last_Name": clean_text(name.last) or "-",
        "Email": clean_email(customer.email),
        "Phone": phone,
        "GSTIN": gstin,
        KEY_FIELD: customer.record_id,
    }
    return payload, tuple(warning for warning in (bad_phone, bad_gstin) if warning)


def draft_contact(operation: Operation, customer: ShopCustomer, region: str) -> Draft:
    """The customer in Zoho's words; RecordInvalid when that cannot be."""
    payload, warnings = translate_contact(customer, region)
    return Draft(operation, customer, payload, _company_of(operation, customer, payload), warnings)


def _company_of(operation: Operation, customer: ShopCustomer, payload: dict[str, Any]) -> Company | None:
    name = clean_text(customer.company)
    if customer.role != "b2b_client" or name is None:
        return None
    return Company.of_customer(customer.record_id, name, payload["GSTIN"], operation.operation_id)


def with_account(draft: Draft, account_id: str = "", warnings: tuple[Warned, ...] = ()) -> Draft:
    """Linked to its Account, or to none; ``warnings`` are the Account's."""
    payload = {**draft.payload, "Account_Name": {"id": account_id} if account_id else None}
    return replace(draft, payload=payload, warnings=draft.warnings + warnings)


def fit_contact(draft: Draft, catalogue: FieldCatalogue, link: Link | None) -> Draft:
    """Without what Zoho's fields do not allow, which becomes a warning; RecordInvalid when it cannot be sent at all."""
    checked = catalogue.check(merge_clearings(draft.payload, link.payload if link else None))
    if checked.refusals:
        raise checked.refusals[0]
    return replace(draft, payload=checked.payload, warnings=draft.warnings + checked.warnings)


def decide_contact(draft: Draft, link: Link | None) -> Way:
    """How the finished draft goes to Zoho."""
    return decide_way(known_of(link), fingerprint_of(draft.payload))


def decide_look(draft: Draft, way: Way, link: Link | None, catalogue: FieldCatalogue) -> Look | None:
    """Where to look before creating: for the id an older integration left in the shop, or for what an earlier attempt
    of ours may have made. Where Zoho has our unique field, its upsert finds the latter by itself."""
    written = draft.customer.zoho_crm_id
    if way is Way.CREATE and written:
        return Look("id", written) if written.isdecimal() else None
    if way is Way.LOOK_FIRST and KEY_FIELD not in catalogue:
        return Look("Email", (link.reference if link else None) or "")
    return None


def is_loud(draft: Draft, *, automations: bool) -> bool:
    """Whether Zoho's own automations run: for new records that a change or a person asked for, where the setting
    allows it."""
    return automations and draft.operation.cause in (Cause.CHANGE, Cause.MANUAL)


def updating(drafts: Sequence[Draft]) -> Request:
    """The update of Contacts whose ids are known. Automations of Zoho stay silent: they are for new records."""
    return update_request(MODULE, [{**draft.payload, "id": draft.zoho_id} for draft in drafts])


def creating(drafts: Sequence[Draft], *, loud: bool) -> Request:
    """The upsert, by e-mail and our own key, of Contacts that are new."""
    trigger = NEW_RECORD_AUTOMATIONS if loud else ()
    records = [draft.payload for draft in drafts]
    return upsert_request(MODULE, records, duplicate_check_fields=("Email",), trigger=trigger)
