"""Customers on the way to Books: who they are, and what is sent for them, made without sending it. Pure.

https://www.zoho.com/books/api/v3/contacts/
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zohosync.errors import RecordInvalid
from zohosync.gst.gstin import judge_gstin
from zohosync.gst.sale import Assessment
from zohosync.store.orders import ShopAddress, ShopOrder
from zohosync.store.shop import ShopCustomer
from zohosync.sync.person import Name, clean_email, clean_phone, clean_text, join_name, split_name
from zohosync.zoho.books_records import Contact
from zohosync.zoho.fields import Warned

LONGEST_NAME = 200
MOST_NAMES = 20
LENGTHS: Mapping[str, int] = {
    "company_name": 200,
    "first_name": 100,
    "last_name": 100,
    "email": 100,
    "phone": 50,
    "attention": 100,
    "address": 500,
    "street2": 255,
    "city": 100,
    "state": 100,
    "zip": 50,
    "country": 100,
}
PROFILE = ("contact_name", "company_name", "contact_persons")
"""What a customer's profile tells; the rest comes with orders."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whose contact it is: a ``firm`` by its GSTIN, a registered ``buyer`` by the user's id, a ``guest`` by the e-mail
    address in lower case, or by the order where there is none."""

    entity: str
    record_id: str


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """One customer on the way to Books. ``sign`` tells it from others of the same name; ``singular``: its name has the
    order's number in it, because nothing else identifies the person."""

    party: Party
    payload: dict[str, Any]
    email: str | None
    gstin: str | None
    sign: str
    singular: bool
    warnings: tuple[Warned, ...] = ()

    @property
    def name(self) -> str:
        return str(self.payload["contact_name"])

    def names(self) -> Iterator[str]:
        """The display name, unique in Books, and what it becomes where another customer has it."""
        yield self.name
        signed = f"{self.name} ({self.sign})"
        yield signed
        for number in range(2, MOST_NAMES):
            yield f"{signed} {number}"


def party_of(order: ShopOrder, gstin: str | None, email: str | None) -> Party:
    """Whose contact the document of an order belongs to. Two users of one firm share its GSTIN and its contact."""
    if gstin:
        return Party("firm", gstin)
    if order.user_id:
        return Party("buyer", order.user_id)
    return Party("guest", email.lower() if email else order.record_id)


def settle_party(draft: CustomerDraft, order: ShopOrder, agreed: Mapping[str, Any] | None) -> Party:
    """A guest whose e-mail address brings the contact of another name is somebody else: known by the order alone, so
    that nobody's contact is renamed, or moved to another address, by a stranger's order."""
    name = (agreed or {}).get("contact_name")
    if draft.party.entity != "guest" or not name or is_named(draft, str(name)):
        return draft.party
    return Party("guest", order.record_id)


def is_named(draft: CustomerDraft, name: str) -> bool:
    """Whether a contact has the customer's name, with or without the sign that keeps names apart."""
    given = name.strip().casefold()
    return any(given == one.strip().casefold() for one in draft.names())


def is_at_home(draft: CustomerDraft, contact: Contact) -> bool:
    """Whether a contact has the addresses of the order already."""
    addresses = {name: draft.payload.get(name) for name in ("billing_address", "shipping_address")}
    return all(not mine or _same_address(mine, contact.fields.get(name)) for name, mine in addresses.items())


def parties_of(customer: ShopCustomer) -> tuple[Party, ...]:
    """Whose contact a user's profile may belong to: the firm's, where Books has it, else the user's own."""
    gstin, own = judge_gstin(customer.gstin).number, Party("buyer", customer.record_id)
    return (Party("firm", gstin), own) if gstin else (own,)


def draft_customer(order: ShopOrder, assessment: Assessment, region: str) -> CustomerDraft:
    """The customer of an order in Books' words; RecordInvalid when that cannot be.

    ``region`` is the ISO country of phone numbers written without +.
    """
    warnings: list[Warned] = []
    name = _name_of(order)
    email = _email(order.email or order.ship_to.email or order.bill_to.email, warnings)
    person = _person(name, email, order.phone or order.ship_to.phone, region, warnings)
    gstin = assessment.gstin
    party = party_of(order, gstin, email)
    company = _fit("company_name", order.company, warnings)
    singular = not (email or gstin or order.user_id)
    payload = {
        "contact_name": _display_name(order.company, name, order.order_number if singular else None),
        "company_name": company,
        "contact_type": "customer",
        "customer_sub_type": "business" if company or gstin else "individual",
        "gst_treatment": assessment.gst_treatment,
        "gst_no": gstin,
        "place_of_contact": _place_of_contact(assessment),
        "billing_address": _address(order.bill_to if order.bill_to.source != "none" else order.ship_to, warnings),
        "shipping_address": _address(order.ship_to, warnings),
        "contact_persons": [person] if person else None,
    }
    sent = {key: value for key, value in payload.items() if value}
    sign = gstin or email or order.order_number
    return CustomerDraft(party, sent, email, gstin, sign, singular, tuple(dict.fromkeys(warnings)))


def draft_profile(
    customer: ShopCustomer, party: Party, agreed: Mapping[str, Any], region: str
) -> tuple[dict[str, Any], tuple[Warned, ...]]:
    """A linked customer after an edit of the profile: what was agreed, with what the profile tells now. GST, addresses
    and the place come with orders, and stay."""
    warnings: list[Warned] = []
    name = join_name(customer.first_name, customer.last_name)
    person = _person(name, _email(customer.email, warnings), customer.phone, region, warnings)
    company = _fit("company_name", customer.company, warnings)
    told = {
        "contact_name": _display_name(customer.company, name, None),
        "company_name": company,
        "contact_persons": [person] if person else None,
    }
    kept = {key: value for key, value in agreed.items() if key not in PROFILE}
    merged = merge_persons({**kept, **{key: value for key, value in told.items() if value}}, party, agreed)
    return merged, tuple(dict.fromkeys(warnings))


def merge_persons(payload: Mapping[str, Any], party: Party, agreed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of a firm several people may order: one that is new joins those Books knows already."""
    known = (agreed or {}).get("contact_persons") or []
    told = payload.get("contact_persons") or []
    if party.entity != "firm" or not known or not told:
        return dict(payload)
    mine = told[0]
    same = [place for place, person in enumerate(known) if _same_person(person, mine)]
    persons = list(known)
    if same:
        persons[same[0]] = {**mine, "is_primary_contact": known[same[0]].get("is_primary_contact", False)}
    else:
        persons.append({**mine, "is_primary_contact": False})
    return {**payload, "contact_persons": persons}


def find_changes(payload: Mapping[str, Any], agreed: Mapping[str, Any]) -> dict[str, Any]:
    """What Books does not have from us yet. What the shop no longer has is emptied, where Books has it from us."""
    changed = {name: value for name, value in payload.items() if agreed.get(name) != value}
    emptied = {name: "" for name in ("company_name", "place_of_contact") if agreed.get(name) and name not in payload}
    return changed | emptied


def replace_persons(
    contact: Contact, persons: Sequence[Mapping[str, Any]], agreed: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """All contact persons as they are to be: a list that is sent replaces all of them, so that those somebody added in
    Books are sent along."""
    there = [dict(person) for person in contact.fields.get("contact_persons") or [] if isinstance(person, dict)]
    result: list[dict[str, Any]] = []
    for place, person in enumerate(persons):
        before = agreed[place] if place < len(agreed) else person
        found = next((one for one in there if _same_person(one, before) or _same_person(one, person)), None)
        if found is None and person.get("is_primary_contact"):
            found = next((one for one in there if one.get("is_primary_contact")), None)
        if found is not None:
            there.remove(found)
            result.append({"contact_person_id": found["contact_person_id"], **person})
        else:
            result.append(dict(person))
    kept = ("contact_person_id", "salutation", "first_name", "last_name", "email", "phone", "mobile", "designation")
    return result + [{name: one[name] for name in kept if one.get(name)} for one in there]


def agrees(draft: CustomerDraft, contact: Contact) -> bool:
    """Whether a contact of Books, read by itself, is this customer: by GSTIN, else by e-mail. A name proves nothing,
    and what has a GSTIN is a firm."""
    if contact.type != "customer":
        return False
    if draft.gstin and contact.gst_no:
        return contact.gst_no.strip().upper() == draft.gstin
    if contact.gst_no:
        return False
    if draft.email:
        return contact.email.strip().lower() == draft.email.lower()
    return draft.singular and contact.name.strip().casefold() == draft.name.casefold()


def pick(draft: CustomerDraft, contacts: Sequence[Contact]) -> Contact | None:
    """Which of several that agree: the one of the same name, or the only one. Several others tell nothing."""
    named = [contact for contact in contacts if contact.name.strip().casefold() == draft.name.casefold()]
    return named[0] if named else contacts[0] if len(contacts) == 1 else None


def find_gaps(payload: Mapping[str, Any], contact: Contact) -> dict[str, Any]:
    """What an adopted contact lacks. What somebody wrote there stays; addresses are the order's."""
    there: dict[str, Any] = {
        "company_name": contact.company,
        "gst_treatment": contact.gst_treatment,
        "gst_no": contact.gst_no,
        "place_of_contact": contact.place_of_contact,
    }
    gaps = {name: payload[name] for name, value in there.items() if payload.get(name) and not value}
    for name in ("billing_address", "shipping_address"):
        if payload.get(name) and not _same_address(payload[name], contact.fields.get(name)):
            gaps[name] = payload[name]
    if payload.get("contact_persons") and not contact.email and not contact.fields.get("contact_persons"):
        gaps["contact_persons"] = payload["contact_persons"]
    return gaps


def _name_of(order: ShopOrder) -> Name:
    if (order.first_name or "").strip() or (order.last_name or "").strip():
        return join_name(clean_text(order.first_name), clean_text(order.last_name))
    return split_name(clean_text(order.ship_to.name) or clean_text(order.bill_to.name))


def _display_name(company: str | None, name: Name, number: str | None) -> str:
    """The firm, else the person. Never shortened: it is whom the invoice is made out to."""
    person = " ".join(part for part in (name.first, name.last) if part and part != "-")
    shown = clean_text(company) or person or "Guest"
    shown = _without_brackets(f"{shown} ({number})" if number else shown)
    if len(shown) > LONGEST_NAME:
        raise RecordInvalid(
            f"The customer's name has {len(shown)} characters; Zoho Books takes {LONGEST_NAME}.",
            hint="Shorten it in the shop, or by an override of this order.",
            code="customer_name_too_long",
            field="name",
        )
    return shown


def _person(
    name: Name, email: str | None, phone: str | None, region: str, warnings: list[Warned]
) -> dict[str, Any] | None:
    number, bad_phone = clean_phone(phone, region)
    warnings.extend([bad_phone] if bad_phone else [])
    parts = {
        "first_name": _fit("first_name", name.first, warnings),
        "last_name": _fit("last_name", name.last if name.last != "-" else None, warnings),
        "email": email,
        "phone": number,
    }
    told = {key: value for key, value in parts.items() if value}
    return {**told, "is_primary_contact": True} if told else None


def _email(address: str | None, warnings: list[Warned]) -> str | None:
    if not (address or "").strip():
        return None
    try:
        return _fit("email", clean_email(address), warnings)
    except RecordInvalid as error:
        warnings.append(Warned("email", error.reason, f"{error.message} It was left out.", "Correct it in the shop."))
        return None


def _place_of_contact(assessment: Assessment) -> str | None:
    """Of a registered buyer the state of its GSTIN, of others where it was delivered to; none abroad."""
    if assessment.gst_treatment == "overseas":
        return None
    if assessment.gstin:
        return judge_gstin(assessment.gstin).state or assessment.place_of_supply
    return assessment.place_of_supply


def _address(address: ShopAddress, warnings: list[Warned]) -> dict[str, str]:
    parts = {
        "attention": address.name,
        "address": address.line1,
        "street2": address.line2,
        "city": address.city,
        "state": address.state,
        "zip": address.postal_code,
        "country": address.country,
    }
    fitted = {name: _fit(name, value, warnings) for name, value in parts.items()}
    return {name: value for name, value in fitted.items() if value}


def _fit(name: str, value: str | None, warnings: list[Warned]) -> str | None:
    """An optional text as Books takes it, or None and a warning: nothing is shortened."""
    text = clean_text(value)
    if text is None:
        return None
    text = _without_brackets(text)
    if len(text) <= LENGTHS[name]:
        return text or None
    warnings.append(
        Warned(
            name,
            "too_long",
            f"{name} has {len(text)} characters, Zoho Books takes {LENGTHS[name]}, so it was left out.",
            "Shorten it in the shop.",
        )
    )
    return None


def _without_brackets(text: str) -> str:
    """Books refuses < and > in any text."""
    return " ".join(text.replace("<", " ").replace(">", " ").split(" ")).strip()


def _same_person(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    mine, theirs = str(one.get("email") or "").lower(), str(other.get("email") or "").lower()
    return bool(mine) and mine == theirs


def _same_address(mine: Mapping[str, str], there: object) -> bool:
    if not isinstance(there, dict):
        return False
    return all(str(there.get(name) or "").strip() == value for name, value in mine.items())
