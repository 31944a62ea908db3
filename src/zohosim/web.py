"""The web face at `/`: records by module, one record with its notes, what is live, a few faults to press."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from zohosim.answers import Json
from zohosim.clock import iso
from zohosim.crm.records import Module, Record
from zohosim.faults import KINDS
from zohosim.pages import from_elsewhere, page

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

STATIC = Path(__file__).parent / "static"
PER_PAGE = 50
RECENT_CALLS = 12
COLUMNS: dict[str, tuple[str, ...]] = {
    "Leads": ("Full_Name", "Company", "Email", "Phone", "Lead_Source", "Modified_Time"),
    "Accounts": ("Account_Name", "Phone", "Website", "Billing_City", "Modified_Time"),
    "Contacts": ("Full_Name", "Account_Name", "Email", "Phone", "Modified_Time"),
    "Notes": ("Note_Title", "Note_Content", "Parent_Id", "Modified_Time"),
}
FAULTS: dict[str, Json] = {
    "busy": {"kind": "http_429", "count": 5},
    "ambiguous": {"kind": "http_500_after_commit", "count": 1},
    "evict": {"kind": "evict_token"},
}


def simulator_of(request: Request) -> "Simulator":
    simulator: Simulator = request.app.state.simulator
    return simulator


def module_of(request: Request) -> Module:
    found = simulator_of(request).crm.modules.get(request.path_params["module"])
    if found is None:
        raise HTTPException(404)
    return found


def frame(sim: "Simulator", here: str = "") -> Json:
    """What every page shows: modules with counts, what is live, the ordered faults."""
    return {
        "here": here,
        "organisation": sim.crm.organisation,
        "data_centre": sim.data_centre,
        "modules": [(module.blueprint, len(module.records)) for module in sim.crm.modules.values()],
        "live_tokens": sum(1 for _ in sim.grants.live_accesses()),
        "refresh_tokens": len(sim.grants.grants),
        "credits_used": sim.limits.used,
        "credits": sim.limits.allowance,
        "calls": sim.calls.counters["calls"],
        "now": iso(sim.clock.now()),
        "faults": [fault for fault in sim.faults.faults if fault.left != 0],
        "kinds": KINDS,
    }


# Pages


async def overview(request: Request) -> Response:
    sim = simulator_of(request)
    recent = list(sim.calls.entries)[-RECENT_CALLS:]
    newest = [
        (module.blueprint, [row(module, record) for _, record in zip(range(5), module.newest_first(), strict=False)])
        for module in sim.crm.modules.values()
    ]
    return page("overview.html", **frame(sim), recent=recent[::-1], newest=newest)


async def module_page(request: Request) -> Response:
    """Newest first, 50 to a page; `q` narrows to records with that text in one of the columns."""
    sim, module = simulator_of(request), module_of(request)
    wanted = request.query_params.get("q", "").strip()
    number = (
        max(1, int(request.query_params.get("page", "1") or 1))
        if request.query_params.get("page", "1").isdigit()
        else 1
    )
    rows = [row(module, record) for record in module.newest_first()]
    found = [r for r in rows if wanted.lower() in " ".join(r["cells"]).lower()] if wanted else rows
    start = (number - 1) * PER_PAGE
    return page(
        "module.html",
        **frame(sim, module.api_name),
        module=module.blueprint,
        columns=[module.fields[name].label for name in COLUMNS[module.api_name]],
        rows=found[start : start + PER_PAGE],
        found=len(found),
        wanted=wanted,
        number=number,
        pages=max(1, -(-len(found) // PER_PAGE)),
    )


async def record_page(request: Request) -> Response:
    sim, module = simulator_of(request), module_of(request)
    record = module.records.get(request.path_params["id"])
    if record is None:
        raise HTTPException(404)
    view = module.view(record)
    notes = sim.crm.modules["Notes"]
    return page(
        "record.html",
        **frame(sim, module.api_name),
        module=module.blueprint,
        record=record,
        name=module.name_of(record) or record.id,
        filled=[(field, shown(view[name])) for name, field in module.fields.items() if shown(view.get(name))],
        empty=[field.label for name, field in module.fields.items() if not shown(view.get(name))],
        notes=notes.holders("Parent_Id", {"id": record.id})[::-1],
        parent=record.values.get("Parent_Id"),
    )


def row(module: Module, record: Record) -> Json:
    view = module.view(record)
    cells = [shown(view[name]) for name in COLUMNS[module.api_name]]
    return {"id": record.id, "cells": cells, "locked": record.locked, "converted": record.converted}


def shown(value: object) -> str:
    """A value in words: a link by its name, an instant without its offset."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict):
        module = value.get("module")
        return str(value.get("name") or (f"{module['api_name']} {value['id']}" if module else value.get("id")))
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value)
    text = str(value)
    return text[:16].replace("T", " ") if len(text) == 25 and text[10:11] == "T" else text


# Buttons


def refuse_strangers(request: Request) -> None:
    if from_elsewhere(request):
        raise HTTPException(403)


async def order_fault(request: Request) -> Response:
    """One of the ready-made faults, or the refusal of records with a given e-mail."""
    refuse_strangers(request)
    sim, which = simulator_of(request), request.path_params["which"]
    if which == "refuse":
        email = dict(parse_qsl((await request.body()).decode())).get("email", "").strip()
        if email:
            sim.order(refusal_of(email))
    elif which in FAULTS:
        sim.order(dict(FAULTS[which]))
    else:
        raise HTTPException(404)
    return back(request)


def refusal_of(email: str) -> Json:
    return {
        "kind": "record_error",
        "match": {"record": {"field": "Email", "equals": email}},
        "code": "INVALID_DATA",
        "message": "invalid data",
        "details": {"api_name": "Email", "expected_data_type": "email"},
    }


async def clear(request: Request) -> Response:
    refuse_strangers(request)
    simulator_of(request).faults.clear()
    return back(request)


async def reset(request: Request) -> Response:
    refuse_strangers(request)
    simulator_of(request).reset()
    return RedirectResponse("/", 303)


def back(request: Request) -> Response:
    """To the page the button was on, when that was one of ours."""
    origin = f"{request.url.scheme}://{request.url.netloc}/"
    referer = request.headers.get("referer", "")
    return RedirectResponse(referer if referer.startswith(origin) else "/", 303)


def routes() -> list[Route | Mount]:
    return [
        Route("/", overview),
        Route("/modules/{module}", module_page),
        Route("/modules/{module}/{id}", record_page),
        Route("/faults/clear", clear, methods=["POST"]),
        Route("/faults/{which}", order_fault, methods=["POST"]),
        Route("/reset", reset, methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
