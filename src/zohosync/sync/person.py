"""What the shop says of a person, in the forms Zoho takes. Pure; a value nobody can use becomes None and a warning."""

from dataclasses import dataclass

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from stdnum.exceptions import ValidationError
from stdnum.in_ import gstin as gstin_number

from zohosync.errors import RecordInvalid
from zohosync.zoho.fields import Warned


@dataclass(frozen=True, slots=True)
class Name:
    """First and last name; Zoho insists on the last, so it is never empty."""

    first: str | None
    last: str


def split_name(full: str | None) -> Name:
    """A single name splits on its last space."""
    words = (full or "").split()
    return join_name(" ".join(words[:-1]), words[-1] if words else "")


def join_name(first: str | None, last: str | None) -> Name:
    """An empty last name takes the first name's place, or "-" when there is neither."""
    first_name, last_name = " ".join((first or "").split()), " ".join((last or "").split())
    if last_name:
        return Name(first_name or None, last_name)
    return Name(None, first_name or "-")


def clean_email(address: str | None) -> str:
    """The address as it can be delivered to; RecordInvalid when there is none, because nothing else identifies
    a person in Zoho."""
    text = (address or "").strip()
    if not text:
        raise RecordInvalid(
            "There is no e-mail address.", hint="Add one in the shop; it is sent again by itself.", code="email_missing"
        )
    try:
        # Shops hold test addresses; only the form is checked, never the network.
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise RecordInvalid(
            f"{text!r} is not an e-mail address: {str(error).rstrip('.')}.",
            hint="Correct it in the shop; it is sent again by itself.",
            code="email_invalid",
            field="Email",
        ) from error


def clean_phone(number: str | None, region: str) -> tuple[str | None, Warned | None]:
    """The number in E.164, and a warning when there is one that cannot be a phone number.

    ``region`` is the ISO country of numbers written without +.
    """
    text = (number or "").strip()
    if not text:
        return None, None
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        return None, Warned(
            "Phone",
            "phone_invalid",
            f"Phone {text!r} is not a phone number, so it was left out.",
            "Correct it in the shop.",
        )
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), None


def clean_gstin(number: str | None) -> tuple[str | None, Warned | None]:
    """The GSTIN in its compact form, and a warning when its check digit or form is wrong.

    https://services.gst.gov.in/services/searchtp
    """
    text = (number or "").strip()
    if not text:
        return None, None
    try:
        return gstin_number.validate(text), None
    except ValidationError:
        return None, Warned(
            "GSTIN", "gstin_invalid", f"GSTIN {text!r} is not valid, so it was left out.", "Correct it in the shop."
        )


def clean_text(text: str | None) -> str | None:
    """Without control characters no form field holds on purpose; None when nothing is left."""
    if text is None:
        return None
    kept = "".join(sign for sign in text if sign in "\n\t" or ord(sign) >= 32).strip()
    return kept or None
