"""The control plane under `/_sim/`: set up, break, look inside. Shapes are in the package's README.md.

It needs no authorisation and is not part of Zoho: never expose it to a network you do not trust.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zohosim.accounts import split_scopes
from zohosim.answers import Answer, Json, Refused
from zohosim.books.limits import PLANS
from zohosim.clock import iso, read_iso
from zohosim.data_centres import BY_NAME
from zohosim.faults import KINDS, check_order
from zohosim.grants import Client
from zohosim.limits import EDITIONS
from zohosim.pages import from_elsewhere
from zohosim.simulator import DEFAULT_CLIENT, DEFAULT_SCOPES

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

DEFAULT_CALLS = 1_000


@dataclass(frozen=True, slots=True)
class Order:
    """One request to the control plane: the simulator, its JSON body, the request itself."""

    sim: "Simulator"
    given: Any
    request: Request


Control = Callable[[Order], Json]


async def serve(control: Control, request: Request) -> Response:
    """Read a JSON body when there is one; what is wrong with it is told as 400 {"error": ...}."""
    sim: Simulator = request.app.state.simulator
    if from_elsewhere(request):
        return Answer({"error": "another site's page may not steer the simulator"}, 403).response()
    body = await request.body()
    try:
        given = orjson.loads(body) if body.strip() else {}
        return Answer(control(Order(sim, given, request))).response()
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        return Answer({"error": f"{type(wrong).__name__}: {wrong}"}, 400).response()
    except Refused as refusal:
        return Answer({"error": refusal.body["message"]}, 400).response()


def number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number")
    return float(value)


# State


def reset(order: Order) -> Json:
    order.sim.reset()
    return {"ok": True}


def dump(order: Order) -> Json:
    """All records by module, what is live, and the counters of all calls."""
    return {
        "organisation": {
            "company_name": order.sim.crm.organisation.company_name,
            "zgid": order.sim.crm.organisation.zgid,
        },
        "data_centre": order.sim.data_centre,
        "records": {
            name: [module.view(r) for r in module.records.values()] for name, module in order.sim.crm.modules.items()
        },
        "deleted": {name: [item.id for item in module.deleted] for name, module in order.sim.crm.modules.items()},
        "tokens": tokens(order.sim),
        "credits": {"used": order.sim.limits.used, "allowance": order.sim.limits.allowance},
        "books": {**books_organisations(order), "records": books_records(order.sim)},
        "counters": dict(order.sim.calls.counters),
    }


def tokens(sim: "Simulator") -> Json:
    return {
        "codes": len(sim.grants.codes),
        "refresh_tokens": len(sim.grants.grants),
        "live_access_tokens": sum(1 for _ in sim.grants.live_accesses()),
    }


def calls(order: Order) -> Json:
    """The log, oldest first; `since` is a number already seen, `limit` how many of the newest."""
    params = order.request.query_params
    since, limit = int(params.get("since", 0)), int(params.get("limit", DEFAULT_CALLS))
    wanted = [
        entry
        for entry in order.sim.calls.entries
        if entry.number > since
        and params.get("service", entry.service) == entry.service
        and params.get("operation", entry.operation) == entry.operation
        and params.get("module", entry.module) == entry.module
    ]
    return {"total": order.sim.calls.counters["calls"], "calls": [entry.shown() for entry in wanted[-limit:]]}


def mark_record(order: Order) -> Json:
    """Lock, approve or convert one record: {module, id, locked?, approved?, converted?}."""
    given = order.given
    module = order.sim.crm.module(given["module"])
    record = module.records.get(str(given["id"]))
    if record is None:
        raise ValueError("no such record")
    for name in ("locked", "approved", "converted"):
        setattr(record, name, bool(given.get(name, getattr(record, name))))
    return {"record": module.view(record)}


def seed_field(order: Order) -> Json:
    given = order.given
    more = {name: value for name, value in given.items() if name != "module"}
    field = order.sim.crm.seed_field(given["module"], more)
    return {"id": field.id, "api_name": field.api_name}


def outbox(order: Order) -> Json:
    order.sim.books.courier.pump()
    waiting = list(order.sim.outbox)
    if order.request.method == "DELETE":
        order.sim.outbox.clear()
    return {"deliveries": waiting}


# Faults


def order_faults(order: Order) -> Json:
    given = order.given
    orders = given if isinstance(given, list) else [given]
    for one in orders:
        check_order(one)
    return {"faults": [order.sim.order(wanted).shown() for wanted in orders]}


def list_faults(order: Order) -> Json:
    kinds = {name: {"standing": kind.standing, "meaning": kind.meaning} for name, kind in KINDS.items()}
    return {"faults": [fault.shown() for fault in order.sim.faults.faults], "kinds": kinds}


def clear_faults(order: Order) -> Json:
    order.sim.faults.clear(order.request.query_params.get("id", ""))
    return {"faults": [fault.shown() for fault in order.sim.faults.faults]}


# Dials


def clock(order: Order) -> Json:
    """{advance: seconds} {set: ISO instant} {minute_seconds: seconds} {scale: times faster}."""
    given = order.given
    if "advance" in given:
        order.sim.clock.advance(number(given["advance"], "advance"))
    if "set" in given:
        instant = read_iso(str(given["set"]))
        if instant is None:
            raise ValueError("set must be an ISO 8601 instant")
        order.sim.clock.set(instant)
    if "scale" in given:
        order.sim.clock.minute_seconds = 60.0 / number(given["scale"], "scale")
    if "minute_seconds" in given:
        order.sim.clock.minute_seconds = number(given["minute_seconds"], "minute_seconds")
    order.sim.books.courier.pump()
    return {
        "now": iso(order.sim.clock.now()),
        "unix": order.sim.clock.now(),
        "minute_seconds": order.sim.clock.minute_seconds,
    }


def latency(order: Order) -> Json:
    """{seconds} or {least, most, seed?}."""
    given = order.given
    if given:
        least = number(given.get("least", given.get("seconds")), "seconds")
        order.sim.latency.least, order.sim.latency.most = least, max(least, number(given.get("most", least), "most"))
        order.sim.latency.dice.seed(given.get("seed", 0))
    return {"least": order.sim.latency.least, "most": order.sim.latency.most}


def limits(order: Order) -> Json:
    """{enabled?, edition?, users?, credits?, used?}; credits null means the edition's own allowance."""
    given = order.given
    if "edition" in given and given["edition"] not in EDITIONS:
        raise ValueError(f"edition must be one of {', '.join(EDITIONS)}")
    for name in ("enabled", "edition", "users", "credits"):
        if name in given:
            setattr(order.sim.limits, name, given[name])
    if "used" in given:
        order.sim.limits.spend(int(number(given["used"], "used")) - order.sim.limits.used)
    order.sim.limits.forget_old()
    edition = EDITIONS[order.sim.limits.edition]
    return {
        "enabled": order.sim.limits.enabled,
        "edition": order.sim.limits.edition,
        "users": order.sim.limits.users,
        "credits": order.sim.limits.credits,
        "used": order.sim.limits.used,
        "allowance": order.sim.limits.allowance,
        "concurrency": edition.concurrency,
    }


def switches(order: Order) -> Json:
    given = order.given
    order.sim.switches.set(given)
    return {"switches": order.sim.switches.describe()}


def index_lag(order: Order) -> Json:
    given = order.given
    if given:
        order.sim.crm.index_lag = number(given["seconds"], "seconds")
    return {"seconds": order.sim.crm.index_lag}


# Books


def books_organisations(order: Order) -> Json:
    return {"organisations": [organisation.detail() for organisation in order.sim.books.organisations.values()]}


def books_records(sim: "Simulator") -> Json:
    """By organisation and table, everything that was ever stored in it."""
    return {
        own.id: {name: list(rows.values()) for name, rows in own.ledger.tables.items()}
        for own in sim.books.organisations.values()
    }


def open_books_organisation(order: Order) -> Json:
    """{name?, plan?, state_code?, gst?, country_code?, currency_code?, time_zone?, email?, id?}."""
    return {"organisation": order.sim.seed_books_organisation(**order.given).detail()}


def close_books_organisations(order: Order) -> Json:
    order.sim.books.close_organisations()
    return books_organisations(order)


def books_limits(order: Order) -> Json:
    """{organisation_id?, plan?, calls?, used?, per_minute?, forget_peaks?}; calls null means the plan's own number.

    Without organisation_id it is about the first one.
    """
    given, books = order.given, order.sim.books
    limits = books.organisation(str(given.get("organisation_id") or next(iter(books.organisations), ""))).limits
    if given.get("plan", limits.plan) not in PLANS:
        raise ValueError(f"plan must be one of {', '.join(PLANS)}")
    for name in ("calls", "used", "per_minute"):
        if given.get(name) is not None:
            number(given[name], name)
    for name in ("plan", "calls", "used", "per_minute"):
        if name in given:
            setattr(limits, name, given[name])
    if given.get("forget_peaks"):
        limits.forget_peaks()
    return {
        "plan": limits.plan,
        "calls": limits.calls,
        "used": limits.used,
        "allowance": limits.allowance,
        "per_minute": limits.per_minute,
        "concurrency": PLANS[limits.plan].concurrency,
        "seconds_left": limits.seconds_left(),
        "busiest_minute": limits.minute.busiest,
        "most_at_once": limits.tally.most_at_once,
        "refused": {str(code): limits.tally.refused[code] for code in (44, 45, 1070)},
    }


# Grants


def add_client(order: Order) -> Json:
    """{id, secret, name?, redirect_uris?, data_centres?}."""
    given = order.given
    if given:
        lists = {name: tuple(given.get(name, ())) for name in ("redirect_uris", "data_centres")}
        order.sim.add_client(Client(**{**given, **lists}))
    return {"clients": [asdict(client) for client in order.sim.grants.clients.values()]}


def grant(order: Order) -> Json:
    """{client_id?, scopes?, data_centre?, kind?: refresh_token | code, redirect_uri?, lasting?}."""
    given = order.given
    client = order.sim.grants.clients.get(given.get("client_id", DEFAULT_CLIENT.id))
    if client is None:
        raise ValueError("no such client")
    scopes = given.get("scopes") or DEFAULT_SCOPES
    scopes = split_scopes(scopes) if isinstance(scopes, str) else tuple(scopes)
    centre = given.get("data_centre", order.sim.data_centre)
    if centre not in BY_NAME:
        raise ValueError(f"data_centre must be one of {', '.join(BY_NAME)}")
    face = order.sim.face_of(order.request.scope)
    told = {
        "client_id": client.id,
        "client_secret": client.secret,
        "scopes": list(scopes),
        "data_centre": centre,
        "accounts": face.accounts_of(centre, order.sim.data_centre),
        "organisation_id": order.sim.crm.organisation.zgid,
        "books_organisations": list(order.sim.books.organisations),
    }
    if given.get("kind", "refresh_token") == "code":
        code = order.sim.grants.issue_code(
            client, order.sim.user_id, scopes, centre, given.get("redirect_uri"), bool(given.get("lasting", True))
        )
        return {**told, "code": code.value}
    return {**told, "refresh_token": order.sim.open_grant(client.id, scopes, centre).token}


TABLE: tuple[tuple[str, str, Control], ...] = (
    ("POST", "reset", reset),
    ("GET", "dump", dump),
    ("GET", "calls", calls),
    ("POST", "records", mark_record),
    ("POST", "fields", seed_field),
    ("GET", "outbox", outbox),
    ("DELETE", "outbox", outbox),
    ("POST", "faults", order_faults),
    ("GET", "faults", list_faults),
    ("DELETE", "faults", clear_faults),
    ("GET", "clock", clock),
    ("POST", "clock", clock),
    ("GET", "latency", latency),
    ("POST", "latency", latency),
    ("GET", "limits", limits),
    ("POST", "limits", limits),
    ("GET", "switches", switches),
    ("POST", "switches", switches),
    ("GET", "index_lag", index_lag),
    ("POST", "index_lag", index_lag),
    ("GET", "books/organisations", books_organisations),
    ("POST", "books/organisations", open_books_organisation),
    ("DELETE", "books/organisations", close_books_organisations),
    ("GET", "books/limits", books_limits),
    ("POST", "books/limits", books_limits),
    ("GET", "clients", add_client),
    ("POST", "clients", add_client),
    ("POST", "grant", grant),
)


def routes() -> list[Route]:
    return [Route(f"/_sim/{name}", partial(serve, control), methods=[method]) for method, name, control in TABLE]
