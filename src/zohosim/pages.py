"""The HTML pages: one Jinja2 environment, one strict Content-Security-Policy."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

TEMPLATES = Environment(loader=PackageLoader("zohosim"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def from_elsewhere(request: Request) -> bool:
    """Whether a page of another site sent this: such a page must not press our buttons."""
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def policy(form_action: str = "") -> str:
    """No script from anywhere; forms go to us, and on the consent page on to the application's address."""
    return (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {form_action}".strip()
    )


def page(template: str, status: int = 200, *, form_action: str = "", **context: object) -> Response:
    html = TEMPLATES.get_template(template).render(**context)
    return HTMLResponse(html, status, {"Content-Security-Policy": policy(form_action), "Cache-Control": "no-store"})
