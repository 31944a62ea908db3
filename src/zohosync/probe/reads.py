"""Questions that read only, or ask for a write that cannot happen.

https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html
"""

from zohosync.probe.ground import SETTINGS, Ground, current_user
from zohosync.probe.heard import Heard
from zohosync.probe.probe import Finding
from zohosync.zoho.protocol import Request
from zohosync.zoho.raw import RawRequest

COQL = "/crm/v8/coql"
MODULES = ("Leads", "Contacts", "Accounts")


async def bearer_scheme(ground: Ground) -> Finding:
    me = current_user()
    heard = await ground.ask_once(RawRequest(me.method, me.path, me.params, scheme="Bearer"))
    if heard.status not in (200, 401):
        raise heard.unforeseen()
    return Finding(heard.status == 200, note=heard.code)


async def whole_request_errors(ground: Ground) -> Finding:
    """Listing without ``fields`` is refused since version 3."""
    heard = await ground.read("Leads")
    if heard.status != 400 or not heard.code:
        raise heard.unforeseen()
    return Finding("flat" if heard.is_flat else "data", note=heard.code)


async def unknown_id_status(ground: Ground) -> Finding:
    """An id of this organisation's own shape that no Lead has: the user's, with other last digits."""
    own = str((await ground.me())["id"])
    heard = await ground.read(f"Leads/{own[:-6]}999999")
    if heard.status not in (204, 400, 404):
        raise heard.unforeseen()
    return Finding(heard.status, note=heard.code)


async def unparsable_body_code(ground: Ground) -> Finding:
    heard = await ground.ask(RawRequest("POST", COQL, heavy=True, body=b'{"select_query": '))
    return Finding(refusal_code(heard, "UNABLE_TO_PARSE_DATA_TYPE", "INVALID_REQUEST"), note=f"HTTP {heard.status}")


def refusal_code(heard: Heard, *foreseen: str) -> str:
    """The code of a refused request, when it is one of these."""
    if heard.status < 400 or heard.code not in foreseen:
        raise heard.unforeseen()
    return heard.code


async def wrong_method_status(ground: Ground) -> Finding:
    """Search takes GET only."""
    heard = await ground.ask(Request("POST", "/crm/v8/Leads/search"))
    if heard.status not in (400, 405):
        raise heard.unforeseen()
    return Finding(heard.status, note=heard.code)


async def search_criteria_limit(ground: Ground) -> Finding:
    if not await takes_criteria(ground, 10):
        raise (await search(ground, 10)).unforeseen()
    if not await takes_criteria(ground, 11):
        return Finding(10)
    if await takes_criteria(ground, 16):
        return Finding(None, note="sixteen criteria are taken, more than any page of Zoho says")
    return Finding(15)


async def takes_criteria(ground: Ground, count: int) -> bool:
    return (await search(ground, count)).status in (200, 204)


async def search(ground: Ground, count: int) -> Heard:
    """A search with so many criteria, none of which anything fits."""
    asked = "or".join(f"(Last_Name:equals:{ground.mark} {number})" for number in range(count))
    return await ground.read("Leads/search", criteria=f"({asked})")


async def notes_need_fields(ground: Ground) -> Finding:
    heard = await ground.read("Notes")
    if heard.status not in (200, 204, 400):
        raise heard.unforeseen()
    return Finding(heard.status == 400, note=heard.code)


async def fields_per_call(ground: Ground) -> Finding:
    """Six fields of a type that does not exist: none can be made, but who counts first says so."""
    fields = [{"field_label": f"{ground.mark} {number}", "data_type": "no_such_type"} for number in range(6)]
    request = Request("POST", SETTINGS, params={"module": "Leads"}, json={"fields": fields})
    heard = await ground.ask(request)
    if heard.status >= 400 and len(heard.rows("fields")) == len(fields):
        return Finding(25, note="six were looked at one by one")
    limit = heard.details.get("maximum_length", heard.details.get("limit"))
    if heard.status < 400 or limit not in (5, 25):
        raise heard.unforeseen()
    return Finding(limit, note=heard.code)


async def oversized_batch_code(ground: Ground) -> Finding:
    """101 Leads without their mandatory name: none can be made, even if so many were taken."""
    records = [{"City": ground.mark}] * 101
    request = Request("POST", "/crm/v8/Leads", json={"data": records, "trigger": []}, cost=11, heavy=True)
    heard = await ground.ask(request)
    if len(heard.rows()) == len(records):
        return Finding(None, note="a call takes more than 100 records")
    return Finding(refusal_code(heard, "INVALID_DATA", "LIMIT_EXCEEDED"), note=f"HTTP {heard.status}")


async def field_lengths(ground: Ground) -> Finding:
    """Lengths of the texts of each module, as this organisation has them."""
    told: dict[str, dict[str, int]] = {}
    for module in MODULES:
        heard = await ground.read("settings/fields", module=module)
        rows = heard.rows("fields")
        if heard.status != 200 or not rows:
            raise heard.unforeseen()
        told[module] = {
            str(row["api_name"]): row["length"]
            for row in rows
            if row.get("json_type") == "string" and isinstance(row.get("length"), int) and "api_name" in row
        }
    return Finding(told)
