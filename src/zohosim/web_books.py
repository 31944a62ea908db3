"""The web face of Books at `/organisations`: what an accountant would look at."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zohosim.answers import Json
from zohosim.books import settlements
from zohosim.books.modules import MODULES, detail_of
from zohosim.books.records import Row
from zohosim.books.states import STATES
from zohosim.pages import page
from zohosim.web import frame, simulator_of
from zohosim.web_books_tables import COLUMNS, HEADINGS, TITLES, TREATMENTS, buttons, cards, label, money, plain, words

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation
    from zohosim.simulator import Simulator

PER_PAGE = 50
NEWEST = 8


def organisation_of(request: Request) -> "Organisation":
    found = simulator_of(request).books.organisations.get(request.path_params["organisation"])
    if found is None:
        raise HTTPException(404)
    return found


def row_of(request: Request) -> tuple["Organisation", str, Row]:
    organisation, table = organisation_of(request), request.path_params["table"]
    row = organisation.ledger.find(table, request.path_params["id"]) if table in TITLES and table in MODULES else None
    if row is None:
        raise HTTPException(404)
    return organisation, table, row


def books_frame(sim: "Simulator", organisation: "Organisation", here: str = "") -> Json:
    """What every page of Books shows beside its own: the tabs of the organisation, and its limits."""
    ledger = organisation.ledger
    counts = [(table, title, len(ledger.tables[table])) for table, title in TITLES.items() if table in MODULES]
    return {**frame(sim, "books"), "books": organisation, "tables": counts, "table": here, "titles": TITLES,
            "money": money, "words": words, "states": STATES}  # fmt: skip


async def organisations(request: Request) -> Response:
    sim = simulator_of(request)
    return page("books_organisations.html", **frame(sim, "books"), all=list(sim.books.organisations.values()))


async def overview(request: Request) -> Response:
    sim, organisation = simulator_of(request), organisation_of(request)
    newest = list(organisation.ledger.rows("invoices"))[::-1][:NEWEST]
    return page("books_overview.html", **books_frame(sim, organisation), cards=cards("invoices", newest),
                columns=[label for label, _ in COLUMNS["invoices"]])  # fmt: skip


async def listing(request: Request) -> Response:
    """Newest first, 50 to a page; `q` narrows to rows with that text in one of the columns."""
    sim, organisation, table = simulator_of(request), organisation_of(request), request.path_params["table"]
    if table not in MODULES or table not in TITLES:
        raise HTTPException(404)
    wanted = request.query_params.get("q", "").strip()
    asked = request.query_params.get("page", "1")
    number = max(1, int(asked)) if asked.isdecimal() and asked.isascii() else 1
    details = (detail_of(sim, organisation, table, row) for row in list(organisation.ledger.rows(table))[::-1])
    found = [one for one in cards(table, details) if wanted.lower() in " ".join(one["cells"]).lower()]
    start = (number - 1) * PER_PAGE
    return page(
        "books_list.html",
        **books_frame(sim, organisation, table),
        columns=[label for label, _ in COLUMNS[table]],
        rows=found[start : start + PER_PAGE],
        found=len(found),
        wanted=wanted,
        number=number,
        pages=max(1, -(-len(found) // PER_PAGE)),
    )


async def record(request: Request) -> Response:
    return shown(request, *row_of(request))


def shown(
    request: Request, organisation: "Organisation", table: str, row: Row, refusal: str = "", status: int = 200
) -> Response:
    """The page of one record; `refusal` is what Books said to the button that was pressed."""
    sim = simulator_of(request)
    detail = detail_of(sim, organisation, table, row)
    template = "books_document.html" if table in HEADINGS else "books_record.html"
    return page(
        template,
        status,
        **books_frame(sim, organisation, table),
        heading=HEADINGS.get(table, TITLES[table]),
        row=detail,
        id=row[MODULES[table].id_key],
        name=detail.get(COLUMNS[table][0][1]) or "(no name)",
        filled=[(label(key), words(value)) for key, value in detail.items() if plain(value)],
        customer=organisation.ledger.find("contacts", str(detail.get("customer_id", ""))) or {},
        buttons=buttons(table, str(detail.get("status", ""))),
        money_rows=money_of(organisation, table, detail),
        movements=movements_of(organisation, table, detail),
        history=row.get("_history", [])[::-1],
        treatments=TREATMENTS,
        refusal=refusal,
    )


def money_of(organisation: "Organisation", table: str, detail: Json) -> list[Json]:
    """The payments and credits of an invoice, or the invoices of a payment or credit note."""
    keys = {"invoices": "invoice_id", "customerpayments": "payment_id", "creditnotes": "creditnote_id"}
    if table not in keys:
        return []
    rows = settlements.of(organisation.ledger, keys[table], str(detail[keys[table]]))
    return [other_side(organisation, table, row) for row in rows]


def other_side(organisation: "Organisation", table: str, row: Row) -> Json:
    """What an application of money leads to: its table, id, name, day, amount."""
    target = "invoices" if table != "invoices" else "customerpayments" if row.get("payment_id") else "creditnotes"
    key = {"invoices": "invoice_id", "customerpayments": "payment_id", "creditnotes": "creditnote_id"}[target]
    found = organisation.ledger.find(target, str(row[key])) or {}
    number = found.get(COLUMNS[target][0][1]) or row[key]
    name = f"Payment {number}" if target == "customerpayments" else number
    return {"table": target, "id": row[key], "name": name, "date": row["date"], "amount": row["amount"],
            "mode": found.get("payment_mode", "")}  # fmt: skip


def movements_of(organisation: "Organisation", table: str, detail: Json) -> list[Row]:
    """How the stock of an item came about, newest first."""
    if table != "items":
        return []
    mine = [one for one in organisation.ledger.rows("stockmovements") if one["item_id"] == detail["item_id"]]
    return mine[::-1][:PER_PAGE]


def routes() -> list[Route]:
    own = "/organisations/{organisation}"
    return [
        Route("/organisations", organisations),
        Route(own, overview, name="books"),
        Route(f"{own}/{{table}}", listing),
        Route(f"{own}/{{table}}/{{id}}", record),
    ]
