"""Command lines of zohosync, wherever papers and deployment files write them down, read as the program reads them."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import typer

from zohosync.cli.main import build

FENCE = re.compile(r"^```(?:sh|console|bash)\n(.*?)^```", re.M | re.S)
# A command stands at the beginning, or behind what runs it: a path, a variable, a shell's words, a container.
CALL = re.compile(r"(?:^|(?<=[\s$(/`]))zohosync (?!zohosync )(?=[a-z])([^\n]*)")
END = re.compile(r"\s(?:#|2>|>|\||&&|;|<<).*$|[;)`].*$")

# What every refusal of a command line is. typer brings a click of its own, and shows this class only by its heirs.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def commands() -> dict[str, Any]:
    """Every command by its name; a subcommand by both words. A group that only holds subcommands is none."""
    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(build()).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", {})
        if not below or command.invoke_without_command:
            found[name] = command
        found |= {f"{name} {second}": subcommand for second, subcommand in below.items()}
    return found


def find_calls(script: str) -> Iterator[str]:
    """What follows ``zohosync`` in each of its calls; comments and what comes behind pipes are left out."""
    for line in script.replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("#"):
            continue
        for found in CALL.finditer(line):
            yield END.sub("", found[1]).strip()


def fault_of(call: str) -> str | None:
    """Why the program would refuse these words before it does anything; None when it would not."""
    name, *words = shlex.split(call)
    known = commands()
    if words and f"{name} {words[0]}" in known:
        name = f"{name} {words.pop(0)}"
    command = known.get(name)
    if command is None:
        return f"there is no command {name!r}"
    try:
        context = typer.Context(command, info_name=name)
        _, rest, _ = command.make_parser(context).parse_args(words)
    except UsageError as error:
        return str(error)
    return f"{name} takes no {rest!r}" if rest else None
