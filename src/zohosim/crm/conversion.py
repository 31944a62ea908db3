"""The conversion of a lead: into a Contact, and an Account when it names a company. Deals are not simulated.

https://www.zoho.com/crm/developer/docs/api/v8/convert-lead.html
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json, Refused
from zohosim.calls import Call
from zohosim.crm.batch import read_data
from zohosim.crm.records import Module, Record

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

CREDITS = 5
MOST_LEADS = 1
TAKEN_OVER = ("First_Name", "Last_Name", "Email", "Phone", "Mobile", "Description", "Lead_Source")


def convert_lead(sim: "Simulator", call: Call) -> Answer:
    """POST /Leads/{id}/actions/convert: the lead leaves the active records."""
    lead = sim.crm.modules["Leads"].records.get(call.path_params["id"])
    if lead is None:
        raise Refused(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    if lead.converted:
        raise Refused(400, "ID_ALREADY_CONVERTED", "the id given is already converted", {"resource_path_index": 1})
    read_data(sim, call, most=MOST_LEADS)
    account = make_account(sim, lead)
    values = {name: lead.values[name] for name in TAKEN_OVER if lead.values.get(name) is not None}
    contacts = sim.crm.modules["Contacts"]
    contact = contacts.insert({**values, **({"Account_Name": account.id} if account else {})}, call_user(sim))
    lead.converted = True
    told: Json = {"Contacts": name_of(contacts, contact), "Deals": None, "Accounts": None}
    if account is not None:
        told["Accounts"] = name_of(sim.crm.modules["Accounts"], account)
    message = "The record has been converted successfully"
    done = {"code": "SUCCESS", "details": told, "message": message, "status": "success"}
    return Answer({"data": [done]}, touched=[lead.id])


def call_user(sim: "Simulator") -> Json:
    return sim.crm.organisation.user


def make_account(sim: "Simulator", lead: Record) -> Record | None:
    """The Account of the lead's company, found by name or made."""
    company = lead.values.get("Company")
    if not company:
        return None
    accounts = sim.crm.modules["Accounts"]
    holders = accounts.holders("Account_Name", company)
    return holders[0] if holders else accounts.insert({"Account_Name": company}, call_user(sim))


def name_of(module: Module, record: Record) -> Json:
    return {"name": module.name_of(record), "id": record.id}
