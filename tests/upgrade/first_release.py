"""A shop that runs the first release: installed from its own script, live, with work in every state."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson

from conftest import Database
from stage import KEY
from zohosync.db.pool import Connection, connect, fetch_all, fetch_one
from zohosync.zoho.vault import Vault

SCRIPT = (Path(__file__).parent / "first_release.sql").read_text(encoding="utf-8")
KINDS = {"customer": "crm.contact.push", "inquiry": "crm.lead.push", "quote": "crm.lead.push"}
# As the first release's worker handed them in.
FEEDS = """zohosync.intake(100, array['customer', 'inquiry', 'quote'],
  array['crm.contact.push', 'crm.lead.push', 'crm.lead.push'], array['people', 'people', 'people']::zohosync.lane[])"""
JOBS = ("resend_due", "catch_up_scan", "write_backs", "review_connection", "tidy", "of_another_release")


@dataclass
class FirstRelease:
    """The shop and its Zoho. A worker of the first release is played by the functions it called."""

    database: Database
    shop: Connection
    zoho: httpx.AsyncClient
    token: str
    organisation: str

    async def register(self, name: str, **values: Any) -> str:
        row = {"email": f"{name}@example.com", "first_name": "Demo", "last_name": name.capitalize(), **values}
        columns, marks = ", ".join(row), ", ".join(f"%({one})s" for one in row)
        made = await fetch_one(self.shop, f"insert into users ({columns}) values ({marks}) returning id::text", row)
        assert made is not None
        return str(made["id"])

    async def ask(self, name: str) -> str:
        made = await fetch_one(
            self.shop,
            "insert into contact_submissions (name, email, subject, message)"
            " values ('Demo Visitor', %(email)s, 'Dosage', 'How much?') returning id::text",
            {"email": f"{name}@example.com"},
        )
        assert made is not None
        return str(made["id"])

    async def take_in(self) -> None:
        await self.shop.execute(f"select {FEEDS}".encode())

    async def claim(self, visibility: int = 30) -> tuple[str, dict[str, int]]:
        """A claim of everything that is due: its id, and record id to operation id."""
        claim = str(uuid4())
        rows = await fetch_all(
            self.shop,
            "select operation_id, record_id"
            " from zohosync.claim('people', 100, %(seconds)s, %(claim)s, 'first release')",
            {"claim": claim, "seconds": visibility},
        )
        return claim, {row["record_id"]: row["operation_id"] for row in rows}

    async def finish(self, claim: str, operation_id: int, outcome: str, **report: Any) -> None:
        told = [{"operation_id": operation_id, "outcome": outcome, **report}]
        done = await fetch_all(
            self.shop,
            "select zohosync.finish(%(claim)s, 'first release', %(reports)s::jsonb, 60)",
            {"claim": claim, "reports": orjson.dumps(told).decode()},
        )
        assert len(done) == 1

    async def digest(self, record_id: str) -> str:
        """What a customer looked like when the worker read it."""
        row = await fetch_one(self.shop, "select digest from zohosync.shop_customers(array[%(id)s])", {"id": record_id})
        assert row is not None
        return str(row["digest"])

    async def link(self, module: str, entity: str, record_id: str, state: str, **more: Any) -> None:
        row = {"zoho_id": None, "reference": None, "claimed_by": None, **more}
        await self.shop.execute(
            """insert into zohosync.link (system, module, entity, record_id, state, organisation_id, zoho_id, reference,
                                          claimed_by, claimed_until)
               values ('crm', %(module)s, %(entity)s, %(record)s, %(state)s::zohosync.link_state, %(organisation)s,
                       %(zoho_id)s, %(reference)s, %(claimed_by)s, now() - interval '1 minute')""",
            {"module": module, "entity": entity, "record": record_id, "state": state, **row}
            | {"organisation": self.organisation},
        )

    async def insert_in_zoho(self, module: str, **record: Any) -> str:
        """What a worker of the first release had sent."""
        answer = await self.zoho.post(
            f"/crm/v8/{module}",
            json={"data": [record], "trigger": []},
            headers={"Authorization": f"Zoho-oauthtoken {self.token}"},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"][0]["details"]["id"])


async def install_first_release(database: Database, zoho: httpx.AsyncClient) -> FirstRelease:
    """Installed as the shop's owner, connected, live; one customer and one inquiry are from before go-live."""
    async with await connect(database.owner_url) as owner:
        await owner.execute(SCRIPT.encode())
    grant = (await zoho.post("/_sim/grant", json={"kind": "refresh_token"})).json()
    form = {name: grant[name] for name in ("refresh_token", "client_id", "client_secret")}
    token = (await zoho.post("/oauth/v2/token", data={"grant_type": "refresh_token", **form})).json()["access_token"]
    org = await zoho.get("/crm/v8/org", headers={"Authorization": f"Zoho-oauthtoken {token}"})
    shop = await connect(database.admin_url)
    first = FirstRelease(database, shop, zoho, token, str(org.json()["org"][0]["id"]))
    await first.register("past")
    await first.ask("past-lead")
    vault = Vault([KEY])
    await shop.execute(
        """insert into zohosync.connection (state, data_centre, accounts_server, api_domain, organisation_id,
                                            organisation_name, client_id, client_secret, refresh_token, scopes)
           values ('connected', 'in', 'http://sim', 'http://sim', %(organisation)s, 'Demo', %(client_id)s,
                   %(client_secret)s, %(refresh_token)s, %(scopes)s)""",
        {
            "organisation": first.organisation,
            "client_id": grant["client_id"],
            "client_secret": vault.seal(grant["client_secret"]),
            "refresh_token": vault.seal(grant["refresh_token"]),
            "scopes": [],
        },
    )
    await shop.execute(
        "update zohosync.installation set zoho = 'sim', organisation_id = %s, capturing = true, live_since = now()",
        (first.organisation,),
    )
    for entity, kind in KINDS.items():
        await shop.execute("select zohosync.take_baseline(%s, %s)", (kind, entity))
    await shop.execute(
        """with jobs as (insert into zohosync.clock_job (job) select unnest(%s::text[]) returning job)
           select pgmq.send('zohosync_clock', jsonb_build_object('job', job)) from jobs""",
        (list(JOBS),),
    )
    return first
