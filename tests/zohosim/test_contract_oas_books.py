"""The simulator's answers of Books against Zoho's own OpenAPI files, where those are right about the wire.

The files (https://www.zoho.com/books/api/v3/books-openapi-all.zip) lie beside the repository, not in it. Whatever the
wire does differently is listed in DEVIATIONS with its reason, and a line that is no longer needed fails.
"""

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from contract import broken, pointer
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

pytestmark = pytest.mark.oas

FOLDER = Path(__file__).parents[2].parent / "shared" / "oas" / "books"
BASE = "https://www.zohoapis.com/books/v3/"

TIGHTENED: dict[tuple[str, str], list[str]] = {
    ("organizations", "list-organizations-response"): ["code", "message", "organizations"],
    ("organizations", "get-an-organization-response"): ["code", "message", "organization"],
    ("organizations", "organization-response"): ["organization_id", "name", "is_default_org", "time_zone"],
    ("taxes", "list-taxes-response"): ["code", "message", "taxes", "page_context"],
}
"""The files ask for no key at all, so that anything would pass; here they ask for what makes them what they are."""

DEVIATIONS: dict[str, str] = {
    "* 400 status": "only success is declared; a foreign organisation or a bad value is 400, as errors/ says",
    "* 401 status": "likewise: a token is refused with 401",
    "* 429 status": "likewise: limits answer 429, as introduction/#api-call-limit says",
    "* 500 status": "likewise: trouble answers 500",
    "* [45]?? body required(organization*)": "a refusal has code and message only",
    "* [45]?? body required(taxes)": "a refusal has code and message only",
    "* [45]?? body required(page_context)": "a refusal has code and message only",
    "GET /organizations* 200 organization*.fiscal_year_start_month type": "a name like april on live organisations",
}
"""`METHOD template status place rule` (shell pattern) -> why the wire differs from the file."""


@dataclass(frozen=True)
class Exchange:
    """One answer, and where the files describe it."""

    name: str
    file: str
    template: str
    answer: httpx.Response


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    if not FOLDER.is_dir():
        reason = f"Zoho's OpenAPI files are not beside the repository ({FOLDER.name})"
        if "oas" in os.environ.get("ZOHOSYNC_REQUIRE", ""):
            pytest.fail(f"oas is required here, but {reason}")
        pytest.skip(f"oas not run: {reason}")
    loaded = {name: yaml.safe_load((FOLDER / f"{name}.yml").read_text()) for name in ("organizations", "taxes")}
    for (file, schema), required in TIGHTENED.items():
        loaded[file]["components"]["schemas"][schema]["required"] = required
    return loaded


@pytest.fixture(scope="module")
def registry(files: dict[str, Any]) -> Registry[Any]:
    resources = [(f"{BASE}{name}", Resource(content, DRAFT202012)) for name, content in files.items()]
    return Registry().with_resources(resources)


@pytest.fixture
async def exchanges(zoho: Any) -> list[Exchange]:
    """Every kind of answer there is, once."""
    held: list[Exchange] = []

    async def say(name: str, file: str, template: str, path: str, **params: Any) -> None:
        held.append(Exchange(name, file, template, await zoho.books(path, **params)))

    own = next(iter(zoho.sim.books.organisations))
    one, taxes = "/organizations/{organization_id}", "/settings/taxes"
    zoho.sim.seed_books_organisation(name="Second Shop", state_code="KA", gst=False)
    await say("organisations", "organizations", "/organizations", "/organizations", organization_id=None)
    await say("organisation", "organizations", one, f"/organizations/{own}")
    await say("foreign organisation", "organizations", one, "/organizations/60099999999")
    await say("taxes", "taxes", taxes, taxes)
    await say("page", "taxes", taxes, taxes, page=2, per_page=5)
    await say("bad page", "taxes", taxes, taxes, page="x")
    await say("no organisation", "taxes", taxes, taxes, organization_id=None)
    for kind in ("http_429", "http_500_before_commit", "scope_removed"):
        await zoho.order(kind=kind)
        await say(kind, "taxes", taxes, taxes)
    return held


def deviations(files: dict[str, Any], registry: Registry[Any], exchange: Exchange) -> set[str]:
    """Everything in which this answer differs from the file; refusals are held against the good answer's schema."""
    head = f"GET {exchange.template} {exchange.answer.status_code}"
    answers = files[exchange.file]["paths"][exchange.template]["get"]["responses"]
    place = pointer(
        "paths", exchange.template, "get", "responses", "200", "content", "application/json", "schema"
    )  # fmt: skip
    found = set() if str(exchange.answer.status_code) in answers else {f"{head} status"}
    lines = broken(registry, f"{BASE}{exchange.file}#{place}", exchange.answer.json())
    return found | {f"{head} {line}" for line in lines}


async def test_every_answer_agrees_with_the_files_but_for_the_listed_deviations(files, registry, exchanges):
    unlisted = {
        f"{exchange.name}: {line}"
        for exchange in exchanges
        for line in deviations(files, registry, exchange)
        if not any(fnmatchcase(line, pattern) for pattern in DEVIATIONS)
    }
    assert not unlisted, "\n".join(sorted(unlisted))


async def test_every_listed_deviation_is_needed(files, registry, exchanges):
    lines = {line for exchange in exchanges for line in deviations(files, registry, exchange)}
    assert [pattern for pattern in DEVIATIONS if not any(fnmatchcase(line, pattern) for line in lines)] == []


async def test_every_key_the_files_know_of_a_tax_list_is_told(files, exchanges):
    """The files name keys that only other editions have; those are the only ones missing."""
    schema = files["taxes"]["components"]["schemas"]["list-taxes-response"]["properties"]
    told = next(exchange for exchange in exchanges if exchange.name == "taxes").answer.json()
    assert set(schema["taxes"]["items"]["properties"]) - set(told["taxes"][0]) == {"tax_factor"}
    assert set(schema["page_context"]["properties"]) == set(told["page_context"])
