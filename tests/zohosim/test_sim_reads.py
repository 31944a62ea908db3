"""Reading records: one, lists and their pages, search with its lag, COQL, deleted, counts."""

import pytest


async def people(zoho, count: int, **more: object) -> list[str]:
    ids: list[str] = []
    for start in range(0, count, 100):
        rows = [
            {"Last_Name": f"P{n:04d}", "Email": f"p{n}@example.com", **more}
            for n in range(start, min(start + 100, count))
        ]
        ids += await zoho.insert("Contacts", *rows)
    return ids


def names(answer) -> list[str]:
    return [record["Last_Name"] for record in answer.json()["data"]]


def assert_empty(answer, status: int = 204) -> None:
    assert answer.status_code == status
    assert answer.content == b""
    assert "content-type" not in answer.headers


# One


async def test_one_record_comes_in_an_array_without_info_and_with_every_field(zoho):
    (record_id,) = await people(zoho, 1)
    body = (await zoho.crm("GET", f"/Contacts/{record_id}")).json()
    assert set(body) == {"data"}
    assert body["data"][0]["Mailing_City"] is None
    assert body["data"][0]["Owner"]["name"] == "Integration User"


async def test_fields_narrow_one_record_but_keep_its_id(zoho):
    (record_id,) = await people(zoho, 1)
    body = (await zoho.crm("GET", f"/Contacts/{record_id}?fields=Email,Nonsense")).json()
    assert body["data"] == [{"Email": "p0@example.com", "id": record_id}]


async def test_an_unknown_id_is_204_or_what_the_switch_says(zoho):
    assert_empty(await zoho.crm("GET", "/Contacts/554023000009999999"))
    for status in (404, 400):
        await zoho.turn(unknown_id_status=status)
        answer = await zoho.crm("GET", "/Contacts/554023000009999999")
        assert (answer.status_code, answer.json()["code"]) == (status, "INVALID_DATA")


async def test_a_malformed_id_is_invalid_data(zoho):
    answer = await zoho.crm("GET", "/Contacts/abc")
    assert (answer.status_code, answer.json()["message"]) == (400, "the id given seems to be invalid")


# Lists


async def test_a_list_needs_fields_and_no_more_than_fifty(zoho):
    missing = await zoho.crm("GET", "/Contacts")
    assert (missing.status_code, missing.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
    assert missing.json()["details"] == {"param_name": "fields"}
    many = await zoho.crm("GET", "/Contacts?fields=" + ",".join(f"F{n}" for n in range(51)))
    assert many.json()["code"] == "LIMIT_EXCEEDED"


async def test_an_empty_list_is_204_without_body(zoho):
    assert_empty(await zoho.crm("GET", "/Contacts?fields=Last_Name"))


async def test_a_list_is_newest_first_with_info(zoho):
    await people(zoho, 3)
    answer = await zoho.crm("GET", "/Contacts?fields=Last_Name&per_page=2")
    assert names(answer) == ["P0002", "P0001"]
    info = answer.json()["info"]
    assert (info["count"], info["per_page"], info["page"], info["more_records"]) == (2, 2, 1, True)
    assert info["next_page_token"]
    assert info["page_token_expiry"] == "2026-11-23T12:00:00+05:30"
    last = await zoho.crm("GET", "/Contacts?fields=Last_Name&per_page=2&page=2")
    assert names(last) == ["P0000"]
    assert last.json()["info"]["more_records"] is False
    assert last.json()["info"]["next_page_token"] is None
    assert_empty(await zoho.crm("GET", "/Contacts?fields=Last_Name&per_page=2&page=3"))


async def test_lists_are_sorted_by_times_too(zoho):
    ids = await people(zoho, 2)
    zoho.sim.clock.advance(5)
    await zoho.write("PUT", "/Contacts", {"id": ids[0], "Title": "x"})
    answer = await zoho.crm("GET", "/Contacts?fields=Last_Name&sort_by=Modified_Time&sort_order=desc")
    assert names(answer) == ["P0000", "P0001"]
    answer = await zoho.crm("GET", "/Contacts?fields=Last_Name&sort_by=Created_Time&sort_order=asc")
    assert names(answer) == ["P0000", "P0001"]
    assert (await zoho.crm("GET", "/Contacts?fields=Last_Name&sort_by=Email")).status_code == 400


async def test_ids_narrow_a_list(zoho):
    ids = await people(zoho, 3)
    answer = await zoho.crm("GET", f"/Contacts?fields=Last_Name&ids={ids[0]},{ids[2]},1")
    assert names(answer) == ["P0002", "P0000"]


@pytest.mark.parametrize("bad", ["per_page=201", "per_page=0", "per_page=x", "page=0"])
async def test_wrong_pages_are_refused(zoho, bad):
    assert (await zoho.crm("GET", f"/Contacts?fields=Last_Name&{bad}")).status_code == 400


async def test_pages_by_number_reach_two_thousand_and_tokens_go_on(zoho):
    await people(zoho, 2_100)
    by_number = await zoho.crm("GET", "/Contacts?fields=Last_Name&page=10")
    assert len(names(by_number)) == 200
    beyond = await zoho.crm("GET", "/Contacts?fields=Last_Name&page=11")
    assert beyond.json()["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
    token = by_number.json()["info"]["next_page_token"]
    rest = await zoho.crm("GET", f"/Contacts?fields=Last_Name&page_token={token}")
    assert names(rest)[0] == "P0099"
    assert len(names(rest)) == 100
    assert rest.json()["info"]["more_records"] is False


async def test_a_page_token_is_bound_to_its_parameters_and_lives_a_day(zoho):
    await people(zoho, 3)
    first = await zoho.crm("GET", "/Contacts?fields=Last_Name&per_page=2")
    token = first.json()["info"]["next_page_token"]
    for query, code in (
        (f"fields=Email&per_page=2&page_token={token}", "TOKEN_BOUND_DATA_MISMATCH"),
        (f"fields=Last_Name&per_page=2&page=2&page_token={token}", "AMBIGUITY_DURING_PROCESSING"),
        ("fields=Last_Name&per_page=2&page_token=nonsense", "INVALID_DATA"),
    ):
        answer = await zoho.crm("GET", f"/Contacts?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    ok = await zoho.crm("GET", f"/Contacts?fields=Last_Name&per_page=2&page_token={token}")
    assert names(ok) == ["P0000"]
    zoho.sim.crm.page_tokens[token] = zoho.sim.crm.page_tokens[token]
    zoho.sim.clock.advance(24 * 3600)
    zoho.sim.grants.accesses[zoho.http.headers["Authorization"].split()[1]].expires_at += 24 * 3600
    late = await zoho.crm("GET", f"/Contacts?fields=Last_Name&per_page=2&page_token={token}")
    assert late.json()["code"] == "EXPIRED_VALUE"


async def test_records_added_while_paging_do_not_shift_the_pages(zoho):
    await people(zoho, 4)
    first = await zoho.crm("GET", "/Contacts?fields=Last_Name&per_page=2")
    await zoho.insert("Contacts", {"Last_Name": "New"})
    token = first.json()["info"]["next_page_token"]
    second = await zoho.crm("GET", f"/Contacts?fields=Last_Name&per_page=2&page_token={token}")
    assert names(second) == ["P0001", "P0000"]


async def test_if_modified_since_gives_changes_or_304_without_body(zoho):
    ids = await people(zoho, 2)
    since = {"If-Modified-Since": "2026-11-22T06:30:05+00:00"}
    assert_empty(await zoho.crm("GET", "/Contacts?fields=Last_Name", headers=since), 304)
    assert_empty(await zoho.crm("GET", f"/Contacts/{ids[0]}", headers=since), 304)
    zoho.sim.clock.advance(10)
    await zoho.write("PUT", "/Contacts", {"id": ids[1], "Title": "x"})
    assert names(await zoho.crm("GET", "/Contacts?fields=Last_Name", headers=since)) == ["P0001"]


async def test_converted_leads_are_listed_only_when_asked_for(zoho):
    one, _ = await zoho.insert("Leads", {"Last_Name": "One"}, {"Last_Name": "Two"})
    await zoho.http.post("/_sim/records", json={"module": "Leads", "id": one, "converted": True})
    assert names(await zoho.crm("GET", "/Leads?fields=Last_Name")) == ["Two"]
    assert names(await zoho.crm("GET", "/Leads?fields=Last_Name&converted=true")) == ["One"]
    assert names(await zoho.crm("GET", "/Leads?fields=Last_Name&converted=both")) == ["Two", "One"]
    assert names(await zoho.crm("GET", "/Leads/search?word=tw")) == ["Two"]
    assert_empty(await zoho.crm("GET", "/Leads/search?word=one"))


# Search


async def test_a_search_needs_one_of_its_ways(zoho):
    answer = await zoho.crm("GET", "/Contacts/search?fields=Email")
    assert (answer.status_code, answer.json()["code"]) == (400, "EXPECTED_PARAM_MISSING")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"email": "A@example.com"}, ["A"]),
        ({"email": "second@example.com"}, ["B"]),
        ({"email": "a@example"}, []),
        ({"phone": "+911111"}, ["A"]),
        ({"word": "pun"}, ["B"]),
        ({"criteria": "(Last_Name:equals:a)"}, ["A"]),
        ({"criteria": "((Last_Name:starts_with:b)and(Mailing_City:equals:Pune))"}, ["B"]),
        ({"criteria": "((Last_Name:equals:A)or(Last_Name:equals:C\\,D \\(x\\)))"}, ["C,D (x)", "A"]),
        ({"criteria": "(Last_Name:in:A,B)"}, ["B", "A"]),
        ({"criteria": "(Email:equals:a@example.com)", "email": "second@example.com"}, ["A"]),
        ({"criteria": "(Last_Name:not_equal:A)"}, ["C,D (x)", "B"]),
        ({"criteria": "(Created_Time:greater_than:2026-11-22T00:00:00+05:30)"}, ["C,D (x)", "B", "A"]),
        ({"criteria": "(Created_Time:between:2026-11-21T00:00:00+05:30,2026-11-22T00:00:00+05:30)"}, []),
    ],
)
async def test_search_finds_by_every_way(zoho, params, found):
    await zoho.insert(
        "Contacts",
        {"Last_Name": "A", "Email": "a@example.com", "Phone": "+911111"},
        {"Last_Name": "B", "Secondary_Email": "second@example.com", "Mailing_City": "Pune"},
        {"Last_Name": "C,D (x)"},
    )
    answer = await zoho.crm("GET", "/Contacts/search", params=params)
    if found:
        assert names(answer) == found
    else:
        assert_empty(answer)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"word": "x"}, "INVALID_DATA"),
        ({"criteria": "(Last_Name:resembles:x)"}, "INVALID_QUERY"),
        ({"criteria": "(Nonsense:equals:x)"}, "INVALID_QUERY"),
        ({"criteria": "((Last_Name:equals:x)"}, "INVALID_QUERY"),
        ({"criteria": "(" + "and".join(["(Last_Name:equals:x)"] * 11) + ")"}, "LIMIT_EXCEEDED"),
        ({"word": "xx", "page": "11"}, "LIMIT_REACHED"),
    ],
)
async def test_wrong_searches_are_refused(zoho, params, code):
    answer = await zoho.crm("GET", "/Contacts/search", params=params)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_search_runs_behind_while_reads_and_queries_do_not(zoho):
    await zoho.http.post("/_sim/index_lag", json={"seconds": 30})
    (record_id,) = await zoho.insert("Contacts", {"Last_Name": "New", "Email": "new@example.com"})
    assert_empty(await zoho.crm("GET", "/Contacts/search?email=new@example.com"))
    assert (await zoho.query("select Email from Contacts where Email = 'new@example.com'")).status_code == 200
    assert (await zoho.get("Contacts", record_id))["Email"] == "new@example.com"
    zoho.sim.clock.advance(30)
    assert names(await zoho.crm("GET", "/Contacts/search?email=new@example.com")) == ["New"]


async def test_search_still_finds_a_changed_record_by_its_old_value_for_a_while(zoho):
    (record_id,) = await zoho.insert("Contacts", {"Last_Name": "X", "Email": "old@example.com"})
    zoho.sim.crm.index_lag = 30
    await zoho.write("PUT", "/Contacts", {"id": record_id, "Email": "new@example.com"})
    assert names(await zoho.crm("GET", "/Contacts/search?email=old@example.com")) == ["X"]
    assert_empty(await zoho.crm("GET", "/Contacts/search?criteria=(Email:equals:new@example.com)"))
    zoho.sim.clock.advance(30)
    assert_empty(await zoho.crm("GET", "/Contacts/search?email=old@example.com"))
    assert names(await zoho.crm("GET", "/Contacts/search?criteria=(Email:equals:new@example.com)")) == ["X"]


async def test_counts_are_of_all_or_of_what_a_search_finds(zoho):
    await people(zoho, 3)
    assert (await zoho.crm("GET", "/Contacts/actions/count")).json() == {"count": 3}
    assert (await zoho.crm("GET", "/Contacts/actions/count?email=p1@example.com")).json() == {"count": 1}


# COQL


@pytest.fixture
async def rows(zoho):
    (account,) = await zoho.insert("Accounts", {"Account_Name": "Example Labs"})
    await zoho.insert(
        "Contacts",
        {"Last_Name": "O'Neil", "Email": "a@example.com", "Account_Name": {"id": account}, "Title": "Dr"},
        {"Last_Name": "Bose", "Email": "b@example.com"},
        {"Last_Name": "Das", "Email": "c@example.com", "Title": "Prof"},
    )


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Email = 'A@example.com'", ["O'Neil"]),
        ("Last_Name = 'O\\'Neil'", ["O'Neil"]),
        ("Email in ('a@example.com', 'c@example.com')", ["Das", "O'Neil"]),
        ("Email not in ('a@example.com')", ["Das", "Bose"]),
        ("(Email = 'a@example.com' or Last_Name = 'Bose')", ["Bose", "O'Neil"]),
        ("((Last_Name like 'B%' or Last_Name like 'D%') and Title is not null)", ["Das"]),
        ("Title is null", ["Bose"]),
        ("Last_Name like '%s%'", ["Das", "Bose"]),
        ("Last_Name not like '%s%'", ["O'Neil"]),
        ("Last_Name != 'Bose'", ["Das", "O'Neil"]),
        ("Account_Name.Account_Name = 'Example Labs'", ["O'Neil"]),
        ("Created_Time >= '2026-11-22T12:00:00+05:30'", ["Das", "Bose", "O'Neil"]),
        ("Modified_Time > '2026-11-22T12:00:00+05:30'", []),
        (
            "Modified_Time between '2026-11-22T06:00:00+00:00' and '2026-11-22T07:00:00+00:00'",
            ["Das", "Bose", "O'Neil"],
        ),
        ("id > 0", ["Das", "Bose", "O'Neil"]),
    ],
)
async def test_coql_finds_rows(zoho, rows, where, found):
    answer = await zoho.query(f"select Last_Name from Contacts where {where}")
    if found:
        assert names(answer) == found
        assert all(row["id"].isdigit() for row in answer.json()["data"])
        assert answer.json()["info"] == {"count": len(found), "more_records": False}
    else:
        assert_empty(answer)


async def test_coql_finds_by_id(zoho, rows):
    record_id = (await zoho.query("select id from Contacts where Last_Name = 'Das'")).json()["data"][0]["id"]
    for literal in (f"'{record_id}'", record_id):
        assert names(await zoho.query(f"select Last_Name from Contacts where id = {literal}")) == ["Das"]


async def test_coql_orders_and_pages(zoho, rows):
    everything = "select Last_Name from Contacts where id is not null order by Last_Name"
    assert names(await zoho.query(everything)) == ["Bose", "Das", "O'Neil"]
    assert names(await zoho.query(f"{everything} desc limit 1")) == ["O'Neil"]
    assert names(await zoho.query(f"{everything} limit 1, 2")) == ["Das", "O'Neil"]
    page = await zoho.query(f"{everything} limit 1 offset 1")
    assert names(page) == ["Das"]
    assert page.json()["info"]["more_records"] is True


async def test_coql_follows_lookups_and_counts(zoho, rows):
    answer = await zoho.query(
        "select Account_Name.Account_Name, Account_Name, Owner from Contacts where Last_Name like 'O%'"
    )
    (row,) = answer.json()["data"]
    assert row["Account_Name.Account_Name"] == "Example Labs"
    assert row["Account_Name"]["name"] == "Example Labs"
    assert row["Owner"]["name"] == "Integration User"
    count = await zoho.query("select COUNT(id) from Contacts where id is not null")
    assert count.json()["data"] == [{"COUNT(id)": 3}]


@pytest.mark.parametrize(
    ("text", "code", "details"),
    [
        ("select Last_Name from Contacts", "SYNTAX_ERROR", {"clause": "where"}),
        ("Last_Name from Contacts where id > 0", "SYNTAX_ERROR", {"clause": "select"}),
        ("select Last_Name where id > 0", "SYNTAX_ERROR", {"clause": "from"}),
        ("select Last_Name from Contacts where Email ~ 'x'", "SYNTAX_ERROR", {"near": "~ 'x'"}),
        ("select Last_Name from Contacts where Email = 'x", "SYNTAX_ERROR", {}),
        ("select Last_Name from Contacts where (a = 1 and b = 2 and c = 3)", "SYNTAX_ERROR", {"near": "and"}),
        ("select Last_Name from Contacts where Email = 'x' nonsense", "SYNTAX_ERROR", {"near": "nonsense"}),
        ("select Nonsense from Contacts where id > 0", "INVALID_QUERY", {"column_name": "Nonsense"}),
        ("select id from Contacts where Nonsense = 1", "INVALID_QUERY", {"column_name": "Nonsense"}),
        ("select id from Contacts where Description = 'x'", "INVALID_QUERY", {"data_type": "textarea"}),
        ("select id from Nonsense where id > 0", "INVALID_QUERY", {"module": "Nonsense"}),
        ("select id from Contacts where id > 0 limit 2001", "LIMIT_EXCEEDED", {"by": "limit", "limit": 2000}),
        ("select id from Contacts where id > 0 limit 99999, 2", "LIMIT_EXCEEDED", {"by": "offset"}),
        ("select id from Contacts where id > 0 order by id, id desc", "DUPLICATE_DATA", {}),
        (f"select {', '.join(['id'] * 51)} from Contacts where id > 0", "LIMIT_EXCEEDED", {"by": "select"}),
        (f"select id from Contacts where id in ({', '.join(['1'] * 51)})", "LIMIT_EXCEEDED", {"by": "in"}),
    ],
)
async def test_wrong_queries_say_what_is_wrong(zoho, text, code, details):
    answer = await zoho.query(text)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["details"].items() >= details.items()


async def test_a_query_may_have_twenty_five_criteria(zoho):
    def nested(count: int) -> str:
        text = "id > 0"
        for _ in range(count - 1):
            text = f"({text} and id > 0)"
        return text

    assert_empty(await zoho.query(f"select id from Contacts where {nested(25)}"))
    assert (await zoho.query(f"select id from Contacts where {nested(26)}")).json()["code"] == "LIMIT_EXCEEDED"


async def test_a_query_body_without_query_is_refused(zoho):
    assert (await zoho.crm("POST", "/coql", json={})).json()["code"] == "MANDATORY_NOT_FOUND"
    assert (await zoho.crm("POST", "/coql", content=b"[]")).json()["message"] == "body"


# Deleted


async def test_the_deleted_feed_tells_both_types(zoho):
    assert_empty(await zoho.crm("GET", "/Contacts/deleted"))
    ids = await people(zoho, 2)
    await zoho.crm("DELETE", f"/Contacts?ids={ids[0]}")
    zoho.sim.clock.advance(60)
    await zoho.crm("DELETE", f"/Contacts?ids={ids[1]}")
    feed = (await zoho.crm("GET", "/Contacts/deleted?type=all&per_page=1")).json()
    assert feed["data"][0]["id"] == ids[1]
    assert feed["data"][0]["display_name"] == "P0001"
    assert feed["data"][0]["type"] == "recycle"
    assert feed["data"][0]["deleted_time"] == "2026-11-22T12:01:00+05:30"
    assert feed["info"] == {"per_page": 1, "count": 1, "page": 1, "more_records": True}
    assert_empty(await zoho.crm("GET", "/Contacts/deleted?type=permanent"))
    bad = await zoho.crm("GET", "/Contacts/deleted?type=gone")
    assert (bad.status_code, bad.json()["code"]) == (400, "PATTERN_NOT_MATCHED")
    since = {"If-Modified-Since": "2026-11-22T12:00:30+05:30"}
    late = await zoho.crm("GET", "/Contacts/deleted", headers=since)
    assert [item["id"] for item in late.json()["data"]] == [ids[1]]


async def test_what_is_long_deleted_becomes_permanent_and_then_leaves_the_feed(zoho):
    (record_id,) = await people(zoho, 1)
    await zoho.crm("DELETE", f"/Contacts?ids={record_id}")
    zoho.sim.grants.accesses[zoho.http.headers["Authorization"].split()[1]].expires_at += 400 * 86_400
    zoho.sim.clock.advance(61 * 86_400)
    assert_empty(await zoho.crm("GET", "/Contacts/deleted?type=recycle"))
    feed = await zoho.crm("GET", "/Contacts/deleted?type=permanent")
    assert feed.json()["data"][0]["id"] == record_id
    zoho.sim.clock.advance(120 * 86_400)
    assert_empty(await zoho.crm("GET", "/Contacts/deleted"))
