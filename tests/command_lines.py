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
    """Every command by its name."""
    group = typer.main.get_command(build())
    return dict(group.commands)  # type: ignore[attr-defined]


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
    command = commands().get(name)
    if command is None:
        return f"there is no command {name!r}"
    try:
        context = typer.Context(command, info_name=name)
        _, rest, _ = command.make_parser(context).parse_args(words)
    except UsageError as error:
        return str(error)
    return f"{name} takes no {rest!r}" if rest else None
