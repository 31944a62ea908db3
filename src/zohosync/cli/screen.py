"""What a command shows: results on stdout, everything else on stderr, so that results can be piped."""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from zohosync.errors import ZohosyncError

Announce = Callable[[str], None]


def show(text: str) -> None:
    """One line of the result, as it is."""
    typer.echo(text)


def show_json(value: Any) -> None:
    """The result for machines: one JSON document; datetimes are ISO 8601."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode())


def show_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, whole: Collection[str] = ()
) -> None:
    """Rows for a person; nothing in them is taken for markup. Where the screen is narrow, words are broken rather than
    cut; those in the columns ``whole``, which somebody will copy, stay in one piece."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console().print(table)


def show_facts(facts: Mapping[str, object]) -> None:
    """Names and values, aligned."""
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(f"[bold]{escape(name)}", escape(str(value)))
    Console().print(table)


def remark(text: str) -> None:
    """A line that is not part of the result."""
    Console(stderr=True).print(escape(text), soft_wrap=True, highlight=False)


def report(error: ZohosyncError) -> None:
    """What went wrong in one sentence, and the remedy."""
    console = Console(stderr=True)
    console.print(f"[bold red]Error:[/] {escape(error.message)}", soft_wrap=True, highlight=False)
    if error.hint:
        console.print(f"[bold]Remedy:[/] {escape(error.hint)}", soft_wrap=True, highlight=False)


def confirm(question: str) -> None:
    """Goes on after a yes; anything else ends the command, with its last words on a line of their own."""
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        typer.echo(err=True)
        raise
    if not agreed:
        if not sys.stdin.isatty():  # nobody's return key began a new line
            typer.echo(err=True)
        raise typer.Abort


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Announce]:
    """A bar on the terminal's stderr; call what it yields with the step that begins. Nothing where nobody looks."""
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(title, total=total)
        begun = iter(range(10**9))

        def announce(step: str) -> None:
            bar.update(task, description=step, completed=next(begun) if total else None)

        yield announce
