"""The watches: notification channels, and the bodies a write would deliver to them.

https://www.zoho.com/crm/developer/docs/api/v8/notifications/enable.html. Nothing is sent over the network: due
deliveries wait in a bounded outbox that the control plane hands out.
"""

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zohosim.answers import Answer, Json, RecordRefused, Refused, nothing
from zohosim.calls import Call
from zohosim.clock import iso, read_iso
from zohosim.crm.batch import read_data
from zohosim.crm.records import Module

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

MOST_CHANNELS = 50
LONGEST_TOKEN = 50
WEEK = 7 * 24 * 3600
HOUR = 3600
OUTBOX_LENGTH = 10_000
ACTIONS = {"insert": "create", "update": "edit", "delete": "delete"}
OPENED = "Successfully subscribed for actions-watch of the given module"
CLOSED = "Successfully un-subscribed from actions-watch"


def new_outbox() -> deque[Json]:
    return deque(maxlen=OUTBOX_LENGTH)


def open_channels(sim: "Simulator", call: Call) -> Answer:
    """POST and PUT: one result per channel; an expiry beyond a week, or none, becomes one hour."""
    results = [
        open_one(sim, call, given, row) for row, given in enumerate(read_data(sim, call, "watch", MOST_CHANNELS))
    ]
    bad = sum(result["status"] == "error" for result in results)
    good_status = 201 if call.method == "POST" else 200
    return Answer({"watch": results}, good_status if not bad else 400 if bad == len(results) else 207)


def open_one(sim: "Simulator", call: Call, given: Any, row: int) -> Json:
    try:
        channel, events = read_channel(sim, given, row)
    except RecordRefused as refusal:
        return refusal.result
    shown = []
    for event in events:
        module = sim.crm.modules[event.split(".")[0]]
        sim.crm.channels[(channel["channel_id"], module.api_name)] = {**channel, "event": event}
        shown.append(describe(channel, module, call.face.api))
    return {"code": "SUCCESS", "details": {"events": shown}, "message": OPENED, "status": "success"}


def read_channel(sim: "Simulator", given: Any, row: int) -> tuple[Json, list[str]]:
    if not isinstance(given, dict):
        raise RecordRefused("INVALID_DATA", "invalid data", {"expected_data_type": "jsonobject"})
    for name in ("channel_id", "events", "notify_url"):
        if not given.get(name):
            raise RecordRefused("MANDATORY_NOT_FOUND", "required field not found", place_of(name, row))
    if not str(given["notify_url"]).startswith("https://"):
        raise RecordRefused("INVALID_DATA", "invalid data", place_of("notify_url", row))
    if len(str(given.get("token") or "")) > LONGEST_TOKEN:
        raise RecordRefused("INVALID_DATA", "invalid data", {"maximum_length": LONGEST_TOKEN, **place_of("token", row)})
    events = [str(event) for event in given["events"]]
    if not all(known_event(sim, event) for event in events):
        raise RecordRefused("INVALID_DATA", "invalid data", place_of("events", row))
    kept = ("notify_url", "token", "return_affected_field_values")
    channel = {name: given.get(name) for name in kept}
    return {**channel, "channel_id": str(given["channel_id"]), "expires_at": expiry(sim, given)}, events


def place_of(name: str, row: int) -> Json:
    return {"api_name": name, "json_path": f"$.watch[{row}].{name}"}


def known_event(sim: "Simulator", event: str) -> bool:
    module, _, action = event.partition(".")
    return module in sim.crm.modules and action in ("all", *ACTIONS.values())


def expiry(sim: "Simulator", given: Json) -> float:
    now = sim.clock.now()
    wanted = read_iso(str(given.get("channel_expiry") or ""))
    return wanted if wanted is not None and now < wanted <= now + WEEK else now + HOUR


def describe(channel: Json, module: Module, api: str) -> Json:
    return {
        "channel_expiry": iso(channel["expires_at"]),
        "resource_uri": f"{api}/crm/v2/{module.api_name}",
        "resource_id": module.blueprint.id,
        "resource_name": module.api_name,
        "channel_id": channel["channel_id"],
    }


def live_channels(sim: "Simulator") -> Iterable[tuple[str, Json]]:
    now = sim.clock.now()
    return [(name, channel) for (_, name), channel in sim.crm.channels.items() if channel["expires_at"] > now]


def list_channels(sim: "Simulator", call: Call) -> Answer:
    wanted = call.params.get("channel_id")
    shown = [
        {**describe(channel, sim.crm.modules[name], call.face.api), "notify_url": channel["notify_url"],
         "token": channel["token"], "events": [channel["event"]]}
        for name, channel in live_channels(sim)
        if wanted in (None, channel["channel_id"])
    ]  # fmt: skip
    info = {"per_page": 200, "count": len(shown), "page": 1, "more_records": False}
    return Answer({"watch": shown, "info": info}) if shown else nothing()


def close_channels(sim: "Simulator", call: Call) -> Answer:
    results = []
    for channel_id in call.params.get("channel_ids", "").split(","):
        keys = [key for key in sim.crm.channels if key[0] == channel_id]
        if not keys:
            raise Refused(400, "NOT_SUBSCRIBED", "Given channel_id is not subscribed", {"channel_id": channel_id})
        events = []
        for key in keys:
            channel = sim.crm.channels.pop(key)
            events.append(describe(channel, sim.crm.modules[key[1]], call.face.api))
        results.append({"code": "SUCCESS", "details": {"events": events}, "message": CLOSED, "status": "success"})
    return Answer({"watch": results})


def announce(sim: "Simulator", module: Module, api: str, changes: dict[str, list[str]]) -> None:
    """Put what a write's channels would be sent into the outbox: ids only, no signature, the token echoed."""
    for name, channel in live_channels(sim):
        for operation, ids in changes.items():
            action = channel["event"].split(".")[1]
            if name == module.api_name and ids and action in ("all", ACTIONS[operation]):
                sim.outbox.append(delivery(sim, channel, name, api, operation, ids))


def delivery(sim: "Simulator", channel: Json, module: str, api: str, operation: str, ids: list[str]) -> Json:
    body = {
        "server_time": int(sim.clock.now() * 1000),
        "query_params": {},
        "module": module,
        "resource_uri": f"{api}/crm/v2/{module}",
        "ids": ids,
        "affected_fields": [],
        "operation": operation,
        "channel_id": channel["channel_id"],
        "token": channel["token"],
    }
    return {"notify_url": channel["notify_url"], "body": body}
