"""One conversation that draws every kind of answer from the simulator once, for the contract tests to look at."""

from dataclasses import dataclass
from typing import Any

import httpx

MODULE = "/crm/v8/{module_api_name}"
RECORD = "/crm/v8/{module_api_name}/{id}"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, with where Zoho's OpenAPI files describe them."""

    name: str
    file: str
    template: str
    method: str
    request: Any
    answer: httpx.Response


class Conversation:
    """Speaks through a logged-in caller and keeps what was said."""

    def __init__(self, zoho: Any) -> None:
        self.zoho = zoho
        self.exchanges: list[Exchange] = []

    async def say(
        self, name: str, file: str, template: str, method: str, path: str, body: Any = None
    ) -> httpx.Response:
        answer: httpx.Response = await self.zoho.crm(method, path, json=body)
        self.exchanges.append(Exchange(name, file, template, method.lower(), body, answer))
        return answer

    async def hold(self) -> list[Exchange]:
        await self.write()
        await self.refuse()
        await self.read()
        await self.note()
        await self.search()
        await self.administer()
        return self.exchanges

    async def write(self) -> None:
        self.zoho.sim.seed_field("Contacts", "U1", length=20, unique=True)
        self.zoho.sim.seed_field("Contacts", "U2", length=20, unique=True)
        account = {"Account_Name": "Example Labs", "Billing_City": "Pune"}
        made = await self.say("insert", "record", MODULE, "POST", "/Accounts", {"data": [account]})
        self.account = made.json()["data"][0]["details"]["id"]
        person = {"Last_Name": "Example", "Email": "a@example.com", "Account_Name": {"id": self.account}, "U1": "1"}
        body = {"data": [person, {"Last_Name": "Other", "U2": "2"}], "duplicate_check_fields": ["Email"], "trigger": []}
        made = await self.say("upsert", "record", f"{MODULE}/upsert", "POST", "/Contacts/upsert", body)
        self.contact = made.json()["data"][0]["details"]["id"]
        await self.say("upsert again", "record", f"{MODULE}/upsert", "POST", "/Contacts/upsert", body)
        change = {"data": [{"id": self.contact, "Title": "Dr"}]}
        await self.say("update", "record", MODULE, "PUT", "/Contacts", change)
        await self.say("update one", "record", RECORD, "PUT", f"/Contacts/{self.contact}", {"data": [{"Title": None}]})

    async def refuse(self) -> None:
        upsert = f"{MODULE}/upsert"
        mixed = {"data": [{"First_Name": "x"}, {"Last_Name": "Third"}, {"Last_Name": "x", "Email": "x"}]}
        await self.say("mixed", "record", upsert, "POST", "/Contacts/upsert", mixed)
        long = {"data": [{"Last_Name": "x" * 81}]}
        await self.say("too long", "record", MODULE, "POST", "/Contacts", long)
        taken = {"data": [{"Last_Name": "x", "U1": "1"}]}
        await self.say("duplicate", "record", MODULE, "POST", "/Contacts", taken)
        both = {"data": [{"Last_Name": "x", "U1": "1", "U2": "2"}]}
        await self.say("several", "record", MODULE, "POST", "/Contacts", both)
        await self.say("no object", "record", MODULE, "POST", "/Contacts", [])
        await self.say("no array", "record", MODULE, "POST", "/Contacts", {"data": {}})
        await self.say("module", "record", MODULE, "POST", "/Kontacts", {"data": [{}]})
        header, self.zoho.http.headers["Authorization"] = self.zoho.http.headers["Authorization"], "Zoho-oauthtoken x"
        await self.say("token", "record", MODULE, "GET", "/Contacts?fields=id")
        self.zoho.http.headers["Authorization"] = ""
        await self.say("no token", "record", MODULE, "GET", "/Contacts?fields=id")
        self.zoho.http.headers["Authorization"] = header
        for kind in ("http_429", "http_500_before_commit"):
            await self.zoho.order(kind=kind)
            await self.say(kind, "record", MODULE, "GET", "/Contacts?fields=id")
        for kind in ("record_locked", "not_approved"):
            order = await self.zoho.order(kind=kind)
            await self.say(kind, "record", MODULE, "PUT", "/Contacts", {"data": [{"id": self.contact, "Title": "x"}]})
            await self.zoho.http.delete("/_sim/faults", params={"id": order["id"]})

    async def read(self) -> None:
        await self.say("get", "record", RECORD, "GET", f"/Contacts/{self.contact}")
        await self.say("get none", "record", RECORD, "GET", "/Contacts/554023000009999999")
        await self.say("get bad id", "record", RECORD, "GET", "/Contacts/x")
        await self.say("list", "record", MODULE, "GET", "/Contacts?fields=Last_Name,Account_Name&per_page=2")
        await self.say("list without fields", "record", MODULE, "GET", "/Contacts")
        await self.say("list page", "record", MODULE, "GET", "/Contacts?fields=id&page=11")
        await self.say("count", "record", f"{MODULE}/actions/count", "GET", "/Contacts/actions/count")
        gone = (await self.zoho.insert("Leads", {"Last_Name": "x"}))[0]
        await self.say("delete", "record", MODULE, "DELETE", f"/Leads?ids={gone}")
        await self.say("delete none", "record", RECORD, "DELETE", f"/Leads/{gone}")
        await self.say("deleted", "record", f"{MODULE}/deleted", "GET", "/Leads/deleted?type=all")

    async def note(self) -> None:
        parent = {"id": self.contact, "module": {"api_name": "Contacts"}}
        note = {"Note_Title": "Hello", "Note_Content": "World", "Parent_Id": parent}
        made = await self.say("note", "notes", "/crm/v8/Notes", "POST", "/Notes", {"data": [note]})
        note_id = made.json()["data"][0]["details"]["id"]
        bad = {"data": [{"Parent_Id": parent}, {**note, "Note_Title": "x" * 121}, {**note, "Note_Content": 5}]}
        await self.say("bad notes", "notes", "/crm/v8/Notes", "POST", "/Notes", bad)
        change = {"data": [{"Note_Content": "Changed"}]}
        await self.say("change note", "notes", "/crm/v8/Notes/{id}", "PUT", f"/Notes/{note_id}", change)
        await self.say("notes", "notes", "/crm/v8/Notes", "GET", "/Notes?fields=Note_Title,Note_Content,Parent_Id")
        await self.say("get note", "notes", "/crm/v8/Notes/{id}", "GET", f"/Notes/{note_id}")

    async def search(self) -> None:
        path = f"{MODULE}/search"
        await self.say("search", "record", path, "GET", "/Contacts/search?email=a@example.com")
        await self.say("search none", "record", path, "GET", "/Contacts/search?email=none@example.com")
        await self.say("search how", "record", path, "GET", "/Contacts/search")
        await self.say("search query", "record", path, "GET", "/Contacts/search?criteria=(x:is:y)")
        for name, text in (
            ("coql", "select Last_Name, Account_Name from Contacts where id is not null limit 1"),
            ("coql clause", "select Last_Name from Contacts"),
            ("coql syntax", "select Last_Name from Contacts where ~"),
            ("coql column", "select X from Contacts where id is not null"),
            ("coql limit", "select id from Contacts where id is not null limit 9999"),
            ("coql order", "select id from Contacts where id is not null order by id, id"),
        ):
            await self.say(name, "coql", "/crm/v8/coql", "POST", "/coql", {"select_query": text})

    async def administer(self) -> None:
        fields = "/crm/v8/settings/fields"
        for module in ("Contacts", "Leads", "Accounts", "Notes"):
            await self.say(f"fields of {module}", "fields", fields, "GET", f"/settings/fields?module={module}")
        await self.say("fields of nothing", "fields", fields, "GET", "/settings/fields")
        wanted = {"field_label": "GSTIN", "data_type": "text", "length": 15}
        await self.say(
            "create field", "fields", fields, "POST", "/settings/fields?module=Contacts", {"fields": [wanted]}
        )
        await self.say(
            "duplicate field", "fields", fields, "POST", "/settings/fields?module=Contacts", {"fields": [wanted]}
        )
        await self.say("modules", "modules", "/crm/v8/settings/modules", "GET", "/settings/modules")
        await self.say("org", "org", "/crm/v8/org", "GET", "/org")
        await self.say("users", "users", "/crm/v8/users", "GET", "/users?type=CurrentUser")
        channel = {
            "channel_id": "7",
            "events": ["Contacts.all"],
            "notify_url": "https://shop.example.com/",
            "token": "t",
        }
        watch = "/crm/v8/actions/watch"
        await self.say("watch", "notifications", watch, "POST", "/actions/watch", {"watch": [channel]})
        await self.say("watches", "notifications", watch, "GET", "/actions/watch")
