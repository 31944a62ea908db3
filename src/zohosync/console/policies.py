"""Settings › Documents: how documents are made, each policy in a form of its own."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from starlette.responses import Response

from zohosync.console.gate import Visit
from zohosync.console.refusing import refusing
from zohosync.errors import DatabaseFailure, SettingsRefused, ZohosyncError
from zohosync.store.holds import count_holds
from zohosync.store.policies import clear_policy, read_policies, set_policy
from zohosync.sync.books.corrections import judge_again
from zohosync.sync.books.desk import Office
from zohosync.sync.books.policies import Policies, parse_policies, parse_policy
from zohosync.sync.books.policy_list import PolicyLine, as_typed, describe_allowed, list_policies

PATH = "/settings/documents"
FAR_REACHING = frozenset({"price_basis", "mail_invoice"})
"""What decides of every document what it costs, or who gets mail."""
MANY = 20
"""So many held documents are made or mailed without asking twice."""
MONEY = frozenset({"cash", "bank", "payment_clearing", "undeposited_funds", "other_current_asset"})


async def policies_page(visit: Visit) -> Response:
    """Every policy with its value and meaning; admins find the forms here."""
    async with visit.console.reach() as connection:
        decided = await read_policies(connection)
    lines = list_policies(parse_policies(decided), decided)
    office, trouble = await _find_office(visit) if visit.is_admin else (None, "")
    return visit.page(
        "policies.html",
        groups=[(group, list(members)) for group, members in groupby(lines, key=lambda line: line.group)],
        options={line.name: list_options(line, office) for line in lines},
        allowed=describe_allowed,
        accounts=[(account.id, account.name) for account in office.accounts if account.type in MONEY] if office else [],
        trouble=trouble,
        may_admin=visit.is_admin,
    )


@refusing
async def save_policy(visit: Visit) -> Response:
    """Decide one policy; an empty value leaves it to its default."""
    name, typed = visit.form.get("name", ""), visit.form.get("value", "").strip()
    if name not in Policies.model_fields:
        raise SettingsRefused(f"There is no policy {name!r}.", hint="Go back and reload the page.")
    async with visit.console.reach() as connection, connection.transaction():
        held = await count_holds(connection, MANY) if name in FAR_REACHING and visit.form.get("sure") != "yes" else 0
        if held > MANY:
            return _ask(visit, name, typed, await read_policies(connection))
        if typed:
            value = parse_policy(name, typed, await read_policies(connection))
            await set_policy(connection, name=name, value=value, by=visit.user)
        else:
            await clear_policy(connection, name=name, by=visit.user)
        await judge_again(connection)
    return visit.go(f"{PATH}#{name}", "policy.")


def _ask(visit: Visit, name: str, typed: str, decided: Mapping[str, Any]) -> Response:
    """Asks first, when many held documents would be made by it in one go; a value that cannot be is refused here."""
    value = (
        as_typed(getattr(Policies.model_validate({name: parse_policy(name, typed, decided)}), name)) if typed else ""
    )
    (line,) = (line for line in list_policies(parse_policies(decided), decided) if line.name == name)
    return visit.page(
        "policy.html", line=line, typed=typed, value=value or line.default, many=MANY, back=f"{PATH}#{name}"
    )


def list_options(line: PolicyLine, office: Office | None) -> list[tuple[str, str]]:
    """What can be chosen, value and words; none where it is typed. A chosen id the organisation no longer lists stays
    to be seen."""
    if line.choices:
        return [(choice, choice.replace("_", " ")) for choice in line.choices]
    if office is None or not line.chosen_from:
        return []
    if line.chosen_from == "exemption":
        found = [(one.id, one.code) for one in office.exemptions if one.type == "item"]
    elif line.chosen_from == "money":
        found = [(one.id, one.name) for one in office.accounts if one.type in MONEY and one.active]
    else:
        found = [(one.id, one.name) for one in office.accounts if one.type == line.chosen_from and one.active]
    known = {value for value, _ in found}
    return [*found, *([(line.value, line.value)] if found and line.value and line.value not in known else [])]


async def _find_office(visit: Visit) -> tuple[Office | None, str]:
    """The connected organisation's lists, or why they cannot be had."""
    zoho = visit.console.zoho
    if zoho is None or zoho.books is None:
        return None, "This console was started without a way to Zoho, so ids are typed."
    try:
        return await zoho.books.office(), ""
    except DatabaseFailure:
        raise
    except ZohosyncError as error:
        return None, f"The lists of Zoho Books cannot be read just now, so ids are typed. {error.message}"
