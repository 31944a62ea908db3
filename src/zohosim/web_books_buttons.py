"""The buttons of the web face of Books: each makes the very call a program would make, so that none can do more."""

from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from zohosim.answers import Json, Refused
from zohosim.books.hindrances import hinder
from zohosim.books.modules import MODULES, call_within, detail_of
from zohosim.books.records import Row
from zohosim.books.routes import OPERATIONS
from zohosim.web import refuse_strangers, simulator_of
from zohosim.web_books import organisation_of, row_of, shown
from zohosim.web_books_tables import ACTIONS

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation
    from zohosim.simulator import Simulator


async def press(request: Request) -> Response:
    """One of ACTIONS, as a call of Books."""
    refuse_strangers(request)
    organisation, table, row = row_of(request)
    wanted = ACTIONS[table].get(request.path_params["action"])
    if wanted is None:
        raise HTTPException(404)
    refusal = make_call(simulator_of(request), organisation, wanted[1], wanted[2], str(request.path_params["id"]))
    return after(request, organisation, table, row, refusal)


async def edit_line(request: Request) -> Response:
    """Another quantity and rate for one line, all others as they are."""
    refuse_strangers(request)
    organisation, table, row = row_of(request)
    form = await form_of(request)
    lines = [
        {"line_item_id": line["line_item_id"], **(form if line["line_item_id"] == form.get("line_item_id") else {})}
        for line in row.get("line_items", [])
    ]
    body = {"line_items": [{key: line[key] for key in ("line_item_id", "quantity", "rate") if key in line}
                           for line in lines]}  # fmt: skip
    refusal = make_call(simulator_of(request), organisation, "PUT", f"/{table}/{{id}}", row_id(table, row), body)
    return after(request, organisation, table, row, refusal)


async def count_stock(request: Request) -> Response:
    """What was counted becomes the stock on hand, by an inventory adjustment of the difference."""
    refuse_strangers(request)
    sim = simulator_of(request)
    organisation, table, row = row_of(request)
    if table != "items":
        raise HTTPException(404)
    form = await form_of(request)
    on_hand = Decimal(str(detail_of(sim, organisation, "items", row).get("stock_on_hand") or 0))
    try:
        delta = Decimal(form.get("counted", "")) - on_hand
    except ArithmeticError:
        return shown(request, organisation, table, row, "The count must be a number.", 400)
    body = {
        "date": organisation.ledger.today().isoformat(), "reason": form.get("reason") or "Stock count",
        "adjustment_type": "quantity",
        "line_items": [{"item_id": row["item_id"], "quantity_adjusted": float(delta)}],
    }  # fmt: skip
    refusal = make_call(sim, organisation, "POST", "/inventoryadjustments", "", body) if delta else ""
    return after(request, organisation, table, row, refusal)


async def order_fault(request: Request) -> Response:
    """One of the ready-made faults of Books, or the books locked up to today, or open again."""
    refuse_strangers(request)
    sim, organisation, which = simulator_of(request), organisation_of(request), request.path_params["which"]
    if which in FAULTS:
        sim.order(dict(FAULTS[which]))
    elif which in ("lock", "unlock"):
        day = organisation.ledger.today().isoformat() if which == "lock" else ""
        organisation.preferences.set({"locked_until": day})
    else:
        raise HTTPException(404)
    return RedirectResponse(request.url_for("books", organisation=organisation.id), 303)


FAULTS: dict[str, Json] = {
    "busy": {"kind": "http_429", "count": 5, "match": {"service": "books"}},
    "ambiguous": {"kind": "http_500_after_commit", "match": {"service": "books", "method": "POST"}},
}


async def form_of(request: Request) -> dict[str, str]:
    return {name: value.strip() for name, value in parse_qsl((await request.body()).decode())}


def row_id(table: str, row: Row) -> str:
    return str(row[MODULES[table].id_key])


def make_call(
    sim: "Simulator", organisation: "Organisation", method: str, path: str, of: str, body: Json | None = None
) -> str:
    """Make a call as a person of the organisation; what Books said when it refused, else nothing."""
    operation = next(one for one in OPERATIONS if (one.method, one.path) == (method, f"/books/v3{path}"))
    call = call_within(sim, organisation, method, path.replace("{id}", of), body, id=of)
    try:
        hinder(sim, call, [])
        operation.handler(sim, call)
    except Refused as refusal:
        return str(refusal.body["message"])
    return ""


def after(request: Request, organisation: "Organisation", table: str, row: Row, refusal: str) -> Response:
    """Back to the record, to its list when it is gone, or the record with what Books said against it."""
    if refusal:
        return shown(request, organisation, table, row, refusal, 400)
    there = organisation.ledger.find(table, request.path_params["id"]) is not None
    path = f"/organisations/{organisation.id}/{table}"
    return RedirectResponse(f"{path}/{request.path_params['id']}" if there else path, 303)


def routes() -> list[Route]:
    own = "/organisations/{organisation}"
    return [
        Route(f"{own}/faults/{{which}}", order_fault, methods=["POST"]),
        Route(f"{own}/{{table}}/{{id}}/stock", count_stock, methods=["POST"]),
        Route(f"{own}/{{table}}/{{id}}/line", edit_line, methods=["POST"]),
        Route(f"{own}/{{table}}/{{id}}/{{action}}", press, methods=["POST"]),
    ]
