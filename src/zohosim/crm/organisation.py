"""The organisation: who it is, who works in it, and which modules it has.

https://www.zoho.com/crm/developer/docs/api/v8/get-org-data.html, get-users.html, modules-api.html
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, Refused, nothing
from zohosim.calls import Call
from zohosim.crm.values import BadValue
from zohosim.identifiers import fixed_id

if TYPE_CHECKING:
    from zohosim.crm.records import Module
    from zohosim.simulator import Simulator

ORG_ID = fixed_id(2, 1)
CREATED = "2026-01-05T10:00:00+05:30"
PROFILE = {"name": "Administrator", "id": fixed_id(90, 1)}
ROLE = {"name": "CEO", "id": fixed_id(91, 1)}


@dataclass(slots=True)
class Organisation:
    """The demo organisation; one user, the one who gave consent."""

    company_name: str = "KN Biosciences"
    zgid: str = "60012345678"
    primary_email: str = "admin@example.com"
    user: Json = field(
        default_factory=lambda: {"name": "Integration User", "id": fixed_id(3, 1), "email": "admin@example.com"}
    )
    zuid: str = "60012345001"

    def read_owner(self, value: Any) -> Json | None:
        """An owner given as {id} or {email}; anything else than the one user is refused."""
        if not isinstance(value, dict):
            raise BadValue({"expected_data_type": "jsonobject"})
        if str(value.get("id", "")) == self.user["id"] or value.get("email") == self.user["email"]:
            return self.user
        raise BadValue({}, inside="id")

    def owner_with_zuid(self, owner: Json) -> Json:
        return {"name": owner["name"], "id": owner["id"], "zuid": self.zuid}


def get_org(sim: "Simulator", _call: Call) -> Answer:
    org = sim.crm.organisation
    place = {
        "country": "India", "country_code": "IN", "city": "Hyderabad", "street": None, "state": "Telangana",
        "zip": None,
        "time_zone": "Asia/Kolkata", "currency": "Indian Rupee - INR", "iso_code": "INR", "currency_symbol": "Rs.",
        "currency_locale": "en_IN",
    }  # fmt: skip
    contact = {
        "phone": "", "mobile": None, "fax": None, "website": "https://shop.example.com", "alias": None,
        "description": None, "photo_id": None, "employee_count": "10", "domain_name": f"org{org.zgid}",
    }  # fmt: skip
    account = {
        "id": ORG_ID, "zgid": org.zgid, "ezgid": "1f8c2a7b5d3e4f60a1b2c3d4e5f60718", "zia_zgid": 0,
        "company_name": org.company_name, "primary_email": org.primary_email, "primary_zuid": org.zuid,
        "type": "production", "created_time": CREATED, "max_per_page": 200, "zia_portal_id": None,
    }  # fmt: skip
    abilities = {
        "mc_status": False, "gapps_enabled": False, "translation_enabled": False, "deletable_org_account": True,
        "privacy_settings": False, "hipaa_compliance_enabled": False, "lite_users_enabled": False,
        "call_icon": "available", "oauth_presence": True, "hierarchy_preferences": {"type": "Role_Hierarchy"},
        "checkin_preferences": {"restricted_event_types": []},
    }  # fmt: skip
    return Answer({"org": [{**account, **place, **contact, **abilities, "license_details": licence(sim)}]})


def licence(sim: "Simulator") -> Json:
    edition = sim.limits.edition
    return {
        "paid": edition != "free", "paid_type": edition, "paid_expiry": None, "trial_type": None, "trial_expiry": None,
        "trial_action": None, "users_license_purchased": sim.limits.users, "portal_users_license_purchased": 0,
    }  # fmt: skip


def get_users(sim: "Simulator", call: Call) -> Answer:
    """Every `type` answers with the one user there is, but those that ask for inactive or deleted ones."""
    kind = call.params.get("type", "AllUsers")
    if kind in ("DeactiveUsers", "DeletedUsers", "NotConfirmedUsers"):
        return nothing()
    user = sim.crm.organisation.user
    shown = {
        "id": user["id"], "email": user["email"], "full_name": user["name"], "first_name": "Integration",
        "last_name": "User", "status": "active", "confirm": True, "profile": dict(PROFILE), "role": dict(ROLE),
        "zuid": sim.crm.organisation.zuid, "country": "India", "country_locale": "en_IN", "locale": "en_IN",
        "language": "en_US", "time_zone": "Asia/Kolkata", "time_format": "HH:mm", "date_format": "dd-MM-yyyy",
        "created_time": CREATED, "Modified_Time": CREATED, "created_by": _brief(user), "Modified_By": _brief(user),
        "personal_account": False, "microsoft": False, "Isonline": True,
        "sort_order_preference__s": "First Name,Last Name",
        "category": "regular_user", "name_format__s": "Salutation,First Name,Last Name", "offset": 19800000,
        "alias": None, "street": None, "city": None, "state": None, "zip": None, "fax": None, "mobile": None,
        "phone": None, "website": None, "dob": None, "signature": None, "territories": [],
    }  # fmt: skip
    info = {"per_page": 200, "count": 1, "page": 1, "more_records": False}
    return Answer({"users": [shown], "info": info})


def _brief(user: Json) -> Json:
    return {"name": user["name"], "id": user["id"]}


def get_modules(sim: "Simulator", _call: Call) -> Answer:
    modules = sim.crm.modules.values()
    return Answer({"modules": [describe_module(module, number) for number, module in enumerate(modules, 1)]})


def get_module(sim: "Simulator", call: Call) -> Answer:
    wanted = call.path_params["name"]
    for number, module in enumerate(sim.crm.modules.values(), 1):
        if wanted in (module.api_name, module.blueprint.id):
            return Answer({"modules": [describe_module(module, number)]})
    raise Refused(400, "INVALID_MODULE", "the module name given seems to be invalid", {"resource_path_index": 0})


def describe_module(module: "Module", number: int) -> Json:
    blueprint = module.blueprint
    names = {
        "id": blueprint.id, "api_name": blueprint.api_name, "module_name": blueprint.api_name,
        "singular_label": blueprint.singular, "plural_label": blueprint.plural,
        "actual_singular_label": blueprint.singular, "actual_plural_label": blueprint.plural,
    }  # fmt: skip
    abilities = dict.fromkeys(
        ("api_supported", "creatable", "deletable", "editable", "viewable", "show_as_tab", "visible", "convertable",
         "quick_create", "webform_supported", "global_search_supported", "feeds_required", "scoring_supported",
         "emailTemplate_support", "inventory_template_supported", "email_parser_supported", "presence_sub_menu",
         "business_card_field_limit", "triggers_supported", "filter_supported", "has_more_profiles",
         "isBlueprintSupported"),
        True,
    )  # fmt: skip
    rest = {
        "business_card_field_limit": 5, "generated_type": "default", "visibility": 1, "status": "visible",
        "sequence_number": number, "modified_time": None, "modified_by": None, "access_type": "org_based",
        "parent_module": {}, "profiles": [dict(PROFILE)], "arguments": [], "public_fields_configured": False,
        "recycle_bin_on_delete": True, "zia_view": False, "profile_count": 1, "description": None,
        "private_profile": None, "web_link": None,
    }  # fmt: skip
    return {**names, **abilities, **rest}
