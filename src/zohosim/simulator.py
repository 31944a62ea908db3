"""The simulator: all state of the simulated Zoho in one object, usable without a network."""

import asyncio
import random
from collections.abc import MutableMapping
from typing import Any

from zohosim.accounts import throttled
from zohosim.answers import Answer, Json, error
from zohosim.books.automation import announce as announce_of_books
from zohosim.books.customfields import CustomField, Wanted
from zohosim.books.organisations import Organisation as BooksOrganisation
from zohosim.books.organisations import Seed as BooksSeed
from zohosim.books.store import Books
from zohosim.calls import Call, CallLog
from zohosim.clock import Clock
from zohosim.crm.records import Module
from zohosim.crm.store import Crm
from zohosim.crm.watches import announce, new_outbox
from zohosim.data_centres import Face, face_of
from zohosim.faults import Fault, FaultBox
from zohosim.grants import Client, Grant, Grants
from zohosim.identifiers import IdSequence
from zohosim.limits import Limits
from zohosim.switches import Switches

DEFAULT_CLIENT = Client(id="1000.ZOHOSIMDEMOCLIENT0000000000001", secret="zohosim-demo-secret")  # noqa: S106
DEFAULT_SCOPES = (
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.ALL",
    "ZohoCRM.coql.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.users.READ",
    "ZohoCRM.notifications.ALL",
    "ZohoSearch.securesearch.READ",
    "ZohoBooks.fullaccess.all",
)


class Latency:
    """Seconds every product call takes: between `least` and `most`, drawn from a seeded dice."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.least, self.most = 0.0, 0.0
        self.dice = random.Random(0)  # noqa: S311 - a repeatable dice, not a secret

    async def wait(self) -> None:
        if self.most > 0:
            await asyncio.sleep(self.dice.uniform(self.least, self.most))


class Simulator:
    """One organisation in its home data centre, with faces of the other data centres beside it.

    `api_base` overrides the address told as `api_domain`, which otherwise is the one the request came to.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        ids: IdSequence | None = None,
        api_base: str | None = None,
        data_centre: str = "in",
    ) -> None:
        self.clock = clock or Clock()
        self.ids = ids or IdSequence()
        self.api_base = api_base
        self.data_centre = data_centre
        self.switches = Switches()
        self.limits = Limits(self.clock)
        self.faults = FaultBox()
        self.calls = CallLog()
        self.latency = Latency()
        self.outbox = new_outbox()
        self.grants = Grants(self.clock, self.switches)
        self.crm = Crm(self.clock, self.ids, self.switches)
        self.books = Books(self.clock, self.limits, self.switches, self.outbox)
        self.books.hooks.append(announce_of_books)
        self.add_client(DEFAULT_CLIENT)

    @property
    def user_id(self) -> str:
        return str(self.crm.organisation.user["id"])

    def reset(self) -> None:
        """A fresh organisation: no records, grants, faults or calls; switches, limits and clock as at first.

        Clients, seeded custom fields and organisations of Books stay; record ids go on where they were.
        """
        self.clock.offset, self.clock.minute_seconds = 0.0, 60.0
        self.switches.reset()
        self.limits.reset()
        self.faults.clear()
        self.calls.reset()
        self.latency.reset()
        self.outbox.clear()
        self.grants.reset()
        self.crm.reset()
        self.books.reset()

    def face_of(self, scope: MutableMapping[str, Any]) -> Face:
        """The data centre and addresses a request spoke to."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"localhost").decode("latin-1")
        return face_of(scope["scheme"], host, scope.get("zohosim.centre", ""), self.data_centre, self.api_base)

    # Set-up

    def add_client(self, client: Client) -> Client:
        self.grants.clients[client.id] = client
        return client

    def seed_field(self, module: str, label: str, **more: Any) -> None:
        """A custom field that is there from the start: data_type, length, unique, external, choices."""
        self.crm.seed_field(module, {"label": label, **more})

    def seed_books_organisation(self, **given: Any) -> BooksOrganisation:
        """One more organisation of Books: name, plan, state_code, gst, country_code, currency_code, time_zone, email,
        id, all optional.

        One is there from the start; `books.close_organisations()` leaves the user without any.
        """
        return self.books.seed_organisation(BooksSeed(**given))

    def seed_books_field(self, **given: Any) -> list[CustomField]:
        """A custom field of a module of Books that is there from the start: module, label, unique, data_type,
        api_name, organisation_id; in every organisation unless that names one."""
        return self.books.seed_field(Wanted(**given))

    def open_grant(
        self, client_id: str = DEFAULT_CLIENT.id, scopes: tuple[str, ...] = DEFAULT_SCOPES, data_centre: str = ""
    ) -> Grant:
        """A refresh token without a consent page."""
        return self.grants.open_grant(client_id, self.user_id, scopes, data_centre or self.data_centre)

    # What the gate and the products ask for

    def strike(self, fault: Fault) -> None:
        """Let a fault change the state of the grants."""
        if fault.kind == "evict_token":
            self.grants.evict_accesses()
        elif fault.kind == "revoke_grant":
            self.grants.revoke_all()

    def order(self, given: Json) -> Fault:
        """Order a fault. One that changes state and names no call acts at once."""
        fault = self.faults.add(given)
        at_once = fault.kind in ("evict_token", "revoke_grant") and fault.match.empty and not fault.skip
        if at_once and fault.strikes():
            self.strike(fault)
        return fault

    def too_many(self, call: Call) -> Answer:
        if call.service == "accounts":
            return throttled(self)
        return Answer(error("TOO_MANY_REQUESTS", "Too many requests. Please try again later."), 429)

    def wrote(self, module: Module, call: Call, changes: dict[str, list[str]]) -> None:
        """A write is done: tell the notification channels."""
        quiet = isinstance(call.payload, dict) and call.payload.get("trigger") == []
        if quiet and not self.switches["empty_trigger_notifies"]:
            return
        if self.crm.channels and self.switches["own_writes_notify"]:
            announce(self, module, call.face.api, changes)
