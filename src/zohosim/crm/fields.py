"""The field: what one column of a module is, and how the metadata API tells it.

https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
"""

import re
from dataclasses import dataclass
from typing import Any

from zohosim.answers import Json
from zohosim.identifiers import fixed_id

JSON_TYPES = {
    "integer": "integer", "bigint": "string", "double": "double", "currency": "double", "percent": "double",
    "boolean": "boolean", "lookup": "jsonobject", "ownerlookup": "jsonobject", "multiselectpicklist": "jsonarray",
    "layout": "jsonobject", "tag": "jsonarray",
}  # fmt: skip
UI_TYPES = {
    "text": 1, "picklist": 2, "textarea": 3, "lookup": 4, "ownerlookup": 8, "email": 25, "phone": 33, "website": 21,
    "date": 24, "datetime": 333, "boolean": 301, "integer": 32, "bigint": 20, "currency": 36, "double": 38,
    "multiselectpicklist": 100, "percent": 39,
}  # fmt: skip
CHOICE_STEP = 100_000_000_000
"""Ids of picklist values are the field's id plus so many steps: stable, and far from every other id."""

EDITABLE = {"web_update": True, "api_create": True, "web_create": True, "api_update": True}
FIXED = dict.fromkeys(EDITABLE, False)


@dataclass(frozen=True, slots=True)
class Field:
    """`length` counts characters (digits for numbers). `external` is None, "org" or "user"."""

    api_name: str
    label: str
    data_type: str
    length: int
    id: str = ""
    mandatory: bool = False
    layout_mandatory: bool = False
    custom: bool = False
    read_only: bool = False
    unique: bool = False
    case_sensitive: bool = False
    external: str | None = None
    choices: tuple[str, ...] = ()
    restricted: bool = False
    """A restricted picklist refuses values that are not among its choices."""
    lookup: str | None = None
    decimal_place: int | None = None
    tooltip: str | None = None

    @property
    def keyed(self) -> bool:
        """Unique and external fields allow one record per value, and an upsert always checks them."""
        return self.unique or self.external is not None

    @property
    def compares_as_text(self) -> bool:
        """Whether an index over it can answer a comparison that knows no case."""
        return not self.case_sensitive and self.data_type in ("text", "email", "phone", "website")


def fold(field: Field, value: Any) -> str:
    """A value as its index compares it; an object by its id."""
    text = str(value["id"] if isinstance(value, dict) else value)
    return text if field.case_sensitive else text.lower()


def api_name_of(label: str) -> str:
    """API name derived from a label: every other character becomes an underscore (`Régimen` -> `R_gimen`)."""
    return re.sub(r"[^A-Za-z0-9]", "_", label.strip())


def describe(field: Field, mandatory: bool) -> Json:
    """One field as GET settings/fields tells it, with every key the official SDK reads."""
    return {
        **_identity(field, mandatory),
        **_abilities(field),
        **_nature(field),
        "pick_list_values": [_choice(field, number, text) for number, text in enumerate(field.choices, 1)],
        "lookup": _lookup(field),
        "unique": {"case_sensitive": str(field.case_sensitive).lower()} if field.unique else {},
        "external": {"type": field.external, "show": True} if field.external else None,
        "tooltip": {"name": "info_icon", "value": field.tooltip} if field.tooltip else None,
    }


def _identity(field: Field, mandatory: bool) -> Json:
    return {
        "id": field.id,
        "api_name": field.api_name,
        "field_label": field.label,
        "display_label": field.label,
        "data_type": field.data_type,
        "json_type": JSON_TYPES.get(field.data_type, "string"),
        "length": field.length,
        "decimal_place": field.decimal_place,
        "system_mandatory": mandatory,
        "required": mandatory,
        "custom_field": field.custom,
        "created_source": "default" if not field.custom else "api",
        "type": "used",
    }


def _abilities(field: Field) -> Json:
    writable = not field.read_only
    return {
        "read_only": field.read_only,
        "field_read_only": field.read_only,
        "visible": True,
        "searchable": field.data_type not in ("textarea", "layout"),
        "filterable": field.data_type != "textarea",
        "sortable": field.data_type not in ("textarea", "multiselectpicklist"),
        "mass_update": writable and not field.keyed,
        "operation_type": dict(EDITABLE if writable else FIXED),
        "view_type": {"view": True, "edit": writable, "create": writable, "quick_create": field.mandatory},
        "quick_sequence_number": None,
        "webhook": True,
        "virtual_field": False,
        "businesscard_supported": True,
        "blueprint_supported": writable,
        "available_in_user_layout": True,
        "customizable_properties": [],
        "static_field": False,
        "enable_colour_code": False,
        "colour_code_enabled_by_system": False,
        "pick_list_values_sorted_lexically": False,
    }


def _nature(field: Field) -> Json:
    """Keys of kinds of field the simulated organisation has none of: present and empty, as on the wire."""
    return {
        "ui_type": UI_TYPES.get(field.data_type, 1),
        "display_type": -1,
        "display_field": False,
        "currency": {"rounding_option": "normal", "precision": 2} if field.data_type == "currency" else {},
        "auto_number": {},
        "formula": {},
        "crypt": None,
        "multiselectlookup": {},
        "multi_module_lookup": {},
        "associated_module": None,
        "hipaa_compliance": None,
        "hipaa_compliance_enabled": False,
        "history_tracking": None,
        "history_tracking_enabled": False,
        "global_picklist": None,
        "layout_associations": None,
        "convert_mapping": None,
        "default_value": None,
        "additional_column": None,
        "refer_from_field": None,
        "private": None,
        "sharing_properties": None,
        "profiles": [{"permission_type": "read_write", "name": "Administrator", "id": fixed_id(90, 1)}],
    }


def _choice(field: Field, number: int, text: str) -> Json:
    return {
        "display_value": text,
        "actual_value": text,
        "reference_value": text,
        "sequence_number": number,
        "colour_code": None,
        "type": "used",
        "id": str(int(field.id) + number * CHOICE_STEP),
    }


def _lookup(field: Field) -> Json:
    if field.lookup is None:
        return {}
    return {
        "display_label": field.label,
        "api_name": field.api_name,
        "module": {"api_name": field.lookup, "id": MODULE_IDS[field.lookup]},
        "id": field.id,
        "query_details": {},
        "revalidate_filter_during_edit": False,
    }


MODULE_IDS = {name: fixed_id(1, number) for number, name in enumerate(("Leads", "Accounts", "Contacts", "Notes"), 1)}
