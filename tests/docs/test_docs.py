"""The papers name everything the program has, and every link in them leads somewhere."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest
import typer
from pydantic_core import PydanticUndefined

from zohosync.cli.main import build
from zohosync.cli.signals import INTERRUPTED
from zohosync.config import Settings
from zohosync.db.install import load_migrations
from zohosync.db.pgmq import QUEUES
from zohosync.errors import ZohosyncError
from zohosync.queue.operation import Cause, Lane, Status, WaitReason
from zohosync.streams import build_streams

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "zohosync"
REFERENCE = ROOT / "docs" / "reference"
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def error_classes(of: type[ZohosyncError] = ZohosyncError) -> Iterator[type[ZohosyncError]]:
    yield of
    for below in of.__subclasses__():
        yield from error_classes(below)


def commands() -> dict[str, click.Command]:
    group = typer.main.get_command(build())
    return dict(group.commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`ZOHOSYNC_{name.upper()}`" in page("settings.md")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_example(name: str) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.search(rf"^#? ?ZOHOSYNC_{name.upper()}=", example, re.M)


def shown_default(name: str) -> str:
    """A default as the papers write it; durations in seconds."""
    default = Settings.model_fields[name].default
    return f"{default.total_seconds():g}" if isinstance(default, timedelta) else f"{default}".removesuffix(".0")


@pytest.mark.parametrize(
    "name", [name for name, meta in Settings.model_fields.items() if meta.default not in (None, PydanticUndefined)]
)
def test_every_default_is_told_as_it_is(name: str) -> None:
    variable = f"ZOHOSYNC_{name.upper()}"
    row = re.search(rf"^\| `{variable}` \| `([^`]+)` \|", page("settings.md"), re.M)
    example = re.search(rf"^# {variable}=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M)
    assert row is not None
    assert example is not None
    assert row[1] == example[1] == shown_default(name)


def test_no_setting_is_documented_that_is_not_there() -> None:
    rows = re.findall(r"^\| `ZOHOSYNC_(\w+)`", page("settings.md"), re.M)
    assert {row.lower() for row in rows} == set(Settings.model_fields)


@pytest.mark.parametrize("name", commands())
def test_every_command_and_its_options_are_documented(name: str) -> None:
    row = re.search(rf"^\| `zohosync {re.escape(name)}` .*$", page("commands.md"), re.M)
    assert row is not None
    options = [option for given in commands()[name].params for option in given.opts if option.startswith("--")]
    assert [option for option in options if option not in row[0] and option != "--help"] == []


def test_no_command_is_documented_that_is_not_there() -> None:
    assert set(re.findall(r"^\| `zohosync ([\w-]+)`", page("commands.md"), re.M)) == set(commands())


def test_every_exit_code_is_documented() -> None:
    codes = {kind.exit_code for kind in error_classes()} | {0, INTERRUPTED}
    told = {int(code) for code in re.findall(r"^\| `(\d+)` \|", page("commands.md"), re.M)}
    assert told == codes


def test_every_kind_status_wait_cause_and_lane_is_documented() -> None:
    text = page("operations.md")
    kinds = [stream.kind for stream in build_streams(None)]  # type: ignore[arg-type] - only read, never run
    wanted = [*kinds, *Status, *WaitReason, *Cause, *Lane]
    assert [word for word in wanted if f"`{word}`" not in text] == []


def test_every_error_class_is_documented() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page("errors.md"), re.M))
    assert {kind.code: kind.__name__ for kind in error_classes() if kind.__module__.startswith("zohosync.")} == told


def test_every_error_code_in_the_source_is_documented() -> None:
    text = page("errors.md")
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'\bcode="([a-z_]+)"', source)) | set(re.findall(r'"error_code": "([a-z_]+)"', source))
    faults = (SOURCE / "zoho" / "faults.py").read_text(encoding="utf-8")
    waits = (SOURCE / "queue" / "outcome.py").read_text(encoding="utf-8")
    found |= set(re.findall(r'"(zoho_[a-z_]+)"', faults)) | set(re.findall(r'"([a-z_]+_(?:came|unreadable))"', waits))
    assert sorted(code for code in found if f"`{code}`" not in text) == []


def test_every_table_queue_and_function_of_the_database_is_documented() -> None:
    text = page("database.md")
    migrations = "\n".join(migration.text for migration in load_migrations())
    adapter = (SOURCE / "db" / "adapters" / "kn.sql").read_text(encoding="utf-8")
    tables = re.findall(r"create table zohosync\.(\w+)", migrations)
    functions = re.findall(r"create (?:or replace )?function zohosync\.(\w+)", migrations)
    contract = re.findall(r"create or replace function zohosync\.(shop_\w+)", adapter)
    wanted = [*tables, *functions, *contract, *(f"zohosync_{queue}" for queue in QUEUES)]
    assert len(wanted) > 40
    assert [name for name in wanted if f"`{name}`" not in text] == []


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


def test_every_target_of_make_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert declared is not None
    assert set(re.findall(r"^([a-z]+):.*## ", makefile, re.M)) == set(declared[1].split())


def headings(text: str) -> set[str]:
    """Anchors as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("paper", [path.relative_to(ROOT).as_posix() for path in PAPERS])
def test_every_link_leads_somewhere(paper: str) -> None:
    text = (ROOT / paper).read_text(encoding="utf-8")
    broken: list[str] = []
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / paper).parent / path if path else ROOT / paper
        if not found.exists() or (anchor and anchor not in headings(found.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


def test_every_decision_is_listed_and_numbered() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in records if f"]({name})" not in index] == []
    for name in records:
        text = (folder / name).read_text(encoding="utf-8")
        assert re.match(rf"# {name[:4]}: .+\n", text)
        assert "## Decision" in text
