"""The ground probes stand on: it asks, remembers what was made there, and takes it away again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from zohosync.clock import Clock
from zohosync.errors import RateLimited, ZohosyncError
from zohosync.probe.books_ground import BooksGround
from zohosync.probe.heard import Heard, Row, Unsettled
from zohosync.zoho.client import Client
from zohosync.zoho.login import Logins
from zohosync.zoho.protocol import Request
from zohosync.zoho.raw import Once, hear
from zohosync.zoho.spare import SpareLogin

NAMES = {"Leads": "Last_Name", "Contacts": "Last_Name", "Accounts": "Account_Name"}
"""The field that carries the mark of a run, by module."""

SETTINGS = "/crm/v8/settings/fields"
PATIENCE = 3
LONGEST_WAIT = timedelta(minutes=2)
MOMENT = timedelta(milliseconds=100)


class Ground:
    """``mark`` is the name of every record made here, so that a person can find what could not be deleted."""

    def __init__(
        self, client: Client, logins: Logins, clock: Clock, *, token: str, spares: Sequence[SpareLogin] = ()
    ) -> None:
        """``token`` makes the mark and the e-mail addresses of this run unlike any others."""
        self.clock = clock
        self.mark = f"zohosync probe {token}"
        self.left_over: list[str] = []
        self._client = client
        self._logins = logins
        self._token = token
        self._spares = spares
        self._emails = 0
        self._made: dict[str, list[str]] = {}
        self._own: set[str] = set()
        self._met: set[str] = set()
        self._touched: set[str] = set()
        self._fields: dict[str, list[str]] = {}
        self.books = BooksGround(self.ask, self.mark, clock)

    # --- asking

    async def ask(self, request: Request) -> Heard:
        """Unsettled when the login itself is refused. Zoho's wish to go slower is granted."""
        heard = await self._hear_patiently(request)
        if heard.status == 401:
            raise Unsettled(f"Zoho refused the login for this call ({heard.code})")
        return heard

    async def _hear_patiently(self, request: Request) -> Heard:
        """A call that came too soon was not carried out: it is made again after the wait."""
        for _ in range(PATIENCE):
            try:
                return Heard.of(await hear(self._client, request))
            except RateLimited as error:
                if error.retry_after > LONGEST_WAIT:
                    raise
                await self.sleep(error.retry_after + MOMENT)
        return Heard.of(await hear(self._client, request))

    async def ask_once(self, request: Request) -> Heard:
        """As ``ask``, but a refused login is an answer, and no new token is fetched for it."""
        return Heard.of(await hear(self._client.signed_in_by(Once(self._logins)), request))

    async def ask_as(self, spare: SpareLogin, token: str) -> Heard:
        """Who the spare login is, asked with one of its tokens."""
        return Heard.of(await hear(self._client.signed_in_by(spare.signed_in(token)), current_user()))

    async def read(self, path: str, **params: str) -> Heard:
        return await self.ask(Request("GET", f"/crm/v8/{path}", params=params))

    async def me(self) -> Row:
        """The user who is connected."""
        rows = (await self.ask(current_user())).rows("users")
        if not rows or not str(rows[0].get("id", "")).isdecimal():
            raise Unsettled("Zoho did not say who the connected user is")
        return rows[0]

    # --- writing

    def new_email(self) -> str:
        """An address nothing else in the organisation has."""
        self._emails += 1
        return f"probe-{self._token}-{self._emails}@example.com"

    def person(self, **values: Any) -> Row:
        """A Lead or Contact that carries the mark."""
        return {"Last_Name": self.mark, **values}

    async def insert(self, module: str, *records: Row) -> Heard:
        return await self._write("POST", module, "", {"data": list(records), "trigger": []})

    async def upsert(self, module: str, *records: Row, check: Sequence[str] = ("Email",)) -> Heard:
        body = {"data": list(records), "trigger": [], "duplicate_check_fields": list(check)}
        return await self._write("POST", module, "/upsert", body)

    async def update(self, module: str, *records: Row) -> Heard:
        return await self._write("PUT", module, "", {"data": list(records), "trigger": []})

    def expect(self, *modules: str) -> None:
        """A write may make records in these modules, too, without telling."""
        self._touched |= set(modules)

    async def made(self, module: str, **values: Any) -> str:
        """The id of a new person that must be accepted."""
        heard = await self.insert(module, self.person(**values))
        ids = heard.ids()
        if not ids:
            raise Unsettled(f"an ordinary record of {module} was refused ({heard.code})")
        return ids[0]

    async def value(self, module: str, record_id: str, field: str) -> Any:
        """What is stored in a field."""
        rows = (await self.read(f"{module}/{record_id}")).rows()
        return rows[0].get(field) if rows else None

    async def convert(self, lead_id: str) -> Heard:
        """Convert a Lead; what it becomes is remembered."""
        self.expect("Contacts", "Accounts")
        path = f"/crm/v8/Leads/{lead_id}/actions/convert"
        heard = await self.ask(Request("POST", path, json={"data": [{}]}, cost=5, heavy=True, effect="creates"))
        for row in heard.rows():
            details = row.get("details")
            for module in ("Contacts", "Accounts"):
                target = details.get(module) if isinstance(details, dict) else None
                if isinstance(target, dict) and "id" in target:
                    self._remember(module, str(target["id"]))
        return heard

    async def make_field(self, module: str, **definition: Any) -> Heard:
        """Ask for a custom field whose label is the mark."""
        self._fields.setdefault(module, [])
        body = {"fields": [{"field_label": self.mark, **definition}]}
        heard = await self.ask(Request("POST", SETTINGS, params={"module": module}, json=body, effect="creates"))
        self._fields[module] += heard.ids("fields")
        return heard

    async def _write(self, method: str, module: str, tail: str, body: Row) -> Heard:
        self._touched.add(module)
        cost = -(-len(body["data"]) // 10)
        request = Request(method, f"/crm/v8/{module}{tail}", json=body, cost=cost, heavy=cost > 1, effect="creates")
        heard = await self.ask(request)
        for record, action in heard.written():
            if record in self._own or action == "insert" or (method, tail) == ("POST", ""):
                self._remember(module, record)
            else:
                self._tell_met(module, record)
        return heard

    def _remember(self, module: str, record: str) -> None:
        self._own.add(record)
        known = self._made.setdefault(module, [])
        if record not in known:
            known.append(record)

    def _tell_met(self, module: str, record: str) -> None:
        """A record of somebody else's was changed. It is not ours to delete, even if it carries the mark by now."""
        if record not in self._met:
            self._met.add(record)
            self.left_over.append(f"{module} {record}, which was there before and was changed")

    async def delete(self, module: str, *ids: str) -> None:
        """Delete records now; those Zoho refuses to delete are left over."""
        if not ids:
            return
        params = {"ids": ",".join(ids), "wf_trigger": "false"}
        request = Request("DELETE", f"/crm/v8/{module}", params=params, effect="idempotent")
        try:
            gone = set((await self.ask(request)).ids())
        except (ZohosyncError, Unsettled):
            gone = set()
        self._made[module] = [one for one in self._made.get(module, []) if one not in gone]
        self.left_over += [f"{module} {one}" for one in ids if one not in gone]

    # --- logins of its own

    def spare(self, number: int = 0) -> SpareLogin:
        """One of the logins that may be used up."""
        usable = [spare for spare in self._spares if not spare.revoked]
        if len(usable) <= number:
            wanted = "a self-client code" if number == 0 else f"{number + 1} self-client codes"
            raise Unsettled(f"it needs {wanted} of its own: give --code {'twice' if number else 'with one'}")
        return usable[number]

    async def sleep(self, duration: timedelta) -> None:
        await self.clock.sleep(duration)

    # --- cleaning up

    async def clean(self) -> None:
        """Delete what is known to have been made. Never raises for Zoho: what stays is in ``left_over``."""
        for module in sorted(self._made, key=_companies_last):
            ids, self._made[module] = self._made[module], []
            await self.delete(module, *ids)
        for module, fields in self._fields.items():
            while fields:
                await self._delete_field(module, fields.pop())
        await self.books.clean()

    async def leave(self) -> None:
        """After the last probe: look for what was made unnoticed, and end the logins."""
        for module in sorted(self._touched, key=_companies_last):
            await self._sweep(module)
        for module in self._fields:
            await self._sweep_fields(module)
        await self.books.leave()
        await self.clean()
        self.left_over += self.books.left_over
        for spare in self._spares:
            await self._end(spare)

    async def _sweep(self, module: str) -> None:
        """A write whose answer was lost may have made something: look for the mark, past the lagging search."""
        query = f"select id from {module} where {NAMES[module]} = '{self.mark}' limit 0, 200"  # noqa: S608 - COQL
        try:
            heard = await self.ask(Request("POST", "/crm/v8/coql", json={"select_query": query}, heavy=True))
        except (ZohosyncError, Unsettled) as error:
            self.left_over.append(f"perhaps something in {module} that is called {self.mark!r} ({error})")
            return
        left = [str(row["id"]) for row in heard.rows() if "id" in row]
        refused = {entry.split()[-1] for entry in self.left_over}
        self._made[module] = [one for one in left if one not in refused | self._met]

    async def _sweep_fields(self, module: str) -> None:
        try:
            rows = (await self.read("settings/fields", module=module)).rows("fields")
        except (ZohosyncError, Unsettled) as error:
            self.left_over.append(f"perhaps a custom field of {module} that is called {self.mark!r} ({error})")
            return
        self._fields[module] = [str(row.get("id")) for row in rows if row.get("field_label") == self.mark]

    async def _delete_field(self, module: str, field_id: str) -> None:
        request = Request("DELETE", f"{SETTINGS}/{field_id}", params={"module": module}, effect="idempotent")
        try:
            gone = bool((await self.ask(request)).ids("fields"))
        except (ZohosyncError, Unsettled):
            gone = False
        if not gone:
            self.left_over.append(f"custom field {field_id} of {module}")

    async def _end(self, spare: SpareLogin) -> None:
        if spare.revoked:
            return
        try:
            ended = await spare.revoke()
        except ZohosyncError:
            ended = False
        if not ended:
            self.left_over.append("a login of a self-client code: remove it in Zoho's accounts page")


def current_user() -> Request:
    """Who is connected: the cheapest question there is."""
    return Request("GET", "/crm/v8/users", params={"type": "CurrentUser"})


def _companies_last(module: str) -> tuple[bool, str]:
    """Contacts go before the Accounts they belong to."""
    return module == "Accounts", module
