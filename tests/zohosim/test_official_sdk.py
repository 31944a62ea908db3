"""Zoho's own Python SDK, unchanged, works against the simulator over a real port.

https://www.zoho.com/crm/developer/docs/sdk/server-side/python.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.coql import BodyWrapper as QueryBody
from zohocrmsdk.src.com.zoho.crm.api.coql import CoqlOperations
from zohocrmsdk.src.com.zoho.crm.api.dc.data_center import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.fields import FieldsOperations, GetFieldsParam
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule
from zohocrmsdk.src.com.zoho.crm.api.notes import ActionWrapper as NoteActions
from zohocrmsdk.src.com.zoho.crm.api.notes import BodyWrapper as NoteBody
from zohocrmsdk.src.com.zoho.crm.api.notes import Note, NotesOperations, ParentId
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
from zohocrmsdk.src.com.zoho.crm.api.record import (
    ActionWrapper,
    APIException,
    BodyWrapper,
    DeleteRecordsParam,
    Field,
    GetRecordsParam,
    Record,
    RecordOperations,
    ResponseWrapper,
    SearchRecordsParam,
    SuccessResponse,
)
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

pytestmark = pytest.mark.process

FIELDS = {"Contacts": Field.Contacts, "Leads": Field.Leads, "Accounts": Field.Accounts}
OUTSETS: dict[str, dict[str, Any]] = {
    "Contacts": {"Last_Name": "Example", "Email": "person@example.com", "Lead_Source": "Online Store"},
    "Leads": {"Last_Name": "Example", "Email": "lead@example.com", "Company": "Example Labs"},
    "Accounts": {"Account_Name": "Example Labs", "Phone": "+914012345678"},
}
NAMES = {"Contacts": "Last_Name", "Leads": "Last_Name", "Accounts": "Account_Name"}


@dataclass
class Sdk:
    """The SDK, logged in to a simulator of its own; `control` is that one's control plane."""

    control: httpx.Client

    def records(self, module: str) -> RecordOperations:
        return RecordOperations(module)

    def upsert(self, module: str, *records: dict[str, Any]) -> Any:
        return self.records(module).upsert_records(body(*records), HeaderMap()).get_object()

    def insert(self, module: str, *records: dict[str, Any]) -> Any:
        return self.records(module).create_records(body(*records), HeaderMap()).get_object()

    def get(self, module: str, record_id: int) -> Any:
        answer = self.records(module).get_record(record_id, ParameterMap(), HeaderMap()).get_object()
        assert isinstance(answer, ResponseWrapper)
        return answer.get_data()[0]

    def search(self, module: str, email: str) -> Any:
        params = ParameterMap()
        params.add(SearchRecordsParam.email, email)
        return self.records(module).search_records(params, HeaderMap())

    def order(self, **fault: Any) -> None:
        self.control.post("/_sim/faults", json=fault).raise_for_status()

    def told(self) -> list[str]:
        return [f"{c['method']} {c['path']}" for c in self.control.get("/_sim/calls").json()["calls"]]


def record(values: dict[str, Any]) -> Record:
    made = Record()
    for name, value in values.items():
        made.add_key_value(name, Choice(value) if name == "Lead_Source" else value)
    return made


def body(*records: dict[str, Any]) -> BodyWrapper:
    wrapper = BodyWrapper()
    wrapper.set_data([record(values) for values in records])
    wrapper.set_trigger([])
    return wrapper


@pytest.fixture
def sdk(address: str, tmp_path: Path) -> Iterator[Sdk]:
    with httpx.Client(base_url=address) as control:
        grant = control.post("/_sim/grant").json()
        initialize(address, tmp_path, grant["client_id"], grant["client_secret"], grant["refresh_token"])
        yield Sdk(control)


def initialize(address: str, folder: Path, client_id: str, secret: str, refresh_token: str) -> None:
    (folder / "resources").mkdir(exist_ok=True)
    Initializer.initialize(
        DataCenter.Environment(address, f"{address}/oauth/v2/token", address),
        OAuthToken(client_id=client_id, client_secret=secret, refresh_token=refresh_token, find_user=False),
        store=FileStore(str(folder / "tokens.csv")),
        resource_path=str(folder),
        sdk_config=SDKConfig(auto_refresh_fields=False, pick_list_validation=True, update_api_domain=False),
        logger=Logger.get_instance(level=Logger.Levels.CRITICAL, file_path=str(folder / "sdk.log")),
    )


@pytest.mark.parametrize("module", ["Contacts", "Leads", "Accounts"])
def test_the_sdk_upserts_gets_and_updates(sdk, module):
    first = sdk.upsert(module, OUTSETS[module])
    assert isinstance(first, ActionWrapper)
    (inserted,) = first.get_data()
    assert isinstance(inserted, SuccessResponse)
    assert inserted.get_action().get_value() == "insert"
    record_id = int(inserted.get_details()["id"])

    (again,) = sdk.upsert(module, OUTSETS[module]).get_data()
    assert again.get_action().get_value() == "update"
    assert int(again.get_details()["id"]) == record_id

    changed = sdk.records(module).update_record(record_id, body({NAMES[module]: "Changed"}), HeaderMap()).get_object()
    assert isinstance(changed.get_data()[0], SuccessResponse)
    stored = sdk.get(module, record_id)
    assert stored.get_id() == record_id
    assert stored.get_key_value(NAMES[module]) == "Changed"
    assert sdk.told()[0] == "POST /oauth/v2/token"
    assert "GET /crm/v8/settings/fields" in sdk.told()


@pytest.mark.parametrize("module", ["Contacts", "Leads"])
def test_the_sdk_finds_by_email_and_gets_nothing_as_nothing(sdk, module):
    sdk.upsert(module, OUTSETS[module])
    (found,) = sdk.search(module, OUTSETS[module]["Email"]).get_object().get_data()
    assert found.get_key_value("Email") == OUTSETS[module]["Email"]
    nothing = sdk.search(module, "nobody+x@example.com")
    assert (nothing.get_status_code(), nothing.get_object()) == (204, None)


def test_the_sdk_lists_with_fields_and_deletes(sdk):
    (made,) = sdk.insert("Contacts", OUTSETS["Contacts"]).get_data()
    params = ParameterMap()
    params.add(GetRecordsParam.fields, "Last_Name,Email")
    listed = sdk.records("Contacts").get_records(params, HeaderMap()).get_object()
    assert [r.get_key_value("Email") for r in listed.get_data()] == ["person@example.com"]
    assert listed.get_info().get_more_records() is False
    chosen = ParameterMap()
    chosen.add(DeleteRecordsParam.ids, made.get_details()["id"])
    gone = sdk.records("Contacts").delete_records(chosen, HeaderMap()).get_object()
    assert gone.get_data()[0].get_message().get_value() == "record deleted"


def test_the_sdk_links_a_contact_to_its_account(sdk):
    (account,) = sdk.insert("Accounts", OUTSETS["Accounts"]).get_data()
    link = Record()
    link.set_id(int(account.get_details()["id"]))
    (contact,) = sdk.upsert("Contacts", {**OUTSETS["Contacts"], "Account_Name": link}).get_data()
    stored = sdk.get("Contacts", int(contact.get_details()["id"]))
    assert stored.get_key_value("Account_Name").get_key_value("name") == "Example Labs"


def test_the_sdk_writes_notes(sdk):
    (made,) = sdk.insert("Leads", OUTSETS["Leads"]).get_data()
    module, parent, note, wrapper = MinifiedModule(), ParentId(), Note(), NoteBody()
    module.set_api_name("Leads")
    parent.set_module(module)
    parent.set_id(int(made.get_details()["id"]))
    note.set_note_title("Inquiry")
    note.set_note_content("Hello")
    note.set_parent_id(parent)
    wrapper.set_data([note])
    answer = NotesOperations().create_notes(wrapper).get_object()
    assert isinstance(answer, NoteActions)
    assert answer.get_data()[0].get_status().get_value() == "success"


def test_the_sdk_queries_and_reads_fields_and_the_organisation(sdk):
    sdk.upsert("Contacts", OUTSETS["Contacts"])
    query = QueryBody()
    query.set_select_query("select Last_Name from Contacts where Email = 'person@example.com' limit 1")
    (row,) = CoqlOperations().get_records(query).get_object().get_data()
    assert row.get_key_value("Last_Name") == "Example"
    params = ParameterMap()
    params.add(GetFieldsParam.module, "Contacts")
    fields = FieldsOperations().get_fields(params).get_object().get_fields()
    assert {"Last_Name", "Email"} <= {field.get_api_name() for field in fields}
    (org,) = OrgOperations().get_organization().get_object().get_org()
    assert org.get_company_name() == "KN Biosciences"


def test_the_sdk_sees_invalid_data_as_a_refused_record(sdk):
    answer = sdk.insert("Contacts", {"Last_Name": "x" * 81}, {"First_Name": "x"}, OUTSETS["Contacts"])
    assert isinstance(answer, ActionWrapper)
    bad, missing, good = answer.get_data()
    assert isinstance(bad, APIException)
    assert bad.get_code().get_value() == "INVALID_DATA"
    assert bad.get_details()["maximum_length"] == "80"
    assert missing.get_code().get_value() == "MANDATORY_NOT_FOUND"
    assert isinstance(good, SuccessResponse)


def test_the_sdk_sees_duplicates_single_and_wrapped(sdk):
    for label in ("U1", "U2"):
        sdk.control.post("/_sim/fields", json={"module": "Contacts", "label": label, "length": 20, "unique": True})
    sdk.insert("Contacts", {"Last_Name": "a", "U1": "1"}, {"Last_Name": "b", "U2": "2"})
    (single,) = sdk.insert("Contacts", {"Last_Name": "c", "U1": "1"}).get_data()
    assert single.get_code().get_value() == "DUPLICATE_DATA"
    (several,) = sdk.insert("Contacts", {"Last_Name": "c", "U1": "1", "U2": "2"}).get_data()
    assert several.get_code().get_value() == "MULTIPLE_OR_MULTI_ERRORS"


def test_the_sdk_sees_an_evicted_token(sdk):
    sdk.upsert("Contacts", OUTSETS["Contacts"])
    sdk.order(kind="evict_token")
    answer = sdk.upsert("Contacts", OUTSETS["Contacts"])
    assert isinstance(answer, APIException)
    assert answer.get_code().get_value() == "INVALID_TOKEN"


def test_the_sdk_sees_limits_and_gateway_pages(sdk):
    sdk.upsert("Contacts", OUTSETS["Contacts"])
    sdk.order(kind="http_429")
    assert sdk.upsert("Contacts", OUTSETS["Contacts"]).get_code().get_value() == "TOO_MANY_REQUESTS"
    sdk.order(kind="html_502")
    assert sdk.upsert("Contacts", OUTSETS["Contacts"]) is None


def test_the_sdk_refuses_a_wrong_client(address, tmp_path):
    with httpx.Client(base_url=address) as control:
        grant = control.post("/_sim/grant").json()
    with pytest.raises(SDKException, match="invalid_client"):
        initialize(address, tmp_path, "1000.NOBODY", grant["client_secret"], grant["refresh_token"])
