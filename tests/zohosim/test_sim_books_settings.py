"""What an organisation of Books has set up: taxes and their groups, exemptions, accounts, locations, currencies."""

from typing import Any

import pytest
from bookkeeper import Bookkeeper

from zohosim.books.organisations import Seed


@pytest.fixture
def books(zoho: Any) -> Bookkeeper:
    return Bookkeeper(zoho)


# --- taxes


async def test_a_group_tells_what_it_is_made_of(books: Bookkeeper):
    group = (await books.do("GET", f"/settings/taxgroups/{books.tax('GST18')}"))["tax_group"]
    assert (group["tax_group_name"], group["tax_group_percentage"]) == ("GST18", 18)
    assert [(tax["tax_name"], tax["tax_percentage"]) for tax in group["taxes"]] == [("CGST9", 9), ("SGST9", 9)]
    answer = await books.ask("GET", f"/settings/taxgroups/{books.tax('IGST18')}")
    assert (answer.status_code, answer.json()["message"]) == (404, "Tax group does not exist.")


async def test_a_new_tax_and_group_stand_in_the_list(books: Bookkeeper):
    parts = []
    for kind in ("cgst", "sgst"):
        body = {"tax_name": f"{kind.upper()}1.5", "tax_percentage": 1.5, "tax_specific_type": kind}
        parts.append((await books.do("POST", "/settings/taxes", body))["tax"]["tax_id"])
    body = {"tax_group_name": "GST3", "taxes": ",".join(parts)}
    answer = await books.ask("POST", "/settings/taxgroups", body)
    group = answer.json()["tax_group"]
    assert (answer.status_code, group["tax_group_percentage"]) == (201, 3)
    assert [tax["tax_id"] for tax in group["taxes"]] == parts
    listed = {tax["tax_id"]: tax for tax in (await books.do("GET", "/settings/taxes"))["taxes"]}
    told = listed[group["tax_group_id"]]
    assert (told["tax_name"], told["tax_type"], told["tax_specification"]) == ("GST3", "tax_group", "intra")
    assert not any(key.startswith("_") for tax in listed.values() for key in tax)


async def test_a_tax_is_read_renamed_and_deleted(books: Bookkeeper):
    path = f"/settings/taxes/{books.tax('IGST28')}"
    await books.do("PUT", path, {"tax_name": "IGST 28"})
    assert (await books.do("GET", path))["tax"]["tax_name"] == "IGST 28"
    await books.do("DELETE", path)
    assert (await books.ask("GET", path)).status_code == 404


async def test_taxes_need_gst_to_be_on(books: Bookkeeper, zoho: Any):
    other = zoho.sim.seed_books_organisation(name="No GST", gst=False)
    body = {"tax_name": "IGST18", "tax_percentage": 18}
    assert (await books.refused("POST", "/settings/taxes", body, organization_id=other.id))[0] == 110817
    assert (await books.do("GET", "/settings/taxes", organization_id=other.id))["taxes"] == []


async def test_exemptions_are_of_items_or_customers(books: Bookkeeper):
    path = "/settings/taxexemptions"
    rows = (await books.do("GET", path))["tax_exemptions"]
    assert {row["type"] for row in rows} == {"customer", "item"}
    made = await books.do("POST", path, {"tax_exemption_code": "FARMERS", "type": "item"})
    exemption = made["tax_exemption"]["tax_exemption_id"]
    assert len((await books.do("GET", path))["tax_exemptions"]) == len(rows) + 1
    await books.do("DELETE", f"{path}/{exemption}")
    assert (await books.refused("POST", path, {"tax_exemption_code": "X", "type": "cat"}))[0] == 2


# --- accounts


async def test_the_chart_has_what_selling_needs(books: Bookkeeper):
    rows = (await books.do("GET", "/chartofaccounts"))["chartofaccounts"]
    types = {row["account_name"]: row["account_type"] for row in rows}
    wanted = {
        "Sales": "income", "Shipping Charge": "income", "Other Charges": "income", "Discount": "income",
        "Cost of Goods Sold": "cost_of_goods_sold", "Inventory Asset": "stock", "Undeposited Funds": "cash",
        "Petty Cash": "cash", "Output CGST": "other_current_liability", "Output SGST": "other_current_liability",
        "Output IGST": "other_current_liability",
    }  # fmt: skip
    assert {name: types[name] for name in wanted} == wanted
    assert "bank" in types.values()
    assert all(row["is_active"] and row["is_system_account"] for row in rows)


async def test_accounts_are_filtered_by_their_kind(books: Bookkeeper):
    rows = (await books.do("GET", "/chartofaccounts", filter_by="AccountType.Income"))["chartofaccounts"]
    assert {row["account_type"] for row in rows} == {"income"}
    assert (await books.refused("GET", "/chartofaccounts", filter_by="AccountType.Fun"))[0] == 2


async def test_people_add_accounts_with_names_of_their_own(books: Bookkeeper):
    body = {"account_name": "Second Bank", "account_type": "bank"}
    made = (await books.do("POST", "/chartofaccounts", body))["chart_of_account"]
    assert (made["is_user_created"], made["is_system_account"]) == (True, False)
    assert (await books.ask("POST", "/chartofaccounts", body)).status_code == 400
    assert (await books.refused("POST", "/chartofaccounts", {**body, "account_type": "hat"}))[0] == 2
    await books.do("DELETE", f"/chartofaccounts/{made['account_id']}")
    assert (await books.ask("DELETE", f"/chartofaccounts/{books.account('income')}")).status_code == 400


# --- locations and currencies


async def test_an_organisation_has_one_location_in_its_state_and_may_get_more(books: Bookkeeper):
    [first] = (await books.do("GET", "/locations"))["locations"]
    assert (first["is_primary_location"], first["address"]["state_code"]) == (True, "TS")
    assert first["tax_reg_no"] == books.organisation.gstin
    body = {"location_name": "Pune", "address": {"state_code": "MH"}, "tax_reg_no": "27AAAAA0000A1Z5"}
    made = (await books.do("POST", "/locations", body))["location"]
    assert (made["address"]["state"], made["is_primary_location"]) == ("Maharashtra", False)
    await books.do("POST", f"/locations/{made['location_id']}/inactive")
    rows = (await books.do("GET", "/locations"))["locations"]
    assert [row["is_location_active"] for row in rows] == [True, False]
    assert (await books.ask("DELETE", f"/locations/{first['location_id']}")).status_code == 400
    changed = {"location_name": "Pune Depot"}
    assert (await books.do("PUT", f"/locations/{made['location_id']}", changed))["location"]["address"] == made[
        "address"
    ]


async def test_the_first_currency_is_the_organisation_s_own(books: Bookkeeper):
    rows = (await books.do("GET", "/settings/currencies", sort_column="currency_code"))["currencies"]
    base = [row for row in rows if row["is_base_currency"]]
    assert [(row["currency_code"], row["currency_symbol"]) for row in base] == [("INR", "₹")]
    contact = await books.get("contacts", "contact", await books.customer())
    assert contact["currency_id"] == base[0]["currency_id"]
    others = await books.do("GET", "/settings/currencies", filter_by="Currencies.ExcludeBaseCurrency")
    assert len(others["currencies"]) == len(rows) - 1
    path = f"/settings/currencies/{base[0]['currency_id']}"
    assert (await books.do("GET", path))["currency"] == base[0]
    assert (await books.ask("GET", "/settings/currencies/1")).status_code == 404


# --- states


@pytest.mark.parametrize("code", ["AD", "TS", "CG", "OD", "UK", "DN", "LD", "OT"])
async def test_an_organisation_may_be_in_any_state_by_the_letters_of_books(zoho: Any, code: str):
    made = zoho.sim.seed_books_organisation(name="There", state_code=code)
    assert made.row()["state_code"] == code


@pytest.mark.parametrize("given", [{"state_code": "AP"}, {"time_zone": "Asia/Atlantis"}])
def test_a_state_or_a_zone_that_books_does_not_know_is_refused(given: dict[str, str]):
    with pytest.raises(ValueError, match=next(iter(given))):
        Seed(**given).checked()


async def test_today_is_the_day_of_the_organisation(books: Bookkeeper, zoho: Any):
    other = zoho.sim.seed_books_organisation(
        name="Far", state_code="", gst=False, country_code="US", time_zone="Pacific/Honolulu"
    )
    assert (books.organisation.ledger.today().day, other.ledger.today().day) == (22, 21)
