"""What may be said of a record instead of what the shop says, and whether it makes sense. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from zohosync.errors import SettingsRefused
from zohosync.gst.countries import tell_country
from zohosync.gst.gstin import Worth, judge_gstin
from zohosync.gst.sale import PriceBasis, Problem
from zohosync.gst.states import name_of, resolve_state, served_by
from zohosync.gst.wording import shortened

OLDEST = timedelta(days=366)
"""A document may not be dated further back: returns of older periods are long filed."""

LONGEST = 200
ENTITIES = ("order", "approved_quote")
LINE_SKU = "line_sku:"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check must know of the record: today's business date, when it was placed, its lines (id to words), and the
    SKUs among those asked about that the shop has."""

    today: date
    placed_on: date | None
    lines: Mapping[str, str]
    skus: Collection[str]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be corrected. ``choices`` maps each value to its words; empty where any text goes."""

    name: str
    title: str
    meaning: str
    choices: Mapping[str, str]
    check: Callable[[str, Subject], str]


def check_override(entity: str, field: str, value: str, subject: Subject) -> str:
    """The value as it is kept; SettingsRefused says why it makes no sense."""
    if entity not in ENTITIES:
        raise _refusal(f"Nothing of a {entity} can be overridden.", f"Overrides are for {' and '.join(ENTITIES)}.")
    text = " ".join(value.split())
    if not text:
        raise _refusal(f"{field} came without a value.", "To believe the shop again, clear the override.")
    if len(text) > LONGEST:
        raise _refusal(f"The value is longer than {LONGEST} characters.", "Shorten it.")
    return field_of(field, subject).check(text, subject)


def field_of(name: str, subject: Subject) -> Field:
    """The field of that name; a line's SKU is a field of its own for each line."""
    if name in FIELDS:
        return FIELDS[name]
    line_id = name.removeprefix(LINE_SKU)
    if not name.startswith(LINE_SKU):
        known = ", ".join([*FIELDS, f"{LINE_SKU}<line id>"])
        raise _refusal(f"There is no field {shortened(name)!r} to override.", f"Choose one of {known}.")
    if line_id not in subject.lines:
        known = ", ".join(f"{key} ({shortened(words)})" for key, words in subject.lines.items()) or "none"
        raise _refusal(f"The record has no line {shortened(line_id)!r}.", f"Its lines are: {known}.")
    return Field(name, f"SKU of {shortened(subject.lines[line_id])}", "The SKU this line is invoiced as.", {}, _sku)


def list_fields(subject: Subject) -> tuple[Field, ...]:
    """All that can be overridden of a record, those of its lines last."""
    return (*FIELDS.values(), *(field_of(f"{LINE_SKU}{line_id}", subject) for line_id in subject.lines))


# Which field a reason code is about: the form opens there. A code stands for all its subjects.
AT_FAULT: Mapping[str, str] = {
    "state_unresolved": "state",
    "state_pin_conflict": "state",
    "country_missing": "country",
    "country_unknown": "country",
    "gstin_checksum": "gstin",
    "gstin_format": "gstin",
    "gstin_special_type": "gstin",
    "b2b_without_gstin": "gstin",
    "gstin_state_differs_from_ship_to": "third_party",
    "price_basis_unknown": "price_basis",
    "customer_name_missing": "name",
    "sku_missing": LINE_SKU,
    "goods_returned_unknown": "returned",
}


def field_at_fault(code: str | None) -> str:
    """The field that can correct a refusal; empty when none can. ``line_sku:`` means one of the lines."""
    return AT_FAULT.get((code or "").partition(":")[0], "")


def _state(text: str, _: Subject) -> str:
    """Kept as it was typed: the PIN of the address may contradict it, and a person decides."""
    resolved = resolve_state(text, None, by_person=True)
    if isinstance(resolved, Problem):
        raise _refusal(resolved.message, "Write the state's name or its code, such as Telangana or TS.")
    return name_of(resolved.code)


def _postal_code(text: str, _: Subject) -> str:
    digits = text.replace(" ", "").replace("-", "")
    if not served_by(digits):
        raise _refusal(
            f"{shortened(text)!r} is no PIN code of India that tells a state.", "A PIN has six digits, such as 500032."
        )
    return digits


def _country(text: str, _: Subject) -> str:
    if tell_country(text) in ("missing", "unknown"):
        raise _refusal(f"{shortened(text)!r} is no country.", "Write its name or code, such as India or IN.")
    return text


def _gstin(text: str, _: Subject) -> str:
    verdict = judge_gstin(text)
    if verdict.worth is Worth.VALID:
        assert verdict.number is not None
        return verdict.number
    if verdict.worth is Worth.NONE:
        raise _refusal(
            f"{shortened(text)!r} is no GSTIN.", "For a buyer without one, decide the policy b2b_without_gstin instead."
        )
    assert verdict.problem is not None
    raise _refusal(verdict.problem.message, "Ask the customer for the number on their registration certificate.")


def _date(text: str, subject: Subject) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _refusal(f"{shortened(text)!r} is no date.", "Write it as 2026-11-22.") from None
    earliest = max(subject.today - OLDEST, subject.placed_on or date.min)
    if not earliest <= day <= subject.today:
        raise _refusal(f"{day} is no day the document can have.", f"Choose one from {earliest} to {subject.today}.")
    return day.isoformat()


def _sku(text: str, subject: Subject) -> str:
    if text.casefold() not in {sku.casefold() for sku in subject.skus}:
        raise _refusal(f"The shop has no variant with the SKU {shortened(text)!r}.", "Write it as the shop does.")
    return text


def _one_of(*choices: str) -> Callable[[str, Subject], str]:
    def check(text: str, _: Subject) -> str:
        if text.casefold() not in choices:
            raise _refusal(f"{shortened(text)!r} cannot be chosen.", f"Choose one of {', '.join(choices)}.")
        return text.casefold()

    return check


def _text(text: str, _: Subject) -> str:
    if "<" in text or ">" in text:
        raise _refusal("Zoho Books takes no < or > in a name.", "Leave them out.")
    return text


def _refusal(message: str, hint: str) -> SettingsRefused:
    return SettingsRefused(message, hint=hint, code="override_refused")


NO_CHOICES: Mapping[str, str] = {}
FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("state", "State", "The state the goods go to; it decides the place of supply.", NO_CHOICES, _state),
        Field("postal_code", "PIN code", "The PIN code of the delivery address.", NO_CHOICES, _postal_code),
        Field("country", "Country", "The country of the delivery address.", NO_CHOICES, _country),
        Field("gstin", "GSTIN", "The buyer's GSTIN.", NO_CHOICES, _gstin),
        Field("name", "Name", "The buyer's name, as it stands on the document.", NO_CHOICES, _text),
        Field("company", "Company", "The firm that buys.", NO_CHOICES, _text),
        Field(
            "price_basis",
            "Price basis",
            "What the prices of this record are.",
            {
                PriceBasis.EXCLUSIVE.value: "without GST",
                PriceBasis.INCLUSIVE.value: "with GST",
                PriceBasis.AS_CHARGED.value: "what was paid contains GST",
            },
            _one_of(*(basis.value for basis in PriceBasis)),
        ),
        Field("document_date", "Date", "The date of the document.", NO_CHOICES, _date),
        Field(
            "third_party",
            "Delivered to somebody else",
            "Whether a registered buyer lets the goods be delivered to somebody else in another state.",
            {"yes": "yes, billed here and delivered there", "no": "no"},
            _one_of("yes", "no"),
        ),
        Field(
            "returned",
            "Goods returned",
            "Whether the goods of a refunded order came back into stock.",
            {"yes": "yes, back in stock", "no": "no"},
            _one_of("yes", "no"),
        ),
    )
}
"""All fields of a record, in the order the form shows them; those of its lines come on top."""
