"""The accounts server: consent, token, revoke, serverinfo.

https://www.zoho.com/accounts/protocol/oauth/web-server-applications.html
"""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from zohosim.answers import Answer, Json
from zohosim.calls import Call
from zohosim.data_centres import DATA_CENTRES
from zohosim.faults import AUTHORITY
from zohosim.gate import Endpoint, Operation
from zohosim.grants import ACCESS_SECONDS, Access, Client, Code, Grant, Throttled, TokenRefused
from zohosim.pages import page

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

THROTTLE = {
    "error": "Access Denied",
    "error_description": "You have made too many requests continuously. Please try again after some time.",
    "status": "failure",
}


def split_scopes(text: str) -> tuple[str, ...]:
    """Zoho separates scopes by commas; spaces are taken too."""
    return tuple(scope for scope in text.replace(",", " ").split() if scope)


def form_of(call: Call) -> dict[str, str]:
    """Parameters of the query string and of a form body; the body wins."""
    return {**call.params, **dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))}


# Token endpoint


def token(sim: "Simulator", call: Call) -> Answer:
    """Credential errors are HTTP 200 with `error`; only the throttle has its own status."""
    form = form_of(call)
    try:
        return Answer(_token(sim, call, form))
    except TokenRefused as refusal:
        return Answer({"error": refusal.code})
    except Throttled:
        return throttled(sim)


def throttled(sim: "Simulator") -> Answer:
    return Answer(dict(THROTTLE), sim.switches["throttle_status"])


def _token(sim: "Simulator", call: Call, form: dict[str, str]) -> Json:
    client = client_of(sim, form, call.face.centre)
    if sim.faults.take(call, AUTHORITY):
        raise TokenRefused("invalid_code")
    grant_type = form.get("grant_type")
    if grant_type == "refresh_token":
        access = sim.grants.refresh(form.get("refresh_token", ""), client, call.face.centre)
        return token_answer(call, access)
    if grant_type == "authorization_code":
        access, grant = sim.grants.exchange(
            form.get("code", ""), client, form.get("redirect_uri", ""), call.face.centre
        )
        return exchange_answer(sim, call, access, grant)
    raise TokenRefused("general_error")


def client_of(sim: "Simulator", form: dict[str, str], centre: str) -> Client:
    client = sim.grants.clients.get(form.get("client_id", ""))
    if client is None or not client.enabled_in(centre):
        raise TokenRefused("invalid_client")
    if client.secret != form.get("client_secret"):
        raise TokenRefused("invalid_client_secret")
    return client


def token_answer(call: Call, access: Access) -> Json:
    return {
        "access_token": access.token,
        "api_domain": call.face.api,
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
    }


def exchange_answer(sim: "Simulator", call: Call, access: Access, grant: Grant | None) -> Json:
    answer = token_answer(call, access)
    if grant is not None:
        answer["refresh_token"] = grant.token
    if sim.switches["token_answer_has_scope"]:
        answer["scope"] = " ".join(access.scopes)
    return answer


def revoke(sim: "Simulator", call: Call) -> Answer:
    if sim.grants.revoke(form_of(call).get("token", "")):
        return Answer({"status": "success"})
    return Answer({"error": "invalid_code"})


def server_info(sim: "Simulator", call: Call) -> Answer:
    places = {c.name: call.face.accounts_of(c.name, sim.data_centre) for c in DATA_CENTRES}
    return Answer({"result": "success", "locations": places})


# Consent, in a browser


async def consent(request: Request) -> Response:
    """Show the consent page, or redirect at once when it was given before or the switch says so."""
    sim: Simulator = request.app.state.simulator
    asked = dict(request.query_params)
    client = sim.grants.clients.get(asked.get("client_id", ""))
    if client is None:
        return page("accounts_error.html", 400, title="Invalid Client", text="No application has this client id.")
    if not client.takes(asked.get("redirect_uri", "")):
        return page("accounts_error.html", 400, title="Invalid Redirect Uri", text="The address is not registered.")
    if asked.get("response_type", "code") != "code" or not split_scopes(asked.get("scope", "")):
        return page("accounts_error.html", 400, title="Invalid Scope", text="Ask for at least one scope.")
    known = bool(sim.grants.grants_of(client.id, sim.user_id))
    if not sim.switches["consent_page"] or (known and asked.get("prompt") != "consent"):
        return go_back(request, client, asked)
    return page(
        "accounts_consent.html",
        form_action=origin_of(asked["redirect_uri"]),
        client=client,
        scopes=split_scopes(asked["scope"]),
        asked=asked,
        organisation=sim.crm.organisation.company_name,
    )


async def decide(request: Request) -> Response:
    """The person pressed Accept or Reject on the consent page."""
    sim: Simulator = request.app.state.simulator
    form = dict(parse_qsl((await request.body()).decode()))
    client = sim.grants.clients.get(form.get("client_id", ""))
    if client is None or not client.takes(form.get("redirect_uri", "")):
        return page("accounts_error.html", 400, title="Invalid Redirect Uri", text="The address is not registered.")
    if form.get("decision") != "accept":
        return redirect(sim, form["redirect_uri"], {"error": "access_denied", **kept_state(form)})
    return go_back(request, client, form)


def go_back(request: Request, client: Client, asked: dict[str, str]) -> Response:
    """Send the browser back with a code of the user's own data centre, whichever one it came in by."""
    sim: Simulator = request.app.state.simulator
    code = issue_code(sim, client, asked)
    params = {
        **kept_state(asked),
        "code": code.value,
        "location": code.centre,
        "accounts-server": sim.face_of(request.scope).accounts_of(code.centre, sim.data_centre),
    }
    return redirect(sim, asked["redirect_uri"], params)


def issue_code(sim: "Simulator", client: Client, asked: dict[str, str]) -> Code:
    """A refresh token follows only `access_type=offline` with a first or an explicit consent."""
    first = not sim.grants.grants_of(client.id, sim.user_id)
    lasting = asked.get("access_type") == "offline" and (first or asked.get("prompt") == "consent")
    scopes = split_scopes(asked.get("scope", ""))
    return sim.grants.issue_code(client, sim.user_id, scopes, sim.data_centre, asked["redirect_uri"], lasting)


def kept_state(asked: dict[str, str]) -> dict[str, str]:
    return {"state": asked["state"]} if "state" in asked else {}


def redirect(sim: "Simulator", address: str, params: dict[str, str]) -> Response:
    tail = "&" if sim.switches["callback_trailing_ampersand"] else ""
    joint = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{joint}{urlencode(params)}{tail}", 302)


def origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


OPERATIONS = (
    Operation("accounts", "token", "POST", "/oauth/v2/token", token),
    Operation("accounts", "revoke", "POST", "/oauth/v2/token/revoke", revoke),
    Operation("accounts", "serverinfo", "GET", "/oauth/serverinfo", server_info),
)


def routes() -> list[Route]:
    browser = [
        Route("/oauth/v2/auth", consent, methods=["GET"]),
        Route("/oauth/v2/auth/decision", decide, methods=["POST"]),
    ]
    return [*browser, *(Route(op.path, Endpoint(op), methods=[op.method]) for op in OPERATIONS)]
