"""Books: the envelope, whose call it is, organisations, taxes and limits."""

from decimal import Decimal

import httpx
import pytest

from zohosim.simulator import DEFAULT_CLIENT, DEFAULT_SCOPES

UNAUTHORISED = {"code": 57, "message": "You are not authorized to perform this operation"}


def log_in(zoho, *scopes: str) -> None:
    """A new access token for the caller."""
    grant = zoho.sim.open_grant(scopes=scopes or DEFAULT_SCOPES)
    access = zoho.sim.grants.refresh(grant.token, DEFAULT_CLIENT, "in")
    zoho.http.headers["Authorization"] = f"Zoho-oauthtoken {access.token}"


async def test_the_organisations_of_the_user_come_in_the_envelope(zoho):
    answer = await zoho.books("/organizations", organization_id=None)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["code"], body["message"], len(body["organizations"])) == (0, "success", 1)
    row = body["organizations"][0]
    assert (row["is_default_org"], row["version"], row["state_code"], row["plan_name"]) == (
        True, "india", "TS", "PREMIUM",
    )  # fmt: skip
    assert row["organization_id"] != zoho.sim.crm.organisation.zgid
    assert "X-Rate-Limit-Limit" not in answer.headers


async def test_one_organisation_is_told_with_address_and_registration(zoho):
    own = next(iter(zoho.sim.books.organisations))
    told = (await zoho.books(f"/organizations/{own}")).json()["organization"]
    assert told["address"]["state_code"] == "TS"
    assert told["tax_settings"] == {
        "is_tax_registered": True, "tax_reg_no": "36AAAAA0000A1Z5", "tax_reg_no_label": "GSTIN",
    }  # fmt: skip


async def test_there_may_be_several_organisations_or_none_and_resets_keep_that(zoho):
    zoho.sim.seed_books_organisation(name="Second Shop", state_code="KA", plan="free")
    given = {"name": "Third Shop", "gst": False, "id": "60099"}
    assert (await zoho.http.post("/_sim/books/organisations", json=given)).status_code == 200
    zoho.sim.reset()
    log_in(zoho)
    rows = (await zoho.books("/organizations")).json()["organizations"]
    assert [(row["name"], row["is_default_org"]) for row in rows] == [
        ("KN Biosciences", True), ("Second Shop", False), ("Third Shop", False),
    ]  # fmt: skip
    assert len({row["organization_id"] for row in rows}) == 3
    assert (await zoho.http.delete("/_sim/books/organisations")).json() == {"organisations": []}
    zoho.sim.reset()
    log_in(zoho)
    assert (await zoho.books("/organizations", organization_id=None)).json()["organizations"] == []


@pytest.mark.parametrize(
    "given", [{"plan": "gold"}, {"state_code": "XX"}, {"country_code": "US"}, {"id": "x"}, {"id": "60031234567"},
              {"colour": "red"}]
)  # fmt: skip
async def test_an_organisation_that_makes_no_sense_is_refused(zoho, given: dict[str, object]):
    assert (await zoho.http.post("/_sim/books/organisations", json=given)).status_code == 400
    assert len(zoho.sim.books.organisations) == 1


async def test_gst_brings_components_groups_and_igst_of_every_rate(zoho):
    body = (await zoho.books("/settings/taxes")).json()
    by_name = {tax["tax_name"]: tax for tax in body["taxes"]}
    groups = [name for name, tax in by_name.items() if tax["tax_type"] == "tax_group"]
    assert groups == ["GST0", "GST5", "GST12", "GST18", "GST28", "GST40"]
    inter = [name for name, tax in by_name.items() if tax["tax_specification"] == "inter"]
    assert inter == ["IGST0", "IGST5", "IGST12", "IGST18", "IGST28", "IGST40"]
    for group in groups:
        half = Decimal(str(by_name[group]["tax_percentage"])) / 2
        for kind in ("cgst", "sgst"):
            part = next(tax for tax in by_name.values() if tax["tax_name"] == f"{kind.upper()}{half.normalize():f}")
            assert (Decimal(str(part["tax_percentage"])), part["tax_specific_type"]) == (half, kind)
    assert len({tax["tax_id"] for tax in body["taxes"]}) == 24
    assert body["page_context"]["has_more_page"] is False


async def test_two_organisations_have_taxes_of_their_own(zoho):
    other = zoho.sim.seed_books_organisation(state_code="KA")
    mine = {tax["tax_id"] for tax in (await zoho.books("/settings/taxes")).json()["taxes"]}
    theirs = {tax["tax_id"] for tax in (await zoho.books("/settings/taxes", organization_id=other.id)).json()["taxes"]}
    assert mine.isdisjoint(theirs)


async def test_lists_come_in_pages(zoho):
    names: list[str] = []
    for page in (1, 2, 3, 4):
        body = (await zoho.books("/settings/taxes", page=page, per_page=10)).json()
        names += [tax["tax_name"] for tax in body["taxes"]]
        context = body["page_context"]
        assert (context["page"], context["per_page"], context["has_more_page"]) == (page, 10, page < 3)
    assert len(names) == len(set(names)) == 24
    assert (await zoho.books("/settings/taxes", per_page=999)).json()["page_context"]["per_page"] == 200


async def test_bad_values_of_known_parameters_are_refused_and_unknown_ones_ignored(zoho):
    answer = await zoho.books("/settings/taxes", page="x")
    assert (answer.status_code, answer.json()) == (400, {"code": 2, "message": "Invalid value passed for page"})
    assert (await zoho.books("/settings/taxes", pgae="x")).status_code == 200


# --- whose call it is


@pytest.mark.parametrize("organisation", ["60099999999", "", None])
async def test_every_call_but_one_names_an_organisation_of_the_user(zoho, organisation: str | None):
    answer = await zoho.books("/settings/taxes", organization_id=organisation)
    assert (answer.status_code, answer.json()["code"]) == (400, 6041)
    assert (await zoho.books("/organizations", organization_id=organisation)).status_code == 200


async def test_a_foreign_organisation_in_the_path_is_refused_too(zoho):
    answer = await zoho.books("/organizations/60099999999", organization_id="60099999999")
    assert answer.json() == {
        "code": 6041,
        "message": "This user is not associated with the CompanyID/CompanyName:60099999999.",
    }


@pytest.mark.parametrize("header", ["", "Zoho-oauthtoken 1000.x.y", "Basic x"])
async def test_a_dead_or_missing_token_is_57_or_14(zoho, header: str):
    zoho.http.headers["Authorization"] = header
    answer = await zoho.books("/settings/taxes")
    assert (answer.status_code, answer.json()) == (401, UNAUTHORISED)
    await zoho.turn(books_expired_token_code=14)
    answer = await zoho.books("/settings/taxes")
    assert (answer.status_code, answer.json()) == (401, {"code": 14, "message": "Invalid value passed for authtoken"})


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("ZohoBooks.settings.READ", True), ("ZohoBooks.settings.ALL", True), ("ZohoBooks.fullaccess.all", True),
     ("zohobooks.FullAccess.ALL", True), ("ZohoBooks.contacts.ALL", False), ("ZohoBooks.settings.CREATE", False),
     ("ZohoCRM.settings.ALL", False)],
)  # fmt: skip
async def test_reading_settings_needs_one_scope_or_the_one_for_everything(zoho, scope: str, allowed: bool):
    log_in(zoho, scope)
    for path in ("/organizations", "/settings/taxes"):
        answer = await zoho.books(path)
        assert (answer.status_code == 200) is allowed
        if not allowed:
            assert (answer.status_code, answer.json()) == (401, UNAUTHORISED)


async def test_a_missing_scope_is_57_whatever_a_dead_token_is(zoho):
    await zoho.turn(books_expired_token_code=14)
    await zoho.order(kind="scope_removed", match={"service": "books"})
    assert (await zoho.books("/settings/taxes")).json() == UNAUTHORISED
    assert (await zoho.crm("GET", "/org")).status_code == 200


async def test_a_token_of_another_data_centre_is_as_good_as_dead(zoho):
    answer = await zoho.http.get("/dc/us/books/v3/organizations")
    assert (answer.status_code, answer.json()) == (401, UNAUTHORISED)
    await zoho.order(kind="wrong_data_centre", match={"service": "books"})
    assert (await zoho.books("/organizations")).json() == UNAUTHORISED
    assert (await zoho.books("/organizations")).status_code == 200


async def test_an_unknown_path_and_a_wrong_method_have_codes(zoho):
    answer = await zoho.books("/nonsense")
    assert (answer.status_code, answer.json()) == (404, {"code": 5, "message": "Invalid URL Passed"})
    answer = await zoho.http.patch("/books/v3/settings/taxes")
    assert (answer.status_code, answer.json()["code"]) == (405, 5)


# --- limits


async def test_calls_of_an_organisation_tell_what_is_left_of_the_day(zoho):
    limits = {"plan": "free", "used": 120}
    assert (await zoho.http.post("/_sim/books/limits", json=limits)).json()["allowance"] == 1_000
    headers = (await zoho.books("/settings/taxes")).headers
    assert (headers["X-Rate-Limit-Limit"], headers["X-Rate-Limit-Remaining"]) == ("1000", "879")
    assert headers["X-Rate-Limit-Reset"] == str(12 * 3600)  # it is noon in India


async def test_the_calls_of_a_day_end_and_start_anew_at_midnight(zoho):
    await zoho.http.post("/_sim/books/limits", json={"calls": 2})
    for _ in range(2):
        assert (await zoho.books("/settings/taxes")).status_code == 200
    answer = await zoho.books("/settings/taxes")
    assert (answer.status_code, answer.json()["code"]) == (429, 45)
    assert answer.json()["message"].endswith("maximum call rate limit of 2.")
    assert "Retry-After" not in answer.headers
    zoho.sim.clock.advance(int(answer.headers["X-Rate-Limit-Reset"]))
    log_in(zoho)
    assert (await zoho.books("/settings/taxes")).status_code == 200


async def test_the_message_of_the_days_limit_names_it_as_zoho_writes_it(zoho):
    await zoho.http.post("/_sim/books/limits", json={"used": 10_000})
    assert (await zoho.books("/settings/taxes")).json()["message"] == (
        "The API call for this organization has exceeded the maximum call rate limit of 10,000."
    )


async def test_an_organisation_has_a_hundred_calls_a_minute(zoho):
    answers = [await zoho.books("/settings/taxes") for _ in range(101)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [429]
    assert answers[-1].json()["code"] == 44
    other = zoho.sim.seed_books_organisation()
    assert (await zoho.books("/settings/taxes", organization_id=other.id)).status_code == 200
    zoho.sim.clock.advance(60)
    assert (await zoho.books("/settings/taxes")).status_code == 200


async def test_a_flood_of_calls_without_organisation_blocks_the_user_for_an_hour(zoho):
    zoho.sim.books.flood.per_minute = 20
    answers = [await zoho.books("/organizations") for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert (answers[-1].json()["code"], answers[-1].headers["Retry-After"]) == (43, "3600")
    zoho.sim.clock.advance(1800)
    answer = await zoho.books("/organizations")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1800")
    zoho.sim.clock.advance(1800)
    log_in(zoho)
    assert (await zoho.books("/organizations")).status_code == 200


async def test_calls_at_once_are_limited_by_the_plan(zoho):
    limits = next(iter(zoho.sim.books.organisations.values())).limits
    limits.plan = "free"
    flights = [limits.flight("", False) for _ in range(5)]
    for flight in flights:
        flight.__enter__()
    assert (await zoho.books("/settings/taxes")).json()["code"] == 1070
    flights[0].__exit__(None, None, None)
    assert (await zoho.books("/settings/taxes")).status_code == 200


async def test_limits_that_are_switched_off_are_off_for_books_too(zoho):
    await zoho.http.post("/_sim/books/limits", json={"calls": 0, "per_minute": 0})
    await zoho.http.post("/_sim/limits", json={"enabled": False})
    answer = await zoho.books("/settings/taxes")
    assert answer.status_code == 200
    assert "X-Rate-Limit-Limit" not in answer.headers


@pytest.mark.parametrize("given", [{"plan": "gold"}, {"calls": "many"}, {"organisation_id": "1"}])
async def test_limits_that_make_no_sense_are_refused(zoho, given: dict[str, object]):
    assert (await zoho.http.post("/_sim/books/limits", json=given)).status_code == 400


async def test_refused_calls_change_no_day(zoho):
    await zoho.http.post("/_sim/books/limits", json={"calls": 1})
    for _ in range(3):
        await zoho.books("/settings/taxes")
    assert next(iter(zoho.sim.books.organisations.values())).limits.used == 1
    assert zoho.sim.limits.used == 0


# --- faults


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [({"kind": "http_429"}, 429, 44), ({"kind": "http_429", "code": 43}, 429, 43),
     ({"kind": "http_429", "code": 45}, 429, 45), ({"kind": "http_429", "code": 1070}, 429, 1070),
     ({"kind": "http_500_before_commit"}, 500, 1000)],
)  # fmt: skip
async def test_faults_speak_the_codes_of_books(zoho, fault: dict[str, object], status: int, code: int):
    await zoho.order(**fault, match={"service": "books"})
    assert (await zoho.crm("GET", "/org")).status_code == 200
    answer = await zoho.books("/settings/taxes")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await zoho.books("/settings/taxes")).status_code == 200


async def test_a_limit_code_that_books_has_not_is_refused(zoho):
    answer = await zoho.http.post("/_sim/faults", json={"kind": "http_429", "code": 46})
    assert answer.status_code == 400


async def test_pages_and_broken_connections_happen_to_books_too(zoho):
    await zoho.order(kind="html_502", match={"service": "books"})
    assert "<html>" in (await zoho.books("/organizations")).text
    await zoho.order(kind="drop_connection_before_commit", match={"operation": "taxes"})
    with pytest.raises(httpx.RemoteProtocolError):
        await zoho.books("/settings/taxes")


async def test_the_call_log_and_the_dump_know_books(zoho):
    await zoho.books("/settings/taxes")
    calls = (await zoho.http.get("/_sim/calls", params={"service": "books"})).json()["calls"]
    assert [(call["operation"], call["status"], call["credits"]) for call in calls] == [("taxes", 200, 1)]
    dump = (await zoho.http.get("/_sim/dump")).json()
    assert [row["name"] for row in dump["books"]["organisations"]] == ["KN Biosciences"]
    grant = (await zoho.http.post("/_sim/grant", json={})).json()
    assert grant["books_organisations"] == list(zoho.sim.books.organisations)
