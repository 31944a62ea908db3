"""The command ``zohosync``: every subcommand in one table, every refusal in one sentence.

Exit codes: 0 done; 1 an error, or what ``demo --check`` or ``rehearse --strict`` looks for; 2 a setting or an argument;
3 the database is out of reach; 4 it lacks a right; 5 its schema is another release's or absent; 6 it is a copy;
130 interrupted.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from zohosync.cli import findings, override, policy, rates, screen
from zohosync.cli.capture import golive, pause, resume
from zohosync.cli.connection import EPILOG, connect, disconnect
from zohosync.cli.demo import demo
from zohosync.cli.doctor import doctor
from zohosync.cli.forget import forget
from zohosync.cli.installation import adopt_database, install, uninstall
from zohosync.cli.key import key
from zohosync.cli.link import link, unlink
from zohosync.cli.operations import retry, sync
from zohosync.cli.people import invite
from zohosync.cli.preview import preview
from zohosync.cli.probe import EPILOG as PROBE_EPILOG
from zohosync.cli.probe import probe
from zohosync.cli.recover import recover
from zohosync.cli.rehearse import rehearse
from zohosync.cli.service import run as run_all
from zohosync.cli.service import web, worker
from zohosync.cli.signals import INTERRUPTED
from zohosync.cli.simulator import sim
from zohosync.cli.status import status
from zohosync.db.install import newest_version
from zohosync.db.pool import DatabaseError, explain
from zohosync.errors import ZohosyncError

# A name of two words is a subcommand. A group that is a command too lists, as long as no subcommand is named.
COMMANDS: tuple[tuple[str, Callable[..., None], str, str], ...] = (
    ("demo", demo, "Try it", ""),
    ("sim", sim, "Try it", ""),
    ("probe", probe, "Try it", PROBE_EPILOG),
    ("install", install, "Set up", ""),
    ("key", key, "Set up", ""),
    ("connect", connect, "Set up", EPILOG),
    ("rehearse", rehearse, "Set up", ""),
    ("golive", golive, "Set up", ""),
    ("policy", policy.policy, "Set up", ""),
    ("policy set", policy.set_one, "Set up", ""),
    ("policy clear", policy.clear_one, "Set up", ""),
    ("rates export", rates.export, "Set up", ""),
    ("rates import", rates.import_sheet, "Set up", ""),
    ("invite", invite, "Set up", ""),
    ("run", run_all, "Run", ""),
    ("worker", worker, "Run", ""),
    ("web", web, "Run", ""),
    ("doctor", doctor, "Look and act", ""),
    ("status", status, "Look and act", ""),
    ("preview", preview, "Look and act", ""),
    ("sync", sync, "Look and act", ""),
    ("findings", findings.findings, "Look and act", ""),
    ("findings resolve", findings.resolve, "Look and act", ""),
    ("override list", override.list_all, "Look and act", ""),
    ("override set", override.set_one, "Look and act", ""),
    ("override clear", override.clear_one, "Look and act", ""),
    ("link", link, "Look and act", ""),
    ("unlink", unlink, "Look and act", ""),
    ("retry", retry, "Look and act", ""),
    ("pause", pause, "Look and act", ""),
    ("resume", resume, "Look and act", ""),
    ("forget", forget, "Take care", ""),
    ("disconnect", disconnect, "Take care", ""),
    ("adopt-database", adopt_database, "Take care", ""),
    ("recover", recover, "Take care", ""),
    ("uninstall", uninstall, "Take care", ""),
)

GROUPS: dict[str, str] = {
    "rates": "HSN codes and GST rates: out of the shop as a sheet, and back.",
    "override": "Correct what the shop cannot: one field of one record.",
}
"""What the groups are for that are no commands themselves."""


class Refusing(TyperGroup):
    """Turns our errors into a sentence, its remedy and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        refusal: ZohosyncError
        try:
            return super().invoke(ctx)
        except ZohosyncError as error:
            refusal = error
        except DatabaseError as error:
            refusal = explain(error)
        except KeyboardInterrupt as error:
            screen.remark("Interrupted.")
            raise typer.Exit(INTERRUPTED) from error
        screen.report(refusal)
        raise typer.Exit(refusal.exit_code)


def _show_version(wanted: bool) -> None:
    if wanted:
        screen.show(f"zohosync {version('zohosync')}, schema version {newest_version()}")
        raise typer.Exit


def about(
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_show_version,
            help="Print the release and its schema version, and exit.",
        ),
    ] = False,
) -> None:
    """Keeps a Supabase/Postgres storefront and Zoho in step."""


def build() -> typer.Typer:
    """The command line application."""
    app = typer.Typer(
        name="zohosync",
        cls=Refusing,
        help="Keeps a Supabase/Postgres storefront and Zoho in step.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(about)
    leaders = {name: function for name, function, _, _ in COMMANDS}
    groups: dict[str, typer.Typer] = {}
    for name, function, panel, epilog in COMMANDS:
        first, _, second = name.partition(" ")
        if second:
            if first not in groups:
                groups[first] = _group(app, first, panel, leaders.get(first))
            groups[first].command(second, epilog=epilog or None)(function)
        elif not any(other.startswith(f"{name} ") for other in leaders):
            app.command(name, rich_help_panel=panel, epilog=epilog or None)(function)
    return app


def _group(app: typer.Typer, name: str, panel: str, leader: Callable[..., None] | None) -> typer.Typer:
    """A command of subcommands, beneath the whole."""
    group = typer.Typer(no_args_is_help=leader is None)
    if leader is not None:
        group.callback(invoke_without_command=True)(leader)
    app.add_typer(group, name=name, rich_help_panel=panel, help=leader.__doc__ if leader else GROUPS[name])
    return group


def run() -> None:
    """Entry point of the script."""
    build()()
