"""Webhooks out of Books: whom a change calls, what is sent and how it is signed, and how deliveries go wrong."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from zohosim.books.webhooks import sign_text

TARGET = "https://shop.example.com/hooks"
SECRET = "s3cretOfTwelve"
ORGANISATION = "60031234567"


async def call(zoho, method: str, path: str, body: Any = None) -> httpx.Response:
    return await zoho.http.request(method, f"/books/v3{path}", params={"organization_id": ORGANISATION}, json=body)


async def rule(zoho, *events: str, entity: str = "contact", **more: object) -> dict[str, Any]:
    """One more rule through the control plane; the state of all of them."""
    wanted = {"entity": entity, "events": events or ["created"], "url": TARGET, **more}
    answer = await zoho.http.post("/_sim/books/webhooks", json=wanted)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def contact(zoho, name: str = "Demo Customer") -> str:
    made = await call(zoho, "POST", "/contacts", {"contact_name": name})
    assert made.status_code == 201, made.text
    return str(made.json()["contact"]["contact_id"])


async def sent(zoho) -> list[dict[str, Any]]:
    return list((await zoho.http.get("/_sim/outbox")).json()["deliveries"])


async def names_sent(zoho) -> list[str]:
    return [json.loads(one["body"])["contact"]["contact_name"] for one in await sent(zoho)]


async def deliver(zoho, mode: str, **more: object) -> None:
    answer = await zoho.http.post("/_sim/books/webhooks", json={"delivery": mode, **more})
    assert answer.status_code == 200, answer.text


# --- whom a change calls


async def test_a_rule_is_called_at_its_events_of_its_entity_only(zoho):
    await rule(zoho, "created", "deleted")
    await rule(zoho, "created", entity="item")
    contact_id = await contact(zoho)
    await call(zoho, "PUT", f"/contacts/{contact_id}", {"contact_name": "Demo Customer", "notes": "x"})
    await call(zoho, "DELETE", f"/contacts/{contact_id}")
    assert [(one["entity"], one["event"], one["id"]) for one in await sent(zoho)] == [
        ("contact", "created", contact_id), ("contact", "deleted", contact_id),
    ]  # fmt: skip


async def test_a_refused_write_calls_nobody(zoho):
    await rule(zoho, "created", "edited")
    assert (await call(zoho, "POST", "/contacts", {})).status_code == 400
    assert await sent(zoho) == []


async def test_a_write_whose_answer_got_lost_is_still_told(zoho):
    await rule(zoho)
    await zoho.order(kind="drop_connection_after_commit", match={"operation": "create_contact"})
    with pytest.raises(httpx.RemoteProtocolError):
        await contact(zoho)
    assert await names_sent(zoho) == ["Demo Customer"]


async def test_stock_that_an_adjustment_moves_calls_no_rule_of_items(zoho):
    item = await stocked_item(zoho)
    await rule(zoho, "created", "edited", entity="item")
    await rule(zoho, "created", entity="inventory_adjustment")
    body = {"date": "2026-11-22", "reason": "Counted", "adjustment_type": "quantity",
            "line_items": [{"item_id": item, "quantity_adjusted": 5}]}  # fmt: skip
    made = await call(zoho, "POST", "/inventoryadjustments", body)
    assert made.status_code in (200, 201), made.text
    assert [one["entity"] for one in await sent(zoho)] == ["inventory_adjustment"]
    await call(zoho, "PUT", f"/items/{item}", {"name": "Neem Cake", "rate": 120})
    assert [one["entity"] for one in await sent(zoho)] == ["inventory_adjustment", "item"]


async def stocked_item(zoho) -> str:
    accounts = (await zoho.books("/chartofaccounts")).json()["chartofaccounts"]
    by_type = {account["account_type"]: account["account_id"] for account in accounts}
    body = {"name": "Neem Cake", "rate": 100, "item_type": "inventory", "product_type": "goods",
            "purchase_rate": 60, "account_id": by_type["income"], "purchase_account_id": by_type["cost_of_goods_sold"],
            "inventory_account_id": by_type["stock"]}  # fmt: skip
    made = await call(zoho, "POST", "/items", body)
    assert made.status_code == 201, made.text
    return str(made.json()["item"]["item_id"])


# --- what is sent


async def test_the_body_is_the_detail_under_its_name_and_nothing_else(zoho):
    await rule(zoho)
    contact_id = await contact(zoho)
    (one,) = await sent(zoho)
    detail = (await zoho.books(f"/contacts/{contact_id}")).json()["contact"]
    assert json.loads(one["body"]) == {"contact": detail}
    assert (one["method"], one["notify_url"], one["status"]) == ("POST", TARGET, None)
    assert one["headers"] == {"Content-Type": "application/json"}


async def test_headers_and_parameters_of_a_rule_are_sent_along(zoho):
    await rule(
        zoho,
        url=f"{TARGET}?module=contact",
        headers=[{"param_name": "X-Shop", "param_value": "key"}],
        query_parameters=[{"param_name": "event", "param_value": "created & more"}],
        method="PUT",
    )
    await contact(zoho)
    (one,) = await sent(zoho)
    assert dict(parse_qsl(urlsplit(one["notify_url"]).query)) == {"module": "contact", "event": "created & more"}
    assert (one["method"], one["headers"]["X-Shop"]) == ("PUT", "key")


async def test_the_signature_is_over_the_sorted_parameters_and_then_the_body(zoho):
    query = [{"param_name": "zone", "param_value": "in"}, {"param_name": "a", "param_value": "1"}]
    await rule(zoho, secret=SECRET, query_parameters=query)
    await contact(zoho)
    (one,) = await sent(zoho)
    expected = hmac.new(SECRET.encode(), b"a1zonein" + one["body"].encode(), hashlib.sha256).hexdigest()
    assert one["headers"]["X-Zoho-Webhook-Signature"] == expected


def test_what_is_signed_is_as_zoho_writes_it():
    raw = b'{"created_date":"x"}'
    assert sign_text([("subscription_id", "90343"), ("name", "basic")], raw) == b"namebasicsubscription_id90343" + raw


async def test_a_form_carries_the_record_in_a_field_and_is_signed_by_its_values(zoho):
    form = [{"param_name": "JSONString", "param_value": "${JSONString}"}]
    await rule(zoho, body_type="application/x-www-form-urlencoded", form_data=form, secret=SECRET)
    await contact(zoho)
    (one,) = await sent(zoho)
    text = parse_qs(one["body"])["JSONString"][0]
    assert json.loads(text)["contact"]["contact_name"] == "Demo Customer"
    expected = hmac.new(SECRET.encode(), f"JSONString{text}".encode(), hashlib.sha256).hexdigest()
    assert one["headers"]["X-Zoho-Webhook-Signature"] == expected


async def test_raw_data_takes_the_record_in_the_place_of_its_mark(zoho):
    await rule(zoho, raw_data='{"wrapped": ${JSONString}}')
    await contact(zoho)
    (one,) = await sent(zoho)
    assert json.loads(one["body"])["wrapped"]["contact"]["contact_name"] == "Demo Customer"


# --- how deliveries go wrong


@pytest.mark.parametrize(
    ("mode", "names"),
    [("none", []), ("once", ["A", "B", "C", "D"]), ("duplicated", ["A", "A", "B", "B", "C", "C", "D", "D"]),
     ("out_of_order", ["B", "A", "D", "C"])],
)  # fmt: skip
async def test_webhooks_come_as_the_mode_says(zoho, mode: str, names: list[str]):
    await rule(zoho)
    await deliver(zoho, mode)
    for name in "ABCD":
        await contact(zoho, name)
    assert await names_sent(zoho) == names


async def test_delayed_ones_come_once_their_time_has_come(zoho):
    await rule(zoho)
    await deliver(zoho, "delayed", delay=60)
    await contact(zoho)
    assert await sent(zoho) == []
    assert (await zoho.http.get("/_sim/books/webhooks")).json()["underway"] == 1
    await zoho.http.post("/_sim/clock", json={"advance": 61})
    assert await names_sent(zoho) == ["Demo Customer"]


@pytest.mark.parametrize("mode", ["out_of_order", "delayed"])
async def test_what_is_held_back_comes_when_it_is_asked_for(zoho, mode: str):
    await rule(zoho)
    await deliver(zoho, mode, delay=3600)
    await contact(zoho)
    assert await sent(zoho) == []
    await zoho.http.post("/_sim/books/webhooks", json={"flush": True})
    assert await names_sent(zoho) == ["Demo Customer"]


async def test_beyond_a_thousand_calls_a_day_webhooks_are_dropped_until_the_next_day(zoho):
    await rule(zoho)
    await zoho.http.post("/_sim/books/webhooks", json={"made": 999})
    await contact(zoho, "A")
    await contact(zoho, "B")
    assert await names_sent(zoho) == ["A"]
    today = (await zoho.http.get("/_sim/books/webhooks")).json()["today"]
    assert today == {"made": 1001, "dropped": 1, "allowance": 1000}
    zoho.sim.clock.advance(12 * 3600)
    sign_in(zoho)
    await contact(zoho, "C")
    assert await names_sent(zoho) == ["A", "C"]


def sign_in(zoho) -> None:
    """The token of the test is as old as the clock has moved on."""
    grant = zoho.sim.open_grant()
    client = zoho.sim.grants.clients[grant.client_id]
    access = zoho.sim.grants.refresh(grant.token, client, zoho.sim.data_centre)
    zoho.http.headers["Authorization"] = f"Zoho-oauthtoken {access.token}"


# --- setting them up


async def test_rules_are_set_up_through_the_api_too(zoho):
    body = {"webhook_name": "Shop", "entity": "contact", "events": ["created"], "url": TARGET, "method": "POST"}
    made = await call(zoho, "POST", "/settings/webhooks", body)
    assert (made.status_code, made.json()["webhook"]["url"]) == (201, TARGET)
    listed = (await zoho.books("/settings/webhooks")).json()["webhooks"]
    assert [one["webhook_name"] for one in listed] == ["Shop"]
    await contact(zoho)
    assert len(await sent(zoho)) == 1
    webhook_id = made.json()["webhook"]["webhook_id"]
    assert (await call(zoho, "DELETE", f"/settings/webhooks/{webhook_id}")).json()["code"] == 0
    assert (await call(zoho, "DELETE", f"/settings/webhooks/{webhook_id}")).json()["code"] == 1002
    await contact(zoho, "Other")
    assert len(await sent(zoho)) == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"entity": "bill"}, 2), ({"events": ["approved"]}, 2), ({"url": "ftp://x"}, 2), ({"url": ""}, 4),
     ({"secret": "short"}, 2), ({"secret": "with-dashes-inside"}, 2), ({"method": "GET"}, 2),
     ({"headers": "x"}, 2), ({"webhook_name": "x" * 51}, 2), ({"body_type": "text/xml"}, 2)],
)  # fmt: skip
async def test_a_rule_that_books_would_not_take_is_refused(zoho, wrong: dict[str, object], code: int):
    body = {"webhook_name": "Shop", "entity": "contact", "events": ["created"], "url": TARGET, **wrong}
    answer = await call(zoho, "POST", "/settings/webhooks", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (await zoho.http.post("/_sim/books/webhooks", json=body)).status_code == 400


async def test_a_module_has_at_most_ten_rules(zoho):
    for _ in range(10):
        await rule(zoho)
    answer = await zoho.http.post(
        "/_sim/books/webhooks", json={"entity": "contact", "events": ["created"], "url": TARGET}
    )
    assert answer.status_code == 400
    assert len((await rule(zoho, entity="item"))["rules"]) == 11


async def test_rules_and_modes_are_gone_after_a_reset(zoho):
    await rule(zoho)
    await deliver(zoho, "duplicated")
    await zoho.http.post("/_sim/reset")
    told = (await zoho.http.get("/_sim/books/webhooks")).json()
    assert (told["rules"], told["delivery"], told["underway"]) == ([], "once", 0)


async def test_one_rule_or_all_can_be_taken_away(zoho):
    first = (await rule(zoho))["rules"][0]["webhook_id"]
    await rule(zoho, entity="item")
    left = (await zoho.http.delete("/_sim/books/webhooks", params={"id": first})).json()["rules"]
    assert [one["entity"] for one in left] == ["item"]
    assert (await zoho.http.delete("/_sim/books/webhooks")).json()["rules"] == []


async def test_a_mode_that_does_not_exist_is_refused(zoho):
    assert (await zoho.http.post("/_sim/books/webhooks", json={"delivery": "thrice"})).status_code == 400


# --- over HTTP


@dataclass
class Receiver:
    """Somebody on loopback who gets webhooks."""

    url: str
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    called: Event = field(default_factory=Event)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    there = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            there.got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            there.called.set()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        there.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield there
        server.shutdown()
        thread.join()


async def test_an_address_on_loopback_really_gets_them_in_their_order(zoho, receiver: Receiver):
    await rule(zoho, url=f"{receiver.url}?module=contact", secret=SECRET)
    for name in "AB":
        await contact(zoho, name)
    await zoho.sim.books.courier.settled()
    assert [json.loads(body)["contact"]["contact_name"] for _, _, body in receiver.got] == ["A", "B"]
    path, headers, body = receiver.got[0]
    assert path == "/hook?module=contact"
    signed = hmac.new(SECRET.encode(), b"modulecontact" + body, hashlib.sha256).hexdigest()
    assert headers["X-Zoho-Webhook-Signature"] == signed
    assert [one["status"] for one in await sent(zoho)] == [204, 204]


async def test_a_delayed_one_comes_by_itself_when_its_time_has_come(zoho, receiver: Receiver):
    zoho.sim.clock.real = time.time
    sign_in(zoho)
    await rule(zoho, url=receiver.url)
    await deliver(zoho, "delayed", delay=0.02)
    await contact(zoho)
    assert await asyncio.to_thread(receiver.called.wait, 10)
    await zoho.sim.books.courier.settled()
    assert [one["status"] for one in await sent(zoho)] == [204]


async def test_a_receiver_that_is_not_there_gets_one_try(zoho):
    await rule(zoho, url="http://127.0.0.1:9/hook")
    await contact(zoho)
    await zoho.sim.books.courier.settled()
    assert [one["status"] for one in await sent(zoho)] == [None]
