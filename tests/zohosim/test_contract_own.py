"""The simulator's answers against our own schemas of Zoho's documented ones; these always run.

Each file of schemas/ names the page it was written from.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from conversation import Conversation, Exchange
from jsonschema import Draft202012Validator

from zohosim.simulator import DEFAULT_CLIENT

SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schemas").glob("*.json")}

BY_TEMPLATE = {
    "/crm/v8/{module_api_name}/search": "listing",
    "/crm/v8/{module_api_name}/deleted": "deleted",
    "/crm/v8/{module_api_name}/actions/count": "count",
    "/crm/v8/coql": "rows",
    "/crm/v8/settings/fields": "fields",
    "/crm/v8/settings/modules": "modules",
    "/crm/v8/org": "organisation",
    "/crm/v8/users": "users",
    "/crm/v8/actions/watch": "channels",
}


def schema_of(exchange: Exchange) -> str:
    """The schema an answer must fit, by what was asked and how it went."""
    body = exchange.answer.json()
    if "code" in body:
        return "refusal"
    if exchange.template == "/crm/v8/settings/fields" and exchange.method == "post":
        return "created_fields"
    if exchange.template in BY_TEMPLATE:
        return BY_TEMPLATE[exchange.template]
    if exchange.method != "get":
        return "results"
    return "record" if exchange.template.endswith("{id}") else "listing"


def check(name: str, body: Any) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    Draft202012Validator(SCHEMAS[name]).validate(body)


async def test_every_answer_fits_its_schema(zoho):
    exchanges = await Conversation(zoho).hold()
    seen = set()
    for exchange in exchanges:
        answer = exchange.answer
        if answer.status_code in (204, 304):
            assert answer.content == b""
            assert "content-type" not in answer.headers
            continue
        assert answer.headers["content-type"] == "application/json;charset=utf-8", exchange.name
        seen.add(schema_of(exchange))
        check(schema_of(exchange), answer.json())
    assert seen == SCHEMAS.keys() - {"token"}


@pytest.mark.parametrize("change", [{}, {"client_id": "x"}, {"client_secret": "x"}, {"refresh_token": "x"}])
async def test_every_answer_of_the_token_endpoint_fits_its_schema(sim, http: httpx.AsyncClient, change):
    form = {
        "grant_type": "refresh_token",
        "refresh_token": sim.open_grant().token,
        "client_id": DEFAULT_CLIENT.id,
        "client_secret": DEFAULT_CLIENT.secret,
        **change,
    }
    for _ in range(11):
        answer = await http.post("/oauth/v2/token", data=form)
        check("token", answer.json())
    code = (await http.post("/_sim/grant", json={"kind": "code"})).json()["code"]
    form = {"grant_type": "authorization_code", "code": code, **{k: form[k] for k in ("client_id", "client_secret")}}
    check("token", (await http.post("/oauth/v2/token", data=form)).json())


def test_the_schemas_are_strict_enough_to_refuse_what_is_wrong():
    wrong = {
        "results": {
            "data": [{"code": "SUCCESS", "details": {"id": 5}, "message": "record added", "status": "success"}]
        },
        "refusal": {"code": "INVALID_DATA", "message": "x", "status": "error"},
        "listing": {"data": [], "info": {}},
        "token": {"access_token": "x"},
        "fields": {"fields": [{}]},
    }
    for name, body in wrong.items():
        assert not Draft202012Validator(SCHEMAS[name]).is_valid(body), name
