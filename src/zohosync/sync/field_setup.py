"""Custom fields in Zoho: what is missing, what can be made with consent, and what only a person can do there.

https://www.zoho.com/crm/developer/docs/api/v8/create-custom-field.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from zohosync.errors import ZohosyncError
from zohosync.sync.wanted_fields import WANTED_FIELDS, WantedField, find_missing
from zohosync.zoho.crm import Crm
from zohosync.zoho.fields import FieldCatalogue

MODULES = tuple(dict.fromkeys(wanted.module for wanted in WANTED_FIELDS))

# Books has no call that makes a custom field, so a person does it once.
# https://www.zoho.com/books/help/settings/preferences.html
BOOKS_STEPS = (
    "In Zoho Books open Settings (the gear), then Preferences, then Invoices, then Field Customization.",
    "New Custom Field: label “Storefront Reference”, data type Text Box (Single Line), Prevent Duplicate Values: Yes.",
    "Do the same under Quotes, Credit Notes and Payments Received.",
)
BOOKS_PURPOSE = (
    "With it Zoho Books itself refuses a second document for one order. Without it zohosync looks before it creates."
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """A wanted field that is there but not as it should be."""

    wanted: WantedField
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FieldSurvey:
    """How the organisation's custom fields stand."""

    missing: tuple[WantedField, ...]
    flawed: tuple[Flaw, ...]

    @property
    def complete(self) -> bool:
        return not self.missing and not self.flawed


@dataclass(frozen=True, slots=True)
class Making:
    """What became of one field that was to be made; ``error`` is None when it is there now."""

    wanted: WantedField
    error: ZohosyncError | None = None


async def survey_fields(crm: Crm) -> FieldSurvey:
    """Look at the fields of every module concerned; one call each."""
    catalogues = {module: await crm.fields(module) for module in MODULES}
    flaws = [flaw for wanted in WANTED_FIELDS for flaw in _flaws(wanted, catalogues[wanted.module])]
    return FieldSurvey(find_missing(catalogues), tuple(flaws))


async def make_fields(crm: Crm, wanted: Sequence[WantedField]) -> list[Making]:
    """Make fields, with the admin's consent only. What one module refuses does not stop the others."""
    made: list[Making] = []
    for module in dict.fromkeys(item.module for item in wanted):
        group = [item for item in wanted if item.module == module]
        try:
            results = await crm.create_fields(module, [item.creation() for item in group])
        except ZohosyncError as error:
            made += [Making(item, error) for item in group]
            continue
        made += [Making(item, result.error) for item, result in zip(group, results, strict=True)]
    return made


def describe_steps(wanted: WantedField) -> tuple[str, ...]:
    """How a person makes the field in Zoho CRM, click by click."""
    unique = " Tick “Do not allow duplicate values”." if wanted.unique else ""
    return (
        "In Zoho CRM open Setup (the gear), then Customization, then Modules and Fields.",
        f"Choose {wanted.module}, then Fields, then Create and Edit Fields (of the Standard layout).",
        f"Drag Single Line into the layout. Label: “{wanted.label}”; number of characters: {wanted.length}.{unique}",
        f"Save. The API name must be {wanted.api_name} (Setup, Developer Hub, APIs, API names).",
    )


def _flaws(wanted: WantedField, catalogue: FieldCatalogue) -> list[Flaw]:
    meta = catalogue.find(wanted.api_name)
    if meta is None:
        return []
    name = f"{wanted.label} of {wanted.module}"
    flaws: list[Flaw] = []
    if wanted.unique and not meta.unique:
        flaws.append(
            Flaw(
                wanted,
                f"{name} allows duplicate values.",
                f"{_edit(wanted)}: tick “Do not allow duplicate values”.",
            )
        )
    if meta.length is not None and meta.length < wanted.length:
        flaws.append(
            Flaw(
                wanted,
                f"{name} holds {meta.length} characters; {wanted.length} are needed.",
                f"{_edit(wanted)}: number of characters {wanted.length}.",
            )
        )
    if not meta.writable:
        flaws.append(
            Flaw(wanted, f"{name} cannot be written.", "Give the connecting user's profile write access to it.")
        )
    return flaws


def _edit(wanted: WantedField) -> str:
    return f"In Zoho CRM under Setup, Customization, Modules and Fields, {wanted.module}, edit {wanted.label}"
