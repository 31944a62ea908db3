"""The papers name everything the program has, and every link in them leads somewhere."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from command_lines import FENCE as SHELL
from command_lines import commands, fault_of, find_calls
from zohosync.cli.signals import INTERRUPTED
from zohosync.config import Settings
from zohosync.db.install import load_migrations, newest_version
from zohosync.db.pgmq import QUEUES
from zohosync.errors import ZohosyncError
from zohosync.queue.operation import Cause, Lane, Status, WaitReason
from zohosync.streams import build_streams

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "zohosync"
REFERENCE = ROOT / "docs" / "reference"
PAPERS = sorted(path for place in ("docs", "src", "deploy") for path in (ROOT / place).rglob("*.md")) + sorted(
    ROOT.glob("*.md")
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def error_classes(of: type[ZohosyncError] = ZohosyncError) -> Iterator[type[ZohosyncError]]:
    yield of
    for below in of.__subclasses__():
        yield from error_classes(below)


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
    return f"{default.total_seconds():.15g}" if isinstance(default, timedelta) else f"{default}".removesuffix(".0")


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
    assert set(re.findall(r"^\| `zohosync ([\w -]+)`", page("commands.md"), re.M)) == set(commands())


def test_every_exit_code_is_documented() -> None:
    codes = {kind.exit_code for kind in error_classes()} | {0, INTERRUPTED}
    told = {int(code) for code in re.findall(r"^\| `(\d+)` \|", page("commands.md"), re.M)}
    assert told == codes


def test_every_kind_status_wait_cause_and_lane_is_documented() -> None:
    text = page("operations.md")
    kinds = [stream.kind for stream in build_streams(None, None)]  # type: ignore[arg-type] - only read, never run
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
    dropped = re.findall(r"drop (?:table|function) zohosync\.(\w+)", migrations)
    wanted = {*tables, *functions, *contract, *(f"zohosync_{queue}" for queue in QUEUES)} - set(dropped)
    assert len(wanted) > 40
    assert sorted(name for name in wanted if f"`{name}`" not in text) == []


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


def test_the_tutorial_installs_the_schema_this_program_brings() -> None:
    text = (ROOT / "docs" / "tutorials" / "first-sync.md").read_text(encoding="utf-8")
    assert re.findall(r"schema version (\d+)", text) == [str(newest_version())]


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


def papers_with(pattern: re.Pattern[str]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in PAPERS if pattern.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("paper", papers_with(SHELL))
def test_every_command_line_in_the_papers_would_be_taken(paper: str) -> None:
    text = (ROOT / paper).read_text(encoding="utf-8")
    faults = {call: fault_of(call) for block in SHELL.findall(text) for call in find_calls(block)}
    assert {call: fault for call, fault in faults.items() if fault} == {}


MENTION = re.compile(r"`zohosync ([a-z][^`\n]*)`")


@pytest.mark.parametrize("paper", papers_with(MENTION))
def test_every_command_mentioned_in_the_papers_would_be_taken(paper: str) -> None:
    if paper == "CHANGELOG.md":
        return  # tells of what was
    text = FENCE.sub("", (ROOT / paper).read_text(encoding="utf-8"))
    calls = [call.replace("\\|", "|") for call in MENTION.findall(text) if "…" not in call]
    faults = {call: fault_of(call) for call in calls}
    assert {call: fault for call, fault in faults.items() if fault} == {}


def test_every_command_a_remedy_names_is_there() -> None:
    known = {name.split()[0] for name in commands()}
    named: dict[str, str] = {}
    for path in (path for path in SOURCE.rglob("*") if path.suffix in {".py", ".sql", ".html"}):
        for name in re.findall(r"`zohosync ([a-z][a-z-]*)", path.read_text(encoding="utf-8")):
            named[name] = path.name
    assert len(named) > 5
    assert {name: where for name, where in named.items() if name not in known} == {}


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_helps(name: str) -> None:
    command = commands()[name]
    assert re.fullmatch(r"[A-Z].*[.]", command.help.strip(), re.S)
    unhelped = [
        given.name for given in command.params if not re.search(r"\w", given.help or "") and given.name != "help"
    ]
    assert unhelped == []


def incident_codes() -> set[str]:
    """Every cause the program opens an incident for, in Python and in SQL."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        constants = dict(re.findall(r'^([A-Z_]+) = "([a-z_]+)"$', text, re.M))
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "open_incident"
            ):
                (code,) = [word.value for word in node.keywords if word.arg == "code"]
                if isinstance(code, ast.Constant):
                    found.add(str(code.value))
                else:
                    assert isinstance(code, ast.Name), (
                        f"{path.name}: the cause of an incident is a literal or a constant"
                    )
                    found.add(constants[code.id])
    for path in SOURCE.rglob("*.sql"):
        for insert in re.findall(
            r"insert into zohosync\.incident\b[^;]*?\)\s*(.*?);", path.read_text(encoding="utf-8"), re.S
        ):
            literal = re.match(r"(?:select|values\s*\()\s*'([a-z_]+)'", insert)
            assert literal is not None, f"{path.name}: the cause of an incident is a literal"
            found.add(literal[1])
    return found


def test_every_cause_of_an_incident_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|(.*)\|$", page("incidents.md"), re.M)
    assert {code for code, _ in rows} == incident_codes() >= {"login_lost", "poison"}
    for code, rest in rows:
        severity, opens, closes, remedy = (cell.strip() for cell in rest.split(" | "))
        assert severity in {"critical", "warning"}, code
        assert opens
        assert closes
        assert remedy


def test_every_periodic_job_is_documented_and_no_other() -> None:
    jobs = set(re.findall(r'\bJob\("([a-z_]+)"', (SOURCE / "wiring.py").read_text(encoding="utf-8")))
    told = page("database.md").partition("## Periodic jobs")[2].partition("\n## ")[0]
    assert len(jobs) >= 5
    assert set(re.findall(r"^\| `([a-z_]+)` \|", told, re.M)) == jobs


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    reached, left = {index}, [index]
    while left:
        paper = left.pop()
        for target in LINK.findall(FENCE.sub("", paper.read_text(encoding="utf-8"))):
            found = (paper.parent / target.partition("#")[0]).resolve()
            ours = found.suffix == ".md" and found.is_file() and found.relative_to(ROOT).parts[0] in {"docs", "deploy"}
            if ours and found not in reached:
                reached.add(found)
                left.append(found)
    wanted = {*(ROOT / "docs").rglob("*.md"), ROOT / "deploy" / "README.md"}
    assert sorted(str(path.relative_to(ROOT)) for path in wanted - reached) == []


def test_the_index_lists_every_guide() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    guides = [
        f"{folder}/{path.name}"
        for folder in ("tutorials", "how-to", "reference", "explanation")
        for path in sorted((ROOT / "docs" / folder).glob("*.md"))
    ]
    assert [guide for guide in guides if f"]({guide})" not in index] == []
