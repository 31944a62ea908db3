"""The words of the console."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from zohosync.console import words
from zohosync.store.insights import Operation

NOON = datetime(2025, 11, 14, 12, 0, tzinfo=UTC)


def operation(**fields: Any) -> Operation:
    usual: dict[str, Any] = dict.fromkeys(Operation.__dataclass_fields__) | {
        "operation_id": 1, "kind": "crm.contact.push", "lane": "people", "entity": "customer", "record_id": "r",
        "cause": "change", "status": "pending", "attempt": 0, "warnings": [], "requested_at": NOON,
    }  # fmt: skip
    return Operation(**(usual | fields))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "just now"), (-2, "just now"), (4.9, "just now"), (5, "5 s ago"), (59, "59 s ago"), (61, "1 min ago"),
     (3599, "59 min ago"), (7200, "2 h ago"), (86_400, "1 day ago"), (200_000, "2 days ago"), (-200, "in 3 min")],
)  # fmt: skip
def test_ages(seconds: float, text: str) -> None:
    assert words.describe_age(NOON - timedelta(seconds=seconds), NOON) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [(None, ""), (timedelta(milliseconds=12), "12 ms"), (timedelta(seconds=3.44), "3.4 s"),
     (timedelta(seconds=125), "2 min 5 s"), (timedelta(hours=2, minutes=3), "2 h 3 min"), (timedelta(-1), "0 ms")],
)  # fmt: skip
def test_durations(length: timedelta | None, text: str) -> None:
    assert words.describe_duration(length) == text


def test_an_instant_is_told_in_the_organisations_zone() -> None:
    assert words.describe_instant(NOON, ZoneInfo("Asia/Kolkata")) == "14 Nov 2025, 17:30:00 IST"


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (1204, "1,204"), (10_000, "10,000"), (10_001, "10,000+")])
def test_counts_stop_at_their_limit(count: int, text: str) -> None:
    assert words.describe_count(count) == text


@pytest.mark.parametrize(
    ("attempt", "status", "text"),
    [(0, "pending", ""), (2, "retrying", "2 of 6"), (0, "running", "1 of 6"), (8, "failed", "8 of 8")],
)
def test_attempts(attempt: int, status: str, text: str) -> None:
    assert words.describe_attempts(operation(attempt=attempt, status=status), 6) == text


@pytest.mark.parametrize(
    ("kind", "name"),
    [("crm.contact.push", "Contact"), ("books.credit_note.push", "Credit note"), ("crm.blue_deal.push", "Blue deal")],
)
def test_kinds_have_names_also_those_not_known_yet(kind: str, name: str) -> None:
    assert words.name_kind(kind) == name


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        ({"status": "failed"}, True),
        ({"status": "failed", "open_sibling": 2}, False),
        ({"status": "failed", "resolved_at": NOON}, False),
        ({"status": "retrying"}, True),
        ({"status": "waiting"}, True),
        ({"status": "running"}, False),
        ({"status": "succeeded"}, False),
    ],
)
def test_what_may_be_retried(fields: dict[str, Any], may: bool) -> None:
    assert words.may_retry(operation(**fields)) is may


@pytest.mark.parametrize("status", [name for name in words.STATUSES if name not in ("cured", "released", "died")])
def test_every_status_has_a_headline(status: str) -> None:
    assert words.headline(operation(status=status)).endswith(".")


def test_a_cured_failure_is_told_as_one() -> None:
    cured = operation(status="failed", resolved_at=NOON)
    assert words.STATUSES[words.tone(cured)] == "Failed, since cured"
    assert "cured it since" in words.headline(cured)


def test_who_asked_by_hand_is_named() -> None:
    assert words.describe_cause(operation(cause="manual", requested_by="a@example.com")) == "Asked for by a@example.com"
    assert words.describe_cause(operation(cause="manual")) == "Asked for by hand"
