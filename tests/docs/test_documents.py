"""The papers about documents say what the program says: policies, findings, overrides."""

import re
from pathlib import Path

import pytest

from zohosync.sync.books.finding_catalogue import CATALOGUE, ENTRIES, Entry
from zohosync.sync.books.links_by_hand import MODULES
from zohosync.sync.books.overrides import FIELDS, LINE_SKU
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.policy_list import PolicyLine, describe_allowed, list_policies

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("line", list_policies(Policies(), {}), ids=lambda line: line.name)
def test_every_policy_is_told_as_the_program_tells_it(line: PolicyLine) -> None:
    text = (DOCS / "how-to" / "decide-how-documents-are-made.md").read_text(encoding="utf-8")
    default = line.default or "not set"
    assert f"| `{line.name}` | {describe_allowed(line)} | {default} | {line.meaning} |" in text


@pytest.mark.parametrize("name", [*FIELDS, f"{LINE_SKU}<line id>"])
def test_every_field_that_can_be_overridden_is_told(name: str) -> None:
    assert f"| `{name}` |" in (DOCS / "how-to" / "correct-an-order.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_every_finding_and_its_actions_are_told(entry: Entry) -> None:
    text = (DOCS / "reference" / "findings.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| `{entry.code}` |")]
    assert entry.sentence in row
    for choice in entry.choices:
        assert f"{choice.label}{'*' if choice.admin else ''} (`{choice.action}`)" in row
        assert f"| `{choice.action}` | {choice.does} |" in text


@pytest.mark.parametrize(("entity", "module"), MODULES.items())
def test_every_link_that_can_be_made_by_hand_is_told(entity: str, module: str) -> None:
    assert f"| `{entity}` | `{module}` |" in (DOCS / "how-to" / "link-by-hand.md").read_text(encoding="utf-8")


def test_every_finding_the_program_opens_is_in_the_catalogue() -> None:
    opened: set[str] = set()
    for path in (DOCS.parent / "src" / "zohosync" / "sync" / "books").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for names in re.findall(r"(?:WELL_AGAIN|SENT_AFTER_ALL|AS_INVOICED) = \(([^)]*)\)", text):
            opened |= set(re.findall(r'"(\w+)"', names))
        opened |= set(re.findall(r'^GONE = "(\w+)"', text, re.M))
        opened |= set(re.findall(r'\bFound\(\s*"(\w+)"', text))
        opened |= set(re.findall(r'_lost\(case, kind, stored, "(\w+)"', text))
    assert len(opened) >= 9
    assert opened == set(CATALOGUE)
