"""The fields that count before anything is sent: the organisation's, or Zoho's standard ones where it cannot be asked.

https://www.zoho.com/crm/developer/docs/api/v8/modules-fields.html
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from zohosync.errors import ZohoFailure
from zohosync.sync.desk import CrmDesk
from zohosync.sync.wanted_fields import WANTED_FIELDS
from zohosync.zoho.fields import FieldCatalogue, FieldMeta

PERSON = (
    FieldMeta("First_Name", "First Name", "text", 40),
    FieldMeta("Last_Name", "Last Name", "text", 80, mandatory=True),
    FieldMeta("Email", "Email", "email", 100),
    FieldMeta("Phone", "Phone", "phone", 30),
)
STANDARD: Mapping[str, tuple[FieldMeta, ...]] = MappingProxyType(
    {
        "Contacts": (*PERSON, FieldMeta("Account_Name", "Account Name", "lookup")),
        "Leads": (*PERSON, FieldMeta("Company", "Company", "text", 200)),
        "Accounts": (FieldMeta("Account_Name", "Account Name", "text", 200, mandatory=True),),
    }
)


def standard_catalogue(module: str) -> FieldCatalogue:
    """The mapped fields of a module as a new organisation has them, with the custom fields zohosync wants."""
    wanted = (
        FieldMeta(field.api_name, field.label, "text", field.length, custom=True, unique=field.unique)
        for field in WANTED_FIELDS
        if field.module == module
    )
    return FieldCatalogue(module, (*STANDARD[module], *wanted))


async def read_fields(desk: CrmDesk, modules: Sequence[str]) -> tuple[dict[str, FieldCatalogue], str | None]:
    """The modules' fields, and what was not known about them, in a sentence."""
    try:
        return {module: await desk.catalogue(module) for module in modules}, None
    except ZohoFailure as error:
        told = (
            f"The fields of your Zoho organisation were not checked, only Zoho's standard lengths: {error.message}"
            " The custom fields were taken as present, and fields made mandatory in Zoho are not known."
        )
        return {module: standard_catalogue(module) for module in modules}, told
