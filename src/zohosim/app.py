"""The application: the simulator's Starlette app, a list of routes."""

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from zohosim import accounts, control, control_books, web, web_books, web_books_buttons
from zohosim.answers import Answer, Refused, error
from zohosim.books import answers as books_answers
from zohosim.books import routes as books
from zohosim.crm import routes as crm
from zohosim.data_centres import BY_NAME
from zohosim.gate import crm_refusal

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

BOOKS_ROOTS = ("/books/", "/inventory/")


class SimulatorApp(Starlette):
    """Starlette that takes the data centre prefix off the path and keeps hold of the raw `send`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["zohosim.send"] = send
            strip_centre(scope)
        await super().__call__(scope, receive, send)


def strip_centre(scope: Scope) -> None:
    """`/dc/us/oauth/v2/token` is the token endpoint of the face `us`."""
    parts = scope["path"].split("/", 3)
    if len(parts) == 4 and parts[1] == "dc" and parts[2] in BY_NAME:
        scope["zohosim.centre"] = parts[2]
        scope["path"] = "/" + parts[3]
        scope["raw_path"] = scope["path"].encode()


def create_app(simulator: "Simulator") -> Starlette:
    """The whole simulated Zoho over one Simulator: accounts, CRM v8, Books v3, control plane, web face."""
    app = SimulatorApp(
        routes=[
            *control.routes(),
            *control_books.routes(),
            *web.routes(),
            *web_books.routes(),
            *web_books_buttons.routes(),
            *accounts.routes(),
            *crm.routes(),
            *books.routes(),
        ],
        exception_handlers={404: wrong_path, 405: wrong_method},
    )
    app.state.simulator = simulator
    return app


async def wrong_path(request: Request, _exc: Exception) -> Response:
    if request.url.path.startswith(BOOKS_ROOTS):
        return books_answers.unknown_path().response()
    if not request.url.path.startswith("/crm/"):
        return PlainTextResponse("Not found", 404)
    message = "Please check if the URL trying to access is a correct one"
    return Answer(error("INVALID_URL_PATTERN", message), 404).response()


async def wrong_method(request: Request, _exc: Exception) -> Response:
    if request.url.path.startswith(BOOKS_ROOTS):
        return books_answers.wrong_method().response()
    sim: Simulator = request.app.state.simulator
    status = sim.switches["wrong_method_status"]
    refusal = Refused(status, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one")
    return crm_refusal(sim, refusal).response()
