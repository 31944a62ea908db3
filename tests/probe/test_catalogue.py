"""Every open question is somewhere: asked by a probe, or told with the reason why not."""

import re
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from zohosim.switches import SWITCHES
from zohosync.probe.catalogue import NOT_PROBED, PLANNED, PROBES
from zohosync.probe.probe import EFFECTS, SCOPES, Group, needed_scopes
from zohosync.zoho.scopes import PROBE, missing

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "probes.md"


@pytest.mark.parametrize("switch", [switch.name for switch in SWITCHES])
def test_every_switch_is_settled_by_one_probe_or_listed_with_the_reason_why_not(switch: str) -> None:
    settled = sum(probe.settles == switch for probe in PROBES)
    excused = sum(bool(one.switch) and fnmatchcase(switch, one.switch) for one in NOT_PROBED)
    assert settled + excused == 1, f"{switch}: give it a probe, or a reason in NOT_PROBED"


def test_no_probe_settles_a_switch_that_is_not_there() -> None:
    known = {switch.name for switch in SWITCHES}
    assert {probe.settles for probe in PROBES if probe.settles} <= known
    assert {one.switch for one in NOT_PROBED if one.switch and "*" not in one.switch} <= known


def test_names_are_unique_and_every_probe_says_what_it_is_for() -> None:
    names = Counter([*(probe.name for probe in PROBES), *(one.name for one in PLANNED)])
    assert names.most_common(1)[0][1] == 1
    for probe in PROBES:
        assert bool(probe.settles) != bool(probe.informs)
        assert probe.question.count("?") == 1
        assert probe.source.startswith("https://www.zoho.com/")
        assert probe.credits >= probe.calls
    for one in NOT_PROBED:
        assert one.reason


def test_every_group_has_its_effect_its_scopes_and_a_probe() -> None:
    assert set(EFFECTS) == set(SCOPES) == set(Group) == {probe.group for probe in PROBES}


def test_the_scopes_asked_for_are_enough_for_all_probes() -> None:
    assert missing(PROBE, needed_scopes(PROBES)) == ()
    assert all(f"ZohoCRM.modules.{module}.DELETE" in PROBE for module in ("leads", "contacts", "accounts"))


def test_a_question_is_asked_or_planned_never_both() -> None:
    assert PLANNED
    assert not {one.name for one in PLANNED} & {probe.name for probe in PROBES}


def test_the_reference_has_a_row_for_every_probe_and_every_question_left_open() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.M))
    assert rows == {probe.name: str(probe.group) for probe in PROBES}
    assert [one.name for one in PLANNED if f"`{one.name}`" not in text] == []
    assert [one.switch for one in NOT_PROBED if one.switch and f"`{one.switch}`" not in text] == []
    for probe in PROBES:
        row = re.search(rf"^\| `{probe.name}` \|.*$", text, re.M)
        assert row is not None
        assert row[0].endswith(f"| {probe.calls} | {probe.credits} | [page]({probe.source}) |"), probe.name
        assert probe.makes in row[0]
