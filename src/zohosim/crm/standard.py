"""The standard fields of a fresh organisation, module by module.

https://www.zoho.com/crm/developer/docs/api/v8/modules-fields.html; lengths as told by field metadata samples.
"""

from dataclasses import dataclass, replace
from typing import Any

from zohosim.crm.fields import MODULE_IDS, Field, api_name_of
from zohosim.identifiers import fixed_id

LAYOUT_STEP = 55
"""Ids of layouts are the module's id plus so much."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """`key` is the field an upsert checks by itself; `name` the one that names a record to people."""

    api_name: str
    singular: str
    plural: str
    key: str
    name: str
    fields: tuple[Field, ...]

    @property
    def id(self) -> str:
        return MODULE_IDS[self.api_name]

    @property
    def layout_id(self) -> str:
        """Of the one layout there is, Standard."""
        return str(int(self.id) + LAYOUT_STEP)


def _field(api_name: str, data_type: str, length: int, **more: Any) -> Field:
    return Field(api_name, more.pop("label", api_name.removesuffix("__s").replace("_", " ")), data_type, length, **more)


def text(api_name: str, length: int, **more: Any) -> Field:
    return _field(api_name, "text", length, **more)


def email(api_name: str, **more: Any) -> Field:
    return _field(api_name, "email", 100, **more)


def phone(api_name: str, **more: Any) -> Field:
    return _field(api_name, "phone", 30, **more)


def picklist(api_name: str, *choices: str) -> Field:
    return _field(api_name, "picklist", 120, choices=("-None-", *choices))


def lookup(api_name: str, module: str, label: str) -> Field:
    return _field(api_name, "lookup", 120, lookup=module, label=label)


def system(api_name: str, data_type: str, length: int, **more: Any) -> Field:
    return _field(api_name, data_type, length, read_only=True, **more)


SALUTATION = _field("Salutation", "picklist", 25, choices=("-None-", "Mr.", "Mrs.", "Ms.", "Dr.", "Prof."))
LEAD_SOURCE = picklist(
    "Lead_Source", "Advertisement", "Cold Call", "Employee Referral", "External Referral", "Online Store", "Partner",
    "Public Relations", "Sales Email Alias", "Seminar Partner", "Internal Seminar", "Trade Show", "Web Download",
    "Web Research", "Chat", "Web",
)  # fmt: skip
LEAD_STATUS = picklist(
    "Lead_Status", "Attempted to Contact", "Contact in Future", "Contacted", "Junk Lead", "Lost Lead", "Not Contacted",
    "Pre-Qualified", "Not Qualified",
)  # fmt: skip
INDUSTRY = picklist(
    "Industry", "Biotechnology", "Pharmaceutical", "Agriculture", "Government/Military", "Large Enterprise",
    "Manufacturing", "Research", "Retail", "Small/Medium Enterprise",
)  # fmt: skip
RATING = picklist("Rating", "Acquired", "Active", "Market Failed", "Project Cancelled", "Shut Down")
DESCRIPTION = _field("Description", "textarea", 32000)
WEBSITE = _field("Website", "website", 255)
REVENUE = _field("Annual_Revenue", "currency", 16, decimal_place=2)


def owner(singular: str) -> Field:
    return _field("Owner", "ownerlookup", 120, label=f"{singular} Owner")


COMMON: tuple[Field, ...] = (
    _field("Tag", "text", 2000),
    _field("Layout", "bigint", 19),
    system("id", "bigint", 18, label="Record Id"),
    system("Created_Time", "datetime", 40),
    system("Modified_Time", "datetime", 40),
    system("Created_By", "ownerlookup", 120),
    system("Modified_By", "ownerlookup", 120),
    system("Last_Activity_Time", "datetime", 40),
    system("Record_Status__s", "picklist", 120, choices=("Available", "Draft", "Trash")),
    system("Locked__s", "boolean", 5),
)


def address(prefix: str, code: str) -> tuple[Field, ...]:
    lengths = (("Street", 250), ("City", 100), ("State", 100), (code, 30), ("Country", 100))
    return tuple(text(f"{prefix}{name}", length) for name, length in lengths)


PERSON: tuple[Field, ...] = (
    text("Last_Name", 80, mandatory=True),
    text("First_Name", 40),
    system("Full_Name", "text", 120),
    SALUTATION,
    email("Email"),
    email("Secondary_Email"),
    phone("Phone"),
    phone("Mobile"),
    text("Fax", 30),
    LEAD_SOURCE,
    text("Skype_ID", 50),
    text("Twitter", 50),
    _field("Email_Opt_Out", "boolean", 5),
    DESCRIPTION,
)
LEADS = (
    *PERSON, text("Company", 200, layout_mandatory=True), text("Designation", 100), WEBSITE, LEAD_STATUS, INDUSTRY,
    RATING, _field("No_of_Employees", "integer", 9), REVENUE, *address("", "Zip_Code"),
    system("Converted__s", "boolean", 5), system("Converted_Date_Time", "datetime", 40),
)  # fmt: skip
CONTACTS = (
    *PERSON, lookup("Account_Name", "Accounts", "Account Name"), phone("Home_Phone"), phone("Other_Phone"),
    phone("Asst_Phone"), text("Assistant", 50), text("Title", 100), text("Department", 50),
    lookup("Reporting_To", "Contacts", "Reporting To"),
    _field("Date_of_Birth", "date", 20), *address("Mailing_", "Zip"), *address("Other_", "Zip"),
)  # fmt: skip
ACCOUNTS = (
    text("Account_Name", 200, mandatory=True), _field("Account_Number", "bigint", 18), text("Account_Site", 80),
    picklist("Account_Type", "Analyst", "Competitor", "Customer", "Distributor", "Integrator", "Investor", "Other",
             "Partner", "Press", "Prospect", "Reseller", "Supplier", "Vendor"),
    REVENUE, _field("Employees", "integer", 9), INDUSTRY,
    picklist("Ownership", "Other", "Private", "Public", "Subsidiary"),
    RATING, _field("SIC_Code", "integer", 9), text("Ticker_Symbol", 30),
    lookup("Parent_Account", "Accounts", "Parent Account"), phone("Phone"), text("Fax", 30), WEBSITE,
    *address("Billing_", "Code"), *address("Shipping_", "Code"), DESCRIPTION,
)  # fmt: skip
NOTES = (
    text("Note_Title", 120),
    _field("Note_Content", "textarea", 32000, mandatory=True),
    _field("Parent_Id", "lookup", 120, label="Parent ID", mandatory=True),
)


def numbered(module: str, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Give each standard field its stable id."""
    area = 10 + list(MODULE_IDS).index(module) * 10
    return tuple(replace(field, id=fixed_id(area, number)) for number, field in enumerate(fields, 1))


def custom_field_id(module: str, number: int) -> str:
    return fixed_id(15 + list(MODULE_IDS).index(module) * 10, number)


BLUEPRINTS: tuple[Blueprint, ...] = (
    Blueprint("Leads", "Lead", "Leads", "Email", "Full_Name", numbered("Leads", (*LEADS, owner("Lead"), *COMMON))),
    Blueprint(
        "Accounts",
        "Account",
        "Accounts",
        "Account_Name",
        "Account_Name",
        numbered("Accounts", (*ACCOUNTS, owner("Account"), *COMMON)),
    ),
    Blueprint(
        "Contacts",
        "Contact",
        "Contacts",
        "Email",
        "Full_Name",
        numbered("Contacts", (*CONTACTS, owner("Contact"), *COMMON)),
    ),
    Blueprint("Notes", "Note", "Notes", "", "Note_Title", numbered("Notes", (*NOTES, owner("Note"), *COMMON))),
)


def field_from_seed(given: dict[str, Any]) -> Field:
    """A custom field from a short form: {label, data_type, length, unique, external, choices}."""
    label = str(given["label"])
    return Field(
        api_name=str(given.get("api_name") or api_name_of(label)),
        label=label,
        data_type=str(given.get("data_type", "text")),
        length=int(given.get("length", 255)),
        custom=True,
        unique=bool(given.get("unique")),
        external=given.get("external"),
        choices=tuple(given.get("choices", ())),
    )
