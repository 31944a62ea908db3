"""What logs may say: no address, no number, no password of anybody."""

import json
import logging
from datetime import UTC, datetime

import pytest
import structlog

from zohosync.cli.logging import configure_logging
from zohosync.cli.masking import mask_text


@pytest.mark.parametrize(
    ("written", "logged"),
    [
        ("sent to demo.customer@example.com twice", "sent to d***@example.com twice"),
        ("a@b.co, c@d.in", "a***@b.co, c***@d.in"),
        ("phone +919840012345 is bad", "phone +**********45 is bad"),
        ("phone 098400 12345", "phone ****** ***45"),
        ("+91 98400-12345", "+** *****-***45"),
        ("postgresql://worker:pa55@host/db", "postgresql://worker:***@host/db"),
        ("record 554023000001000001 of 55402300000100000", "record 554023000001000001 of 55402300000100000"),
        ("took 0.123456789 s", "took 0.123456789 s"),
        ("id 5e0bdc1c-7d7b-4b3f-8f4e-2a1b3c4d5e6f", "id 5e0bdc1c-7d7b-4b3f-8f4e-2a1b3c4d5e6f"),
        ("2026-11-22T10:00:00.123456Z", "2026-11-22T10:00:00.123456Z"),
        ("33AAACZ0001Z1Z0", "33***"),
    ],
)
def test_personal_data_is_masked_and_ids_are_not(written: str, logged: str) -> None:
    assert mask_text(written) == logged


def test_json_logs_are_masked_however_deep(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json")
    structlog.get_logger("x").warning("contact.failed", operation=7, record={"to": ["demo@example.com"]}, took=1.5)
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "contact.failed"
    assert (line["operation"], line["took"], line["level"]) == (7, 1.5, "warning")
    assert line["record"] == {"to": ["d***@example.com"]}
    assert line["timestamp"].endswith("Z")


def test_tracebacks_and_other_libraries_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json")
    try:
        raise ValueError("bad demo@example.com")
    except ValueError:
        structlog.get_logger().exception("broken")
    logging.getLogger("psycopg.pool").warning("error connecting to %s", "postgresql://u:secret@h/d")
    broken, pool = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert "d***@example.com" in broken["exception"]
    assert pool["event"] == "error connecting to postgresql://u:***@h/d"


def test_the_console_form_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("console")
    structlog.get_logger().info("worker.started", worker="host:1")
    structlog.get_logger().debug("unseen")
    told = capsys.readouterr().err
    assert "worker.started" in told
    assert "worker=host:1" in told
    assert "unseen" not in told


def test_every_line_of_the_json_form_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json")
    log = structlog.get_logger()
    log.warning("odd", thing=object(), when=datetime(2026, 1, 2, tzinfo=UTC), of={("a", 1): b"x"}, text="a\nb\u2028c")
    log.info("surrogate", text="\ud800")
    with structlog.contextvars.bound_contextvars(worker="shop-1:4711"):
        log.info("bound")
    try:
        raise KeyError("Demo Customer")
    except KeyError:
        logging.getLogger("library").exception("failed for %s", "demo@example.com")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["odd", "surrogate", "bound", "failed for d***@example.com"]
    assert lines[2]["worker"] == "shop-1:4711"
    assert "KeyError" in lines[3]["exception"]
    assert "Demo Customer" not in str(lines)
