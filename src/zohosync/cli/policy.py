"""Commands about how documents are made: every policy, looked at, decided, left to its default again."""

import asyncio
from dataclasses import asdict
from itertools import groupby
from typing import Annotated, Any

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.operations import actor
from zohosync.config import load_settings
from zohosync.db.address import reach
from zohosync.errors import SettingsRefused
from zohosync.store.installation import read_installation
from zohosync.store.policies import clear_policy, read_policies, set_policy
from zohosync.sync.books.corrections import judge_again
from zohosync.sync.books.policies import Policies, parse_policies, parse_policy
from zohosync.sync.books.policy_list import PolicyLine, as_typed, list_policies

SOON = "Documents that were held are judged again now."

Name = Annotated[str, typer.Argument(help="Which policy.", show_default=False)]


def policy(context: typer.Context, as_json: AsJson = False) -> None:
    """Show how documents are made: every policy with its value, its default and what it means."""
    if context.invoked_subcommand is not None:
        return
    lines = asyncio.run(_read(load_settings().require_database()))
    if as_json:
        screen.show_json([asdict(line) for line in lines])
        return
    for group, members in groupby(lines, key=lambda line: line.group):
        screen.show_table(
            group,
            ("policy", "value", "meaning"),
            [(line.name, _value(line), _meaning(line)) for line in members],
            whole=("policy",),
        )


def _value(line: PolicyLine) -> str:
    if line.decided:
        return f"{line.value} (default: {line.default or 'not set'})"
    return f"{line.default} (default)" if line.default else "not set"


def _meaning(line: PolicyLine) -> str:
    return f"{line.meaning} One of: {', '.join(line.choices)}." if line.choices else line.meaning


async def _read(url: str) -> tuple[PolicyLine, ...]:
    async with reach(url) as connection:
        await read_installation(connection)
        decided = await read_policies(connection)
    return list_policies(parse_policies(decided), decided)


def set_one(
    name: Name,
    value: Annotated[str, typer.Argument(help="Its value; `zohosync policy` says what may be.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Decide one policy: `policy set price_basis exclusive`. What was made before stays as it is."""
    stored = asyncio.run(_set(load_settings().require_database(), name, value))
    shown = as_typed(getattr(Policies.model_validate({name: stored}), name))
    _told(as_json, name, shown, f"{name} is {shown} from now on. {SOON}")


async def _set(url: str, name: str, typed: str) -> Any:
    """What is kept."""
    async with reach(url) as connection:
        await read_installation(connection)
        async with connection.transaction():
            value = parse_policy(name, typed, await read_policies(connection))
            await set_policy(connection, name=name, value=value, by=actor())
            await judge_again(connection)
    return value


def clear_one(name: Name, as_json: AsJson = False) -> None:
    """Leave one policy to its default again."""
    check_name(name)
    asyncio.run(_clear(load_settings().require_database(), name))
    shown = as_typed(getattr(Policies(), name))
    _told(as_json, name, shown, f"{name} is left to its default: {shown or 'not set'}. {SOON}")


async def _clear(url: str, name: str) -> None:
    async with reach(url) as connection:
        await read_installation(connection)
        async with connection.transaction():
            await clear_policy(connection, name=name, by=actor())
            await judge_again(connection)


def check_name(name: str) -> None:
    """SettingsRefused when there is no such policy."""
    if name not in Policies.model_fields:
        raise SettingsRefused(
            f"There is no policy {name}.", hint=f"Policies are: {', '.join(sorted(Policies.model_fields))}."
        )


def _told(as_json: bool, name: str, value: str, sentence: str) -> None:
    if as_json:
        screen.show_json({"policy": name, "value": value or None})
    else:
        screen.show(sentence)
