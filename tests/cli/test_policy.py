"""policy: how documents are made, from the command line."""

import pytest

from cli.conftest import Command, Shop, json_of, refused
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.policy_list import GROUPS, list_policies


def lines(command: Command, shop: Shop) -> dict[str, dict[str, object]]:
    return {line["name"]: line for line in json_of(command("policy", "--json", **shop.env))}


def test_every_policy_is_listed_with_its_meaning(command: Command, installed: Shop) -> None:
    found = lines(command, installed)
    assert set(found) == set(Policies.model_fields)
    assert all(line["meaning"] for line in found.values())
    assert found["price_basis"]["choices"] == ["exclusive", "inclusive", "as_charged"]
    assert found["round_off_tolerance"]["default"] == "1.00"
    shown = command("policy", **installed.env).stdout
    assert all(name in shown for name in Policies.model_fields)
    assert "not set" in shown


def test_every_policy_has_a_group_of_its_own_choice() -> None:
    assert [name for names in GROUPS.values() for name in names] == [
        line.name for line in list_policies(Policies(), {}) if line.group != "Other"
    ]
    assert not [line.name for line in list_policies(Policies(), {}) if line.group == "Other"]


@pytest.mark.parametrize(
    ("name", "typed", "stored", "shown"),
    [
        ("price_basis", "exclusive", "exclusive", "exclusive"),
        ("mail_invoice", "yes", True, "yes"),
        ("lut", "no", False, "no"),
        ("round_off_tolerance", "0.50", "0.50", "0.50"),
        ("more_rates", "40, 3 % 0.250,3", ["0.25", "3", "40"], "0.25,3,40"),
        (
            "deposit_accounts",
            "razorpay=460000000000361, cod=460000000000358",
            {"razorpay": "460000000000361", "cod": "460000000000358"},
            "cod=460000000000358,razorpay=460000000000361",
        ),
    ],
)
def test_a_policy_is_set_listed_cleared_and_written_down(
    command: Command, installed: Shop, name: str, typed: str, stored: object, shown: str
) -> None:
    said = command("policy", "set", name, typed, **installed.env)
    assert f"{name} is {shown} from now on." in said.stdout, said.output
    [row] = installed.fetch("select name, value, changed_by from zohosync.policy")
    assert (row["name"], row["value"]) == (name, stored)
    assert row["changed_by"].endswith("(command line)")
    line = lines(command, installed)[name]
    assert (line["value"], line["decided"]) == (shown, True)
    assert command("policy", "clear", name, **installed.env).exit_code == 0
    assert installed.fetch("select 1 from zohosync.policy") == []
    acts = installed.fetch("select action, detail from zohosync.audit order by audit_id")
    assert [act["action"] for act in acts] == ["policy.set", "policy.clear"]
    assert acts[0]["detail"]["policy"] == name


@pytest.mark.parametrize(
    ("name", "typed", "why"),
    [
        ("price_basis", "sometimes", "price_basis"),
        ("round_off_tolerance", "5", "less than or equal to 1"),
        ("default_hsn", "38", "pattern"),
        ("deposit_accounts", "razorpay", "written as method=value"),
        ("deposit_accounts", "razorpay=bank", "must be an id of Books"),
        ("unheard_of", "1", "There is no policy unheard_of."),
    ],
)
def test_what_a_policy_cannot_be_is_refused(command: Command, installed: Shop, name: str, typed: str, why: str) -> None:
    result = command("policy", "set", name, typed, **installed.env)
    assert result.exit_code == 2
    assert why in result.stderr
    assert installed.fetch("select 1 from zohosync.policy") == []


def test_an_unknown_policy_is_not_cleared(command: Command, installed: Shop) -> None:
    refused(command("policy", "clear", "unheard_of", **installed.env), 2, "There is no policy unheard_of.", "are:")


def test_a_default_rate_is_one_goods_may_have(command: Command, installed: Shop) -> None:
    result = command("policy", "set", "default_gst_rate", "40", **installed.env)
    refused(result, 2, "A rate of 40 percent is not one of 0, 5, 18.", "zohosync policy set more_rates 40")
    assert installed.fetch("select 1 from zohosync.policy") == []
    assert command("policy", "set", "more_rates", "40", **installed.env).exit_code == 0
    assert command("policy", "set", "default_gst_rate", "40.00", **installed.env).exit_code == 0


def test_no_decision_makes_further_rates_none_and_a_rate_beyond_the_law_is_refused(
    command: Command, installed: Shop
) -> None:
    assert Policies().rates == {0, 5, 18}
    for typed in ("41", "-5", "lots", "NaN", "1e-9"):
        assert command("policy", "set", "more_rates", "--", typed, **installed.env).exit_code == 2, typed
